/* Who may have what: mailboxes of the token's team by compartment, and the rights that its desk gave the token
 * (docs/protocol.md, sections 1 and 4). A relay opens nothing; this keeps those who could not open it from counting it. */
#include <string.h>

#include "protocol/assert.h"
#include "server/relay/relay_work.h"

#define OWN_STREAMS_LOOKED_AT 64 /* the newest: certificates change rarely */

/* ---- Mailboxes ---- */

struct first_item {
    bool found, good;
    uint8_t team[MQ_ID_SIZE];
    uint32_t compartment;
};

/* What lies first in a case's log is its grant, or an announce for it: both say whose it is. */
static bool look_at_first(void *context, const struct mq_log_item *item)
{
    struct first_item *first = context;
    struct mq_grant grant;
    struct mq_announce announce;

    first->found = true;
    if (item->frame == MQ_FRAME_GRANT && mq_grant_decode(&grant, item->bytes) == MQ_OK) {
        first->good = true;
        first->compartment = grant.compartment;
        memcpy(first->team, grant.team, sizeof first->team);
    } else if (item->frame == MQ_FRAME_ANNOUNCE && mq_announce_decode(&announce, item->bytes) == MQ_OK) {
        first->good = true;
        first->compartment = announce.compartment;
        memcpy(first->team, announce.certificate.team, sizeof first->team);
    }
    return false;
}

enum mq_status mq_work_place(struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE], uint32_t *compartment)
{
    struct mq_store *store = work->relay->store;
    struct first_item first = {.found = false};

    for (uint32_t i = 0; i < MQ_COMPARTMENTS_MAX; i++)
        if (memcmp(work->mailboxes[i], mailbox, MQ_ID_SIZE) == 0) {
            *compartment = i;
            return MQ_OK;
        }
    enum mq_status status = store->verbs->list(store, mailbox, 0, look_at_first, &first, work->error);
    if (status != MQ_OK)
        return status;
    if (!first.found)
        return MQ_NOT_FOUND;
    *compartment = first.compartment;
    return first.good && memcmp(first.team, work->team, sizeof first.team) == 0 ? MQ_OK : MQ_REFUSED;
}

void mq_work_grant_mailbox(uint8_t out[MQ_ID_SIZE], const struct mq_grant *grant)
{
    mq_mailbox(out, grant->team, mq_compartment_is_case(grant->compartment) ? grant->compartment : MQ_COMPARTMENT_TEAM);
}

/* ---- Rights ---- */

bool mq_work_reads(const struct mq_relay_work *work, uint32_t compartment)
{
    if (compartment == MQ_COMPARTMENT_SENSITIVE)
        return mq_work_may(work, MQ_ACCESS_SENSITIVE);
    if (!mq_compartment_restricted(compartment) || mq_work_may(work, MQ_ACCESS_RESTRICTED))
        return true;
    for (size_t i = 0; i < work->case_count; i++)
        if (work->cases[i] == compartment)
            return true;
    return false;
}

enum mq_status mq_work_reads_mailbox(struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE], bool *reads)
{
    uint32_t compartment;
    enum mq_status status = mq_work_place(work, mailbox, &compartment);

    *reads = status == MQ_OK && mq_work_reads(work, compartment);
    return status == MQ_NOT_FOUND || status == MQ_REFUSED ? MQ_OK : status;
}

/* ---- The token's own cases ---- */

static void case_put(struct mq_relay_work *work, uint32_t compartment)
{
    for (size_t i = 0; i < work->case_count; i++)
        if (work->cases[i] == compartment)
            return;
    if (compartment != 0 && work->case_count < MQ_OWN_CASES_MAX)
        work->cases[work->case_count++] = compartment;
}

enum mq_status mq_work_own_cases(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = MQ_OK;

    work->case_count = 0;
    for (size_t i = 0; status == MQ_OK && i < work->stream_count && i < OWN_STREAMS_LOOKED_AT; i++) {
        uint8_t memory[MQ_ANNOUNCE_SIZE], mailbox[MQ_ID_SIZE];
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        struct mq_certificate writer;
        status = store->verbs->announce(store, work->streams[i], mailbox, &bytes, work->error);
        if (status == MQ_OK && mq_certificate_decode(&writer, mq_span(memory, MQ_CERTIFICATE_SIZE)) == MQ_OK)
            case_put(work, mq_compartment_case(writer.serial));
        if (status == MQ_NOT_FOUND)
            status = MQ_OK;
    }
    return status;
}

/* ---- What lies elsewhere ---- */

/* Anything but grants: a wrap, or what somebody wrote. */
static bool look_for_more(void *context, const struct mq_log_item *item)
{
    bool *more = context;

    *more = item->frame != MQ_FRAME_GRANT;
    return !*more;
}

static bool asked_for(const struct mq_relay_work *work, const uint8_t mailbox[MQ_ID_SIZE])
{
    for (size_t i = 0; i < work->request.mailbox_count; i++)
        if (memcmp(work->request.mailboxes[i].mailbox, mailbox, MQ_ID_SIZE) == 0)
            return true;
    return false;
}

static enum mq_status elsewhere_put(struct mq_relay_work *work, uint32_t compartment)
{
    struct mq_store *store = work->relay->store;
    uint8_t mailbox[MQ_ID_SIZE];
    bool more = false;

    mq_mailbox(mailbox, work->team, compartment);
    if (work->elsewhere_count == MQ_CASES_MAX || asked_for(work, mailbox) || !mq_work_reads(work, compartment))
        return MQ_OK;
    enum mq_status status = store->verbs->list(store, mailbox, 0, look_for_more, &more, work->error);
    if (status != MQ_OK || !more)
        return status;
    struct mq_log_position last;
    status = store->verbs->last(store, mailbox, &last, work->error);
    if (status == MQ_OK)
        work->elsewhere[work->elsewhere_count++] =
            (struct mq_elsewhere){.compartment = compartment, .last = last.number};
    return status;
}

struct cases {
    const struct mq_relay_work *work;
    uint32_t compartments[MQ_CASES_MAX];
    size_t count;
};

/* The first grant of each of the team's cases. */
static bool collect_case(void *context, struct mq_span bytes)
{
    struct cases *cases = context;
    struct mq_grant grant;

    if (mq_grant_decode(&grant, bytes) == MQ_OK && grant.epoch == 1 && mq_compartment_is_case(grant.compartment) &&
        memcmp(grant.team, cases->work->team, MQ_ID_SIZE) == 0)
        cases->compartments[cases->count++] = grant.compartment;
    return cases->count < MQ_CASES_MAX;
}

/* Who reads the restricted compartment reads all cases, and learns of them in this way. */
static enum mq_status every_case(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    struct cases cases = {.work = work};
    enum mq_status status = store->verbs->grants(store, collect_case, &cases, work->error);

    for (size_t i = 0; status == MQ_OK && i < cases.count; i++)
        status = elsewhere_put(work, cases.compartments[i]);
    return status;
}

enum mq_status mq_work_elsewhere(struct mq_relay_work *work)
{
    work->elsewhere_count = 0;
    enum mq_status status = elsewhere_put(work, MQ_COMPARTMENT_RESTRICTED);
    if (status == MQ_OK)
        status = elsewhere_put(work, MQ_COMPARTMENT_SENSITIVE);
    if (status == MQ_OK && mq_work_may(work, MQ_ACCESS_RESTRICTED))
        return every_case(work);
    for (size_t i = 0; status == MQ_OK && i < work->case_count; i++)
        status = elsewhere_put(work, work->cases[i]);
    return status;
}

/* ---- What desks say ---- */

static bool own_stream(const struct mq_relay_work *work, const uint8_t stream[MQ_ID_SIZE])
{
    for (size_t i = 0; i < work->stream_count; i++)
        if (memcmp(work->streams[i], stream, MQ_ID_SIZE) == 0)
            return true;
    return false;
}

bool mq_work_silenced(const struct mq_relay_work *work, const uint8_t team[MQ_ID_SIZE], const uint8_t key_name[MQ_KID_SIZE])
{
    for (size_t i = 0; i < work->silenced_count; i++)
        if (memcmp(work->silenced[i].team, team, MQ_ID_SIZE) == 0 &&
            memcmp(work->silenced[i].key_name, key_name, MQ_KID_SIZE) == 0)
            return true;
    return false;
}

bool mq_work_is_countys_word(const struct mq_relay_work *work, const struct mq_control *control)
{
    uint8_t name[MQ_KID_SIZE];

    for (size_t i = 0; i < work->desk_count; i++) {
        if (!mq_role_governs(work->desks[i].role) || memcmp(work->desks[i].team, control->team, MQ_ID_SIZE) != 0)
            continue;
        mq_key_name(name, work->desks[i].sign_public);
        if (memcmp(name, control->issuer, sizeof name) == 0)
            return true;
    }
    return false;
}

bool mq_work_desk_hears(const struct mq_relay_work *work, const struct mq_control *control)
{
    static const uint8_t team_itself[MQ_ID_SIZE];

    if (own_stream(work, control->subject) || (control->kind != MQ_CONTROL_RECEIPT && mq_work_may(work, MQ_ACCESS_DESK)))
        return true;
    if (control->kind == MQ_CONTROL_RECEIPT)
        return memcmp(control->issuer, work->access.key_name, MQ_KID_SIZE) == 0;
    return control->kind != MQ_CONTROL_ACCESS && memcmp(control->subject, team_itself, sizeof team_itself) == 0;
}

bool mq_work_is_desk(const struct mq_relay_work *work)
{
    uint8_t name[MQ_KID_SIZE];

    for (size_t i = 0; i < work->desk_count; i++) {
        mq_key_name(name, work->desks[i].sign_public);
        if (memcmp(name, work->access.key_name, sizeof name) == 0)
            return true;
    }
    return false;
}
