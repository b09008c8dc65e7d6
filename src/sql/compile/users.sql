-- The people of accounts, with what the user source says of each when it is read.

CREATE FUNCTION health_internal.describe_user_column(column_name text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE column_name
        WHEN 'user_id' THEN 'User id, as text'
        WHEN 'standing' THEN 'champion, active, new (joined in the window), quiet (seen in weeks 5 to 8, not in weeks 1 to 4), dormant '
            '(entitled, not seen for longer), invited (has not joined) or deactivated'
        WHEN 'entitled' THEN 'Whether the user counts among total_users'
        WHEN 'events' THEN 'Events of the user in the window of the model'
        WHEN 'value_points' THEN 'Value points of these events: count x value of the event, after daily_cap'
        WHEN 'share' THEN 'Share of the value points of the account, 0 to 1; NULL: it has none'
        WHEN 'active_days' THEN 'Days of the window with an event of the user'
        WHEN 'recency_days' THEN 'Days from the last event of the user to as_of; NULL: never seen'
        WHEN 'baseline' THEN 'Events of the last 4 weeks against the user''s own usual weeks, as the metric baseline: -.2 is 20 % less; '
            'NULL: there is no usual yet, or it is 0'
        WHEN 'first_day' THEN 'First day with an event of the user'
        WHEN 'last_day' THEN 'Last day with an event of the user, before as_of'
        WHEN 'department' THEN 'Department, as users.department has it now'
        WHEN 'role' THEN 'Role, as users.role has it now'
        WHEN 'email' THEN 'Address, as users.email has it now'
        WHEN 'main_contact' THEN 'Whether users.main_contact holds of the user now; NULL: nothing says so'
    END;
END;
COMMENT ON FUNCTION health_internal.describe_user_column(text) IS 'The comment on a column of the people of a score view';

-- A user with several rows in one account is one: texts are the first by order, and one row that is a main contact is enough.
CREATE FUNCTION health_internal.compile_user_attributes(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s AS account_id, (%s%s)::pg_catalog.text AS user_id, %s, %s AS main_contact FROM %s%s GROUP BY 1, 2%s',
        coalesce(account.expression, 'NULL::pg_catalog.text'), id.expression,
        health_internal.id_cast((health_internal.user_form(fields)).kind),
        (SELECT string_agg(format('%s AS %s', CASE WHEN f.expression IS NULL THEN 'NULL::pg_catalog.text'
             ELSE 'pg_catalog.min(' || health_internal.canonical_text(f.expression, f.type) || ')' END, a.name), ', ' ORDER BY a.position)
         FROM unnest(ARRAY['department', 'role', 'email']) WITH ORDINALITY AS a (name, position)
         CROSS JOIN LATERAL health_internal.field_of(fields, 'users', a.name) AS f),
        coalesce('pg_catalog.bool_or(coalesce(' || contact.expression || ', false))', 'NULL::pg_catalog.bool'),
        origin.from_item, ' WHERE ' || wanted.expression, health_internal.fence())
    FROM health_internal.field_of(fields, 'users', 'id') AS id, health_internal.field_of(fields, 'users', 'account') AS account,
         health_internal.field_of(fields, 'users', 'from') AS origin, health_internal.field_of(fields, 'users', 'filter') AS wanted,
         health_internal.field_of(fields, 'users', 'main_contact') AS contact
    WHERE EXISTS (SELECT FROM unnest(fields) AS f
                  WHERE f.source = 'users' AND f.field IN ('department', 'role', 'email', 'main_contact'));
$$;
COMMENT ON FUNCTION health_internal.compile_user_attributes(health_internal.model_field[]) IS
    'SQL of what the user source says of each user beside the roster; NULL where the document names nothing of it';

CREATE FUNCTION health_internal.compile_people_attributes(document jsonb, fields health_internal.model_field[]) RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN document -> 'accounts' ? 'merged_into' AND document -> 'users' ? 'account' THEN format(
        'SELECT coalesce(m.into_id, t.account_id) AS account_id, t.user_id, '
        'pg_catalog.min(t.department) AS department, pg_catalog.min(t.role) AS role, pg_catalog.min(t.email) AS email, '
        'pg_catalog.bool_or(t.main_contact) AS main_contact FROM (%s) AS t LEFT JOIN (%s) AS m ON m.account_id = t.account_id '
        'GROUP BY 1, 2', a.attributes, health_internal.compile_merges(fields)) ELSE a.attributes END
    FROM (SELECT health_internal.compile_user_attributes(fields)) AS a (attributes) WHERE a.attributes IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_people_attributes(jsonb, health_internal.model_field[]) IS
    'compile_user_attributes(), those of merged accounts in the account that they were merged into';

-- Without such fields the user source is not read, and nothing hangs on its table.
CREATE FUNCTION health_internal.compile_users(document jsonb, scoring_document jsonb, account_rows text, account_state text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields health_internal.model_field[];
    attributes text;
BEGIN
    PERFORM health_internal.look_names_up_in(health_internal.names_path());
    fields := ARRAY(SELECT f FROM health_internal.model_fields(document) AS f);
    attributes := health_internal.compile_people_attributes(document, fields);
    RETURN pg_catalog.format(
        'SELECT l.account_id, l.name, l.as_of, u.user_id, u.standing, u.entitled, u.events, u.value_points, u.share, u.active_days, '
        'u.recency_days, u.baseline, u.first_day, u.last_day, %s FROM %s AS l '
        'CROSS JOIN LATERAL health_internal.account_users(%L::pg_catalog.jsonb, %s) AS u%s',
        CASE WHEN attributes IS NULL THEN 'NULL::pg_catalog.text AS department, NULL::pg_catalog.text AS role, '
            'NULL::pg_catalog.text AS email, NULL::pg_catalog.bool AS main_contact'
            ELSE 'a.department, a.role, a.email, a.main_contact' END,
        account_rows, scoring_document, account_state,
        CASE WHEN attributes IS NULL THEN '' ELSE pg_catalog.format(' LEFT JOIN (%s) AS a ON a.user_id = u.user_id%s', attributes,
            ' AND a.account_id = ' || CASE WHEN (health_internal.field_of(fields, 'users', 'account')).expression IS NOT NULL
                                           THEN health_internal.compile_account_key(fields, 'l.account_id') END) END);
END;
$$;
COMMENT ON FUNCTION health_internal.compile_users(jsonb, jsonb, text, text) IS
    'SQL of the people of accounts: account_rows is a relation or query in brackets with account_id, name and as_of, account_state SQL of '
    'what scoring takes of a row l of it';
