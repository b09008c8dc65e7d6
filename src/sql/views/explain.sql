-- Why an account has its score, and why the score moved.

-- Runs under the author's search_path: what an unqualified name of the document means does not depend on who asks.
CREATE FUNCTION health_internal.read_account(model_name text, version health_internal.model_version, account text, as_of date)
RETURNS SETOF health.account_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
BEGIN
    -- NULL, to the compiler, means every account.
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account to explain is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account: explain(model, account).';
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.store_accounts(health_internal.open_store(version), account, as_of);
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT (s.account).* FROM (SELECT %s AS account FROM (%s) AS l LIMIT 1) AS s',
        health_internal.compile_state(with_past => false), compiled.ledger);
    IF NOT FOUND THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    -- Either the id cannot be one of this type, or the user's own data failed to convert: only the former means that there is no such
    -- account.
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0
       AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    ELSIF sqlstate <> '22023' THEN    -- which the compiler raises, with its path
        PERFORM health_internal.raise_failing_field(model_name, version, as_of);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.read_account(text, health_internal.model_version, text, date) IS
    'What scoring needs of one account, read from its ledger if the model is tracked, else from the events of that account only; an error '
        'when there is no such account';

CREATE FUNCTION health_internal.raise_unknown_account(model_name text, version health_internal.model_version, account text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
    same_name text;
    near text;
BEGIN
    -- In an exception handler of the caller, its own setting has been rolled back. This one ends with the error.
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, usage_from => 'nothing');
    EXECUTE pg_catalog.format('SELECT pg_catalog.min(%s) FROM (%s) AS l WHERE pg_catalog.lower(l.name) = '
        'pg_catalog.lower($1)',
                              health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger)
        INTO same_name USING account;
    IF same_name IS NULL THEN
        EXECUTE pg_catalog.format('SELECT health.nearest_name($1, pg_catalog.array_agg(%s)) FROM (%s) AS l',
                                  health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger)
            INTO near USING account;
    END IF;
    RAISE EXCEPTION 'model "%": there is no account "%" in %', model_name, account, compiled.account_label
        USING ERRCODE = 'no_data_found',
              HINT = CASE WHEN same_name IS NOT NULL THEN pg_catalog.format('The account of that name has the id "%s".', same_name)
                          WHEN near IS NOT NULL THEN pg_catalog.format('Did you mean "%s"?', near)
                          ELSE pg_catalog.format('Ids of accounts are of type %s, from %s less what accounts.filter leaves out.',
                                                  compiled.account_type, compiled.account_label) END;
END;
$$;
COMMENT ON FUNCTION health_internal.raise_unknown_account(text, health_internal.model_version, text) IS
    'Raises the error for an account that a model does not have';

-- An id that can be none of this type is an account that there is not.
CREATE FUNCTION health_internal.find_account(model_name text, version health_internal.model_version, account text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    compiled health_internal.compiled_model;
    id text;
BEGIN
    IF account IS NULL THEN
        RAISE EXCEPTION 'model "%": the account is NULL', model_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the id of an account.';
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    compiled := health_internal.compile_model(version.document, version.version, account, usage_from => 'nothing',
                                              model_name => model_name);
    EXECUTE pg_catalog.format('SELECT %s FROM (%s) AS l LIMIT 1',
                              health_internal.canonical_text('l.account_id', compiled.account_type), compiled.ledger) INTO id;
    IF id IS NULL THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
    RETURN id;
EXCEPTION WHEN data_exception THEN
    IF compiled.account_type IS NOT NULL AND strpos(sqlerrm, account) > 0 AND sqlstate IN ('22P02', '22003', '22007') THEN
        PERFORM health_internal.raise_unknown_account(model_name, version, account);
    END IF;
    RAISE;
END;
$$;
COMMENT ON FUNCTION health_internal.find_account(text, health_internal.model_version, text) IS
    'The id of an account as text, the same however it was written; the error of explain() when a model does not have it';

-- Kept of the day of the scores; of other days, and of a model that is not tracked, all accounts are measured. An account is explained
-- even while the data of another one fail.
CREATE FUNCTION health_internal.book_changes_at(version health_internal.model_version, as_of date) RETURNS float8[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    store CONSTANT health_internal.store := health_internal.open_store(version);
    query CONSTANT text := health_internal.compile_book_changes(version.document, 'scored');
    state health_internal.store_state;
    changes float8[];
BEGIN
    IF query IS NULL THEN
        RETURN NULL;
    END IF;
    IF store.has_scores THEN
        state := health_internal.read_state((store.tracking).id);
        IF state.as_of = book_changes_at.as_of AND NOT state.all_stale THEN
            RETURN state.book;
        END IF;
    END IF;
    PERFORM health_internal.look_names_up_in(version.search_path);
    EXECUTE pg_catalog.format(
        'WITH scored AS MATERIALIZED (SELECT health_internal.account_signals(%L::pg_catalog.jsonb, %s) AS "$signals" FROM (%s) AS l '
        'WHERE l.in_filter[1] IS NOT FALSE) %s',
        health_internal.scoring_document(version.document), health_internal.compile_state(with_past => false),
        (health_internal.store_accounts(store, as_of => book_changes_at.as_of)).ledger, query) INTO changes;
    RETURN changes;
EXCEPTION WHEN data_exception OR cardinality_violation OR feature_not_supported THEN
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION health_internal.book_changes_at(health_internal.model_version, date) IS
    'What the whole book did as of a day in each signal that is held against it; NULL when none is';

CREATE FUNCTION health_internal.explain_as_owner(model text, account text, as_of date) RETURNS SETOF health.signal_score
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version health_internal.model_version := health_internal.find_version(model, (health_internal.open_model(model)).current_version);
    asked CONSTANT date := coalesce(as_of, health_internal.model_today(version.document));
BEGIN
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'model "%": the day to explain is %', model, as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a calendar day: explain(model, account, date).';
    END IF;
    RETURN QUERY
    SELECT s."position", s.signal, s.parent, s.label, s.level, s.raw, s.raw_text, s.normalized, s.weight, s.points, s.reason,
           CASE WHEN s."position" = max(s."position") OVER () AND a.as_of < asked
                THEN format('%s As of %s: tracking was broken from that day on.', s.phrase, to_char(a.as_of, 'YYYY-MM-DD'))
                ELSE s.phrase END,
           s.next_step, s.counted, s.basis, s.book
    FROM health_internal.read_account(model, version, account, as_of) AS a,
        health_internal.signal_rows(version.document, a.as_of, health_internal.account_signals(version.document, a), a.overrides,
                                    health_internal.book_changes_at(version, a.as_of)) AS s
    ORDER BY s."position";
END;
$$;
COMMENT ON FUNCTION health_internal.explain_as_owner(text, text, date) IS 'explain(model, account, as_of) as the owner of the model';

CREATE FUNCTION health.explain(model text, account text, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.signal).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT e FROM health_internal.explain_as_owner($1, $2, $3::date) AS e', model, account, health_internal.iso_text(as_of))
        AS r (signal health.signal_score);
END;
$$;
COMMENT ON FUNCTION health.explain(text, text, date) IS
    'Why an account has its score: one row per signal with raw and normalized value, weight, points, words and next step; a row '
    '"override" when one has effect; the last row is the score. '
    'as_of: a past day, by the present version, with account data as score_at() has them; by default the day of the model';

CREATE FUNCTION health.explain(model text, account bigint, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, as_of) AS e;
END;
COMMENT ON FUNCTION health.explain(text, bigint, date) IS 'explain(model, account, as_of) for a numeric account id';

CREATE FUNCTION health.explain(model text, account uuid, as_of date DEFAULT NULL) RETURNS SETOF health.signal_score
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, as_of) AS e;
END;
COMMENT ON FUNCTION health.explain(text, uuid, date) IS 'explain(model, account, as_of) for a uuid account id';

CREATE FUNCTION health_internal.explain_change_as_owner(model text, account text, from_date date, to_date date,
                                                        from_version integer, to_version integer)
RETURNS SETOF health.change_row
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current_version integer := (health_internal.open_model(model)).current_version;
    before health_internal.model_version := health_internal.find_version(model, coalesce(from_version, current_version));
    after health_internal.model_version := health_internal.find_version(model, coalesce(to_version, current_version));
BEGIN
    IF from_date IS NULL OR to_date IS NULL OR NOT isfinite(from_date) OR NOT isfinite(to_date) OR from_date > to_date THEN
        RAISE EXCEPTION 'model "%": from % to % is no span of time', model, coalesce(from_date::text, 'NULL'),
            coalesce(to_date::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the earlier one first: explain(model, account, from_date, to_date).';
    END IF;
    RETURN QUERY
    SELECT c.* FROM health_internal.read_account(model, before, account, from_date) AS b,
        health_internal.read_account(model, after, account, to_date) AS a,
        health.score_change(before.document, after.document, b, a) AS c;
END;
$$;
COMMENT ON FUNCTION health_internal.explain_change_as_owner(text, text, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) as the owner of the model';

CREATE FUNCTION health.explain(model text, account text, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE plpgsql ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT (r.change).* FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT e FROM health_internal.explain_change_as_owner($1, $2, $3::date, $4::date, $5::integer, $6::integer) AS e',
        model, account, health_internal.iso_text(from_date), health_internal.iso_text(to_date), from_version::text, to_version::text)
        AS r (change health.change_row);
END;
$$;
COMMENT ON FUNCTION health.explain(text, text, date, date, integer, integer) IS
    'Why the score of an account moved between two dates: rows whose points add up to the change; the last row is the total and its phrase '
    'the sentence. Account data are those that the history of a tracked model recorded on each date; else columns stand at today''s value '
        'at both '
    'dates, and expressions see their own as_of';

CREATE FUNCTION health.explain(model text, account bigint, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, from_date, to_date, from_version, to_version) AS e;
END;
COMMENT ON FUNCTION health.explain(text, bigint, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) for a numeric account id';

CREATE FUNCTION health.explain(model text, account uuid, from_date date, to_date date,
                               from_version integer DEFAULT NULL, to_version integer DEFAULT NULL)
RETURNS SETOF health.change_row
LANGUAGE sql ROWS 20
BEGIN ATOMIC
    SELECT e.* FROM health.explain(model, account::pg_catalog.text, from_date, to_date, from_version, to_version) AS e;
END;
COMMENT ON FUNCTION health.explain(text, uuid, date, date, integer, integer) IS
    'explain(model, account, from_date, to_date) for a uuid account id';
