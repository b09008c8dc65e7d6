-- What names say to draft_model(): of columns, which field of a document they may be; of events, what somebody did.

CREATE FUNCTION health_internal.draft_words(name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT btrim(regexp_replace(lower(regexp_replace(regexp_replace(name COLLATE "C", '([a-z0-9])([A-Z])', '\1_\2', 'g'),
                                                     '[^\x01-\x7f]+', '~', 'g')), '[^a-z0-9~]+', '_', 'g'), '_');
$$;
COMMENT ON FUNCTION health_internal.draft_words(text) IS 'A name as words in lower case with _ between them: accountId is account_id. '
    'Letters that are not ASCII are ~';

-- The lower the rank, the surer. English as it is written, and the German that is met in tables.
CREATE FUNCTION health_internal.draft_patterns(OUT field text, OUT rank integer, OUT pattern text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 80
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.* FROM (VALUES
    ('account', 1, '^(account|acct?|cust|customer|org|organi[sz]ation|tenant|workspace|company|client|kunden?|konto|mandant(en)?|firmen?)_?'
                   '(id|nr|no|key|number|nummer|uuid|code)$'),
    ('account', 2, '^(account|customer|org|organi[sz]ation|tenant|workspace|company|client|kunde|konto|mandant|firma)$'),
    ('account', 3, '^(team|project|site|shop|group|portal|projekt)(_?(id|nr|no|key|uuid))?$'),
    ('account', 4, '(account|customer|org|tenant|workspace|company|kunden?|konto)_?(id|nr|key|uuid)$'),
    ('account.id', 1, '^(account|acct?|cust|customer|org|organi[sz]ation|tenant|workspace|company|client|kunden?|konto|mandant(en)?|'
                      'firmen?|team|project)_?'
                      '(id|nr|no|key|number|nummer|uuid|code)$'),
    ('account.id', 2, '^(id|uid|uuid|key|nr|nummer|number)$'),
    ('account.id', 3, '^(account|customer|org|tenant|workspace|company|kunde|konto|mandant|firma|team|project)$'),
    ('account.id', 4, '_(id|key|uuid|nr)$'),
    ('user', 1, '^(user|usr|member|contributor|person|contact|actor|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied)_?(id|uuid|nr|'
                'key|no)$'),
    ('user', 2, '^(user|usr|uid|who|member|contributor|person|contact|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied|author)$'),
    ('user', 3, '^((user|member|contact)_?)?(e_?mail|username|user_name|login|handle)(_address)?$'),
    ('user', 4, '(user|member|person|contact|author|benutzer|nutzer)_?(id|uuid|nr|key)$'),
    ('user', 5, '^(created|performed|done)_by(_id)?$|^(actor|distinct_id|visitor_id|identity)$'),
    ('user.id', 1, '^(user|usr|member|contributor|person|contact|employee|benutzer|nutzer|anwender|mitarbeiter|mitglied)_?(id|uuid|nr|key|'
                   'no)$'),
    ('user.id', 2, '^(id|uid|uuid|key|nr)$'),
    ('user.id', 3, '^(user|member|contributor|person|contact|benutzer|nutzer|mitarbeiter|mitglied)$'),
    ('user.id', 4, '^(e_?mail|username|login|handle)(_address)?$'),
    ('event', 1, '^(event|action|activity|ereignis|aktion|aktivit(ae|~)t)(_?(name|type|kind|code|key|art|typ|id))?$|^event_type_(id|'
                 'name)$'),
    ('event', 2, '^(name|type|kind|typ|art|verb|operation|what|vorgang|t(ae|~)tigkeit)$'),
    ('event', 3, '(event|action|activity|ereignis|aktion)|_(type|kind|typ|art)$'),
    ('occurred_at', 1, '^(occurred|happened|event|performed|authored|logged|tracked|client|action)_?(at|on|time|timestamp|ts|date|day)$'
                       '|^zeitpunkt$|^(ereignis|aktions?)_?(zeit|datum|zeitpunkt)$'),
    ('occurred_at', 2, '^(timestamp|time_?stamp|ts|time|at|date_?time|when|date|day|zeit|datum|zeitstempel|am|tag)$'),
    ('occurred_at', 3, '^(created|recorded|sent|committed|erstellt|angelegt)_?(at|on|time|ts|date|am)?$'),
    ('occurred_at', 4, '^(?!.*(load|ingest|sync|receiv|etl|process|updat|modif|delet|insert)).*_(at|on|ts|time|date|am)$'),
    ('amount', 1, '^(amount|minutes|duration|seconds|quantity|hours|menge|dauer|minuten|sekunden|betrag)$'),
    ('amount', 2, '^(duration|elapsed|time_spent|dauer)_?(s|sec|secs|seconds|ms|min|minutes|minuten|sekunden)?$|_(minutes|seconds|'
                  'duration)$'),
    ('amount', 3, '^(value|count|size|bytes|anzahl|wert)$'),
    ('event.id', 1, '^(event|message|insert|ereignis)_?(id|uuid|key)$'),
    ('known_at', 1, '^_?(loaded|ingested|received|synced|arrived|inserted|_sdc_received|processed|geladen)_?(at|on|time|am)$'),
    ('actor', 1, '^actor(_?(type|kind))?$'),
    ('name', 1, '^(account|customer|company|org|organi[sz]ation|tenant|workspace|team|project|firmen|kunden|client)_?name$'),
    ('name', 2, '^(name|company|firma|customer|kunde|display_name|bezeichnung|title|label|organi[sz]ation)$'),
    ('start', 1, '^(customer|client|kunde|member|active|subscribed)_?(since|from|seit)$|^(vertragsbeginn|kundenbeginn)$'),
    ('start', 2, '^(start|started|signed|signed_up|sign_?up|onboarded|contract_start|went_live|go_live|activated|beginn)_?(at|on|date|'
                 'am)?$'),
    ('start', 3, '^(created|joined|registered|first_[a-z]+|erstellt|angelegt)_?(at|on|date|am)?$'),
    ('end', 1, '^(churned|churn|cancel?led|cancellation|terminated|lost|offboarded|gek(ue|~)ndigt|k(ue|~)ndigung)_?(at|on|date|zum|am)?$'),
    ('end', 2, '^(end|ended|closed|customer_until|deactivated|archived|deleted|contract_end|vertragsende|beendet|ende)_?(at|on|date|am)?$'),
    ('seats', 1, '^(seats|licen[sc]es|licensed_seats|(seat|licen[sc]e)_?(count|limit)|(num|paid|purchased|contracted)_seats|lizenzen|'
                 'pl(ae|~)tze)$'),
    ('seats', 2, '^(?!.*(used|active|belegt|genutzt)).*(seat|licen[sc]e|lizenz)'),
    ('joined', 1, '^(joined|signed_?up|sign_?up|registered|registration|activated|beigetreten|registriert|eintritt)_?(at|on|date|am)?$'),
    ('joined', 2, '^(created|first_[a-z]+|start|started|member_since|active_since|erstellt|angelegt|dabei_seit)_?(at|on|date|am)?$'),
    ('deactivated', 1, '^(deactivated|left|disabled|removed|suspended|away|deaktiviert|austritt|ausgetreten|gel(oe|~)scht)_?(at|on|date|'
                       'am)?$'),
    ('deactivated', 2, '^(deleted|ended|end|archived|closed|member_until)_?(at|on|date|am)?$'),
    ('invited', 1, '^(invited|invite_sent|invitation_sent|invitation|eingeladen)_?(at|on|date|am)?$'),
    ('fact.at', 1, '^(opened|answered|asked|reported|invoiced|paid|submitted|requested|starts?|started|begins?|valid_from|billed|held|'
                   'met|trained|completed|er(oe|~)ffnet|beantwortet|gestellt)_?(at|on|date|am)?$'),
    ('fact.at', 2, '^(created|recorded|date|day|at|on|timestamp|occurred|issued|sent|erstellt|angelegt|datum)_?(at|on|date|am)?$'),
    ('fact.at', 3, '^(?!.*(load|updat|modif|delet|due|end|close|resolv|until|expire)).*_(at|on|ts|time|date|am)$'),
    ('fact.until', 1, '^(resolved|closed|ends?|ended|until|valid_(to|until)|expires?|cancel?led|solved|finished|gel(oe|~)st|geschlossen|'
                      'beendet|bis)_?'
                      '(at|on|date|am)?$'),
    ('fact.value', 1, '^(mrr|arr|amount|value|score|rating|nps|csat|ces|price|total|revenue|points|betrag|wert|note)(_(eur|usd|'
                      'gbp|chf))?$'),
    ('fact.kind', 1, '^(kind|category|type|plan|topic|survey|kategorie|art|typ|thema)(_(name|type))?$'),
    ('fact.kind', 2, '^(severity|priority|status|schweregrad)$'),
    ('fact.currency', 1, '^(currency|w(ae|~)hrung)(_code)?$'),
    ('account flag', 1, '^(is_)?(test|internal|demo|deleted|sandbox|fake|intern|gel(oe|~)scht)(_(account|customer|tenant))?$'),
    ('user flag', 1, '^(is_)?(bot|robot|internal|test|staff|employee|system|service|automated|intern|support)(_(user|account))?$'),
    ('event flag', 1, '^(is_)?(test|internal|bot|robot|deleted|sandbox|spam)(_event)?$')) AS p (field, rank, pattern);
$$;
COMMENT ON FUNCTION health_internal.draft_patterns() IS
    'Which names of columns (as words) suit which field: regular expressions, rank 1 is the surest';

-- What presets and people like to see of an account beside usage, under the names that presets know.
CREATE FUNCTION health_internal.draft_attributes(OUT name text, OUT need text, OUT preset boolean, OUT pattern text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE ROWS 25
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.* FROM (VALUES
    ('plan_tier', 'text', true, '^(plan|tier|plan_?(tier|name)|(subscription|pricing|product)_(plan|tier)|package|edition|tarif|paket)$'),
    ('arr', 'number', true, '^(arr|annual_recurring_revenue|acv|annual_contract_value|jahresumsatz)(_(eur|usd|gbp|chf))?$'),
    ('arr_previous', 'number', true, '^(arr_(previous|prior|last_year)|previous_arr)$'),
    ('mrr', 'number', false, '^(mrr|monthly_recurring_revenue|monatsumsatz)(_(eur|usd|gbp|chf))?$'),
    ('renewal_date', 'time', true, '^(next_)?(renewal|renews|contract_end|contract_renewal|(vertrags)?verl(ae|~)ngerung)_?(date|on|at|'
                     'am)?$'),
    ('open_tickets', 'number', true, '^(open_tickets|tickets_open|offene_tickets)$'),
    ('tickets_30d', 'number', true, '^tickets_(30d|last_30_days)$'),
    ('trainings_90d', 'number', true, '^trainings_(90d|last_90_days)$'),
    ('last_check_in', 'time', true, '^last_check_?in(_(at|on|date))?$'),
    ('outstanding_invoices', 'number', true, '^(outstanding|open|overdue|offene)_?(invoices|rechnungen)$'),
    ('main_contact_seen', 'time', true, '^main_contact_(last_)?seen(_(at|on))?$'),
    ('departments', 'number', true, '^(num_)?departments$'),
    ('nps', 'number', true, '^nps(_score)?$'),
    ('csat', 'number', true, '^csat(_score)?$'),
    ('csm', 'text', false, '^(csm(_(name|owner|email))?|customer_success_manager|account_(manager|owner)|owner|betreuer)$'),
    ('industry', 'text', false, '^(industry|sector|vertical|branche)$'),
    ('region', 'text', false, '^(region|territory)$'),
    ('country', 'text', false, '^(country(_code)?|land)$'),
    ('segment', 'text', false, '^(customer_)?segment$|^(size_class|company_size|gr(oe|~)(ss|~)enklasse)$'),
    ('employees', 'number', false, '^(employees|(employee|num_employees|head)_?count|mitarbeiter(zahl)?)$'),
    ('lifecycle_stage', 'text', false, '^(lifecycle(_stage)?|phase)$'),
    ('currency', 'text', false, '^(currency(_code)?|w(ae|~)hrung)$')) AS a (name, need, preset, pattern);
$$;
COMMENT ON FUNCTION health_internal.draft_attributes() IS
    'Columns of accounts that a draft takes over: logical name, kind of value, whether signals of presets read it, names as words';

CREATE FUNCTION health_internal.draft_rank(field text, words text) RETURNS integer
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT pg_catalog.min(p.rank) FROM health_internal.draft_patterns() AS p WHERE p.field = draft_rank.field AND words ~ p.pattern;
END;
COMMENT ON FUNCTION health_internal.draft_rank(text, text) IS 'How well the name of a column suits a field, 1 best; NULL: not at all';

-- The verb says it, and it is the last word (report_created) or the first (create_report).
CREATE FUNCTION health_internal.draft_event(words text, share float8, OUT entry jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    verbs CONSTANT jsonb := jsonb_build_object(
        'interact', '^(comment|shar(e|ed|es|ing)$|repl(y|ied|ies)|invit|react|like[ds]?$|vot(e|ed|es|ing)$|mention|follow|assign|approv|'
        'merge|review|messag|chat|geteilt|kommentar|kommentier|eingeladen|bewertet)',
        'create', '^(creat|add(ed|s)?$|publish|upload|record(ed|s)?$|writ|wrote|post(ed|s)?$|submit|import|buil[dt]|generat|draft|edit|'
        'updat|commit|sen[dt]$|schedul|new$|insert|deploy|r[ua]n$|sav(e|ed)$|ma[dk]e|ask|answer|cast|configur|erstell|angelegt|'
        'hochgeladen|hinzugef(ue|~)gt|gespeichert|bearbeitet)',
        'consume', '^(view|page_?view|open|read|watch|search|click|visit|play(ed)?$|download|export|list(ed)?$|brows|scroll|seen|look|'
        'show|angesehen|ge(oe|~)ffnet|gelesen|gesucht|heruntergeladen|exportiert)');
    people CONSTANT text := '(^|_)(comment|repl(y|ies)|vote|reaction|mention|invit|messag|chat|kommentar)';
    activates CONSTANT text := '^(first|activat|complet|finish|onboard|connect|integrat|install|set_?up|abgeschlossen|aktiviert|'
        'eingerichtet)';
    parts CONSTANT text[] := string_to_array(words, '_');
    role text;
    verb text;
    roles text[];
    value integer;
    feature text;
BEGIN
    IF words ~ '(^|_)(log_?in|logged_in|sign_?in|signed_in|log_?out|logged_out|session|app_opened|anmeldung|angemeldet|eingeloggt|'
        'heartbeat)(_|$)' THEN
        entry := '{"role": "session", "value": 1, "feature": "app"}';
        RETURN;
    ELSIF words ~ '(^|_)(delet|remov|cancel|unsubscrib|unfollow|fail|error|deactivat|disconnect|uninstall|gel(oe|~)scht|entfernt|'
        'abgebrochen)' THEN
        RETURN;
    END IF;
    SELECT v.key, p.part INTO role, verb
    FROM unnest(parts) WITH ORDINALITY AS p (part, n), jsonb_each_text(verbs) AS v
    WHERE p.part ~ v.value ORDER BY p.n < cardinality(parts), p.n > 1, p.n DESC, v.key DESC LIMIT 1;
    IF role = 'create' AND words ~ people THEN
        role := 'interact';
    END IF;
    roles := array_remove(ARRAY[role, CASE WHEN words ~ '(^|_)(sign_?up|signed_up|registered)(_|$)' OR EXISTS (SELECT
        FROM unnest(parts) AS p (part) WHERE p.part ~ activates)
             THEN 'activate' END],
        NULL);
    -- What is done for others or kept is worth more than looking; what is rare, more than what everybody does all day.
    value := CASE role WHEN 'create' THEN 6 WHEN 'interact' THEN 4 WHEN 'consume' THEN 2 ELSE 1 END
        + CASE WHEN NOT 'activate' = ANY (roles) THEN 0 WHEN role IS NULL THEN 6 ELSE 2 END
        + CASE WHEN cardinality(roles) = 0 THEN 0 WHEN share < 0.002 THEN 2 WHEN share < 0.02 THEN 1
               WHEN share > 0.3 AND role IN ('create', 'interact') THEN -1 ELSE 0 END;
    SELECT string_agg(p.part, '_' ORDER BY p.n) INTO feature FROM unnest(parts) WITH ORDINALITY AS p (part, n)
    WHERE p.part IS DISTINCT FROM verb AND p.part !~ activates AND p.part !~ '^(by|to|for|of|in|from|the|a)$';
    entry := jsonb_strip_nulls(jsonb_build_object(
        'role', CASE cardinality(roles) WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(roles[1]) ELSE to_jsonb(roles) END,
        'value', value, 'feature', CASE WHEN cardinality(parts) > 1 AND cardinality(roles) > 0 THEN feature END));
END;
$$;
COMMENT ON FUNCTION health_internal.draft_event(text, float8) IS
    'An entry of the catalog for an event by the words of its name and its share of all events: role by the stem of the verb, value by '
    'role and rarity, feature by the other words; NULL for what takes something away or fails, of which there is nothing to guess';

-- Names that only one preset knows speak for it; else what people do, and what is known of accounts.
CREATE FUNCTION health_internal.draft_preset(names text[], seats boolean, renewal boolean, OUT preset text, OUT reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known text[];
    feedback CONSTANT text[] := ARRAY(SELECT n FROM unnest(names) AS n WHERE n ~ '(^|_)(feedback|vot(e|ed)|idea|roadmap|changelog|'
        'feature_request)(_|s|$)');
    together CONSTANT text[] := ARRAY(SELECT n FROM unnest(names) AS n
                                      WHERE n ~ '(^|_)(video|screenshot|comment|share|shared|reply|replied|reaction|mention|whiteboard|'
                                          'board|kommentar|geteilt)');
BEGIN
    SELECT o.name, o.names INTO preset, known
    FROM (SELECT p.name, array_agg(n.name ORDER BY n.name) AS names, p.position
          FROM health_internal.preset AS p, unnest(names) AS n (name) WHERE p.definition -> 'catalog' ? n.name
          GROUP BY p.name, p.position) AS o
    ORDER BY cardinality(o.names) DESC, o.position LIMIT 1;
    IF cardinality(known) >= 3 THEN
        reason := format('its catalog has %s', array_to_string(known[1:5], ', ') || CASE WHEN cardinality(known) > 5 THEN ', ...'
            ELSE '' END);
    ELSIF cardinality(feedback) >= 2 THEN
        preset := 'feedback_portal';
        reason := format('events are about feedback: %s', array_to_string(feedback[1:3], ', '));
    ELSIF seats OR renewal THEN
        preset := 'customer_success';
        reason := format('accounts have %s', concat_ws(' and ', CASE WHEN seats THEN 'seats' END, CASE WHEN renewal THEN 'a renewal '
            'date' END));
    ELSIF cardinality(together) >= 2 THEN
        preset := 'collaboration';
        reason := format('people make things for each other: %s', array_to_string(together[1:3], ', '));
    ELSE
        preset := 'value_weighted';
        reason := 'nothing speaks for a more special one';
    END IF;
END;
$$;
COMMENT ON FUNCTION health_internal.draft_preset(text[], boolean, boolean) IS
    'The preset that fits names of events (as words) and what is known of accounts, and why';
