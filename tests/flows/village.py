#!/usr/bin/env python3
"""杉坪村 for the stories: 312 invented households in 7 groups, as records or as the ledger that the township had before.

village.py records OUT           JSON lines
village.py ledger OUT NUMBERS    CSV with 312 resident IDs and 9 bank cards that pass their checks (99 is no province);
                                 NUMBERS gets them, one a line
"""
import csv
import json
import random
import sys

SEED = 20261110
PLACE = "990527103204"
KNOWN = [  # id, group, head, nickname, phone, people, residents
    ("H-yang", "三组", "杨顺华", "杨老三", "13900000101", 4, 3),
    ("H-yu", "五组", "余世海", "海哥", "13900000102", 5, 2),
    ("H-wu", "四组", "吴国平", "吴木匠", "13900000103", 3, 3),
    ("H-ran", "一组", "冉大珍", "冉孃孃", "13900000104", 1, 1),
    ("H-bu", "二组", "布买日穆罕默德·阿不都热合曼", "老布", "13900000105", 5, 3),
]


def households(chance):
    yield from KNOWN
    for i in range(len(KNOWN), 312):
        name = "冉吴石赵何李单曾任查覃"[i % 11] + chance.choice("德光明国春大") + chance.choice("平贵林芳元珍")
        yield f"H-{i:03d}", "一二三四五六七"[i % 7] + "组", name, f"{i}号家", f"1390001{i:04d}", i % 6 + 1, i % 6 + 1


def resident_id(chance):
    born = f"{chance.randrange(1930, 2010)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    front = f"9905{chance.randrange(100):02d}{born}{chance.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return front + "10X98765432"[sum(w * int(d) for w, d in zip(weights, front)) % 11]


def bank_card(chance):
    front = "6299" + "".join(str(chance.randrange(10)) for _ in range(14))
    total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(front)))
    return front + str(-total % 10)


def records(out):
    for id, group, head, nickname, phone, people, residents in households(random.Random(SEED)):
        record = {"kind": "household", "id": id, "place": PLACE, "group": group, "head": head, "nickname": nickname,
                  "phones": [{"number": phone, "whose": "本人"}], "people": people, "residents": residents,
                  "types": ["一般户"], "state": "在住"}
        out.write(json.dumps(record, ensure_ascii=False) + "\n")


def ledger(out, numbers):
    chance = random.Random(SEED)
    writer = csv.writer(out)
    writer.writerow(["户编号", "村", "村民小组", "户主姓名", "俗称", "联系电话", "家庭人口", "常住人口", "身份证号码", "家庭住址"])
    for i, (id, group, head, nickname, phone, people, residents) in enumerate(households(chance)):
        own = resident_id(chance)
        where = "老水井旁"
        numbers.write(own + "\n")
        if i % 35 == 4:  # nine of them, in a column that is kept
            card = bank_card(chance)
            numbers.write(card + "\n")
            where += " 卡号" + card
        writer.writerow([id, PLACE, group, head, nickname, phone, people, residents, own, where])


def main():
    print(f"seed {SEED}")
    with open(sys.argv[2], "w", encoding="utf-8", newline="") as out:
        if sys.argv[1] == "records":
            records(out)
        else:
            with open(sys.argv[3], "w", encoding="ascii") as numbers:
                ledger(out, numbers)


main()
