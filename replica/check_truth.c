/* The truth beside segments: each signature up to the root, each key against its commitment, each own chain link by link,
 * each id of the journal; and a hash of derived tables. */
#include <string.h>

#include "protocol/control.h"
#include "replica/check_parts.h"
#include "replica/keyring_keys.h"

struct truth {
    struct mq_check_work *check;
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t count;
};

/* ---- whom all the rest hangs on ---- */

static enum mq_status check_desk(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    struct mq_certificate desk;
    struct mq_span bytes = mq_db_blob(query, 0);
    uint8_t name[MQ_KID_SIZE] = {0};
    bool good = mq_certificate_decode(&desk, bytes) == MQ_OK && mq_role_is_desk(desk.role) &&
                mq_certificate_verify(&desk, mq_replica_root(truth->check->replica), NULL, 0) == MQ_OK;
    if (good && truth->count < MQ_DESKS_MAX)
        truth->desks[truth->count++] = desk;
    if (bytes.size == MQ_CERTIFICATE_SIZE)
        mq_key_name(name, desk.sign_public);
    return good ? MQ_OK : mq_check_finding(truth->check, "desk's certificate is not the root's", MQ_SPAN(name), error);
}

/* Columns: stream, announce, mailbox. */
static enum mq_status check_stream(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    struct mq_announce announce;
    uint8_t stream[MQ_ID_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_span id = mq_db_blob(query, 0);
    if (mq_announce_decode(&announce, mq_db_blob(query, 1)) != MQ_OK)
        return mq_check_finding(truth->check, "announce does not verify", id, error);
    mq_announce_stream(stream, &announce);
    mq_mailbox(mailbox, announce.certificate.team, announce.compartment);
    if (!mq_span_equal(id, MQ_SPAN(stream)) || !mq_span_equal(mq_db_blob(query, 2), MQ_SPAN(mailbox)))
        return mq_check_finding(truth->check, "announce is another stream's", id, error);
    if (mq_certificate_verify(&announce.certificate, mq_replica_root(truth->check->replica), truth->desks,
                              truth->count) != MQ_OK)
        return mq_check_finding(truth->check, "writer's certificate does not chain to the root", id, error);
    return MQ_OK;
}

/* Columns: kid, bytes, key. */
static enum mq_status check_grant(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    struct mq_grant grant;
    struct mq_secret key;
    uint8_t kid[MQ_KID_SIZE], commitment[MQ_PUBLIC_SIZE];
    struct mq_span name = mq_db_blob(query, 0), secret = mq_db_blob(query, 2);
    bool signed_well = false;
    if (mq_grant_decode(&grant, mq_db_blob(query, 1)) != MQ_OK)
        return mq_check_finding(truth->check, "grant differs from what was stored", name, error);
    mq_grant_kid(kid, &grant);
    for (size_t i = 0; i < truth->count && !signed_well; i++)
        signed_well = mq_role_governs(truth->desks[i].role) && mq_grant_verify(&grant, &truth->desks[i]) == MQ_OK;
    if (!signed_well || !mq_span_equal(name, MQ_SPAN(kid)))
        return mq_check_finding(truth->check, "grant does not verify", name, error);
    if (mq_db_is_null(query, 2))
        return MQ_OK; /* not for us to read */
    if (secret.size != sizeof key.bytes)
        return mq_check_finding(truth->check, "key is not the granted one", name, error);
    memcpy(key.bytes, secret.data, sizeof key.bytes);
    mq_commitment(commitment, &key);
    mq_secret_wipe(&key);
    return memcmp(commitment, grant.commitment, sizeof commitment) == 0
               ? MQ_OK
               : mq_check_finding(truth->check, "key is not the granted one", name, error);
}

/* Columns: subject, bytes. */
static enum mq_status check_control(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    struct mq_control control;
    bool good = mq_control_decode(&control, mq_db_blob(query, 1)) == MQ_OK, signed_well = false;
    for (size_t i = 0; i < truth->count && good && !signed_well; i++)
        signed_well = mq_control_verify(&control, &truth->desks[i]) == MQ_OK;
    return signed_well ? MQ_OK
                       : mq_check_finding(truth->check, "what a desk said does not verify", mq_db_blob(query, 0), error);
}

/* ---- what was written here ---- */

static enum mq_status own_chain_broken(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    return mq_check_finding(truth->check, "own chain is broken", mq_db_blob(query, 0), error);
}

static enum mq_status own_chain_hole(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    return mq_check_finding(truth->check, "own chain has a hole", mq_db_blob(query, 0), error);
}

static enum mq_status lost_piece(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    return mq_check_finding(truth->check, "what was sealed of this record is gone", mq_db_blob(query, 0), error);
}

/* Columns: id, idx, expanded, salt, how many stand before it in its batch. */
static enum mq_status check_journal(struct truth *truth, struct mq_query *query, struct mq_error *error)
{
    uint8_t id[MQ_ID_SIZE], salt[MQ_SALT_SIZE] = {0};
    struct mq_span given = mq_db_blob(query, 3);
    if (given.size == sizeof salt)
        memcpy(salt, given.data, sizeof salt);
    mq_change_id(id, salt, (uint32_t)mq_db_int(query, 1), mq_db_blob(query, 2));
    bool good = given.size == sizeof salt && mq_db_int(query, 1) == mq_db_int(query, 4) &&
                mq_span_equal(mq_db_blob(query, 0), MQ_SPAN(id));
    return good ? MQ_OK
                : mq_check_finding(truth->check, "change in the journal differs from what was saved", mq_db_blob(query, 0),
                                   error);
}

/* In this order: what is looked at first verifies what comes later. */
static const struct {
    const char *sql;
    enum mq_status (*look)(struct truth *truth, struct mq_query *query, struct mq_error *error);
} questions[] = {
    {"SELECT certificate FROM desk", check_desk},
    {"SELECT stream, announce, mailbox FROM stream", check_stream},
    {"SELECT kid, bytes, key FROM grants", check_grant},
    {"SELECT subject, bytes FROM control UNION ALL SELECT coalesce(slot, x''), bytes FROM outbox WHERE frame = 6", check_control},
    {"SELECT g.id FROM segment AS g WHERE g.mine = 1 AND g.seq > 1 AND NOT EXISTS (SELECT 1 FROM segment AS p"
     " WHERE p.id = g.previous AND p.stream = g.stream AND p.seq = g.seq - 1)",
     own_chain_broken},
    {"SELECT stream FROM stream AS s WHERE mine = 1 AND (next_seq - 1 <>"
     " (SELECT count(*) FROM segment WHERE stream = s.stream AND mine = 1) OR (next_seq > 1 AND head_id IS NOT"
     " (SELECT id FROM segment WHERE stream = s.stream AND mine = 1 AND seq = s.next_seq - 1)))",
     own_chain_hole},
    {"SELECT record FROM (SELECT record, segment FROM matter UNION ALL SELECT record, segment FROM piece)"
     " WHERE segment NOT IN (SELECT number FROM segment)",
     lost_piece},
    {"SELECT j.id, j.idx, j.expanded, b.salt, row_number() OVER (PARTITION BY j.batch ORDER BY j.number) - 1"
     " FROM journal AS j LEFT JOIN batch AS b ON b.number = j.batch",
     check_journal},
};

enum mq_status mq_check_truth(struct mq_check_work *work, struct mq_error *error)
{
    struct truth *truth = mq_work_memory(sizeof *truth);
    enum mq_status status = MQ_OK;
    memset(truth, 0, sizeof *truth);
    truth->check = work;
    /* Where no root is pinned yet, nobody has joined and nothing was signed. */
    for (size_t i = 0; i < sizeof questions / sizeof *questions && work->replica->has_root && status == MQ_OK; i++) {
        struct mq_query *query;
        status = mq_db_query(work->replica->db, &query, error, questions[i].sql, "");
        if (status != MQ_OK)
            break;
        while (status == MQ_OK && mq_db_next(&query, error))
            status = questions[i].look(truth, query, error);
        mq_db_done(&query);
        if (status == MQ_OK)
            status = error->status;
    }
    mq_work_free(truth, sizeof *truth);
    return status;
}

/* ---- derived tables ---- */

static const char *const derived[] = {
    ("SELECT quote(record) || quote(team) || kind || quote(id) || quote(canonical) || compartment || quote(home) || quote(author)"
     " FROM record ORDER BY record"),
    "SELECT quote(a) || quote(b) FROM link ORDER BY a, b",
    "SELECT quote(source) || field || quote(target) FROM refers ORDER BY source, field, target",
    "SELECT quote(canonical) || kind || deleted || review || conflicts || leans FROM state ORDER BY canonical",
};

enum mq_status mq_check_derived(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    memset(out, 0, MQ_HASH_SIZE);
    for (size_t i = 0; i < sizeof derived / sizeof *derived && status == MQ_OK; i++) {
        struct mq_query *query;
        status = mq_db_query(replica->db, &query, error, derived[i], "");
        if (status != MQ_OK)
            return status;
        while (mq_db_next(&query, error)) {
            const struct mq_span parts[] = {mq_span(out, MQ_HASH_SIZE), mq_db_text(query, 0)};
            uint8_t next[MQ_HASH_SIZE];
            mq_hash(next, sizeof next, MQ_DOMAIN_BODY, parts, 2);
            memcpy(out, next, sizeof next);
        }
        status = error->status;
    }
    return status;
}
