-- Refreshing a tracked model: fold changes into chunks, bring the book up to date, score what changed.
--
-- Each function is safe to be cut off anywhere: what it takes (changes, stale accounts) goes in the transaction that puts the result.

CREATE FUNCTION health_internal.compile_pending_changes(row_name text, source_id integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($sql$health_internal.pending_changes(%1$s.changes, coalesce((
            SELECT pg_catalog.array_agg(r.block ORDER BY b.from_block, r.position)
            FROM health_internal.ledger_batch AS b, LATERAL (VALUES (1, b.from_block), (2, b.to_block)) AS r (position, block)
            WHERE b.source = %2$s AND b.leaf = %1$s.leaf AND pg_catalog.pg_visible_in_snapshot(%1$s.xact, b.snapshot)), '{}'))$sql$,
                row_name, source_id);
$$;
COMMENT ON FUNCTION health_internal.compile_pending_changes(text, integer) IS
    'SQL of the changes of a row of a change table, less those that reading their blocks has seen; NULL when that leaves none';

-- Changes of a partition that has not been read yet wait until it has been. Those that could not be captured (NULL) stay: they are a reason
-- to read the source again.
CREATE FUNCTION health_internal.fold_source(tracking health_internal.tracking, source health_internal.ledger_source, ledger_start date)
    RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 8192;    -- pieces of up to 8 kB: what is in memory at a time
    in_one_period CONSTANT boolean := health_internal.is_fact_path(source.path);
    read_leaves oid[];
    newest xid8;
    pieces bigint;
    bad bigint;
BEGIN
    SELECT array_agg(b.leaf), max(pg_snapshot_xmax(b.snapshot)) INTO read_leaves, newest
    FROM (SELECT b.leaf, (array_agg(b.snapshot ORDER BY pg_snapshot_xmax(b.snapshot) DESC))[1] AS snapshot
          FROM health_internal.ledger_batch AS b WHERE b.source = source.id GROUP BY b.leaf HAVING count(*) = count(b.snapshot)) AS b;
    EXECUTE format($query$
        WITH taken AS (
            DELETE FROM %1$s AS c
            WHERE c.ctid = ANY (ARRAY(
                SELECT t.ctid FROM %1$s AS t WHERE t.changes IS NOT NULL AND t.generation = $6
                -- guard read_leaves {
                AND t.leaf = ANY ($1)
                -- instead: AND $1 IS NOT NULL
                -- }
                LIMIT $2))
            RETURNING c.leaf, c.xact, c.changes
        ), pending AS MATERIALIZED (
            -- guard unseen_changes {
            SELECT CASE WHEN t.xact >= $3 THEN t.changes ELSE %7$s END AS changes
            -- instead: SELECT t.changes AS changes
            -- }
            FROM taken AS t
        ), folded AS MATERIALIZED (
            SELECT %8$s FROM health_internal.fold_changes(coalesce((SELECT array_agg(p.changes) FROM pending AS p
                WHERE p.changes IS NOT NULL), '{}')) AS f%9$s
        ), put AS (
            INSERT INTO %2$s AS k (account_id, period, part, usage)
            SELECT f.account_id::%3$s, f.period, 0, f.usage FROM folded AS f WHERE f.account_id IS NOT NULL AND f.period >= $5
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), days AS (
            INSERT INTO health_internal.ledger_day AS d (source, day, event, events)
            SELECT $4, c.day, health_internal.plain_event(c.event), sum(c.count) FROM folded AS f, LATERAL health.cells(f.usage) AS c
            WHERE f.period >= $5 AND NOT health_internal.is_marker(c.event) GROUP BY 2, 3
            ON CONFLICT (source, day, event) DO UPDATE SET events = d.events + excluded.events
        ), stale AS (
            INSERT INTO %4$s (account_id)
            SELECT b.account_id FROM %5$s AS b
            WHERE %6$s IN (SELECT f.account_id::%3$s FROM folded AS f WHERE f.account_id IS NOT NULL) ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM taken) AS pieces, (SELECT f.bad_rows FROM folded AS f WHERE f.account_id IS NULL
            AND f.bad_rows <> 0) AS bad_rows
        $query$,
        source.change_table::regclass, source.chunk_table::regclass, source.account_kind,
        health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'), health_internal.compile_pending_changes('t', source.id),
        CASE WHEN in_one_period THEN format('f.account_id, health_internal.chunk_period(%L, f.period) AS period, '
            'health.rollup(f.usage) AS usage, pg_catalog.sum(f.bad_rows)::bigint AS bad_rows', source.path) ELSE 'f.*' END,
        CASE WHEN in_one_period THEN ' GROUP BY 1, 2' ELSE '' END)
    INTO pieces, bad
    USING coalesce(read_leaves, '{}'), most, newest, source.id, ledger_start, source.generation;
    IF bad IS NOT NULL THEN
        UPDATE health_internal.ledger_source AS s SET bad_rows = s.bad_rows + bad WHERE s.id = source.id;
    END IF;
    -- guard one_statement {
    -- instead: EXECUTE format('DELETE FROM %s AS c WHERE c.changes IS NOT NULL', source.change_table::regclass);
    -- }
    RETURN pieces = most;
END;
$$;
COMMENT ON FUNCTION health_internal.fold_source(health_internal.tracking, health_internal.ledger_source, date) IS
    'Folds captured changes into the chunks of a source and notes the accounts that they are of; true when there may be more';

-- Where clocks go back over midnight a day begins twice: the condition on the time is for an index and reaches further than the day.
CREATE FUNCTION health_internal.compile_days_from(source health_internal.ledger_source, first_day date) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN source.time_zone IS NULL THEN format('e.occurred_at >= DATE %L', first_day)
                ELSE format('e.occurred_at >= (TIMESTAMP %L AT TIME ZONE %L) AND %s >= DATE %L', first_day - 1, source.time_zone,
                            health_internal.compile_day(source), first_day) END;
$$;
COMMENT ON FUNCTION health_internal.compile_days_from(health_internal.ledger_source, date) IS
    'SQL condition of the rows e of a source that are of a local day or a later one';

CREATE FUNCTION health_internal.reread_window(tracking health_internal.tracking, source health_internal.ledger_source, today date)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_day date := today - source.window_days;
    first_period date := health_internal.chunk_period(source.path, first_day);
    bad bigint;
BEGIN
    PERFORM health_internal.look_names_up_in(source.search_path);
    EXECUTE pg_catalog.format($query$
        WITH seen AS MATERIALIZED (
            SELECT e.account_id, e.period, %1$s AS usage,
                   pg_catalog.count(*) FILTER (WHERE e.user_id IS NOT NULL AND e.event_name IS NOT NULL
                       AND NOT health_internal.is_event(e.occurred_at, e.event_name, e.amount)) AS bad
            FROM (%2$s) AS e WHERE e.account_id IS NOT NULL AND %3$s
            GROUP BY e.account_id, e.period
        ), recent AS (
            SELECT s.account_id, s.period, s.usage FROM seen AS s WHERE pg_catalog.isfinite(s.period)
        ), kept AS (
            SELECT k.account_id, k.period, health.rollup(k.usage) AS present, health.slice(health.rollup(k.usage), NULL, $1) AS usage
            FROM %4$s AS k WHERE k.period >= $2 GROUP BY k.account_id, k.period
        ), changed AS MATERIALIZED (
            SELECT coalesce(r.account_id, k.account_id) AS account_id, coalesce(r.period, k.period) AS period, k.present,
                   coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}') AS usage
            FROM recent AS r FULL JOIN kept AS k ON k.account_id = r.account_id AND k.period = r.period
            WHERE coalesce(k.present, '{}') OPERATOR(health.<>) (coalesce(k.usage, '{}') OPERATOR(health.+) coalesce(r.usage, '{}'))
        ), put AS (
            INSERT INTO %4$s AS k (account_id, period, part, usage)
            SELECT c.account_id, c.period, 0, c.usage OPERATOR(health.-) coalesce(c.present, '{}') FROM changed AS c
            ON CONFLICT (account_id, period, part) DO UPDATE SET usage = health_internal.add_to_chunk(k.usage,
                excluded.usage, k.account_id::pg_catalog.text, k.period)
        ), stale AS (
            INSERT INTO %5$s (account_id)
            SELECT b.account_id FROM %6$s AS b WHERE %7$s IN (SELECT c.account_id FROM changed AS c) ON CONFLICT DO NOTHING
        )
        SELECT coalesce(pg_catalog.sum(s.bad), 0) FROM seen AS s
        $query$,
        health_internal.compile_row_agg(source), health_internal.compile_period_rows(source),
        health_internal.compile_days_from(source, first_day),
        source.chunk_table::regclass, health_internal.data_table('stale', tracking.id), health_internal.data_table('book', tracking.id),
        health_internal.account_key(tracking, 'b.account_id'))
    INTO bad USING first_day, first_period;
    UPDATE health_internal.ledger_source AS s SET bad_rows = bad WHERE s.id = source.id AND s.bad_rows <> bad;
    PERFORM health_internal.count_days(source, first_day);
END;
$$;
COMMENT ON FUNCTION health_internal.reread_window(health_internal.tracking, health_internal.ledger_source, date) IS
    'Window mode: replaces the last days of a ledger by what the source has of them now, notes the accounts that changed, and counts the '
    'rows '
    'that cannot be events';

-- Attributes and rosters have no triggers: they are read as they are, and compared.
CREATE FUNCTION health_internal.update_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    book text := health_internal.data_table('book', tracking.id);
    state text := health_internal.data_table('state', tracking.id);
    assignments text := (SELECT string_agg(format('%1$I = excluded.%1$I', a.attname), ', ')
                         FROM pg_attribute AS a WHERE a.attrelid = to_regclass(book) AND a.attnum > 0 AND NOT a.attisdropped);
    memory CONSTANT text := current_setting('work_mem');
    now_excluded text[];
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    PERFORM pg_catalog.set_config('work_mem', '64MB', true) WHERE pg_catalog.pg_size_bytes(memory) < 67108864;
    EXECUTE pg_catalog.format($query$
        WITH different AS MATERIALIZED (
            -- Of columns and rows of the same name SQL takes the column: no column has these.
            SELECT "$fresh" AS fresh, "$fresh".account_id AS wanted, "$book".account_id AS present FROM (%1$s
            ) AS "$fresh" FULL JOIN %2$s AS "$book" ON "$book".account_id = "$fresh".account_id
            WHERE "$fresh".account_id IS NULL OR "$book".account_id IS NULL OR "$fresh" *<> "$book"
        ), gone AS (
            DELETE FROM %2$s AS b USING different AS d WHERE b.account_id = d.present AND d.wanted IS NULL RETURNING b.account_id
        ), put AS (
            INSERT INTO %2$s SELECT (d.fresh).* FROM different AS d WHERE d.wanted IS NOT NULL
            ON CONFLICT (account_id) DO UPDATE SET %3$s
            RETURNING account_id
        )
        INSERT INTO %4$s (account_id) SELECT p.account_id FROM put AS p UNION SELECT g.account_id FROM gone AS g ON CONFLICT DO NOTHING
        $query$, tracking.book_query, book, assignments, health_internal.data_table('stale', tracking.id));
    PERFORM pg_catalog.set_config('work_mem', memory, true);
    IF version.document #> '{users,exclude}' IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT ARRAY(SELECT DISTINCT x.user_id::pg_catalog.text COLLATE pg_catalog."C" FROM (%s) AS x '
                                  'WHERE x.user_id IS NOT NULL ORDER BY 1)', health_internal.excluded_users_query(version.document))
        INTO now_excluded;
        EXECUTE pg_catalog.format('UPDATE %s SET excluded_users = $1, all_stale = true WHERE excluded_users IS DISTINCT FROM $1', state)
            USING now_excluded;
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.update_book(health_internal.tracking, health_internal.model_version) IS
    'Brings the book of a tracked model up to date and notes the accounts that are new, gone or different';

-- By index, whatever the statistics say: they are often of a moment when all accounts were stale.
CREATE FUNCTION health_internal.has_new_accounts(tracking health_internal.tracking) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    found_new boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS s JOIN %s AS b ON b.account_id = s.account_id '
                   'WHERE NOT EXISTS (SELECT FROM %s AS c WHERE c.account_id = s.account_id))',
                       health_internal.data_table('stale', tracking.id),
                   health_internal.data_table('book', tracking.id), health_internal.data_table('score', tracking.id)) INTO found_new;
    RETURN found_new;
END;
$$;
COMMENT ON FUNCTION health_internal.has_new_accounts(health_internal.tracking) IS
    'Whether an account that is to be scored again has no score yet';

CREATE FUNCTION health_internal.excluded_users_query(document jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
BEGIN
    RETURN health_internal.compile_excluded_users(fields, health_internal.user_cast(fields));
END;
$$;
COMMENT ON FUNCTION health_internal.excluded_users_query(jsonb) IS 'SQL of the ids of the users whose events do not count';

CREATE FUNCTION health_internal.compile_choice(row_name text, ids text, account_type text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN ids IS NULL THEN 'true' ELSE pg_catalog.format('%s.account_id = ANY (%L::%s[])', row_name, ids, account_type) END;
END;
COMMENT ON FUNCTION health_internal.compile_choice(text, text, text) IS
    'SQL condition of the rows of some accounts, given as an array in text form; NULL: of all';

-- One figure of all accounts, for words and advice that are made when somebody reads them: no row of another account is written for it.
CREATE FUNCTION health_internal.measure_book(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changes CONSTANT text := health_internal.compile_book_changes(
        (health_internal.find_version(tracking.model, tracking.model_version)).document,
        format('(SELECT s.signals AS "$signals" FROM %s AS s)', health_internal.data_table('score', tracking.id)));
BEGIN
    IF changes IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS t SET book = b.changes FROM (%s) AS b WHERE t.book IS DISTINCT FROM b.changes',
                       health_internal.data_table('state', tracking.id), changes);
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.measure_book(health_internal.tracking) IS
    'Sets what the whole book did in each signal that is held against it, from the scores';

-- So far those are stale whose own ledger changed.
CREATE FUNCTION health_internal.note_merged(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (health_internal.find_version(tracking.model, tracking.model_version)).document -> 'accounts' ? 'merged_into' THEN
        EXECUTE format('INSERT INTO %1$s (account_id) SELECT b.account_id FROM %2$s AS b WHERE b."$accounts" && ARRAY('
            'SELECT %3$s FROM %1$s AS s) ON CONFLICT DO NOTHING', health_internal.data_table('stale', tracking.id),
            health_internal.data_table('book', tracking.id),
            health_internal.account_key(tracking, 's.account_id') || health_internal.id_cast(tracking.account_kind));
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.note_merged(health_internal.tracking) IS
    'Notes the accounts into which others were merged that are to be scored again';

-- Rows that come out as they are stay as they are.
CREATE FUNCTION health_internal.write_scores(tracking health_internal.tracking, most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stale CONSTANT text := health_internal.data_table('stale', tracking.id);
    scores CONSTANT text := health_internal.data_table('score', tracking.id);
    book CONSTANT text := health_internal.data_table('book', tracking.id);
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    assignments CONSTANT text := (SELECT string_agg(format('%1$I = excluded.%1$I', a.attname), ', ')
                                  FROM pg_attribute AS a WHERE a.attrelid = scores::regclass AND a.attnum > 1 AND NOT a.attisdropped);
    ids text;
    scored bigint;
    total bigint := 0;
    written boolean := false;
BEGIN
    PERFORM health_internal.note_merged(tracking);
    LOOP
        IF NOT state.all_stale THEN
            EXECUTE format('SELECT array_agg(s.account_id)::text FROM (SELECT t.account_id FROM %s AS t LIMIT %s) AS s', stale, most)
                INTO ids;
            EXIT WHEN ids IS NULL;
        END IF;
        written := true;
        -- Accounts that are gone have no row in the book any more, but still one in the scores.
        EXECUTE format('DELETE FROM %s AS s WHERE %s AND NOT EXISTS (SELECT FROM %s AS b WHERE b.account_id = s.account_id)', scores,
                       health_internal.compile_choice('s', ids, tracking.account_type), book);
        -- A row is put together to be compared only where the score is the same.
        EXECUTE format('INSERT INTO %s AS s SELECT n.* FROM (%s WHERE %s) AS n ON CONFLICT (account_id) DO UPDATE SET %s '
            'WHERE s.score IS DISTINCT FROM excluded.score OR s.change_28d IS DISTINCT FROM excluded.change_28d OR s *<> excluded', scores,
                       tracking.score_query, health_internal.compile_choice('l', ids, tracking.account_type), assignments);
        -- The days of an outage are written when it is over.
        IF state.broken IS NULL THEN
            PERFORM health_internal.record_scores(tracking, health_internal.compile_choice('s', ids, tracking.account_type));
        END IF;
        EXECUTE format('SELECT count(*) FROM %s AS b WHERE %s', book, health_internal.compile_choice('b', ids, tracking.account_type))
            INTO scored;
        EXECUTE format('DELETE FROM %s AS t WHERE %s', stale, health_internal.compile_choice('t', ids, tracking.account_type));
        total := total + scored;
        EXIT WHEN state.all_stale;
    END LOOP;
    EXECUTE format('UPDATE %s SET all_stale = false WHERE all_stale', health_internal.data_table('state', tracking.id));
    IF written THEN
        PERFORM health_internal.measure_book(tracking);
    END IF;
    RETURN total;
END;
$$;
COMMENT ON FUNCTION health_internal.write_scores(health_internal.tracking, integer) IS
    'Scores the stale accounts, of single ones so many at a time: rows of score and history; returns how many';

-- Tables that were filled a moment ago have no statistics; the next refresh should not have to wait for autovacuum.
CREATE FUNCTION health_internal.analyze_data(tracking health_internal.tracking) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source health_internal.ledger_source;
BEGIN
    -- Of the columns that are joined by: statistics of arrays of scores and of ledgers help nobody and take long.
    EXECUTE format('ANALYZE %s (account_id), %s (account_id), %s (account_id, month)', health_internal.data_table('book', tracking.id),
                   health_internal.data_table('score', tracking.id), health_internal.data_table('history', tracking.id));
    FOR source IN SELECT s.* FROM health_internal.ledger_source AS s WHERE s.model = tracking.model ORDER BY s.id LOOP
        EXECUTE format('ANALYZE %s (account_id, period, part)', source.chunk_table::regclass);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.analyze_data(health_internal.tracking) IS 'Gathers statistics on the tables of a tracked model';

CREATE FUNCTION health_internal.rescore(tracking health_internal.tracking, version health_internal.model_version, ignore_volume boolean)
    RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state_table CONSTANT text := health_internal.data_table('state', tracking.id);
    state health_internal.store_state := health_internal.read_state(tracking.id);
    document jsonb := version.document;
    asked CONSTANT date := health_internal.model_today(document);
    first_day CONSTANT date := asked - health_internal.past_days(document);
    first_time boolean := NOT EXISTS (SELECT FROM health_internal.tracking AS t WHERE t.id = tracking.id AND t.history_from IS NOT NULL);
    sight health_internal.sight;
    today date;
    scored bigint := 0;
BEGIN
    sight := health_internal.ledger_sight(tracking.model, document, asked, 28);
    -- What was broken before stays broken.
    IF ignore_volume AND sight.broken IS NOT NULL THEN
        UPDATE health_internal.tracking AS t SET accepted = coalesce(t.accepted, '{}') + daterange(sight.as_of, asked)::datemultirange
        WHERE t.id = tracking.id;
        sight := health_internal.ledger_sight(tracking.model, document, asked, 28);
    END IF;
    today := sight.as_of;
    IF sight.broken IS NOT NULL AND state.broken IS NULL THEN
        RAISE WARNING 'model "%": %', tracking.model, sight.broken
            USING DETAIL = format('Its scores stay those of %s until the volume is usual again.', today),
                  HINT = format('If that is how it is: CALL health.refresh(%L, ignore_volume => true);', tracking.model);
    END IF;
    PERFORM health_internal.make_history_months(tracking, today, today);
    EXECUTE format('UPDATE %s SET as_of = $1, broken = $2, outages = $3, all_stale = all_stale OR as_of IS DISTINCT FROM $1 '
                   'OR outages IS DISTINCT FROM $3 OR ledger_start IS DISTINCT FROM $4, ledger_start = $4 '
                   'WHERE (as_of, broken, outages, ledger_start) IS DISTINCT FROM ($1, $2, $3, $4)', state_table)
    USING today, sight.broken, sight.outages,
        (SELECT max(s.kept_from) FROM health_internal.ledger_source AS s WHERE s.model = tracking.model);
    PERFORM health_internal.update_book(tracking, version);
    -- Days that no refresh has seen are scored now; today with them when all is new, so that no month is written twice.
    IF first_time THEN
        PERFORM health_internal.write_history(tracking, version, first_day, today, 1);
    ELSIF state.as_of + (state.broken IS NULL)::integer < today THEN
        PERFORM health_internal.write_history(tracking, version,
            greatest(state.as_of + (state.broken IS NULL)::integer, health_internal.history_start(document, today), today - 400), today - 1,
            1);
    END IF;
    IF NOT first_time AND health_internal.has_new_accounts(tracking) THEN
        PERFORM health_internal.write_history(tracking, version, first_day, today - (sight.broken IS NULL)::integer, 1, only_new => true);
    END IF;
    scored := health_internal.write_scores(tracking);
    IF first_time THEN
        PERFORM health_internal.analyze_data(tracking);
    END IF;
    IF state.as_of IS DISTINCT FROM today THEN
        PERFORM health_internal.drop_old_data(tracking, document, asked);
    END IF;
    UPDATE health_internal.tracking AS t SET history_from = coalesce(t.history_from, first_day) WHERE t.id = tracking.id;
    RETURN scored;
END;
$$;
COMMENT ON FUNCTION health_internal.rescore(health_internal.tracking, health_internal.model_version, boolean) IS
    'Scores the accounts of a tracked model that are stale or whose attributes changed, all of them on a new day; as of the first '
        'broken day while tracking is broken';
