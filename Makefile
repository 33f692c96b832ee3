# Minqing: make (build), make demo, make test. Everything else serves these three.
#
# A bare Debian 12 with this clone is enough: `deps` installs what is missing and says so. Release programs stand in build/,
# sanitized ones for the tests in build/asan (gcc) and build/clang.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

PROFILE ?= release
JOBS := $(shell nproc)
BUILD := build
OUT := $(if $(filter release,$(PROFILE)),$(BUILD),$(BUILD)/$(PROFILE))
OBJ := $(BUILD)/obj/$(PROFILE)

# --- what is needed, and why ---------------------------------------------------------------------------------------------
PACKAGES_BUILD := gcc libc6-dev libsodium-dev libzstd-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev \
                  libjansson-dev libqrencode-dev libcsv-dev libxlsxwriter-dev gettext python3 unicode-data
PACKAGES_TEST := patch mandoc libcmocka-dev libcbor-dev clang libclang-rt-14-dev llvm binutils git curl procps strace time zstd util-linux faketime systemd

# --- flags -----------------------------------------------------------------------------------------------------------------
CC := $(if $(filter clang fuzz cover,$(PROFILE)),clang,gcc)

# Compilers and machines differ in what they offer, so each flag is tried once; the answers are kept in a file that is written
# anew when the compiler or these lists change.
WARN_WANTED := -Wimplicit-fallthrough -Wtrampolines
HARDEN_WANTED := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
                 -mbranch-protection=standard -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fno-strict-overflow
LINK_WANTED := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,-z,separate-code -Wl,--build-id=sha1
LINK_STRICT := -fPIE -pie -Wl,--fatal-warnings
FLAGS := $(BUILD)/flags_$(CC).mk
flags_question := $(shell $(CC) --version 2>/dev/null | head -n 1) $(WARN_WANTED) $(HARDEN_WANTED) $(LINK_WANTED)
$(FLAGS): ; # it is written below, where it is missing
-include $(FLAGS)
ifneq ($(flags_answered),$(flags_question))
try = for flag in $(1); do printf '\#include <string.h>\nint main(void) { return 0; }\n' | \
  $(CC) -O2 -U_FORTIFY_SOURCE -Werror $$flag $(2) -x c -o /dev/null - 2>/dev/null && echo $$flag; done
WARN_TAKEN := $(shell $(call try,$(WARN_WANTED),-c))
HARDEN_TAKEN := $(shell $(call try,$(HARDEN_WANTED),-c))
LINK_TAKEN := $(shell $(call try,$(LINK_WANTED),$(LINK_STRICT)))
$(shell mkdir -p $(BUILD))
$(file >$(FLAGS),flags_answered := $(flags_question))
$(file >>$(FLAGS),WARN_TAKEN := $(WARN_TAKEN))
$(file >>$(FLAGS),HARDEN_TAKEN := $(HARDEN_TAKEN))
$(file >>$(FLAGS),LINK_TAKEN := $(LINK_TAKEN))
endif

WARN := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wno-format-nonliteral \
        $(WARN_TAKEN) -Werror
HARDEN := -fPIE -U_FORTIFY_SOURCE $(if $(filter -D_FORTIFY_SOURCE=%,$(HARDEN_TAKEN)),,-D_FORTIFY_SOURCE=2) $(HARDEN_TAKEN)
LINK_HARDEN := -pie $(LINK_TAKEN)
# Where the sources stand must not be seen in what is built from them.
SAME_PATHS := -ffile-prefix-map=$(CURDIR)=.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CPPFLAGS := -I. -I$(BUILD) -D_GNU_SOURCE

ifeq ($(PROFILE),release)
CFLAGS := -std=c11 -O2 -g $(WARN) $(HARDEN) $(SAME_PATHS)
LDFLAGS := $(LINK_HARDEN)
else ifeq ($(PROFILE),asan)
CFLAGS := -std=c11 -O1 -g $(WARN) $(SANITIZE)
LDFLAGS := $(SANITIZE)
else ifeq ($(PROFILE),clang)
CFLAGS := -std=c11 -O1 -g $(WARN) $(SANITIZE)
LDFLAGS := $(SANITIZE)
else ifeq ($(PROFILE),fuzz)
CFLAGS := -std=c11 -O1 -g $(WARN) $(SANITIZE) -fsanitize=fuzzer-no-link
LDFLAGS := $(SANITIZE) -fsanitize=fuzzer
# Every byte goes through these: what they compare teaches the fuzzer nothing, and costs it most of its time.
$(patsubst %,$(OBJ)/protocol/%.o,bytes base64url cbor): CFLAGS += -fno-sanitize-coverage=trace-cmp
else ifeq ($(PROFILE),cover)
CFLAGS = -std=c11 -O1 $(WARN) $(COUNT)
LDFLAGS := -fprofile-instr-generate
else
$(error PROFILE is release, asan, clang, fuzz or cover)
endif

# --- SQLite3MultipleCiphers: one amalgamation for every target ---------------------------------------------------------
SQLITE_DIR := node_modules/better-sqlite3-multiple-ciphers/deps/sqlite3
SQLITE_FLAGS := -DSQLITE_THREADSAFE=2 -DSQLITE_ENABLE_FTS5 -DSQLITE_DQS=0 -DSQLITE_OMIT_LOAD_EXTENSION \
  -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_AUTOINIT -DSQLITE_TEMP_STORE=3 \
  -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_USE_URI=0 -DSQLITE_DEFAULT_SYNCHRONOUS=2 -DSQLITE_DEFAULT_WAL_SYNCHRONOUS=2 \
  -DSQLITE_DEFAULT_LOCKING_MODE=1 -DSQLITE_DEFAULT_FOREIGN_KEYS=1 -DSQLITE_DEFAULT_MEMSTATUS=0 \
  -DSQLITE_DEFAULT_CACHE_SIZE=-1024 -DSQLITE_SECURE_DELETE -DSQLITE_TRUSTED_SCHEMA=0 -DSQLITE_LIKE_DOESNT_MATCH_BLOBS \
  -DHAVE_FDATASYNC=1 -DHAVE_USLEEP=1 -DHAVE_GMTIME_R=1 -DHAVE_LOCALTIME_R=1 \
  -DHAVE_CIPHER_AES_128_CBC=0 -DHAVE_CIPHER_AES_256_CBC=0 -DHAVE_CIPHER_SQLCIPHER=0 -DHAVE_CIPHER_RC4=0 \
  -DHAVE_CIPHER_ASCON128=0 -DHAVE_CIPHER_AEGIS=0 -DSQLITE3MC_OMIT_AES_HARDWARE_SUPPORT=1
SQLITE_OBJ := $(BUILD)/obj/sqlite3.o
# Its layer of ciphers forgets every error of a read but the short one, and goes on with whatever stood in the buffer: mended
# in two places on the way to the compiler (docs/decisions/0029-read-errors.md).
SQLITE_SOURCE := $(BUILD)/generated/sqlite3.c
$(SQLITE_SOURCE): platform/sqlite/mend.sh $(SQLITE_DIR)/sqlite3.h
	@mkdir -p $(@D)
	@sh platform/sqlite/mend.sh $(SQLITE_DIR)/sqlite3.c $@
CPPFLAGS += -isystem $(SQLITE_DIR)

# --- sources ---------------------------------------------------------------------------------------------------------------
sources = $(sort $(foreach dir,$(1),$(wildcard $(dir)/*.c)))
objects = $(patsubst %.c,$(OBJ)/%.o,$(1))

PROTOCOL := $(call objects,$(call sources,protocol))
PLATFORM := $(call objects,$(call sources,platform))
HTTP := $(call objects,$(wildcard platform/http*.c platform/tls*.c platform/qr.c platform/table.c platform/xlsx.c))
FAKE := $(OBJ)/platform/fake.o
PLATFORM_BASE := $(filter-out $(HTTP) $(FAKE),$(PLATFORM))
REPLICA := $(call objects,$(call sources,replica))
CLIENT := $(call objects,$(call sources,client client/cli))
COURIER := $(call objects,$(call sources,client/courier))
RELAY := $(call objects,$(call sources,server/relay))
SERVER := $(call objects,$(call sources,server server/desk))

LIBS_BASE := -lsodium -lzstd -ljansson -lcsv -lm -lpthread
LIBS_HTTP := -lmicrohttpd -lgnutls -lqrencode -lxlsxwriter

PROGRAMS := $(OUT)/minqing $(OUT)/minqingd $(OUT)/minqing-courier
CATALOGUES := $(BUILD)/locale/zh_CN/LC_MESSAGES/minqing.mo

.PHONY: all deps deps-test programs demo test tidy clean fuzz bench install
all: deps
	@$(MAKE) --no-print-directory -j$(JOBS) programs

programs: $(PROGRAMS) $(CATALOGUES)

# Manual pages, by the programs themselves, from the tables that parse their command lines.
MANUALS := $(BUILD)/man/man1/minqing.1 $(BUILD)/man/man1/minqingd.1 $(BUILD)/man/zh_CN/man1/minqing.1 \
           $(BUILD)/man/zh_CN/man1/minqingd.1
.PHONY: man
man: $(MANUALS)
$(BUILD)/man/man1/%.1: $(OUT)/%
	@mkdir -p $(@D)
	LANGUAGE=en LC_ALL=C.UTF-8 $< --manual > $@
$(BUILD)/man/zh_CN/man1/%.1: $(OUT)/% $(CATALOGUES)
	@mkdir -p $(@D)
	LANGUAGE=zh_CN LC_ALL=C.UTF-8 $< --manual > $@

$(OUT)/minqing: $(CLIENT) $(REPLICA) $(PLATFORM_BASE) $(PROTOCOL) $(SQLITE_OBJ)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE)
$(OUT)/minqingd: $(SERVER) $(RELAY) $(REPLICA) $(filter-out $(FAKE),$(PLATFORM)) $(PROTOCOL) $(SQLITE_OBJ)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP)
$(OUT)/minqing-courier: $(COURIER) $(OBJ)/platform/sandbox.o $(OBJ)/protocol/bytes.o
	@$(CC) $(LDFLAGS) -o $@ $^ -lcurl

$(OBJ)/%.o: %.c Makefile $(SQLITE_DIR)/sqlite3.h
	@mkdir -p $(@D)
	@echo "$(CC) $(PROFILE) $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(OBJ)/protocol/prose.o: $(BUILD)/generated/prose_1.h
$(BUILD)/generated/prose_1.h: protocol/prose/embed.sh protocol/prose/1.txt
	@mkdir -p $(@D)
	sh protocol/prose/embed.sh protocol/prose/1.txt $@
UNIHAN := /usr/share/unicode
$(OBJ)/protocol/pinyin.o: $(BUILD)/generated/pinyin.h
$(BUILD)/generated/pinyin.h: protocol/pinyin/table.py protocol/pinyin/more.txt $(UNIHAN)/Unihan_Readings.txt.bz2
	@mkdir -p $(@D)
	python3 protocol/pinyin/table.py $(UNIHAN) protocol/pinyin/more.txt $@
ifeq ($(CC),gcc)
$(SQLITE_OBJ): $(SQLITE_SOURCE) $(FLAGS)
	@mkdir -p $(@D)
	@echo "compiling SQLite3MultipleCiphers (about a minute, once)"
	@gcc -O2 -w $(HARDEN) $(SAME_PATHS) $(SQLITE_FLAGS) -isystem $(SQLITE_DIR) -c -o $@ $(SQLITE_SOURCE)
else
$(SQLITE_OBJ): $(SQLITE_DIR)/sqlite3.h platform/sqlite/mend.sh
	@$(MAKE) --no-print-directory PROFILE=release $@
endif

$(BUILD)/locale/%/LC_MESSAGES/minqing.mo: po/%.po
	@mkdir -p $(@D)
	msgfmt --check -o $@ $<

# --- dependencies: installed only where missing, with a word on what and why ----------------------------------------------
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
define install_missing
@missing=""; for package in $(1); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then echo "installing from Debian ($(2)):$$missing"; \
  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
endef

deps: $(SQLITE_DIR)/sqlite3.h
	$(call install_missing,$(PACKAGES_BUILD),libraries and compiler to build with; unicode-data and python3 for the table of pinyin readings, python3 also for the demo and the flows to check themselves)
deps-test: deps
	$(call install_missing,$(PACKAGES_TEST),tools that the tests use)

$(SQLITE_DIR)/sqlite3.h: package-lock.json
	@command -v npm >/dev/null || { echo "installing from Debian (npm, which brings the pinned source of SQLite3MultipleCiphers): npm"; \
	  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends npm >/dev/null; }
	@echo "fetching the source of SQLite3MultipleCiphers (checked against the lockfile's hash)"
	@npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# --- tests -------------------------------------------------------------------------------------------------------------------
TEST_SOURCES := $(sort $(wildcard tests/*/*_test.c))
TESTS := $(patsubst %.c,$(OUT)/%,$(TEST_SOURCES))
LIBRARY := $(filter-out $(OBJ)/server/main.o,$(SERVER)) $(REPLICA) $(RELAY) $(PLATFORM) $(PROTOCOL) $(SQLITE_OBJ)

# A test links the helpers of its own folder; village.c is the small world for those of replica/ and server/.
.SECONDEXPANSION:
# What is no test and has a main of its own is called *_main.c.
helpers_of = $(call objects,$(filter-out $(TEST_SOURCES) $(wildcard tests/*/*_main.c),$(wildcard tests/$(1)/*.c)) \
  $(if $(filter server,$(1)),tests/replica/village.c) $(if $(filter power,$(1)),$(ON_SIM_DISK)))
ifneq ($(PROFILE),cover)
$(TESTS): $(OUT)/%: $(OBJ)/%.o $$(call helpers_of,$$(word 2,$$(subst /, ,$$*))) $(LIBRARY)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP) -lcmocka -lcbor
endif

# Tests of tests/power run the village on simulated machines. There as in tests/sim what costs time and decides nothing is done
# cheaply: tests/sim/kdf.c, verify.c, cheap.c.
ON_SIM_DISK := tests/replica/village.c \
  $(addprefix tests/sim/,choices.c disk.c files.c names.c vfs.c machine.c kdf.c verify.c cheap.c)
SIM_CHEAP := -Wl,--wrap=mq_kdf,--wrap=mq_verify_digest,--wrap=mq_verify_object,--wrap=ZSTD_CCtx_setParameter,--wrap=mq_work_free
POWER := $(BUILD)/tests/power/power
POWER_TESTS := $(addprefix $(BUILD)/tests/power/,points_test faults_test)
.PHONY: power
power: deps-test # 10,000 power cuts; LONG=1: 500,000, and every step's every operation; CUTS=n: so many; SEED=n repeats
	@$(MAKE) --no-print-directory -j$(JOBS) $(POWER) $(POWER_TESTS)
	@$(POWER) $(or $(CUTS),$(if $(LONG),500000,10000)) $(SEED)
	@$(if $(LONG),for test in $(POWER_TESTS); do POINTS=all $$test || exit 1; done)
$(filter $(OUT)/tests/sim/% $(OUT)/tests/power/%,$(TESTS)) $(POWER): LDFLAGS += $(SIM_CHEAP)
$(POWER): $(OBJ)/tests/power/power_main.o $$(call helpers_of,power) $(LIBRARY)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP) -lcmocka

# Where the n-th call of SQLite fails.
$(OUT)/tests/server/store_statement_test: LDFLAGS += -Wl,--wrap=sqlite3_step,--wrap=sqlite3_prepare_v3

.PHONY: unit
unit: $(TESTS) $(PROGRAMS)

# What flows start beside the programs: a bad line, a device that stays open, and a heap that ends.
FLOW_TOOLS := $(BUILD)/tests/proxy/proxy $(BUILD)/tests/proxy/device $(BUILD)/tests/starve/starve.so
.PHONY: flow-tools cuts
flow-tools: $(FLOW_TOOLS)
$(BUILD)/tests/proxy/proxy: tests/proxy/proxy.c Makefile
	@mkdir -p $(@D)
	@gcc -std=c11 -O2 -g $(WARN) -D_GNU_SOURCE -o $@ $<
$(BUILD)/tests/proxy/device: $(call objects,tests/proxy/device.c $(wildcard client/*.c)) $(REPLICA) $(PLATFORM_BASE) $(PROTOCOL) $(SQLITE_OBJ)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE)
$(BUILD)/tests/starve/starve.so: tests/starve/starve.c Makefile
	@mkdir -p $(@D)
	@gcc -std=c11 -O2 -g $(WARN) -Wno-missing-prototypes -D_GNU_SOURCE -fPIC -shared -o $@ $<
# Real cuts on the real programs; LONG=1: at every byte, at every call.
cuts: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs flow-tools
	@LONG=$(LONG) tests/flows/cuts

test: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs $(POWER) $(POWER_TESTS) sim-program
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=asan unit
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=clang unit
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=fuzz fuzz-programs
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=cover coverage-programs
	@tests/coverage/coverage --brief
	@$(MAKE) --no-print-directory flow-tools
	@tests/run

# --- coverage of the pure protocol and of the relay's store: what tests of their own rooms run, and every branch they do not ---
# Only what is judged is counted; no sanitizers. LONG=1 makes anything short of 100 % a failure.
COVERED := $(PROTOCOL) $(call objects,$(wildcard server/relay/store_sqlite*.c))
COVER_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/protocol/*_test.c) tests/server/store_sqlite_test.c \
  tests/server/store_statement_test.c)
COVER_HELPERS := $(call objects,tests/protocol/merge_model.c tests/protocol/need_model.c $(wildcard tests/server/store_contract*.c))
.PHONY: coverage coverage-programs
ifeq ($(PROFILE),cover)
$(COVERED): COUNT := -fprofile-instr-generate -fcoverage-mapping
$(COVER_TESTS): $(OUT)/%: $(OBJ)/%.o $(COVER_HELPERS) $(COVERED) $(PLATFORM_BASE) $(FAKE) $(SQLITE_OBJ)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) -lcmocka -lcbor
endif
coverage-programs: $(COVER_TESTS)
coverage: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=cover coverage-programs
	@tests/coverage/coverage $(if $(LONG),--gate)

# --- the simulated fleet (docs/testing.md): SEED, VECTOR, YEARS, LONG=1, BUGS=1 ------------------------------------------
SIM := $(OUT)/tests/sim/sim
SIM_HELPERS := $(filter-out $(TEST_SOURCES),$(wildcard tests/sim/*.c))
$(SIM): LDFLAGS += $(SIM_CHEAP)
SIM_OBJECTS := $(call objects,$(wildcard tests/sim/program/*.c) $(SIM_HELPERS)) $(LIBRARY)
$(SIM): $(SIM_OBJECTS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP)
# A planted bug: the changed files lie in build/bugs/BUG (tests/sim/bugs/find), everything else is as it is.
ifdef BUG
BUG_FILES := $(shell cd $(BUILD)/bugs/$(BUG) && find . -name '*.c' -printf '%P\n')
BUG_OBJECTS := $(BUG_FILES:%.c=$(BUILD)/bugs/$(BUG)/%.o)
$(BUG_OBJECTS): %.o: %.c
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/bugs/$(BUG)/sim: LDFLAGS += $(SIM_CHEAP)
$(BUILD)/bugs/$(BUG)/sim: $(BUG_OBJECTS) $(filter-out $(call objects,$(BUG_FILES)),$(SIM_OBJECTS))
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP)
.PHONY: bug-program
bug-program: $(BUILD)/bugs/$(BUG)/sim
endif
.PHONY: sim sim-program
sim-program: $(SIM)
sim: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) sim-program
	@tests/sim/sim $(if $(LONG),--long) $(if $(BUGS),--bugs) $(if $(SEED),--seed $(SEED)) $(if $(VECTOR),--vector $(VECTOR)) \
	  $(if $(YEARS),--years $(YEARS))

# --- fuzzing: FUZZ_S seconds for each target, or RUNS runs; LONG=1 is ten million; findings under build/fuzz/findings ----
# One archive, of which each target takes what it reaches: libFuzzer looks at the counters of all that is linked.
FUZZERS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_ARCHIVE := $(OUT)/fuzz.a
FUZZ_CHEAP := -Wl,--wrap=mq_kdf,--wrap=mq_verify_digest,--wrap=mq_verify_object,--wrap=mq_work_memory,--wrap=mq_work_free
$(FUZZ_ARCHIVE): $(call objects,tests/sim/kdf.c tests/sim/verify.c tests/fuzz/work.c tests/protocol/merge_model.c tests/replica/village.c) $(filter-out $(SQLITE_OBJ),$(LIBRARY))
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^
# SQLite comes before the archive, which holds the ciphers that it asks for.
$(FUZZERS): $(OUT)/%: $(OBJ)/%.o $(OBJ)/tests/fuzz/main.o $(SQLITE_OBJ) $(FUZZ_ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $(FUZZ_CHEAP) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP) -lcmocka
.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS)
fuzz: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) PROFILE=fuzz fuzz-programs
	@FUZZ_S=$(FUZZ_S) RUNS=$(or $(RUNS),$(if $(LONG),10000000)) tests/fuzz/all $(TARGETS)

# What it looks at: sources, and the symbols of protocol/'s objects.
.PHONY: protocol-objects
protocol-objects: $(PROTOCOL)
tidy: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) protocol-objects
	@tests/tidy/tidy

demo: all
	@tests/flows/demo

# Figures beside their floors; WORKLOAD names a directory with base, day, month and first as .jsonl.gz.
SEARCH_BENCH := $(BUILD)/tests/bench/search
$(SEARCH_BENCH): $(call objects,tests/bench/search.c tests/replica/village.c) $(LIBRARY)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_BASE) $(LIBS_HTTP) -lcmocka
bench: all deps-test
	@tests/bench/figures $(WORKLOAD)
	@$(MAKE) --no-print-directory -j$(JOBS) $(SEARCH_BENCH)
	@$(SEARCH_BENCH)

# Twice the same programs, from two places, at two times, for two users (a few minutes: everything, without ccache).
.PHONY: reproducible
reproducible: all deps-test
	@LONG=1 tests/flows/212_reproducible_flow

PREFIX ?= /usr/local
UNITS := $(sort $(wildcard server/systemd/*.service))
install: all man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/locale/zh_CN/LC_MESSAGES \
	  $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/zh_CN/man1 \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 644 $(BUILD)/man/man1/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/man/zh_CN/man1/*.1 $(DESTDIR)$(PREFIX)/share/man/zh_CN/man1
	install -s $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(CATALOGUES) $(DESTDIR)$(PREFIX)/share/locale/zh_CN/LC_MESSAGES
	install -m 644 server/systemd/minqing.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/minqing.conf
	for unit in $(notdir $(UNITS)); do sed 's|/usr/local/|$(PREFIX)/|' server/systemd/$$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
