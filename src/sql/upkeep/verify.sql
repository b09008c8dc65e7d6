-- verify: the ledger of a tracked model against its events, cell by cell. forget_user: what is left of a person.

CREATE FUNCTION health_internal.verify_source(source health_internal.ledger_source, account text, ledger_start date,
    today date)
RETURNS TABLE (source_path text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := ledger_start;
    kind text := source.account_kind;
    one text := CASE WHEN account IS NULL THEN 'true' ELSE pg_catalog.format('x.account_id = %L::%s', account, kind) END;
    changes text := 'SELECT NULL::text AS account_id, NULL::health.usage AS usage WHERE false';
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    IF source.window_days IS NULL THEN
        changes := pg_catalog.format($query$
            SELECT f.account_id, f.usage FROM health_internal.fold_changes(coalesce(ARRAY(
                SELECT p.changes FROM %1$s AS c, LATERAL (SELECT %2$s AS changes) AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f WHERE f.account_id IS NOT NULL $query$,
            source.change_table::regclass, health_internal.compile_pending_changes('c', source.id));
    ELSIF pg_catalog.isfinite(first_day) THEN
        first_day := greatest(first_day, today - source.window_days);    -- as reread_window() has it; facts are verified whole
    END IF;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH of_events AS (
            SELECT e.account_id, %1$s AS usage FROM (SELECT x.* FROM (%2$s) AS x WHERE x.account_id IS NOT NULL AND %3$s) AS e
            GROUP BY e.account_id
        ), of_ledger AS (
            SELECT x.account_id, health.rollup(x.usage) AS usage
            FROM (SELECT c.account_id, c.usage FROM %4$s AS c UNION ALL SELECT f.account_id::%5$s, f.usage FROM (%6$s) AS f) AS x WHERE %3$s
            GROUP BY x.account_id
        )
        SELECT %7$L::text, coalesce(e.account_id, l.account_id)::text, c.user_id, c.day, c.event, c.count, c.amount
        FROM of_events AS e FULL JOIN of_ledger AS l ON l.account_id = e.account_id,
            LATERAL health.cells(health.slice(coalesce(e.usage, '{}') OPERATOR(health.-) coalesce(l.usage, '{}'), $1, NULL)) AS c
        ORDER BY 2, 4, 3, 5 $query$,
        health_internal.compile_row_agg(source), source.event_rows, one, source.chunk_table::regclass, kind, changes, source.path)
    USING CASE WHEN pg_catalog.isfinite(first_day) THEN first_day END;
END;
$$;
COMMENT ON FUNCTION health_internal.verify_source(health_internal.ledger_source, text, date, date) IS
    'The cells in which the events of a source differ from its ledger';

CREATE FUNCTION health_internal.verify_as_owner(model text, account text)
RETURNS TABLE (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    version health_internal.model_version;
    today date;
    key text;
BEGIN
    PERFORM health_internal.open_model(model);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    today := health_internal.model_today(version.document);
    BEGIN
        EXECUTE format('SELECT (%s)::pg_catalog.text', health_internal.account_key(tracking, format('%L::%s', account,
            tracking.account_type))) INTO key;
    EXCEPTION WHEN data_exception THEN
        PERFORM health_internal.raise_unknown_account(model, version, account);
    END;
    RETURN QUERY SELECT v.* FROM health_internal.ledger_source AS s,
                     LATERAL health_internal.verify_source(s, key,
                         health_internal.ledger_start(version.document, today, s.path), today) AS v
                 WHERE s.model = verify_as_owner.model;
END;
$$;
COMMENT ON FUNCTION health_internal.verify_as_owner(text, text) IS 'verify() as the owner of the model';

CREATE FUNCTION health.verify(model text, account text DEFAULT NULL)
RETURNS TABLE (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric)
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.verify_as_owner($1, $2)', model, account)
        AS r (source text, account_id text, user_id text, day date, event text, events bigint, amount numeric);
END;
$$;
COMMENT ON FUNCTION health.verify(text, text) IS
    'Recomputes the ledger of a tracked model, or of one account, from its events and returns what differs: events and amounts that the '
        'events have '
    'more than the ledger with its changes to come. No row: none. Window mode: the last window_days only';

-- What cannot be an id of that type is nobody's.
CREATE FUNCTION health_internal.user_key(fields health_internal.model_field[], user_id text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    type CONSTANT regtype := (SELECT f.type FROM unnest(fields) AS f
                              WHERE f.field = 'user' AND f.source <> 'columns' OR f.source = 'users' AND f.field = 'id' LIMIT 1);
    key text;
BEGIN
    EXECUTE format('SELECT (%s)::text', health_internal.compile_key(format('%L::%s', user_id, health_internal.type_name(type)), type,
        health_internal.user_form(fields))) INTO key;
    RETURN key;
EXCEPTION WHEN data_exception THEN
    RETURN user_id;
END;
$$;
COMMENT ON FUNCTION health_internal.user_key(health_internal.model_field[], text) IS
    'A user id, given as text, as it is in the ledgers';

-- Whoever is in the user table comes back into rosters and lists of excluded users with the next refresh.
CREATE FUNCTION health_internal.compile_known_users(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('SELECT %s%s AS user_id FROM %s WHERE %s', (users.id).expression, health_internal.user_cast(fields),
        (users.source).from_item,
        pg_catalog.concat_ws(' OR ', '(' || (users.account).expression || ' IS NOT NULL' || coalesce(' AND ' || (users.filter).expression,
            '') || ')', (users.exclude).expression))
    FROM (SELECT health_internal.field_of(fields, 'users', 'id') AS id, health_internal.field_of(fields, 'users', 'from') AS source,
                 health_internal.field_of(fields, 'users', 'account') AS account,
                 health_internal.field_of(fields, 'users', 'filter') AS filter,
                 health_internal.field_of(fields, 'users', 'exclude') AS exclude) AS users
    WHERE coalesce((users.account).expression, (users.exclude).expression) IS NOT NULL;
END;
COMMENT ON FUNCTION health_internal.compile_known_users(health_internal.model_field[]) IS
    'SQL of the ids of the users of the user source that rosters or the list of excluded users name; NULL when it gives neither';

CREATE FUNCTION health_internal.forget_user_as_owner(model text, user_id text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking;
    source health_internal.ledger_source;
    version health_internal.model_version;
    fields health_internal.model_field[];
    key text := user_id;
    known_users text;
    remaining boolean;
    changed bigint;
    chunks bigint := 0;
BEGIN
    IF user_id IS NULL THEN
        RAISE EXCEPTION 'model "%": the user to forget is NULL', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of a user, as in the events: forget_user(model, user_id).';
    END IF;
    PERFORM health_internal.open_model(model);
    PERFORM health_internal.lock_tracking(model, true);
    tracking := health_internal.find_ready_tracking(model);
    version := health_internal.find_version(model, tracking.model_version);
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    key := health_internal.user_key(fields, user_id);
    -- What is deleted there is taken out of the ledger by its capture; taking it out twice would make it wrong.
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = forget_user_as_owner.model ORDER BY s.id LOOP
        PERFORM health_internal.look_names_up_in(source.search_path);
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT 1 FROM (%s) AS e WHERE e.user_id::pg_catalog.text = $1)', source.event_rows)
            INTO remaining USING key;
        IF remaining THEN
            RAISE EXCEPTION 'model "%": user "%" still has events in %', model, user_id, coalesce(source.relation_name, source.path)
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Delete or anonymise the rows there first, and those of the user table.';
        END IF;
    END LOOP;
    PERFORM health_internal.look_names_up_in(version.search_path);
    known_users := health_internal.compile_known_users(fields);
    IF known_users IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT 1 FROM (%s) AS k WHERE k.user_id::pg_catalog.text = $1)', known_users)
            INTO remaining USING key;
        IF remaining THEN
            RAISE EXCEPTION 'model "%": user "%" is still in %', model, user_id,
                coalesce(version.document #>> '{users,table}', 'the query of users')
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete or anonymise the row there first.';
        END IF;
    END IF;
    PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM health_internal.refresh_tracked(model);
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = forget_user_as_owner.model ORDER BY s.id LOOP
        EXECUTE format(
            'WITH put AS (UPDATE %1$s AS k SET usage = health.without_user(k.usage, $1) WHERE health.without_user(k.usage, $1) '
                'OPERATOR(health.<>) k.usage RETURNING k.account_id), '
            'stale AS (INSERT INTO %2$s SELECT b.account_id FROM %3$s AS b WHERE %4$s IN (SELECT p.account_id FROM put AS p) '
                'ON CONFLICT DO NOTHING) '
            'SELECT count(*) FROM put', source.chunk_table::regclass, health_internal.data_table('stale', tracking.id),
                health_internal.data_table('book', tracking.id),
            health_internal.account_key(tracking, 'b.account_id'))
        INTO changed USING key;
        chunks := chunks + changed;
    END LOOP;
    PERFORM health_internal.update_book(tracking, version);
    PERFORM health_internal.write_scores(tracking);
    RETURN chunks;
END;
$$;
COMMENT ON FUNCTION health_internal.forget_user_as_owner(text, text) IS 'forget_user() as the owner of the model';

CREATE FUNCTION health.forget_user(model text, user_id text) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.chunks FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.forget_user_as_owner($1, $2)', model, user_id) AS r (chunks bigint);
$$;
COMMENT ON FUNCTION health.forget_user(text, text) IS
    'Takes a user out of the ledgers and scores of a tracked model (top user included), once the rows of the user are gone from the '
        'tables; the history '
    'names no users. Returns the number of chunks that held the user';
