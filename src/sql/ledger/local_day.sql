-- Local days: AT TIME ZONE without its error for times whose local time, or whose time in UTC, PostgreSQL has no value for.

CREATE FUNCTION health_internal.to_local_day(moment timestamptz, zone text) RETURNS date
    AS 'MODULE_PATHNAME', 'health_to_local_day'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_local_day(timestamptz, text) IS
    'the local day of a time in a time zone: (moment AT TIME ZONE zone)::date, -infinity for a day before the first of all dates';

CREATE FUNCTION health_internal.to_moment(local_time timestamp, zone text) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'health_to_moment'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.to_moment(timestamp, text) IS
    'the time of a local time in a time zone: local_time AT TIME ZONE zone, infinite beyond the first and the last of all times';
