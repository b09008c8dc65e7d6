# Writes tables into templates: awk -f src/tables/expand.awk TABLE.table ... TEMPLATE ... What both look like: src/tables/README.md.

FNR == 1 {
  is_table = FILENAME ~ /\.table$/
  table = row = field = ""
  if (is_table) {
    table = FILENAME
    gsub(/^.*\/|\.table$/, "", table)
    fields[table, "name"]
  } else {
    language = FILENAME
    sub(/\.in$/, "", language)
    sub(/^.*\./, "", language)
  }
}
is_table { read_row(); next }
{ line[++lines] = $0; place[lines] = FILENAME ":" FNR }
END { if (!failed) write_lines(1, lines) }

function fail(where, message) {
  print where ": " message > "/dev/stderr"
  failed = 1
  exit 1
}

# A row is a name at the margin; below it, indented by four, its fields; what is indented further goes on with the field above.
function read_row(   text) {
  if ($0 ~ /^#/ || $0 ~ /^ *$/) return
  if ($0 ~ /^[a-z][a-z0-9_]*$/) {
    row = $1
    if ((table, row) in known) fail(FILENAME ":" FNR, row " has a row already")
    known[table, row]
    rows[table, ++count[table]] = row
    cell[table, row, "name"] = row
    field = ""
  } else if (row != "" && $0 ~ /^    [a-z]/) {
    field = $1
    if ((table, row, field) in cell) fail(FILENAME ":" FNR, field " stands twice in the row " row)
    text = $0
    sub(/^ +[a-z_]+ */, "", text)
    fields[table, field]
    cell[table, row, field] = text
  } else if (field != "" && $0 ~ /^     +[^ ]/) {
    text = $0
    sub(/^ +/, "", text)
    cell[table, row, field] = cell[table, row, field] " " text
  } else fail(FILENAME ":" FNR, "is no row, no field and no continuation")
}

# A value as it stands inside a string of the template's language: SQL, C++, a table of Markdown.
function quoted(text) {
  if (language == "sql") gsub(/'/, "''", text)
  else if (language == "md") gsub(/\|/, "\\|", text)
  else gsub(/["\\]/, "\\\\&", text)
  return text
}

# The field `name` or `table.name` of the row at hand, the innermost that has it.
function value(name,   d, dot, wanted) {
  dot = index(name, ".")
  wanted = dot ? substr(name, 1, dot - 1) : ""
  name = substr(name, dot + 1)
  for (d = depth; d > 0; --d) {
    if (wanted != "" && wanted != row_table[d]) continue
    if (name == "comma") return is_last[d] ? "" : ","
    if ((row_table[d], name) in fields) return cell[row_table[d], row_name[d], name]
  }
  fail(place[at], "no row at hand has the field " name)
}

# Replaces {field}, and \n by the end of a line.
function fill(text,   result) {
  while (match(text, /\{[a-z][a-z_.]*\}/)) {
    result = result substr(text, 1, RSTART - 1) quoted_value(substr(text, RSTART + 1, RLENGTH - 2))
    text = substr(text, after)
  }
  result = result text
  gsub(/\\n/, "\n", result)
  return result
}

# quoted(value()), keeping the end of the match in `after`.
function quoted_value(name) {
  after = RSTART + RLENGTH
  return quoted(value(name))
}

# @field@ is its value; @field?some{thing}|else@ one or the other, by whether the field says anything; @field:, {name}@ the text for
# each of the rows that the field names, rows of the table that is called like the field.
function expand(token,   name, kind, text, words, n, i, result) {
  if (!match(token, /[?:]/)) return quoted(value(token))
  name = substr(token, 1, RSTART - 1)
  kind = substr(token, RSTART, 1)
  text = substr(token, RSTART + 1)
  if (kind == "?") {
    n = index(text "|", "|")
    return fill(value(name) != "" ? substr(text, 1, n - 1) : substr(text, n + 1))
  }
  n = split(value(name), words, " ")
  ++depth
  for (i = 1; i <= n; ++i) {
    if (!((name, words[i]) in known)) fail(place[at], "the table " name " has no row " words[i])
    row_table[depth] = name
    row_name[depth] = words[i]
    is_last[depth] = i == n
    result = result fill(text)
  }
  --depth
  return result
}

function expand_line(text,   result, next_at) {
  while (match(text, /@[a-z][a-z_.]*([?:][^@]*)?@/)) {
    next_at = RSTART + RLENGTH
    result = result substr(text, 1, RSTART - 1) expand(substr(text, RSTART + 1, RLENGTH - 2))
    text = substr(text, next_at)
  }
  return result text
}

# Whether the row at hand meets `where FIELD is [not] VALUE [and ...]`.
function is_chosen(words, n,   i, negated) {
  for (i = 2; i < n; i += 4 + negated) {
    negated = words[i + 3] == "not"
    if (words[i] !~ /^(where|and)$/ || words[i + 2] != "is") fail(place[at], "where FIELD is [not] VALUE [and ...]")
    if ((value(words[i + 1]) == words[i + 3 + negated]) == negated) return 0
  }
  return 1
}

# The rows of `TABLE [where ...]`, numbered in `chosen`; how many.
function choose_rows(spec, chosen,   words, n, i, m) {
  n = split(spec, words, " ")
  if (!(words[1] in count)) fail(place[at], "no table " words[1])
  row_table[++depth] = words[1]
  for (i = 1; i <= count[words[1]]; ++i) {
    row_name[depth] = rows[words[1], i]
    if (is_chosen(words, n)) chosen[++m] = row_name[depth]
  }
  --depth
  return m + 0
}

function end_of_block(from, to,   i, open) {
  for (i = from; i <= to; ++i) {
    if (line[i] ~ /^ *(--|\/\/)@for / || line[i] ~ /^<!-- @rows /) ++open
    else if (line[i] ~ /^ *(--|\/\/|<!-- )@end/ && --open == 0) return i
  }
  fail(place[from], "this block has no end")
}

# Lines outside blocks stay as they are. `--@for TABLE ...` or `//@for` up to `--@end`: the lines between, for every row. In Markdown
# `<!-- @rows TABLE ...: LINE -->`: the marks and the two lines of the table's head stay, its rows are made again.
function write_lines(from, to,   i, end, spec, row_line, chosen, n, r) {
  for (i = from; i <= to; ++i) {
    at = i
    if (line[i] !~ /^ *(--|\/\/)@for / && line[i] !~ /^<!-- @rows /) {
      print depth ? expand_line(line[i]) : line[i]
      continue
    }
    end = end_of_block(i, to)
    spec = line[i]
    sub(/^.*@(for|rows) /, "", spec)
    row_line = ""
    if (line[i] ~ /^<!--/) {
      row_line = spec
      sub(/:.*/, "", spec)
      row_line = substr(row_line, length(spec) + 3)
      sub(/ *-->$/, "", row_line)
      print line[i] "\n" line[i + 1] "\n" line[i + 2]
    }
    split("", chosen)
    n = choose_rows(spec, chosen)
    ++depth
    for (r = 1; r <= n; ++r) {
      row_table[depth] = spec
      sub(/ .*/, "", row_table[depth])
      row_name[depth] = chosen[r]
      is_last[depth] = r == n
      if (row_line != "") print expand_line(row_line)
      else write_lines(i + 1, end - 1)
    }
    --depth
    if (row_line != "") print line[end]
    i = end
  }
}
