/* Texts that leave the circle of those who know the people in them: names and telephone numbers masked or taken out. */
#ifndef MQ_REPLICA_SCRUB_H
#define MQ_REPLICA_SCRUB_H

#include "protocol/bytes.h"

/* 杨顺华 → 杨**, 欧阳修 → 欧阳*, 布买日穆罕默德·阿不都热合曼 → 布**: the surname stays; of a name with a dot, and of one in
 * letters, the first character. A single character stays as it is. */
void mq_mask_name(struct mq_span name, struct mq_buffer *out);
/* 13900000001 → 139****0001: the first 3 and last 4 digits stay; of fewer than 9 digits the last 2; of fewer than 5
 * digits none. What is no digit stays. */
void mq_mask_phone(struct mq_span number, struct mq_buffer *out);

/* Names to look for. Starts as zeros; the owner ends it. */
struct mq_names {
    struct mq_span *items; /* longest first, once sorted; they own their bytes */
    size_t count, capacity;
    bool sorted;
};
/* Names of a single character are not looked for: they are words as well. Copies; each once is enough, more do no harm. */
void mq_names_add(struct mq_names *names, struct mq_span name);
void mq_names_end(struct mq_names *names);

enum mq_scrub {
    MQ_SCRUB_MASK, /* names and numbers as mq_mask_name and mq_mask_phone leave them */
    MQ_SCRUB_AWAY  /* 某某, and nothing but asterisks */
};
/* `text` with every name and every run of MQ_SCRUB_DIGITS or more digits replaced. Digits may be full-width; single
 * blanks and hyphens may stand between groups of three and more, so that a date is none. */
void mq_scrub(struct mq_span text, struct mq_names *names, enum mq_scrub how, struct mq_buffer *out);

#endif
