-- How much of an account hangs on few users, as a table and as one record. Contributions are events, or value points with by_value.

CREATE TYPE health.concentration_record AS (
    users bigint,
    total float8,
    top1 float8,
    top2 float8,
    top3 float8,
    hhi float8,
    effective_users float8,
    hhi_normalized float8,
    gini float8,
    absence_factor bigint
);
COMMENT ON TYPE health.concentration_record IS 'how much of a total hangs on few users';
COMMENT ON COLUMN health.concentration_record.users IS 'users with a contribution';
COMMENT ON COLUMN health.concentration_record.total IS 'sum of the contributions';
COMMENT ON COLUMN health.concentration_record.top1 IS 'share of the largest contribution: power-user dependency';
COMMENT ON COLUMN health.concentration_record.top2 IS 'share of the two largest';
COMMENT ON COLUMN health.concentration_record.top3 IS 'share of the three largest';
COMMENT ON COLUMN health.concentration_record.hhi IS 'sum of the squared shares (Herfindahl-Hirschman index)';
COMMENT ON COLUMN health.concentration_record.effective_users IS '1 / hhi: equally active users with the same concentration';
COMMENT ON COLUMN health.concentration_record.hhi_normalized IS '(hhi - 1/n) / (1 - 1/n): 0 even, 1 one user does all; NULL for one user';
COMMENT ON COLUMN health.concentration_record.gini IS 'Gini coefficient; 0 for one user, so never show it alone';
COMMENT ON COLUMN health.concentration_record.absence_factor IS 'fewest users who reach half of the total';

--@for readers where name is concentration
CREATE FUNCTION health.concentration(usage health.usage, as_of date@options:,\n    {name} {type} DEFAULT {default}@)
    RETURNS health.concentration_record
    AS 'MODULE_PATHNAME', 'health_concentration_reader'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION health.concentration(health.usage, date@options:, {type}@) IS
    'concentration of the contributions of the users active in the window';

CREATE FUNCTION health.top_users(usage health.usage, as_of date, top_k integer DEFAULT 5@options:,\n    {name} {type} DEFAULT {default}@,
    OUT user_id text, OUT contribution float8, OUT share float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_top_users'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 500 ROWS 5;
COMMENT ON FUNCTION health.top_users(health.usage, date, integer@options:, {type}@) IS
    'the users with the largest contributions in the window and their shares, largest first, ties by id';
--@end
