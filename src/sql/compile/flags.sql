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

CREATE FUNCTION health_internal.account_flags(model jsonb, account health.account_state, users text[] DEFAULT NULL,
    departments text[] DEFAULT NULL, main_contacts text[] DEFAULT NULL) RETURNS SETOF health.account_flag
    AS 'MODULE_PATHNAME', 'health_account_flags'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 5000 ROWS 3;
COMMENT ON FUNCTION health_internal.account_flags(jsonb, health.account_state, text[], text[], text[]) IS
    'The flags of an account that are up at a date, by a document whose flags are spelled out, from one decode of its ledger; users with '
    'the department of each in the same place, and main contacts, all by id';

CREATE FUNCTION health_internal.flags_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.scoring_document(document)
        || pg_catalog.jsonb_build_object('flags', coalesce(document -> 'flags', '{}'));
END;
COMMENT ON FUNCTION health_internal.flags_document(jsonb) IS 'The part of a document that account_flags() reads';

CREATE FUNCTION health_internal.asks_for_people(document jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document OPERATOR(pg_catalog.@?)
        '$.flags.*.**.measure ? (@ starts with "departments" || @ == "main_contact_silent_days")'::pg_catalog.jsonpath;
END;
COMMENT ON FUNCTION health_internal.asks_for_people(jsonb) IS
    'Whether a flag of a document is about what the user source says of people: department, main contact';

-- Of a user source without an account, users belong where they are seen.
CREATE FUNCTION health_internal.compile_flag_people(document jsonb, accounts text, parts text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    by_account boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    by_account := (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL;
    RETURN pg_catalog.format('(SELECT a.account_id, pg_catalog.array_agg(a.user_id) FILTER (WHERE pg_catalog.btrim(a.department) <> '''') '
        'AS users, pg_catalog.array_agg(a.department) FILTER (WHERE pg_catalog.btrim(a.department) <> '''') AS departments, '
        'pg_catalog.array_agg(a.user_id) FILTER (WHERE a.main_contact) AS main_contacts FROM (%s) AS a WHERE a.user_id IS NOT NULL '
        'GROUP BY 1) AS p ON p.account_id = %s',
        CASE WHEN by_account THEN health_internal.compile_people_attributes(document, fields)
             ELSE health_internal.compile_users(document, health_internal.scoring_document(document), accounts,
                 health_internal.compile_state(parts, false, with_overrides => false)) END,
        CASE WHEN by_account THEN health_internal.compile_account_key(fields, 'l.account_id') ELSE 'l.account_id' END);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_flag_people(jsonb, text, text) IS
    'SQL of a relation p, and its condition, with what the user source says of the people of an account l, for account_flags(): arrays '
    'users, departments and main_contacts; arguments as for compile_account_flags()';

CREATE FUNCTION health_internal.compile_account_flags(document jsonb, accounts text, parts text DEFAULT NULL) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT l.account_id, l.name, l.as_of, l.model_version, f.flag, f.kind, f.since, f.value, f.threshold, f.sentence, '
        'f.next_step FROM %s AS l%s CROSS JOIN LATERAL health_internal.account_flags(%L::pg_catalog.jsonb, %s%s) AS f%s',
        accounts, ' LEFT JOIN ' || people.relation, health_internal.flags_document(document), health_internal.compile_state(parts),
        CASE WHEN people.relation IS NOT NULL THEN ', p.users, p.departments, p.main_contacts' ELSE '' END,
        CASE WHEN parts IS NULL THEN ' WHERE l.in_filter[1] IS NOT FALSE' ELSE '' END)
    FROM (SELECT CASE WHEN health_internal.asks_for_people(document)
                      THEN health_internal.compile_flag_people(document, accounts, parts) END) AS people (relation);
$$;
COMMENT ON FUNCTION health_internal.compile_account_flags(jsonb, text, text) IS
    'SQL of the flags that are up for accounts, rows of ledgers; parts is SQL of their usage where they stand in a book';
