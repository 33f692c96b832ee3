/* The contract of server/relay/store.h, clause by clause, for any backend: logs, groups, streams, check. */
#include "tests/protocol/segment_kit.h"
#include "tests/server/store_contract_kit.h"

/* ---- Logs ---- */

static struct mq_log_item wrap_item(uint8_t byte)
{
    struct mq_log_item item = {.frame = MQ_FRAME_WRAP, .bytes = mq_span_text("sealed key")};

    memset(item.id, byte, sizeof item.id);
    return item;
}

/* Segment `seq` with id `byte` behind the one with id `previous`, of stream 0x51. */
static struct mq_log_item segment_item(uint32_t seq, uint8_t byte, uint8_t previous)
{
    struct mq_log_item item = {.frame = MQ_FRAME_SEGMENT, .seq = seq, .bytes = mq_span_text("sealed segment")};

    memset(item.id, byte, sizeof item.id);
    memset(item.stream, 0x51, sizeof item.stream);
    memset(item.previous, previous, sizeof item.previous);
    return item;
}

static bool append(const uint8_t *mailbox, struct mq_log_item item)
{
    bool added = false;

    assert_int_equal(store->verbs->append(store, mailbox, &item, &added, &error), MQ_OK);
    return added;
}

struct seen {
    size_t count, most;
    uint64_t numbers[32];
    uint8_t first_bytes[32]; /* of the ids */
};

static bool see(void *context, const struct mq_log_item *item)
{
    struct seen *seen = context;

    if (seen->count == seen->most)
        return false;
    seen->numbers[seen->count] = item->number;
    seen->first_bytes[seen->count++] = item->id[0];
    return true;
}

static struct seen list(const uint8_t *mailbox, uint64_t cursor, size_t most)
{
    struct seen seen = {.most = most};

    assert_int_equal(store->verbs->list(store, mailbox, cursor, see, &seen, &error), MQ_OK);
    return seen;
}

/* The id of a store's life stays when it is opened again, and changes with renew, and only then. */
static void server_id_is_the_lifes(void **state)
{
    uint8_t first[MQ_SERVER_ID_SIZE], again[MQ_SERVER_ID_SIZE];
    static const uint8_t zeros[MQ_SERVER_ID_SIZE];

    (void)state;
    assert_int_equal(store->verbs->server_id(store, first, &error), MQ_OK);
    assert_memory_not_equal(first, zeros, sizeof zeros);
    reopen();
    assert_int_equal(store->verbs->server_id(store, again, &error), MQ_OK);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(store->verbs->renew(store, &error), MQ_OK);
    reopen();
    assert_int_equal(store->verbs->server_id(store, again, &error), MQ_OK);
    assert_memory_not_equal(first, again, sizeof first);
}

/* Each mailbox counts its own log from 1, without gaps; what is listed is what was appended, all fields of it. */
static void numbers_without_gaps(void **state)
{
    (void)state;
    assert_true(append(BOX, wrap_item(1)));
    assert_true(append(OTHER_BOX, wrap_item(2)));
    assert_true(append(BOX, wrap_item(3)));
    reopen();
    assert_true(append(BOX, wrap_item(4)));
    struct seen seen = list(BOX, 0, 32);
    assert_int_equal(seen.count, 3);
    assert_memory_equal(seen.first_bytes, "\1\3\4", 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(seen.numbers[i], i + 1);
    seen = list(OTHER_BOX, 0, 32);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 1);
}

static bool compare_item(void *context, const struct mq_log_item *item)
{
    const struct mq_log_item *expected = context;

    assert_int_equal(item->frame, expected->frame);
    assert_int_equal(item->seq, expected->seq);
    assert_int_equal(item->number, 1);
    assert_memory_equal(item->id, expected->id, sizeof item->id);
    assert_memory_equal(item->stream, expected->stream, sizeof item->stream);
    assert_memory_equal(item->previous, expected->previous, sizeof item->previous);
    assert_memory_equal(item->name, expected->name, sizeof item->name);
    assert_true(mq_span_equal(item->bytes, expected->bytes));
    return true;
}

/* Every field of an item comes back. */
static void items_are_whole(void **state)
{
    struct mq_log_item item = segment_item(UINT32_MAX, 7, 8);

    (void)state;
    memset(item.name, 9, sizeof item.name);
    assert_true(append(BOX, item));
    assert_int_equal(store->verbs->list(store, BOX, 0, compare_item, &item, &error), MQ_OK);
}

/* Listing starts behind the cursor and ends where the taker has enough; beyond the end there is nothing. */
static void listing_after_a_cursor(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 9; i++)
        assert_true(append(BOX, wrap_item(i)));
    struct seen seen = list(BOX, 4, 3);
    assert_int_equal(seen.count, 3);
    assert_memory_equal(seen.first_bytes, "\5\6\7", 3);
    assert_int_equal(list(BOX, 9, 32).count, 0);
    assert_int_equal(list(BOX, UINT64_MAX, 32).count, 0);
    assert_int_equal(list(OTHER_BOX, 0, 32).count, 0);
}

/* One object is stored once, however often it comes, and takes one number. */
static void stored_once(void **state)
{
    (void)state;
    assert_true(append(BOX, wrap_item(1)));
    assert_false(append(BOX, wrap_item(1)));
    reopen();
    assert_false(append(BOX, wrap_item(1)));
    assert_true(append(BOX, wrap_item(2)));
    assert_int_equal(list(BOX, 0, 32).count, 2);
}

/* Positions carry the running sum of ids; the last one is the newest; beyond the end there is none. */
static void positions_and_sums(void **state)
{
    struct mq_log_position position, last;
    struct mq_sum sum = {{0}, 0};

    (void)state;
    assert_int_equal(store->verbs->last(store, BOX, &last, &error), MQ_OK);
    assert_int_equal(last.number, 0);
    for (uint8_t i = 1; i <= 5; i++) {
        struct mq_log_item item = wrap_item((uint8_t)(0xf0 + i));
        assert_true(append(BOX, item));
        mq_sum_add(&sum, item.id);
        assert_int_equal(store->verbs->position(store, BOX, i, &position, &error), MQ_OK);
        assert_int_equal(position.number, i);
        assert_memory_equal(position.sum.total, sum.total, sizeof sum.total);
        assert_int_equal(position.sum.count, sum.count);
        assert_int_equal(store->verbs->last(store, BOX, &last, &error), MQ_OK);
        assert_int_equal(last.number, i);
        assert_memory_equal(last.sum.total, sum.total, sizeof sum.total);
    }
    assert_int_equal(store->verbs->position(store, BOX, 0, &position, &error), MQ_OK);
    assert_int_equal(position.sum.count, 0);
    assert_int_equal(store->verbs->position(store, BOX, 6, &position, &error), MQ_NOT_FOUND);
    assert_int_equal(store->verbs->position(store, BOX, UINT64_MAX, &position, &error), MQ_NOT_FOUND);
    assert_int_equal(error.status, MQ_OK);
}

/* A group is there as a whole or not at all. */
static void groups(void **state)
{
    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_true(append(BOX, wrap_item(1)));
    assert_true(append(BOX, wrap_item(2)));
    store->verbs->rollback(store);
    assert_int_equal(list(BOX, 0, 32).count, 0);
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_true(append(BOX, wrap_item(1)));
    assert_true(append(BOX, wrap_item(2)));
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
    reopen();
    struct seen seen = list(BOX, 0, 32);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[1], 2);
}

/* A store that is closed in the middle of a group forgets the group. */
static void group_cut_off(void **state)
{
    (void)state;
    assert_true(append(BOX, wrap_item(1)));
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_true(append(BOX, wrap_item(2)));
    reopen();
    assert_int_equal(list(BOX, 0, 32).count, 1);
}

/* A refusal inside a group is an answer: the rest of the group stays. */
static void refusal_in_a_group(void **state)
{
    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_true(append(BOX, wrap_item(1)));
    assert_int_equal(store->verbs->set_access(store, TEAM, mq_span_text("x"), &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_true(append(BOX, wrap_item(2)));
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
    assert_int_equal(list(BOX, 0, 32).count, 2);
}

/* ---- Streams ---- */

static struct mq_stream_head head_of(uint8_t stream)
{
    struct mq_stream_head head;

    assert_int_equal(store->verbs->head(store, named(stream).bytes, &head, &error), MQ_OK);
    return head;
}

static void assert_head(uint32_t seq, uint8_t id)
{
    struct mq_stream_head head = head_of(0x51);

    assert_int_equal(head.seq, seq);
    assert_memory_equal(head.id, named(id).bytes, sizeof head.id);
}

/* The head follows the chain, stops before a hole, and moves over all that waited once the hole is filled. */
static void head_stops_at_holes(void **state)
{
    (void)state;
    assert_head(0, 0);
    assert_true(append(BOX, segment_item(1, 0x11, 0xaa)));
    assert_head(1, 0x11);
    assert_true(append(BOX, segment_item(3, 0x13, 0x12)));
    assert_true(append(BOX, segment_item(4, 0x14, 0x13)));
    assert_head(1, 0x11);
    reopen();
    assert_true(append(BOX, segment_item(2, 0x12, 0x11)));
    assert_head(4, 0x14);
}

/* Two segments with one number are both stored; the head stays on the branch it took and never goes back. */
static void forks_are_both_stored(void **state)
{
    (void)state;
    assert_true(append(BOX, segment_item(1, 0x11, 0xaa)));
    assert_true(append(BOX, segment_item(2, 0x12, 0x11)));
    assert_true(append(BOX, segment_item(2, 0x22, 0x11)));
    assert_true(append(BOX, segment_item(3, 0x23, 0x22)));
    assert_head(2, 0x12);
    assert_true(append(BOX, segment_item(3, 0x13, 0x12)));
    assert_head(3, 0x13);
    assert_int_equal(list(BOX, 0, 32).count, 5);
}

/* Have-lists count every segment, forks and those behind holes too, by number, highest, sum and bytes. */
static void held_counts_everything(void **state)
{
    struct mq_sum sum = {{0}, 0};
    struct mq_have have;
    uint64_t bytes;
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];
    const struct mq_log_item items[] = {segment_item(1, 0x11, 0xaa), segment_item(7, 0x17, 0x16),
                                        segment_item(1, 0x21, 0xaa)};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(append(BOX, items[i]));
        assert_false(append(BOX, items[i]));
        mq_sum_add(&sum, items[i].id);
    }
    assert_int_equal(store->verbs->held(store, named(0x51).bytes, &have, &bytes, &error), MQ_OK);
    mq_sum_fingerprint(fingerprint, &sum);
    assert_memory_equal(have.stream, named(0x51).bytes, sizeof have.stream);
    assert_int_equal(have.count, 3);
    assert_int_equal(have.highest, 7);
    assert_memory_equal(have.fingerprint, fingerprint, sizeof fingerprint);
    assert_int_equal(bytes, 3 * strlen("sealed segment"));
    assert_int_equal(store->verbs->held(store, named(0x52).bytes, &have, &bytes, &error), MQ_OK);
    assert_int_equal(have.count + have.highest + bytes, 0);
}

/* A segment is found by its id, byte for byte; other things in the log are no segments. */
static void segments_by_id(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_true(append(BOX, segment_item(1, 0x11, 0xaa)));
    assert_true(append(BOX, wrap_item(0x33)));
    assert_int_equal(store->verbs->segment(store, named(0x11).bytes, &out, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("sealed segment")));
    assert_int_equal(store->verbs->segment(store, named(0x12).bytes, &out, &error), MQ_NOT_FOUND);
    assert_int_equal(store->verbs->segment(store, named(0x33).bytes, &out, &error), MQ_NOT_FOUND);
    assert_int_equal(error.status, MQ_OK);
}

static struct mq_log_item announce_item(uint8_t id, uint8_t stream, uint8_t name, const char *bytes)
{
    struct mq_log_item item = {.frame = MQ_FRAME_ANNOUNCE, .bytes = mq_span_text(bytes)};

    memset(item.id, id, sizeof item.id);
    memset(item.stream, stream, sizeof item.stream);
    memset(item.name, name, sizeof item.name);
    return item;
}

/* An announce is found by its stream, with its mailbox; the first one of a stream stays. */
static void announces_by_stream(void **state)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    uint8_t mailbox[MQ_ID_SIZE];

    (void)state;
    assert_int_equal(store->verbs->announce(store, named(0x51).bytes, mailbox, &out, &error), MQ_NOT_FOUND);
    assert_true(append(BOX, announce_item(1, 0x51, 0x61, "first")));
    assert_false(append(OTHER_BOX, announce_item(2, 0x51, 0x61, "second")));
    assert_int_equal(store->verbs->announce(store, named(0x51).bytes, mailbox, &out, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("first")));
    assert_memory_equal(mailbox, BOX, sizeof mailbox);
    assert_int_equal(error.status, MQ_OK);
}

static bool see_stream(void *context, const uint8_t stream[MQ_ID_SIZE])
{
    return see(context, &(struct mq_log_item){.id = {stream[0]}});
}

static bool see_bytes(void *context, struct mq_span bytes)
{
    return see(context, &(struct mq_log_item){.id = {bytes.data[0]}});
}

/* The streams of a key, the newest first; of another key none. */
static void streams_of_a_key(void **state)
{
    struct seen seen = {.most = 32}, none = {.most = 32};

    (void)state;
    assert_true(append(BOX, announce_item(1, 0x51, 0x61, "a")));
    assert_true(append(OTHER_BOX, announce_item(2, 0x52, 0x61, "b")));
    assert_true(append(BOX, announce_item(3, 0x53, 0x62, "c")));
    assert_int_equal(store->verbs->streams_of(store, named(0x61).bytes, see_stream, &seen, &error), MQ_OK);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(seen.first_bytes, "\x52\x51", 2);
    assert_int_equal(store->verbs->streams_of(store, named(0x63).bytes, see_stream, &none, &error), MQ_OK);
    assert_int_equal(none.count, 0);
}

/* A grant is found by its kid, and all of them in the order in which they came; an announce with the same name is no
 * grant. */
static void grants_by_kid(void **state)
{
    struct mq_log_item grant = {.frame = MQ_FRAME_GRANT, .bytes = mq_span_text("grant")};
    uint8_t bytes_memory[MQ_GRANT_SIZE];
    struct mq_buffer bytes = mq_buffer(bytes_memory, sizeof bytes_memory);
    struct seen seen = {.most = 32};

    (void)state;
    memset(grant.id, 1, sizeof grant.id);
    memset(grant.name, 0x71, sizeof grant.name);
    assert_true(append(OTHER_BOX, grant));
    assert_true(append(BOX, announce_item(2, 0x51, 0x72, "a")));
    memset(grant.id, 3, sizeof grant.id);
    memset(grant.name, 0x73, sizeof grant.name);
    grant.bytes = mq_span_text("Grant of another");
    assert_true(append(BOX, grant));
    assert_int_equal(store->verbs->grant(store, named(0x71).bytes, &bytes, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&bytes), mq_span_text("grant")));
    assert_int_equal(store->verbs->grant(store, named(0x72).bytes, &bytes, &error), MQ_NOT_FOUND);
    assert_int_equal(error.status, MQ_OK);
    assert_int_equal(store->verbs->grants(store, see_bytes, &seen, &error), MQ_OK);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(seen.first_bytes, "gG", 2);
}

/* ---- All at once ---- */

/* Whatever comes, in any order: heads, counts and sums are those of a list kept beside the store, and check agrees. */
static void random_streams_agree(void **state)
{
    enum { SEGMENTS = 60 };
    struct chance chance = chance_start("random_streams_agree");
    uint8_t order[SEGMENTS];
    struct mq_sum sum = {{0}, 0};
    struct mq_have have;
    uint64_t bytes;
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];

    (void)state;
    for (uint8_t i = 0; i < SEGMENTS; i++)
        order[i] = i;
    for (size_t i = SEGMENTS - 1; i > 0; i--) {
        size_t j = chance_below(&chance, i + 1);
        uint8_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    bool there[SEGMENTS + 1] = {false};
    for (size_t i = 0; i < SEGMENTS; i++) {
        struct mq_log_item item = segment_item((uint32_t)order[i] + 1, (uint8_t)(order[i] + 1), order[i]);
        item.bytes = mq_span("0123456789", chance_below(&chance, 10) + 1);
        assert_true(append(BOX, item));
        mq_sum_add(&sum, item.id);
        there[order[i]] = true;
        uint8_t unbroken = 0;
        while (there[unbroken])
            unbroken++;
        assert_head(unbroken, unbroken);
    }
    mq_sum_fingerprint(fingerprint, &sum);
    assert_int_equal(store->verbs->held(store, named(0x51).bytes, &have, &bytes, &error), MQ_OK);
    assert_int_equal(have.count, SEGMENTS);
    assert_memory_equal(have.fingerprint, fingerprint, sizeof fingerprint);
}

/* Things whose ids are those of their bytes pass the check, in a copy too. */
static void check_passes(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 20; i++) {
        struct mq_log_item item = {.frame = MQ_FRAME_WRAP, .bytes = mq_span(&i, 1)};
        mq_hash_one(item.id, sizeof item.id, MQ_DOMAIN_BODY, item.bytes);
        assert_true(append(i % 3 == 0 ? OTHER_BOX : BOX, item));
    }
    static struct kit_sealed sealed;
    struct kit_writer writer = kit_writer(0x80);
    struct mq_seal_context context = kit_context(&writer, 0);
    struct mq_log_item segment = {.frame = MQ_FRAME_SEGMENT, .seq = 1};
    kit_seal(&sealed, &context, kit_plain(memory, sizeof memory, 0, 0, 0, 3, mq_span_text("abc")));
    segment.bytes = kit_bytes(&sealed);
    memcpy(segment.id, sealed.id, sizeof segment.id);
    memcpy(segment.stream, writer.stream, sizeof segment.stream);
    assert_true(append(BOX, segment));
    assert_int_equal(store->verbs->check(store, &error), MQ_OK);
}

/* What does not fit the room that is given is not given, and listings end where the taker has enough. */
static void small_rooms(void **state)
{
    struct mq_log_item grant = {.frame = MQ_FRAME_GRANT, .bytes = mq_span_text("grant")};
    struct mq_buffer room = mq_buffer(memory, 4);
    uint8_t mailbox[MQ_ID_SIZE];
    struct seen one = {.most = 1};

    (void)state;
    memset(grant.id, 1, sizeof grant.id);
    assert_true(append(BOX, grant));
    memset(grant.id, 2, sizeof grant.id);
    assert_true(append(BOX, grant));
    assert_true(append(BOX, segment_item(1, 3, 0)));
    assert_true(append(BOX, announce_item(4, 0x51, 0x72, "announce")));
    assert_true(append(BOX, announce_item(5, 0x52, 0x72, "announce")));
    assert_int_not_equal(store->verbs->grant(store, grant.name, &room, &error), MQ_OK);
    room = mq_buffer(memory, 4);
    assert_int_not_equal(store->verbs->segment(store, named(3).bytes, &room, &error), MQ_OK);
    room = mq_buffer(memory, 4);
    assert_int_not_equal(store->verbs->announce(store, named(0x51).bytes, mailbox, &room, &error), MQ_OK);
    assert_int_equal(room.size, 0);
    mq_error_clear(&error);
    assert_int_equal(store->verbs->grants(store, see_bytes, &one, &error), MQ_OK);
    assert_int_equal(one.count, 1);
    one.count = 0;
    assert_int_equal(store->verbs->streams_of(store, named(0x72).bytes, see_stream, &one, &error), MQ_OK);
    assert_int_equal(one.count, 1);
    assert_int_equal(error.status, MQ_OK);
}

/* An id that is not that of its bytes is found by the check. */
static void check_finds(void **state)
{
    (void)state;
    assert_true(append(BOX, wrap_item(1)));
    assert_int_equal(store->verbs->check(store, &error), MQ_DAMAGED);
}

int store_contract(const struct store_backend *which)
{
    const struct CMUnitTest tests[] = {
        CLAUSE(server_id_is_the_lifes),
        CLAUSE(numbers_without_gaps),
        CLAUSE(items_are_whole),
        CLAUSE(listing_after_a_cursor),
        CLAUSE(stored_once),
        CLAUSE(positions_and_sums),
        CLAUSE(groups),
        CLAUSE(group_cut_off),
        CLAUSE(refusal_in_a_group),
        CLAUSE(head_stops_at_holes),
        CLAUSE(forks_are_both_stored),
        CLAUSE(held_counts_everything),
        CLAUSE(segments_by_id),
        CLAUSE(announces_by_stream),
        CLAUSE(streams_of_a_key),
        CLAUSE(grants_by_kid),
        CLAUSE(random_streams_agree),
        CLAUSE(check_passes),
        CLAUSE(check_finds),
        CLAUSE(small_rooms),
    };

    backend = which;
    return cmocka_run_group_tests(tests, NULL, NULL) + store_contract_slots(which);
}
