-- Parts of a ledger: a range of days, all but some users.

CREATE FUNCTION health.slice(usage health.usage, from_day date, until_day date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_slice'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.slice(health.usage, date, date) IS
    'the cells of the ledger with from_day <= day < until_day; NULL leaves an end open';

CREATE FUNCTION health.without_users(usage health.usage, user_ids text[]) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_users'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_users(health.usage, text[]) IS
    'the ledger without these users, given in the text form of their ids; text that is no id of the ledger''s type is in no ledger. '
    'Unchanged when none is in it';
