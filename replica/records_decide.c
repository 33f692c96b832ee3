/* A person's decisions: which of several values stands, and whether two records are one. */
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

/* ---- the same record or not ---- */

struct link_work {
    struct mq_span a, b;
};

static enum mq_status write_link(struct mq_replica *replica, const struct target *a, const struct target *b,
                                 struct mq_error *error)
{
    uint8_t memory[128], value_memory[32], id[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, sizeof memory), value = mq_buffer(value_memory, sizeof value_memory);
    mq_put_reference(&value, b->record);
    mq_change_put_add(&change, a->record, MQ_FIELD_SAME_AS, mq_written(&value));
    MQ_ASSERT(!change.failed && !value.failed);
    return mq_journal_add(replica, &a->team, mq_written(&change), a->record, id, error);
}

static enum mq_status link(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct link_work *work = context;
    struct target a, b;
    enum mq_status status = target_find(replica, work->a, &a, error);
    if (status == MQ_OK)
        status = target_find(replica, work->b, &b, error);
    if (status != MQ_OK)
        return status;
    if (mq_role_rank(a.team.certificate.role) < MQ_RANK_DESK)
        return mq_fail(error, MQ_REFUSED, _("whether two records are one is decided at the desk"));
    if (memcmp(a.team.team, b.team.team, MQ_ID_SIZE) != 0 || a.kind != b.kind)
        return mq_fail(error, MQ_REFUSED, _("only records of one kind and one team can be merged"));
    if (memcmp(a.record, b.record, MQ_ID_SIZE) == 0)
        return mq_fail(error, MQ_REFUSED, _("these are one record already"));
    return write_link(replica, &a, &b, error);
}

/* ---- and taking them apart again ---- */

struct members {
    uint8_t records[MQ_SAME_NAME_MAX][MQ_ID_SIZE];
    size_t count;
};

/* The records that go by this name themselves, whatever group they belong to: by their own `id`, or their own id in
 * hexadecimal. Once merged, both names lead to one group, so the group does not help here. */
static enum mq_status members_named(struct mq_replica *replica, struct mq_span text, struct members *out,
                                    struct mq_error *error)
{
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_query *query;
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(MQ_KIND_HOUSEHOLD), MQ_FIELD_ID);
    if (mq_value_from_text(field, text, &id) != MQ_OK)
        id.size = 0;
    out->count = 0;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT record FROM record WHERE kind > 0 AND (id = ?1 OR lower(hex(record)) = ?2) ORDER BY record",
                    "bt", mq_written(&id), text);
    if (status != MQ_OK)
        return status;
    while (out->count < MQ_SAME_NAME_MAX && mq_db_next(&query, error))
        memcpy(out->records[out->count++], mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    if (error->status == MQ_OK && out->count == 0)
        return mq_fail(error, MQ_NOT_FOUND, _("there is no record \"%.*s\" here; `list` shows what there is"),
                       (int)text.size, (const char *)text.data);
    return error->status;
}

/* The names of `record`'s own links to `other`. */
static enum mq_status link_names(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_span reference,
                                 struct mq_buffer *names, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT id, expanded FROM change WHERE record = ?",
                                        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
        struct mq_buffer unused = mq_buffer(memory, sizeof memory);
        struct mq_change change;
        uint8_t *name;
        if (mq_change_decode(&change, mq_db_blob(query, 1), &unused) == MQ_OK && change.type == MQ_CHANGE_ADD &&
            change.field == MQ_FIELD_SAME_AS && mq_span_equal(change.value, reference) &&
            (name = mq_reserve(names, MQ_NAME_SIZE)) != NULL)
            mq_element_name(name, mq_db_blob(query, 0).data, change.value);
    }
    return error->status;
}

static enum mq_status unlink_one(struct mq_replica *replica, const uint8_t from[MQ_ID_SIZE],
                                 const uint8_t to[MQ_ID_SIZE], bool *found, struct mq_error *error)
{
    uint8_t names_memory[MQ_REPLACED_MAX * MQ_NAME_SIZE], value_memory[32], team_id[MQ_ID_SIZE], id[MQ_ID_SIZE];
    uint8_t change_memory[sizeof names_memory * 2];
    struct mq_buffer names = mq_buffer(names_memory, sizeof names_memory),
                     value = mq_buffer(value_memory, sizeof value_memory);
    struct mq_buffer change = mq_buffer(change_memory, sizeof change_memory);
    struct mq_team team;
    uint64_t kind;
    mq_put_reference(&value, to);
    enum mq_status status = link_names(replica, from, mq_written(&value), &names, error);
    if (status != MQ_OK || names.size == 0)
        return status;
    *found = true;
    mq_change_put_remove(&change, from, MQ_FIELD_SAME_AS, mq_written(&names));
    MQ_ASSERT(!change.failed);
    status = mq_view_kind(replica, from, &kind, team_id, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team_id, &team, error);
    if (status == MQ_OK && mq_role_rank(team.certificate.role) < MQ_RANK_DESK)
        return mq_fail(error, MQ_REFUSED, _("whether two records are one is decided at the desk"));
    return status == MQ_OK ? mq_journal_add(replica, &team, mq_written(&change), from, id, error) : status;
}

static enum mq_status still_one(struct mq_replica *replica, const struct members *a, const struct members *b,
                                struct mq_error *error)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            int64_t same;
            enum mq_status status = mq_db_number(
                replica->db, &same, error,
                "SELECT (SELECT canonical FROM record WHERE record = ?) = (SELECT canonical FROM record WHERE record = ?)",
                "bb", MQ_SPAN(a->records[i]), MQ_SPAN(b->records[j]));
            if (status != MQ_OK)
                return status;
            if (same != 0)
                return mq_fail(
                    error, MQ_REFUSED,
                    _("these two are still joined through other records; take those apart first. Nothing was changed"));
        }
    return MQ_OK;
}

/* All links between the two, both ways, or none. */
static enum mq_status unlink_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct link_work *work = context;
    struct members a, b;
    bool found = false;
    enum mq_status status = members_named(replica, work->a, &a, error);
    if (status == MQ_OK)
        status = members_named(replica, work->b, &b, error);
    for (size_t i = 0; status == MQ_OK && i < a.count; i++)
        for (size_t j = 0; status == MQ_OK && j < b.count; j++) {
            status = unlink_one(replica, a.records[i], b.records[j], &found, error);
            if (status == MQ_OK)
                status = unlink_one(replica, b.records[j], a.records[i], &found, error);
        }
    if (status == MQ_OK && !found)
        return mq_fail(error, MQ_REFUSED, _("nobody said that these two are one; there is nothing to undo"));
    return status == MQ_OK ? still_one(replica, &a, &b, error) : status;
}

enum mq_status mq_records_merge(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                struct mq_error *error)
{
    struct link_work work = {.a = a, .b = b};
    return mq_replica_transact(replica, undo ? unlink_all : link, &work, error);
}
