-- Reading of tracked tables: rows to chunks of ledgers.

CREATE FUNCTION health.fold_events(source integer, leaf oid, from_block bigint, to_block bigint, part integer, count_from date DEFAULT '2000-01-01',
                                   OUT events bigint, OUT bad_rows bigint, OUT daily bigint[])
    AS 'MODULE_PATHNAME', 'health_fold_events'
    LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION health.fold_events(integer, oid, bigint, bigint, integer, date) IS
    'reads the rows in blocks [from_block, to_block) of a tracked table or partition and inserts their ledgers into the chunks of the source: one per account, quarter and part. Returns the events, the rows that are none, and the events of each of the 128 local days from count_from on. For the owner of the ledgers; internal to tracking';
