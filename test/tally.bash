# Counts checks for the test scripts: source it, call check/pass/fail, end with `tally PHASE`.
# A phase ends with the line "PHASE: N passed, N failed" and a non-zero status when something failed; test/run adds them up.

tally_passed=0
tally_failed=0

pass() { tally_passed=$((tally_passed + ${2:-1})); echo "ok   $1"; }
fail() { tally_failed=$((tally_failed + ${2:-1})); echo "FAIL $1"; }

# check NAME CMD...: passes when CMD does; its output is shown only when it fails.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    pass "$name"
  else
    fail "$name"
    printf '%s\n' "$output" | sed 's/^/     /'
  fi
}

# count_catch NAME FILE: adds up the closing lines of Catch2 runs in FILE; none at all is a failure.
count_catch() {
  local cases passed failed
  cases=$(sed -nE 's/^All tests passed \(.* in ([0-9]+) test cases?\).*/\1 0/p
                   s/^test cases: .*/&/p' "$2" |
    awk '/^[0-9]/ {p += $1} /^test cases/ {for (i = 1; i < NF; i++) {if ($(i+1) == "passed") p += $i; if ($(i+1) == "failed") f += $i}}
         END {print p + 0, f + 0}')
  passed=${cases% *} failed=${cases#* }
  [ "$passed" -eq 0 ] || pass "$1: $passed test cases" "$passed"
  [ "$failed" -eq 0 ] || fail "$1: $failed test cases" "$failed"
  [ $((passed + failed)) -gt 0 ] || fail "$1: no test ran"
}

tally() {
  echo "$1: $tally_passed passed, $tally_failed failed"
  [ "$tally_failed" -eq 0 ]
}
