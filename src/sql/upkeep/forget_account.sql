-- forget_account: nothing is left of an account that is gone from the tables.

-- What an account source still has would come back with the next refresh.
CREATE FUNCTION health_internal.raise_remaining_account(model text, account text, place text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'model "%": account "%" still has rows in %', model, account, place
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Delete or anonymise the rows there first.';
END;
$$;
COMMENT ON FUNCTION health_internal.raise_remaining_account(text, text, text) IS
    'Raises the error for an account that is to be forgotten and is still in a table';

CREATE FUNCTION health_internal.forget_account_as_owner(model text, account text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    tracking health_internal.tracking;
    source record;
    fields health_internal.model_field[];
    id health_internal.model_field;
    key text;
    remaining boolean;
    removed bigint;
    pieces bigint := 0;
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to forget is NULL', model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: forget_account(model, account).';
    END IF;
    IF health_internal.is_tracked(model) THEN
        PERFORM health_internal.lock_tracking(model, true);
        tracking := health_internal.find_ready_tracking(model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    fields := ARRAY(SELECT f FROM health_internal.model_fields(version.document) AS f);
    id := health_internal.field_of(fields, 'accounts', 'id');
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE %s = $1)', id.from_item,
        health_internal.canonical_text(id.expression, id.type)) INTO remaining USING account;
    IF remaining THEN
        PERFORM health_internal.raise_remaining_account(model, account, coalesce(version.document #>> '{accounts,table}',
            'the query of accounts'));
    END IF;
    BEGIN
        EXECUTE pg_catalog.format('SELECT (%s)::pg_catalog.text', health_internal.compile_account_key(fields,
            pg_catalog.format('%L::%s', account, health_internal.type_name(id.type)))) INTO key;
    EXCEPTION WHEN data_exception THEN
        key := account;    -- what cannot be an id of that type is nobody's
    END;
    FOR source IN SELECT s.path, s.source, health_internal.field_of(fields, s.path, 'account') AS account
                  FROM health_internal.ledger_sources(version.document) AS s LOOP
        CONTINUE WHEN (source.account).expression IS NULL;    -- the user source says whose its rows are
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE (%s)::pg_catalog.text = $1)', (source.account).from_item,
            (source.account).expression) INTO remaining USING key;
        IF remaining THEN
            PERFORM health_internal.raise_remaining_account(model, account, coalesce(source.source ->> 'table', source.path));
        END IF;
    END LOOP;
    source := NULL;
    IF (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s WHERE (%s)::pg_catalog.text = $1)',
            (health_internal.field_of(fields, 'users', 'from')).from_item,
            (health_internal.field_of(fields, 'users', 'account')).expression) INTO remaining USING key;
        IF remaining THEN
            PERFORM health_internal.raise_remaining_account(model, account, coalesce(version.document #>> '{users,table}',
                'the query of users'));
        END IF;
    END IF;
    IF tracking.id IS NOT NULL THEN
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
        PERFORM health_internal.refresh_tracked(model);
        FOR source IN SELECT s.chunk_table::regclass AS chunks FROM health_internal.ledger_source AS s
                      WHERE s.model = forget_account_as_owner.model ORDER BY s.id LOOP
            EXECUTE format('DELETE FROM %s AS c WHERE c.account_id::text = $1', source.chunks) USING key;
            GET DIAGNOSTICS removed = ROW_COUNT;
            pieces := pieces + removed;
        END LOOP;
        FOR source IN SELECT health_internal.data_table(k, tracking.id) AS kept FROM unnest('{history,score,book,stale}'::text[]) AS k LOOP
            EXECUTE format('DELETE FROM %s AS k WHERE %s = $1', source.kept, health_internal.account_text(tracking, 'k.account_id'))
                USING account;
            GET DIAGNOSTICS removed = ROW_COUNT;
            pieces := pieces + removed;
        END LOOP;
    END IF;
    PERFORM health_internal.delete_rows(model, 'account', account);
    PERFORM health_internal.renew_literals(model);
    RETURN pieces;
END;
$$;
COMMENT ON FUNCTION health_internal.forget_account_as_owner(text, text) IS 'forget_account() as the owner of the model';

CREATE FUNCTION health.forget_account(model text, account text) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.pieces FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.forget_account_as_owner($1, $2)', model, account) AS r (pieces bigint);
$$;
COMMENT ON FUNCTION health.forget_account(text, text) IS
    'Takes an account out of all that is kept of a model: ledgers, scores, recorded history, overrides and pulses, once its rows are gone '
    'from the tables of accounts, users, events and facts (error 55000 with the table that has some). Materialized score views of a model '
    'that is not tracked forget it when they are refreshed. Returns the number of rows that were kept of it';
