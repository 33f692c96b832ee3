#!/usr/bin/env python3
"""Makes the table of readings for pinyin.c from Unicode's Unihan database, and from what it does not know.
usage: table.py DIRECTORY_OF_UNIHAN more.txt build/generated/pinyin.h

A character has every Mandarin reading that one of the dictionaries gives it, the usual one first, without tone, with v
for u-umlaut. Characters are found in two steps: 64 stand on a page, and equal pages are one."""
import bz2
import os
import re
import sys
import unicodedata

# The first is the usual reading; the others are dictionaries, where what counts is that a reading is known at all.
DICTIONARIES = ["kMandarin", "kTGHZ2013", "kXHC1983", "kHanyuPinlu", "kHanyuPinyin"]
# A simplified character has the readings of its traditional ones too: the great dictionary, which knows the rare readings
# of surnames, lists those only. Other variants help only where a character has no reading of its own.
VARIANTS = ["kTraditionalVariant", "kSimplifiedVariant", "kZVariant", "kSemanticVariant"]
PAGE = 64
LAST = 0x8000  # marks the last reading of a character


def plain(syllable):
    """Without tone, in ASCII: lv for the sound of a donkey, e for the rare one with a circumflex."""
    letters = unicodedata.normalize("NFD", syllable.lower()).replace("u\u0308", "v")
    return re.sub("[^a-z]", "", letters)


def syllables(value):
    """All of a value: 'yǎn', '423.040:yǎn', '10109.030:qiú,chóu,jū', 'chóu(71)', several with blanks between."""
    for word in value.split():
        for syllable in word.split(":")[-1].split(","):
            yield plain(syllable.split("(")[0])


def entries(path, keys):
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("U+"):
                point, key, value = line.rstrip("\n").split("\t")
                if key in keys:
                    yield int(point[2:], 16), key, value


def gathered(unihan, more):
    known, readings = {}, {}
    for point, key, value in entries(f"{unihan}/Unihan_Readings.txt.bz2", DICTIONARIES):
        known.setdefault(point, {})[key] = list(syllables(value))
    for point, found in known.items():
        readings[point] = [s for key in DICTIONARIES for s in found.get(key, [])]
    own = {point: list(found) for point, found in readings.items()}
    for key in VARIANTS:
        for point, _, value in entries(f"{unihan}/Unihan_Variants.txt.bz2", [key]):
            for variant in re.findall(r"U\+([0-9A-F]+)", value):
                if key == VARIANTS[0] or not readings.get(point):
                    readings.setdefault(point, []).extend(own.get(int(variant, 16), []))
    with open(more, encoding="utf-8") as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if words:
                readings.setdefault(ord(words[0]), []).extend(words[1:])
    return {point: list(dict.fromkeys(filter(None, found))) for point, found in readings.items() if any(found)}


def array(kind, name, values, form="{}"):
    lines, line = [], "   "
    for value in values:
        word = f" {form.format(value)},"
        if len(line) + len(word) > 118:
            lines.append(line)
            line = "   "
        line += word
    return f"static const {kind} {name} = {{\n" + "\n".join(lines + [line]) + "\n};\n\n"


def main():
    unihan, more, header = sys.argv[1:]
    readings = gathered(unihan, more)
    names = sorted({s for found in readings.values() for s in found})
    number = {name: i for i, name in enumerate(names)}
    pool, place = [0], {}  # place 0: no reading
    for found in readings.values():
        key = tuple(number[s] for s in found)
        if key not in place:
            place[key] = len(pool)
            pool += [*key[:-1], key[-1] | LAST]
    pages, page_of, index = [0] * PAGE, {(0,) * PAGE: 0}, []
    for first in range(0, max(readings) + 1, PAGE):
        page = tuple(place[tuple(number[s] for s in readings[point])] if point in readings else 0
                     for point in range(first, first + PAGE))
        if page not in page_of:
            page_of[page] = len(page_of)
            pages += page
        index.append(page_of[page])
    assert len(names) < LAST and len(pool) < 0x10000 and len(page_of) < 0x10000
    text = "/* Generated from Unihan_Readings.txt and protocol/pinyin/more.txt by protocol/pinyin/table.py. */\n"
    text += f"#include <stdint.h>\n\n#define MQ_PINYIN_PAGE {PAGE}\n#define MQ_PINYIN_LAST {LAST:#x}\n\n"
    text += array("char", f"pinyin_syllables[][{max(map(len, names)) + 1}]", names, '"{}"')
    text += array("uint16_t", "pinyin_pool[]", pool) + array("uint16_t", "pinyin_pages[]", pages)
    text += array("uint16_t", "pinyin_index[]", index)
    os.makedirs(os.path.dirname(header), exist_ok=True)
    with open(header + ".part", "w", encoding="ascii") as out:
        out.write(text)
    os.replace(header + ".part", header)


if __name__ == "__main__":
    main()
