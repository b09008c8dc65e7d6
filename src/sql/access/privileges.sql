-- Who may do what. Functions run with the rights of their caller; rows of the catalog are guarded by policies (document/catalog.sql).

GRANT USAGE ON SCHEMA health, health_internal TO PUBLIC;
-- Models are documents about tables, not customer data: everybody may read them. Writing is limited to own models by the policies.
GRANT SELECT, INSERT, DELETE ON health_internal.model, health_internal.score_view TO PUBLIC;
-- Names are keys that versions and views refer to: they stay.
GRANT UPDATE (owner, current_version, comment) ON health_internal.model TO PUBLIC;
GRANT UPDATE (model, model_version, materialized) ON health_internal.score_view TO PUBLIC;
-- No UPDATE: versions are immutable. The policy allows DELETE only of those whose model is gone.
GRANT SELECT, INSERT, DELETE ON health_internal.model_version TO PUBLIC;
GRANT SELECT ON health_internal.preset TO PUBLIC;
-- Tables of tracked models are made by their owners (health.track); see store/ledger_source.sql.
GRANT USAGE, CREATE ON SCHEMA health_data TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON health_internal.tracking, health_internal.ledger_source, health_internal.ledger_batch, health_internal.ledger_day TO PUBLIC;
GRANT USAGE ON SEQUENCE health_internal.tracking_id_seq, health_internal.ledger_source_id_seq TO PUBLIC;
