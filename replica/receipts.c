/* Making receipts at a desk, applying them on a device, and counting what they cover. */
#include "replica/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/frame.h"
#include "replica/admit_keys.h"
#include "replica/outbox.h"
#include "replica/revoke.h"

/* ---- at the desk ---- */

/* A stream as a desk goes through it. */
struct receipt_walk {
    uint8_t stream[MQ_ID_SIZE];
    uint32_t seq;                   /* how far the last receipt went */
    uint8_t id[MQ_SEGMENT_ID_SIZE]; /* its head; for seq 0 the announce's hash */
    struct mq_receipt receipt;
    bool moved;
    bool overfull; /* more exceptions than a receipt can name: then none is given, rather than one that covers too much
                    */
};

static uint8_t exception_of(int64_t state, struct mq_span reason)
{
    if (state == MQ_SEGMENT_QUARANTINED)
        return mq_span_equal(reason, mq_span_text("role")) ? MQ_EXCEPTION_ROLE : MQ_EXCEPTION_REVOKED;
    return MQ_EXCEPTION_UNDECODABLE;
}

static void except(struct receipt_walk *walk, struct mq_span id, uint8_t reason)
{
    struct mq_receipt *receipt = &walk->receipt;
    if (receipt->excepted_count == MQ_EXCEPTED_MAX) {
        walk->overfull = true;
        return;
    }
    struct mq_exception *one = &receipt->excepted[receipt->excepted_count++];
    memcpy(one->id, id.data, MQ_SEGMENT_ID_SIZE);
    one->reason = reason;
}

/* Along the chain as far as nothing waits: what could not be merged is excepted by name and does not stop the others.
 */
static enum mq_status walk_chain(struct mq_replica *replica, struct receipt_walk *walk, struct mq_error *error)
{
    for (;;) {
        struct mq_query *query;
        enum mq_status status = mq_db_query(
            replica->db, &query, error,
            "SELECT id, state, reason FROM segment WHERE previous = ? AND stream = ? AND seq = ? AND state <> 0 ORDER BY id LIMIT 1",
            "bbi", MQ_SPAN(walk->id), MQ_SPAN(walk->stream), (int64_t)walk->seq + 1);
        if (status != MQ_OK)
            return status;
        if (!mq_db_next(&query, error))
            return error->status;
        memcpy(walk->id, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
        walk->seq++;
        walk->moved = true;
        mq_db_done(&query);
    }
}

/* Is everything that the segment follows here too, back to the stream's first? A branch behind a hole must not be
 * named: its author would take what the hole hides for merged. */
static enum mq_status whole_past(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE], bool *whole,
                                 struct mq_error *error)
{
    int64_t first;
    enum mq_status status = mq_db_number(
        replica->db, &first, error,
        "WITH RECURSIVE past(id, previous, seq, state) AS (SELECT id, previous, seq, state FROM segment WHERE id = ?"
        " UNION ALL SELECT g.id, g.previous, g.seq, g.state FROM segment AS g JOIN past ON g.id = past.previous)"
        " SELECT min(seq) = 1 AND max(state = 0) = 0 FROM past",
        "b", mq_span(id, MQ_SEGMENT_ID_SIZE));
    *whole = status == MQ_OK && first != 0;
    return status;
}

/* The last merged segments of other branches than the head's. What follows one may wait for a person, and is excepted by name. */
#define BRANCH_ENDS \
    "WITH RECURSIVE chain(id) AS (SELECT ?2 UNION ALL SELECT g.previous FROM segment AS g JOIN chain ON g.id = chain.id)" \
    " SELECT id FROM segment AS tip WHERE stream = ?1 AND state = 1 AND id <> ?2" \
    " AND NOT EXISTS (SELECT 1 FROM segment AS next WHERE next.previous = tip.id AND next.stream = tip.stream" \
    " AND next.state = 1) AND id NOT IN (SELECT id FROM chain) ORDER BY id"

/* As far as they are whole. All found at once: a member can make thousands, and must not hold up the others. */
static enum mq_status list_branches(struct mq_replica *replica, struct receipt_walk *walk, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, BRANCH_ENDS, "bb", MQ_SPAN(walk->stream), MQ_SPAN(walk->id));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && !walk->overfull && mq_db_next(&query, error)) {
        uint8_t tip[MQ_SEGMENT_ID_SIZE];
        bool whole;
        memcpy(tip, mq_db_blob(query, 0).data, sizeof tip);
        status = whole_past(replica, tip, &whole, error);
        if (status == MQ_OK && whole)
            except(walk, MQ_SPAN(tip), MQ_EXCEPTION_BRANCH);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* All segments of the stream that are not merged, by name; then the other branches. */
static enum mq_status list_exceptions(struct mq_replica *replica, struct receipt_walk *walk, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT id, state, reason FROM segment WHERE stream = ? AND state IN (2, 3) ORDER BY seq, id", "b",
                    MQ_SPAN(walk->stream));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        except(walk, mq_db_blob(query, 0), exception_of(mq_db_int(query, 1), mq_db_text(query, 2)));
    return error->status != MQ_OK ? error->status : list_branches(replica, walk, error);
}

static enum mq_status receipt_sign(struct mq_replica *replica, const struct mq_team *team, struct receipt_walk *walk,
                                   struct mq_error *error)
{
    uint8_t body_memory[4096 + MQ_EXCEPTED_MAX * (MQ_SEGMENT_ID_SIZE + 1)];
    uint8_t object_memory[sizeof body_memory + MQ_CONTROL_HEAD_SIZE + MQ_SIGNATURE_SIZE];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory),
                     object = mq_buffer(object_memory, sizeof object_memory);
    int64_t backup;
    walk->receipt.head_seq = walk->seq;
    memcpy(walk->receipt.head_id, walk->id, MQ_SEGMENT_ID_SIZE);
    enum mq_status status = mq_setting_number(replica, "backup", &backup, error);
    if (status != MQ_OK)
        return status;
    walk->receipt.backup = (uint32_t)backup;
    mq_receipt_put(&body, &walk->receipt);
    MQ_ASSERT(!body.failed);
    struct mq_control control = {
        .kind = MQ_CONTROL_RECEIPT, .wall_seconds = mq_now(replica->platform), .body = mq_written(&body)};
    memcpy(control.team, team->team, MQ_ID_SIZE);
    memcpy(control.subject, walk->stream, MQ_ID_SIZE);
    status = mq_control_number(replica, &control.number, error);
    if (status != MQ_OK)
        return status;
    status = mq_control_sign(&object, &control, replica->identity);
    MQ_ASSERT(status == MQ_OK);
    status = mq_outbox_put(replica, MQ_FRAME_CONTROL, MQ_SPAN(walk->stream), mq_written(&object), error);
    if (status != MQ_OK)
        return status;
    return mq_db_run(replica->db, error, "UPDATE stream SET receipt_seq = ?, receipt_id = ? WHERE stream = ?", "ibb",
                     (int64_t)walk->seq, MQ_SPAN(walk->id), MQ_SPAN(walk->stream));
}

/* A receipt of ours: under which number (0: none), after which backup, and what else it says. */
struct said {
    int64_t number;
    uint32_t backup;
    uint8_t hash[MQ_HASH_SIZE];
};

static int order_exceptions(const void *left, const void *right)
{
    const struct mq_exception *a = left, *b = right;
    int order = memcmp(a->id, b->id, sizeof a->id);
    return order != 0 ? order : a->reason - b->reason;
}

_Static_assert(sizeof(struct mq_exception) == MQ_SEGMENT_ID_SIZE + 1, "hashed as it lies");

/* Which of several branches is called the head depends on which came first; it says the same. */
static void said_take(struct said *out, struct mq_span object)
{
    struct mq_control control;
    struct mq_receipt receipt;
    struct mq_exception all[MQ_EXCEPTED_MAX + 1];
    if (mq_control_decode(&control, object) != MQ_OK || mq_receipt_get(&receipt, control.body) != MQ_OK)
        return;
    size_t count = receipt.excepted_count;
    memcpy(all, receipt.excepted, count * sizeof *all);
    all[count].reason = MQ_EXCEPTION_BRANCH;
    memcpy(all[count++].id, receipt.head_id, sizeof all->id);
    qsort(all, count, sizeof *all, order_exceptions);
    out->number = (int64_t)control.number;
    out->backup = receipt.backup;
    mq_hash_one(out->hash, sizeof out->hash, MQ_DOMAIN_BODY, mq_span((const uint8_t *)all, count * sizeof *all));
}

/* Of the object in the first row; none leaves `out` as it is. */
static enum mq_status said_first(struct mq_query *query, struct said *out, struct mq_error *error)
{
    if (mq_db_next(&query, error))
        said_take(out, mq_db_blob(query, 0));
    mq_db_done(&query);
    return error->status;
}

/* What waits in the outbox for this stream, or was sent from there. */
static enum mq_status said_here(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], struct said *out,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT bytes FROM outbox WHERE slot = ?", "b",
                                        mq_span(stream, MQ_ID_SIZE));
    return status == MQ_OK ? said_first(query, out, error) : status;
}

/* What we heard that we said. */
static enum mq_status said_elsewhere(struct mq_replica *replica, const struct mq_team *team,
                                     const uint8_t stream[MQ_ID_SIZE], struct said *out, struct mq_error *error)
{
    struct mq_query *query;
    uint8_t self[MQ_KID_SIZE];
    mq_key_name(self, replica->identity->sign_public);
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT bytes FROM control WHERE team = ? AND kind = ? AND subject = ? AND owner = ?",
                                        "bibb", MQ_SPAN(team->team), (int64_t)MQ_CONTROL_RECEIPT, mq_span(stream, MQ_ID_SIZE),
                                        MQ_SPAN(self));
    return status == MQ_OK ? said_first(query, out, error) : status;
}

/* Did we, before we were set back, say something else under a greater number, or name a backup that this life has not made? It
 * keeps what we say now from its author, so that is said once more; but for a number of whoever stole our key: no other goes
 * above it. The same under a greater number is well said: two copies of a desk come to an end. */
static enum mq_status overtaken(struct mq_replica *replica, const struct mq_team *team,
                                const uint8_t stream[MQ_ID_SIZE], bool *answer, struct mq_error *error)
{
    struct said here = {0}, elsewhere = {0};
    enum mq_status status = said_here(replica, stream, &here, error);
    if (status == MQ_OK && here.number > 0)
        status = said_elsewhere(replica, team, stream, &elsewhere, error);
    bool differs = memcmp(here.hash, elsewhere.hash, sizeof here.hash) != 0 || elsewhere.backup > here.backup;
    *answer = status == MQ_OK && here.number > 0 && elsewhere.number >= here.number &&
              elsewhere.number < MQ_CONTROL_NUMBER_SANE && differs;
    return status;
}

static enum mq_status receipt_make(struct mq_replica *replica, const struct mq_team *team, struct receipt_walk *walk,
                                   struct mq_error *error)
{
    int64_t branches_before = 0;
    enum mq_status status = walk_chain(replica, walk, error);
    if (status != MQ_OK)
        return status;
    /* A branch that grew behind an unmoved head is news too. */
    char slot[sizeof "branches:" + 2 * MQ_ID_SIZE] = "branches:";
    mq_hex_write(slot + strlen(slot), MQ_SPAN(walk->stream));
    int64_t segments;
    status = mq_setting_number(replica, slot, &branches_before, error);
    if (status == MQ_OK)
        status =
            mq_db_number(replica->db, &segments, error, "SELECT count(*) FROM segment WHERE stream = ? AND state <> 0",
                         "b", MQ_SPAN(walk->stream));
    if (status == MQ_OK && !walk->moved && segments == branches_before)
        status = overtaken(replica, team, walk->stream, &walk->moved, error);
    if (status != MQ_OK || (!walk->moved && segments == branches_before))
        return status;
    status = list_exceptions(replica, walk, error);
    if (status != MQ_OK || walk->overfull)
        return status;
    status = mq_setting_put_number(replica, slot, segments, error);
    return status == MQ_OK ? receipt_sign(replica, team, walk, error) : status;
}

static enum mq_status next_stream(struct mq_replica *replica, const struct mq_team *team, struct receipt_walk *walk,
                                  uint8_t after[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    struct mq_announce announce;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT stream, receipt_seq, receipt_id, announce FROM stream JOIN mailbox USING(mailbox)"
                    " WHERE team = ? AND mine = 0 AND stream > ? ORDER BY stream LIMIT 1",
                    "bb", MQ_SPAN(team->team), mq_span(after, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    memset(walk, 0, sizeof *walk);
    memcpy(walk->stream, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    memcpy(after, walk->stream, MQ_ID_SIZE);
    walk->seq = (uint32_t)mq_db_int(query, 1);
    struct mq_span id = mq_db_blob(query, 2);
    status = mq_announce_decode(&announce, mq_db_blob(query, 3));
    if (status == MQ_OK && walk->seq == 0)
        mq_announce_hash(walk->id, &announce);
    else if (id.size == MQ_SEGMENT_ID_SIZE)
        memcpy(walk->id, id.data, MQ_SEGMENT_ID_SIZE);
    mq_db_done(&query);
    return status;
}

static enum mq_status make_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct mq_team *team = context;
    struct receipt_walk walk;
    uint8_t after[MQ_ID_SIZE] = {0};
    enum mq_status status = next_stream(replica, team, &walk, after, error);
    while (status == MQ_OK) {
        status = receipt_make(replica, team, &walk, error);
        if (status == MQ_OK)
            status = next_stream(replica, team, &walk, after, error);
    }
    return status == MQ_NOT_FOUND && error->status == MQ_OK ? MQ_OK : status;
}

enum mq_status mq_receipts_make(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error)
{
    struct mq_team for_team = *team;
    return mq_replica_transact(replica, make_all, &for_team, error);
}

/* ---- on the device ---- */

/* The newest of our own that a merged segment follows, itself included. It need not be ours: a store that was set back has
 * its later past from others, and a copy goes on from what we wrote. 0: it follows none of ours that is known here. */
static enum mq_status own_behind(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE],
                                 const uint8_t merged[MQ_SEGMENT_ID_SIZE], int64_t *seq, struct mq_error *error)
{
    *seq = 0;
    enum mq_status status = mq_db_number(
        replica->db, seq, error,
        "WITH RECURSIVE past(previous, seq, mine) AS (SELECT previous, seq, mine FROM segment WHERE id = ?1 AND stream = ?2"
        " UNION ALL SELECT g.previous, g.seq, g.mine FROM past JOIN segment AS g ON g.id = past.previous"
        " WHERE past.mine = 0 AND g.stream = ?2) SELECT seq FROM past WHERE mine = 1",
        "bb", mq_span(merged, MQ_SEGMENT_ID_SIZE), mq_span(stream, MQ_ID_SIZE));
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

/* How far a receipt says that the stream is merged: to its head, or further along a branch. */
static enum mq_status covered_up_to(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE],
                                    const struct mq_receipt *receipt, int64_t *seq, struct mq_error *error)
{
    enum mq_status status = own_behind(replica, stream, receipt->head_id, seq, error);
    for (size_t i = 0; status == MQ_OK && i < receipt->excepted_count; i++) {
        int64_t branch;
        if (receipt->excepted[i].reason != MQ_EXCEPTION_BRANCH)
            continue;
        status = own_behind(replica, stream, receipt->excepted[i].id, &branch, error);
        if (status == MQ_OK && branch > *seq)
            *seq = branch;
    }
    return status;
}

/* What one desk has merged stays merged, whatever another, with an older program or fewer keys, says of it, unless the
 * county took the writer's rights before it came; and what a desk excepted is cleared only by a receipt that goes as far.
 * While this works, an old exception has its reason negative. */
static enum mq_status mark_covered(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], int64_t covered,
                                   const struct mq_receipt *receipt, struct mq_error *error)
{
    struct mq_db *db = replica->db;
    enum mq_status status =
        mq_db_run(db, error,
                  "UPDATE segment SET excepted = -excepted WHERE stream = ? AND mine = 1 AND excepted > 0 AND seq <= ?",
                  "bi", mq_span(stream, MQ_ID_SIZE), covered);
    for (size_t i = 0; status == MQ_OK && i < receipt->excepted_count; i++)
        if (receipt->excepted[i].reason != MQ_EXCEPTION_BRANCH)
            status = mq_db_run(db, error,
                               "UPDATE segment SET excepted = ?1 WHERE id = ?2 AND stream = ?3 AND mine = 1"
                               " AND (anchored = 0 OR excepted <> 0 OR ?1 = ?4)",
                               "ibbi", (int64_t)receipt->excepted[i].reason, MQ_SPAN(receipt->excepted[i].id),
                               mq_span(stream, MQ_ID_SIZE), (int64_t)MQ_EXCEPTION_REVOKED);
    if (status == MQ_OK)
        status = mq_db_run(db, error, "UPDATE segment SET excepted = 0 WHERE stream = ? AND excepted < 0", "b",
                           mq_span(stream, MQ_ID_SIZE));
    if (status == MQ_OK)
        status = mq_db_run(db, error,
                           "UPDATE segment SET anchored = 1, stored = 1 WHERE stream = ? AND mine = 1 AND anchored = 0"
                           " AND seq <= ?",
                           "bi", mq_span(stream, MQ_ID_SIZE), covered);
    return status;
}

static enum mq_status receipt_apply(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], struct mq_span bytes,
                                    struct mq_error *error)
{
    struct mq_control control;
    struct mq_receipt receipt;
    int64_t newest, covered;
    if (mq_control_decode(&control, bytes) != MQ_OK)
        return mq_fail(error, MQ_DAMAGED, _("this store's own stream is damaged; `check` names what"));
    if (mq_receipt_get(&receipt, control.body) != MQ_OK)
        return MQ_OK; /* of an older program, which kept what can be no receipt */
    enum mq_status status = covered_up_to(replica, stream, &receipt, &covered, error);
    if (status == MQ_OK)
        status = mark_covered(replica, stream, covered, &receipt, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, "last_receipt", &newest, error);
    return status == MQ_OK && control.wall_seconds > newest
               ? mq_setting_put_number(replica, "last_receipt", control.wall_seconds, error)
               : status;
}

/* Always all of them, each desk's newest, in an order that does not depend on when they came. The county's is the last: whose
 * rights it took, and what it let in after that, a township may not have heard yet. */
enum mq_status mq_receipts_apply(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT c.bytes FROM stream AS s JOIN mailbox AS m USING(mailbox) JOIN control AS c ON c.subject = s.stream AND c.team = m.team"
        " WHERE s.stream = ? AND s.mine = 1 AND c.kind = ? ORDER BY c.rank, c.number, c.owner",
        "bi", mq_span(stream, MQ_ID_SIZE), (int64_t)MQ_CONTROL_RECEIPT);
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = receipt_apply(replica, stream, mq_db_blob(query, 0), error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status apply_all(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_setting_put_number(replica, "last_receipt", 0, error);
    if (status == MQ_OK)
        status = mq_db_query(replica->db, &query, error, "SELECT stream FROM stream WHERE mine = 1", "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = mq_receipts_apply(replica, mq_db_blob(query, 0).data, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* What lost its anchor may lie nowhere but here, since nobody brings what is anchored. Of an open stream the server's head
 * tells what it has; of others its wants do, and where it tells no head, or will not ask, it is brought anyway. */
static enum mq_status bring_again(struct mq_replica *replica, struct mq_error *error)
{
    enum mq_status status = mq_db_run(replica->db, error,
                                      "UPDATE segment SET carry = 1 WHERE mine = 1 AND anchored = 0 AND stored = 0 AND erased < 2"
                                      " AND stream IN (SELECT stream FROM stream JOIN mailbox USING(mailbox)"
                                      " WHERE closed OR (compartment <> 0 AND NOT asked))",
                                      "");
    return status == MQ_OK ? mq_have_list_owe(replica, error) : status;
}

enum mq_status mq_receipts_forget(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                                  const uint8_t desk[MQ_KID_SIZE], struct mq_error *error)
{
    struct mq_db *db = replica->db;
    enum mq_status status = mq_db_run(db, error,
                                      "UPDATE segment SET stored = CASE WHEN anchored THEN 0 ELSE stored END, anchored = 0,"
                                      " excepted = 0 WHERE mine = 1 AND stream IN"
                                      " (SELECT subject FROM control WHERE team = ? AND kind = ? AND owner = ?)",
                                      "bib", mq_span(team, MQ_ID_SIZE), (int64_t)MQ_CONTROL_RECEIPT,
                                      mq_span(desk, MQ_KID_SIZE));
    bool own = status == MQ_OK && mq_db_changes(db) > 0;
    if (status == MQ_OK)
        status = mq_db_run(db, error, "DELETE FROM control WHERE team = ? AND owner = ?", "bb", mq_span(team, MQ_ID_SIZE),
                           mq_span(desk, MQ_KID_SIZE));
    if (status == MQ_OK && mq_db_changes(db) > 0)
        status = apply_all(replica, error);
    return status == MQ_OK && own ? bring_again(replica, error) : status;
}

/* Of the only team of a device. */
static enum mq_status own_revoked(struct mq_replica *replica, bool *revoked, struct mq_error *error)
{
    struct mq_error unheard = {0};
    struct mq_team team;
    *revoked = false;
    enum mq_status status = mq_team_find(replica, NULL, &team, &unheard);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    return status == MQ_OK ? mq_revoked(replica, &team.certificate, revoked, error)
                           : mq_fail(error, status, "%s", unheard.text);
}

enum mq_status mq_safety_count(struct mq_replica *replica, struct mq_safety *out, struct mq_error *error)
{
    struct mq_query *query;
    *out = (struct mq_safety){0};
    /* 0 saved, 1 stored, 2 anchored; an excepted segment counts before all others: a person must look. A change that a copy of
     * this store sealed too may stand beside the copy's segment, and its own one under what came twice. */
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT level, count(*) FROM (SELECT min(CASE WHEN c.segment < 0 THEN 0 WHEN s.excepted <> 0 THEN -1 WHEN s.anchored THEN 2"
        " WHEN s.stored THEN 1 ELSE 0 END) AS level FROM"
        " (SELECT record, segment FROM change UNION ALL SELECT record, segment FROM matter"
        " UNION ALL SELECT record, segment FROM piece"
        " UNION ALL SELECT c.record, t.segment FROM twice AS t JOIN change AS c USING(id)) AS c"
        " LEFT JOIN segment AS s ON s.number = c.segment WHERE c.segment < 0 OR s.mine = 1 GROUP BY c.record) GROUP BY level",
        "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        int64_t level = mq_db_int(query, 0), count = mq_db_int(query, 1);
        *(level < 0    ? &out->quarantined
          : level == 0 ? &out->saved
          : level == 1 ? &out->stored
                       : &out->anchored) = count;
    }
    if (error->status != MQ_OK)
        return error->status;
    status = mq_db_number(replica->db, &out->records, error,
                          "SELECT (SELECT count(*) FROM state WHERE kind > 0 AND NOT deleted) +"
                          " (SELECT count(*) FROM (SELECT record FROM matter WHERE kind > 0 UNION SELECT record FROM piece)"
                          " WHERE record NOT IN (SELECT record FROM record WHERE kind > 0))",
                          "");
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &out->conflicts, error,
                              "SELECT count(*) FROM state WHERE conflicts > 0 OR review", "");
    if (status == MQ_OK)
        status = own_revoked(replica, &out->revoked, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, "last_receipt", &out->last_receipt, error);
    return status;
}
