-- Table of the presets; each preset is a fragment of its own (42_preset_*.sql).

CREATE TABLE health_internal.preset (
    name text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    description text NOT NULL,
    definition jsonb NOT NULL
);
COMMENT ON TABLE health_internal.preset IS
    'The models that come with the extension; presets() lists them. Belongs to the extension, not dumped.';
COMMENT ON COLUMN health_internal.preset.name IS 'What a document gives as "preset"';
COMMENT ON COLUMN health_internal.preset.position IS 'Order in presets()';
COMMENT ON COLUMN health_internal.preset.description IS 'What the preset scores and what it needs';
COMMENT ON COLUMN health_internal.preset.definition IS 'Base document: a model adds its tables and overrides what it likes';

-- Registered, so that it counts as looked after, with a condition that dumps none of its rows: CREATE EXTENSION brings them.
SELECT pg_catalog.pg_extension_config_dump('health_internal.preset', 'WHERE false');

CREATE FUNCTION health.presets(OUT name text, OUT description text, OUT definition jsonb) RETURNS SETOF record
LANGUAGE sql STABLE ROWS 4
BEGIN ATOMIC
    SELECT p.name, p.description, p.definition FROM health_internal.preset AS p ORDER BY p.position;
END;
COMMENT ON FUNCTION health.presets() IS
    'The presets. {"preset": name} in a model document takes over this definition; top-level keys of the document override it, '
    'catalog, onboarding and history merge by key';
