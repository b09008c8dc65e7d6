-- Usage in compiled SQL: keys of ids, rows of events, rosters, and the ledger of each account that they come to.

CREATE FUNCTION health_internal.user_cast(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.id_cast((health_internal.user_form(fields)).kind);
END;
COMMENT ON FUNCTION health_internal.user_cast(health_internal.model_field[]) IS
    'The cast to the one type of user ids that all sources share: bigint, uuid, else text';

CREATE FUNCTION health_internal.compile_account_key(fields health_internal.model_field[], expression text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT health_internal.compile_key(expression, (health_internal.field_of(fields, 'accounts', 'id')).type,
                                       health_internal.account_form(fields));
END;
COMMENT ON FUNCTION health_internal.compile_account_key(health_internal.model_field[], text) IS
    'SQL of the key of an account id of the type that accounts.id has';

-- Capture can do without to_moment: it counts a row whose time fails as a bad one, and would take a function of ours for code of a user.
CREATE FUNCTION health_internal.compile_moment(occurred health_internal.model_field, source_zone text, captured boolean) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type <> 'timestamp'::regtype THEN occurred.expression
                WHEN source_zone IS NULL THEN format('%s::pg_catalog.date', occurred.expression)
                ELSE format(CASE WHEN captured THEN '(%s AT TIME ZONE %L)' ELSE 'health_internal.to_moment(%s, %L)' END,
                            occurred.expression, source_zone) END;
$$;
COMMENT ON FUNCTION health_internal.compile_moment(health_internal.model_field, text, boolean) IS
    'SQL of the time of an event: timestamptz, or date for a date and for a timestamp without a time zone of its source';

-- The clock of the local days of an event source: NULL when its times are dates.
CREATE FUNCTION health_internal.moment_zone(occurred health_internal.model_field, source_zone text, model_zone text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN occurred.type = 'timestamptz'::regtype OR occurred.type = 'timestamp'::regtype AND source_zone IS NOT NULL
        THEN model_zone END;
$$;
COMMENT ON FUNCTION health_internal.moment_zone(health_internal.model_field, text, text) IS
    'The time zone of the local days of an event source; NULL when its times are dates';

-- Rows of one event source with the names account_id, user_id, event_name, occurred_at, amount. A source without an account gets it
-- from the user source; the event of a user with several accounts counts in each.
CREATE FUNCTION health_internal.compile_event_rows(fields health_internal.model_field[], path text, source_zone text, account_cast text,
    user_cast text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    occurred health_internal.model_field := health_internal.field_of(fields, path, 'occurred_at');
    condition text := (health_internal.field_of(fields, path, 'filter')).expression;
    event_rows text;
BEGIN
    event_rows := pg_catalog.format(
        'SELECT %s AS account_id, %s%s AS user_id, %s::pg_catalog.text AS event_name, %s AS occurred_at, '
        '%s::pg_catalog.float8 AS amount FROM %s%s',
        coalesce((health_internal.field_of(fields, path, 'account')).expression || account_cast, 'NULL::pg_catalog.text'),
        (health_internal.field_of(fields, path, 'user')).expression, user_cast,
        (health_internal.field_of(fields, path, 'event')).expression, health_internal.compile_moment(occurred, source_zone, false),
        coalesce((health_internal.field_of(fields, path, 'amount')).expression, 'NULL'),
        (health_internal.field_of(fields, path, 'from')).from_item,
        CASE WHEN condition IS NULL THEN '' ELSE ' WHERE ' || condition END);
    IF (health_internal.field_of(fields, path, 'account')).expression IS NULL THEN
        event_rows := pg_catalog.format(
            'SELECT member.account_id, o.user_id, o.event_name, o.occurred_at, o.amount FROM (%s) AS o '
            'LEFT JOIN (SELECT %s%s AS account_id, %s%s AS user_id FROM %s) AS member ON member.user_id = o.user_id',
            event_rows, (health_internal.field_of(fields, 'users', 'account')).expression, account_cast,
            (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
                (health_internal.field_of(fields, 'users', 'from')).from_item);
    END IF;
    RETURN event_rows;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_event_rows(health_internal.model_field[], text, text, text, text) IS
    'SQL of the rows of one event source, uniformly named';

CREATE FUNCTION health_internal.compile_excluded_users(fields health_internal.model_field[], user_cast text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.format('SELECT %s%s AS user_id FROM %s WHERE %s%s',
        (health_internal.field_of(fields, 'users', 'id')).expression, user_cast,
            (health_internal.field_of(fields, 'users', 'from')).from_item,
        (health_internal.field_of(fields, 'users', 'exclude')).expression, health_internal.fence())
    WHERE (health_internal.field_of(fields, 'users', 'exclude')).expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_excluded_users(health_internal.model_field[], text) IS
    'SQL of the ids of the users whose events do not count; NULL without a condition';

-- The user table travels in the ledger as lifecycle markers. A user without a joining date was always there: year 1; or, where invitations
-- are known, is not there yet.
CREATE FUNCTION health_internal.compile_roster(fields health_internal.model_field[], document jsonb, user_cast text, restriction text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    source_zone text := document #>> '{users,time_zone}';
    account health_internal.model_field := health_internal.field_of(fields, 'users', 'account');
    mark health_internal.model_field;
    days text := '';
    markers text := '';
    conditions text := '';
    marker text;
BEGIN
    IF account.expression IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH marker IN ARRAY ARRAY['joined', 'deactivated', 'invited'] LOOP
        mark := health_internal.field_of(fields, 'users', marker);
        IF mark.expression IS NOT NULL THEN
            days := days || pg_catalog.format(', %s AS %s',
                health_internal.local_day(mark.expression, mark.type, source_zone, zone), marker);
        ELSIF marker = 'joined' THEN
            days := days || ', NULL::pg_catalog.date AS joined';
        ELSE
            CONTINUE;
        END IF;
        -- Many write infinity for "has not happened", which is no event, and -infinity for "since ever": who has left since ever
        -- never was there. Where there are invitations, who has no day of joining has not joined.
        markers := markers || pg_catalog.format(CASE marker WHEN 'joined'
            THEN '(%1$L, CASE WHEN r.%2$s > DATE ''-infinity''%3$s THEN r.%2$s%4$s ELSE DATE ''0001-01-01'' END)'
            ELSE ', (%1$L, CASE r.%2$s WHEN DATE ''-infinity'' THEN DATE ''0001-01-01'' ELSE r.%2$s END)' END, '$' || marker, marker,
            CASE WHEN (health_internal.field_of(fields, 'users', 'deactivated')).expression IS NOT NULL
                 THEN ' AND r.deactivated IS DISTINCT FROM DATE ''-infinity''' END,
            CASE WHEN (health_internal.field_of(fields, 'users', 'invited')).expression IS NOT NULL
                 AND (health_internal.field_of(fields, 'users', 'joined')).expression IS NOT NULL
                 THEN ' WHEN r.joined IS NULL THEN NULL' END);
    END LOOP;
    conditions := coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'filter')).expression, '')
               || coalesce(' AND ' || (health_internal.field_of(fields, 'users', 'exclude')).expression || ' IS NOT TRUE', '');
    RETURN pg_catalog.format(
        'SELECT r.account_id, health_internal.lenient_usage_agg(r.user_id, m.event_name, m.day) AS usage '
        'FROM (SELECT %s AS account_id, %s%s AS user_id%s FROM %s WHERE true%s) AS r '
        'CROSS JOIN LATERAL (VALUES %s) AS m (event_name, day) WHERE r.account_id IS NOT NULL%s GROUP BY 1',
        account.expression, (health_internal.field_of(fields, 'users', 'id')).expression, user_cast, days,
        (health_internal.field_of(fields, 'users', 'from')).from_item, conditions, markers,
            coalesce(' AND r.account_id' || restriction, ''));
END;
$$;
COMMENT ON FUNCTION health_internal.compile_roster(health_internal.model_field[], jsonb, text, text) IS
    'SQL of the lifecycle markers of the user source; NULL without accounts of users';

-- The aggregate over event rows e, with the clock of their local days.
CREATE FUNCTION health_internal.compile_usage_agg(source jsonb, zone text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.format('health_internal.lenient_usage_agg(e.user_id, e.event_name, e.occurred_at%s%s)',
                             CASE WHEN source ? 'amount' THEN ', e.amount' ELSE '' END,
                             CASE WHEN zone IS NULL THEN '' ELSE pg_catalog.format(', %L', zone) END);
END;
COMMENT ON FUNCTION health_internal.compile_usage_agg(jsonb, text) IS
    'SQL of the ledger of event rows e of a source, by local days of the zone (NULL: their times are dates)';

-- Where an account's usage comes from: the events themselves, the ledgers of a tracked model (chunks: path -> table), or the user source
-- alone.
CREATE FUNCTION health_internal.compile_usage(fields health_internal.model_field[], document jsonb, restriction text,
    usage_from text, chunks jsonb)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    zone text := coalesce(document ->> 'time_zone', 'UTC');
    user_cast text := health_internal.user_cast(fields);
    excluded text := health_internal.compile_excluded_users(fields, user_cast);
    parts text[] := ARRAY[]::text[];
    roster text := health_internal.compile_roster(fields, document, user_cast, restriction);
    events record;
BEGIN
    IF usage_from = 'roster' THEN
        RETURN roster;
    END IF;
    FOR events IN SELECT e.path, e.source FROM health_internal.ledger_sources(document) AS e LOOP
        parts := parts || CASE usage_from WHEN 'ledger' THEN
            pg_catalog.format('SELECT c.account_id, c.usage FROM %s AS c%s', chunks ->> events.path,
                coalesce(' WHERE c.account_id' || restriction, ''))
        ELSE
            pg_catalog.format('SELECT e.account_id, %s AS usage FROM (%s) AS e WHERE e.account_id IS NOT NULL%s%s GROUP BY 1',
                health_internal.compile_usage_agg(events.source,
                    health_internal.moment_zone(health_internal.field_of(fields, events.path, 'occurred_at'),
                                                                           events.source ->> 'time_zone', zone)),
                health_internal.compile_event_rows(fields, events.path, events.source ->> 'time_zone', '', user_cast),
                coalesce(' AND e.account_id' || restriction, ''),
                CASE WHEN excluded IS NULL THEN '' ELSE pg_catalog.format(' AND NOT EXISTS (SELECT 1 FROM (%s) AS excluded WHERE '
                    'excluded.user_id = e.user_id)', excluded) END)
        END;
    END LOOP;
    parts := pg_catalog.array_remove(parts || roster, NULL);
    -- Ledgers keep everybody: who is excluded is asked when they are read.
    RETURN CASE
        WHEN pg_catalog.cardinality(parts) = 0 THEN NULL
        WHEN pg_catalog.cardinality(parts) = 1 AND usage_from = 'events' THEN parts[1]
        ELSE pg_catalog.format('SELECT p.account_id, %s AS usage FROM (%s) AS p GROUP BY 1',
            CASE WHEN usage_from = 'ledger' AND excluded IS NOT NULL
                 THEN pg_catalog.format('health.without_users(health.rollup(p.usage), ARRAY(SELECT x.user_id::pg_catalog.text FROM (%s) '
                     'AS x WHERE x.user_id IS NOT NULL))', excluded)
                 ELSE 'health.rollup(p.usage)' END,
            pg_catalog.array_to_string(parts, ' UNION ALL '))
    END;
END;
$$;
COMMENT ON FUNCTION health_internal.compile_usage(health_internal.model_field[], jsonb, text, text, jsonb) IS
    'SQL of account_id and usage: every event source (events: from its rows, ledger: from its chunks) and the user source folded into one '
        'ledger per '
    'account, or the user source alone (roster); NULL without such sources. restriction: '' = literal'' for one account, NULL for all';
