-- Models as data: validate, create, alter, read, drop.

CREATE FUNCTION health_internal.validation_problems(candidate jsonb, names_path text, OUT path text, OUT problem text, OUT hint text,
    OUT code text) RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
    shape text[];
    fields health_internal.model_field[];
BEGIN
    PERFORM health_internal.set_names_path(names_path);
    IF pg_catalog.jsonb_typeof(candidate) IS DISTINCT FROM 'object' THEN
        RETURN QUERY SELECT '', 'a model is a JSON object', 'Start with {"preset": "collaboration", "accounts": ..., "events": ...}.',
            '22023';
        RETURN;
    END IF;
    IF candidate ? 'preset' AND NOT EXISTS (SELECT 1 FROM health_internal.preset AS p WHERE p.name = candidate ->> 'preset') THEN
        RETURN QUERY SELECT 'preset', pg_catalog.format('there is no preset "%s"', candidate ->> 'preset'),
            (SELECT coalesce('Did you mean "' || health.nearest_name(candidate ->> 'preset', pg_catalog.array_agg(p.name)) || '"? ', '')
                    || 'The presets are: ' || pg_catalog.string_agg(p.name, ', ' ORDER BY p.position) || '.'
                        FROM health_internal.preset AS p),
            '22023';
        RETURN;
    END IF;
    document := health_internal.expand_preset(candidate);
    shape := ARRAY(SELECT p.path FROM health.model_problems(document) AS p);
    RETURN QUERY SELECT p.path, p.problem, p.hint, '22023' FROM health.model_problems(document) AS p;
    -- What the shape check has said about a place is not said again.
    IF 'as_of' = ANY (shape) THEN
        document := document - 'as_of';    -- no date: not to be said of every expression that is tried with it
    END IF;
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    IF document ? 'segments' AND shape = '{}' AND NOT EXISTS (SELECT FROM pg_catalog.unnest(fields) AS f WHERE f.problem IS NOT NULL) THEN
        fields := fields || ARRAY(SELECT f FROM health_internal.segment_fields(document, fields) AS f);
    END IF;
    RETURN QUERY SELECT f.path, f.problem, f.hint, f.code FROM pg_catalog.unnest(fields) AS f
        WHERE f.problem IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(shape) AS s (path)
                          WHERE f.path = s.path OR pg_catalog.starts_with(f.path, s.path || '.')
                                OR pg_catalog.starts_with(s.path, f.path || '.') OR s.path = f.source || '.table' OR s.path = '');
    RETURN QUERY SELECT z.path, z.problem, z.hint, '22023' FROM health_internal.unnamed_zones(document) AS z;
    RETURN QUERY SELECT c.path, c.problem, c.hint, '22023' FROM health_internal.capital_names(document, fields) AS c;
END;
$$;
COMMENT ON FUNCTION health_internal.validation_problems(jsonb, text) IS
    'Everything that is wrong with a model document, with the SQLSTATE of each problem';

CREATE FUNCTION health.validate_model(definition jsonb, OUT path text, OUT problem text, OUT hint text) RETURNS SETOF record
LANGUAGE sql
BEGIN ATOMIC
    SELECT p.* FROM health_internal.rows_as_owner(pg_catalog.quote_ident(current_user)::regrole, NULL,
        'SELECT p.path, p.problem, p.hint FROM health_internal.validation_problems($1::pg_catalog.jsonb, $2) AS p',
        definition::pg_catalog.text, health_internal.visible_schemas()) AS p (path text, problem text, hint text);
END;
COMMENT ON FUNCTION health.validate_model(jsonb) IS
    'Everything that is wrong with a model document, shape, tables and columns: the path, the problem, the way out. No row: it can be '
        'created';

-- Percentile references and table names become part of the version, so that a score does not move because something else moved.
CREATE FUNCTION health_internal.qualify_tables(document jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    qualified jsonb := document;
    source record;
BEGIN
    FOR source IN SELECT s.place, s.source AS value FROM health_internal.sources(document) AS s LOOP
        IF source.value ? 'table' THEN
            qualified := pg_catalog.jsonb_set(qualified, source.place || 'table'::text,
                                              pg_catalog.to_jsonb((health_internal.describe_source(source.value)).label));
        END IF;
    END LOOP;
    RETURN qualified;
END;
$$;
COMMENT ON FUNCTION health_internal.qualify_tables(jsonb) IS 'The document with every table written with its schema';

CREATE FUNCTION health_internal.check_definition(model_name text, definition jsonb, names_path text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problems health_internal.model_field[] := ARRAY(SELECT ROW(NULL, NULL, p.path, NULL, NULL, NULL, p.problem, p.hint,
        p.code)::health_internal.model_field
                                           FROM health_internal.validation_problems(definition, names_path) AS p);
BEGIN
    IF pg_catalog.cardinality(problems) = 1 THEN
        problems[1].path := pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''));
        PERFORM health_internal.raise_field_problem(problems[1]);
    ELSIF pg_catalog.cardinality(problems) > 1 THEN
        RAISE EXCEPTION '%', pg_catalog.concat_ws(': ', pg_catalog.format('model "%s"', model_name), nullif(problems[1].path, ''),
                                                  problems[1].problem)
            USING ERRCODE = problems[1].code,
                  DETAIL = (SELECT 'There is more: ' || pg_catalog.string_agg(p.path || ': ' || p.problem, '; ')
                            FROM pg_catalog.unnest(problems[2:6]) AS p) || CASE WHEN pg_catalog.cardinality(problems) > 6 THEN '; ...'
                                ELSE '.' END,
                  HINT = coalesce(problems[1].hint, 'validate_model(definition) lists everything that is wrong.');
    END IF;
    RETURN health_internal.spell_out_flags(health_internal.qualify_tables(health_internal.expand_preset(definition)));
END;
$$;
COMMENT ON FUNCTION health_internal.check_definition(text, jsonb, text) IS
    'The complete document of a definition; raises its first problem, with the others as detail';

CREATE FUNCTION health_internal.check_model_name(name text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF name IS NULL OR name = '' OR length(name) > 100 THEN
        RAISE EXCEPTION 'the name of a model has 1 to 100 characters, not %', coalesce(length(name)::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example customers.';
    END IF;
    IF EXISTS (SELECT 1 FROM health_internal.known_model AS k WHERE k.name = check_model_name.name) THEN
        RAISE EXCEPTION 'model "%" exists already', name
            USING ERRCODE = 'duplicate_object', HINT = 'Choose another name; alter_model(name, definition) makes a new version of a model.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_model_name(text) IS 'Raises an error unless a new model can have that name';

CREATE FUNCTION health_internal.create_model(name text, definition jsonb, comment text, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document jsonb;
BEGIN
    PERFORM health_internal.check_model_name(name);
    SELECT r.document INTO document
    FROM health_internal.rows_as_owner(quote_ident(current_user)::regrole, NULL,
        'SELECT health_internal.freeze_references(health_internal.check_definition($1, $2::jsonb, $3), NULL)',
        name, definition::text, visible) AS r (document jsonb);
    INSERT INTO health_internal.model (name, current_version, comment) VALUES (name, 1, comment);
    PERFORM health_internal.add_version(name, 1, definition, document, visible);
    PERFORM health_internal.notice_flags_left_out(name, definition);
    RETURN 1;
END;
$$;
COMMENT ON FUNCTION health_internal.create_model(text, jsonb, text, text) IS 'create_model() with the schemas in which names are looked up';

CREATE FUNCTION health.create_model(name text, definition jsonb, comment text DEFAULT NULL) RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.create_model(name, definition, comment, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.create_model(text, jsonb, text) IS
    'Checks a model document against the database, freezes its percentile references and stores it as version 1 (returned)';

CREATE FUNCTION health_internal.drop_null_keys(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.jsonb_object_agg(e.key, e.value), '{}')
    FROM pg_catalog.jsonb_each(document) AS e WHERE e.value <> 'null';
END;
COMMENT ON FUNCTION health_internal.drop_null_keys(jsonb) IS 'The document without its top-level keys that are null';

CREATE FUNCTION health.model_definition(name text, version integer DEFAULT NULL, complete boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model health_internal.model := health_internal.find_model(name);
    stored health_internal.model_version := health_internal.find_version(name, coalesce(version, model.current_version));
BEGIN
    RETURN CASE WHEN complete THEN stored.document ELSE stored.definition END;
END;
$$;
COMMENT ON FUNCTION health.model_definition(text, integer, boolean) IS
    'The document of a model as its author wrote it, by default of the current version; complete => true: with the preset spelled out, '
    'tables qualified and percentile references frozen. Either can be given to create_model again';

CREATE FUNCTION health_internal.refreeze_as_owner(model text, visible text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    present health_internal.model_version := health_internal.find_version(model, opened.current_version);
    document jsonb;
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = refreeze_as_owner.model FOR UPDATE;
    document := health_internal.freeze_references(health_internal.check_definition(model, present.definition, visible), NULL);
    IF document = present.document THEN
        RETURN present.version;
    END IF;
    PERFORM health_internal.add_version(model, present.version + 1, present.definition, document, visible);
    RETURN present.version + 1;
END;
$$;
COMMENT ON FUNCTION health_internal.refreeze_as_owner(text, text) IS 'refreeze_references() as the owner of the model';

CREATE FUNCTION health.refreeze_references(model text) RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
    SELECT r.version
    FROM health_internal.rows_as_owner(health_internal.regrole((health_internal.open_model(model)).owner), 'pg_catalog, pg_temp',
        'SELECT health_internal.refreeze_as_owner($1, $2)', model, health_internal.visible_schemas()) AS r (version integer);
END;
COMMENT ON FUNCTION health.refreeze_references(text) IS
    'Takes percentile references, medians and fitted parameters of a model from today''s book again; the outcome is a new version, whose '
    'number is returned';

CREATE FUNCTION health.models(OUT model text, OUT owner name, OUT version integer, OUT tracked boolean, OUT comment text,
    OUT created_at timestamptz)
RETURNS SETOF record
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    SELECT m.name, pg_catalog.pg_get_userbyid(health_internal.regrole(m.owner)), m.current_version, health_internal.is_tracked(m.name),
           m.comment, m.created_at
    FROM health_internal.model AS m ORDER BY m.name;
END;
COMMENT ON FUNCTION health.models() IS
    'The models that the current user may use: name, owner, current version, whether it is tracked, comment, when it was created';

CREATE FUNCTION health.model_versions(model text, OUT version integer, OUT created_at timestamptz, OUT created_by name) RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT v.version, v.created_at, v.created_by FROM health_internal.model_version AS v
                 WHERE v.model = model_versions.model ORDER BY v.version;
END;
$$;
COMMENT ON FUNCTION health.model_versions(text) IS
    'The versions of a model: number, when and by whom each was made; model_definition(model, version) has the document';
