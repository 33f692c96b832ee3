/* Choices that point to members of one group are one choice (docs/protocol.md, section 6). */
#include "replica/view_references.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/replica_keys.h"

/* The group that a value points to; false where it is no single reference, or the record has not come. */
static bool points_to(struct mq_replica *replica, struct mq_span value, uint8_t canonical[MQ_ID_SIZE],
                      struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
        return false;
    struct mq_span record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
    struct mq_query *query;
    if (record.size != MQ_ID_SIZE ||
        mq_db_query(replica->db, &query, error, "SELECT canonical FROM record WHERE record = ?", "b", record) != MQ_OK)
        return false;
    bool found = mq_db_next(&query, error);
    if (found)
        memcpy(canonical, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    mq_db_done(&query);
    return found;
}

static bool better(const struct mq_choice *a, const struct mq_choice *b)
{
    if (a->depth != b->depth)
        return a->depth > b->depth;
    if (a->best->rank != b->best->rank)
        return a->best->rank > b->best->rank;
    return memcmp(a->best->id, b->best->id, MQ_ID_SIZE) > 0;
}

/* `into` takes over what replaces `from` must name; names stay sorted and unique. */
static bool join(struct mq_choice *into, const struct mq_choice *from, struct mq_arena *arena)
{
    uint8_t *names = mq_arena_take(arena, (into->name_count + from->name_count) * MQ_NAME_SIZE);
    size_t a = 0, b = 0, count = 0;
    if (names == NULL)
        return false;
    while (a < into->name_count || b < from->name_count) {
        const uint8_t *left = into->names + a * MQ_NAME_SIZE, *right = from->names + b * MQ_NAME_SIZE;
        int order = a == into->name_count ? 1 : b == from->name_count ? -1 : memcmp(left, right, MQ_NAME_SIZE);
        memcpy(names + count++ * MQ_NAME_SIZE, order <= 0 ? left : right, MQ_NAME_SIZE);
        a += order <= 0;
        b += order >= 0;
    }
    if (better(from, into)) {
        into->value = from->value;
        into->best = from->best;
        into->depth = from->depth;
    }
    into->names = names;
    into->name_count = count;
    return true;
}

/* Elements of a set may become one later, when their groups do; then the set is to be read again. In a register two that
 * stand are a conflict, which is read again anyway. */
static bool may_join(const struct mq_field_state *field)
{
    size_t references = 0;
    for (size_t i = 0; field->merge == MQ_MERGE_SET && i < field->choice_count; i++) {
        struct mq_reader reader = mq_reader(field->choices[i].value);
        references += mq_cbor_next(&reader).type == MQ_CBOR_REFERENCE;
    }
    return references > 1;
}

/* Quadratic in the choices of one field, of which there are few. */
static enum mq_status field_join(struct mq_replica *replica, struct mq_field_state *field, struct mq_arena *arena,
                                 int64_t *leans, struct mq_error *error)
{
    uint8_t(*targets)[MQ_ID_SIZE] = mq_arena_take(arena, field->choice_count * MQ_ID_SIZE);
    size_t kept = 0, before = field->choice_count;
    if (targets == NULL)
        return MQ_NO_SPACE;
    *leans += may_join(field);
    for (size_t i = 0; i < before; i++) {
        bool pointing = points_to(replica, field->choices[i].value, targets[kept], error);
        size_t same = 0;
        while (pointing && same < kept && memcmp(targets[same], targets[kept], MQ_ID_SIZE) != 0)
            same++;
        if (pointing && same < kept) {
            if (!join(&field->choices[same], &field->choices[i], arena))
                return MQ_NO_SPACE;
            continue;
        }
        if (!pointing)
            memset(targets[kept], 0, MQ_ID_SIZE);
        field->choices[kept++] = field->choices[i];
    }
    field->choice_count = kept;
    if (field->merge == MQ_MERGE_REGISTER && kept == 1)
        field->conflict = false;
    *leans += kept < before && field->merge != MQ_MERGE_SET;
    return error->status;
}

/* Best first, as merge left it: joining may have raised a later choice. */
static void order(struct mq_field_state *field)
{
    for (size_t i = 1; i < field->choice_count && field->merge == MQ_MERGE_REGISTER; i++)
        for (size_t j = i; j > 0 && better(&field->choices[j], &field->choices[j - 1]); j--) {
            struct mq_choice choice = field->choices[j];
            field->choices[j] = field->choices[j - 1];
            field->choices[j - 1] = choice;
        }
}

enum mq_status mq_view_references(struct mq_replica *replica, struct mq_group_state *state, struct mq_arena *arena,
                                  int64_t *leans, struct mq_error *error)
{
    *leans = 0;
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < state->field_count && status == MQ_OK; i++) {
        struct mq_field_state *field = &state->fields[i];
        if (field->choice_count < 2 || field->number < MQ_FIELD_ID)
            continue;
        size_t before = field->choice_count;
        status = field_join(replica, field, arena, leans, error);
        if (field->choice_count < before)
            order(field);
    }
    return status;
}
