-- What the parts of the extension agree on about ledgers: markers, periods, events.

-- Names that start with $ are markers, no others are.
select name, health_internal.is_marker(name) from unnest(array['$joined', '$', 'a$', '', 'view', null]) as name;
