/* Notices and consents of a household. Where nobody was told, a record is kept all the same, because what was heard must
 * not be lost; the person is told what to do. Only a child's record, and what goes against a consent that was taken back,
 * is refused. */
#include "replica/notice.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define DAY_SECONDS 86400
#define CHILD_YEARS 14
enum { BASIS_GUARDIAN = 3, BAND_CHILD = 1 }; /* codes of docs/domain.md, section 3.1 */

enum standing_of_notice { NONE, GIVEN, WITHDRAWN };

static int32_t today(const struct mq_replica *replica)
{
    const struct mq_platform *platform = replica->platform;
    return (int32_t)((mq_now(platform) + platform->utc_offset(platform->self)) / DAY_SECONDS);
}

/* The best of the household's notices up to today; with `guardian` only consents of a guardian. */
static enum mq_status look_up(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE], bool guardian,
                              enum standing_of_notice *out, struct mq_error *error)
{
    struct mq_query *query;
    const uint64_t now = (uint64_t)today(replica);
    *out = NONE;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT DISTINCT f.source FROM record AS one JOIN record AS h ON h.canonical = one.canonical"
        " JOIN refers AS f ON f.target = h.record AND f.field = 3 JOIN state AS s ON s.canonical = f.source AND s.kind = 10"
        " WHERE one.record = ?",
        "b", mq_span(household, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && *out != GIVEN && mq_db_next(&query, error)) {
        struct mq_group_state state;
        uint8_t record[MQ_ID_SIZE];
        memcpy(record, mq_db_blob(query, 0).data, sizeof record);
        status = mq_view_group(replica, record, &state, error);
        if (status != MQ_OK || mq_shown_number(&state, "date") > now ||
            (guardian && mq_shown_number(&state, "basis") != BASIS_GUARDIAN))
            continue;
        uint64_t withdrawn = mq_shown_number(&state, "withdrawn");
        *out = withdrawn == 0 || withdrawn > now ? GIVEN : WITHDRAWN;
    }
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

const char *mq_saved_unnoticed(const struct mq_saved *saved)
{
    return !saved->without_notice
               ? NULL
               : _("It is saved. This is sensitive, and nothing says that the family was told it is kept; once you have told "
                   "them: `add notice --household ID --version 1 --date DATE`");
}

/* Something of class B about this household; NULL: one that is only being made. */
static enum mq_status sensitive(struct mq_replica *replica, const uint8_t *household, bool import, struct mq_saved *saved,
                                struct mq_error *error)
{
    enum standing_of_notice notice = NONE;
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX + 1] = {0};
    struct mq_buffer id = mq_buffer(memory, sizeof memory - 1);
    enum mq_status status = household == NULL ? MQ_OK : look_up(replica, household, false, &notice, error);
    if (status == MQ_OK && household != NULL)
        status = mq_print_reference(replica, household, &id, error);
    if (status != MQ_OK)
        return status;
    if (notice == WITHDRAWN && !import)
        return mq_fail(error, MQ_REFUSED,
                       _("the family took its consent back, so nothing sensitive is written down about it; if they agree "
                         "again: `add notice --household %s --version 1 --date DATE --basis 本人同意`"),
                       (const char *)memory);
    saved->without_notice = notice != GIVEN;
    return MQ_OK;
}

/* Class B is a matter of the field, but for the few codes that say that there is nothing to say. */
static bool is_sensitive(const struct mq_field *field, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    if (field->type != MQ_TYPE_CODE)
        return true;
    const struct mq_code *code = mq_code_by_number(field->codes, mq_cbor_uint(&reader));
    return code == NULL || !(code->flags & MQ_CODE_ORDINARY);
}

static bool says_something(const struct mq_parsed_field *given)
{
    struct mq_reader reader = mq_reader(given->value);
    if (!(given->field->flags & MQ_FIELD_CLASS_B))
        return false;
    if (given->field->merge != MQ_MERGE_SET)
        return is_sensitive(given->field, given->value);
    uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
    for (uint64_t i = 0; i < count; i++)
        if (is_sensitive(given->field, mq_cbor_take(&reader)))
            return true;
    return false;
}

static uint64_t number_given(const struct mq_parsed *parsed, const char *key)
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text(key));
    const struct mq_parsed_field *given = field == NULL ? NULL : mq_parsed_find(parsed, field->number);
    struct mq_reader reader = mq_reader(given == NULL ? mq_span(NULL, 0) : given->value);
    return given == NULL ? 0 : mq_cbor_uint(&reader);
}

static const uint8_t *household_given(const struct mq_parsed *parsed)
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text("household"));
    const struct mq_parsed_field *given = field == NULL ? NULL : mq_parsed_find(parsed, field->number);
    struct mq_reader reader = mq_reader(given == NULL ? mq_span(NULL, 0) : given->value);
    if (given == NULL || mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
        return NULL;
    struct mq_span record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
    return record.size == MQ_ID_SIZE ? record.data : NULL;
}

/* Under 14, or perhaps so: only the year is known. */
static bool is_child(const struct mq_replica *replica, const struct mq_parsed *parsed)
{
    char day[11];
    uint64_t year = number_given(parsed, "birth_year"), now = 0;
    mq_date_print(day, today(replica));
    for (size_t i = 0; i < 4; i++)
        now = now * 10 + (uint64_t)(day[i] - '0');
    return number_given(parsed, "age_band") == BAND_CHILD || (year > 0 && year + CHILD_YEARS >= now);
}

static enum mq_status child(struct mq_replica *replica, const uint8_t *household, bool import, struct mq_saved *saved,
                            struct mq_error *error)
{
    enum standing_of_notice consent;
    enum mq_status status = look_up(replica, household, true, &consent, error);
    if (status != MQ_OK || consent == GIVEN)
        return status;
    if (import) {
        saved->without_notice = true;
        return MQ_OK;
    }
    return mq_fail(error, MQ_REFUSED,
                   _("a child under 14 is written down only with a guardian's consent: first `add notice --household ID "
                     "--version 1 --date DATE --basis 监护人同意`. What cannot wait goes into a need of category 人身安全, "
                     "which needs no such record"));
}

enum mq_status mq_notice_new(struct mq_replica *replica, const struct mq_parsed *parsed, bool import,
                             struct mq_saved *saved, struct mq_error *error)
{
    const uint8_t *household = household_given(parsed);
    bool class_b = false;
    for (size_t i = 0; i < parsed->count; i++)
        class_b = class_b || says_something(&parsed->fields[i]);
    enum mq_status status = MQ_OK;
    if (parsed->kind->number == MQ_KIND_PERSON && household != NULL && is_child(replica, parsed))
        status = child(replica, household, import, saved, error);
    return status == MQ_OK && class_b ? sensitive(replica, household, import, saved, error) : status;
}

enum mq_status mq_notice_edit(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], const struct mq_field *field,
                              struct mq_span value, struct mq_saved *saved, struct mq_error *error)
{
    struct mq_group_state state;
    uint8_t household[MQ_ID_SIZE];
    if (!(field->flags & MQ_FIELD_CLASS_B) || !is_sensitive(field, value))
        return MQ_OK;
    memcpy(household, record, MQ_ID_SIZE);
    enum mq_status status = mq_view_group(replica, record, &state, error);
    if (status != MQ_OK || (state.kind != MQ_KIND_HOUSEHOLD && !mq_shown_reference(&state, "household", household)))
        return status;
    return sensitive(replica, household, false, saved, error);
}
