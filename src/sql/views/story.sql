-- The story of one account, day by day: what people did, what began and ended, how the score moved and why.

-- Of a day that the history of a tracked model has, the account data that were recorded on it.
CREATE FUNCTION health_internal.recorded_story_days(version health_internal.model_version, account text, account_type regtype,
    from_day date, to_day date, OUT as_of date, OUT account_start date, OUT account_end date, OUT seats float8, OUT inputs text[],
    OUT observed date[], OUT repeated boolean) RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking CONSTANT health_internal.tracking := (health_internal.open_store(version)).tracking;
BEGIN
    IF tracking.id IS NULL OR to_regclass(health_internal.data_table('history', tracking.id)) IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT d.as_of, d.account_start, d.account_end, d.seats, d.inputs, d.observed, '
        'd.unknown_reason IS NOT DISTINCT FROM ''repeated_account'' '
        'FROM %s AS h, health_internal.recorded_days(h.month, h.days, h.spans) AS d '
        'WHERE h.account_id = %L::%s AND h.month >= health_internal.month_of($1) AND h.month <= $2 AND d.as_of BETWEEN $1 AND $2 '
        'AND d.as_of < $3 AND d.model_version = ANY ($4)',
        health_internal.data_table('history', tracking.id), account, format_type(account_type, -1))
    USING from_day, to_day, coalesce((health_internal.read_state(tracking.id)).as_of, '-infinity'),
        health_internal.versions_with_same_inputs(version.model, version.document);
END;
$$;
COMMENT ON FUNCTION health_internal.recorded_story_days(health_internal.model_version, text, regtype, date, date) IS
    'The days of an account that the history of a tracked model has, with the account data of each; of other models none';

CREATE FUNCTION health_internal.state_with(state health.account_state, as_of date, account_start date, account_end date, seats float8,
    inputs text[], observed date[], repeated boolean) RETURNS health.account_state
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT ROW((state).parts, as_of, account_start, seats, inputs, observed, (state).segments, NULL, NULL, repeated, account_end,
               (state).ledger_start, NULL, NULL, (state).overrides, (state).outages)::health.account_state;
END;
COMMENT ON FUNCTION health_internal.state_with(health.account_state, date, date, date, float8, text[], date[], boolean) IS
    'The state of an account on another day, with other account data';

CREATE FUNCTION health_internal.story_state(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, day date) RETURNS health.account_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seen CONSTANT date := health_internal.seen_as_of(day, state.outages);
    behind CONSTANT integer := CASE WHEN state.past_inputs IS NOT NULL
        THEN least(state.as_of - seen, array_length(state.past_inputs, 1)) END;
    recorded record;
BEGIN
    SELECT r.* INTO recorded FROM health_internal.recorded_story_days(version, account, account_type, seen, seen) AS r;
    IF FOUND THEN
        RETURN health_internal.state_with(state, seen, recorded.account_start,
            health_internal.end_then(state.account_end, recorded.account_end), recorded.seats, recorded.inputs,
            recorded.observed, recorded.repeated);
    ELSIF behind > 0 THEN
        RETURN health_internal.state_with(state, seen, state.account_start, state.account_end, state.seats,
            ARRAY(SELECT i.value FROM unnest(state.past_inputs[behind:behind]) WITH ORDINALITY AS i (value, "position")
                  ORDER BY i."position"),
            ARRAY(SELECT o.value FROM unnest(state.past_observed[behind:behind]) WITH ORDINALITY AS o (value, "position")
                  ORDER BY o."position"), state.repeated);
    END IF;
    RETURN health_internal.state_with(state, seen, state.account_start, state.account_end, state.seats, state.inputs, state.observed,
                                      state.repeated);
END;
$$;
COMMENT ON FUNCTION health_internal.story_state(health_internal.model_version, text, regtype, health.account_state, date) IS
    'What scoring takes of an account on a day, as score_at() has it, from a state with the inputs of the days before it';

CREATE FUNCTION health_internal.story_series(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, from_day date, to_day date, OUT as_of date, OUT score float8, OUT band text, OUT unknown_reason text,
    OUT customer_state text) RETURNS SETOF record
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH alike AS MATERIALIZED (
        SELECT r.account_start, r.account_end, r.seats, r.inputs, r.observed, r.repeated, array_agg(r.as_of) AS days,
               min(r.as_of) AS first_day, max(r.as_of) AS last_day
        FROM health_internal.recorded_story_days(version, account, account_type, from_day, to_day) AS r GROUP BY 1, 2, 3, 4, 5, 6
    ), recorded AS MATERIALIZED (
        SELECT s.as_of, s.score, s.band, s.unknown_reason, s.state
        FROM alike AS a CROSS JOIN LATERAL health.score_series((version).document, health_internal.state_with(story_series.state,
            a.last_day, a.account_start, health_internal.end_then((story_series.state).account_end, a.account_end),
            a.seats, a.inputs, a.observed, a.repeated), a.first_day, a.last_day) AS s
        WHERE s.as_of = ANY (a.days)
    )
    SELECT r.* FROM recorded AS r
    UNION ALL
    SELECT s.as_of, s.score, s.band, s.unknown_reason, s.state
    FROM health.score_series((version).document, story_series.state, from_day, to_day) AS s
    WHERE NOT EXISTS (SELECT FROM recorded AS r WHERE r.as_of = s.as_of)
    ORDER BY 1;
$$;
COMMENT ON FUNCTION health_internal.story_series(health_internal.model_version, text, regtype, health.account_state, date, date) IS
    'The score of an account on every day of a span, as score_at() has it';

-- A move is told when the score is 5 points or more from what it was on one of the 7 days before, the last told day among them.
CREATE FUNCTION health_internal.story_scores(version health_internal.model_version, account text, account_type regtype,
    state health.account_state, from_day date, to_day date, OUT day date, OUT kind text, OUT what text, OUT amount numeric,
    OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    days date[] := ARRAY[]::date[];    -- since the last told one, at most 7
    scores float8[] := ARRAY[]::float8[];
    now record;
    band_before text;
    state_before text;
    score_before float8;
    day_before date;
    since date;
    furthest float8;
    is_told boolean := false;
    turned boolean;
    told health.account_score;
BEGIN
    FOR now IN SELECT s.* FROM health_internal.story_series(version, account, account_type, state, from_day - 7, to_day) AS s LOOP
        SELECT r.day, r.score INTO since, furthest FROM unnest(days, scores) AS r (day, score)
        WHERE r.day >= now.as_of - 7 ORDER BY abs(now.score - r.score) DESC NULLS LAST, r.day DESC LIMIT 1;
        IF now.as_of >= from_day AND (NOT is_told OR now.band IS DISTINCT FROM band_before
                                      OR now.customer_state IS DISTINCT FROM state_before OR abs(now.score - furthest) >= 5) THEN
            told := health.score_account(document, health_internal.story_state(version, account, account_type, state, now.as_of));
            day := now.as_of;
            turned := NOT is_told OR now.customer_state IS DISTINCT FROM state_before;
            IF turned THEN
                kind := 'state';
                what := now.customer_state;
                amount := NULL;
                details := told.state_reason;
                RETURN NEXT;
            END IF;
            -- A state that has no score says so itself.
            IF (NOT is_told OR now.band IS DISTINCT FROM band_before OR abs(now.score - furthest) >= 5)
               AND NOT (turned AND now.score IS NULL) THEN
                kind := 'score';
                what := coalesce(now.band, CASE WHEN now.score IS NULL THEN 'unknown' ELSE now.customer_state END);
                amount := round(now.score::numeric, 1);
                details := coalesce(now.unknown_reason, told.main_reason);
                IF is_told AND now.score IS NOT NULL AND score_before IS NOT NULL THEN
                    since := CASE WHEN abs(now.score - furthest) >= 5 THEN since ELSE day_before END;
                    SELECT c.phrase INTO details FROM health.score_change(document, document,
                        health_internal.story_state(version, account, account_type, state, since),
                        health_internal.story_state(version, account, account_type, state, now.as_of)) AS c
                    WHERE c.step = 'total';
                END IF;
                RETURN NEXT;
                days := '{}';
                scores := '{}';
            END IF;
            is_told := true;
        END IF;
        days := days[greatest(cardinality(days) - 5, 1):] || now.as_of;
        scores := scores[greatest(cardinality(scores) - 5, 1):] || now.score;
        band_before := now.band;
        state_before := now.customer_state;
        score_before := now.score;
        day_before := now.as_of;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.story_scores(health_internal.model_version, text, regtype, health.account_state, date, date) IS
    'Where an account stands on the first day of a span, and then each change of its state or band, and of its score by 5 points';

CREATE FUNCTION health_internal.story_usage(document jsonb, parts health.usage[], from_day date, to_day date, OUT day date,
    OUT rank integer, OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH cell AS (
        SELECT c.user_id, c.day, regexp_replace(c.event, '^[$]/[0-9]+/', '') AS name, sum(c.count) AS times,
               sum(c.amount) AS amount
        FROM unnest(parts) AS p (usage) CROSS JOIN LATERAL health.cells(health.slice(p.usage, from_day, to_day + 1)) AS c GROUP BY 1, 2, 3
    ), named AS (
        SELECT c.*, regexp_match(c.name, '^[$]/([-+*])([^/]*)/([^/]*)/([^/]*)/(.*)$') AS fact,
               substring(c.name FROM '^[$]([^/]+)/') AS actor
        FROM cell AS c WHERE c.times > 0
    )
    SELECT n.day, 10, 'usage', n.user_id, regexp_replace(n.name, '^[$][^/]+/', ''), n.times,
           nullif(concat_ws(', ', 'by ' || n.actor, 'amounts add up to ' || trim_scale(n.amount)), '')
    FROM named AS n WHERE n.fact IS NULL AND (n.actor IS NOT NULL OR NOT starts_with(n.name, '$'))
    UNION ALL
    SELECT n.day, CASE n.name WHEN '$invited' THEN 5 WHEN '$joined' THEN 6 ELSE 7 END, substr(n.name, 2), n.user_id, NULL, NULL, NULL
    FROM named AS n WHERE n.name IN ('$invited', '$joined', '$deactivated')
    UNION ALL
    SELECT n.day, CASE n.fact[1] WHEN '-' THEN 9 ELSE 8 END, CASE n.fact[1] WHEN '-' THEN 'ended' ELSE 'started' END,
           CASE WHEN n.fact[1] = '*' OR NOT document #> ARRAY['facts', n.fact[2]] ? 'user'
                     OR n.fact[1] = '-' AND n.user_id IN ('', '0', '00000000-0000-0000-0000-000000000000') THEN NULL ELSE n.user_id END,
           n.fact[2], trim_scale(n.amount),
           nullif(concat_ws(', ', nullif(n.fact[5], ''), nullif(n.fact[4], ''),
                            CASE WHEN n.fact[1] = '-' THEN format('after %s days', n.fact[3]) END,
                            CASE WHEN n.times > 1 THEN format('%s times', n.times) END), '')
    FROM named AS n WHERE n.fact IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.story_usage(jsonb, health.usage[], date, date) IS
    'What ledgers say of the days of a span: events by person, who was invited, joined and left, facts that began and ended';

CREATE FUNCTION health_internal.story_people(model_name text, account text, from_day date, to_day date, OUT day date, OUT rank integer,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.day, 3, 'override', m.who, m.what, round(o.value::numeric, 1), m.details
    FROM health_internal.score_override AS o
    CROSS JOIN LATERAL (VALUES
        (o.from_day, o.owner, o.kind, concat_ws(', ', o.reason, 'until ' || to_char(o.expires, 'YYYY-MM-DD'))),
        (o.ended, coalesce(o.ended_by, o.owner), o.kind || ' ended', o.reason),
        (CASE WHEN o.ended IS NULL OR o.expires < o.ended THEN o.expires END, o.owner, o.kind || ' expired', o.reason))
        AS m (day, who, what, details)
    WHERE o.model = model_name AND o.account = story_people.account AND m.day BETWEEN story_people.from_day AND story_people.to_day
    UNION ALL
    SELECT p.day, 4, 'pulse', p.owner, NULL, p.value, p.note FROM health_internal.csm_pulse AS p
    WHERE p.model = model_name AND p.account = story_people.account AND p.day BETWEEN story_people.from_day AND story_people.to_day;
$$;
COMMENT ON FUNCTION health_internal.story_people(text, text, date, date) IS
    'What people decided about an account and said of it on the days of a span';

CREATE FUNCTION health_internal.check_story(model_name text, account text, from_day date, to_day date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to tell of is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: story(model, account, from_date, to_date).';
    ELSIF NOT isfinite(from_day) OR NOT isfinite(to_day) OR from_day > to_day THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model_name, from_day, to_day
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the earlier one first: story(model, account, from_date, to_date).';
    ELSIF to_day >= from_day + interval '3 years' THEN
        RAISE EXCEPTION 'model "%": from % to % is more than three years', model_name, from_day, to_day
            USING ERRCODE = 'program_limit_exceeded', HINT = 'Ask for three years at a time.';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.check_story(text, text, date, date) IS 'Raises an error unless a story can be told of these days';

CREATE TYPE health_internal.found_account AS (
    id text,
    id_type regtype,
    state health.account_state
);
COMMENT ON TYPE health_internal.found_account IS 'Internal: an account by its id, as text, with the type of that and its state';

CREATE FUNCTION health_internal.story_account(version health_internal.model_version, account text, as_of date, past_days integer)
    RETURNS SETOF health_internal.found_account
LANGUAGE plpgsql ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    has_ledgers CONSTANT boolean := (health_internal.open_store(version)).has_ledgers;
    compiled health_internal.compiled_model;
BEGIN
    IF has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, account, as_of, model_name => version.model,
        usage_from => CASE WHEN has_ledgers THEN 'ledger' ELSE 'events' END, past_days => past_days);
    RETURN QUERY EXECUTE pg_catalog.format('SELECT %s, $1, %s FROM (%s) AS l LIMIT 1',
        health_internal.canonical_text('l.account_id', compiled.account_type), health_internal.compile_state(), compiled.ledger)
        USING compiled.account_type;
    IF NOT FOUND THEN
        PERFORM health_internal.raise_unknown_account(version.model, version, account);
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0 AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(version.model, version, account);
    ELSIF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(version.model, version, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.story_account(health_internal.model_version, text, date, integer) IS
    'An account as of a day, with what is known of the days before it, read from its ledger if the model is tracked, else from the '
    'events of that account only; an error when there is no such account';

CREATE FUNCTION health_internal.story_as_owner(model text, account text, from_date date, to_date date, OUT day date, OUT rank integer,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today CONSTANT date := health_internal.model_today(version.document);
    last_day CONSTANT date := coalesce(to_date, today);
    first_day CONSTANT date := coalesce(from_date, last_day - 90);
    scored_until CONSTANT date := least(last_day, today);
    known record;
BEGIN
    PERFORM health_internal.check_story(model, account, first_day, last_day);
    SELECT a.* INTO known
    FROM health_internal.story_account(version, account, scored_until, greatest(scored_until - first_day, 0) + 7) AS a;
    IF scored_until >= first_day THEN
        RETURN QUERY SELECT s.day, CASE s.kind WHEN 'state' THEN 1 ELSE 2 END, s.kind, NULL::text, s.what, s.amount, s.details
                     FROM health_internal.story_scores(version, known.id, known.id_type, known.state, first_day, scored_until) AS s;
    END IF;
    RETURN QUERY SELECT u.* FROM health_internal.story_usage(version.document, (known.state).parts, first_day, last_day) AS u;
    RETURN QUERY SELECT p.* FROM health_internal.story_people(model, known.id, first_day, last_day) AS p;
END;
$$;
COMMENT ON FUNCTION health_internal.story_as_owner(text, text, date, date) IS
    'story() as the owner of the model, with the rank of each row';

CREATE FUNCTION health.story(model text, account text, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.day, r.kind, r.who, r.what, r.amount, r.details
    FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.story_as_owner($1, $2, $3::date, $4::date)', model, account, health_internal.iso_text(from_date),
        health_internal.iso_text(to_date)) AS r (day date, rank integer, kind text, who text, what text, amount numeric, details text)
    ORDER BY r.day, r.rank, r.who COLLATE "C", r.what COLLATE "C", r.details COLLATE "C";
END;
$$;
COMMENT ON FUNCTION health.story(text, text, date, date) IS
    'The story of one account from a day to a day (at most three years; by default the last 90 days), in order. Kinds: state and score '
    '(where it stands on the first day; then each change of state or band, and of the score by 5 points within 7 days, with the reason; by '
    'the present version, as score_at() has it: a score of a day rests on the days before it), override, pulse, invited, joined, '
    'deactivated, started and ended (facts, amount is their value), usage (amount is the number of events of a person on the day)';

CREATE FUNCTION health.story(model text, account bigint, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql ROWS 100
BEGIN ATOMIC
    SELECT s.* FROM health.story(model, account::pg_catalog.text, from_date, to_date) AS s;
END;
COMMENT ON FUNCTION health.story(text, bigint, date, date) IS 'story(model, account, from_date, to_date) for a numeric account id';

CREATE FUNCTION health.story(model text, account uuid, from_date date DEFAULT NULL, to_date date DEFAULT NULL, OUT day date,
    OUT kind text, OUT who text, OUT what text, OUT amount numeric, OUT details text) RETURNS SETOF record
LANGUAGE sql ROWS 100
BEGIN ATOMIC
    SELECT s.* FROM health.story(model, account::pg_catalog.text, from_date, to_date) AS s;
END;
COMMENT ON FUNCTION health.story(text, uuid, date, date) IS 'story(model, account, from_date, to_date) for a uuid account id';
