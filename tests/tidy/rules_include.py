"""Who may include what: the rooms and their arrows, the keyless rooms, one door for each foreign library."""
from fnmatch import fnmatch
from pathlib import PurePosixPath

# Room: the rooms whose headers it may include. A file belongs to the longest name that its path begins with.
ARROWS = {
    "protocol": {"protocol"},
    "platform": {"platform", "protocol"},
    "replica": {"replica", "platform", "protocol"},
    "client": {"client", "client/courier", "replica", "platform", "protocol"},
    "client/courier": {"client/courier", "platform", "protocol"},
    "server": {"server", "server/relay", "server/desk", "replica", "platform", "protocol"},
    "server/relay": {"server/relay", "platform", "protocol"},
    "server/desk": {"server/desk", "replica", "platform", "protocol"},
}
GENERATED = "generated/"  # made by the build from files of the room that includes it

# These process what strangers send: through no chain of includes may they see how a segment is opened.
KEYLESS = ("server/relay", "client/courier")
KEY_ENDINGS = ("seal.h", "vault.h", "key.h", "keys.h")

# Foreign headers, and the only files that may include them; tests may include any.
DOORS = {
    "sodium.h": ("protocol/crypto.c", "platform/secret.c", "platform/page_cipher.c"),
    "zstd.h": ("protocol/compress.c",),
    "zstd_errors.h": ("protocol/compress.c",),
    "sqlite3.h": ("platform/db*.c",),
    "curl/*.h": ("client/courier/courier.c",),
    "dlfcn.h": ("client/courier/courier.c",),
    "microhttpd.h": ("platform/http*.c",),
    "gnutls/*.h": ("platform/tls.c",),
    "jansson.h": ("platform/json.c",),
    "qrencode.h": ("platform/qr.c",),
    "csv.h": ("platform/csv.c",),
    "xlsxwriter.h": ("platform/xlsx.c",),
    "iconv.h": ("platform/csv_gb18030.c",),
    "linux/filter.h": ("platform/sandbox.c",),
    "linux/landlock.h": ("platform/sandbox.c",),
    "linux/seccomp.h": ("platform/sandbox.c",),
    "libpq-fe.h": ("server/relay/store_postgresql.c",),
}

# The C library. The first group is all that protocol/ and replica/ may use: they must compile for wasm32 too.
PORTABLE = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h",
            "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h", "wchar.h"}
MACHINE = ("arpa/*.h", "dirent.h", "endian.h", "fcntl.h", "ftw.h", "getopt.h", "ifaddrs.h", "langinfo.h", "libintl.h", "linux/*.h",
           "locale.h", "net/*.h", "netdb.h", "netinet/*.h", "poll.h", "pthread.h", "pwd.h", "sched.h", "setjmp.h", "signal.h",
           "spawn.h", "stdatomic.h", "sys/*.h", "syslog.h", "termios.h", "unistd.h")


def room_of(path):
    rooms = [room for room in ARROWS if path.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def ours(tree):
    return [file for file in tree.c_files if not file.is_test]


def directions(tree):
    for file in ours(tree):
        room = room_of(file.path)
        if room is None:
            yield file.find(1, "include", f"stands in no room; a room and its arrows are named in {__name__}.py")
            continue
        for include in file.includes:
            if not include.ours or include.target.startswith(GENERATED):
                continue
            if include.target not in tree.files:
                yield file.find(include.line, "include", f'no file "{include.target}"; paths start at the repository\'s root')
            elif room_of(include.target) not in ARROWS[room]:
                yield file.find(include.line, "include",
                                f'{room} may include {", ".join(sorted(ARROWS[room]))}; not "{include.target}"')


def tests_find_their_headers(tree):
    for file in tree.c_files:
        for include in file.includes:
            if file.is_test and include.ours and include.target not in tree.files and not include.target.startswith(GENERATED):
                yield file.find(include.line, "include", f'no file "{include.target}"; paths start at the repository\'s root')


def chains(tree, path):
    """Every header of ours that `path` reaches, with the chain of includes that leads there."""
    reached, waiting = {}, [(path,)]
    while waiting:
        chain = waiting.pop(0)
        for include in tree.files[chain[-1]].includes:
            if include.ours and include.target in tree.files and include.target not in reached:
                reached[include.target] = chain[1:] + (include.target,)
                waiting.append(chain + (include.target,))
    return reached


def keyless(tree):
    for file in ours(tree):
        if room_of(file.path) not in KEYLESS:
            continue
        for target, chain in chains(tree, file.path).items():
            if target.endswith(KEY_ENDINGS) or target.startswith("replica/"):
                line = next(include.line for include in file.includes if include.target == chain[0])
                yield file.find(line, "keyless", f"{room_of(file.path)} must not reach {target}, but does: {' > '.join(chain)}")


def key_headers_say_so(tree):
    for file in ours(tree):
        if not file.is_header or file.path.endswith(KEY_ENDINGS):
            continue
        for include in file.includes:
            if include.ours and include.target.endswith(KEY_ENDINGS):
                yield file.find(include.line, "keyless", f"a header with keys ends in {', '.join(KEY_ENDINGS)}; move what needs "
                                f'"{include.target}" into such a one')


def doors(tree):
    for file in ours(tree):
        for include in file.includes:
            if include.ours or include.target in PORTABLE:
                continue
            allowed = next((files for pattern, files in DOORS.items() if fnmatch(include.target, pattern)), None)
            if allowed is not None:
                if not any(fnmatch(file.path, pattern) for pattern in allowed):
                    yield file.find(include.line, "door", f"<{include.target}> is for {' and '.join(allowed)} only")
            elif not any(fnmatch(include.target, pattern) for pattern in MACHINE):
                yield file.find(include.line, "door", f"<{include.target}> has no door yet: name its one file in {__name__}.py")
            elif PurePosixPath(file.path).parts[0] in ("protocol", "replica"):
                yield file.find(include.line, "door", f"<{include.target}> is the machine's; protocol/ and replica/ reach it "
                                "through platform/platform.h")


RULES = [directions, tests_find_their_headers, keyless, key_headers_say_so, doors]
