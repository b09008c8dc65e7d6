-- Catalog of models, their immutable versions and the score views made from them.
--
-- Triggers, not foreign keys, hold the tables together: a parallel pg_restore loads the data of an extension's tables in any order.

CREATE TABLE health_internal.model (
    name text PRIMARY KEY CHECK (name <> '' AND pg_catalog.length(name) <= 100),
    owner name NOT NULL DEFAULT current_user,
    current_version integer NOT NULL CHECK (current_version > 0),
    comment text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE health_internal.model IS 'One row per model. Everybody may read it; only members of the owner role may change it.';
COMMENT ON COLUMN health_internal.model.name IS 'Name of the model, as given to create_model';
COMMENT ON COLUMN health_internal.model.owner IS 'Role that created the model; its expressions run with the rights of that role';
COMMENT ON COLUMN health_internal.model.current_version IS 'Version that explain and new score views use';
COMMENT ON COLUMN health_internal.model.comment IS 'Free text';
COMMENT ON COLUMN health_internal.model.created_at IS 'When the model was created';

CREATE TABLE health_internal.model_version (
    model text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,
    document jsonb NOT NULL,
    search_path text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE health_internal.model_version IS 'Every version of every model. Rows are never updated: each change of a model adds one.';
COMMENT ON COLUMN health_internal.model_version.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.model_version.version IS '1, 2, 3, ... within the model';
COMMENT ON COLUMN health_internal.model_version.definition IS 'The document as its author wrote it';
COMMENT ON COLUMN health_internal.model_version.document IS
    'The complete document: preset spelled out, table names qualified, percentile references frozen';
COMMENT ON COLUMN health_internal.model_version.search_path IS 'Schemas in which unqualified names of the document were looked up';
COMMENT ON COLUMN health_internal.model_version.created_at IS 'When this version was made';
COMMENT ON COLUMN health_internal.model_version.created_by IS 'Who made this version';

CREATE TABLE health_internal.score_view (
    schema_name name NOT NULL,
    view_name name NOT NULL,
    model text NOT NULL,
    model_version integer NOT NULL,
    materialized boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (schema_name, view_name)
);
COMMENT ON TABLE health_internal.score_view IS 'The score views that create_score_view made, and the model version that each of them scores.';
COMMENT ON COLUMN health_internal.score_view.schema_name IS 'Schema of the four relations';
COMMENT ON COLUMN health_internal.score_view.view_name IS 'Name of the account view; the others add _ledger, _signals and _history';
COMMENT ON COLUMN health_internal.score_view.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.score_view.model_version IS 'Version of the model that the view scores';
COMMENT ON COLUMN health_internal.score_view.materialized IS 'True: materialized views; false: plain views, computed on every read';
COMMENT ON COLUMN health_internal.score_view.created_at IS 'When the view was created';

-- Identity by name, not oid, so that a dump restores into a cluster where the roles come later or are missing.
CREATE FUNCTION health_internal.is_member_of(role_name name) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles AS r
                   WHERE r.rolname = role_name AND pg_catalog.pg_has_role(r.oid, 'MEMBER')
                      OR r.rolname = current_user AND r.rolsuper);
END;
COMMENT ON FUNCTION health_internal.is_member_of(name) IS
    'Whether the current user is, or may become, that role; of a role that does not exist any more, only superusers are members';

CREATE FUNCTION health_internal.owns_model(model_name text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT 1 FROM health_internal.model AS m WHERE m.name = model_name AND health_internal.is_member_of(m.owner));
END;
COMMENT ON FUNCTION health_internal.owns_model(text) IS 'Whether the current user may change that model';

ALTER TABLE health_internal.model ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_models ON health_internal.model FOR SELECT USING (true);
CREATE POLICY add_own_models ON health_internal.model FOR INSERT WITH CHECK (health_internal.is_member_of(owner));
CREATE POLICY change_own_models ON health_internal.model FOR UPDATE USING (health_internal.is_member_of(owner)) WITH CHECK (health_internal.is_member_of(owner));
CREATE POLICY drop_own_models ON health_internal.model FOR DELETE USING (health_internal.is_member_of(owner));

ALTER TABLE health_internal.model_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_versions ON health_internal.model_version FOR SELECT USING (true);
CREATE POLICY add_own_versions ON health_internal.model_version FOR INSERT WITH CHECK (health_internal.owns_model(model));

ALTER TABLE health_internal.score_view ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_score_views ON health_internal.score_view FOR SELECT USING (true);
CREATE POLICY change_own_score_views ON health_internal.score_view USING (health_internal.owns_model(model)) WITH CHECK (health_internal.owns_model(model));

CREATE POLICY clear_versions_of_dropped_models ON health_internal.model_version FOR DELETE
    USING (NOT EXISTS (SELECT 1 FROM health_internal.model AS m WHERE m.name = model));

CREATE FUNCTION health_internal.keep_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'DELETE' AND NOT EXISTS (SELECT 1 FROM health_internal.model AS m WHERE m.name = old.model) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'version % of model "%" cannot be %', old.version, old.model, CASE tg_op WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Scores refer to their version. alter_model(name, definition) makes a new one, drop_model(name) drops all.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_versions() IS 'Trigger: keeps model versions as they are while their model exists, for superusers as well';
CREATE TRIGGER versions_are_immutable BEFORE UPDATE OR DELETE ON health_internal.model_version
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_versions();

CREATE FUNCTION health_internal.delete_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.score_view AS s WHERE s.model = old.name) THEN
        RAISE EXCEPTION 'model "%" has score views', old.name
            USING ERRCODE = 'dependent_objects_still_exist', HINT = 'drop_model(name, cascade => true) drops them as well.';
    END IF;
    DELETE FROM health_internal.model_version AS v WHERE v.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_versions() IS 'Trigger: the versions of a model go away with it; a model with score views stays';
CREATE TRIGGER versions_go_with_their_model AFTER DELETE ON health_internal.model
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_versions();

SELECT pg_catalog.pg_extension_config_dump('health_internal.model', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.model_version', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.score_view', '');
