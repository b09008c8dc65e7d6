-- What reports are written with: escaped text, numbers for people, and charts as SVG. All of it is well-formed XML in ASCII, so that a
-- report is the same in every encoding of a database.

-- XML has no control characters but three; no browser shows one.
CREATE FUNCTION health_internal.html(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT replace(replace(replace(replace(replace(regexp_replace(CASE WHEN getdatabaseencoding() = 'UTF8'
               THEN translate(value, chr(65534) || chr(65535), '??') ELSE value END, E'[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]', '?', 'g'),
               '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
$$;
COMMENT ON FUNCTION health_internal.html(text) IS
    'A text as HTML and XML have it, in an element or an attribute; the one way into a report';

-- A name of a person or a company as it is written, right to left as well, without moving what stands beside it.
CREATE FUNCTION health_internal.html_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<bdi>' || health_internal.html(CASE WHEN length(value) > 200 THEN left(value, 200) || '...' ELSE value END) || '</bdi>';
$$;
COMMENT ON FUNCTION health_internal.html_name(text) IS 'A name as HTML, of 200 characters at most';

CREATE FUNCTION health_internal.url_part(value text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(CASE WHEN b.byte < 128 AND chr(b.byte) ~ '[A-Za-z0-9._~-]' THEN chr(b.byte)
                                    ELSE '%' || upper(lpad(to_hex(b.byte), 2, '0')) END, '' ORDER BY b.n), '')
    FROM (SELECT n, get_byte(u.bytes, n) AS byte
          FROM (SELECT convert_to(value, CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)) AS u (bytes),
               generate_series(0, octet_length(u.bytes) - 1) AS n) AS b;
$$;
COMMENT ON FUNCTION health_internal.url_part(text) IS 'A text as a part of an address has it: every other byte as % and two digits';

-- Numbers for people. What is not known is a dash.
CREATE FUNCTION health_internal.report_number(value float8, decimals integer DEFAULT 0) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN value IS NULL OR value::text IN ('NaN', 'Infinity', '-Infinity') THEN '&#8211;'
                ELSE CASE WHEN round(value::numeric, decimals) < 0 THEN '&#8722;' ELSE '' END
                     || to_char(abs(round(value::numeric, decimals)),
                                'FM999,999,999,999,999,990' || CASE WHEN decimals > 0 THEN '.' || repeat('0', decimals) ELSE '' END) END;
$$;
COMMENT ON FUNCTION health_internal.report_number(float8, integer) IS 'A number with separated thousands';

CREATE FUNCTION health_internal.report_short(value float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN NOT abs(value) < 'Infinity' THEN health_internal.report_number(NULL)
                WHEN abs(value) >= 1e9 THEN regexp_replace(health_internal.report_number(value / 1e9, 2), '[.]?0+$', '') || '&#160;bn'
                WHEN abs(value) >= 1e6 THEN regexp_replace(health_internal.report_number(value / 1e6, 2), '[.]?0+$', '') || '&#160;m'
                ELSE health_internal.report_number(value) END;
$$;
COMMENT ON FUNCTION health_internal.report_short(float8) IS 'A large number in a small place';

CREATE FUNCTION health_internal.report_change(value float8, decimals integer DEFAULT 1) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN value < 'Infinity' AND round(value::numeric, decimals) > 0 THEN '+' ELSE '' END
        || health_internal.report_number(value, decimals);
$$;
COMMENT ON FUNCTION health_internal.report_change(float8, integer) IS 'A number with its sign';

CREATE FUNCTION health_internal.report_share(part float8, whole float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.report_number(100 * part / nullif(whole, 0)) || CASE WHEN part IS NULL OR whole = 0 THEN '' ELSE '&#160;%' END;
$$;
COMMENT ON FUNCTION health_internal.report_share(float8, float8) IS 'A share in percent';

CREATE FUNCTION health_internal.report_day(day date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN isfinite(day) THEN to_char(day, 'FMDD FMMonth YYYY') ELSE '&#8211;' END;
$$;
COMMENT ON FUNCTION health_internal.report_day(date) IS 'A day as people write it';

-- at_risk: "at risk", "At risk".
CREATE FUNCTION health_internal.report_word(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.html(upper(left(word, 1)) || replace(substr(word, 2), '_', ' '));
$$;
COMMENT ON FUNCTION health_internal.report_word(text) IS 'The name of a band or a state as HTML, with a capital';

-- Seven colours from best (0) to worst (6); n is for what has no band.
CREATE FUNCTION health_internal.band_class(document jsonb, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT 'b' || round(6.0 * (b.rank - 1) / greatest(b.bands - 1, 1))
                     FROM (SELECT m.name, rank() OVER (ORDER BY m."position"), count(*) OVER () AS bands
                           FROM health_internal.model_bands(document) AS m) AS b WHERE b.name = band), 'bn');
$$;
COMMENT ON FUNCTION health_internal.band_class(jsonb, text) IS 'The class of colour of a band of a model';

-- Rectangles stretch to the room that there is, and text does not: figures stand beside a chart, as HTML.
CREATE FUNCTION health_internal.svg_bar(starts float8[], ends float8[], classes text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        || coalesce(string_agg(format('<rect class="%s" x="%s" y="0" width="%s" height="10"/>', p.class,
                                      round(least(p.a, p.b)::numeric, 2), round(abs(p.b - p.a)::numeric, 2)), '' ORDER BY p.n), '')
        || '</svg>'
    FROM ROWS FROM (unnest(starts), unnest(ends), unnest(classes)) WITH ORDINALITY AS p (a, b, class,
        n) WHERE p.a IS NOT NULL AND p.b IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.svg_bar(float8[], float8[], text[]) IS
    'A bar from 0 to 100 with parts of it in colours; the figures stand beside it';

CREATE FUNCTION health_internal.svg_columns(columns integer, stacked_on integer[], "values" float8[], classes text[], tips text[],
    top float8,
    title text, description text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<svg class="plot" viewBox="0 0 %s 100" preserveAspectRatio="none" role="img"><title>%s</title><desc>%s</desc>'
                  '<path class="grid" d="M0 0H%1$s M0 50H%1$s M0 100H%1$s"/>%4$s</svg>', 10 * columns, title, description,
        coalesce(string_agg(format('<rect class="%s" x="%s" y="%s" width="8" height="%s"><title>%s</title></rect>', p.class, 10 * p.c + 1,
                                   round((100 - 100 * p.reached / top)::numeric, 2), round((100 * p.value / top)::numeric, 2), p.tip), ''
                                       ORDER BY p.n)
                 FILTER (WHERE p.value > 0), ''))
    FROM (SELECT r.*, sum(r.value) OVER (PARTITION BY r.c ORDER BY r.n) AS reached
          FROM ROWS FROM (unnest(stacked_on), unnest("values"), unnest(classes), unnest(tips)) WITH ORDINALITY AS r (c, value, class, tip,
              n)) AS p;
$$;
COMMENT ON FUNCTION health_internal.svg_columns(integer, integer[], float8[], text[], text[], float8, text, text) IS
    'Columns of stacked parts, each of which stands on column 0, 1, ...; top is what the whole height means, titles are HTML';

CREATE FUNCTION health_internal.svg_line("values" float8[], lowest float8, top float8, title text, description text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<svg class="plot" viewBox="0 0 %s 100" preserveAspectRatio="none" role="img"><title>%s</title><desc>%s</desc>'
                  '<path class="grid" d="M0 0H%1$s M0 50H%1$s M0 100H%1$s"/><path class="line" d="%4$s"/></svg>',
        greatest(cardinality("values") - 1, 1), title, description,
        -- A gap where a value is not known: the next one begins a new line, and stands as a dot when it is alone.
        coalesce(string_agg(CASE WHEN p.value IS NULL THEN '' ELSE format('%s%s %s', CASE WHEN p.before IS NULL THEN 'M' ELSE 'L' END,
            p.n - 1,
                     round((100 - 100 * (p.value - lowest) / (top - lowest))::numeric, 2)) || CASE WHEN p.before IS NULL THEN 'h0'
                         ELSE '' END END,
                 ' ' ORDER BY p.n), ''))
    FROM (SELECT v.value, v.n, lag(v.value) OVER (ORDER BY v.n) AS before FROM unnest("values") WITH ORDINALITY AS v (value, n)) AS p;
$$;
COMMENT ON FUNCTION health_internal.svg_line(float8[], float8, float8, text, text) IS
    'A line through values at equal distances, with gaps where one is NULL';

-- The figures of the axes stand in HTML around a plot.
CREATE FUNCTION health_internal.report_plot(plot text, lowest text, middle text, top text, labels text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<div class="chart"><div class="y" aria-hidden="true"><span>%s</span><span>%s</span><span>%s</span></div>%s'
                  '<div class="x" aria-hidden="true">%s</div></div>', top, middle, lowest, plot,
                  (SELECT string_agg('<span>' || l.label || '</span>', '' ORDER BY l.n) FROM unnest(labels) WITH ORDINALITY AS l (label,
                      n)));
$$;
COMMENT ON FUNCTION health_internal.report_plot(text, text, text, text, text[]) IS 'A plot with the figures of its axes';

-- A round figure at or above the largest value, half of which is a whole number as well.
CREATE FUNCTION health_internal.axis_top(largest float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN largest > 0 THEN greatest((SELECT min(s.step) FROM unnest('{1,2,3,4,5,6,8,10}'::float8[]) AS f,
               LATERAL (SELECT f * power(10::float8,
                   floor(log(largest)))) AS s (step) WHERE s.step >= largest AND floor(s.step / 2) = s.step / 2), 2)
                ELSE 2 END;
$$;
COMMENT ON FUNCTION health_internal.axis_top(float8) IS 'Where an axis ends';
