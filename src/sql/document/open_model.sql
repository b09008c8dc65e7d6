-- Models as others find them: by name, by version, and only for those who may.

-- Names of relations may come quoted, as SQL has them.
CREATE FUNCTION health_internal.quote_once(name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN name LIKE '%"%' THEN name ELSE '"' || name || '"' END;
END;
COMMENT ON FUNCTION health_internal.quote_once(text) IS 'The name of a relation for a message: in quotes, unless it has quotes of its own';

CREATE FUNCTION health_internal.find_model(model_name text) RETURNS health_internal.model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_model health_internal.model;
BEGIN
    IF model_name IS NULL THEN
        RAISE EXCEPTION 'the name of the model must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'models() lists those that exist.';
    END IF;
    SELECT m.* INTO found_model FROM health_internal.model AS m WHERE m.name = model_name;
    IF NOT FOUND AND health_internal.follow_owner(model_name) IS NOT NULL THEN
        SELECT m.* INTO found_model FROM health_internal.model AS m WHERE m.name = model_name;
    END IF;
    IF found_model.name IS NOT NULL THEN
        RETURN found_model;
    END IF;
    IF EXISTS (SELECT 1 FROM health_internal.known_model AS k WHERE k.name = model_name) THEN
        RAISE EXCEPTION 'permission denied for model "%"', model_name
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = (SELECT coalesce(format('It belongs to %s.', r.rolname), 'Its owner does not exist any more; a superuser can '
                                            'give it to somebody.')
                            FROM health_internal.known_model AS k LEFT JOIN pg_roles AS r ON r.oid = k.owner WHERE k.name = model_name),
                  HINT = 'Score views can be read by everybody who has SELECT on them; changing and explaining a model is for its owner.';
    END IF;
    RAISE EXCEPTION 'model "%" does not exist', model_name
        USING ERRCODE = 'undefined_object',
              HINT = coalesce((SELECT format('Did you mean "%s"?', health.nearest_name(model_name, array_agg(m.name)))
                               FROM health_internal.model AS m HAVING health.nearest_name(model_name, array_agg(m.name)) IS NOT NULL),
                              'create_model(name, definition) creates one; models() lists those that exist.');
END;
$$;
COMMENT ON FUNCTION health_internal.find_model(text) IS
    'The catalog row of a model whose owner the current user may act as; an error, with the nearest name, when there is none';

CREATE FUNCTION health_internal.are_tables_moved(model_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM health_internal.tracking AS t JOIN pg_class AS c ON c.oid = to_regclass('health_data.stale_' || t.id)
                   WHERE t.model = model_name AND c.relowner <> t.owner::oid);
$$;
COMMENT ON FUNCTION health_internal.are_tables_moved(text) IS 'Whether the tables of a tracked model have been given to another role';

-- What a model does is done as its owner (run_as_owner): it must be there.
CREATE FUNCTION health_internal.open_model(model_name text) RETURNS health_internal.model
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.find_model(model_name);
BEGIN
    IF (NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = opened.owner) OR health_internal.are_tables_moved(model_name))
       AND health_internal.follow_owner(model_name) IS NOT NULL THEN
        opened := health_internal.find_model(model_name);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles AS r WHERE r.oid = opened.owner) THEN
        RAISE EXCEPTION 'the owner of model "%" does not exist any more', model_name
            USING ERRCODE = 'undefined_object',
                  HINT = format('To take the model over: UPDATE health_internal.model SET owner = %L WHERE name = %L;',
                                quote_ident(current_user), model_name);
    END IF;
    RETURN opened;
END;
$$;
COMMENT ON FUNCTION health_internal.open_model(text) IS
    'The catalog row of a model whose owner the current user may act as, and who exists: what is needed to have the model do anything';

CREATE FUNCTION health_internal.find_version(model_name text, wanted integer) RETURNS health_internal.model_version
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stored health_internal.model_version;
BEGIN
    SELECT v.* INTO stored FROM health_internal.model_version AS v WHERE v.model = model_name AND v.version = wanted;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no version %', model_name, wanted
            USING ERRCODE = 'undefined_object',
                  HINT = (SELECT format('Its versions are 1 to %s.', max(v.version))
                          FROM health_internal.model_version AS v WHERE v.model = model_name);
    END IF;
    RETURN stored;
END;
$$;
COMMENT ON FUNCTION health_internal.find_version(text, integer) IS 'The catalog row of a version of a model; an error when there is none';

CREATE FUNCTION health_internal.add_version(model_name text, version integer, definition jsonb, document jsonb, visible text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO health_internal.model_version (model, version, definition, document, search_path)
    VALUES (model_name, version, definition, document, visible);
    UPDATE health_internal.model AS m SET current_version = version WHERE m.name = model_name AND m.current_version <> version;
$$;
COMMENT ON FUNCTION health_internal.add_version(text, integer, jsonb, jsonb, text) IS 'Stores a version and makes it the current one';
