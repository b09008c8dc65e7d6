-- Percentile references: the peers' values are frozen into the version, so that a score does not move because others moved.

CREATE FUNCTION health_internal.leaf_signals(document jsonb) RETURNS TABLE (place text[], signal jsonb)
LANGUAGE sql IMMUTABLE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tree AS (
        SELECT ARRAY['signals', (s.position - 1)::text] AS place, s.signal
        FROM jsonb_array_elements(document -> 'signals') WITH ORDINALITY AS s (signal, position)
        UNION ALL
        SELECT t.place || ARRAY['signals', (s.position - 1)::text], s.signal
        FROM tree AS t, jsonb_array_elements(t.signal -> 'signals') WITH ORDINALITY AS s (signal, position)
    )
    SELECT t.place, t.signal FROM tree AS t WHERE NOT t.signal ? 'signals';
$$;
COMMENT ON FUNCTION health_internal.leaf_signals(jsonb) IS 'The signals of a document that are not groups, with their places for jsonb_set';

-- What a signal measures, and therefore whether a reference frozen for one serves another.
CREATE FUNCTION health_internal.measured_by(document jsonb, signal jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object(
        'signal', signal - '{label,description,weight,next_step,missing,normalize}'::text[],
        'segment', signal #> '{normalize,segment}',
        'accounts', c.document -> 'accounts',
        'usage', CASE WHEN signal ? 'metric'
                      THEN c.document - '{accounts,signals,bands,minimum_coverage,history,description,as_of}'::text[] END)
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

CREATE FUNCTION health_internal.collect_reference(document jsonb, signal jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model := health_internal.compile_model(document, 0, usage_from => CASE WHEN signal ? 'metric'
        THEN 'events' ELSE 'nothing' END);
    segment_index integer := (SELECT i."position" FROM health.model_inputs(document) AS i WHERE i.name = signal ->> 'name');
    statement text;
    reference jsonb;
BEGIN
    statement := format($query$
        WITH book AS (
            SELECT %s AS segment, s.raw, pg_catalog.count(*) AS n
            FROM (%s) AS l, health.score_signals(%L, ROW(ARRAY[l.usage], l.as_of, l.account_start, l.seats, l.inputs, l.observed,
                l.segments, NULL, NULL, l.repeated)::health.account_state) AS s
            WHERE s.signal = %L AND s.raw IS NOT NULL
            GROUP BY 1, 2
        ), peers AS (
            SELECT b.segment, health_internal.peer_reference(pg_catalog.array_agg(b.raw), pg_catalog.array_agg(b.n)) AS reference
            FROM book AS b GROUP BY 1
        )
        SELECT %s FROM peers AS p $query$,
        CASE WHEN signal #> '{normalize,segment}' IS NULL THEN '''''::pg_catalog.text'
             ELSE pg_catalog.format('l.segments[%s]', segment_index) END,
        compiled.ledger, document, signal ->> 'name',
        CASE WHEN signal #> '{normalize,segment}' IS NULL THEN 'pg_catalog.max(p.reference::pg_catalog.text)::pg_catalog.jsonb'
             ELSE 'pg_catalog.jsonb_build_object(''segments'', coalesce(pg_catalog.jsonb_object_agg(p.segment, p.reference) '
                  'FILTER (WHERE p.segment IS NOT NULL), ''{}''))' END);
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    EXECUTE statement INTO reference;
    RETURN coalesce(reference, health_internal.peer_reference('{}', '{}'));
EXCEPTION WHEN data_exception OR feature_not_supported THEN
    IF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(NULL, ROW(NULL, 0, NULL, document, health_internal.names_path(), NULL,
            NULL)::health_internal.model_version);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.collect_reference(jsonb, jsonb) IS
    'The percentile reference of a signal: its values over all accounts as of now';

-- A document that leaves the reference out gets one; a version that measures the same keeps the one it had.
CREATE FUNCTION health_internal.freeze_references(document jsonb, previous jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    frozen jsonb := document;
    pending record;
    reference jsonb;
BEGIN
    FOR pending IN SELECT l.place, l.signal FROM health_internal.leaf_signals(document) AS l
                   WHERE l.signal #>> '{normalize,kind}' = 'percentile' AND l.signal #> '{normalize,reference}' IS NULL
    LOOP
        SELECT l.signal #> '{normalize,reference}' INTO reference FROM health_internal.leaf_signals(previous) AS l
        WHERE health_internal.measured_by(previous, l.signal) = health_internal.measured_by(document, pending.signal)
          AND l.signal #> '{normalize,reference}' IS NOT NULL;
        IF NOT FOUND THEN
            reference := health_internal.collect_reference(document, pending.signal);
            IF reference IN ('{"values": [], "counts": []}', '{"segments": {}}') THEN
                RAISE NOTICE 'no account has a value for the percentile of signal "%": it stays unknown', pending.signal ->> 'name'
                    USING HINT = 'SELECT health.refreeze_references(model) once there is data.';
            END IF;
        END IF;
        frozen := pg_catalog.jsonb_set(frozen, pending.place || ARRAY['normalize', 'reference'], reference);
    END LOOP;
    RETURN frozen;
END;
$$;
COMMENT ON FUNCTION health_internal.freeze_references(jsonb, jsonb) IS
    'The document with a reference for each percentile normalizer that has none: that of the previous document for the same measure, else '
        'today''s book';
