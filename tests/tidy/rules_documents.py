"""Documents can be wrong, so they are checked: files, tests, make targets and commands that they name exist."""
import itertools
import os
import re
from fnmatch import fnmatch

ROOMS = ("protocol", "platform", "replica", "client", "server", "tests", "docs", "po")
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[\w./*{{}},-]*")
TEST = re.compile(r"(tests/[\w./-]+\.c): (\w+(?:, \w+)*)")
DOCUMENT = re.compile(r"\bdocs/[\w/.-]+\.md\b")
MAKE = re.compile(r"(?:^|[;&|($])\s*(?:sudo +)?make((?: +[^\s;&|)]+)*)")
COMMAND = re.compile(r"(?<![\w-])(?:\S*/)?(minqingd?)((?: +[a-z][a-z-]*)+)")
TARGET = re.compile(r"^([A-Za-z][\w -]*):(?!=)", re.MULTILINE)
NAME = re.compile(r'\.name = "([^"]+)"|^\s*\{\s*"([a-z][a-z -]*)",', re.MULTILINE)
TABLES = {"minqing": ("client/",), "minqingd": ("server/",)}


def documents(tree):
    return [file for path, file in tree.files.items() if re.fullmatch(r"docs/[^/]+\.md|(?:README|SECURITY)[^/]*\.md", path)]


def code_of(file):
    """(line, text) of everything set as code: spans between backticks, and lines of fenced blocks."""
    fenced = False
    for number, line in enumerate(file.lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield number, line.partition("# ")[0]
        else:
            for span in SPAN.findall(line):
                yield number, span


def alternatives(pattern):
    """a/{b,c}/d: a/b/d and a/c/d."""
    parts = [part[1:-1].split(",") if part[:1] == "{" else [part] for part in re.split(r"(\{[^{}]*\})", pattern)]
    return ["".join(choice) for choice in itertools.product(*parts)]


def exists(tree, pattern):
    """A file, a folder, or a module by its name without .c and .h; '*' stands for anything."""
    pattern = pattern.rstrip("/.")
    if os.path.exists(os.path.join(tree.root, pattern)):  # a picture, too
        return True
    return any(fnmatch(path, pattern) or fnmatch(path, pattern + ".[ch]") or fnmatch(path, pattern + "/*")
               for path in tree.files)


def paths(tree):
    for file in documents(tree):
        for number, text in code_of(file):
            for name in alternatives(text) if PATH.fullmatch(text) else []:
                if not exists(tree, name):
                    yield file.find(number, "document", f"there is no {name}; name what is there, or write it")
        folder = file.path.rpartition("/")[0]
        for number, line in enumerate(file.lines, 1):
            for target in LINK.findall(line):
                path = normal(folder, target)
                if not exists(tree, path):
                    yield file.find(number, "document", f"the link leads to {path}, which is not there")


def tests(tree):
    """`tests/ROOM/NAME_test.c: FUNCTION, FUNCTION`: a claim and what holds it."""
    for file in documents(tree):
        for number, text in code_of(file):
            for path, names in TEST.findall(text):
                test = tree.files.get(path)
                if test is None:
                    yield file.find(number, "document", f"there is no {path}; name the test that is there, or write it")
                    continue
                for name in names.split(", "):
                    if not re.search(rf"\b{name}\b", test.code):
                        yield file.find(number, "document", f"{path} has no test {name}; name one that is there, or write it")


def normal(folder, target):
    parts = folder.split("/") if folder and not target.startswith("/") else []
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def named_in_words(tree):
    """Comments and documents point at documents: each that they name exists. The first place is reported."""
    first = {}
    for file in tree.files.values():
        if file.is_c or file.path == "Makefile" or file.path.endswith(".md"):
            for match in DOCUMENT.finditer(file.text):
                first.setdefault(match.group(), (file, file.line_at(match.start())))
    for name, (file, line) in first.items():
        if name not in tree.files:
            yield file.find(line, "document", f"there is no {name}; write it, or point at the one that is there")


def targets(tree):
    makefile = tree.files.get("Makefile")
    there = {name for match in TARGET.findall(makefile.text if makefile else "") for name in match.split()}
    for file in documents(tree):
        for number, text in code_of(file):
            for words in MAKE.findall(text):
                for word in words.split():
                    if re.fullmatch(r"[a-z][\w-]*", word) and word not in there:
                        yield file.find(number, "document", f"make has no target {word}")


def commands(tree):
    """A command is one word or two; its name stands in a table of struct mq_command."""
    there = {program: {a or b for file in tree.c_files if file.path.startswith(rooms) for a, b in NAME.findall(file.text)}
             for program, rooms in TABLES.items()}
    for file in documents(tree):
        for number, text in code_of(file):
            for program, words in COMMAND.findall(text):
                first, second = (words.split() + [""])[:2]
                if first not in there[program] and f"{first} {second}" not in there[program]:
                    yield file.find(number, "document", f"{program} has no command {first} {second}".rstrip())


RULES = [paths, tests, named_in_words, targets, commands]
