/* For the tests of merge's properties: a small world of devices that write without seeing each other, meet now and
 * then, are cloned, and come back from old backups. All facts and batches stay, and who had seen what. */
#ifndef MQ_TESTS_PROTOCOL_MERGE_WORLD_H
#define MQ_TESTS_PROTOCOL_MERGE_WORLD_H

#include "tests/protocol/chance.h"
#include "tests/protocol/merge_kit.h"

#define WORLD_DEVICES_MAX 6
#define WORLD_BATCH_MAX 8
#define WORLD_BATCHES_MAX KIT_FACTS_MAX

/* Changes of one device under one salt, by their place among the world's facts. */
struct world_batch {
    uint8_t salt[MQ_SALT_SIZE];
    size_t facts[WORLD_BATCH_MAX];
    size_t count;
};

struct world_device {
    unsigned rank;
    bool has[KIT_FACTS_MAX];
    struct world_batch open;
    struct world_batch kept; /* with `backup`: the device as it was when somebody copied it */
    bool backup[KIT_FACTS_MAX];
};

struct world {
    struct chance chance;
    struct kit kit;
    struct world_device devices[WORLD_DEVICES_MAX];
    size_t device_count;
    struct world_batch batches[WORLD_BATCHES_MAX]; /* closed ones */
    size_t batch_count;
    bool links; /* also same_as links, and ids that link */
    bool seen[KIT_FACTS_MAX][KIT_FACTS_MAX]; /* [fact][what its writer had then] */
};

static inline size_t world_below(struct world *world, size_t below)
{
    return chance_below(&world->chance, below);
}

static inline void world_open_batch(struct world *world, struct world_device *device)
{
    device->open.count = 0;
    chance_fill(&world->chance, device->open.salt, MQ_SALT_SIZE);
}

static inline void world_close_batch(struct world *world, struct world_device *device)
{
    if (device->open.count > 0) {
        MQ_ASSERT(world->batch_count < WORLD_BATCHES_MAX);
        world->batches[world->batch_count++] = device->open;
    }
    world_open_batch(world, device);
}

static inline void world_start(struct world *world, uint64_t seed, size_t devices, bool links)
{
    world->chance = (struct chance){seed};
    world->kit.count = world->kit.used = world->kit.salts = 0;
    world->device_count = devices;
    world->batch_count = 0;
    world->links = links;
    memset(world->devices, 0, sizeof(world->devices));
    for (size_t i = 0; i < devices; i++) {
        world->devices[i].rank = (unsigned)(i % 3 == 0 ? 2 : 1);
        world_open_batch(world, &world->devices[i]);
    }
}

static inline void world_shuffle(struct chance *chance, struct mq_fact *facts, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = chance_below(chance, i);
        struct mq_fact kept = facts[i - 1];
        facts[i - 1] = facts[other];
        facts[other] = kept;
    }
}

/* ---- Runs: one seed each, so that the one that failed can be had alone ---- */

struct world_runs {
    uint64_t first, count, now;
};

/* From MQ_SEED and MQ_RUNS, or the time and `usual`. */
static inline struct world_runs world_runs(const char *test, uint64_t usual)
{
    const char *seed = getenv("MQ_SEED"), *count = getenv("MQ_RUNS");
    struct world_runs runs = {.first = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL),
                              .count = count != NULL ? strtoull(count, NULL, 10) : usual};

    printf("%s: MQ_SEED=%" PRIu64 " MQ_RUNS=%" PRIu64 "\n", test, runs.first, runs.count);
    return runs;
}

static inline uint64_t world_seed(struct world_runs *runs, uint64_t run)
{
    runs->now = runs->first + run;
    return runs->now * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

#define WORLD_HOLDS(runs, condition)                                                                                   \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("not so: %s (MQ_SEED=%" PRIu64 " MQ_RUNS=1)", #condition, (runs)->now);                           \
    } while (0)

/* ---- Seeing and writing ---- */

/* What a device has seen of one group, the facts as it holds them. */
static inline size_t world_visible(const struct world *world, const struct world_device *device, struct mq_fact *out)
{
    size_t count = 0;

    for (size_t i = 0; i < world->kit.count; i++) {
        if (device->has[i])
            out[count++] = world->kit.facts[i];
    }
    return count;
}

/* The state on the screen of the group that `record` belongs to. */
static inline struct mq_group_state world_screen(const struct world *world, const struct world_device *device,
                                                 const uint8_t *record)
{
    static struct mq_fact visible[KIT_FACTS_MAX], members[KIT_FACTS_MAX];
    static struct kit_groups groups;
    size_t count = world_visible(world, device, visible);

    if (!world->links)
        return kit_merge(members, kit_pick(members, visible, count, NULL, record));
    kit_group(&groups, visible, count);
    return kit_merge(members, kit_pick(members, visible, count, &groups, record));
}

/* The fact's place among the world's. */
static inline size_t world_write(struct world *world, struct world_device *device, const uint8_t *record,
                                 const struct mq_buffer *change)
{
    size_t at = world->kit.count;

    MQ_ASSERT(!change->failed);
    kit_add_salted(&world->kit, device->rank, record, mq_written(change), device->open.salt,
                   (uint32_t)device->open.count);
    memcpy(world->seen[at], device->has, sizeof(device->has));
    device->open.facts[device->open.count++] = at;
    device->has[at] = true;
    if (device->open.count == WORLD_BATCH_MAX)
        world_close_batch(world, device);
    return at;
}

/* Any record that the device knows; NULL where it knows none. */
static inline const uint8_t *world_pick_record(struct world *world, const struct world_device *device)
{
    static struct mq_fact visible[KIT_FACTS_MAX];
    size_t count = world_visible(world, device, visible);

    if (count == 0)
        return NULL;
    return kit_keep(&world->kit, mq_span(visible[world_below(world, count)].record, MQ_ID_SIZE)).data;
}

/* Few different values, so that people often say the same. */
static inline struct mq_span world_value(struct world *world)
{
    static const char *const texts[] = {"甲", "乙", "丙丙", ""};

    if (world_below(world, 2) == 0)
        return kit_number(&world->kit, world_below(world, 3));
    return kit_text(&world->kit, texts[world_below(world, 4)]);
}

static inline const struct mq_field *world_field(struct world *world, const struct mq_kind *kind,
                                                 enum mq_field_merge merge)
{
    for (;;) {
        const struct mq_field *field = &kind->fields[world_below(world, kind->field_count)];
        if (field->merge == merge && field->number > MQ_FIELD_ID)
            return field;
    }
}

static inline void world_create(struct world *world, struct world_device *device)
{
    /* Among them one with guarded fields, and one that only desks may write. */
    static const uint8_t kinds[] = {MQ_KIND_NEED, MQ_KIND_NEED, MQ_KIND_NEED, MQ_KIND_HOUSEHOLD, MQ_KIND_UNIT};
    const struct mq_kind *kind = mq_kind_by_number(kinds[world_below(world, sizeof kinds)]);
    struct kit_pair pairs[MQ_FIELDS_MAX];
    uint8_t room[4096];
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    size_t count = 0;

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct mq_field *field = &kind->fields[i];
        struct mq_span items[3] = {world_value(world), world_value(world), world_value(world)};
        uint8_t first = world->links ? MQ_FIELD_ID : MQ_FIELD_ID + 1;
        if (field->number < first || world_below(world, 2) == 0)
            continue;
        pairs[count].field = field->number;
        pairs[count++].value = field->merge == MQ_MERGE_SET ? kit_array(&world->kit, items, world_below(world, 4))
                                                            : items[0];
    }
    kit_put_create(&change, kind->number, pairs, count);
    world_write(world, device, NULL, &change);
}

/* The names of one choice, of all, or of none: what people replace knowingly, resolve, or write blindly. */
static inline struct mq_span world_names(struct world *world, const struct mq_group_state *screen, uint64_t number)
{
    const struct mq_field_state *field = mq_group_field(screen, number);
    size_t start = world->kit.used, way = world_below(world, 4);

    if (field == NULL || way == 0)
        return mq_span(NULL, 0);
    for (size_t i = 0; i < field->choice_count && (way > 1 || i == 0); i++)
        kit_keep(&world->kit, mq_span(field->choices[i].names, field->choices[i].name_count * MQ_NAME_SIZE));
    return mq_span(world->kit.memory + start, world->kit.used - start);
}

static inline void world_edit(struct world *world, struct world_device *device, const uint8_t *record)
{
    struct mq_group_state screen = world_screen(world, device, record);
    const struct mq_kind *kind = mq_kind_by_number(screen.kind);
    uint8_t room[4096];
    struct mq_buffer change = mq_buffer(room, sizeof(room));
    enum mq_field_merge merge = MQ_MERGE_REGISTER;

    if (kind == NULL)
        kind = mq_kind_by_number(MQ_KIND_NEED);
    if (world_below(world, 3) == 0)
        merge = world_below(world, 4) == 0 && kind->number == MQ_KIND_NEED ? MQ_MERGE_WORDS : MQ_MERGE_SET;
    uint64_t field = world_field(world, kind, merge)->number;
    if (world->links && world_below(world, 12) == 0)
        field = MQ_FIELD_ID;
    struct mq_span names = world_names(world, &screen, field);
    switch (world_below(world, merge == MQ_MERGE_REGISTER ? 5 : 9)) {
    case 0:
        mq_change_put_remove(&change, record, field, names);
        break;
    case 1:
        mq_change_put_decide(&change, record, field, world_value(world), names, mq_span_text("n"));
        break;
    case 2:
    case 3:
    case 4:
        mq_change_put_set(&change, record, field, world_value(world), names,
                          mq_span_text(world_below(world, 2) == 0 ? "why" : ""));
        break;
    default: /* tidy: not an enum */
        if (merge == MQ_MERGE_SET && names.size > 0 && world_below(world, 2) == 0)
            mq_change_put_remove(&change, record, field, names);
        else
            mq_change_put_add(&change, record, field, world_value(world));
    }
    world_write(world, device, record, &change);
}

/* Deletes every record of the group, or brings it back. */
static inline void world_life(struct world *world, struct world_device *device, const uint8_t *record)
{
    struct mq_group_state screen = world_screen(world, device, record);
    struct mq_span names = kit_keep(&world->kit, mq_span(screen.life_names, screen.life_count * MQ_NAME_SIZE));
    struct mq_span life = screen.deleted ? kit_number(&world->kit, 0) : kit_deletion(&world->kit, &screen);
    uint8_t room[8192];

    for (size_t i = 0; i < screen.member_count; i++) {
        struct mq_buffer change = mq_buffer(room, sizeof(room));
        mq_change_put_set(&change, screen.members + i * MQ_ID_SIZE, MQ_FIELD_LIFE, life, names, mq_span(NULL, 0));
        world_write(world, device, screen.members + i * MQ_ID_SIZE, &change);
    }
}

/* Links two records, or takes one link back. */
static inline void world_link(struct world *world, struct world_device *device, const uint8_t *record)
{
    struct mq_group_state screen = world_screen(world, device, record);
    const struct mq_field_state *links = mq_group_field(&screen, MQ_FIELD_SAME_AS);
    uint8_t room[4096];
    struct mq_buffer change = mq_buffer(room, sizeof(room));

    if (links != NULL && world_below(world, 2) == 0) {
        const struct mq_choice *link = &links->choices[world_below(world, links->choice_count)];
        struct mq_span names = kit_keep(&world->kit, mq_span(link->names, link->name_count * MQ_NAME_SIZE));
        const uint8_t *from = kit_keep(&world->kit, MQ_SPAN(link->best->record)).data;
        mq_change_put_remove(&change, from, MQ_FIELD_SAME_AS, names);
        world_write(world, device, from, &change);
        return;
    }
    mq_change_put_add(&change, record, MQ_FIELD_SAME_AS, kit_reference(&world->kit, world_pick_record(world, device)));
    world_write(world, device, record, &change);
}

/* A change of a type from a later program. */
static inline void world_unknown(struct world *world, struct world_device *device, const uint8_t *record)
{
    uint8_t room[256];
    struct mq_buffer change = mq_buffer(room, sizeof(room));

    mq_cbor_put_array(&change, 4);
    mq_cbor_put_uint(&change, 40 + world_below(world, 3));
    mq_put_reference(&change, record);
    mq_put_span(&change, world_value(world));
    mq_put_span(&change, world_value(world));
    world_write(world, device, record, &change);
}

static inline void world_speak(struct world *world, struct world_device *device)
{
    const uint8_t *record = world_pick_record(world, device);
    size_t what = world_below(world, 24);

    if (record == NULL || what == 0)
        world_create(world, device);
    else if (what <= 2)
        world_life(world, device, record);
    else if (what <= 5 && world->links)
        world_link(world, device, record);
    else if (what == 6)
        world_unknown(world, device, record);
    else
        world_edit(world, device, record);
}

/* ---- Meeting, copying, falling back ---- */

/* Some of what one device holds comes to another; what was sent later may come first. */
static inline void world_meet(struct world *world, const struct world_device *from, struct world_device *to)
{
    size_t share = 1 + world_below(world, 3);

    for (size_t i = 0; i < world->kit.count; i++) {
        if (from->has[i] && world_below(world, 3) < share)
            to->has[i] = true;
    }
}

static inline void world_step(struct world *world)
{
    struct world_device *device = &world->devices[world_below(world, world->device_count)];
    struct world_device *other = &world->devices[world_below(world, world->device_count)];

    switch (world_below(world, 20)) {
    case 0: /* somebody copies the device's file ... */
        device->kept = device->open;
        memcpy(device->backup, device->has, sizeof(device->has));
        break;
    case 1: /* ... and it comes back, under the same salt and numbers */
        world_close_batch(world, device);
        device->open = device->kept;
        memcpy(device->has, device->backup, sizeof(device->has));
        break;
    case 2: /* a second device goes on from the same file */
        if (world->device_count < WORLD_DEVICES_MAX)
            world->devices[world->device_count++] = *device;
        break;
    case 3:
        world_close_batch(world, device);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        world_meet(world, other, device);
        break;
    default: /* tidy: not an enum */
        world_speak(world, device);
    }
}

static inline void world_run(struct world *world, size_t steps)
{
    while (steps-- > 0)
        world_step(world);
    for (size_t i = 0; i < world->device_count; i++)
        world_close_batch(world, &world->devices[i]);
}

#endif
