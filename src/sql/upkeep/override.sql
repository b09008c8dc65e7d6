-- Overrides: a person decides about a score, for a time, and says why.

-- What plain score views have as literals. The others are on stored relations and read the catalog when they are refreshed.
CREATE FUNCTION health_internal.renew_literals(model_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made health_internal.score_view;
    store health_internal.store;
    base record;
BEGIN
    FOR made IN SELECT s.* FROM health_internal.score_view AS s WHERE s.model = model_name AND NOT s.materialized
                ORDER BY s.schema_name, s.view_name LOOP
        store := health_internal.open_store(health_internal.find_version(model_name, made.model_version));
        CONTINUE WHEN store.has_scores;
        SELECT c.* INTO base FROM health_internal.compile_score_view(made.schema_name, made.view_name, store, true) AS c
        WHERE c.suffix = '_ledger';
        IF to_regclass(base.relation) IS NOT NULL THEN
            PERFORM health_internal.check_relation_owner(made, base.relation);
            PERFORM health_internal.replace_view(base.relation, base.query, (store.version).search_path);
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.renew_literals(text) IS
    'Brings plain score views of a model, which cannot read the catalog for their readers, to its present overrides and pulses';

CREATE FUNCTION health_internal.check_override(model text, account text, kind text, value float8, owner text, reason text, expires date,
    today date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value IS NULL OR value = 'NaN' OR value < 0 OR value > 100 THEN
        RAISE EXCEPTION 'model "%": the % of account "%" must be a score from 0 to 100, not %', model, kind, account,
            coalesce(value::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = format('For example %s => 40.', kind);
    ELSIF coalesce(btrim(reason), '') = '' THEN
        RAISE EXCEPTION 'model "%": the override of account "%" has no reason', model, account
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Whoever reads the score reads it: reason => ''sponsor left''.';
    ELSIF coalesce(btrim(owner), '') = '' THEN
        RAISE EXCEPTION 'model "%": the override of account "%" has no owner', model, account
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave owner out: it is you then.';
    ELSIF expires <= today OR NOT isfinite(expires) THEN
        RAISE EXCEPTION 'model "%": the override of account "%" would expire on %, but the model is scored as of % already', model, account,
            expires, today
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'expires is the first day on which it does not hold any more; without it, it holds until it is ended.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_override(text, text, text, float8, text, text, date, date) IS
    'Raises an error unless there can be such an override on the day that a model is scored as of';

-- Overrides of a model are made and ended one after the other.
CREATE FUNCTION health_internal.close_override(model text, account text, today date, caller text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM health_internal.model AS m WHERE m.name = close_override.model FOR UPDATE;
    UPDATE health_internal.score_override AS o SET ended = today, ended_by = caller
    WHERE o.model = close_override.model AND o.account = close_override.account AND o.ended IS NULL
      AND (o.expires IS NULL OR o.expires > today);
    RETURN FOUND;
END;
$$;
COMMENT ON FUNCTION health_internal.close_override(text, text, date, text) IS
    'Ends the present override of an account; whether there was one';

CREATE FUNCTION health_internal.override_as_owner(model text, account text, kind text, value float8, owner text, reason text,
    expires date, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today CONSTANT date := health_internal.model_today(version.document);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    PERFORM health_internal.check_override(model, account, kind, value, owner, reason, expires, today);
    PERFORM health_internal.close_override(model, id, today, caller);
    INSERT INTO health_internal.score_override (model, account, number, kind, value, owner, reason, from_day, expires, created_by)
    SELECT override_as_owner.model, id, coalesce(max(o.number), 0) + 1, override_as_owner.kind, override_as_owner.value,
           btrim(override_as_owner.owner), btrim(override_as_owner.reason), today, override_as_owner.expires, caller
    FROM health_internal.score_override AS o WHERE o.model = override_as_owner.model AND o.account = id;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.override_as_owner(text, text, text, float8, text, text, date, text) IS
    'override() as the owner of the model';

CREATE FUNCTION health.override(model text, account text, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened CONSTANT health_internal.model := health_internal.open_model(model);
BEGIN
    IF num_nonnulls(score, cap, floor) <> 1 THEN
        RAISE EXCEPTION 'model "%": an override of account "%" is one of score, cap and floor, not %', model, account,
            CASE num_nonnulls(score, cap, floor) WHEN 0 THEN 'none' ELSE 'several' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'For example health.override(model, account, cap => 40, reason => ''sponsor left'').';
    END IF;
    PERFORM health_internal.run_as_owner(opened.owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.override_as_owner($1, $2, $3, $4::float8, $5, $6, $7::date, $8)', model, account,
        CASE WHEN score IS NOT NULL THEN 'score' WHEN cap IS NOT NULL THEN 'cap' ELSE 'floor' END,
        health_internal.number_text(coalesce(score, cap, floor)), coalesce(owner, current_user::text), reason,
        health_internal.iso_text(expires), current_user::text);
END;
$$;
COMMENT ON FUNCTION health.override(text, text, float8, float8, float8, text, date, text) IS
    'Decides about the score of an account, for those who may act as the owner of the model: that it is this, not above this (cap) or not '
    'below this (floor), 0 to 100, with a reason, from the day that the model is scored as of until it expires (NULL: until it is ended). '
    'Takes the place of the present one. Scores that are kept show it after the next refresh';

CREATE FUNCTION health.override(model text, account bigint, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.override(model, account::pg_catalog.text, score, cap, floor, reason, expires, owner);
END;
COMMENT ON FUNCTION health.override(text, bigint, float8, float8, float8, text, date, text) IS 'override() for a numeric account id';

CREATE FUNCTION health.override(model text, account uuid, score float8 DEFAULT NULL, cap float8 DEFAULT NULL, floor float8 DEFAULT NULL,
                                reason text DEFAULT NULL, expires date DEFAULT NULL, owner text DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.override(model, account::pg_catalog.text, score, cap, floor, reason, expires, owner);
END;
COMMENT ON FUNCTION health.override(text, uuid, float8, float8, float8, text, date, text) IS 'override() for a uuid account id';

CREATE FUNCTION health_internal.end_override_as_owner(model text, account text, caller text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
BEGIN
    IF NOT health_internal.close_override(model, id, health_internal.model_today(version.document), caller) THEN
        RAISE EXCEPTION 'model "%": the score of account "%" is not overridden', model, account
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT * FROM health.overrides(%L) lists what is.', model);
    END IF;
    PERFORM health_internal.renew_literals(model);
END;
$$;
COMMENT ON FUNCTION health_internal.end_override_as_owner(text, text, text) IS 'end_override() as the owner of the model';

CREATE FUNCTION health.end_override(model text, account text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.run_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT health_internal.end_override_as_owner($1, $2, $3)', model, account, current_user::text);
END;
$$;
COMMENT ON FUNCTION health.end_override(text, text) IS
    'Ends the override of an account: from the day that the model is scored as of its score is that of its signals again. Past scores stay';

CREATE FUNCTION health.end_override(model text, account bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.end_override(model, account::pg_catalog.text);
END;
COMMENT ON FUNCTION health.end_override(text, bigint) IS 'end_override() for a numeric account id';

CREATE FUNCTION health.end_override(model text, account uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT health.end_override(model, account::pg_catalog.text);
END;
COMMENT ON FUNCTION health.end_override(text, uuid) IS 'end_override() for a uuid account id';

CREATE FUNCTION health.overrides(model text, OUT account text, OUT kind text, OUT value float8, OUT owner text, OUT reason text,
    OUT from_day date, OUT expires date, OUT ended date, OUT ended_by text, OUT created_at timestamptz, OUT created_by text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM health_internal.find_model(model);
    RETURN QUERY SELECT o.account, o.kind, o.value, o.owner, o.reason, o.from_day, o.expires, o.ended, o.ended_by, o.created_at,
                        o.created_by
                 FROM health_internal.score_override AS o WHERE o.model = overrides.model ORDER BY o.account, o.number;
END;
$$;
COMMENT ON FUNCTION health.overrides(text) IS
    'Every override of a model that there ever was, by account and in order: what was decided (score, cap or floor), by whom and why; the '
    'first day that it holds for, the first that it does not any more (expires: by itself; ended: because it was ended or replaced, by '
    'whom), when and by which role it was made';
