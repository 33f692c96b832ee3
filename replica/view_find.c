/* Finding a record by what a person has at hand. */
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "replica/matter.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define CANDIDATES_MAX 8
#define SHOWN_SIZE 6 /* bytes of a record's own id, where there are several to choose from */
#define PREFIX_MIN 6 /* hexadecimal digits of a record's own id */

struct candidates {
    uint8_t ids[CANDIDATES_MAX][MQ_ID_SIZE];
    size_t count;
};

static void candidate_put(struct candidates *found, struct mq_span id)
{
    MQ_ASSERT(id.size == MQ_ID_SIZE);
    for (size_t i = 0; i < found->count; i++)
        if (memcmp(found->ids[i], id.data, MQ_ID_SIZE) == 0)
            return;
    if (found->count < CANDIDATES_MAX)
        memcpy(found->ids[found->count++], id.data, MQ_ID_SIZE);
}

static enum mq_status candidates_take(struct mq_query *query, struct candidates *found, struct mq_error *error)
{
    while (mq_db_next(&query, error))
        candidate_put(found, mq_db_blob(query, 0));
    return error->status;
}

/* By the imported or made `id`. */
static enum mq_status by_id(struct mq_replica *replica, int64_t kind, struct mq_span text, struct candidates *found,
                            struct mq_error *error)
{
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer encoded = mq_buffer(memory, sizeof memory);
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(MQ_KIND_HOUSEHOLD), MQ_FIELD_ID);
    if (mq_value_from_text(field, text, &encoded) != MQ_OK)
        return MQ_OK;
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT DISTINCT canonical FROM record WHERE (?1 = 0 OR kind = ?1) AND kind > 0 AND id = ?2", "ib",
                    kind, mq_written(&encoded));
    return status == MQ_OK ? candidates_take(query, found, error) : status;
}

/* By the record's own id in hexadecimal, whole or from the front. */
static enum mq_status by_hex(struct mq_replica *replica, int64_t kind, struct mq_span text, struct candidates *found,
                             struct mq_error *error)
{
    if (text.size < PREFIX_MIN || text.size > 2 * MQ_ID_SIZE)
        return MQ_OK;
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') || (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return MQ_OK;
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT canonical FROM record WHERE (?1 = 0 OR kind = ?1) AND kind > 0 AND substr(lower(hex(record)), 1, ?2) = ?3",
        "iit", kind, (int64_t)text.size, text);
    return status == MQ_OK ? candidates_take(query, found, error) : status;
}

/* By a need's number, whatever the case of its letters; all that a need has count, not only the shown one. */
static enum mq_status by_number(struct mq_replica *replica, int64_t kind, struct mq_span text, struct candidates *found,
                                struct mq_error *error)
{
    struct mq_query *query;
    if (kind != 0 && kind != MQ_KIND_NEED)
        return MQ_OK;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT need FROM need_number WHERE number = ?", "t", text);
    return status == MQ_OK ? candidates_take(query, found, error) : status;
}

enum mq_status mq_view_shown(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE], bool *shown,
                             struct mq_error *error)
{
    int64_t before = 0;
    enum mq_status status = mq_db_number(
        replica->db, &before, error,
        "SELECT count(*) FROM record AS mine JOIN record AS other ON other.kind = mine.kind AND other.id = mine.id"
        " JOIN state ON state.canonical = other.canonical AND NOT state.deleted"
        " WHERE mine.record = ?1 AND other.canonical < ?1",
        "b", mq_span(canonical, MQ_ID_SIZE));
    *shown = before == 0;
    return status;
}

/* Of one piece of reference data in several teams, any will do: the first. */
static enum mq_status leave_one(struct mq_replica *replica, struct candidates *found, struct mq_error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++) {
        uint64_t number;
        uint8_t team[MQ_ID_SIZE];
        bool shown = true;
        enum mq_status status = mq_view_kind(replica, found->ids[i], &number, team, error);
        const struct mq_kind *kind = mq_kind_by_number(number);
        if (status == MQ_OK && kind != NULL && kind->desk_only)
            status = mq_view_shown(replica, found->ids[i], &shown, error);
        if (status != MQ_OK)
            return status;
        if (shown)
            memmove(found->ids[kept++], found->ids[i], MQ_ID_SIZE);
    }
    found->count = kept;
    return MQ_OK;
}

static enum mq_status ambiguous(const struct candidates *found, struct mq_span text, struct mq_error *error)
{
    char list[CANDIDATES_MAX * (1 + 2 * SHOWN_SIZE) + 1] = "";
    size_t used = 0;
    for (size_t i = 0; i < found->count; i++) {
        list[used++] = ' ';
        mq_hex_write(list + used, mq_span(found->ids[i], SHOWN_SIZE));
        used += 2 * SHOWN_SIZE;
    }
    return mq_fail(error, MQ_REFUSED, _("\"%.*s\" fits several records; say which one:%s"), (int)text.size,
                   (const char *)text.data, list);
}

/* A colleague's record may have taken the name of a matter that was sealed here: what was meant for the few must not go to
 * all, so then neither is found without being asked which. */
static enum mq_status by_matter(struct mq_replica *replica, uint64_t kind, struct mq_span text, struct candidates *found,
                                struct mq_error *error)
{
    struct mq_matter matter;
    struct mq_query *query;
    enum mq_status status = mq_matter_named(replica, kind, text, &matter, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    status = mq_db_query(replica->db, &query, error,
                         "SELECT ifnull((SELECT canonical FROM record WHERE record = ?1 AND kind > 0), ?1)", "b",
                         MQ_SPAN(matter.record));
    return status == MQ_OK ? candidates_take(query, found, error) : status;
}

enum mq_status mq_view_find(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span text,
                            uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct candidates found = {.count = 0};
    int64_t number = kind == NULL ? 0 : kind->number;
    enum mq_status status = by_id(replica, number, text, &found, error);
    if (status == MQ_OK && found.count == 0)
        status = by_hex(replica, number, text, &found, error);
    if (status == MQ_OK && found.count == 0)
        status = by_number(replica, number, text, &found, error);
    if (status == MQ_OK && found.count > 1)
        status = leave_one(replica, &found, error);
    if (status == MQ_OK && found.count > 0)
        status = by_matter(replica, (uint64_t)number, text, &found, error);
    if (status != MQ_OK)
        return status;
    if (found.count == 0)
        return mq_fail(error, MQ_NOT_FOUND, _("there is no record \"%.*s\" here; `list` shows what there is"),
                       (int)text.size, (const char *)text.data);
    if (found.count > 1)
        return ambiguous(&found, text, error);
    memcpy(canonical, found.ids[0], MQ_ID_SIZE);
    return MQ_OK;
}
