-- Volumes of ledgers: whether tracking broke, without reading events again.

-- A day that looks doubled is looked at in the ledgers, with the one a week before: what always comes in pairs came once.
CREATE FUNCTION health_internal.measure_divisors(source health_internal.ledger_source, day date)
    RETURNS TABLE (event text, divisor bigint, cells bigint)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT health_internal.plain_event(c.event), health_internal.common_divisor(c.count), count(*) FROM ('
        'SELECT health.rollup(k.usage) AS usage FROM %s AS k WHERE k.period = health_internal.period_start($1) '
        'GROUP BY k.account_id) AS u, '
        'LATERAL health.cells(health.slice(u.usage, $1, $1 + 1)) AS c WHERE NOT health_internal.is_marker(c.event) GROUP BY 1',
        source.chunk_table::regclass) USING day;
END;
$$;
COMMENT ON FUNCTION health_internal.measure_divisors(health_internal.ledger_source, date) IS
    'Of each event of a tracked source on a day the largest number that divides how often each user did it, and how many did';

CREATE FUNCTION health_internal.ledger_volumes(model text, from_day date, until_day date) RETURNS health_internal.volume[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    volumes health_internal.volume[] := ARRAY(
        SELECT ROW(s.path, d.event, d.day, d.events, NULL, NULL)::health_internal.volume
        FROM health_internal.ledger_source AS s JOIN health_internal.ledger_day AS d ON d.source = s.id
        WHERE s.model = ledger_volumes.model AND d.day >= from_day - 56 AND d.day < until_day);
BEGIN
    RETURN ARRAY(
        WITH suspect AS MATERIALIZED (
            SELECT DISTINCT s AS source, w.day FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o
            JOIN health_internal.ledger_source AS s ON s.model = ledger_volumes.model AND s.path = o.source,
                 LATERAL (VALUES (o.day), (o.day - 7)) AS w (day)
            WHERE o.kind = 'suspect'
        ), measured AS MATERIALIZED (
            SELECT (m.source).path AS source, m.day, d.* FROM suspect AS m, LATERAL health_internal.measure_divisors(m.source, m.day) AS d
        )
        SELECT ROW(v.source, v.event, v.day, v.events, m.divisor, m.cells)::health_internal.volume
        FROM unnest(volumes) AS v LEFT JOIN measured AS m ON m.source = v.source AND m.day = v.day AND m.event = v.event);
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_volumes(text, date, date) IS
    'Volumes of the sources of a tracked model, from 56 days before a day to the day before another; with divisors where a day may have '
    'come twice';

CREATE FUNCTION health_internal.ledger_sight(model text, document jsonb, as_of date, past_days integer) RETURNS health_internal.sight
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accepted CONSTANT date := greatest(health_internal.accepted_volume(document),
        (SELECT t.accepted_until FROM health_internal.tracking AS t WHERE t.model = ledger_sight.model));
    today CONSTANT date := (now() AT TIME ZONE coalesce(document ->> 'time_zone', 'UTC'))::date;
BEGIN
    IF accepted = 'infinity' THEN
        RETURN ROW(as_of, NULL, NULL)::health_internal.sight;
    END IF;
    RETURN health_internal.find_sight(health_internal.ledger_volumes(model, as_of - past_days - 41, least(as_of, today)), as_of, today,
                                      past_days, accepted);
END;
$$;
COMMENT ON FUNCTION health_internal.ledger_sight(text, jsonb, date, integer) IS
    'As of which day the book of a tracked model is seen at as_of, by its ledgers';
