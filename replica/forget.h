/* What is kept about one household, and what of it goes when somebody asks (protocol/retention.h). */
#ifndef MQ_REPLICA_FORGET_H
#define MQ_REPLICA_FORGET_H

#include "protocol/retention.h"
#include "replica/erase.h"
#include "replica/records.h"

/* A record that is about the household: itself, what points to it, to a visit that was to it alone, or to such a need. */
struct mq_about {
    uint8_t record[MQ_ID_SIZE];
    uint8_t kind;
    uint32_t category; /* of a need, or of the need that a step or telling belongs to; 0: none */
};
/* All of them, each once, the household first, needs before their steps. An answer other than MQ_OK ends the walk. */
MQ_MUST_USE enum mq_status mq_about_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                              enum mq_status (*take)(void *context, const struct mq_about *about,
                                                                     struct mq_error *error),
                                              void *context, struct mq_error *error);

/* A restricted matter that names the household, by itself and with its steps and tellings: no walk of the household comes to
 * it. MQ_REFUSED, in words: it is none, or it names another. */
MQ_MUST_USE enum mq_status mq_about_matter(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                           const uint8_t matter[MQ_ID_SIZE],
                                           enum mq_status (*take)(void *context, const struct mq_about *about,
                                                                  struct mq_error *error),
                                           void *context, struct mq_error *error);

/* ---- taking out, for whoever knows what ---- */

struct mq_forgotten {
    int64_t records, fields; /* of which something goes; fields of all these records */
    int64_t answered;        /* needs among them that were answered: files that may have to be kept elsewhere */
};
struct mq_forget_item {
    struct mq_about about;
    uint64_t fields;
};
struct mq_forgetting {
    struct mq_replica *replica;
    const struct mq_emitter *emitter;
    bool other_tags_stay; /* what `tags` says besides health is written once more */
    struct mq_forgotten result;
    struct mq_erase_list list;
    struct mq_forget_item *items; /* of which something goes */
    size_t count, room;
};
/* These fields of this record, as far as they ever said anything: gives one object where something goes,
 * {"kind":…,"id":…,"fields":[…]}, with "no" of a need, and "answered":true where it was answered. */
MQ_MUST_USE enum mq_status mq_forgetting_take(struct mq_forgetting *work, const struct mq_about *about, uint64_t fields,
                                              struct mq_error *error);
/* Erases all that was taken, which must be one team's. Of a need whose words go, words say so (MQ_TAKEN_OUT); one that
 * loses its household keeps the place; a record of which everything goes is deleted, its `id` stays. */
MQ_MUST_USE enum mq_status mq_forgetting_now(struct mq_forgetting *work, const struct mq_team *team,
                                             const uint8_t *because, struct mq_error *error);
void mq_forgetting_free(struct mq_forgetting *work);

/* ---- a household ---- */

/* What shall go. */
struct mq_forget {
    uint64_t fields[MQ_FORGET_KINDS]; /* by kind, as in mq_forget_row */
    bool needs_of_health;             /* of needs only those whose category tells of health */
    bool needs_of_class_b;            /* only those whose category is sensitive */
    bool other_tags_stay;
    const uint8_t *matter; /* a restricted matter that goes with it, since a person says so; NULL: none. The caller's */
};
/* `health`, `sensitive`, `household`, or fields such as `visit.notes`; several with commas between them. */
MQ_MUST_USE enum mq_status mq_forget_parse(struct mq_forget *out, struct mq_span what, struct mq_error *error);
/* Lists what goes, as mq_forgetting_take; unless `dry`, erases it, everywhere, because of `request` (NULL: none). */
MQ_MUST_USE enum mq_status mq_forget_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                               const struct mq_forget *forget, const uint8_t *request, bool dry,
                                               struct mq_forgotten *result, const struct mq_emitter *emitter,
                                               struct mq_error *error);

/* What was erased, one object a record: {"kind":…,"id":…,"fields":[…],"day":…}; no contents, and nobody's name.
 * `because`: the request; NULL: all. */
MQ_MUST_USE enum mq_status mq_forget_list(struct mq_replica *replica, const uint8_t *because,
                                          const struct mq_emitter *emitter, struct mq_error *error);

#endif
