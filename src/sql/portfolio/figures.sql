-- What is known of each account on a day, by name: the columns of a score view, and the signals as measured.

CREATE FUNCTION health_internal.portfolio_day(version health_internal.model_version) RETURNS date
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((SELECT (health_internal.read_state(t.id)).as_of FROM health_internal.tracking AS t WHERE t.model = (version).model),
                    health_internal.model_today((version).document));
END;
COMMENT ON FUNCTION health_internal.portfolio_day(health_internal.model_version) IS
    'The day that the figures of a whole book are of: that of the last refresh of a tracked model, else the day of the model';

CREATE FUNCTION health_internal.reads_plain_metric(signal jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT signal ? 'metric' AND signal - '{name,metric,weight,normalize,label,description,next_step,missing,shrink,silent,'
        'relative_to_book,frozen}'::pg_catalog.text[] = '{}';
END;
COMMENT ON FUNCTION health_internal.reads_plain_metric(jsonb) IS
    'Whether a signal reads a metric as the column of the score view has it: of no other window, role or events';

-- A metric under its own name is there already.
CREATE FUNCTION health_internal.measured_signals(document jsonb, taken text[])
RETURNS TABLE (number bigint, signal text, column_name text)
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    used text[] := taken;
    leaf record;
BEGIN
    FOR leaf IN SELECT l.number, l.signal FROM health_internal.leaf_signals(document) AS l
                WHERE l.signal ? 'metric' AND NOT (l.signal ->> 'name' = l.signal ->> 'metric'
                    AND health_internal.reads_plain_metric(l.signal))
                ORDER BY l.number LOOP
        number := leaf.number;
        signal := leaf.signal ->> 'name';
        column_name := health_internal.free_column(signal, used);
        used := used || column_name;
        RETURN NEXT;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.measured_signals(jsonb, text[]) IS
    'The signals of a document that read a metric, with names for columns of their values, beside those that are taken';

CREATE TYPE health_internal.account_figures AS (
    query text,
    names text[],
    types regtype[],
    of_score text[]
);
COMMENT ON TYPE health_internal.account_figures IS 'Internal: SQL of the accounts of a book on a day with all that is known of each';
COMMENT ON COLUMN health_internal.account_figures.query IS 'A row for each account in the book; "$account" is its id as text';
COMMENT ON COLUMN health_internal.account_figures.names IS 'Its columns, but for "$account"';
COMMENT ON COLUMN health_internal.account_figures.types IS 'Their types';
COMMENT ON COLUMN health_internal.account_figures.of_score IS 'Those that are signals of the score';

CREATE FUNCTION health_internal.compile_figures(version health_internal.model_version, as_of date) RETURNS health_internal.account_figures
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := version.document;
    scoring CONSTANT jsonb := health_internal.scoring_document(document);
    store CONSTANT health_internal.store := health_internal.open_store(version);
    compiled health_internal.compiled_model;
    figures health_internal.account_figures;
    scores text;
    measured text;
    recorded text;
    of_day text[];
BEGIN
    IF store.has_ledgers THEN
        PERFORM health_internal.check_data_tables(version.model);
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(document, version.version, as_of => as_of, model_name => version.model, past_days => 28,
        as_literals => true, usage_from => CASE WHEN store.has_ledgers THEN 'ledger' ELSE 'events' END);
    -- What the history has recorded of a day stands before what is said of it now.
    recorded := health_internal.compile_recorded(version.model, document, 'TABLE "$now"');
    of_day := ARRAY(SELECT q.name FROM health_internal.describe_query(pg_catalog.replace(recorded, 'TABLE "$now"', compiled.ledger),
        health_internal.names_path()) AS q);
    SELECT pg_catalog.format('WITH "$now" AS MATERIALIZED (%s) SELECT %s FROM "$now" AS n JOIN (%s) AS r ON r.account_id = n.account_id',
               compiled.ledger, pg_catalog.string_agg(pg_catalog.format(CASE WHEN q.name = ANY (of_day) THEN 'r.%I' ELSE 'n.%I' END,
                   q.name), ', '), recorded)
    INTO compiled.ledger FROM health_internal.describe_query(compiled.ledger, health_internal.names_path()) AS q;
    scores := health_internal.compile_score_query('', '"$ledger"', version.model, document, compiled,
        health_internal.compile_probabilities(version, true, 's.score'));
    -- A past day is seen by what was known then, where a source says so.
    IF as_of < health_internal.portfolio_day(version) AND EXISTS (SELECT FROM health_internal.event_sources(document) AS s
                                                              WHERE s.source ? 'known_at') THEN
        compiled.ledger := pg_catalog.format('SELECT %s FROM (%s) AS l',
            (SELECT pg_catalog.string_agg(CASE q.name WHEN 'usage' THEN
                        pg_catalog.format('health_internal.known_before(l.usage, %s) AS usage',
                                          health_internal.model_clock(document, as_of))
                    ELSE pg_catalog.format('l.%I', q.name) END, ', ')
             FROM health_internal.describe_query(compiled.ledger, health_internal.names_path()) AS q), compiled.ledger);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.format(', m.raw[1][%s] AS %I', s.number, s.column_name), '' ORDER BY s.number),
           coalesce(pg_catalog.array_agg(s.column_name ORDER BY s.number), '{}')
    INTO measured, figures.of_score
    FROM health_internal.measured_signals(document, health_internal.reserved_columns() || compiled.extra_columns
        || compiled.value_columns) AS s;
    figures.of_score := figures.of_score || compiled.value_columns
        || ARRAY(SELECT l.signal ->> CASE WHEN health_internal.reads_plain_metric(l.signal) THEN 'metric' ELSE 'name' END
                 FROM health_internal.leaf_signals(document) AS l);
    figures.query := pg_catalog.format('WITH "$ledger" AS MATERIALIZED (%s) SELECT %s AS "$account", f.*%s FROM (%s) AS f%s '
        'WHERE f.in_book',
        compiled.ledger, health_internal.canonical_text('f.account_id', compiled.account_type), measured, scores,
        CASE WHEN measured IS NOT NULL THEN pg_catalog.format(
            ' JOIN (SELECT l.account_id, health_internal.raw_values(%L::pg_catalog.jsonb, %s, ARRAY[l.as_of]) AS raw '
            'FROM "$ledger" AS l) AS m ON m.account_id = f.account_id', scoring, health_internal.compile_state()) END);
    SELECT pg_catalog.array_agg(q.name), pg_catalog.array_agg(q.type) INTO figures.names, figures.types
    FROM health_internal.describe_query(figures.query, health_internal.names_path()) AS q WHERE q.name <> '$account';
    RETURN figures;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_figures(health_internal.model_version, date) IS
    'SQL of the accounts in the book of a day (NULL: the day of the model) with the columns of a score view and the signals as measured';
