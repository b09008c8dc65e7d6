// Sets DuckDB and ClickHouse, in this process, one thread each, beside the ledger: the raw values of all signals of the preset for every
// account as of three days (book.sql), and the time from 2,000 new events to fresh values, loading included. Each has its own native copy
// of the same events and accounts, in the order that suits it; answers are compared value by value.
//
//   node test/bench/peers.mjs DIRECTORY-WITH-NODE_MODULES ROUNDS SCALE      (PGHOST and so on: the bench's cluster)
//
// Prints `name milliseconds` (medians; of several forms of a query the fastest), `NAME_pairs RATIO` (median of a peer's time over that of
// the ledger just before it) and `peer_differences COUNT`.
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

// The signals in several forms. Days are counted back from the newest of the three dates, which are whole weeks apart, so that weeks and
// windows of four weeks of all three are made of the same weeks 0, 1, ... . By user: in which of the weeks 0, 1 to 3, 4, 5 to 7 a user did
// something, viewed or made something (bits), how much he made (four numbers of 16 bits), and the days of his first event and of his first
// activating one. By account: events of each week, interactions of those four spans. Every event of these data is in the catalog, so all
// count as activity.
const shifts = [0, 1, 4];
const signals = 13;
function forms(dialect, roles, weeks) {
  const {day, week, countIf, bits, shift, cast, top, events, accounts, age, past, present} = dialect;
  const names = (...wanted) => `(${[...new Set(wanted.flatMap((role) => roles.get(role)))].map((name) => `'${name}'`).join(', ')})`;
  const spans = [[0, 0], [1, 3], [4, 4], [5, 7]];
  const spanOf = (w) => `CASE WHEN ${w} = 0 THEN 0 WHEN ${w} < 4 THEN 1 WHEN ${w} = 4 THEN 2 ELSE 3 END`;
  const windows = new Map([[0, [0, 1]], [1, [1, 2]], [4, [2, 3]]]);  // spans that make up the four weeks before a date
  const mask = (s) => windows.get(s).reduce((all, span) => all + (1 << span), 0);
  const did = (column, s) => bits(column, mask(s));
  const firsts = 'max(day) AS came, max(CASE WHEN is_activating THEN day ELSE -1000000 END) AS activated';
  // Users by the week they came in: the weeks from..to, or from that one back.
  const cameIn = (from, to) => (to === undefined ? `came >= ${7 * from}` : `came BETWEEN ${7 * from} AND ${7 * to + 6}`);
  // What the user level has in both ways of counting: seen(s), viewed(s), made(s), as conditions or sums.
  const packed = {
    columns: `${firsts}, ${dialect.bitOr(`CASE WHEN week < 8 THEN ${shift(1, 'span')} ELSE 0 END`)} AS seen,
      ${dialect.bitOr(`CASE WHEN week < 8 AND is_seen_or_made THEN ${shift(1, 'span')} ELSE 0 END`)} AS viewed,
      sum(CASE WHEN week < 8 AND is_made THEN ${shift(dialect.big(1), '(16 * span)')} ELSE ${dialect.big(0)} END) AS made`,
    seen: (s) => did('seen', s),
    viewed: (s) => did('viewed', s),
    made: (s) => windows.get(s).map((span) => dialect.field('made', span)).join(' + '),
  };
  const each = (name, condition) => spans.map(([from, to], i) => `${countIf(`week BETWEEN ${from} AND ${to}${condition}`)} AS ${name}${i}`).join(', ');
  const sum = (name, s) => windows.get(s).map((span) => `${name}${span}`).join(' + ');
  const counted = {
    columns: `${firsts}, ${each('did', '')}, ${each('saw', ' AND is_seen_or_made')}, ${each('did_make', ' AND is_made')}`,
    seen: (s) => `${sum('did', s)} > 0`,
    viewed: (s) => `${sum('saw', s)} > 0`,
    made: (s) => sum('did_make', s),
  };
  const rows = `SELECT account_id, user_id, ${day} AS day, ${week} AS week, ${spanOf('week')} AS span,
                       event_name IN ${names('activate')} AS is_activating, event_name IN ${names('create')} AS is_made,
                       event_name IN ${names('create', 'consume')} AS is_seen_or_made FROM ${events} WHERE ${past}`;
  const users = (way) => `SELECT account_id, ${[0, 1, 4, 5, 8].map((s) => `${countIf(cameIn(s))} AS users${s}`).join(', ')}, ${shifts
    .map((s) => `${countIf(way.seen(s))} AS active${s}, ${countIf(way.viewed(s))} AS viewers${s}, ${countIf(`${way.made(s)} > 0`)} AS makers${s},
                 sum(${way.made(s)}) AS made${s}, max(${way.made(s)}) AS most${s}, ${countIf(cameIn(s, s + 3))} AS newcomers${s},
                 ${countIf(cameIn(s + 1, s + 4))} AS joiners${s}, ${countIf(`${cameIn(s + 1, s + 4)} AND came - activated < 7`)} AS onboarded${s}`)
    .join(', ')}
    FROM (SELECT account_id, user_id, ${way.columns} FROM (${rows}) AS e GROUP BY account_id, user_id) AS u GROUP BY account_id`;
  const numbers = [...Array(weeks + 1).keys()];
  const interactions = names('interact');
  const wide = `SELECT account_id, ${numbers.map((w) => `${countIf(`week = ${w}`)} AS w${w}`).join(', ')},
      ${spans.map(([from, to], i) => `${countIf(`week BETWEEN ${from} AND ${to} AND interaction`)} AS i${i}`).join(', ')}
    FROM (SELECT account_id, ${week} AS week, event_name IN ${interactions} AS interaction FROM ${events} WHERE ${past}) AS e GROUP BY account_id`;
  const long = `SELECT account_id, ${numbers.map((w) => `sum(CASE WHEN week = ${w} THEN n ELSE 0 END) AS w${w}`).join(', ')},
      ${spans.map(([from, to], i) => `sum(CASE WHEN week BETWEEN ${from} AND ${to} THEN interactions ELSE 0 END) AS i${i}`).join(', ')}
    FROM (SELECT account_id, week, count(*) AS n, ${countIf('interaction')} AS interactions
          FROM (SELECT account_id, ${week} AS week, event_name IN ${interactions} AS interaction FROM ${events} WHERE ${past}) AS e
          GROUP BY account_id, week) AS d GROUP BY account_id`;
  const total = (from, to) => numbers.slice(from, to).map((w) => `w${w}`).join(' + ');
  const change = (days, now, before, difference) =>
    `CASE WHEN age < ${days} THEN NULL WHEN ${before} > 0 THEN ${cast(difference)} / ${cast(before)} WHEN ${now} = 0 THEN 0 END`;
  const ratio = (part, whole) => `CASE WHEN ${whole} > 0 THEN ${cast(part)} / ${cast(whole)} END`;
  const values = shifts
    .map((s) => {
      const now = total(s, s + 4);
      const before = total(s + 4, s + 8);
      const base = total(s + 1, s + 5);
      const ageWeeks = top(`(age - ${7 * s})`);
      const busy = [...Array(8).keys()].map((w) => `CASE WHEN w${s + w} > 0 AND ${w} < ${ageWeeks} THEN 1 ELSE 0 END`).join(' + ');
      return [
        ratio(`viewers${s}`, `users${s}`),
        ratio(`onboarded${s}`, `joiners${s}`),
        'NULL',
        ratio(`7 * (${sum('i', s)})`, `(28 * active${s})`),
        ratio(`(${sum('i', s)})`, `made${s}`),
        ratio(`(${busy})`, ageWeeks),
        ratio(`7 * made${s}`, `(28 * active${s})`),
        ratio(`makers${s}`, `active${s}`),
        ratio(`most${s}`, `made${s}`),
        change(56 + 7 * s, now, `(${before})`, `((${now}) - (${before}))`),
        change(35 + 7 * s, `w${s}`, `(${base})`, `(4 * w${s} - (${base}))`),
        `CASE ${numbers.slice(s, -1).map((w) => `WHEN w${w} >= w${w + 1} THEN ${w - s}`).join(' ')} END`,
        ratio(`newcomers${s}`, `users${s + 4}`),
      ];
    })
    .flat()
    .map((value, i) => `${value} AS v${i}`)
    .join(', ');
  const columns = [
    ...[0, 1, 4, 5, 8].map((s) => `users${s}`),
    ...shifts.flatMap((s) => ['active', 'viewers', 'makers', 'made', 'most', 'newcomers', 'joiners', 'onboarded'].map((name) => `${name}${s}`)),
    ...numbers.map((w) => `w${w}`),
    ...spans.map((_, i) => `i${i}`),
  ];
  const whole = (way, weekly) => `SELECT account_id, ${values} FROM (
    SELECT account_id, age, ${columns.map(present).join(', ')} FROM (SELECT account_id, ${age} AS age FROM ${accounts}) AS a
    LEFT JOIN (${users(way)}) AS u USING (account_id) LEFT JOIN (${weekly}) AS w USING (account_id)) AS b`;
  return {packed_wide: whole(packed, wide), packed_long: whole(packed, long), counted_wide: whole(counted, wide), counted_long: whole(counted, long)};
}

const csv = join(dir, 'events.csv');
const csvQuery = (source) => `SELECT account_id, user_id, event_name, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM ${source}`;
const psql = new Psql();
await psql.ask(`SET max_parallel_workers_per_gather = 0; SET jit = off; SET work_mem = '64MB'; SET client_min_messages = warning;
\\copy (${csvQuery('events')}) TO '${csv}' WITH (FORMAT csv)`);
const accountsCsv = join(dir, 'accounts.csv');
await psql.ask(`\\copy (SELECT account_id, started FROM bench.accounts) TO '${accountsCsv}' WITH (FORMAT csv)`);
const [ledgerQuery] = await psql.ask(`SELECT regexp_replace(query, '\\s+', ' ', 'g') FROM bench.book_query;`);
const [weeksText] = await psql.ask(`SELECT ceil(('2025-07-02' - min(occurred_at AT TIME ZONE 'UTC')::date) / 7.0) FROM events;`);
const roles = new Map();
for (const line of await psql.ask(`SELECT role, event FROM bench.catalog_role;`)) {
  const [role, event] = line.split('\t');
  roles.set(role, [...(roles.get(role) ?? []), event]);
}
const eventNames = (await psql.ask(`SELECT DISTINCT event_name FROM events;`)).map((name) => `'${name}'`).join(', ');

const duckColumns = `header = false, columns = {'account_id': 'BIGINT', 'user_id': 'BIGINT', 'event_name': 'VARCHAR', 'occurred_at': 'TIMESTAMP'}`;
const duckForms = forms(
  {
    day: `((epoch_us(TIMESTAMP '2025-07-02') - 1 - epoch_us(occurred_at)) // 86400000000)`,
    week: `((epoch_us(TIMESTAMP '2025-07-02') - 1 - epoch_us(occurred_at)) // 604800000000)`,
    past: `occurred_at < TIMESTAMP '2025-07-02'`,
    age: `DATE '2025-07-02' - started`,
    countIf: (condition) => `count(*) FILTER (WHERE ${condition})`,
    bits: (column, mask) => `(${column} & ${mask}) > 0`,
    bitOr: (value) => `bit_or(${value})`,
    shift: (value, by) => `(${value} << ${by}::INTEGER)`,
    big: (value) => `${value}::BIGINT`,
    field: (column, i) => `((${column}::BIGINT >> ${16 * i}) & 65535)`,
    cast: (value) => `(${value})::DOUBLE`,
    top: (days) => `least(8, ${days} // 7)`,
    present: (column) => `coalesce(${column}, 0) AS ${column}`,
    events: 'events',
    accounts: 'accounts',
  },
  roles,
  Number(weeksText),
);
const duck = await (await DuckDBInstance.create(':memory:', {threads: '1'})).connect();
await duck.run(`CREATE TYPE event_name AS ENUM (${eventNames})`);
await duck.run(`CREATE TABLE events AS SELECT account_id, user_id, event_name::event_name AS event_name, occurred_at
                FROM read_csv('${csv}', ${duckColumns}) ORDER BY account_id, user_id, occurred_at`);
await duck.run(`CREATE TABLE accounts AS SELECT * FROM read_csv('${accountsCsv}', header = false, columns = {'account_id': 'BIGINT', 'started': 'DATE'})`);

const houseColumns = `CSV, 'account_id Int64, user_id Int64, event_name String, occurred_at DateTime64(6, \\'UTC\\')'`;
const houseForms = forms(
  {
    day: `intDiv(toUnixTimestamp('2025-07-02 00:00:00', 'UTC') - 1 - toUnixTimestamp(occurred_at), 86400)`,
    week: `intDiv(toUnixTimestamp('2025-07-02 00:00:00', 'UTC') - 1 - toUnixTimestamp(occurred_at), 604800)`,
    past: `occurred_at < toDateTime64('2025-07-02 00:00:00', 6, 'UTC')`,
    age: `toDate('2025-07-02') - started`,
    countIf: (condition) => `toInt64(countIf(${condition}))`,
    bits: (column, mask) => `bitAnd(${column}, ${mask}) > 0`,
    bitOr: (value) => `groupBitOr(${value})`,
    shift: (value, by) => `bitShiftLeft(${value}, ${by})`,
    big: (value) => `toUInt64(${value})`,
    field: (column, i) => `toInt64(bitAnd(bitShiftRight(${column}, ${16 * i}), 65535))`,
    cast: (value) => `toFloat64(${value})`,
    top: (days) => `least(8, intDiv(${days}, 7))`,
    present: (column) => column,  // join_use_nulls = 0: none is 0
    events: 'bench.events',
    accounts: 'bench.accounts',
  },
  roles,
  Number(weeksText),
);
const oneThread = 'SETTINGS max_threads = 1, max_insert_threads = 1, join_use_nulls = 0';
const house = new Session(join(dir, 'clickhouse'));
house.query('CREATE DATABASE bench ENGINE = Atomic');
house.query(`CREATE TABLE bench.events (account_id Int64, user_id Int64, event_name LowCardinality(String), occurred_at DateTime64(6, 'UTC'))
             ENGINE = MergeTree ORDER BY (account_id, user_id, occurred_at)`);
house.query(`INSERT INTO bench.events SELECT * FROM file('${csv}', ${houseColumns}) ${oneThread}`);
house.query('OPTIMIZE TABLE bench.events FINAL');
house.query(`CREATE TABLE bench.accounts (account_id Int64, started Date) ENGINE = MergeTree ORDER BY account_id`);
house.query(`INSERT INTO bench.accounts SELECT * FROM file('${accountsCsv}', CSV, 'account_id Int64, started Date') ${oneThread}`);

const askDuck = (form) => duck.run(duckForms[form]);
const askHouse = (form) => house.query(`${houseForms[form]} ${oneThread}`, 'Null');
// The best form of each; the first run of each form warms up.
async function choose(name, ask) {
  const all = Object.keys(duckForms);
  for (let round = 0; round <= 3; ++round) for (const form of all) await time(`${name}_${form}`, round, () => ask(form));
  return all.reduce((best, form) => (median(`${name}_${form}`) < median(`${name}_${best}`) ? form : best));
}
const duckBest = await choose('duckdb', askDuck);
const houseBest = await choose('clickhouse', askHouse);
console.error(`the fastest form: ${duckBest} in DuckDB, ${houseBest} in ClickHouse`);

// Each run that counts follows one of the same that does not: a core that was idle while the others worked is slow for a time, which those
// who take less than that time would be charged with alone. A machine that others share changes its speed by itself: a peer is compared
// with the ledger's run just before it.
async function timePair(name, round, ask) {
  await psql.ask(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${ledgerQuery};`);
  const plan = await psql.ask(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${ledgerQuery};`);
  const [{'Planning Time': planning, 'Execution Time': execution}] = JSON.parse(plan.join(''));
  note('book_ledger_peers', round, planning + execution);
  await ask();
  await time(name, round, ask);
  if (round > 0) note(`${name}_pairs`, round, timings.get(name).at(-1) / (planning + execution));
}
for (let round = 0; round <= rounds; ++round) {
  await timePair('book_duckdb', round, () => askDuck(duckBest));
  await timePair('book_clickhouse', round, () => askHouse(houseBest));
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
    await askDuck(duckBest);
  });
  await time('fresh_clickhouse', round, () => {
    house.query(`INSERT INTO bench.events SELECT * FROM file('${file}', ${houseColumns}) ${oneThread}`);
    askHouse(houseBest);
  });
}

// Every signal of every account on every day, from all three; a number is a number, whatever its type.
const number = (value) => (value === null || value === '' ? 'unknown' : String(Number(value)));
const dates = ['2025-07-02', '2025-06-25', '2025-06-04'];
const ledger = new Map();
for (const line of await psql.ask(`${ledgerQuery};`)) {
  const [account, date, ...values] = line.split('\t');
  if (!ledger.has(account)) ledger.set(account, Array(dates.length * signals).fill('missing'));
  ledger.get(account).splice(dates.indexOf(date) * signals, signals, ...values.map(number));
}
let differences = 0;
function compare(peer, rows) {
  const other = new Map(rows.map(([account, ...values]) => [String(account), values.map(number)]));
  for (const account of new Set([...ledger.keys(), ...other.keys()])) {
    const [ours, theirs] = [String(ledger.get(account)), String(other.get(account))];
    if (ours !== theirs && ++differences <= 5) console.error(`account ${account}\n  ledger ${ours}\n  ${peer} ${theirs}`);
  }
}
for (const form of Object.keys(duckForms)) {
  compare('DuckDB', (await duck.runAndReadAll(duckForms[form])).getRows());
  const lines = house.query(`${houseForms[form]} ${oneThread}`, 'JSONCompactEachRow').trim().split('\n');
  compare('ClickHouse', lines.map((line) => JSON.parse(line)));
}

for (const name of ['book_ledger_peers', 'book_duckdb', 'book_clickhouse', 'fresh_tracked', 'fresh_duckdb', 'fresh_clickhouse']) {
  console.log(`${name} ${median(name).toFixed(1)}`);
}
for (const name of ['book_duckdb_pairs', 'book_clickhouse_pairs']) console.log(`${name} ${median(name).toFixed(3)}`);
console.log(`peer_differences ${differences}`);
psql.close();
house.close();
process.exit(0);
