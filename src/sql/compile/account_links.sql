-- Accounts that name other accounts in the account source: their parents, and those that they were merged into.

-- An account is never above itself: from accounts to which links lead back none counts. Planned by itself, so that no view that follows
-- links is taken for a large query.
CREATE FUNCTION health_internal.follow_links(keys text[], links text[], OUT key text, OUT above text, OUT is_last boolean,
    OUT is_circular boolean) RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off
SET jit = off
AS $$
    WITH RECURSIVE named (key, link) AS MATERIALIZED (
        SELECT l.key, l.link FROM unnest(keys, links) AS l (key, link) WHERE l.link IS NOT NULL
    ), reached (key, above) AS (
        SELECT n.key, n.link FROM named AS n UNION SELECT r.key, n.link FROM reached AS r JOIN named AS n ON n.key = r.above
    ), circular (key) AS MATERIALIZED (
        SELECT r.key FROM reached AS r WHERE r.key = r.above
    ), tree (key, link) AS MATERIALIZED (
        SELECT n.key, n.link FROM named AS n WHERE n.key NOT IN (SELECT c.key FROM circular AS c)
    ), path (key, above) AS (
        SELECT t.key, t.link FROM tree AS t UNION ALL SELECT p.key, t.link FROM path AS p JOIN tree AS t ON t.key = p.above
    )
    SELECT p.key, p.above, p.above NOT IN (SELECT t.key FROM tree AS t), false FROM path AS p
    UNION ALL SELECT c.key, NULL, false, true FROM circular AS c;
$$;
COMMENT ON FUNCTION health_internal.follow_links(text[], text[]) IS
    'Of accounts (keys) that name one other each (links): a row for each account and each that is above it, and whether that one is the '
    'last; and a row for each account from which links lead back to it';

-- A form of their own: ledgers do not hang on what these ids are.
CREATE FUNCTION health_internal.compile_link_key(fields health_internal.model_field[], link text, expression text, type regtype)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('nullif((%s)::pg_catalog.text, '''')', health_internal.compile_key(expression, type, health_internal.shared_form(
        ARRAY[(health_internal.field_of(fields, 'accounts', 'id')).type, (health_internal.field_of(fields, 'accounts', link)).type])));
$$;
COMMENT ON FUNCTION health_internal.compile_link_key(health_internal.model_field[], text, text, regtype) IS
    'SQL of an id of that type, of an account or of one that it names, in the form in which the two are compared';

-- Of an account that its source has twice nobody can say which row is right. Text of the user stands where no name of these is known.
CREATE FUNCTION health_internal.compile_with_links(fields health_internal.model_field[], link text, known_only boolean, rest text)
    RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($query$
        WITH "$named" (key, link, account_id, shown) AS MATERIALIZED (
            SELECT k.key, CASE WHEN pg_catalog.count(*) = 1 THEN pg_catalog.min(k.link) END, (pg_catalog.array_agg(k.account_id))[1],
                   pg_catalog.min(k.shown)
            FROM (SELECT %1$s AS key, %2$s AS link, (%3$s)%4$s AS account_id, %5$s AS shown FROM %6$s%7$s) AS k
            WHERE k.key IS NOT NULL GROUP BY 1
        ), "$links" (key, above, is_last, is_circular) AS MATERIALIZED (
            SELECT f.* FROM (SELECT pg_catalog.array_agg(n.key) AS keys, pg_catalog.array_agg(n.link) AS links FROM "$named" AS n
                             WHERE n.link IS NOT NULL%8$s) AS l CROSS JOIN LATERAL health_internal.follow_links(l.keys, l.links) AS f
        )%9$s $query$,
        health_internal.compile_link_key(fields, link, id.expression, id.type),
        health_internal.compile_link_key(fields, link, named.expression, named.type),
        health_internal.compile_account_key(fields, id.expression), health_internal.id_cast((health_internal.account_form(fields)).kind),
        health_internal.canonical_text(id.expression, id.type), book.from_item,
        health_internal.compile_wanted(fields) || CASE WHEN filter.expression IS NULL THEN '' ELSE ' WHERE wanted."is wanted"' END
            || health_internal.fence(),
        CASE WHEN known_only THEN ' AND n.link IN (SELECT k.key FROM "$named" AS k)' END, rest)
    FROM health_internal.field_of(fields, 'accounts', 'id') AS id, health_internal.field_of(fields, 'accounts', link) AS named,
         health_internal.field_of(fields, 'accounts', 'from') AS book, health_internal.field_of(fields, 'accounts', 'filter') AS filter
    WHERE named.expression IS NOT NULL;
$$;
COMMENT ON FUNCTION health_internal.compile_with_links(health_internal.model_field[], text, boolean, text) IS
    'SQL of a WITH list over the accounts that name others in a field of the account source: "$named" (all accounts, with the one that '
    'each names, key in ledgers and id as text) and "$links" (follow_links() of all, or only of those that name one that is known); rest '
    'is how it goes on, and the query. NULL without such a field';

-- Of many the first 20 are named: some write the id of the account itself where there is no parent.
CREATE FUNCTION health_internal.compile_link_findings(fields health_internal.model_field[], link text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_with_links(fields, link, false, format($query$, "$found" AS (
            SELECT f.*, pg_catalog.row_number() OVER (PARTITION BY f.finding ORDER BY f.by_itself, f.account) AS place
            FROM (SELECT %1$L AS finding, n.shown AS account, n.link = n.key AS by_itself,
                         CASE WHEN n.link = n.key THEN %2$L ELSE %3$L END AS advice
                  FROM "$links" AS l JOIN "$named" AS n ON n.key = l.key WHERE l.is_circular
                  UNION ALL SELECT 'unknown merge target', n.shown, false, pg_catalog.format('merged into %%s, which is no account (or '
                      'accounts.filter leaves it out): it stays an account of its own', n.link)
                  FROM "$named" AS n WHERE %4$L AND n.link NOT IN (SELECT k.key FROM "$named" AS k)) AS f
        )
        SELECT f.finding, f.account AS name, 1::pg_catalog.int8 AS n, f.advice, f.account, f.place FROM "$found" AS f WHERE f.place <= 20
        UNION ALL SELECT f.finding, %5$L, pg_catalog.count(*), pg_catalog.format('%%s more accounts: %%s', pg_catalog.count(*),
            pg_catalog.min(f.advice)), NULL, 21 FROM "$found" AS f WHERE f.place > 20 GROUP BY 1 $query$,
        CASE link WHEN 'parent' THEN 'circular parent' ELSE 'circular merge' END,
        CASE link WHEN 'parent' THEN 'names itself as its parent: taken as without one'
                  ELSE 'merged into itself: it stays an account of its own' END,
        CASE link WHEN 'parent' THEN 'its parents lead back to it: taken as without one'
                  ELSE 'merged in a circle: it stays an account of its own' END,
        link = 'merged_into', link));
$$;
COMMENT ON FUNCTION health_internal.compile_link_findings(health_internal.model_field[], text) IS
    'SQL of what is wrong with the accounts that name others in a field of the account source: finding, name, number of accounts, advice, '
    'account, place; NULL without such a field';

-- The last of a chain takes all.
CREATE FUNCTION health_internal.compile_merges(fields health_internal.model_field[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT health_internal.compile_with_links(fields, 'merged_into', true, $query$
        SELECT a.account_id, i.account_id AS into_id, i.shown AS into_text
        FROM "$links" AS l JOIN "$named" AS a ON a.key = l.key JOIN "$named" AS i ON i.key = l.above WHERE l.is_last $query$);
$$;
COMMENT ON FUNCTION health_internal.compile_merges(health_internal.model_field[]) IS
    'SQL of the accounts that were merged into others: the keys of both in ledgers, and the id of the other as text; NULL where the '
    'document does not say so';
