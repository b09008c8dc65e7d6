-- Overrides as scoring takes them: what a person decided about the score of an account, for a time.

CREATE TYPE health.score_override AS (
    kind text,
    value float8,
    from_day date,
    expires date,
    ended date,
    owner text,
    reason text
);
COMMENT ON TYPE health.score_override IS
    'what a person decided about the score of an account; it holds for dates from from_day on, before expires and before ended';
COMMENT ON COLUMN health.score_override.kind IS
    'score: this is the score, known or not; cap: a known score is not above it; floor: a known score is not below it';
COMMENT ON COLUMN health.score_override.value IS 'the score, cap or floor, 0 to 100';
COMMENT ON COLUMN health.score_override.from_day IS 'the first day of scores that it holds for; NULL: all days';
COMMENT ON COLUMN health.score_override.expires IS 'the first day that it does not hold for any more, by itself; NULL: never';
COMMENT ON COLUMN health.score_override.ended IS
    'the first day that it does not hold for any more, because somebody ended it or put another in its place';
COMMENT ON COLUMN health.score_override.owner IS 'who says so';
COMMENT ON COLUMN health.score_override.reason IS 'why';
