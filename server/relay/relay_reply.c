/* What a member is told: receipts, wants, his own head, and his mailboxes' logs as far as the budget goes
 * (docs/protocol.md, section 4). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/revocation.h"
#include "protocol/segment.h"
#include "server/relay/relay_work.h"

#define END_SIZE (MQ_FRAME_HEADER_SIZE + MQ_EXCHANGE_SUM_SIZE)

struct writer {
    struct mq_relay_work *work;
    struct mq_buffer *out;
    size_t limit;   /* the reply's size, room for the end frame taken off */
    size_t share;   /* what the present kind of frame may use; never beyond `limit` */
    bool given;     /* a log item or a part of one is in the reply */
    bool countys;   /* receipts by a county's desk have their turn, and then everything else */
    struct mq_reply head;
};

static bool put_frame(struct writer *writer, enum mq_frame_type type, struct mq_span payload)
{
    if (writer->out->size + MQ_FRAME_HEADER_SIZE + payload.size > writer->share)
        return false;
    mq_frame_put(writer->out, type, payload);
    return true;
}

/* The next kind of frame may use so many quarters of what is left, so that none starves those behind it. */
static void share_out(struct writer *writer, size_t quarters)
{
    size_t left = writer->limit - writer->out->size;

    writer->share = writer->out->size + left / 4 * quarters;
    if (quarters == 4)
        writer->share = writer->limit;
}

/* ---- Controls and wants ---- */

/* One that does not fit is left out; smaller ones behind it may. */
static bool give_control(void *context, struct mq_span bytes)
{
    (void)put_frame(context, MQ_FRAME_CONTROL, bytes);
    return true;
}

/* Access lists are for relays, and for the desk that wrote them. The county's receipts come first: nothing that another
 * desk says leaves no room for them. */
static bool give_member_control(void *context, struct mq_span bytes)
{
    const struct writer *writer = context;
    struct mq_control control;

    if (mq_control_decode(&control, bytes) != MQ_OK || control.kind == MQ_CONTROL_ACCESS ||
        mq_work_silenced(writer->work, control.team, control.issuer))
        return true;
    bool receipt = control.kind == MQ_CONTROL_RECEIPT, countys = mq_work_is_countys_word(writer->work, &control);
    if ((receipt && countys) == writer->countys && (receipt || countys))
        return give_control(context, bytes);
    return true;
}

static bool give_desk_control(void *context, struct mq_span bytes)
{
    const struct writer *writer = context;
    struct mq_control control;

    if (mq_control_decode(&control, bytes) == MQ_OK && !mq_control_is_logged(control.kind) &&
        !mq_work_silenced(writer->work, control.team, control.issuer) && mq_work_desk_hears(writer->work, &control) &&
        (control.kind == MQ_CONTROL_RECEIPT || mq_work_is_countys_word(writer->work, &control)))
        return give_control(context, bytes);
    return true;
}

/* What is said of the token's streams; kind 0: of all kinds. */
static enum mq_status give_of_streams(struct writer *writer, uint8_t kind, bool countys)
{
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;
    enum mq_status status = MQ_OK;

    writer->countys = countys;
    for (size_t i = 0; status == MQ_OK && i < work->stream_count; i++)
        status = store->verbs->controls(store, work->team, kind, work->streams[i], give_member_control, writer, work->error);
    return status;
}

/* A member gets what is said of his streams and of his team as a whole; a desk what it hears, the greatest number first. */
static enum mq_status give_controls(struct writer *writer)
{
    static const uint8_t team_itself[MQ_ID_SIZE];
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;

    share_out(writer, 3);
    if (mq_work_may(work, MQ_ACCESS_DESK) || mq_work_is_desk(work))
        return store->verbs->controls(store, work->team, 0, NULL, give_desk_control, writer, work->error);
    enum mq_status status = give_of_streams(writer, MQ_CONTROL_RECEIPT, true);
    writer->countys = false;
    if (status == MQ_OK)
        status = store->verbs->controls(store, work->team, 0, team_itself, give_member_control, writer, work->error);
    return status == MQ_OK ? give_of_streams(writer, 0, false) : status;
}

/* A few bytes for each mailbox that holds something for him and that he does not know of. */
static enum mq_status give_elsewhere(struct writer *writer)
{
    struct mq_relay_work *work = writer->work;
    enum mq_status status = mq_work_elsewhere(work);

    share_out(writer, 2);
    for (size_t i = 0; status == MQ_OK && i < work->elsewhere_count; i++) {
        uint8_t memory[12];
        struct mq_buffer place = mq_buffer(memory, sizeof memory);
        mq_put_u32(&place, work->elsewhere[i].compartment);
        mq_put_u64(&place, work->elsewhere[i].last);
        if (!put_frame(writer, MQ_FRAME_ELSEWHERE, mq_written(&place)))
            break;
    }
    return status;
}

static void give_wants(struct writer *writer)
{
    share_out(writer, 2);
    for (size_t i = 0; i < writer->work->want_count; i++)
        if (!put_frame(writer, MQ_FRAME_WANT, mq_span(writer->work->wants[i], MQ_ID_SIZE)))
            return;
}

/* ---- Your head ---- */

static enum mq_status give_skeleton(struct writer *writer, const struct mq_stream_head *head)
{
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;
    struct mq_buffer bytes = mq_buffer(work->segment, sizeof work->segment);
    uint8_t skeleton[MQ_SKELETON_SIZE];
    struct mq_segment segment;
    enum mq_status status = store->verbs->segment(store, head->id, &bytes, work->error);

    if (status != MQ_OK || mq_segment_decode(&segment, mq_written(&bytes)) != MQ_OK)
        return mq_fail(work->error, status == MQ_OK || status == MQ_NOT_FOUND ? MQ_DAMAGED : status,
                       _("the head of a stream in the relay's store is damaged; run check"));
    mq_skeleton_encode(skeleton, &segment);
    (void)put_frame(writer, MQ_FRAME_SKELETON, MQ_SPAN(skeleton));
    return MQ_OK;
}

/* Said only of a stream that was announced in this very mailbox. Where it is not the asker's own head, the skeleton
 * proves it: without that he need not believe that he is a copy. */
static enum mq_status tell_head(struct writer *writer, const struct mq_mailbox_request *asked,
                                struct mq_mailbox_reply *told)
{
    struct mq_store *store = writer->work->relay->store;
    struct mq_error *error = writer->work->error;
    uint8_t memory[MQ_ANNOUNCE_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_buffer announce = mq_buffer(memory, sizeof memory);
    struct mq_stream_head head;
    enum mq_status status = store->verbs->announce(store, asked->stream, mailbox, &announce, error);

    if (status == MQ_NOT_FOUND || (status == MQ_OK && memcmp(mailbox, asked->mailbox, MQ_ID_SIZE) != 0))
        return MQ_OK;
    if (status == MQ_OK)
        status = store->verbs->head(store, asked->stream, &head, error);
    if (status != MQ_OK || head.seq == 0)
        return status;
    told->head_seq = head.seq;
    memcpy(told->head_id, head.id, sizeof told->head_id);
    if (memcmp(told->head_id, asked->head_id, sizeof told->head_id) == 0)
        return MQ_OK;
    return give_skeleton(writer, &head);
}

static enum mq_status tell_heads(struct writer *writer)
{
    const struct mq_request *request = &writer->work->request;
    enum mq_status status = MQ_OK;

    share_out(writer, 2);
    for (size_t i = 0; status == MQ_OK && i < request->mailbox_count; i++) {
        uint32_t compartment;
        status = mq_work_place(writer->work, request->mailboxes[i].mailbox, &compartment);
        if (status == MQ_OK)
            status = tell_head(writer, &request->mailboxes[i], &writer->head.mailboxes[i]);
        else if (status == MQ_NOT_FOUND || status == MQ_REFUSED)
            status = MQ_OK;
    }
    return status;
}

/* ---- Parts that are asked for ---- */

/* *reads: the segment stands in a mailbox of the asker's team. */
static enum mq_status may_read(struct mq_relay_work *work, struct mq_span bytes, bool *reads)
{
    struct mq_store *store = work->relay->store;
    uint8_t memory[MQ_ANNOUNCE_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_buffer announce = mq_buffer(memory, sizeof memory);
    struct mq_segment segment;

    *reads = false;
    if (mq_segment_decode(&segment, bytes) != MQ_OK)
        return mq_fail(work->error, MQ_DAMAGED, _("a segment in the relay's store is damaged; run check"));
    enum mq_status status = store->verbs->announce(store, segment.stream, mailbox, &announce, work->error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    return mq_work_reads_mailbox(work, mailbox, reads);
}

/* As much of the segment as there is room for, from `offset`. */
static void put_part(struct writer *writer, const uint8_t id[MQ_SEGMENT_ID_SIZE], struct mq_span bytes, size_t offset)
{
    size_t used = writer->out->size + MQ_FRAME_HEADER_SIZE + MQ_PART_HEAD_SIZE;

    if (used >= writer->share || offset >= bytes.size)
        return;
    size_t room = writer->share - used, left = bytes.size - offset;
    size_t size = room < left ? room : left;
    uint8_t *frame = mq_reserve(writer->out, MQ_FRAME_HEADER_SIZE + MQ_PART_HEAD_SIZE + size);
    MQ_ASSERT(frame != NULL);
    struct mq_buffer part = mq_buffer(frame, MQ_FRAME_HEADER_SIZE + MQ_PART_HEAD_SIZE + size);
    mq_put_u8(&part, MQ_FRAME_PART);
    mq_put_u24(&part, (uint32_t)(MQ_PART_HEAD_SIZE + size));
    mq_put(&part, id, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(&part, (uint32_t)bytes.size);
    mq_put_u24(&part, (uint32_t)offset);
    mq_put(&part, bytes.data + offset, size);
    writer->given = true;
}

static enum mq_status give_wanted_parts(struct writer *writer)
{
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;

    for (size_t i = 0; i < work->want_part_count; i++) {
        struct mq_buffer bytes = mq_buffer(work->segment, sizeof work->segment);
        const struct mq_want_part *want = &work->want_parts[i];
        bool reads = false;
        enum mq_status status = store->verbs->segment(store, want->id, &bytes, work->error);
        if (status == MQ_OK)
            status = may_read(work, mq_written(&bytes), &reads);
        if (status != MQ_OK && status != MQ_NOT_FOUND)
            return status;
        if (reads)
            put_part(writer, want->id, mq_written(&bytes), want->offset);
    }
    return MQ_OK;
}

/* ---- Logs ---- */

struct listing {
    struct writer *writer;
    uint64_t cursor; /* of the last item that was given or passed over */
};

/* More segments of a stream than its unbroken chain has: a copy of the asker's store wrote on under it too. Whoever is on
 * the chain is not told of a fork by its head, so he must be given the other branch. */
static enum mq_status find_forks(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;
    enum mq_status status = MQ_OK;

    for (size_t i = 0; i < work->request.mailbox_count && status == MQ_OK; i++) {
        const uint8_t *stream = work->request.mailboxes[i].stream;
        struct mq_stream_head head = {0};
        struct mq_have have = {0};
        uint64_t bytes;
        status = store->verbs->head(store, stream, &head, work->error);
        if (status == MQ_OK)
            status = store->verbs->held(store, stream, &have, &bytes, work->error);
        work->forked[i] = have.count > head.seq;
    }
    return status;
}

/* Records are not echoed to their sender: he has his own up to the head that he named. */
static bool is_mine(const struct mq_relay_work *work, const struct mq_log_item *item)
{
    static const uint8_t none[MQ_ID_SIZE];

    if (memcmp(item->stream, none, sizeof none) == 0)
        return false;
    for (size_t i = 0; i < work->request.mailbox_count; i++) {
        const struct mq_mailbox_request *asked = &work->request.mailboxes[i];
        if (memcmp(asked->stream, item->stream, sizeof item->stream) == 0 && item->seq <= asked->head_seq &&
            !(work->forked[i] && item->frame == MQ_FRAME_SEGMENT))
            return true;
    }
    return false;
}

/* Received in parts, and whole by now? */
static bool is_known(const struct mq_relay_work *work, const struct mq_log_item *item)
{
    for (size_t i = 0; i < work->want_part_count; i++)
        if (work->want_parts[i].offset == item->bytes.size &&
            memcmp(work->want_parts[i].id, item->id, sizeof item->id) == 0)
            return true;
    return false;
}

/* Of what a desk said again only the newest is told. */
static bool is_replaced(const struct mq_relay_work *work, const struct mq_log_item *item)
{
    struct mq_control control;

    if (item->frame != MQ_FRAME_CONTROL || mq_control_decode(&control, item->bytes) != MQ_OK)
        return false;
    for (size_t i = 0; i < work->logged_count; i++)
        if (work->logged[i].kind == control.kind &&
            memcmp(work->logged[i].subject, control.subject, sizeof control.subject) == 0)
            return control.number < work->logged[i].number;
    return false;
}

static bool give_item(void *context, const struct mq_log_item *item)
{
    struct listing *listing = context;
    struct writer *writer = listing->writer;

    if (!is_mine(writer->work, item) && !is_known(writer->work, item) && !is_replaced(writer->work, item)) {
        if (!put_frame(writer, (enum mq_frame_type)item->frame, item->bytes)) {
            /* Too large even for a reply of its own: it goes in parts, and the cursor waits for the last. */
            if (!writer->given && item->frame == MQ_FRAME_SEGMENT)
                put_part(writer, item->id, item->bytes, 0);
            return false;
        }
        writer->given = true;
    }
    listing->cursor = item->number;
    return true;
}

static enum mq_status give_log(struct writer *writer, const struct mq_mailbox_request *asked,
                               struct mq_mailbox_reply *told)
{
    struct mq_store *store = writer->work->relay->store;
    struct mq_error *error = writer->work->error;
    struct listing listing = {.writer = writer, .cursor = asked->cursor};
    struct mq_log_position position, last;
    enum mq_status status = MQ_OK;

    if (writer->head.status == MQ_REPLY_RESET)
        listing.cursor = 0;
    else
        status = store->verbs->list(store, asked->mailbox, asked->cursor, give_item, &listing, error);
    if (status == MQ_OK)
        status = store->verbs->position(store, asked->mailbox, listing.cursor, &position, error);
    if (status == MQ_OK)
        status = store->verbs->last(store, asked->mailbox, &last, error);
    if (status != MQ_OK)
        return status;
    uint64_t remaining = last.number - position.number;
    told->cursor = position.number;
    told->remaining = remaining > UINT32_MAX ? UINT32_MAX : (uint32_t)remaining;
    mq_sum_fingerprint(told->fingerprint, &position.sum);
    return MQ_OK;
}

static bool collect_logged(void *context, struct mq_span bytes)
{
    struct mq_relay_work *work = context;
    struct mq_control control;

    if (mq_control_decode(&control, bytes) == MQ_OK && mq_control_is_logged(control.kind)) {
        work->logged[work->logged_count].kind = control.kind;
        work->logged[work->logged_count].number = control.number;
        memcpy(work->logged[work->logged_count++].subject, control.subject, MQ_ID_SIZE);
    }
    return work->logged_count < MQ_LOGGED_MAX;
}

static enum mq_status find_logged(struct mq_relay_work *work)
{
    struct mq_store *store = work->relay->store;

    work->logged_count = 0;
    return store->verbs->controls(store, work->team, MQ_CONTROL_REVOCATION, NULL, collect_logged, work, work->error);
}

static enum mq_status give_logs(struct writer *writer)
{
    const struct mq_request *request = &writer->work->request;
    enum mq_status status = find_logged(writer->work);

    if (status == MQ_OK)
        status = find_forks(writer->work);
    share_out(writer, 4);
    if (status == MQ_OK && writer->head.status != MQ_REPLY_RESET)
        status = give_wanted_parts(writer);
    for (size_t i = 0; status == MQ_OK && i < request->mailbox_count; i++) {
        const struct mq_mailbox_request *asked = &request->mailboxes[i];
        struct mq_mailbox_reply *told = &writer->head.mailboxes[i];
        bool reads = false;
        if (asked->cursor == MQ_CURSOR_NONE)
            told->cursor = MQ_CURSOR_NONE;
        else
            status = mq_work_reads_mailbox(writer->work, asked->mailbox, &reads);
        if (reads)
            status = give_log(writer, asked, told);
    }
    return status;
}

static bool give_enrol(void *context, struct mq_span request)
{
    return put_frame(context, MQ_FRAME_ENROL, request);
}

static enum mq_status give_enrols(struct writer *writer)
{
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;

    if (!mq_work_may(work, MQ_ACCESS_DESK))
        return MQ_OK;
    return store->verbs->enrols(store, give_enrol, writer, work->error);
}

/* ---- The reply ---- */

/* Do server id, cursor and fingerprint fit together? If not, either of us was restored or emptied. */
static enum mq_status compare_positions(struct writer *writer)
{
    static const uint8_t unknown[MQ_SERVER_ID_SIZE];
    struct mq_relay_work *work = writer->work;
    const struct mq_request *request = &work->request;
    struct mq_store *store = work->relay->store;
    bool fits = memcmp(request->server_id, unknown, sizeof unknown) == 0 ||
                memcmp(request->server_id, writer->head.server_id, sizeof unknown) == 0;

    for (size_t i = 0; fits && i < request->mailbox_count; i++) {
        const struct mq_mailbox_request *asked = &request->mailboxes[i];
        uint8_t fingerprint[MQ_FINGERPRINT_SIZE];
        struct mq_log_position position;
        bool reads = false;
        enum mq_status status = asked->cursor == MQ_CURSOR_NONE
                                    ? MQ_OK
                                    : mq_work_reads_mailbox(work, asked->mailbox, &reads);
        if (status != MQ_OK)
            return status;
        if (!reads)
            continue;
        status = store->verbs->position(store, asked->mailbox, asked->cursor, &position, work->error);
        if (status != MQ_OK && status != MQ_NOT_FOUND)
            return status;
        mq_sum_fingerprint(fingerprint, &position.sum);
        fits = status == MQ_OK && memcmp(fingerprint, asked->fingerprint, sizeof fingerprint) == 0;
    }
    if (!fits)
        writer->head.status = MQ_REPLY_RESET;
    return MQ_OK;
}

/* A revoked member is told what is stored of his own, so that he stops sending it, what a desk says of it, that he was
 * revoked, and nothing else. */
static void keep_revoked_where_he_was(struct writer *writer)
{
    const struct mq_request *request = &writer->work->request;

    for (size_t i = 0; i < request->mailbox_count; i++) {
        struct mq_mailbox_reply *told = &writer->head.mailboxes[i];
        told->cursor = request->mailboxes[i].cursor;
        memcpy(told->fingerprint, request->mailboxes[i].fingerprint, sizeof told->fingerprint);
    }
}

static enum mq_status give_revocation_of(struct writer *writer, const struct mq_certificate *certificate)
{
    struct mq_relay_work *work = writer->work;
    struct mq_store *store = work->relay->store;
    uint8_t hash[MQ_HASH_SIZE], subject[MQ_ID_SIZE];

    mq_certificate_hash(hash, certificate);
    mq_revocation_subject(subject, hash);
    return store->verbs->controls(store, work->team, MQ_CONTROL_REVOCATION, subject, give_control, writer, work->error);
}

/* The certificate under which the token's key wrote last in the token's team. MQ_NOT_FOUND: it wrote nothing there. */
static enum mq_status last_certificate(struct mq_relay_work *work, struct mq_certificate *out)
{
    struct mq_store *store = work->relay->store;

    for (size_t i = 0; i < work->stream_count; i++) {
        uint8_t memory[MQ_ANNOUNCE_SIZE], mailbox[MQ_ID_SIZE];
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        struct mq_announce announce;
        enum mq_status status = store->verbs->announce(store, work->streams[i], mailbox, &bytes, work->error);
        if (status != MQ_OK && status != MQ_NOT_FOUND)
            return status;
        if (status == MQ_NOT_FOUND || mq_announce_decode(&announce, mq_written(&bytes)) != MQ_OK ||
            memcmp(announce.certificate.team, work->team, sizeof work->team) != 0)
            continue;
        *out = announce.certificate;
        return MQ_OK;
    }
    return MQ_NOT_FOUND;
}

/* A desk has a certificate in each of its teams, and need not write. */
static enum mq_status give_own_revocation(struct writer *writer)
{
    struct mq_relay_work *work = writer->work;
    struct mq_certificate certificate;
    enum mq_status status = last_certificate(work, &certificate);

    if (status != MQ_NOT_FOUND)
        return status == MQ_OK ? give_revocation_of(writer, &certificate) : status;
    status = MQ_OK;
    for (size_t i = 0; status == MQ_OK && i < work->desks_known; i++) {
        uint8_t name[MQ_KID_SIZE];
        mq_key_name(name, work->desks[i].sign_public);
        if (memcmp(work->desks[i].team, work->team, sizeof work->team) == 0 &&
            memcmp(name, work->access.key_name, sizeof name) == 0)
            status = give_revocation_of(writer, &work->desks[i]);
    }
    return status;
}

static enum mq_status give_revoked(struct writer *writer)
{
    struct mq_relay_work *work = writer->work;
    enum mq_status status = MQ_OK;

    keep_revoked_where_he_was(writer);
    share_out(writer, 2); /* skeletons of his own streams: a copy that cannot tell it is one would bring its own for ever */
    for (size_t i = 0; status == MQ_OK && i < work->request.mailbox_count; i++)
        status = tell_head(writer, &work->request.mailboxes[i], &writer->head.mailboxes[i]);
    share_out(writer, 4);
    if (status == MQ_OK)
        status = give_own_revocation(writer);
    if (status == MQ_OK)
        status = give_of_streams(writer, MQ_CONTROL_RECEIPT, true);
    return status == MQ_OK ? give_of_streams(writer, MQ_CONTROL_RECEIPT, false) : status;
}

static enum mq_status give_frames(struct writer *writer)
{
    if (writer->work->stranger) {
        writer->head.status = MQ_REPLY_STRANGER;
        return MQ_OK;
    }
    if (mq_work_may(writer->work, MQ_ACCESS_REVOKED))
        return give_revoked(writer);
    enum mq_status status = compare_positions(writer);
    if (status == MQ_OK)
        status = give_controls(writer);
    if (status == MQ_OK)
        status = give_elsewhere(writer);
    if (status == MQ_OK) {
        give_wants(writer);
        status = tell_heads(writer);
    }
    if (status == MQ_OK)
        status = give_logs(writer);
    return status == MQ_OK ? give_enrols(writer) : status;
}

static size_t budget_of(const struct mq_request *request)
{
    if (request->budget < MQ_REPLY_BUDGET_MIN)
        return MQ_REPLY_BUDGET_MIN;
    return request->budget < MQ_REPLY_MAX ? request->budget : MQ_REPLY_MAX;
}

enum mq_status mq_work_answer(struct mq_relay_work *work, struct mq_buffer *reply)
{
    struct mq_store *store = work->relay->store;
    struct writer writer = {.work = work, .out = reply, .limit = budget_of(&work->request) - END_SIZE};
    size_t head_size = MQ_REPLY_HEAD_SIZE + work->request.mailbox_count * MQ_REPLY_MAILBOX_SIZE;

    uint8_t *room = mq_reserve(reply, head_size);
    MQ_ASSERT(room != NULL && head_size < writer.limit);
    writer.head.mailbox_count = work->request.mailbox_count;
    enum mq_status status = store->verbs->server_id(store, writer.head.server_id, work->error);
    if (status == MQ_OK)
        status = give_frames(&writer);
    if (status != MQ_OK)
        return status;
    /* Written last, because it says how far the frames reach. */
    struct mq_buffer head = mq_buffer(room, head_size);
    mq_reply_put(&head, &writer.head);
    mq_exchange_end(reply);
    MQ_ASSERT(!head.failed && !reply->failed && reply->size <= writer.limit + END_SIZE);
    return MQ_OK;
}
