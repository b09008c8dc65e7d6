-- The people of accounts as of any day.

CREATE FUNCTION health_internal.users_as_owner(model text, account text, as_of date, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id text;
    compiled health_internal.compiled_model;
BEGIN
    IF NOT isfinite(users_as_owner.as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the people is %', model, users_as_owner.as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: users(model, account, date).';
    END IF;
    IF account IS NOT NULL THEN
        id := health_internal.find_account(model, version, account);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(version), id, users_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, u.name, u.as_of, u.user_id, u.standing, u.entitled, u.events, u.value_points, u.share, u.active_days, u.recency_days, '
        'u.baseline, u.first_day, u.last_day, u.department, u.role, u.email, u.main_contact FROM (%s) AS u ORDER BY u.account_id, '
        'u.value_points DESC, u.last_day DESC NULLS LAST, u.user_id',
        health_internal.canonical_text('u.account_id', compiled.account_type),
        health_internal.compile_users(version.document, health_internal.scoring_document(version.document),
            '(' || compiled.ledger || ')', health_internal.compile_state(with_past => false, with_overrides => false)));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, users_as_owner.as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.users_as_owner(text, text, date) IS 'users() as the owner of the model';

CREATE FUNCTION health.users(model text, account text DEFAULT NULL, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.users_as_owner($1, $2, $3::date)', model, account, health_internal.iso_text(as_of))
        AS r (account_id text, name text, as_of_date date, user_id text, standing text, entitled boolean, events bigint,
              value_points float8, share float8, active_days integer, recency_days integer, baseline float8, first_day date,
              last_day date, department text, role text, email text, main_contact boolean);
END;
$$;
COMMENT ON FUNCTION health.users(text, text, date) IS
    'The people of an account, or of all accounts, as of any day, those with most value points first: how each stands (champion, active, '
    'new, quiet, dormant, invited, deactivated) and what each did, as in name_users; department, role, email and main contact are those '
    'that the user source has now. as_of: by default the day of the model';

CREATE FUNCTION health.users(model text, account bigint, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT u.* FROM health.users(model, account::pg_catalog.text, as_of) AS u;
END;
COMMENT ON FUNCTION health.users(text, bigint, date) IS 'users(model, account, as_of) for a numeric account id';

CREATE FUNCTION health.users(model text, account uuid, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT user_id text, OUT standing text, OUT entitled boolean, OUT events bigint, OUT value_points float8,
    OUT share float8, OUT active_days integer, OUT recency_days integer, OUT baseline float8, OUT first_day date, OUT last_day date,
    OUT department text, OUT role text, OUT email text, OUT main_contact boolean) RETURNS SETOF record
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT u.* FROM health.users(model, account::pg_catalog.text, as_of) AS u;
END;
COMMENT ON FUNCTION health.users(text, uuid, date) IS 'users(model, account, as_of) for a uuid account id';
