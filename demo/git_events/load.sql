-- Loads a folder of git histories: events.csv(.gz) and accounts.csv, one event per commit and kind of file touched.
--
-- Columns are the ones that demo/from_git writes; files may carry more columns than these as long as the order holds.
-- psql runs in the folder of the CSV files; `gzip -dcf` passes plain files through.
create schema git;

create table git.commits (
  project       text not null,
  contributor   text not null,
  kind          text not null,
  authored_at   timestamptz not null,
  committed_at  timestamptz not null,
  commit        text not null,
  files_changed integer not null,
  is_bot        boolean not null
);
\copy git.commits from program 'gzip -dcf events.csv*' with (format csv, header)

create table git.projects (
  project           text primary key,
  first_commit_at   timestamptz not null,
  last_commit_at    timestamptz not null,
  commits           integer not null,
  contributors      integer not null,
  snapshot          text,
  notice            text
);
\copy git.projects from program 'gzip -dcf accounts.csv*' with (format csv, header)

create index on git.commits (project, authored_at);
comment on table git.commits is 'One row per commit and kind of file that it touched';
comment on column git.commits.authored_at is 'When the change was written; committed_at is when it arrived';
comment on table git.projects is 'One row per repository';

-- Contributors come and go without telling anybody. Who has not committed for a year counts as gone from that day on, and
-- as back with the next commit: one row per contributor, project and spell of activity. A score as of any day then counts
-- the contributors whom one would have counted on that day.
create table git.contributors as
with gaps as (
  select project, contributor, is_bot, authored_at,
         authored_at - lag(authored_at) over (partition by project, contributor order by authored_at) > interval '366 days' as returns
  from git.commits
), spells as (
  select *, count(*) filter (where returns) over (partition by project, contributor order by authored_at) as spell from gaps
)
select project, contributor, bool_or(is_bot) as is_bot, min(authored_at) as first_commit_at,
       max(authored_at) + interval '365 days' as away_at
from spells
group by project, contributor, spell;
comment on table git.contributors is 'One row per contributor, project and spell of activity without a gap of a year';
