-- Volumes of ledgers: whether tracking broke, without reading events again.

-- What looks odd is looked at in the ledgers, with the days a week and two before: what always comes in pairs came once, and what one
-- account does is not what a source does.
CREATE FUNCTION health_internal.measure_volume(source health_internal.ledger_source, day date)
    RETURNS TABLE (event text, divisor bigint, cells bigint, largest bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT a.event, health_internal.common_divisor(a.divisor), sum(a.cells)::bigint, max(a.events)::bigint FROM ('
        'SELECT n.event, sum(n.events) AS events, health_internal.common_divisor(n.events) AS divisor, count(*) AS cells FROM ('
        'SELECT k.account_id, health_internal.plain_event(c.event) AS event, sum(c.count)::bigint AS events FROM %s AS k, '
        'LATERAL health.cells(health.slice(k.usage, $1, $1 + 1)) AS c WHERE k.period = health_internal.period_start($1) '
        'AND NOT health_internal.is_marker(c.event) GROUP BY k.account_id, c.user_id, 2 HAVING sum(c.count) <> 0) AS n '
        'GROUP BY n.account_id, n.event) AS a GROUP BY a.event',
        source.chunk_table::regclass) USING day;
END;
$$;
COMMENT ON FUNCTION health_internal.measure_volume(health_internal.ledger_source, date) IS
    'Of each event of a tracked source on a day the largest number that divides how often each user did it, how many did, and how many '
    'events are of the account that has most';

CREATE FUNCTION health_internal.ledger_volumes(model text, document jsonb, from_day date, until_day date) RETURNS health_internal.volume[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names CONSTANT text[] := health_internal.counted_events(document);
    volumes health_internal.volume[] := ARRAY(
        SELECT ROW(c.path, c.event, c.day, sum(c.events)::bigint, NULL, NULL, NULL)::health_internal.volume
        FROM (SELECT s.path, CASE WHEN sum(d.events) OVER (PARTITION BY s.id, d.event) >= health_internal.least_volume()
                                  THEN d.event END AS event, d.day, d.events
              FROM health_internal.ledger_source AS s, LATERAL (    -- source by source: facts have no such days
                  SELECT l.* FROM health_internal.ledger_day AS l
                  WHERE l.source = s.id AND l.day >= from_day - 56 AND l.day < until_day OFFSET 0) AS d
              WHERE s.model = ledger_volumes.model AND NOT health_internal.is_fact_path(s.path)
                AND (names IS NULL OR d.event = ANY (names))) AS c
        GROUP BY c.path, c.event, c.day);
    looked_at text[] := ARRAY[]::text[];
    places text[];
BEGIN
    LOOP
        places := ARRAY(
            SELECT DISTINCT s.id || '/' || w.day FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o
            JOIN health_internal.ledger_source AS s ON s.model = ledger_volumes.model AND s.path = o.source,
                 LATERAL (VALUES (o.day), (o.day - 7), (o.day - 14)) AS w (day)
            WHERE o.kind = 'suspect' AND s.id || '/' || w.day <> ALL (looked_at));
        EXIT WHEN places = '{}';
        looked_at := looked_at || places;
        volumes := ARRAY(
            WITH measured AS MATERIALIZED (
                SELECT n.source, n.day, n.event, health_internal.common_divisor(n.divisor) AS divisor, sum(n.cells)::bigint AS cells,
                       sum(n.largest)::bigint AS largest
                FROM (SELECT s.path AS source, split_part(p.place, '/', 2)::date AS day, v.event, m.divisor, m.cells, m.largest
                      FROM unnest(places) AS p (place)
                      JOIN health_internal.ledger_source AS s ON s.id = split_part(p.place, '/', 1)::integer
                      CROSS JOIN LATERAL health_internal.measure_volume(s, split_part(p.place, '/', 2)::date) AS m
                      LEFT JOIN (SELECT DISTINCT u.source, u.event FROM unnest(volumes) AS u) AS v
                          ON v.source = s.path AND v.event = m.event
                      WHERE names IS NULL OR m.event = ANY (names)) AS n
                GROUP BY n.source, n.day, n.event
            )
            SELECT ROW(v.source, v.event, v.day, v.events, coalesce(m.divisor, v.divisor), coalesce(m.cells, v.cells),
                       coalesce(m.largest, v.largest))::health_internal.volume
            FROM unnest(volumes) AS v LEFT JOIN measured AS m ON m.source = v.source AND m.day = v.day
                AND m.event IS NOT DISTINCT FROM v.event);
    END LOOP;
    RETURN volumes;
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_volumes(text, jsonb, date, date) IS
    'Volumes of the sources of a tracked model, from 56 days before a day to the day before another; with what it takes to judge days that '
    'look odd';

CREATE FUNCTION health_internal.ledger_sight(model text, document jsonb, as_of date, past_days integer) RETURNS health_internal.sight
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accepted CONSTANT datemultirange := coalesce(health_internal.accepted_volume(document), '{}')
        + coalesce((SELECT t.accepted FROM health_internal.tracking AS t WHERE t.model = ledger_sight.model), '{}');
    today CONSTANT date := (now() AT TIME ZONE coalesce(document ->> 'time_zone', 'UTC'))::date;
BEGIN
    IF document ->> 'volume' = 'ignore' THEN
        RETURN ROW(as_of, NULL, NULL)::health_internal.sight;
    END IF;
    RETURN health_internal.find_sight(health_internal.ledger_volumes(model, document, as_of - past_days - 41, least(as_of, today)), as_of,
                                      today, past_days, accepted);
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_sight(text, jsonb, date, integer) IS
    'As of which day the book of a tracked model is seen at as_of, by its ledgers';
