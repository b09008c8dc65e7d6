-- Whether tracking broke: volumes of sources by day and event, days that are odd, and the day as of which accounts are seen.

CREATE AGGREGATE health_internal.common_divisor(bigint) (
    SFUNC = pg_catalog.gcd, STYPE = bigint, INITCOND = '0', COMBINEFUNC = pg_catalog.gcd, PARALLEL = SAFE
);
COMMENT ON AGGREGATE health_internal.common_divisor(bigint) IS 'The largest number that divides all of them; 0 of none';

CREATE TYPE health_internal.volume AS (
    source text,
    event text,
    day date,
    events bigint,
    divisor bigint,
    cells bigint,
    largest bigint
);
COMMENT ON TYPE health_internal.volume IS 'Internal: what a source has of one event on one day';
COMMENT ON COLUMN health_internal.volume.source IS 'Path of the source in the document';
COMMENT ON COLUMN health_internal.volume.event IS 'Name of the event; NULL: all those that are too rare to be missed';
COMMENT ON COLUMN health_internal.volume.day IS 'Local day';
COMMENT ON COLUMN health_internal.volume.events IS 'How many of them there are';
COMMENT ON COLUMN health_internal.volume.divisor IS
    'The largest number that divides how often each user did it; NULL: not looked at';
COMMENT ON COLUMN health_internal.volume.cells IS 'How many users of accounts did it; NULL: not looked at';
COMMENT ON COLUMN health_internal.volume.largest IS 'How many are of the account that has most; NULL: not looked at';

-- Ids in the names of events make millions of names.
CREATE FUNCTION health_internal.least_volume() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 200;
END;
COMMENT ON FUNCTION health_internal.least_volume() IS
    'An event of which there are fewer is on no day missed: four of eight days must have had 50';

CREATE FUNCTION health_internal.odd_days(first_day date, events bigint[], divisors bigint[], cells bigint[], largest bigint[],
    whole_source boolean, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_odd_days'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100 ROWS 2;
COMMENT ON FUNCTION health_internal.odd_days(date, bigint[], bigint[], bigint[], bigint[], boolean) IS
    'The days on which far fewer events came than usual (lost: under a fifth of the median of the weekday in the 8 weeks before, from 50 '
    'on), far more (flood: over five times as much, of a whole source), or all of them several times (doubled); each without the '
    'account that has most, largest. Suspect: what says so, -1, is not known yet. The '
    'arrays are of one day after the other from the first one on; the first 56 are not judged';

CREATE FUNCTION health_internal.join_outages(days date[], judged_until date) RETURNS date[]
    AS 'MODULE_PATHNAME', 'health_join_outages'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.join_outages(date[], date) IS
    'First and last days, by turns, of runs of the given days, which ascend; the last one is infinity when it is the day before '
    'judged_until. NULL without any';

CREATE FUNCTION health_internal.seen_as_of(as_of date, outages date[]) RETURNS date
    AS 'MODULE_PATHNAME', 'health_seen_as_of'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.seen_as_of(date, date[]) IS
    'The day as of which accounts are seen: the first day of the outage that the day before as_of is in, at most 35 days back; else as_of';

-- Arrays are taken for a few rows, so that without a word everything would be compared with everything.
CREATE FUNCTION health_internal.odd_volumes(volumes health_internal.volume[], from_day date, until_day date,
    OUT source text, OUT event text, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
SET enable_mergejoin = off
SET jit = off
AS $$
    WITH of_event AS (
        SELECT v.* FROM unnest(volumes) AS v WHERE v.day >= from_day - 56 AND v.day < until_day AND v.events > 0
    ), counted AS (
        SELECT e.* FROM of_event AS e WHERE e.event IS NOT NULL
        UNION ALL
        SELECT e.source, '', e.day, sum(e.events)::bigint, CASE WHEN bool_and(e.divisor IS NOT NULL)
            THEN health_internal.common_divisor(e.divisor) END, sum(e.cells)::bigint,
               CASE WHEN bool_and(e.largest IS NOT NULL) THEN sum(e.largest) END::bigint
        FROM of_event AS e GROUP BY e.source, e.day
    ), series AS (
        SELECT c.source, c.event FROM counted AS c GROUP BY c.source, c.event HAVING sum(c.events) >= health_internal.least_volume()
    ), dense AS (
        SELECT s.source, s.event, array_agg(coalesce(c.events, 0) ORDER BY d.day) AS events,
               array_agg(CASE WHEN c.events IS NULL THEN 0 ELSE coalesce(c.divisor, -1) END ORDER BY d.day) AS divisors,
               array_agg(coalesce(c.cells, 0) ORDER BY d.day) AS cells,
               array_agg(CASE WHEN c.events IS NULL THEN 0 ELSE coalesce(c.largest, -1) END ORDER BY d.day) AS largest
        FROM series AS s CROSS JOIN (SELECT from_day - 56 + n AS day FROM generate_series(0, until_day - from_day + 55) AS n) AS d
        LEFT JOIN counted AS c ON c.source = s.source AND c.event = s.event AND c.day = d.day
        GROUP BY s.source, s.event
    )
    SELECT d.source, nullif(d.event, ''), o.day, o.kind, o.seen, o.usual, o.times
    FROM dense AS d, LATERAL health_internal.odd_days(from_day - 56, d.events, d.divisors, d.cells, d.largest, d.event = '') AS o;
$$;
COMMENT ON FUNCTION health_internal.odd_volumes(health_internal.volume[], date, date) IS
    'Odd days of sources (event NULL) and of their events from one day to the day before another; volumes begin 56 days earlier';

-- Who said that an outage is how it is said so of all of it: an event that was given up is missed until it is usual that it does not come.
CREATE FUNCTION health_internal.broken_volumes(volumes health_internal.volume[], from_day date, until_day date, accepted datemultirange,
    OUT source text, OUT event text, OUT day date, OUT kind text, OUT seen bigint, OUT usual float8, OUT times bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.source, r.event, r.day, r.kind, r.seen, r.usual, r.times
    FROM (SELECT n.*, bool_or(n.day <@ accepted) OVER (PARTITION BY n.source, n.event, n.run) AS taken
          FROM (SELECT o.*, o.day - (row_number() OVER (PARTITION BY o.source, o.event ORDER BY o.day))::integer AS run
                FROM health_internal.odd_volumes(volumes, from_day, until_day) AS o WHERE o.kind <> 'suspect') AS n) AS r
    WHERE r.taken IS NOT TRUE;
$$;
COMMENT ON FUNCTION health_internal.broken_volumes(health_internal.volume[], date, date, datemultirange) IS
    'Odd days of sources and events, less those in a row with a day that was accepted';

CREATE FUNCTION health_internal.describe_odd_volume(source text, event text, day date, kind text, seen bigint, usual float8, times bigint)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%s had %s events on %s%s, usually about %s on that weekday', concat_ws(' ', source, '"' || event || '"'), seen,
                  health_internal.iso_text(day),
                  CASE kind WHEN 'doubled' THEN format(', all of them %s times', times) ELSE '' END, round(usual::numeric));
$$;
COMMENT ON FUNCTION health_internal.describe_odd_volume(text, text, date, text, bigint, float8, bigint) IS 'An odd day in words';

CREATE TYPE health_internal.sight AS (
    as_of date,
    outages date[],
    broken text
);
COMMENT ON TYPE health_internal.sight IS 'Internal: how much is to be seen of a book on a day';
COMMENT ON COLUMN health_internal.sight.as_of IS 'The day as of which its accounts are scored';
COMMENT ON COLUMN health_internal.sight.outages IS 'First and last days, by turns, on which tracking was broken, as far back as was asked';
COMMENT ON COLUMN health_internal.sight.broken IS 'Why as_of is earlier than the day; NULL: it is the day';

-- How far before the day that is asked for volumes tell something: an outage holds back 35 days at most, and
-- what is usual takes 8 weeks.
CREATE FUNCTION health_internal.volume_days(past_days integer) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT past_days + 41 + 56;
END;
COMMENT ON FUNCTION health_internal.volume_days(integer) IS
    'Days of volumes before the day that is asked for, which it takes to know the outages of so many past days';

CREATE FUNCTION health_internal.find_sight(volumes health_internal.volume[], as_of date, today date, past_days integer,
    accepted datemultirange) RETURNS health_internal.sight
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH odd AS MATERIALIZED (
        SELECT o.* FROM health_internal.broken_volumes(volumes, find_sight.as_of - past_days - 41, least(find_sight.as_of, today),
                                                       accepted) AS o
    ), found AS MATERIALIZED (
        SELECT f.outages, health_internal.seen_as_of(find_sight.as_of, f.outages) AS as_of
        FROM (SELECT health_internal.join_outages(ARRAY(SELECT DISTINCT o.day FROM odd AS o ORDER BY 1),
                                                  least(find_sight.as_of, today)) AS outages) AS f
    )
    SELECT f.as_of, f.outages, CASE WHEN f.as_of < find_sight.as_of THEN (
        SELECT 'tracking_broke: ' || health_internal.describe_odd_volume(o.source, o.event, o.day, o.kind, o.seen, o.usual, o.times)
        FROM odd AS o WHERE o.day >= f.as_of ORDER BY o.day, o.event IS NOT NULL, o.source, o.usual DESC, o.event LIMIT 1) END
    FROM found AS f;
$$;
COMMENT ON FUNCTION health_internal.find_sight(health_internal.volume[], date, date, integer, datemultirange) IS
    'As of which day accounts are seen at as_of, by the volumes of days that are over (before today); outages with an accepted day are '
    'taken as they are';
