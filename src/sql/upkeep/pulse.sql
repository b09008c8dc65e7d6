-- Pulses: what people who know an account say of it, as a signal that expires.

-- The day on which something is said is the last that the scores of tomorrow see: with as_of "tomorrow" the model is a day ahead.
CREATE FUNCTION health_internal.pulse_day(document jsonb) RETURNS date
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.model_today(document) - CASE document ->> 'as_of' WHEN 'tomorrow' THEN 1 ELSE 0 END;
END;
COMMENT ON FUNCTION health_internal.pulse_day(jsonb) IS 'The local day of what is said now: today, or the fixed day of the model';

CREATE FUNCTION health_internal.pulse_as_owner(model text, account text, value integer, note text, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    IF value IS NULL OR value NOT BETWEEN 1 AND 5 THEN
        RAISE EXCEPTION 'model "%": the pulse of account "%" must be 1 (worst) to 5 (best), not %', model, account,
            coalesce(value::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = pulse_as_owner.model FOR UPDATE;
    INSERT INTO health_internal.csm_pulse (model, account, number, day, value, note, owner)
    SELECT pulse_as_owner.model, id, coalesce(max(p.number), 0) + 1, health_internal.pulse_day(version.document), pulse_as_owner.value,
           nullif(btrim(pulse_as_owner.note), ''), caller
    FROM health_internal.csm_pulse AS p WHERE p.model = pulse_as_owner.model AND p.account = id;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.pulse_as_owner(text, text, integer, text, text) IS 'pulse() as the owner of the model';

CREATE FUNCTION health.pulse(model text, account text, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.pulse_as_owner($1, $2, $3::integer, $4, $5)', model, account, value::text, note, current_user::text);
END;
$$;
COMMENT ON FUNCTION health.pulse(text, text, integer, text) IS
    'Says how an account does, 1 (worst) to 5 (best), for those who may act as the owner of the model. Signals with "pulse" take the last '
    'one of the days before as_of, as long as it is young enough';

CREATE FUNCTION health.pulse(model text, account bigint, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.pulse(model, account::pg_catalog.text, value, note);
END;
COMMENT ON FUNCTION health.pulse(text, bigint, integer, text) IS 'pulse() for a numeric account id';

CREATE FUNCTION health.pulse(model text, account uuid, value integer, note text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.pulse(model, account::pg_catalog.text, value, note);
END;
COMMENT ON FUNCTION health.pulse(text, uuid, integer, text) IS 'pulse() for a uuid account id';

CREATE FUNCTION health.pulses(model text, OUT account text, OUT day date, OUT value integer, OUT note text, OUT owner text,
    OUT created_at timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT p.account, p.day, p.value, p.note, p.owner, p.created_at
                 FROM health_internal.csm_pulse AS p WHERE p.model = pulses.model ORDER BY p.account, p.number;
END;
$$;
COMMENT ON FUNCTION health.pulses(text) IS
    'Every pulse that was ever given of the accounts of a model, by account and in order: the local day, 1 (worst) to 5 (best), note, by '
    'which role and when';
