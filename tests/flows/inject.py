#!/usr/bin/env python3
"""Kills a command at its n-th system call, or lets that call fail, or its n-th allocation, for n from 1 until the command
ends untouched; and looks each time what became of it.

inject.py calls|memory WORK TEAM PORT SCENARIO...   in the world that the flow has made: WORK/limei and WORK/zhao have joined the
centre in WORK/centre. What every scenario asks: the exit code is honest (never 0 where the thing is not done), the home or
the centre opens again, and everything that was ever acknowledged is there.
"""
import collections
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.environ.get("MQ_PROGRAMS", HERE + "/build")
MINQING, MINQINGD = PROGRAMS + "/minqing", PROGRAMS + "/minqingd"
LONG = os.environ.get("LONG") == "1"
STEP = int(os.environ.get("STEP", "1")) if LONG else 1

KILL = "signal=KILL"
EIO = "error=EIO"
FULL = "error=ENOSPC"
NONE_LEFT = "error=EAGAIN"
# What may happen to which call: most writes, then what ends or begins something, then reading.
HARMS = (
    [(call, KILL) for call in ("pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "write", "sendto", "recvfrom", "openat")]
    + [(call, EIO) for call in ("pwrite64", "fdatasync", "fsync", "rename", "ftruncate", "write", "pread64", "read", "unlink")]
    + [(call, FULL) for call in ("pwrite64", "write", "openat", "fdatasync")]
    + [("clone", NONE_LEFT)]  # a process
)
ONCE, FROM_THEN_ON = "", "+"  # an allocation
MEMORY = [("memory", ONCE), ("memory", FROM_THEN_ON)]
HONEST = {0, 1, 3, 4, 70}
SELDOM = 8
TELL_S = 30
STARTING = {127}  # the loader could not read a library: nothing of ours has run


class Failed(Exception):
    pass


def fail(words):
    raise Failed(words)


class World:
    def __init__(self, work, team, port):
        self.work, self.team, self.port = work, team, port
        self.data = work + "/centre"
        self.server = None
        self.count = self.looks = self.theirs = 0
        self.unsent = False  # a record waits on limei
        self.saved = {"limei": set(), "zhao": set()}  # ids that were acknowledged

    def path(self, name):
        return f"{self.work}/{name}"

    def new_id(self):
        self.count += 1
        return f"I-{self.count}"

    # ---- commands that nothing is done to ----

    def run(self, command, **options):
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **options)

    def must(self, command, why, **options):
        done = self.run(command, **options)
        if done.returncode != 0:
            fail(f"{why}: {' '.join(command)} ended with {done.returncode}\n{done.stderr}")
        return done.stdout

    def device(self, name, *words):
        return [MINQING, *words, "--home", self.path(name)]

    def desk(self, *words, data=None):
        return [MINQINGD, *words, "--data", data or self.data]

    def add(self, name, **options):
        record = self.new_id()
        self.must(self.add_command(name, record), "a record could not be saved", **options)
        self.saved[name].add(record)
        return record

    def add_command(self, name, record):
        return self.device(name, "add", "household", "--place", "990527103204", "--head", f"第{record}户", "--id", record, "--json")

    def ids(self, name, why):
        lines = self.must(self.device(name, "export"), why).splitlines()
        got = [json.loads(line)["id"] for line in lines]
        if len(got) != len(set(got)):
            fail(f"{why}: a record stands there twice")
        return set(got)

    def whole(self, name, why, thorough=True):
        """The home opens and has everything that was acknowledged; now and then the full check. Not `thorough`: nothing was
        acknowledged, and one look serves for several, since what is lost stays lost."""
        self.looks += 1
        if not thorough and self.looks % SELDOM:
            return
        lost = self.saved[name] - self.ids(name, why)
        if lost:
            fail(f"{why}: {sorted(lost)[:3]} are lost")
        if self.looks % SELDOM == 0:
            self.must(self.device(name, "check"), why)

    # ---- the centre's server ----

    def start(self, prefix=()):
        self.traced = bool(prefix)
        self.said_before = os.path.getsize(self.path("inject.err")) if os.path.exists(self.path("inject.err")) else 0
        out = open(self.path("inject.out"), "w", encoding="utf-8")
        self.server = subprocess.Popen([*prefix, *self.desk("serve", "--listen", f"127.0.0.1:{self.port}")], stdout=out,
                                       stderr=open(self.path("inject.err"), "a", encoding="utf-8"), start_new_session=True)
        for _ in range(400):
            with open(self.path("inject.out"), encoding="utf-8") as said:
                if "listening" in said.read():
                    return True
            if self.server.poll() is not None:
                return False
            time.sleep(0.02)
        return False

    def said(self):
        """What the server has said on stderr since it was started."""
        with open(self.path("inject.err"), encoding="utf-8", errors="replace") as said:
            said.seek(self.said_before)
            return said.read().strip()

    def stop(self):
        """Ends the server whatever is left of it: first kindly, then its whole session."""
        try:
            if not self.traced:
                self.server.terminate()
            for child in self.family() if self.traced else ():
                os.kill(child, signal.SIGTERM)
            self.server.wait(5)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            pass
        try:
            os.killpg(self.server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = self.server.wait()
        for _ in range(200):
            if not self.family():
                break
            time.sleep(0.02)
        return code

    def family(self):
        """Processes of the server's session."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.server.pid and fields[0] != "Z" and int(entry) != self.server.pid:
                found.append(int(entry))
        return found


class Shot:
    """One run of a command with one call of it harmed."""

    def __init__(self, world, call, harm, number):
        self.world, self.call, self.harm, self.number = world, call, harm, number
        self.trace, self.hit = world.path("trace"), True
        self.thorough = True  # look at everything behind it

    def prefix(self):
        fast = [] if self.harm == KILL else ["--seccomp-bpf"]  # a stop of seccomp's swallows the signal
        return ["strace", "-f", *fast, "-q", "-o", self.trace, "-e", f"trace={self.call}", "-e",
                f"inject={self.call}:{self.harm}:when={self.number}"]

    def __str__(self):
        return f"{self.harm} at {self.call} {self.number}"

    def was_hit(self):
        with open(self.trace, encoding="utf-8", errors="replace") as trace:
            text = trace.read()
        return "(INJECTED)" in text or "killed by SIGKILL" in text

    def was_silenced(self):
        """The harm came to the words themselves."""
        if not os.path.exists(self.trace):
            return False
        with open(self.trace, encoding="utf-8", errors="replace") as trace:
            return any("write(2, " in line and "(INJECTED)" in line for line in trace)

    def fire(self, command, **options):
        """Gives the exit code; None where it was killed. Says what is not honest."""
        done = self.world.run(self.prefix() + command, **options)
        self.hit = self.was_hit()
        self.out, code = done.stdout, done.returncode
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return None
        self.judge_end(command[1], code, done.stderr)
        return code

    def judge_end(self, name, code, words):
        """Neither a crash nor silence."""
        allowed = HONEST | (STARTING if self.call in ("openat", "read", "pread64") else set())
        if code not in allowed:
            fail(f"{name}: {self}: exit code {code}\n{words}")
        if code != 0 and not words.strip() and not self.was_silenced():
            fail(f"{name}: {self}: exit code {code} without a word")


class Hunger(Shot):
    """The same for an allocation (tests/starve/starve.c)."""

    def __init__(self, world, call, harm, number):
        super().__init__(world, call, harm, number)
        self.thorough = not LONG or number % SELDOM == 0

    def prefix(self):
        if os.path.exists(self.trace):
            os.unlink(self.trace)
        return ["env", f"LD_PRELOAD={HERE}/build/tests/starve/starve.so", f"MQ_STARVE={self.number}{self.harm}",
                f"MQ_STARVE_LOG={self.trace}"]

    def __str__(self):
        return f"no memory {'from' if self.harm else 'at'} allocation {self.number}{' on' if self.harm else ''}"

    def judge_end(self, name, code, words):
        """Below GnuTLS libtasn1 4.19 takes what it asked for without looking, and GMP aborts: as if killed there."""
        asked = self.who().split(" ")[0]
        if (code == -signal.SIGSEGV and "/libtasn1.so" in asked) or (code == -signal.SIGABRT and "/libgmp.so" in asked):
            self.world.theirs += 1
            return
        super().judge_end(name, code, words)

    def was_hit(self):
        return os.path.exists(self.trace) and os.path.getsize(self.trace) > 0

    def who(self):
        """Who had asked for what did not come."""
        with open(self.trace, encoding="utf-8") as trace:
            return trace.readline()


# ---- scenarios: each takes a shot, fires it, and judges ----

def add(world, shot):
    record = world.new_id()
    code = shot.fire(world.add_command("limei", record))
    if code == 0:
        world.saved["limei"].add(record)
    world.whole("limei", f"after add, {shot}", shot.thorough or code == 0)


def import_(world, shot):
    records = [world.new_id() for _ in range(4)]
    with open(world.path("some.jsonl"), "w", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps({"kind": "household", "id": record, "place": "990527103204", "head": f"第{record}户"}) + "\n")
    code = shot.fire(world.device("limei", "import", world.path("some.jsonl"), "--report", "--json"))
    durable = [json.loads(line).get("durable", 0) for line in shot.out.splitlines() if line.endswith("}")]
    if code == 1 and shot.call == "memory":
        fail(f"import, {shot}: a good line was refused")
    world.saved["limei"] |= set(records if code == 0 else records[:max(durable, default=0)])
    world.whole("limei", f"after import, {shot}")


def lock(world, shot):
    world.add("limei")
    shot.fire(world.device("limei", "lock"))
    world.whole("limei", f"after lock, {shot}")


def sync(world, shot):
    if not world.unsent:
        world.add("limei")
    code = shot.fire(world.device("limei", "sync", "--json", "--timeout", "10"))
    if code == 0:
        status = json.loads(world.must(world.device("limei", "status", "--json"), f"after sync, {shot}"))
        if status["saved"] > 0:
            fail(f"sync, {shot}: said to be done, and {status['saved']} records are only here")
    world.whole("limei", f"after sync, {shot}", shot.thorough)
    if shot.thorough:
        world.must(world.device("limei", "sync"), f"the next sync after {shot}")
    world.unsent = code != 0 and not shot.thorough


def bundle_write(world, shot):
    record = world.add("limei")
    file = world.path("stick")
    code = shot.fire(world.device("limei", "bundle", "write", file))
    if os.path.exists(file):  # the old one or the new one, never a piece
        world.must(world.device("zhao", "bundle", "read", file), f"bundle write, {shot}: the file cannot be read")
    elif code == 0:
        fail(f"bundle write, {shot}: done, and there is no file")
    if code == 0 and record not in world.ids("zhao", "bundle read"):
        fail(f"bundle write, {shot}: done, and what waits is not in it")
    world.whole("limei", f"after bundle write, {shot}")


def bundle_read(world, shot):
    file = world.path("stick")
    record = world.add("limei")
    world.must(world.device("limei", "bundle", "write", file), "bundle write")
    code = shot.fire(world.device("zhao", "bundle", "read", file))
    if code == 0 and record not in world.ids("zhao", f"after bundle read, {shot}"):
        fail(f"bundle read, {shot}: done, and what it brings is not there")
    world.must(world.device("zhao", "bundle", "read", file), f"the next bundle read after {shot}")
    if record not in world.ids("zhao", "bundle read"):
        fail(f"bundle read after {shot}: what it brings is not there")


def passphrase(world, shot):
    old, new = os.environ["MINQING_PASSPHRASE_FILE"], world.path("other")
    if not os.path.exists(new):
        with open(os.open(new, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
            out.write("another weir without herons\n")

    def change(to):
        return world.device("limei", "passphrase", "--new-passphrase-file", to, "--kdf-memory", "8")

    def with_words(file):
        return {"env": {**os.environ, "MINQING_PASSPHRASE_FILE": file}}

    code = shot.fire(change(new))
    opens = [file for file in (old, new) if world.run(world.device("limei", "unlock"), **with_words(file)).returncode == 0]
    if len(opens) != 1 or (code == 0 and opens != [new]):
        fail(f"passphrase, {shot}: exit code {code}, {len(opens)} passphrases open the home: {opens}")
    if opens == [new]:
        world.must(change(old), f"passphrase back after {shot}", **with_words(new))
    world.whole("limei", f"after passphrase, {shot}")


def join(world, shot):
    home = f"join{shot.call}{shot.harm[-4:]}{shot.number}"
    invitation = json.loads(world.must(world.desk("invite", "--team", world.team, "--json"), "invite"))["invitation"]
    command = [MINQING, "join", invitation, "--name", home, "--home", world.path(home), "--kdf-memory", "8", "--json"]
    if shot.fire(command) != 0:
        world.must(command, f"join once more after {shot}")
    world.must(world.device(home, "status"), f"after join, {shot}")
    world.must(world.device(home, "sync"), f"after join, {shot}")
    shutil.rmtree(world.path(home))


def init(world, shot):
    data = world.path("made")
    command = world.desk("init", "--org", "青垭县", "--kdf-memory", "8", data=data)
    code = shot.fire(command)
    if code != 0 and not os.path.exists(data + "/desk/vault"):
        done = world.run(command)
        if done.returncode == 1 and "root.key" in done.stderr:  # it says what to do
            os.unlink(data + "/root.key")
            done = world.run(command)
        if done.returncode != 0:
            fail(f"init once more after {shot}: {done.returncode}\n{done.stderr}")
    world.must(world.desk("team", "add", "一队", data=data), f"after init, {shot}")
    world.must(world.desk("check", data=data), f"after init, {shot}")
    shutil.rmtree(data)


def serve(world, shot):
    """The server dies or fails in the middle of an exchange; what it had confirmed, it has. (Where a call is made to fail strace
    shows the kernel another number in its place, so that the front's cage kills it: a death that has to be told.)"""
    world.stop()
    if not world.start(shot.prefix()) and shot.harm != KILL:
        shot.judge_end("serve", world.server.poll(), world.said())
    world.add("limei")
    first = world.run(world.device("limei", "sync", "--json", "--timeout", "3"))
    if first.returncode not in (0, 1, 3):
        fail(f"serve, {shot}: the device's sync ended with {first.returncode}\n{first.stderr}")
    world.stop()
    shot.hit = shot.was_hit()
    if not world.start():
        fail(f"serve, {shot}: it does not start again")
    world.must(world.device("limei", "sync"), f"sync after serve, {shot}")
    world.must(world.desk("check"), f"after serve, {shot}")
    at_desk(world, f"after serve, {shot}")


def at_desk(world, why, data=None):
    lines = world.must(world.desk("export", "all", "--format", "jsonl", data=data), why).splitlines()
    got = [json.loads(line)["id"] for line in lines]
    lost = world.saved["limei"] - set(got)
    if lost or len(got) != len(set(got)):
        fail(f"{why}: {sorted(lost)[:3]} are not at the desk, {len(got) - len(set(got))} are there twice")


def backup(world, shot):
    file, other = world.path("backup"), world.path("restored")
    code = shot.fire(world.desk("backup", file, data=world.path("copy")))
    if code == 0 and not os.path.exists(file):
        fail(f"backup, {shot}: done, and there is no file")
    if os.path.exists(file):
        world.must(world.desk("restore", file, data=other), f"backup, {shot}: it cannot be restored")
        at_desk(world, f"backup, {shot}", data=other)
        shutil.rmtree(other)
    world.must(world.desk("check", data=world.path("copy")), f"after backup, {shot}")


def restore(world, shot):
    file, data = world.path("backup"), world.path("restored")
    if not os.path.exists(file):
        world.must(world.desk("backup", file, data=world.path("copy")), "backup")
    shutil.copytree(world.path("copy"), data)
    code = shot.fire(world.desk("restore", file, data=data))
    if code != 0:
        done = world.run(world.desk("check", data=data))
        if done.returncode != 0:  # it is in the middle, and says so
            world.must(world.desk("restore", file, data=data), f"restore once more after {shot}")
    world.must(world.desk("check", data=data), f"after restore, {shot}")
    at_desk(world, f"after restore, {shot}", data=data)
    shutil.rmtree(data)


def desk_set(world, shot):
    data, record = world.path("copy"), min(world.saved["limei"])
    world.count += 1
    name = f"外号{world.count}"
    before = json.loads(world.must(world.desk("desk", "show", record, "--json", data=data), "desk show")).get("nickname")
    code = shot.fire(world.desk("desk", "set", record, f"nickname={name}", data=data))
    after = json.loads(world.must(world.desk("desk", "show", record, "--json", data=data), f"after desk set, {shot}")).get("nickname")
    if after != name and (code == 0 or after != before):
        fail(f"desk set, {shot}: exit code {code}, it was {before}, it should be {name}, it is {after}")


SCENARIOS = {"add": add, "import": import_, "lock": lock, "sync": sync, "bundle_write": bundle_write, "bundle_read": bundle_read,
             "passphrase": passphrase, "join": join, "init": init, "serve": serve, "backup": backup, "restore": restore,
             "desk_set": desk_set}
NEEDS_COPY = {"backup", "restore", "desk_set"}
# In the test: all kills of `add` where it writes, of the rest a few of those that hurt most.
EVERY = {("add", "pwrite64", KILL), ("add", "fdatasync", KILL), ("add", "rename", KILL), ("passphrase", "rename", KILL)}
FEW = {"pwrite64": (7,), "fdatasync": (2,), "fsync": (1,), "rename": (1,), "write": (1,), "unlink": (1,), "ftruncate": (1,),
       "recvfrom": (2,), "sendto": (1,), "openat": (30,), "pread64": (9,), "read": (20,)}
FEW_ADD = {"pwrite64": (1, 4, 12, 30, 45), "fdatasync": (1, 3, 5)}
SOME = {("pwrite64", KILL), ("fdatasync", KILL), ("rename", KILL), ("unlink", KILL), ("recvfrom", KILL), ("pwrite64", EIO), ("fsync", EIO),
        ("pread64", EIO), ("pwrite64", FULL), ("openat", FULL)}
SLOW = {"join", "init", "backup", "restore", "serve"}
FEW_SLOW = {("pwrite64", KILL): (25,), ("fdatasync", KILL): (3,), ("rename", KILL): (1,), ("pwrite64", EIO): (40,),
            ("pwrite64", FULL): (25,), ("clone", NONE_LEFT): (1, 2), ("write", EIO): (1,),
            ("unlink", EIO): (5,)}


def growing(growth, number):
    """Counts on from there, then with steps that grow."""
    while True:
        yield number
        number = max(number + STEP, int(number * growth))


def beginning(world, scenario, call):
    """The first n that is not the loader's, or, of allocations, not those of opening a home, which `add` has had."""
    if not LONG:
        return 1
    if call == "memory":
        return opening(world) if scenario == "sync" else 1
    return max(1, loading(world).get(call, 1))


@functools.cache
def opening(world):
    """Allocations of a command that does little more than opening: nearly all of them."""
    few, many = 1, 1 << 16
    while many - few > 1:
        middle = (few + many) // 2
        shot = Hunger(world, "memory", ONCE, middle)
        shot.fire(world.device("limei", "status"))
        few, many = (middle, many) if shot.hit else (few, middle)
    return few * 19 // 20


@functools.cache
def loading(world):
    """How often the loader makes a call before anything of ours runs: up to the last library that it opens."""
    trace = world.path("trace")
    world.run(["strace", "-q", "-o", trace, "-e", "trace=openat,read,pread64", MINQING, "--version"])
    with open(trace, encoding="utf-8", errors="replace") as lines:
        calls = [line.rstrip() for line in lines]
    last = max(i for i, line in enumerate(calls) if line.startswith("openat") and ".so" in line)
    return collections.Counter(line.split("(")[0] for line in calls[:last])


def numbers(world, scenario, call, harm):
    """At which n, in this order; it ends with the first that the command does not reach."""
    first = beginning(world, scenario, call)
    if call == "memory":
        every = LONG and scenario in ("add", "sync")
        growth = 1 if every else 1.03 if LONG else 1.5 if scenario == "add" else 2.2 if scenario not in SLOW else 4
        return growing(growth, first)
    if LONG or (scenario, call, harm) in EVERY:
        return range(first, 100000, STEP)
    if scenario in SLOW:
        return FEW_SLOW.get((call, harm), ())
    if scenario == "add":
        return FEW_ADD.get(call, FEW.get(call, ())) if (call, harm) != ("openat", KILL) else ()
    return FEW[call] if (call, harm) in SOME else ()


def shoot(world, scenario, shot):
    try:
        SCENARIOS[scenario](world, shot)
    except Failed as words:
        print("FAILED:", words, file=sys.stderr, flush=True)
        if shot.call == "memory":
            print(shot.who(), file=sys.stderr, flush=True)
        if not os.environ.get("GO_ON"):
            sys.exit(1)


def go_through(world, scenario, harms):
    shots, told = 0, time.monotonic()
    for call, harm in harms:
        for number in numbers(world, scenario, call, harm):
            shot = (Hunger if call == "memory" else Shot)(world, call, harm, number)
            shoot(world, scenario, shot)
            if not shot.hit:
                break
            shots += 1
            if os.environ.get("VERBOSE") or (LONG and time.monotonic() - told > TELL_S):
                told = time.monotonic()
                print(f"{scenario}: {shots} runs so far, the last: {shot}", file=sys.stderr, flush=True)
    return shots


def main():
    harms = MEMORY if sys.argv[1] == "memory" else HARMS
    world = World(sys.argv[2], sys.argv[3], sys.argv[4])
    world.start()
    for scenario in sys.argv[5:]:
        if scenario in NEEDS_COPY and not os.path.exists(world.path("copy")):
            world.add("limei")
            world.must(world.device("limei", "sync"), "sync")
            world.stop()
            shutil.copytree(world.data, world.path("copy"), ignore=shutil.ignore_patterns("*.sock"))
            world.must(world.desk("check", data=world.path("copy")), "the copy")
            world.start()
            at_desk(world, "before")
        began = time.monotonic()
        shots = go_through(world, scenario, harms)
        print(f"{scenario}: {shots} runs killed or failed, {time.monotonic() - began:.0f} s, nothing lost"
              + (f", {world.theirs} died below GnuTLS" if world.theirs else ""), flush=True)
        world.theirs = 0
    world.must(world.device("limei", "sync"), "the last sync")
    world.must(world.device("limei", "check"), "the last check")
    at_desk(world, "in the end")
    world.stop()


main()
