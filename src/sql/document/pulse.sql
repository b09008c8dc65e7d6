-- Catalog of pulses: what people who know an account say of it, day by day.

CREATE TABLE health_internal.csm_pulse_table (
    model text NOT NULL,
    account text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    day date NOT NULL CHECK (pg_catalog.isfinite(day)),
    value integer NOT NULL CHECK (value BETWEEN 1 AND 5),
    note text CHECK (note <> ''),
    owner text NOT NULL CHECK (owner <> ''),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (model, account, number)
);
COMMENT ON TABLE health_internal.csm_pulse_table IS 'Every pulse of an account that was ever given; rows are never updated.';
COMMENT ON COLUMN health_internal.csm_pulse_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.csm_pulse_table.account IS 'Account id, as text';
COMMENT ON COLUMN health_internal.csm_pulse_table.number IS '1, 2, 3, ... within the account: of one day the last stands';
COMMENT ON COLUMN health_internal.csm_pulse_table.day IS 'Local day on which it was given: scores of later days see it';
COMMENT ON COLUMN health_internal.csm_pulse_table.value IS '1 (worst) to 5 (best)';
COMMENT ON COLUMN health_internal.csm_pulse_table.note IS 'In words; NULL: none';
COMMENT ON COLUMN health_internal.csm_pulse_table.owner IS 'Role that gave it';
COMMENT ON COLUMN health_internal.csm_pulse_table.created_at IS 'When it was given';

CREATE VIEW health_internal.csm_pulse WITH (security_barrier) AS
    SELECT p.model, p.account, p.number, p.day, p.value, p.note, p.owner, p.created_at
    FROM health_internal.csm_pulse_table AS p
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = p.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.csm_pulse IS 'The pulses of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.csm_pulse_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

-- Past scores hang on them.
CREATE FUNCTION health_internal.keep_pulses() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    old.model := new.model;    -- the model has got another name
    IF old *= new THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'pulse % of account "%" of model "%" cannot be changed', old.number, old.account, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Past scores refer to it. pulse(model, account, value, note) gives another.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_pulses() IS 'Trigger: keeps pulses as they were given, for superusers as well';
CREATE TRIGGER pulses_are_kept BEFORE UPDATE ON health_internal.csm_pulse_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_pulses();

CREATE FUNCTION health_internal.delete_pulses() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.csm_pulse_table AS p WHERE p.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_pulses() IS 'Trigger: the pulses of a model go away with it';
CREATE TRIGGER pulses_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_pulses();

SELECT pg_catalog.pg_extension_config_dump('health_internal.csm_pulse_table', '');
