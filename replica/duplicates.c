/* Gathers, sorts and shows pairs of records that may be one. */
#include "replica/duplicates.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/merge.h"
#include "replica/convert.h"
#include "replica/duplicates_parts.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

void mq_duplicates_put(struct mq_duplicates *list, const struct mq_kind *kind, const uint8_t a[MQ_ID_SIZE],
                       const uint8_t b[MQ_ID_SIZE], unsigned score, uint32_t reasons)
{
    bool turn = memcmp(a, b, MQ_ID_SIZE) > 0;
    if (list->count == list->room) {
        list->room = 2 * list->room + 64;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        mq_enough(list->items);
    }
    struct mq_duplicate *item = &list->items[list->count++];
    *item = (struct mq_duplicate){.score = score, .reasons = reasons, .kind = kind};
    memcpy(item->a, turn ? b : a, MQ_ID_SIZE);
    memcpy(item->b, turn ? a : b, MQ_ID_SIZE);
}

static int order_records(const void *left, const void *right)
{
    const struct mq_duplicate *a = left, *b = right;
    int order = memcmp(a->a, b->a, MQ_ID_SIZE);
    return order != 0 ? order : memcmp(a->b, b->b, MQ_ID_SIZE);
}

static int order_likeliest(const void *left, const void *right)
{
    const struct mq_duplicate *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->kind != b->kind ? a->kind->number - b->kind->number : order_records(left, right);
}

static void sort(struct mq_duplicates *list, int (*order)(const void *, const void *))
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, order);
}

static enum mq_status take_household(void *context, const uint8_t a[MQ_ID_SIZE], const struct mq_like *b,
                                     struct mq_error *error)
{
    (void)error;
    mq_duplicates_put(context, mq_kind_by_number(MQ_KIND_HOUSEHOLD), a, b->record, b->score, b->reasons);
    return MQ_OK;
}

/* ---- showing ---- */

struct show_work {
    struct mq_replica *replica;
    uint8_t *memory;
};

/* What a person compares; of each the shown value, and of words all that were said. */
static const char *const household_keys[] = {"head", "nickname", "group", "where", "phones", "people", "residents", "state"};
static const char *const need_keys[] = {"no", "date", "household", "reporter", "category", "summary", "words"};

static enum mq_status put_all_words(struct mq_replica *replica, const struct mq_field *field,
                                    const struct mq_field_state *here, struct mq_json_writer *writer,
                                    struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < here->choice_count && status == MQ_OK; i++)
        status = mq_print_value(replica, field, here->choices[i].value, writer, error);
    mq_json_end(writer, ']');
    return status;
}

static enum mq_status put_side(struct mq_replica *replica, const struct mq_kind *kind, const uint8_t record[MQ_ID_SIZE],
                               struct mq_json_writer *writer, struct mq_error *error)
{
    const bool household = kind->number == MQ_KIND_HOUSEHOLD;
    const char *const *keys = household ? household_keys : need_keys;
    const size_t count = household ? sizeof household_keys / sizeof *keys : sizeof need_keys / sizeof *keys;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, record, &state, error);
    mq_json_begin(writer, '{');
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_key(kind, mq_span_text(keys[i]));
        const struct mq_field_state *here = mq_group_field(&state, field->number);
        if (here == NULL || here->choice_count == 0)
            continue;
        mq_json_key(writer, keys[i]);
        status = field->merge == MQ_MERGE_WORDS ? put_all_words(replica, field, here, writer, error)
                                                : mq_print_value(replica, field, here->choices[0].value, writer, error);
    }
    mq_json_end(writer, '}');
    return status;
}

static enum mq_status put_id(struct mq_replica *replica, const char *key, const uint8_t record[MQ_ID_SIZE],
                             struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_print_reference(replica, record, &id, error);
    mq_json_key(writer, key);
    mq_json_string_value(writer, mq_written(&id));
    return status;
}

static void put_reasons(const struct mq_duplicate *pair, struct mq_json_writer *writer)
{
    uint8_t memory[MQ_SHORT_TEXT_MAX];
    struct mq_buffer words = mq_buffer(memory, sizeof memory);
    mq_json_key(writer, "score");
    mq_json_int_value(writer, pair->score);
    mq_json_key(writer, "reasons");
    mq_json_begin(writer, '[');
    for (int reason = MQ_ALIKE_SAME_NAME; reason < MQ_ALIKE_REASONS; reason++)
        if (MQ_LIKE_HAS(pair->reasons, reason))
            mq_json_text_value(writer, mq_alike_code((enum mq_alike_reason)reason));
    mq_json_end(writer, ']');
    mq_alike_say(&words, pair->reasons);
    mq_json_key(writer, "words");
    mq_json_string_value(writer, mq_written(&words));
}

static enum mq_status show(const struct show_work *work, const struct mq_duplicate *pair,
                           const struct mq_emitter *emitter, struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, 2 * MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, pair->kind->key);
    enum mq_status status = put_id(work->replica, "a", pair->a, &writer, error);
    if (status == MQ_OK)
        status = put_id(work->replica, "b", pair->b, &writer, error);
    put_reasons(pair, &writer);
    mq_json_key(&writer, "sides");
    mq_json_begin(&writer, '[');
    if (status == MQ_OK)
        status = put_side(work->replica, pair->kind, pair->a, &writer, error);
    if (status == MQ_OK)
        status = put_side(work->replica, pair->kind, pair->b, &writer, error);
    mq_json_end(&writer, ']');
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out.failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return status == MQ_OK ? emitter->emit(emitter->context, mq_written(&out), error) : status;
}

static enum mq_status show_all(struct mq_replica *replica, const struct mq_duplicates *list, int64_t limit,
                               const struct mq_emitter *emitter, struct mq_error *error)
{
    struct show_work work = {.replica = replica, .memory = mq_work_memory(2 * MQ_OBJECT_MAX)};
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < list->count && status == MQ_OK && (limit <= 0 || i < (size_t)limit); i++)
        status = show(&work, &list->items[i], emitter, error);
    mq_work_free(work.memory, 2 * MQ_OBJECT_MAX);
    return status;
}

/* ---- the whole ---- */

enum mq_status mq_duplicates_list(struct mq_replica *replica, const struct mq_kind *kind, int64_t limit,
                                  const struct mq_emitter *emitter, struct mq_error *error)
{
    struct mq_likeness *likeness;
    struct mq_duplicates households = {0}, needs = {0};
    if (kind != NULL && kind->number != MQ_KIND_HOUSEHOLD && kind->number != MQ_KIND_NEED)
        return mq_fail(error, MQ_REFUSED, _("duplicates are looked for among households and needs: --kind household or --kind need"));
    enum mq_status status = mq_likeness_begin(&likeness, replica, error);
    if (status != MQ_OK)
        return status;
    status = mq_likeness_pairs(likeness, take_household, &households, error);
    sort(&households, order_records);
    if (status == MQ_OK && (kind == NULL || kind->number == MQ_KIND_NEED))
        status = mq_duplicate_needs(replica, likeness, &households, &needs, error);
    mq_likeness_end(likeness);
    for (size_t i = 0; i < households.count && (kind == NULL || kind->number == MQ_KIND_HOUSEHOLD); i++) {
        const struct mq_duplicate *item = &households.items[i];
        mq_duplicates_put(&needs, item->kind, item->a, item->b, item->score, item->reasons);
    }
    sort(&needs, order_likeliest);
    if (status == MQ_OK)
        status = show_all(replica, &needs, limit, emitter, error);
    free(households.items);
    free(needs.items);
    return status;
}
