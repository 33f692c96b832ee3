/* The needs that a digest counts, and the words that it quotes. */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/digest_parts.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/scrub.h"
#include "replica/view.h"

#define QUOTES_OF_ONE 2 /* of one village and category */

/* ---- texts by number ---- */

static enum mq_status text_number(struct digest_texts *texts, const char *text, size_t most, uint16_t *out,
                                  struct mq_error *error)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0) {
            *out = (uint16_t)i;
            return MQ_OK;
        }
    if (texts->count >= most)
        return mq_fail(error, MQ_REFUSED, _("there are more than %zu places, units or policies; narrow it with --village or --topic"),
                       most);
    if (texts->count == texts->capacity) {
        texts->capacity = texts->capacity == 0 ? 64 : 2 * texts->capacity;
        texts->items = realloc(texts->items, texts->capacity * sizeof *texts->items);
        mq_enough(texts->items);
    }
    texts->items[texts->count] = strdup(text);
    mq_enough(texts->items[texts->count]);
    *out = (uint16_t)texts->count++;
    return MQ_OK;
}

static void texts_end(struct digest_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
}

/* ---- needs ---- */

static enum mq_status take_need(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct digest *digest = context;
    struct mq_need_facts *facts = mq_work_memory(sizeof *facts);
    enum mq_status status = mq_need_facts_read(facts, digest->replica, canonical, error);
    if (status != MQ_OK || !mq_need_matches(&digest->filter, facts)) {
        mq_work_free(facts, sizeof *facts);
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    }
    if (digest->count == digest->capacity) {
        digest->capacity = digest->capacity == 0 ? 256 : 2 * digest->capacity;
        digest->needs = realloc(digest->needs, digest->capacity * sizeof *digest->needs);
        mq_enough(digest->needs);
    }
    struct digest_need *need = &digest->needs[digest->count++];
    *need = (struct digest_need){.day = facts->day,
                                 .category = facts->category,
                                 .nature = facts->nature,
                                 .state = facts->state,
                                 .tells = facts->tells,
                                 .obstacles = facts->obstacles,
                                 .asks = facts->asks};
    status = text_number(&digest->villages, facts->village, MQ_DIGEST_VILLAGES_MAX, &need->village, error);
    if (status == MQ_OK)
        status = text_number(&digest->units, facts->unit, MQ_DIGEST_KEYS_MAX, &need->unit, error);
    if (status == MQ_OK)
        status = text_number(&digest->policies, facts->policy, MQ_DIGEST_KEYS_MAX, &need->policy, error);
    memcpy(need->record, facts->record, MQ_ID_SIZE);
    memcpy(need->household, facts->household, MQ_ID_SIZE);
    mq_work_free(facts, sizeof *facts);
    return status;
}

static int by_household(const void *left, const void *right)
{
    const struct digest_need *a = left, *b = right;
    int order = memcmp(a->household, b->household, MQ_ID_SIZE);
    return order != 0 ? order : memcmp(a->record, b->record, MQ_ID_SIZE);
}

enum mq_status digest_load(struct digest *digest, struct mq_error *error)
{
    enum mq_status status = mq_view_each(digest->replica, MQ_KIND_NEED, false, take_need, digest, error);
    if (status == MQ_OK && digest->count > 0)
        qsort(digest->needs, digest->count, sizeof *digest->needs, by_household);
    digest->quotable = calloc((size_t)MQ_DIGEST_VILLAGES_MAX * DIGEST_CATEGORIES, sizeof *digest->quotable);
    mq_enough(digest->quotable);
    return status;
}

void digest_end(struct digest *digest)
{
    texts_end(&digest->villages);
    texts_end(&digest->units);
    texts_end(&digest->policies);
    free(digest->needs);
    free(digest->quotable);
}

/* ---- quotes ---- */

struct name_walk {
    struct mq_replica *replica;
    struct mq_names *names;
    const char *const *keys;
};

static enum mq_status take_names(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct name_walk *walk = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(walk->replica, canonical, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: it has no name */
        mq_error_clear(error);
        return MQ_OK;
    }
    for (size_t i = 0; status == MQ_OK && walk->keys[i] != NULL; i++)
        mq_names_add(walk->names, mq_shown_text(&state, walk->keys[i]));
    return status;
}

/* Every name that is written down anywhere: a neighbour's may be in what somebody said. */
static enum mq_status all_names(struct mq_replica *replica, struct mq_names *names, struct mq_error *error)
{
    static const char *const household[] = {"head", "nickname", NULL}, *const person[] = {"name", NULL},
                             *const need[] = {"reporter", NULL};
    struct name_walk walk = {.replica = replica, .names = names, .keys = household};
    enum mq_status status = mq_view_each(replica, MQ_KIND_HOUSEHOLD, false, take_names, &walk, error);
    walk.keys = person;
    if (status == MQ_OK)
        status = mq_view_each(replica, MQ_KIND_PERSON, false, take_names, &walk, error);
    walk.keys = need;
    return status == MQ_OK ? mq_view_each(replica, MQ_KIND_NEED, false, take_names, &walk, error) : status;
}

static struct mq_span cut(struct mq_span text)
{
    if (text.size <= MQ_DIGEST_QUOTE_SIZE)
        return text;
    text.size = MQ_DIGEST_QUOTE_SIZE;
    while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80)
        text.size--;
    return text;
}

static enum mq_status quote(struct digest *digest, const struct digest_need *need, struct mq_names *names,
                            struct mq_error *error)
{
    struct mq_group_state state;
    char memory[2 * MQ_LONG_TEXT_MAX], label_memory[MQ_NAME_TEXT_MAX + 1] = "";
    struct mq_buffer label = mq_buffer(label_memory, sizeof label_memory - 1);
    struct mq_buffer out = mq_buffer(memory, sizeof memory - 8);
    enum mq_status status = mq_view_group(digest->replica, need->record, &state, error);
    if (status != MQ_OK)
        return status;
    mq_scrub(mq_shown_text(&state, "words"), names, MQ_SCRUB_AWAY, &out);
    mq_put_shown(digest->replica, &label, &state, "category", false);
    struct mq_span said = cut(mq_written(&out));
    bool more = said.size < out.size;
    for (size_t i = 0; i < said.size; i++)
        if (memory[i] == '\n' || memory[i] == '\t')
            memory[i] = ' ';
    memcpy(memory + said.size, more ? "…" : "", more ? strlen("…") + 1 : 1);
    const struct mq_digest_line line = {.part = MQ_DIGEST_QUOTE,
                                        .village = digest->villages.items[need->village],
                                        .label = label_memory,
                                        .quote = memory};
    return said.size == 0 ? MQ_OK : digest->sink->take(digest->sink->context, &line, error);
}

/* The newest first. */
static int by_day(const void *left, const void *right)
{
    const struct digest_need *a = left, *b = right;
    return a->day != b->day ? (a->day > b->day ? -1 : 1) : memcmp(a->record, b->record, MQ_ID_SIZE);
}

enum mq_status digest_quotes(struct digest *digest, struct mq_error *error)
{
    struct mq_names names = {0};
    uint8_t *said = calloc((size_t)MQ_DIGEST_VILLAGES_MAX * DIGEST_CATEGORIES, 1);
    mq_enough(said);
    enum mq_status status = all_names(digest->replica, &names, error);
    if (status == MQ_OK && digest->count > 0)
        qsort(digest->needs, digest->count, sizeof *digest->needs, by_day);
    int quotes = 0;
    for (size_t i = 0; i < digest->count && status == MQ_OK && quotes < MQ_DIGEST_QUOTES_MAX; i++) {
        const struct digest_need *need = &digest->needs[i];
        size_t group = (size_t)need->village * DIGEST_CATEGORIES + need->category;
        if (need->category >= DIGEST_CATEGORIES || !digest->quotable[group] || said[group] == QUOTES_OF_ONE ||
            need->tells)
            continue;
        said[group]++;
        quotes++;
        status = quote(digest, need, &names, error);
    }
    mq_names_end(&names);
    free(said);
    return status;
}
