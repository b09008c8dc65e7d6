-- Score views: what a BI tool reads. The model stands in the views as a literal, so readers need SELECT on them and nothing else.

CREATE FUNCTION health_internal.describe_score_relation(suffix text, model_name text, version integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE suffix
        WHEN '_ledger' THEN 'Base of the score views of model "%s", version %s: one row per account with its usage ledger and the inputs '
            'of its signals.'
        WHEN '' THEN 'Account health by model "%s", version %s: one row per account with score, band, change, main reason and every usage '
            'metric.'
        WHEN '_signals' THEN 'Signals of account health by model "%s", version %s: one row per account and signal; the points of the '
            'leaves add up to the score.'
        WHEN '_segments' THEN 'Segments of the accounts of model "%s", version %s: one row per account and segment.'
        WHEN '_users' THEN 'People of the accounts by model "%s", version %s: one row per account and user with what the user did and how '
            'the user stands, computed when it is read.'
        WHEN '_flags' THEN 'Flags of the accounts of model "%s", version %s: one row per account and flag that is up.'
        WHEN '_parents' THEN 'Parents of the accounts of model "%s", version %s: one row per parent, scored as one account with '
            'all accounts below it, computed when it is read.'
        ELSE 'Daily account health by model "%s", version %s: one row per account and day, recomputed from the events, expressions and '
            'dated answers of that day; columns of the account table stand at their present value.'
    END, model_name, version);
$$;
COMMENT ON FUNCTION health_internal.describe_score_relation(text, text, integer) IS
    'The comment on one of the relations of a score view';

CREATE FUNCTION health_internal.describe_score_column(suffix text, column_name text, document jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source_name text := CASE column_name WHEN 'data_coverage' THEN 'coverage' ELSE column_name END;
    source_types regtype[] := CASE suffix
        WHEN '' THEN '{health.account_score,health.metrics_record}'::regtype[]
        WHEN '_signals' THEN '{health.signal_score}'::regtype[]
        WHEN '_history' THEN '{health.account_score}'::regtype[]
        WHEN '_flags' THEN '{health.account_flag}'::regtype[]
        WHEN '_parents' THEN '{health.account_score}'::regtype[]
        ELSE '{}' END;
    description text;
BEGIN
    description := CASE suffix WHEN '_users' THEN health_internal.describe_user_column(column_name)
                               WHEN '_parents' THEN health_internal.describe_parent_column(column_name) END;
    description := coalesce(description, CASE column_name
        WHEN 'account_id' THEN 'Account id, in the type of the account table'
        WHEN 'name' THEN 'Name of the account'
        WHEN 'as_of' THEN 'The day of the score: it rests on events of days before it'
        WHEN 'model' THEN 'Name of the model'
        WHEN 'model_version' THEN 'Version of the model that made this row'
        WHEN 'account_start' THEN 'Since when the account is a customer, by the account table'
        WHEN 'seats' THEN 'Licensed seats, by the account table'
            || CASE suffix WHEN '_ledger' THEN '; NaN where it has what cannot be a number of seats' ELSE '' END
        WHEN 'usage' THEN 'Usage ledger: for each user, local day and event the count and the amount'
        WHEN 'inputs' THEN 'Values of the column, expression, query and pulse signals, in the order of health.model_inputs()'
        WHEN 'observed' THEN 'Dates on which the query signals were observed and the pulses given'
        WHEN 'past_inputs' THEN 'Inputs of earlier days, a row for each, the day before as_of first; NULL when they are always the same'
        WHEN 'past_observed' THEN 'Dates on which the answers among the past inputs were observed'
        WHEN 'account_end' THEN 'The first day on which the account is no customer any more, by the account table'
        WHEN 'ledger_start' THEN 'First day that the ledgers keep; NULL: they have all days'
        WHEN 'in_filter' THEN 'Whether accounts.filter takes the account on the day and on each day before; NULL where it does not '
            'depend on the day'
        WHEN 'repeated' THEN 'Whether the account source has the account more than once: then it is not scored'
        WHEN CASE WHEN document ? 'variants' THEN 'variant' END
            THEN 'The variant whose weights count, the first whose condition is true; NULL: none, the weights of the signals themselves'
        WHEN 'segments' THEN 'Peer groups for percentile normalizers'
        WHEN 'segment' THEN 'Name of the segment in the model'
        WHEN CASE suffix WHEN '_segments' THEN 'value' END
            THEN 'Which of the groups of the segment the account is in; unknown: it has no value'
        WHEN 'outages' THEN 'First and last days, by turns, on which tracking was broken: dates within are scored as of the first day'
        WHEN 'tracking_broke' THEN 'Why as_of is the first day on which tracking was broken, and not today; NULL: it is today'
        WHEN '$into' THEN 'Id of the account that this one was merged into, as text: its usage is in the ledger of that one; NULL: none'
        WHEN 'overrides' THEN 'What was ever decided about the score, in the order in which it was'
    END);
    IF description IS NULL AND (column_name <> 'coverage' OR suffix = '') THEN
        -- The metric named coverage is not the score's data coverage.
        SELECT col_description(t.typrelid, a.attnum) INTO description
        FROM unnest(source_types) WITH ORDINALITY AS o (type, position)
        JOIN pg_type AS t ON t.oid = o.type
        JOIN pg_attribute AS a ON a.attrelid = t.typrelid AND a.attname = source_name AND NOT a.attisdropped
        WHERE column_name <> 'coverage' OR o.type = 'health.metrics_record'::regtype
        ORDER BY o.position LIMIT 1;
    END IF;
    IF description IS NULL AND document #> '{accounts,columns}' ? column_name THEN
        description := format('Account attribute: %s of %s', coalesce(document #>> ARRAY['accounts', 'columns', column_name, 'sql'],
                                                                     document #>> ARRAY['accounts', 'columns', column_name]),
                              coalesce(document #>> '{accounts,table}', 'the account query'));
    END IF;
    IF description IS NULL THEN
        SELECT format('Value of signal "%s": %s', l.signal ->> 'name',
                      coalesce(l.signal ->> 'description', l.signal ->> 'column', l.signal ->> 'expression', l.signal ->> 'query',
                               'the last pulse, 1 (worst) to 5 (best)'))
        INTO description
        FROM health_internal.leaf_signals(document) AS l JOIN health_internal.value_columns(document) AS v ON v.signal = l.signal ->> 'name'
        WHERE v.column_name = describe_score_column.column_name;
    END IF;
    RETURN description;
END;
$$;
COMMENT ON FUNCTION health_internal.describe_score_column(text, text, jsonb) IS
    'The comment on a column of one of the relations of a score view';

CREATE FUNCTION health_internal.comment_on_score_relation(relation text, kind text, suffix text, model_name text, version integer,
    document jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_name text;
BEGIN
    EXECUTE format('COMMENT ON %s %s IS %L', kind, relation, health_internal.describe_score_relation(suffix, model_name, version));
    FOR column_name IN SELECT a.attname FROM pg_attribute AS a
                       WHERE a.attrelid = relation::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', relation, column_name, coalesce(
            health_internal.describe_probability(model_name, version, column_name),
            health_internal.describe_score_column(suffix, column_name, document)));
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.comment_on_score_relation(text, text, text, text, integer, jsonb) IS
    'Comments on a relation of a score view and on each of its columns';

CREATE FUNCTION health_internal.compile_score_view(schema_name name, view_name name, store health_internal.store,
    as_literals boolean DEFAULT false)
RETURNS TABLE (suffix text, relation text, query text)
LANGUAGE plpgsql ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := store.version;
    compiled health_internal.compiled_model;
    ledger_relation text;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, model_name => version.model,
                                              past_days => health_internal.past_days(version.document),
                                              as_literals => as_literals);
    FOR suffix, relation IN SELECT r.suffix, r.relation
                            FROM health_internal.score_relations(schema_name, view_name, version.document) AS r LOOP
        ledger_relation := coalesce(ledger_relation, relation);
        query := CASE suffix WHEN '_segments'
            THEN health_internal.compile_segments(version.model, version.document, pg_catalog.format('%I.%I', schema_name, view_name))
            WHEN '_flags' THEN health_internal.compile_flags(store, ledger_relation)
            WHEN '_parents' THEN health_internal.compile_parents(store, ledger_relation, pg_catalog.format('%I.%I', schema_name,
                view_name))
            ELSE health_internal.store_relation(store, suffix, ledger_relation, compiled, as_literals) END;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_score_view(name, name, health_internal.store, boolean) IS
    'SQL of the relations of a score view, in the order in which they build on each other; with the overrides, pulses and '
    'calibrations that there are as literals or read from the catalog, which only the owner of the model can';

-- What is kept has its tables already, which refreshes bring up to date.
CREATE FUNCTION health_internal.score_relation_kind(store health_internal.store, materialized boolean) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN materialized AND NOT (store).has_scores THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END;
END;
COMMENT ON FUNCTION health_internal.score_relation_kind(health_internal.store, boolean) IS
    'What the relations of a score view are that was made materialized or not: MATERIALIZED VIEW or VIEW';

CREATE FUNCTION health_internal.replace_view(relation text, query text, names_path text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.look_names_up_in(names_path);
    EXECUTE pg_catalog.format('CREATE OR REPLACE VIEW %s AS %s', relation, query);
END;
$$;
COMMENT ON FUNCTION health_internal.replace_view(text, text, text) IS
    'Gives a plain view another query of the same columns, whose names are looked up under a search_path';

-- By the version that the score view was made of.
CREATE FUNCTION health_internal.view_relations(present health_internal.score_view)
RETURNS TABLE (suffix text, relation text, short_name text)
LANGUAGE sql STABLE ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM health_internal.score_relations(present.schema_name, present.view_name,
        (SELECT v.document FROM health_internal.model_version AS v
         WHERE v.model = present.model AND v.version = present.model_version)) AS r;
$$;
COMMENT ON FUNCTION health_internal.view_relations(health_internal.score_view) IS
    'The relations that a score view has, in the order in which they build on each other';

-- A score view that had no such relation does not take the place of a relation that happens to have the name.
CREATE FUNCTION health_internal.check_name_beside(schema_name name, view_name name, suffix text, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF octet_length(view_name || suffix) > 63 THEN
        RAISE EXCEPTION 'name of score view "%" is longer than % bytes', view_name, 63 - octet_length(suffix)
            USING ERRCODE = 'name_too_long',
                  HINT = format('The model has %s, and the longest of its relations adds %s.', ltrim(suffix, '_'), suffix);
    ELSIF to_regclass(relation) IS NOT NULL AND NOT EXISTS (
        SELECT FROM health_internal.score_view AS s CROSS JOIN LATERAL health_internal.view_relations(s) AS r
        WHERE s.schema_name = check_name_beside.schema_name AND s.view_name = check_name_beside.view_name
          AND r.suffix = check_name_beside.suffix) THEN
        RAISE EXCEPTION 'relation % exists already', relation
            USING ERRCODE = 'duplicate_table',
                  DETAIL = format('The model has %s, and so this is a name of one of its score views.', ltrim(suffix, '_')),
                  HINT = 'Rename the one or choose another name for the score view.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_name_beside(name, name, text, text) IS
    'Raises an error when the name of what stands beside a score view is taken by something else, or too long';

-- Score views of release 0.1.0 had no name_users, so that somebody's own relation may have that name.
CREATE FUNCTION health_internal.is_foreign_relation(suffix text, relation text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT suffix = '_users' AND to_regclass(relation) IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass
            AND d.refobjid = 'health_internal.account_users(jsonb, health.account_state)'::regprocedure
        WHERE r.ev_class = to_regclass(relation));
$$;
COMMENT ON FUNCTION health_internal.is_foreign_relation(text, text) IS
    'Whether a relation of the name of one of a score view is somebody''s own';

-- Under the author's search_path, with target names qualified.
CREATE FUNCTION health_internal.build_score_view(schema_name name, view_name name, model_name text, version health_internal.model_version,
                                                 materialized boolean, kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    kind CONSTANT text := health_internal.score_relation_kind(store, materialized);
    keys jsonb := jsonb_build_object('_ledger', 'account_id', '', 'account_id', '_signals', 'account_id, "position"', '_history',
        'account_id, as_of');
    made record;
BEGIN
    PERFORM health_internal.look_names_up_in(version.search_path);
    FOR made IN SELECT c.*, CASE WHEN c.suffix = '_users' OR health_internal.is_beside(c.suffix) THEN 'VIEW' ELSE kind END AS kind,
                       CASE c.suffix WHEN '_users' THEN ' WITH (security_barrier)' ELSE '' END AS options
                FROM health_internal.compile_score_view(schema_name, view_name, store,
                    kind = 'VIEW' AND NOT store.has_scores) AS c WHERE c.suffix <> ALL (kept) LOOP
        IF health_internal.is_foreign_relation(made.suffix, made.relation) THEN
            RAISE WARNING 'score view %.% has no people: there is another relation %', pg_catalog.quote_ident(schema_name),
                pg_catalog.quote_ident(view_name), made.relation
                USING HINT = 'Give that another name; the next refresh makes the view of people.';
            CONTINUE;
        END IF;
        IF health_internal.is_beside(made.suffix) THEN
            PERFORM health_internal.check_name_beside(schema_name, view_name, made.suffix, made.relation);
        END IF;
        EXECUTE pg_catalog.format('CREATE %s %s%s AS %s', CASE made.kind WHEN 'VIEW' THEN 'OR REPLACE VIEW' ELSE made.kind END,
            made.relation, made.options, made.query);
        IF made.kind = 'MATERIALIZED VIEW' THEN
            EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (%s)', made.relation, keys ->> made.suffix);
            EXECUTE pg_catalog.format('ANALYZE %s', made.relation);
        END IF;
        PERFORM health_internal.comment_on_score_relation(made.relation, made.kind, made.suffix, model_name, version.version,
            version.document);
        IF store.has_scores AND made.suffix = '_history' THEN
            EXECUTE pg_catalog.format('COMMENT ON VIEW %s IS %L', made.relation, pg_catalog.format(
                'Daily account health by model "%s": one row per account and day, with the account data that were recorded on that day.',
                    model_name));
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.build_score_view(name, name, text, health_internal.model_version, boolean, text[]) IS
    'Creates the relations of a score view, less those with suffixes that are kept; plain views take the place of those that stand '
        'there';

CREATE FUNCTION health_internal.parse_view_name(name text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[];
BEGIN
    BEGIN
        parts := parse_ident(name);
    EXCEPTION WHEN invalid_parameter_value THEN
        parts := NULL;
    END;
    IF parts IS NULL OR cardinality(parts) > 2 THEN
        RAISE EXCEPTION '"%" is not a name of the form view or schema.view', name
            USING ERRCODE = 'invalid_name',
                  HINT = CASE WHEN name <> '' AND parts IS NULL THEN format('A name with blanks or signs stands in double quotes: %L',
                      quote_ident(name))
                              ELSE 'For example ''scores.customers''.' END;
    END IF;
    RETURN parts;
END;
$$;
COMMENT ON FUNCTION health_internal.parse_view_name(text) IS
    'A view name, with its schema or without, as its parts; an error when it is none';

CREATE FUNCTION health_internal.split_view_name(name text, visible text, OUT schema_name name, OUT view_name name)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := health_internal.parse_view_name(name);
BEGIN
    view_name := parts[pg_catalog.cardinality(parts)];
    schema_name := CASE pg_catalog.cardinality(parts) WHEN 2 THEN parts[1]::pg_catalog.name
        ELSE (health_internal.schemas_in(visible))[1] END;
    IF schema_name IS NULL THEN
        RAISE EXCEPTION 'no schema has been selected for score view "%"', name
            USING ERRCODE = 'invalid_schema_name', HINT = 'Write schema.view, or set search_path.';
    END IF;
    IF pg_catalog.octet_length(parts[pg_catalog.cardinality(parts)]) > 55 THEN
        RAISE EXCEPTION 'name of score view "%" is longer than 55 bytes', name
            USING ERRCODE = 'name_too_long', HINT = 'The longest of its relations adds _history.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.split_view_name(text, text) IS 'Schema and name of a score view that is to be created';

CREATE FUNCTION health_internal.create_view_as_owner(model text, schema_name name, view_name name, materialized boolean, label text)
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    existing text;
BEGIN
    SELECT r.relation INTO existing FROM health_internal.score_relations(create_view_as_owner.schema_name,
        create_view_as_owner.view_name, version.document) AS r
    WHERE to_regclass(r.relation) IS NOT NULL LIMIT 1;
    IF existing IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM health_internal.score_view AS s
                   WHERE s.schema_name = create_view_as_owner.schema_name AND s.view_name = create_view_as_owner.view_name) THEN
            RAISE EXCEPTION 'score view % exists already', health_internal.quote_once(label)
                USING ERRCODE = 'duplicate_table',
                      HINT = format('refresh_score_view(%L) takes over changes of the model; drop_score_view(%1$L) drops it.', label);
        END IF;
        RAISE EXCEPTION 'relation % exists already', existing
            USING ERRCODE = 'duplicate_table', HINT = 'Choose another name for the score view.';
    END IF;
    PERFORM health_internal.build_score_view(schema_name, view_name, model, version, materialized);
    PERFORM health_internal.notice_unknown_accounts(model, version);
    IF materialized AND NOT (health_internal.open_store(version)).has_scores THEN
        PERFORM health_internal.warn_broken(model, format('%I.%I', schema_name, view_name || '_ledger'));
    END IF;
    PERFORM health_internal.notice_silent_book(model, version.document, format('%I.%I', schema_name, view_name),
        format('%I.%I', schema_name, view_name || '_signals'));
    INSERT INTO health_internal.score_view AS s (schema_name, view_name, model, model_version, materialized)
    VALUES (create_view_as_owner.schema_name, create_view_as_owner.view_name, create_view_as_owner.model, version.version,
            create_view_as_owner.materialized)
    ON CONFLICT (schema_name, view_name) DO UPDATE
        SET model = excluded.model, model_version = excluded.model_version, materialized = excluded.materialized,
            compiled_by = excluded.compiled_by;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version),
                health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.create_view_as_owner(text, name, name, boolean, text) IS
    'create_score_view() as the owner of the model';

-- The schema is that of the caller's search_path; the relations are the owner's of the model.
CREATE FUNCTION health_internal.create_score_view(model text, name text, materialized boolean, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    target record;
BEGIN
    SELECT s.schema_name, s.view_name INTO target FROM health_internal.split_view_name(name, visible) AS s;
    IF pg_catalog.to_regnamespace(pg_catalog.quote_ident(target.schema_name)) IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', target.schema_name
            USING ERRCODE = 'invalid_schema_name', HINT = pg_catalog.format('CREATE SCHEMA %I;', target.schema_name);
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.create_view_as_owner($1, $2, $3, $4::boolean, $5)',
        model, target.schema_name::text, target.view_name::text, materialized::text, name);
END;
$$;
COMMENT ON FUNCTION health_internal.create_score_view(text, text, boolean, text) IS 'create_score_view() with the schemas of the caller';

CREATE FUNCTION health.create_score_view(model text, name text, materialized boolean DEFAULT true) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.create_score_view(model, name, materialized, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.create_score_view(text, text, boolean) IS
    'Creates the score view of a model: name (one row per account), name_signals, name_history and their base name_ledger, '
    'materialized with unique indexes by default, else plain views that compute on every read; and, plain views in any case, name_users '
    '(one row per account and user) and, of a model that has segments, flags or accounts.parent, name_segments, name_flags and '
    'name_parents';
