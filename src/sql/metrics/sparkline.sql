-- Display: a row of numbers as a line of blocks.

-- The script is ASCII, and so is what other encodings have in their place.
CREATE FUNCTION health_internal.block(eighths integer) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Not in one expression: the planner would compute the sign of every encoding.
    IF getdatabaseencoding() = 'UTF8' THEN
        RETURN chr(9600 + eighths);
    END IF;
    RETURN substr('_.-:=+*#', eighths, 1);
END;
$$;
COMMENT ON FUNCTION health_internal.block(integer) IS
    'A block of so many eighths of its height, in a database of another encoding than UTF8 a sign in its place';

CREATE FUNCTION health.sparkline("values" numeric[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(CASE
               WHEN p.value IS NULL OR p.value IN ('NaN', 'Infinity', '-Infinity') THEN ' '
               WHEN p.ceiling = p.base THEN health_internal.block(1)
               ELSE health_internal.block(1 + floor((p.value - p.base) / (p.ceiling - p.base) * 7.999)::integer)
           END, '' ORDER BY p.position), '')
    FROM (SELECT v.value, v.position,
                 least(min(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS base,
                 greatest(max(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS ceiling
          FROM unnest("values") WITH ORDINALITY AS v (value, position)) AS p;
$$;
COMMENT ON FUNCTION health.sparkline(numeric[]) IS
    'The numbers as a line of blocks from 0 (or the lowest negative) to the highest, in databases of other encodings than UTF8 of '
    'the signs _.-:=+*#; a blank for NULL';
