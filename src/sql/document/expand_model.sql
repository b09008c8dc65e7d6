-- From the document as written to the complete document: presets spelled out, keys that are null removed.

CREATE FUNCTION health_internal.merge_document(base jsonb, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    merged jsonb := base || changes;
    part text;
    entry text;
BEGIN
    FOREACH part IN ARRAY ARRAY['catalog', 'onboarding', 'history', 'facts', 'flags'] LOOP
        IF jsonb_typeof(base -> part) = 'object' AND jsonb_typeof(changes -> part) = 'object' THEN
            merged := jsonb_set(merged, ARRAY[part], (base -> part) || (changes -> part));
            FOR entry IN SELECT e.key FROM jsonb_each(merged -> part) AS e WHERE e.value = 'null' LOOP
                merged := merged #- ARRAY[part, entry];
            END LOOP;
        END IF;
    END LOOP;
    FOR entry IN SELECT e.key FROM jsonb_each(merged) AS e WHERE e.value = 'null' LOOP
        merged := merged - entry;
    END LOOP;
    RETURN merged;
END;
$$;
COMMENT ON FUNCTION health_internal.merge_document(jsonb, jsonb) IS
    'Lays a document over a base: top-level keys replace, catalog, onboarding, history, facts and flags merge by key, null removes';

CREATE FUNCTION health_internal.expand_preset(document jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base jsonb;
    own CONSTANT jsonb := (SELECT jsonb_agg(DISTINCT f.feature ORDER BY f.feature)
                           FROM jsonb_path_query(document, 'lax $.catalog.*.feature ? (@.type() == "string")') AS f (feature));
BEGIN
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' OR NOT document ? 'preset' THEN
        RETURN document;
    END IF;
    SELECT p.definition INTO base FROM health_internal.preset AS p WHERE p.name = document ->> 'preset';
    IF NOT FOUND THEN
        RETURN document;    -- validate_model reports it
    END IF;
    RETURN health_internal.merge_document(base - CASE WHEN own IS NULL THEN '' ELSE 'features' END, document - 'preset')
        || CASE WHEN own IS NULL OR document ? 'features' THEN '{}' ELSE jsonb_build_object('features', own) END;
END;
$$;
COMMENT ON FUNCTION health_internal.expand_preset(jsonb) IS
    'The document with its preset, if it names a known one, spelled out. Where the catalog of the document names features, those are the '
    'features, not the ones of the preset';

-- A source is an object, or one of several in an array.
CREATE FUNCTION health_internal.sources(document jsonb, OUT kind text, OUT path text, OUT place text[], OUT source jsonb)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT o.kind, o.path, o.place, o.source
    FROM (SELECT k.rank, s."position", k.kind, k.kind || coalesce('[' || (s."position" - 1) || ']', '') AS path,
                 pg_catalog.array_remove(ARRAY[k.kind, (s."position" - 1)::pg_catalog.text], NULL) AS place, s.source
          FROM (SELECT f.kind, pg_catalog.min(f."position") AS rank FROM health_internal.source_fields() AS f
                WHERE f.kind <> 'facts' GROUP BY f.kind) AS k,
               LATERAL (SELECT e.source, e."position" FROM pg_catalog.jsonb_array_elements(
                            CASE pg_catalog.jsonb_typeof(document -> k.kind) WHEN 'array' THEN document -> k.kind
                                ELSE '[]' END) WITH ORDINALITY AS e (source, "position")
                        UNION ALL
                        SELECT document -> k.kind, NULL WHERE pg_catalog.jsonb_typeof(document -> k.kind) = 'object') AS s
          UNION ALL
          SELECT 1000, pg_catalog.row_number() OVER (ORDER BY f.key), 'facts', 'facts.' || f.key, ARRAY['facts', f.key], f.value
          FROM pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(document -> 'facts') WHEN 'object' THEN document -> 'facts'
                                         ELSE '{}' END) AS f WHERE pg_catalog.jsonb_typeof(f.value) = 'object') AS o
    ORDER BY o.rank, o."position";
END;
COMMENT ON FUNCTION health_internal.sources(jsonb) IS
    'The sources of a document: kind, path for messages, place in the document; those of facts last, by their names';

CREATE FUNCTION health_internal.event_sources(document jsonb, OUT path text, OUT source jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.path, s.source FROM health_internal.sources(document) AS s WHERE s.kind = 'events';
END;
COMMENT ON FUNCTION health_internal.event_sources(jsonb) IS 'The event sources of a document with their paths';

-- One way of saying what can be said in several: defaults are written out, one source stands by itself, keys without a value are gone.
CREATE FUNCTION health_internal.canonical_document(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('time_zone', 'UTC', 'minimum_coverage', 0.5,
               --@for options where name is window_days
               '@name@', @default@,
               --@end
               'catalog', '{}'::jsonb,
               'unlisted_events', CASE WHEN coalesce(document -> 'catalog', '{}') = '{}' THEN 'count' ELSE 'ignore' END)
        || document
        || jsonb_build_object(
               'onboarding', '{"days": 7, "events": 1, "window_days": 28}'::jsonb || coalesce(document -> 'onboarding', '{}'),
               'history', '{"days": 56, "retention_months": 24}'::jsonb || coalesce(document -> 'history', '{}'))
        || coalesce((SELECT jsonb_object_agg(s.kind, s.sources)
                     FROM (SELECT s.kind, CASE WHEN count(*) = 1 THEN jsonb_agg(jsonb_strip_nulls(s.source)) -> 0
                                               ELSE jsonb_agg(jsonb_strip_nulls(s.source) ORDER BY s.source) END AS sources
                           FROM health_internal.sources(document) AS s WHERE s.kind <> 'facts' GROUP BY s.kind) AS s), '{}')
        || coalesce((SELECT jsonb_build_object('facts', jsonb_object_agg(s.place[2], jsonb_strip_nulls(s.source)))
                     FROM health_internal.sources(document) AS s WHERE s.kind = 'facts' HAVING count(*) > 0), '{}');
$$;
COMMENT ON FUNCTION health_internal.canonical_document(jsonb) IS
    'A complete document with its defaults written out: documents that are the same then differ in nothing that stands outside of the '
    'signals';

CREATE FUNCTION health_internal.words_of(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(
        (SELECT jsonb_object_agg(s.signal ->> 'name', s.signal -> 'description')
         FROM jsonb_path_query(document, '$.signals.** ? (@.type() == "object" && exists (@.name) && @.description.type() == "string")')
              AS s (signal)),
        (SELECT jsonb_object_agg(c.key, jsonb_strip_nulls(jsonb_build_object('label', c.value -> 'label',
                                                                             'description', c.value -> 'description')))
         FROM jsonb_each(CASE jsonb_typeof(document -> 'catalog') WHEN 'object' THEN document -> 'catalog' ELSE '{}' END) AS c
         WHERE jsonb_typeof(c.value) = 'object' AND c.value ?| '{label,description}'));
$$;
COMMENT ON FUNCTION health_internal.words_of(jsonb) IS 'What a document says to people, beside names, and of what';

CREATE FUNCTION health_internal.same_meaning(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.same_scoring(a, b)
       AND health_internal.canonical_document(a) - '{signals,variants,catalog,bands,relative_to_book}'::text[]
           = health_internal.canonical_document(b) - '{signals,variants,catalog,bands,relative_to_book}'::text[]
       AND health_internal.words_of(a) = health_internal.words_of(b);
$$;
COMMENT ON FUNCTION health_internal.same_meaning(jsonb, jsonb) IS
    'Whether two complete documents say the same, be it in other words: defaults written out, keys in another order, one source as an '
    'array';
