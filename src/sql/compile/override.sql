-- Overrides and pulses in compiled SQL: read from the catalog by what runs as the owner of the model; a plain view, which runs as its
-- reader, has them as literals.

-- No name here is one that a document could use.
CREATE FUNCTION health_internal.compile_overrides(model_name text, as_literals boolean, account text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    made CONSTANT text := format(
        'SELECT o.account, pg_catalog.array_agg(ROW(o.kind, o.value, o.from_day, o.expires, o.ended, o.owner, o.reason)'
        '::health.score_override ORDER BY o.number) AS overrides FROM health_internal.score_override AS o WHERE o.model = %L GROUP BY 1',
        model_name);
    rows text;
BEGIN
    IF as_literals THEN
        EXECUTE format('SELECT string_agg(format(''(%%L::pg_catalog.text, %%L::health.score_override[])'', m.account, m.overrides), '', '' '
                       'ORDER BY m.account) FROM (%s) AS m', made) INTO rows;
        rows := format('(VALUES %s) AS overridden (account, overrides)',
                       coalesce(rows, '(NULL::pg_catalog.text, NULL::health.score_override[])'));
    ELSE
        rows := format('(%s%s) AS overridden', made, health_internal.fence());
    END IF;
    RETURN format(' LEFT JOIN %s ON overridden.account = %s', rows, account);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_overrides(text, boolean, text) IS
    'SQL that joins, as overridden.overrides, what was ever decided about the score of the account with that text';

-- As compile_query_signal() has answers. Of several on one day the last stands.
CREATE FUNCTION health_internal.compile_pulses(model_name text, as_literals boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    given CONSTANT text := format(
        'SELECT d.account AS "answers of", pg_catalog.array_agg(d.value ORDER BY d.day) AS "values of answers", '
        'pg_catalog.array_agg(d.day ORDER BY d.day) AS "days of answers" FROM (SELECT DISTINCT ON (1, 2) p.account, p.day, '
        'pg_catalog.concat(p.value, '' by '', p.owner, '': '' || p.note) AS value FROM health_internal.csm_pulse AS p WHERE p.model = %L '
        'ORDER BY 1, 2, p.number DESC) AS d GROUP BY 1', model_name);
    rows text;
BEGIN
    IF NOT as_literals THEN
        RETURN given;
    END IF;
    EXECUTE format('SELECT string_agg(format(''(%%L::pg_catalog.text, %%L::pg_catalog.text[], %%L::pg_catalog.date[])'', '
                   'g."answers of", g."values of answers", g."days of answers"), '', '' ORDER BY g."answers of") '
                   'FROM (%s) AS g', given) INTO rows;
    RETURN format('SELECT * FROM (VALUES %s) AS g ("answers of", "values of answers", "days of answers")',
                  coalesce(rows, '(NULL::pg_catalog.text, NULL::pg_catalog.text[], NULL::pg_catalog.date[])'));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_pulses(text, boolean) IS
    'SQL of a pulse signal: one row per account with its pulses and their days, each as "2 by maria: note"';
