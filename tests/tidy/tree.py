"""The files of the repository as the rules see them: text, C code without comments, includes, functions."""
import bisect
import os
import re
import subprocess
from collections import namedtuple
from functools import cached_property
from pathlib import Path

Finding = namedtuple("Finding", "path line rule words")
Include = namedtuple("Include", "line target ours")
Function = namedtuple("Function", "name first brace last")

NOT_OURS = {".git", "build", "node_modules", "__pycache__"}
COMMENT = r"//[^\n]*|/\*.*?\*/"
LITERAL = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
COMMENT_OR_LITERAL = re.compile(f"{COMMENT}|{LITERAL}", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def blanked(match):
    """As many blanks as there were characters, so that lines and columns stay where they are."""
    return re.sub(r"[^\n]", " ", match.group())


class File:
    """One text file. Lines count from 1."""

    def __init__(self, path, data):
        self.path = path
        self.text = text = data.decode("utf-8", errors="replace")
        self.is_utf8 = text.encode("utf-8") == data
        self.is_c = path.endswith((".c", ".h"))
        self.is_header = path.endswith(".h")
        self.is_test = path.startswith("tests/")
        self.is_code = self.is_c or path.endswith((".py", ".sh", ".js")) or text.startswith("#!")

    def find(self, line, rule, words):
        return Finding(self.path, line, rule, words)

    @cached_property
    def lines(self):
        return self.text.split("\n")

    @cached_property
    def starts(self):
        return [0] + [match.end() for match in re.finditer("\n", self.text)]

    def line_at(self, offset):
        return bisect.bisect_right(self.starts, offset)

    @cached_property
    def uncommented(self):
        """C without its comments; literals stand."""
        return COMMENT_OR_LITERAL.sub(lambda match: blanked(match) if match.group()[0] == "/" else match.group(), self.text)

    @cached_property
    def code(self):
        """C without comments, literals and includes: every word in it is code."""
        return COMMENT_OR_LITERAL.sub(blanked, INCLUDE.sub(blanked, self.uncommented))

    @cached_property
    def includes(self):
        return [Include(self.line_at(match.start(2)), match.group(2), match.group(1) == '"')
                for match in INCLUDE.finditer(self.uncommented)]

    @cached_property
    def functions(self):
        """Definitions: what stands between two ends at the outermost level and opens a brace right behind its ')'."""
        code, found, depth, start, opened = DIRECTIVE.sub(blanked, self.code), [], 0, 0, None
        for match in re.finditer(r"[{};]", code):
            at, mark = match.start(), match.group()
            if mark == "{":
                head = code[start:at]
                if depth == 0 and head.rstrip().endswith(")") and "=" not in head:
                    opened = (self.name_in(head), start + len(head) - len(head.lstrip()), at)
                depth += 1
            elif mark == "}":
                depth -= 1
                if depth == 0 and opened:
                    name, first, brace = opened
                    found.append(Function(name, self.line_at(first), self.line_at(brace), self.line_at(at)))
                    opened = None
            if depth == 0:
                start = at + 1
        return found

    @staticmethod
    def name_in(head):
        names = [name for name in re.findall(r"(\w+)\s*\(", head) if name != "__attribute__"]
        return names[0] if names else "?"


class Tree:
    """Every text file that is tracked, or would be: what git ignores is not ours to judge."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = {}
        for path in sorted(self.paths()):
            data = (self.root / path).read_bytes()
            if b"\0" not in data:
                self.files[path] = File(path, data)

    def paths(self):
        listing = self.known_to_git() or self.walked()
        return [path for path in set(listing) if (self.root / path).is_file()]

    def known_to_git(self):
        if not (self.root / ".git").exists():
            return []
        try:
            names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=self.root,
                                   capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return []
        return [name for name in names.split("\0") if name]

    def walked(self):
        """For an unpacked archive, or a machine without git."""
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in NOT_OURS]
            yield from (os.path.relpath(os.path.join(folder, name), self.root) for name in names)

    @property
    def c_files(self):
        return [file for file in self.files.values() if file.is_c]

    @property
    def headers(self):
        return [file for file in self.files.values() if file.is_header]
