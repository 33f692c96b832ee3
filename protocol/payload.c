/* A batch of changes as one payload: references become small numbers and come back (docs/protocol.md, section 2). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"

enum { PAYLOAD_ITEMS = 7, CLOCK_ITEMS = 4, FRONTIER_ITEMS = 3 };

/* The directory: which number stands for which record. */

#define SLOTS (4 * MQ_CHANGES_MAX) /* at most half of them in use; a power of two */
_Static_assert((SLOTS & (SLOTS - 1)) == 0 && SLOTS >= 2 * (MQ_REFS_MAX + MQ_CHANGES_MAX) && SLOTS <= 0x10000,
               "a slot is found by two bytes of an id, and no probe runs for ever");

/* A record's place is its number in `refs`, or MQ_REFS_MAX and the number of the change that creates it. */
struct directory {
    const uint8_t *refs;
    size_t ref_count;
    const struct mq_batch_change *changes;
    uint16_t slots[SLOTS]; /* place + 1; 0: free */
};

static const uint8_t *id_at(const struct directory *directory, size_t place)
{
    return place < MQ_REFS_MAX ? directory->refs + place * MQ_ID_SIZE : directory->changes[place - MQ_REFS_MAX].id;
}

/* The record's slot, or the free one where it belongs. Ids are hashes, so their front spreads well; whoever makes them
 * collide on purpose costs himself and us some millions of comparisons, once. */
static uint16_t *slot_of(struct directory *directory, const uint8_t *id)
{
    size_t at = ((size_t)id[0] << 8 | id[1]) % SLOTS;

    while (directory->slots[at] != 0 && memcmp(id_at(directory, directory->slots[at] - 1u), id, MQ_ID_SIZE) != 0)
        at = (at + 1) % SLOTS;
    return &directory->slots[at];
}

/* False where the record stands in the directory already. */
static bool enter(struct directory *directory, const uint8_t *id, size_t place)
{
    uint16_t *slot = slot_of(directory, id);
    bool fresh = *slot == 0;

    if (fresh)
        *slot = (uint16_t)(place + 1);
    return fresh;
}

/* Reads on to the next reference and puts its one item into `item`, which begins at `at`; false at the end. Heads of
 * arrays and maps are just passed: expanding changes no count. */
static bool next_reference(struct mq_reader *reader, struct mq_cbor_item *item, size_t *at)
{
    while (mq_left(reader) > 0) {
        if (mq_cbor_next(reader).type != MQ_CBOR_REFERENCE)
            continue;
        *at = reader->at;
        *item = mq_cbor_next(reader);
        return !reader->failed;
    }
    return false;
}

static bool creates(struct mq_span change)
{
    struct mq_reader reader = mq_reader(change);

    (void)mq_cbor_array(&reader, UINT64_MAX);
    return mq_cbor_uint(&reader) == MQ_CHANGE_CREATE;
}

static void assert_change(struct mq_span expanded)
{
    uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(memory, sizeof memory);
    struct mq_change change;

    MQ_ASSERT(mq_change_decode(&change, expanded, &names) == MQ_OK);
}

/* Encoding. */

/* Collects into `refs` what the changes mention and do not create. */
static bool collect_refs(struct directory *directory, uint8_t refs[MQ_REFS_MAX][MQ_ID_SIZE], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mq_reader reader = mq_reader(directory->changes[i].expanded);
        struct mq_cbor_item item;
        size_t at;
        while (next_reference(&reader, &item, &at)) {
            MQ_ASSERT(item.type == MQ_CBOR_BYTES);
            uint16_t *slot = slot_of(directory, item.bytes.data);
            if (*slot != 0)
                continue;
            if (directory->ref_count == MQ_REFS_MAX)
                return false;
            memcpy(refs[directory->ref_count++], item.bytes.data, MQ_ID_SIZE);
            *slot = (uint16_t)directory->ref_count;
        }
        /* Not there before its own change: nothing may mention a record that is still to come. */
        if (creates(directory->changes[i].expanded))
            MQ_ASSERT(enter(directory, directory->changes[i].id, MQ_REFS_MAX + i));
    }
    return true;
}

static void put_head(struct mq_buffer *out, const struct mq_payload_head *head)
{
    mq_cbor_put_array(out, PAYLOAD_ITEMS + head->extra_count);
    mq_cbor_put_uint(out, head->schema);
    mq_cbor_put_bytes(out, MQ_SPAN(head->salt));
    mq_cbor_put_array(out, CLOCK_ITEMS);
    mq_cbor_put_uint(out, head->clock.boot);
    mq_cbor_put_uint(out, head->clock.monotonic_seconds);
    mq_cbor_put_int(out, head->clock.wall_seconds);
    if (head->clock.offset_known)
        mq_cbor_put_int(out, head->clock.utc_offset);
    else
        mq_cbor_put_null(out);
    mq_cbor_put_array(out, head->frontier_count);
    for (size_t i = 0; i < head->frontier_count; i++) {
        mq_cbor_put_array(out, FRONTIER_ITEMS);
        mq_cbor_put_bytes(out, MQ_SPAN(head->frontier[i].stream));
        mq_cbor_put_uint(out, head->frontier[i].seq);
        mq_cbor_put_bytes(out, MQ_SPAN(head->frontier[i].id_prefix));
    }
}

/* The change with each reference as a number. */
static void put_change(struct mq_buffer *out, struct directory *directory, struct mq_span expanded)
{
    struct mq_reader reader = mq_reader(expanded);
    struct mq_cbor_item item;
    size_t done = 0, at;

    while (next_reference(&reader, &item, &at)) {
        size_t place = *slot_of(directory, item.bytes.data) - 1u;
        mq_put(out, expanded.data + done, at - done);
        mq_cbor_put_uint(out, place < MQ_REFS_MAX ? place : directory->ref_count + (place - MQ_REFS_MAX));
        done = reader.at;
    }
    mq_put(out, expanded.data + done, expanded.size - done);
}

static void put_stamp(struct mq_buffer *out, const struct mq_stamp *stamp)
{
    MQ_ASSERT(stamp->actor < MQ_ACTORS_MAX);
    mq_cbor_put_uint(out, (uint64_t)stamp->minutes * MQ_ACTORS_MAX + stamp->actor);
}

enum mq_status mq_payload_encode(struct mq_buffer *out, const struct mq_payload_head *head,
                                 const struct mq_batch_change *changes, size_t count)
{
    uint8_t refs[MQ_REFS_MAX][MQ_ID_SIZE];
    struct directory directory = {.refs = refs[0], .changes = changes};
    size_t start = out->size;

    MQ_ASSERT(count <= MQ_CHANGES_MAX && head->frontier_count <= MQ_FRONTIER_MAX);
    for (size_t i = 0; i < count; i++)
        assert_change(changes[i].expanded);
    if (!collect_refs(&directory, refs, count))
        return MQ_NO_SPACE;
    put_head(out, head);
    mq_cbor_put_bytes(out, mq_span(refs, directory.ref_count * MQ_ID_SIZE));
    mq_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        put_change(out, &directory, changes[i].expanded);
    mq_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        put_stamp(out, &changes[i].stamp);
    mq_put_span(out, head->extras);
    if (out->failed)
        return MQ_NO_SPACE;
    /* What others would refuse never leaves us. */
    MQ_ASSERT(mq_cbor_valid(mq_span(out->data + start, out->size - start)));
    return MQ_OK;
}

/* Decoding. */

/* A byte string of exactly `size` bytes. */
static void take_exactly(struct mq_reader *reader, uint8_t *out, size_t size)
{
    struct mq_span bytes = mq_cbor_bytes(reader, size);

    if (bytes.size == size)
        memcpy(out, bytes.data, size);
    else
        reader->failed = true;
}

static void take_array(struct mq_reader *reader, uint64_t items)
{
    if (mq_cbor_array(reader, items) != items)
        reader->failed = true;
}

static uint64_t take_uint(struct mq_reader *reader, uint64_t most)
{
    uint64_t number = mq_cbor_uint(reader);

    if (number > most)
        reader->failed = true;
    return number;
}

static void take_clock(struct mq_clock *clock, struct mq_reader *reader)
{
    take_array(reader, CLOCK_ITEMS);
    clock->boot = (uint32_t)take_uint(reader, UINT32_MAX);
    clock->monotonic_seconds = mq_cbor_uint(reader);
    clock->wall_seconds = mq_cbor_int(reader);
    struct mq_reader ahead = *reader;
    clock->offset_known = mq_cbor_next(&ahead).type != MQ_CBOR_NULL;
    if (!clock->offset_known) {
        *reader = ahead;
        return;
    }
    int64_t offset = mq_cbor_int(reader);
    if (offset < INT32_MIN || offset > INT32_MAX)
        reader->failed = true;
    clock->utc_offset = (int32_t)offset;
}

static void take_frontier(struct mq_payload_head *head, struct mq_reader *reader)
{
    head->frontier_count = (size_t)mq_cbor_array(reader, MQ_FRONTIER_MAX);
    for (size_t i = 0; i < head->frontier_count; i++) {
        struct mq_frontier_entry *entry = &head->frontier[i];
        take_array(reader, FRONTIER_ITEMS);
        take_exactly(reader, entry->stream, sizeof entry->stream);
        entry->seq = (uint32_t)take_uint(reader, UINT32_MAX);
        take_exactly(reader, entry->id_prefix, sizeof entry->id_prefix);
    }
}

static void take_refs(struct directory *directory, struct mq_reader *reader)
{
    struct mq_span refs = mq_cbor_bytes(reader, MQ_REFS_MAX * MQ_ID_SIZE);

    directory->refs = refs.data;
    directory->ref_count = refs.size / MQ_ID_SIZE;
    if (refs.size % MQ_ID_SIZE != 0)
        reader->failed = true;
    for (size_t i = 0; i < directory->ref_count && !reader->failed; i++)
        reader->failed = !enter(directory, refs.data + i * MQ_ID_SIZE, i);
}

/* The id that an index in change `own` stands for; NULL where it may not stand there. `*mentioned` counts how many of
 * refs the changes up to here have mentioned: the next new one must be the next in refs. */
static const uint8_t *resolve(const struct directory *directory, uint64_t index, size_t own, size_t *mentioned)
{
    if (index < directory->ref_count) {
        if (index > *mentioned)
            return NULL;
        *mentioned += index == *mentioned;
        return id_at(directory, (size_t)index);
    }
    uint64_t change = index - directory->ref_count;
    if (change >= own || !creates(directory->changes[change].expanded))
        return NULL;
    return directory->changes[change].id;
}

/* Appends `change` to `room`, each reference as an id. */
static bool expand(struct mq_buffer *room, const struct directory *directory, struct mq_span change, size_t own,
                   size_t *mentioned)
{
    struct mq_reader reader = mq_reader(change);
    struct mq_cbor_item item;
    size_t done = 0, at;

    while (next_reference(&reader, &item, &at)) {
        const uint8_t *id = item.type == MQ_CBOR_UINT ? resolve(directory, item.number, own, mentioned) : NULL;
        if (id == NULL)
            return false;
        mq_put(room, change.data + done, at - done);
        mq_cbor_put_bytes(room, mq_span(id, MQ_ID_SIZE));
        done = reader.at;
    }
    mq_put(room, change.data + done, change.size - done);
    return true;
}

/* The change expanded at the end of `space`. A limit is a reason to refuse on every device alike, a small `space` is
 * not. */
static enum mq_status expand_within(struct mq_span *out, struct mq_buffer *space, size_t limit,
                                    const struct directory *directory, struct mq_span change, size_t own,
                                    size_t *mentioned)
{
    size_t left = space->failed ? 0 : space->capacity - space->size;
    struct mq_buffer room = mq_buffer(space->data + space->size, left < limit ? left : limit);

    if (!expand(&room, directory, change, own, mentioned) || (room.failed && left >= limit))
        return MQ_REFUSED;
    space->failed |= room.failed;
    space->size += room.size;
    *out = mq_written(&room);
    return space->failed ? MQ_NO_SPACE : MQ_OK;
}

/* Of its type's shape? Its id, and if it is a create, its place in the directory. */
static bool admit(struct directory *directory, struct mq_batch_change *change, const uint8_t *salt, size_t own)
{
    uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(memory, sizeof memory);
    struct mq_change parts;

    if (mq_change_decode(&parts, change->expanded, &names) != MQ_OK)
        return false;
    mq_change_id(change->id, salt, (uint32_t)own, change->expanded);
    return parts.type != MQ_CHANGE_CREATE || enter(directory, change->id, MQ_REFS_MAX + own);
}

static enum mq_status take_changes(struct directory *directory, struct mq_batch_change *changes, size_t count,
                                   const uint8_t *salt, struct mq_reader *reader, struct mq_buffer *space)
{
    size_t left = MQ_EXPANDED_MAX, mentioned = 0;

    for (size_t i = 0; i < count; i++) {
        size_t limit = left < MQ_CHANGE_MAX ? left : MQ_CHANGE_MAX;
        struct mq_span *expanded = &changes[i].expanded;
        enum mq_status status =
            expand_within(expanded, space, limit, directory, mq_cbor_take(reader), i, &mentioned);
        if (status != MQ_OK)
            return status;
        if (!admit(directory, &changes[i], salt, i))
            return MQ_REFUSED;
        left -= expanded->size;
    }
    return mentioned == directory->ref_count ? MQ_OK : MQ_REFUSED;
}

static void take_stamps(struct mq_batch_change *changes, size_t count, struct mq_reader *reader)
{
    take_array(reader, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t stamp = take_uint(reader, (uint64_t)UINT32_MAX * MQ_ACTORS_MAX + MQ_ACTORS_MAX - 1);
        changes[i].stamp.minutes = (uint32_t)(stamp / MQ_ACTORS_MAX);
        changes[i].stamp.actor = (uint8_t)(stamp % MQ_ACTORS_MAX);
    }
}

/* What is left of the payload. References in it would need places in refs that this program cannot judge. */
static void take_extras(struct mq_payload_head *head, struct mq_reader *reader)
{
    struct mq_cbor_item item;
    size_t at;

    head->extras = mq_take(reader, mq_left(reader));
    struct mq_reader inside = mq_reader(head->extras);
    if (next_reference(&inside, &item, &at))
        reader->failed = true;
}

enum mq_status mq_payload_decode(struct mq_payload_head *head, struct mq_batch_change *changes, size_t most,
                                 size_t *count, struct mq_span payload, struct mq_buffer *space)
{
    struct mq_reader reader = mq_reader(payload);
    struct directory directory = {.changes = changes};

    *head = (struct mq_payload_head){.extras = mq_span(NULL, 0)};
    *count = 0;
    if (payload.size > MQ_PAYLOAD_MAX || !mq_cbor_valid(payload))
        return MQ_REFUSED;
    uint64_t items = mq_cbor_array(&reader, UINT64_MAX);
    if (items < PAYLOAD_ITEMS)
        return MQ_REFUSED;
    head->extra_count = items - PAYLOAD_ITEMS;
    head->schema = mq_cbor_uint(&reader);
    take_exactly(&reader, head->salt, sizeof head->salt);
    take_clock(&head->clock, &reader);
    take_frontier(head, &reader);
    take_refs(&directory, &reader);
    size_t found = (size_t)mq_cbor_array(&reader, MQ_CHANGES_MAX);
    if (reader.failed)
        return MQ_REFUSED;
    if (found > most)
        return MQ_NO_SPACE;
    enum mq_status status = take_changes(&directory, changes, found, head->salt, &reader, space);
    if (status != MQ_OK)
        return status;
    take_stamps(changes, found, &reader);
    take_extras(head, &reader);
    if (reader.failed)
        return MQ_REFUSED;
    *count = found;
    return MQ_OK;
}
