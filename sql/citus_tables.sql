-- What a query reads, and that a server without Citus is asked nothing of Citus.
create schema read_by;
create table read_by.plain (a int);
create table read_by.inner_table (a int);
create table read_by."Odd name" (a int);
create table read_by.parted (a int) partition by range (a);
create table read_by.parted_1 partition of read_by.parted for values from (0) to (10);
create view read_by.seen as select p.a from read_by.plain p where exists (select from read_by.inner_table i where i.a = p.a);
create materialized view read_by.kept as select * from read_by."Odd name";
select * from health_internal.relations_of_query('select 1', 'read_by') order by 1;
select * from health_internal.relations_of_query('select * from plain, "Odd name", plain as again', 'read_by') order by 1;
select * from health_internal.relations_of_query('with c as (select * from parted) select (select max(a) from inner_table) from c union select a from plain', 'read_by') order by 1;
-- Of a view what it reads, of a materialized view itself.
select * from health_internal.relations_of_query('select * from seen', 'read_by') where relations_of_query <> 'read_by.seen'::regclass order by 1;
select * from health_internal.relations_of_query('select * from kept', 'read_by') order by 1;
select * from health_internal.relations_of_query('select * from nowhere', 'read_by');
select * from health_internal.relations_of_query('drop table read_by.plain', 'read_by');
select health_internal.fence() = '' as no_fence, (select count(*) from health_internal.citus_tables('select * from seen', 'read_by')) as tables;
set client_min_messages = warning;
drop schema read_by cascade;
