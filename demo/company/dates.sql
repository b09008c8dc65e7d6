-- For `make predict`. Who leaves Loopcast uses it less for eight weeks: a month ahead there is something to see. The first date has four months
-- of events before it; bands are watched for the last sixteen weeks.
\set from_date 2024-09-23
\set to_date 2025-06-02
\set step 28
\set horizon 28
\set watched_from 2025-03-03
