-- Scores of past days with what became of their accounts: what weights and probabilities are fitted to.

CREATE TYPE health_internal.labels AS (
    document jsonb,
    left_out text[],
    outcome text,
    dates date[],
    units bigint[],
    scores float8[],
    normalized float8[],
    outcomes boolean[],
    n bigint,
    events bigint,
    accounts bigint,
    accounts_with bigint,
    accounts_without bigint
);
COMMENT ON TYPE health_internal.labels IS
    'Internal: the observations that backtest() has its figures of, an account on a date with a score, as arrays that go together';
COMMENT ON COLUMN health_internal.labels.document IS 'What they were scored by';
COMMENT ON COLUMN health_internal.labels.left_out IS 'Signals that have no past, and are not in it';
COMMENT ON COLUMN health_internal.labels.outcome IS 'lost, ended, silent, expanded';
COMMENT ON COLUMN health_internal.labels.units IS 'Numbers of the accounts';
COMMENT ON COLUMN health_internal.labels.normalized IS 'A row for each, with an element for each signal of the document, groups too';
COMMENT ON COLUMN health_internal.labels.accounts_with IS 'How many accounts have an observation with the outcome';
COMMENT ON COLUMN health_internal.labels.accounts_without IS 'How many have one without';

-- An account expands as often as it likes; it is lost once.
CREATE FUNCTION health_internal.label_scores(tested health_internal.model_version, expands boolean, as_of_first_date boolean, outcome text,
    horizon integer, from_date date, to_date date, step integer, gap integer, account_ids text[], days date[])
RETURNS health_internal.labels
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    today CONSTANT date := health_internal.model_today(tested.document);
    kind CONSTANT text := CASE WHEN outcome IS NOT NULL THEN 'query' WHEN tested.document #> '{accounts,end}' IS NOT NULL THEN 'end'
                               ELSE 'silent' END;
    found health_internal.labels;
    usage_from text;
BEGIN
    found.dates := health_internal.plan_dates(tested.model, horizon, today, from_date, to_date, step, gap);
    SELECT p.document, p.left_out, p.usage_from INTO found.document, found.left_out, usage_from
    FROM health_internal.past_document(tested, found.dates[1], as_of_first_date) AS p;
    found.outcome := CASE kind WHEN 'query' THEN CASE WHEN expands THEN 'expanded' ELSE 'lost' END WHEN 'end' THEN 'ended'
                               ELSE 'silent' END;
    SELECT array_agg(o.unit ORDER BY o.unit, o.as_of), array_agg(o.score ORDER BY o.unit, o.as_of),
           array_agg(o.normalized ORDER BY o.unit, o.as_of), array_agg(o.outcome ORDER BY o.unit, o.as_of), count(*),
           count(*) FILTER (WHERE o.outcome), count(DISTINCT o.unit), count(DISTINCT o.unit) FILTER (WHERE o.outcome),
           count(DISTINCT o.unit) FILTER (WHERE NOT o.outcome)
    INTO found.units, found.scores, found.normalized, found.outcomes, found.n, found.events, found.accounts, found.accounts_with,
         found.accounts_without
    FROM (SELECT s.unit, s.as_of, s.score, s.normalized,
                 CASE WHEN expands THEN EXISTS (SELECT FROM unnest(e.days) AS d (day)
                                                WHERE d.day > s.as_of + gap AND d.day <= s.as_of + gap + horizon)
                      ELSE s.outcome END AS outcome
          FROM health_internal.observe_model(tested, found.document, usage_from, kind, found.dates, step, gap, horizon, NULL,
                   CASE WHEN expands THEN '{}' ELSE account_ids END, CASE WHEN expands THEN '{}' ELSE label_scores.days END) AS s
          LEFT JOIN (SELECT l.account_id, array_agg(l.day) AS days
                     FROM ROWS FROM (unnest(account_ids), unnest(label_scores.days)) AS l (account_id, day) WHERE expands GROUP BY 1) AS e
              ON e.account_id = s.account_id
          WHERE s.on_grid AND s.in_book AND NOT s.gone AND s.score IS NOT NULL) AS o;
    RETURN found;
END;
$$;
COMMENT ON FUNCTION health_internal.label_scores(health_internal.model_version, boolean, boolean, text, integer, date, date, integer,
    integer, text[], date[]) IS
    'The observations of a version on past dates with their outcomes, those of backtest(): accounts in the book with a score whose outcome '
    'had not come before; or, where accounts expand, with any of the given days in the horizon';

CREATE FUNCTION health_internal.tell_left_out(names text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN cardinality(names) > 0
        THEN format(' Without %s, of which no past is known.', array_to_string(names, ', ')) ELSE '' END;
$$;
COMMENT ON FUNCTION health_internal.tell_left_out(text[]) IS 'Signals that have no past, for the end of a sentence';

-- Dates of one account say much the same: it takes accounts, not observations, to tell.
CREATE FUNCTION health_internal.tell_too_few(labels health_internal.labels) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN least(labels.accounts_with, labels.accounts_without) < 10 OR labels.n = 0
        THEN format('of %s accounts %s had the outcome "%s" and %s had it not; it takes 10 of each', labels.accounts, labels.accounts_with,
                    labels.outcome, labels.accounts_without) END;
$$;
COMMENT ON FUNCTION health_internal.tell_too_few(health_internal.labels) IS 'Why observations are too few to fit anything to; NULL: enough';
