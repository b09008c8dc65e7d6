-- The schemas: health (made by CREATE EXTENSION) has what is documented, the others what it rests on.

CREATE SCHEMA health_internal;
COMMENT ON SCHEMA health_internal IS 'What the functions of schema health are made of. Nothing here is documented, and all of it may change with any version';

CREATE SCHEMA health_data;
COMMENT ON SCHEMA health_data IS 'Ledgers, captured changes, scores and history of tracked models; each table belongs to the owner of its model';
