#!/usr/bin/env bash
# Random SQL against a server with the extension, by sqlsmith: test/client/sqlsmith.sh [QUERIES [SEED]]. Optional, not part of make test.
#
# What sqlsmith's queries answer is of no interest; the server must survive them, and no assertion may fail.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/tally.bash
queries=${1:-2000} seed=${2:-$RANDOM}
command -v sqlsmith >/dev/null || { echo "sqlsmith is not installed (apt-get install sqlsmith)" >&2; exit 2; }

mkdir -p build
log=build/sqlsmith-server.log
run() {
  # Tables with ledgers, so that the random queries have values for our functions.
  psql -qX -v ON_ERROR_STOP=1 <<'SQL'
set search_path = public, health;
create table ledgers as select n % 7 as account, usage_agg(n % 9, 'event ' || n % 5, date '2025-01-01' + n % 60, n / 8.0) as u from generate_series(1, 2000) n group by 1;
insert into ledgers values (100, '{}'), (101, 'text{anna:2025-01-03/$joined,2025-02-03/a}'), (102, 'bigint{1:2025-01-01/a*-3}'), (103, null);
create table days (d date, catalog jsonb, step int);
insert into days values ('2025-02-01', '{"event 1": {"role": "create"}}', 7), ('0001-01-01', null, 0), ('infinity', '{}', -1);
SQL
  timeout 300 sqlsmith --target="host=$PGHOST user=$PGUSER dbname=$PGDATABASE" --max-queries="$queries" --seed="$seed" --exclude-catalog >build/sqlsmith.log 2>&1 ||
    [ "$(psql -XAtc 'select 1')" = 1 ]
}
export -f run
export queries seed
PG_CONF="statement_timeout = '2s'" SERVER_LOG=$log test/with_cluster bash -c run
check "$queries random queries (seed $seed) leave the server up" bash -c "! grep -aE 'PANIC|TRAP|terminated by signal' '$log'"
check "none of them met an internal error of the extension" bash -c "! grep -aE 'ERROR: .*(std::|bad_alloc|unexpected exception|cache lookup failed)' '$log' | grep -a health"
tally sqlsmith
