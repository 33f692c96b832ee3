/* Reading reference data from the store, once, and again when it changed (replica/catalogue.h). */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue_keys.h"
#include "replica/view.h"

#define BLOCK_SIZE (16 * 1024)
#define DAY_SECONDS 86400

/* ---- memory ---- */

struct mq_pool_block {
    struct mq_pool_block *next;
    size_t size, used;
    max_align_t bytes[];
};

void *mq_pool_take(struct mq_pool *pool, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct mq_pool_block *block = pool->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = mq_work_memory(sizeof *block + room);
        *block = (struct mq_pool_block){.next = pool->blocks, .size = room};
        pool->blocks = block;
    }
    uint8_t *piece = (uint8_t *)block->bytes + block->used;
    block->used += size;
    memset(piece, 0, size);
    return piece;
}

const char *mq_pool_text(struct mq_pool *pool, struct mq_span text)
{
    char *copy = mq_pool_take(pool, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

static void pool_drop(struct mq_pool *pool)
{
    while (pool->blocks != NULL) {
        struct mq_pool_block *block = pool->blocks;
        pool->blocks = block->next;
        mq_work_free(block, sizeof *block + block->used);
    }
}

/* ---- parts ---- */

static bool part_of_kind(uint64_t kind, size_t *part)
{
    static const uint8_t kinds[MQ_PART_COUNT] = {
        [MQ_PART_CODES] = MQ_KIND_CODE,
        [MQ_PART_PLACES] = MQ_KIND_PLACE,
        [MQ_PART_UNITS] = MQ_KIND_UNIT,
        [MQ_PART_CALENDARS] = MQ_KIND_CALENDAR,
        [MQ_PART_PRESETS] = MQ_KIND_PRESET,
    };
    for (*part = 0; *part < MQ_PART_COUNT; ++*part)
        if (kinds[*part] == kind)
            return true;
    return false;
}

void mq_catalogue_touch(struct mq_replica *replica, uint64_t kind)
{
    size_t part;
    bool one = part_of_kind(kind, &part);
    if (!one && kind != 0)
        return;
    replica->catalogue_touched++;
    for (size_t i = 0; replica->catalogue != NULL && i < MQ_PART_COUNT; i++)
        if (!one || i == part)
            replica->catalogue->parts[i].fresh = false;
}

void mq_catalogue_close(struct mq_replica *replica)
{
    for (size_t i = 0; replica->catalogue != NULL && i < MQ_PART_COUNT; i++)
        pool_drop(&replica->catalogue->parts[i].pool);
    free(replica->catalogue);
    replica->catalogue = NULL;
}

int32_t mq_catalogue_today(struct mq_replica *replica)
{
    const struct mq_platform *platform = replica->platform;
    int64_t day = (mq_now(platform) + platform->utc_offset(platform->self)) / DAY_SECONDS;
    return day < 0 ? 0 : day > MQ_DAY_MAX ? MQ_DAY_MAX : (int32_t)day;
}

struct reading {
    struct mq_replica *replica;
    struct mq_catalogue_part *part;
    const struct mq_part_reader *reader;
    size_t capacity;
    struct mq_arena arena; /* of its own: whoever asks may hold a state in the replica's */
    size_t arena_used;
};

static enum mq_status read_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct reading *reading = context;
    struct mq_catalogue_part *part = reading->part;
    struct mq_group_state state;
    bool keep = true;
    if (part->count == reading->capacity)
        return MQ_OK;
    reading->arena = mq_arena(reading->arena.data, MQ_ARENA_SIZE);
    enum mq_status status = mq_view_group_in(reading->replica, canonical, &reading->arena, &state, error);
    if (reading->arena.size > reading->arena_used)
        reading->arena_used = reading->arena.size;
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: counted for review (view.c) */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    void *row = (uint8_t *)part->rows + part->count * reading->reader->row_size;
    status = reading->reader->read(reading->replica, &part->pool, &state, row, &keep, error);
    if (keep)
        part->count++;
    else
        memset(row, 0, reading->reader->row_size);
    return status;
}

static enum mq_status read_all(struct reading *reading, struct mq_error *error)
{
    int64_t count;
    enum mq_status status =
        mq_db_number(reading->replica->db, &count, error, "SELECT count(*) FROM state WHERE kind = ? AND NOT deleted",
                     "i", (int64_t)reading->reader->kind);
    if (status != MQ_OK || count == 0)
        return status;
    reading->capacity = count < MQ_CATALOGUE_MAX ? (size_t)count : MQ_CATALOGUE_MAX;
    reading->part->rows = mq_pool_take(&reading->part->pool, reading->capacity * reading->reader->row_size);
    reading->arena = mq_arena(mq_work_memory(MQ_ARENA_SIZE), MQ_ARENA_SIZE);
    status = mq_view_each(reading->replica, reading->reader->kind, false, read_one, reading, error);
    mq_work_free(reading->arena.data, reading->arena_used);
    return status;
}

enum mq_status mq_catalogue_read(struct mq_replica *replica, enum mq_catalogue_part_name name,
                                 const struct mq_part_reader *reader, bool *stale, struct mq_error *error)
{
    if (replica->catalogue == NULL)
        replica->catalogue = calloc(1, sizeof *replica->catalogue);
    mq_enough(replica->catalogue);
    struct mq_catalogue_part *part = &replica->catalogue->parts[name];
    struct reading reading = {.replica = replica, .part = part, .reader = reader};
    *stale = !part->fresh;
    if (part->fresh)
        return MQ_OK;
    pool_drop(&part->pool);
    part->rows = NULL;
    part->count = 0;
    enum mq_status status = read_all(&reading, error);
    part->fresh = status == MQ_OK;
    return status;
}

/* ---- fields of a state ---- */

const struct mq_field_state *mq_state_field(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text(key));
    MQ_ASSERT(field != NULL);
    return mq_group_field(state, field->number);
}

struct mq_span mq_state_value(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(state->kind), mq_span_text(key));
    const struct mq_field_state *here = mq_state_field(state, key);
    bool good = here != NULL && here->choice_count > 0 && mq_value_valid(field, here->choices[0].value);
    return good ? here->choices[0].value : mq_span(NULL, 0);
}

const char *mq_state_text(struct mq_pool *pool, const struct mq_group_state *state, const char *key)
{
    struct mq_reader reader = mq_reader(mq_state_value(state, key));
    struct mq_span text = mq_cbor_text(&reader, MQ_LONG_TEXT_MAX);
    return text.size > 0 ? mq_pool_text(pool, text) : NULL;
}

uint64_t mq_state_number(const struct mq_group_state *state, const char *key)
{
    struct mq_reader reader = mq_reader(mq_state_value(state, key));
    return mq_cbor_uint(&reader);
}

bool mq_state_true(const struct mq_group_state *state, const char *key)
{
    struct mq_reader reader = mq_reader(mq_state_value(state, key));
    return mq_left(&reader) > 0 && mq_cbor_next(&reader).type == MQ_CBOR_TRUE;
}

const char *mq_state_id(struct mq_pool *pool, const struct mq_group_state *state)
{
    const struct mq_field *field = mq_field_by_number(mq_kind_by_number(state->kind), MQ_FIELD_ID);
    char memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    if (mq_value_to_text(field, mq_state_value(state, "id"), &text) != MQ_OK)
        return "";
    return mq_pool_text(pool, mq_written(&text));
}

const char *const *mq_state_texts(struct mq_pool *pool, const struct mq_group_state *state, const char *key,
                                  size_t *count)
{
    struct mq_span value = mq_state_value(state, key);
    struct mq_reader reader = mq_reader(value);
    *count = value.size > 0 ? (size_t)mq_cbor_array(&reader, MQ_SET_MAX) : 0;
    const char **texts = mq_pool_take(pool, *count * sizeof *texts);
    for (size_t i = 0; i < *count; i++)
        texts[i] = mq_pool_text(pool, mq_cbor_text(&reader, MQ_LONG_TEXT_MAX));
    return texts;
}
