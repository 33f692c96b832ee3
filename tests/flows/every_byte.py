#!/usr/bin/env python3
"""The line of an exchange is cut at each of its bytes, and a bit is changed at many, on several lines side by side.

every_byte.py WORK WAYS_NOTICED NAME...   for each NAME there are WORK/NAME, a device that has joined over a line of its own, and
that line's WORK/rulesNAME and WORK/line.logNAME (tests/proxy/proxy.c). One record and one sync (tests/proxy/device.c) for each
byte, the rest of that sync over a good line: afterwards the record is at the centre. Where WAYS_NOTICED is "yes" a changed bit
that was met has to be noticed. FLIP_STEP (4): every so many bytes a flip. Leaves the ids in WORK/NAME.ids.
"""
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.environ.get("MQ_PROGRAMS", HERE + "/build")
TOP = 4096  # bytes of each direction
GOODBYE = 64  # the last bytes of TLS carry nothing
TELL_S = 30


class Failed(Exception):
    pass


class Line:
    """A device and its line."""

    def __init__(self, work, name):
        self.name, self.ids, self.met = name, [], 0
        self.rules = open(f"{work}/rules{name}", "w", encoding="ascii")
        self.log = open(f"{work}/line.log{name}", encoding="ascii")
        self.device = subprocess.Popen([HERE + "/build/tests/proxy/device", f"{work}/{name}", PROGRAMS + "/minqing-courier"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, words):
        self.device.stdin.write(words + "\n")
        self.device.stdin.flush()
        return self.device.stdout.readline().split()

    def ended(self, act):
        """The line of the connection to which that was done."""
        for _ in range(1000):
            line = self.log.readline()
            while line and not line.endswith("\n"):
                line += self.log.readline()
            if line and line.split()[1] == act:
                return line.split()
            if not line:
                time.sleep(0.005)
        raise Failed(f"{self.name}: the line says nothing of a connection that it should {act}")

    def exchange(self, rule):
        """A record and a sync, with that done to its first connection: met or not, its sizes, and the requests it took."""
        self.ids.append(f"{self.name}-{len(self.ids) + 1}")
        if self.ask(f"add {self.ids[-1]}") != ["added"]:
            raise Failed(f"{self.name}: a record could not be saved")
        self.rules.write(rule + "\n")
        self.rules.flush()
        answer = self.ask("sync 30000")
        if answer[:3] != ["synced", "1", "0"]:
            raise Failed(f"{self.name}: {rule}: not home: {' '.join(answer)}")
        _, _, done, up, down = self.ended(rule.split()[0])
        self.met += done == "done"
        return done == "done", {"up": int(up), "down": int(down)}, int(answer[3])

    def sizes(self):
        self.exchange("delay up 0")  # what others have written comes with the first
        return self.exchange("delay up 0")[1]

    def end(self):
        self.device.stdin.close()
        if self.device.wait() != 0:
            raise Failed(f"{self.name}: the device ended badly")


def harms(sizes, noticed):
    """Each rule, and whether whoever was harmed has to notice."""
    step = int(os.environ.get("FLIP_STEP", "4"))
    for way in ("up", "down"):
        top, told = min(sizes[way], TOP), sizes[way] - GOODBYE
        for byte in range(top):
            yield f"cut {way} {byte}", byte < told
        for byte in range(0, top, step):
            yield f"flip {way} {byte} {byte % 8}", noticed and byte < told


def go_along(line, share, problems):
    try:
        for rule, must_notice in share:
            if problems:
                return
            met, _, requests = line.exchange(rule)
            if met and must_notice and requests < 2:
                raise Failed(f"{line.name}: {rule}: the harmed exchange was taken for a good one")
        line.end()
    except Failed as words:
        problems.append(str(words))


def main():
    work, noticed = sys.argv[1], sys.argv[2] == "yes"
    lines = [Line(work, name) for name in sys.argv[3:]]
    problems = []
    sizes = lines[0].sizes()
    everything = list(harms(sizes, noticed))
    threads = [threading.Thread(target=go_along, args=(line, everything[i::len(lines)], problems))
               for i, line in enumerate(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(TELL_S)
            print(f"{sum(len(line.ids) for line in lines)} of {len(everything)} harms", file=sys.stderr, flush=True)
    if problems:
        sys.exit("FAILED: " + problems[0])
    for line in lines:
        with open(f"{work}/{line.name}.ids", "w", encoding="ascii") as out:
            out.write("\n".join(line.ids) + "\n")
    print(f"every byte: {sizes['up']} up and {sizes['down']} down, {len(everything)} harms, {sum(line.met for line in lines)} met",
          flush=True)


main()
