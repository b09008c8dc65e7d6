# Builds, installs and tests account_health with PGXS (PostgreSQL 15 to 18). `make help` lists the targets.
EXTENSION   = account_health
# The one version number: META.json and CHANGELOG.md are held against it by scripts/check_version.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" account_health.control)
MODULE_big  = account_health
PG_CONFIG  ?= pg_config
PGXS       := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.DEFAULT_GOAL := all

CORE_OBJS   = $(patsubst src/core/%.cpp,build/core/%.o,$(sort $(wildcard src/core/*/*.cpp)))
PG_OBJS     = $(patsubst src/pg/%.cpp,build/pg/%.o,$(sort $(wildcard src/pg/*.cpp)))
OBJS        = $(CORE_OBJS) $(PG_OBJS)
# What is said once, in tables, and the templates that it is written into (src/tables/README.md): headers here, SQL in the script.
TABLES     := $(sort $(wildcard src/tables/*.table))
EXPAND      = LC_ALL=C awk -f src/tables/expand.awk $(TABLES)
EXPANDED    = src/tables/expand.awk $(TABLES)
GENERATED   = $(patsubst src/%.in,build/generated/%,$(sort $(wildcard src/core/*/*.in src/pg/*.in)))
FRAGMENTS   = $(patsubst %,src/sql/%.sql,$(shell cat src/sql/order))
SCRIPT      = build/$(EXTENSION)--$(EXTVERSION).sql
UPGRADES    = $(patsubst src/sql/upgrade/%,build/%,$(wildcard src/sql/upgrade/$(EXTENSION)--*--*.sql))
DATA_built  = $(SCRIPT) $(UPGRADES)
# `make demo DATA=DIR` is for the demo; PGXS would take it for a file to install.
DEMO_DATA  := $(DATA)
override DATA :=
EXTRA_CLEAN = build

# pg_regress: every sql/*.sql against expected/*.out, in a database that has the extension. Works against any server
# (PGHOST, PGPORT, PGUSER); REGRESS=name runs one, REGRESS_OUT=dir puts the results elsewhere.
REGRESS        = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OUT   ?= build/regress
REGRESS_OPTS   = --inputdir=. --outputdir=$(REGRESS_OUT) --encoding=UTF8 --no-locale --load-extension=$(EXTENSION)
ISOLATION      = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=$(REGRESS_OUT)/isolation --encoding=UTF8 --no-locale \
                 --load-extension=$(EXTENSION)

# WERROR=1 turns warnings into errors. -Wno-register: headers of PostgreSQL 15 say `register`.
PG_CXXFLAGS = -std=c++20 -O2 -Wall -Wextra -Wno-register -fno-semantic-interposition -fvisibility-inlines-hidden \
              $(if $(filter 1,$(WERROR)),-Werror)

# libstdc++ goes in statically and stays local, as does everything but the entry points (src/pg/exports.map): no other C++
# extension in the same backend can clash with it, or with our operator new.
SHLIB_LINK = -Wl,-Bstatic -lstdc++ -Wl,-Bdynamic -Wl,--exclude-libs,ALL -lm -Wl,-Bsymbolic \
             -Wl,--version-script=src/pg/exports.map

# No bitcode: the JIT would inline entry points out of the module, away from the local libstdc++ and its exception tables,
# and could not resolve what they call.
override with_llvm = no

ifneq ($(PGXS),)
include $(PGXS)
else
NEEDS_PGXS = all install installcheck uninstall clean
.PHONY: $(NEEDS_PGXS)
$(NEEDS_PGXS):
	@echo "'$(PG_CONFIG) --pgxs' gives nothing: install the PostgreSQL server headers (scripts/setup build, as root) or set PG_CONFIG" >&2
	@exit 1
endif

# ccache where there is one; objects of one tree then serve its copies as well.
CCACHE := $(if $(shell command -v ccache),CCACHE_BASEDIR='$(CURDIR)' CCACHE_NOHASHDIR=1 ccache)

COMPILE_DEPS = -MMD -MP -MF $(@:.o=.d)
# -isystem: warnings are about this project, not about PostgreSQL's headers.
INCLUDES     = -Isrc -Ibuild/generated
PG_INCLUDES  = $(INCLUDES) -isystem $(includedir_server) -isystem $(includedir_internal)

# A header whose text stays the same stays as old as it is, and so does what includes it.
build/generated/made: $(GENERATED:build/generated/%=src/%.in) $(EXPANDED)
	@for made in $(GENERATED); do \
	  from=$${made#build/generated/}; mkdir -p $${made%/*}; \
	  $(EXPAND) src/$$from.in > $$made.new || exit 1; \
	  if cmp -s $$made.new $$made; then rm $$made.new; else echo "made $$made"; mv $$made.new $$made; fi; done; touch $@
$(GENERATED): build/generated/made ;
$(OBJS): | $(GENERATED)
generated: $(GENERATED)  # what a compiler or clang-tidy has to find, without the build

# The core is compiled without PostgreSQL's include paths, so it cannot even find postgres.h.
$(CORE_OBJS): build/core/%.o: src/core/%.cpp build/flags
	@mkdir -p $(@D)
	$(CCACHE) $(CXX) $(CXXFLAGS) -fvisibility=hidden $(INCLUDES) $(COMPILE_DEPS) -c -o $@ $<

$(PG_OBJS): build/pg/%.o: src/pg/%.cpp build/flags
	@mkdir -p $(@D)
	$(CCACHE) $(CXX) $(CXXFLAGS) $(CXXFLAGS_SL_MODULE) $(PG_INCLUDES) $(CPPFLAGS) $(COMPILE_DEPS) -c -o $@ $<

$(MODULE_big)$(DLSUFFIX): src/pg/exports.map build/flags

# The same objects for the tests that CMake builds: what is tested is what goes into the extension, compiled once.
build/core.a: $(CORE_OBJS)
	@rm -f $@
	$(AR) rcs $@ $(CORE_OBJS)

$(UPGRADES): build/%: src/sql/upgrade/% $(EXPANDED)
	@mkdir -p $(@D)
	{ printf '%s\n' '\echo Use "ALTER EXTENSION $(EXTENSION) UPDATE" to load this file. \quit'; \
	  $(EXPAND) $<; } > $@.tmp && mv $@.tmp $@

$(SCRIPT): $(FRAGMENTS) $(EXPANDED) build/flags
	@mkdir -p $(@D)
	{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; \
	  $(EXPAND) $(FRAGMENTS); } > $@.tmp && mv $@.tmp $@

# Changes when what the build hangs on changes: server, compiler, flags, the list of sources. Everything is rebuilt then.
BUILT_WITH = $(EXTVERSION) $(shell $(PG_CONFIG) --version --libdir 2>/dev/null) $(CXX) $(filter-out -Werror,$(CXXFLAGS)) $(SHLIB_LINK) \
             $(OBJS) $(FRAGMENTS)
build/flags: FORCE
	@mkdir -p build
	@printf '%s\n' '$(subst ','\'',$(BUILT_WITH))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(BUILT_WITH))' > $@

-include $(OBJS:.o=.d)

all: check-version
check-version:
	@scripts/check_version

installcheck: | $(REGRESS_OUT)/isolation
$(REGRESS_OUT)/isolation:
	@mkdir -p $@

# --- Tests and more: each installs what it misses first (Debian, as root) and runs in throw-away clusters ---------------

test:           ## everything: lint, unit, fuzz, regress, guards, docs, client, report, upgrade, crash, demo
	@scripts/setup test
	@test/run
unit:           ## the core's unit tests, plain and under sanitizers
	@scripts/setup test
	@test/unit/run
lint:           ## formatting, static checks, versions, comments on public objects
	@scripts/setup test
	@test/lint
demo:           ## a simulated company scored and explained; DATA=DIR or REPO="PATH ..." for real input, HTML=DIR for pages, KEEP=1 to look around
	@scripts/setup demo
	@MAKEFLAGS= DATA='$(DEMO_DATA)' REPO='$(REPO)' HTML='$(HTML)' KEEP='$(KEEP)' demo/run
predict:        ## do the presets predict, on 3,000 simulated customers; DATA=DIR on real input: docs/explanation/does-it-predict.md
	@scripts/setup demo
	@MAKEFLAGS= PREDICT=1 DATA='$(DEMO_DATA)' ACCOUNTS='$(if $(DEMO_DATA),,$(or $(ACCOUNTS),3000))' KEEP='$(KEEP)' demo/run
bench:          ## speed and size against their goals; writes bench.json; PEERS=1 sets DuckDB and ClickHouse beside it
	@PEERS='$(PEERS)' scripts/setup bench
	@PEERS='$(PEERS)' test/bench/run
dist:           ## the PGXN zip of the committed tree, built once from the zip
	@scripts/setup build
	@test/dist
test-matrix:    ## installcheck and client tests on PostgreSQL 15, 17 and 18, with assertions, and pg_upgrade
	@scripts/setup matrix
	@test/matrix/run
quick:          ## the inner loop: format, clang-tidy of what changed, unit tests, regression tests
	@scripts/setup test
	@test/quick
format:         ## rewrites the C++ sources in the house style
	clang-format -i $$(git ls-files '*.cpp' '*.hpp')
reference:      ## writes the tables of docs/reference again from src/tables
	@for page in $$(grep -l '^<!-- @rows ' docs/reference/*.md); do \
	  $(EXPAND) $$page > build/page && { cmp -s build/page $$page || cp build/page $$page; } || exit 1; done
help:           ## this list
	@echo 'all, install, installcheck, clean: as in every PGXS extension (PG_CONFIG=... chooses the server)'
	@sed -n 's/^\([a-z-]*\): *## \(.*\)/\1: \2/p' $(firstword $(MAKEFILE_LIST))

.PHONY: FORCE generated check-version test quick unit lint demo predict bench dist test-matrix format reference help
