-- Rules for every object of the extension: test/lint runs this in a database that has it and wants no row under any rule.
\pset tuples_only on
set client_min_messages = warning;
create extension if not exists plpgsql_check;
-- Some functions call pg_cron.
select 'create extension if not exists pg_cron' where current_setting('shared_preload_libraries') ~ 'pg_cron' \gexec

create temporary view member as
select d.classid, d.objid, i.type, i.identity
from pg_depend d
cross join lateral pg_identify_object(d.classid, d.objid, 0) i
where d.refclassid = 'pg_extension'::regclass
  and d.refobjid = (select oid from pg_extension where extname = 'account_health')
  and d.deptype = 'e';

create temporary view function as
select p.*, m.identity
from member m
join pg_proc p on p.oid = m.objid
where m.classid = 'pg_proc'::regclass;

\echo #every object has a comment
select type, identity
from member
where type in ('function', 'aggregate', 'procedure', 'operator', 'table', 'view', 'materialized view', 'sequence', 'composite type', 'type')
  and obj_description(objid, (select relname from pg_class where oid = classid)) is null
  -- The array type of a type, the row type of a relation: made by PostgreSQL, not by us.
  and not (type = 'type' and exists (select from pg_type t where t.oid = objid
    and (t.typcategory = 'A' or (t.typrelid <> 0 and (select relkind from pg_class where oid = t.typrelid) <> 'c'))))
  -- A composite type is two objects; the comment is on its type.
  and not (type = 'composite type' and obj_description((select reltype from pg_class where oid = objid), 'pg_type') is not null)
  -- A sequence that belongs to a column.
  and not (type = 'sequence' and exists (select from pg_depend d where d.objid = member.objid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
order by 1, 2;

\echo #every column of a table, view or composite type has a comment
select c.relname || '.' || a.attname
from member m
join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass or c.reltype = m.objid and m.classid = 'pg_type'::regclass
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'v', 'm', 'c')
  and coalesce(obj_description(c.reltype, 'pg_type'), '') !~* '^internal'  -- a type that only functions hand to each other
  and col_description(c.oid, a.attnum) is null
group by 1 order by 1;

\echo #every C function and aggregate is parallel safe
select identity
from function f
where proparallel <> 's' and provolatile <> 'v'  -- what writes must not run in workers
  and proname not in ('try_value', 'try_error')  -- nor what begins a subtransaction
  and prosrc <> 'health_surface'  -- as safe as what it calls
  and (prokind = 'a' or prolang = (select oid from pg_language where lanname = 'c'))
order by 1;

\echo #an entry point is called health_ and the name of its SQL function, and of several of one name by what tells them apart
select identity || ' is ' || prosrc
from (select f.*, count(*) over (partition by pronamespace, proname) > 1 as overloaded from function f) f
where prolang = (select oid from pg_language where lanname = 'c') and prosrc <> 'health_surface'
  and prosrc <> 'health_' || proname and not (overloaded and starts_with(prosrc, 'health_' || proname || '_'))
order by 1;

\echo #no aggregate has a state of a pseudo-type, and each has a combine function
select f.identity
from function f
join pg_aggregate a on a.aggfnoid = f.oid
where a.aggcombinefn = 0 or a.aggtranstype in (select oid from pg_type where typtype = 'p')
order by 1;

\echo #no function looks anything up in the search_path of its caller
-- Bodies that were parsed at creation do not. A procedure that commits cannot have a setting of its own: these call qualified functions only.
select identity
from function
where prolang in (select oid from pg_language where lanname in ('sql', 'plpgsql')) and prosqlbody is null
  and not coalesce(proconfig::text ~ 'search_path=pg_catalog, pg_temp', false)
  and not (prokind = 'p' and proname in ('refresh', 'backfill', 'refresh_in_steps'))
order by 1;

\echo #functions of schema health are C: the core, or health_surface() in front of what is like them in all but its body
select identity
from function f
where pronamespace = 'health'::regnamespace and prokind <> 'a'
  and (prolang <> (select oid from pg_language where lanname = 'c')
       or prosrc = 'health_surface' and not exists (
         select from pg_proc i
         where i.pronamespace = 'health_internal'::regnamespace and i.proname = f.proname and i.proowner = f.proowner
           and (i.proargtypes, i.prorettype, i.proretset, i.prokind, i.provolatile, i.proparallel, i.proisstrict, i.prorows)
             = (f.proargtypes, f.prorettype, f.proretset, f.prokind, f.provolatile, f.proparallel, f.proisstrict, f.prorows)
           and (i.procost = f.procost or f.prokind = 'p')  -- a procedure has none of its own
           and (i.proallargtypes, i.proargmodes, i.proargnames, pg_get_expr(i.proargdefaults, 0)) is not distinct from
               (f.proallargtypes, f.proargmodes, f.proargnames, pg_get_expr(f.proargdefaults, 0))))
order by 1;

\echo #no function is SECURITY DEFINER (act_on_model is the way to what only the owner of the catalog may do)
select identity from function where prosecdef order by 1;

\echo #PUBLIC creates nothing in the schemas, and they belong to a superuser
select n.nspname from pg_namespace n join pg_roles o on o.oid = n.nspowner
where n.nspname in ('health', 'health_internal', 'health_data')
  and (not o.rolsuper or exists (select from aclexplode(n.nspacl) a where a.grantee = 0 and a.privilege_type = 'CREATE'));

\echo #PUBLIC has no right on the tables of the catalog, and on its views none that would lock them
select c.oid::regclass || ': ' || a.privilege_type
from member m join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass cross join lateral aclexplode(c.relacl) a
where a.grantee = 0 and c.relname <> 'preset' and (c.relkind <> 'v' or a.privilege_type <> 'SELECT')
union all
select c.oid::regclass || '.' || t.attname
from member m join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass and c.relkind <> 'v'
join pg_attribute t on t.attrelid = c.oid cross join lateral aclexplode(t.attacl) a
where a.grantee = 0;

\echo #tables of the catalog are seen through barrier views with a check, and refuse rows of others
select c.oid::regclass
from member m join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass and c.relkind = 'r' and c.relname <> 'preset'
where not exists (select from pg_class v where v.relnamespace = c.relnamespace and v.relname || '_table' = c.relname and v.relkind = 'v'
                  and v.reloptions @> '{security_barrier=true,check_option=cascaded}')
   or not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'owners_only' and t.tgenabled = 'O');

\echo #every operator has its commutator and negator where one is due
select o.oid::regoperator
from member m join pg_operator o on o.oid = m.objid and m.classid = 'pg_operator'::regclass
where o.oprname in ('=', '<>') and (o.oprcom = 0 or o.oprnegate = 0);

\echo #plpgsql_check finds nothing in functions and procedures
-- Left out: that dynamic SQL cannot be looked into, and its security warnings: statements here are compiled from a model
-- whose expressions run with the caller's own rights.
select f.identity || ' line ' || coalesce(c.lineno::text, '?') || ': ' || c.level || ': ' || c.message
from function f
join pg_language l on l.oid = f.prolang and l.lanname = 'plpgsql'
cross join lateral plpgsql_check_function_tb(f.oid::regprocedure, fatal_errors => false, extra_warnings => true,
  performance_warnings => false, security_warnings => false) as c
where f.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and coalesce(c.detail, '') !~ 'dynamic SQL|false alarms';

\echo #tables and sequences that hold data are dumped
select c.oid::regclass
from member m
join pg_class c on c.oid = m.objid and m.classid = 'pg_class'::regclass and c.relkind in ('r', 'S')
where not c.oid = any (select unnest(extconfig) from pg_extension where extname = 'account_health')
  and c.relname <> 'preset'  -- comes with the extension
order by 1;

\echo #functions that run in maintenance commands name what they call with its schema
-- From PostgreSQL 17 on these run with search_path = pg_catalog, pg_temp; a body that was parsed at creation is safe anyway.
select identity
from function
where prolang = (select oid from pg_language where lanname = 'sql') and prosqlbody is null
  and provolatile = 'i' and not coalesce(proconfig::text ~ 'search_path', false)
  and prosrc ~ '\m(metrics|usage_agg|rollup|normalize|health_score|score_account)\(' and prosrc !~ '\mhealth\.'
order by 1;

-- The reference: the index at the end of docs/reference/sql.md, and the metrics, a table row each, in metrics.md.
\set index `sed -n '/^## Everything in schema health/,$p' docs/reference/sql.md`
\set metrics `grep '^| [^a-z]' docs/reference/metrics.md`
create temporary view surface as
select p.proname::text as name from pg_proc p where p.pronamespace = 'health'::regnamespace
union
select t.typname from pg_type t where t.typnamespace = 'health'::regnamespace and t.typcategory <> 'A'
union
select o.oprname from pg_operator o where o.oprnamespace = 'health'::regnamespace;
create temporary table reference as
select m[1] as name from regexp_matches(:'index', '`([^` ]+)`', 'g') m where m[1] !~ '[\\.]'
union
select m[1] from string_to_table(:'metrics', E'\n') line, regexp_matches(split_part(line, '|', 2), '`([a-z_0-9]+)', 'g') m;

\echo #what schema health has is in the index of the SQL reference, and nothing else
select name || ' is not in the reference' from surface except select name || ' is not in the reference' from reference
union
(select name || ' is in the reference only' from reference except select name || ' is in the reference only' from surface)
order by 1;
