/* Matters in lists, one by one, and in edits. */
#include "replica/records_matter.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/convert.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"
#include "replica/search.h"
#include "replica/view.h"


enum mq_status mq_matter_instead(struct mq_replica *replica, enum mq_status found, struct mq_span text,
                                 struct mq_matter *out, struct mq_error *error)
{
    struct mq_error own = {0};
    *out = (struct mq_matter){.kind = 0};
    if (found != MQ_NOT_FOUND)
        return found;
    enum mq_status status = mq_matter_named(replica, 0, text, out, &own);
    if (status == MQ_OK)
        mq_error_clear(error);
    return status == MQ_OK || status == MQ_NOT_FOUND ? (status == MQ_OK ? MQ_OK : found)
                                                     : mq_fail(error, status, "%s", own.text);
}

/* ---- one matter ---- */

static enum mq_status put_safety(struct mq_replica *replica, const struct mq_matter *matter,
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    static const char *const names[] = {"quarantined", "saved", "stored", "anchored"};
    int64_t level;
    enum mq_status status = mq_db_number(
        replica->db, &level, error,
        "SELECT min(CASE WHEN s.excepted <> 0 THEN 0 WHEN s.anchored THEN 3 WHEN s.stored THEN 2 ELSE 1 END)"
        " FROM matter AS m JOIN segment AS s ON s.number = m.segment WHERE m.record = ?",
        "b", MQ_SPAN(matter->record));
    if (status != MQ_OK)
        return status;
    mq_json_key(writer, "safety");
    mq_json_text_value(writer, names[level & 3]);
    return MQ_OK;
}

/* What came to his case about the record itself. Its create is not here, so the tables' rules are not applied: every
 * value of a field of words is one of them. */
static enum mq_status put_words(struct mq_replica *replica, const struct mq_matter *matter, const struct mq_kind *kind,
                                struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, matter->record, &state, error);
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    for (size_t i = 0; i < state.field_count && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_number(kind, state.fields[i].number);
        if (field != NULL && field->merge == MQ_MERGE_WORDS)
            status = mq_print_later(replica, field, &state.fields[i], 0, writer, error);
    }
    return status;
}

enum mq_status mq_matter_print(struct mq_replica *replica, const struct mq_matter *matter, struct mq_buffer *out,
                               struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(matter->kind);
    struct mq_json_writer writer = {.out = out};
    uint8_t id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(id_memory, sizeof id_memory);
    char day[11];
    mq_date_print(day, matter->day);
    enum mq_status status = mq_print_reference(replica, matter->record, &id, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind == NULL ? "unknown" : kind->key);
    mq_json_key(&writer, "id");
    mq_json_string_value(&writer, mq_written(&id));
    if (matter->label[0] != '\0') {
        mq_json_key(&writer, "no");
        mq_json_text_value(&writer, matter->label);
    }
    mq_json_key(&writer, "date");
    mq_json_text_value(&writer, day);
    mq_json_key(&writer, "restricted");
    mq_json_bool_value(&writer, true);
    mq_json_key(&writer, "record");
    mq_json_hex_value(&writer, MQ_SPAN(matter->record));
    if (status == MQ_OK)
        status = put_safety(replica, matter, &writer, error);
    if (status == MQ_OK && matter->kind == MQ_KIND_NEED) /* as the steps in his case make it */
        status = mq_need_put_state(replica, matter->record, &writer, error);
    if (status == MQ_OK)
        status = put_words(replica, matter, kind, &writer, error);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out->failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return status;
}

/* ---- all of them ---- */

struct list_work {
    struct mq_replica *replica;
    struct mq_span search;
    int64_t *left;
    const struct mq_emitter *emitter;
    uint8_t *memory;
};

static enum mq_status list_one(void *context, const struct mq_matter *matter, struct mq_error *error)
{
    struct list_work *work = context;
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE], text_memory[2 * MQ_RECORD_ID_TEXT_MAX + sizeof matter->label];
    struct mq_buffer text = mq_buffer(text_memory, sizeof text_memory);
    enum mq_status status = mq_view_kind(work->replica, matter->record, &kind, team, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    if (*work->left == 0 || (status == MQ_OK && kind > 0))
        return MQ_OK; /* enough; or its key has come, and it is listed as what it is */
    status = mq_print_reference(work->replica, matter->record, &text, error);
    mq_put_text(&text, "\n");
    mq_put_text(&text, matter->label);
    if (status != MQ_OK || !mq_search_in(work->search, mq_written(&text)))
        return status;
    *work->left -= *work->left > 0;
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    status = mq_matter_print(work->replica, matter, &out, error);
    return status == MQ_OK ? work->emitter->emit(work->emitter->context, mq_written(&out), error) : status;
}

enum mq_status mq_matter_list(struct mq_replica *replica, uint64_t kind, struct mq_span search, int64_t *left,
                              const struct mq_emitter *emitter, struct mq_error *error)
{
    struct list_work work = {replica, search, left, emitter, mq_work_memory(MQ_OBJECT_MAX)};
    enum mq_status status = mq_matter_each(replica, kind, list_one, &work, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}
