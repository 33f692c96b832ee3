/* Records by pieces of their long texts: a tail, and blocks. */
#include "replica/search_blocks.h"

#include <string.h>

#include "replica/replica_keys.h"
#include "replica/search_grams.h"

#define BLOCK 255    /* records in a block: so that a count fits a byte */
#define CHUNK 256    /* pieces in one row of a block */
#define PIECES_MAX 4 /* of a word that are looked up */

/* ---- putting in ---- */

/* The pieces of a block's records, sorted by piece: counted, then each put in its place. */
struct sealing {
    uint32_t starts[MQ_GRAMS + 1]; /* where the records of a piece begin; and one more */
    uint8_t *slots;                /* records by their place in the block */
    size_t total;
    uint8_t numbers[BLOCK * 8];
    size_t count;
};

static enum mq_status tail_each(struct mq_replica *replica, struct sealing *sealing,
                                void (*take)(struct sealing *, struct mq_span list), struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT number, grams FROM search_tail ORDER BY slot LIMIT ?", "i",
                    (int64_t)BLOCK);
    if (status != MQ_OK)
        return status;
    for (sealing->count = 0; mq_db_next(&query, error); sealing->count++) {
        struct mq_buffer number = mq_buffer(sealing->numbers + 8 * sealing->count, 8);
        mq_put_u64(&number, (uint64_t)mq_db_int(query, 0));
        take(sealing, mq_db_blob(query, 1));
    }
    return error->status;
}

static uint32_t gram_at(struct mq_span list, size_t i)
{
    return (uint32_t)list.data[2 * i] << 8 | list.data[2 * i + 1];
}

static void count_grams(struct sealing *sealing, struct mq_span list)
{
    for (size_t i = 0; i < list.size / 2; i++)
        sealing->starts[gram_at(list, i) + 1]++;
    sealing->total += list.size / 2;
}

/* Moves each start on: after the last record, the start of a piece stands where the next one's was. */
static void place_grams(struct sealing *sealing, struct mq_span list)
{
    for (size_t i = 0; i < list.size / 2; i++)
        sealing->slots[sealing->starts[gram_at(list, i)]++] = (uint8_t)sealing->count;
}

/* A row: a bit for each piece that is there; of these how many records have it, a byte each; the records' slots. */
static enum mq_status row_put(struct mq_replica *replica, int64_t place, const uint8_t present[CHUNK / 8],
                              struct mq_span counts, struct mq_span slots, struct mq_error *error)
{
    size_t room = CHUNK / 8 + counts.size + slots.size;
    uint8_t *memory = mq_work_memory(room);
    struct mq_buffer out = mq_buffer(memory, room);
    mq_put(&out, present, CHUNK / 8);
    mq_put_span(&out, counts);
    mq_put_span(&out, slots);
    enum mq_status status =
        slots.size > 0 ? mq_db_run(replica->db, error, "INSERT OR REPLACE INTO search_gram(place, slots) VALUES(?, ?)",
                                   "ib", place, mq_written(&out))
                       : mq_db_run(replica->db, error, "DELETE FROM search_gram WHERE place = ?", "i", place);
    mq_work_free(memory, room);
    return status;
}

static enum mq_status chunk_store(struct mq_replica *replica, const struct sealing *sealing, int64_t block,
                                  uint32_t chunk, struct mq_error *error)
{
    uint8_t counts_memory[CHUNK], present[CHUNK / 8] = {0};
    struct mq_buffer counts = mq_buffer(counts_memory, sizeof counts_memory);
    uint32_t first = chunk * CHUNK, begin = first == 0 ? 0 : sealing->starts[first - 1], before = begin;
    for (uint32_t i = 0; i < CHUNK; i++) {
        uint32_t end = sealing->starts[first + i];
        if (end > before) {
            present[i / 8] = (uint8_t)(present[i / 8] | 1u << i % 8);
            mq_put_u8(&counts, (uint8_t)(end - before));
        }
        before = end;
    }
    if (before == begin)
        return MQ_OK;
    return row_put(replica, block * (MQ_GRAMS / CHUNK) + chunk, present, mq_written(&counts),
                   mq_span(sealing->slots + begin, before - begin), error);
}

static enum mq_status block_store(struct mq_replica *replica, const struct sealing *sealing, struct mq_error *error)
{
    int64_t block;
    enum mq_status status =
        mq_db_number(replica->db, &block, error, "SELECT ifnull(max(block) + 1, 0) FROM search_block", "");
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT INTO search_block(block, numbers) VALUES(?, ?)", "ib", block,
                           mq_span(sealing->numbers, 8 * sealing->count));
    for (uint32_t chunk = 0; chunk < MQ_GRAMS / CHUNK && status == MQ_OK; chunk++)
        status = chunk_store(replica, sealing, block, chunk, error);
    return status;
}

/* The tail becomes a block. */
static enum mq_status seal(struct mq_replica *replica, struct mq_error *error)
{
    struct sealing *sealing = mq_work_memory(sizeof *sealing);
    memset(sealing, 0, sizeof *sealing);
    enum mq_status status = tail_each(replica, sealing, count_grams, error);
    size_t total = sealing->total;
    sealing->slots = mq_work_memory(total + 1);
    for (size_t i = 1; i <= MQ_GRAMS; i++)
        sealing->starts[i] += sealing->starts[i - 1];
    if (status == MQ_OK)
        status = tail_each(replica, sealing, place_grams, error);
    if (status == MQ_OK)
        status = block_store(replica, sealing, error);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "DELETE FROM search_tail", "");
    mq_work_free(sealing->slots, total + 1);
    mq_work_free(sealing, sizeof *sealing);
    return status;
}

enum mq_status mq_search_blocks_put(struct mq_replica *replica, int64_t number, bool is_new, struct mq_span list,
                                    struct mq_error *error)
{
    uint8_t hash[8];
    int64_t known, slot;
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_PLAIN, list);
    struct mq_reader reader = mq_reader(MQ_SPAN(hash));
    int64_t print = (int64_t)(mq_get_u64(&reader) >> 1);
    enum mq_status status = is_new ? MQ_NOT_FOUND
                                   : mq_db_number(replica->db, &known, error,
                                                  "SELECT hash FROM search_long WHERE number = ?", "i", number);
    if (status == MQ_OK && known == print)
        return MQ_OK; /* the same pieces as before */
    if (status == MQ_OK || status == MQ_NOT_FOUND)
        status = mq_db_run(replica->db, error, "INSERT OR REPLACE INTO search_long(number, hash) VALUES(?, ?)", "ii",
                           number, print);
    if (status == MQ_OK)
        status = mq_db_run(replica->db, error, "INSERT INTO search_tail(number, grams) VALUES(?, ?)", "ib", number, list);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &slot, error, "SELECT last_insert_rowid()", "");
    return status == MQ_OK && slot >= BLOCK ? seal(replica, error) : status;
}

/* ---- taking out ---- */

enum mq_status mq_search_blocks_forget(struct mq_replica *replica, int64_t number, struct mq_error *error)
{
    return mq_db_run(replica->db, error, "DELETE FROM search_long WHERE number = ?", "i", number);
}

/* The slots of a block whose records were forgotten: their numbers become 0. `some`: is there one? */
static enum mq_status block_forgotten(struct mq_replica *replica, int64_t block, bool gone[BLOCK], bool *some,
                                      struct mq_error *error)
{
    uint8_t numbers[8 * BLOCK];
    struct mq_query *query;
    size_t size = 0;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT numbers FROM search_block WHERE block = ?", "i", block);
    *some = false;
    if (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_span row = mq_db_blob(query, 0);
        size = row.size < sizeof numbers ? row.size : sizeof numbers;
        memcpy(numbers, row.data, size);
        mq_db_done(&query);
    }
    for (size_t i = 0; i < size / 8 && status == MQ_OK; i++) {
        struct mq_reader reader = mq_reader(mq_span(numbers + 8 * i, 8));
        int64_t known, number = (int64_t)mq_get_u64(&reader);
        gone[i] = false;
        status = number == 0 ? MQ_OK
                             : mq_db_number(replica->db, &known, error, "SELECT 1 FROM search_long WHERE number = ?", "i",
                                            number);
        if (status != MQ_NOT_FOUND)
            continue;
        status = MQ_OK;
        gone[i] = *some = true;
        memset(numbers + 8 * i, 0, 8);
    }
    if (status != MQ_OK || error->status != MQ_OK || !*some)
        return status != MQ_OK ? status : error->status;
    return mq_db_run(replica->db, error, "UPDATE search_block SET numbers = ? WHERE block = ?", "bi",
                     mq_span(numbers, size), block);
}

/* The slots of the records that have a piece, out of its row. */
static struct mq_span slots_of(struct mq_span row, uint32_t piece)
{
    size_t kinds = 0, at = 0, before = 0, own = 0;
    if (row.size < CHUNK / 8)
        return mq_span(NULL, 0);
    for (uint32_t i = 0; i < CHUNK; i++)
        kinds += row.data[i / 8] >> i % 8 & 1;
    struct mq_reader counts = mq_reader(mq_span(row.data + CHUNK / 8, row.size - CHUNK / 8));
    for (uint32_t i = 0; i <= piece; i++) {
        before += own;
        own = row.data[i / 8] >> i % 8 & 1 ? mq_get_u8(&counts) : 0;
        at += own > 0;
    }
    (void)mq_take(&counts, kinds - at + before);
    return mq_take(&counts, own);
}

/* One row without the slots that are gone; its shape as in chunk_store. */
static enum mq_status row_sweep(struct mq_replica *replica, int64_t place, const bool gone[BLOCK],
                                struct mq_error *error)
{
    uint8_t counts_memory[CHUNK], slots_memory[CHUNK * BLOCK], present[CHUNK / 8] = {0};
    struct mq_buffer counts = mq_buffer(counts_memory, sizeof counts_memory), slots = mq_buffer(slots_memory, sizeof slots_memory);
    struct mq_query *query;
    enum mq_status status =
        mq_db_query(replica->db, &query, error, "SELECT slots FROM search_gram WHERE place = ?", "i", place);
    if (status != MQ_OK || !mq_db_next(&query, error))
        return status != MQ_OK ? status : error->status;
    for (uint32_t piece = 0; piece < CHUNK; piece++) {
        struct mq_span having = slots_of(mq_db_blob(query, 0), piece);
        size_t before = slots.size;
        for (size_t i = 0; i < having.size; i++)
            if (having.data[i] < BLOCK && !gone[having.data[i]])
                mq_put_u8(&slots, having.data[i]);
        if (slots.size == before)
            continue;
        present[piece / 8] = (uint8_t)(present[piece / 8] | 1u << piece % 8);
        mq_put_u8(&counts, (uint8_t)(slots.size - before));
    }
    mq_db_done(&query);
    return row_put(replica, place, present, mq_written(&counts), mq_written(&slots), error);
}

enum mq_status mq_search_blocks_sweep(struct mq_replica *replica, struct mq_error *error)
{
    int64_t blocks = 0;
    enum mq_status status = mq_db_run(
        replica->db, error, "DELETE FROM search_tail WHERE number NOT IN (SELECT number FROM search_long)", "");
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &blocks, error, "SELECT ifnull(max(block) + 1, 0) FROM search_block", "");
    for (int64_t block = 0; block < blocks && status == MQ_OK; block++) {
        bool gone[BLOCK] = {false}, some;
        status = block_forgotten(replica, block, gone, &some, error);
        for (int64_t chunk = 0; chunk < MQ_GRAMS / CHUNK && status == MQ_OK && some; chunk++)
            status = row_sweep(replica, block * (MQ_GRAMS / CHUNK) + chunk, gone, error);
    }
    return status;
}

/* ---- candidates ---- */

struct pieces {
    uint16_t grams[PIECES_MAX];
    size_t count;
};

static void bit_set(uint64_t *bits, uint64_t number, size_t limit)
{
    if (number < limit)
        bits[number / 64] |= (uint64_t)1 << number % 64;
}

static enum mq_status tail_candidates(struct mq_replica *replica, const struct pieces *pieces, uint64_t *bits,
                                      size_t limit, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT number, grams FROM search_tail", "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        size_t have = 0;
        while (have < pieces->count && mq_grams_have(mq_db_blob(query, 1), pieces->grams[have]))
            have++;
        if (have == pieces->count)
            bit_set(bits, (uint64_t)mq_db_int(query, 0), limit);
    }
    return error->status;
}

/* Keeps of the records of a block those that have a piece. `some`: is any left? */
static enum mq_status keep_with(struct mq_replica *replica, int64_t block, uint16_t gram, bool slots[BLOCK], bool *some,
                                struct mq_error *error)
{
    bool here[BLOCK] = {false};
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT slots FROM search_gram WHERE place = ?", "i",
                                        block * (MQ_GRAMS / CHUNK) + gram / CHUNK);
    *some = false;
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        struct mq_span having = slots_of(mq_db_blob(query, 0), gram % CHUNK);
        for (size_t i = 0; i < having.size; i++)
            if (having.data[i] < BLOCK)
                *some |= here[having.data[i]] = slots[having.data[i]];
        mq_db_done(&query);
    }
    memcpy(slots, here, sizeof here);
    return error->status;
}

static enum mq_status block_candidates(struct mq_replica *replica, int64_t block, const struct pieces *pieces,
                                       uint64_t *bits, size_t limit, struct mq_error *error)
{
    bool slots[BLOCK], some = true;
    struct mq_query *query;
    enum mq_status status = MQ_OK;
    memset(slots, true, sizeof slots);
    for (size_t i = 0; i < pieces->count && some && status == MQ_OK; i++)
        status = keep_with(replica, block, pieces->grams[i], slots, &some, error);
    if (status != MQ_OK || !some)
        return status;
    status = mq_db_query(replica->db, &query, error, "SELECT numbers FROM search_block WHERE block = ?", "i", block);
    if (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_reader numbers = mq_reader(mq_db_blob(query, 0));
        for (size_t i = 0; i < BLOCK && mq_left(&numbers) > 0; i++) {
            uint64_t number = mq_get_u64(&numbers);
            if (slots[i])
                bit_set(bits, number, limit);
        }
        mq_db_done(&query);
    }
    return status == MQ_OK ? error->status : status;
}

enum mq_status mq_search_candidates(struct mq_replica *replica, struct mq_span word, uint64_t *bits, size_t limit,
                                    struct mq_error *error)
{
    struct pieces pieces = {.count = 0};
    int64_t blocks;
    pieces.count = mq_grams_of_word(word, pieces.grams, PIECES_MAX);
    enum mq_status status = tail_candidates(replica, &pieces, bits, limit, error);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &blocks, error, "SELECT ifnull(max(block) + 1, 0) FROM search_block", "");
    for (int64_t block = 0; status == MQ_OK && block < blocks; block++)
        status = block_candidates(replica, block, &pieces, bits, limit, error);
    return status;
}
