/* How alike two names, telephone numbers, groups or people's words are: what makes a person at the desk look at two records
 * side by side (docs/decisions/0018-duplicates.md). Nothing here decides that two are one. Pure, and never sent: the rules
 * may change with every version.
 *
 * Each comparison gives a score from 0 to MQ_ALIKE_MOST and the reason for it. */
#ifndef MQ_PROTOCOL_LIKENESS_H
#define MQ_PROTOCOL_LIKENESS_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

#define MQ_ALIKE_MOST 1000

enum mq_alike_reason {
    MQ_ALIKE_NOT,
    /* names */
    MQ_ALIKE_SAME_NAME,     /* equal, however dots, blanks and widths were typed */
    MQ_ALIKE_SAME_SOUND,    /* character by character equal, or with a reading in common */
    MQ_ALIKE_NEAR_SOUND,    /* the same but for what dialects do not tell apart: zh/z, n/l, ang/an, huang/wang */
    MQ_ALIKE_TURNED_NAME,   /* the same characters, two given ones in each other's place */
    MQ_ALIKE_SHORTER_NAME,  /* one leaves out parts of the other */
    MQ_ALIKE_ONE_CHARACTER, /* one of three or more differs */
    MQ_ALIKE_NICKNAME,      /* one is known by what the other is called */
    /* telephones */
    MQ_ALIKE_SAME_PHONE,
    MQ_ALIKE_PHONE_END,       /* one without the area code, or at least the last seven digits */
    MQ_ALIKE_PHONE_DIGIT,     /* one digit differs, or two neighbours changed places */
    MQ_ALIKE_RELATIVES_PHONE, /* one's own number is the other's relative's */
    MQ_ALIKE_SHARED_PHONE,    /* a neighbour's, the doctor's, the shop's */
    /* where */
    MQ_ALIKE_SAME_GROUP,
    MQ_ALIKE_SAME_PLACE,
    /* words */
    MQ_ALIKE_SAME_WORDS,
    MQ_ALIKE_WORDS_WITHIN, /* all that one says stands in the other */
    MQ_ALIKE_WORDS_ALIKE,  /* other words, but the same things are spoken of */
    MQ_ALIKE_SAME_AMOUNT,
    /* needs */
    MQ_ALIKE_SAME_HOUSEHOLD,
    MQ_ALIKE_LIKELY_HOUSEHOLD, /* of two households that may be one */
    MQ_ALIKE_SAME_CATEGORY,
    MQ_ALIKE_CLOSE_DATES,
    MQ_ALIKE_REASONS /* how many there are */
};

struct mq_alike {
    unsigned score; /* 0 to MQ_ALIKE_MOST */
    enum mq_alike_reason reason;
};

/* ---- names ---- */

/* A name made ready. Of names longer than MQ_ALIKE_NAME_MAX characters, folded, only those count. */
struct mq_alike_name {
    uint32_t characters[MQ_ALIKE_NAME_MAX]; /* folded; without what stands in brackets, and the "家" of a family */
    size_t count;
    size_t first_part; /* characters before the first dot; 0: there is no dot */
    bool general;      /* what many are called: 杨婆婆, 石老大 */
};
/* `bracket` (or NULL) gets what stood in brackets: 冯谷雨（老冯） is 冯谷雨, known as 老冯. Empty where there is none. */
void mq_alike_name_read(struct mq_alike_name *out, struct mq_alike_name *bracket, struct mq_span text);
struct mq_alike mq_alike_names(const struct mq_alike_name *a, const struct mq_alike_name *b);
/* Is `called` (a whole name) the one who is known as `nickname`? */
struct mq_alike mq_alike_nickname(const struct mq_alike_name *called, const struct mq_alike_name *nickname);

/* Numbers such that two names that mq_alike_names may find alike share one, for looking up instead of comparing all
 * with all; at most MQ_ALIKE_KEYS_MAX. Others may share one too. */
size_t mq_alike_name_keys(const struct mq_alike_name *name, uint64_t out[MQ_ALIKE_KEYS_MAX]);

/* ---- telephones, groups ---- */

/* Whose number it is, from what was written beside it. */
enum mq_alike_whose {
    MQ_WHOSE_OWN,      /* 本人, 户主 */
    MQ_WHOSE_UNSAID,
    MQ_WHOSE_RELATIVE, /* 儿子, 女婿代接 */
    MQ_WHOSE_OTHERS    /* 邻居, 村医, 代销店 */
};
struct mq_alike_phone {
    char digits[MQ_ALIKE_PHONE_MAX + 1]; /* without the country's code; "" where there are fewer than 7 */
    size_t count;
    enum mq_alike_whose whose;
};
void mq_alike_phone_read(struct mq_alike_phone *out, struct mq_span number, struct mq_span whose);
struct mq_alike mq_alike_phones(const struct mq_alike_phone *a, const struct mq_alike_phone *b);
/* Equal where mq_alike_phones may find two the same or ending alike; 0: no number. */
uint64_t mq_alike_phone_key(const struct mq_alike_phone *phone);

/* 三组, 3组, 第三村民小组 and 三社 are one number; 老屋组 and 老屋 another. 0: nothing is written. */
uint64_t mq_alike_group(struct mq_span text);

/* ---- what people said ---- */

/* A text made ready: what it speaks of, by the table in likeness_words.c, and its pairs of characters. */
struct mq_alike_text {
    uint64_t topics[2];  /* things: the well, the old-age money */
    uint64_t aspects;    /* what is with them: does not come, is broken; also how one asks */
    uint64_t persons;    /* whose matter: 儿子, 老伴 */
    uint64_t pairs[MQ_ALIKE_PAIR_WORDS]; /* each pair of characters sets one bit */
    unsigned pair_count; /* bits in `pairs` */
    uint64_t single[MQ_ALIKE_PAIR_WORDS]; /* likewise each character that says something by itself */
    unsigned single_count;
    uint64_t whole;      /* a number for the folded text, punctuation left out */
    uint64_t groups[MQ_ALIKE_GROUPS_MAX]; /* that it names, as mq_alike_group gives them */
    size_t group_count;
    uint32_t amounts[MQ_ALIKE_AMOUNTS_MAX]; /* numbers from 100 up: 13000 and 一万三 are one */
    size_t amount_count;
};

/* The words of the table by their first character, so that a text is looked through quickly: made once, by whoever reads
 * many texts. */
struct mq_alike_dictionary {
    struct mq_alike_entry {
        uint32_t first;      /* character, folded */
        uint16_t row;        /* of mq_alike_words */
        uint16_t at, length; /* bytes of the row's words */
    } entries[MQ_ALIKE_WORDS_MAX]; /* sorted by `first` */
    size_t count;
    uint8_t bits[MQ_ALIKE_WORDS_MAX]; /* which bit of its class each row has */
};
void mq_alike_dictionary_make(struct mq_alike_dictionary *out);

void mq_alike_text_read(struct mq_alike_text *out, const struct mq_alike_dictionary *dictionary, struct mq_span text);
struct mq_alike mq_alike_texts(const struct mq_alike_text *a, const struct mq_alike_text *b);
/* Do both name groups, or amounts, or persons, and none in common? Then they are hardly about one matter. */
bool mq_alike_texts_differ(const struct mq_alike_text *a, const struct mq_alike_text *b);
/* Do both name amounts, and one of them is the same? */
bool mq_alike_same_amount(const struct mq_alike_text *a, const struct mq_alike_text *b);

/* Words of the table: `blank separated` ones mean the same. */
enum mq_alike_word_class {
    MQ_WORD_TOPIC,
    MQ_WORD_ASPECT,
    MQ_WORD_PERSON
};
struct mq_alike_word {
    enum mq_alike_word_class word_class;
    const char *words;
};
extern const struct mq_alike_word mq_alike_words[];
extern const size_t mq_alike_word_count;

#endif
