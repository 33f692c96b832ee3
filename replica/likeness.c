/* One open hash table over what households are known by. */
#include "replica/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define ENTRIES_START 1024 /* a power of two, as all sizes are */
#define SIGNS_MAX (1 + MQ_PHONES_MAX)
#define PHONE_LEAST 7 /* digits: less is no number that tells one household from another */

/* What a household is known by: hashes, so that they stand for themselves in the table. */
struct sign {
    uint64_t hash;
    enum mq_like_reason reason;
};

struct entry {
    struct sign sign;
    bool taken;
    uint8_t record[MQ_ID_SIZE];
};

struct mq_likeness {
    struct mq_replica *replica;
    struct entry *entries;
    size_t size, used;
};

static uint64_t hash_of(const struct mq_span *parts, size_t count)
{
    uint8_t bytes[8];
    mq_hash(bytes, sizeof bytes, MQ_DOMAIN_ROW, parts, count);
    struct mq_reader reader = mq_reader(MQ_SPAN(bytes));
    return (uint64_t)mq_get_u32(&reader) << 32 | mq_get_u32(&reader);
}

static struct mq_span shown(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text(key));
    const struct mq_field_state *here = mq_group_field(state, field->number);
    return here == NULL || here->choice_count == 0 ? mq_span(NULL, 0) : here->choices[0].value;
}

/* Digits alone, so that hyphens and blanks do not matter. */
static bool phone_sign(struct mq_span number, struct sign *out)
{
    uint8_t memory[MQ_NAME_TEXT_MAX];
    struct mq_buffer digits = mq_buffer(memory, sizeof memory);
    for (size_t i = 0; i < number.size; i++)
        if (number.data[i] >= '0' && number.data[i] <= '9')
            mq_put_u8(&digits, number.data[i]);
    const struct mq_span parts[] = {mq_span_text("phone"), mq_written(&digits)};
    *out = (struct sign){hash_of(parts, 2), MQ_LIKE_PHONE};
    return digits.size >= PHONE_LEAST;
}

static size_t signs_of(const struct mq_group_state *state, struct sign out[SIGNS_MAX])
{
    const struct mq_span name[] = {mq_span_text("name"), shown(state, "place"), shown(state, "group"), shown(state, "head")};
    struct mq_span phones = shown(state, "phones");
    size_t count = 0;
    if (name[3].size > 0)
        out[count++] = (struct sign){hash_of(name, 4), MQ_LIKE_NAME};
    if (phones.size == 0)
        return count;
    struct mq_reader reader = mq_reader(phones);
    uint64_t numbers = mq_cbor_array(&reader, MQ_PHONES_MAX);
    for (uint64_t i = 0; i < numbers && count < SIGNS_MAX; i++) {
        struct mq_span phone = mq_cbor_take(&reader);
        struct mq_reader inner = mq_reader(phone);
        (void)mq_cbor_array(&inner, 2);
        count += phone_sign(mq_cbor_text(&inner, MQ_SHORT_TEXT_MAX), &out[count]);
    }
    return count;
}

static void put(struct mq_likeness *likeness, struct sign sign, const uint8_t record[MQ_ID_SIZE]);

static void grow(struct mq_likeness *likeness)
{
    struct entry *old = likeness->entries;
    size_t size = likeness->size;
    likeness->size = size == 0 ? ENTRIES_START : 2 * size;
    likeness->entries = calloc(likeness->size, sizeof *likeness->entries);
    MQ_ASSERT(likeness->entries != NULL);
    likeness->used = 0;
    for (size_t i = 0; i < size; i++)
        if (old[i].taken)
            put(likeness, old[i].sign, old[i].record);
    free(old);
}

static void put(struct mq_likeness *likeness, struct sign sign, const uint8_t record[MQ_ID_SIZE])
{
    if (2 * (likeness->used + 1) > likeness->size)
        grow(likeness);
    size_t at = sign.hash & (likeness->size - 1);
    while (likeness->entries[at].taken)
        at = (at + 1) & (likeness->size - 1);
    likeness->entries[at] = (struct entry){.sign = sign, .taken = true};
    memcpy(likeness->entries[at].record, record, MQ_ID_SIZE);
    likeness->used++;
}

static void look(const struct mq_likeness *likeness, struct sign sign, const uint8_t record[MQ_ID_SIZE],
                 struct mq_like out[MQ_LIKE_MAX], size_t *count)
{
    for (size_t at = sign.hash & (likeness->size - 1); likeness->size > 0 && likeness->entries[at].taken;
         at = (at + 1) & (likeness->size - 1)) {
        const struct entry *entry = &likeness->entries[at];
        if (entry->sign.hash != sign.hash || entry->sign.reason != sign.reason ||
            memcmp(entry->record, record, MQ_ID_SIZE) == 0)
            continue;
        size_t same = 0;
        while (same < *count && memcmp(out[same].record, entry->record, MQ_ID_SIZE) != 0)
            same++;
        if (same < *count || *count == MQ_LIKE_MAX)
            continue;
        memcpy(out[*count].record, entry->record, MQ_ID_SIZE);
        out[(*count)++].reason = sign.reason;
    }
}

static enum mq_status learn(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_likeness *likeness = context;
    struct mq_group_state state;
    struct sign signs[SIGNS_MAX];
    enum mq_status status = mq_view_group(likeness->replica, canonical, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: no reason to compare nothing */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    size_t count = signs_of(&state, signs);
    for (size_t i = 0; i < count; i++)
        put(likeness, signs[i], canonical);
    return MQ_OK;
}

enum mq_status mq_likeness_begin(struct mq_likeness **out, struct mq_replica *replica, struct mq_error *error)
{
    struct mq_likeness *likeness = calloc(1, sizeof *likeness);
    MQ_ASSERT(likeness != NULL);
    likeness->replica = replica;
    grow(likeness);
    enum mq_status status = mq_view_each(replica, MQ_KIND_HOUSEHOLD, false, learn, likeness, error);
    if (status != MQ_OK)
        mq_likeness_end(likeness);
    *out = status == MQ_OK ? likeness : NULL;
    return status;
}

enum mq_status mq_likeness_take(struct mq_likeness *likeness, const uint8_t record[MQ_ID_SIZE],
                                struct mq_like out[MQ_LIKE_MAX], size_t *count, struct mq_error *error)
{
    struct mq_group_state state;
    struct sign signs[SIGNS_MAX];
    uint8_t canonical[MQ_ID_SIZE];
    *count = 0;
    enum mq_status status = mq_view_group(likeness->replica, record, &state, error);
    if (status != MQ_OK || state.kind != MQ_KIND_HOUSEHOLD)
        return status;
    memcpy(canonical, state.canonical, MQ_ID_SIZE);
    size_t known = signs_of(&state, signs);
    for (size_t i = 0; i < known; i++)
        look(likeness, signs[i], canonical, out, count);
    for (size_t i = 0; i < known; i++)
        put(likeness, signs[i], canonical);
    return MQ_OK;
}

void mq_likeness_end(struct mq_likeness *likeness)
{
    if (likeness == NULL)
        return;
    free(likeness->entries);
    free(likeness);
}
