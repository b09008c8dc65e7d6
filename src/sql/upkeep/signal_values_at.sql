-- The signals of all accounts of a tracked model on any dates, as measured, from its ledger.

CREATE FUNCTION health_internal.signal_values_at_as_owner(model text, dates date[], OUT account_id text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tracking health_internal.tracking := health_internal.find_ready_tracking(model);
    document jsonb := (health_internal.find_version(model, tracking.model_version)).document;
BEGIN
    RETURN QUERY EXECUTE format('SELECT %s, health_internal.raw_values(%L::jsonb, %s, $1) FROM (%s) AS l',
                                health_internal.account_text(tracking, 'l.account_id'),
                                health_internal.scoring_document(document), health_internal.compile_state('l."$parts"'),
                                health_internal.compile_book_rows(tracking, document)) USING dates;
END;
$$;
COMMENT ON FUNCTION health_internal.signal_values_at_as_owner(text, date[]) IS 'signal_values_at() as the owner of the model';

CREATE FUNCTION health.signal_values_at(model text, dates date[], OUT account_id text, OUT raw float8[])
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT * FROM health_internal.signal_values_at_as_owner($1, $2::date[])', model, health_internal.iso_text(dates))
        AS r (account_id text, raw float8[]);
END;
$$;
COMMENT ON FUNCTION health.signal_values_at(text, date[]) IS
    'the values of all signals as measured, of every account of a tracked model on each of some dates, from its ledger as of the last '
        'refresh: '
    'row n of raw is of dates[n], its columns are the signals in the order of the model; NULL for groups, categories and unknown values';
