-- Type health.usage: text and binary form, validation, comparison, cells().
set datestyle = 'ISO';
set search_path = public, health;

-- Readable text, in any order, adding up; printed in the one canonical way.
select '{}'::usage as nothing, 'bigint{}'::usage as still_nothing;
select 'bigint{43:2025-01-04/view*3=4.5#2;42:2025-01-04/view,2025-01-03/comment_left,2025-01-03/comment_left}'::usage;
select ' text { anna :2025-01-03/view ; "x y" :2025-01-03/ "b ""c""" * 2 } '::usage;
select 'uuid{FFFFFFFF-0000-0000-0000-000000000001:2025-01-03/a;00000000-0000-0000-0000-000000000001:2025-01-03/a}'::usage;
select 'bigint{1:2025-01-03/a*2,2025-01-03/a*-2}'::usage as cancelled_out;
select 'bigint{1:2025-01-03/a=0.1,2025-01-03/a=0.2}'::usage = 'bigint{1:2025-01-03/a*2=0.3}'::usage as exact;
select 'bigint{-9223372036854775808:-4713-11-24/a;9223372036854775807:+5874897-12-31/a}'::usage;

-- Mistakes: where, and what it should look like.
select ''::usage;
select 'bigint{1:2025-02-30/a}'::usage;
select 'bigint{1:2025-01-03/a} and more'::usage;
select 'int{1:2025-01-03/a}'::usage;
select 'bigint{anna:2025-01-03/a}'::usage;
select 'uuid{1:2025-01-03/a}'::usage;
select 'bigint{1:2025-01-03/a*9223372036854775808}'::usage;
select 'bigint{1:2025-01-03/a*2000000000000000000}'::usage;
select 'bigint{1:2025-01-03/a=10000000000000000000001}'::usage;
select 'text{anna:2025-01-03/""}'::usage;

-- Rows.
select * from cells('bigint{42:2025-01-03/comment_left*2,2025-01-04/view=1.5;43:2025-01-04/view*3=4.5#2,2025-01-05/view*2=0}');
select * from cells('text{ä:2025-01-03/"b c"*-2}');
select * from cells('{}');
select * from cells(null);

-- The bytes: two of the empty ledger, a few per cell otherwise; what is sent is what is stored.
select health_internal.usage_send('{}'), health_internal.usage_send('bigint{42:2025-01-03/a}'), octet_length(health_internal.usage_send('bigint{42:2025-01-03/a,2025-01-04/a*7;43:2025-01-03/a}')) as three_cells;
select validate('{}'), validate('bigint{42:2025-01-03/a}'), validate(null);
create table ledgers (n int, u usage);
insert into ledgers values (1, '{}'), (2, 'bigint{42:2025-01-03/a}'), (3, 'text{anna:2025-01-03/a=1.5}'), (4, null), (5, 'bigint{42:2025-01-03/a}');
create cast (bytea as usage) without function;
select validate('\x'::bytea::usage);
select validate('\x02ff'::bytea::usage);
select validate('\x0100ff'::bytea::usage);
select active_users('\x0101'::bytea::usage, '2025-01-01');
select health_internal.usage_send((substr(health_internal.usage_send(u), 1, 5) || '\x00'::bytea)::usage) from ledgers where n = 2;
-- Names and ids are text of the server's encoding, or the value is refused where it enters.
select validate(overlay(health_internal.usage_send(u) placing '\xff'::bytea from position('\x61'::bytea in health_internal.usage_send(u)) for 1)::usage) from ledgers where n = 2;
select validate(overlay(health_internal.usage_send(u) placing '\x00'::bytea from position('\x61'::bytea in health_internal.usage_send(u)) for 1)::usage) from ledgers where n = 2;
select validate(overlay(health_internal.usage_send(u) placing '\xe4'::bytea from position('\x6e'::bytea in health_internal.usage_send(u)) for 1)::usage) from ledgers where n = 3;
drop cast (bytea as usage);

-- Equal content is equal: as key of groups, joins and hash indexes; there is no order.
select count from (select u, count(*) from ledgers group by u) x order by 1;
select a.n, b.n from ledgers a join ledgers b on a.u = b.u and a.n < b.n;
select count(*) from ledgers where u <> '{}';
create index on ledgers using hash (u);
set enable_seqscan = off;
select n from ledgers where u = 'bigint{42:2025-01-03/a}' order by n;
reset enable_seqscan;
select n from ledgers order by u;
-- Kept through TOAST and updates.
insert into ledgers select 6, usage_agg(n, 'event ' || n % 50, date '2025-01-01' + n % 300) from generate_series(1, 20000) n;
update ledgers set n = 7 where n = 6;
select validate(u), (select count(*) from cells(u)) from ledgers where n = 7;
drop table ledgers;
