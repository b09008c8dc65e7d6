-- Catalog of overrides: what people decided about scores. Rows stay: one that was ended or replaced tells of its days.

CREATE TABLE health_internal.score_override_table (
    model text NOT NULL,
    account text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('score', 'cap', 'floor')),
    value float8 NOT NULL CHECK (value >= 0 AND value <= 100),
    owner text NOT NULL CHECK (owner <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    from_day date NOT NULL CHECK (pg_catalog.isfinite(from_day)),
    expires date CHECK (pg_catalog.isfinite(expires) AND expires > from_day),
    ended date CHECK (pg_catalog.isfinite(ended)),
    ended_by text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, account, number)
);
COMMENT ON TABLE health_internal.score_override_table IS 'Every override of the score of an account that there ever was.';
COMMENT ON COLUMN health_internal.score_override_table.model IS 'Name of the model';
COMMENT ON COLUMN health_internal.score_override_table.account IS 'Account id, as text';
COMMENT ON COLUMN health_internal.score_override_table.number IS '1, 2, 3, ... within the account: of two that hold, the later stands';
COMMENT ON COLUMN health_internal.score_override_table.kind IS 'score, cap or floor';
COMMENT ON COLUMN health_internal.score_override_table.value IS 'The score, cap or floor, 0 to 100';
COMMENT ON COLUMN health_internal.score_override_table.owner IS 'Who says so';
COMMENT ON COLUMN health_internal.score_override_table.reason IS 'Why';
COMMENT ON COLUMN health_internal.score_override_table.from_day IS 'First day of scores that it holds for';
COMMENT ON COLUMN health_internal.score_override_table.expires IS 'First day that it does not hold for any more, by itself; NULL: never';
COMMENT ON COLUMN health_internal.score_override_table.ended IS
    'First day that it does not hold for any more because it was ended or replaced; NULL: it was not';
COMMENT ON COLUMN health_internal.score_override_table.ended_by IS 'Role that ended or replaced it';
COMMENT ON COLUMN health_internal.score_override_table.created_at IS 'When it was made';
COMMENT ON COLUMN health_internal.score_override_table.created_by IS 'Role that made it';

CREATE VIEW health_internal.score_override WITH (security_barrier) AS
    SELECT o.model, o.account, o.number, o.kind, o.value, o.owner, o.reason, o.from_day, o.expires, o.ended, o.ended_by, o.created_at,
           o.created_by
    FROM health_internal.score_override_table AS o
    WHERE EXISTS (SELECT 1 FROM health_internal.model_table AS m WHERE m.name = o.model AND health_internal.may_act_as(m.owner))
    WITH CASCADED CHECK OPTION;
COMMENT ON VIEW health_internal.score_override IS 'The overrides of the models whose owner the current user may act as';

CREATE TRIGGER owners_only BEFORE INSERT OR UPDATE ON health_internal.score_override_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.refuse_foreign_row();

-- Past scores hang on it: what it says stays as it is.
CREATE FUNCTION health_internal.keep_overrides() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF old.ended IS NULL OR new.ended IS NOT DISTINCT FROM old.ended THEN
        old.model := new.model;    -- the model has got another name
        old.ended := new.ended;
        old.ended_by := new.ended_by;
        IF old *= new THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'override % of account "%" of model "%" cannot be changed', old.number, old.account, old.model
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Past scores refer to it. override(model, account, ...) puts another in its place, end_override(model, account) '
                     'ends it.';
END;
$$;
COMMENT ON FUNCTION health_internal.keep_overrides() IS
    'Trigger: keeps overrides as they were made, but for their end, for superusers as well';
CREATE TRIGGER overrides_are_kept BEFORE UPDATE ON health_internal.score_override_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.keep_overrides();

CREATE FUNCTION health_internal.delete_overrides() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM health_internal.score_override_table AS o WHERE o.model = old.name;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.delete_overrides() IS 'Trigger: the overrides of a model go away with it';
CREATE TRIGGER overrides_go_with_their_model AFTER DELETE ON health_internal.model_table
    FOR EACH ROW EXECUTE FUNCTION health_internal.delete_overrides();

SELECT pg_catalog.pg_extension_config_dump('health_internal.score_override_table', '');
