-- The whole book as of a past day.

CREATE FUNCTION health_internal.score_at_as_owner(model text, as_of date, version integer, known_at date,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text,
        OUT data_coverage float8,
    OUT unknown_reason text, OUT state text, OUT churn_probability float8, OUT expansion_likelihood float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened health_internal.model := health_internal.open_model(model);
    scored health_internal.model_version := health_internal.find_version(model, coalesce(version, opened.current_version));
    compiled health_internal.compiled_model;
BEGIN
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to score at is %', model, coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: score_at(model, date).';
    ELSIF NOT isfinite(known_at) THEN
        RAISE EXCEPTION 'model "%": the day of what was known is %', model, known_at
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day; without one all that is known now is seen.';
    ELSIF known_at IS NOT NULL AND NOT EXISTS (SELECT FROM health_internal.ledger_sources(scored.document) AS s
                                               WHERE s.source ? 'known_at') THEN
        RAISE EXCEPTION 'model "%": no event source says when its rows became known', model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Name the column that says so: "events": {..., "known_at": "loaded_at"}.';
    END IF;
    PERFORM health_internal.look_names_up_in(scored.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(scored), as_of => score_at_as_owner.as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT %s, l.name, s.as_of, %s, s.score, s.band, s.coverage, '
        'coalesce(l.tracking_broke, s.unknown_reason), s.state, %s FROM (%s) AS l, '
        'LATERAL health.score_series(%L::pg_catalog.jsonb, %s, l.as_of, l.as_of) AS s ORDER BY l.account_id',
        health_internal.canonical_text('l.account_id', compiled.account_type), scored.version,
        health_internal.compile_probabilities(scored, true, 's.score'), compiled.ledger, scored.document,
        health_internal.compile_state(health_internal.compile_known_usage(known_at, as_of), with_past => false));
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, scored, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.score_at_as_owner(text, date, integer, date) IS 'score_at() as the owner of the model';

CREATE FUNCTION health.score_at(model text, as_of date, version integer DEFAULT NULL, known_at date DEFAULT NULL,
    OUT account_id text, OUT name text, OUT as_of_date date, OUT model_version integer, OUT score float8, OUT band text,
        OUT data_coverage float8,
    OUT unknown_reason text, OUT state text, OUT churn_probability float8, OUT expansion_likelihood float8) RETURNS SETOF record
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.score_at_as_owner($1, $2::date, $3::integer, $4::date)', model, health_internal.iso_text(as_of),
        version::text, health_internal.iso_text(known_at))
        AS r (account_id text, name text, as_of_date date, model_version integer, score float8, band text, data_coverage float8,
              unknown_reason text, state text, churn_probability float8, expansion_likelihood float8);
END;
$$;
COMMENT ON FUNCTION health.score_at(text, date, integer, date) IS
    'The whole book as of a past day, by the current or a named version of the model: events of days before it, account data as the '
        'history of a tracked '
    'model recorded them on that day, else expressions and dated answers of that day and columns at their present value. '
    'known_at: by the events that were known before that day, of sources that say so (events.known_at)';
