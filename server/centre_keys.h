/* The desk and its way to the store, together: what every command at the centre works with. */
#ifndef MQ_SERVER_CENTRE_KEYS_H
#define MQ_SERVER_CENTRE_KEYS_H

#include "server/desk/call_keys.h"
#include "server/link.h"
#include "server/remote.h"

struct mq_centre {
    struct mq_desk desk;
    struct mq_link link;
    struct mq_relay relay;  /* in this process, where no server runs */
    struct mq_store *store; /* likewise; else NULL */
    struct mq_remote remote; /* where the relay is another machine's */
};

/* Opens the desk; `descriptor` is its end of the link to a front, or -1: then the store is opened here too; a township's
 * desk, which has none, goes to the county's relay instead, and is refused a front. The caller calls mq_centre_close,
 * also after a failure. `centre` must not move: the desk's transport points into it. */
MQ_MUST_USE enum mq_status mq_centre_open(struct mq_centre *centre, const struct mq_platform *platform,
                                          const char *data, const struct mq_phrase *passphrase, int descriptor,
                                          struct mq_error *error);
/* The same where the relay is another machine's, at `url` under `pin` (NULL: none). `url` NULL: where the invitation of
 * a township's desk says; MQ_REFUSED where there is none. */
MQ_MUST_USE enum mq_status mq_centre_open_remote(struct mq_centre *centre, const struct mq_platform *platform,
                                                 const char *data, const struct mq_phrase *passphrase, const char *url,
                                                 const uint8_t *pin, struct mq_error *error);
void mq_centre_close(struct mq_centre *centre);

/* The passphrase from --passphrase-file, MINQING_PASSPHRASE_FILE or the terminal (`twice`: a new one, typed again) into
 * guarded memory. The caller gives it to mq_secret_free. NULL on failure. */
MQ_MUST_USE enum mq_status mq_phrase_get(struct mq_phrase **out, const struct mq_command_line *line, bool twice,
                                         struct mq_error *error);

/* Runs what `command` says for a call that is filled in but for desk and link; words of failure go to call->talk. The
 * exit code. */
int mq_verb_run(struct mq_centre *centre, const struct mq_command *command, struct mq_call *call);

/* ---- the desk's process of a running server ---- */

struct mq_desk_options {
    const struct mq_platform *platform;
    const char *data;
    const struct mq_phrase *passphrase;
    int link; /* socket to the front; -1: the relay is another machine's */
    const char *upstream; /* then its address and pin; NULL: as the store knows them */
    const uint8_t *pin;
    int news;  /* eventfd: something came that the desk will want; -1: none */
    int ready; /* pipe: a byte, once local commands are taken; -1: nobody waits for it */
};
/* Its whole life; returns the exit code. SIGTERM or SIGINT end it. */
int mq_desk_run(const struct mq_desk_options *options);

/* Takes one local command, where one waits, and answers it. */
struct mq_desk_service;
MQ_MUST_USE struct mq_desk_service *mq_desk_service_open(struct mq_centre *centre, const char *path,
                                                         struct mq_error *error);
int mq_desk_service_descriptor(const struct mq_desk_service *service);
void mq_desk_service_take(struct mq_desk_service *service);
/* Forgets results that nobody fetched. Now and then. */
void mq_desk_service_expire(struct mq_desk_service *service);
void mq_desk_service_close(struct mq_desk_service *service);

/* ---- the centre's own verbs ---- */
mq_verb mq_verb_check, mq_verb_status, mq_verb_backup;

#endif
