/* Reading records: lists, one record with its history, what waits for a person, the exact copy. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/catalogue.h"
#include "replica/convert.h"
#include "replica/records_matter.h"
#include "replica/replica_keys.h"
#include "replica/search.h"
#include "replica/view.h"


struct read_work {
    struct mq_replica *replica;
    const struct mq_emitter *emitter;
    int64_t left; /* of the limit; < 0: none */
    enum mq_print_extras extras;
    bool without_restricted;
    uint8_t *memory;
};

static enum mq_status emit_state(struct read_work *work, const struct mq_group_state *state, struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    enum mq_status status = mq_print_record(work->replica, state, work->extras, &out, error);
    return status == MQ_OK ? work->emitter->emit(work->emitter->context, mq_written(&out), error) : status;
}

static enum mq_status emit_matter(struct read_work *work, const struct mq_matter *matter, struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    enum mq_status status = mq_matter_print(work->replica, matter, &out, error);
    return status == MQ_OK ? work->emitter->emit(work->emitter->context, mq_written(&out), error) : status;
}

static enum mq_status list_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct read_work *work = context;
    struct mq_group_state state;
    bool left_out = false;
    if (work->left == 0)
        return MQ_OK;
    bool shown = true;
    enum mq_status status =
        work->without_restricted ? mq_view_restricted(work->replica, canonical, &left_out, error) : MQ_OK;
    if (status != MQ_OK || left_out)
        return status;
    status = mq_view_group(work->replica, canonical, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: counted for review, no reason to show nothing */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status == MQ_OK && mq_kind_by_number(state.kind) != NULL && mq_kind_by_number(state.kind)->desk_only)
        status = mq_view_shown(work->replica, canonical, &shown, error);
    if (status != MQ_OK || !shown)
        return status;
    work->left -= work->left > 0;
    return emit_state(work, &state, error);
}

static enum mq_status list_found(void *context, const struct mq_group_state *state, struct mq_error *error)
{
    struct read_work *work = context;
    work->left -= work->left > 0;
    return emit_state(work, state, error);
}

enum mq_status mq_records_list(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span search,
                               int64_t limit, const struct mq_emitter *emitter, struct mq_error *error)
{
    struct read_work work = {.replica = replica,
                             .emitter = emitter,
                             .left = limit > 0 ? limit : -1,
                             .extras = MQ_PRINT_LISTED,
                             .memory = mq_work_memory(MQ_OBJECT_MAX)};
    const struct mq_search query = {
        .kind = kind, .words = search, .limit = limit, .take = list_found, .context = &work};
    enum mq_status status = mq_search_says_something(search)
                                ? mq_search(replica, &query, error)
                                : mq_view_each(replica, kind == NULL ? 0 : kind->number, false, list_one, &work, error);
    if (status == MQ_OK)
        status = mq_matter_list(replica, kind == NULL ? 0 : kind->number, search, &work.left, emitter, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}

/* What is referred to comes before what refers to it. */
static const uint8_t export_order[] = {
    MQ_KIND_CODE,    MQ_KIND_PLACE,    MQ_KIND_UNIT,    MQ_KIND_CALENDAR, MQ_KIND_PRESET, MQ_KIND_HOUSEHOLD,
    MQ_KIND_NOTICE,  MQ_KIND_PERSON,   MQ_KIND_STANDING, MQ_KIND_REQUEST, MQ_KIND_PLAN,   MQ_KIND_VISIT,
    MQ_KIND_NEED,    MQ_KIND_STEP,     MQ_KIND_TOLD,    MQ_KIND_SUGGESTION, MQ_KIND_EXPORTED,
};

static enum mq_status export(struct mq_replica *replica, const struct mq_kind *kind, bool restricted,
                             const struct mq_emitter *emitter, struct mq_error *error)
{
    struct read_work work = {.replica = replica,
                             .emitter = emitter,
                             .left = -1,
                             .without_restricted = !restricted,
                             .memory = mq_work_memory(MQ_OBJECT_MAX)};
    enum mq_status status = MQ_OK;
    MQ_ASSERT(sizeof export_order == mq_kind_count);
    for (size_t i = 0; i < sizeof export_order && status == MQ_OK; i++)
        if (kind == NULL || kind->number == export_order[i])
            status = mq_view_each(replica, export_order[i], false, list_one, &work, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}

enum mq_status mq_records_export(struct mq_replica *replica, const struct mq_kind *kind,
                                 const struct mq_emitter *emitter, struct mq_error *error)
{
    return export(replica, kind, false, emitter, error);
}

enum mq_status mq_records_export_restricted(struct mq_replica *replica, const struct mq_kind *kind,
                                            const struct mq_emitter *emitter, struct mq_error *error)
{
    return export(replica, kind, true, emitter, error);
}

/* ---- history ---- */

static void put_time(struct mq_json_writer *writer, const char *key, int64_t seconds)
{
    char text[32];
    time_t at = (time_t)seconds;
    struct tm utc;
    mq_json_key(writer, key);
    if (gmtime_r(&at, &utc) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        mq_json_null_value(writer);
    else
        mq_json_text_value(writer, text);
}

static const char *role_name(enum mq_role role)
{
    switch (role) {
    case MQ_ROLE_ROOT: return "root";
    case MQ_ROLE_COUNTY_DESK: return "county desk";
    case MQ_ROLE_DESK: return "desk";
    case MQ_ROLE_CADRE: return "device";
    case MQ_ROLE_RELAY: return "relay";
    }
    return "unknown";
}

/* Who wrote it: role and certificate serial, as devices are named in a list of members. */
static void put_writer(struct mq_json_writer *writer, struct mq_span announce_bytes)
{
    struct mq_announce announce;
    char text[48] = "this device";
    if (announce_bytes.size > 0 && mq_announce_decode(&announce, announce_bytes) == MQ_OK)
        snprintf(text, sizeof text, "%s %u", role_name(announce.certificate.role),
                 (unsigned)announce.certificate.serial);
    mq_json_key(writer, "by");
    mq_json_text_value(writer, text);
}

static const char *safety_name(int64_t level)
{
    return level < 0    ? "quarantined"
           : level == 0 ? "saved"
           : level == 1 ? "stored"
           : level == 2 ? "anchored"
                        : "received";
}

static enum mq_status put_create(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span fields,
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    enum mq_status status = MQ_OK;
    mq_json_key(writer, "values");
    mq_json_begin(writer, '{');
    for (uint64_t i = 0; i < count && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_number(kind, mq_cbor_uint(&reader));
        struct mq_span value = mq_cbor_take(&reader);
        if (field == NULL)
            continue;
        mq_json_key(writer, field->key);
        if (field->merge != MQ_MERGE_SET) {
            status = mq_print_value(replica, field, value, writer, error);
            continue;
        }
        struct mq_reader elements = mq_reader(value);
        uint64_t size = mq_cbor_array(&elements, MQ_SET_MAX);
        mq_json_begin(writer, '[');
        for (uint64_t e = 0; e < size && status == MQ_OK; e++)
            status = mq_print_value(replica, field, mq_cbor_take(&elements), writer, error);
        mq_json_end(writer, ']');
    }
    mq_json_end(writer, '}');
    return status;
}

static const char *change_name(uint64_t type)
{
    static const char *const names[] = {"unknown", "create", "set", "add", "remove", "attach", "decide"};
    return type < sizeof names / sizeof *names ? names[type] : "unknown";
}

static enum mq_status put_change(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span expanded,
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(memory, sizeof memory);
    struct mq_change change;
    enum mq_status status = MQ_OK;
    if (mq_change_decode(&change, expanded, &names) != MQ_OK)
        change = (struct mq_change){.type = 0};
    mq_json_key(writer, "change");
    mq_json_text_value(writer, change_name(change.type));
    if (change.type == MQ_CHANGE_CREATE)
        return put_create(replica, kind, change.fields, writer, error);
    const struct mq_field *field = change.type == 0 ? NULL : mq_field_by_number(kind, change.field);
    if (field == NULL)
        return MQ_OK;
    mq_json_key(writer, "field");
    mq_json_text_value(writer, field->key);
    if (change.value.size > 0) {
        mq_json_key(writer, "value");
        status = mq_print_value(replica, field, change.value, writer, error);
    }
    if (change.note.size > 0) {
        mq_json_key(writer, "note");
        mq_json_string_value(writer, change.note);
    }
    return status;
}

static enum mq_status history(struct read_work *work, const uint8_t canonical[MQ_ID_SIZE], const struct mq_kind *kind,
                              struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        work->replica->db, &query, error,
        "SELECT c.wall, s.announce, c.expanded, CASE WHEN c.segment < 0 THEN 0 WHEN NOT g.mine THEN 3 WHEN g.excepted <> 0 THEN -1"
        " WHEN g.anchored THEN 2 WHEN g.stored THEN 1 ELSE 0 END FROM change AS c LEFT JOIN segment AS g ON g.number = c.segment"
        " LEFT JOIN stream AS s ON s.stream = g.stream WHERE c.record IN (SELECT record FROM record WHERE canonical = ?)"
        " ORDER BY c.wall, c.number",
        "b", mq_span(canonical, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
        struct mq_json_writer writer = {.out = &out};
        mq_json_begin(&writer, '{');
        put_time(&writer, "at", mq_db_int(query, 0));
        put_writer(&writer, mq_db_blob(query, 1));
        status = put_change(work->replica, kind, mq_db_blob(query, 2), &writer, error);
        mq_json_key(&writer, "safety");
        mq_json_text_value(&writer, safety_name(mq_db_int(query, 3)));
        mq_json_end(&writer, '}');
        if (status == MQ_OK && out.failed)
            status = mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
        if (status == MQ_OK)
            status = work->emitter->emit(work->emitter->context, mq_written(&out), error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

enum mq_status mq_records_show(struct mq_replica *replica, struct mq_span record, bool with_history,
                               const struct mq_emitter *emitter, struct mq_error *error)
{
    struct read_work work = {
        .replica = replica, .emitter = emitter, .extras = MQ_PRINT_SHOWN, .memory = mq_work_memory(MQ_OBJECT_MAX)};
    uint8_t canonical[MQ_ID_SIZE];
    struct mq_group_state state;
    struct mq_matter matter;
    const struct mq_kind *kind = NULL;
    enum mq_status found = mq_view_find(replica, NULL, record, canonical, error), status = found;
    if (found == MQ_NOT_FOUND) {
        status = mq_matter_instead(replica, found, record, &matter, error);
        if (status == MQ_OK)
            status = emit_matter(&work, &matter, error);
    }
    if (found == MQ_OK)
        status = mq_view_group(replica, canonical, &state, error);
    if (found == MQ_OK && status == MQ_OK) {
        kind = mq_kind_by_number(state.kind);
        status = emit_state(&work, &state, error);
    }
    if (status == MQ_OK && with_history && kind != NULL)
        status = history(&work, canonical, kind, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}

/* ---- conflicts ---- */

enum mq_status mq_print_origin(struct mq_replica *replica, const uint8_t change[MQ_ID_SIZE],
                               struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT c.wall, s.announce FROM change AS c LEFT JOIN segment AS g ON g.number = c.segment"
        " LEFT JOIN stream AS s ON s.stream = g.stream WHERE c.id = ?",
        "b", mq_span(change, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error)) {
        put_writer(writer, mq_db_blob(query, 1));
        put_time(writer, "at", mq_db_int(query, 0));
    }
    mq_db_done(&query);
    return error->status;
}

static enum mq_status put_values(struct mq_replica *replica, const struct mq_field *field,
                                 const struct mq_field_state *here, struct mq_json_writer *writer,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    mq_json_key(writer, "values");
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < here->choice_count && status == MQ_OK; i++) {
        mq_json_begin(writer, '{');
        mq_json_key(writer, "value");
        status = mq_print_value(replica, field, here->choices[i].value, writer, error);
        if (status == MQ_OK)
            status = mq_print_origin(replica, here->choices[i].best->id, writer, error);
        mq_json_end(writer, '}');
    }
    mq_json_end(writer, ']');
    return status;
}

static enum mq_status conflict_field(struct read_work *work, const struct mq_group_state *state,
                                     const struct mq_kind *kind, const struct mq_field_state *here,
                                     struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_number(kind, here->number);
    if (field == NULL || !(here->conflict || here->review))
        return MQ_OK;
    struct mq_buffer out = mq_buffer(work->memory, MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    uint8_t id_memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(id_memory, sizeof id_memory);
    enum mq_status status = mq_print_reference(work->replica, state->canonical, &id, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_string_value(&writer, mq_written(&id));
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind->key);
    mq_json_key(&writer, "field");
    mq_json_text_value(&writer, field->key);
    if (status == MQ_OK)
        status = put_values(work->replica, field, here, &writer, error);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out.failed)
        status = mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return status == MQ_OK ? work->emitter->emit(work->emitter->context, mq_written(&out), error) : status;
}

static enum mq_status conflict_one(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct read_work *work = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(work->replica, canonical, &state, error);
    const struct mq_kind *kind = status == MQ_OK ? mq_kind_by_number(state.kind) : NULL;
    for (size_t i = 0; kind != NULL && i < state.field_count && status == MQ_OK; i++)
        status = conflict_field(work, &state, kind, &state.fields[i], error);
    return status;
}

enum mq_status mq_records_conflicts(struct mq_replica *replica, const struct mq_emitter *emitter,
                                    struct mq_error *error)
{
    struct read_work work = {
        .replica = replica, .emitter = emitter, .extras = MQ_PRINT_LISTED, .memory = mq_work_memory(MQ_OBJECT_MAX)};
    enum mq_status status = mq_view_each(replica, 0, true, conflict_one, &work, error);
    mq_work_free(work.memory, MQ_OBJECT_MAX);
    return status;
}

/* Why a segment is not merged, for the person who has to decide. */
static const char *why(struct mq_span reason)
{
    static const struct {
        const char *reason, *text;
    } reasons[] = {
        {"revoked", N_("came after its device's rights were taken; `desk adopt ID` lets it in")},
        {"cut", N_("it cannot be told yet whether it was written before its device's rights were taken; a part is missing")},
        {"role", N_("says what only a desk may say")},
        {"erased", N_("leans on something that was taken out; it is asked for again")},
        {"payload", N_("cannot be read: made by another program, or on purpose")},
        {"body", N_("cannot be opened: damaged, or made on purpose")},
        {"predecessor", N_("leans on a part that cannot be read")},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (mq_span_equal(reason, mq_span_text(reasons[i].reason)))
            return _(reasons[i].text);
    return _("waits for a key or an earlier part");
}

enum mq_status mq_records_quarantine(struct mq_replica *replica, const struct mq_emitter *emitter,
                                     struct mq_error *error)
{
    static const char *const states[] = {"waiting", "admitted", "quarantined", "undecodable"};
    struct mq_query *query;
    uint8_t memory[1024];
    enum mq_status status =
        mq_db_query(replica->db, &query, error,
                    "SELECT id, state, reason, stream, seq FROM segment WHERE state <> 1 ORDER BY stream, seq", "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        struct mq_json_writer writer = {.out = &out};
        mq_json_begin(&writer, '{');
        mq_json_key(&writer, "id");
        mq_json_hex_value(&writer, mq_db_blob(query, 0));
        mq_json_key(&writer, "state");
        mq_json_text_value(&writer, states[mq_db_int(query, 1) & 3]);
        mq_json_key(&writer, "reason");
        mq_json_string_value(&writer,
                             mq_db_is_null(query, 2) ? mq_span_text("predecessor or key") : mq_db_text(query, 2));
        mq_json_key(&writer, "stream");
        mq_json_hex_value(&writer, mq_db_blob(query, 3));
        mq_json_key(&writer, "seq");
        mq_json_int_value(&writer, mq_db_int(query, 4));
        mq_json_key(&writer, "why");
        mq_json_text_value(&writer, why(mq_db_is_null(query, 2) ? mq_span_text("") : mq_db_text(query, 2)));
        mq_json_end(&writer, '}');
        MQ_ASSERT(!out.failed);
        status = emitter->emit(emitter->context, mq_written(&out), error);
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}
