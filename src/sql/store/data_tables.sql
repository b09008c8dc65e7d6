-- Names of the tables of tracked models.

CREATE FUNCTION health_internal.data_table(kind text, id integer) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT 'health_data.' || kind || '_' || id;
END;
COMMENT ON FUNCTION health_internal.data_table(text, integer) IS 'Name of a table of a tracked model (book, score, signals, history, stale) or of a ledger source (chunk, change)';
