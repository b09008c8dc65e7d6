-- Catalog of models, their immutable versions and the score views made from them.
--
-- Triggers, not foreign keys, hold the tables together: a parallel pg_restore loads the data of an extension's tables in any order.
--
-- The tables belong to the owner of the extension's objects; besides, the owner of the database dumps and restores them. Everybody else
-- sees and changes, through the views, the rows of models whose owner he may act as. What is his alone to do (DELETE, which would let him
-- lock the tables) goes through act_on_model().

CREATE FUNCTION health_internal.release() RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'account_health';
END;
COMMENT ON FUNCTION health_internal.release() IS 'Version of the extension in this database';

CREATE TABLE health_internal.model_table (
    name text PRIMARY KEY CHECK (name <> '' AND pg_catalog.length(name) <= 100),
    -- By oid, and dumped by name.
    owner health_internal.role NOT NULL DEFAULT pg_catalog.quote_ident(current_user)::health_internal.role,
    current_version integer NOT NULL CHECK (current_version > 0),
    comment text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE health_internal.model_table IS 'One row per model.';
COMMENT ON COLUMN health_internal.model_table.name IS 'Name of the model, as given to create_model';
COMMENT ON COLUMN health_internal.model_table.owner IS 'Role that the model belongs to; its expressions run with the rights of that role';
COMMENT ON COLUMN health_internal.model_table.current_version IS 'Version that explain and new score views use';
COMMENT ON COLUMN health_internal.model_table.comment IS 'Free text';
COMMENT ON COLUMN health_internal.model_table.created_at IS 'When the model was created';

CREATE TABLE health_internal.model_version_table (
    model text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,
    document jsonb NOT NULL,
    search_path text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE health_internal.model_version_table IS
    'Every version of every model. Rows are never updated: each change of a model adds one.';
COMMENT ON COLUMN health_internal.model_version_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.model_version_table.version IS '1, 2, 3, ... within the model';
COMMENT ON COLUMN health_internal.model_version_table.definition IS 'The document as its author wrote it';
COMMENT ON COLUMN health_internal.model_version_table.document IS
    'The complete document: preset spelled out, table names qualified, percentile references frozen';
COMMENT ON COLUMN health_internal.model_version_table.search_path IS 'Schemas in which unqualified names of the document were looked up';
COMMENT ON COLUMN health_internal.model_version_table.created_at IS 'When this version was made';
COMMENT ON COLUMN health_internal.model_version_table.created_by IS 'Who made this version';

CREATE TABLE health_internal.score_view_table (
    schema_name name NOT NULL,
    view_name name NOT NULL,
    model text NOT NULL,
    model_version integer NOT NULL,
    materialized boolean NOT NULL,
    compiled_by text NOT NULL DEFAULT health_internal.release(),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (schema_name, view_name)
);
COMMENT ON TABLE health_internal.score_view_table IS
    'The score views that create_score_view made, and the model version that each of them scores.';
COMMENT ON COLUMN health_internal.score_view_table.schema_name IS 'Schema of the relations';
COMMENT ON COLUMN health_internal.score_view_table.view_name IS
    'Name of the account view; the others add _ledger, _signals, _history and _users';
COMMENT ON COLUMN health_internal.score_view_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.score_view_table.model_version IS 'Version of the model that the view scores';
COMMENT ON COLUMN health_internal.score_view_table.materialized IS 'True: materialized views; false: plain views, computed on every read';
COMMENT ON COLUMN health_internal.score_view_table.compiled_by IS 'Release of the extension that compiled the SQL of the relations';
COMMENT ON COLUMN health_internal.score_view_table.created_at IS 'When the view was created';

CREATE VIEW health_internal.known_model AS SELECT m.name, health_internal.regrole(m.owner) AS owner FROM health_internal.model_table AS m;
COMMENT ON VIEW health_internal.known_model IS
    'Names and owners of all models, for everybody: a name is taken once, and an error can say whose it is';
COMMENT ON COLUMN health_internal.known_model.name IS 'Name of the model';
COMMENT ON COLUMN health_internal.known_model.owner IS 'Role that the model belongs to';

CREATE VIEW health_internal.known_score_view AS SELECT s.schema_name, s.view_name, s.model FROM health_internal.score_view_table AS s;
COMMENT ON VIEW health_internal.known_score_view IS 'Names of all score views, for everybody: a name is taken once';
COMMENT ON COLUMN health_internal.known_score_view.schema_name IS 'Schema of the score view';
COMMENT ON COLUMN health_internal.known_score_view.view_name IS 'Its name';
COMMENT ON COLUMN health_internal.known_score_view.model IS 'Name of its model';

CREATE VIEW health_internal.model WITH (security_barrier) AS
    SELECT m.name, m.owner, m.current_version, m.comment, m.created_at FROM health_internal.model_table AS m
    WHERE health_internal.may_act_as(m.owner) WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.model IS 'The models whose owner the current user may act as';

CREATE VIEW health_internal.model_version WITH (security_barrier) AS
    SELECT v.model, v.version, v.definition, v.document, v.search_path, v.created_at, v.created_by
    FROM health_internal.model_version_table AS v
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = v.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.model_version IS 'The versions of the models whose owner the current user may act as';

CREATE VIEW health_internal.score_view WITH (security_barrier) AS
    SELECT s.schema_name, s.view_name, s.model, s.model_version, s.materialized, s.compiled_by, s.created_at
    FROM health_internal.score_view_table AS s
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = s.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.score_view IS 'The score views of the models whose owner the current user may act as';

-- What is restored where its owner does not exist belongs to whom the tables and views of the same dump belong to: who restores it.
-- The views show whom they may; this is for rows that come by other ways. A restore by the owner of the database may bring rows only of
-- roles that he may act as. INSERT ... ON CONFLICT DO UPDATE looks at the present row, of whomever, before any check of a view.
CREATE FUNCTION health_internal.refuse_foreign_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_update CONSTANT boolean := tg_op = 'UPDATE';
    owners oid[];
    foreign_owner regrole;
BEGIN
    IF tg_table_name = 'model_table' THEN
        IF new.owner = 0::oid THEN
            IF is_update THEN
                RAISE EXCEPTION 'model "%": there is no role of that name to own it', new.name USING ERRCODE = 'undefined_object';
            END IF;
            new.owner := quote_ident(current_user)::regrole;
            RAISE WARNING 'model "%": its owner does not exist here, so it belongs to %', new.name, new.owner;
        END IF;
        owners := ARRAY(SELECT k.owner FROM health_internal.known_model AS k
                        WHERE k.name = new.name OR is_update AND k.name = old.name) || new.owner::oid;
    ELSE
        owners := ARRAY(SELECT k.owner FROM health_internal.known_model AS k WHERE k.name = new.model OR is_update AND k.name = old.model);
        IF tg_table_name = 'score_view_table' THEN
            owners := owners || ARRAY(SELECT k.owner::oid
                                      FROM health_internal.known_score_view AS s JOIN health_internal.known_model AS k ON k.name = s.model
                                      WHERE s.schema_name = new.schema_name AND s.view_name = new.view_name);
        END IF;
    END IF;
    SELECT o.owner INTO foreign_owner FROM unnest(owners) AS o (owner) WHERE NOT health_internal.may_act_as(o.owner) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'permission denied for a row of %', tg_table_name
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('It is of a model of %s.', foreign_owner);
    END IF;
    RETURN new;
END;
$$;
COMMENT ON FUNCTION health_internal.refuse_foreign_row() IS
    'Trigger: keeps rows of the catalog to those who may act as the owner of their model';
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.model_version_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();
CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.score_view_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

CREATE FUNCTION health_internal.keep_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM health_internal.known_model AS m WHERE m.name = old.model) THEN
        IF tg_op = 'DELETE' THEN
            RETURN old;
        END IF;
        -- The model has got another name.
        old.model := new.model;
        IF old *= new THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'version % of model "%" cannot be %', old.version, old.model, CASE tg_op WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Scores refer to their version. alter_model(name, definition) makes a new one, drop_model(name) drops all.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_versions() IS
    'Trigger: keeps model versions as they are while their model exists, for superusers as well';
CREATE TRIGGER versions_are_immutable BEFORE UPDATE OR DELETE ON health_internal.model_version_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_versions();

CREATE FUNCTION health_internal.delete_versions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM health_internal.score_view_table AS s WHERE s.model = old.name) THEN
        RAISE EXCEPTION 'model "%" has score views', old.name
            USING ERRCODE = 'dependent_objects_still_exist', HINT = 'drop_model(name, cascade => true) drops them as well.';
    END IF;
    DELETE FROM health_internal.model_version_table AS v WHERE v.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_versions() IS 'Trigger: the versions of a model go away with it; a model with score views stays';
CREATE TRIGGER versions_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_versions();

SELECT pg_catalog.pg_extension_config_dump('health_internal.model_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.model_version_table', '');
SELECT pg_catalog.pg_extension_config_dump('health_internal.score_view_table', '');
