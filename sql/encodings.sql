-- Databases of any encoding: names that are not ASCII, in models, views, explanations and captured events.
\set SHOW_CONTEXT never
set client_min_messages = warning;
\set ECHO errors
select current_database() as home \gset
create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C';
create database windows encoding 'WIN1252' template template0 lc_collate 'C' lc_ctype 'C';
create database japanese encoding 'EUC_JP' template template0 lc_collate 'C' lc_ctype 'C';
create database ascii encoding 'SQL_ASCII' template template0 lc_collate 'C' lc_ctype 'C';
\c latin
set client_encoding = 'UTF8';
set client_min_messages = warning;
\set word 'größe'
\i sql/include/encoding.sql
\c windows
set client_encoding = 'UTF8';
set client_min_messages = warning;
\set word 'größe €'
\i sql/include/encoding.sql
\c japanese
set client_encoding = 'UTF8';
set client_min_messages = warning;
\set word '会社'
\i sql/include/encoding.sql
\c ascii
set client_min_messages = warning;
\set word 'größe'
\i sql/include/encoding.sql
\c :home
set client_encoding = 'UTF8';
select health.sparkline('{0,1,2,3,4,5,6,7}') as line;
set client_min_messages = warning;
drop database latin;
drop database windows;
drop database japanese;
drop database ascii;
