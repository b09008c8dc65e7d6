-- Reading what is there already: batches of block ranges, each with the snapshot that it was read with.
--
-- A captured change of a block counts unless the snapshot that read the block has seen it, so that writers go on while a table is read, and
-- nothing is missed or counted twice. Everything here is one transaction's worth of work, safe to be cut off anywhere.

CREATE FUNCTION health_internal.history_start(document jsonb, as_of date) RETURNS date
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN months > 0 AND as_of > '0001-01-01'::date + months * 31 THEN (as_of - make_interval(months => months))::date
        ELSE '-infinity' END
    FROM (SELECT coalesce((document #>> '{history,retention_months}')::integer, 24) AS months) AS kept;
$$;
COMMENT ON FUNCTION health_internal.history_start(jsonb, date) IS
    'The first day that a tracked model keeps: history.retention_months (24) before as_of; 0 keeps all';

CREATE FUNCTION health_internal.ledger_start(document jsonb, as_of date) RETURNS date
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.period_start(health_internal.history_start(document, as_of));
END;
COMMENT ON FUNCTION health_internal.ledger_start(jsonb, date) IS 'First day of the oldest quarter that a ledger keeps';

CREATE FUNCTION health_internal.ledger_start(document jsonb, as_of date, path text) RETURNS date
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN health_internal.is_fact_path(path) THEN DATE '-infinity' ELSE health_internal.ledger_start(document, as_of) END;
END;
COMMENT ON FUNCTION health_internal.ledger_start(jsonb, date, text) IS
    'The first day that the ledger of a source keeps: facts are few, and kept for ever';

CREATE FUNCTION health_internal.model_today(document jsonb) RETURNS date
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today date;
BEGIN
    EXECUTE 'SELECT ' || health_internal.model_clock(document, NULL) INTO today;
    RETURN today;
END;
$$;
COMMENT ON FUNCTION health_internal.model_today(jsonb) IS 'The day that a model is scored as of now';

-- Changes that are visible now are part of what every later snapshot reads.
CREATE FUNCTION health_internal.restart_source(source health_internal.ledger_source, reason text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id) THEN
        RAISE NOTICE 'model "%": % is read again: %', source.model, source.path, reason;
    END IF;
    EXECUTE format('DELETE FROM %s', source.chunk_table::regclass);
    EXECUTE format('DELETE FROM %s', source.change_table::regclass);
    PERFORM health_internal.delete_rows(source.model, 'batches', source.id::text),
            health_internal.delete_rows(source.model, 'gaps', source.id::text),
            health_internal.delete_rows(source.model, 'days', source.id::text);
    UPDATE health_internal.ledger_source AS s SET read_at = NULL, bad_rows = 0 WHERE s.id = source.id;
    PERFORM health_internal.mark_all_stale(t) FROM health_internal.tracking AS t WHERE t.model = source.model;
END;
$$;
COMMENT ON FUNCTION health_internal.restart_source(health_internal.ledger_source, text) IS
    'Empties the ledger of a tracked source and plans to read its table again';

-- Others that read its rows by what they were in the meantime say so by their generation.
CREATE FUNCTION health_internal.read_otherwise(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE health_internal.ledger_source AS s SET generation = s.generation + 1 WHERE s.id = source.id RETURNING s.* INTO source;
    PERFORM health_internal.announce_change(c.oid) FROM pg_class AS c WHERE c.oid = source.change_table;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.read_otherwise(health_internal.ledger_source) IS
    'Has the rows of a tracked source read in another way from now on: what is captured in the present way is not folded in any more';

-- PostgreSQL leaves an index that was dropped in relhasindex until the next VACUUM.
CREATE FUNCTION health_internal.remake_change_table(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name CONSTANT text := health_internal.data_table('change', source.id);
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        EXECUTE 'DROP TABLE ' || name;
    END IF;
    UPDATE health_internal.ledger_source AS s SET change_table = t.change_table, change_file = pg_relation_filenode(t.change_table)
    FROM health_internal.create_change_table(source.id) AS t (change_table) WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE EXCEPTION 'model "%": % is not as it was made, so that no changes can be captured in it', source.model, name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'It cannot be made again, because other objects depend on it.',
              HINT = format('Drop what depends on it, then CALL health.refresh(%L); makes it again and reads the events.', source.model);
END;
$$;
COMMENT ON FUNCTION health_internal.remake_change_table(health_internal.ledger_source) IS
    'Makes the change table of a source again, when it is missing or not what capture can write to';

-- After a restore the tables have other oids; found by name, they are read again.
CREATE FUNCTION health_internal.relink_source(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_relation oid := to_regclass(source.relation_name);
    chunks oid := to_regclass(health_internal.data_table('chunk', source.id));
    changes oid := to_regclass(health_internal.data_table('change', source.id));
    fit CONSTANT boolean := source.window_days IS NOT NULL OR coalesce(health_internal.is_change_table(changes, source.owner::oid), false);
    statement text;
BEGIN
    IF chunks IS NULL OR source.window_days IS NULL AND found_relation IS NULL THEN
        RAISE EXCEPTION 'model "%": % does not exist any more', source.model,
            CASE WHEN chunks IS NULL THEN health_internal.data_table('chunk', source.id) ELSE source.relation_name END
            USING ERRCODE = 'undefined_table',
                  HINT = CASE WHEN chunks IS NULL THEN format('SELECT health.untrack(%1$L), health.track(%1$L); makes its ledger anew.',
                                                                     source.model)
                              ELSE 'alter_model(name, definition) names another table; drop_model(name, cascade => true) drops the model '
                                   'with its ledger.' END;
    END IF;
    IF source.window_days IS NOT NULL AND chunks = source.chunk_table
       OR found_relation = source.relation AND chunks = source.chunk_table AND changes = source.change_table AND fit
          AND pg_relation_filenode(changes) = source.change_file THEN
        RETURN source;
    END IF;
    IF found_relation <> source.relation
       AND pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = source.relation), 'USAGE') THEN
        -- The table that had the name may get it back, and then gets another trigger: sessions know the one that it has as one of no
        -- source.
        FOREACH statement IN ARRAY health_internal.drop_trigger_statements(ARRAY[source]) LOOP
            EXECUTE statement;
        END LOOP;
    END IF;
    UPDATE health_internal.ledger_source AS s SET relation = CASE WHEN s.window_days IS NULL THEN found_relation END,
           chunk_table = chunks, change_table = changes, change_file = pg_relation_filenode(changes)
    WHERE s.id = source.id RETURNING s.* INTO source;
    IF NOT fit THEN
        -- Whoever writes waits for what this locks until the transaction ends: what was read is thrown away by the next one.
        source := health_internal.remake_change_table(source);
        UPDATE health_internal.ledger_batch AS b SET trigger_version = NULL WHERE b.source = source.id;
    ELSIF source.window_days IS NULL THEN
        PERFORM health_internal.restart_source(source, 'its tables were made anew or emptied');
    END IF;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.relink_source(health_internal.ledger_source) IS
    'Finds the tables of a source by name when they are not those of the catalog row, makes its change table again when it is not fit, and '
    'plans to read its rows again';

-- Another one once the trigger was disabled and enabled, or the partition detached and attached: nothing captured what came in between.
CREATE FUNCTION health_internal.trigger_version(source integer, leaf oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.oid || '/' || t.xmin FROM pg_trigger AS t
    WHERE t.tgrelid = leaf AND t.tgname = health_internal.trigger_name(source) AND t.tgfoid = 'health_internal.capture'::regproc;
$$;
COMMENT ON FUNCTION health_internal.trigger_version(integer, oid) IS
    'The capture trigger of a table and when it was last changed; NULL without one';

-- A trigger that fires only for sessions in the role of an origin sees nothing of what logical replication applies.
CREATE FUNCTION health_internal.uncaptured_leaf(source health_internal.ledger_source) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.oid::regclass
    FROM pg_class AS c
    WHERE (c.oid = source.relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(source.relation) AS t WHERE t.isleaf))
      AND NOT EXISTS (SELECT 1 FROM pg_trigger AS t
                      WHERE t.tgrelid = c.oid AND t.tgname = health_internal.trigger_name(source.id) AND t.tgenabled = 'A'
                        AND t.tgfoid = 'health_internal.capture'::regproc)
    ORDER BY c.oid <> source.relation, c.oid LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.uncaptured_leaf(health_internal.ledger_source) IS
    'A table of a source whose changes no trigger captures whoever makes them; NULL when all are captured';

-- What a function calls in its turn is not looked at. A partition is asked rather than its table, which is locked while partitions come and
-- go.
CREATE FUNCTION health_internal.source_code(source health_internal.ledger_source) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT md5(concat(
        (SELECT string_agg(concat_ws('/', p.oid, p.prolang, p.provolatile, p.proisstrict, p.prosrc, p.probin, p.prosqlbody::text,
                                     p.proconfig::text), '|' ORDER BY p.oid)
         FROM pg_proc AS p WHERE p.oid = ANY (m.functions)), '||',
        (SELECT string_agg(concat_ws('/', t.oid, t.typbasetype, t.typtypmod,
                                     (SELECT string_agg(e.enumlabel, ',' ORDER BY e.oid) FROM pg_enum AS e WHERE e.enumtypid = t.oid),
                                     (SELECT string_agg(pg_get_constraintdef(c.oid), ',' ORDER BY c.oid) FROM pg_constraint AS c
                                      WHERE c.contypid = t.oid)), '|' ORDER BY t.oid)
         FROM pg_type AS t WHERE t.oid = ANY (m.types)), '||',
        -- Columns of a partition may stand in another order than those of its table.
        (SELECT string_agg(concat_ws('/', r.attnum, r.atttypid, r.atttypmod, r.attcollation, r.attgenerated,
                                     pg_get_expr(d.adbin, d.adrelid)), '|' ORDER BY n.position)
         FROM unnest(m.columns) WITH ORDINALITY AS n (attnum, position)
         JOIN pg_attribute AS a ON a.attrelid = one.leaf AND a.attnum = n.attnum
         JOIN pg_attribute AS r ON r.attrelid = source.relation AND r.attname = a.attname
         LEFT JOIN pg_attrdef AS d ON d.adrelid = r.attrelid AND d.adnum = r.attnum AND r.attgenerated <> '')))
    FROM (SELECT coalesce((SELECT min(l.leaf) FROM health_internal.leaf_tables(source.relation) AS l), source.relation)) AS one (leaf),
         health_internal.made_objects(source.id, one.leaf) AS m;
$$;
COMMENT ON FUNCTION health_internal.source_code(health_internal.ledger_source) IS
    'Digest of the functions, types and columns of users that the expressions of a tracked source use; an error when they do not fit its '
    'table';

-- Once it cannot be said any more what the ledger stands for, the source is read from the start.
CREATE FUNCTION health_internal.find_restart_reason(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
    lost boolean;
    other boolean;
BEGIN
    SELECT CASE WHEN l.leaf IS NULL THEN 'a partition is gone'
                WHEN b.relfilenode <> l.relfilenode THEN format('%s was truncated or rewritten', l.leaf::regclass)
                ELSE format('for a time no trigger captured the changes of %s', l.leaf::regclass) END
    INTO reason
    FROM health_internal.ledger_batch AS b
    -- guard gone_partition {
    LEFT
    -- }
    JOIN health_internal.leaf_tables(source.relation) AS l ON l.leaf = b.leaf
    WHERE b.source = source.id
      AND (false
           -- guard other_file {
           OR b.relfilenode IS DISTINCT FROM l.relfilenode
           -- }
           -- guard other_trigger {
           OR b.trigger_version IS DISTINCT FROM health_internal.trigger_version(source.id, b.leaf)
           -- }
          )
    LIMIT 1;
    IF reason IS NULL AND NOT health_internal.is_change_table(source.change_table, source.owner::oid) THEN
        reason := format('%s is not as it was made', health_internal.data_table_name('change', source.id));
    ELSIF reason IS NULL AND source.change_file <> pg_relation_filenode(source.change_table) THEN
        reason := format('%s was emptied', source.change_table::regclass);
    ELSIF reason IS NULL THEN
        EXECUTE format('SELECT coalesce(bool_or(c.changes IS NULL), false), coalesce(bool_or(c.generation <> $1), false) FROM %s AS c '
            'WHERE c.changes IS NULL OR c.generation <> $1', source.change_table::regclass) INTO lost, other USING source.generation;
        reason := CASE WHEN lost THEN 'some of its rows could not be read as events when they changed'
                       WHEN other THEN 'some of its changes were captured as it was read before' END;
    END IF;
    IF reason IS NULL AND EXISTS (SELECT FROM health_internal.capture_gap AS g WHERE g.source = source.id) THEN
        reason := 'some of its changes could not be captured';
    END IF;
    RETURN reason;
END;
$$;
COMMENT ON FUNCTION health_internal.find_restart_reason(health_internal.ledger_source) IS
    'Why a tracked source must be read from the start; NULL when it need not';

-- What the owner may not read any more is not brought to him by the ledger either.
CREATE FUNCTION health_internal.unreadable_reason(source health_internal.ledger_source) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT has_schema_privilege(source.owner, c.relnamespace, 'USAGE')
                    THEN format('%s has no right to use schema %s', source.owner, c.relnamespace::regnamespace)
                WHEN NOT has_table_privilege(source.owner, c.oid, 'SELECT') THEN format('%s may not read %s', source.owner, c.oid::regclass)
                WHEN c.relrowsecurity AND row_security_active(c.oid) THEN format('row security of %s applies to %s', c.oid::regclass,
                    source.owner) END
    FROM pg_class AS c WHERE c.oid = source.relation;
$$;
COMMENT ON FUNCTION health_internal.unreadable_reason(health_internal.ledger_source) IS
    'Why the owner of a tracked source, who is the current user, may not read its table any more; NULL when he may';

CREATE FUNCTION health_internal.raise_misread(source health_internal.ledger_source, relation oid, code text, message text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": the rows of % cannot be read as %: %', source.model, relation::regclass, source.path, message
        USING ERRCODE = code,
              HINT = 'When the table has changed, alter_model(name, definition) says how to read it now; nothing is lost meanwhile.';
END;
$$;
COMMENT ON FUNCTION health_internal.raise_misread(health_internal.ledger_source, oid, text, text) IS
    'Raises the error of expressions that do not fit their table any more';

-- Another function or type of the same name has another meaning of every row.
CREATE FUNCTION health_internal.check_source_code(source health_internal.ledger_source) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    BEGIN
        present := health_internal.source_code(source);
    EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name OR feature_not_supported THEN
        PERFORM health_internal.raise_misread(source, source.relation, sqlstate, sqlerrm);
    END;
    UPDATE health_internal.ledger_source AS s SET code = present
    WHERE s.id = source.id AND s.code IS DISTINCT FROM present;
    IF source.code <> present THEN
        PERFORM health_internal.read_otherwise(source);
        RETURN 'a function, type or column that its expressions use is another one now';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.check_source_code(health_internal.ledger_source) IS
    'Whether the functions and types that a tracked source calls are those that its ledger was read with; if not, it is read otherwise '
    'from '
    'now on, and the reason to read it again comes back. An error when its expressions do not fit the table any more';

-- Whoever writes waits for what this locks until the transaction ends.
CREATE FUNCTION health_internal.plan_reading(source health_internal.ledger_source) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch_blocks CONSTANT bigint := 65536;    -- 512 MB of events in memory at a time
    last_block CONSTANT bigint := 4294967295;
    reason text;
    disabled regclass;
BEGIN
    IF source.window_days IS NOT NULL THEN
        RETURN false;
    END IF;
    reason := health_internal.unreadable_reason(source);
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": % cannot be read any more: %', source.model, source.path, reason
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Changes are not captured meanwhile. With the right back, the next refresh reads the events again.';
    END IF;
    reason := health_internal.unfit_table(source.relation);
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": changes of % cannot be captured any more: %', source.model, source.path, reason
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Take it out of the table, or have the last days read again instead: SELECT health.untrack(%1$L), '
                                'health.track(%1$L, window_days => 7);', source.model);
    END IF;
    -- One look at the triggers: two could make a partition that is attached between them look like one whose trigger is off.
    SELECT t.tgrelid INTO disabled
    FROM pg_trigger AS t
    WHERE t.tgname = health_internal.trigger_name(source.id) AND t.tgenabled NOT IN ('O', 'A')
      AND t.tgrelid IN (SELECT source.relation UNION ALL SELECT l.leaf FROM health_internal.leaf_tables(source.relation) AS l)
    LIMIT 1;
    IF health_internal.trigger_version(source.id, source.relation) IS NULL THEN
        PERFORM health_internal.create_triggers(ARRAY[source], interval '0', format('CALL health.refresh(%L);', source.model));
        RETURN true;
    ELSIF disabled IS NOT NULL THEN
        RAISE EXCEPTION 'model "%": the trigger on % is disabled, so its changes are not captured', source.model, disabled
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; the next refresh then reads the events again.',
                      source.relation::regclass, health_internal.trigger_name(source.id));
    ELSIF health_internal.uncaptured_leaf(source) IS NOT NULL THEN
        -- ENABLE TRIGGER ALL has it fire for origins only. When the table is busy, the next refresh sees to it.
        IF health_internal.run_ddl((health_internal.trigger_statements(source))[2:], interval '0') THEN
            RETURN true;
        END IF;
    END IF;
    reason := coalesce(health_internal.check_source_code(source), reason, health_internal.find_restart_reason(source));
    IF reason IS NOT NULL THEN
        PERFORM health_internal.restart_source(source, reason);
    END IF;
    -- A partition without the trigger is one that was attached a moment ago: the next plan has it.
    -- What a first plan reads last, mostly the newest events, goes where changes will go: into part 0.
    INSERT INTO health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode, trigger_version)
    SELECT source.id, l.leaf, r.from_block, CASE WHEN r.from_block + batch_blocks >= l.blocks THEN last_block
        ELSE r.from_block + batch_blocks END,
           coalesce((SELECT max(b.part) FROM health_internal.ledger_batch AS b WHERE b.source = source.id), -1)
           + (row_number() OVER (ORDER BY l.leaf DESC, r.from_block DESC))::integer, l.relfilenode,
               health_internal.trigger_version(source.id, l.leaf)
    FROM health_internal.leaf_tables(source.relation) AS l, generate_series(0, greatest(l.blocks - 1, 0), batch_blocks) AS r (from_block)
    WHERE NOT EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.leaf = l.leaf)
      AND health_internal.trigger_version(source.id, l.leaf) IS NOT NULL;
    IF FOUND THEN
        UPDATE health_internal.ledger_source AS s SET read_at = NULL WHERE s.id = source.id;
    END IF;
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.plan_reading(health_internal.ledger_source) IS
    'Plans what is to be read of a tracked source: partitions that are new, or everything when it cannot be said what the ledger stands '
        'for. Returns whether it has locked the table for writers';

CREATE FUNCTION health_internal.read_batch(source health_internal.ledger_source, batch health_internal.ledger_batch, first_period date)
    RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := clock_timestamp();
    folded record;
BEGIN
    -- One statement: the rows are read with the very snapshot that is noted.
    SELECT pg_current_snapshot() AS seen, f.* INTO folded
    FROM health_internal.fold_events(source.id, batch.leaf, batch.from_block, batch.to_block, batch.part, first_period) AS f;
    UPDATE health_internal.ledger_batch AS b SET snapshot = folded.seen, events = folded.events, started_at = started,
           ended_at = clock_timestamp()
    WHERE b.source = batch.source AND b.leaf = batch.leaf AND b.from_block = batch.from_block;
    UPDATE health_internal.ledger_source AS s SET bad_rows = s.bad_rows + folded.bad_rows WHERE s.id = source.id AND folded.bad_rows <> 0;
    INSERT INTO health_internal.ledger_day AS d (source, day, event, events)
    SELECT source.id, c.day, c.event, c.events FROM unnest(folded.days, folded.names, folded.counts) AS c (day, event, events)
    ON CONFLICT (source, day, event) DO UPDATE SET events = d.events + excluded.events;
    RETURN folded.events;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_object_definition OR invalid_schema_name OR feature_not_supported THEN
    PERFORM health_internal.raise_misread(source, batch.leaf, sqlstate, sqlerrm);
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.read_batch(health_internal.ledger_source, health_internal.ledger_batch, date) IS
    'Folds one batch of a tracked source into its ledger; returns its events';

CREATE FUNCTION health_internal.read_whole(source health_internal.ledger_source) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := pg_catalog.clock_timestamp();
    seen bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    EXECUTE pg_catalog.format('DELETE FROM %s', source.chunk_table::regclass);
    EXECUTE pg_catalog.format(
        'WITH folded AS (INSERT INTO %s (account_id, period, part, usage) SELECT e.account_id, e.period, 0, %s FROM (%s) AS e '
        'WHERE e.account_id IS NOT NULL AND pg_catalog.isfinite(e.period) GROUP BY e.account_id, e.period RETURNING usage) '
        'SELECT pg_catalog.count(*) FROM folded', source.chunk_table::regclass, health_internal.compile_row_agg(source),
            health_internal.compile_period_rows(source))
    INTO seen;
    INSERT INTO health_internal.ledger_batch (source, leaf, from_block, to_block, part, relfilenode, snapshot, started_at, ended_at)
    VALUES (source.id, 0, 0, 0, 0, 0, pg_catalog.pg_current_snapshot(), started, pg_catalog.clock_timestamp())
    ON CONFLICT (source, leaf, from_block) DO UPDATE SET snapshot = excluded.snapshot, started_at = excluded.started_at,
        ended_at = excluded.ended_at;
    RETURN seen;
END;
$$;
COMMENT ON FUNCTION health_internal.read_whole(health_internal.ledger_source) IS
    'Reads a source in window mode from the start; returns the chunks that it came to';

CREATE FUNCTION health_internal.compile_row_agg(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT health_internal.compile_usage_agg(CASE WHEN (source).amount IS NULL THEN '{}'::jsonb ELSE '{"amount": null}'::jsonb END,
        (source).time_zone);
END;
COMMENT ON FUNCTION health_internal.compile_row_agg(health_internal.ledger_source) IS 'SQL of the ledger of rows e of a source';

CREATE FUNCTION health_internal.compile_day(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN (source).time_zone IS NULL THEN 'e.occurred_at'
        ELSE pg_catalog.format('health_internal.to_local_day(e.occurred_at, %L)', (source).time_zone) END;
END;
COMMENT ON FUNCTION health_internal.compile_day(health_internal.ledger_source) IS 'SQL of the local day of a row e of a source';

CREATE FUNCTION health_internal.compile_period_rows(source health_internal.ledger_source) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('SELECT e.*, health_internal.chunk_period(%L, %s) AS period FROM (%s) AS e', (source).path,
                             health_internal.compile_day(source), (source).event_rows);
END;
COMMENT ON FUNCTION health_internal.compile_period_rows(health_internal.ledger_source) IS
    'SQL of the rows of a source with the period of their local day';

-- Daily volume: what tells a broken tracking from customers who leave.
CREATE FUNCTION health_internal.count_days(source health_internal.ledger_source, first_day date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE health_internal.ledger_day AS d SET events = 0 WHERE d.source = count_days.source.id AND d.day >= first_day AND d.events <> 0;
    EXECUTE format(
        'INSERT INTO health_internal.ledger_day AS d (source, day, event, events) '
        'SELECT %s, c.day, health_internal.plain_event(c.event), sum(c.count) FROM %s AS k, '
        'LATERAL health.cells(health.slice(k.usage, $1, NULL)) AS c WHERE k.period >= $2 '
        'AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3 '
        'ON CONFLICT (source, day, event) DO UPDATE SET events = excluded.events WHERE d.events <> excluded.events',
        source.id, source.chunk_table::regclass)
    USING first_day, health_internal.chunk_period(source.path, first_day);
END;
$$;
COMMENT ON FUNCTION health_internal.count_days(health_internal.ledger_source, date) IS
    'Counts the events of a source on each day from the first one on anew';

CREATE FUNCTION health_internal.extend_ledger(source health_internal.ledger_source) RETURNS health_internal.ledger_source
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF source.window_days IS NULL THEN
        PERFORM health_internal.restart_source(source, 'history.retention_months keeps more than it did');
    END IF;
    UPDATE health_internal.ledger_source AS s SET read_at = NULL, kept_from = NULL WHERE s.id = source.id RETURNING s.* INTO source;
    RETURN source;
END;
$$;
COMMENT ON FUNCTION health_internal.extend_ledger(health_internal.ledger_source) IS
    'Plans to read a source from the start because its ledger is to reach further back';

-- Up to one batch size of blocks at a time.
CREATE FUNCTION health_internal.read_next(tracking health_internal.tracking, document jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today date := health_internal.model_today(document);
    source health_internal.ledger_source;
    present health_internal.ledger_source;
    batch health_internal.ledger_batch;
    blocks bigint := 0;
    events bigint := 0;
    progress text;
BEGIN
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        present := source;
        source := health_internal.relink_source(source);
        IF source.change_table <> present.change_table OR source.relation <> present.relation THEN
            RETURN format('%s of model "%s": its tables are looked at again', source.path, source.model);
        END IF;
        -- What was dropped as too old is in the events only.
        IF health_internal.ledger_start(document, today, source.path) < source.kept_from THEN
            source := health_internal.extend_ledger(source);
        END IF;
        IF health_internal.plan_reading(source) THEN
            RETURN format('%s of model "%s": its changes are captured from now on', source.path, source.model);
        END IF;
        IF source.window_days IS NOT NULL AND source.read_at IS NULL THEN
            PERFORM health_internal.read_whole(source);
            blocks := 1;
        END IF;
        FOR batch IN SELECT b.* FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL ORDER BY b.leaf,
            b.from_block LOOP
            events := events + health_internal.read_batch(source, batch, health_internal.ledger_start(document, today, source.path));
            blocks := blocks + least(batch.to_block - batch.from_block, 65536);
            EXIT WHEN blocks >= 65536;
        END LOOP;
        IF NOT EXISTS (SELECT 1 FROM health_internal.ledger_batch AS b WHERE b.source = source.id AND b.snapshot IS NULL)
           AND EXISTS (SELECT 1 FROM health_internal.ledger_source AS s WHERE s.id = source.id AND s.read_at IS NULL) THEN
            IF source.window_days IS NOT NULL THEN
                EXECUTE format('DELETE FROM %s WHERE period < $1', source.chunk_table::regclass)
                    USING health_internal.ledger_start(document, today, source.path);
                PERFORM health_internal.count_days(source, health_internal.ledger_start(document, today, source.path));
            END IF;
            UPDATE health_internal.ledger_source AS s SET read_at = clock_timestamp(), kept_from = health_internal.ledger_start(document,
                today, source.path) WHERE s.id = source.id;
            PERFORM health_internal.mark_all_stale(tracking);
        END IF;
        IF blocks > 0 THEN
            SELECT format('%s of model "%s": %s %% read%s', source.path, source.model,
                          round(100.0 * count(b.snapshot) / greatest(count(*), 1)), ', ' || sum(b.events) || ' events')
            INTO progress FROM health_internal.ledger_batch AS b WHERE b.source = source.id;
            RETURN progress;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.read_next(health_internal.tracking, jsonb) IS
    'Reads the next part of what the ledgers of a model do not hold yet; returns the progress in words, NULL when everything has been read';
