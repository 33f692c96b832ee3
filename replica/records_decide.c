/* A person's decision: which of several values stands. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/convert.h"
#include "replica/journal.h"
#include "replica/records.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

struct target {
    struct mq_team team;
    uint8_t record[MQ_ID_SIZE];
    const struct mq_kind *kind;
};

static enum mq_status target_find(struct mq_replica *replica, struct mq_span text, struct target *out,
                                  struct mq_error *error)
{
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(replica, NULL, text, out->record, error);
    if (status == MQ_OK)
        status = mq_view_kind(replica, out->record, &kind, team, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team, &out->team, error);
    if (status == MQ_OK && (out->kind = mq_kind_by_number(kind)) == NULL)
        status = mq_fail(error, MQ_REFUSED,
                         _("this record is of a kind that this version does not know; update the program"));
    return status;
}

/* ---- conflicts ---- */

struct resolve_work {
    struct mq_span record, field, reason;
    int64_t keep;
};

enum mq_status mq_guard_check(const struct mq_field *field, struct mq_span from, struct mq_span to, unsigned rank,
                              struct mq_span reason, struct mq_error *error)
{
    if (field->guard == MQ_GUARD_NONE || mq_value_openness(to) <= mq_value_openness(from))
        return MQ_OK;
    if (field->guard == MQ_GUARD_REASON && reason.size == 0)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is lowered only with a reason, which stays visible: --reason TEXT"),
                       field->key);
    if (field->guard == MQ_GUARD_COUNTY && rank < MQ_RANK_COUNTY)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" can be raised here, but only the county takes it back"), field->key);
    return MQ_OK;
}

static enum mq_status put_decision(const struct target *target, const struct mq_field *field,
                                   const struct mq_field_state *here, const struct resolve_work *work,
                                   struct mq_buffer *change, struct mq_error *error)
{
    int64_t keep = work->keep;
    unsigned rank = mq_role_rank(target->team.certificate.role);
    uint8_t names_memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(names_memory, sizeof names_memory);
    if (here == NULL || !(here->conflict || here->review))
        return mq_fail(error, MQ_REFUSED, _("\"%s\" has no conflict; there is nothing to decide"), field->key);
    if (keep < 1 || keep > (int64_t)here->choice_count)
        return mq_fail(error, MQ_REFUSED, _("--keep counts the values from 1 to %zu, as `conflicts` lists them"),
                       here->choice_count);
    for (size_t i = 0; i < here->choice_count; i++)
        mq_put(&names, here->choices[i].names, here->choices[i].name_count * MQ_NAME_SIZE);
    MQ_ASSERT(!names.failed);
    struct mq_span value = here->choices[keep - 1].value;
    enum mq_status status = mq_guard_check(field, here->choices[0].value, value, rank, work->reason, error);
    if (status != MQ_OK)
        return status;
    if (rank >= MQ_RANK_DESK)
        mq_change_put_decide(change, target->record, field->number, value, mq_written(&names), work->reason);
    else
        mq_change_put_set(change, target->record, field->number, value, mq_written(&names), work->reason);
    return change->failed ? mq_fail(error, MQ_REFUSED, _("this is too long to save in one piece; split it")) : MQ_OK;
}

static enum mq_status resolve(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct resolve_work *work = context;
    struct target target;
    struct mq_group_state state;
    uint8_t id[MQ_ID_SIZE];
    enum mq_status status = target_find(replica, work->record, &target, error);
    if (status != MQ_OK)
        return status;
    const struct mq_field *field = mq_field_by_key(target.kind, work->field);
    if (field == NULL)
        return mq_fail(error, MQ_REFUSED, _("\"%.*s\" is no key of a %s"), (int)work->field.size,
                       (const char *)work->field.data, target.kind->key);
    status = mq_view_group(replica, target.record, &state, error);
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX);
    struct mq_buffer change = mq_buffer(memory, MQ_CHANGE_MAX);
    status = put_decision(&target, field, mq_group_field(&state, field->number), work, &change, error);
    if (status == MQ_OK)
        status = mq_journal_add(replica, &target.team, mq_written(&change), target.record, id, error);
    mq_work_free(memory, change.size);
    return status;
}

enum mq_status mq_records_resolve(struct mq_replica *replica, struct mq_span record, struct mq_span field, int64_t keep,
                                  struct mq_span reason, struct mq_error *error)
{
    struct resolve_work work = {.record = record, .field = field, .reason = reason, .keep = keep};
    if (reason.size > MQ_SHORT_TEXT_MAX || !mq_utf8_valid(reason))
        return mq_fail(error, MQ_REFUSED, _("the reason is longer than %d bytes, or not UTF-8"), MQ_SHORT_TEXT_MAX);
    return mq_replica_transact(replica, resolve, &work, error);
}
