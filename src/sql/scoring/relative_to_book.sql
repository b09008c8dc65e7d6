-- What the whole book did, beside the changes of an account: told in words, and taken out before advice is given. No score moves by it.

CREATE FUNCTION health_internal.relative_signals(model jsonb) RETURNS boolean[]
    AS 'MODULE_PATHNAME', 'health_relative_signals'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health_internal.relative_signals(jsonb) IS
    'Which signals of a model are held against the book, an element per signal in the order of the model';

CREATE FUNCTION health_internal.account_signals(model jsonb, account health.account_state) RETURNS health_internal.signal_values
    AS 'MODULE_PATHNAME', 'health_account_signals'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.account_signals(jsonb, health.account_state) IS
    'The values of an account that signal_rows() tells the signals from, as score_details() has them';

CREATE FUNCTION health_internal.next_step_in_book(model jsonb, as_of date, signals health_internal.signal_values,
    overrides health.score_override[], change_28d float8, book float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'health_next_step_in_book'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.next_step_in_book(jsonb, date, health_internal.signal_values, health.score_override[], float8, float8[])
    IS 'The next step of an account from what score_details() gave, given what the whole book did: an element per signal, NULL where it is '
    'not known';

-- Medians say the same of any number of accounts in any order, so that a refresh of some of them finds what one of all does. OFFSET 0:
-- values are taken out of their composite once for all signals.
CREATE FUNCTION health_internal.compile_book_changes(document jsonb, accounts text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT ARRAY[%s]::pg_catalog.float8[] AS changes FROM (SELECT CASE WHEN pg_catalog.strpos(''peofnsk'', '
                  '(a."$signals").state::pg_catalog.text) = 0 THEN (a."$signals").raw END AS raw FROM %s AS a OFFSET 0) AS x',
                  string_agg(CASE WHEN r.is_relative THEN format('CASE WHEN pg_catalog.count(x.raw[%1$s]) >= 10 THEN '
                      'pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY x.raw[%1$s]) END', r.number) ELSE 'NULL' END, ', '
                      ORDER BY r.number), accounts)
    FROM unnest(health_internal.relative_signals(document)) WITH ORDINALITY AS r (is_relative, number)
    HAVING bool_or(r.is_relative);
$$;
COMMENT ON FUNCTION health_internal.compile_book_changes(jsonb, text) IS
    'SQL of what the book did in each signal that is held against it: the median over accounts in the book that are old enough and not '
    'silent, NULL of fewer than 10; accounts is a relation with a column "$signals". NULL when the model has no such signal';
