-- What another release of the extension means for SQL that the release before has compiled and that is kept: of the sources and the book of
-- tracked models, and in score views. An upgrade script calls recompile() at its end; what that leaves, and what a dump of an older release
-- brings, the next refresh makes again.

-- The kinds of ids and the days of events stay: what the ledgers hold was read by them.
CREATE FUNCTION health_internal.recompile_sources(tracking health_internal.tracking, version health_internal.model_version) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE health_internal.ledger_source AS s
    SET account = c.account, user_id = c.user_id, event = c.event, moment = c.moment, amount = c.amount, filter = c.filter,
        event_rows = c.event_rows
    FROM health_internal.compile_ledger_sources(tracking.model, version, (
             SELECT min(w.window_days) FROM health_internal.ledger_source AS w WHERE w.model = tracking.model)) AS c
    WHERE s.model = tracking.model AND s.path = c.path AND s.account_kind = c.account_kind AND s.user_kind = c.user_kind
      AND s.time_zone IS NOT DISTINCT FROM c.time_zone;
$$;
COMMENT ON FUNCTION health_internal.recompile_sources(health_internal.tracking, health_internal.model_version) IS
    'Compiles the sources of a tracked model again; their events are not read again';

-- Names in the query are looked up where those of the document at hand are.
CREATE FUNCTION health_internal.has_columns(relation text, query text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT format('%I %s', a.attname, a.atttypid) FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(relation) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
         = ARRAY(SELECT format('%I %s', q.name, q.type::oid)
                 FROM health_internal.describe_query(query, health_internal.names_path()) WITH ORDINALITY AS q (name, type, collation_id, n)
                 ORDER BY q.n);
$$;
COMMENT ON FUNCTION health_internal.has_columns(text, text) IS 'Whether a table has the columns of a query';

-- Tables of another shape are made again, and filled again from the ledgers, as of the day that they were of.
CREATE FUNCTION health_internal.recompile_book(tracking health_internal.tracking, version health_internal.model_version) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state CONSTANT health_internal.store_state := health_internal.read_state(tracking.id);
    book text := health_internal.compile_book(tracking, version);
    scores text := health_internal.compile_scores(tracking, version.document);
    same boolean;
    detail text;
BEGIN
    PERFORM health_internal.set_names_path(version.search_path);
    same := health_internal.has_columns(health_internal.data_table('book', tracking.id), book)
            AND health_internal.has_columns(health_internal.data_table('score', tracking.id), scores);
    IF same THEN
        UPDATE health_internal.tracking AS t SET book_query = book, score_query = scores WHERE t.id = tracking.id;
        PERFORM health_internal.mark_all_stale(tracking);
        RETURN true;
    END IF;
    PERFORM health_internal.remake_book(tracking, version);
    IF state.as_of IS NOT NULL THEN
        EXECUTE format('UPDATE %s SET broken = $1, outages = $2', health_internal.data_table('state', tracking.id))
            USING state.broken, state.outages;
        tracking := health_internal.find_tracking(tracking.model);
        PERFORM health_internal.update_book(tracking, version);
        PERFORM health_internal.write_scores(tracking);
    END IF;
    RETURN true;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING 'model "%" keeps the SQL that release % has compiled', tracking.model, tracking.compiled_by
        USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on its score views, so they cannot be made again.'),
              HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_book(health_internal.tracking, health_internal.model_version) IS
    'Compiles book and scores of a tracked model again, and has the next refresh score every account by them; false, with a warning, while '
    'other objects depend on score views that would have to be dropped';

CREATE FUNCTION health_internal.recompile_tracking(tracking health_internal.tracking) RETURNS health_internal.tracking
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- The one that its ledgers are of. None is known of a model that was changed before its events were read: the next refresh reads them.
    known CONSTANT integer := coalesce(tracking.model_version, (
        SELECT max(v.version) FROM health_internal.model_version AS v
        WHERE v.model = tracking.model AND health_internal.ledger_key(v.document) = tracking.ledger_key));
    version health_internal.model_version;
BEGIN
    IF tracking.compiled_by = health_internal.release() THEN
        RETURN tracking;
    END IF;
    IF known IS NOT NULL THEN
        version := health_internal.find_version(tracking.model, known);
        IF to_regclass(health_internal.data_table('book', tracking.id)) IS NOT NULL
           AND NOT health_internal.recompile_book(tracking, version) THEN
            RETURN tracking;
        END IF;
        PERFORM health_internal.recompile_sources(tracking, version);
        UPDATE health_internal.tracking AS t SET ledger_key = health_internal.ledger_key(version.document) WHERE t.id = tracking.id;
    END IF;
    UPDATE health_internal.tracking AS t SET compiled_by = health_internal.release() WHERE t.id = tracking.id;
    RETURN health_internal.find_tracking(tracking.model);
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_tracking(health_internal.tracking) IS
    'Makes the compiled SQL of a tracked model again if another release made it; ledgers, scores and history stay';

-- Whether a relation reads as a query does is told by a view of that query.
CREATE FUNCTION health_internal.is_compiled_to(relation text, query text, probe text, names_path text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    same boolean;
BEGIN
    PERFORM health_internal.look_names_up_in(names_path);
    EXECUTE pg_catalog.format('CREATE VIEW %s AS %s', probe, query);
    same := pg_catalog.pg_get_viewdef(pg_catalog.to_regclass(relation)) = pg_catalog.pg_get_viewdef(pg_catalog.to_regclass(probe));
    EXECUTE pg_catalog.format('DROP VIEW %s', probe);
    RETURN coalesce(same, false);
END;
$$;
COMMENT ON FUNCTION health_internal.is_compiled_to(text, text, text, text) IS
    'Whether a view, plain or materialized, has that query; probe is a name that is free for a moment';

CREATE FUNCTION health_internal.unchanged_relations(present health_internal.score_view, store health_internal.store) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kept text[] := ARRAY[]::text[];
    made record;
BEGIN
    FOR made IN SELECT c.* FROM health_internal.compile_score_view(present.schema_name, present.view_name, store) AS c LOOP
        EXIT WHEN NOT health_internal.is_compiled_to(made.relation, made.query,
                                                     format('%I.%I', present.schema_name, 'account_health_' || md5(made.relation)),
                                                     (store.version).search_path);
        kept := kept || made.suffix;
    END LOOP;
    RETURN kept;
END;
$$;
COMMENT ON FUNCTION health_internal.unchanged_relations(health_internal.score_view, health_internal.store) IS
    'The suffixes of the relations of a score view, the base first, whose SQL is still what it compiles to, up to the first that is not';

-- Plain views are replaced where they are, with grants and whatever depends on them. Materialized ones whose SQL is the same stay, and
-- those that are made again are filled from the stored base; where that itself is another, a refresh, which reads the events anyway, makes
-- all again.
CREATE FUNCTION health_internal.recompile_view(present health_internal.score_view, read_events boolean) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(present.model, present.model_version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kept text[];
    detail text;
BEGIN
    IF health_internal.score_relation_kind(store, present.materialized) = 'VIEW' THEN
        BEGIN
            PERFORM health_internal.check_relation_owner(present, r.relation)
            FROM health_internal.view_relations(present) AS r
            WHERE to_regclass(r.relation) IS NOT NULL AND NOT health_internal.is_foreign_relation(r.suffix, r.relation);
            PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized);
        EXCEPTION WHEN invalid_table_definition THEN    -- other columns
            PERFORM health_internal.rebuild_score_view(present, version);
        END;
    ELSE
        kept := health_internal.unchanged_relations(present, store);
        IF cardinality(kept) = 0 AND NOT read_events THEN
            RETURN false;
        ELSIF cardinality(kept) < (SELECT count(*) FROM health_internal.view_relations(present)) THEN
            PERFORM health_internal.rebuild_score_view(present, version, kept);
        END IF;
    END IF;
    UPDATE health_internal.score_view AS s SET compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
    RETURN cardinality(kept) = 0;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING 'score view %.% keeps the SQL that release % has compiled',
        quote_ident(present.schema_name), quote_ident(present.view_name), present.compiled_by
        USING DETAIL = coalesce(nullif(detail, ''), 'Other objects depend on it, so it cannot be made again.'),
              HINT = 'drop_score_view(name, cascade => true), then create_score_view(model, name).';
    RETURN false;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_view(health_internal.score_view, boolean) IS
    'Makes the SQL of a score view again, reading events for it only if told to; it stays as it is, with a warning, while other objects '
    'depend on what would have to be dropped. Returns whether it was filled from the events';

CREATE FUNCTION health_internal.recompile_views(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.recompile_view(s, false) FROM health_internal.score_view AS s
    WHERE s.model = model_name AND s.compiled_by <> health_internal.release() ORDER BY s.schema_name, s.view_name;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_views(text) IS
    'Makes the SQL of the score views of a model that another release compiled again, without reading events';

CREATE FUNCTION health_internal.recompile_view_as_owner(schema_name name, view_name name) RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.recompile_view(s, true) FROM health_internal.score_view AS s
    WHERE s.schema_name = recompile_view_as_owner.schema_name AND s.view_name = recompile_view_as_owner.view_name;
$$;
COMMENT ON FUNCTION health_internal.recompile_view_as_owner(name, name) IS 'recompile_view() of one score view, from its events if need be';

CREATE FUNCTION health_internal.recompile_as_owner(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.open_model(model_name);
    IF health_internal.is_tracked(model_name) THEN
        PERFORM health_internal.lock_tracking(model_name, true);
        PERFORM health_internal.recompile_tracking(health_internal.find_tracking(model_name));
    END IF;
    PERFORM health_internal.recompile_views(model_name);
END;
$$;
COMMENT ON FUNCTION health_internal.recompile_as_owner(text) IS 'Makes all compiled SQL of a model again, as its owner';

CREATE FUNCTION health_internal.recompile() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known record;
    detail text;
    hint text;
BEGIN
    FOR known IN SELECT k.name, k.owner FROM health_internal.known_model AS k ORDER BY k.name LOOP
        BEGIN
            PERFORM health_internal.run_as_owner(known.owner, NULL, 'SELECT health_internal.recompile_as_owner($1)', known.name);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RAISE WARNING 'model "%" keeps SQL that the release before has compiled: %', known.name, sqlerrm
                USING DETAIL = coalesce(nullif(detail, ''), 'All others are at the present release.'),
                      HINT = coalesce(nullif(hint, ''), format('CALL health.refresh(%L); compiles it again.', known.name));
        END;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.recompile() IS
    'For the end of an upgrade script: makes all compiled SQL that is kept again, of each model as its owner, reading no events; warns of '
        'a '
    'model that stays as it is';
