-- The schemas: health (made by CREATE EXTENSION) has what is documented, the others what it rests on. They belong to whom the objects of
-- the extension belong to: the superuser who installs it, else the bootstrap superuser. Nobody else creates anything in them, so that
-- whatever has a name there is what this script has made.

-- Names of objects are compared as texts below, and as they come.
SET LOCAL quote_all_identifiers = off;

-- CREATE EXTENSION takes a schema that is there already as it is: with its owner, his grants and what he has put into it, which names in
-- this script would find before those of pg_catalog.
DO $$
DECLARE
    installer CONSTANT name := CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user
                                    ELSE pg_catalog.current_setting('role') END;
    present record;
    object record;
BEGIN
    SELECT n.oid, o.rolname AS owner, o.rolsuper AS is_superuser INTO STRICT present
    FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE n.nspname OPERATOR(pg_catalog.=) 'health';
    IF NOT present.is_superuser AND present.owner OPERATOR(pg_catalog.<>) installer THEN
        RAISE EXCEPTION 'schema "health" belongs to %', present.owner
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'Whoever makes it could put things in the way of those of the extension.',
                  HINT = 'Drop or rename it: CREATE EXTENSION makes its own.';
    END IF;
    SELECT i.type, i.identity INTO object
    FROM pg_catalog.pg_depend AS d, pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS i
    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND d.refobjid OPERATOR(pg_catalog.=) present.oid
      AND NOT (i.type OPERATOR(pg_catalog.=) 'extension' AND i.identity OPERATOR(pg_catalog.=) 'account_health')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "health" is not empty: it has % %', object.type, object.identity
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Drop or rename it: CREATE EXTENSION makes its own.';
    END IF;
    EXECUTE pg_catalog.format('ALTER SCHEMA health OWNER TO %I', current_user);
    EXECUTE 'REVOKE ALL ON SCHEMA health FROM PUBLIC';
    FOR object IN SELECT DISTINCT a.grantee::pg_catalog.regrole AS role
                  FROM pg_catalog.pg_namespace AS n, pg_catalog.aclexplode(n.nspacl) AS a
                  WHERE n.oid OPERATOR(pg_catalog.=) present.oid AND a.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
                    AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON SCHEMA health FROM %s CASCADE', object.role);
    END LOOP;
END;
$$;

CREATE SCHEMA health_internal;
COMMENT ON SCHEMA health_internal IS
    'What the functions of schema health are made of. Nothing here is documented, and all of it may change with any version';

CREATE SCHEMA health_data;
COMMENT ON SCHEMA health_data IS
    'Ledgers, captured changes, scores and history of tracked models; each table belongs to the owner of its model';
