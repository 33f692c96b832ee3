#!/usr/bin/env python3
"""Aim: each rule of tidy finds its violation where it stands, and finds nothing in a house in order.

A small house in order is written to a temporary folder; each case plants one violation into it and expects that one finding.
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import rules_built
import rules_code
import rules_documents
import rules_include
import rules_text
from tree import Tree

TIDY = Path(__file__).resolve().parent / "tidy"
RULES = rules_include.RULES + rules_code.RULES + rules_text.RULES + rules_documents.RULES


def header(path, body):
    name = "MQ_" + path[:-2].upper().replace("/", "_") + "_H"
    return f"/* A header. */\n#ifndef {name}\n#define {name}\n{body}\n#endif\n"  # the body starts at line 4


HOUSE = {
    "Makefile": ".PHONY: all\nall:\n\t@echo all\n",
    "README.md": "Run `make all`, then `minqing add household`; see [the protocol](docs/protocol.md) and `protocol/{keys,limits}`.\n"
                 "```\nmake -j2 all   # make all of it\nbuild/minqingd desk list need\n```\n",
    "docs/protocol.md": "The bytes: `protocol/bytes.c`.\n",
    "protocol/limits.h": header("protocol/limits.h", "#define MQ_NAME_MAX 64"),
    "protocol/keys.h": header("protocol/keys.h", "struct mq_secret;"),
    "protocol/bytes.h": header("protocol/bytes.h", "int mq_zero(char *out);"),
    "protocol/bytes.c": '/* See docs/protocol.md. */\n#include "protocol/bytes.h"\n\n#include <string.h>\n\n'
                        "int mq_zero(char *out)\n{\n    memset(out, 0, 8);\n    return *out;\n}\n",
    "platform/clock.h": header("platform/clock.h", '#include "protocol/limits.h"'),
    "platform/db.c": "/* The door to SQLite. */\n#include <sqlite3.h>\n",
    "replica/vault.h": header("replica/vault.h", '#include "protocol/keys.h"'),
    "client/cli/main.c": '/* Commands. */\n#define _(text) text\n\nstatic const struct mq_command commands[] = {\n'
                         '    {.name = "add", .help = _("one record")},\n};\n',
    "client/courier/courier.c": "/* The network. */\n#include <curl/curl.h>\n",
    "server/main.c": '/* The centre. */\nstatic const struct mq_command commands[] = {\n    {"desk list", "KIND"},\n};\n',
    "server/relay/store.h": header("server/relay/store.h", '#include "protocol/bytes.h"'),
    "tests/protocol/bytes_test.c": "/* Aim: none. */\n#include <sodium.h>\n",
    "tests/tidy/protocol_symbols.txt": "# names\nmemset\n__memset_chk\n__stack_chk_fail\n_GLOBAL_OFFSET_TABLE_\n",
    "po/zh_CN.po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "one record"\nmsgstr "一条记录"\n',
}

LONG_BODY = "    memset(0, 0, 0);\n" * 70
NUMBERED = "int x;\n" * 600

# What is planted: files written over those of the house, and the one finding: path, line, rule.
CASES = {
    "protocol includes platform": ({"protocol/a.c": '/* A. */\n#include "platform/clock.h"\n'}, "protocol/a.c", 2, "include"),
    "platform includes replica": ({"platform/a.c": '/* A. */\n#include "replica/vault.h"\n'}, "platform/a.c", 2, "include"),
    "replica includes server": ({"replica/a.c": '/* A. */\n#include "server/relay/store.h"\n'}, "replica/a.c", 2, "include"),
    "client includes server": ({"client/cli/a.c": '/* A. */\n#include "server/relay/store.h"\n'}, "client/cli/a.c", 2, "include"),
    "the desk includes the relay": ({"server/desk/a.c": '/* A. */\n#include "server/relay/store.h"\n'}, "server/desk/a.c", 2, "include"),
    "server includes client": ({"client/page/a.h": header("client/page/a.h", ""),
                                "server/a.c": '/* A. */\n#include "client/page/a.h"\n'}, "server/a.c", 2, "include"),
    "a header that is not there": ({"server/a.c": '/* A. */\n#include "store.h"\n'}, "server/a.c", 2, "include"),
    "the same in a test": ({"tests/server/a_test.c": '/* A. */\n#include "store.h"\n'}, "tests/server/a_test.c", 2, "include"),
    "a file without a room": ({"tools/a.c": "/* A. */\n"}, "tools/a.c", 1, "include"),
    "the relay reaches a key": ({"server/relay/a.c": '/* A. */\n#include "protocol/keys.h"\n'}, "server/relay/a.c", 2, "keyless"),
    "the courier reaches a key by a detour": ({"platform/tls_key.h": header("platform/tls_key.h", ""),
        "client/courier/a.c": '/* A. */\n#include "platform/tls_key.h"\n'}, "client/courier/a.c", 2, "keyless"),
    "a key behind an innocent name": ({"protocol/a.h": header("protocol/a.h", '#include "protocol/keys.h"')},
                                      "protocol/a.h", 4, "keyless"),
    "a second door": ({"platform/json.c": "/* A. */\n#include <sqlite3.h>\n"}, "platform/json.c", 2, "door"),
    "curl in the agent": ({"client/agent/a.c": "/* A. */\n#include <curl/curl.h>\n"}, "client/agent/a.c", 2, "door"),
    "a library without a door": ({"platform/a.c": "/* A. */\n#include <openssl/evp.h>\n"}, "platform/a.c", 2, "door"),
    "threads in the replica": ({"replica/a.c": "/* A. */\n#include <pthread.h>\n"}, "replica/a.c", 2, "door"),
    "a guard of another file": ({"protocol/bytes.h": header("protocol/byte.h", "")}, "protocol/bytes.h", 1, "guard"),
    "a header without a guard": ({"protocol/bytes.h": "/* A. */\n#pragma once\n"}, "protocol/bytes.h", 1, "guard"),
    "a banned call": ({"server/a.c": "/* strcpy */\nint a = 1; /* not sprintf */\nint b = atoi(text);\n"}, "server/a.c", 3, "banned"),
    "a mark without a reason": ({"server/a.c": "/* A. */\nint b = atoi(t); /* tidy: allow atoi */\n"}, "server/a.c", 2, "banned"),
    "a mark for another name": ({"server/a.c": "/* A. */\nint b = atoi(t); /* tidy: allow atol, x */\n"}, "server/a.c", 2, "banned"),
    "the heap in protocol/": ({"protocol/a.c": "/* A. */\nvoid *a = malloc(1);\n"}, "protocol/a.c", 2, "banned"),
    "a long function": ({"replica/a.c": "/* A. */\n\nvoid mq_a(void)\n{\n" + LONG_BODY + "}\n"}, "replica/a.c", 3, "long"),
    "a long file": ({"replica/a.c": "/* A. */\n" + NUMBERED}, "replica/a.c", 1, "long"),
    "a long line": ({"replica/a.c": "/* A. */\n/* " + "民" * 135 + " */\n"}, "replica/a.c", 2, "long"),
    "a default": ({"replica/a.c": "/* A. */\nvoid mq_a(int a)\n{\n    switch (a) {\n    default:\n        break;\n    }\n}\n"},
                  "replica/a.c", 5, "default"),
    "a default beside a marked switch": ({"replica/a.c": "/* A. */\nvoid mq_a(int a)\n{\n    switch (a) {\n"
        "    case 1:\n        switch (a) { /* tidy: not an enum */\n        }\n    default:\n        break;\n    }\n}\n"},
        "replica/a.c", 8, "default"),
    "a limit of one's own": ({"platform/clock.h": header("platform/clock.h", "#define MQ_TICKS_MAX (4 * 0x1000u) /* many */")},
                             "platform/clock.h", 4, "limit"),
    "a file without a first comment": ({"platform/a.c": "int a;\n"}, "platform/a.c", 1, "comment"),
    "what a program left behind": ({"crash-7346": b"\0\1"}, "crash-7346", 1, "stray"),
    "something undone": ({"platform/a.c": "/* A. */\n/* TO" "DO: later */\n"}, "platform/a.c", 2, "undone"),
    "something undone in a document": ({"docs/a.md": "A.\n\nFIX" "ME\n"}, "docs/a.md", 3, "undone"),
    "a path of one machine": ({"docs/a.md": "See /ho" "me/someone.\n"}, "docs/a.md", 1, "private"),
    "a registry's name": ({"tests/run": "#!/bin/sh\nget registry.np" "mjs.org\n"}, "tests/run", 2, "private"),
    "blanks at the end": ({"docs/a.md": "A. \n"}, "docs/a.md", 1, "blank"),
    "a tab": ({"platform/a.c": "/* A. */\n\tint a;\n"}, "platform/a.c", 2, "blank"),
    "no line feed at the end": ({"platform/a.c": "/* A. */\nint a;"}, "platform/a.c", 2, "blank"),
    "bytes that are not UTF-8": ({"docs/a.md": b"A.\nB\xff.\n"}, "docs/a.md", 2, "encoding"),
    "a file that a document invents": ({"docs/a.md": "A.\nSee `protocol/bits.c`.\n"}, "docs/a.md", 2, "document"),
    "one of two names": ({"docs/a.md": "See `server/{relay,desks}`.\n"}, "docs/a.md", 1, "document"),
    "a document that a document only mentions": ({"docs/a.md": "A (docs/decisions/0001-a.md).\n"}, "docs/a.md", 1, "document"),
    "a test that is not there": ({"docs/a.md": "A.\nHeld by `tests/protocol/bytes_test.c: zeros`.\n"}, "docs/a.md", 2, "document"),
    "a test's file that is not there": ({"SECURITY.md": "See `tests/protocol/bits_test.c: zeros`.\n"}, "SECURITY.md", 1, "document"),
    "a dead link": ({"docs/a.md": "See [it](../protocol/bits.c).\n"}, "docs/a.md", 1, "document"),
    "a comment that names no document": ({"platform/a.c": "/* A. */\n/* docs/clock.md */\n"}, "platform/a.c", 2, "document"),
    "a target that make does not have": ({"docs/a.md": "```\ncd x && make all fast\n```\n"}, "docs/a.md", 2, "document"),
    "a command that is not there": ({"docs/a.md": "Say `./build/minqing subtract`.\n"}, "docs/a.md", 1, "document"),
    "a second word that is not there": ({"docs/a.md": "Say `minqingd desk dance`.\n"}, "docs/a.md", 1, "document"),
}

# Violations with their reason, and things that only look like violations: nothing may be found.
HARMLESS = {
    "a call with its reason": {"server/a.c": "/* A. */\nint b = atoi(t); /* tidy: allow atoi, t is ours */\n"},
    "a call in a text": {"server/a.c": '/* A. */\nconst char *a = "gets(\\"x\\") // strcpy";\nchar b = \'"\'; /* gets */\n'},
    "a long function with its reason": {"replica/a.c": "/* A. */\nvoid mq_a(void) /* tidy: long, a table */\n{\n" + LONG_BODY + "}\n"},
    "a long file with its reason": {"replica/a.c": "/* A. */\n/* tidy: long, a table */\n" + NUMBERED},
    "a long table": {"replica/a.c": "/* A. */\nstatic const int a[] = {\n" + "    1,\n" * 80 + "};\n"},
    "a default with its mark": {"replica/a.c": "/* A. */\nint a = _Generic(1, default: 2); /* tidy: not an enum */\n"},
    "a default in a marked switch": {"replica/a.c": "/* A. */\nvoid mq_a(int a)\n{\n    switch (a) { /* tidy: not an enum */\n"
        "    case 1: { a = 2; }\n    default:\n        break;\n    }\n}\n"},
    "a local limit": {"platform/clock.h": header("platform/clock.h", "#define MQ_TICKS_MAX 4 /* tidy: local, of one loop */")},
    "a limit made of others": {"platform/clock.h": header("platform/clock.h", "#define MQ_TICKS_MAX (MQ_NAME_MAX + 1)")},
    "odd input of tests": {"tests/data/odd.jsonl": b"a\t \xff"},
    "a relay beside keys": {"server/relay/a.c": '/* A. */\n#include "server/relay/store.h"\n'},
}

# What needs compilers and gettext; the same shape.
BUILT = {
    "a header that needs another": ({"platform/clock.h": header("platform/clock.h", "int mq_now(uint64_t *out);")},
                                    "platform/clock.h", 1, "header"),
    "protocol/ prints": ({"protocol/a.c": '/* A. */\n#include <stdio.h>\nint mq_a(void)\n{\n    return puts("a");\n}\n'},
                         "protocol/a.c", 1, "pure"),
    "protocol/ remembers": ({"protocol/a.c": "/* A. */\nint mq_a(void)\n{\n    static int n = 1;\n    return n++;\n}\n"},
                            "protocol/a.c", 1, "pure"),
    "a name nobody calls": ({"tests/tidy/protocol_symbols.txt": "memset\n__memset_chk\n__stack_chk_fail\n"
                             "_GLOBAL_OFFSET_TABLE_\ncrypto_box_easy\n"}, "tests/tidy/protocol_symbols.txt", 5, "pure"),
    "a text without Chinese": ({"client/cli/a.c": '/* A. */\nconst char *a = N_("one "\n"need");\n'}, "client/cli/a.c", 2, "message"),
    "a doubtful translation": ({"po/zh_CN.po": HOUSE["po/zh_CN.po"].replace('msgid "one', '#, fuzzy\nmsgid "one')},
                               "client/cli/main.c", 5, "message"),
}


class House(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def build(self, planted=None):
        """The house with the planted files; how it stood before does not matter."""
        for path, text in (HOUSE | (planted or {})).items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def unbuild(self, planted):
        for path in planted:
            (self.root / path).unlink()

    def compile(self):
        objects = self.root / rules_built.OBJECTS
        objects.mkdir(parents=True, exist_ok=True)
        for source in (self.root / "protocol").glob("*.c"):
            subprocess.run(["gcc", "-I.", "-O1", "-c", "-o", objects / f"{source.stem}.o", source], cwd=self.root, check=True)

    def found(self, rules):
        tree = Tree(self.root)
        return [finding for rule in rules for finding in rule(tree)]

    def expect(self, rules, path, line, rule):
        findings = self.found(rules)
        self.assertEqual({(path, line, rule)}, {finding[:3] for finding in findings}, findings)

    # Each planted violation is found, at its place, and nothing else is.
    def test_violations(self):
        for name, (planted, *expected) in CASES.items():
            with self.subTest(name):
                self.build(planted)
                self.expect(RULES, *expected)
                self.unbuild(planted)

    # Reasons are accepted, and comments and texts are not taken for code.
    def test_harmless(self):
        for name, planted in HARMLESS.items():
            with self.subTest(name):
                self.build(planted)
                self.assertEqual([], self.found(RULES))
                self.unbuild(planted)

    # The same for what compilers, nm and gettext tell.
    def test_built_violations(self):
        for name, (planted, *expected) in BUILT.items():
            with self.subTest(name):
                self.build(planted)
                self.compile()
                self.expect(rules_built.RULES, *expected)
                self.unbuild(planted)

    # A relay that reaches a key through another header is found at its own include, and the header too.
    def test_chain(self):
        self.build({"protocol/a.h": header("protocol/a.h", '#include "protocol/keys.h"'),
                    "server/relay/a.c": '/* A. */\n#include "protocol/a.h"\n'})
        findings = self.found([rules_include.keyless])
        self.assertEqual([("server/relay/a.c", 2, "keyless")], [finding[:3] for finding in findings])
        self.assertIn("protocol/a.h > protocol/keys.h", findings[0].words)

    # Purity is not taken for granted where objects are missing.
    def test_not_built(self):
        self.build()
        self.expect([rules_built.purity], rules_built.SYMBOLS, 1, "pure")

    # The program: 0 and no finding for the house, 1 and one line for a violation; what git ignores is not judged.
    def test_program(self):
        self.build({".gitignore": "/build/\n", "build/junk.c": "\tstrcpy\n"})
        self.compile()
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        good = subprocess.run([TIDY, self.root], capture_output=True, text=True)
        self.assertEqual(0, good.returncode, good.stdout + good.stderr)
        self.assertIn("1 functions, median 5 lines, longest 5 (protocol/bytes.c:6 mq_zero)", good.stdout)
        (self.root / "platform/a.c").write_text("int a;\n")
        bad = subprocess.run([TIDY, self.root], capture_output=True, text=True)
        self.assertEqual(1, bad.returncode)
        self.assertRegex(bad.stdout, r"(?m)^platform/a\.c:1: comment: \w.*\n(?!.*:\d+: )")


if __name__ == "__main__":
    unittest.main()
