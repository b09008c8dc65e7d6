-- The page around a report: its head, its style for screens light and dark, wide and narrow, and for paper.

CREATE FUNCTION health_internal.report_style() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT $css$
:root { color-scheme: light dark; --page: #f4f6f8; --card: #fff; --ink: #1b2430; --muted: #556070; --line: #d8dee6; --link: #1558b0;
  --b0: #08695e; --b1: #2f8f83; --b2: #7cc3b6; --b3: #c9d9a8; --b4: #f0b95b; --b5: #dd7a45; --b6: #b93534; --bn: #a8b1bd; --bar: #e6eaef;
  --mark: #2c6fbb; }
@media (prefers-color-scheme: dark) { :root { --page: #10151c; --card: #19212b; --ink: #e8edf3; --muted: #a7b3c1; --line: #323d4a;
  --link: #8fbcff; --b0: #2fb5a3; --b1: #52beb0; --b2: #86cfc3; --b3: #b9c58f; --b4: #eab452; --b5: #e58a57; --b6: #e2625d; --bn: #75808d;
  --bar: #2a3440; --mark: #6ba6ef; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, main:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
main { padding-bottom: 1rem; }
main:focus { outline: none; }
footer { padding-bottom: 2rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 .25rem; font-size: 1.15rem; }
p { margin: .25rem 0 .75rem; }
.sub, .note, footer { color: var(--muted); }
.note, footer { font-size: .875rem; }
.lead { font-size: 1.1rem; margin: 1rem 0 0; max-width: 52rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; margin: 1rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.25rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; }
.tiles dt { color: var(--muted); font-size: .8125rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.tiles small { display: block; font-size: .8125rem; font-weight: 400; color: var(--muted); }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; margin: 1rem 0; }
.halves section { margin: 0; }
.halves .x:not(.ends) span:not(:nth-child(3n+1)) { visibility: hidden; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead td { border-top: 0; }
thead th { color: var(--muted); font-size: .8125rem; border-top: 0; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 6.5rem; }
tbody th.plain { font-weight: 400; }
th .note { font-weight: 400; }
td p { color: var(--muted); }
td p.do { color: var(--ink); }
.do::before { content: "\2192" / ""; margin-right: .4em; color: var(--muted); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td p { margin: 0; }
td p + p { margin-top: .2rem; }
.wide { width: 40%; min-width: 6rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; background: var(--bn); }
.bar { display: block; width: 100%; height: .95rem; margin-top: .25rem; background: var(--bar); border-radius: 3px; }
.bar.tall { height: 1.75rem; margin: .5rem 0 .9rem; }
.b0 { fill: var(--b0); } .b1 { fill: var(--b1); } .b2 { fill: var(--b2); } .b3 { fill: var(--b3); } .b4 { fill: var(--b4); }
.b5 { fill: var(--b5); } .b6 { fill: var(--b6); } .bn { fill: var(--bn); } .mark { fill: var(--mark); }
.dot.b0 { background: var(--b0); } .dot.b1 { background: var(--b1); } .dot.b2 { background: var(--b2); } .dot.b3 { background: var(--b3); }
.dot.b4 { background: var(--b4); } .dot.b5 { background: var(--b5); } .dot.b6 { background: var(--b6); } .dot.mark { background:
  var(--mark); }
.chart { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .3rem .5rem; margin: .6rem 0; }
.y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; font-size: .75rem; line-height: 1;
  color: var(--muted); overflow-wrap: normal; }
.plot { display: block; width: 100%; height: 11rem; overflow: visible; }
.grid { stroke: var(--line); fill: none; stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { stroke: var(--mark); fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; vector-effect:
  non-scaling-stroke; }
.x { grid-column: 2; display: flex; font-size: .75rem; color: var(--muted); }
.x span { flex: 1 1 0; min-width: 0; text-align: center; white-space: nowrap; overflow-wrap: normal; display: flex; justify-content:
  center; }
.x.ends span:first-child { justify-content: flex-start; } .x.ends span:last-child { justify-content: flex-end; }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0; padding: 0; font-size: .875rem; }
details { margin-top: .6rem; font-size: .875rem; }
summary { cursor: pointer; color: var(--link); }
.scroll { overflow-x: auto; }
@media print, (min-width: 44.01rem) { .band { white-space: nowrap; } }
@media screen and (max-width: 44rem) {
  header, main, footer { padding-left: .75rem; padding-right: .75rem; }
  section { padding: .9rem; }
  .x:not(.ends) span:not(:nth-child(3n+1)) { visibility: hidden; }
  th, td { padding-right: .5rem; }
  thead th, thead th.n { white-space: normal; overflow-wrap: normal; font-size: .75rem; }
  tbody th { min-width: 4.5rem; }
  .extra { display: none; }
  table { font-size: .8125rem; }
  .cards, .cards tbody, .cards tr { display: block; }
  .cards caption { display: block; }
  .cards thead { position: absolute; left: -100vw; }
  .cards tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  .cards th, .cards td { display: block; border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); }
  .cards td.n { display: inline-block; margin-right: 1rem; }
  .cards .wide { width: 100%; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --link: #000; --b0: #08695e;
    --b1: #2f8f83; --b2: #7cc3b6; --b3: #c9d9a8; --b4: #f0b95b; --b5: #dd7a45; --b6: #b93534; --bn: #a8b1bd; --bar: #eee; --mark: #2c6fbb; }
  @page { margin: 14mm; }
  :root { font-size: 10pt; }
  body { font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  header, main, footer { max-width: none; padding: 0; }
  .tiles { grid-template-columns: repeat(7, 1fr); gap: .4rem; }
  .tiles div { padding: .4rem .5rem; }
  .tiles dd { font-size: 1.2rem; }
  .skip, details { display: none; }
  section { border: 0; padding: 0; margin: 1.1rem 0; break-inside: avoid; }
  section.long { break-inside: auto; }
  h2, caption { break-after: avoid; }
  tr, .tiles div, .chart { break-inside: avoid; }
  thead { display: table-header-group; }
  .plot { height: 8rem; }
  a { text-decoration: none; }
}
$css$;
$$;
COMMENT ON FUNCTION health_internal.report_style() IS 'The style of a report';

-- The policy lets a page show what it has in it and nothing else, whatever became of it on its way.
CREATE FUNCTION health_internal.report_page(title text, head text, content text, foot text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" '
        'content="default-src ''none''; style-src ''unsafe-inline''; img-src data:; base-uri ''none''; form-action ''none''"/>
<meta name="referrer" content="no-referrer"/>
<meta name="robots" content="noindex"/>
<link rel="icon" href="data:,"/>
<title>' || title || '</title>
<style>' || health_internal.report_style() || '</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
' || head || '
</header>
<main id="content" tabindex="-1">
' || content || '
</main>
<footer>
' || foot || '
</footer>
</body>
</html>
';
$$;
COMMENT ON FUNCTION health_internal.report_page(text, text, text, text) IS 'A page of HTML that is XML as well, from parts that are';

CREATE FUNCTION health_internal.report_section(heading text, content text, class text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(E'<section%s>\n<h2>%s</h2>\n%s\n</section>\n', CASE WHEN class <> '' THEN ' class="' || class || '"' ELSE '' END,
        heading, content);
$$;
COMMENT ON FUNCTION health_internal.report_section(text, text, text) IS 'A section of a report';

CREATE FUNCTION health_internal.report_tile(label text, value text, remark text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('<div><dt>%s</dt><dd>%s%s</dd></div>', label, value, '<small>' || remark || '</small>');
$$;
COMMENT ON FUNCTION health_internal.report_tile(text, text, text) IS 'A key figure of a report';

CREATE FUNCTION health_internal.report_band(document jsonb, score float8, band text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN score IS NULL THEN 'no score'
        ELSE format('<span class="band"><span class="dot %s"></span>%s%s</span>', health_internal.band_class(document, band),
                    health_internal.report_number(score),
                    ' ' || lower(health_internal.report_word(band))) END;
$$;
COMMENT ON FUNCTION health_internal.report_band(jsonb, float8, text) IS 'A score and its band';
