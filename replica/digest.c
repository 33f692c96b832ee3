/* Counting by groups, and putting small groups together. */
#include "replica/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/digest_parts.h"
#include "replica/replica_keys.h"

/* One group of a part. */
struct key {
    uint32_t value;
    char label[MQ_SHORT_TEXT_MAX + 1];
    char option[MQ_SHORT_TEXT_MAX + 1]; /* its value in an option */
    int64_t needs, households;
    bool folded;
};

struct keys {
    struct key *items; /* MQ_DIGEST_KEYS_MAX */
    size_t count;
};

/* What a part groups by. */
struct dimension {
    enum mq_digest_part part;
    const char *option;
    bool (*belongs)(const struct digest_need *need, uint32_t value);
};

const char *mq_digest_part_key(enum mq_digest_part part)
{
    switch (part) {
    case MQ_DIGEST_TOTAL: return "total";
    case MQ_DIGEST_CATEGORY: return "category";
    case MQ_DIGEST_STATE: return "state";
    case MQ_DIGEST_AGE: return "age";
    case MQ_DIGEST_UNTOLD: return "untold";
    case MQ_DIGEST_MEANS: return "means";
    case MQ_DIGEST_ASK: return "ask";
    case MQ_DIGEST_POLICY: return "policy";
    case MQ_DIGEST_OBSTACLE: return "obstacle";
    case MQ_DIGEST_QUOTE: break;
    }
    return "quote";
}

/* ---- counting ---- */

static bool chosen(const struct digest_choice *choice, const struct digest_need *need)
{
    return (choice->villages == NULL || choice->villages[need->village]) &&
           (choice->states == 0 || (choice->states >> need->state & 1) != 0) &&
           (choice->nature == 0 || choice->nature == need->nature) && (choice->from == 0 || need->day >= choice->from) &&
           (choice->to == 0 || need->day <= choice->to);
}

/* Needs of any of these keys, each once, and their households: needs stand by household. `keys` NULL: all that are
 * chosen. */
static void tally(const struct digest *digest, const struct digest_choice *choice, const struct dimension *dimension,
                  const struct key *keys, size_t count, int64_t *needs, int64_t *households)
{
    const uint8_t *last = NULL;
    *needs = *households = 0;
    for (size_t i = 0; i < digest->count; i++) {
        const struct digest_need *need = &digest->needs[i];
        bool belongs = keys == NULL;
        for (size_t k = 0; k < count && !belongs; k++)
            belongs = keys[k].folded && dimension->belongs(need, keys[k].value);
        if (!belongs || !chosen(choice, need))
            continue;
        ++*needs;
        *households += last == NULL || memcmp(last, need->household, MQ_ID_SIZE) != 0;
        last = need->household;
    }
}

static void tally_each(const struct digest *digest, const struct digest_choice *choice,
                       const struct dimension *dimension, struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        keys->items[i].folded = true;
        tally(digest, choice, dimension, &keys->items[i], 1, &keys->items[i].needs, &keys->items[i].households);
        keys->items[i].folded = false;
    }
}

/* Puts the smallest groups together until what is put together is large enough. */
static void fold(const struct digest *digest, const struct digest_choice *choice, const struct dimension *dimension,
                 struct keys *keys, int64_t *needs, int64_t *households)
{
    *needs = *households = 0;
    for (;;) {
        struct key *smallest = NULL;
        for (size_t i = 0; i < keys->count; i++)
            if (!keys->items[i].folded && keys->items[i].needs > 0 &&
                (smallest == NULL || keys->items[i].households < smallest->households))
                smallest = &keys->items[i];
        bool enough = *needs == 0 || *households >= MQ_DIGEST_GROUP_LEAST;
        if (smallest == NULL || (smallest->households >= MQ_DIGEST_GROUP_LEAST && enough))
            return;
        smallest->folded = true;
        tally(digest, choice, dimension, keys->items, keys->count, needs, households);
    }
}

/* ---- lines ---- */

#define COUNTED " --counted"

struct words { /* options, one behind the other */
    char text[4 * MQ_LONG_TEXT_MAX];
    size_t size;
};

static void put_words(struct words *words, const char *text)
{
    size_t size = strlen(text);
    if (words->size + size < sizeof words->text) {
        memcpy(words->text + words->size, text, size + 1);
        words->size += size;
    }
}

/* --option value, in quotes where a shell would cut it. */
static void put_option(struct words *words, const char *option, const char *value)
{
    const char *quote = strpbrk(value, " \t&;|<>()$`\\\"*?[]#~!") != NULL ? "'" : "";
    put_words(words, " --");
    put_words(words, option);
    put_words(words, " ");
    put_words(words, quote);
    put_words(words, value);
    put_words(words, quote);
}

static enum mq_status emit(const struct digest *digest, struct mq_digest_line line, const struct words *words,
                           struct mq_error *error)
{
    line.too_few = line.households < MQ_DIGEST_GROUP_LEAST;
    if (line.needs == 0)
        return MQ_OK;
    if (line.too_few)
        line = (struct mq_digest_line){.part = line.part, .too_few = true};
    else
        line.filter = words->text + 1; /* without the first blank */
    return digest->sink->take(digest->sink->context, &line, error);
}

/* What lines of one part have in common. */
struct part {
    struct digest_choice choice;
    const char *village; /* shown; NULL: none */
    struct words words;  /* options so far */
};

static enum mq_status emit_key(const struct digest *digest, const struct dimension *dimension, const struct part *part,
                               const struct key *key, struct mq_error *error)
{
    struct words *words = mq_work_memory(sizeof *words);
    memcpy(words->text, part->words.text, part->words.size + 1);
    words->size = part->words.size;
    put_option(words, dimension->option, key->option);
    const struct mq_digest_line line = {.part = dimension->part, .village = part->village, .label = key->label,
                                        .needs = key->needs, .households = key->households};
    enum mq_status status = emit(digest, line, words, error);
    mq_work_free(words, sizeof *words);
    return status;
}

static void join_folded(const struct keys *keys, struct words *out)
{
    out->size = 0;
    out->text[0] = '\0';
    for (size_t i = 0; i < keys->count; i++) {
        if (!keys->items[i].folded)
            continue;
        put_words(out, out->size > 0 ? "," : "");
        put_words(out, keys->items[i].option);
    }
}

static enum mq_status emit_folded(const struct digest *digest, const struct dimension *dimension,
                                  const struct part *part, const struct keys *keys, int64_t needs, int64_t households,
                                  struct mq_error *error)
{
    struct words *words = mq_work_memory(sizeof *words), *joined = mq_work_memory(sizeof *joined);
    join_folded(keys, joined);
    memcpy(words->text, part->words.text, part->words.size + 1);
    words->size = part->words.size;
    put_option(words, dimension->option, joined->text);
    const struct mq_digest_line line = {.part = dimension->part, .village = part->village, .others = true,
                                        .needs = needs, .households = households};
    enum mq_status status = emit(digest, line, words, error);
    mq_work_free(words, sizeof *words);
    mq_work_free(joined, sizeof *joined);
    return status;
}

/* All lines of a part: each group that is large enough, then the others together. */
static enum mq_status emit_part(const struct digest *digest, const struct dimension *dimension,
                                const struct part *part, struct keys *keys, struct mq_error *error)
{
    int64_t needs, households;
    enum mq_status status = MQ_OK;
    tally_each(digest, &part->choice, dimension, keys);
    fold(digest, &part->choice, dimension, keys, &needs, &households);
    for (size_t i = 0; i < keys->count && status == MQ_OK; i++)
        if (!keys->items[i].folded)
            status = emit_key(digest, dimension, part, &keys->items[i], error);
    return status == MQ_OK ? emit_folded(digest, dimension, part, keys, needs, households, error) : status;
}

/* ---- keys ---- */

static void key_put(struct keys *keys, uint32_t value, const char *label, const char *option)
{
    if (keys->count == MQ_DIGEST_KEYS_MAX)
        return;
    struct key *key = &keys->items[keys->count++];
    *key = (struct key){.value = value};
    snprintf(key->label, sizeof key->label, "%s", label);
    snprintf(key->option, sizeof key->option, "%s", option);
}

static void keys_of_texts(struct keys *keys, const struct digest_texts *texts)
{
    keys->count = 0;
    for (size_t i = 0; i < texts->count; i++)
        key_put(keys, (uint32_t)i, texts->items[i], texts->items[i][0] == '\0' ? "-" : texts->items[i]);
}

/* By the list that is in force. */
static enum mq_status keys_of_list(struct keys *keys, struct mq_replica *replica, const char *field_key,
                                   struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text(field_key));
    const struct mq_code_list *list;
    keys->count = 0;
    enum mq_status status = mq_catalogue_codes(replica, field->codes, &list, error);
    for (size_t i = 0; status == MQ_OK && i < list->count; i++) {
        const struct mq_code *code = &list->codes[i];
        key_put(keys, code->code, code->label, code->text != NULL ? code->text : code->label);
    }
    key_put(keys, 0, "", "-");
    return status;
}

static void keys_of_states(struct keys *keys)
{
    keys->count = 0;
    for (size_t i = 0; i < mq_need_state_count; i++)
        key_put(keys, mq_need_states[i].number, mq_need_states[i].label, mq_need_states[i].key);
}

static bool in_category(const struct digest_need *need, uint32_t value)
{
    return need->category == value;
}
static bool in_state(const struct digest_need *need, uint32_t value)
{
    return need->state == value;
}
static bool in_village(const struct digest_need *need, uint32_t value)
{
    return need->village == value;
}
static bool at_unit(const struct digest_need *need, uint32_t value)
{
    return need->unit == value;
}
static bool of_policy(const struct digest_need *need, uint32_t value)
{
    return need->policy == value;
}
static bool has_bit(uint32_t bits, uint32_t value)
{
    return value == 0 ? bits == 0 : value < 32 && (bits >> value & 1) != 0;
}
static bool with_obstacle(const struct digest_need *need, uint32_t value)
{
    return has_bit(need->obstacles, value);
}
static bool asking(const struct digest_need *need, uint32_t value)
{
    return has_bit(need->asks, value);
}

/* ---- parts ---- */

struct work {
    struct digest digest;
    struct keys keys, villages;
    struct part part;
    bool chosen_villages[MQ_DIGEST_VILLAGES_MAX];
    const char *village; /* as it was given; NULL: it was not */
    struct words base;   /* the other options that were given */
};

static void part_begin(struct work *work, bool by_village)
{
    work->part.choice = (struct digest_choice){.villages = NULL};
    work->part.village = NULL;
    memcpy(work->part.words.text, work->base.text, work->base.size + 1);
    work->part.words.size = work->base.size;
    if (work->village != NULL && !by_village)
        put_option(&work->part.words, "village", work->village);
}

static void mark_quotable(struct work *work, const struct keys *keys)
{
    for (size_t v = 0; v < work->digest.villages.count; v++)
        for (size_t i = 0; i < keys->count && work->chosen_villages[v]; i++)
            if (!keys->items[i].folded && keys->items[i].households >= MQ_DIGEST_GROUP_LEAST &&
                keys->items[i].value < DIGEST_CATEGORIES)
                work->digest.quotable[v * DIGEST_CATEGORIES + keys->items[i].value] = true;
}

static enum mq_status emit_categories(struct work *work, const char *village, const char *option,
                                      struct mq_error *error)
{
    static const struct dimension categories = {MQ_DIGEST_CATEGORY, "category", in_category};
    part_begin(work, true);
    work->part.choice.villages = work->chosen_villages;
    work->part.village = village;
    put_option(&work->part.words, "village", option);
    enum mq_status status = keys_of_list(&work->keys, work->digest.replica, "category", error);
    if (status == MQ_OK)
        status = emit_part(&work->digest, &categories, &work->part, &work->keys, error);
    if (village[0] != '\0')
        mark_quotable(work, &work->keys);
    return status;
}

/* By village, the small villages together, and in each by category. */
static enum mq_status emit_villages(struct work *work, struct mq_error *error)
{
    static const struct dimension villages = {MQ_DIGEST_CATEGORY, "village", in_village};
    int64_t needs, households;
    enum mq_status status = MQ_OK;
    part_begin(work, true);
    keys_of_texts(&work->villages, &work->digest.villages);
    tally_each(&work->digest, &work->part.choice, &villages, &work->villages);
    fold(&work->digest, &work->part.choice, &villages, &work->villages, &needs, &households);
    for (size_t i = 0; i < work->villages.count && status == MQ_OK; i++) {
        if (work->villages.items[i].folded)
            continue;
        memset(work->chosen_villages, 0, sizeof work->chosen_villages);
        work->chosen_villages[work->villages.items[i].value] = true;
        status = emit_categories(work, work->villages.items[i].label, work->villages.items[i].option, error);
    }
    if (status != MQ_OK || needs == 0)
        return status;
    struct words *joined = mq_work_memory(sizeof *joined);
    join_folded(&work->villages, joined);
    for (size_t i = 0; i < work->villages.count; i++)
        work->chosen_villages[work->villages.items[i].value] = work->villages.items[i].folded;
    status = emit_categories(work, "", joined->text, error);
    mq_work_free(joined, sizeof *joined);
    return status;
}

static void put_day_option(struct words *words, const char *option, int32_t day)
{
    char text[11];
    if (day == 0)
        return;
    mq_date_print(text, day);
    put_option(words, option, text);
}

/* Open needs of this age, within the days that were asked for. */
static void choose_age(struct work *work, int32_t least, int32_t most)
{
    const struct mq_need_filter *filter = &work->digest.filter;
    struct digest_choice *choice = &work->part.choice;
    part_begin(work, false);
    for (size_t s = 0; s < mq_need_state_count; s++)
        choice->states |= mq_need_states[s].open ? 1u << mq_need_states[s].number : 0;
    choice->from = most == 0 ? 0 : work->digest.today - most;
    choice->to = least == 0 ? 0 : work->digest.today - least;
    if (filter->from != 0 && filter->from > choice->from)
        choice->from = filter->from;
    if (filter->to != 0 && (choice->to == 0 || filter->to < choice->to))
        choice->to = filter->to;
    work->part.words.size = 0;
    put_words(&work->part.words, COUNTED);
    if (work->village != NULL)
        put_option(&work->part.words, "village", work->village);
    if (filter->topic.size > 0)
        put_option(&work->part.words, "topic", (const char *)filter->topic.data);
    put_option(&work->part.words, "state", "open");
    put_day_option(&work->part.words, "from", choice->from);
    put_day_option(&work->part.words, "to", choice->to);
}

/* Open needs by age; neighbouring spans are put together until each is large enough. */
static enum mq_status emit_ages(struct work *work, struct mq_error *error)
{
    static const struct dimension any = {MQ_DIGEST_AGE, "state", in_state};
    static const int32_t ends[] = {7, 30, 90, 0}; /* days; 0: no end */
    int32_t begin = 0;
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && status == MQ_OK; i++) {
        struct mq_digest_line line = {.part = MQ_DIGEST_AGE};
        char label[32];
        choose_age(work, begin, ends[i]);
        tally(&work->digest, &work->part.choice, &any, NULL, 0, &line.needs, &line.households);
        if (line.households < MQ_DIGEST_GROUP_LEAST && ends[i] != 0)
            continue; /* together with the next span */
        if (ends[i] == 0)
            snprintf(label, sizeof label, "%d-", begin);
        else
            snprintf(label, sizeof label, "%d-%d", begin, ends[i]);
        line.label = label;
        status = emit(&work->digest, line, &work->part.words, error);
        begin = ends[i] + 1;
    }
    return status;
}

static enum mq_status emit_total(struct work *work, struct mq_error *error)
{
    static const struct dimension any = {MQ_DIGEST_TOTAL, "state", in_state};
    struct mq_digest_line line = {.part = MQ_DIGEST_TOTAL};
    part_begin(work, false);
    tally(&work->digest, &work->part.choice, &any, NULL, 0, &line.needs, &line.households);
    return emit(&work->digest, line, &work->part.words, error);
}

static enum mq_status emit_untold(struct work *work, struct mq_error *error)
{
    static const struct dimension any = {MQ_DIGEST_UNTOLD, "state", in_state};
    struct mq_digest_line line = {.part = MQ_DIGEST_UNTOLD};
    part_begin(work, false);
    work->part.choice.states = 1u << MQ_NEED_ANSWERED | 1u << MQ_NEED_REDIRECTED;
    put_option(&work->part.words, "state", "answered,redirected");
    tally(&work->digest, &work->part.choice, &any, NULL, 0, &line.needs, &line.households);
    return emit(&work->digest, line, &work->part.words, error);
}

static enum mq_status emit_means(struct work *work, struct mq_error *error)
{
    static const struct dimension units = {MQ_DIGEST_MEANS, "unit", at_unit}, asks = {MQ_DIGEST_ASK, "ask", asking};
    part_begin(work, false);
    work->part.choice.states = 1u << MQ_NEED_PARKED;
    put_option(&work->part.words, "state", "parked");
    keys_of_texts(&work->keys, &work->digest.units);
    enum mq_status status = emit_part(&work->digest, &units, &work->part, &work->keys, error);
    if (status == MQ_OK)
        status = keys_of_list(&work->keys, work->digest.replica, "asks", error);
    return status == MQ_OK ? emit_part(&work->digest, &asks, &work->part, &work->keys, error) : status;
}

static enum mq_status emit_policies(struct work *work, struct mq_error *error)
{
    static const struct dimension policies = {MQ_DIGEST_POLICY, "policy", of_policy},
                                  obstacles = {MQ_DIGEST_OBSTACLE, "obstacle", with_obstacle};
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("nature"));
    const struct mq_code *nature = mq_code_by_text(field->codes, mq_span_text("政策反映"));
    MQ_ASSERT(nature != NULL);
    part_begin(work, false);
    work->part.choice.nature = nature->code;
    put_option(&work->part.words, "nature", nature->label);
    keys_of_texts(&work->keys, &work->digest.policies);
    enum mq_status status = emit_part(&work->digest, &policies, &work->part, &work->keys, error);
    if (status == MQ_OK)
        status = keys_of_list(&work->keys, work->digest.replica, "obstacles", error);
    return status == MQ_OK ? emit_part(&work->digest, &obstacles, &work->part, &work->keys, error) : status;
}

static enum mq_status emit_states(struct work *work, struct mq_error *error)
{
    static const struct dimension states = {MQ_DIGEST_STATE, "state", in_state};
    part_begin(work, false);
    keys_of_states(&work->keys);
    return emit_part(&work->digest, &states, &work->part, &work->keys, error);
}

/* ---- all of it ---- */

static void keep_given(struct words *base, const struct mq_need_filter_text *text)
{
    const char *const options[][2] = {{"topic", text->topic}, {"from", text->from}, {"to", text->to}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i][1] != NULL)
            put_option(base, options[i][0], options[i][1]);
}

static enum mq_status emit_all(struct work *work, struct mq_error *error)
{
    enum mq_status (*const parts[])(struct work *, struct mq_error *) = {
        emit_total, emit_villages, emit_states, emit_ages, emit_untold, emit_means, emit_policies};
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == MQ_OK; i++)
        status = parts[i](work, error);
    return status == MQ_OK ? digest_quotes(&work->digest, error) : status;
}

enum mq_status mq_digest_write(struct mq_replica *replica, const struct mq_need_filter_text *text, int32_t today,
                               const struct mq_digest_sink *sink, struct mq_error *error)
{
    struct work *work = mq_work_memory(sizeof *work);
    memset(work, 0, sizeof *work);
    work->digest = (struct digest){.replica = replica, .sink = sink, .today = today};
    work->keys.items = mq_work_memory(MQ_DIGEST_KEYS_MAX * sizeof *work->keys.items);
    work->villages.items = mq_work_memory(MQ_DIGEST_KEYS_MAX * sizeof *work->villages.items);
    work->village = text->village;
    put_words(&work->base, COUNTED);
    keep_given(&work->base, text);
    enum mq_status status = mq_need_filter_read(&work->digest.filter, replica, text, error);
    work->digest.filter.counted = true;
    if (status == MQ_OK)
        status = digest_load(&work->digest, error);
    if (status == MQ_OK)
        status = emit_all(work, error);
    digest_end(&work->digest);
    mq_work_free(work->keys.items, MQ_DIGEST_KEYS_MAX * sizeof *work->keys.items);
    mq_work_free(work->villages.items, MQ_DIGEST_KEYS_MAX * sizeof *work->villages.items);
    mq_work_free(work, sizeof *work);
    return status;
}
