-- Everything that the catalog says of the extension in this database, a line each, without numbers that differ between two
-- databases: of every object its definition, owner, privileges, comment and dependencies; rows of its own tables; what is dumped.
\pset tuples_only on
\pset format unaligned
-- Names with their schemas, whatever the role has set.
set search_path = pg_catalog;

create temporary view member as
select d.classid, d.objid, i.type, i.identity
from pg_depend d cross join lateral pg_identify_object(d.classid, d.objid, 0) i
where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and d.refobjid = (select oid from pg_extension where extname = 'account_health');
-- And what goes with them: their columns, constraints, indexes, rules, triggers, row and array types.
create temporary view belonging as
with recursive part (classid, objid) as (
  select classid, objid from member
  union
  select d.classid, d.objid from part p join pg_depend d on d.refclassid = p.classid and d.refobjid = p.objid and d.deptype in ('a', 'i', 'P', 'S')
)
select p.classid, p.objid, i.type, i.identity from part p cross join lateral pg_identify_object(p.classid, p.objid, 0) i
where i.schema is distinct from 'pg_toast';
-- An aclitem as text has names, and the order in which they were granted.
create function pg_temp.privileges(acl aclitem[]) returns text language sql as
  $$ select coalesce(string_agg(a::text, ',' order by a::text), 'default') from unnest(acl) a $$;

-- The release itself may differ: an upgraded database says so elsewhere.
select format('extension|%s %s relocatable=%s', pg_get_userbyid(e.extowner), e.extnamespace::regnamespace, e.extrelocatable) from pg_extension e where e.extname = 'account_health';
select format('dumped|%s where %s', k.relation::regclass, k.condition)
from pg_extension e cross join unnest(e.extconfig, e.extcondition) k (relation, condition) where e.extname = 'account_health' order by 1;

select format('member|%s %s', type, identity) from member order by 1;
select format('belonging|%s %s', type, identity) from belonging order by 1;
select distinct format('depends|%s %s|%s|%s %s', b.type, o.identity, d.deptype, r.type, r.identity)
from belonging b
join pg_depend d on d.classid = b.classid and d.objid = b.objid
cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) o
cross join lateral pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) r order by 1;
select format('comment|%s %s.%s|%s', b.type, b.identity, (select a.attname from pg_attribute a where d.classoid = 'pg_class'::regclass and a.attrelid = d.objoid and a.attnum = nullif(d.objsubid, 0)), d.description)
from belonging b join pg_description d on d.classoid = b.classid and d.objoid = b.objid order by 1;
select format('initial privileges|%s %s.%s|%s', b.type, b.identity, i.objsubid, pg_temp.privileges(i.initprivs))
from belonging b join pg_init_privs i on i.classoid = b.classid and i.objoid = b.objid order by 1;

select format('schema|%s|%s|%s', n.nspname, pg_get_userbyid(n.nspowner), pg_temp.privileges(n.nspacl))
from pg_namespace n where n.nspname in ('health', 'health_internal', 'health_data') order by 1;
select format('function|%s|%s|%s|strict=%s secdef=%s volatile=%s parallel=%s leakproof=%s cost=%s rows=%s support=%s|%s|%s', b.identity, pg_get_userbyid(p.proowner),
              pg_temp.privileges(p.proacl), p.proisstrict, p.prosecdef, p.provolatile, p.proparallel, p.proleakproof, p.procost, p.prorows, p.prosupport,
              p.proconfig, case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end)
from belonging b join pg_proc p on p.oid = b.objid and b.classid = 'pg_proc'::regclass order by 1;
select format('aggregate|%s|%s|%s', to_jsonb(a) - '{aggtranstype,aggmtranstype,aggsortop}'::text[], a.aggtranstype::regtype, a.aggsortop::regoperator) from belonging b join pg_aggregate a on a.aggfnoid = b.objid and b.classid = 'pg_proc'::regclass order by 1;
select format('type|%s|%s|%s|%s', b.identity, pg_get_userbyid(t.typowner), pg_temp.privileges(t.typacl), to_jsonb(t) - '{oid,typname,typnamespace,typowner,typacl,typrelid,typelem,typarray,typbasetype}'::text[])
from belonging b join pg_type t on t.oid = b.objid and b.classid = 'pg_type'::regclass order by 1;
select format('relation|%s|%s|%s|%s|%s', b.identity, c.relkind, pg_get_userbyid(c.relowner), pg_temp.privileges(c.relacl), c.reloptions)
from belonging b join pg_class c on c.oid = b.objid and b.classid = 'pg_class'::regclass order by 1;
select format('column|%s.%s|%s|%s|%s|not null=%s|%s|%s|%s|%s|%s', b.identity, a.attname, row_number() over (partition by a.attrelid order by a.attnum), format_type(a.atttypid, a.atttypmod),
              a.attcollation::regcollation, a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, pg_temp.privileges(a.attacl), pg_get_expr(d.adbin, d.adrelid))
from belonging b join pg_class c on c.oid = b.objid and b.classid = 'pg_class'::regclass
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum order by 1;
select format('view|%s|%s', b.identity, pg_get_viewdef(c.oid)) from belonging b join pg_class c on c.oid = b.objid and b.classid = 'pg_class'::regclass and c.relkind in ('v', 'm') order by 1;
select format('index|%s', pg_get_indexdef(c.oid)) from belonging b join pg_class c on c.oid = b.objid and b.classid = 'pg_class'::regclass and c.relkind = 'i' order by 1;
select format('sequence|%s|%s', b.identity, to_jsonb(s) - 'seqrelid') from belonging b join pg_sequence s on s.seqrelid = b.objid and b.classid = 'pg_class'::regclass order by 1;
select format('constraint|%s|%s', b.identity, pg_get_constraintdef(b.objid)) from belonging b where b.classid = 'pg_constraint'::regclass order by 1;
select format('trigger|%s|%s|%s', b.identity, pg_get_triggerdef(b.objid), t.tgenabled) from belonging b join pg_trigger t on t.oid = b.objid and b.classid = 'pg_trigger'::regclass order by 1;
select format('rule|%s|%s', b.identity, pg_get_ruledef(b.objid)) from belonging b where b.classid = 'pg_rewrite'::regclass order by 1;
select format('policy|%s|%s', b.identity, to_jsonb(p) - '{oid,polrelid}'::text[]) from belonging b join pg_policy p on p.oid = b.objid and b.classid = 'pg_policy'::regclass order by 1;
select format('operator|%s|%s|%s', b.identity, pg_get_userbyid(o.oprowner), to_jsonb(o) - '{oid,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate}'::text[])
from belonging b join pg_operator o on o.oid = b.objid and b.classid = 'pg_operator'::regclass order by 1;
select format('opclass|%s|%s', b.identity, to_jsonb(o) - '{oid,opcnamespace,opcowner,opcfamily,opcintype,opckeytype}'::text[]) from belonging b join pg_opclass o on o.oid = b.objid and b.classid = 'pg_opclass'::regclass order by 1;
select format('cast|%s|%s|%s', b.identity, c.castcontext, c.castmethod) from belonging b join pg_cast c on c.oid = b.objid and b.classid = 'pg_cast'::regclass order by 1;

-- Rows of its own: those of tables that are dumped are the users'.
select format('select format(''row|%s|%%s'', to_jsonb(t)) from %1$s t order by 1', c.oid::regclass)
from belonging b join pg_class c on c.oid = b.objid and b.classid = 'pg_class'::regclass and c.relkind = 'r'
where not exists (select from pg_extension e where e.extname = 'account_health' and c.oid = any (e.extconfig)) order by 1 \gexec
