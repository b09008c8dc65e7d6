# Builds the programs of the unit, fuzz and client tests, one build at a time in one tree: source it after tally.bash, then
# call build_plain or build_sanitized with the targets. False, and a failure counted, when they do not build.

# Warnings are errors, unless WERROR is set to nothing.
warnings="${WERROR-1}"
mkdir -p build && exec 8>build/.cmake-lock

# build NAME STEP...: runs the steps, each a command line, and shows what is wrong when one fails.
build() {
  local name=$1 log=build/$1.log step
  shift
  flock 8
  for step; do
    if ! eval "$step" >"$log" 2>&1 8>&-; then
      fail "$name: build"
      grep -E -A8 'error|Error' "$log" | head -n 60 || true
      flock -u 8
      return 1
    fi
  done
  flock -u 8
}
build_plain() {
  # The core is that of the extension.
  build unit "MAKEFLAGS= flock build/.lock make -s -j2 build/core.a" \
    "cmake -S . -B build/unit -DCORE_LIBRARY=build/core.a -DCLIENT=ON -DCMAKE_CXX_FLAGS='${warnings:+-Werror}'" \
    "cmake --build build/unit -j2 --target $*"
}
build_sanitized() {
  build unit-sanitized \
    "cmake -S . -B build/unit-sanitized -DSANITIZE=ON -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_FLAGS='${warnings:+-Werror}'" \
    "cmake --build build/unit-sanitized -j2 --target $*"
}
