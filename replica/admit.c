/* Segments: verified, stored, opened, checked for the writer's role, and merged. */
#include "replica/admit.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/admit_keys.h"
#include "replica/erase.h"
#include "replica/returned.h"
#include "replica/revoke.h"
#include "replica/survivor.h"
#include "replica/view.h"

/* ---- the changes of one payload ---- */

struct payload_work {
    struct mq_payload_head head;
    struct mq_batch_change *changes;
    size_t count;
    int64_t number; /* of the segment */
    unsigned rank;
    struct mq_said said;
    uint32_t serial;
    const uint8_t *team;
    bool erasures; /* something was erased in this store at some time */
    bool erased;   /* and something that this segment holds */
};

/* No honest writer puts more into one field (parse.c); a hostile one would fill every reader's memory with a few bytes.
 */
static bool sizes_allow(const struct mq_change *change)
{
    struct mq_reader reader = mq_reader(change->fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    for (uint64_t i = 0; i < count && !reader.failed; i++) {
        (void)mq_cbor_uint(&reader);
        struct mq_span value = mq_cbor_take(&reader);
        struct mq_reader inside = mq_reader(value);
        struct mq_cbor_item item = mq_cbor_next(&inside);
        if ((item.type == MQ_CBOR_ARRAY || item.type == MQ_CBOR_MAP) && item.number > MQ_SET_MAX)
            return false;
    }
    return !reader.failed;
}

/* Does a create say of its own record that it is the same as another, or that it is not? */
static bool creates_link(const struct mq_change *change)
{
    struct mq_reader reader = mq_reader(change->fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = mq_cbor_uint(&reader);
        const struct mq_field *field = mq_field_by_number(mq_kind_by_number(change->kind), number);
        if (number == MQ_FIELD_SAME_AS || (field != NULL && field->guard == MQ_GUARD_DESK))
            return true;
        (void)mq_cbor_take(&reader);
    }
    return reader.failed;
}

static bool creates_reference_data(const struct mq_change *change)
{
    const struct mq_kind *kind = mq_kind_by_number(change->kind);
    return kind != NULL && kind->desk_only;
}

/* `decide`, reference data, and links between records, however they are written, are for desks; control changes too (docs/protocol.md,
 * section 6). */
static bool role_allows(const struct mq_change *change, unsigned rank)
{
    bool about_record = change->type >= MQ_CHANGE_SET && change->type <= MQ_CHANGE_DECIDE;
    bool desk_only = change->type == MQ_CHANGE_DECIDE || change->type == MQ_CHANGE_ERASE || change->type > MQ_CHANGE_RETURN ||
                     (about_record && change->field == MQ_FIELD_SAME_AS) ||
                     (change->type == MQ_CHANGE_CREATE && (creates_link(change) || creates_reference_data(change)));
    return !desk_only || rank >= MQ_RANK_DESK;
}

static enum mq_status decode_change(struct mq_change *out, struct mq_span expanded)
{
    uint8_t names[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer buffer = mq_buffer(names, sizeof names);
    enum mq_status status = mq_change_decode(out, expanded, &buffer);
    out->replaced = (struct mq_span){0}; /* it pointed into this frame */
    return status;
}

static enum mq_status roles_check(const struct payload_work *work)
{
    struct mq_change change;
    for (size_t i = 0; i < work->count; i++) {
        if (decode_change(&change, work->changes[i].expanded) != MQ_OK)
            return MQ_REFUSED;
        if (change.type == MQ_CHANGE_CREATE && !sizes_allow(&change))
            return MQ_REFUSED;
        struct mq_erasure list;
        if (change.type == MQ_CHANGE_ERASE && mq_erasure_get(&list, work->changes[i].expanded) != MQ_OK)
            return MQ_REFUSED;
        struct mq_returned returned;
        if (change.type == MQ_CHANGE_RETURN && mq_returned_get(&returned, work->changes[i].expanded) != MQ_OK)
            return MQ_REFUSED;
        if (!role_allows(&change, work->rank) || (change.type == MQ_CHANGE_ERASE && work->said.keyless))
            return MQ_WRONG_KEY; /* who cannot read a compartment erases nothing there */
    }
    return MQ_OK;
}

static int record_order(const void *a, const void *b)
{
    return memcmp(a, b, MQ_ID_SIZE);
}

/* Each touched record is settled once, after all its changes are there. */
static enum mq_status settle_all(struct mq_replica *replica, uint8_t (*records)[MQ_ID_SIZE], size_t count,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    qsort(records, count, MQ_ID_SIZE, record_order);
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        if (i == 0 || memcmp(records[i - 1], records[i], MQ_ID_SIZE) != 0)
            status = mq_view_settle(replica, records[i], error);
    return status;
}

/* One change into the view; `record` gets the record to settle afterwards, where there is one (then *about). */
static enum mq_status change_merge(struct mq_replica *replica, struct payload_work *work,
                                   const struct mq_batch_change *change, int64_t wall, uint8_t *memory,
                                   uint8_t record[MQ_ID_SIZE], bool *about, struct mq_error *error)
{
    struct mq_change parts;
    struct mq_buffer left = mq_buffer(memory, MQ_CHANGE_MAX);
    *about = false;
    if (decode_change(&parts, change->expanded) != MQ_OK)
        return MQ_OK; /* roles_check has seen them all */
    const struct mq_erase_scope scope = {work->team, work->said.compartment};
    if (parts.type == MQ_CHANGE_ERASE)
        return mq_erase_note(replica, &scope, wall, change->expanded, error);
    if (parts.type == MQ_CHANGE_RETURN)
        return mq_returned_take(replica, work->team, work->number, change->expanded, error);
    if (parts.type < MQ_CHANGE_CREATE || parts.type > MQ_CHANGE_DECIDE) /* a newer program may know it one day */
        return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO other VALUES(?, ?, ?, ?)", "ibib", work->number,
                         MQ_SPAN(change->id), wall, change->expanded);
    memcpy(record, parts.type == MQ_CHANGE_CREATE ? change->id : parts.record, MQ_ID_SIZE);
    *about = true;
    struct mq_view_change row = {.id = change->id,
                                 .record = record,
                                 .team = work->team,
                                 .rank = work->rank,
                                 .said = work->said,
                                 .serial = work->serial,
                                 .segment = work->number,
                                 .wall = wall,
                                 .expanded = change->expanded};
    if (work->erasures) {
        enum mq_status status = mq_erase_incoming(replica, &scope, change->id, change->expanded, &left, error);
        if (status != MQ_OK && status != MQ_NOT_FOUND)
            return status;
        work->erased = work->erased || status == MQ_OK;
        row.expanded = status == MQ_OK ? mq_written(&left) : row.expanded;
    }
    return mq_view_add(replica, &row, error);
}

static enum mq_status payload_merge(struct mq_replica *replica, struct payload_work *work, struct mq_error *error)
{
    uint8_t(*records)[MQ_ID_SIZE] = mq_work_memory((work->count + 1) * MQ_ID_SIZE);
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX);
    int64_t wall = work->head.clock.wall_seconds, erasures;
    size_t known = 0;
    enum mq_status status =
        mq_db_number(replica->db, &erasures, error, "SELECT EXISTS (SELECT 1 FROM erased)", "");
    work->erasures = status == MQ_OK && erasures != 0;
    for (size_t i = 0; i < work->count && status == MQ_OK; i++) {
        bool about;
        wall += (int64_t)work->changes[i].stamp.minutes * 60;
        status = change_merge(replica, work, &work->changes[i], wall, memory, records[known], &about, error);
        known += about;
    }
    if (status == MQ_OK)
        status = settle_all(replica, records, known, error);
    if (status == MQ_OK)
        status = mq_view_settle_references(replica, error);
    if (status == MQ_OK && work->erased)
        status = mq_db_run(replica->db, error, "UPDATE segment SET erased = 1 WHERE number = ? AND erased = 0", "i",
                           work->number);
    mq_work_free(memory, MQ_CHANGE_MAX);
    mq_work_free(records, (work->count + 1) * MQ_ID_SIZE);
    return status;
}

/* ---- one stored segment ---- */

static enum mq_status state_set(struct mq_replica *replica, int64_t number, enum mq_segment_state state,
                                const char *reason, uint8_t links, struct mq_error *error)
{
    return mq_db_run(replica->db, error, "UPDATE segment SET state = ?, reason = ?, links = ? WHERE number = ?", "izii",
                     (int64_t)state, reason, (int64_t)links, number);
}

/* Beyond a cut it is kept for a person to look at; where it cannot be told yet, it waits. What is said of its links stays
 * true. */
static enum mq_status verdict_set(struct mq_replica *replica, int64_t number, enum mq_verdict verdict,
                                  struct mq_error *error)
{
    bool beyond = verdict == MQ_VERDICT_BEYOND;
    return mq_db_run(replica->db, error, "UPDATE segment SET state = ?, reason = ? WHERE number = ?", "izi",
                     (int64_t)(beyond ? MQ_SEGMENT_QUARANTINED : MQ_SEGMENT_WAITING), beyond ? "revoked" : "cut", number);
}

/* How a payload was opened, and what is known of its segment. */
struct opening {
    bool keyless;
    uint8_t links;
    enum mq_verdict verdict;
};

/* The payload is open: decode, check, merge. */
static enum mq_status admit_payload(struct mq_replica *replica, int64_t number, const struct mq_announce *announce,
                                    const struct opening *opening, struct mq_span payload, struct mq_admitted *result,
                                    struct mq_error *error)
{
    uint8_t links = opening->links;
    struct payload_work work = {
        .number = number,
        .rank = mq_role_rank(announce->certificate.role),
        .said = {.compartment = announce->compartment, .keyless = opening->keyless},
        .serial = announce->certificate.serial,
        .team = announce->certificate.team};
    mq_key_name(work.said.writer, announce->certificate.sign_public);
    struct mq_buffer space = mq_work_expanded(replica);
    work.changes = mq_work_memory(MQ_CHANGES_MAX * sizeof *work.changes);
    enum mq_status status = mq_payload_decode(&work.head, work.changes, MQ_CHANGES_MAX, &work.count, payload, &space);
    enum mq_status roles =
        status == MQ_OK ? roles_check(&work) : MQ_REFUSED; /* more than any device can hold is refused by all alike */
    if (roles == MQ_REFUSED)
        status = state_set(replica, number, MQ_SEGMENT_UNDECODABLE, "payload", links, error);
    else if (roles == MQ_WRONG_KEY)
        status = state_set(replica, number, MQ_SEGMENT_QUARANTINED, "role", links, error);
    else if (roles == MQ_OK && opening->verdict != MQ_VERDICT_COUNTS) {
        status = state_set(replica, number, MQ_SEGMENT_WAITING, NULL, links, error);
        if (status == MQ_OK)
            status = verdict_set(replica, number, opening->verdict, error);
    } else if (roles == MQ_OK) {
        status = payload_merge(replica, &work, error);
        if (status == MQ_OK)
            status = state_set(replica, number, MQ_SEGMENT_ADMITTED, NULL, links, error);
        result->changes += (int64_t)work.count;
    }
    mq_work_free(work.changes, MQ_CHANGES_MAX * sizeof *work.changes);
    return status;
}

/* What it waits for is said only where it is a body that was dropped here: that one can be asked for. */
static enum mq_status waits_for(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    return mq_db_run(replica->db, error, "UPDATE segment SET reason = ? WHERE number = ? AND reason IS NOT ?", "ziz",
                     replica->chain.lacking ? "erased" : NULL, number, replica->chain.lacking ? "erased" : NULL);
}

/* It leaned on a body that came once more and goes again: what it says is written down. */
static enum mq_status borrowed_keep(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    int64_t state;
    enum mq_status status =
        mq_db_number(replica->db, &state, error, "SELECT state FROM segment WHERE number = ?", "i", number);
    return status == MQ_OK && state == MQ_SEGMENT_ADMITTED ? mq_survivors_keep(replica, number, error) : status;
}

static enum mq_status open_and_admit(struct mq_replica *replica, int64_t number, const struct mq_segment *segment,
                                     const struct mq_announce *announce, enum mq_verdict verdict,
                                     struct mq_admitted *result, struct mq_error *error)
{
    struct opening opening = {.keyless = (segment->flags & MQ_SEGMENT_FLAG_WRITE_ONLY) != 0, .verdict = verdict};
    struct mq_buffer payload = mq_work_payload(replica);
    enum mq_status status = mq_segment_open(replica, segment, &payload, &opening.links, error);
    if (status == MQ_WAITING)
        return waits_for(replica, number, error);
    if (status == MQ_REFUSED || status == MQ_BAD_SIGNATURE || status == MQ_WRONG_KEY)
        return state_set(replica, number, MQ_SEGMENT_UNDECODABLE, opening.links > 0 ? "predecessor" : "body",
                         opening.links, error);
    bool borrowed = status == MQ_OK && opening.links > 0 && replica->chain.borrowed;
    if (status == MQ_OK)
        status = admit_payload(replica, number, announce, &opening, mq_written(&payload), result, error);
    return status == MQ_OK && borrowed ? borrowed_keep(replica, number, error) : status;
}

/* Of a stored segment: its stream, and whether its changes are written down because it can be opened no more. */
static enum mq_status stored_as(struct mq_replica *replica, int64_t number, uint8_t stream[MQ_ID_SIZE], bool *kept,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT stream, kept FROM segment WHERE number = ?", "i", number);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_FAULT;
    memcpy(stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    *kept = mq_db_int(query, 1) != 0;
    mq_db_done(&query);
    return MQ_OK;
}

static enum mq_status segment_try(struct mq_replica *replica, int64_t number, struct mq_span bytes,
                                  struct mq_admitted *result, struct mq_error *error)
{
    struct mq_segment segment;
    struct mq_announce announce;
    enum mq_verdict verdict = MQ_VERDICT_COUNTS;
    uint8_t stream[MQ_ID_SIZE];
    bool kept;
    enum mq_status status = stored_as(replica, number, stream, &kept, error);
    if (status == MQ_OK)
        status = mq_announce_find(replica, stream, &announce, error);
    if (status == MQ_NOT_FOUND)
        return mq_fail(error, MQ_DAMAGED, _("a stream's announce in this store is damaged"));
    if (status == MQ_OK)
        status = mq_revoke_judge(replica, number, &announce, &verdict, error);
    if (status != MQ_OK)
        return status;
    if (kept)
        return verdict == MQ_VERDICT_COUNTS ? mq_survivors_merge(replica, number, result, error)
                                            : verdict_set(replica, number, verdict, error);
    status = mq_segment_decode(&segment, bytes);
    MQ_ASSERT(status == MQ_OK); /* it was decoded before it was stored */
    return open_and_admit(replica, number, &segment, &announce, verdict, result, error);
}

static enum mq_status segment_reread(struct mq_replica *replica, int64_t number, uint8_t *copy, size_t *size,
                                     struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT bytes FROM segment WHERE number = ?", "i", number);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    struct mq_span bytes = mq_db_blob(query, 0);
    MQ_ASSERT(bytes.size <= MQ_SEGMENT_MAX);
    memcpy(copy, bytes.data, bytes.size);
    *size = bytes.size;
    mq_db_done(&query);
    return MQ_OK;
}

/* Tries the waiting segments again and again while it helps: one that opens may be what its successor waited for. */
static enum mq_status try_waiting(struct mq_replica *replica, struct mq_admitted *result, struct mq_error *error)
{
    uint8_t *copy = mq_work_memory(MQ_SEGMENT_MAX);
    enum mq_status status = MQ_OK;
    int64_t before = -1, waiting = 0;
    while (status == MQ_OK && waiting != before) {
        before = waiting;
        waiting = 0;
        int64_t number = 0;
        while (status == MQ_OK) { /* by ascending seq within a stream, without holding a query open over the work */
            size_t size;
            status = mq_db_number(
                replica->db, &number, error,
                "SELECT number FROM segment WHERE state = 0 AND (stream, seq, number) >"
                " (SELECT stream, seq, number FROM segment WHERE number = ?1"
                " UNION ALL SELECT x'', 0, 0 WHERE ?1 = 0) ORDER BY stream, seq, number LIMIT 1",
                "i", number);
            if (status == MQ_OK)
                status = segment_reread(replica, number, copy, &size, error);
            if (status == MQ_OK)
                status = segment_try(replica, number, mq_span(copy, size), result, error);
            waiting++;
        }
        if (status == MQ_NOT_FOUND)
            status = MQ_OK;
    }
    mq_work_free(copy, MQ_SEGMENT_MAX);
    return status;
}

/* Segments of an own stream came from elsewhere, so that what desks say of it may cover more: once a stream, however many. */
static enum mq_status receipts_settle(struct mq_replica *replica, struct mq_admitted *result, struct mq_error *error)
{
    struct mq_query *query;
    if (result->first == 0)
        return MQ_OK;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT stream FROM stream WHERE mine = 1"
                                        " AND stream IN (SELECT stream FROM segment WHERE number >= ?)",
                                        "i", result->first);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = mq_receipts_apply(replica, mq_db_blob(query, 0).data, error);
    mq_db_done(&query);
    result->first = 0;
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_admit_waiting(struct mq_replica *replica, struct mq_admitted *result, struct mq_error *error)
{
    int64_t waiting;
    enum mq_status status = receipts_settle(replica, result, error);
    if (status == MQ_OK)
        status = mq_revoke_settle(replica, error);
    if (status == MQ_OK)
        status = mq_returned_settle(replica, result, error);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &waiting, error, "SELECT count(*) FROM segment WHERE state = 0", "");
    if (status != MQ_OK || waiting == 0)
        return status;
    return try_waiting(replica, result, error);
}

/* ---- one segment that came ---- */

enum mq_status mq_admit_segment(struct mq_replica *replica, struct mq_span bytes, bool carry,
                                struct mq_admitted *result, struct mq_error *error)
{
    struct mq_segment segment;
    struct mq_announce announce;
    int64_t number;
    if (mq_segment_decode(&segment, bytes) != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    enum mq_status status =
        mq_db_number(replica->db, &number, error, "SELECT number FROM segment WHERE id = ?", "b", MQ_SPAN(segment.id));
    if (status == MQ_OK) /* known already */
        status = mq_returned_seen(replica, segment.id, error);
    if (status == MQ_OK)
        return mq_erase_lend(replica, &segment, bytes, error);
    if (status != MQ_NOT_FOUND)
        return status;
    status = mq_announce_find(replica, segment.stream, &announce, error);
    if (status == MQ_NOT_FOUND)
        return mq_unverified_put(replica, MQ_FRAME_SEGMENT, segment.stream, bytes, carry, result, error);
    if (status == MQ_OK && mq_segment_verify(&segment, &announce) != MQ_OK) {
        result->refused++;
        return MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    status = mq_db_run(
        replica->db, error,
        "INSERT INTO segment(id, stream, seq, previous, mine, state, carry, bytes) VALUES(?, ?, ?, ?, 0, 0, ?, ?)",
        "bbibib", MQ_SPAN(segment.id), MQ_SPAN(segment.stream), (int64_t)segment.seq, MQ_SPAN(segment.previous),
        (int64_t)carry, bytes);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &number, error, "SELECT number FROM segment WHERE id = ?", "b",
                              MQ_SPAN(segment.id));
    if (status == MQ_OK)
        status = segment_try(replica, number, bytes, result, error);
    result->segments++;
    result->first = result->first == 0 ? number : result->first;
    return status;
}

enum mq_status mq_partition(struct mq_replica *replica, struct mq_partition *out, struct mq_error *error)
{
    struct mq_query *query;
    *out = (struct mq_partition){0};
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT state, count(*) FROM segment WHERE NOT " MQ_SEGMENT_FOREIGN " GROUP BY state", "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        switch ((enum mq_segment_state)mq_db_int(query, 0)) {
        case MQ_SEGMENT_WAITING: out->waiting = mq_db_int(query, 1); break;
        case MQ_SEGMENT_ADMITTED: out->admitted = mq_db_int(query, 1); break;
        case MQ_SEGMENT_QUARANTINED: out->quarantined = mq_db_int(query, 1); break;
        case MQ_SEGMENT_UNDECODABLE: out->undecodable = mq_db_int(query, 1); break;
        }
    }
    int64_t unverified = 0;
    if (error->status == MQ_OK)
        status = mq_db_number(replica->db, &unverified, error, "SELECT count(*) FROM unverified WHERE frame = 1", "");
    out->waiting += unverified;
    return status;
}
