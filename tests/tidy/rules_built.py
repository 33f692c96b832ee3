"""What only the tools can tell: headers that compile alone, what protocol/ calls, messages without a translation."""
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tree import Finding

COMPILERS = ("gcc", "clang")
HEADER_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I.", "-Ibuild",
                "-isystem", "node_modules/better-sqlite3-multiple-ciphers/deps/sqlite3", "-x", "c", "-")
OBJECTS = "build/obj/release/protocol"
SYMBOLS = "tests/tidy/protocol_symbols.txt"
LIBRARY_CALL = ("crypto_", "sodium_", "ZSTD_")  # stand in our source; other names come and go with the compiler
CONSTANT = (".text", ".rodata", ".data.rel.ro", ".init_array", ".debug", ".note", ".eh_frame", "*ABS*")
CATALOGUE = "po/zh_CN.po"


def run(tree, *command, text=None):
    """The finished process, or None where the tool is not installed."""
    try:
        return subprocess.run(command, cwd=tree.root, input=text, capture_output=True, text=True,
                              env=os.environ | {"LC_ALL": "C.UTF-8"})
    except FileNotFoundError:
        return None


def headers_stand_alone(tree):
    """Each twice in an otherwise empty file: it needs nothing before it, and its guard works."""
    def compile_alone(task):
        compiler, header = task
        done = run(tree, compiler, *HEADER_FLAGS, text=f'#include "{header.path}"\n#include "{header.path}"\n')
        if done is None:
            return header.find(1, "header", f"{compiler} is not installed; make deps-test installs it")
        if done.returncode == 0:
            return None
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        return header.find(1, "header", f"does not compile alone under {compiler}: {(errors or ['no reason given'])[0]}")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [(compiler, header) for compiler in COMPILERS for header in tree.headers]
        return [finding for finding in pool.map(compile_alone, tasks) if finding]


def object_symbols(tree, objects):
    """(object, name, class, section) of every symbol, as `nm --format=sysv` prints them."""
    listing, current = run(tree, "nm", "--format=sysv", *objects).stdout, None
    for line in listing.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if line.startswith(("Symbols from", "Undefined symbols from")):
            current = line.rpartition(" from ")[2].partition("[")[0].rstrip(":")
        elif len(fields) == 7:
            yield current, fields[0], fields[2], fields[6]


def allowed_symbols(tree):
    file = tree.files.get(SYMBOLS)
    lines = file.lines if file else []
    return {line.partition("#")[0].strip(): number for number, line in enumerate(lines, 1) if line.partition("#")[0].strip()}


def is_stale(built, source):
    return not built.exists() or built.stat().st_mtime < source.stat().st_mtime


def purity(tree):
    """protocol/ calls only what the list names, and keeps nothing that can be written."""
    sources = {f"{OBJECTS}/{path[len('protocol/'):-len('.c')]}.o": tree.files[path]
               for path in tree.files if re.fullmatch(r"protocol/[^/]+\.c", path)}
    stale = [name for name, source in sources.items() if is_stale(tree.root / name, tree.root / source.path)]
    if stale:
        yield Finding(SYMBOLS, 1, "pure", f"cannot be judged before make: {len(stale)} of {len(sources)} objects are missing or "
                      f"older than their source, {stale[0]} first")
        return
    symbols = list(object_symbols(tree, sources)) if sources else []
    allowed = allowed_symbols(tree)
    defined = {symbol for _, symbol, kind, _ in symbols if kind != "U"}
    for name, symbol, kind, section in symbols:
        if kind == "U" and symbol not in defined and symbol not in allowed:
            yield sources[name].find(1, "pure", f"calls {symbol}, which is neither in protocol/ nor in {SYMBOLS}")
        elif kind != "U" and section and not section.startswith(CONSTANT):
            yield sources[name].find(1, "pure", f"{symbol} can be written ({section}); protocol/ keeps no state: make it const")
    used = {symbol for _, symbol, kind, _ in symbols if kind == "U"}
    for symbol, line in allowed.items():
        if symbol.startswith(LIBRARY_CALL) and symbol not in used:
            yield Finding(SYMBOLS, line, "pure", f"nothing in protocol/ calls {symbol} any more; take it off the list")


def entries(catalogue):
    """(first place, text, is translated) of every entry in use; catalogues are blocks of lines between empty ones."""
    for block in catalogue.split("\n\n"):
        text = re.search(r"^msgid .*", block, re.MULTILINE | re.DOTALL)
        if text is None:  # what is not used any more begins with #~
            continue
        place = re.search(r"^#: (\S+):(\d+)", block, re.MULTILINE)
        parts = re.split(r"^msgstr(?:\[\d\])? ", text.group(), flags=re.MULTILINE)
        strings = ["".join(re.findall(r'"((?:\\.|[^"\\])*)"', part)) for part in parts]
        fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE)
        if strings[0] and place:
            yield (place.group(1), int(place.group(2))), strings[0], all(strings[1:]) and not fuzzy


def messages(tree):
    """Every text for people in the C code has its Chinese; nothing to ask before there is a catalogue."""
    if CATALOGUE not in tree.files:
        return
    paths = "\n".join(file.path for file in tree.c_files if not file.is_test)
    template = run(tree, "xgettext", "--from-code=UTF-8", "--language=C", "--keyword=_", "--keyword=N_", "--keyword=ngettext:1,2",
                   "--no-wrap", "--force-po", "--files-from=-", "--output=-", text=paths)
    if template is None or template.returncode != 0:
        yield Finding(CATALOGUE, 1, "message", "xgettext failed: " + (template.stderr if template else "gettext is not installed"))
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pot") as pot:
        pot.write(template.stdout.replace("charset=CHARSET", "charset=UTF-8"))
        pot.flush()
        merged = run(tree, "msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap", "--output-file=-", CATALOGUE, pot.name)
    if merged.returncode != 0:
        yield Finding(CATALOGUE, 1, "message", "msgmerge failed: " + " ".join(merged.stderr.split()))
        return
    for (path, line), text, translated in entries(merged.stdout):
        if not translated:
            yield Finding(path, line, "message", f'"{text}" has no translation, or a doubtful one, in {CATALOGUE}')


RULES = [headers_stand_alone, purity, messages]
