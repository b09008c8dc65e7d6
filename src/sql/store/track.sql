-- track and untrack: ledgers beside the event tables of a model, with triggers that capture changes, or with a window that is read again.

CREATE FUNCTION health_internal.trigger_name(source integer) RETURNS name
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ('account_health_capture_' || source)::name;
END;
COMMENT ON FUNCTION health_internal.trigger_name(integer) IS 'Name of the capture trigger of a ledger source';

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
COMMENT ON FUNCTION health_internal.leaf_tables(oid) IS
    'The tables that hold the rows of a table: its leaf partitions, or itself; with file and size in blocks';

-- Rows as they are to stand in health_internal.ledger_source; ids and tables are still missing.
CREATE FUNCTION health_internal.compile_ledger_sources(model_name text, version health_internal.model_version, window_days integer)
    RETURNS SETOF health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb := version.document;
    fields health_internal.model_field[];
    guarded health_internal.model_field[];
    account health_internal.model_field;
    occurred health_internal.model_field;
    user_cast text;
    source health_internal.ledger_source;
    account_cast text;
    events record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    -- Capture reads the expressions themselves, and knows what to do when they fail.
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document, guarded => false) AS f);
    guarded := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    source.account_kind := (health_internal.account_form(fields)).kind;
    source.user_kind := (health_internal.user_form(fields)).kind;
    account_cast := health_internal.id_cast(source.account_kind);
    user_cast := health_internal.id_cast(source.user_kind);
    source.model := model_name;
    source.window_days := window_days;
    source.search_path := version.search_path;
    FOR events IN SELECT e.path, e.source FROM health_internal.ledger_sources(document) AS e LOOP
        account := health_internal.field_of(fields, events.path, 'account');
        occurred := health_internal.field_of(fields, events.path, 'occurred_at');
        source.path := events.path;
        source.account := coalesce(account.expression || account_cast, '');
        source.user_id := (health_internal.field_of(fields, events.path, 'user')).expression || user_cast;
        source.event := (health_internal.field_of(fields, events.path, 'event')).expression || '::pg_catalog.text';
        source.moment := health_internal.compile_moment(occurred, events.source ->> 'time_zone', true);
        source.time_zone := health_internal.moment_zone(occurred, events.source ->> 'time_zone', coalesce(document ->> 'time_zone', 'UTC'));
        source.amount := (health_internal.field_of(fields, events.path, 'amount')).expression || '::pg_catalog.float8';
        source.filter := (health_internal.field_of(fields, events.path, 'filter')).expression;
        source.event_rows := health_internal.compile_event_rows(guarded, events.path, events.source ->> 'time_zone',
                                                       account_cast, user_cast);
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

CREATE FUNCTION health_internal.raise_unfit(model_name text, path text, problem text, hint text,
    code text DEFAULT 'feature_not_supported') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": changes of % cannot be captured: %', model_name, path, problem
        USING ERRCODE = code,
              HINT = concat_ws(' ', hint, format('Or have the last days read again instead: SELECT health.track(%L, window_days => 7);',
                  model_name));
END;
$$;
COMMENT ON FUNCTION health_internal.raise_unfit(text, text, text, text, text) IS
    'Raises the error for a source that triggers cannot follow, with the mode that fits';

-- Of a kind of storage whose rows or changes cannot be followed.
CREATE FUNCTION health_internal.unfit_table(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT u.words
    FROM (SELECT 1 AS position, format('%s has child tables that are not partitions', c.oid::regclass) AS words
          FROM pg_class AS c
          WHERE c.oid = relation AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = c.oid)
          UNION ALL
          SELECT 2, format('%s is %s', c.oid::regclass, CASE WHEN c.relkind = 'f' THEN 'a foreign table'
                           WHEN c.relpersistence = 'u' THEN 'unlogged' WHEN c.relpersistence = 't' THEN 'temporary'
                           ELSE 'not stored as a heap' END)
          FROM pg_class AS c
          WHERE (c.oid = relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(relation) AS t WHERE t.isleaf))
            AND (c.relkind = 'f' OR c.relpersistence <> 'p' OR c.relkind = 'r'
                AND c.relam <> (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'heap'))) AS u
    ORDER BY u.position, u.words LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.unfit_table(oid) IS
    'What keeps triggers from following a table or one of its partitions, in words; NULL when nothing does';

CREATE FUNCTION health_internal.check_trackable(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    class pg_class;
    barred text;
BEGIN
    IF source.relation IS NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'it reads a query', 'Name the table itself, with a "filter".');
    END IF;
    SELECT c.* INTO class FROM pg_class AS c WHERE c.oid = source.relation;
    IF class.relkind NOT IN ('r', 'p') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('%s is a %s', source.relation_name,
            CASE class.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END), NULL, 'wrong_object_type');
    ELSIF source.account = '' THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, 'its rows have no account of their own',
            format('Name the column with the account id as %s.account.', source.path));
    ELSIF NOT has_table_privilege(source.relation, 'TRIGGER') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on %s',
            source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    -- PostgreSQL copies the trigger to the partitions, and asks for the right on each of them.
    SELECT string_agg(t.relid::text, ', ' ORDER BY t.relid::text) INTO barred
    FROM pg_partition_tree(source.relation) AS t WHERE NOT has_table_privilege(t.relid, 'TRIGGER');
    IF barred IS NOT NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to create a trigger on partitions of %s',
            source.relation_name),
            format('GRANT TRIGGER ON %s TO %I;', barred, current_user), 'insufficient_privilege');
    ELSIF row_security_active(source.relation) THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('row security of %s applies to %s', source.relation_name,
            current_user), NULL, 'insufficient_privilege');
    ELSIF NOT has_table_privilege(source.relation, 'SELECT') THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('permission denied to read all of %s', source.relation_name),
            format('GRANT SELECT ON %s TO %I;', source.relation_name, current_user), 'insufficient_privilege');
    END IF;
    PERFORM health_internal.raise_unfit(source.model, source.path, u.words, NULL)
    FROM health_internal.unfit_table(source.relation) AS u (words) WHERE u.words IS NOT NULL;
    BEGIN
        PERFORM health_internal.check_ledger_source(source.relation, source.account, source.user_id, source.event, source.moment,
            source.amount, source.filter, source.account_kind, source.user_kind, source.time_zone, source.search_path);
    EXCEPTION WHEN invalid_object_definition OR feature_not_supported OR grouping_error OR windowing_error THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, sqlerrm, NULL);
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.check_trackable(health_internal.ledger_source) IS
    'Raises an error, with the mode that fits, when triggers cannot follow the changes of a source';

CREATE FUNCTION health_internal.create_change_table(source integer) RETURNS regclass
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.create_data_table('change', source, '{leaf,xact,generation,changes,written_at}',
                                             '{oid,xid8,integer,bytea,timestamptz}')::regclass;
$$;
COMMENT ON FUNCTION health_internal.create_change_table(integer) IS 'Makes the table that takes the captured changes of a source';

-- DDL waits for whoever uses a table, and behind it waits everybody else who wants to: so it waits for a moment only, lets go of all that
-- it
-- has got, and tries again. The moment is shorter than what it takes PostgreSQL to look for deadlocks: no writer is ever the victim of one.
CREATE FUNCTION health_internal.short_wait() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT least(nullif(l.setting::integer, 0), d.setting::integer / 2, 200)::text || 'ms'
    FROM pg_settings AS l, pg_settings AS d WHERE l.name = 'lock_timeout' AND d.name = 'deadlock_timeout';
$$;
COMMENT ON FUNCTION health_internal.short_wait() IS
    'A lock_timeout that nobody suffers from: that of the session, at most 200 ms and half of deadlock_timeout';

CREATE FUNCTION health_internal.run_ddl(statements text[], patience interval) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Settings that are changed in a block are as they were when it fails, and are put back when it does not.
    present CONSTANT text := current_setting('lock_timeout');
    until CONSTANT timestamptz := clock_timestamp() + patience;
    statement text;
    done boolean := false;
BEGIN
    WHILE NOT done LOOP
        BEGIN
            PERFORM set_config('lock_timeout', health_internal.short_wait(), true);
            FOREACH statement IN ARRAY statements LOOP
                EXECUTE statement;
            END LOOP;
            PERFORM set_config('lock_timeout', present, true);
            done := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            EXIT WHEN clock_timestamp() > until;
            PERFORM pg_sleep(0.05 + random() * 0.1);
        END;
    END LOOP;
    RETURN done;
END;
$$;
COMMENT ON FUNCTION health_internal.run_ddl(text[], interval) IS
    'Executes statements that need strong locks, all or none: again and again, with short waits, until they get through; false when '
    'they do '
    'not for so long';

CREATE FUNCTION health_internal.raise_busy(model_name text, tables text, patience interval, again text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": % is in use', model_name, tables
        USING ERRCODE = 'lock_not_available',
              DETAIL = format('A transaction that began before goes on using it; nobody was made to wait behind it for more than a moment, '
                              'and nothing has changed. It was tried for %s seconds.', round(extract(epoch FROM patience))),
              HINT = format('Try again when it has ended: %s pg_locks and pg_stat_activity show who it is.', again);
END;
$$;
COMMENT ON FUNCTION health_internal.raise_busy(text, text, interval, text) IS
    'Raises the error of DDL that does not get its locks, with the statement that tries again';

-- Fires for what logical replication applies and for sessions that have set session_replication_role, too, which takes the owner of the
-- table.
CREATE FUNCTION health_internal.always_fire(model text, arguments text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    class oid := arguments[1]::oid;
    trigger_name CONSTANT name := health_internal.trigger_name(arguments[2]::integer);
BEGIN
    IF EXISTS (SELECT FROM health_internal.ledger_source_table AS s WHERE s.id = arguments[2]::integer AND s.model = always_fire.model)
       AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = class AND t.tgname = trigger_name
                   AND t.tgfoid = 'health_internal.capture'::regproc) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', class::regclass, trigger_name);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.always_fire(text, text[]) IS
    'Has the capture trigger of a source fire whoever writes, run by act_on_model(): table, source';

CREATE FUNCTION health_internal.trigger_statements(source health_internal.ledger_source) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY[
        format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION health_internal.capture(%L)',
               health_internal.trigger_name(source.id), source.relation::regclass, source.id),
        format('SELECT health_internal.act_on_model(%L, ''always_fire'', %L, %L)', source.model, source.relation, source.id)];
$$;
COMMENT ON FUNCTION health_internal.trigger_statements(health_internal.ledger_source) IS
    'SQL that creates the capture trigger of a source; PostgreSQL copies it to present and future partitions';

-- In the order of their tables, whoever creates or drops.
CREATE FUNCTION health_internal.create_triggers(sources health_internal.ledger_source[], patience interval, again text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statements text[] := ARRAY[]::text[];
    source health_internal.ledger_source;
BEGIN
    FOR source IN SELECT s.* FROM unnest(sources) AS s ORDER BY s.relation, s.id LOOP
        statements := statements || health_internal.trigger_statements(source);
    END LOOP;
    IF NOT health_internal.run_ddl(statements, patience) THEN
        PERFORM health_internal.raise_busy(sources[1].model, (SELECT string_agg(DISTINCT s.relation::regclass::text, ', ')
            FROM unnest(sources) AS s), patience, again);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.create_triggers(health_internal.ledger_source[], interval, text) IS
    'Creates the capture triggers of some sources, all or none';

CREATE FUNCTION health_internal.create_ledger_source(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Its row first: it says whose the tables are.
    INSERT INTO health_internal.ledger_source (model, path, window_days, relation, relation_name, chunk_table, account, user_id, event,
        moment,
                                               amount, filter, account_kind, user_kind, time_zone, search_path, event_rows)
    VALUES (source.model, source.path, source.window_days, source.relation, source.relation_name, 0, source.account, source.user_id,
            source.event, source.moment, source.amount, source.filter, source.account_kind, source.user_kind, source.time_zone,
            source.search_path, source.event_rows)
    RETURNING id INTO source.id;
    source.chunk_table := health_internal.create_data_table('chunk', source.id, '{account_id,period,part,usage}',
        source.account_kind::regtype || '{date,integer,health.usage}'::regtype[], '{account_id,period,part}')::regclass;
    IF source.relation IS NOT NULL THEN
        source.change_table := health_internal.create_change_table(source.id);
    END IF;
    UPDATE health_internal.ledger_source AS s SET chunk_table = source.chunk_table, change_table = source.change_table,
           change_file = pg_relation_filenode(source.change_table)
    WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.create_ledger_source(health_internal.ledger_source) IS
    'Stores a source and makes its tables; its trigger is still missing';

CREATE FUNCTION health_internal.drop_trigger_statements(sources health_internal.ledger_source[]) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statements text[] := ARRAY[]::text[];
    found_trigger record;
BEGIN
    FOR found_trigger IN
        SELECT s.model, c.oid::regclass AS relation, t.tgname, pg_has_role(c.relowner, 'USAGE') AS droppable
        FROM unnest(sources) AS s JOIN pg_class AS c ON c.oid = s.relation
        JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = health_internal.trigger_name(s.id) ORDER BY c.oid, s.id
    LOOP
        -- The right to create triggers is not that to drop them.
        IF NOT found_trigger.droppable THEN
            RAISE EXCEPTION 'model "%": permission denied to drop the trigger on %', found_trigger.model, found_trigger.relation
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('Its owner runs: DROP TRIGGER %I ON %s; then call untrack again.', found_trigger.tgname,
                                    found_trigger.relation);
        END IF;
        statements := statements || format('DROP TRIGGER %I ON %s', found_trigger.tgname, found_trigger.relation);
    END LOOP;
    RETURN statements;
END;
$$;
COMMENT ON FUNCTION health_internal.drop_trigger_statements(health_internal.ledger_source[]) IS
    'SQL that takes the capture triggers of some sources off, in the order in which they are made';
