-- What a version keeps of the book that it was made in, so that a score does not move because others moved: peers' values, medians, what
-- was fitted, and whether there ever was what a signal is about.

CREATE FUNCTION health_internal.leaf_signals(document jsonb) RETURNS TABLE (place text[], signal jsonb, number bigint)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree AS (
        SELECT ARRAY['signals', (s.position - 1)::text] AS place, s.signal, ARRAY[s.position] AS path
        FROM jsonb_array_elements(document -> 'signals') WITH ORDINALITY AS s (signal, position)
        UNION ALL
        SELECT t.place || ARRAY['signals', (s.position - 1)::text], s.signal, t.path || s.position
        FROM tree AS t, jsonb_array_elements(t.signal -> 'signals') WITH ORDINALITY AS s (signal, position)
    )
    SELECT n.place, n.signal, n.number FROM (SELECT t.*, row_number() OVER (ORDER BY t.path) AS number FROM tree AS t) AS n
    WHERE NOT n.signal ? 'signals';
$$;
COMMENT ON FUNCTION health_internal.leaf_signals(jsonb) IS
    'The signals of a document that are not groups, with their places for jsonb_set and their numbers among all signals, groups too';

-- What a signal measures, and therefore whether a reference frozen for one serves another.
CREATE FUNCTION health_internal.measured_by(document jsonb, signal jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object(
        'signal', signal
            - '{label,description,weight,next_step,missing,normalize,silent,shrink,frozen,relative_to_book}'::text[],
        'segment', signal #> '{normalize,segment}',
        'accounts', c.document -> 'accounts',
        'usage', CASE WHEN signal ? 'fact' THEN c.document #> ARRAY['facts', signal ->> 'fact']
                      WHEN signal ? 'metric'
                      THEN c.document
                          - '{accounts,signals,bands,minimum_coverage,history,description,as_of,silence,relative_to_book}'::text[]
                          - '{segments,flags}'::text[]
                 END)
    FROM health_internal.canonical_document(document) AS c (document);
END;
COMMENT ON FUNCTION health_internal.measured_by(jsonb, jsonb) IS
    'The parts of a document that determine the raw value and the peer groups of a signal';

CREATE FUNCTION health_internal.peer_reference(peer_values float8[], peer_counts bigint[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- Up to 1,000 distinct values are kept as they are; beyond, neighbours share the value in their middle: under 0.1 points.
    WITH peers AS (
        SELECT p.value, p.n, ntile(1000) OVER (ORDER BY p.value) AS tile
        FROM unnest(peer_values, peer_counts) AS p (value, n)
    ), kept AS (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY p.value) AS value, sum(p.n)::bigint AS n FROM peers AS p GROUP BY p.tile
    )
    SELECT jsonb_build_object('values', coalesce(jsonb_agg(k.value ORDER BY k.value), '[]'),
                              'counts', coalesce(jsonb_agg(k.n ORDER BY k.value), '[]'))
    FROM kept AS k;
$$;
COMMENT ON FUNCTION health_internal.peer_reference(float8[], bigint[]) IS
    'A percentile reference of distinct values and how often each occurs';

CREATE FUNCTION health_internal.sight_account(model jsonb, account health.account_state,
    OUT raw float8[], OUT basis float8[], OUT seen boolean[], OUT silent boolean, OUT ever_active boolean, OUT weeks integer[])
    AS 'MODULE_PATHNAME', 'health_sight_account'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION health_internal.sight_account(jsonb, health.account_state) IS
    'What an account of the book adds to what is frozen, an element per signal: values as measured, what they rest on, whether it ever had '
    'what the signal is about, and three numbers per signal that is fitted: its active weeks, the last of them, all weeks; all NULL of an '
    'account that is not in the book';

-- Metrics by parameters that are fitted to the book.
CREATE FUNCTION health_internal.is_fitted(signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM (VALUES
        --@for metrics where fitted is bgbb
            ('@name@')@comma@
        --@end
        ) AS m (metric) WHERE m.metric = signal ->> 'metric');
END;
COMMENT ON FUNCTION health_internal.is_fitted(jsonb) IS 'Whether a signal is a metric with parameters that a version keeps';

CREATE FUNCTION health_internal.frozen_parameters(signal jsonb) RETURNS float8[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(p.value::pg_catalog.float8 ORDER BY p.ordinality)
    FROM pg_catalog.jsonb_array_elements_text(signal #> '{frozen,parameters}') WITH ORDINALITY AS p (value, ordinality);
END;
COMMENT ON FUNCTION health_internal.frozen_parameters(jsonb) IS 'The parameters that a signal keeps; NULL without';

CREATE FUNCTION health_internal.compile_fit(number bigint, signal jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN NOT health_internal.is_fitted(signal) THEN 'SELECT NULL::pg_catalog.float8[], NULL::pg_catalog.int8, NULL::pg_catalog.text'
        WHEN health_internal.frozen_parameters(signal) IS NOT NULL
            THEN format('SELECT %L::pg_catalog.float8[], %L::pg_catalog.int8, NULL::pg_catalog.text',
                        health_internal.frozen_parameters(signal), signal #>> '{frozen,accounts}')
        ELSE format('SELECT w.parameters, w.accounts, w.reason FROM health_internal.fit_weeks((SELECT pg_catalog.array_agg('
                    'a.weeks[%1$s:%2$s]) FROM accounts AS a WHERE a.weeks[%1$s] IS NOT NULL)) AS w', 3 * number - 2, 3 * number) END;
$$;
COMMENT ON FUNCTION health_internal.compile_fit(bigint, jsonb) IS
    'SQL of what is fitted for a signal, over the sightings of accounts: parameters, how many accounts, and why there are none';

-- Values are shrunk as scoring shrinks them (src/core/scoring/score.cpp): toward the median, which the accounts that are not silent make.
CREATE FUNCTION health_internal.compile_frozen(number bigint, signal jsonb, segment_number integer) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($query$
        SELECT %1$s::pg_catalog.int8 AS number, m.median, coalesce(f.accounts, m.accounts) AS accounts, m.seen, f.parameters, f.reason, (
            WITH peers AS (
                SELECT v.segment, health_internal.peer_reference(pg_catalog.array_agg(v.value), pg_catalog.array_agg(v.n)) AS reference
                FROM (SELECT %2$s AS segment,
                             CASE WHEN a.silent OR m.accounts < 10 OR %3$s = 0 THEN a.raw[%1$s]
                                  ELSE (a.basis[%1$s] * a.raw[%1$s] + %3$s * m.median) / (a.basis[%1$s] + %3$s) END AS value,
                             pg_catalog.count(*) AS n
                      FROM accounts AS a WHERE a.raw[%1$s] IS NOT NULL GROUP BY 1, 2) AS v
                GROUP BY 1
            ) SELECT %4$s FROM peers AS p) AS reference
        FROM (SELECT pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS median,
                     pg_catalog.count(a.raw[%1$s]) FILTER (WHERE NOT a.silent) AS accounts,
                     coalesce(pg_catalog.bool_or(a.seen[%1$s]) OR %6$s AND NOT pg_catalog.bool_or(a.ever_active), true) AS seen
              FROM accounts AS a) AS m, (%5$s) AS f (parameters, accounts, reason) $query$,
        number, CASE WHEN segment_number IS NULL THEN 'NULL::pg_catalog.text' ELSE format('a.segments[%s]', segment_number) END,
        coalesce((signal ->> 'shrink')::float8, 0),
        CASE WHEN signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' THEN 'NULL::pg_catalog.jsonb'
             WHEN segment_number IS NULL THEN 'pg_catalog.max(p.reference::pg_catalog.text)::pg_catalog.jsonb'
             ELSE 'pg_catalog.jsonb_build_object(''segments'', coalesce(pg_catalog.jsonb_object_agg(p.segment, p.reference) '
                  'FILTER (WHERE p.segment IS NOT NULL), ''{}''))' END,
        health_internal.compile_fit(number, signal), CASE WHEN signal ? 'fact' THEN 'false' ELSE 'true' END);
$$;
COMMENT ON FUNCTION health_internal.compile_frozen(bigint, jsonb, integer) IS
    'SQL of what is frozen of a signal, over the sightings of accounts: median, accounts with a value, whether it was ever seen, what was '
    'fitted, and the reference of a percentile';

-- Where the catalog says which events count, every metric is about these.
CREATE FUNCTION health_internal.is_about_something(document jsonb, signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT document ->> 'unlisted_events' IS DISTINCT FROM 'count' AND coalesce(document -> 'catalog', '{}') <> '{}'
        OR signal ?| '{events,role,actor}'::pg_catalog.text[] OR signal ->> 'metric' = 'breadth'
        OR EXISTS (SELECT FROM (VALUES
        --@for metrics where style is not none
            ('@name@', '@about@')@comma@
        --@end
        ) AS m (metric, about) WHERE m.metric = signal ->> 'metric' AND m.about <> '');
END;
COMMENT ON FUNCTION health_internal.is_about_something(jsonb, jsonb) IS
    'Whether a metric signal looks at some events, features or actors only, which a book may never have had';

-- A version keeps what an earlier one froze of the same measure. What was never seen, or could not be fitted, is tried again.
CREATE FUNCTION health_internal.unfrozen_signals(document jsonb, previous jsonb)
    RETURNS TABLE (number bigint, place text[], signal jsonb, kept jsonb)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.number, l.place, l.signal, p.signal
    FROM health_internal.leaf_signals(document) AS l
    LEFT JOIN LATERAL (SELECT e.signal FROM health_internal.leaf_signals(previous) AS e
                       WHERE health_internal.measured_by(previous, e.signal) = health_internal.measured_by(document, l.signal)
                         AND coalesce(e.signal ->> 'shrink', '0')::float8 = coalesce(l.signal ->> 'shrink', '0')::float8
                         AND (l.signal #>> '{normalize,kind}' IS DISTINCT FROM 'percentile' OR e.signal #> '{normalize,reference}' IS NOT
                             NULL)
                         AND (e.signal #>> '{frozen,seen}' IS DISTINCT FROM 'false')
                         AND (NOT health_internal.is_fitted(e.signal) OR e.signal #> '{frozen,parameters}' IS NOT NULL)
                       LIMIT 1) AS p ON true
    WHERE l.signal #>> '{normalize,kind}' = 'percentile' AND l.signal #> '{normalize,reference}' IS NULL
       OR l.signal ? 'metric' AND NOT l.signal ? 'frozen'
          AND (coalesce(l.signal ->> 'shrink', '0')::float8 > 0 OR health_internal.is_about_something(document, l.signal)
               OR health_internal.is_fitted(l.signal))
       OR l.signal ? 'fact' AND NOT l.signal ? 'frozen';
$$;
COMMENT ON FUNCTION health_internal.unfrozen_signals(jsonb, jsonb) IS
    'The signals of a document that something is to be frozen of, and the one of the previous document that it can be taken from';

CREATE FUNCTION health_internal.collect_frozen(document jsonb, wanted bigint[], as_of date, usage_from text, model_name text)
    RETURNS TABLE (number bigint, median float8, accounts bigint, seen boolean, parameters float8[], reason text, reference jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reads_events CONSTANT boolean := EXISTS (SELECT FROM health_internal.leaf_signals(document) AS l
                                             WHERE l.number = ANY (wanted) AND l.signal ?| '{metric,fact}');
    compiled health_internal.compiled_model := health_internal.compile_model(document, 0, as_of => collect_frozen.as_of,
        usage_from => CASE WHEN reads_events THEN collect_frozen.usage_from ELSE 'nothing' END, model_name => collect_frozen.model_name);
    parts text := (SELECT pg_catalog.string_agg(health_internal.compile_frozen(l.number, l.signal, i."position"), ' UNION ALL ')
                   FROM health_internal.leaf_signals(document) AS l
                   LEFT JOIN health.model_inputs(document) AS i
                     ON i.name = l.signal ->> 'name' AND l.signal #> '{normalize,segment}' IS NOT NULL
                   WHERE l.number = ANY (wanted));
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    RETURN QUERY EXECUTE pg_catalog.format(
        'WITH accounts AS MATERIALIZED (SELECT l.segments, s.* FROM (%s) AS l, health_internal.sight_account(%L, %s) AS s '
        'WHERE s.raw IS NOT NULL) %s',
        compiled.ledger, health_internal.scoring_document(document),
        health_internal.compile_state(health_internal.compile_known_usage(as_of), with_past => false), parts);
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(NULL, ROW(NULL, 0, NULL, document, health_internal.names_path(), NULL,
            NULL)::health_internal.model_version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.collect_frozen(jsonb, bigint[], date, text, text) IS
    'What is frozen of some signals, by their numbers, over all accounts as of a day, by what was known then (NULL: now), from events or '
    'from the ledgers of a model';

CREATE FUNCTION health_internal.put_frozen(document jsonb, place text[], signal jsonb, median float8, accounts bigint, seen boolean,
    parameters float8[], reference jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN f.frozen = '{}' THEN r.document ELSE jsonb_set(r.document, place || '{frozen}'::text[], f.frozen) END
    FROM (SELECT CASE WHEN reference IS NULL THEN document
                      ELSE jsonb_set(document, place || '{normalize,reference}'::text[], reference) END) AS r (document),
         (SELECT CASE WHEN NOT signal ?| '{metric,fact}' THEN '{}'::jsonb
                      ELSE CASE WHEN coalesce((signal ->> 'shrink')::float8, 0) > 0
                                THEN jsonb_strip_nulls(jsonb_build_object('median', median, 'accounts', accounts)) ELSE '{}' END
                           || CASE WHEN parameters IS NULL THEN '{}'::jsonb
                                   ELSE jsonb_build_object('parameters', parameters, 'accounts', accounts) END
                           || CASE WHEN seen THEN '{}'::jsonb ELSE '{"seen": false}' END END) AS f (frozen);
$$;
COMMENT ON FUNCTION health_internal.put_frozen(jsonb, text[], jsonb, float8, bigint, boolean, float8[], jsonb) IS
    'The document with what was frozen of the signal at a place';

CREATE FUNCTION health_internal.freeze_references(document jsonb, previous jsonb, as_of date DEFAULT NULL, usage_from text DEFAULT 'events',
    model_name text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    frozen jsonb := document;
    wanted bigint[] := ARRAY[]::bigint[];
    ranked bigint[];    -- whose values there are only now, for peers to be ranked by
    is_kept CONSTANT boolean := as_of IS NULL;    -- of a test refreeze_references() would change nothing
    pending record;
BEGIN
    FOR pending IN SELECT u.* FROM health_internal.unfrozen_signals(document, previous) AS u LOOP
        IF pending.kept IS NULL THEN
            wanted := wanted || pending.number;
        ELSE
            frozen := health_internal.put_frozen(frozen, pending.place, pending.signal, (pending.kept #>> '{frozen,median}')::float8,
                (pending.kept #>> '{frozen,accounts}')::bigint, true,
                health_internal.frozen_parameters(pending.kept), pending.kept #> '{normalize,reference}');
        END IF;
    END LOOP;
    WHILE cardinality(wanted) > 0 LOOP
        ranked := ARRAY[]::bigint[];
        FOR pending IN SELECT l.place, l.signal, c.*
                       FROM health_internal.collect_frozen(frozen, wanted, as_of, usage_from, model_name) AS c
                       JOIN health_internal.leaf_signals(frozen) AS l USING (number) ORDER BY l.number LOOP
            IF pending.reason IS NOT NULL THEN
                IF is_kept THEN
                    RAISE NOTICE 'nothing is fitted for signal "%": %; it stays unknown', pending.signal ->> 'name', pending.reason
                        USING HINT = 'SELECT health.refreeze_references(model) once there is more data.';
                END IF;
            ELSIF pending.signal #>> '{normalize,kind}' = 'percentile' THEN
                IF pending.parameters IS NOT NULL AND health_internal.frozen_parameters(pending.signal) IS NULL THEN
                    ranked := ranked || pending.number;
                    pending.reference := NULL;
                ELSE
                    pending.reference := coalesce(pending.reference, health_internal.peer_reference('{}', '{}'));
                    IF is_kept AND pending.reference IN ('{"values": [], "counts": []}', '{"segments": {}}') THEN
                        RAISE NOTICE 'no account has a value for the percentile of signal "%": it stays unknown',
                            pending.signal ->> 'name' USING HINT = 'SELECT health.refreeze_references(model) once there is data.';
                    END IF;
                END IF;
            END IF;
            frozen := health_internal.put_frozen(frozen, pending.place, pending.signal, pending.median, pending.accounts, pending.seen,
                pending.parameters, pending.reference);
        END LOOP;
        wanted := ranked;
    END LOOP;
    RETURN frozen;
END;
$$;
COMMENT ON FUNCTION health_internal.freeze_references(jsonb, jsonb, date, text, text) IS
    'The document with what scoring takes of the book: references of percentiles, medians of signals that shrink, what is fitted, and '
    'which signals are about what was never seen. That of the previous document for the same measure, else today''s book';
