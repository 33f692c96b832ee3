/* Lists of what is to be erased, applied: to the view, to what was kept, and to the bodies of segments. */
#include "replica/erase.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/journal.h"
#include "replica/outgoing.h"
#include "replica/reference.h"
#include "replica/replica_keys.h"
#include "replica/returned.h"
#include "replica/search_blocks.h"
#include "replica/search_index.h"
#include "replica/survivor.h"
#include "replica/view.h"

/* ---- noting ---- */

enum mq_status mq_erase_note(struct mq_replica *replica, const struct mq_erase_scope *scope, int64_t wall,
                             struct mq_span expanded, struct mq_error *error)
{
    struct mq_erasure list;
    struct mq_erase_entry entry;
    enum mq_status status = mq_erasure_get(&list, expanded);
    MQ_ASSERT(status == MQ_OK); /* whoever admits has looked */
    struct mq_erasure_walk walk = mq_erasure_walk(&list);
    struct mq_span team = mq_span(scope->team, MQ_ID_SIZE);
    int64_t compartment = scope->compartment;
    while (status == MQ_OK && mq_erasure_next(&walk, &entry))
        status = list.because_known
                     ? mq_db_run(replica->db, error, "INSERT OR IGNORE INTO erased VALUES(?, ?, ?, ?, ?, ?, 0)", "bbiibi",
                                 team, MQ_SPAN(entry.name), compartment, (int64_t)entry.field, MQ_SPAN(list.because), wall)
                     : mq_db_run(replica->db, error, "INSERT OR IGNORE INTO erased VALUES(?, ?, ?, ?, NULL, ?, 0)", "bbiii",
                                 team, MQ_SPAN(entry.name), compartment, (int64_t)entry.field, wall);
    return status;
}

/* ---- one change ---- */

/* The fields that are erased of the change whose id begins with `name`. */
static enum mq_status fields_of(struct mq_replica *replica, const struct mq_erase_scope *scope, struct mq_span name,
                                uint8_t fields[UINT8_MAX], size_t *count, struct mq_error *error)
{
    struct mq_query *query;
    *count = 0;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT field FROM erased WHERE team = ? AND name = ? AND compartment = ?",
                    "bbi", mq_span(scope->team, MQ_ID_SIZE), name, (int64_t)scope->compartment);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        MQ_ASSERT(*count < UINT8_MAX);
        fields[(*count)++] = (uint8_t)mq_db_int(query, 0);
    }
    return error->status;
}

enum mq_status mq_erase_incoming(struct mq_replica *replica, const struct mq_erase_scope *scope,
                                 const uint8_t id[MQ_ID_SIZE], struct mq_span expanded, struct mq_buffer *out,
                                 struct mq_error *error)
{
    uint8_t fields[UINT8_MAX];
    size_t count;
    enum mq_status status = fields_of(replica, scope, mq_span(id, MQ_NAME_SIZE), fields, &count, error);
    if (status != MQ_OK || count == 0)
        return status == MQ_OK ? MQ_NOT_FOUND : status;
    status = mq_change_void(out, expanded, fields, count);
    if (status == MQ_REFUSED)
        return MQ_NOT_FOUND; /* of a type that this program does not know: nobody can say which field it is about */
    MQ_ASSERT(status == MQ_OK); /* never longer than it was */
    return mq_span_equal(mq_written(out), expanded) ? MQ_NOT_FOUND : MQ_OK;
}

/* Records whose state has to be looked at once more. */
struct touched {
    uint8_t (*records)[MQ_ID_SIZE];
    size_t count, room;
    bool kept; /* something went out of what was written down */
};

static void touch(struct touched *touched, struct mq_span record)
{
    if (touched->count == touched->room) {
        touched->room = touched->room == 0 ? 64 : 2 * touched->room;
        touched->records = realloc(touched->records, touched->room * MQ_ID_SIZE);
        mq_enough(touched->records);
    }
    MQ_ASSERT(record.size == MQ_ID_SIZE);
    memcpy(touched->records[touched->count++], record.data, MQ_ID_SIZE);
}

/* The row of a change loses its content, and the segments that carry it are marked. */
static enum mq_status change_empty(struct mq_replica *replica, struct mq_span id, int64_t segment, struct mq_span left,
                                   struct mq_error *error)
{
    struct mq_db *db = replica->db;
    MQ_ASSERT(segment > 0); /* everything is sealed before a list comes in or is made */
    enum mq_status status = mq_db_run(db, error, "UPDATE change SET expanded = ? WHERE id = ?", "bb", left, id);
    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           "UPDATE segment SET erased = 1 WHERE erased = 0 AND (number = ?1 OR number IN"
                           " (SELECT segment FROM twice WHERE id = ?2))",
                           "ib", segment, id);
    return status;
}

static enum mq_status survivor_empty(struct mq_replica *replica, int64_t number, struct mq_span left, struct mq_error *error)
{
    enum mq_status status = mq_db_run(replica->db, error,
                                      "UPDATE segment SET erased = 1 WHERE erased = 0 AND number ="
                                      " (SELECT segment FROM survivor WHERE number = ?)",
                                      "i", number);
    return status == MQ_OK ? mq_db_run(replica->db, error, "UPDATE survivor SET expanded = ? WHERE number = ?", "bi", left,
                                       number)
                           : status;
}

/* What was written down of segments loses it too, also where the segment does not count now and nothing of it stands in the
 * view. Ids from `least` to `most`. */
static enum mq_status survivors_apply(struct mq_replica *replica, const struct mq_erase_scope *scope,
                                      const uint8_t least[MQ_ID_SIZE], const uint8_t most[MQ_ID_SIZE],
                                      struct touched *touched, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT v.number, v.id, v.expanded FROM survivor AS v JOIN segment AS g ON g.number = v.segment"
        " JOIN stream USING(stream) JOIN mailbox USING(mailbox) WHERE v.id BETWEEN ? AND ? AND team = ? AND compartment = ?",
        "bbbi", mq_span(least, MQ_ID_SIZE), mq_span(most, MQ_ID_SIZE), mq_span(scope->team, MQ_ID_SIZE),
        (int64_t)scope->compartment);
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_buffer left = mq_buffer(memory, MQ_CHANGE_MAX);
        status = mq_erase_incoming(replica, scope, mq_db_blob(query, 1).data, mq_db_blob(query, 2), &left, error);
        if (status == MQ_OK) {
            status = survivor_empty(replica, mq_db_int(query, 0), mq_written(&left), error);
            touched->kept = true;
        } else if (status == MQ_NOT_FOUND)
            status = MQ_OK;
    }
    mq_db_done(&query);
    mq_work_free(memory, MQ_CHANGE_MAX);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status changes_apply(struct mq_replica *replica, const struct mq_erase_scope *scope,
                                    const uint8_t least[MQ_ID_SIZE], const uint8_t most[MQ_ID_SIZE],
                                    struct touched *touched, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT id, record, segment, expanded FROM change WHERE id BETWEEN ? AND ?"
                                        " AND team = ? AND compartment = ?",
                                        "bbbi", mq_span(least, MQ_ID_SIZE), mq_span(most, MQ_ID_SIZE),
                                        mq_span(scope->team, MQ_ID_SIZE), (int64_t)scope->compartment);
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_buffer left = mq_buffer(memory, MQ_CHANGE_MAX);
        struct mq_span id = mq_db_blob(query, 0);
        status = mq_erase_incoming(replica, scope, id.data, mq_db_blob(query, 3), &left, error);
        if (status == MQ_OK)
            status = change_empty(replica, id, mq_db_int(query, 2), mq_written(&left), error);
        if (status == MQ_OK)
            touch(touched, mq_db_blob(query, 1));
        if (status == MQ_NOT_FOUND)
            status = MQ_OK;
    }
    mq_db_done(&query);
    mq_work_free(memory, MQ_CHANGE_MAX);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status name_apply(struct mq_replica *replica, const struct mq_erase_scope *scope, struct mq_span name,
                                 struct touched *touched, struct mq_error *error)
{
    uint8_t least[MQ_ID_SIZE] = {0}, most[MQ_ID_SIZE];
    memset(most, 0xff, sizeof most);
    memcpy(least, name.data, MQ_NAME_SIZE);
    memcpy(most, name.data, MQ_NAME_SIZE);
    enum mq_status status = changes_apply(replica, scope, least, most, touched, error);
    return status == MQ_OK ? survivors_apply(replica, scope, least, most, touched, error) : status;
}

/* Every name that is noted and not yet looked for. */
static enum mq_status names_apply(struct mq_replica *replica, struct touched *touched, struct mq_error *error)
{
    for (;;) {
        struct mq_query *query;
        uint8_t team[MQ_ID_SIZE], name[MQ_NAME_SIZE];
        enum mq_status status =
            mq_db_query(replica->db, &query, error, "SELECT team, name, compartment FROM erased WHERE done = 0 LIMIT 1", "");
        if (status != MQ_OK)
            return status;
        if (!mq_db_next(&query, error))
            return error->status;
        memcpy(team, mq_db_blob(query, 0).data, sizeof team);
        memcpy(name, mq_db_blob(query, 1).data, sizeof name);
        const struct mq_erase_scope scope = {team, (uint32_t)mq_db_int(query, 2)};
        mq_db_done(&query);
        status = name_apply(replica, &scope, MQ_SPAN(name), touched, error);
        if (status == MQ_OK)
            status = mq_db_run(replica->db, error,
                               "UPDATE erased SET done = 1 WHERE team = ? AND name = ? AND compartment = ?", "bbi",
                               MQ_SPAN(team), MQ_SPAN(name), (int64_t)scope.compartment);
        if (status != MQ_OK)
            return status;
    }
}

static int record_order(const void *a, const void *b)
{
    return memcmp(a, b, MQ_ID_SIZE);
}

static bool touched_again(const struct touched *touched, size_t i)
{
    return i > 0 && memcmp(touched->records[i - 1], touched->records[i], MQ_ID_SIZE) == 0;
}

static enum mq_status touched_settle(struct mq_replica *replica, struct touched *touched, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    if (touched->count == 0)
        return MQ_OK;
    qsort(touched->records, touched->count, MQ_ID_SIZE, record_order);
    for (size_t i = 0; i < touched->count && status == MQ_OK; i++)
        if (!touched_again(touched, i))
            status = mq_search_erase(replica, touched->records[i], error);
    if (status == MQ_OK)
        status = mq_search_blocks_sweep(replica, error);
    for (size_t i = 0; i < touched->count && status == MQ_OK; i++)
        if (!touched_again(touched, i))
            status = mq_view_settle(replica, touched->records[i], error);
    return status == MQ_OK ? mq_view_settle_references(replica, error) : status;
}

/* ---- bodies ---- */

static enum mq_status skeleton_of(struct mq_replica *replica, int64_t number, uint8_t out[MQ_SKELETON_SIZE],
                                  struct mq_error *error)
{
    struct mq_query *query;
    struct mq_segment segment;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT bytes FROM segment WHERE number = ?", "i", number);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_FAULT;
    status = mq_segment_decode(&segment, mq_db_blob(query, 0));
    if (status == MQ_OK)
        mq_skeleton_encode(out, &segment);
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK : mq_fail(error, MQ_DAMAGED, _("a segment in this store is damaged; `check` names it"));
}

/* The server could never have our stream without a gap any more: it ends here, and the rest of it is carried. */
static enum mq_status own_stream_end(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    struct mq_db *db = replica->db;
    enum mq_status status =
        mq_db_run(db, error,
                  "UPDATE stream SET closed = 1 WHERE mine = 1 AND closed = 0 AND stream ="
                  " (SELECT stream FROM segment WHERE number = ?1) AND server_seq <"
                  " (SELECT seq FROM segment WHERE number = ?1)",
                  "i", number);
    if (status != MQ_OK || mq_db_changes(db) == 0)
        return status;
    return mq_db_run(db, error,
                     "UPDATE segment SET carry = 1 WHERE mine = 1 AND stored = 0 AND erased < 2 AND stream ="
                     " (SELECT stream FROM segment WHERE number = ?)",
                     "i", number);
}

static enum mq_status body_drop(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    uint8_t skeleton[MQ_SKELETON_SIZE];
    enum mq_status status = mq_survivors_keep_all(replica, number, error);
    if (status == MQ_OK)
        status = mq_returned_lock(replica, number, error);
    if (status == MQ_OK)
        status = skeleton_of(replica, number, skeleton, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "UPDATE segment SET bytes = ?, erased = 2, carry = 0 WHERE number = ?",
                           "bi", MQ_SPAN(skeleton), number);
    return status == MQ_OK ? own_stream_end(replica, number, error) : status;
}

/* A body goes where it is certain that the desk has it: it came from a server and is owed to nobody; or it is ours, and
 * a receipt covers it; or we are the county's desk, which gets no receipts, and a server has it for the others. Beyond a cut
 * it goes where its changes are written down, so that letting it in needs no body. */
static enum mq_status bodies_drop(struct mq_replica *replica, bool *any, struct mq_error *error)
{
    int64_t number = 0;
    for (;;) {
        enum mq_status status = mq_db_number(
            replica->db, &number, error,
            "SELECT g.number FROM segment AS g JOIN stream AS s ON s.stream = g.stream WHERE g.erased = 1 AND"
            " (g.state = 1 OR g.kept = 1)"
            " AND ((g.mine = 0 AND g.carry = 0) OR g.anchored = 1 OR (g.mine = 1 AND g.stored = 1 AND s.rank >= ?))"
            " AND g.number > ? ORDER BY g.number LIMIT 1",
            "ii", (int64_t)MQ_RANK_COUNTY, number);
        if (status == MQ_NOT_FOUND)
            return MQ_OK;
        if (status == MQ_OK)
            status = body_drop(replica, number, error);
        if (status != MQ_OK)
            return status;
        *any = true;
    }
}

enum mq_status mq_erase_lend(struct mq_replica *replica, const struct mq_segment *segment, struct mq_span bytes,
                             struct mq_error *error)
{
    return mq_db_run(replica->db, error,
                     "INSERT OR IGNORE INTO lent SELECT id, ?2 FROM segment WHERE id = ?1 AND erased = 2 AND EXISTS"
                     " (SELECT 1 FROM segment AS w WHERE w.state = 0 AND w.reason = 'erased' AND w.stream = segment.stream)",
                     "bb", MQ_SPAN(segment->id), bytes);
}

static enum mq_status lent_return(struct mq_replica *replica, bool *any, struct mq_error *error)
{
    enum mq_status status =
        mq_db_run(replica->db, error,
                  "DELETE FROM lent WHERE NOT EXISTS (SELECT 1 FROM segment WHERE state = 0 AND reason = 'erased')", "");
    *any = *any || (status == MQ_OK && mq_db_changes(replica->db) > 0);
    return status;
}

static enum mq_status log_note(struct mq_replica *replica, struct mq_error *error)
{
    replica->log_stale = true;
    return mq_setting_put_number(replica, "log_stale", 1, error);
}

static enum mq_status return_lent(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    enum mq_status status = mq_db_run(replica->db, error, "DELETE FROM lent", "");
    return status == MQ_OK && mq_db_changes(replica->db) > 0 ? log_note(replica, error) : status;
}

enum mq_status mq_erase_return_lent(struct mq_replica *replica, struct mq_error *error)
{
    return mq_replica_transact(replica, return_lent, NULL, error);
}

enum mq_status mq_erase_settle(struct mq_replica *replica, struct mq_error *error)
{
    struct touched touched = {.count = 0};
    MQ_ASSERT(mq_db_in_transaction(replica->db));
    enum mq_status status = names_apply(replica, &touched, error);
    bool any = touched.count > 0 || touched.kept;
    if (status == MQ_OK)
        status = touched_settle(replica, &touched, error);
    free(touched.records);
    if (status == MQ_OK)
        status = bodies_drop(replica, &any, error);
    if (status == MQ_OK)
        status = lent_return(replica, &any, error);
    if (status != MQ_OK || !any)
        return status;
    /* What was there may still stand in the chain's memory and in the write-ahead log. */
    mq_chain_forget(&replica->chain);
    return log_note(replica, error);
}

/* ---- at a desk ---- */

void mq_erase_list_free(struct mq_erase_list *list)
{
    free(list->items);
    *list = (struct mq_erase_list){.items = NULL};
}

static void list_put(struct mq_erase_list *list, const uint8_t *name, uint8_t field, uint32_t compartment)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        mq_enough(list->items);
    }
    struct mq_erase_item *item = &list->items[list->count++];
    *item = (struct mq_erase_item){.entry.field = field, .compartment = compartment};
    memcpy(item->entry.name, name, MQ_NAME_SIZE);
}

static bool creates_field(const struct mq_change *change, uint8_t field)
{
    struct mq_reader reader = mq_reader(change->fields);
    uint64_t pairs = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    for (uint64_t i = 0; i < pairs && !reader.failed; i++) {
        uint64_t number = mq_cbor_uint(&reader);
        (void)mq_cbor_take(&reader);
        if (number > MQ_FIELD_ID && (field == MQ_ERASE_WHOLE || number == field))
            return true;
    }
    return false;
}

/* A field's number as lists name it. One that no list can name is named by the whole change, which is about it alone. */
static uint8_t list_field(uint64_t field)
{
    return field < MQ_ERASE_WHOLE ? (uint8_t)field : MQ_ERASE_WHOLE;
}

/* What a change replaced may have come to others only, and must not stand there again. But anybody can write any name: a
 * change that is here, of a record outside the group, is not what it replaced. */
static enum mq_status list_replaced(struct mq_replica *replica, struct mq_erase_list *list, const uint8_t *record,
                                    const struct mq_change *change, uint32_t compartment, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t at = 0; at < change->replaced.size && status == MQ_OK; at += MQ_NAME_SIZE) {
        const uint8_t *name = change->replaced.data + at;
        uint8_t least[MQ_ID_SIZE] = {0}, most[MQ_ID_SIZE];
        int64_t others;
        memset(most, 0xff, sizeof most);
        memcpy(least, name, MQ_NAME_SIZE);
        memcpy(most, name, MQ_NAME_SIZE);
        status = mq_db_number(replica->db, &others, error,
                              "SELECT EXISTS (SELECT 1 FROM change AS c JOIN record AS r USING(record)"
                              " WHERE c.id BETWEEN ?1 AND ?2"
                              " AND r.canonical <> (SELECT canonical FROM record WHERE record = ?3))",
                              "bbb", MQ_SPAN(least), MQ_SPAN(most), mq_span(record, MQ_ID_SIZE));
        if (status == MQ_OK && others == 0)
            list_put(list, name, list_field(change->field), compartment);
    }
    return status;
}

static enum mq_status list_change(struct mq_replica *replica, struct mq_erase_list *list, const uint8_t *record,
                                  const uint8_t *id, const struct mq_change *change, uint32_t compartment,
                                  uint8_t field, struct mq_error *error)
{
    if (change->type == MQ_CHANGE_CREATE) {
        if (creates_field(change, field))
            list_put(list, id, field, compartment);
        return MQ_OK;
    }
    if (change->field <= MQ_FIELD_ID || (field != MQ_ERASE_WHOLE && change->field != field))
        return MQ_OK;
    if (change->type != MQ_CHANGE_REMOVE)
        list_put(list, id, list_field(change->field), compartment);
    return list_replaced(replica, list, record, change, compartment, error);
}

enum mq_status mq_erase_list_field(struct mq_replica *replica, struct mq_erase_list *list,
                                   const uint8_t record[MQ_ID_SIZE], uint8_t field, struct mq_error *error)
{
    struct mq_query *query;
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = field == MQ_ERASE_WHOLE ? mq_view_kind(replica, record, &kind, team, error) : MQ_NOT_FOUND;
    if (status == MQ_OK && mq_reference_kind(mq_kind_by_number(kind)))
        return mq_fail(error, MQ_REFUSED, _("codes, places, units, calendars and presets are never deleted; give it a last day"));
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    status =
        mq_db_query(replica->db, &query, error,
                    "SELECT c.id, c.expanded, c.compartment FROM record AS one JOIN record AS r ON r.canonical = one.canonical"
                    " JOIN change AS c ON c.record = r.record WHERE one.record = ? ORDER BY c.number",
                    "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        uint8_t room[MQ_REPLACED_MAX * MQ_NAME_SIZE];
        struct mq_buffer names = mq_buffer(room, sizeof room);
        struct mq_change change;
        if (mq_change_decode(&change, mq_db_blob(query, 1), &names) == MQ_OK && !mq_change_is_void(&change))
            status = list_change(replica, list, record, mq_db_blob(query, 0).data, &change, (uint32_t)mq_db_int(query, 2),
                                 field, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

struct erase_work {
    const struct mq_team *team;
    const uint8_t *because;
    struct mq_erase_list *list;
    mq_erase_then *then;
    void *context;
};

static int compartment_order(const void *a, const void *b)
{
    const struct mq_erase_item *left = a, *right = b;
    return (left->compartment > right->compartment) - (left->compartment < right->compartment);
}

/* As many as one list may have, all of one compartment; gives how many. */
static size_t take_list(const struct mq_erase_list *list, size_t from, struct mq_erase_entry *entries)
{
    size_t count = 0;
    while (from + count < list->count && count < MQ_ERASE_ENTRIES_MAX &&
           list->items[from + count].compartment == list->items[from].compartment) {
        entries[count] = list->items[from + count].entry;
        count++;
    }
    return count;
}

static enum mq_status write_lists(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct erase_work *work = context;
    struct mq_erase_entry *entries = mq_work_memory(MQ_ERASE_ENTRIES_MAX * sizeof *entries);
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX), id[MQ_ID_SIZE];
    enum mq_status status = MQ_OK;
    qsort(work->list->items, work->list->count, sizeof *work->list->items, compartment_order);
    for (size_t at = 0; at < work->list->count && status == MQ_OK;) {
        struct mq_buffer change = mq_buffer(memory, MQ_CHANGE_MAX);
        size_t count = take_list(work->list, at, entries);
        mq_erasure_put(&change, work->because, entries, count);
        MQ_ASSERT(!change.failed);
        status = mq_journal_erase(replica, work->team, work->list->items[at].compartment, mq_written(&change), id, error);
        at += count;
    }
    mq_work_free(memory, MQ_CHANGE_MAX);
    mq_work_free(entries, MQ_ERASE_ENTRIES_MAX * sizeof *entries);
    if (status == MQ_OK)
        status = mq_erase_settle(replica, error);
    return status == MQ_OK && work->then != NULL ? work->then(replica, work->context, error) : status;
}

enum mq_status mq_erase(struct mq_replica *replica, const struct mq_team *team, const uint8_t *because,
                        struct mq_erase_list *list, struct mq_error *error)
{
    return mq_erase_and(replica, team, because, list, NULL, NULL, error);
}

enum mq_status mq_erase_and(struct mq_replica *replica, const struct mq_team *team, const uint8_t *because,
                            struct mq_erase_list *list, mq_erase_then *then, void *context, struct mq_error *error)
{
    struct erase_work work = {.team = team, .because = because, .list = list, .then = then, .context = context};
    MQ_ASSERT(!mq_db_in_transaction(replica->db) && mq_role_rank(team->certificate.role) >= MQ_RANK_DESK);
    enum mq_status status = mq_seal_all(replica, error);
    if (status == MQ_OK)
        status = mq_replica_transact(replica, write_lists, &work, error);
    if (status == MQ_OK)
        status = mq_seal_all(replica, error);
    if (status == MQ_OK && mq_replica_empty_log(replica, error) != MQ_OK) {
        status = error->status;
        mq_error_prefix(error, "%s", _("it is erased, but a trace of it may stand in the store's log until the program is "
                                       "started anew: "));
    }
    return status;
}
