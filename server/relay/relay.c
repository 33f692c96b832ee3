/* An exchange from outside: who speaks, then what he brings, then what he is told (docs/protocol.md, section 4). */
#include "server/relay/relay.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/revocation.h"
#include "server/relay/relay_work.h"

#define DAY_SECONDS 86400
#define ENROL_REQUEST_MIN (1 + MQ_ID_SIZE)

static int32_t today(const struct mq_relay *relay)
{
    int64_t day = mq_now(relay->platform) / DAY_SECONDS;

    return day < 0 ? 0 : day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

/* Once a day, what waited too long is dropped: whoever still wants it sends it again. */
static enum mq_status expire(struct mq_relay *relay, struct mq_error *error)
{
    int32_t day = today(relay);

    if (day == relay->expired_day)
        return MQ_OK;
    enum mq_status status = relay->store->verbs->expire(relay->store, day - MQ_PARTS_KEEP_DAYS, error);
    if (status == MQ_OK)
        relay->expired_day = day;
    return status;
}

bool mq_work_control_good(const struct mq_relay_work *work, const struct mq_control *control)
{
    for (size_t i = 0; i < work->desk_count; i++)
        if (mq_control_verify(control, &work->desks[i]) == MQ_OK)
            return true;
    return false;
}

/* ---- Desks that were revoked ---- */

static bool found_one(void *context, struct mq_span bytes)
{
    bool *found = context;

    (void)bytes;
    *found = true;
    return false;
}

static void silence(struct mq_relay_work *work, const struct mq_certificate *desk)
{
    struct mq_silenced *one = &work->silenced[work->silenced_count++];

    memcpy(one->team, desk->team, sizeof one->team);
    mq_key_name(one->key_name, desk->sign_public);
}

static bool is_silenced(const struct mq_relay_work *work, const struct mq_certificate *desk)
{
    uint8_t key_name[MQ_KID_SIZE];

    mq_key_name(key_name, desk->sign_public);
    return mq_work_silenced(work, desk->team, key_name);
}

/* Behind those who are heard. */
static void set_aside(struct mq_relay_work *work, size_t index)
{
    struct mq_certificate desk = work->desks[index];

    work->desks[index] = work->desks[--work->desk_count];
    work->desks[work->desk_count] = desk;
}

/* A township's desk that was revoked says nothing any more, under whichever certificate, and what it said before is told to
 * nobody. */
static enum mq_status silence_revoked_desks(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = MQ_OK;

    for (size_t i = 0; i < work->desk_count && status == MQ_OK; i++) {
        uint8_t hash[MQ_HASH_SIZE], subject[MQ_ID_SIZE];
        bool revoked = false;
        mq_certificate_hash(hash, &work->desks[i]);
        mq_revocation_subject(subject, hash);
        if (!mq_role_governs(work->desks[i].role))
            status = store->verbs->controls(store, work->desks[i].team, MQ_CONTROL_REVOCATION, subject, found_one, &revoked,
                                            work->error);
        if (revoked)
            silence(work, &work->desks[i]);
    }
    for (size_t i = work->desk_count; i-- > 0;)
        if (!mq_role_governs(work->desks[i].role) && is_silenced(work, &work->desks[i]))
            set_aside(work, i);
    return status;
}

/* ---- Pass one: desks and what they say, from anybody, because it is signed and bounded; who speaks ---- */

static enum mq_status take_desk(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_store *store = work->relay->store;
    struct mq_certificate certificate;
    uint8_t root[MQ_KID_SIZE];

    mq_key_name(root, work->relay->root_public);
    if (mq_certificate_decode(&certificate, bytes) != MQ_OK || !mq_role_is_desk(certificate.role) ||
        memcmp(certificate.issuer, root, sizeof root) != 0 || work->certificates_tried++ >= MQ_DESKS_MAX ||
        !mq_certificate_signed_by(&certificate, work->relay->root_public))
        return MQ_OK;
    enum mq_status status = store->verbs->put_desk(store, bytes, work->error);
    if (status != MQ_REFUSED)
        return status;
    mq_error_clear(work->error); /* too many desks: this one is passed over */
    return MQ_OK;
}

static bool access_list_good(struct mq_span entries)
{
    return entries.size % MQ_ACCESS_ENTRY_SIZE == 0 && entries.size / MQ_ACCESS_ENTRY_SIZE <= MQ_ACCESS_ENTRIES_MAX;
}

/* Is one more signature worth the work? Of access lists there is one a team, whoever brings them; of the rest a
 * stranger may bring some. */
static bool may_try(struct mq_relay_work *work, uint8_t kind)
{
    if (kind == MQ_CONTROL_ACCESS)
        return work->lists_tried++ < MQ_DESKS_MAX;
    return !work->stranger || work->controls_tried++ < MQ_STRANGER_CONTROLS_MAX;
}

/* What everybody in the team has to hear goes through the team's log, so that each hears it once. */
static enum mq_status log_control(struct mq_relay_work *work, const struct mq_control *control)
{
    struct mq_store *store = work->relay->store;
    struct mq_log_item item = {.frame = MQ_FRAME_CONTROL, .bytes = control->bytes};
    uint8_t mailbox[MQ_ID_SIZE];
    bool added;

    mq_hash_one(item.id, sizeof item.id, MQ_DOMAIN_BODY, control->bytes);
    mq_mailbox(mailbox, control->team, MQ_COMPARTMENT_TEAM);
    return store->verbs->append(store, mailbox, &item, &added, work->error);
}

/* A township's desk says what it has merged of the streams that lie here, and nothing else: so whoever stole its key has no
 * more slots than there are streams, and none that is larger than a receipt. */
static enum mq_status has_slot(struct mq_relay_work *work, const struct mq_control *control, bool *has)
{
    struct mq_store *store = work->relay->store;
    uint8_t memory[MQ_ANNOUNCE_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
    struct mq_announce announce;
    struct mq_receipt receipt;

    *has = mq_work_is_countys_word(work, control);
    if (*has || control->kind != MQ_CONTROL_RECEIPT || mq_receipt_get(&receipt, control->body) != MQ_OK)
        return MQ_OK;
    enum mq_status status = store->verbs->announce(store, control->subject, mailbox, &bytes, work->error);
    *has = status == MQ_OK && mq_announce_decode(&announce, mq_written(&bytes)) == MQ_OK &&
           memcmp(announce.certificate.team, control->team, MQ_ID_SIZE) == 0;
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status take_control(struct mq_relay_work *work, const struct mq_control *control)
{
    struct mq_store *store = work->relay->store;
    bool has, kept;

    if (control->number > INT64_MAX || !may_try(work, control->kind) || !mq_work_control_good(work, control))
        return MQ_OK;
    enum mq_status status = has_slot(work, control, &has);
    if (status != MQ_OK || !has)
        return status;
    status = store->verbs->put_control(store, control, &kept, work->error);
    if (status == MQ_OK && kept && control->kind == MQ_CONTROL_ACCESS)
        status = store->verbs->set_access(store, control->team, control->body, work->error);
    if (status == MQ_OK && kept && mq_control_is_logged(control->kind))
        status = log_control(work, control);
    if (status == MQ_OK && kept && control->kind == MQ_CONTROL_REVOCATION)
        status = silence_revoked_desks(work); /* what it says in this very request comes too late */
    return status;
}

static enum mq_status take_access_list(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_control control;

    if (mq_control_decode(&control, bytes) != MQ_OK || control.kind != MQ_CONTROL_ACCESS ||
        !access_list_good(control.body))
        return MQ_OK;
    return take_control(work, &control);
}

static enum mq_status take_other_control(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_control control;

    if (mq_control_decode(&control, bytes) != MQ_OK || control.kind == MQ_CONTROL_ACCESS ||
        control.kind == MQ_CONTROL_RECEIPT)
        return MQ_OK;
    return take_control(work, &control);
}

static enum mq_status take_receipt(struct mq_relay_work *work, struct mq_span bytes)
{
    struct mq_control control;

    if (mq_control_decode(&control, bytes) != MQ_OK || control.kind != MQ_CONTROL_RECEIPT)
        return MQ_OK;
    return take_control(work, &control);
}

static enum mq_status take_each(struct mq_relay_work *work, uint8_t type,
                                enum mq_status (*take)(struct mq_relay_work *, struct mq_span))
{
    struct mq_reader reader = mq_reader(work->frames);
    struct mq_frame frame;
    enum mq_status status = MQ_OK;

    while (status == MQ_OK && mq_frame_next(&reader, &frame) == MQ_OK && frame.type != MQ_FRAME_END)
        if (frame.type == type)
            status = take(work, frame.payload);
    return status;
}

static enum mq_status recognise(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    uint8_t token_hash[MQ_ID_SIZE];

    mq_token_hash(token_hash, work->request.token);
    enum mq_status status = store->verbs->access(store, token_hash, &work->access, work->team, work->error);
    work->stranger = status == MQ_NOT_FOUND ||
                     (status == MQ_OK && !mq_work_may(work, MQ_ACCESS_MEMBER | MQ_ACCESS_DESK | MQ_ACCESS_REVOKED));
    if (work->stranger)
        return MQ_OK;
    if (status != MQ_OK)
        return status;
    for (uint32_t i = 0; i < MQ_COMPARTMENTS_MAX; i++)
        mq_mailbox(work->mailboxes[i], work->team, i);
    return MQ_OK;
}

/* Access lists first: they say who speaks, so that a desk which comes to an empty store is none of the strangers. */
static enum mq_status take_what_desks_say(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = take_each(work, MQ_FRAME_CERTIFICATE, take_desk);

    if (status == MQ_OK)
        status = store->verbs->desks(store, work->desks, MQ_DESKS_MAX, &work->desk_count, work->error);
    work->desks_known = work->desk_count;
    if (status == MQ_OK)
        status = silence_revoked_desks(work);
    if (status == MQ_OK)
        status = take_each(work, MQ_FRAME_CONTROL, take_access_list);
    if (status == MQ_OK)
        status = recognise(work);
    return status == MQ_OK ? take_each(work, MQ_FRAME_CONTROL, take_other_control) : status;
}

/* ---- The streams of who speaks ---- */

static bool collect_stream(void *context, const uint8_t stream[MQ_ID_SIZE])
{
    struct mq_relay_work *work = context;

    memcpy(work->streams[work->stream_count++], stream, MQ_ID_SIZE);
    return work->stream_count < MQ_STREAMS_MAX;
}

/* What a revoked key may still bring is bounded by what it has brought, announces included. */
static enum mq_status sum_up_revoked(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = MQ_OK;

    for (size_t i = 0; status == MQ_OK && i < work->stream_count; i++) {
        struct mq_have have;
        uint64_t bytes = 0;
        status = store->verbs->held(store, work->streams[i], &have, &bytes, work->error);
        work->revoked_bytes += bytes + MQ_ANNOUNCE_SIZE;
    }
    return status;
}

/* The key's streams, once everything new is there. */
static enum mq_status collect_streams(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;

    work->stream_count = 0;
    enum mq_status status =
        store->verbs->streams_of(store, work->access.key_name, collect_stream, work, work->error);
    return status == MQ_OK ? mq_work_own_cases(work) : status;
}

/* ---- The exchange ---- */

static enum mq_status take_members(struct mq_relay_work *work)
{
    enum mq_status status = MQ_OK;

    if (mq_work_may(work, MQ_ACCESS_REVOKED)) {
        status = collect_streams(work);
        if (status == MQ_OK)
            status = sum_up_revoked(work);
    }
    if (status == MQ_OK)
        status = mq_work_take_frames(work);
    return status == MQ_OK ? collect_streams(work) : status;
}

/* Receipts last: the streams that they are about may come in the same request. */
static enum mq_status take_all(struct mq_relay_work *work)
{
    enum mq_status status = take_what_desks_say(work);

    if (status == MQ_OK && !work->stranger)
        status = take_members(work);
    return status == MQ_OK ? take_each(work, MQ_FRAME_CONTROL, take_receipt) : status;
}

static enum mq_status exchange(struct mq_relay_work *work, struct mq_buffer *reply)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = store->verbs->begin(store, work->error);

    if (status != MQ_OK)
        return status;
    status = take_all(work);
    if (status != MQ_OK) {
        store->verbs->rollback(store);
        return status;
    }
    status = store->verbs->commit(store, work->error);
    if (status != MQ_OK)
        return status;
    if (work->news)
        work->relay->news = true;
    if (!work->whole) /* an answer would be taken for an answer to what did not come */
        return mq_fail(work->error, MQ_REFUSED, _("the request was cut or changed on the way; it has to be sent again"));
    return mq_work_answer(work, reply);
}

enum mq_status mq_relay_exchange(struct mq_relay *relay, struct mq_span request, struct mq_buffer *reply,
                                 struct mq_error *error)
{
    struct mq_reader reader = mq_reader(request);

    MQ_ASSERT(reply->size == 0 && !reply->failed && reply->capacity >= MQ_REPLY_MAX);
    struct mq_relay_work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return mq_fail(error, MQ_FAULT, _("not enough memory"));
    work->relay = relay;
    work->error = error;
    work->day = today(relay);
    enum mq_status status = MQ_OK;
    if (request.size > MQ_REQUEST_MAX || mq_request_get(&work->request, &reader) != MQ_OK)
        status = mq_fail(error, MQ_REFUSED, _("this is not a request of this protocol's version"));
    if (status == MQ_OK)
        status = expire(relay, error);
    if (status == MQ_OK) {
        work->frames = mq_take(&reader, mq_left(&reader));
        work->whole = mq_exchange_whole(request, work->frames);
        status = exchange(work, reply);
    }
    free(work);
    return status;
}

/* ---- Enrolment ---- */

enum mq_status mq_relay_enrol(struct mq_relay *relay, struct mq_span request, struct mq_buffer *reply,
                              struct mq_error *error)
{
    struct mq_store *store = relay->store;
    uint8_t hash[MQ_HASH_SIZE];

    if (request.size < ENROL_REQUEST_MIN || request.size > MQ_ENROL_REQUEST_MAX)
        return mq_fail(error, MQ_REFUSED, _("this is not an enrolment request"));
    enum mq_status status = expire(relay, error);
    if (status != MQ_OK)
        return status;
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, request);
    status = store->verbs->enrol_reply(store, hash, reply, error);
    if (status != MQ_NOT_FOUND)
        return status;
    status = store->verbs->put_enrol(store, hash, request, today(relay), error);
    if (status != MQ_OK)
        return status;
    relay->news = true;
    return MQ_WAITING;
}
