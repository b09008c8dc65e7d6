-- What a score view tells when it is made: events of unknown accounts, a book in which nobody does anything.

CREATE FUNCTION health_internal.compile_all_events(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT pg_catalog.string_agg(pg_catalog.format(
        'SELECT %L::pg_catalog.text AS source, e.account_id::pg_catalog.text AS account_id, e.user_id, e.event_name, %s AS day FROM (%s) AS e',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields))), ' UNION ALL ')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone', coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone);
$$;
COMMENT ON FUNCTION health_internal.compile_all_events(jsonb, health_internal.model_field[]) IS 'SQL of all rows of all event sources, wrong ones too';

-- Once, when a view is created: it costs one more pass over the events.
CREATE FUNCTION health_internal.notice_unknown_accounts(model_name text, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    accounts text;
    counts text;
    unknown_events bigint;
    unknown_accounts bigint;
BEGIN
    PERFORM set_config('search_path', version.search_path, true);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    accounts := (health_internal.compile_model(version.document, version.version, usage_from => 'nothing')).ledger;
    IF health_internal.usage_source(model_name, version.document) = 'ledger' THEN    -- tracked: no need to read the events
        counts := (SELECT pg_catalog.string_agg(pg_catalog.format(
                       'SELECT k.account_id, c.count AS n FROM (SELECT h.account_id::pg_catalog.text, h.usage FROM %s AS h) AS k, LATERAL health.cells(k.usage) AS c '
                       'WHERE NOT pg_catalog.starts_with(c.event, ''$'') '
                       'AND NOT EXISTS (SELECT 1 FROM (%s) AS a WHERE a.account_id::pg_catalog.text = k.account_id)',
                       health_internal.data_table('chunk', t.id), accounts), ' UNION ALL ')
                   FROM health_internal.ledger_source AS t WHERE t.model = model_name);
    ELSE
        counts := pg_catalog.format('SELECT e.account_id, 1 AS n FROM (%s) AS e', health_internal.compile_all_events(version.document, fields));
    END IF;
    EXECUTE pg_catalog.format(
        'SELECT coalesce(pg_catalog.sum(s.n), 0), pg_catalog.count(*) FROM (SELECT e.account_id, pg_catalog.sum(e.n) AS n FROM (%s) AS e GROUP BY 1) AS s '
        'WHERE s.account_id IS NOT NULL AND s.n > 0 AND NOT EXISTS (SELECT 1 FROM (%s) AS a WHERE a.account_id::pg_catalog.text = s.account_id)',
        counts, accounts)
    INTO unknown_events, unknown_accounts;
    IF unknown_events > 0 THEN
        RAISE NOTICE '%', pg_catalog.format('%s of %s that the account source does not have %s not scored',
                unknown_events || CASE unknown_events WHEN 1 THEN ' event' ELSE ' events' END,
                unknown_accounts || CASE unknown_accounts WHEN 1 THEN ' account' ELSE ' accounts' END,
                CASE unknown_events WHEN 1 THEN 'is' ELSE 'are' END)
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) lists them.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_unknown_accounts(text, health_internal.model_version) IS 'Tells of events whose account is not in the account source';

-- A book in which nobody does anything is nearly always a mistake in the model: a wrong as_of, other event names, other account ids.
CREATE FUNCTION health_internal.notice_silent_book(model_name text, relation text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    accounts bigint;
    active bigint;
    as_of date;
BEGIN
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.active_users > 0), pg_catalog.min(b.as_of) FROM %s AS b', relation)
    INTO accounts, active, as_of;
    IF accounts = 0 THEN
        RAISE NOTICE 'the account source of model "%" has no rows: nothing is scored', model_name
            USING HINT = 'Fill it, or check accounts.filter; then refresh.';
    ELSIF active = 0 THEN
        RAISE NOTICE 'no account has an event that counts in the window before %', as_of
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) holds the events against the accounts, the catalog and as_of.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_silent_book(text, text) IS 'Tells when a score view has no account, or none of them any activity';
