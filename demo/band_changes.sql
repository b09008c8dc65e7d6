-- A band that a team acts on holds: in the eight weeks of the view's history an account with 5 or more users changes its band at most twice in the
-- median, looked at every day. psql variable: model. More is an error.
select :'model' || '_history' as history_view \gset
create temp view band_changes as
with days as (
  select h.account_id, h.band, lag(h.band) over (partition by h.account_id order by h.as_of) as day_before
  from scores.:history_view h join scores.:model v using (account_id)
  where v.total_users >= 5 and h.as_of > v.as_of - 56
)
select account_id, count(*) filter (where band <> day_before) as changes from days group by 1 having count(band) = 56;
\echo
\echo 'BAND CHANGES IN EIGHT WEEKS, LOOKED AT EVERY DAY'
select count(*) as "accounts with 5 or more users", percentile_disc(0.5) within group (order by changes) as median, round(avg(changes), 2) as mean
from band_changes;
do $$
begin
  if (select percentile_disc(0.5) within group (order by changes) <= 2 from band_changes) is not true then
    raise exception 'bands change more than twice in the median';
  end if;
end $$;
