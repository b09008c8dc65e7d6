-- What the scores of a tracked model stand for: one row in health_data.state_N.

CREATE TYPE health_internal.store_state AS (
    as_of date,
    model_version integer,
    broken text,
    excluded_users text[],
    all_stale boolean,
    ledger_start date,
    outages date[],
    book float8[]
);
COMMENT ON TYPE health_internal.store_state IS 'Internal: what the scores of a tracked model stand for';
COMMENT ON COLUMN health_internal.store_state.as_of IS 'Day of the scores; NULL: none yet';
COMMENT ON COLUMN health_internal.store_state.model_version IS 'Version of the model that they are by';
COMMENT ON COLUMN health_internal.store_state.broken IS 'Why as_of is an earlier day than today (tracking_broke); NULL when it is not';
COMMENT ON COLUMN health_internal.store_state.excluded_users IS 'Users whose activity does not count, by the user source';
COMMENT ON COLUMN health_internal.store_state.all_stale IS 'Whether every account is to be scored again';
COMMENT ON COLUMN health_internal.store_state.ledger_start IS 'First day that the ledgers keep';
COMMENT ON COLUMN health_internal.store_state.outages IS 'First and last days, by turns, on which tracking was broken lately';
COMMENT ON COLUMN health_internal.store_state.book IS
    'What the whole book did in each signal that is held against it; NULL when none is';

CREATE FUNCTION health_internal.read_state(id integer) RETURNS health_internal.store_state
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state health_internal.store_state;
BEGIN
    IF to_regclass(health_internal.data_table('state', id)) IS NOT NULL THEN
        EXECUTE format('SELECT s.as_of, s.model_version, s.broken, s.excluded_users, s.all_stale, s.ledger_start, s.outages, s.book '
                       'FROM %s AS s',
            health_internal.data_table('state', id))
        INTO state;
    END IF;
    RETURN state;
END;
$$;
COMMENT ON FUNCTION health_internal.read_state(integer) IS 'What the scores of a tracked model stand for; all NULL before its first book';

CREATE FUNCTION health_internal.mark_all_stale(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(health_internal.data_table('state', tracking.id)) IS NOT NULL THEN
        EXECUTE format('UPDATE %s SET all_stale = true WHERE NOT all_stale', health_internal.data_table('state', tracking.id));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.mark_all_stale(health_internal.tracking) IS
    'Has the next refresh score every account of a tracked model';
