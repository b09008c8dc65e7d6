-- The flags of accounts: of the day of a score view, and as of any day.

-- Of a model that is tracked from the ledgers themselves, of others from the relation that has them.
CREATE FUNCTION health_internal.compile_flags(store health_internal.store, ledger_relation text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN (store).has_scores THEN health_internal.compile_account_flags(((store).version).document, format('(%s)',
            health_internal.compile_book_rows((store).tracking, ((store).version).document, every_day => true)), 'l."$parts"')
        ELSE health_internal.compile_account_flags(((store).version).document, ledger_relation) END;
$$;
COMMENT ON FUNCTION health_internal.compile_flags(health_internal.store, text) IS 'SQL of the _flags of a score view';

CREATE FUNCTION health_internal.flags_as_owner(model text, account text, as_of date, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT flag text, OUT kind text, OUT since date, OUT value float8, OUT threshold float8, OUT sentence text,
    OUT next_step text)
    RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
    id text;
BEGIN
    IF NOT version.document ? 'flags' THEN
        RAISE EXCEPTION 'model "%" has no flags', model
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT health.alter_model(%L, ''{"flags": {"*": true}}''); adds all ready-made ones that it has the data '
                                'for.', model);
    ELSIF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the flags is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: flags(model, account, date).';
    ELSIF account IS NOT NULL THEN
        id := health_internal.find_account(model, version, account);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(model);
    END IF;
    compiled := health_internal.compile_model(version.document, version.version, id, flags_as_owner.as_of, model_name => model,
        usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END,
        past_days => health_internal.past_days(version.document));
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, f.name, f.as_of, f.flag, f.kind, f.since, f.value, f.threshold, f.sentence, f.next_step FROM (%s) AS f '
        'ORDER BY f.account_id', health_internal.canonical_text('f.account_id', compiled.account_type),
        health_internal.compile_account_flags(version.document, pg_catalog.format('(SELECT r.*, %s AS model_version FROM (%s) AS r)',
            version.version, health_internal.compile_recorded(model, version.document, 'SELECT l.account_id, l.name, l.usage, l.as_of, '
                'l.account_start, l.account_end, l.ledger_start, l.seats, l.inputs, l.observed, l.segments, l.past_inputs, '
                'l.past_observed, l.repeated, l.in_filter, l.overrides, l.outages, l.tracking_broke FROM (' || compiled.ledger
                || ') AS l'))));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.flags_as_owner(text, text, date) IS 'flags() as the owner of the model';

CREATE FUNCTION health.flags(model text, account text DEFAULT NULL, as_of date DEFAULT NULL, OUT account_id text, OUT name text,
    OUT as_of_date date, OUT flag text, OUT kind text, OUT since date, OUT value float8, OUT threshold float8, OUT sentence text,
    OUT next_step text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.flags_as_owner($1, $2, $3::date)', model, account, health_internal.iso_text(as_of))
        AS r (account_id text, name text, as_of_date date, flag text, kind text, since date, value float8, threshold float8,
              sentence text, next_step text);
END;
$$;
COMMENT ON FUNCTION health.flags(text, text, date) IS
    'The flags of a model that are up, of all accounts or of one, as of its day or any other, by events of days before it: a row per '
    'account and flag with kind (churn, expansion, onboarding, data), since when (28 days are looked back), value, threshold, a '
    'sentence and the '
    'next step';
