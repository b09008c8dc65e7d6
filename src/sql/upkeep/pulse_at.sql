-- Five figures of all accounts of a tracked model, from its ledger.

-- One source is read by pulse_chunks. Users of several sources, and excluded ones, are seen by the aggregate.
CREATE FUNCTION health_internal.pulse_at_as_owner(model text, as_of date,
    OUT account_id text, OUT active_users bigint, OUT events bigint, OUT trend_4w float8, OUT dip_streak integer,
        OUT power_user_dependency float8)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    state health_internal.store_state;
    sources health_internal.ledger_source[];
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_ready_tracking(model);
    state := health_internal.read_state(tracking.id);
    as_of := coalesce(as_of, state.as_of);
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to take the pulse at is %', model, coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: pulse_at(model, date).';
    END IF;
    sources := ARRAY(SELECT s FROM health_internal.ledger_source AS s WHERE s.model = pulse_at_as_owner.model ORDER BY s.id);
    IF cardinality(sources) = 1 AND cardinality(state.excluded_users) = 0 THEN
        RETURN QUERY SELECT p.* FROM health.pulse_chunks(sources[1].chunk_table::regclass, as_of) AS p;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT a.account_id, (a.pulse).* FROM (SELECT c.account_id::text, health.pulse_agg(health.without_users(c.usage, $2), $1) AS '
            'pulse FROM (%s) AS c GROUP BY c.account_id) AS a',
        (SELECT string_agg(format('SELECT account_id, usage FROM %s', s.chunk_table::regclass), ' UNION ALL ') FROM unnest(sources) AS s))
    USING as_of, state.excluded_users;
END;
$$;
COMMENT ON FUNCTION health_internal.pulse_at_as_owner(text, date) IS 'pulse_at() as the owner of the model';

CREATE FUNCTION health.pulse_at(model text, as_of date DEFAULT NULL,
    OUT account_id text, OUT active_users bigint, OUT events bigint, OUT trend_4w float8, OUT dip_streak integer,
        OUT power_user_dependency float8)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.pulse_at_as_owner($1, $2::date)', model, as_of::text)
        AS r (account_id text, active_users bigint, events bigint, trend_4w float8, dip_streak integer, power_user_dependency float8);
END;
$$;
COMMENT ON FUNCTION health.pulse_at(text, date) IS
    'the pulse of every account in the ledger of a tracked model: five figures over the 56 days before a day, by default the day of the '
        'present scores; as of the last refresh';
