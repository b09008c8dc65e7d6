-- Operators on health.usage: an abelian group, equality and hashing.

CREATE FUNCTION health_internal.usage_eq(a health.usage, b health.usage) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_usage_eq'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION health_internal.usage_eq(health.usage, health.usage) IS 'implementation of = operator';

CREATE FUNCTION health_internal.usage_ne(a health.usage, b health.usage) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_usage_ne'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION health_internal.usage_ne(health.usage, health.usage) IS 'implementation of <> operator';

CREATE FUNCTION health_internal.usage_hash(usage health.usage) RETURNS integer
    AS 'MODULE_PATHNAME', 'health_usage_hash'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF COST 5;
COMMENT ON FUNCTION health_internal.usage_hash(health.usage) IS 'hash';

CREATE FUNCTION health_internal.usage_hash_extended(usage health.usage, seed bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'health_usage_hash_extended'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF COST 5;
COMMENT ON FUNCTION health_internal.usage_hash_extended(health.usage, bigint) IS 'hash with a seed';

CREATE FUNCTION health_internal.usage_add(a health.usage, b health.usage) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_add'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_add(health.usage, health.usage) IS 'implementation of + operator';

CREATE FUNCTION health_internal.add_to_chunk(chunk health.usage, more health.usage, account text, period date) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_add_to_chunk'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.add_to_chunk(health.usage, health.usage, text, date) IS
    'The same sum as +, of ledgers of an account and quarter that an error names';

CREATE FUNCTION health_internal.usage_subtract(a health.usage, b health.usage) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_usage_subtract'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health_internal.usage_subtract(health.usage, health.usage) IS 'implementation of - operator';

CREATE OPERATOR health.= (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_eq,
    COMMUTATOR = OPERATOR(health.=), NEGATOR = OPERATOR(health.<>), RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES
);
COMMENT ON OPERATOR health.= (health.usage, health.usage) IS 'same ledger';

CREATE OPERATOR health.<> (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_ne,
    COMMUTATOR = OPERATOR(health.<>), NEGATOR = OPERATOR(health.=), RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR health.<> (health.usage, health.usage) IS 'different ledgers';

CREATE OPERATOR health.+ (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_add, COMMUTATOR = OPERATOR(health.+)
);
COMMENT ON OPERATOR health.+ (health.usage, health.usage) IS 'add two ledgers, cell by cell';

CREATE OPERATOR health.- (
    LEFTARG = health.usage, RIGHTARG = health.usage, FUNCTION = health_internal.usage_subtract
);
COMMENT ON OPERATOR health.- (health.usage, health.usage) IS 'subtract a ledger, cell by cell: (a - b) + b is byte for byte a';

CREATE OPERATOR CLASS health.usage_hash_ops DEFAULT FOR TYPE health.usage USING hash AS
    OPERATOR 1 health.=,
    FUNCTION 1 health_internal.usage_hash(health.usage),
    FUNCTION 2 health_internal.usage_hash_extended(health.usage, bigint);
COMMENT ON OPERATOR CLASS health.usage_hash_ops USING hash IS 'GROUP BY, DISTINCT and hash joins on health.usage';

CREATE FUNCTION health.without_user(usage health.usage, user_id text) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_text'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, text) IS
    'the ledger without one user, given in the text form of the ledger''s id type; unchanged when the user is not in it';

CREATE FUNCTION health.without_user(usage health.usage, user_id bigint) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_bigint'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, bigint) IS 'the ledger without one user; unchanged when the user is not in it';

CREATE FUNCTION health.without_user(usage health.usage, user_id uuid) RETURNS health.usage
    AS 'MODULE_PATHNAME', 'health_without_user_uuid'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION health.without_user(health.usage, uuid) IS 'the ledger without one user; unchanged when the user is not in it';
