-- The query of the flags of accounts.

CREATE TYPE health.account_flag AS (
    flag text,
    kind text,
    since date,
    value float8,
    threshold float8,
    sentence text,
    next_step text
);
COMMENT ON TYPE health.account_flag IS 'a flag that is up for an account: what account_flags() and the _flags of a score view have';
COMMENT ON COLUMN health.account_flag.flag IS 'Name of the flag';
COMMENT ON COLUMN health.account_flag.kind IS 'churn, expansion, onboarding or data';
COMMENT ON COLUMN health.account_flag.since IS
    'First day of the unbroken run of days on which the flag is up; days are looked back 28 at most: of a longer run the 28th day before';
COMMENT ON COLUMN health.account_flag.value IS 'What the first condition of the flag measured, raw';
COMMENT ON COLUMN health.account_flag.threshold IS 'Its limit; of two the upper one';
COMMENT ON COLUMN health.account_flag.sentence IS 'The finding in words';
COMMENT ON COLUMN health.account_flag.next_step IS 'What to do about it';

CREATE FUNCTION health_internal.account_flags(model jsonb, account health.account_state) RETURNS SETOF health.account_flag
    AS 'MODULE_PATHNAME', 'health_account_flags'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 3;
COMMENT ON FUNCTION health_internal.account_flags(jsonb, health.account_state) IS
    'The flags of an account that are up at a date, by a document whose flags are spelled out, from one decode of its ledger';

CREATE FUNCTION health_internal.flags_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.scoring_document(document)
        || pg_catalog.jsonb_build_object('flags', coalesce(document -> 'flags', '{}'));
END;
COMMENT ON FUNCTION health_internal.flags_document(jsonb) IS 'The part of a document that account_flags() reads';

CREATE FUNCTION health_internal.compile_account_flags(document jsonb, accounts text, parts text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT l.account_id, l.name, l.as_of, l.model_version, f.flag, f.kind, f.since, f.value, f.threshold, f.sentence, '
        'f.next_step FROM %s AS l CROSS JOIN LATERAL health_internal.account_flags(%L::pg_catalog.jsonb, %s) AS f%s',
        accounts, health_internal.flags_document(document), health_internal.compile_state(parts),
        CASE WHEN parts IS NULL THEN ' WHERE l.in_filter[1] IS NOT FALSE' ELSE '' END);
$$;
COMMENT ON FUNCTION health_internal.compile_account_flags(jsonb, text, text) IS
    'SQL of the flags that are up for accounts, rows of ledgers; parts is SQL of their usage where they stand in a book';
