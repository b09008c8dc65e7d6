-- Facts as streams of entries: the start of each, and where the source says when it ended the end of each, are read as events of reserved
-- names (src/core/ledger/fact_name.hpp). What reads, captures, folds and verifies events does so with facts.

CREATE FUNCTION health_internal.fact_streams(document jsonb, OUT path text, OUT source jsonb, OUT fact text, OUT ends boolean)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT s.path || CASE WHEN e.ends THEN '.until' ELSE '' END,
           s.source || CASE WHEN s.source ? 'value' THEN pg_catalog.jsonb_build_object('amount', s.source -> 'value') ELSE '{}' END,
           s.place[2], e.ends
    FROM health_internal.sources(document) AS s, (VALUES (false), (true)) AS e (ends)
    WHERE s.kind = 'facts' AND (NOT e.ends OR s.source ? 'until');
END;
COMMENT ON FUNCTION health_internal.fact_streams(jsonb) IS
    'The fact sources of a document as streams: of starts under the path of the source, of ends under path.until';

CREATE FUNCTION health_internal.ledger_sources(document jsonb, OUT path text, OUT source jsonb) RETURNS SETOF record
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT e.path, e.source FROM health_internal.event_sources(document) AS e
    UNION ALL
    SELECT f.path, f.source FROM health_internal.fact_streams(document) AS f;
END;
COMMENT ON FUNCTION health_internal.ledger_sources(jsonb) IS 'What a document has kept in ledgers: its event sources and streams of facts';

-- Of a model without users nobody can be named, and ids have no form of their own.
CREATE FUNCTION health_internal.compile_nobody(kind text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE kind WHEN 'bigint' THEN '0' WHEN 'uuid' THEN '''00000000-0000-0000-0000-000000000000''::pg_catalog.uuid'
                     ELSE '''''::pg_catalog.text' END;
END;
COMMENT ON FUNCTION health_internal.compile_nobody(text) IS 'SQL of the stand-in for the user of a fact that has none';

CREATE FUNCTION health_internal.compile_scale_fault(scale text, value text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('(%1$s) IS NOT NULL AND NOT ((%1$s) BETWEEN %2$s AND %3$s AND (%1$s)::pg_catalog.float8 = '
                  'pg_catalog.trunc((%1$s)::pg_catalog.float8))', value, s.low, s.high)
    FROM (VALUES ('nps', 0, 10), ('csat', 1, 5)) AS s (scale, low, high) WHERE s.scale = compile_scale_fault.scale;
$$;
COMMENT ON FUNCTION health_internal.compile_scale_fault(text, text) IS
    'SQL condition of an answer that is none on its scale; NULL where any number is one';

CREATE FUNCTION health_internal.compile_text_key(field health_internal.model_field) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_key(field.expression, field.type,
               ROW('text', health_internal.is_citext(field.type))::health_internal.id_form) || '::pg_catalog.text'
    WHERE field.expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_text_key(health_internal.model_field) IS
    'SQL of a field as the text that is in a name; NULL where the source has no such field';

-- By built-in functions alone, as capture wants it.
CREATE FUNCTION health_internal.compile_fact_name(fields health_internal.model_field[], place text, fact text, fact_source jsonb, zone text,
    ends boolean) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %s THEN '''' ELSE %s || %s || ''/'' || pg_catalog.translate(coalesce(%s, ''''), ''/'', ''_'') || ''/'' '
                  '|| coalesce(%s, '''') END',
        concat_ws(' OR ', 'false',
            CASE WHEN until.expression IS NOT NULL AND NOT ends
                 THEN format('(%s) IS NOT NULL AND (%s) < (%s)', until.expression, d.until_day, d.at_day) END,
            CASE WHEN NOT ends THEN health_internal.compile_scale_fault(fact_source ->> 'scale', value.expression) END),
        CASE WHEN ends THEN quote_literal('$/-' || fact || '/')
             WHEN person.expression IS NULL THEN quote_literal('$/*' || fact || '/')
             ELSE format('CASE WHEN (%s) IS NULL THEN %L ELSE %L END', person.expression, '$/*' || fact || '/', '$/+' || fact || '/') END,
        CASE WHEN ends THEN format('CASE WHEN pg_catalog.isfinite(%1$s) AND pg_catalog.isfinite(%2$s) THEN (%1$s) - (%2$s) END'
                                    '::pg_catalog.text',
                                    d.until_day, d.at_day)
             WHEN fact_source ->> 'scale' IN ('nps', 'csat')
                 THEN format('coalesce((%s)::pg_catalog.int4::pg_catalog.text, '''')', value.expression)
             ELSE '''''' END,
        coalesce(n.currency, ''''''), coalesce(n.kind, ''''''))
    FROM health_internal.field_of(fields, place, 'at') AS at, health_internal.field_of(fields, place, 'until') AS until,
         health_internal.field_of(fields, place, 'value') AS value, health_internal.field_of(fields, place, 'user') AS person,
         health_internal.field_of(fields, place, 'kind') AS kind, health_internal.field_of(fields, place, 'currency') AS currency,
         LATERAL (SELECT health_internal.compile_plain_day(at.expression, at.type, fact_source ->> 'time_zone', zone) AS at_day,
                         health_internal.compile_plain_day(until.expression, until.type, fact_source ->> 'time_zone', zone)
                             AS until_day) AS d,
         LATERAL (SELECT health_internal.compile_text_key(kind) AS kind, health_internal.compile_text_key(currency) AS currency) AS n;
$$;
COMMENT ON FUNCTION health_internal.compile_fact_name(health_internal.model_field[], text, text, jsonb, text, boolean) IS
    'SQL of the name of the entry of a fact, of its start or its end; empty for a fact that cannot be: its end is before its start, its '
    'answer none on the scale';

-- Ends of facts that cannot be are left out here; their starts are counted as bad rows.
CREATE FUNCTION health_internal.compile_fact_ends(fields health_internal.model_field[], place text, fact_source jsonb, zone text)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(' AND ', '(' || wanted.expression || ')', format('(%1$s) IS NOT NULL AND pg_catalog.isfinite(%1$s)', until.expression),
        format('pg_catalog.isfinite(%1$s) AND pg_catalog.isfinite(%2$s) AND (%2$s) >= (%1$s)', d.at_day, d.until_day),
        'NOT (' || health_internal.compile_scale_fault(fact_source ->> 'scale', value.expression) || ')')
    FROM health_internal.field_of(fields, place, 'at') AS at, health_internal.field_of(fields, place, 'until') AS until,
         health_internal.field_of(fields, place, 'filter') AS wanted, health_internal.field_of(fields, place, 'value') AS value,
         LATERAL (SELECT health_internal.compile_plain_day(at.expression, at.type, fact_source ->> 'time_zone', zone) AS at_day,
                         health_internal.compile_plain_day(until.expression, until.type, fact_source ->> 'time_zone', zone)
                             AS until_day) AS d;
$$;
COMMENT ON FUNCTION health_internal.compile_fact_ends(health_internal.model_field[], text, jsonb, text) IS
    'SQL condition of the facts that have an end';

-- The fields that events have, for each stream: of what reads events none knows that these are facts.
CREATE FUNCTION health_internal.fact_stream_fields(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone CONSTANT text := coalesce(document ->> 'time_zone', 'UTC');
    user_kind CONSTANT text := (health_internal.user_form(fields)).kind;
    stream record;
    place text;
    field health_internal.model_field;
    moment health_internal.model_field;
    known health_internal.model_field;
BEGIN
    FOR stream IN SELECT s.* FROM health_internal.fact_streams(document) AS s LOOP
        place := regexp_replace(stream.path, '\.until$', '');
        CONTINUE WHEN EXISTS (SELECT FROM unnest(fields) AS f WHERE f.source = place AND f.problem IS NOT NULL)
                   OR (health_internal.field_of(fields, place, 'at')).expression IS NULL;
        moment := health_internal.field_of(fields, place, CASE WHEN stream.ends THEN 'until' ELSE 'at' END);
        moment.source := stream.path;
        moment.field := 'occurred_at';
        RETURN NEXT moment;
        field := moment;
        field.field := 'event';
        field.type := 'text'::regtype;
        field.expression := health_internal.compile_fact_name(fields, place, stream.fact, stream.source, zone, stream.ends);
        known := health_internal.field_of(fields, place, 'known_at');
        IF known.expression IS NOT NULL THEN
            field.expression := health_internal.compile_known_event('(' || field.expression || ')', moment, known,
                stream.source ->> 'time_zone', zone);
        END IF;
        field.expression := '(' || field.expression || ')';
        RETURN NEXT field;
        field := health_internal.field_of(fields, place, 'user');
        field.source := stream.path;
        field.field := 'user';
        field.path := coalesce(field.path, place);
        field.from_item := moment.from_item;
        field.expression := format('(coalesce(%s, %s))', coalesce(field.expression || health_internal.id_cast(user_kind), 'NULL'),
                                   health_internal.compile_nobody(user_kind));
        RETURN NEXT field;
        field := health_internal.field_of(fields, place, 'value');
        IF field.expression IS NOT NULL THEN
            field.source := stream.path;
            field.field := 'amount';
            RETURN NEXT field;
        END IF;
        IF stream.ends THEN
            FOR field IN SELECT f.* FROM unnest(fields) AS f WHERE f.source = place AND f.field IN ('from', 'account') LOOP
                field.source := stream.path;
                RETURN NEXT field;
            END LOOP;
            field := moment;
            field.field := 'filter';
            field.type := 'boolean'::regtype;
            field.expression := health_internal.compile_fact_ends(fields, place, stream.source, zone);
            RETURN NEXT field;
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.fact_stream_fields(jsonb, health_internal.model_field[]) IS
    'Fields of the streams of facts, named as those of events: occurred_at, event, user, amount, of ends also from, account and filter';
