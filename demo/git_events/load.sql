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
