/* What goes of records: listed field by field; then what stays is written once more, and the rest is erased. */
#include "replica/forget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "replica/convert.h"
#include "replica/journal.h"
#include "replica/keyring_keys.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/standing.h"
#include "replica/view.h"

/* ---- one record ---- */

static void item_put(struct mq_forgetting *work, const struct mq_about *about, uint64_t fields)
{
    if (work->count == work->room) {
        work->room = work->room == 0 ? 64 : 2 * work->room;
        work->items = realloc(work->items, work->room * sizeof *work->items);
        mq_enough(work->items);
    }
    work->items[work->count++] = (struct mq_forget_item){*about, fields};
}

/* Was it answered? Then it is a file that others may have to keep (docs/domain.md). */
static enum mq_status was_answered(struct mq_replica *replica, const struct mq_about *about, bool *answered,
                                   struct mq_error *error)
{
    *answered = false;
    if (about->kind != MQ_KIND_NEED)
        return MQ_OK;
    struct mq_standing *standing = mq_work_memory(sizeof *standing);
    enum mq_status status = mq_standing_read(standing, replica, about->record, error);
    *answered = status == MQ_OK && standing->sentence[0] != '\0';
    mq_work_free(standing, sizeof *standing);
    return status;
}

static enum mq_status print_item(struct mq_forgetting *work, const struct mq_about *about, struct mq_span keys,
                                 struct mq_error *error)
{
    uint8_t memory[4096], id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory), id = mq_buffer(id_memory, sizeof id_memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_group_state state;
    bool answered;
    enum mq_status status = was_answered(work->replica, about, &answered, error);
    if (status == MQ_OK)
        status = mq_print_reference(work->replica, about->record, &id, error);
    if (status == MQ_OK)
        status = mq_view_group(work->replica, about->record, &state, error);
    if (status != MQ_OK)
        return status;
    work->result.answered += answered;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, mq_kind_by_number(about->kind)->key);
    mq_json_key(&writer, "id");
    mq_json_string_value(&writer, mq_written(&id));
    if (mq_shown_text(&state, "no").size > 0) {
        mq_json_key(&writer, "no");
        mq_json_string_value(&writer, mq_shown_text(&state, "no"));
    }
    mq_json_key(&writer, "fields");
    mq_json_begin(&writer, '[');
    mq_put_span(&out, keys);
    mq_json_end(&writer, ']');
    if (answered) {
        mq_json_key(&writer, "answered");
        mq_json_bool_value(&writer, true);
    }
    mq_json_end(&writer, '}');
    MQ_ASSERT(!out.failed);
    return work->emitter->emit(work->emitter->context, mq_written(&out), error);
}

/* Words that say that words were taken out are not taken out again. */
static enum mq_status is_taken_out(struct mq_forgetting *work, const struct mq_about *about, const struct mq_field *field,
                                   bool *out, struct mq_error *error)
{
    uint8_t memory[sizeof MQ_TAKEN_OUT + 8];
    struct mq_buffer mark = mq_buffer(memory, sizeof memory);
    struct mq_group_state state;
    *out = false;
    if (field->merge != MQ_MERGE_WORDS)
        return MQ_OK;
    mq_cbor_put_text(&mark, mq_span_text(MQ_TAKEN_OUT));
    enum mq_status status = mq_view_group(work->replica, about->record, &state, error);
    const struct mq_field_state *here = status == MQ_OK ? mq_group_field(&state, field->number) : NULL;
    *out = here != NULL;
    for (size_t i = 0; here != NULL && i < here->choice_count; i++)
        *out = *out && mq_span_equal(here->choices[i].value, mq_written(&mark));
    return status;
}

/* Each field on its own, so that only what has something is named. */
enum mq_status mq_forgetting_take(struct mq_forgetting *work, const struct mq_about *about, uint64_t fields,
                                  struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(about->kind);
    uint8_t memory[2048];
    struct mq_buffer keys = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &keys};
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < kind->field_count && status == MQ_OK; i++) {
        const struct mq_field *field = &kind->fields[i];
        size_t before = work->list.count;
        bool taken = false;
        if (field->number <= MQ_FIELD_ID || !(fields & (MQ_FORGET_WHOLE | UINT64_C(1) << field->number)))
            continue;
        status = is_taken_out(work, about, field, &taken, error);
        if (status == MQ_OK && !taken)
            status = mq_erase_list_field(work->replica, &work->list, about->record, field->number, error);
        if (work->list.count == before)
            continue;
        writer.comma = keys.size > 0;
        if (writer.comma)
            mq_put_text(&keys, ",");
        mq_json_put_string(&keys, mq_span_text(field->key));
        work->result.fields++;
    }
    if (status == MQ_OK && keys.size > 0 && fields & MQ_FORGET_WHOLE) /* what a newer program added to it too */
        status = mq_erase_list_field(work->replica, &work->list, about->record, MQ_ERASE_WHOLE, error);
    if (status != MQ_OK || keys.size == 0)
        return status;
    work->result.records++;
    item_put(work, about, fields);
    return print_item(work, about, mq_written(&keys), error);
}

/* ---- what is written in its place ---- */

static enum mq_status assign(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], const char *assignment,
                             struct mq_error *error)
{
    char id[2 * MQ_ID_SIZE + 1];
    struct mq_saved saved;
    mq_hex_write(id, mq_span(record, MQ_ID_SIZE));
    return mq_records_set(replica, mq_span_text(id), &assignment, 1, mq_span(NULL, 0), &saved, error);
}

/* Tags that tell nothing of health. */
static enum mq_status tags_again(struct mq_replica *replica, const struct mq_about *about, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(about->kind), mq_span_text("tags"));
    struct mq_group_state state;
    uint64_t codes[MQ_SET_MAX];
    size_t count = 0;
    if (field == NULL)
        return MQ_OK;
    enum mq_status status = mq_view_group(replica, about->record, &state, error);
    const struct mq_field_state *here = status == MQ_OK ? mq_group_field(&state, field->number) : NULL;
    for (size_t i = 0; here != NULL && i < here->choice_count && count < MQ_SET_MAX; i++) {
        struct mq_reader reader = mq_reader(here->choices[i].value);
        codes[count] = mq_cbor_uint(&reader);
        const struct mq_code *code = mq_code_by_number(field->codes, codes[count]);
        count += code != NULL && !(code->flags & MQ_CODE_HEALTH);
    }
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        char assignment[64];
        snprintf(assignment, sizeof assignment, "tags+=%s", mq_code_by_number(field->codes, codes[i])->label);
        status = assign(replica, about->record, assignment, error);
    }
    return status;
}

/* A need without its household is counted where it was all the same. */
static enum mq_status place_again(struct mq_replica *replica, const struct mq_about *about, struct mq_error *error)
{
    struct mq_group_state state;
    uint8_t memory[MQ_NAME_TEXT_MAX + 64], household[MQ_ID_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_view_group(replica, about->record, &state, error);
    if (status != MQ_OK || mq_shown_value(&state, "place").size > 0 || !mq_shown_reference(&state, "household", household))
        return status;
    status = mq_view_group(replica, household, &state, error);
    struct mq_span place = status == MQ_OK ? mq_shown_value(&state, "place") : mq_span(NULL, 0);
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text("place"));
    mq_put_text(&out, "place=");
    if (status == MQ_NOT_FOUND || place.size == 0 || mq_value_to_text(field, place, &out) != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    mq_put_u8(&out, 0);
    MQ_ASSERT(!out.failed);
    return assign(replica, about->record, (const char *)memory, error);
}

static bool takes(const struct mq_forget_item *item, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(item->about.kind), mq_span_text(key));
    return field != NULL && (item->fields & UINT64_C(1) << field->number) != 0;
}

static enum mq_status item_stays(struct mq_replica *replica, const struct mq_forget_item *item, bool tags,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    if (tags && takes(item, "tags"))
        status = tags_again(replica, &item->about, error);
    if (status == MQ_OK && item->about.kind == MQ_KIND_NEED && takes(item, "household"))
        status = place_again(replica, &item->about, error);
    if (status == MQ_OK && item->about.kind == MQ_KIND_NEED && takes(item, "words"))
        status = assign(replica, item->about.record, "words+=" MQ_TAKEN_OUT, error);
    return status;
}

/* ---- the end of a record of which nothing is left but its id ---- */

struct end_work {
    const struct mq_team *team;
    const uint8_t *record;
};

static enum mq_status end_record(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct end_work *work = context;
    struct mq_group_state state;
    uint8_t value_memory[8 * 1024], change_memory[12 * 1024], id[MQ_ID_SIZE], record[MQ_ID_SIZE];
    struct mq_buffer value = mq_buffer(value_memory, sizeof value_memory);
    struct mq_buffer change = mq_buffer(change_memory, sizeof change_memory);
    enum mq_status status = mq_view_group(replica, work->record, &state, error);
    if (status != MQ_OK || state.deleted)
        return status;
    size_t names = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            mq_cbor_put_array(&value, 2);
            mq_cbor_put_uint(&value, 1);
            mq_cbor_put_array(&value, names);
        }
        for (size_t f = 0; f < state.field_count; f++)
            for (size_t c = 0; c < state.fields[f].choice_count; c++)
                for (size_t n = 0; n < state.fields[f].choices[c].name_count; n++, names += pass == 0)
                    if (pass == 1)
                        mq_cbor_put_bytes(&value, mq_span(state.fields[f].choices[c].names + n * MQ_NAME_SIZE,
                                                          MQ_NAME_SIZE));
    }
    if (value.failed || names > MQ_REPLACED_MAX || state.life_count > MQ_REPLACED_MAX)
        return MQ_OK; /* too much was linked to it: it stays in the lists, empty */
    memcpy(record, state.canonical, sizeof record);
    mq_change_put_set(&change, record, MQ_FIELD_LIFE, mq_written(&value),
                      mq_span(state.life_names, state.life_count * MQ_NAME_SIZE), mq_span(NULL, 0));
    MQ_ASSERT(!change.failed);
    return mq_journal_add(replica, work->team, mq_written(&change), record, id, error);
}

/* ---- all of it ---- */

struct ends_work {
    const struct mq_forgetting *forgetting;
    const struct mq_team *team;
};

static enum mq_status end_records(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct ends_work *work = context;
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->forgetting->count && status == MQ_OK; i++) {
        struct end_work end = {work->team, work->forgetting->items[i].about.record};
        if (work->forgetting->items[i].fields & MQ_FORGET_WHOLE)
            status = end_record(replica, &end, error);
    }
    return status;
}

enum mq_status mq_forgetting_now(struct mq_forgetting *work, const struct mq_team *team, const uint8_t *because,
                                 struct mq_error *error)
{
    struct mq_replica *replica = work->replica;
    enum mq_status status = MQ_OK;
    if (work->list.count == 0)
        return MQ_OK;
    for (size_t i = 0; i < work->count && status == MQ_OK; i++) /* broken off after this, the next try lists it again */
        status = item_stays(replica, &work->items[i], work->other_tags_stay, error);
    struct ends_work ends = {work, team};
    return status == MQ_OK ? mq_erase_and(replica, team, because, &work->list, end_records, &ends, error) : status;
}

void mq_forgetting_free(struct mq_forgetting *work)
{
    mq_erase_list_free(&work->list);
    free(work->items);
    work->items = NULL;
    work->count = work->room = 0;
}
