-- Catalog of calibrations: which probability goes with the scores of a version of a model.

CREATE TABLE health_internal.calibration_table (
    model text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('churn', 'expansion')),
    number integer NOT NULL CHECK (number > 0),
    method text NOT NULL CHECK (method IN ('isotonic', 'platt', 'none')),
    map float8[] CHECK ((map IS NULL) = (method = 'none')),
    outcome text,
    horizon integer,
    gap integer,
    from_date date,
    to_date date,
    n bigint,
    events bigint,
    brier float8,
    skill float8,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL,
    PRIMARY KEY (model, version, kind, number)
);
COMMENT ON TABLE health_internal.calibration_table IS 'Every calibration of a version that there ever was; the last one of a kind stands.';
COMMENT ON COLUMN health_internal.calibration_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.calibration_table.version IS 'Version whose scores it is of';
COMMENT ON COLUMN health_internal.calibration_table.kind IS 'churn or expansion';
COMMENT ON COLUMN health_internal.calibration_table.number IS '1, 2, 3, ... within version and kind';
COMMENT ON COLUMN health_internal.calibration_table.method IS 'isotonic or platt; none: it was taken away';
COMMENT ON COLUMN health_internal.calibration_table.map IS 'From score to probability, as calibrated() takes it; NULL: none';
COMMENT ON COLUMN health_internal.calibration_table.outcome IS 'What it is the probability of: lost, ended, silent, expanded';
COMMENT ON COLUMN health_internal.calibration_table.horizon IS 'Days in which the outcome comes';
COMMENT ON COLUMN health_internal.calibration_table.gap IS 'Days after the date of a score before they begin';
COMMENT ON COLUMN health_internal.calibration_table.from_date IS 'First date of the observations';
COMMENT ON COLUMN health_internal.calibration_table.to_date IS 'Last date';
COMMENT ON COLUMN health_internal.calibration_table.n IS 'Observations: an account on a date is one';
COMMENT ON COLUMN health_internal.calibration_table.events IS 'How many of them had the outcome';
COMMENT ON COLUMN health_internal.calibration_table.brier IS 'Brier score out of fold';
COMMENT ON COLUMN health_internal.calibration_table.skill IS 'Its skill against the base rate for everybody';
COMMENT ON COLUMN health_internal.calibration_table.created_at IS 'When it was made';
COMMENT ON COLUMN health_internal.calibration_table.created_by IS 'Role that made it';

CREATE VIEW health_internal.calibration WITH (security_barrier) AS
    SELECT c.model, c.version, c.kind, c.number, c.method, c.map, c.outcome, c.horizon, c.gap, c.from_date, c.to_date, c.n, c.events,
           c.brier, c.skill, c.created_at, c.created_by
    FROM health_internal.calibration_table AS c
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = c.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.calibration IS 'The calibrations of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.calibration_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

CREATE FUNCTION health_internal.keep_calibrations() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    old.model := new.model;    -- the model has got another name
    IF old *= new THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'calibration % of model "%" cannot be changed', old.number, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'calibrate(model, ...) makes another.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_calibrations() IS 'Trigger: keeps calibrations as they were made, for superusers as well';
CREATE TRIGGER calibrations_are_kept BEFORE UPDATE ON health_internal.calibration_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_calibrations();

CREATE FUNCTION health_internal.delete_calibrations() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.calibration_table AS c WHERE c.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_calibrations() IS 'Trigger: the calibrations of a model go away with it';
CREATE TRIGGER calibrations_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_calibrations();

SELECT pg_catalog.pg_extension_config_dump('health_internal.calibration_table', '');

CREATE FUNCTION health_internal.find_calibration(model_name text, version integer, kind text) RETURNS health_internal.calibration
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.* FROM health_internal.calibration AS c
    WHERE c.model = model_name AND c.version = find_calibration.version AND c.kind = find_calibration.kind
    ORDER BY c.number DESC LIMIT 1;
$$;
COMMENT ON FUNCTION health_internal.find_calibration(text, integer, text) IS
    'The calibration of a version that stands; NULL, or one of method none, when it has none';
