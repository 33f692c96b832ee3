/* One command at the desk: what was said on the command line, and where its words go. The same functions answer whether
 * a server runs (then in its desk process, for a caller at the Unix socket) or not. */
#ifndef MQ_SERVER_DESK_CALL_KEYS_H
#define MQ_SERVER_DESK_CALL_KEYS_H

#include <stdio.h>

#include "platform/options.h"
#include "replica/records.h"
#include "server/desk/desk_keys.h"

struct mq_link;

struct mq_call {
    struct mq_desk *desk;
    struct mq_link *link; /* to the store; for commands that concern it too */
    const struct mq_command_line *line;
    const char *directory; /* the caller's working directory */
    struct mq_span input;  /* content of the file that the command takes in; empty where it takes none */
    FILE *out, *talk;      /* the result; words beside it */
    bool changed;          /* something was written that the store should have soon */
};

/* MQ_OK or why not, in words. */
typedef enum mq_status mq_verb(struct mq_call *call, struct mq_error *error);

mq_verb mq_verb_team_add, mq_verb_team_list, mq_verb_invite, mq_verb_member_list, mq_verb_member_admit, mq_verb_member_right,
    mq_verb_member_recover, mq_verb_member_held, mq_verb_member_revoke, mq_verb_team_rotate;
mq_verb mq_verb_desk_list, mq_verb_desk_show, mq_verb_desk_conflicts, mq_verb_desk_resolve, mq_verb_desk_merge,
    mq_verb_desk_unmerge, mq_verb_desk_quarantine, mq_verb_desk_adopt, mq_verb_export, mq_verb_notice, mq_verb_digest;
mq_verb mq_verb_desk_step, mq_verb_desk_today, mq_verb_desk_close_due, mq_verb_desk_set;
mq_verb mq_verb_reference_add, mq_verb_reference_set, mq_verb_reference_list, mq_verb_reference_codes,
    mq_verb_reference_import, mq_verb_place_merge, mq_verb_place_split;
mq_verb mq_verb_desk_duplicates, mq_verb_desk_distinct, mq_verb_desk_split;

mq_verb mq_verb_request_add, mq_verb_request_list, mq_verb_request_show, mq_verb_request_decide,
    mq_verb_request_extract, mq_verb_erased_list, mq_verb_retention;

bool mq_call_json(const struct mq_call *call);
/* What an option was given; NULL: it was not, or with nothing in it. */
const char *mq_call_given(const struct mq_call *call, const char *option);
/* Today by this machine's clock and place, in days since 1970-01-01. */
int32_t mq_call_today(const struct mq_call *call);
/* One line to the result. */
void mq_call_print(struct mq_call *call, struct mq_span line);
/* Each object as a line of the result. */
struct mq_emitter mq_call_lines(struct mq_call *call);
/* Merges everything stored, for a command that only reads. Where the store is out of reach, or does not know the desk in one of
 * its teams, that is said beside the result, and the command goes on with what is here; who was told so within
 * MQ_CALL_UNREACHED_MS is not made to wait once more. */
#define MQ_CALL_UNREACHED_MS 30000
MQ_MUST_USE enum mq_status mq_call_merge(struct mq_call *call, struct mq_error *error);
/* A name from the caller as a path: what is relative starts at his directory. MQ_REFUSED: too long. */
MQ_MUST_USE enum mq_status mq_call_path(const struct mq_call *call, const char *name, char out[MQ_PATH_MAX],
                                        struct mq_error *error);
/* The root's key that the call names with --root; otherwise the one in DIR. As mq_root_of. */
MQ_MUST_USE enum mq_status mq_call_root(struct mq_call *call, struct mq_identity *root, struct mq_error *error);
/* Only its file: NULL where none is named. */
MQ_MUST_USE enum mq_status mq_call_root_file(const struct mq_call *call, char memory[MQ_PATH_MAX], const char **file,
                                             struct mq_error *error);
/* A number of an option or argument. MQ_REFUSED, naming `what` and the range. */
MQ_MUST_USE enum mq_status mq_call_number(const char *text, const char *what, int64_t least, int64_t most, int64_t *out,
                                          struct mq_error *error);
/* A team by name or id. NULL: the only one. MQ_REFUSED, with the teams there are. */
MQ_MUST_USE enum mq_status mq_call_team(struct mq_call *call, const char *text, struct mq_team *team,
                                        struct mq_error *error);

#define MQ_TIME_TEXT_SIZE 32
/* RFC 3339, UTC. */
void mq_time_text(char out[MQ_TIME_TEXT_SIZE], int64_t seconds);

#endif
