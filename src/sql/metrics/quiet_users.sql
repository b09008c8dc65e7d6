-- Who fell silent. Contributions are events, or value points with by_value.

--@for readers where name is concentration
CREATE FUNCTION health.quiet_users(usage health.usage, as_of date@options:,\n    {name} {type} DEFAULT {default}@,
    OUT user_id text, OUT last_day date, OUT before float8, OUT now float8, OUT lost float8, OUT share_of_fall float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_quiet_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.quiet_users(health.usage, date@options:, {type}@) IS
    'the users who did at most half as much in the window as in the one before it: the day on which they were last seen, contributions in '
    'the window before and now, what was lost, and its share of what all users who did less lost together; largest losses first, ties '
    'by id';
--@end
