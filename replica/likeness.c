/* A book of households: entries, and one chained hash table over what they are known by. */
#include "replica/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge.h"
#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* What speaks for two households being one, and against it; names and telephones in parts of MQ_ALIKE_MOST, each taken
 * by its score. Found by trying, on pairs that had been labelled before (docs/testing.md). */
enum {
    WEIGHT_NAME = 550,
    WEIGHT_SAME_GROUP = 150,
    WEIGHT_GROUP_UNSAID = 50,
    WEIGHT_OTHER_GROUP = -150,
    WEIGHT_PHONE = 300,
    WEIGHT_RELATIVES_PHONE = 120,
    WEIGHT_SHARED_PHONE = 30,
    WEIGHT_PHONE_DIGIT = -70, /* a slip of the pen as often as a family with numbers in a row */
    WEIGHT_OTHER_PHONE = -50,
    WEIGHT_OTHER_NICKNAME = -200
};

#define NICKNAME_LEAST 800 /* of MQ_ALIKE_MOST: 大建国 and 小建国 are two people */
#define NAMES_MAX 3 /* the head, what stood in brackets behind him, the nickname */

struct entry {
    uint8_t record[MQ_ID_SIZE];
    uint64_t team, place, group;
    struct mq_alike_name names[NAMES_MAX]; /* the head first */
    size_t name_count;
    struct mq_alike_phone phones[MQ_ALIKE_PHONES_MAX];
    size_t phone_count;
    uint8_t (*others)[MQ_ID_SIZE]; /* that a desk has said are another household */
    size_t other_count;
    size_t asked_by; /* while candidates are gathered: who saw this one already, plus one */
};

struct known {
    uint64_t key;
    size_t entry, next; /* next of the chain, plus one */
};

struct mq_likeness {
    struct mq_replica *replica;
    int32_t today;
    struct entry *entries;
    size_t count, room;
    struct known *known;
    size_t known_count, known_room;
    size_t *heads; /* place in `known`, plus one; `head_count` is a power of two */
    size_t head_count;
    size_t asked; /* how often candidates were gathered */
};

bool mq_like_by_name(uint32_t reasons)
{
    for (int reason = MQ_ALIKE_SAME_NAME; reason <= MQ_ALIKE_NICKNAME; reason++)
        if (MQ_LIKE_HAS(reasons, reason))
            return true;
    return false;
}

/* ---- the table ---- */

static size_t bucket_of(const struct mq_likeness *likeness, uint64_t key)
{
    return (size_t)(key ^ key >> 29) & (likeness->head_count - 1);
}

static void chain_in(struct mq_likeness *likeness, size_t at)
{
    size_t *head = &likeness->heads[bucket_of(likeness, likeness->known[at].key)];
    likeness->known[at].next = *head;
    *head = at + 1;
}

static void know(struct mq_likeness *likeness, uint64_t key, size_t entry)
{
    if (likeness->known_count == likeness->known_room) {
        likeness->known_room = 2 * likeness->known_room + 1024;
        likeness->known = realloc(likeness->known, likeness->known_room * sizeof *likeness->known);
        mq_enough(likeness->known);
        likeness->head_count = 1024;
        while (likeness->head_count < likeness->known_room)
            likeness->head_count *= 2;
        free(likeness->heads);
        likeness->heads = calloc(likeness->head_count, sizeof *likeness->heads);
        mq_enough(likeness->heads);
        for (size_t i = 0; i < likeness->known_count; i++)
            chain_in(likeness, i);
    }
    likeness->known[likeness->known_count] = (struct known){.key = key, .entry = entry};
    chain_in(likeness, likeness->known_count++);
}

#define ENTRY_KEYS_MAX (NAMES_MAX * MQ_ALIKE_KEYS_MAX + MQ_ALIKE_PHONES_MAX + 1) /* tidy: local, a sum */

/* Where a key counts: in one place of one team. */
static uint64_t key_here(const struct entry *entry, uint64_t key)
{
    return (key ^ entry->place) * 0x9e3779b97f4a7c15u ^ entry->team;
}

static size_t keys_of(const struct entry *entry, uint64_t out[ENTRY_KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < entry->name_count; i++) {
        size_t before = count;
        count += mq_alike_name_keys(&entry->names[i], out + count);
        for (size_t k = before; k < count; k++)
            out[k] = key_here(entry, out[k]);
    }
    for (size_t i = 0; i < entry->phone_count; i++)
        out[count++] = key_here(entry, mq_alike_phone_key(&entry->phones[i]));
    return count;
}

/* The key by which everybody with this number is counted, so that a shared one is known as such. */
static size_t holders_of(const struct mq_likeness *likeness, const struct entry *entry, const struct mq_alike_phone *phone)
{
    uint64_t key = key_here(entry, mq_alike_phone_key(phone));
    size_t count = 0, last = SIZE_MAX;
    if (likeness->head_count == 0)
        return 0;
    for (size_t at = likeness->heads[bucket_of(likeness, key)]; at != 0; at = likeness->known[at - 1].next)
        if (likeness->known[at - 1].key == key && likeness->known[at - 1].entry != last) {
            last = likeness->known[at - 1].entry;
            count++;
        }
    return count;
}

/* ---- two households ---- */

static struct mq_alike names_alike(const struct entry *a, const struct entry *b)
{
    struct mq_alike best = {0}, other;
    if (a->name_count == 0 || b->name_count == 0)
        return best;
    best = mq_alike_names(&a->names[0], &b->names[0]);
    for (size_t i = 1; i < a->name_count; i++)
        if ((other = mq_alike_nickname(&b->names[0], &a->names[i])).score > best.score)
            best = other;
    for (size_t i = 1; i < b->name_count; i++)
        if ((other = mq_alike_nickname(&a->names[0], &b->names[i])).score > best.score)
            best = other;
    return best;
}

/* Both have nicknames, and none is like another. */
static bool other_nickname(const struct entry *a, const struct entry *b)
{
    for (size_t i = 1; i < a->name_count; i++)
        for (size_t j = 1; j < b->name_count; j++)
            if (mq_alike_names(&a->names[i], &b->names[j]).score >= NICKNAME_LEAST)
                return false;
    return a->name_count > 1 && b->name_count > 1;
}

static int phones_weight(const struct mq_likeness *likeness, const struct entry *a, const struct entry *b,
                         uint32_t *reasons)
{
    int best = a->phone_count > 0 && b->phone_count > 0 ? WEIGHT_OTHER_PHONE : 0;
    enum mq_alike_reason why = MQ_ALIKE_NOT;
    for (size_t i = 0; i < a->phone_count; i++)
        for (size_t j = 0; j < b->phone_count; j++) {
            struct mq_alike alike = mq_alike_phones(&a->phones[i], &b->phones[j]);
            if (alike.score == 0)
                continue;
            if (alike.reason != MQ_ALIKE_PHONE_DIGIT &&
                holders_of(likeness, a, &a->phones[i]) > MQ_ALIKE_PHONE_HOLDERS_MAX)
                alike.reason = MQ_ALIKE_SHARED_PHONE;
            int weight = alike.reason == MQ_ALIKE_SHARED_PHONE      ? WEIGHT_SHARED_PHONE
                         : alike.reason == MQ_ALIKE_RELATIVES_PHONE ? WEIGHT_RELATIVES_PHONE
                         : alike.reason == MQ_ALIKE_PHONE_DIGIT     ? WEIGHT_PHONE_DIGIT
                                                                    : WEIGHT_PHONE;
            weight = weight * (int)alike.score / MQ_ALIKE_MOST;
            if (weight > best || why == MQ_ALIKE_NOT) {
                best = weight;
                why = alike.reason;
            }
        }
    if (why != MQ_ALIKE_NOT)
        *reasons |= 1u << why;
    return best;
}

static bool said_different(const struct entry *a, const struct entry *b)
{
    for (size_t i = 0; i < a->other_count; i++)
        if (memcmp(a->others[i], b->record, MQ_ID_SIZE) == 0)
            return true;
    for (size_t i = 0; i < b->other_count; i++)
        if (memcmp(b->others[i], a->record, MQ_ID_SIZE) == 0)
            return true;
    return false;
}

static struct mq_like weigh(const struct mq_likeness *likeness, const struct entry *a, const struct entry *b)
{
    struct mq_like like = {0};
    if (a->team != b->team || a->place != b->place || memcmp(a->record, b->record, MQ_ID_SIZE) == 0 ||
        said_different(a, b))
        return like;
    struct mq_alike name = names_alike(a, b);
    int score = WEIGHT_NAME * (int)name.score / MQ_ALIKE_MOST;
    if (name.score > 0)
        like.reasons |= 1u << name.reason;
    if (a->group != 0 && a->group == b->group) {
        score += WEIGHT_SAME_GROUP;
        like.reasons |= 1u << MQ_ALIKE_SAME_GROUP;
    } else if (a->group != 0 && b->group != 0) {
        score += WEIGHT_OTHER_GROUP;
    } else {
        score += WEIGHT_GROUP_UNSAID;
    }
    score += phones_weight(likeness, a, b, &like.reasons);
    if (other_nickname(a, b))
        score += WEIGHT_OTHER_NICKNAME;
    like.score = score < 0 ? 0 : score > MQ_ALIKE_MOST ? MQ_ALIKE_MOST : (unsigned)score;
    memcpy(like.record, b->record, MQ_ID_SIZE);
    return like;
}

/* ---- reading households ---- */

static void read_names(struct entry *entry, const struct mq_group_state *state)
{
    struct mq_alike_name head, bracket, nickname;
    mq_alike_name_read(&head, &bracket, mq_shown_text(state, "head"));
    mq_alike_name_read(&nickname, NULL, mq_shown_text(state, "nickname"));
    if (head.count == 0)
        return;
    entry->names[entry->name_count++] = head;
    if (bracket.count > 0)
        entry->names[entry->name_count++] = bracket;
    if (nickname.count > 0)
        entry->names[entry->name_count++] = nickname;
}

static void read_phones(struct entry *entry, const struct mq_group_state *state)
{
    struct mq_span phones = mq_shown_value(state, "phones");
    struct mq_reader reader = mq_reader(phones);
    uint64_t numbers = phones.size == 0 ? 0 : mq_cbor_array(&reader, MQ_PHONES_MAX);
    for (uint64_t i = 0; i < numbers && entry->phone_count < MQ_ALIKE_PHONES_MAX; i++) {
        struct mq_span phone = mq_cbor_take(&reader);
        struct mq_reader inner = mq_reader(phone);
        (void)mq_cbor_array(&inner, 2);
        struct mq_span number = mq_cbor_text(&inner, MQ_SHORT_TEXT_MAX);
        struct mq_cbor_item whose = mq_cbor_next(&inner);
        mq_alike_phone_read(&entry->phones[entry->phone_count], number,
                            whose.type == MQ_CBOR_TEXT ? whose.bytes : mq_span(NULL, 0));
        entry->phone_count += entry->phones[entry->phone_count].count > 0;
    }
}

/* Those that a desk has said are another one, by the groups that they belong to now. */
static enum mq_status read_others(struct mq_likeness *likeness, struct entry *entry, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text("not_same_as"));
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        likeness->replica->db, &query, error,
        "SELECT r.canonical FROM refers JOIN record AS r ON r.record = target WHERE source = ? AND field = ?", "bi",
        MQ_SPAN(entry->record), (int64_t)field->number);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        entry->others = realloc(entry->others, (entry->other_count + 1) * sizeof *entry->others);
        mq_enough(entry->others);
        memcpy(entry->others[entry->other_count++], mq_db_blob(query, 0).data, MQ_ID_SIZE);
    }
    return error->status;
}

static uint64_t team_number(const uint8_t team[MQ_ID_SIZE])
{
    struct mq_reader reader = mq_reader(mq_span(team, MQ_ID_SIZE));
    return mq_get_u64(&reader);
}

/* `entry->others` is the caller's to free. MQ_NOT_FOUND: no household, or one that cannot be read. */
static enum mq_status entry_read(struct mq_likeness *likeness, const uint8_t record[MQ_ID_SIZE], struct entry *entry,
                                 struct mq_error *error)
{
    struct mq_group_state state;
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    *entry = (struct entry){0};
    enum mq_status status = mq_view_group(likeness->replica, record, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: no reason to compare nothing */
        mq_error_clear(error);
        return MQ_NOT_FOUND;
    }
    if (status != MQ_OK || state.kind != MQ_KIND_HOUSEHOLD)
        return status == MQ_OK ? MQ_NOT_FOUND : status;
    memcpy(entry->record, state.canonical, MQ_ID_SIZE);
    status = mq_likeness_place(likeness, mq_shown_value(&state, "place"), &entry->place, error);
    if (status != MQ_OK)
        return status;
    entry->group = mq_alike_group(mq_shown_text(&state, "group"));
    read_names(entry, &state);
    read_phones(entry, &state);
    status = mq_view_kind(likeness->replica, record, &kind, team, error);
    entry->team = status == MQ_OK ? team_number(team) : 0;
    return status == MQ_OK ? read_others(likeness, entry, error) : status;
}

/* ---- the book ---- */

static void learn_entry(struct mq_likeness *likeness, const struct entry *entry)
{
    uint64_t keys[ENTRY_KEYS_MAX];
    if (likeness->count == likeness->room) {
        likeness->room = 2 * likeness->room + 64;
        likeness->entries = realloc(likeness->entries, likeness->room * sizeof *likeness->entries);
        mq_enough(likeness->entries);
    }
    likeness->entries[likeness->count] = *entry;
    size_t count = keys_of(entry, keys);
    for (size_t i = 0; i < count; i++)
        know(likeness, keys[i], likeness->count);
    likeness->count++;
}

static enum mq_status learn(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_likeness *likeness = context;
    struct entry entry;
    enum mq_status status = entry_read(likeness, canonical, &entry, error);
    if (status == MQ_OK)
        learn_entry(likeness, &entry);
    else
        free(entry.others);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

enum mq_status mq_likeness_begin(struct mq_likeness **out, struct mq_replica *replica, struct mq_error *error)
{
    struct mq_likeness *likeness = calloc(1, sizeof *likeness);
    mq_enough(likeness);
    likeness->replica = replica;
    likeness->today = mq_catalogue_today(replica);
    enum mq_status status = mq_view_each(replica, MQ_KIND_HOUSEHOLD, false, learn, likeness, error);
    if (status != MQ_OK)
        mq_likeness_end(likeness);
    *out = status == MQ_OK ? likeness : NULL;
    return status;
}

void mq_likeness_end(struct mq_likeness *likeness)
{
    if (likeness == NULL)
        return;
    for (size_t i = 0; i < likeness->count; i++)
        free(likeness->entries[i].others);
    if (likeness->entries != NULL)
        mq_wipe(likeness->entries, likeness->room * sizeof *likeness->entries);
    free(likeness->entries);
    free(likeness->known);
    free(likeness->heads);
    free(likeness);
}

/* ---- asking ---- */

/* Everybody known by one of the entry's keys, before `end`, each once; the newest MQ_ALIKE_CHAIN_MAX of a key. */
static enum mq_status candidates(struct mq_likeness *likeness, const struct entry *entry, size_t end, size_t asker,
                                 enum mq_status (*take)(void *context, const struct entry *a, const struct mq_like *b,
                                                        struct mq_error *error),
                                 void *context, struct mq_error *error)
{
    uint64_t keys[ENTRY_KEYS_MAX];
    size_t count = keys_of(entry, keys);
    for (size_t k = 0; k < count && likeness->head_count > 0; k++) {
        size_t seen = 0, at = likeness->heads[bucket_of(likeness, keys[k])];
        for (; at != 0 && seen < MQ_ALIKE_CHAIN_MAX; at = likeness->known[at - 1].next) {
            struct entry *other = &likeness->entries[likeness->known[at - 1].entry];
            if (likeness->known[at - 1].key != keys[k] || likeness->known[at - 1].entry >= end)
                continue;
            seen++;
            if (other->asked_by == asker + 1)
                continue;
            other->asked_by = asker + 1;
            struct mq_like like = weigh(likeness, entry, other);
            if (like.score < MQ_LIKE_HOUSEHOLD)
                continue;
            enum mq_status status = take(context, entry, &like, error);
            if (status != MQ_OK)
                return status;
        }
    }
    return MQ_OK;
}

struct likes {
    struct mq_like *out;
    size_t count;
};

/* The best MQ_LIKE_MAX, best first. */
static enum mq_status put_like(void *context, const struct entry *a, const struct mq_like *b, struct mq_error *error)
{
    struct likes *likes = context;
    size_t at = likes->count;
    (void)a;
    (void)error;
    while (at > 0 && likes->out[at - 1].score < b->score)
        at--;
    if (at == MQ_LIKE_MAX)
        return MQ_OK;
    if (likes->count < MQ_LIKE_MAX)
        likes->count++;
    memmove(likes->out + at + 1, likes->out + at, (likes->count - at - 1) * sizeof *likes->out);
    likes->out[at] = *b;
    return MQ_OK;
}

/* Whoever was learnt stands in the chain of his own keys. */
static bool learnt(const struct mq_likeness *likeness, const struct entry *entry)
{
    uint64_t keys[ENTRY_KEYS_MAX];
    if (keys_of(entry, keys) == 0 || likeness->head_count == 0)
        return false;
    for (size_t at = likeness->heads[bucket_of(likeness, keys[0])]; at != 0; at = likeness->known[at - 1].next)
        if (memcmp(likeness->entries[likeness->known[at - 1].entry].record, entry->record, MQ_ID_SIZE) == 0)
            return true;
    return false;
}

enum mq_status mq_likeness_take(struct mq_likeness *likeness, const uint8_t record[MQ_ID_SIZE],
                                struct mq_like out[MQ_LIKE_MAX], size_t *count, struct mq_error *error)
{
    struct likes likes = {.out = out};
    struct entry entry;
    *count = 0;
    enum mq_status status = entry_read(likeness, record, &entry, error);
    if (status == MQ_OK && likeness->count > 0)
        status = candidates(likeness, &entry, likeness->count, likeness->asked++, put_like, &likes, error);
    *count = likes.count;
    if (status == MQ_OK && !learnt(likeness, &entry))
        learn_entry(likeness, &entry);
    else
        free(entry.others);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

struct pairs {
    enum mq_status (*take)(void *context, const uint8_t a[MQ_ID_SIZE], const struct mq_like *b, struct mq_error *error);
    void *context;
};

static enum mq_status put_pair(void *context, const struct entry *a, const struct mq_like *b, struct mq_error *error)
{
    const struct pairs *pairs = context;
    return pairs->take(pairs->context, a->record, b, error);
}

enum mq_status mq_likeness_pairs(struct mq_likeness *likeness,
                                 enum mq_status (*take)(void *context, const uint8_t a[MQ_ID_SIZE],
                                                        const struct mq_like *b, struct mq_error *error),
                                 void *context, struct mq_error *error)
{
    struct pairs pairs = {.take = take, .context = context};
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < likeness->count && status == MQ_OK; i++)
        status = candidates(likeness, &likeness->entries[i], i, likeness->asked++, put_pair, &pairs, error);
    return status;
}

enum mq_status mq_likeness_place(const struct mq_likeness *likeness, struct mq_span value, uint64_t *number,
                                 struct mq_error *error)
{
    const struct mq_place *place = NULL;
    uint8_t hash[8];
    *number = 0;
    if (value.size == 0)
        return MQ_OK;
    enum mq_status status = mq_catalogue_place(likeness->replica, value, &place, error);
    if (status != MQ_OK)
        return status;
    if (place != NULL)
        value = mq_span_text(mq_place_on(place, likeness->today)->id);
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_ROW, value);
    struct mq_reader reader = mq_reader(MQ_SPAN(hash));
    *number = mq_get_u64(&reader) | 1;
    return MQ_OK;
}
