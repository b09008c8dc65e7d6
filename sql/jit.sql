-- Entry points called from JIT-compiled expressions behave as ever: values, errors with their SQLSTATE, aggregates.
set jit = on;
set jit_above_cost = 0;
set jit_inline_above_cost = 0;
set jit_optimize_above_cost = 0;
set search_path = health, public;
select usage_agg(i::bigint % 3, 'event_' || i % 2, date '2025-01-06' + i) from generate_series(1, 6) i;
select activation_rate(u, '2025-02-03'), stickiness(u, '2025-02-03')
from (select usage_agg(i::bigint % 3, 'event_' || i % 2, date '2025-01-06' + i) from generate_series(1, 6) i) l (u);
do $$
begin
  perform health.normalize(i, '{"kind": "linear", "worst": 7, "best": 7}') from generate_series(1, 3) i;
exception when invalid_parameter_value then
  raise notice '% %', sqlstate, sqlerrm;
end $$;
