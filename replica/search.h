/* Search: which records a few typed words find, best first (docs/contract.md, "Search"). */
#ifndef MQ_REPLICA_SEARCH_H
#define MQ_REPLICA_SEARCH_H

#include "protocol/merge.h"
#include "replica/replica.h"

struct mq_search {
    const struct mq_kind *kind; /* NULL: all */
    struct mq_span words;       /* as typed, with blanks between them; a record has to have each of them somewhere */
    int64_t limit;              /* of records; 0: none */
    /* Gets each record found. Anything but MQ_OK ends the search and is passed on. It may read the replica, but the state
     * holds until it does. */
    enum mq_status (*take)(void *context, const struct mq_group_state *state, struct mq_error *error);
    void *context;
};
/* Does a query say anything, or nothing but blanks, dots and hyphens? */
bool mq_search_says_something(struct mq_span words);
/* Stands each word of a query somewhere in a text (of a line or two)? For what is no record here, but has a number. */
bool mq_search_in(struct mq_span words, struct mq_span text);
/* MQ_REFUSED: more words than MQ_SEARCH_WORDS_MAX. Only records that a list shows are found. */
MQ_MUST_USE enum mq_status mq_search(struct mq_replica *replica, const struct mq_search *search, struct mq_error *error);

#endif
