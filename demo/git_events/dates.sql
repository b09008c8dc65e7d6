-- For `make predict`: quarters of 2018 to 2023, the last of which is over before the snapshots of the projects differ.
\set from_date 2018-01-08
\set to_date 2023-10-08
\set step 91
\set horizon 84
\set watched_from 2018-01-08
