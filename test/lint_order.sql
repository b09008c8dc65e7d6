-- What each object of the extension refers to, against the order in which src/sql/order concatenates the files: a file uses only files
-- before it. The psql variable objects is a file with rows name, file, position of the file.
create temporary table object (name text, file text, position int);
\copy object from pstdin
-- What hide_internals() has moved is of the file that has it.
insert into object
select distinct 'health_internal.' || p.proname, o.file, o.position
from pg_proc p join object o on o.name = 'health.' || p.proname
where p.pronamespace = 'health'::regnamespace and p.prosrc = 'health_surface'
  and not exists (select from object i where i.name = 'health_internal.' || p.proname);

-- Of a name with several signatures: where the first of them is, and the last.
create temporary view file_of as
select o.name, min(o.position) as first_position, max(o.position) as position, (array_agg(o.file order by o.position))[1] as first_file,
       (array_agg(o.file order by o.position desc))[1] as file
from object o group by o.name;

-- What PostgreSQL has parsed (bodies of BEGIN ATOMIC, views, types of columns and arguments) it knows the references of; bodies in strings are
-- searched for names. Advice to the reader, 'SELECT health.track(%L)', is no reference.
create temporary view refers as
select n.nspname || '.' || p.proname as name, w.word[1] as target
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace and n.nspname in ('health', 'health_internal')
cross join lateral regexp_matches(regexp_replace(p.prosrc, '(SELECT|CALL|FROM) health\.[a-z_]+\(model|health\.[a-z_]+\(%(\d\$)?L', '', 'g'), '\m(health(?:_internal)?\.[a-z_0-9]+)', 'g') as w (word)
union
select a.name, b.name
from pg_depend d
cross join lateral (select split_part((pg_identify_object(d.classid, d.objid, 0)).identity, '(', 1)) a (name)
cross join lateral (select split_part((pg_identify_object(d.refclassid, d.refobjid, 0)).identity, '(', 1)) b (name)
where d.deptype = 'n' and d.refclassid in ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass);

\echo #a file of src/sql uses only files before it
select distinct a.file || ': ' || r.name || ' uses ' || r.target || ' of ' || b.first_file
from refers r
join file_of a on a.name = r.name
join file_of b on b.name = r.target
where b.first_position > a.position
order by 1;
\echo #every object of the catalog is of a file
select distinct n.nspname || '.' || p.proname
from pg_depend d
join pg_proc p on p.oid = d.objid and d.classid = 'pg_proc'::regclass
join pg_namespace n on n.oid = p.pronamespace
where d.refobjid = (select oid from pg_extension where extname = 'account_health') and d.deptype = 'e'
  and not exists (select from file_of f where f.name = n.nspname || '.' || p.proname)
order by 1;
