/* Keys that a desk makes, and for whom. */
#include "replica/cases.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/cases_keys.h"
#include "replica/keyring_keys.h"
#include "replica/outbox.h"
#include "replica/revoke.h"

/* ---- one compartment's keys ---- */

enum mq_status mq_grant_wrap_back(uint8_t out[MQ_WRAP_FRAME_SIZE], const struct mq_grant *grant,
                                  const struct mq_secret *key, const uint8_t box_public[MQ_PUBLIC_SIZE])
{
    struct mq_secret ephemeral;
    mq_grant_kid(out, grant);
    mq_desk_ephemeral(&ephemeral, key, box_public);
    enum mq_status status = mq_wrap_seal(out + MQ_KID_SIZE, key, box_public, &ephemeral);
    mq_secret_wipe(&ephemeral);
    return status;
}

static enum mq_status grant_publish(struct mq_replica *replica, const struct mq_grant *grant,
                                    const struct mq_secret *key, struct mq_error *error)
{
    uint8_t bytes[MQ_GRANT_SIZE];
    bool news;
    mq_grant_encode(bytes, grant);
    enum mq_status status = mq_grant_put(replica, grant, key, error);
    if (status == MQ_OK)
        status = mq_mailbox_ask(replica, grant->team, grant->compartment, &news, error);
    return status == MQ_OK ? mq_outbox_put(replica, MQ_FRAME_GRANT, mq_span(NULL, 0), MQ_SPAN(bytes), error) : status;
}

/* One more than every epoch known here, whether its key is or not: a desk that was set back may hear of its later grants
 * before it can open them. */
static enum mq_status next_epoch(struct mq_replica *replica, const uint8_t mailbox[MQ_ID_SIZE], uint32_t *epoch,
                                 struct mq_error *error)
{
    struct mq_grant newest;
    enum mq_status status = mq_grant_newest(replica, mailbox, &newest, error);
    *epoch = status == MQ_OK ? newest.epoch + 1 : 1;
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_grant_next(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                             struct mq_error *error)
{
    struct mq_grant grant = {.compartment = compartment, .epoch = 1}, before;
    struct mq_secret key, key_before;
    uint8_t mailbox[MQ_ID_SIZE], nonce[MQ_NONCE_SIZE];
    memcpy(grant.team, team->team, sizeof grant.team);
    mq_hash_one(grant.roster_hash, sizeof grant.roster_hash, MQ_DOMAIN_ROSTER, MQ_SPAN(replica->identity->sign_public));
    mq_mailbox(mailbox, team->team, compartment);
    enum mq_status status = mq_key_newest(replica, mailbox, &before, &key_before, error);
    bool first = status == MQ_NOT_FOUND;
    if (status != MQ_OK && !first)
        return status;
    if (!first)
        mq_grant_hash(grant.previous_hash, &before);
    status = next_epoch(replica, mailbox, &grant.epoch, error);
    if (status != MQ_OK) {
        mq_secret_wipe(&key_before);
        return status;
    }
    mq_random(replica->platform, &key, sizeof key);
    mq_random(replica->platform, nonce, sizeof nonce);
    bool hands_on = !first && !mq_compartment_restricted(compartment);
    mq_grant_sign(&grant, &key, hands_on ? &key_before : NULL, nonce, replica->identity);
    status = grant_publish(replica, &grant, &key, error);
    mq_secret_wipe(&key);
    mq_secret_wipe(&key_before);
    return status;
}

static enum mq_status wrap_put(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                               const uint8_t box_public[MQ_PUBLIC_SIZE], struct mq_error *error)
{
    uint8_t frame[MQ_WRAP_FRAME_SIZE];
    struct mq_secret ephemeral;
    mq_grant_kid(frame, grant);
    mq_random(replica->platform, &ephemeral, sizeof ephemeral);
    enum mq_status status = mq_wrap_seal(frame + MQ_KID_SIZE, key, box_public, &ephemeral);
    mq_secret_wipe(&ephemeral);
    if (status != MQ_OK)
        return mq_fail(error, MQ_REFUSED, _("nothing can be sealed to this member's key; invite the person anew"));
    return mq_outbox_put(replica, MQ_FRAME_WRAP, mq_span(NULL, 0), MQ_SPAN(frame), error);
}

struct wrapping {
    struct mq_replica *replica;
    const uint8_t *box_public;
};

static enum mq_status wrap_end(void *context, const struct mq_grant *grant, const struct mq_secret *key,
                               struct mq_error *error)
{
    const struct wrapping *wrapping = context;
    return wrap_put(wrapping->replica, grant, key, wrapping->box_public, error);
}

enum mq_status mq_grant_wrap(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment, bool newest,
                             const uint8_t box_public[MQ_PUBLIC_SIZE], struct mq_error *error)
{
    struct wrapping wrapping = {.replica = replica, .box_public = box_public};
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, team->team, compartment);
    return mq_key_ends(replica, mailbox, newest ? 1 : MQ_ENROL_GRANTS_MAX, wrap_end, &wrapping, error);
}

/* ---- for all who have a right ---- */

struct handing {
    struct mq_replica *replica;
    const uint8_t *team;
    unsigned right;
    bool older; /* than the newest, whose grant was published when it was made */
};

/* Unless his rights were taken: a list that was set back may not say so. */
static enum mq_status hand_to(const struct handing *handing, const struct mq_grant *grant, const struct mq_secret *key,
                              const struct mq_certificate *member, struct mq_error *error)
{
    bool revoked;
    enum mq_status status = mq_revoked(handing->replica, member, &revoked, error);
    return status == MQ_OK && !revoked ? wrap_put(handing->replica, grant, key, member->box_public, error) : status;
}

static enum mq_status hand_to_all(const struct handing *handing, const struct mq_grant *grant,
                                  const struct mq_secret *key, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_certificate member;
    enum mq_status status = mq_db_query(handing->replica->db, &query, error,
                                        "SELECT certificate FROM member WHERE team = ?1 AND state = 0"
                                        " AND (?2 = 0 OR rights & ?2 <> 0) ORDER BY serial",
                                        "bi", mq_span(handing->team, MQ_ID_SIZE), (int64_t)handing->right);
    while (status == MQ_OK && mq_db_next(&query, error)) {
        status = mq_certificate_decode(&member, mq_db_blob(query, 0));
        if (status == MQ_OK)
            status = hand_to(handing, grant, key, &member, error);
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

/* An older key's grant goes before: a server that lost it takes no wrap without it. */
static enum mq_status hand_end(void *context, const struct mq_grant *grant, const struct mq_secret *key,
                               struct mq_error *error)
{
    struct handing *handing = context;
    uint8_t bytes[MQ_GRANT_SIZE];
    enum mq_status status = MQ_OK;
    mq_grant_encode(bytes, grant);
    if (handing->older)
        status = mq_outbox_put(handing->replica, MQ_FRAME_GRANT, mq_span(NULL, 0), MQ_SPAN(bytes), error);
    handing->older = true;
    return status == MQ_OK ? hand_to_all(handing, grant, key, error) : status;
}

enum mq_status mq_grant_wrap_all(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                 unsigned right, struct mq_error *error)
{
    struct handing handing = {.replica = replica, .team = team->team, .right = right};
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, team->team, compartment);
    return mq_key_ends(replica, mailbox, mq_compartment_restricted(compartment) ? 1 : MQ_ENROL_GRANTS_MAX,
                       hand_end, &handing, error);
}

enum mq_status mq_grant_share(struct mq_replica *replica, const struct mq_grant *grant, const struct mq_secret *key,
                              struct mq_error *error)
{
    bool own, sensitive = grant->compartment == MQ_COMPARTMENT_SENSITIVE;
    struct handing handing = {
        .replica = replica, .team = grant->team, .right = sensitive ? MQ_RIGHT_SENSITIVE : MQ_RIGHT_NONE, .older = true};
    if (!sensitive && grant->compartment != MQ_COMPARTMENT_TEAM)
        return MQ_OK;
    enum mq_status status = mq_governs_team(replica, grant->team, &own, error);
    return status == MQ_OK && own ? hand_end(&handing, grant, key, error) : status;
}

/* ---- cases ---- */

/* Who wrote it, where that is a cadre. MQ_NOT_FOUND: a desk did, or its create is not here. */
static enum mq_status author_of(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                struct mq_certificate *out, struct mq_error *error)
{
    struct mq_query *query;
    struct mq_announce announce;
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT s.announce FROM change AS c JOIN segment AS g ON g.number = c.segment"
                    " JOIN stream AS s ON s.stream = g.stream WHERE c.id = ?",
                    "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status != MQ_OK ? error->status : MQ_NOT_FOUND;
    status = mq_announce_decode(&announce, mq_db_blob(query, 0));
    mq_db_done(&query);
    *out = announce.certificate;
    return status == MQ_OK && out->role == MQ_ROLE_CADRE ? MQ_OK : MQ_NOT_FOUND;
}

/* The case's newest key to its author, unless his rights were taken. */
static enum mq_status wrap_case(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                const struct mq_certificate *author, struct mq_error *error)
{
    bool revoked;
    enum mq_status status = mq_revoked(replica, author, &revoked, error);
    return status == MQ_OK && !revoked ? mq_grant_wrap(replica, team, compartment, true, author->box_public, error)
                                       : status;
}

static enum mq_status one_author(struct mq_replica *replica, const struct mq_belongs *about, bool *one,
                                 struct mq_error *error)
{
    int64_t others;
    enum mq_status status = mq_db_number(
        replica->db, &others, error,
        "SELECT count(*) FROM record WHERE home = ?1 AND compartment = ?2 AND author <> ?3", "iib",
        (int64_t)about->home, (int64_t)MQ_COMPARTMENT_RESTRICTED, MQ_SPAN(about->author));
    *one = status == MQ_OK && others == 0;
    return status;
}

enum mq_status mq_case_open(struct mq_replica *replica, const struct mq_team *team, const uint8_t record[MQ_ID_SIZE],
                            const struct mq_belongs *about, bool *open, struct mq_error *error)
{
    struct mq_certificate author;
    bool one = false, here = false;
    *open = false;
    if (about->home == 0)
        return MQ_OK;
    enum mq_status status = one_author(replica, about, &one, error);
    if (status != MQ_OK || !one)
        return status;
    status = mq_key_here(replica, team->team, about->home, &here, error);
    if (status != MQ_OK || here || team->certificate.role != MQ_ROLE_COUNTY_DESK) {
        *open = here;
        return status;
    }
    status = author_of(replica, record, &author, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    status = mq_grant_next(replica, team, about->home, error);
    if (status == MQ_OK)
        status = wrap_case(replica, team, about->home, &author, error);
    if (status == MQ_OK)
        status = mq_grant_wrap_all(replica, team, about->home, MQ_RIGHT_RESTRICTED, error);
    *open = status == MQ_OK;
    return status;
}

/* ---- other persons are named ---- */

/* The next case of the team after this one. MQ_NOT_FOUND: there are no more. */
static enum mq_status next_case(struct mq_replica *replica, const struct mq_team *team, uint32_t *compartment,
                                struct mq_error *error)
{
    int64_t next;
    enum mq_status status = mq_db_number(
        replica->db, &next, error,
        "SELECT compartment FROM mailbox WHERE team = ? AND compartment > ? AND compartment >= ? ORDER BY compartment LIMIT 1",
        "bii", MQ_SPAN(team->team), (int64_t)*compartment, (int64_t)MQ_COMPARTMENT_CASE_FIRST);
    *compartment = status == MQ_OK ? (uint32_t)next : 0;
    return status;
}

/* To the author of the matters in this case, where they are one person's. */
static enum mq_status wrap_to_author(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment,
                                     struct mq_error *error)
{
    struct mq_query *query;
    struct mq_certificate author;
    uint8_t record[MQ_ID_SIZE];
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT record FROM record WHERE home = ?1 AND compartment = ?2 AND"
        " (SELECT count(DISTINCT author) FROM record WHERE home = ?1 AND compartment = ?2) = 1 ORDER BY record LIMIT 1",
        "ii", (int64_t)compartment, (int64_t)MQ_COMPARTMENT_RESTRICTED);
    if (status != MQ_OK)
        return status;
    if (!mq_db_next(&query, error))
        return error->status;
    memcpy(record, mq_db_blob(query, 0).data, sizeof record);
    mq_db_done(&query);
    status = author_of(replica, record, &author, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    return status == MQ_OK ? wrap_case(replica, team, compartment, &author, error) : status;
}

enum mq_status mq_restricted_regrant(struct mq_replica *replica, const struct mq_team *team, struct mq_error *error)
{
    uint32_t compartment = MQ_COMPARTMENT_RESTRICTED;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK) {
        status = mq_grant_next(replica, team, compartment, error);
        if (status == MQ_OK)
            status = mq_grant_wrap_all(replica, team, compartment, MQ_RIGHT_RESTRICTED, error);
        if (status == MQ_OK && mq_compartment_is_case(compartment))
            status = wrap_to_author(replica, team, compartment, error);
        if (status == MQ_OK)
            status = next_case(replica, team, &compartment, error);
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}
