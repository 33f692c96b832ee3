/* At the county's desk: taking a certificate's rights, and letting in by name what its holder wrote beyond. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "replica/admit_keys.h"
#include "replica/outbox.h"
#include "replica/revoke_keys.h"

/* ---- saying ---- */

static enum mq_status cuts_read(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_buffer *out,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT stream, seq, id FROM cut WHERE certificate = ? ORDER BY stream, seq, id",
                                        "b", mq_span(hash, MQ_HASH_SIZE));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        struct mq_cut cut = {.seq = (uint32_t)mq_db_int(query, 1)};
        memcpy(cut.stream, mq_db_blob(query, 0).data, sizeof cut.stream);
        memcpy(cut.id, mq_db_blob(query, 2).data, sizeof cut.id);
        mq_cut_put(out, &cut);
    }
    return error->status;
}

static enum mq_status names_read(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_buffer *out,
                                 struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT id FROM adopted WHERE certificate = ? ORDER BY id", "b",
                                        mq_span(hash, MQ_HASH_SIZE));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        mq_put_span(out, mq_db_blob(query, 0));
    return error->status;
}

struct saying {
    uint8_t cuts[MQ_CUTS_MAX * MQ_CUT_SIZE], names[MQ_ADOPTED_MAX * MQ_SEGMENT_ID_SIZE];
    uint8_t body[MQ_CONTROL_BODY_MAX], object[MQ_CONTROL_HEAD_SIZE + MQ_CONTROL_BODY_MAX + MQ_SIGNATURE_SIZE];
};

/* The object under a fresh number: here, and in the outbox in place of the one before. */
static enum mq_status publish(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE],
                              const struct mq_revocation *said, struct saying *work, struct mq_error *error)
{
    struct mq_buffer body = mq_buffer(work->body, sizeof work->body);
    struct mq_buffer object = mq_buffer(work->object, sizeof work->object);
    struct mq_control control = {.kind = MQ_CONTROL_REVOCATION, .wall_seconds = mq_now(replica->platform)};
    bool newer = false;
    memcpy(control.team, team, sizeof control.team);
    mq_revocation_subject(control.subject, said->certificate);
    mq_revocation_put(&body, said);
    MQ_ASSERT(!body.failed);
    control.body = mq_written(&body);
    enum mq_status status = mq_control_number(replica, &control.number, error);
    if (status != MQ_OK)
        return status;
    status = mq_control_sign(&object, &control, replica->identity);
    MQ_ASSERT(status == MQ_OK);
    control.bytes = mq_written(&object);
    status = mq_control_store(replica, &control, MQ_RANK_COUNTY, &newer, error);
    MQ_ASSERT(status != MQ_OK || newer); /* the number is greater than all that are stored */
    return status == MQ_OK ? mq_outbox_put(replica, MQ_FRAME_CONTROL, MQ_SPAN(said->certificate), control.bytes, error)
                           : status;
}

enum mq_status mq_revoke_say(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], const uint8_t hash[MQ_HASH_SIZE],
                             struct mq_error *error)
{
    struct saying *work = mq_work_memory(sizeof *work);
    struct mq_buffer cuts = mq_buffer(work->cuts, sizeof work->cuts), names = mq_buffer(work->names, sizeof work->names);
    struct mq_revocation said = {.cut_count = 0};
    memcpy(said.certificate, hash, sizeof said.certificate);
    enum mq_status status = mq_revoked_rows_trim(replica, hash, error);
    if (status == MQ_OK)
        status = cuts_read(replica, hash, &cuts, error);
    if (status == MQ_OK)
        status = names_read(replica, hash, &names, error);
    if (status == MQ_OK) {
        said.cuts = mq_written(&cuts);
        said.cut_count = cuts.size / MQ_CUT_SIZE;
        said.adopted = mq_written(&names);
        said.adopted_count = names.size / MQ_SEGMENT_ID_SIZE;
        status = publish(replica, team, &said, work, error);
    }
    mq_work_free(work, sizeof *work);
    return status == MQ_OK ? mq_revoke_apply(replica, hash, error) : status;
}

/* ---- at the county's desk ---- */

/* The ends of what was merged of the certificate's streams when segment `last` had come: every branch has one, and so has
 * what lies before a hole. */
static enum mq_status cuts_find(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], int64_t last,
                                size_t *count, struct mq_error *error)
{
    uint8_t stream[MQ_ID_SIZE] = {0};
    size_t names;
    enum mq_status status = mq_revoked_rows_drop(replica, hash, error);
    while (status == MQ_OK && (status = mq_revoked_stream(replica, hash, stream, error)) == MQ_OK)
        status = mq_db_run(replica->db, error,
                           "INSERT INTO cut SELECT ?1, stream, seq, id FROM segment AS tip WHERE stream = ?2 AND state = 1"
                           " AND number <= ?3 AND NOT EXISTS (SELECT 1 FROM segment AS next WHERE next.previous = tip.id"
                           " AND next.stream = tip.stream AND next.state = 1 AND next.number <= ?3)",
                           "bbi", mq_span(hash, MQ_HASH_SIZE), MQ_SPAN(stream), last);
    return status == MQ_NOT_FOUND ? mq_revoked_rows_count(replica, hash, count, &names, error) : status;
}

/* More ends than a revocation can name take a thief who made them on purpose, with any numbers he likes. They must not push
 * out what was here before him: then the cuts are those of an earlier moment, and what came later waits for a person. */
static enum mq_status cuts_choose(struct mq_replica *replica, const uint8_t hash[MQ_HASH_SIZE], struct mq_error *error)
{
    int64_t few = 0, many;
    size_t count = 0;
    enum mq_status status =
        mq_db_number(replica->db, &many, error, "SELECT coalesce(max(number), 0) FROM segment", "");
    if (status == MQ_OK)
        status = cuts_find(replica, hash, many, &count, error);
    if (status != MQ_OK || count <= MQ_CUTS_MAX)
        return status;
    while (status == MQ_OK && few + 1 < many) {
        int64_t middle = few + (many - few) / 2;
        status = cuts_find(replica, hash, middle, &count, error);
        *(count <= MQ_CUTS_MAX ? &few : &many) = middle;
    }
    return status == MQ_OK ? cuts_find(replica, hash, few, &count, error) : status;
}

static bool may_be_revoked(const struct mq_team *team, const struct mq_certificate *certificate)
{
    return mq_role_rank(certificate->role) > 0 && !mq_role_governs(certificate->role) &&
           memcmp(certificate->team, team->team, MQ_ID_SIZE) == 0;
}

static enum mq_status revoke(struct mq_replica *replica, const struct mq_team *team,
                             const struct mq_certificate *certificate, bool late, struct mq_error *error)
{
    uint8_t hash[MQ_HASH_SIZE];
    bool revoked;
    MQ_ASSERT(mq_db_in_transaction(replica->db));
    if (!mq_role_governs(team->certificate.role) || !may_be_revoked(team, certificate))
        return mq_fail(error, MQ_REFUSED, _("only the county's desk takes rights, and only those of its members"));
    mq_certificate_hash(hash, certificate);
    enum mq_status status = mq_revoked(replica, certificate, &revoked, error);
    if (status == MQ_OK && revoked)
        return mq_fail(error, MQ_REFUSED, _("this device's rights were taken already; nothing was changed"));
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT INTO revoked VALUES(?, ?)", "bb", MQ_SPAN(hash),
                           MQ_SPAN(team->team));
    if (status == MQ_OK && !late)
        status = cuts_choose(replica, hash, error);
    if (status == MQ_OK)
        status = mq_revoke_say(replica, team->team, hash, error);
    return status == MQ_OK ? mq_revoke_settle(replica, error) : status;
}

enum mq_status mq_revoke(struct mq_replica *replica, const struct mq_team *team,
                         const struct mq_certificate *certificate, struct mq_error *error)
{
    return revoke(replica, team, certificate, false, error);
}

enum mq_status mq_revoke_late(struct mq_replica *replica, const struct mq_team *team,
                              const struct mq_certificate *certificate, struct mq_error *error)
{
    return revoke(replica, team, certificate, true, error);
}

struct adoption {
    int64_t state;
    bool waits; /* for a person, beyond a cut or behind a hole */
    uint8_t team[MQ_ID_SIZE], certificate[MQ_HASH_SIZE];
};

static enum mq_status adoption_find(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE],
                                    struct adoption *out, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_announce announce;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT g.state, coalesce(g.reason IN ('revoked', 'cut'), 0), s.announce"
                                        " FROM segment AS g JOIN stream AS s USING(stream) WHERE g.id = ?",
                                        "b", mq_span(id, MQ_SEGMENT_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    out->state = mq_db_int(query, 0);
    out->waits = mq_db_int(query, 1) != 0;
    status = mq_announce_decode(&announce, mq_db_blob(query, 2));
    mq_db_done(&query);
    if (status != MQ_OK)
        return mq_fail(error, MQ_DAMAGED, _("a stream's announce in this store is damaged"));
    memcpy(out->team, announce.certificate.team, sizeof out->team);
    mq_certificate_hash(out->certificate, &announce.certificate);
    return MQ_OK;
}

static enum mq_status adoption_allowed(struct mq_replica *replica, const struct adoption *adoption,
                                       struct mq_error *error)
{
    bool own = false;
    size_t cuts, names = 0;
    enum mq_status status = mq_governs_team(replica, adoption->team, &own, error);
    if (status == MQ_OK && !own)
        return mq_fail(error, MQ_REFUSED, _("only the county's desk takes in what came after rights were taken"));
    if (status == MQ_OK && adoption->state == MQ_SEGMENT_ADMITTED)
        return mq_fail(error, MQ_REFUSED, _("this is merged already; nothing was changed"));
    if (status == MQ_OK && !adoption->waits)
        return mq_fail(error, MQ_REFUSED,
                       _("this does not wait for a decision; `desk quarantine` says what it waits for"));
    if (status == MQ_OK)
        status = mq_revoked_rows_count(replica, adoption->certificate, &cuts, &names, error);
    if (status == MQ_OK && names >= MQ_ADOPTED_MAX)
        return mq_fail(error, MQ_REFUSED, _("%d pieces of this device were taken in one by one, and no more can be"),
                       MQ_ADOPTED_MAX);
    return status;
}

enum mq_status mq_adopt(struct mq_replica *replica, const uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_error *error)
{
    struct mq_admitted result = {0};
    struct adoption adoption;
    MQ_ASSERT(mq_db_in_transaction(replica->db));
    enum mq_status status = adoption_find(replica, id, &adoption, error);
    if (status == MQ_OK)
        status = adoption_allowed(replica, &adoption, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT OR IGNORE INTO adopted VALUES(?, ?)", "bb",
                           MQ_SPAN(adoption.certificate), mq_span(id, MQ_SEGMENT_ID_SIZE));
    if (status == MQ_OK)
        status = mq_revoke_say(replica, adoption.team, adoption.certificate, error);
    return status == MQ_OK ? mq_admit_waiting(replica, &result, error) : status;
}
