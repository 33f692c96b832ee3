#!/usr/bin/env python3
"""Looks through what the programs showed for a number about a person. Usage: never.py DIR, as 130_never_flow fills it."""
import json
import pathlib
import re
import sys

DIRECTORY = pathlib.Path(sys.argv[1])

# Words that have no business in what a program shows. A line of the help may deny them: "no ranking".
WORDS = ("排名", "排行", "积分", "打卡", "签到", "考勤", "勋章", "红黑榜", "达标率", "完成率", "在线时长", "最近登录",
         "登录次数", "走访次数", "人均", "每人", "轨迹", "定位", "ranking", "leaderboard", "score of", "points",
         "check-in", "attendance", "streak", "last login", "per person", "per member", "per cadre")
KEYS = re.compile(r"rank|points|streak|login|attend|medal|online|checkin|visits$|_per_|per_(person|member|cadre)|latitude|"
                  r"longitude|distance|duration")
# What says who a person or his device is, and all that may stand beside it.
PERSON = {"serial", "by"}
BESIDE = {
    # a member, as the desk lists him: who he is, not what he did; `last_contact` tells a lost device from a silent one
    "serial": {"serial", "id", "name", "team", "role", "state", "last_contact", "home", "streams", "recovery"},
    # a value or a change, as a record's history shows it: what, when, by which device
    "by": {"by", "at", "change", "field", "value", "values", "safety", "note", "reason", "id", "step", "state", "late",
           "out_of_turn", "unit", "text", "due", "result", "cause", "date", "mode", "reaction", "told", "helpers", "rule", "kind",
           "right", "decision", "done", "household", "record"},
}
COMMANDS = re.compile(r"^ {2,4}((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)(?: |$)")
READS = {"list", "show", "status", "check", "export", "today", "brief", "conflicts", "unheard", "draw", "device", "digest",
         "duplicates", "quarantine", "held", "codes", "reference", "retention"}
found = []


def complain(where, what):
    found.append(f"{where}: {what}")


def walk(value, where):
    if isinstance(value, list):
        for item in value:
            walk(item, where)
    if not isinstance(value, dict):
        return
    for key in value:
        if KEYS.search(key):
            complain(where, f"key {key}")
    for person in PERSON & value.keys():
        for key in value.keys() - BESIDE[person]:
            complain(where, f"{key} stands beside {person}")
    for item in value.values():
        walk(item, where)


for path in sorted((DIRECTORY / "results").iterdir()):
    for line in path.read_text().splitlines():
        if line.startswith("{"):
            walk(json.loads(line), path.name)
for path in sorted(DIRECTORY.glob("*.csv")):
    head = path.read_text(encoding="utf-8-sig").splitlines()[:1]
    for word in WORDS:
        if any(word in line for line in head):
            complain(path.name, f"column {word}")
for line in (DIRECTORY / "metrics").read_text().splitlines():
    if not line.startswith("#") and re.search(r"serial=|member=|device=|user=|name=", line):
        complain("metrics", line)
for line in (DIRECTORY / "help").read_text().splitlines():
    for word in WORDS:
        if word in line.lower() and not re.search(r"\bno\b|never|没有|不[会做要]", line):
            complain("help", line.strip())

# A command that reads and is not among those that were run was not looked at.
ran = (DIRECTORY / "commands").read_text()
for program, mark in (("minqing", "d "), ("minqingd", "c ")):
    for line in (DIRECTORY / f"help-{program}").read_text().splitlines():
        match = COMMANDS.match(line)
        if match and match.group(1).split()[-1] in READS and mark + match.group(1) not in ran:
            complain(program, f"`{match.group(1)}` was not looked at; add it to 130_never_flow")

print("\n".join(found))
sys.exit(1 if found else 0)
