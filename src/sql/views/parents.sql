-- Parents of accounts: groups of accounts, each scored like one account, computed when they are read.

CREATE FUNCTION health_internal.describe_parent_column(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE column_name
        WHEN 'account_id' THEN 'Id of the parent, as text'
        WHEN 'name' THEN 'Name of the parent, where it is an account itself'
        WHEN 'children' THEN 'Accounts of the book below the parent, at any level'
        WHEN 'score' THEN 'Score of the group, as of one account: of the usage of these accounts, and of the parent if it is in the book'
        WHEN 'children_score' THEN 'Mean of the scores of these accounts, weighted by arr where the model has such a column'
        WHEN 'worst_child' THEN 'Id of the one of them with the lowest score'
        WHEN 'worst_child_score' THEN 'Its score'
    END;
END;
COMMENT ON FUNCTION health_internal.describe_parent_column(text) IS 'The comment on a column of the parents of a score view';

-- Over the other relations of the score view, as of their day. Of what is kept single rows are looked up; what plain views compute is not
-- computed for each. A parent that is not in the book stands among the members for its own row alone.
CREATE FUNCTION health_internal.compile_parents(store health_internal.store, ledger text, scores text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    document CONSTANT jsonb := (store.version).document;
    fields CONSTANT health_internal.model_field[] := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    id CONSTANT health_internal.model_field := health_internal.field_of(fields, 'accounts', 'id');
    revenue text;
BEGIN
    PERFORM health_internal.raise_first_problem((store.version).model, fields);
    revenue := health_internal.revenue_column((store.version).model, document, NULL);
    RETURN pg_catalog.replace(health_internal.compile_with_links(fields, 'parent', false, pg_catalog.format($query$
        , "$members" AS MATERIALIZED (
            SELECT m.parent, m.is_child, s.in_book, s.account_id, s.score, %1$s AS weight
            FROM (SELECT k.above, k.key, true FROM "$links" AS k WHERE NOT k.is_circular
                  UNION ALL SELECT DISTINCT k.above, k.above, false FROM "$links" AS k WHERE NOT k.is_circular) AS m (parent, key, is_child)
            JOIN %2$s AS s ON %3$s = m.key WHERE s.in_book OR NOT m.is_child
        ), "$groups" AS (
            SELECT m.parent, (pg_catalog.array_agg(m.account_id) FILTER (WHERE NOT m.is_child))[1] AS account_id,
                   pg_catalog.count(*) FILTER (WHERE m.is_child) AS children,
                   health.health_score(m.score, m.weight) FILTER (WHERE m.is_child) AS children_score,
                   (pg_catalog.array_agg(%4$s ORDER BY m.score, m.account_id) FILTER (WHERE m.is_child AND m.score IS NOT NULL))[1]
                       AS worst_child,
                   pg_catalog.min(m.score) FILTER (WHERE m.is_child) AS worst_child_score,
                   health.rollup(u.usage) FILTER (WHERE m.in_book) AS usage,
                   pg_catalog.min(l.as_of) AS as_of, pg_catalog.min(l.model_version) AS model_version,
                   pg_catalog.min(l.account_start) FILTER (WHERE m.in_book) AS account_start,
                   CASE WHEN pg_catalog.bool_and(l.account_end IS NOT NULL) FILTER (WHERE m.in_book)
                        THEN pg_catalog.max(l.account_end) FILTER (WHERE m.in_book) END AS account_end,
                   CASE WHEN NOT pg_catalog.bool_or(l.seats IS NULL AND u.usage OPERATOR(health.<>) '{}') FILTER (WHERE m.in_book)
                        THEN pg_catalog.sum(l.seats) FILTER (WHERE m.in_book) END AS seats,
                   pg_catalog.min(l.ledger_start) AS ledger_start, pg_catalog.min(l.outages) AS outages,
                   pg_catalog.min(l.tracking_broke) AS tracking_broke
            FROM "$members" AS m JOIN %5$s AS l ON l.account_id = m.account_id CROSS JOIN LATERAL (SELECT %6$s AS usage OFFSET 0) AS u
            GROUP BY 1 HAVING pg_catalog.bool_or(m.is_child)
        )
        SELECT coalesce(%7$s, l.parent) AS account_id, l.name, l.children, l.as_of, l.model_version, s.score, s.band,
               s.state, s.coverage AS data_coverage, coalesce(l.tracking_broke, s.unknown_reason) AS unknown_reason, s.main_reason,
               l.children_score, l.worst_child, l.worst_child_score
        FROM (SELECT g.*, o.name, o.inputs, o.observed, o.segments, o.past_inputs, o.past_observed,
                     coalesce(o.repeated, false) AS repeated, NULL::pg_catalog.bool[] AS in_filter, o.overrides
              FROM "$groups" AS g LEFT JOIN LATERAL (SELECT r.name, r.inputs, r.observed, r.segments, r.past_inputs, r.past_observed,
                  r.repeated, r.overrides FROM %8$s AS r WHERE r.account_id = g.account_id%9$s) AS o ON true) AS l
        CROSS JOIN LATERAL health.score_account(%10$L::pg_catalog.jsonb, %11$s) AS s $query$,
        CASE WHEN revenue IS NULL THEN '1'
             ELSE pg_catalog.format('CASE WHEN s.%1$I::pg_catalog.float8 > 0 AND s.%1$I::pg_catalog.float8 < ''infinity'' '
                 'THEN s.%1$I::pg_catalog.float8 END', revenue) END,
        scores, health_internal.compile_link_key(fields, 'parent', 's.account_id', id.type),
        health_internal.canonical_text('m.account_id', id.type),
        CASE WHEN store.has_scores THEN pg_catalog.format('(%s)', health_internal.compile_book_rows(store.tracking, document, false))
             ELSE ledger END,
        CASE WHEN store.has_scores THEN '(SELECT health.rollup(p.usage) FROM pg_catalog.unnest(l."$parts") AS p (usage))'
             ELSE 'l.usage' END,
        health_internal.canonical_text('l.account_id', id.type), ledger, CASE WHEN store.has_scores THEN ' OFFSET 0' END,
        health_internal.scoring_document(document), health_internal.compile_state())),
        health_internal.clock_item(health_internal.model_clock(document, NULL)),
        health_internal.clock_item(pg_catalog.format('(SELECT l.as_of FROM %s AS l LIMIT 1)', ledger)));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_parents(health_internal.store, text, text) IS
    'SQL of the parents of accounts of a model, a row for each, over its ledger and the rows of its score view';
