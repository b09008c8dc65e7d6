-- Change capture: the trigger of tracked tables, and what is done with the changes that it writes.

CREATE FUNCTION health_internal.capture() RETURNS trigger
LANGUAGE c PARALLEL SAFE
AS 'MODULE_PATHNAME', 'health_capture';
COMMENT ON FUNCTION health_internal.capture() IS
    'Trigger of tracked tables, made by health.track(): after each row it notes what the row''s event changes, and writes that when the '
        'transaction commits. It never makes a writer fail';

CREATE FUNCTION health_internal.fold_changes(changes bytea[])
RETURNS TABLE (account_id text, period date, usage health.usage, bad_rows bigint)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000
AS 'MODULE_PATHNAME', 'health_fold_changes';
COMMENT ON FUNCTION health_internal.fold_changes(bytea[]) IS
    'Captured changes as ledgers per account and calendar quarter, without those that come to nothing; one more row with the number of '
        'rows that are no event if that is not 0. NULL pieces are left out';

CREATE FUNCTION health_internal.pending_changes(changes bytea, read_blocks bigint[]) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'health_pending_changes';
COMMENT ON FUNCTION health_internal.pending_changes(bytea, bigint[]) IS
    'Captured changes without those of rows in the given ranges of blocks (from, to, from, to ...; the upper bounds excluded); NULL when '
        'none is left';

CREATE FUNCTION health_internal.count_changes(changes bytea) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50
AS 'MODULE_PATHNAME', 'health_count_changes';
COMMENT ON FUNCTION health_internal.count_changes(bytea) IS 'The number of changes in a captured piece; an update counts as two';

CREATE FUNCTION health_internal.is_change_table(relation oid, owner oid) RETURNS boolean
LANGUAGE c STRICT STABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'health_is_change_table';
COMMENT ON FUNCTION health_internal.is_change_table(oid, oid) IS
    'Whether a table is what capture can write changes to, of that owner; false when there is none';
