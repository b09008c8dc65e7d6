-- Display: a row of numbers as a line of blocks.

CREATE FUNCTION health.sparkline("values" numeric[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(CASE
               WHEN p.value IS NULL OR p.value IN ('NaN', 'Infinity', '-Infinity') THEN ' '
               WHEN p.ceiling = p.base THEN '▁'
               ELSE substr('▁▂▃▄▅▆▇█', 1 + floor((p.value - p.base) / (p.ceiling - p.base) * 7.999)::integer, 1)
           END, '' ORDER BY p.position), '')
    FROM (SELECT v.value, v.position,
                 least(min(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS base,
                 greatest(max(v.value) FILTER (WHERE v.value NOT IN ('NaN', 'Infinity', '-Infinity')) OVER (), 0) AS ceiling
          FROM unnest("values") WITH ORDINALITY AS v (value, position)) AS p;
$$;
COMMENT ON FUNCTION health.sparkline(numeric[]) IS
    'The numbers as a line of blocks from 0 (or the lowest negative) to the highest; a blank for NULL';
