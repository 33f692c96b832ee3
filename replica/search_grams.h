/* Short pieces of a text, each as a number of 16 bits: a text that holds a word holds all pieces of the word. Single
 * characters and pairs of them; of letters and digits triples too, because pairs of digits stand everywhere. Folded
 * (protocol/fold.h); a line end parts pieces. */
#ifndef MQ_REPLICA_SEARCH_GRAMS_H
#define MQ_REPLICA_SEARCH_GRAMS_H

#include "protocol/bytes.h"

#define MQ_GRAMS 65536

struct mq_grams {
    uint64_t seen[MQ_GRAMS / 64];
    size_t count;
};

/* Begins empty (all zeros). */
void mq_grams_add(struct mq_grams *grams, struct mq_span text);
/* All of them in order, `count` of them, big-endian, two bytes each; and empties the set. */
void mq_grams_list(struct mq_grams *grams, struct mq_buffer *out);
/* Is it in such a list? */
bool mq_grams_have(struct mq_span list, uint16_t gram);
/* What every text with this word (folded, not empty) has, the most telling of its pieces, at most `most`. */
size_t mq_grams_of_word(struct mq_span word, uint16_t *out, size_t most);

#endif
