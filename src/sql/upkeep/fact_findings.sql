-- What of the facts of a model does not fit it: for tracking_plan().

CREATE FUNCTION health_internal.compile_fact_rows(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format($query$
        SELECT %L::pg_catalog.text AS source, x.account_id, x.at IS NULL AS lacks_day, x.day, x.currency, x.value IS NOT NULL AS has_value,
               CASE WHEN NOT pg_catalog.isfinite(x.day) THEN 'at'
                    WHEN x.off_scale OR x.value IS NOT NULL AND NOT health_internal.is_event(DATE '2000-01-01', 'x', x.value) THEN 'value'
                    WHEN x.last_day < x.day THEN 'until' END AS bad_field,
               x.at::pg_catalog.text AS at_text, x.until::pg_catalog.text AS until_text, x.value::pg_catalog.text AS value_text
        FROM (SELECT (%s)::pg_catalog.text AS account_id, %s AS at, %s AS day, %s AS until, %s AS last_day,
                     (%s)::pg_catalog.float8 AS value, %s AS off_scale, %s AS currency FROM %s%s) AS x $query$,
        s.path, (health_internal.field_of(fields, s.path, 'account')).expression, (f.at).expression, d.at_day,
        coalesce((f.until).expression, 'NULL::pg_catalog.date'),
        CASE WHEN (f.until).expression IS NULL THEN 'NULL::pg_catalog.date'
             ELSE format('CASE WHEN (%s) IS NOT NULL THEN %s END', (f.until).expression, d.until_day) END,
        coalesce((f.value).expression, 'NULL'),
        coalesce(health_internal.compile_scale_fault(s.source ->> 'scale', (f.value).expression), 'false'),
        coalesce(health_internal.compile_text_key(f.currency), 'NULL::pg_catalog.text'), (f.at).from_item,
        coalesce(' WHERE ' || (health_internal.field_of(fields, s.path, 'filter')).expression, '')), ' UNION ALL ')
    FROM health_internal.sources(document) AS s,
         LATERAL (SELECT health_internal.field_of(fields, s.path, 'at') AS at, health_internal.field_of(fields, s.path, 'until') AS until,
                         health_internal.field_of(fields, s.path, 'value') AS value,
                         health_internal.field_of(fields, s.path, 'currency') AS currency,
                         coalesce(document ->> 'time_zone', 'UTC') AS zone) AS f,
         LATERAL (SELECT health_internal.compile_plain_day((f.at).expression, (f.at).type, s.source ->> 'time_zone', f.zone) AS at_day,
                         health_internal.compile_plain_day((f.until).expression, (f.until).type, s.source ->> 'time_zone', f.zone)
                             AS until_day) AS d
    WHERE s.kind = 'facts' AND (f.at).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_fact_rows(jsonb, health_internal.model_field[]) IS
    'SQL of the rows of all fact sources: what findings need to know of each; NULL for a document without facts';

-- Of the accounts with the most rows 20 are named, the others counted.
CREATE FUNCTION health_internal.fact_findings(document jsonb, fields health_internal.model_field[], accounts text)
    RETURNS SETOF health.tracking_finding
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    all_rows CONSTANT text := health_internal.compile_fact_rows(document, fields);
BEGIN
    IF all_rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH rows AS MATERIALIZED (%1$s), accounts AS MATERIALIZED (%2$s), usable AS (
            SELECT r.* FROM rows AS r WHERE r.account_id IS NOT NULL AND NOT r.lacks_day AND r.bad_field IS NULL
        ), found AS (
            SELECT 1 AS position, 'bad value' AS finding, r.source, r.bad_field AS name, pg_catalog.count(*) AS n,
                   pg_catalog.min(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)) AS first_day,
                   pg_catalog.max(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)) AS last_day,
                   CASE r.bad_field WHEN 'at' THEN 'an infinite time is no day: the row is left out'
                       WHEN 'until' THEN 'it ends before it begins: the row is left out; NULL and infinity stand for no end'
                       ELSE 'no number that a ledger can keep, or no answer on the scale: the row is left out; NULL is no value' END
                       AS advice,
                   r.account_id AS account,
                   pg_catalog.min(CASE r.bad_field WHEN 'at' THEN r.at_text WHEN 'until' THEN r.until_text ELSE r.value_text END) AS value
            FROM rows AS r WHERE r.account_id IS NOT NULL AND NOT r.lacks_day AND r.bad_field IS NOT NULL GROUP BY 3, 4, 9
            UNION ALL
            SELECT 2, 'null key', r.source, k.name, pg_catalog.count(*), pg_catalog.min(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)),
                   pg_catalog.max(r.day) FILTER (WHERE pg_catalog.isfinite(r.day)),
                   'rows without this value are left out: mend the source, or filter them', NULL, NULL
            FROM rows AS r, LATERAL (VALUES ('account', r.account_id IS NULL), ('at', r.lacks_day)) AS k (name, missing)
            WHERE k.missing GROUP BY 3, 4
            UNION ALL
            SELECT 3, 'unknown account', r.source, r.account_id, pg_catalog.count(*), pg_catalog.min(r.day), pg_catalog.max(r.day),
                   'no such account (or accounts.filter leaves it out): its rows are not scored', r.account_id, NULL
            FROM usable AS r WHERE NOT EXISTS (SELECT FROM accounts AS a WHERE a.account_id = r.account_id) GROUP BY 3, 4
            UNION ALL
            SELECT 4, 'several currencies', r.source, 'currency', pg_catalog.count(*), pg_catalog.min(r.day), pg_catalog.max(r.day),
                   'amounts in several currencies are never added: say which in "currency" of the signal, or convert them',
                   r.account_id, pg_catalog.string_agg(DISTINCT coalesce(nullif(r.currency, ''), '(none)'), ', ')
            FROM usable AS r WHERE r.has_value AND %3$L::jsonb ? r.source GROUP BY 3, 9
            HAVING pg_catalog.count(DISTINCT coalesce(r.currency, '')) > 1
            UNION ALL
            SELECT 5, 'signal never seen', 'signals', g.signal ->> 'name', pg_catalog.count(u.source), NULL, NULL,
                   CASE WHEN pg_catalog.count(u.source) > 0
                        THEN 'its rows have come since: refreeze_references(model) has it count'
                        ELSE 'there was never a row in its source: it is unknown (not_applicable); is it the right table?' END, NULL, NULL
            FROM pg_catalog.jsonb_array_elements(%4$L::jsonb) AS g (signal)
            LEFT JOIN usable AS u ON u.source = 'facts.' || (g.signal ->> 'fact') GROUP BY 4
        ), placed AS (
            SELECT f.*, CASE WHEN f.account IS NULL THEN 0
                             ELSE pg_catalog.row_number() OVER (PARTITION BY f.finding, f.source,
                                      CASE f.finding WHEN 'bad value' THEN f.name END ORDER BY f.n DESC, f.account) END AS place
            FROM found AS f
        )
        SELECT s.finding, s.source, s.name, s.n, s.users, s.first_day, s.last_day, s.advice, s.account, s.value
        FROM (SELECT p.position, p.place, p.finding, p.source, p.name, p.n, NULL::bigint AS users, p.first_day, p.last_day, p.advice,
                     p.account,
                     CASE WHEN pg_catalog.length(p.value) > 60 THEN pg_catalog.left(p.value, 57) || '...' ELSE p.value END AS value
              FROM placed AS p WHERE p.place <= 20
              UNION ALL
              SELECT p.position, 21, p.finding, p.source, CASE p.finding WHEN 'bad value' THEN p.name END, pg_catalog.sum(p.n)::bigint,
                     NULL, pg_catalog.min(p.first_day), pg_catalog.max(p.last_day),
                     pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*), pg_catalog.min(p.advice)), NULL, NULL
              FROM placed AS p WHERE p.place > 20 GROUP BY 1, 3, 4, 5) AS s
        ORDER BY s.position, s.source, s.name, s.place $query$,
        all_rows, accounts,
        (SELECT coalesce(jsonb_agg(s.path), '[]') FROM health_internal.sources(document) AS s
         WHERE s.kind = 'facts' AND s.source ? 'currency'),
        (SELECT coalesce(jsonb_agg(l.signal ORDER BY l.number), '[]') FROM health_internal.leaf_signals(document) AS l
         WHERE l.signal ? 'fact' AND l.signal #>> '{frozen,seen}' = 'false'));
END;
$$;
COMMENT ON FUNCTION health_internal.fact_findings(jsonb, health_internal.model_field[], text) IS
    'Findings about the facts of a document: values that cannot be, NULL keys, unknown accounts, several currencies, signals about sources '
    'that were empty; accounts is SQL of their ids';
