#!/usr/bin/env python3
"""Are the records of some import files all there in an export, with the same values? Sets compare as sets.

usage: compare_records.py EXPORT IMPORT..."""
import json
import sys

CODES = {"category": {"产业生产": "12"}}  # a label that the import files use, and the code that exports show
SETS = {"types", "tags", "asks", "households"}


def read(path):
    records = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                record = json.loads(line)
                for key in SETS & record.keys():
                    record[key] = sorted(record[key])
                for key, codes in CODES.items():
                    if key in record:
                        record[key] = codes.get(record[key], record[key])
                records[record["kind"], record["id"]] = record
    return records


exported = read(sys.argv[1])
imported = {}
for name in sys.argv[2:]:
    imported.update(read(name))
wrong = 0
for key, record in imported.items():
    if exported.get(key) != record:
        wrong += 1
        if wrong <= 5:
            print("differs:", json.dumps(record, ensure_ascii=False), "\n     is:", json.dumps(exported.get(key), ensure_ascii=False))
extra = exported.keys() - imported.keys()
for key in sorted(extra)[:5]:
    print("nobody imported:", key)
print(f"{len(imported)} imported, {len(exported)} exported, {wrong} differ, {len(extra)} extra")
sys.exit(1 if wrong or extra else 0)
