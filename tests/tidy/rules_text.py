"""What no text of the repository may hold: things left undone, loose blanks, places of one machine; and no stray file."""
import re

from tree import Finding

UNDONE = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")  # brackets, so that this line does not find itself
PRIVATE = re.compile(r"(?<![\w.])/(?:work|home)/|registry[.]npmjs|deb[.]debian[.]org")
UNTOUCHED = ("tests/data/", "tests/vectors/", "tests/fuzz/corpus")  # input of tests, odd on purpose
TOP = {".gitignore", ".npmrc", "Makefile", "README.md", "README.zh-CN.md", "SECURITY.md", "package.json", "package-lock.json"}


def strays(tree):
    """What a program left in the directory where it was started is committed easily, and has no reader."""
    for path in tree.paths():
        if "/" not in path and path not in TOP:
            yield Finding(path, 1, "stray", "nothing but what has to be found at the top stands there")


def undone(tree):
    for file in tree.files.values():
        for number, line in enumerate(file.lines, 1):
            match = UNDONE.search(line)
            if match:
                yield file.find(number, "undone", f"{match.group()}: do it now, or leave the remark out")


def private(tree):
    for file in tree.files.values():
        for number, line in enumerate(file.lines, 1):
            match = PRIVATE.search(line)
            if match:
                yield file.find(number, "private", f'"{match.group()}" is true on one machine only; say it without')


def blanks(tree):
    for file in tree.files.values():
        if file.path.startswith(UNTOUCHED):
            continue
        for number, line in enumerate(file.lines, 1):
            if line.endswith((" ", "\t", "\r")):
                yield file.find(number, "blank", "a line ends with its last character, not with blanks")
            if "\t" in line and not file.path.endswith("Makefile"):
                yield file.find(number, "blank", "tabs are for Makefiles; four blanks, or \\t in a text")
        if file.text and not file.text.endswith("\n"):
            yield file.find(len(file.lines), "blank", "the last line ends with a line feed too")


def encoding(tree):
    for file in tree.files.values():
        if not file.is_utf8 and not file.path.startswith(UNTOUCHED):
            yield file.find(file.line_at(file.text.find("\ufffd")), "encoding", "text is UTF-8")


RULES = [strays, undone, private, blanks, encoding]
