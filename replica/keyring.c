/* Teams, grants and announces that a replica holds. */
#include "replica/keyring_keys.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/compartment.h"

static enum mq_status team_row(struct mq_query *query, struct mq_team *out)
{
    struct mq_span team = mq_db_blob(query, 0), name = mq_db_text(query, 1);
    MQ_ASSERT(team.size == sizeof out->team);
    memcpy(out->team, team.data, team.size);
    memset(out->name, 0, sizeof out->name);
    memcpy(out->name, name.data, name.size < sizeof out->name ? name.size : sizeof out->name - 1);
    mq_mailbox(out->mailbox, out->team, MQ_COMPARTMENT_TEAM);
    struct mq_span token = mq_db_blob(query, 3);
    memset(out->token, 0, sizeof out->token);
    if (token.size == sizeof out->token)
        memcpy(out->token, token.data, token.size);
    return mq_certificate_decode(&out->certificate, mq_db_blob(query, 2));
}

enum mq_status mq_team_find(struct mq_replica *replica, const uint8_t *team, struct mq_team *out,
                            struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status;
    if (team != NULL)
        status =
            mq_db_query(replica->db, &query, error, "SELECT team, name, certificate, token FROM team WHERE team = ?",
                        "b", mq_span(team, MQ_ID_SIZE));
    else
        status = mq_db_query(replica->db, &query, error, "SELECT team, name, certificate, token FROM team LIMIT 1", "");
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK
                   ? error->status
                   : mq_fail(error, MQ_NOT_FOUND, _("this store belongs to no team yet; join one with an invitation"));
    status = team_row(query, out);
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK : mq_fail(error, MQ_DAMAGED, _("the certificate in this store is damaged"));
}

enum mq_status mq_team_each(struct mq_replica *replica,
                            enum mq_status (*take)(void *, const struct mq_team *, struct mq_error *), void *context,
                            struct mq_error *error)
{
    struct mq_query *query;
    struct mq_team team;
    enum mq_status status = mq_db_query(replica->db, &query, error,
                                        "SELECT team, name, certificate, token FROM team ORDER BY name, team", "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        status = team_row(query, &team);
        if (status == MQ_OK)
            status = take(context, &team, error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

/* A mailbox that is known of; whether it is asked for is said elsewhere. */
static enum mq_status mailbox_put(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t compartment,
                                  uint8_t mailbox[MQ_ID_SIZE], struct mq_error *error)
{
    mq_mailbox(mailbox, team, compartment);
    return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO mailbox(mailbox, team, compartment) VALUES(?, ?, ?)",
                     "bbi", mq_span(mailbox, MQ_ID_SIZE), mq_span(team, MQ_ID_SIZE), (int64_t)compartment);
}

enum mq_status mq_mailbox_ask(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t compartment,
                              bool *news, struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    enum mq_status status = mailbox_put(replica, team, compartment, mailbox, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "UPDATE mailbox SET asked = 1 WHERE mailbox = ? AND asked = 0", "b",
                           MQ_SPAN(mailbox));
    *news = status == MQ_OK && mq_db_changes(replica->db) > 0;
    return status;
}

enum mq_status mq_team_put(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error)
{
    uint8_t certificate[MQ_CERTIFICATE_SIZE], mailbox[MQ_ID_SIZE];
    mq_certificate_encode(certificate, &team->certificate);
    enum mq_status status = mq_db_run(replica->db, error, "INSERT OR REPLACE INTO team VALUES(?, ?, ?, ?)", "bzbb",
                                      MQ_SPAN(team->team), team->name, MQ_SPAN(certificate), MQ_SPAN(team->token));
    if (status != MQ_OK)
        return status;
    return mailbox_put(replica, team->team, MQ_COMPARTMENT_TEAM, mailbox, error);
}

enum mq_status mq_root_put(struct mq_replica *replica, const uint8_t root_public[MQ_PUBLIC_SIZE],
                           struct mq_error *error)
{
    enum mq_status status = mq_setting_put(replica, "root_public", mq_span(root_public, MQ_PUBLIC_SIZE), error);
    memcpy(replica->root_public, root_public, MQ_PUBLIC_SIZE);
    replica->has_root = true;
    return status;
}

const struct mq_identity *mq_replica_identity(const struct mq_replica *replica)
{
    return replica->identity;
}

const uint8_t *mq_replica_root(const struct mq_replica *replica)
{
    MQ_ASSERT(replica->has_root);
    return replica->root_public;
}

/* ---- desks ---- */

enum mq_status mq_desk_put(struct mq_replica *replica, const struct mq_certificate *desk, struct mq_error *error)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, desk);
    return mq_db_run(replica->db, error, "INSERT OR IGNORE INTO desk VALUES(?)", "b", MQ_SPAN(bytes));
}

enum mq_status mq_desks(struct mq_replica *replica, struct mq_certificate *out, size_t most, size_t *count,
                        struct mq_error *error)
{
    struct mq_query *query;
    *count = 0;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT certificate FROM desk", "");
    if (status != MQ_OK)
        return status;
    while (*count < most && mq_db_next(&query, error))
        if (mq_certificate_decode(&out[*count], mq_db_blob(query, 0)) == MQ_OK)
            ++*count;
    mq_db_done(&query);
    return error->status;
}

enum mq_status mq_county_desk(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], struct mq_certificate *out,
                              struct mq_error *error)
{
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t count;
    bool found = false;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        if (mq_role_governs(desks[i].role) && memcmp(desks[i].team, team, MQ_ID_SIZE) == 0 &&
            (!found || desks[i].issued_day > out->issued_day)) {
            *out = desks[i];
            found = true;
        }
    return status == MQ_OK && !found ? MQ_NOT_FOUND : status;
}

enum mq_status mq_governs_team(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], bool *governs,
                               struct mq_error *error)
{
    struct mq_team found;
    struct mq_error unheard = {0};
    enum mq_status status = mq_team_find(replica, team, &found, &unheard);
    *governs = status == MQ_OK && mq_role_governs(found.certificate.role);
    return status == MQ_OK || status == MQ_NOT_FOUND ? MQ_OK : mq_fail(error, status, "%s", unheard.text);
}

enum mq_status mq_certificate_trust(struct mq_replica *replica, const struct mq_certificate *certificate,
                                    struct mq_error *error)
{
    struct mq_certificate desks[MQ_DESKS_MAX];
    size_t count;
    enum mq_status status = mq_desks(replica, desks, MQ_DESKS_MAX, &count, error);
    return status != MQ_OK ? status : mq_certificate_verify(certificate, mq_replica_root(replica), desks, count);
}

/* ---- grants ---- */

static enum mq_status grant_row(struct mq_query *query, struct mq_grant *grant, struct mq_secret *key)
{
    struct mq_span bytes = mq_db_blob(query, 1);
    if (bytes.size == 0)
        return MQ_WAITING;
    MQ_ASSERT(bytes.size == sizeof key->bytes);
    memcpy(key->bytes, bytes.data, bytes.size);
    return mq_grant_decode(grant, mq_db_blob(query, 0));
}

static enum mq_status grant_find(struct mq_query *query, struct mq_grant *grant, struct mq_secret *key,
                                 struct mq_error *error)
{
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    enum mq_status status = grant_row(query, grant, key);
    mq_db_done(&query);
    return status == MQ_WAITING ? MQ_NOT_FOUND : status;
}

enum mq_status mq_key_find(struct mq_replica *replica, const uint8_t kid[MQ_KID_SIZE], struct mq_grant *grant,
                           struct mq_secret *key, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT bytes, key FROM grants WHERE kid = ?", "b",
                                        mq_span(kid, MQ_KID_SIZE));
    return status != MQ_OK ? status : grant_find(query, grant, key, error);
}

enum mq_status mq_key_newest(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], struct mq_grant *grant,
                             struct mq_secret *key, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT bytes, key FROM grants WHERE mailbox = ? AND key IS NOT NULL ORDER BY epoch DESC, kid LIMIT 1", "b",
        mq_span(mailbox, MQ_ID_SIZE));
    return status != MQ_OK ? status : grant_find(query, grant, key, error);
}

enum mq_status mq_grant_newest(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], struct mq_grant *grant,
                               struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT bytes FROM grants WHERE mailbox = ? ORDER BY epoch DESC, kid LIMIT 1", "b",
                    mq_span(mailbox, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    status = mq_grant_decode(grant, mq_db_blob(query, 0));
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK : mq_fail(error, MQ_DAMAGED, _("a grant in this store is damaged"));
}

enum mq_status mq_key_here(struct mq_replica *replica, const uint8_t team[MQ_ID_SIZE], uint32_t compartment, bool *here,
                           struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    int64_t keys;
    mq_mailbox(mailbox, team, compartment);
    enum mq_status status = mq_db_number(replica->db, &keys, error,
                                         "SELECT count(*) FROM grants WHERE mailbox = ? AND key IS NOT NULL", "b",
                                         MQ_SPAN(mailbox));
    *here = status == MQ_OK && keys > 0;
    return status;
}

enum mq_status mq_grant_put(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                            struct mq_error *error)
{
    uint8_t bytes[MQ_GRANT_SIZE], kid[MQ_KID_SIZE], mailbox[MQ_ID_SIZE];
    mq_grant_encode(bytes, grant);
    mq_grant_kid(kid, grant);
    enum mq_status status = mailbox_put(replica, grant->team, grant->compartment, mailbox, error);
    if (status == MQ_OK)
        status =
            mq_db_run(replica->db, error, "INSERT OR IGNORE INTO grants(kid, mailbox, epoch, bytes) VALUES(?, ?, ?, ?)",
                      "bbib", MQ_SPAN(kid), MQ_SPAN(mailbox), (int64_t)grant->epoch, MQ_SPAN(bytes));
    if (status == MQ_OK && key != NULL)
        status = mq_db_run(replica->db, error, "UPDATE grants SET key = ? WHERE kid = ?", "bb", MQ_SPAN(key->bytes),
                           MQ_SPAN(kid));
    return status;
}

/* Grants that those already seen hand on: what is reached in this way need not be handed on by itself. */
struct reached {
    uint8_t hashes[MQ_ENROL_GRANTS_MAX][MQ_HASH_SIZE];
    size_t count;
};

static bool is_reached(const struct reached *reached, const struct mq_grant *grant)
{
    uint8_t hash[MQ_HASH_SIZE];
    mq_grant_hash(hash, grant);
    for (size_t i = 0; i < reached->count && i < MQ_ENROL_GRANTS_MAX; i++)
        if (memcmp(reached->hashes[i], hash, sizeof hash) == 0)
            return true;
    return false;
}

/* The newest ones stay noted: a grant stands soon behind the one that hands it on. */
static void note_reached(struct reached *reached, const struct mq_grant *grant)
{
    static const uint8_t none[sizeof grant->previous_key];
    if (memcmp(grant->previous_key, none, sizeof none) != 0)
        memcpy(reached->hashes[reached->count++ % MQ_ENROL_GRANTS_MAX], grant->previous_hash, MQ_HASH_SIZE);
}

enum mq_status mq_key_ends(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], size_t most,
                           enum mq_status (*take)(void *, const struct mq_grant *, const struct mq_secret *,
                                                  struct mq_error *),
                           void *context, struct mq_error *error)
{
    struct mq_query *query;
    struct reached reached = {.count = 0};
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT bytes, key FROM grants WHERE mailbox = ? AND key IS NOT NULL ORDER BY epoch DESC, kid", "b",
        mq_span(mailbox, MQ_ID_SIZE));
    while (status == MQ_OK && most > 0 && mq_db_next(&query, error)) {
        struct mq_grant grant;
        struct mq_secret key;
        status = grant_row(query, &grant, &key);
        if (status == MQ_OK && !is_reached(&reached, &grant)) {
            status = take(context, &grant, &key, error);
            most--;
        }
        if (status == MQ_OK)
            note_reached(&reached, &grant);
        mq_secret_wipe(&key);
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

/* ---- streams ---- */

enum mq_status mq_announce_find(struct mq_replica *replica, const uint8_t stream[MQ_ID_SIZE], struct mq_announce *out,
                                struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT announce FROM stream WHERE stream = ?", "b",
                                        mq_span(stream, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    status = mq_announce_decode(out, mq_db_blob(query, 0));
    mq_db_done(&query);
    return status == MQ_OK ? MQ_OK : mq_fail(error, MQ_DAMAGED, _("a stream's announce in this store is damaged"));
}

enum mq_status mq_stream_put(struct mq_replica *replica, const struct mq_announce *announce, bool mine,
                             struct mq_error *error)
{
    uint8_t bytes[MQ_ANNOUNCE_SIZE], stream[MQ_ID_SIZE], mailbox[MQ_ID_SIZE];
    mq_announce_encode(bytes, announce);
    mq_announce_stream(stream, announce);
    enum mq_status status =
        mailbox_put(replica, announce->certificate.team, announce->compartment, mailbox, error);
    if (status != MQ_OK)
        return status;
    return mq_db_run(replica->db, error,
                     "INSERT OR IGNORE INTO stream(stream, mailbox, announce, rank, mine) VALUES(?, ?, ?, ?, ?)",
                     "bbbii", MQ_SPAN(stream), MQ_SPAN(mailbox), MQ_SPAN(bytes),
                     (int64_t)mq_role_rank(announce->certificate.role), (int64_t)mine);
}
