-- Normalisers: every kind, its edges, and what is refused. docs/reference/scoring.md, "Normalisers".
\pset format unaligned
\pset tuples_only on

-- linear(7, 30) of 18 = 47.8
SELECT round(health.normalize(18, '{"kind": "linear", "worst": 7, "best": 30}')::numeric, 1);
-- either direction, clamped
SELECT x, health.normalize(x, '{"kind": "linear", "worst": 0, "best": 10}'), health.normalize(x, '{"kind": "linear", "worst": 10, "best": 0}')
FROM (VALUES (-5::float8), (0), (2.5), (10), (99)) AS v (x);
-- huge numbers do not overflow on the way
SELECT health.normalize(0, '{"kind": "linear", "worst": -1e308, "best": 1e308}');

-- piecewise: straight between the points, flat outside
SELECT x, health.normalize(x, '{"kind": "piecewise", "points": [[0, 0], [10, 80], [20, 100]]}')
FROM (VALUES (-1::float8), (0), (5), (10), (15), (20), (21)) AS v (x);

-- steps: a score from a value on; below the first another
SELECT x, health.normalize(x, '{"kind": "steps", "steps": [{"from": 1, "score": 40}, {"from": 3, "score": 100}], "below": 10}')
FROM (VALUES (0.99::float8), (1), (2.99), (3), (50)) AS v (x);

-- map: categories; truth values answer to all their names
SELECT c, health.normalize(c, '{"kind": "map", "map": {"free": 20, "pro": 80}, "otherwise": 50}'),
       health.normalize(c, '{"kind": "map", "map": {"free": 20, "pro": 80}}') IS NULL
FROM (VALUES ('free'), ('pro'), ('Pro'), ('')) AS v (c);
SELECT health.normalize('t', '{"kind": "map", "map": {"true": 100, "false": 0}}'),
       health.normalize('1', '{"kind": "map", "map": {"true": 100, "false": 0}}'),
       health.normalize('f', '{"kind": "map", "map": {"true": 100, "false": 0}}'),
       health.normalize(0, '{"kind": "map", "map": {"true": 100, "false": 0}}');

-- recency: 100 at age 0, half of it after each half-life; the future counts as now
SELECT x, health.normalize(x, '{"kind": "recency", "half_life_days": 7}') FROM (VALUES (-3::float8), (0), (7), (14), (1e6)) AS v (x);

-- percentile: mid-rank among the frozen peers
SELECT x, health.normalize(x, '{"kind": "percentile", "reference": {"values": [10, 20, 20, 30]}}'),
       health.normalize(x, '{"kind": "percentile", "reference": {"values": [10, 20, 30], "counts": [1, 2, 1]}}'),
       health.normalize(x, '{"kind": "percentile", "reference": {"values": [30, 20, 10, 20]}, "direction": "lower"}')
FROM (VALUES (5::float8), (10), (15), (20), (25), (30), (31)) AS v (x);
-- one peer, none, or no reference at all: unknown
SELECT health.normalize(10, '{"kind": "percentile", "reference": {"values": [10]}}') IS NULL,
       health.normalize(10, '{"kind": "percentile", "reference": {"values": []}}') IS NULL,
       health.normalize(10, '{"kind": "percentile"}') IS NULL;

-- target: 100 inside, 0 from the tolerance on outside; one end may be open
SELECT x, health.normalize(x, '{"kind": "target", "low": 10, "high": 20, "tolerance": 5}'),
       health.normalize(x, '{"kind": "target", "low": 10, "tolerance": 5}')
FROM (VALUES (4::float8), (5), (7.5), (10), (20), (22.5), (25), (26)) AS v (x);

-- logistic: 50 at the midpoint
SELECT x, round(health.normalize(x, '{"kind": "logistic", "midpoint": 10, "steepness": 0.5}')::numeric, 3),
       round(health.normalize(x, '{"kind": "logistic", "midpoint": 10, "steepness": -0.5}')::numeric, 3)
FROM (VALUES (-1e6::float8), (8), (10), (12), (1e6)) AS v (x);

-- identity: a score already, clamped; direction turns it round
SELECT x, health.normalize(x, '{"kind": "identity"}'), health.normalize(x, '{"kind": "identity", "direction": "lower_is_better"}')
FROM (VALUES (-1::float8), (0), (42.5), (100), (101)) AS v (x);

-- unknown stays unknown
SELECT health.normalize(NULL::float8, '{"kind": "identity"}') IS NULL, health.normalize(NULL::text, '{"kind": "map", "map": {"a": 1}}') IS NULL;

-- numbers as text, as PostgreSQL prints them
SELECT health.normalize('42.50'::text, '{"kind": "identity"}'), health.normalize('true'::text, '{"kind": "linear", "worst": 0, "best": 1}'),
       health.normalize('1e-400'::text, '{"kind": "identity"}');

-- what is refused, each with its path and the way out
\set VERBOSITY default
SELECT health.normalize(1, '{"kind": "linear", "worst": 3, "best": 3}');
SELECT health.normalize(1, '{"kind": "linear", "worst": 3}');
SELECT health.normalize(1, '{"kind": "linear", "worst": "3", "best": 4}');
SELECT health.normalize(1, '{"kind": "linear", "worst": 1, "best": 4, "direction": "lower"}');
SELECT health.normalize(1, '{"kind": "liner", "worst": 1, "best": 4}');
SELECT health.normalize(1, '{"kind": "linear", "wurst": 1, "best": 4}');
SELECT health.normalize(1, '{"worst": 1, "best": 4}');
SELECT health.normalize(1, '"linear"');
SELECT health.normalize(1, '{"kind": "piecewise", "points": [[0, 0], [0, 100]]}');
SELECT health.normalize(1, '{"kind": "piecewise", "points": [[0, 0]]}');
SELECT health.normalize(1, '{"kind": "piecewise", "points": [[0, 0], [1, 101]]}');
SELECT health.normalize(1, '{"kind": "piecewise", "points": [[0, 0], [1]]}');
SELECT health.normalize(1, '{"kind": "steps", "steps": [{"from": 3, "score": 1}, {"from": 1, "score": 1}]}');
SELECT health.normalize(1, '{"kind": "steps", "steps": []}');
SELECT health.normalize(1, '{"kind": "map", "map": {"a": "high"}}');
SELECT health.normalize(1, '{"kind": "recency", "half_life_days": 0}');
SELECT health.normalize(1, '{"kind": "percentile", "reference": {"values": [1, 2], "counts": [1]}}');
SELECT health.normalize(1, '{"kind": "percentile", "reference": {"values": [1, "x"]}}');
SELECT health.normalize(1, '{"kind": "percentile", "reference": {"segments": {}}}');
SELECT health.normalize(1, '{"kind": "target", "low": 5, "high": 4, "tolerance": 1}');
SELECT health.normalize(1, '{"kind": "target", "tolerance": 1}');
SELECT health.normalize(1, '{"kind": "logistic", "midpoint": 1, "steepness": 0}');
SELECT health.normalize(1, '{"kind": "identity", "direction": "down"}');
SELECT health.normalize('NaN', '{"kind": "identity"}');
SELECT health.normalize('NaN'::float8, '{"kind": "identity"}');
SELECT health.normalize('-Infinity'::float8, '{"kind": "recency", "half_life_days": 1}');
SELECT health.normalize('1e400'::text, '{"kind": "identity"}');
SELECT health.normalize('pro', '{"kind": "linear", "worst": 0, "best": 1}');
SELECT health.normalize(1, '{"kind": "linear", "worst": 0, "best": 1e400}');

-- the nearest name
SELECT health.nearest_name('normalise', ARRAY['name', 'normalize', 'weight']), health.nearest_name('Active_Users', ARRAY['active_users']),
       health.nearest_name('acount_id', ARRAY['id', 'account_id', 'account']), health.nearest_name('recieve', ARRAY['receive']),
       health.nearest_name('x', ARRAY['alpha', 'beta']) IS NULL, health.nearest_name('', ARRAY['a']) IS NULL,
       health.nearest_name('a', '{}') IS NULL, health.nearest_name(NULL, ARRAY['a']) IS NULL;
SELECT health.nearest_name(repeat('x', 1000000), ARRAY[repeat('x', 1000000)]) IS NOT NULL;
