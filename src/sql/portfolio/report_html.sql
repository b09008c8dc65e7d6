-- A page about the health of the customers of a model, or of one of them, for people without a BI tool.

CREATE FUNCTION health_internal.report_html_as_owner(model text, account text, link_pattern text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    version CONSTANT health_internal.model_version := health_internal.find_version(model,
        (health_internal.open_model(model)).current_version);
BEGIN
    IF link_pattern IS NOT NULL AND link_pattern !~ '^(https?://)?[^:]*%s[^:]*$' THEN
        RAISE EXCEPTION 'link_pattern "%" is no address of accounts', link_pattern
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give a relative or an http address with %s where the id of the account goes: ''account-%s.html''.';
    END IF;
    RETURN CASE WHEN account IS NULL THEN health_internal.report_of_book(version, link_pattern)
                ELSE health_internal.report_of_account(version, account) END;
END;
$$;
COMMENT ON FUNCTION health_internal.report_html_as_owner(text, text, text) IS 'report_html() as the owner of the model';

CREATE FUNCTION health.report_html(model text, account text DEFAULT NULL, link_pattern text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT r.page FROM health_internal.rows_as_owner((health_internal.open_model(model)).owner, NULL,
        'SELECT health_internal.report_html_as_owner($1, $2, $3)', model, account, link_pattern) AS r (page text));
END;
$$;
COMMENT ON FUNCTION health.report_html(text, text, text) IS
    'A page of HTML about the customers of a model, or with account about one of them: what is kept in it is all it needs, no '
    'network and no '
    'script. link_pattern: address of the page of an account, %s being its id, as account-%s.html; by default names are no links';
