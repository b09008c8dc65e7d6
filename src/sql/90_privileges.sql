-- Who may do what. Functions run with the rights of their caller; rows of the catalog are guarded by policies (40_catalog.sql).

GRANT USAGE ON SCHEMA health TO PUBLIC;
-- Models are documents about tables, not customer data: everybody may read them. Writing is limited to own models by the policies.
GRANT SELECT, INSERT, DELETE ON health.model, health.score_view TO PUBLIC;
-- Names are keys that versions and views refer to: they stay.
GRANT UPDATE (owner, current_version, comment) ON health.model TO PUBLIC;
GRANT UPDATE (model, model_version, materialized) ON health.score_view TO PUBLIC;
-- No UPDATE: versions are immutable. The policy allows DELETE only of those whose model is gone.
GRANT SELECT, INSERT, DELETE ON health.model_version TO PUBLIC;
GRANT SELECT ON health.preset TO PUBLIC;
-- Tables of tracked models are made by their owners (health.track); see 60_ledger_source.sql.
GRANT USAGE, CREATE ON SCHEMA health_data TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON health.tracking, health.ledger_source, health.ledger_batch, health.ledger_day TO PUBLIC;
GRANT USAGE ON SEQUENCE health.tracking_id_seq, health.ledger_source_id_seq TO PUBLIC;
