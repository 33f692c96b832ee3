/* Aim: no request harms a relay: it answers within the budget or refuses, and its store stays sound. Input: who asks, a
 * budget, then operations that put good frames, changed ones, or anything at all into the request; the last cuts it. The
 * store goes from run to run and fills up with what is good, which is little. */
#include "tests/fuzz/fuzz.h"
#include "tests/server/relay_kit.h"

static struct kit_world *world;
static unsigned runs;

static void remove_all(void)
{
    kit_world_free(world);
    directory_remove();
}

void fuzz_start(void)
{
    uint8_t noise[3000];

    MQ_ASSERT(directory_make() == 0);
    world = kit_world();
    kit_admit_all(world);
    atexit(remove_all);
    for (uint32_t i = 0; i < 4; i++) {
        (void)kit_seal_next(world, &world->anna, kit_noise(noise, 700 * i + 10, i));
        (void)kit_seal_next(world, &world->bert, mq_span_text("b"));
        (void)kit_seal_next(world, &world->carl, mq_span_text("c"));
    }
}

static struct kit_member *pick_member(uint8_t byte)
{
    struct kit_member *const members[] = {&world->anna, &world->bert, &world->desk, &world->carl};

    return members[byte % 4];
}

/* A good frame's payload, with one byte changed where `change` is not 0. */
static void add_good(uint8_t which, uint8_t place, uint8_t change)
{
    static uint8_t memory[MQ_SEGMENT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct kit_member *member = pick_member(which);
    struct kit_segment *segment = &member->segments[place % 4];
    enum mq_frame_type type = MQ_FRAME_SEGMENT;

    if (which & 0x10 || segment->bytes == NULL) {
        type = MQ_FRAME_ANNOUNCE;
        mq_put(&out, member->announce, sizeof member->announce);
    } else if (which & 0x20) {
        size_t offset = place * segment->size / 256, left = segment->size - offset;
        type = MQ_FRAME_PART;
        mq_put(&out, segment->id, sizeof segment->id);
        mq_put_u24(&out, (uint32_t)segment->size);
        mq_put_u24(&out, (uint32_t)offset);
        mq_put(&out, segment->bytes + offset, left < 300 ? left : 300);
    } else if (which & 0x40) {
        type = MQ_FRAME_WANT_PART;
        mq_put(&out, segment->id, sizeof segment->id);
        mq_put_u24(&out, (uint32_t)(place * segment->size / 255));
    } else {
        mq_put_span(&out, kit_bytes_of(segment));
    }
    if (change != 0)
        memory[place * out.size / 256] ^= change;
    kit_add(world, type, mq_written(&out));
}

static void add_operations(struct mq_reader *reader)
{
    while (mq_left(reader) > 4 && world->request.size < 60000) {
        uint8_t operation = mq_get_u8(reader), a = mq_get_u8(reader), b = mq_get_u8(reader), c = mq_get_u8(reader);
        if (operation & 1)
            add_good(a, b, operation & 2 ? c : 0);
        else
            kit_add(world, (enum mq_frame_type)(a % 0x14), fuzz_take(reader, b));
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t who = mq_get_u8(&reader), flags = mq_get_u8(&reader);
    struct mq_request head = kit_head(world, pick_member(who));

    head.budget = mq_get_u16(&reader);
    if (flags & 1)
        head.token[0] ^= 1;
    if (flags & 2)
        memset(head.server_id, 0, sizeof head.server_id);
    head.mailboxes[0].cursor = flags & 4 ? MQ_CURSOR_NONE : flags >> 4;
    if (flags & 8) {
        struct mq_log_position position;
        if (world->store->verbs->position(world->store, head.mailboxes[0].mailbox, flags >> 4, &position,
                                          &world->error) == MQ_OK)
            mq_sum_fingerprint(head.mailboxes[0].fingerprint, &position.sum);
    }
    head.mailboxes[0].head_seq = who >> 4;
    kit_say_head(world, &head);
    add_operations(&reader);
    size_t cut = mq_left(&reader) > 0 ? mq_get_u8(&reader) : 0;
    size_t kept = world->request.size > cut ? world->request.size - cut : 0;
    enum mq_status status = kit_send_cut(world, kept, 1);
    MQ_ASSERT(status == MQ_OK || status == MQ_REFUSED);
    MQ_ASSERT(status != MQ_OK ||
              world->out.size <= (head.budget < MQ_REPLY_BUDGET_MIN ? MQ_REPLY_BUDGET_MIN : head.budget));
    if (++runs % 1000 == 0)
        MQ_ASSERT(world->store->verbs->check(world->store, &world->error) == MQ_OK);
}
