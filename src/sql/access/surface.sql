-- What people call, as they call it: an error of theirs comes as message, detail and hint, without the frames and the SQL of what is
-- inside. A function of schema health that is written in SQL or PL/pgSQL is therefore two: it stands where its file has it, and at the end
-- of the script its body moves to the function of the same name in health_internal, behind one in C that calls it (src/pg/surface.cpp).

CREATE FUNCTION health_internal.hide_internals() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT p.*, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind, pg_get_functiondef(p.oid) AS definition,
               pg_get_function_identity_arguments(p.oid) AS identity, pg_get_function_arguments(p.oid) AS arguments,
               pg_get_function_result(p.oid) AS result
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
        WHERE p.pronamespace = 'health'::regnamespace AND p.prokind IN ('f', 'p')
    LOOP
        EXECUTE overlay(shown.definition PLACING 'health_internal.' FROM position('health.' IN shown.definition) FOR length('health.'));
        EXECUTE format('COMMENT ON %s health_internal.%I(%s) IS %L', shown.kind, shown.proname, shown.identity,
                       format('The inside of health.%s, whose errors have no frames of it', shown.proname));
        EXECUTE concat_ws(' ', format('CREATE OR REPLACE %s health.%I(%s)', shown.kind, shown.proname, shown.arguments),
                          'RETURNS ' || shown.result, 'LANGUAGE c',
                          CASE WHEN shown.prokind = 'f' THEN concat_ws(' ',
                              CASE shown.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
                              CASE WHEN shown.proisstrict THEN 'STRICT' END,
                              CASE shown.proparallel WHEN 's' THEN 'PARALLEL SAFE' WHEN 'r' THEN 'PARALLEL RESTRICTED' END,
                              format('COST %s', shown.procost), 'ROWS ' || nullif(shown.prorows, 0)) END,
                          $c$AS 'MODULE_PATHNAME', 'health_surface'$c$);
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.hide_internals() IS
    'Moves the body of every function of schema health that is SQL or PL/pgSQL to health_internal, and puts one in C in its place, which '
    'calls it and keeps the frames of its errors from the caller; for scripts that install and upgrade, as their last statement';

SELECT health_internal.hide_internals();
