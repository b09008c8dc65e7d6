-- Reading of tracked tables: rows to chunks of ledgers.

CREATE FUNCTION health_internal.fold_events(source integer, leaf oid, from_block bigint, to_block bigint, part integer,
                                   first_period date DEFAULT '-infinity',
                                   OUT events bigint, OUT bad_rows bigint, OUT names text[], OUT days date[], OUT counts bigint[])
    AS 'MODULE_PATHNAME', 'health_fold_events'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION health_internal.fold_events(integer, oid, bigint, bigint, integer, date) IS
    'reads the rows in blocks [from_block, to_block) of a tracked table or partition and inserts their ledgers, from first_period on, '
        'into the chunks of the source: one per account, quarter and part. Returns the events, the rows that are none, and how many '
        'events of each name each local day has. For the owner of the ledgers; internal to tracking';
