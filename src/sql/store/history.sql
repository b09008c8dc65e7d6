-- History of a tracked model: a row per account and month, with the account data of each day; any past day from the ledger.
--
-- Of a month: days has the days that are recorded, scores one for each, and a span what is the same from a day on until the next span:
-- version,
-- coverage, reason and the account data that the scores stood on. Partitions are months.

CREATE TYPE health_internal.history_span AS (
    from_day smallint,
    model_version integer,
    data_coverage float8,
    unknown_reason text,
    account_start date,
    seats float8,
    inputs text[],
    observed date[],
    account_end date,
    state text
);
COMMENT ON TYPE health_internal.history_span IS 'Internal: what is the same of an account from a day of the month on';

CREATE FUNCTION health_internal.month_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.date_trunc('month', day::pg_catalog.timestamp)::pg_catalog.date;
END;
COMMENT ON FUNCTION health_internal.month_of(date) IS 'First day of the month of a day';

CREATE FUNCTION health_internal.recorded_days(month date, days smallint[], spans health_internal.history_span[],
    OUT "position" bigint, OUT as_of date, OUT model_version integer, OUT data_coverage float8, OUT unknown_reason text,
    OUT account_start date, OUT seats float8, OUT inputs text[], OUT observed date[], OUT account_end date, OUT state text)
    RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 28
BEGIN ATOMIC
    SELECT d."position", month + (d.day - 1), s.model_version, s.data_coverage, s.unknown_reason, s.account_start, s.seats, s.inputs,
        s.observed, s.account_end, s.state
    FROM pg_catalog.unnest(days) WITH ORDINALITY AS d (day, "position")
    JOIN (SELECT s.*, pg_catalog.lead(s.from_day, 1, 32::smallint) OVER (ORDER BY s.from_day) AS until_day
        FROM pg_catalog.unnest(spans) AS s) AS s
      ON s.from_day <= d.day AND d.day < s.until_day;
END;
COMMENT ON FUNCTION health_internal.recorded_days(date, smallint[], health_internal.history_span[]) IS
    'The days of a row of a history with the account data that were recorded on each';

-- Who was merged into another account is no customer on days that were recorded before, either: what it did is the other's. And who is not
-- merged any more is one on days that were recorded when he was.
CREATE FUNCTION health_internal.end_then(present date, recorded date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN present = '-infinity' OR recorded <= '4714-11-24 BC' THEN present ELSE recorded END;
END;
COMMENT ON FUNCTION health_internal.end_then(date, date) IS
    'The end of an account as it counts on a recorded day: as recorded, unless it never was a customer, by what is known now or was then';

CREATE FUNCTION health_internal.history_rows(month date, days smallint[], scores float8[], spans health_internal.history_span[],
    OUT as_of date, OUT model_version integer, OUT score float8, OUT data_coverage float8, OUT unknown_reason text,
    OUT state text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_history_rows'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100 ROWS 28;
COMMENT ON FUNCTION health_internal.history_rows(date, smallint[], float8[], health_internal.history_span[]) IS
    'The days of a row of a history with the score of each';

CREATE FUNCTION health_internal.spans_agree(a health_internal.history_span, b health_internal.history_span) RETURNS boolean
    AS 'MODULE_PATHNAME', 'health_spans_agree'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_internal.spans_agree(health_internal.history_span, health_internal.history_span) IS
    'Whether two spans say the same of an account, from whatever days on; NULL of none';

-- Of a day that both have, the first stands.
CREATE FUNCTION health_internal.merge_months(first_days smallint[], first_scores float8[], first_spans health_internal.history_span[],
                                             other_days smallint[], other_scores float8[], other_spans health_internal.history_span[],
                                             OUT days smallint[], OUT scores float8[], OUT spans health_internal.history_span[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH one AS (
        SELECT DISTINCT ON (x.as_of) extract(day FROM x.as_of)::smallint AS day, x.score,
               ROW(extract(day FROM x.as_of), x.model_version, x.data_coverage, x.unknown_reason, x.account_start, x.seats, x.inputs,
                   x.observed, x.account_end, x.state)::health_internal.history_span AS span
        FROM (SELECT 1 AS rank, r.*, first_scores[r."position"] AS score FROM health_internal.recorded_days('2000-01-01', first_days,
            first_spans) AS r
              UNION ALL
              SELECT 2, r.*, other_scores[r."position"] FROM health_internal.recorded_days('2000-01-01', other_days, other_spans) AS r) AS x
        ORDER BY x.as_of, x.rank
    ), marked AS (
        SELECT o.*, NOT coalesce(health_internal.spans_agree(o.span, lag(o.span) OVER (ORDER BY o.day)), false)
                    OR lag(o.day) OVER (ORDER BY o.day) IS NULL AS begins
        FROM one AS o
    )
    SELECT array_agg(m.day ORDER BY m.day), array_agg(m.score ORDER BY m.day), array_agg(m.span ORDER BY m.day) FILTER (WHERE m.begins)
    FROM marked AS m;
$$;
COMMENT ON FUNCTION health_internal.merge_months(smallint[], float8[], health_internal.history_span[], smallint[], float8[],
    health_internal.history_span[]) IS
    'Two rows of a history of the same account and month as one';

CREATE FUNCTION health_internal.append_span(spans health_internal.history_span[], fresh health_internal.history_span)
    RETURNS health_internal.history_span[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last integer := cardinality(spans);
BEGIN
    IF (spans[last]).from_day = fresh.from_day THEN    -- the day is written again
        spans := spans[:last - 1];
        last := last - 1;
    END IF;
    IF last > 0 AND health_internal.spans_agree(spans[last], fresh) THEN
        RETURN spans;
    END IF;
    RETURN spans || fresh;
END;
$$;
COMMENT ON FUNCTION health_internal.append_span(health_internal.history_span[], health_internal.history_span) IS
    'The spans of a month after its last day, which is the one that fresh begins on, was written or written again';

CREATE FUNCTION health_internal.score_months(model jsonb, account health.account_state, version integer, from_date date, to_date date,
    step integer,
    OUT month date, OUT days smallint[], OUT scores float8[], OUT spans health_internal.history_span[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'health_score_months'
    LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 3;
COMMENT ON FUNCTION health_internal.score_months(jsonb, health.account_state, integer, date, date, integer) IS
    'The scores of an account on every step-th day of a span, as score_series() has them, as rows of a history';

CREATE FUNCTION health_internal.history_month(id integer, month date) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.data_table('history', id) || to_char(month, '_YYYY_MM');
$$;
COMMENT ON FUNCTION health_internal.history_month(integer, date) IS 'Name of the partition of a history that holds a month';

-- Attached, not created in place: that needs no lock that readers could feel.
CREATE FUNCTION health_internal.make_history_months(tracking health_internal.tracking, from_date date, to_date date) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    history text := health_internal.data_table('history', tracking.id);
    month date := health_internal.month_of(from_date);
    following date;
    partition text;
BEGIN
    WHILE month <= to_date LOOP
        following := (month + interval '1 month')::date;
        partition := health_internal.history_month(tracking.id, month);
        IF to_regclass(partition) IS NULL THEN
            PERFORM health_internal.create_data_partition('history', tracking.id, month);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', history, partition, month, following);
        END IF;
        month := following;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.make_history_months(health_internal.tracking, date, date) IS
    'Makes the partitions of a history for the months of a span of days';
