/* Aim: a relay keeps and passes on what verifies, once and within the budget, shows forks and holes, starts cursors
 * anew where they do not fit, and is not harmed by cuts or a full disk. Really sealed segments, a real store. */
#include "tests/server/relay_stage.h"

/* ---- Passing on ---- */

/* What anna sealed reaches bert byte for byte and opens with the epoch's key; she is told that it is stored. */
static void two_devices(void **state)
{
    (void)state;
    seal_words(&w->anna, "第一次走访");
    seal_words(&w->anna, "第二次走访");
    bring(&w->anna);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
    assert_head(2, &w->anna.segments[1]);

    kit_sync(w, &w->bert);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_ANNOUNCE, 0), MQ_SPAN(w->anna.announce)));
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 2);
    assert_int_equal(w->reply.mailboxes[0].remaining, 0);
    struct mq_segment segment;
    assert_int_equal(mq_segment_decode(&segment, kit_frame(w, MQ_FRAME_SEGMENT, 0)), MQ_OK);
    struct mq_seal_context context = kit_seal_context(w, &w->anna, segment.seq, segment.previous);
    struct mq_opened opened;
    assert_int_equal(mq_open(&opened, &segment, &context, w->space), MQ_OK);
    static const struct mq_prefix none;
    uint8_t payload[64];
    struct mq_buffer out = mq_buffer(payload, sizeof payload);
    assert_int_equal(mq_inflate(&out, &opened, &none, w->space), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("第一次走访")));
    kit_sync(w, &w->bert);
    assert_int_equal(w->frame_count, 0);
}

/* A member's own records never come back to him, not even to a second entry for an older stream of his. */
static void own_records_are_not_echoed(void **state)
{
    struct mq_request head;

    (void)state;
    seal_words(&w->anna, "a");
    seal_words(&w->bert, "b");
    bring(&w->bert);
    bring(&w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    assert_int_equal(kit_count(w, MQ_FRAME_ANNOUNCE), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_SEGMENT, 0), kit_bytes_of(&w->bert.segments[0])));

    w->anna.cursor = 0;
    memset(w->anna.fingerprint, 0, sizeof w->anna.fingerprint);
    head = kit_head(w, &w->anna);
    head.mailbox_count = 2;
    head.mailboxes[1] = head.mailboxes[0];
    head.mailboxes[1].cursor = MQ_CURSOR_NONE;
    memset(head.mailboxes[0].stream, 0x77, MQ_ID_SIZE);
    kit_say_head(w, &head);
    assert_int_equal(kit_send_cut(w, w->request.size, 2), MQ_OK);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    assert_true(w->reply.mailboxes[1].cursor == MQ_CURSOR_NONE);
    assert_int_equal(w->reply.mailboxes[0].head_seq, 0);
    assert_int_equal(w->reply.mailboxes[1].head_seq, 1);
}

/* Brought twice, stored and passed on once. */
static void duplicate_upload(void **state)
{
    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    bring(&w->anna);
    kit_say(w, &w->bert);
    kit_add_own(w, &w->anna);
    kit_send(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
    assert_int_equal(kit_count(w, MQ_FRAME_ANNOUNCE), 1);
}

/* A desk's receipt comes to the writer whose stream it is about, not to others; its access list to no device. */
static void receipts_reach_their_writer(void **state)
{
    struct mq_control control = {.kind = MQ_CONTROL_RECEIPT, .number = 2, .body = mq_span_text("receipt")};

    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    memcpy(control.subject, w->anna.stream, sizeof control.subject);
    kit_say(w, &w->desk);
    kit_add_control(w, &w->desk, control);
    kit_send(w, &w->desk);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 2);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 0);
    kit_sync(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 1);
    struct mq_control got;
    assert_int_equal(mq_control_decode(&got, kit_frame(w, MQ_FRAME_CONTROL, 0)), MQ_OK);
    assert_int_equal(mq_control_verify(&got, &w->desk.certificate), MQ_OK);
    assert_true(mq_span_equal(got.body, control.body));
}

/* The relay says that there is something for a desk, and says it once. */
static void news_for_the_desk(void **state)
{
    (void)state;
    w->relay.news = false;
    kit_sync(w, &w->anna);
    assert_false(w->relay.news);
    seal_words(&w->anna, "a");
    bring(&w->anna);
    assert_true(w->relay.news);
    w->relay.news = false;
    bring(&w->anna);
    assert_false(w->relay.news);
}

/* A desk's certificate goes to its team; one that the root did not sign goes nowhere. */
static void certificates_reach_the_team(void **state)
{
    struct kit_member forged = kit_member(0xc0, MQ_ROLE_DESK, team_a, &w->carl.identity);

    (void)state;
    kit_say(w, &w->anna);
    kit_add_certificate(w, &forged);
    kit_send(w, &w->anna);
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, &w->desk.certificate);
    assert_int_equal(kit_count(w, MQ_FRAME_CERTIFICATE), 1);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_CERTIFICATE, 0), MQ_SPAN(bytes)));
}

/* ---- Forks and holes ---- */

/* Two segments with one number are both stored and passed on; the copy is shown the skeleton of the other's head. */
static void fork_is_kept_and_shown(void **state)
{
    (void)state;
    seal_words(&w->anna, "before the copy");
    bring(&w->anna);
    const uint8_t *previous = w->anna.segments[0].id;
    (void)kit_seal_at(w, &w->anna, 2, previous, mq_span_text("the original"));
    bring(&w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_SKELETON), 0);
    (void)kit_seal_at(w, &w->anna, 2, previous, mq_span_text("the copy"));
    struct mq_request head = kit_head(w, &w->anna);
    head.mailboxes[0].head_seq = 2;
    kit_say_head(w, &head);
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[2]));
    kit_send(w, &w->anna);
    assert_head(2, &w->anna.segments[1]);
    struct mq_segment skeleton;
    assert_int_equal(mq_skeleton_decode(&skeleton, kit_frame(w, MQ_FRAME_SKELETON, 0)), MQ_OK);
    assert_memory_equal(skeleton.id, w->anna.segments[1].id, MQ_SEGMENT_ID_SIZE);
    struct mq_announce announce;
    assert_int_equal(mq_announce_decode(&announce, MQ_SPAN(w->anna.announce)), MQ_OK);
    assert_int_equal(mq_segment_verify(&skeleton, &announce), MQ_OK);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 3);
}

/* A hole is kept open: the head stops before it, what follows is passed on all the same, and the head catches up. */
static void hole_is_kept(void **state)
{
    (void)state;
    seal_words(&w->anna, "1");
    seal_words(&w->anna, "2");
    seal_words(&w->anna, "3");
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(w->anna.announce));
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[0]));
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[2]));
    kit_send(w, &w->anna);
    assert_head(1, &w->anna.segments[0]);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 2);
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[1]));
    kit_send(w, &w->anna);
    assert_head(3, &w->anna.segments[2]);
    kit_sync(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 1);
}

/* ---- Cursors ---- */

/* A reset gives no log items and the cursor 0; then everything comes again. */
static void assert_reset(void)
{
    assert_int_equal(w->reply.status, MQ_REPLY_RESET);
    assert_int_equal(w->reply.mailboxes[0].cursor, 0);
    assert_int_equal(w->reply.mailboxes[0].remaining, 4);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 0);
    kit_sync(w, &w->bert);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
    assert_int_equal(kit_count(w, MQ_FRAME_SEGMENT), 2);
    assert_int_equal(w->reply.mailboxes[0].cursor, 4);
}

/* Another server id, a cursor beyond the end, or a fingerprint that does not fit: start again from 0. */
static void reset_where_positions_do_not_fit(void **state)
{
    (void)state;
    seal_words(&w->anna, "1");
    seal_words(&w->anna, "2");
    bring(&w->anna);
    kit_sync(w, &w->bert);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);

    assert_int_equal(w->store->verbs->renew(w->store, &w->error), MQ_OK);
    kit_sync(w, &w->bert);
    assert_reset();
    w->bert.fingerprint[3] ^= 1;
    kit_sync(w, &w->bert);
    assert_reset();
    w->bert.cursor = 5;
    kit_sync(w, &w->bert);
    assert_reset();
    struct mq_request head = kit_head(w, &w->bert);
    memset(head.server_id, 0, sizeof head.server_id);
    kit_say_head(w, &head);
    kit_send(w, &w->bert);
    assert_int_equal(w->reply.status, MQ_REPLY_OK);
}

static void add_have(struct kit_member *member, const uint8_t mailbox[MQ_ID_SIZE], size_t first, size_t count)
{
    uint8_t memory[MQ_ID_SIZE + MQ_HAVE_ENTRY_SIZE];
    struct mq_buffer list = mq_buffer(memory, sizeof memory);
    struct mq_have have = {.count = (uint32_t)count, .highest = (uint32_t)(first + count)};
    struct mq_sum sum = {{0}, 0};

    memcpy(have.stream, member->stream, sizeof have.stream);
    for (size_t i = first; i < first + count; i++)
        mq_sum_add(&sum, member->segments[i].id);
    mq_sum_fingerprint(have.fingerprint, &sum);
    mq_put(&list, mailbox, MQ_ID_SIZE);
    mq_have_put(&list, &have);
    kit_add(w, MQ_FRAME_HAVE, mq_written(&list));
}

/* A have-list is answered by wants where the sets differ, even with equal counts, and for streams that are unknown. */
static void have_lists(void **state)
{
    (void)state;
    seal_words(&w->anna, "1");
    seal_words(&w->anna, "2");
    seal_words(&w->bert, "b");
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(w->anna.announce));
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[0]));
    kit_send(w, &w->anna);

    kit_say(w, &w->bert);
    add_have(&w->anna, w->anna.mailbox, 0, 1);
    kit_send(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_WANT), 0);
    kit_say(w, &w->bert);
    add_have(&w->anna, w->anna.mailbox, 0, 2);
    add_have(&w->anna, w->anna.mailbox, 1, 1);
    add_have(&w->bert, w->bert.mailbox, 0, 1);
    add_have(&w->bert, w->carl.mailbox, 0, 1);
    kit_send(w, &w->bert);
    assert_int_equal(kit_count(w, MQ_FRAME_WANT), 3);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_WANT, 0), MQ_SPAN(w->anna.stream)));
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_WANT, 2), MQ_SPAN(w->bert.stream)));
}

/* ---- Cuts, budgets, parts ---- */

/* Cut at every byte, a request stores exactly its whole frames, without a whole head nothing, and is not answered. */
static void cut_anywhere(void **state)
{
    (void)state;
    seal_words(&w->anna, "1");
    seal_words(&w->anna, "2");
    kit_say(w, &w->anna);
    size_t ends[3];
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(w->anna.announce));
    ends[0] = w->request.size;
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[0]));
    ends[1] = w->request.size;
    kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&w->anna.segments[1]));
    ends[2] = w->request.size;
    for (size_t size = 0; size <= w->request.size; size++) {
        enum mq_status status = kit_send_cut(w, size, 1);
        assert_int_equal(status, size < w->request.size ? MQ_REFUSED : MQ_OK);
        struct mq_log_position last;
        uint64_t whole = 1; /* the desk's certificate */
        for (size_t i = 0; i < 3; i++)
            whole += size >= ends[i];
        assert_int_equal(w->store->verbs->last(w->store, w->anna.mailbox, &last, &w->error), MQ_OK);
        assert_int_equal(last.number, whole);
    }
}

/* No reply is longer than its budget (2 KiB at least), and in the end all has come, once each. */
static void budget_is_respected(void **state)
{
    static const uint32_t budgets[] = {0, 2048, 3000, 5000, MQ_REPLY_MAX, UINT32_MAX};
    uint8_t noise[1500];

    (void)state;
    for (uint32_t i = 0; i < 12; i++)
        (void)kit_seal_next(w, &w->anna, kit_noise(noise, 100 * i + 100, i));
    bring(&w->anna);
    for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++) {
        size_t segments = 0, rounds = 0;
        w->bert.cursor = 0;
        memset(w->bert.fingerprint, 0, sizeof w->bert.fingerprint);
        do {
            struct mq_request head = kit_head(w, &w->bert);
            head.budget = budgets[b];
            kit_say_head(w, &head);
            kit_send(w, &w->bert);
            assert_true(w->out.size <= (budgets[b] < 2048 ? 2048 : budgets[b]));
            segments += kit_count(w, MQ_FRAME_SEGMENT);
        } while (w->reply.mailboxes[0].remaining > 0 && ++rounds < 100);
        assert_int_equal(segments, 12);
    }
}

/* Nor by a byte, wherever the last frame that fits happens to end. */
static void budget_to_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        seal_words(&w->anna, "x");
    bring(&w->anna);
    struct mq_request head = kit_head(w, &w->bert);
    for (head.budget = 2048; head.budget < 2048 + 600; head.budget++) {
        kit_say_head(w, &head);
        assert_int_equal(kit_send_cut(w, w->request.size, 1), MQ_OK);
        assert_true(w->out.size <= head.budget);
    }
}

/* A segment larger than the budget comes in parts; it is passed over in the log once it is there whole. */
static void parts_down(void **state)
{
    uint8_t noise[9000], whole[MQ_SEGMENT_MAX], want[MQ_SEGMENT_ID_SIZE + 3];
    size_t got = 0, rounds = 0;

    (void)state;
    const struct kit_segment *large = kit_seal_next(w, &w->anna, kit_noise(noise, sizeof noise, 1));
    seal_words(&w->anna, "behind it");
    bring(&w->anna);
    while (w->bert.cursor < 4 && ++rounds < 20) {
        struct mq_request head = kit_head(w, &w->bert);
        struct mq_buffer out = mq_buffer(want, sizeof want);
        head.budget = 2048;
        kit_say_head(w, &head);
        if (got > 0) {
            mq_put(&out, large->id, sizeof large->id);
            mq_put_u24(&out, (uint32_t)got);
            kit_add(w, MQ_FRAME_WANT_PART, mq_written(&out));
        }
        kit_send(w, &w->bert);
        assert_true(w->out.size <= 2048);
        struct mq_reader part = mq_reader(kit_frame(w, MQ_FRAME_PART, 0));
        if (mq_left(&part) == 0)
            continue;
        assert_int_equal(kit_count(w, MQ_FRAME_PART), 1);
        assert_true(mq_span_equal(mq_take(&part, MQ_SEGMENT_ID_SIZE), MQ_SPAN(large->id)));
        assert_int_equal(mq_get_u24(&part), large->size);
        assert_int_equal(mq_get_u24(&part), got);
        size_t size = mq_left(&part);
        assert_true(got + size <= large->size);
        mq_get(&part, whole + got, size);
        got += size;
    }
    assert_int_equal(got, large->size);
    assert_memory_equal(whole, large->bytes, large->size);
    assert_int_equal(w->bert.cursor, 4);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_SEGMENT, 0), kit_bytes_of(&w->anna.segments[1])));
    kit_sync(w, &w->bert);
    assert_int_equal(w->frame_count, 0);
}

static void add_part(const uint8_t id[MQ_SEGMENT_ID_SIZE], size_t size, size_t offset, struct mq_span bytes)
{
    uint8_t memory[MQ_PART_HEAD_SIZE + 4000];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    mq_put(&out, id, MQ_SEGMENT_ID_SIZE);
    mq_put_u24(&out, (uint32_t)size);
    mq_put_u24(&out, (uint32_t)offset);
    mq_put_span(&out, bytes);
    kit_add(w, MQ_FRAME_PART, mq_written(&out));
}

static void bring_parts(const struct kit_segment *segment, size_t flipped)
{
    for (size_t at = 0; at < segment->size; at += 4000) {
        uint8_t piece[4000];
        size_t left = segment->size - at, size = left < 4000 ? left : 4000;
        memcpy(piece, segment->bytes + at, size);
        if (flipped >= at && flipped < at + size)
            piece[flipped - at] ^= 1;
        kit_say(w, &w->anna);
        add_part(segment->id, segment->size, at, mq_span(piece, size));
        kit_send(w, &w->anna);
    }
}

/* Brought in parts over several requests, a segment is stored once it is whole; a damaged one is not, and can come
 * again. */
static void parts_up(void **state)
{
    uint8_t noise[9000];

    (void)state;
    const struct kit_segment *large = kit_seal_next(w, &w->anna, kit_noise(noise, sizeof noise, 1));
    kit_say(w, &w->anna);
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(w->anna.announce));
    kit_send(w, &w->anna);
    bring_parts(large, 5000);
    assert_head(0, NULL);
    bring_parts(large, SIZE_MAX);
    assert_head(1, large);
    bring_parts(large, SIZE_MAX);
    assert_head(1, large);
    kit_sync(w, &w->bert);
    assert_true(mq_span_equal(kit_frame(w, MQ_FRAME_SEGMENT, 0), kit_bytes_of(large)));
}

/* ---- Trouble ---- */

/* What is no request of this version, or too long for one, is refused. */
static void malformed(void **state)
{
    static uint8_t large[MQ_REQUEST_MAX + 1];
    struct mq_buffer out = mq_buffer(w->reply_memory, sizeof w->reply_memory);

    (void)state;
    kit_say(w, &w->anna);
    w->request_memory[0] = MQ_EXCHANGE_VERSION + 1;
    assert_int_equal(kit_send_cut(w, w->request.size, 1), MQ_REFUSED);
    kit_say(w, &w->anna);
    memcpy(large, w->request_memory, w->request.size);
    assert_int_equal(mq_relay_exchange(&w->relay, MQ_SPAN(large), &out, &w->error), MQ_REFUSED);
}

static int appends_until_full;
static enum mq_status (*real_append)(struct mq_store *, const uint8_t *, const struct mq_log_item *, bool *,
                                     struct mq_error *);

static enum mq_status append_until_full(struct mq_store *store, const uint8_t *mailbox, const struct mq_log_item *item,
                                        bool *added, struct mq_error *error)
{
    if (appends_until_full-- == 0)
        return mq_fail(error, MQ_NO_SPACE, "the disk is full");
    return real_append(store, mailbox, item, added, error);
}

/* Where the disk fills up in the middle of a request, nothing of it is kept or acknowledged; later all of it is. */
static void full_disk(void **state)
{
    const struct mq_store_verbs *verbs = w->store->verbs;
    struct mq_store_verbs full = *verbs;
    struct mq_log_position last;

    (void)state;
    real_append = verbs->append;
    full.append = append_until_full;
    seal_words(&w->anna, "1");
    seal_words(&w->anna, "2");
    for (int n = 0; n < 3; n++) {
        appends_until_full = n;
        w->store->verbs = &full;
        w->relay.news = false;
        kit_say(w, &w->anna);
        kit_add_own(w, &w->anna);
        assert_int_equal(kit_send_cut(w, w->request.size, 1), MQ_NO_SPACE);
        assert_false(w->relay.news);
        w->store->verbs = verbs;
        assert_int_equal(verbs->last(w->store, w->anna.mailbox, &last, &w->error), MQ_OK);
        assert_int_equal(last.number, 1);
    }
    bring(&w->anna);
    assert_head(2, &w->anna.segments[1]);
}

/* After all of this the store passes its own check. */
static void store_is_sound(void **state)
{
    (void)state;
    seal_words(&w->anna, "1");
    seal_words(&w->bert, "1");
    bring(&w->anna);
    bring(&w->bert);
    assert_int_equal(w->store->verbs->check(w->store, &w->error), MQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(two_devices),
        SCENE(own_records_are_not_echoed),
        SCENE(duplicate_upload),
        SCENE(receipts_reach_their_writer),
        SCENE(news_for_the_desk),
        SCENE(certificates_reach_the_team),
        SCENE(fork_is_kept_and_shown),
        SCENE(hole_is_kept),
        SCENE(reset_where_positions_do_not_fit),
        SCENE(have_lists),
        SCENE(cut_anywhere),
        SCENE(budget_is_respected),
        SCENE(budget_to_the_byte),
        SCENE(parts_down),
        SCENE(parts_up),
        SCENE(malformed),
        SCENE(full_disk),
        SCENE(store_is_sound),
    };

    if (directory_make() != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    directory_remove();
    return failed;
}
