-- Ids and names of events as keys: what is the same in all sources, in one form.

CREATE FUNCTION health_internal.field_of(fields health_internal.model_field[], source text, field text) RETURNS health_internal.model_field
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT f FROM pg_catalog.unnest(fields) AS f WHERE f.source = field_of.source AND f.field = field_of.field LIMIT 1;
END;
COMMENT ON FUNCTION health_internal.field_of(health_internal.model_field[], text, text) IS
    'One field of a source; NULL when the document does not give it';

CREATE FUNCTION health_internal.id_cast(kind text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE kind WHEN 'bigint' THEN '::pg_catalog.int8' WHEN 'uuid' THEN '' ELSE '::pg_catalog.text' END;
END;
COMMENT ON FUNCTION health_internal.id_cast(text) IS 'The cast of a key to the one type that ids of its kind have in ledgers';

-- accounts.id stands in the views as it is; its key is compiled where it is compared.
CREATE FUNCTION health_internal.account_form(fields health_internal.model_field[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.shared_form(ARRAY(
        SELECT f.type FROM pg_catalog.unnest(fields) AS f
        WHERE (f.source = 'accounts' AND f.field = 'id' OR f.field IN ('account', 'account_id') AND f.source <> 'columns')
          AND f.type IS NOT NULL));
END;
COMMENT ON FUNCTION health_internal.account_form(health_internal.model_field[]) IS
    'The form in which account ids of all sources are compared';

CREATE FUNCTION health_internal.user_form(fields health_internal.model_field[]) RETURNS health_internal.id_form
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.shared_form(ARRAY(
        SELECT f.type FROM pg_catalog.unnest(fields) AS f
        WHERE (f.field = 'user' AND f.source <> 'columns' OR f.source = 'users' AND f.field = 'id') AND f.type IS NOT NULL));
END;
COMMENT ON FUNCTION health_internal.user_form(health_internal.model_field[]) IS 'The form in which user ids of all sources are compared';

-- src/core/ledger/markers.hpp has the same rule. An event without a name stays one.
CREATE FUNCTION health_internal.compile_actor_event(event text, actor text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN actor IS NULL THEN event ELSE pg_catalog.format(
        'CASE WHEN coalesce(nullif((%2$s)::pg_catalog.text, ''''), ''human'') = ''human'' OR %1$s::pg_catalog.text = '''' THEN '
            '%1$s::pg_catalog.text '
        'ELSE ''$'' || pg_catalog.translate((%2$s)::pg_catalog.text, ''/'', ''_'') || ''/'' || %1$s::pg_catalog.text END', event, actor)
            END;
END;
COMMENT ON FUNCTION health_internal.compile_actor_event(text, text) IS
    'SQL of the name of an event in the ledger: with who acts before it, unless that is a human';

-- Local days for the name of an event, by what PostgreSQL has: capture takes functions of ours for code of a user. None fails; times near
-- the ends of all times are infinite, NULL is -infinity.
CREATE FUNCTION health_internal.compile_plain_day(moment text, type regtype, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %1$s > %2$s ''294000-01-01 00:00:00+00'' THEN DATE ''infinity'' '
                  'WHEN %1$s > %2$s ''4713-01-01 00:00:00+00 BC'' THEN %3$s ELSE DATE ''-infinity'' END',
        moment, format_type(type, -1),
        CASE WHEN type = 'timestamptz'::regtype THEN format('(%s AT TIME ZONE %L)::pg_catalog.date', moment, model_zone)
             WHEN type = 'timestamp'::regtype AND source_zone IS NOT NULL
                 THEN format('(%s AT TIME ZONE %L AT TIME ZONE %L)::pg_catalog.date', moment, source_zone, model_zone)
             ELSE format('%s::pg_catalog.date', moment) END);
$$;
COMMENT ON FUNCTION health_internal.compile_plain_day(text, regtype, text, text) IS
    'SQL of the model''s local day of a time of an event source, which never fails and uses built-in functions only';

-- src/core/ledger/markers.hpp has the same rule. Infinity: never known. What is guarded costs much, and is asked once.
CREATE FUNCTION health_internal.compile_known_event(event text, occurred health_internal.model_field,
    known health_internal.model_field, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN guarded THEN format('(SELECT %s FROM (SELECT %s AS event, %s AS occurred, %s AS known OFFSET 0) AS one)', name.sql,
        event, occurred.expression, known.expression) ELSE name.sql END
    FROM (SELECT concat(event, occurred.expression, known.expression) LIKE '%health\_internal.try\_value(%') AS g (guarded),
         LATERAL (SELECT CASE WHEN guarded THEN 'one.event' ELSE event END,
                         CASE WHEN guarded THEN 'one.occurred' ELSE occurred.expression END,
                         CASE WHEN guarded THEN 'one.known' ELSE known.expression END) AS x (named, happened, learned),
         LATERAL (SELECT format('CASE WHEN %1$s = %2$s ''4714-11-24 00:00:00+00 BC'' THEN '''' '
                  'WHEN (%4$s) > (%3$s) AND pg_catalog.isfinite(%3$s) AND %5$s::pg_catalog.text <> '''' '
                  'THEN ''$/'' || CASE WHEN pg_catalog.isfinite(%4$s) THEN (%4$s) - (%3$s) ELSE 2147483647 END::pg_catalog.text '
                  '|| ''/'' || %5$s::pg_catalog.text ELSE %5$s::pg_catalog.text END',
                  x.learned, format_type(known.type, -1),
                  health_internal.compile_plain_day(x.happened, occurred.type, source_zone, model_zone),
                  health_internal.compile_plain_day(x.learned, known.type, source_zone, model_zone), x.named)) AS name (sql);
$$;
COMMENT ON FUNCTION health_internal.compile_known_event(text, health_internal.model_field, health_internal.model_field, text, text) IS
    'SQL of the name of an event in the ledger: with how many days later than its own it became known before it, if it did';

CREATE FUNCTION health_internal.with_keys(document jsonb, fields health_internal.model_field[])
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts CONSTANT health_internal.id_form := health_internal.account_form(fields);
    users CONSTANT health_internal.id_form := health_internal.user_form(fields);
    field health_internal.model_field;
BEGIN
    FOREACH field IN ARRAY fields LOOP
        IF field.type IS NULL OR field.problem IS NOT NULL OR field.source = 'columns' THEN
            NULL;
        ELSIF field.field = 'user' OR field.source = 'users' AND field.field = 'id' THEN
            field.expression := health_internal.compile_key(field.expression, field.type, users);
        ELSIF field.field IN ('account', 'account_id') THEN
            field.expression := health_internal.compile_key(field.expression, field.type, accounts);
        ELSIF field.field = 'event' THEN
            field.expression := health_internal.compile_actor_event(
                health_internal.compile_key(field.expression, field.type,
                    ROW('text', health_internal.is_citext(field.type))::health_internal.id_form),
                (SELECT f.expression FROM pg_catalog.unnest(fields) AS f
                 WHERE f.source = field.source AND f.field = 'actor' AND f.problem IS NULL));
            field.expression := coalesce((
                SELECT health_internal.compile_known_event(field.expression, o, k, s.source ->> 'time_zone',
                    coalesce(document ->> 'time_zone', 'UTC'))
                FROM pg_catalog.unnest(fields) AS o, pg_catalog.unnest(fields) AS k, health_internal.event_sources(document) AS s
                WHERE o.source = field.source AND o.field = 'occurred_at' AND o.problem IS NULL AND k.source = field.source
                    AND k.field = 'known_at' AND k.problem IS NULL AND s.path = field.source), field.expression);
        END IF;
        RETURN NEXT field;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION health_internal.with_keys(jsonb, health_internal.model_field[]) IS
    'Fields with ids and names of events as keys: users, accounts of users, events and query signals';
