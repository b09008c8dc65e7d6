// Sets DuckDB and ClickHouse, in this process, one thread each, beside the ledger: the five figures of rescore_queries.sql, and the time from 2,000
// new events to fresh figures, loading included. Each has its own native copy of the same events; answers are compared value by value.
//
//   node test/bench/peers.mjs DIRECTORY-WITH-NODE_MODULES ROUNDS SCALE      (PGHOST and so on: the bench's cluster)
//
// Prints `name milliseconds` (medians; of several forms of a query the fastest), `NAME_pairs RATIO` (median of a peer's time over that of the ledger
// just before it) and `peer_differences COUNT`.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

const [packages, roundsText, scaleText] = process.argv.slice(2);
const require = createRequire(join(resolve(packages), 'package.json'));
const {DuckDBInstance} = require('@duckdb/node-api');
const {Session} = require('chdb');
const rounds = Number(roundsText);
const accounts = Math.round(20000 * Number(scaleText));
const visits = Math.ceil(250 * Number(scaleText));
const dir = mkdtempSync(join(tmpdir(), 'bench_peers.'));
process.on('exit', () => rmSync(dir, {recursive: true, force: true}));

// A psql session: ask(script) returns its output, as lines of tab-separated values.
class Psql {
  constructor() {
    this.child = spawn('psql', ['-XqAt', '-F', '\t', '-v', 'ON_ERROR_STOP=1'], {stdio: ['pipe', 'pipe', 'inherit']});
    this.output = '';
    this.child.stdout.setEncoding('utf8');
    this.child.stdout.on('data', (text) => {
      this.output += text;
      const end = this.output.indexOf('\n:end\n');
      if (end < 0 && this.output !== ':end\n' && !this.output.startsWith(':end\n')) return;
      const answer = end < 0 ? '' : this.output.slice(0, end);
      this.output = '';
      this.answered(answer === '' ? [] : answer.split('\n'));
    });
    this.child.on('exit', (code) => {
      if (code) process.exit(1);
    });
  }
  ask(script) {
    return new Promise((answered) => {
      this.answered = answered;
      this.child.stdin.write(`${script}\n\\echo :end\n`);
    });
  }
  close() {
    this.child.stdin.end();
  }
}

const timings = new Map();
async function time(name, round, action) {
  const start = process.hrtime.bigint();
  await action();
  note(name, round, Number(process.hrtime.bigint() - start) / 1e6);
}
// Round 0 warms up.
function note(name, round, ms) {
  if (round === 0) return;
  if (!timings.has(name)) timings.set(name, []);
  timings.get(name).push(ms);
}
function median(name) {
  const sorted = [...timings.get(name)].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The five figures in two forms, as in rescore_queries.sql: one pass by user and account, or two passes.
const weeks = [1, 2, 3, 4, 5, 6, 7, 8];
function forms({timestamp, countIf, cast, events}) {
  const daysBefore = (days) => timestamp(new Date(Date.UTC(2025, 6, 2 - days)).toISOString().slice(0, 10));
  const within = (from, until) => `occurred_at >= ${daysBefore(from)} AND occurred_at < ${daysBefore(until)}`;
  const counts = weeks.map((w) => `${countIf(within(7 * w, 7 * w - 7))} AS w${w}`).join(', ');
  const dips = `CASE ${weeks.slice(0, 7).map((w) => `WHEN w${w} >= w${w + 1} THEN ${w - 1}`).join(' ')} ELSE 7 END`;
  const figures = `CASE WHEN before > 0 THEN (${cast('events')} - ${cast('before')}) / ${cast('before')} WHEN events = 0 THEN 0 END AS trend_4w,
    ${dips} AS dip_streak, CASE WHEN events > 0 THEN ${cast('most')} / ${cast('events')} END AS power_user_dependency`;
  const once = `SELECT account_id, active_users, events, ${figures}
    FROM (SELECT account_id, ${countIf('recent > 0')} AS active_users, sum(recent) AS events, sum(n - recent) AS before, max(recent) AS most,
                 ${weeks.map((w) => `sum(u${w}) AS w${w}`).join(', ')}
          FROM (SELECT account_id, user_id, count(*) AS n, ${countIf(`occurred_at >= ${daysBefore(28)}`)} AS recent, ${counts.replaceAll('AS w', 'AS u')}
                FROM ${events} WHERE ${within(56, 0)} GROUP BY account_id, user_id) AS u
          GROUP BY account_id) AS a`;
  const twice = `SELECT account_id, coalesce(active_users, 0) AS active_users, events, ${figures}
    FROM (SELECT account_id, w1 + w2 + w3 + w4 AS events, w5 + w6 + w7 + w8 AS before, w1, w2, w3, w4, w5, w6, w7, w8
          FROM (SELECT account_id, ${counts} FROM ${events} WHERE ${within(56, 0)} GROUP BY account_id) AS c) AS w
    LEFT JOIN (SELECT account_id, count(*) AS active_users, max(n) AS most
               FROM (SELECT account_id, user_id, count(*) AS n FROM ${events} WHERE ${within(28, 0)} GROUP BY account_id, user_id) AS n
               GROUP BY account_id) AS u USING (account_id)`;
  return {once, twice};
}

const csv = join(dir, 'events.csv');
const csvQuery = (source) => `SELECT account_id, user_id, event_name, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM ${source}`;
const psql = new Psql();
await psql.ask(`SET max_parallel_workers_per_gather = 0; SET jit = off; SET work_mem = '64MB'; SET client_min_messages = warning;
\\copy (${csvQuery('events')}) TO '${csv}' WITH (FORMAT csv)`);
const [ledgerQuery] = await psql.ask(`SELECT replace(query, E'\\n', ' ') FROM bench.rescore_query WHERE name = 'rescore_ledger';`);

const duckColumns = `header = false, columns = {'account_id': 'BIGINT', 'user_id': 'BIGINT', 'event_name': 'VARCHAR', 'occurred_at': 'TIMESTAMP'}`;
const duckForms = forms({
  timestamp: (day) => `TIMESTAMP '${day} 00:00:00'`,
  countIf: (condition) => `count(*) FILTER (WHERE ${condition})`,
  cast: (value) => `${value}::DOUBLE`,
  events: 'events',
});
const duck = await (await DuckDBInstance.create(':memory:', {threads: '1'})).connect();
await duck.run(`CREATE TABLE events AS SELECT * FROM read_csv('${csv}', ${duckColumns})`);

const houseColumns = `CSV, 'account_id Int64, user_id Int64, event_name String, occurred_at DateTime64(6, \\'UTC\\')'`;
const houseForms = forms({
  timestamp: (day) => `toDateTime64('${day} 00:00:00', 6, 'UTC')`,
  countIf: (condition) => `toInt64(countIf(${condition}))`,
  cast: (value) => `toFloat64(${value})`,
  events: 'bench.events',
});
const oneThread = 'SETTINGS max_threads = 1, max_insert_threads = 1, join_use_nulls = 1';
const house = new Session(join(dir, 'clickhouse'));
house.query('CREATE DATABASE bench ENGINE = Atomic');
house.query(`CREATE TABLE bench.events (account_id Int64, user_id Int64, event_name LowCardinality(String), occurred_at DateTime64(6, 'UTC'))
             ENGINE = MergeTree ORDER BY occurred_at`);
house.query(`INSERT INTO bench.events SELECT * FROM file('${csv}', ${houseColumns}) ${oneThread}`);
house.query('OPTIMIZE TABLE bench.events FINAL');

// Each run that counts follows one of the same that does not: a core that was idle while the others worked is slow for a time, which those who take
// less than that time would be charged with alone.
async function timeLedger(name, round) {
  await psql.ask(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${ledgerQuery};`);
  const plan = await psql.ask(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${ledgerQuery};`);
  const [{'Planning Time': planning, 'Execution Time': execution}] = JSON.parse(plan.join(''));
  note(name, round, planning + execution);
}
async function timeWarm(name, round, action) {
  await action();
  await time(name, round, action);
}
for (let round = 0; round <= rounds; ++round) {
  for (const form of ['once', 'twice']) {
    await timeLedger('peer_ledger', round);
    await timeWarm(`peer_duckdb_${form}`, round, () => duck.run(duckForms[form]));
    await timeLedger('peer_ledger', round);
    await timeWarm(`peer_clickhouse_${form}`, round, () => house.query(`${houseForms[form]} ${oneThread}`, 'Null'));
  }
}
const best = (name) => (median(`${name}_once`) < median(`${name}_twice`) ? 'once' : 'twice');
const duckBest = best('peer_duckdb');
const houseBest = best('peer_clickhouse');
// A machine that others share changes its speed by itself: each run is compared with that of the ledger just before it.
for (const [position, peer, form] of [[0, 'peer_duckdb', duckBest], [1, 'peer_clickhouse', houseBest]]) {
  const first = position + (form === 'twice' ? 2 : 0);
  const ledgers = timings.get('peer_ledger').filter((_, i) => i % 4 === first);
  timings.get(`${peer}_${form}`).forEach((ms, i) => note(`${peer}_pairs`, i + 1, ms / ledgers[i]));
}

for (let round = 0; round <= Math.ceil(rounds / 3); ++round) {
  const file = join(dir, `new_${round}.csv`);
  await psql.ask(`\\copy (${csvQuery(`bench.new_events(${5000 + round}, ${visits}, 8, ${accounts})`)}) TO '${file}' WITH (FORMAT csv)`);
  if (statSync(file).size === 0) throw new Error('no new events');
  const [, ours] = await psql.ask(`SET TimeZone = 'UTC';
SELECT bench.start();
\\copy events FROM '${file}' WITH (FORMAT csv)
CALL health.refresh('bench_1x');
SELECT bench.stop('fresh_tracked', ${round});`);
  note('fresh_tracked', round, Number(ours));
  await time('fresh_duckdb', round, async () => {
    await duck.run(`INSERT INTO events SELECT * FROM read_csv('${file}', ${duckColumns})`);
    await duck.run(duckForms[duckBest]);
  });
  await time('fresh_clickhouse', round, () => {
    house.query(`INSERT INTO bench.events SELECT * FROM file('${file}', ${houseColumns}) ${oneThread}`);
    house.query(`${houseForms[houseBest]} ${oneThread}`, 'Null');
  });
}

// Every figure of every account, from all three; a number is a number, whatever its type.
const answers = (rows) => new Map(rows.map((row) => [String(row[0]), row.slice(1).map((value) => (value === null ? 'unknown' : String(Number(value))))].map(String)));
const ledger = answers((await psql.ask(`${ledgerQuery};`)).map((line) => line.split('\t').map((value) => (value === '' ? null : value))));
const others = [];
for (const form of ['once', 'twice']) {
  others.push(answers(await (await duck.runAndReadAll(duckForms[form])).getRows()));
  others.push(answers(house.query(`${houseForms[form]} ${oneThread}`, 'JSONCompactEachRow').trim().split('\n').map((line) => JSON.parse(line))));
}
let differences = 0;
for (const other of others) {
  for (const account of new Set([...ledger.keys(), ...other.keys()])) {
    if (ledger.get(account) === other.get(account)) continue;
    if (++differences <= 5) console.error(`account ${account}: ledger ${ledger.get(account)}, peer ${other.get(account)}`);
  }
}

console.log(`peer_ledger ${median('peer_ledger').toFixed(1)}`);
console.log(`peer_duckdb ${median(`peer_duckdb_${duckBest}`).toFixed(1)}`);
console.log(`peer_clickhouse ${median(`peer_clickhouse_${houseBest}`).toFixed(1)}`);
for (const name of ['peer_duckdb_pairs', 'peer_clickhouse_pairs']) console.log(`${name} ${median(name).toFixed(3)}`);
for (const name of ['fresh_tracked', 'fresh_duckdb', 'fresh_clickhouse']) console.log(`${name} ${median(name).toFixed(1)}`);
console.log(`peer_differences ${differences}`);
psql.close();
house.close();
process.exit(0);
