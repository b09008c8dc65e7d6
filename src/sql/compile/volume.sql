-- As of which day a book is seen: the day that is asked for, or where tracking broke the first broken day.

CREATE FUNCTION health_internal.accepted_volume(document jsonb) RETURNS datemultirange
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN document ->> 'volume' = 'ignore' THEN '{(,)}'::datemultirange
                ELSE datemultirange(daterange((document #>> '{volume,accepted_from}')::date, (document #>> '{volume,accepted_until}')::date,
                                              '[]')) END
    WHERE document ? 'volume';
$$;
COMMENT ON FUNCTION health_internal.accepted_volume(jsonb) IS
    'The days of which volumes are taken as they are, by a document; NULL: none';

CREATE FUNCTION health_internal.counted_events(document jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT jsonb_object_keys(document -> 'catalog'))
    WHERE jsonb_typeof(document -> 'catalog') = 'object' AND document -> 'catalog' <> '{}'
      AND document ->> 'unlisted_events' IS DISTINCT FROM 'count';
$$;
COMMENT ON FUNCTION health_internal.counted_events(jsonb) IS 'The names of the events that count; NULL: all do';

-- The condition on the time is for an index: it reaches some hours further than the days.
CREATE FUNCTION health_internal.compile_volumes(document jsonb, fields health_internal.model_field[], clock text, past_days integer)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format(
        'SELECT %1$L::pg_catalog.text AS source, d.event, d.day, pg_catalog.sum(d.events)::pg_catalog.int8 AS events, '
        'health_internal.common_divisor(d.divisor) AS divisor, pg_catalog.sum(d.cells)::pg_catalog.int8 AS cells, '
        'pg_catalog.sum(d.largest)::pg_catalog.int8 AS largest FROM ('
        'SELECT CASE WHEN pg_catalog.sum(pg_catalog.sum(a.n)) OVER (PARTITION BY a.event) >= health_internal.least_volume() '
        'THEN a.event END AS event, a.day, pg_catalog.sum(a.n) AS events, health_internal.common_divisor(a.divisor) AS divisor, '
        'pg_catalog.sum(a.cells) AS cells, pg_catalog.max(a.n) AS largest FROM ('
        'SELECT c.event, c.day, pg_catalog.sum(c.n) AS n, health_internal.common_divisor(c.n) AS divisor, pg_catalog.count(*) AS cells '
        'FROM (SELECT e.account_id, %6$s AS event, %2$s AS day, pg_catalog.count(*) AS n FROM (%3$s) AS e '
        'WHERE e.account_id IS NOT NULL AND e.user_id IS NOT NULL AND NOT health_internal.is_marker(e.event_name)%7$s '
        'AND health_internal.is_event(e.occurred_at, e.event_name, e.amount) '
        'AND e.occurred_at >= %4$s AND e.occurred_at < %5$s GROUP BY 1, e.user_id, 2, 3) AS c '
        'GROUP BY c.account_id, c.event, c.day) AS a GROUP BY a.event, a.day) AS d GROUP BY d.event, d.day',
        s.path, health_internal.local_day('e.occurred_at', CASE WHEN m.zone IS NULL THEN 'pg_catalog.date'::regtype
            ELSE 'pg_catalog.timestamptz'::regtype END, NULL, m.zone),
        health_internal.compile_event_rows(fields, s.path, s.source ->> 'time_zone', '', health_internal.user_cast(fields)),
        format(d.day, format('%s - %s', clock, health_internal.volume_days(past_days) + 1)), format(d.day, format('%s + 1', clock)),
        n.event,
        ' AND ' || n.event || ' = ANY (' || quote_literal(health_internal.counted_events(document)::text) || '::pg_catalog.text[])'),
        ' UNION ALL ')
    FROM health_internal.event_sources(document) AS s,
         LATERAL (SELECT health_internal.moment_zone(health_internal.field_of(fields, s.path, 'occurred_at'), s.source ->> 'time_zone',
             coalesce(document ->> 'time_zone', 'UTC'))) AS m (zone),
         LATERAL (SELECT CASE WHEN s.source ? 'known_at' THEN 'health_internal.plain_event(e.event_name)'
                              ELSE 'e.event_name' END) AS n (event),
         LATERAL (SELECT CASE WHEN m.zone IS NULL THEN '(%s)'
                              ELSE format('((%%s)::pg_catalog.timestamp AT TIME ZONE %L)', m.zone) END) AS d (day);
$$;
COMMENT ON FUNCTION health_internal.compile_volumes(jsonb, health_internal.model_field[], text, integer) IS
    'SQL of the volumes of all event sources, as many days before the clock as outages of so many past days take; NULL without sources';

CREATE FUNCTION health_internal.compile_volume_array(document jsonb, fields health_internal.model_field[], clock text, past_days integer)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce('ARRAY(SELECT ROW(v.source, v.event, v.day, v.events, v.divisor, v.cells, v.largest)::health_internal.volume FROM ('
                    || health_internal.compile_volumes(document, fields, clock, past_days) || ') AS v)', 'NULL::health_internal.volume[]');
$$;
COMMENT ON FUNCTION health_internal.compile_volume_array(jsonb, health_internal.model_field[], text, integer) IS
    'SQL of the volumes of all event sources as an array; NULL without sources';

CREATE FUNCTION health_internal.compile_today(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('(pg_catalog.now() AT TIME ZONE %L)::pg_catalog.date', coalesce(document ->> 'time_zone', 'UTC'));
END;
COMMENT ON FUNCTION health_internal.compile_today(jsonb) IS 'SQL of the running day of a model, which is not over yet';

CREATE FUNCTION health_internal.compile_sight(document jsonb, fields health_internal.model_field[], as_of date, usage_from text,
    model_name text, past_days integer) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    clock CONSTANT text := health_internal.model_clock(document, as_of);
BEGIN
    IF usage_from = 'roster' THEN
        RETURN format('SELECT t.as_of, t.outages, t.broken FROM %s AS t', health_internal.data_table('state',
            (health_internal.find_tracking(model_name)).id));
    ELSIF usage_from = 'ledger' THEN
        RETURN (SELECT format('SELECT %L::pg_catalog.date AS as_of, %L::pg_catalog.date[] AS outages, %L::pg_catalog.text AS broken',
                              l.as_of, l.outages, l.broken)
                FROM health_internal.ledger_sight(model_name, document, coalesce(compile_sight.as_of,
                    health_internal.model_today(document)), past_days) AS l);
    ELSIF usage_from <> 'events' OR document -> 'events' IS NULL OR document ->> 'volume' = 'ignore' THEN
        RETURN format('SELECT %s AS as_of, NULL::pg_catalog.date[] AS outages, NULL::pg_catalog.text AS broken', clock);
    END IF;
    RETURN format('SELECT found.* FROM health_internal.find_sight(%s, %s, %s, %s, %L::pg_catalog.datemultirange) AS found',
                  health_internal.compile_volume_array(document, fields, clock, past_days), clock, health_internal.compile_today(document),
                  past_days, health_internal.accepted_volume(document));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_sight(jsonb, health_internal.model_field[], date, text, text, integer) IS
    'SQL of the row that says as of which day a book is seen: by the events, the ledgers of a tracked model, or what its last refresh '
    'found';
