-- Refreshing and dropping score views.

CREATE FUNCTION health_internal.find_score_view(name text, visible text) RETURNS health_internal.score_view
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := health_internal.parse_view_name(name);
    schemas name[] := health_internal.schemas_in(visible);
    found_view health_internal.score_view;
BEGIN
    SELECT s.* INTO found_view FROM health_internal.score_view AS s
    WHERE s.view_name = parts[pg_catalog.cardinality(parts)]
      AND CASE pg_catalog.cardinality(parts) WHEN 1 THEN s.schema_name = ANY (schemas) ELSE s.schema_name = parts[1] END
    ORDER BY pg_catalog.array_position(schemas, s.schema_name)
    LIMIT 1;
    IF NOT FOUND AND EXISTS (
        SELECT 1 FROM health_internal.known_score_view AS s
        WHERE s.view_name = parts[pg_catalog.cardinality(parts)]
          AND CASE pg_catalog.cardinality(parts) WHEN 1 THEN s.schema_name = ANY (schemas)
                                                 ELSE s.schema_name = parts[1] END) THEN
        RAISE EXCEPTION 'permission denied for score view "%"', name
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'Its model belongs to somebody else.';
    ELSIF found_view.view_name IS NULL THEN
        RAISE EXCEPTION 'there is no score view %', health_internal.quote_once(name)
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce((SELECT 'The score views are: ' || pg_catalog.string_agg(
                                      pg_catalog.format('%I.%I', s.schema_name, s.view_name), ', ' ORDER BY s.schema_name, s.view_name)
                                          || '.'
                                   FROM health_internal.score_view AS s),
                                  'create_score_view(model, name) creates one.');
    END IF;
    RETURN found_view;
END;
$$;
COMMENT ON FUNCTION health_internal.find_score_view(text, text) IS
    'The catalog row of a score view, found by search_path when the name has no schema; an error when there is none';

CREATE FUNCTION health_internal.owned_relations(present health_internal.score_view) RETURNS TABLE (relation text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.relation
    FROM health_internal.view_relations(present) AS r
    JOIN pg_class AS c ON c.oid = to_regclass(r.relation)
    JOIN health_internal.model AS m ON m.name = present.model AND m.owner = c.relowner;
$$;
COMMENT ON FUNCTION health_internal.owned_relations(health_internal.score_view) IS
    'The relations of a score view that belong to the owner of its model';

CREATE FUNCTION health_internal.check_relation_owner(present health_internal.score_view, relation text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.owned_relations(present) AS o WHERE o.relation = check_relation_owner.relation) THEN
        RAISE EXCEPTION 'relation % does not belong to the owner of model "%"', relation, present.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'Drop it by hand if it is not wanted.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_relation_owner(health_internal.score_view, text) IS
    'Raises an error when somebody else has put a relation in the place of one of a score view';

-- Readers keep reading while a populated view with its unique index is refreshed.
CREATE FUNCTION health_internal.refresh_relation(present health_internal.score_view, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(relation) IS NULL THEN
        RAISE EXCEPTION 'relation % does not exist any more', relation
            USING ERRCODE = 'undefined_table',
                  HINT = 'drop_score_view(name) removes what is left, create_score_view(model, name) makes it anew.';
    END IF;
    PERFORM health_internal.check_relation_owner(present, relation);
    PERFORM health_internal.refresh_matview(relation::regclass, EXISTS (
        SELECT 1 FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
        WHERE c.oid = relation::regclass AND c.relispopulated AND i.indisunique AND i.indisvalid AND i.indpred IS NULL));
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_relation(health_internal.score_view, text) IS
    'Refreshes a relation of a score view, concurrently when it is populated and has a unique index';

-- The catalog row is only a claim: only what is the model's owner's is dropped.
CREATE FUNCTION health_internal.drop_score_relations(present health_internal.score_view, cascade boolean, kept text[] DEFAULT '{}')
    RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
    detail text;
BEGIN
    FOR made IN SELECT r.relation
                FROM health_internal.view_relations(present) WITH ORDINALITY AS r (suffix, relation, short_name, position)
                WHERE to_regclass(r.relation) IS NOT NULL AND r.suffix <> ALL (kept)
                    AND NOT health_internal.is_foreign_relation(r.suffix, r.relation) ORDER BY r.position DESC LOOP
        PERFORM health_internal.check_relation_owner(present, made.relation);
        EXECUTE format('DROP %s %s %s', CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = made.relation::regclass)
                                            WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, made.relation,
                       CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'cannot drop score view %.% because other objects depend on it',
        quote_ident(present.schema_name), quote_ident(present.view_name)
        USING ERRCODE = 'dependent_objects_still_exist', DETAIL = detail,
              HINT = 'drop_score_view(name, cascade => true) drops them as well.';
END;
$$;
COMMENT ON FUNCTION health_internal.drop_score_relations(health_internal.score_view, boolean, text[]) IS
    'Drops the relations of a score view, less those with suffixes that are kept, the base last';

CREATE FUNCTION health_internal.drop_view_as_owner(schema_name name, view_name name, cascade boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.score_view;
BEGIN
    SELECT s.* INTO STRICT present FROM health_internal.score_view AS s
    WHERE s.schema_name = drop_view_as_owner.schema_name AND s.view_name = drop_view_as_owner.view_name;
    PERFORM health_internal.drop_score_relations(present, cascade);
    PERFORM health_internal.delete_rows(present.model, 'score view', present.schema_name::text, present.view_name::text);
END;
$$;
COMMENT ON FUNCTION health_internal.drop_view_as_owner(name, name, boolean) IS 'drop_score_view() as the owner of the model';

CREATE FUNCTION health_internal.drop_score_view(name text, cascade boolean, visible text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present health_internal.score_view := health_internal.find_score_view(name, visible);
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(present.model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.drop_view_as_owner($1, $2, $3::boolean)',
        present.schema_name::text, present.view_name::text, cascade::text);
END;
$$;
COMMENT ON FUNCTION health_internal.drop_score_view(text, boolean, text) IS 'drop_score_view() with the schemas of the caller';

CREATE FUNCTION health.drop_score_view(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health_internal.drop_score_view(name, cascade, health_internal.visible_schemas());
END;
COMMENT ON FUNCTION health.drop_score_view(text, boolean) IS
    'Drops a score view; refuses while other objects depend on it and names them, unless cascade => true drops those too';

-- Of what another version has no more they are gone.
CREATE FUNCTION health_internal.relation_grants(present health_internal.score_view, version health_internal.model_version) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, r.relation,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM health_internal.owned_relations(present) AS r JOIN pg_class AS c ON c.oid = to_regclass(r.relation), aclexplode(c.relacl) AS a
        WHERE a.grantee <> c.relowner AND r.relation IN (
            SELECT w.relation FROM health_internal.score_relations(present.schema_name, present.view_name, version.document) AS w)
    );
$$;
COMMENT ON FUNCTION health_internal.relation_grants(health_internal.score_view, health_internal.model_version) IS
    'Statements that give the relations of a score view their grants again, when it is made again for a version';

-- A materialized view cannot be replaced in place: it is dropped and made again with its owner and its grants.
CREATE FUNCTION health_internal.rebuild_score_view(present health_internal.score_view, version health_internal.model_version,
                                                   kept text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grants text[] := health_internal.relation_grants(present, version);
    statement text;
BEGIN
    PERFORM health_internal.drop_score_relations(present, false, kept);
    PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized, kept);
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version, compiled_by = health_internal.release()
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
END;
$$;
COMMENT ON FUNCTION health_internal.rebuild_score_view(health_internal.score_view, health_internal.model_version, text[]) IS
    'Makes a score view again for another version of its model, with its owner and the grants on its relations; those with suffixes that '
        'are '
    'kept stay as they are';

CREATE FUNCTION health_internal.rebuild_view_as_owner(schema_name name, view_name name, version integer) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.rebuild_score_view(s, health_internal.find_version(s.model, rebuild_view_as_owner.version))
    FROM health_internal.score_view AS s
    WHERE s.schema_name = rebuild_view_as_owner.schema_name AND s.view_name = rebuild_view_as_owner.view_name;
$$;
COMMENT ON FUNCTION health_internal.rebuild_view_as_owner(name, name, integer) IS 'rebuild_score_view() as the owner of the model';

-- Whoever replaces the table of users or accounts with DROP ... CASCADE takes with it the relations that stand on it in every mode.
CREATE FUNCTION health_internal.restore_people(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT s.*, others.suffixes AS others
                FROM health_internal.score_view AS s
                CROSS JOIN LATERAL (SELECT array_agg(r.suffix) FILTER (WHERE r.is_there) AS suffixes, bool_and(r.is_there) AS are_all
                    FROM (SELECT v.suffix,
                                 v.suffix NOT IN ('_users', '_flags', '_parents') OR to_regclass(v.relation) IS NOT NULL AS is_there
                          FROM health_internal.view_relations(s) AS v) AS r) AS others
                WHERE s.model = model_name AND NOT others.are_all
                    AND format('%I.%I', s.schema_name, s.view_name || '_ledger') IN (SELECT o.relation
                        FROM health_internal.owned_relations(s) AS o)
                ORDER BY s.schema_name, s.view_name LOOP
        PERFORM health_internal.build_score_view(made.schema_name, made.view_name, model_name,
            health_internal.find_version(model_name, made.model_version), made.materialized, made.others);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.restore_people(text) IS
    'Makes name_users, name_flags and name_parents of the score views of a model again where they are missing, without the grants that '
    'they had';
