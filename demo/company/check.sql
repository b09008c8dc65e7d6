-- Run by `make demo CHECK=1`.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\ir ../band_changes.sql
