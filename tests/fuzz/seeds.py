#!/usr/bin/env python3
"""First inputs for the fuzz targets, from tests/vectors and tests/data, in the form that each target says at its top.

Usage: tests/fuzz/seeds.py DIR          writes DIR/TARGET/NUMBER; tests/fuzz/all with MERGE=1 keeps what is of use
"""
import json
import pathlib
import sys

VECTORS = pathlib.Path("tests/vectors")
DATA = pathlib.Path("tests/data")


def vector(file, *ends):
    """The values whose name is one of `ends`, or ends with "." and it."""
    for line in (VECTORS / file).read_text().splitlines():
        name, equals, value = line.partition(" = ")
        value = value.split()[0] if value.split() else ""
        if equals and any(name == end or name.endswith("." + end) for end in ends):
            yield bytes.fromhex(value)


def lines(*files):
    for file in files:
        yield from (DATA / file).read_bytes().splitlines()


def segments():
    parts = [list(vector("segment.txt", end)) for end in ("header", "body", "signature")]
    return [b"".join(part) for part in zip(*parts)]


def frames():
    """One of each kind that the vectors have."""
    for kind, bodies in ((1, segments()), (3, vector("segment.txt", "announce")),
                         (4, vector("identity.txt", "grant")), (8, vector("identity.txt", "certificate"))):
        for body in bodies:
            yield bytes([kind]) + len(body).to_bytes(3, "big") + body


def prefixed(prefix, inputs):
    return [bytes(prefix) + one for one in inputs]


def seeds():
    everything = list(frames())
    records = list(lines("sample.jsonl", "kinds.jsonl", "refusals.jsonl", "bad-utf8.jsonl"))
    yield "cbor", vector("cbor.txt", "accept", "refuse")
    yield "payload", vector("payload.txt", "accept", "refuse")
    # The target's writer is that of the vectors: what he signed would pass, as it should.
    forged = [one[:-1] + bytes([one[-1] ^ 1]) for one in segments()]
    yield "segment", prefixed([0], forged) + prefixed([1], [b"\0\5\1"])
    yield "seal", prefixed([0], vector("segment.txt", "padded_plaintext")) + prefixed([2], [b"\0\1\2", b""])
    yield "frame", everything + [b"".join(everything)]
    yield "bundle", prefixed([1], everything + [b"".join(everything)])
    for mode, name in enumerate(("cadre.certificate", "announce", "grant", "wrap")):
        yield "certificate", prefixed([mode], vector("identity.txt", name)) + [bytes([mode | 4, 0, 1])]
    yield "control", [bytes([mode]) for mode in (1, 3, 5)]
    yield "enrol", [bytes([mode]) for mode in (5, 7)]
    yield "mask", prefixed([0], records[:40])
    heads = [b"POST /v1/exchange HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n", b"GET / HTTP/1.1\r\nHost: t\r\nX: a\r\n\r\n"]
    yield "http", prefixed([1], heads)
    yield "json", records
    later = b'{"kind":"need","id":"N-1","words":"\xe6\xb5\x91","words_more":["\xe6\x80\xa5","\xe6\xb5\x91"]}'
    yield "import", prefixed([0], records) + [bytes([mode]) + later for mode in (0, 1, 2, 3)]
    address = bytes(16 + 32 + 32 + 4) + (16384).to_bytes(4, "big") + b"\x14https://desk.example"
    answer = (58).to_bytes(2, "big") + b"\1" + bytes(57)
    for spool in everything + [b"".join(everything)]:
        sizes = len(address).to_bytes(2, "big") + len(spool).to_bytes(2, "big")
        yield "spool", prefixed([7], [sizes + address + spool + 3 * answer])
    returned = [b"\x85\x11\x58\x20" + bytes(32) + piece  # the smallest segment, and the last byte of a larger one
                for piece in (b"\x18\xa9\0\x58\xd9" + bytes(169 + 48), b"\x19\xa0\1\x19\xa0\0\x58\x31" + bytes(1 + 48))]
    listed = b"\x83\x10\xf6\xa2\5\x82\x48xxxxxxxx\x48yyyyyyyy\x18\xff\x81\x48zzzzzzzz"
    yield "erase", prefixed([0xe0, 0, 0, 0, 0], returned) + prefixed([1, 0, 0, 0, 0], [listed])
    yield "admit", prefixed([0x42, 0x44, 0, 0, 0, 0, 0], [b"\0\0", b"\4\5"])  # a lost segment comes back, or its end
    yield "reply", [bytes([1]) + bytes(10 + 48)]
    yield "request", [bytes([1, 1]) + bytes(44 + 76)]


def main(directory):
    count = {}
    for target, inputs in seeds():
        folder = pathlib.Path(directory) / target
        folder.mkdir(parents=True, exist_ok=True)
        for one in inputs:
            count[target] = count.get(target, 0) + 1
            (folder / f"seed-{count[target]:04}").write_bytes(one)
    print(json.dumps(count))


if __name__ == "__main__":
    main(sys.argv[1])
