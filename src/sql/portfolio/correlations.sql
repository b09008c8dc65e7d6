-- Which figures of the accounts go together.

CREATE TYPE health.correlation_row AS (
    first text,
    second text,
    n bigint,
    pearson float8,
    pearson_low float8,
    pearson_high float8,
    spearman float8,
    spearman_low float8,
    spearman_high float8,
    p_value float8,
    significant boolean,
    note text
);
COMMENT ON TYPE health.correlation_row IS 'How two figures of the accounts go together; or why one is left out';
COMMENT ON COLUMN health.correlation_row.first IS 'A figure: score, seats, a metric, a numeric column of accounts, a signal as measured';
COMMENT ON COLUMN health.correlation_row.second IS 'The other one; NULL of a figure that is left out';
COMMENT ON COLUMN health.correlation_row.n IS 'Accounts of which both are known';
COMMENT ON COLUMN health.correlation_row.pearson IS 'Pearson''s r: along a line, -1 to 1';
COMMENT ON COLUMN health.correlation_row.pearson_low IS 'Lower end of its 95 % interval, by Fisher''s z';
COMMENT ON COLUMN health.correlation_row.pearson_high IS 'Upper end';
COMMENT ON COLUMN health.correlation_row.spearman IS 'Spearman''s rho: of ranks, so that one large account does not make it; -1 to 1';
COMMENT ON COLUMN health.correlation_row.spearman_low IS 'Lower end of its 95 % interval, by Bonett and Wright';
COMMENT ON COLUMN health.correlation_row.spearman_high IS 'Upper end';
COMMENT ON COLUMN health.correlation_row.p_value IS 'Of rho, by itself: below .05 where its interval leaves out 0';
COMMENT ON COLUMN health.correlation_row.significant IS
    'Whether rho is more than chance when it is counted in how many pairs were looked at (Benjamini and Hochberg, 5 %)';
COMMENT ON COLUMN health.correlation_row.note IS 'In words: why not significant, part of the score, the same values, left out';

CREATE FUNCTION health_internal.correlations_as_owner(model text, figure text, as_of date, at_least integer)
RETURNS SETOF health.correlation_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    figures CONSTANT health_internal.account_figures := health_internal.compile_figures(version,
        coalesce(as_of, health_internal.portfolio_day(version)));
    -- What says how sure a score is, or how it changed, is about the score.
    names CONSTANT text[] := ARRAY(
        SELECT f.name FROM ROWS FROM (pg_catalog.unnest(figures.names), pg_catalog.unnest(figures.types)) WITH ORDINALITY
            AS f (name, type, "position")
        WHERE f.type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype,
                         'numeric'::regtype)
          AND f.name <> ALL ('{account_id,model_version,data_coverage,change_7d,change_28d,score_without_top_user,churn_probability,'
                  'expansion_likelihood}'::text[]) ORDER BY f."position");
    numbers float8[];
    pair record;
    looked_at bigint;
    by_chance numeric;
    apart bigint := 0;
    beyond_chance bigint := 0;
BEGIN
    IF at_least IS NULL OR at_least < 4 THEN
        RAISE EXCEPTION 'model "%": a correlation takes at least 4 accounts, not %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF figure <> ALL (names) THEN
        RAISE EXCEPTION 'model "%": no number of its accounts is called "%"', model, figure
            USING ERRCODE = 'undefined_column',
                  HINT = coalesce('Did you mean "' || health.nearest_name(figure, names) || '"?',
                      'They are score, seats, metrics, numeric columns of accounts.columns, and signals.');
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    EXECUTE pg_catalog.format('SELECT pg_catalog.array_agg(ARRAY[%s]) FROM (%s) AS f',
        (SELECT pg_catalog.string_agg(pg_catalog.format('coalesce(f.%I::pg_catalog.float8, ''NaN'')', n.name), ', ' ORDER BY n."position")
         FROM pg_catalog.unnest(names) WITH ORDINALITY AS n (name, "position")), figures.query) INTO numbers;
    FOR pair IN SELECT c.* FROM health_internal.correlate_columns(numbers, pg_catalog.cardinality(names),
                    pg_catalog.array_position(names, figure), at_least) AS c LOOP
        looked_at := pair.looked_at;
        by_chance := pg_catalog.round(pair.looked_at * 0.05);
        apart := apart + coalesce(pair.p_value < 0.05, false)::integer;
        beyond_chance := beyond_chance + coalesce(pair.significant, false)::integer;
        RETURN NEXT ROW(names[pair.first], CASE WHEN pair.unpaired IS NULL OR pair.unpaired = 'same' THEN names[pair.second] END, pair.n,
            pair.pearson, pair.pearson_low, pair.pearson_high, pair.spearman, pair.spearman_low, pair.spearman_high, pair.p_value,
            pair.significant,
            CASE WHEN pair.unpaired = 'same' THEN 'the same values: no correlation, and the second is in no other pair'
                 WHEN pair.unpaired = 'few' THEN pg_catalog.format('left out: known of fewer than %s accounts', at_least)
                 WHEN pair.unpaired = 'constant' THEN CASE WHEN pair.differing = 0 THEN 'left out: the same for all accounts'
                     ELSE pg_catalog.format('left out: the same for all but %s accounts', pair.differing) END
                 WHEN 'score' IN (names[pair.first], names[pair.second])
                     AND (names[pair.first] = ANY (figures.of_score) OR names[pair.second] = ANY (figures.of_score))
                     THEN 'part of the score'
                 WHEN abs(pair.spearman) > 1 - 1e-12 THEN 'the same order throughout: one may be made of the other'
                 WHEN pair.p_value < 0.05 AND NOT pair.significant
                     THEN pg_catalog.format('leaves out 0, as about %s of %s pairs would by chance', by_chance, looked_at)
            END)::health.correlation_row;
    END LOOP;
    IF looked_at >= 20 THEN
        RAISE NOTICE 'model "%": % pairs were looked at, and % have an interval that leaves out 0; about % of so many would by chance '
            'alone. % are significant when that is counted in', model, looked_at, apart, by_chance, beyond_chance;
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.correlations_as_owner(text, text, date, integer) IS 'correlations() as the owner of the model';

CREATE FUNCTION health.correlations(model text, figure text DEFAULT NULL, as_of date DEFAULT NULL, at_least integer DEFAULT 10)
RETURNS SETOF health.correlation_row
LANGUAGE plpgsql ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day of the figures is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day.';
    END IF;
    RETURN QUERY SELECT (r.pair).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT c FROM health_internal.correlations_as_owner($1, $2, $3::date, $4::integer) AS c', model, figure,
        health_internal.iso_text(as_of), at_least::text) AS r (pair health.correlation_row);
END;
$$;
COMMENT ON FUNCTION health.correlations(text, text, date, integer) IS
    'How any two numbers of the accounts in the book go together: score, seats, metrics, numeric columns of accounts, signals as '
    'measured; or one of them (figure) with each other. Pearson''s r and Spearman''s rho with 95 % intervals, of accounts of which both '
    'are known, at least so many (at_least); the largest rho first. significant counts in how many pairs were looked at. As of the day of '
    'the model, or a past one';
