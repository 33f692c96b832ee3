/* Reference data written by a desk, in all its teams at once (replica/reference.h). */
#include "replica/reference.h"

#include <stdio.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "replica/reference_check.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

bool mq_reference_kind(const struct mq_kind *kind)
{
    return kind != NULL && kind->desk_only && kind->number != MQ_KIND_EXPORTED;
}

static enum mq_status no_such_kind(struct mq_error *error)
{
    return mq_fail(error, MQ_REFUSED, _("reference data is code, place, unit, calendar or preset"));
}

/* ---- ids ---- */

/* A whole number that an object has, as a number or as text; -1: none. */
static int64_t number_in(const struct mq_json *object, const char *key)
{
    const struct mq_json *value = mq_json_get(object, key);
    if (value != NULL && mq_json_type(value) == MQ_JSON_INTEGER)
        return mq_json_integer(value);
    int64_t number = 0;
    struct mq_span text = value != NULL && mq_json_type(value) == MQ_JSON_STRING ? mq_json_string(value)
                                                                                 : mq_span(NULL, 0);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > MQ_CODE_NUMBER_MAX)
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return text.size > 0 ? number : -1;
}

/* What the record is about says what it is called, so that two desks who speak of one thing write one record. */
static enum mq_status id_of(const struct mq_kind *kind, const struct mq_json *object, struct mq_buffer *out,
                            struct mq_error *error)
{
    const struct mq_json *list = mq_json_get(object, "list"), *given = mq_json_get(object, "id");
    int64_t number = number_in(object, kind->number == MQ_KIND_CODE ? "code" : "year");
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    if (kind->number == MQ_KIND_CODE && list != NULL && mq_json_type(list) == MQ_JSON_STRING && number > 0) {
        mq_put_span(out, mq_json_string(list));
        mq_put_text(out, ":");
        mq_put_text(out, text);
    } else if (kind->number == MQ_KIND_CALENDAR && number > 0) {
        mq_put_text(out, text);
    }
    if (out->failed)
        return mq_fail(error, MQ_REFUSED, _("\"id\" should be 1 to %d bytes without control characters"),
                       MQ_RECORD_ID_TEXT_MAX);
    if (out->size > 0 && given != NULL &&
        (mq_json_type(given) != MQ_JSON_STRING || !mq_span_equal(mq_json_string(given), mq_written(out))))
        return mq_fail(error, MQ_REFUSED, _("the \"id\" of this %s is %.*s; leave it out"), kind->key, (int)out->size,
                       (const char *)out->data);
    return MQ_OK;
}

static enum mq_status find_in(struct mq_replica *replica, const struct mq_team *team, const struct mq_kind *kind,
                              struct mq_span id, uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8];
    struct mq_buffer value = mq_buffer(memory, sizeof memory);
    if (mq_value_from_text(mq_field_by_number(kind, MQ_FIELD_ID), id, &value) != MQ_OK)
        return MQ_NOT_FOUND;
    return mq_view_by_id(replica, team->team, kind->number, mq_written(&value), canonical, error);
}

/* ---- adding ---- */

struct add_work {
    const struct mq_reference_teams *teams;
    const struct mq_json *object;
    const struct mq_kind *kind;
    struct mq_saved *saved;
};

static enum mq_status add(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct add_work *work = context;
    char memory[MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_reference_before before;
    enum mq_status status = id_of(work->kind, work->object, &id, error);
    if (status == MQ_OK)
        status = mq_reference_before(replica, work->kind, mq_written(&id), &before, error);
    for (size_t i = 0; i < work->teams->count && status == MQ_OK; i++) {
        struct mq_saved one;
        struct mq_span name = i == 0 ? mq_written(&id) : mq_span_text(work->saved->id);
        status = mq_records_add_as(replica, &work->teams->teams[i], work->object, name, &one, error);
        if (i == 0)
            *work->saved = one;
        else
            work->saved->known = work->saved->known && one.known;
    }
    return status == MQ_OK ? mq_reference_check(replica, work->kind, &work->teams->teams[0],
                                                mq_span_text(work->saved->id), &before, error)
                           : status;
}

enum mq_status mq_reference_add(struct mq_replica *replica, const struct mq_reference_teams *teams,
                                const struct mq_json *object, struct mq_saved *saved, struct mq_error *error)
{
    const struct mq_json *kind = mq_json_type(object) == MQ_JSON_OBJECT ? mq_json_get(object, "kind") : NULL;
    struct add_work work = {.teams = teams, .object = object, .saved = saved};
    if (kind != NULL && mq_json_type(kind) == MQ_JSON_STRING)
        work.kind = mq_kind_by_key(mq_json_string(kind));
    *saved = (struct mq_saved){.known = false};
    if (!mq_reference_kind(work.kind))
        return no_such_kind(error);
    if (teams->count == 0)
        return mq_fail(error, MQ_REFUSED, _("there is no team yet; `minqingd team add NAME` makes one"));
    return mq_replica_transact(replica, add, &work, error);
}

/* ---- editing ---- */

struct set_work {
    const struct mq_reference_teams *teams;
    struct mq_span id;
    const char *const *assignments;
    size_t count;
    struct mq_saved *saved;
    const struct mq_kind *kind;
};

/* Which kind has a record with that id, in any of the teams. MQ_NOT_FOUND. */
static enum mq_status kind_of(struct mq_replica *replica, struct set_work *work, struct mq_error *error)
{
    uint8_t canonical[MQ_ID_SIZE];
    for (size_t k = 0; k < mq_kind_count; k++)
        for (size_t i = 0; mq_reference_kind(&mq_kinds[k]) && i < work->teams->count; i++) {
            enum mq_status status =
                find_in(replica, &work->teams->teams[i], &mq_kinds[k], work->id, canonical, error);
            if (status == MQ_OK)
                work->kind = &mq_kinds[k];
            if (status != MQ_NOT_FOUND)
                return status;
        }
    return MQ_NOT_FOUND;
}

/* The first record about a code that came with the program: only list and number. */
static enum mq_status begin_code(struct mq_replica *replica, struct set_work *work, struct mq_error *error)
{
    const uint8_t *colon = work->id.size > 0 ? memchr(work->id.data, ':', work->id.size) : NULL;
    size_t at = colon == NULL ? 0 : (size_t)(colon - work->id.data);
    const struct mq_code_list *list = mq_code_list_by_name(mq_span(work->id.data, at));
    uint8_t memory[4 * MQ_NAME_TEXT_MAX];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &text};
    struct mq_json *object;
    if (list == NULL)
        return mq_fail(error, MQ_NOT_FOUND, _("there is no reference data \"%.*s\" here; `reference list` shows what there is"),
                       (int)work->id.size, (const char *)work->id.data);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, "code");
    mq_json_key(&writer, "list");
    mq_json_text_value(&writer, list->name);
    mq_json_key(&writer, "code");
    mq_json_string_value(&writer, mq_span(colon + 1, work->id.size - at - 1));
    mq_json_end(&writer, '}');
    enum mq_status status = text.failed ? mq_fail(error, MQ_REFUSED, _("the number of a code is 1 to %d"), MQ_CODE_NUMBER_MAX)
                                        : mq_json_parse(&object, mq_written(&text), error);
    if (status != MQ_OK)
        return status;
    status = mq_reference_add(replica, work->teams, object, work->saved, error);
    mq_json_free(object);
    return status;
}

/* What a record is about stays; everything else of it may change. */
static enum mq_status check_assignments(const struct set_work *work, struct mq_error *error)
{
    static const char *const kept[] = {"id=", "list=", "code=", "year="};
    for (size_t i = 0; i < work->count; i++)
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
            if (strncmp(work->assignments[i], kept[k], strlen(kept[k])) == 0)
                return mq_fail(error, MQ_REFUSED, _("\"%.*s\" says what the record is about, and stays"),
                               (int)strlen(kept[k]) - 1, kept[k]);
    return MQ_OK;
}

static enum mq_status set_in(struct mq_replica *replica, struct set_work *work, const struct mq_team *team,
                             struct mq_error *error)
{
    uint8_t canonical[MQ_ID_SIZE];
    char hex[2 * MQ_ID_SIZE + 1];
    struct mq_saved one;
    enum mq_status status = find_in(replica, team, work->kind, work->id, canonical, error);
    if (status == MQ_NOT_FOUND) { /* a team that was made while others had it already */
        status = mq_reference_copy(replica, team, error);
        if (status == MQ_OK)
            status = find_in(replica, team, work->kind, work->id, canonical, error);
    }
    if (status != MQ_OK)
        return status;
    mq_hex_write(hex, MQ_SPAN(canonical));
    status = mq_records_set(replica, mq_span_text(hex), work->assignments, work->count, mq_span(NULL, 0),
                            &one, error);
    if (status == MQ_OK)
        *work->saved = one;
    return status;
}

static enum mq_status set(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct set_work *work = context;
    struct mq_reference_before before;
    enum mq_status status = kind_of(replica, work, error);
    if (status == MQ_NOT_FOUND) {
        status = begin_code(replica, work, error);
        work->kind = mq_kind_by_number(MQ_KIND_CODE);
    }
    if (status == MQ_OK)
        status = check_assignments(work, error);
    if (status == MQ_OK)
        status = mq_reference_before(replica, work->kind, work->id, &before, error);
    for (size_t i = 0; i < work->teams->count && status == MQ_OK; i++)
        status = set_in(replica, work, &work->teams->teams[i], error);
    return status == MQ_OK
               ? mq_reference_check(replica, work->kind, &work->teams->teams[0], work->id, &before, error)
               : status;
}

enum mq_status mq_reference_set(struct mq_replica *replica, const struct mq_reference_teams *teams, struct mq_span id,
                                const char *const *assignments, size_t count, struct mq_saved *saved,
                                struct mq_error *error)
{
    struct set_work work = {.teams = teams, .id = id, .assignments = assignments, .count = count, .saved = saved};
    *saved = (struct mq_saved){.known = false};
    if (teams->count == 0)
        return mq_fail(error, MQ_REFUSED, _("there is no team yet; `minqingd team add NAME` makes one"));
    return mq_replica_transact(replica, set, &work, error);
}
