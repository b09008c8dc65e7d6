-- An account beside its peers, what is far from usual in the book, and whether what a version has frozen is still how the book is.

-- For sentences: as many digits as a person takes in.
CREATE FUNCTION health_internal.short_number(number float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.trim_scale(pg_catalog.round(number::pg_catalog.numeric,
        CASE WHEN abs(number) >= 100 THEN 0 WHEN abs(number) >= 10 THEN 1 WHEN abs(number) >= 1 THEN 2 ELSE 3 END))::pg_catalog.text;
END;
COMMENT ON FUNCTION health_internal.short_number(float8) IS 'A number in a sentence, rounded to three digits or so';

CREATE FUNCTION health_internal.tell_place(value float8, n bigint, low float8, median float8, high float8, percentile float8) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE n WHEN 0 THEN coalesce(health_internal.short_number(value), 'unknown') || '; no peer has a value'
        WHEN 1 THEN pg_catalog.format('%s; one account has a value: %s', coalesce(health_internal.short_number(value), 'unknown'),
                                      health_internal.short_number(median))
        ELSE pg_catalog.format('%s%s; median %s, middle half %s to %s',
            coalesce(health_internal.short_number(value), 'unknown'),
            CASE WHEN percentile IS NOT NULL THEN pg_catalog.format(': percentile %s of %s accounts',
                     pg_catalog.round(percentile::pg_catalog.numeric), n)
                 ELSE pg_catalog.format(', beside %s accounts', n) END,
            health_internal.short_number(median), health_internal.short_number(low), health_internal.short_number(high)) END;
END;
COMMENT ON FUNCTION health_internal.tell_place(float8, bigint, float8, float8, float8, float8) IS
    'Where a value stands among its peers, in words';

-- What is measured of every account as a number: the score, the metrics, the signals. NaN and infinities are no measures.
CREATE FUNCTION health_internal.measured_columns(document jsonb) RETURNS TABLE (place bigint, kind text, name text, expression text)
LANGUAGE sql STABLE ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT row_number() OVER (ORDER BY m.rank, m.n), m.kind, m.name,
           format('CASE WHEN %1$s > ''-Infinity'' AND %1$s < ''Infinity'' THEN %1$s END', m.expression)
    FROM (SELECT 1 AS rank, 0 AS n, 'score' AS kind, 'score' AS name, '(s.score)' AS expression
          UNION ALL
          SELECT 2, l.number, 'signal', l.signal ->> 'name', format('(s.signals).raw[%s]', l.number)
          FROM health_internal.leaf_signals(document) AS l WHERE l.signal #>> '{normalize,kind}' IS DISTINCT FROM 'map'
          UNION ALL
          SELECT 3, a.attnum, 'metric', a.attname, format('(s.%I)::pg_catalog.float8', a.attname)
          FROM pg_attribute AS a
          WHERE a.attrelid = (SELECT t.typrelid FROM pg_type AS t WHERE t.oid = 'health.metrics_record'::regtype) AND a.attnum > 0
            AND NOT a.attisdropped AND a.atttypid IN ('float8'::regtype, 'int8'::regtype, 'int4'::regtype)) AS m;
$$;
COMMENT ON FUNCTION health_internal.measured_columns(jsonb) IS
    'The numbers that an account is compared by, in order, with their SQL over a row s of scores and signals';

-- Scores and values have a row for each account: a full join is never a loop in a loop, whatever sizes are expected.
CREATE FUNCTION health_internal.benchmarks_as_owner(model text, account text, segment text,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    id CONSTANT text := health_internal.find_account(model, version, account);
    compiled record;
    columns record;
BEGIN
    IF segment IS NOT NULL THEN
        PERFORM health_internal.check_has_segments(version, segment);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.* INTO compiled FROM health_internal.compile_store_scores(health_internal.open_store(version)) AS c;
    SELECT pg_catalog.string_agg(pg_catalog.format('pg_catalog.array_agg(%1$s) FILTER (WHERE (%1$s) IS NOT NULL) AS p%2$s',
               c.expression, c.place), ', ' ORDER BY c.place) AS peers,
           pg_catalog.string_agg(pg_catalog.format('(%s, %L, %L, %s, a.p%1$s)', c.place, c.kind, c.name, c.expression), ', '
               ORDER BY c.place) AS own
    INTO columns FROM health_internal.measured_columns(version.document) AS c;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH "$ledger" AS MATERIALIZED (%s), "$scores" AS MATERIALIZED (%s), "$values" AS MATERIALIZED (%s),
             "$segments" AS MATERIALIZED (%s),
             "$rows" AS MATERIALIZED (SELECT s.*, v.signals, %s = $1 AS own
                                     FROM "$scores" AS s FULL JOIN "$values" AS v USING (account_id)),
             "$peers" AS (
                 SELECT s.* FROM "$rows" AS s WHERE s.in_book AND ($2 IS NULL OR s.account_id IN (
                     SELECT p.account_id FROM "$segments" AS p WHERE p.segment = $2 AND p.value = (
                         SELECT o.value FROM "$segments" AS o
                         WHERE o.segment = $2 AND o.account_id = (SELECT r.account_id FROM "$rows" AS r WHERE r.own LIMIT 1)))))
        SELECT m.kind, m.name, m.value, p.n, p.low, p.median, p.high, p.percentile,
               health_internal.tell_place(m.value, p.n, p.low, p.median, p.high, p.percentile)
        FROM (SELECT %s FROM "$peers" AS s) AS a CROSS JOIN "$rows" AS s
        CROSS JOIN LATERAL (VALUES %s) AS m (place, kind, name, value, peers)
        CROSS JOIN LATERAL health_internal.place_among(m.value, coalesce(m.peers, '{}')) AS p
        WHERE s.own AND (m.value IS NOT NULL OR p.n > 0) ORDER BY m.place $query$,
        compiled.ledger, compiled.scores, compiled.signal_values,
        CASE WHEN segment IS NULL THEN 'SELECT s.account_id, s.name AS segment, s.name AS value FROM "$scores" AS s WHERE false'
             ELSE health_internal.compile_segments(model, version.document, '"$scores"') END,
        compiled.account, columns.peers, columns.own) USING id, segment;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.benchmarks_as_owner(text, text, text) IS 'benchmarks() as the owner of the model';

CREATE FUNCTION health.benchmarks(model text, account text, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 60
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.benchmarks_as_owner($1, $2, $3)', model, account, segment)
        AS r (kind text, name text, value float8, peers bigint, low float8, median float8, high float8, percentile float8, sentence text);
END;
$$;
COMMENT ON FUNCTION health.benchmarks(text, text, text) IS
    'The score, the signals that are numbers and the metrics of an account beside those of its peers: the accounts of the book that have '
    'the same value of a segment, by default the whole book, itself among them if it is in the book. How many peers have a value, their '
    'quartiles low, median and high, and the percentile of the account, 0 to 100: the share of peers below and half of those equal, NULL '
    'of fewer than two peers';

CREATE FUNCTION health.benchmarks(model text, account bigint, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT b.* FROM health.benchmarks(model, account::pg_catalog.text, segment) AS b;
END;
COMMENT ON FUNCTION health.benchmarks(text, bigint, text) IS 'benchmarks() for a numeric account id';

CREATE FUNCTION health.benchmarks(model text, account uuid, segment text DEFAULT NULL,
    OUT kind text, OUT name text, OUT value float8, OUT peers bigint, OUT low float8, OUT median float8, OUT high float8,
    OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE sql ROWS 60
BEGIN ATOMIC
    SELECT b.* FROM health.benchmarks(model, account::pg_catalog.text, segment) AS b;
END;
COMMENT ON FUNCTION health.benchmarks(text, uuid, text) IS 'benchmarks() for a uuid account id';

-- Logarithms: twice as much is as far everywhere. Fewer than ten accounts show no line.
CREATE FUNCTION health_internal.outliers_as_owner(model text, revenue text, at_least float8,
    OUT account text, OUT name text, OUT comparison text, OUT x float8, OUT y float8, OUT expected float8, OUT distance float8,
    OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    compiled record;
    revenue_used text;
BEGIN
    IF at_least IS NULL OR NOT (at_least >= 0 AND at_least < 'Infinity') THEN
        RAISE EXCEPTION 'model "%": the least distance is %', model, coalesce(at_least::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number of 0 or more; 3.5 is far from usual.';
    END IF;
    PERFORM health_internal.set_names_path(version.search_path);
    revenue_used := health_internal.revenue_column(model, version.document, revenue);
    PERFORM health_internal.look_names_up_in(version.search_path);
    SELECT c.* INTO compiled FROM health_internal.compile_store_scores(health_internal.open_store(version)) AS c;
    RETURN QUERY EXECUTE pg_catalog.format($query$
        WITH "$ledger" AS MATERIALIZED (%s), "$scores" AS MATERIALIZED (%s), "$points" AS (
            SELECT c.place, c.comparison, c.unit, %s AS account, s.name, c.x, c.y
            FROM "$scores" AS s CROSS JOIN LATERAL (VALUES
                (1, 'events per user by size', 'users', s.total_users::pg_catalog.float8,
                 s.events::pg_catalog.float8 / nullif(s.total_users, 0)),
                (2, 'events per user by revenue', 'of revenue', (%s)::pg_catalog.float8,
                 s.events::pg_catalog.float8 / nullif(s.total_users, 0))) AS c (place, comparison, unit, x, y)
            WHERE s.in_book AND c.x > 0 AND c.x < 'Infinity' AND c.y > 0 AND c.y < 'Infinity'
        ), "$lines" AS (
            SELECT p.place, p.comparison, p.unit, pg_catalog.array_agg(p.account ORDER BY p.account) AS accounts,
                   pg_catalog.array_agg(p.name ORDER BY p.account) AS names, pg_catalog.array_agg(p.x ORDER BY p.account) AS xs,
                   pg_catalog.array_agg(p.y ORDER BY p.account) AS ys, pg_catalog.array_agg(pg_catalog.ln(p.x) ORDER BY p.account) AS log_x,
                   pg_catalog.array_agg(pg_catalog.ln(p.y) ORDER BY p.account) AS log_y
            FROM "$points" AS p GROUP BY 1, 2, 3 HAVING pg_catalog.count(*) >= 10
        )
        SELECT u.account, u.name, f.comparison, u.x, u.y, f.expected, u.distance, pg_catalog.format(
                   '%%s events per user, where accounts with %%s %%s have about %%s', health_internal.short_number(u.y),
                   health_internal.short_number(u.x), f.unit, health_internal.short_number(f.expected))
        FROM (SELECT g.*, l.slope, l.intercept, l.distances FROM "$lines" AS g
              CROSS JOIN LATERAL health_internal.robust_line(g.log_x, g.log_y) AS l) AS g
        CROSS JOIN LATERAL unnest(g.accounts, g.names, g.xs, g.ys, g.distances) AS u (account, name, x, y, distance)
        CROSS JOIN LATERAL (SELECT g.comparison, g.unit, pg_catalog.exp(g.intercept + g.slope * pg_catalog.ln(u.x)) AS expected) AS f
        WHERE abs(u.distance) >= $1 ORDER BY g.place, abs(u.distance) DESC, u.account $query$,
        compiled.ledger, compiled.scores, compiled.account, 
        CASE WHEN revenue_used IS NULL THEN 'NULL' ELSE pg_catalog.format('s.%I', revenue_used) END) USING at_least;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model, version, past_days => health_internal.past_days(version.document));
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.outliers_as_owner(text, text, float8) IS 'outliers() as the owner of the model';

CREATE FUNCTION health.outliers(model text, revenue text DEFAULT NULL, at_least float8 DEFAULT 3.5,
    OUT account text, OUT name text, OUT comparison text, OUT x float8, OUT y float8, OUT expected float8, OUT distance float8,
    OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.outliers_as_owner($1, $2, $3::pg_catalog.float8)', model, revenue, at_least::text)
        AS r (account text, name text, comparison text, x float8, y float8, expected float8, distance float8, sentence text);
END;
$$;
COMMENT ON FUNCTION health.outliers(text, text, float8) IS
    'Accounts of the book that use the product far more, or far less, than accounts of their size (users) or revenue do (a numeric column '
    'of the score view, by default arr if there is one): events per user in the window against the line that most accounts follow, both in '
    'logarithms (Theil and Sen). distance: residual in 1.4826 median absolute deviations, below the line negative; those of at_least or '
    'more, the farthest first. Accounts without users, events or revenue are left out, and so are comparisons of fewer than 10 accounts';

-- The references of today are those that refreeze_references() would take.
CREATE FUNCTION health_internal.reference_parts(signal jsonb) RETURNS TABLE (reference text, segment text, n bigint, numbers float8[],
    median float8)
LANGUAGE sql IMMUTABLE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'median'::text, NULL::text, (signal #>> '{frozen,accounts}')::bigint, NULL::float8[], (signal #>> '{frozen,median}')::float8
    WHERE signal #> '{frozen,median}' IS NOT NULL
    UNION ALL
    SELECT 'percentile', r.segment, cardinality(v.numbers), v.numbers, (health_internal.place_among(NULL, v.numbers)).median
    FROM (SELECT NULL::text AS segment, signal #> '{normalize,reference}' AS peers
          WHERE signal #> '{normalize,reference,values}' IS NOT NULL
          UNION ALL SELECT s.key, s.value FROM jsonb_each(coalesce(signal #> '{normalize,reference,segments}', '{}')) AS s) AS r,
         LATERAL (SELECT coalesce(array_agg(p.value::float8), '{}') AS numbers
                  FROM jsonb_array_elements_text(r.peers -> 'values') WITH ORDINALITY AS p (value, n),
                       generate_series(1, coalesce((r.peers #>> ARRAY['counts', (p.n - 1)::text])::bigint, 1))) AS v;
$$;
COMMENT ON FUNCTION health_internal.reference_parts(jsonb) IS
    'What a signal of a complete document keeps of the book: the median that it is shrunk toward, and the peers of its percentile by '
    'segment';

CREATE FUNCTION health_internal.reference_drift_as_owner(model text,
    OUT signal text, OUT reference text, OUT segment text, OUT frozen_accounts bigint, OUT accounts bigint, OUT frozen_median float8,
    OUT median float8, OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
    today jsonb := health_internal.check_definition(model, version.definition, version.search_path);
BEGIN
    today := health_internal.freeze_references(today, NULL, health_internal.model_today(version.document),
        CASE WHEN (health_internal.open_store(version)).has_ledgers THEN 'ledger' ELSE 'events' END, model);
    RETURN QUERY
        SELECT r.signal, r.reference, r.segment, r.frozen_accounts, r.accounts, r.frozen_median, r.median, r.percentile,
               CASE WHEN r.frozen_median IS NULL THEN 'nothing was frozen; there is something now'
                    WHEN r.median IS NULL THEN 'no account has a value today'
                    ELSE format('median %s when it was frozen, %s today%s', health_internal.short_number(r.frozen_median),
                                health_internal.short_number(r.median),
                                ': percentile ' || round(r.percentile::numeric) || ' of today''s book') END
        FROM (SELECT coalesce(o.name, n.name) AS signal, coalesce(o.reference, n.reference) AS reference,
                     coalesce(o.segment, n.segment) AS segment, coalesce(o.number, n.number) AS number,
                     o.n AS frozen_accounts, n.n AS accounts, o.median AS frozen_median, n.median,
                     (health_internal.place_among(o.median, n.numbers)).percentile AS percentile
              FROM (SELECT l.number, l.signal ->> 'name' AS name, p.* FROM health_internal.leaf_signals(version.document) AS l,
                        LATERAL health_internal.reference_parts(l.signal) AS p) AS o
              FULL JOIN (SELECT l.number, l.signal ->> 'name' AS name, p.* FROM health_internal.leaf_signals(today) AS l,
                             LATERAL health_internal.reference_parts(l.signal) AS p) AS n
                ON n.number = o.number AND n.reference = o.reference AND coalesce(n.segment, '') = coalesce(o.segment, '')) AS r
        ORDER BY r.number, r.reference, r.segment COLLATE "C";
END;
$$;
COMMENT ON FUNCTION health_internal.reference_drift_as_owner(text) IS 'reference_drift() as the owner of the model';

CREATE FUNCTION health.reference_drift(model text,
    OUT signal text, OUT reference text, OUT segment text, OUT frozen_accounts bigint, OUT accounts bigint, OUT frozen_median float8,
    OUT median float8, OUT percentile float8, OUT sentence text) RETURNS SETOF record
LANGUAGE plpgsql ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, 'pg_catalog, pg_temp',
        'SELECT * FROM health_internal.reference_drift_as_owner($1)', model)
        AS r (signal text, reference text, segment text, frozen_accounts bigint, accounts bigint, frozen_median float8, median float8,
              percentile float8, sentence text);
END;
$$;
COMMENT ON FUNCTION health.reference_drift(text) IS
    'What the current version has frozen of the book, beside the book of today: of each signal the median that small accounts are shrunk '
    'toward, and the peers of a percentile by segment; how many accounts, their median, and of percentiles where the frozen median stands '
    'among the peers of today, 0 to 100 (50: nothing has drifted). refreeze_references() takes today''s';
