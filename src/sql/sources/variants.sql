-- The variants of a document: conditions over the columns of the account, of which the first that is true says whose weights count.

-- A condition that fails for an account is not true there.
CREATE FUNCTION health_internal.variant_fields(variants jsonb, info health_internal.source_info, scope text)
    RETURNS SETOF health_internal.model_field
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    field health_internal.model_field;
    cases text := '';
BEGIN
    FOR part IN SELECT format('variants[%s]', v.n - 1) AS path, v.variant FROM jsonb_array_elements(variants) WITH ORDINALITY
                AS v (variant, n) ORDER BY v.n
    LOOP
        field := health_internal.inspect_field(info, part.path, 'when', part.path || '.when', part.variant -> 'when', 'condition', scope);
        cases := cases || format(' WHEN %s THEN %L', field.expression, part.variant ->> 'name');
        RETURN NEXT field;
    END LOOP;
    field := NULL;
    field.source := 'variants';
    field.field := 'value';
    field.path := 'variants';
    field.type := 'text';
    field.expression := format('(CASE%s END)::pg_catalog.text', cases);
    RETURN NEXT field;
END;
$$;
COMMENT ON FUNCTION health_internal.variant_fields(jsonb, health_internal.source_info, text) IS
    'Conditions of the variants of a document over an account source, and as "value" of "variants" the name of the one that counts';
