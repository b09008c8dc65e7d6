-- Why a score moved: the exact decomposition of a change into parts that add up.

CREATE TYPE health.change_row AS (
    "position" int,
    step text,
    signal text,
    label text,
    raw_from text,
    raw_to text,
    normalized_from float8,
    normalized_to float8,
    points float8,
    phrase text,
    because text
);
COMMENT ON TYPE health.change_row IS 'one part of the change of a score between two days; the last row is the total';
COMMENT ON COLUMN health.change_row."position" IS 'order of the row';
COMMENT ON COLUMN health.change_row.step IS 'values, availability, model, override, and total in the last row';
COMMENT ON COLUMN health.change_row.signal IS 'name of the signal in the model; NULL where the row is about no single signal';
COMMENT ON COLUMN health.change_row.label IS 'name for people';
COMMENT ON COLUMN health.change_row.raw_from IS 'value before, as measured';
COMMENT ON COLUMN health.change_row.raw_to IS 'value after, as measured';
COMMENT ON COLUMN health.change_row.normalized_from IS 'value before as a score of 0 to 100; the score itself in the last row';
COMMENT ON COLUMN health.change_row.normalized_to IS 'value after as a score of 0 to 100; the score itself in the last row';
COMMENT ON COLUMN health.change_row.points IS 'part of the change in points; the rows before the last add up to the last';
COMMENT ON COLUMN health.change_row.phrase IS 'the part in words; in the last row the whole sentence';
COMMENT ON COLUMN health.change_row.because IS
    'of a count or a course of activity the events, features and people behind it, up to three each, with the part of the change that is '
    'theirs; NULL of all else';

CREATE FUNCTION health.score_change(model_from jsonb, model_to jsonb, before health.account_state, after health.account_state,
                                    override_from float8 DEFAULT NULL, override_to float8 DEFAULT NULL)
    RETURNS SETOF health.change_row
    AS 'MODULE_PATHNAME', 'health_score_change'
    LANGUAGE C CALLED ON NULL INPUT IMMUTABLE PARALLEL SAFE COST 4000 ROWS 10;
COMMENT ON FUNCTION health.score_change(jsonb, jsonb, health.account_state, health.account_state, float8, float8) IS
    'the change of an account''s score between two dates as parts that add up, with a sentence in the last row; '
    'usage, account start, seats and segments of both ends are those of after';
