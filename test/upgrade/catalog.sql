-- Everything that the catalog says of the extension in this database, a line each, without numbers that differ between two
-- databases: of every object its definition, owner, privileges, comment and dependencies; rows of its own tables; what is dumped.
\pset tuples_only on
\pset format unaligned
-- Names with their schemas, whatever the role has set.
set search_path = pg_catalog;

create temporary view extension as select e.* from pg_extension e where e.extname = 'account_health';
create temporary view member as
select d.classid, d.objid, i.type, i.identity
from pg_depend d join extension e on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'
cross join lateral pg_identify_object(d.classid, d.objid, 0) i;
-- And what goes with them: their columns, constraints, indexes, rules, triggers, row and array types.
create temporary view part as
with recursive part (class, id) as (
  select classid, objid from member
  union
  select d.classid, d.objid
  from part p join pg_depend d on d.refclassid = p.class and d.refobjid = p.id and d.deptype in ('a', 'i', 'P', 'S')
)
select p.class::regclass::text as class, p.class as class_id, p.id, i.type, i.identity as name
from part p cross join lateral pg_identify_object(p.class, p.id, 0) i
where i.schema is distinct from 'pg_toast';
-- An aclitem as text has names, and the order in which they were granted.
create function pg_temp.privileges(acl aclitem[]) returns text language sql as
  $$ select coalesce(string_agg(a::text, ',' order by a::text), 'default') from unnest(acl) a $$;
-- A row of the catalog without the columns that hold numbers of other rows.
create function pg_temp.row_of(catalog_row jsonb, numbers text) returns jsonb language sql as
  $$ select catalog_row - string_to_array('oid ' || numbers, ' ') $$;

-- The release itself may differ.
select format('extension|%s %s relocatable=%s', pg_get_userbyid(extowner), extnamespace::regnamespace, extrelocatable) from extension;
select format('dumped|%s where %s', k.relation::regclass, k.condition)
from extension cross join unnest(extconfig, extcondition) k (relation, condition) order by 1;

select format('member|%s %s', type, identity) from member order by 1;
select format('part|%s %s', type, name) from part order by 1;
select distinct format('depends|%s %s|%s|%s %s', p.type, o.identity, d.deptype, r.type, r.identity)
from part p join pg_depend d on d.classid = p.class_id and d.objid = p.id
cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) o
cross join lateral pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) r order by 1;
select format('comment|%s %s|%s', o.type, o.identity, d.description)
from part p join pg_description d on d.classoid = p.class_id and d.objoid = p.id
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) o order by 1;
select format('initial privileges|%s %s|%s', o.type, o.identity, pg_temp.privileges(i.initprivs))
from part p join pg_init_privs i on i.classoid = p.class_id and i.objoid = p.id
cross join lateral pg_identify_object(i.classoid, i.objoid, i.objsubid) o order by 1;

select format('schema|%s|%s|%s', nspname, pg_get_userbyid(nspowner), pg_temp.privileges(nspacl))
from pg_namespace where nspname in ('health', 'health_internal', 'health_data') order by 1;
select format('function|%s|%s|%s|%s|%s', name, pg_get_userbyid(proowner), pg_temp.privileges(proacl),
              pg_temp.row_of(to_jsonb(p), 'pronamespace proowner prolang provariadic prorettype proargtypes proallargtypes proacl '
                                          'prosqlbody proargdefaults'),
              case when prokind <> 'a' then pg_get_functiondef(p.oid) end)
from part join pg_proc p on class = 'pg_proc' and p.oid = id order by 1;
select format('aggregate|%s|%s|%s|%s', name, aggtranstype::regtype, aggsortop::regoperator,
              pg_temp.row_of(to_jsonb(a), 'aggtranstype aggmtranstype aggsortop'))
from part join pg_aggregate a on class = 'pg_proc' and a.aggfnoid = id order by 1;
select format('type|%s|%s|%s|%s', name, pg_get_userbyid(typowner), pg_temp.privileges(typacl),
              pg_temp.row_of(to_jsonb(t), 'typname typnamespace typowner typacl typrelid typelem typarray typbasetype'))
from part join pg_type t on class = 'pg_type' and t.oid = id order by 1;
select format('relation|%s|%s|%s|%s|%s', name, relkind, pg_get_userbyid(relowner), pg_temp.privileges(relacl), reloptions)
from part join pg_class c on class = 'pg_class' and c.oid = id order by 1;
select format('column|%s.%s|%s|%s|%s|not null=%s|%s|%s|%s|%s|%s', name, attname,
              row_number() over (partition by attrelid order by attnum), format_type(atttypid, atttypmod), attcollation::regcollation,
              attnotnull, attidentity, attgenerated, attstorage, pg_temp.privileges(attacl), pg_get_expr(adbin, adrelid))
from part join pg_attribute on class = 'pg_class' and attrelid = id and attnum > 0 and not attisdropped
left join pg_attrdef on adrelid = attrelid and adnum = attnum order by 1;
select format('view|%s|%s', name, pg_get_viewdef(c.oid))
from part join pg_class c on class = 'pg_class' and c.oid = id and relkind in ('v', 'm') order by 1;
select format('index|%s', pg_get_indexdef(c.oid))
from part join pg_class c on class = 'pg_class' and c.oid = id and relkind = 'i' order by 1;
select format('sequence|%s|%s', name, pg_temp.row_of(to_jsonb(s), 'seqrelid'))
from part join pg_sequence s on class = 'pg_class' and s.seqrelid = id order by 1;
select format('constraint|%s|%s', name, pg_get_constraintdef(id)) from part where class = 'pg_constraint' order by 1;
select format('trigger|%s|%s|%s', name, pg_get_triggerdef(t.oid), tgenabled)
from part join pg_trigger t on class = 'pg_trigger' and t.oid = id order by 1;
select format('rule|%s|%s', name, pg_get_ruledef(id)) from part where class = 'pg_rewrite' order by 1;
select format('policy|%s|%s', name, pg_temp.row_of(to_jsonb(p), 'polrelid'))
from part join pg_policy p on class = 'pg_policy' and p.oid = id order by 1;
select format('operator|%s|%s|%s|%s|%s', name, pg_get_userbyid(oprowner), oprcom::regoperator, oprnegate::regoperator,
              pg_temp.row_of(to_jsonb(o), 'oprnamespace oprowner oprleft oprright oprresult oprcom oprnegate'))
from part join pg_operator o on class = 'pg_operator' and o.oid = id order by 1;
select format('opclass|%s|%s', name, pg_temp.row_of(to_jsonb(o), 'opcnamespace opcowner opcfamily opcintype opckeytype'))
from part join pg_opclass o on class = 'pg_opclass' and o.oid = id order by 1;
select format('cast|%s|%s|%s', name, castcontext, castmethod) from part join pg_cast c on class = 'pg_cast' and c.oid = id order by 1;

-- Rows of its own: those of tables that are dumped are the users'.
select format('select format(''row|%s|%%s'', to_jsonb(t)) from %1$s t order by 1', c.oid::regclass)
from part join pg_class c on class = 'pg_class' and c.oid = id and relkind = 'r'
where not exists (select from extension where c.oid = any (extconfig)) order by 1 \gexec
