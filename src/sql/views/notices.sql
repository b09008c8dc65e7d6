-- What a score view tells when it is made: events of unknown accounts, a book in which nobody does anything.

-- Once, when a view is created: it costs one more pass over the events.
CREATE FUNCTION health_internal.notice_unknown_accounts(model_name text, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts text;
    unknown_events bigint;
    unknown_accounts bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    accounts := (health_internal.compile_model(version.document, version.version, usage_from => 'nothing')).ledger;
    EXECUTE pg_catalog.format(
        'SELECT coalesce(pg_catalog.sum(s.n), 0), pg_catalog.count(*) FROM (SELECT e.account_id, pg_catalog.sum(e.n) AS n FROM (%s) AS e '
            'GROUP BY 1) AS s '
        'WHERE s.account_id IS NOT NULL AND s.n > 0',
        health_internal.store_activity_beside(health_internal.open_store(version), accounts))
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
COMMENT ON FUNCTION health_internal.notice_unknown_accounts(text, health_internal.model_version) IS
    'Tells of events whose account is not in the account source';

-- A book in which nobody does anything is nearly always a mistake in the model: a wrong as_of, other event names, other account ids.
CREATE FUNCTION health_internal.notice_silent_book(model_name text, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts bigint;
    active bigint;
    as_of date;
BEGIN
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.active_users > 0), pg_catalog.min(b.as_of) '
        'FROM %s AS b', relation)
    INTO accounts, active, as_of;
    IF accounts = 0 THEN
        RAISE NOTICE 'the account source of model "%" has no rows: nothing is scored', model_name
            USING HINT = 'Fill it, or check accounts.filter; then refresh.';
    ELSIF active = 0 THEN
        RAISE NOTICE 'no account has an event that counts in the window before %', as_of
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) holds the events against the accounts, the catalog and '
                'as_of.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_silent_book(text, text) IS
    'Tells when a score view has no account, or none of them any activity';
