-- A role as pg_dump carries it from one cluster to another: by oid, written by name. regrole would be, but for roles that are not there: an
-- error for one of them, in a COPY, loses the models of all.

CREATE TYPE health_internal.role;
COMMENT ON TYPE health_internal.role IS
    'A role, by oid. Unlike regrole it takes the name of one that does not exist, as no role: a dump is restored where its roles are not';

CREATE FUNCTION health_internal.role_in(name cstring) RETURNS health_internal.role
    AS 'MODULE_PATHNAME', 'health_role_in'
    LANGUAGE C STRICT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.role_in(cstring) IS 'I/O';

CREATE FUNCTION health_internal.role_out(role health_internal.role) RETURNS cstring
    AS 'regroleout'
    LANGUAGE internal STRICT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.role_out(health_internal.role) IS 'I/O';

CREATE TYPE health_internal.role (
    INPUT = health_internal.role_in, OUTPUT = health_internal.role_out, LIKE = oid
);

-- What is stored parsed (views, defaults, BEGIN ATOMIC) uses these, not the casts: pg_upgrade makes casts last.
CREATE FUNCTION health_internal.may_act_as(role health_internal.role) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_may_act_as'
    LANGUAGE C STRICT STABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.may_act_as(health_internal.role) IS 'The same as may_act_as(oid)';

CREATE FUNCTION health_internal.regrole(role health_internal.role) RETURNS regrole
    AS 'MODULE_PATHNAME', 'health_regrole'
    LANGUAGE C STRICT IMMUTABLE LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.regrole(health_internal.role) IS 'The same role';

CREATE CAST (health_internal.role AS oid) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (health_internal.role AS oid) IS 'The same role';
CREATE CAST (health_internal.role AS regrole) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (health_internal.role AS regrole) IS 'The same role';
CREATE CAST (regrole AS health_internal.role) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (regrole AS health_internal.role) IS 'The same role';
