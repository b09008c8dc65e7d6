-- Refreshing and dropping score views.

CREATE FUNCTION health_internal.find_score_view(name text) RETURNS health_internal.score_view
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    parts text[] := health_internal.parse_view_name(name);
    found_view health_internal.score_view;
BEGIN
    SELECT s.* INTO found_view FROM health_internal.score_view AS s
    WHERE s.view_name = parts[pg_catalog.cardinality(parts)]
      AND CASE pg_catalog.cardinality(parts) WHEN 1 THEN s.schema_name = ANY (pg_catalog.current_schemas(false)) ELSE s.schema_name = parts[1] END
    ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), s.schema_name)
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no score view "%"', name
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce((SELECT 'The score views are: ' || pg_catalog.string_agg(pg_catalog.format('%I.%I', s.schema_name, s.view_name), ', '
                                                                                             ORDER BY s.schema_name, s.view_name) || '.'
                                   FROM health_internal.score_view AS s),
                                  'create_score_view(model, name) creates one.');
    END IF;
    RETURN found_view;
END;
$$;
COMMENT ON FUNCTION health_internal.find_score_view(text) IS 'The catalog row of a score view, found by search_path when the name has no schema; an error when there is none';

-- Readers keep reading while a populated view with its unique index is refreshed.
CREATE FUNCTION health_internal.refresh_relation(relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(relation) IS NULL THEN
        RAISE EXCEPTION 'relation % does not exist any more', relation
            USING ERRCODE = 'undefined_table', HINT = 'drop_score_view(name) removes what is left, create_score_view(model, name) makes it anew.';
    END IF;
    EXECUTE format('REFRESH MATERIALIZED VIEW %s %s',
        CASE WHEN EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
                          WHERE c.oid = relation::regclass AND c.relispopulated AND i.indisunique AND i.indisvalid AND i.indpred IS NULL)
             THEN 'CONCURRENTLY' ELSE '' END, relation);
END;
$$;
COMMENT ON FUNCTION health_internal.refresh_relation(text) IS 'Refreshes a materialized view, concurrently when it is populated and has a unique index';

CREATE FUNCTION health_internal.owned_relations(present health_internal.score_view) RETURNS TABLE (relation text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.relation
    FROM health_internal.score_relations(present.schema_name, present.view_name) AS r
    JOIN pg_class AS c ON c.oid = to_regclass(r.relation)
    JOIN health_internal.model AS m ON m.name = present.model
    JOIN pg_roles AS owner ON owner.rolname = m.owner
    JOIN pg_roles AS maker ON maker.oid = c.relowner
    JOIN pg_roles AS caller ON caller.rolname = current_user
    WHERE NOT caller.rolsuper    -- who may drop what is then PostgreSQL's to check
       OR pg_has_role(owner.oid, maker.oid, 'MEMBER')
       OR pg_has_role(maker.oid, owner.oid, 'MEMBER') AND NOT maker.rolsuper;
$$;
COMMENT ON FUNCTION health_internal.owned_relations(health_internal.score_view) IS
    'The relations of a score view that the owner of its model, or a member of that role, made';

-- The catalog row is only a claim, and a superuser may drop everything: only what the model's owner could have made is dropped.
CREATE FUNCTION health_internal.drop_score_relations(present health_internal.score_view, cascade boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
    detail text;
BEGIN
    FOR made IN SELECT r.relation, o.relation IS NULL AS is_foreign
                FROM health_internal.score_relations(present.schema_name, present.view_name) WITH ORDINALITY AS r (suffix, relation, short_name, position)
                LEFT JOIN health_internal.owned_relations(present) AS o USING (relation)
                WHERE to_regclass(r.relation) IS NOT NULL ORDER BY r.position DESC LOOP
        IF made.is_foreign THEN
            RAISE EXCEPTION 'relation % does not belong to the owner of model "%"', made.relation, present.model
                USING ERRCODE = 'insufficient_privilege', HINT = 'Drop it by hand if it is not wanted.';
        END IF;
        EXECUTE format('DROP %s %s %s', CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = made.relation::regclass)
                                            WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, made.relation,
                       CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);
    END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'cannot drop score view %.% because other objects depend on it', quote_ident(present.schema_name), quote_ident(present.view_name)
        USING ERRCODE = 'dependent_objects_still_exist', DETAIL = detail,
              HINT = 'drop_score_view(name, cascade => true) drops them as well.';
END;
$$;
COMMENT ON FUNCTION health_internal.drop_score_relations(health_internal.score_view, boolean) IS 'Drops the relations of a score view, the base last';

CREATE FUNCTION health.drop_score_view(name text, cascade boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    found_view health_internal.score_view := health_internal.find_score_view(name);
BEGIN
    IF NOT health_internal.owns_model(found_view.model) THEN
        RAISE EXCEPTION 'permission denied for score view "%"', name
            USING ERRCODE = 'insufficient_privilege', DETAIL = pg_catalog.format('Its model "%s" belongs to somebody else.', found_view.model);
    END IF;
    PERFORM health_internal.drop_score_relations(found_view, cascade);
    DELETE FROM health_internal.score_view AS s WHERE s.schema_name = found_view.schema_name AND s.view_name = found_view.view_name;
END;
$$;
COMMENT ON FUNCTION health.drop_score_view(text, boolean) IS
    'Drops a score view; refuses while other objects depend on it and names them, unless cascade => true drops those too';

CREATE FUNCTION health_internal.relation_grants(present health_internal.score_view) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(
        SELECT format('ALTER TABLE %s OWNER TO %I', r.relation, pg_get_userbyid(c.relowner))
        FROM health_internal.score_relations(present.schema_name, present.view_name) AS r JOIN pg_class AS c ON c.oid = to_regclass(r.relation)
        WHERE pg_get_userbyid(c.relowner) <> current_user
    ) || ARRAY(
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, r.relation,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM health_internal.score_relations(present.schema_name, present.view_name) AS r JOIN pg_class AS c ON c.oid = to_regclass(r.relation),
            aclexplode(c.relacl) AS a
        WHERE a.grantee <> c.relowner
    );
$$;
COMMENT ON FUNCTION health_internal.relation_grants(health_internal.score_view) IS 'Statements that give the relations of a score view their owner and their grants again';

-- A materialized view cannot be replaced in place: it is dropped and made again with its owner and its grants.
CREATE FUNCTION health_internal.rebuild_score_view(present health_internal.score_view, version health_internal.model_version) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    grants text[] := health_internal.relation_grants(present);
    statement text;
BEGIN
    PERFORM health_internal.drop_score_relations(present, false);
    PERFORM health_internal.build_score_view(present.schema_name, present.view_name, present.model, version, present.materialized);
    FOREACH statement IN ARRAY grants LOOP
        EXECUTE statement;
    END LOOP;
    UPDATE health_internal.score_view AS s SET model_version = version.version
    WHERE s.schema_name = present.schema_name AND s.view_name = present.view_name;
END;
$$;
COMMENT ON FUNCTION health_internal.rebuild_score_view(health_internal.score_view, health_internal.model_version) IS
    'Makes a score view again for another version of its model, with its owner and the grants on its relations';
