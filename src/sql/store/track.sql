-- track and untrack: ledgers beside the event tables of a model, with triggers that capture changes, or with a window that is read again.

CREATE FUNCTION health_internal.data_table(kind text, id integer) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT 'health_data.' || kind || '_' || id;
END;
COMMENT ON FUNCTION health_internal.data_table(text, integer) IS 'Name of a table of a tracked model (book, score, signals, history, stale) or of a ledger source (chunk, change)';

CREATE FUNCTION health_internal.trigger_name(source integer) RETURNS name
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ('account_health_capture_' || source)::name;
END;
COMMENT ON FUNCTION health_internal.trigger_name(integer) IS 'Name of the capture trigger of a ledger source';

CREATE FUNCTION health_internal.find_tracking(model_name text) RETURNS health_internal.tracking
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_tracking health_internal.tracking;
BEGIN
    SELECT t.* INTO found_tracking FROM health_internal.tracking AS t WHERE t.model = model_name;
    IF NOT FOUND THEN
        PERFORM health_internal.find_model(model_name);
        RAISE EXCEPTION 'model "%" is not tracked', model_name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT health.track(%L);', model_name);
    END IF;
    RETURN found_tracking;
END;
$$;
COMMENT ON FUNCTION health_internal.find_tracking(text) IS 'The catalog row of a tracked model; an error when it is not tracked';

CREATE FUNCTION health_internal.account_cast(tracking health_internal.tracking) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN (tracking).account_kind = 'text' AND (tracking).account_type NOT IN ('text', 'character varying') THEN '::pg_catalog.text' ELSE '' END;
END;
COMMENT ON FUNCTION health_internal.account_cast(health_internal.tracking) IS 'The cast that makes the account ids of a book comparable with those of the ledgers: none, or text';

-- What the ledgers of a model hang on: another catalog or other weights leave them as they are.
CREATE FUNCTION health_internal.ledger_key(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object('events', document -> 'events', 'time_zone', document -> 'time_zone',
        'account', pg_catalog.jsonb_build_array(document #> '{accounts,table}', document #> '{accounts,query}', document #> '{accounts,id}'),
        'user', pg_catalog.jsonb_build_array(document #> '{users,table}', document #> '{users,query}', document #> '{users,id}'));
END;
COMMENT ON FUNCTION health_internal.ledger_key(jsonb) IS 'The parts of a document that its ledgers hang on';

-- Of partitions the leaves, else the table itself.
CREATE FUNCTION health_internal.leaf_tables(relation oid) RETURNS TABLE (leaf oid, relfilenode oid, blocks bigint)
LANGUAGE sql VOLATILE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.oid, c.relfilenode, pg_relation_size(c.oid) / current_setting('block_size')::bigint
    FROM pg_class AS c
    WHERE c.oid = relation AND c.relkind = 'r'
       OR c.relkind = 'r' AND c.oid IN (SELECT t.relid FROM pg_partition_tree(relation) AS t WHERE t.isleaf);
$$;
COMMENT ON FUNCTION health_internal.leaf_tables(oid) IS 'The tables that hold the rows of a table: its leaf partitions, or itself; with file and size in blocks';

CREATE FUNCTION health_internal.ledger_kind(type regtype, type_cast text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type_cast LIKE '%text' THEN 'text'
                WHEN type_cast LIKE '%int8' OR health_internal.identity_family(type) = 'bigint' THEN 'bigint'
                WHEN type = 'uuid'::regtype THEN 'uuid'
                WHEN health_internal.identity_family(type) = 'text' OR type = 'bpchar'::regtype THEN 'text' END;
$$;
COMMENT ON FUNCTION health_internal.ledger_kind(regtype, text) IS 'How ids of that type, after that cast, are kept in a ledger: bigint, uuid or text; NULL when they cannot be';

-- Rows as they are to stand in health_internal.ledger_source; ids and tables are still missing.
CREATE FUNCTION health_internal.compile_ledger_sources(model_name text, version health_internal.model_version, window_days integer) RETURNS SETOF health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb := version.document;
    fields health_internal.model_field[];
    wrong health_internal.model_field;
    account health_internal.model_field;
    occurred health_internal.model_field;
    account_cast text;
    user_cast text;
    source health_internal.ledger_source;
    events record;
    id_cast CONSTANT jsonb := '{"bigint": "::pg_catalog.int8", "text": "::pg_catalog.text", "uuid": ""}'::jsonb;
BEGIN
    PERFORM set_config('search_path', version.search_path, true);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    SELECT f.* INTO wrong FROM pg_catalog.unnest(fields) AS f WHERE f.problem IS NOT NULL LIMIT 1;
    IF FOUND THEN
        wrong.path := pg_catalog.concat_ws(': ', 'model "' || model_name || '"', wrong.path);
        PERFORM health_internal.raise_field_problem(wrong);
    END IF;
    account_cast := health_internal.shared_cast(ARRAY(SELECT f.type FROM pg_catalog.unnest(fields) AS f
        WHERE f.source = 'accounts' AND f.field = 'id' OR f.field IN ('account', 'account_id') AND f.source <> 'columns'));
    user_cast := health_internal.user_cast(fields);
    account := health_internal.field_of(fields, 'accounts', 'id');
    source.model := model_name;
    source.window_days := window_days;
    source.search_path := version.search_path;
    source.account_kind := health_internal.ledger_kind(account.type, account_cast);
    IF source.account_kind IS NULL THEN
        RAISE EXCEPTION 'model "%": accounts.id is %, which a ledger does not take', model_name, account.type
            USING ERRCODE = 'datatype_mismatch', HINT = 'Ids of accounts are bigint, uuid or text there: cast it, {"sql": "(column)::text"}.';
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.event_sources(document) AS e LOOP
        account := health_internal.field_of(fields, events.path, 'account');
        occurred := health_internal.field_of(fields, events.path, 'occurred_at');
        source.path := events.path;
        source.user_kind := coalesce(health_internal.ledger_kind((health_internal.field_of(fields, events.path, 'user')).type, user_cast), 'text');
        source.account := coalesce(account.expression || (id_cast ->> source.account_kind), '');
        source.user_id := (health_internal.field_of(fields, events.path, 'user')).expression || (id_cast ->> source.user_kind);
        source.event := (health_internal.field_of(fields, events.path, 'event')).expression || '::pg_catalog.text';
        source.moment := health_internal.compile_moment(occurred, events.source ->> 'time_zone');
        source.time_zone := health_internal.moment_zone(occurred, events.source ->> 'time_zone', coalesce(document ->> 'time_zone', 'UTC'));
        source.amount := (health_internal.field_of(fields, events.path, 'amount')).expression || '::pg_catalog.float8';
        source.filter := (health_internal.field_of(fields, events.path, 'filter')).expression;
        source.event_rows := health_internal.compile_event_rows(fields, events.path, events.source ->> 'time_zone',
                                                       coalesce(nullif(account_cast, ''), id_cast ->> source.account_kind), user_cast);
        source.relation := NULL;
        source.relation_name := NULL;
        IF window_days IS NULL THEN
            source.relation := pg_catalog.to_regclass(events.source ->> 'table')::oid;
            source.relation_name := events.source ->> 'table';
        END IF;
        RETURN NEXT source;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_ledger_sources(text, health_internal.model_version, integer) IS
    'The event sources of a model version as rows of health_internal.ledger_source, without ids and tables';

CREATE FUNCTION health_internal.raise_unfit(model_name text, path text, problem text, hint text, code text DEFAULT 'feature_not_supported') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": changes of % cannot be captured: %', model_name, path, problem
        USING ERRCODE = code,
              HINT = concat_ws(' ', hint, format('Or have the last days read again instead: SELECT health.track(%L, window_days => 7);', model_name));
END;
$$;
COMMENT ON FUNCTION health_internal.raise_unfit(text, text, text, text, text) IS 'Raises the error for a source that triggers cannot follow, with the mode that fits';

CREATE FUNCTION health_internal.check_trackable(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    class pg_class;
    barred text;
    unfit text;
BEGIN
    IF source.relation IS NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'it reads a query', 'Name the table itself, with a "filter".');
    END IF;
    SELECT c.* INTO class FROM pg_class AS c WHERE c.oid = source.relation;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('%s is a %s', source.relation_name,
            CASE class.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END), NULL, 'wrong_object_type');
    ELSIF source.account = '' THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'its rows have no account of their own', format('Name the column with the account id as %s.account.', source.path));
    ELSIF class.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits AS i WHERE i.inhparent = source.relation) THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('%s has child tables that are not partitions', source.relation_name), NULL);
    ELSIF NOT has_table_privilege(source.relation, 'TRIGGER') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on %s', source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    -- PostgreSQL copies the trigger to the partitions, and asks for the right on each of them.
    SELECT string_agg(t.relid::text, ', ' ORDER BY t.relid::text) INTO barred
    FROM pg_partition_tree(source.relation) AS t WHERE NOT has_table_privilege(t.relid, 'TRIGGER');
    IF barred IS NOT NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on partitions of %s', source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', barred, current_user), 'insufficient_privilege');
    ELSIF row_security_active(source.relation) THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('row security of %s applies to %s', source.relation_name, current_user), NULL, 'insufficient_privilege');
    ELSIF NOT has_table_privilege(source.relation, 'SELECT') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to read all of %s', source.relation_name),
            format('GRANT SELECT ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    SELECT format('%s is %s', c.oid::regclass, CASE WHEN c.relkind = 'f' THEN 'a foreign table' WHEN c.relpersistence = 'u' THEN 'unlogged' WHEN c.relpersistence = 't' THEN 'temporary'
                                                    ELSE 'not stored as a heap' END)
    INTO unfit
    FROM pg_class AS c
    WHERE (c.oid = source.relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(source.relation) AS t WHERE t.isleaf))
      AND (c.relkind = 'f' OR c.relpersistence <> 'p' OR c.relkind = 'r' AND c.relam <> (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'heap'))
    LIMIT 1;
    IF unfit IS NOT NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, unfit, NULL);
    END IF;
    BEGIN
        PERFORM health_internal.check_ledger_source(source.relation, source.account, source.user_id, source.event, source.moment, source.amount, source.filter,
                                           source.account_kind, source.user_kind, source.time_zone, source.search_path);
    EXCEPTION WHEN invalid_object_definition OR feature_not_supported OR grouping_error OR windowing_error THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, sqlerrm, NULL);
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.check_trackable(health_internal.ledger_source) IS 'Raises an error, with the mode that fits, when triggers cannot follow the changes of a source';

CREATE FUNCTION health_internal.create_trigger(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION health_internal.capture(%L)',
                   health_internal.trigger_name(source.id), source.relation::regclass, source.id);
END;
$$;
COMMENT ON FUNCTION health_internal.create_trigger(health_internal.ledger_source) IS 'Creates the capture trigger of a source; PostgreSQL copies it to present and future partitions';

CREATE FUNCTION health_internal.create_ledger_source(source health_internal.ledger_source, owner name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := nextval('health_internal.ledger_source_id_seq');
    chunks text := health_internal.data_table('chunk', id);
    changes text := health_internal.data_table('change', id);
BEGIN
    EXECUTE format('CREATE TABLE %s (account_id %s NOT NULL, period date NOT NULL, part integer NOT NULL, usage health.usage NOT NULL, '
                   'PRIMARY KEY (account_id, period, part)) WITH (fillfactor = 90)',
                   chunks, source.account_kind);
    EXECUTE format('COMMENT ON TABLE %s IS %L', chunks, format('Ledger of %s of model "%s": the sum of the parts of an account and calendar quarter.', source.path, source.model));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', chunks, owner);
    IF source.relation IS NOT NULL THEN
        -- Inserted into by every writer of the events and emptied by every refresh: dead rows should go soon.
        EXECUTE format('CREATE TABLE %s (leaf oid NOT NULL, xact xid8 NOT NULL, changes bytea, written_at timestamptz NOT NULL) '
                       'WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, '
                       'autovacuum_analyze_threshold = 1000000)', changes);
        -- Pieces of changes fit a page and are compact already: they stay in the row.
        EXECUTE format('ALTER TABLE %s ALTER changes SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)', changes);
        EXECUTE format('COMMENT ON TABLE %s IS %L', changes, format('Captured changes of %s of model "%s" that no refresh has folded in yet.', source.path, source.model));
        EXECUTE format('ALTER TABLE %s OWNER TO %I', changes, owner);
        source.change_table := to_regclass(changes);
    END IF;
    source.id := id;
    source.owner := owner;
    source.chunk_table := to_regclass(chunks);
    source.bad_rows := 0;
    INSERT INTO health_internal.ledger_source SELECT (source).*;
    IF source.relation IS NOT NULL THEN
        PERFORM health_internal.create_trigger(source);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.create_ledger_source(health_internal.ledger_source, name) IS 'Makes the tables of a source, stores it, and sets its trigger';

CREATE FUNCTION health.track(model text, window_days integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    version health_internal.model_version := health_internal.find_version(model, opened.current_version);
    source health_internal.ledger_source;
    sources integer := 0;
    account_type text;
    id integer;
    history text;
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.tracking AS t WHERE t.model = track.model) THEN
        RAISE EXCEPTION 'model "%" is tracked already', model
            USING ERRCODE = 'duplicate_object', HINT = format('SELECT health.untrack(%L); first, to track it in another way.', model);
    ELSIF window_days NOT BETWEEN 1 AND 3650 THEN
        RAISE EXCEPTION 'model "%": window_days must be from 1 to 3650, not %', model, window_days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    account_type := health_internal.account_type(model, version);
    INSERT INTO health_internal.tracking (model, owner, ledger_key, account_type, account_kind)
    VALUES (model, opened.owner, health_internal.ledger_key(version.document), account_type, 'text') RETURNING tracking.id INTO id;
    FOR source IN SELECT s.* FROM health_internal.compile_ledger_sources(model, version, window_days) AS s LOOP
        IF window_days IS NULL THEN
            PERFORM health_internal.check_trackable(source);
        END IF;
        PERFORM health_internal.create_ledger_source(source, opened.owner);
        UPDATE health_internal.tracking AS t SET account_kind = source.account_kind WHERE t.model = track.model;
        sources := sources + 1;
    END LOOP;
    IF sources = 0 THEN
        RAISE EXCEPTION 'model "%" has no event source to track', model
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Score views of such a model cost little: refresh_score_views(model) is enough.';
    END IF;
    history := health_internal.data_table('history', id);
    EXECUTE format('CREATE TABLE %s (account_id %s NOT NULL, as_of date NOT NULL, model_version integer NOT NULL, score float8, band text, '
                   'data_coverage float8, unknown_reason text, account_start date, seats float8, inputs text[], observed date[], '
                   'PRIMARY KEY (account_id, as_of)) PARTITION BY RANGE (as_of)', history, account_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', history, format('Daily scores of model "%s" with the account data that they stood on.', model));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', history, opened.owner);
    EXECUTE format('CREATE TABLE %s (account_id %s PRIMARY KEY)', health_internal.data_table('stale', id), account_type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', health_internal.data_table('stale', id), format('Accounts of model "%s" that the next refresh scores again.', model));
    EXECUTE format('ALTER TABLE %s OWNER TO %I', health_internal.data_table('stale', id), opened.owner);
    RAISE NOTICE 'model "%" is tracked; its events are still to be read', model USING HINT = format('CALL health.backfill(%L);', model);
END;
$$;
COMMENT ON FUNCTION health.track(text, integer) IS
    'Keeps the event sources of a model as ledgers from now on: triggers capture changes, or with window_days each refresh reads so many days again. '
    'CALL health.backfill(model) reads what is there already';

CREATE FUNCTION health_internal.account_type(model_name text, version health_internal.model_version) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', version.search_path, true);
    RETURN pg_catalog.format_type((health_internal.compile_model(version.document, version.version, usage_from => 'nothing', model_name => model_name)).account_type, -1);
END;
$$;
COMMENT ON FUNCTION health_internal.account_type(text, health_internal.model_version) IS 'SQL name of the type of a model''s account ids';

CREATE FUNCTION health_internal.remove_tracking(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer := tracking.id;
    source health_internal.ledger_source;
BEGIN
    -- Triggers first: their locks wait for writers, who then find nothing that they could wait for in turn.
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        IF EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = source.relation AND t.tgname = health_internal.trigger_name(source.id)) THEN
            BEGIN
                EXECUTE format('DROP TRIGGER %I ON %s', health_internal.trigger_name(source.id), source.relation::regclass);
            EXCEPTION WHEN insufficient_privilege THEN    -- the right to create triggers is not that to drop them
                RAISE EXCEPTION 'model "%": permission denied to drop the trigger on %', tracking.model, source.relation::regclass
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = format('Its owner runs: DROP TRIGGER %I ON %s; then call untrack again.', health_internal.trigger_name(source.id), source.relation::regclass);
            END;
        END IF;
    END LOOP;
    PERFORM health_internal.drop_book(id);
    EXECUTE format('DROP TABLE IF EXISTS %s, %s', health_internal.data_table('history', id), health_internal.data_table('stale', id));
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', concat_ws(', ', health_internal.data_table('chunk', source.id),
                                                            CASE WHEN source.window_days IS NULL THEN health_internal.data_table('change', source.id) END));
        DELETE FROM health_internal.ledger_batch AS b WHERE b.source = source.id;
        DELETE FROM health_internal.ledger_day AS d WHERE d.source = source.id;
        DELETE FROM health_internal.ledger_source AS s WHERE s.id = source.id;
    END LOOP;
    DELETE FROM health_internal.tracking AS t WHERE t.id = tracking.id;
END;
$$;
COMMENT ON FUNCTION health_internal.remove_tracking(health_internal.tracking) IS 'Takes the triggers of a tracked model off, drops its tables and its catalog rows';

CREATE FUNCTION health.untrack(model text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking := health_internal.find_tracking(model);
    made health_internal.score_view;
BEGIN
    PERFORM health_internal.open_model(model);
    -- Score views become what they were made as, and read the events again.
    UPDATE health_internal.tracking AS t SET model_version = NULL WHERE t.id = tracking.id;
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = untrack.model ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.rebuild_score_view(made, health_internal.find_version(model, (health_internal.find_model(model)).current_version));
    END LOOP;
    PERFORM health_internal.remove_tracking(tracking);
END;
$$;
COMMENT ON FUNCTION health.untrack(text) IS
    'Takes triggers, ledgers and history of a model off again; its score views become what they were made as, and read the events';
