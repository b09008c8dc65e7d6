-- 5 million events of 20,000 accounts over 26 weeks in arrival order: accounts of 5 to 44 users of whom few do most, 18 event names.
-- Scaled by :scale (1 = 5 million events, 20,000 accounts); seeded. Schema bench is for what measuring needs besides.
CREATE SCHEMA bench;
CREATE FUNCTION bench.event_name(what float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY['video_viewed', 'video_emoji_reaction_added', 'comment_left', 'session_started', 'video_viewed_by_team_member',
                  'video_created', 'video_shared', 'search_performed', 'folder_opened', 'link_copied', 'video_downloaded',
                  'comment_resolved', 'video_embedded', 'member_invited', 'profile_updated', 'integration_connected',
                  'video_first_replied_to', 'video_trimmed'])[1 + floor(power(what, 2.2) * 18)::int]
$$;

SELECT setseed(0.20250101) \g /dev/null
CREATE TABLE events AS
SELECT account_id,
       account_id * 64 + floor(power(r.who, 2) * (5 + account_id % 40))::bigint AS user_id,
       bench.event_name(r.what) AS event_name,
       timestamptz '2025-01-01 00:00+00' + r.i * (interval '182 days' / (:scale * 5000000)) AS occurred_at
FROM (SELECT i, random() AS who, random() AS what, 1 + floor(power(random(), 1.5) * :scale * 20000)::bigint AS account_id
      FROM generate_series(1, (:scale * 5000000)::int) AS i) AS r;
VACUUM (ANALYZE) events;
