/* Text as search compares it: what people type in several ways is one way here. Folding looks at one character at a time,
 * so a part of a text is, folded, a part of the folded text: whoever types a piece of it exactly finds it. */
#ifndef MQ_PROTOCOL_FOLD_H
#define MQ_PROTOCOL_FOLD_H

#include "protocol/bytes.h"

/* The next character of `text`, folded, and takes it; 0 at the end.
 *   capitals are small (Latin, Greek, Cyrillic), full-width letters and digits are ASCII, u-umlaut is v;
 *   blanks, the dot inside a name in all its forms (· • ・ .), hyphens, apostrophes and variation selectors are skipped:
 *   who leaves them out, or types others, finds the same.
 * Line ends stay. A byte that is not UTF-8 is MQ_FOLD_BAD and the byte. */
uint32_t mq_fold_next(struct mq_span *text);
#define MQ_FOLD_BAD 0x110000u

/* One folded character as UTF-8 (of MQ_FOLD_BAD the byte). */
void mq_fold_put(struct mq_buffer *out, uint32_t character);
/* All of a text, folded: never longer than it was. */
void mq_fold(struct mq_buffer *out, struct mq_span text);

#endif
