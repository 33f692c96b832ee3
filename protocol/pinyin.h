/* How characters sound: every Mandarin reading of a character, without tone (docs/contract.md). The table is made
 * at build time from Unicode's Unihan database and protocol/pinyin/more.txt; nothing here is sent or sealed, so a newer
 * table changes no bytes. Texts are compared folded (protocol/fold.h). */
#ifndef MQ_PROTOCOL_PINYIN_H
#define MQ_PROTOCOL_PINYIN_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

/* The readings of a character, the usual one first, into `out`, at most `most`; how many those are. 0: it has none.
 * Each is lower-case ASCII, with v for u-umlaut, and stands for good. */
size_t mq_pinyin_readings(uint32_t character, const char *out[], size_t most);

/* A word that somebody typed, ready to be compared with many texts. Each position of the word is one bit. */
#define MQ_PINYIN_BITS 64
#define MQ_PINYIN_BLOCKS (MQ_SEARCH_WORD_MAX / MQ_PINYIN_BITS + 1)
struct mq_pinyin_word {
    size_t length, blocks;                       /* characters; blocks of bits that they need */
    uint64_t letters[26][MQ_PINYIN_BLOCKS];      /* where each letter stands */
    uint32_t others[MQ_SEARCH_WORD_MAX];         /* what else stands in it ... */
    uint64_t other_at[MQ_SEARCH_WORD_MAX][MQ_PINYIN_BLOCKS]; /* ... and where */
    size_t other_count;
};
/* false: nothing is left of it once folded, or it is longer than MQ_SEARCH_WORD_MAX characters. */
bool mq_pinyin_word(struct mq_pinyin_word *out, struct mq_span word);

/* Does the word stand in the text? A character stands for itself, and for any of its readings, given whole or by any
 * prefix of it: 陈六合 is found by `chenliuhe`, `clh`, `chlh`, `陈lh`. u stands for v too: `lu` and `lv` find 吕.
 * `from_start`: only where the text begins with it. A line end in the text ends what may stand together. */
bool mq_pinyin_matches(const struct mq_pinyin_word *word, struct mq_span text, bool from_start);

/* Might both be one name, heard? As many characters, and each pair is equal or shares a reading. False where one of them is
 * empty. */
bool mq_pinyin_same(struct mq_span a, struct mq_span b);

/* The first letters of a place's name in capitals, by usual readings, without what kind of place it is: 杉坪村 is SP.
 * Letters and digits stay, what has no reading is left out. */
void mq_pinyin_initials(struct mq_span name, struct mq_buffer *out);

#endif
