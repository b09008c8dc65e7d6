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

-- Of a tracked model refreshes tell. Who reads the view sees unknown_reason beside a score.
CREATE FUNCTION health_internal.warn_broken(model_name text, ledger_relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held_at date;
    reason text;
BEGIN
    EXECUTE format('SELECT l.as_of, l.tracking_broke FROM %s AS l WHERE l.tracking_broke IS NOT NULL LIMIT 1', ledger_relation)
    INTO held_at, reason;
    IF reason IS NOT NULL THEN
        RAISE WARNING 'model "%": %', model_name, reason
            USING DETAIL = format('Its scores stay those of %s until the volume is usual again.', health_internal.iso_text(held_at)),
                  HINT = format('If that is how it is: SELECT health.alter_model(%L, ''{"volume": {"accepted_from": "%s", '
                                '"accepted_until": "%s"}}'');', model_name, health_internal.iso_text(held_at),
                                health_internal.iso_text(held_at));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.warn_broken(text, text) IS
    'Warns that the scores over a materialized ledger are as of an earlier day, because tracking broke';

-- What a signal needs is said by where its value comes from.
CREATE FUNCTION health_internal.describe_gaps(document jsonb, scores text, signals text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reasons text;
    unknown text[];
    gaps text;
BEGIN
    EXECUTE format('SELECT ARRAY(SELECT s.signal FROM %s AS s GROUP BY 1 HAVING count(s.normalized) = 0)', signals) INTO unknown;
    EXECUTE format('SELECT string_agg(DISTINCT r.unknown_reason, ''; '') FROM (SELECT b.unknown_reason FROM %s AS b WHERE b.in_book '
                   'GROUP BY 1 ORDER BY count(*) DESC LIMIT 2) AS r', scores) INTO reasons;
    SELECT string_agg(format('%s (%s)', g.signal ->> 'name',
               CASE WHEN g.signal #>> '{frozen,seen}' = 'false' THEN 'none of its events was ever seen'
                    WHEN health_internal.is_fitted(g.signal) AND health_internal.frozen_parameters(g.signal) IS NULL
                        THEN 'too little in the book to fit it to'
                    WHEN g.signal ->> 'metric' = 'adoption_rate' AND document #> '{accounts,seats}' IS NULL THEN 'needs accounts.seats'
                    WHEN g.signal ->> 'metric' IN ('onboarding_activation', 'growth') AND document #> '{users,joined}' IS NULL
                        THEN 'needs users.joined'
                    WHEN g.signal ->> 'metric' = 'invite_conversion' AND document #> '{users,invited}' IS NULL THEN 'needs users.invited'
                    WHEN g.signal ? 'metric' THEN 'metric ' || (g.signal ->> 'metric')
                    ELSE coalesce('column ' || (g.signal ->> 'column'), 'expression ' || (g.signal ->> 'expression'), CASE
                        WHEN g.signal ? 'pulse' THEN 'no pulse that counts' ELSE 'its query' END) END),
               ', ' ORDER BY g.number)
    INTO gaps
    FROM health_internal.leaf_signals(document) AS g
    WHERE g.signal ->> 'name' = ANY (unknown);
    RETURN reasons || '.' || coalesce(' Unknown of every account: ' || gaps || '.', '');
END;
$$;
COMMENT ON FUNCTION health_internal.describe_gaps(jsonb, text, text) IS
    'Why the accounts of a score view have no score, and which signals are unknown of all of them';

-- A book in which nobody does anything is nearly always a mistake in the model: a wrong as_of, other event names, other account ids.
CREATE FUNCTION health_internal.notice_silent_book(model_name text, document jsonb, relation text, signals text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts bigint;
    in_book bigint;
    active bigint;
    scored bigint;
    as_of date;
BEGIN
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE b.in_book), '
        'pg_catalog.count(*) FILTER (WHERE b.active_users > 0), pg_catalog.count(b.score), pg_catalog.min(b.as_of) FROM %s AS b', relation)
    INTO accounts, in_book, active, scored, as_of;
    IF accounts = 0 THEN
        RAISE NOTICE 'the account source of model "%" has no rows: nothing is scored', model_name
            USING HINT = 'Fill it, or check accounts.filter; then refresh.';
    ELSIF in_book > 0 AND scored = 0 THEN
        RAISE NOTICE 'no account of model "%" has a score', model_name
            USING DETAIL = health_internal.describe_gaps(document, relation, signals),
                  HINT = 'Add what is missing, or lower minimum_coverage.';
    ELSIF active = 0 AND EXISTS (SELECT FROM health_internal.leaf_signals(document) AS l WHERE l.signal ? 'metric') THEN
        RAISE NOTICE 'no account has an event that counts in the window before %', as_of
            USING HINT = pg_catalog.format('SELECT * FROM health.tracking_plan(%L) holds the events against the accounts, the catalog and '
                'as_of.', model_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.notice_silent_book(text, jsonb, text, text) IS
    'Tells when a score view has no account, none of them a score, or none any activity';
