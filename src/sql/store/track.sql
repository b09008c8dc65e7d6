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

CREATE FUNCTION health_internal.ledger_kind(type regtype, type_cast text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN type_cast LIKE '%text' THEN 'text'
                WHEN type_cast LIKE '%int8' OR health_internal.identity_family(type) = 'bigint' THEN 'bigint'
                WHEN type = 'uuid'::regtype THEN 'uuid'
                WHEN health_internal.identity_family(type) = 'text' OR type = 'bpchar'::regtype THEN 'text' END;
$$;
COMMENT ON FUNCTION health_internal.ledger_kind(regtype, text) IS
    'How ids of that type, after that cast, are kept in a ledger: bigint, uuid or text; NULL when they cannot be';

-- Rows as they are to stand in health_internal.ledger_source; ids and tables are still missing.
CREATE FUNCTION health_internal.compile_ledger_sources(model_name text, version health_internal.model_version, window_days integer)
    RETURNS SETOF health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb := version.document;
    fields health_internal.model_field[];
    account health_internal.model_field;
    occurred health_internal.model_field;
    account_cast text;
    user_cast text;
    source health_internal.ledger_source;
    events record;
    id_cast CONSTANT jsonb := '{"bigint": "::pg_catalog.int8", "text": "::pg_catalog.text", "uuid": ""}'::jsonb;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    PERFORM health_internal.raise_first_problem(model_name, fields);
    account_cast := health_internal.account_id_cast(fields);
    user_cast := health_internal.user_cast(fields);
    account := health_internal.field_of(fields, 'accounts', 'id');
    source.model := model_name;
    source.window_days := window_days;
    source.search_path := version.search_path;
    source.account_kind := health_internal.ledger_kind(account.type, account_cast);
    IF source.account_kind IS NULL THEN
        RAISE EXCEPTION 'model "%": accounts.id is %, which a ledger does not take', model_name, account.type
            USING ERRCODE = 'datatype_mismatch', HINT = 'Ids of accounts are bigint, uuid or text there: cast it, {"sql": '
                '"(column)::text"}.';
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.event_sources(document) AS e LOOP
        account := health_internal.field_of(fields, events.path, 'account');
        occurred := health_internal.field_of(fields, events.path, 'occurred_at');
        source.path := events.path;
        source.user_kind := coalesce(health_internal.ledger_kind((health_internal.field_of(fields, events.path, 'user')).type, user_cast),
            'text');
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
        PERFORM health_internal.raise_unfit(source.model, source.path, 'its rows have no account of their own',
            format('Name the column with the account id as %s.account.', source.path));
    ELSIF class.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits AS i WHERE i.inhparent = source.relation) THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, format('%s has child tables that are not partitions',
            source.relation_name), NULL);
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
    SELECT format('%s is %s', c.oid::regclass, CASE WHEN c.relkind = 'f' THEN 'a foreign table' WHEN c.relpersistence = 'u'
        THEN 'unlogged' WHEN c.relpersistence = 't' THEN 'temporary'
                                                    ELSE 'not stored as a heap' END)
    INTO unfit
    FROM pg_class AS c
    WHERE (c.oid = source.relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(source.relation) AS t WHERE t.isleaf))
      AND (c.relkind = 'f' OR c.relpersistence <> 'p' OR c.relkind = 'r'
          AND c.relam <> (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'heap'))
    LIMIT 1;
    IF unfit IS NOT NULL THEN
        PERFORM health_internal.raise_unfit(source.model, source.path, unfit, NULL);
    END IF;
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

CREATE FUNCTION health_internal.create_trigger(source health_internal.ledger_source) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION health_internal.capture(%L)',
                   health_internal.trigger_name(source.id), source.relation::regclass, source.id);
END;
$$;
COMMENT ON FUNCTION health_internal.create_trigger(health_internal.ledger_source) IS
    'Creates the capture trigger of a source; PostgreSQL copies it to present and future partitions';

CREATE FUNCTION health_internal.create_ledger_source(source health_internal.ledger_source) RETURNS void
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
        source.change_table := health_internal.create_data_table('change', source.id, '{leaf,xact,changes,written_at}',
            '{oid,xid8,bytea,timestamptz}')::regclass;
    END IF;
    UPDATE health_internal.ledger_source AS s SET chunk_table = source.chunk_table, change_table = source.change_table
        WHERE s.id = source.id;
    IF source.relation IS NOT NULL THEN
        PERFORM health_internal.create_trigger(source);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.create_ledger_source(health_internal.ledger_source) IS
    'Stores a source, makes its tables, and sets its trigger';
