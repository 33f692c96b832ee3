"""How C is written here: calls that are banned, sizes, switches, limits, first comments, guards."""
import re
from statistics import median

FUNCTION_LINES = 70
FILE_LINES = 600
LINE_COLUMNS = 140
FILE_MARK_LINES = 5  # where a file's own mark is looked for

BANNED = {
    "strcpy": "snprintf, or memcpy with a checked size", "strcat": "snprintf at a known length",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "getline",
    "atoi": "strtol with its end checked", "atol": "strtol with its end checked", "strtok": "strcspn or strsep",
    "rand": "platform/platform.h", "srand": "platform/platform.h", "alloca": "an array of a fixed size",
    "system": "posix_spawn with a list of arguments", "popen": "posix_spawn and a pipe",
    "gmtime": "gmtime_r", "localtime": "localtime_r", "asctime": "strftime", "ctime": "strftime",
    "setjmp": "a status that is returned", "longjmp": "a status that is returned",
}
BANNED_IN_PROTOCOL = dict.fromkeys(("malloc", "calloc", "realloc", "free"), "the caller's buffer")
FINE_IN_TESTS = {"system", "popen"}  # a test's command lines are its own words
WORD = re.compile(r"\b[a-z_]\w*\b")
LIMIT = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+_MAX)[ \t]+([^\n]+)", re.MULTILINE)
GUARD = re.compile(r"\s*#ifndef (\w+)\n#define (\w+)\n")


def marked(line, mark):
    """`/* tidy: MARK, reason */` stands on this line, with a reason."""
    return re.search(rf"tidy: {re.escape(mark)}, \w", line) is not None


def banned_in(file):
    if file.path.startswith("protocol/"):
        return BANNED | BANNED_IN_PROTOCOL
    return {name: words for name, words in BANNED.items() if not (file.is_test and name in FINE_IN_TESTS)}


def banned(tree):
    for file in tree.c_files:
        instead = banned_in(file)
        for match in WORD.finditer(file.code):
            name, line = match.group(), file.line_at(match.start())
            if name in instead and not marked(file.lines[line - 1], f"allow {name}"):
                yield file.find(line, "banned", f"{name}: use {instead[name]}, or mark /* tidy: allow {name}, REASON */")


def long_functions(tree):
    for file in tree.c_files:
        for function in file.functions:
            size = function.last - function.first + 1
            head = "\n".join(file.lines[function.first - 1:function.brace])
            if size > FUNCTION_LINES and not marked(head, "long"):
                yield file.find(function.first, "long", f"{function.name} has {size} lines; {FUNCTION_LINES} at most, or mark its "
                                "first line /* tidy: long, REASON */")


def long_files(tree):
    for file in tree.files.values():
        size = len(file.lines) - 1
        if file.is_code and size > FILE_LINES and not marked("\n".join(file.lines[:FILE_MARK_LINES]), "long"):
            yield file.find(1, "long", f"{size} lines; {FILE_LINES} at most, or say /* tidy: long, REASON */ at the top")


def long_lines(tree):
    for file in tree.files.values():
        for number, line in enumerate(file.lines, 1):
            if file.is_code and len(line) > LINE_COLUMNS:
                yield file.find(number, "long", f"{len(line)} characters; {LINE_COLUMNS} at most")


def switch_of(file, offset):
    """The line of the `switch` around an offset: the last one before it whose braces are still open there."""
    for match in reversed(list(re.finditer(r"\bswitch\b", file.code[:offset]))):
        between = file.code[match.end():offset]
        if between.count("{") > between.count("}"):
            return file.line_at(match.start())
    return file.line_at(offset)  # _Generic


def defaults(tree):
    for file in tree.c_files:
        for match in re.finditer(r"\bdefault\s*:", file.code):
            line = file.line_at(match.start())
            around = (line, switch_of(file, match.start()))
            if not any("tidy: not an enum" in file.lines[number - 1] for number in around):
                yield file.find(line, "default", "name every value of the enum, so that the compiler finds a new one; for "
                                "anything else mark the switch /* tidy: not an enum */")


def limits(tree):
    for file in tree.headers:
        if file.is_test or file.path == "protocol/limits.h":
            continue
        for match in LIMIT.finditer(file.uncommented):
            name, value = match.group(1), match.group(2)
            line = file.line_at(match.start())
            is_number = re.search(r"\d", value) and not re.search(r"\b[A-Za-z_]", value)
            if is_number and not marked(file.lines[line - 1], "local"):
                yield file.find(line, "limit", f"{name} belongs into protocol/limits.h; if it is nobody else's business, mark it "
                                "/* tidy: local, REASON */")


def first_comments(tree):
    for file in tree.c_files:
        if not file.text.startswith(("/*", "//")):
            yield file.find(1, "comment", "a file begins with a comment: what it is for, in a line or two")


def guards(tree):
    for file in tree.headers:
        name = "MQ_" + re.sub(r"\W", "_", file.path[:-len(".h")]).upper() + "_H"
        match = GUARD.match(file.uncommented)
        if not match or match.groups() != (name, name):
            yield file.find(1, "guard", f"the first directives are #ifndef {name} and #define {name}")


def medians(tree):
    for title, is_test in (("the programs", False), ("the tests", True)):
        files = [file for file in tree.c_files if file.is_test == is_test]
        functions = [(function.last - function.first + 1, f"{file.path}:{function.first} {function.name}")
                     for file in files for function in file.functions]
        sizes = [(len(file.lines) - 1, file.path) for file in files]
        for what, measured in (("functions", functions), ("files", sizes)):
            if measured:
                longest, where = max(measured)
                middle = median(size for size, _ in measured)
                yield f"{title}: {len(measured)} {what}, median {middle:g} lines, longest {longest} ({where})"


RULES = [banned, long_functions, long_files, long_lines, defaults, limits, first_comments, guards]
