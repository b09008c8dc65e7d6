-- What those who use the database of book.sql get to see, a line each: score views with definition, owner, privileges and comments, their
-- rows, explanations, what is kept of models. psql variable kept = 1: also the tables that a refresh brings up to date.
\pset tuples_only on
\pset format unaligned
set client_min_messages = warning;
set search_path = pg_catalog;
create function pg_temp.privileges(acl aclitem[]) returns text language sql as
  $$ select coalesce(string_agg(a::text, ',' order by a::text), 'default') from unnest(acl) a $$;
-- A row without what differs from one run to the next, and on one line.
create function pg_temp.row_of(whole jsonb, moments text) returns jsonb language sql as
  $$ select whole - string_to_array(moments, ' ') $$;
create temporary view relation as
select c.*, c.oid::regclass::text as name, c.relnamespace::regnamespace::text as schema
from pg_class c
where c.relnamespace::regnamespace::text in ('app', 'bob', 'health_data') and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition;

select format('relation|%s|%s|%s|%s|%s|%s|extension=%s|initial privileges=%s', name, relkind, pg_get_userbyid(relowner),
              pg_temp.privileges(relacl), reloptions, obj_description(oid, 'pg_class'),
              (select count(*) from pg_depend d where d.objid = c.oid and d.deptype = 'e'),
              (select count(*) from pg_init_privs i where i.objoid = c.oid))
from relation c order by 1;
select format('column|%s.%s|%s|%s|%s', c.name, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod),
              col_description(a.attrelid, a.attnum))
from relation c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by 1;
select format('view|%s|%s', name, regexp_replace(pg_get_viewdef(oid), '\s+', ' ', 'g'))
from relation where relkind in ('v', 'm') order by 1;
select format('index|%s', pg_get_indexdef(i.indexrelid)) from pg_index i where i.indrelid in (select oid from relation) order by 1;
select format('trigger|%s', pg_get_triggerdef(t.oid)) from pg_trigger t where t.tgrelid in (select oid from relation) order by 1;

select format('select format(''row|%s|%%s'', to_jsonb(t)) from %1$s t order by 1', name)
from relation where relkind in ('v', 'm') order by name \gexec
select format('explain|%s|%s', m.name, e)
from health_internal.model m cross join lateral health.explain(m.name, '3') e order by m.name, e."position";
set role upgrade_reader;
select format('read|%s', to_jsonb(k)) from app.kept k order by 1;
select format('read|%s', to_jsonb(k)) from app.kept_signals k order by 1;
select format('read|%s', to_jsonb(k)) from bob.stored_history k order by 1;
reset role;

select format('model|%s', pg_temp.row_of(to_jsonb(m), 'created_at')) from health_internal.model m order by 1;
select format('version|%s', pg_temp.row_of(to_jsonb(m), 'created_at')) from health_internal.model_version m order by 1;
select format('score view|%s', pg_temp.row_of(to_jsonb(m), 'created_at')) from health_internal.score_view m order by 1;
select format('tracking|%s', pg_temp.row_of(to_jsonb(m), 'refreshed_at refresh_ms rescored tracked_at'))
from health_internal.tracking m order by 1;
select format('source|%s|%s|%s', pg_temp.row_of(to_jsonb(m), 'relation chunk_table change_table read_at change_file code generation'),
              m.chunk_table::regclass, m.change_table::regclass)
from health_internal.ledger_source m order by 1;
select format('status|%s', pg_temp.row_of(to_jsonb(s), 'rows_per_second oldest_change refreshed_at refresh_ms accounts_rescored '
                                                       'change_bytes ledger_bytes history_bytes'))
from health_internal.tracking t cross join lateral health.status(t.model) s order by 1;
select format('wrong|%s', v) from health.verify('kept') v;
select format('wrong|%s', v) from health.verify('window') v;
\if :kept
select format('select format(''kept|%s|%%s'', to_jsonb(t)) from %1$s t order by 1', name)
from relation where schema = 'health_data' order by name \gexec
\endif
