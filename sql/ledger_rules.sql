-- What the parts of the extension agree on about ledgers: markers, periods, events.

-- Names that start with $ are markers, no others are.
select name, health_internal.is_marker(name) from unnest(array['$joined', '$', 'a$', '', 'view', null]) as name;

-- A period is a calendar quarter, from the first of all days to the last; infinities are no days.
select day, health_internal.period_start(day) from unnest(array[
  '2024-12-31', '2025-01-01', '2025-03-31', '2025-04-01', '1999-12-31', '0001-01-01', '4714-11-24 bc', '4714-12-31 bc', '4713-01-01 bc',
  '5874897-12-31', 'infinity', '-infinity']::date[]) as day;

-- It is what date_trunc makes of every day that a timestamp reaches.
select count(*) as days, count(*) filter (where health_internal.period_start(day) <> date_trunc('quarter', day::timestamp)::date) as others
from generate_series('0005-12-01 bc'::timestamp, '2105-02-01', '1 day') as at, lateral (select at::date as day) as d;

-- A row is an event when its time is finite, its name not empty, and its amount one that a ledger can keep.
select at, health_internal.is_event(at, 'view', null) as at_a_time, health_internal.is_event(at::date, 'view', null) as on_a_day
from unnest(array['2025-01-03 10:00+00', '4713-06-01 00:00+00 bc', '294276-12-31 23:59+00', 'infinity', '-infinity', null]::timestamptz[]) as at;
select name, health_internal.is_event(date '2025-01-03', name, null) from unnest(array['view', '$joined', ' ', '', null]) as name;
select amount, health_internal.is_event(date '2025-01-03', 'view', amount)
from unnest(array[0, -1.5, 9223372036854, -9223372036854, 9223372036854.5, 9223372036855, -9223372036855, 'nan', 'infinity', '-infinity', null]::float8[]) as amount;
