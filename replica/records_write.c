/* Writing records: new ones, edits, decisions. A state that was on the screen is what a change replaces, nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/change.h"
#include "protocol/mask.h"
#include "replica/apart.h"
#include "replica/convert.h"
#include "replica/journal.h"
#include "replica/need_chain.h"
#include "replica/notice.h"
#include "replica/records.h"
#include "replica/records_matter.h"
#include "replica/records_update.h"
#include "replica/replica_keys.h"
#include "replica/route.h"
#include "replica/view.h"

struct write_memory {
    uint8_t values[2 * MQ_LINE_MAX + MQ_CHANGE_MAX / 4]; /* a text is copied, masked and encoded */
    uint8_t change[MQ_CHANGE_MAX];
};

static enum mq_status team_or_only(struct mq_replica *replica, const struct mq_team *team, struct mq_team *out,
                                   struct mq_error *error)
{
    if (team == NULL)
        return mq_team_find(replica, NULL, out, error);
    *out = *team;
    return MQ_OK;
}

static void id_text(const struct mq_parsed *parsed, struct mq_saved *saved)
{
    const struct mq_parsed_field *id = mq_parsed_find(parsed, MQ_FIELD_ID);
    struct mq_buffer text = mq_buffer(saved->id, sizeof saved->id - 1);
    MQ_ASSERT(id != NULL);
    enum mq_status status = mq_value_to_text(id->field, id->value, &text);
    MQ_ASSERT(status == MQ_OK && !text.failed);
    saved->id[text.size] = '\0';
}

/* ---- need numbers: village, certificate serial, counter (docs/protocol.md, section 2) ---- */

/* An incarnation after the first adds two letters, so that a copied device does not give the same number twice unseen.
 */
static enum mq_status incarnation_letters(struct mq_replica *replica, const struct mq_team *team, char out[3],
                                          struct mq_error *error)
{
    struct mq_query *query;
    out[0] = '\0';
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT stream, (SELECT count(*) FROM stream WHERE mine = 1 AND mailbox = ?1) FROM stream"
        " WHERE mine = 1 AND closed = 0 AND mailbox = ?1 LIMIT 1",
        "b", MQ_SPAN(team->mailbox));
    if (status != MQ_OK)
        return status;
    if (mq_db_next(&query, error) && mq_db_int(query, 1) > 1) {
        uint8_t letters[2];
        mq_hash_one(letters, sizeof letters, MQ_DOMAIN_STREAM, mq_db_blob(query, 0));
        out[0] = (char)('A' + letters[0] % 26);
        out[1] = (char)('A' + letters[1] % 26);
        out[2] = '\0';
    }
    mq_db_done(&query);
    return error->status;
}

/* The change that makes this record, without its sensitive fields where these are written apart. */
static enum mq_status create_build(const struct mq_parsed *parsed, bool apart, struct mq_buffer *change,
                                   struct mq_error *error)
{
    uint8_t *pairs_memory = mq_work_memory(MQ_CHANGE_MAX);
    struct mq_buffer pairs = mq_buffer(pairs_memory, MQ_CHANGE_MAX);
    size_t count = 0;
    for (size_t i = 0; i < parsed->count; i++) {
        if (apart && (parsed->fields[i].field->flags & MQ_FIELD_CLASS_B))
            continue;
        count++;
        mq_cbor_put_uint(&pairs, parsed->fields[i].field->number);
        mq_put_span(&pairs, parsed->fields[i].value);
    }
    mq_change_put_create(change, parsed->kind->number, count, mq_written(&pairs));
    bool failed = pairs.failed || change->failed;
    mq_work_free(pairs_memory, pairs.size);
    return failed ? mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it")) : MQ_OK;
}

static enum mq_status is_restricted(struct mq_replica *replica, const struct mq_team *team,
                                    const struct mq_parsed *parsed, uint8_t *memory, bool *restricted,
                                    struct mq_error *error)
{
    struct mq_buffer change = mq_buffer(memory, MQ_CHANGE_MAX);
    uint32_t compartment = MQ_COMPARTMENT_TEAM;
    enum mq_status status = create_build(parsed, false, &change, error);
    if (status == MQ_OK)
        status = mq_route(replica, team, mq_written(&change), NULL, &compartment, error);
    *restricted = mq_compartment_restricted(compartment);
    return status;
}

/* Restricted matters are counted for themselves: a gap among the others' numbers would tell that there is one. */
static enum mq_status number_make(struct mq_replica *replica, const struct mq_team *team, struct mq_parsed *parsed,
                                  uint8_t *memory, struct mq_saved *saved, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text("no"));
    int64_t counter = 0;
    char village[MQ_VILLAGE_LETTERS_MAX + 1], letters[3];
    bool restricted = false;
    if (field == NULL || mq_parsed_find(parsed, field->number) != NULL)
        return MQ_OK;
    enum mq_status status = is_restricted(replica, team, parsed, memory, &restricted, error);
    const char *name = restricted ? "matter_counter" : "need_counter";
    if (status == MQ_OK)
        status = mq_setting_number(replica, name, &counter, error);
    if (status == MQ_OK)
        status = incarnation_letters(replica, team, letters, error);
    if (status == MQ_OK)
        status = mq_setting_put_number(replica, name, counter + 1, error);
    if (status == MQ_OK)
        status = mq_need_village(replica, parsed, village, error);
    if (status != MQ_OK)
        return status;
    snprintf(saved->number, sizeof saved->number, restricted ? "%s-%u%s-M%03lld" : "%s-%u%s-%04lld", village,
             (unsigned)team->certificate.serial, letters, (long long)counter + 1);
    size_t start = parsed->memory.size;
    mq_cbor_put_text(&parsed->memory, mq_span_text(saved->number));
    MQ_ASSERT(!parsed->memory.failed);
    return mq_parsed_put(parsed, field, mq_span(parsed->memory.data + start, parsed->memory.size - start), error);
}

/* ---- a new record ---- */

static enum mq_status create(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                             uint8_t *memory, struct mq_saved *saved, struct mq_error *error)
{
    struct mq_buffer change = mq_buffer(memory, MQ_CHANGE_MAX);
    bool apart;
    enum mq_status status = mq_apart(replica, team, parsed, &apart, error);
    if (status == MQ_OK)
        status = create_build(parsed, apart, &change, error);
    if (status == MQ_OK)
        status = mq_journal_add(replica, team, mq_written(&change), NULL, saved->record, error);
    if (status == MQ_OK && apart)
        status = mq_apart_write(replica, team, parsed, saved->record, error);
    return status == MQ_OK ? mq_records_add_later(replica, team, parsed, saved->record, error) : status;
}

static void remarks_take(struct mq_saved *saved, const struct mq_remarks *remarks)
{
    saved->masked += remarks->masked;
    saved->unknown_places += remarks->unknown_places;
    if (saved->remark[0] == '\0')
        snprintf(saved->remark, sizeof saved->remark, "%s", remarks->text);
}

struct add_work {
    const struct mq_team *team;
    const struct mq_json *object;
    struct mq_span id; /* where the object has none; empty: a fresh one */
    bool import, update;
    bool strict;           /* a step that the table must allow */
    int *calendar_missing; /* where strict */
    struct mq_saved *saved;
    struct write_memory *memory;
};

/* It was sealed here before, so it cannot be compared: a file that comes again brings nothing new, a person is told. */
static enum mq_status matter_again(struct add_work *work, const struct mq_parsed *parsed,
                                   const struct mq_matter *matter, struct mq_error *error)
{
    if (!work->import)
        return mq_fail(error, MQ_REFUSED,
                       _("the %s \"%s\" was sealed already, for the county to read; add to it with `set %s words+=TEXT`"),
                       parsed->kind->key, work->saved->id, work->saved->id);
    work->saved->known = true;
    memcpy(work->saved->record, matter->record, MQ_ID_SIZE);
    return MQ_OK;
}

static enum mq_status add(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct add_work *work = context;
    struct mq_parsed parsed = {.memory = mq_buffer(work->memory->values, sizeof work->memory->values),
                               .made_id = work->id};
    struct mq_matter matter;
    uint8_t canonical[MQ_ID_SIZE];
    bool taken = false; /* by a colleague: the name of a matter that was sealed here */
    enum mq_status status = mq_parse_record(replica, work->team, work->object, !work->import, &parsed, error);
    if (status != MQ_OK)
        return status;
    id_text(&parsed, work->saved);
    remarks_take(work->saved, &parsed.remarks);
    status = mq_view_by_id(replica, work->team->team, parsed.kind->number, mq_parsed_find(&parsed, MQ_FIELD_ID)->value,
                           canonical, error);
    if (status == MQ_OK)
        status = mq_matter_other(replica, parsed.kind->number, mq_parsed_find(&parsed, MQ_FIELD_ID)->value, canonical,
                                 &taken, error);
    if (status == MQ_OK && !taken)
        return work->update ? mq_records_update(replica, work->team, &parsed, canonical, work->saved, error)
                            : mq_records_compare(replica, work->team, &parsed, canonical, work->saved, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    status = mq_matter_by_id(replica, parsed.kind->number, mq_parsed_find(&parsed, MQ_FIELD_ID)->value, &matter, error);
    if (status == MQ_OK)
        return matter_again(work, &parsed, &matter, error);
    if (status != MQ_NOT_FOUND)
        return status;
    status = work->import ? MQ_OK
                          : number_make(replica, work->team, &parsed, work->memory->change, work->saved, error);
    if (status == MQ_OK)
        status = mq_need_complete(replica, work->team, &parsed, work->strict, work->calendar_missing, error);
    if (status == MQ_OK)
        status = mq_notice_new(replica, &parsed, work->import, work->saved, error);
    return status == MQ_OK ? create(replica, work->team, &parsed, work->memory->change, work->saved, error) : status;
}

enum mq_status mq_records_add(struct mq_replica *replica, const struct mq_team *team, const struct mq_json *object,
                              struct mq_saved *saved, struct mq_error *error)
{
    return mq_records_add_as(replica, team, object, mq_span(NULL, 0), saved, error);
}

enum mq_status mq_records_add_as(struct mq_replica *replica, const struct mq_team *team, const struct mq_json *object,
                                 struct mq_span id, struct mq_saved *saved, struct mq_error *error)
{
    struct mq_team own;
    *saved = (struct mq_saved){.known = false};
    enum mq_status status = team_or_only(replica, team, &own, error);
    if (status != MQ_OK)
        return status;
    struct add_work work = {
        .team = &own, .object = object, .id = id, .saved = saved, .memory = mq_work_memory(sizeof(struct write_memory))};
    status = mq_replica_transact(replica, add, &work, error);
    mq_work_free(work.memory, sizeof *work.memory);
    return status;
}

enum mq_status mq_records_add_step(struct mq_replica *replica, const struct mq_team *team, const struct mq_json *object,
                                   struct mq_saved *saved, int *calendar_missing, struct mq_error *error)
{
    *saved = (struct mq_saved){.known = false};
    *calendar_missing = 0;
    struct add_work work = {.team = team,
                            .object = object,
                            .strict = true,
                            .calendar_missing = calendar_missing,
                            .saved = saved,
                            .memory = mq_work_memory(sizeof(struct write_memory))};
    enum mq_status status = mq_replica_transact(replica, add, &work, error);
    mq_work_free(work.memory, sizeof *work.memory);
    return status;
}

enum mq_status mq_records_import_line(struct mq_replica *replica, const struct mq_team *team, struct mq_span line,
                                      bool update, struct mq_saved *saved, struct mq_error *error)
{
    struct mq_json *object;
    *saved = (struct mq_saved){.known = false};
    if (line.size > MQ_LINE_MAX)
        return mq_fail(error, MQ_REFUSED, _("this line is longer than %d KiB"), MQ_LINE_MAX / 1024);
    enum mq_status status = mq_json_parse(&object, line, error);
    if (status != MQ_OK)
        return status;
    struct add_work work = {.team = team,
                            .object = object,
                            .import = true,
                            .update = update,
                            .saved = saved,
                            .memory = mq_work_memory(sizeof(struct write_memory))};
    status = mq_replica_attempt(replica, add, &work, error);
    mq_work_free(work.memory, sizeof *work.memory);
    mq_json_free(object);
    return status;
}

/* ---- edits ---- */

struct edit_work {
    struct mq_span record;
    const char *const *assignments;
    size_t count;
    struct mq_span reason;
    struct mq_saved *saved;
    struct write_memory *memory;
};

struct assignment {
    const struct mq_field *field;
    char operation; /* '=', '+', '-' */
    struct mq_span text;
};

static enum mq_status assignment_read(const struct mq_kind *kind, const char *text, struct assignment *out,
                                      struct mq_error *error)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return mq_fail(error, MQ_REFUSED, _("\"%s\": write FIELD=VALUE, or FIELD+=VALUE and FIELD-=VALUE for sets"),
                       text);
    size_t size = (size_t)(equals - text);
    out->operation = '=';
    if (text[size - 1] == '+' || text[size - 1] == '-')
        out->operation = text[--size];
    out->field = mq_field_by_key(kind, mq_span(text, size));
    out->text = mq_span_text(equals + 1);
    if (out->field == NULL || out->field->number < MQ_FIELD_ID)
        return mq_fail(error, MQ_REFUSED, _("\"%.*s\" is no key of a %s"), (int)size, text, kind->key);
    if (out->field->merge == MQ_MERGE_SET && out->operation == '=')
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is a set: add with %s+=VALUE, take out with %s-=VALUE"),
                       out->field->key, out->field->key, out->field->key);
    if (out->field->merge == MQ_MERGE_WORDS && out->operation == '-')
        return mq_fail(error, MQ_REFUSED, _("a person's own words stay as they are; add to them with %s+=VALUE"),
                       out->field->key);
    if (out->field->merge == MQ_MERGE_REGISTER && out->operation != '=')
        return mq_fail(error, MQ_REFUSED, _("\"%s\" has one value: write %s=VALUE"), out->field->key, out->field->key);
    if (out->field->flags & MQ_FIELD_MADE)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is given by the device and stays"), out->field->key);
    return MQ_OK;
}

/* Lists and objects are JSON; everything else is taken as the text that it is. */
static enum mq_status value_read(struct mq_replica *replica, const struct mq_team *team, const struct assignment *one,
                                 struct mq_buffer *memory, struct mq_saved *saved, struct mq_span *value,
                                 struct mq_error *error)
{
    struct mq_remarks remarks = {.typed = true};
    struct mq_json *json;
    bool structured = mq_type_is_list(one->field->type);
    uint8_t *quoted_memory = mq_work_memory(MQ_LINE_MAX * 6 + 8);
    struct mq_buffer quoted = mq_buffer(quoted_memory, MQ_LINE_MAX * 6 + 8);
    if (!mq_utf8_valid(one->text) || one->text.size > MQ_LINE_MAX)
        quoted.failed = true;
    else if (structured)
        mq_put_span(&quoted, one->text);
    else {
        if (one->field->merge == MQ_MERGE_SET)
            mq_put_text(&quoted, "[");
        mq_json_put_string(&quoted, one->text);
        if (one->field->merge == MQ_MERGE_SET)
            mq_put_text(&quoted, "]");
    }
    enum mq_status status =
        quoted.failed ? mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), one->field->key)
                      : mq_json_parse(&json, mq_written(&quoted), error);
    if (status == MQ_OK) {
        status = mq_parse_value(replica, team, one->field, json, memory, &remarks, value, error);
        remarks_take(saved, &remarks);
        mq_json_free(json);
    }
    mq_work_free(quoted_memory, quoted.size);
    return status;
}

/* What a new value replaces: the shown choice, and nothing the person did not see. For a set's element: all that say
 * the same. */
static enum mq_status names_replaced(const struct mq_field_state *here, const struct assignment *one,
                                     struct mq_span element, struct mq_span *out, struct mq_error *error)
{
    *out = (struct mq_span){0};
    if (one->field->merge == MQ_MERGE_REGISTER && here != NULL && here->choice_count > 0)
        *out = mq_span(here->choices[0].names, here->choices[0].name_count * MQ_NAME_SIZE);
    if (one->operation != '-')
        return MQ_OK;
    for (size_t i = 0; here != NULL && i < here->choice_count; i++)
        if (mq_span_equal(here->choices[i].value, element))
            *out = mq_span(here->choices[i].names, here->choices[i].name_count * MQ_NAME_SIZE);
    return out->size > 0 ? MQ_OK
                         : mq_fail(error, MQ_REFUSED, _("\"%.*s\" is not in \"%s\", so it cannot be taken out"),
                                   (int)one->text.size, (const char *)one->text.data, one->field->key);
}

static enum mq_status assign(struct mq_replica *replica, const struct mq_team *team, const uint8_t record[MQ_ID_SIZE],
                             const struct assignment *one, struct edit_work *work, struct mq_error *error)
{
    struct mq_buffer memory = mq_buffer(work->memory->values, sizeof work->memory->values);
    struct mq_buffer change = mq_buffer(work->memory->change, sizeof work->memory->change);
    struct mq_group_state state;
    struct mq_span value, replaced;
    uint8_t id[MQ_ID_SIZE], about[MQ_ID_SIZE];
    enum mq_status status = value_read(replica, team, one, &memory, work->saved, &value, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, record, &state, error);
    if (status != MQ_OK)
        return status;
    if (one->field->merge == MQ_MERGE_SET) { /* the one element of the array */
        struct mq_reader reader = mq_reader(value);
        if (mq_cbor_array(&reader, 1) != 1)
            return mq_fail(error, MQ_REFUSED, _("\"%s\": one value at a time"), one->field->key);
        value = mq_cbor_take(&reader);
    }
    if (one->operation != '-') {
        status = mq_notice_edit(replica, record, one->field, value, work->saved, error);
        if (status == MQ_OK)
            status = mq_view_group(replica, record, &state, error); /* the memory it pointed into was used */
        if (status != MQ_OK)
            return status;
    }
    const struct mq_field_state *here = mq_group_field(&state, one->field->number);
    if (one->operation == '=' && here != NULL && here->choice_count == 1 && mq_span_equal(here->choices[0].value, value))
        return MQ_OK; /* it says so already */
    status = names_replaced(here, one, value, &replaced, error);
    if (status == MQ_OK && one->operation == '=')
        status = mq_guard_check(one->field, here == NULL ? mq_span(NULL, 0) : here->choices[0].value, value,
                                mq_role_rank(team->certificate.role), work->reason, error);
    if (status != MQ_OK)
        return status;
    memcpy(about, state.canonical, MQ_ID_SIZE);
    if (one->operation == '-')
        mq_change_put_remove(&change, about, one->field->number, replaced);
    else if (one->field->merge == MQ_MERGE_REGISTER)
        mq_change_put_set(&change, about, one->field->number, value, replaced, work->reason);
    else
        mq_change_put_add(&change, about, one->field->number, value);
    if (change.failed)
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), one->field->key);
    return mq_journal_add(replica, team, mq_written(&change), about, id, error);
}

/* What is shown of a field with codes; 0: nothing. */
static uint64_t code_shown(const struct mq_group_state *state, const struct mq_field *field)
{
    const struct mq_field_state *here = mq_group_field(state, field->number);
    struct mq_reader reader = mq_reader(here == NULL ? mq_span(NULL, 0) : here->choices[0].value);
    return mq_cbor_uint(&reader);
}

static bool is_assigned(const struct edit_work *work, const struct mq_field *field)
{
    size_t size = strlen(field->key);
    for (size_t i = 0; i < work->count; i++)
        if (strncmp(work->assignments[i], field->key, size) == 0 && work->assignments[i][size] == '=')
            return true;
    return false;
}

/* After an edit, a second level stands below its first (mq_parse_record does it for new records). */
static enum mq_status keep_levels(struct mq_replica *replica, const struct mq_team *team, const struct mq_kind *kind,
                                  struct edit_work *work, struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < kind->field_count && status == MQ_OK; i++) {
        const struct mq_field *second = &kind->fields[i], *first = mq_field_first_level(kind, second);
        if (first == NULL || !(is_assigned(work, first) || is_assigned(work, second)))
            continue;
        status = mq_view_group(replica, work->saved->record, &state, error);
        if (status != MQ_OK)
            return status;
        uint64_t below = code_shown(&state, second), above = code_shown(&state, first), wanted = below / MQ_CODE_CHILDREN;
        if (wanted == 0 || above == wanted)
            continue;
        if (above != 0)
            return mq_fail(error, MQ_REFUSED, _("\"%s\" %04u belongs to \"%s\" %02u, not to %02u; set both together"),
                           second->key, (unsigned)below, first->key, (unsigned)wanted, (unsigned)above);
        char text[24];
        snprintf(text, sizeof text, "%u", (unsigned)wanted);
        const struct assignment one = {.field = first, .operation = '=', .text = mq_span_text(text)};
        status = assign(replica, team, work->saved->record, &one, work, error);
    }
    return status;
}

/* To what was sealed here only words can be added: what a value would replace is not on this screen. */
static enum mq_status add_to_matter(struct mq_replica *replica, const struct mq_matter *matter,
                                    struct edit_work *work, struct mq_error *error)
{
    struct mq_saved *saved = work->saved;
    struct mq_buffer text = mq_buffer(saved->id, sizeof saved->id - 1);
    struct mq_team team;
    uint8_t id[MQ_ID_SIZE];
    memcpy(saved->record, matter->record, MQ_ID_SIZE);
    enum mq_status status = mq_team_find(replica, matter->team, &team, error);
    if (status == MQ_OK)
        status = mq_print_reference(replica, matter->record, &text, error);
    for (size_t i = 0; status == MQ_OK && i < work->count; i++) {
        struct mq_buffer memory = mq_buffer(work->memory->values, sizeof work->memory->values);
        struct mq_buffer change = mq_buffer(work->memory->change, sizeof work->memory->change);
        struct assignment one = {.operation = '='};
        struct mq_span value;
        status = assignment_read(mq_kind_by_number(matter->kind), work->assignments[i], &one, error);
        if (status == MQ_OK && one.field->merge != MQ_MERGE_WORDS)
            status = mq_fail(error, MQ_REFUSED,
                             _("\"%s\" was sealed for the county and cannot be read here: only words can be added to it, "
                               "words+=TEXT; say there what is different now"),
                             saved->id);
        if (status == MQ_OK)
            status = value_read(replica, &team, &one, &memory, saved, &value, error);
        if (status != MQ_OK)
            return status;
        mq_change_put_add(&change, matter->record, one.field->number, value);
        status = change.failed ? mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"),
                                         one.field->key)
                               : mq_journal_add(replica, &team, mq_written(&change), matter->record, id, error);
    }
    return status;
}

static enum mq_status edit(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct edit_work *work = context;
    struct mq_saved *saved = work->saved;
    struct mq_team team;
    struct mq_matter matter;
    uint64_t kind;
    uint8_t team_id[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(replica, NULL, work->record, saved->record, error);
    if (status == MQ_NOT_FOUND) {
        status = mq_matter_instead(replica, status, work->record, &matter, error);
        return status == MQ_OK ? add_to_matter(replica, &matter, work, error) : status;
    }
    if (status == MQ_OK)
        status = mq_view_kind(replica, saved->record, &kind, team_id, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team_id, &team, error);
    struct mq_buffer text = mq_buffer(saved->id, sizeof saved->id - 1);
    if (status == MQ_OK)
        status = mq_print_reference(replica, saved->record, &text, error);
    for (size_t i = 0; status == MQ_OK && i < work->count; i++) {
        struct assignment one = {.operation = '='};
        status = assignment_read(mq_kind_by_number(kind), work->assignments[i], &one, error);
        if (status == MQ_OK)
            status = assign(replica, &team, saved->record, &one, work, error);
    }
    return status == MQ_OK ? keep_levels(replica, &team, mq_kind_by_number(kind), work, error) : status;
}

enum mq_status mq_records_set(struct mq_replica *replica, struct mq_span record, const char *const *assignments,
                              size_t count, struct mq_span reason, struct mq_saved *saved, struct mq_error *error)
{
    *saved = (struct mq_saved){.known = false};
    if (!mq_utf8_valid(reason) || reason.size > MQ_SHORT_TEXT_MAX)
        return mq_fail(error, MQ_REFUSED, _("the reason is longer than %d bytes, or not UTF-8"), MQ_SHORT_TEXT_MAX);
    uint8_t reason_memory[MQ_SHORT_TEXT_MAX];
    memcpy(reason_memory, reason.data, reason.size);
    saved->masked = mq_mask(reason_memory, reason.size, true);
    struct edit_work work = {.record = record,
                             .assignments = assignments,
                             .count = count,
                             .reason = mq_span(reason_memory, reason.size),
                             .saved = saved,
                             .memory = mq_work_memory(sizeof(struct write_memory))};
    enum mq_status status = mq_replica_transact(replica, edit, &work, error);
    mq_work_free(work.memory, sizeof *work.memory);
    return status;
}
