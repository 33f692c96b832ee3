/* What every front end of a device or a desk can do with records; each answer is one JSON object a line, given to
 * `emit` (docs/contract.md). Commands, the page and the console call these and nothing below them. */
#ifndef MQ_REPLICA_RECORDS_H
#define MQ_REPLICA_RECORDS_H

#include "platform/json.h"
#include "platform/options.h"
#include "protocol/record.h"
#include "replica/replica.h"

/* Takes one JSON object without a line end; anything but MQ_OK ends the work and is passed on. */
struct mq_emitter {
    void *context;
    enum mq_status (*emit)(void *context, struct mq_span object, struct mq_error *error);
};

/* ---- writing ---- */

struct mq_saved {
    uint8_t record[MQ_ID_SIZE];
    char id[MQ_RECORD_ID_TEXT_MAX + 1]; /* its `id`, as text */
    char number[64];                    /* a need's `no`, "" for other kinds */
    size_t masked;                      /* numbers replaced by their masks */
    size_t unknown_places;              /* places that no list here has: kept */
    char remark[MQ_ERROR_TEXT_SIZE / 2]; /* what the person should know although it is saved; "" for nothing */
    bool without_notice;                /* sensitive, and nothing says that the family was told it is kept */
    bool known;                         /* was here already, equal: nothing was written */
    bool updated;                       /* was here already with other values, which the line's now replace */
};
/* What to tell whoever wrote something sensitive about a family that was not told; NULL: nothing. */
const char *mq_saved_unnoticed(const struct mq_saved *saved);
/* A new record from an object of the record format; makes a missing `id`, and a need's `no`. Durable when it answers
 * MQ_OK. `team` NULL: the only one. */
MQ_MUST_USE enum mq_status mq_records_add(struct mq_replica *replica, const struct mq_team *team,
                                          const struct mq_json *object, struct mq_saved *saved, struct mq_error *error);
/* The same for a step or a telling of a front end: refused where the table of states does not allow it; date, due date and
 * rule are filled in. `calendar_missing` gets the year whose working days are not known, or 0. For replica/needs.h. */
MQ_MUST_USE enum mq_status mq_records_add_step(struct mq_replica *replica, const struct mq_team *team,
                                               const struct mq_json *object, struct mq_saved *saved,
                                               int *calendar_missing, struct mq_error *error);
/* The same, with the `id` for an object that has none. */
MQ_MUST_USE enum mq_status mq_records_add_as(struct mq_replica *replica, const struct mq_team *team,
                                             const struct mq_json *object, struct mq_span id, struct mq_saved *saved,
                                             struct mq_error *error);
/* The --FIELD VALUE pairs of a command as an object of the record format; a set's may stand several times. */
MQ_MUST_USE enum mq_status mq_object_from_fields(const struct mq_kind *kind, const struct mq_field_value *pairs,
                                                 size_t count, struct mq_buffer *out, struct mq_error *error);
/* One line of an import: like add, but `id` must be there, no `no` is made, a known `id` with equal values is skipped
 * and with other values refused, or edited where `update` (replica/records_update.h). Within a transaction of the
 * caller; on a refusal nothing of the line is kept. */
MQ_MUST_USE enum mq_status mq_records_import_line(struct mq_replica *replica, const struct mq_team *team,
                                                  struct mq_span line, bool update, struct mq_saved *saved,
                                                  struct mq_error *error);
/* FIELD=VALUE, FIELD+=VALUE, FIELD-=VALUE (sets); lists and objects as JSON. All assignments or none. Only what was on
 * the screen is replaced. `reason` goes with each value and stays visible in its history; it may be empty where nothing
 * guarded is lowered. MQ_REFUSED also where the field's guard forbids it (protocol/record.h), saying what it wants. */
MQ_MUST_USE enum mq_status mq_records_set(struct mq_replica *replica, struct mq_span record,
                                          const char *const *assignments, size_t count, struct mq_span reason,
                                          struct mq_saved *saved, struct mq_error *error);
/* A person's decision on a conflict: keeps choice `keep` (from 1, as listed). At a desk a `decide`, else a `set`.
 * `reason` may be empty where nothing guarded is lowered. MQ_REFUSED also where the field's guard forbids it
 * (protocol/record.h), saying what it wants. */
MQ_MUST_USE enum mq_status mq_records_resolve(struct mq_replica *replica, struct mq_span record, struct mq_span field,
                                              int64_t keep, struct mq_span reason, struct mq_error *error);
/* The same record: a link between the two, or its undoing, which gives each its own values back (desks only). `a` and `b`:
 * whatever mq_view_find takes; the link is between the records that go by these names themselves. MQ_REFUSED: different
 * kinds, different teams, one of them for named persons only; to undo, no link between the two, or others still join them
 * (they are named). Nothing is changed then. */
MQ_MUST_USE enum mq_status mq_records_merge(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                            struct mq_error *error);
/* Takes back what was said of these two alone, even where others still join them: the only way out of a ring. */
MQ_MUST_USE enum mq_status mq_records_unlink(struct mq_replica *replica, struct mq_span a, struct mq_span b,
                                             struct mq_error *error);
/* That two households or needs which look alike are not one, or the undoing of that: mq_duplicates_list leaves the pair
 * out (desks only). MQ_REFUSED as above. */
MQ_MUST_USE enum mq_status mq_records_distinct(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                               struct mq_error *error);

/* ---- reading ---- */

/* `kind` NULL: all. `search` empty: all; else any value that contains it (ASCII without case). `limit` 0: no limit. */
MQ_MUST_USE enum mq_status mq_records_list(struct mq_replica *replica, const struct mq_kind *kind,
                                           struct mq_span search, int64_t limit, const struct mq_emitter *emitter,
                                           struct mq_error *error);
/* One record; with `history` every change after it, oldest first:
 * {"at":…,"by":…,"change":…,"field":…,"value":…,"safety":…}. */
MQ_MUST_USE enum mq_status mq_records_show(struct mq_replica *replica, struct mq_span record, bool history,
                                           const struct mq_emitter *emitter, struct mq_error *error);
/* {"id":…,"record":…,"kind":…,"field":…,"values":[{"value":…,"by":…,"at":…}]}, one a conflicting field. */
MQ_MUST_USE enum mq_status mq_records_conflicts(struct mq_replica *replica, const struct mq_emitter *emitter,
                                                struct mq_error *error);
/* The exact copy, in the record format, references before what refers to them. `kind` NULL: all. Restricted matters are
 * left out. */
MQ_MUST_USE enum mq_status mq_records_export(struct mq_replica *replica, const struct mq_kind *kind,
                                             const struct mq_emitter *emitter, struct mq_error *error);
/* The same with restricted matters among them, each marked; whoever asks for them says why (docs/contract.md). */
MQ_MUST_USE enum mq_status mq_records_export_restricted(struct mq_replica *replica, const struct mq_kind *kind,
                                                        const struct mq_emitter *emitter, struct mq_error *error);
/* Segments that wait for a person or for something that has not come: {"id":…,"reason":…,"stream":…,"seq":…}. */
MQ_MUST_USE enum mq_status mq_records_quarantine(struct mq_replica *replica, const struct mq_emitter *emitter,
                                                 struct mq_error *error);

/* ---- checking ---- */

struct mq_check_result {
    int64_t segments, changes, records, waiting, quarantined, undecodable, forks, holes;
    int64_t erased; /* segments of which only the skeleton is left: no damage */
};
/* Verifies every page, signature, chain and hash; makes the view anew and compares. `rebuild`: keeps the new one where
 * it differs. Each finding goes to `emit` as
 * {"what":…,"id":…}. MQ_DAMAGED where there was one. */
MQ_MUST_USE enum mq_status mq_records_check(struct mq_replica *replica, bool rebuild, struct mq_check_result *result,
                                            const struct mq_emitter *emitter, struct mq_error *error);

#endif
