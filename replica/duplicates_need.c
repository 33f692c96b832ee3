/* Pairs of needs that may be one matter: of one household, of two that may be one, or of neighbours who speak of what
 * they share. */
#include <stdlib.h>
#include <string.h>

#include "protocol/merge.h"
#include "replica/duplicates_parts.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* What speaks for two needs being one matter, and against it. Found by trying, on pairs that had been labelled before
 * (docs/testing.md). */
enum {
    WEIGHT_WORDS = 500,
    WEIGHT_SAME_HOUSEHOLD = 300,
    WEIGHT_LIKELY_HOUSEHOLD = 230,
    WEIGHT_SAME_GROUP = 180,
    WEIGHT_SAME_PLACE = 100,
    WEIGHT_OTHER_GROUP = 0,
    WEIGHT_SAME_CATEGORY = 150,
    WEIGHT_CATEGORY_UNSAID = 100,
    WEIGHT_OTHER_CATEGORY = -50,
    WEIGHT_SAME_AMOUNT = 100,
    WEIGHT_DIFFER = -350
};

/* Categories of which neighbours have one matter together; an old-age pension is everybody's own. */
static const uint16_t shared_categories[] = {4, 5, 6, 16, 17};
enum {
    CATEGORY_UNSAID = 99, /* 其他/说不清 */
    SUBJECT_GROUP = 3     /* 组, and what is larger */
};

struct matter {
    uint8_t record[MQ_ID_SIZE];
    uint8_t household[MQ_ID_SIZE]; /* its group's; zeros: none */
    uint64_t team, place, group;
    uint16_t category, subject; /* 0: not said */
    int32_t day;                /* 0: not known */
    bool for_few;
    struct mq_alike_text text;
    size_t next_of_household, next_of_place; /* plus one */
};

struct matters {
    struct mq_replica *replica;
    const struct mq_likeness *likeness;
    const struct mq_duplicates *households;
    struct mq_alike_dictionary dictionary;
    struct matter *items;
    size_t count, room;
    size_t *by_household, *by_place; /* heads of chains, plus one; `head_count` of each */
    size_t head_count;
    struct mq_duplicates *out;
};

/* ---- reading ---- */

/* A record that a need points to; what is not here, or unreadable, says nothing. */
static enum mq_status look_at(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], struct mq_group_state *state,
                              bool *found, struct mq_error *error)
{
    enum mq_status status = mq_view_group(replica, record, state, error);
    *found = status == MQ_OK;
    if (status == MQ_NOT_FOUND || status == MQ_NO_SPACE || status == MQ_REFUSED) {
        mq_error_clear(error);
        return MQ_OK;
    }
    return status;
}

/* The day on which it was told: as written, or the visit's, or the one on which it was written down. */
static enum mq_status read_day(struct matters *work, struct matter *matter, const uint8_t visit[MQ_ID_SIZE],
                               bool has_visit, struct mq_error *error)
{
    struct mq_group_state state;
    bool found = false;
    enum mq_status status = has_visit ? look_at(work->replica, visit, &state, &found, error) : MQ_OK;
    if (status == MQ_OK && found)
        matter->day = (int32_t)mq_shown_number(&state, "date");
    if (status != MQ_OK || matter->day != 0)
        return status;
    int64_t wall = 0;
    status = mq_db_number(work->replica->db, &wall, error, "SELECT wall FROM change WHERE id = ?", "b",
                          MQ_SPAN(matter->record));
    matter->day = (int32_t)(wall / 86400);
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status read_household(struct matters *work, struct matter *matter, const uint8_t household[MQ_ID_SIZE],
                                     struct mq_error *error)
{
    struct mq_group_state state;
    bool found;
    enum mq_status status = look_at(work->replica, household, &state, &found, error);
    if (status != MQ_OK || !found)
        return status;
    memcpy(matter->household, state.canonical, MQ_ID_SIZE);
    matter->group = mq_alike_group(mq_shown_text(&state, "group"));
    return matter->place == 0 ? mq_likeness_place(work->likeness, mq_shown_value(&state, "place"), &matter->place, error) : MQ_OK;
}

static enum mq_status read_shown(struct matters *work, struct matter *matter, const struct mq_group_state *state,
                                 struct mq_error *error)
{
    memcpy(matter->record, state->canonical, MQ_ID_SIZE);
    matter->category = (uint16_t)mq_shown_number(state, "category");
    matter->category = matter->category == CATEGORY_UNSAID ? 0 : matter->category;
    matter->subject = (uint16_t)mq_shown_number(state, "subject");
    matter->day = (int32_t)mq_shown_number(state, "date");
    matter->for_few = mq_is_for_few(work->replica, state);
    mq_alike_text_read(&matter->text, &work->dictionary, mq_shown_text(state, "words"));
    return mq_likeness_place(work->likeness, mq_shown_value(state, "place"), &matter->place, error);
}

static enum mq_status learn(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct matters *work = context;
    struct mq_group_state state;
    struct matter matter = {.team = 0};
    uint8_t household[MQ_ID_SIZE], visit[MQ_ID_SIZE], team[MQ_ID_SIZE];
    bool found;
    uint64_t kind;
    enum mq_status status = look_at(work->replica, canonical, &state, &found, error);
    if (status != MQ_OK || !found)
        return status;
    status = read_shown(work, &matter, &state, error);
    bool has_household = mq_shown_reference(&state, "household", household);
    bool has_visit = mq_shown_reference(&state, "visit", visit);
    if (status == MQ_OK && has_household)
        status = read_household(work, &matter, household, error);
    if (status == MQ_OK && matter.day == 0)
        status = read_day(work, &matter, visit, has_visit, error);
    if (status == MQ_OK)
        status = mq_view_kind(work->replica, canonical, &kind, team, error);
    if (status != MQ_OK)
        return status;
    struct mq_reader reader = mq_reader(MQ_SPAN(team));
    matter.team = mq_get_u64(&reader);
    if (work->count == work->room) {
        work->room = 2 * work->room + 64;
        work->items = realloc(work->items, work->room * sizeof *work->items);
        mq_enough(work->items);
    }
    work->items[work->count++] = matter;
    return MQ_OK;
}

/* ---- two needs ---- */

static bool has_household(const struct matter *matter)
{
    static const uint8_t none[MQ_ID_SIZE] = {0};
    return memcmp(matter->household, none, MQ_ID_SIZE) != 0;
}

static bool likely_one(const struct matters *work, const uint8_t a[MQ_ID_SIZE], const uint8_t b[MQ_ID_SIZE])
{
    bool turn = memcmp(a, b, MQ_ID_SIZE) > 0;
    const uint8_t *first = turn ? b : a, *second = turn ? a : b;
    size_t low = 0, high = work->households->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct mq_duplicate *pair = &work->households->items[middle];
        int order = memcmp(pair->a, first, MQ_ID_SIZE);
        order = order != 0 ? order : memcmp(pair->b, second, MQ_ID_SIZE);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* May neighbours have this one together? Where nobody said whose it is, the category tells. */
static bool may_be_shared(const struct matter *matter)
{
    bool shared = matter->category == 0;
    for (size_t i = 0; i < sizeof shared_categories / sizeof *shared_categories; i++)
        shared = shared || matter->category == shared_categories[i];
    return matter->subject == 0 ? shared : matter->subject >= SUBJECT_GROUP;
}

/* What the people who spoke have to do with each other; < 0: nothing that would make it one matter. */
static int people_weight(const struct matters *work, const struct matter *a, const struct matter *b, uint32_t *reasons)
{
    if (has_household(a) && memcmp(a->household, b->household, MQ_ID_SIZE) == 0) {
        *reasons |= 1u << MQ_ALIKE_SAME_HOUSEHOLD;
        return WEIGHT_SAME_HOUSEHOLD;
    }
    if (has_household(a) && has_household(b) && likely_one(work, a->household, b->household)) {
        *reasons |= 1u << MQ_ALIKE_LIKELY_HOUSEHOLD;
        return WEIGHT_LIKELY_HOUSEHOLD;
    }
    if (a->place == 0 || a->place != b->place || !(may_be_shared(a) && may_be_shared(b)))
        return -1;
    if (a->group != 0 && a->group == b->group) {
        *reasons |= 1u << MQ_ALIKE_SAME_GROUP;
        return WEIGHT_SAME_GROUP;
    }
    *reasons |= 1u << MQ_ALIKE_SAME_PLACE;
    return a->group != 0 && b->group != 0 ? WEIGHT_OTHER_GROUP : WEIGHT_SAME_PLACE;
}

static int words_weight(const struct matter *a, const struct matter *b, uint32_t *reasons)
{
    struct mq_alike words = mq_alike_texts(&a->text, &b->text);
    int weight = WEIGHT_WORDS * (int)words.score / MQ_ALIKE_MOST;
    if (words.score > 0)
        *reasons |= 1u << words.reason;
    if (mq_alike_same_amount(&a->text, &b->text)) {
        *reasons |= 1u << MQ_ALIKE_SAME_AMOUNT;
        weight += WEIGHT_SAME_AMOUNT;
    }
    return weight + (mq_alike_texts_differ(&a->text, &b->text) ? WEIGHT_DIFFER : 0);
}

static unsigned weigh(const struct matters *work, const struct matter *a, const struct matter *b, uint32_t *reasons)
{
    int32_t days = a->day > b->day ? a->day - b->day : b->day - a->day;
    *reasons = 0;
    if (a->team != b->team || a->for_few != b->for_few || (a->day != 0 && b->day != 0 && days > MQ_ALIKE_NEED_DAYS_MAX))
        return 0;
    int score = people_weight(work, a, b, reasons);
    if (score < 0)
        return 0;
    if (a->category != 0 && a->category == b->category) {
        score += WEIGHT_SAME_CATEGORY;
        *reasons |= 1u << MQ_ALIKE_SAME_CATEGORY;
    } else {
        score += a->category == 0 || b->category == 0 ? WEIGHT_CATEGORY_UNSAID : WEIGHT_OTHER_CATEGORY;
    }
    if (a->day != 0 && b->day != 0)
        *reasons |= 1u << MQ_ALIKE_CLOSE_DATES;
    score += words_weight(a, b, reasons);
    return score < 0 ? 0 : score > MQ_ALIKE_MOST ? MQ_ALIKE_MOST : (unsigned)score;
}

/* ---- looking up ---- */

static size_t bucket(const struct matters *work, const void *key, size_t size)
{
    uint8_t hash[8];
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_ROW, mq_span(key, size));
    struct mq_reader reader = mq_reader(MQ_SPAN(hash));
    return (size_t)mq_get_u64(&reader) & (work->head_count - 1);
}

static bool said_different(struct mq_replica *replica, const struct matter *a, const struct matter *b, bool *different,
                           struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("not_same_as"));
    int64_t found;
    enum mq_status status = mq_db_number(replica->db, &found, error,
                                         "SELECT count(*) FROM refers JOIN record AS r ON r.record = target WHERE field = ?3"
                                         " AND ((source = ?1 AND r.canonical = ?2) OR (source = ?2 AND r.canonical = ?1))",
                                         "bbi", MQ_SPAN(a->record), MQ_SPAN(b->record), (int64_t)field->number);
    *different = found != 0;
    return status == MQ_OK;
}

static enum mq_status compare(struct matters *work, const struct matter *a, const struct matter *b, struct mq_error *error)
{
    uint32_t reasons;
    unsigned score = weigh(work, a, b, &reasons);
    bool different;
    if (score < MQ_LIKE_NEED)
        return MQ_OK;
    if (!said_different(work->replica, a, b, &different, error))
        return error->status;
    if (!different)
        mq_duplicates_put(work->out, mq_kind_by_number(MQ_KIND_NEED), a->record, b->record, score, reasons);
    return MQ_OK;
}

/* The earlier needs of a household. */
static enum mq_status with_household(struct matters *work, const struct matter *matter,
                                     const uint8_t household[MQ_ID_SIZE], struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    size_t seen = 0;
    for (size_t at = work->by_household[bucket(work, household, MQ_ID_SIZE)];
         at != 0 && status == MQ_OK && seen < MQ_ALIKE_CHAIN_MAX; at = work->items[at - 1].next_of_household) {
        const struct matter *other = &work->items[at - 1];
        if (memcmp(other->household, household, MQ_ID_SIZE) != 0)
            continue;
        seen++;
        status = compare(work, matter, other, error);
    }
    return status;
}

/* The households that may be this one: two runs of the sorted pairs would do, one walk is plain. */
static enum mq_status with_likely(struct matters *work, const struct matter *matter, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->households->count && status == MQ_OK; i++) {
        const struct mq_duplicate *pair = &work->households->items[i];
        if (memcmp(pair->a, matter->household, MQ_ID_SIZE) == 0)
            status = with_household(work, matter, pair->b, error);
        else if (memcmp(pair->b, matter->household, MQ_ID_SIZE) == 0)
            status = with_household(work, matter, pair->a, error);
    }
    return status;
}

static enum mq_status with_place(struct matters *work, const struct matter *matter, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    size_t seen = 0;
    for (size_t at = work->by_place[bucket(work, &matter->place, sizeof matter->place)];
         at != 0 && status == MQ_OK && seen < MQ_ALIKE_CHAIN_MAX; at = work->items[at - 1].next_of_place) {
        const struct matter *other = &work->items[at - 1];
        if (other->day != 0 && matter->day - other->day > MQ_ALIKE_NEED_DAYS_MAX)
            break; /* and so are all that follow */
        if (other->place != matter->place ||
            (has_household(matter) && has_household(other) &&
             (memcmp(other->household, matter->household, MQ_ID_SIZE) == 0 ||
              likely_one(work, other->household, matter->household))))
            continue; /* seen already */
        seen++;
        status = compare(work, matter, other, error);
    }
    return status;
}

static void chain_in(struct matters *work, size_t at)
{
    struct matter *matter = &work->items[at];
    if (has_household(matter)) {
        size_t *head = &work->by_household[bucket(work, matter->household, MQ_ID_SIZE)];
        matter->next_of_household = *head;
        *head = at + 1;
    }
    if (matter->place != 0 && may_be_shared(matter)) {
        size_t *head = &work->by_place[bucket(work, &matter->place, sizeof matter->place)];
        matter->next_of_place = *head;
        *head = at + 1;
    }
}

static enum mq_status compare_all(struct matters *work, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    work->head_count = 64;
    while (work->head_count < work->count)
        work->head_count *= 2;
    work->by_household = calloc(work->head_count, sizeof *work->by_household);
    work->by_place = calloc(work->head_count, sizeof *work->by_place);
    mq_enough(work->by_household);
    mq_enough(work->by_place);
    for (size_t i = 0; i < work->count && status == MQ_OK; i++) {
        const struct matter *matter = &work->items[i];
        if (has_household(matter))
            status = with_household(work, matter, matter->household, error);
        if (status == MQ_OK && has_household(matter))
            status = with_likely(work, matter, error);
        if (status == MQ_OK && matter->place != 0 && may_be_shared(matter))
            status = with_place(work, matter, error);
        chain_in(work, i);
    }
    free(work->by_household);
    free(work->by_place);
    return status;
}

static int order_days(const void *left, const void *right)
{
    const struct matter *a = left, *b = right;
    return a->day != b->day ? (a->day < b->day ? -1 : 1) : memcmp(a->record, b->record, MQ_ID_SIZE);
}

enum mq_status mq_duplicate_needs(struct mq_replica *replica, const struct mq_likeness *likeness,
                                  const struct mq_duplicates *households, struct mq_duplicates *out,
                                  struct mq_error *error)
{
    struct matters *work = calloc(1, sizeof *work);
    mq_enough(work);
    work->replica = replica;
    work->likeness = likeness;
    work->households = households;
    work->out = out;
    mq_alike_dictionary_make(&work->dictionary);
    enum mq_status status = mq_view_each(replica, MQ_KIND_NEED, false, learn, work, error);
    if (status == MQ_OK && work->count > 0) {
        qsort(work->items, work->count, sizeof *work->items, order_days); /* so that a chain begins with the nearest days */
        status = compare_all(work, error);
    }
    if (work->items != NULL)
        mq_wipe(work->items, work->room * sizeof *work->items);
    free(work->items);
    free(work);
    return status;
}
