/* Whether two records are one: said, taken back, or said not to be so (docs/protocol.md, section 6). */
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/convert.h"
#include "replica/journal.h"
#include "replica/ledger_value.h"
#include "replica/records.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define PREFIX_MIN 6 /* hexadecimal digits of a record's own id, as mq_view_find takes them */

/* ---- which record is meant ---- */

struct side {
    struct mq_team team;
    uint8_t canonical[MQ_ID_SIZE]; /* of its group */
    uint8_t named[MQ_SAME_NAME_MAX][MQ_ID_SIZE]; /* the members that go by the given name themselves; at least one */
    size_t count;
    const struct mq_kind *kind;
};

/* Was `text` given to this very record when it was made, as its `id` or as a number such as a need's `no`? */
static bool create_names(const struct mq_kind *kind, struct mq_span expanded, struct mq_span text)
{
    uint8_t names[MQ_REPLACED_MAX * MQ_NAME_SIZE], memory[MQ_LONG_TEXT_MAX + 64];
    struct mq_buffer unused = mq_buffer(names, sizeof names), shown = mq_buffer(memory, sizeof memory);
    struct mq_change change;
    if (mq_change_decode(&change, expanded, &unused) != MQ_OK || change.type != MQ_CHANGE_CREATE)
        return false;
    struct mq_reader reader = mq_reader(change.fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    for (uint64_t i = 0; i < count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, mq_cbor_uint(&reader));
        struct mq_span value = mq_cbor_take(&reader);
        shown.size = 0;
        if (field != NULL && (field->flags & MQ_FIELD_IDENTITY) && mq_value_valid(field, value) &&
            mq_value_to_text(field, value, &shown) == MQ_OK && mq_span_equal(mq_written(&shown), text))
            return true;
    }
    return false;
}

static bool hex_names(const uint8_t record[MQ_ID_SIZE], struct mq_span text)
{
    char hex[2 * MQ_ID_SIZE + 1];
    mq_hex_write(hex, mq_span(record, MQ_ID_SIZE));
    return text.size >= PREFIX_MIN && text.size <= 2 * MQ_ID_SIZE && memcmp(hex, text.data, text.size) == 0;
}

/* The members of the group that go by this name themselves: several where one `id` was imported on two devices. Once merged,
 * both names lead to one group, so the group does not say which was meant. */
static enum mq_status members_named(struct mq_replica *replica, struct mq_span text, struct side *side,
                                    struct mq_error *error)
{
    struct mq_query *query;
    side->count = 0;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT r.record, c.expanded FROM record AS r LEFT JOIN change AS c ON c.id = r.record WHERE r.canonical = ?"
        " ORDER BY r.record",
        "b", MQ_SPAN(side->canonical));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        const uint8_t *record = mq_db_blob(query, 0).data;
        if (side->count < MQ_SAME_NAME_MAX &&
            (hex_names(record, text) || create_names(side->kind, mq_db_blob(query, 1), text)))
            memcpy(side->named[side->count++], record, MQ_ID_SIZE);
    }
    if (side->count == 0) /* by a name that it was given later */
        memcpy(side->named[side->count++], side->canonical, MQ_ID_SIZE);
    return error->status;
}

static enum mq_status side_find(struct mq_replica *replica, struct mq_span text, struct side *out, struct mq_error *error)
{
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(replica, NULL, text, out->canonical, error);
    if (status == MQ_OK)
        status = mq_view_kind(replica, out->canonical, &kind, team, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team, &out->team, error);
    if (status == MQ_OK && (out->kind = mq_kind_by_number(kind)) == NULL)
        status = mq_fail(error, MQ_REFUSED,
                         _("this record is of a kind that this version does not know; update the program"));
    return status == MQ_OK ? members_named(replica, text, out, error) : status;
}

struct link_work {
    struct mq_span texts[2];
    bool undo, though_joined; /* the second: undoing one of several ways in which they are joined is fine */
    struct side sides[2];
};

static enum mq_status sides_find(struct mq_replica *replica, struct link_work *work, struct mq_error *error)
{
    enum mq_status status = side_find(replica, work->texts[0], &work->sides[0], error);
    if (status == MQ_OK)
        status = side_find(replica, work->texts[1], &work->sides[1], error);
    if (status == MQ_OK && mq_role_rank(work->sides[0].team.certificate.role) < MQ_RANK_DESK)
        return mq_fail(error, MQ_REFUSED, _("whether two records are one is decided at the desk"));
    return status;
}

/* ---- may they be one? ---- */

static enum mq_status is_for_few(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], bool *few,
                                 struct mq_error *error)
{
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, record, &state, error);
    *few = status == MQ_OK && mq_is_for_few(replica, &state);
    return status;
}

/* Readers join restricted matters of one author only: in one case two authors would read each other's answers. */
static enum mq_status same_author(struct mq_replica *replica, const struct side *a, const struct side *b,
                                  struct mq_error *error)
{
    struct mq_belongs first, second;
    enum mq_status status = mq_view_belongs(replica, a->canonical, &first, error);
    if (status == MQ_OK)
        status = mq_view_belongs(replica, b->canonical, &second, error);
    if (status == MQ_OK && (first.compartment != second.compartment || first.home != second.home))
        return mq_fail(error, MQ_REFUSED,
                       _("these two were told to different people, each in confidence; they stay apart, so that neither reads "
                         "what is for the other"));
    return status;
}

static enum mq_status sides_match(struct mq_replica *replica, const struct link_work *work, struct mq_error *error)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];
    bool first = false, second = false;
    if (a->kind != b->kind)
        return mq_fail(error, MQ_REFUSED, _("a %s and a %s are never one"), a->kind->key, b->kind->key);
    if (memcmp(a->team.team, b->team.team, MQ_ID_SIZE) != 0)
        return mq_fail(error, MQ_REFUSED, _("these two belong to different teams; only what one team wrote can be one"));
    if (memcmp(a->canonical, b->canonical, MQ_ID_SIZE) == 0)
        return mq_fail(error, MQ_REFUSED, _("these are one record already"));
    enum mq_status status = is_for_few(replica, a->canonical, &first, error);
    if (status == MQ_OK)
        status = is_for_few(replica, b->canonical, &second, error);
    if (status == MQ_OK && first != second)
        return mq_fail(error, MQ_REFUSED,
                       _("one of these is for named persons only and the other is not; they stay apart, so that nothing of "
                         "the one is seen in the other"));
    return status == MQ_OK && first ? same_author(replica, a, b, error) : status;
}

/* ---- writing and taking back one element of a set of references ---- */

static enum mq_status element_add(struct mq_replica *replica, const struct side *from, const struct side *to,
                                  uint8_t field, struct mq_error *error)
{
    uint8_t memory[128], value_memory[32], id[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, sizeof memory), value = mq_buffer(value_memory, sizeof value_memory);
    mq_put_reference(&value, to->named[0]);
    mq_change_put_add(&change, from->named[0], field, mq_written(&value));
    MQ_ASSERT(!change.failed && !value.failed);
    return mq_journal_add(replica, &from->team, mq_written(&change), from->named[0], id, error);
}

/* The names of `record`'s own elements of the field that say `reference`. */
static enum mq_status element_names(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], uint8_t field,
                                    struct mq_span reference, struct mq_buffer *names, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT id, expanded FROM change WHERE record = ?",
                                        "b", mq_span(record, MQ_ID_SIZE));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        uint8_t memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
        struct mq_buffer unused = mq_buffer(memory, sizeof memory);
        struct mq_change change;
        uint8_t *name;
        if (mq_change_decode(&change, mq_db_blob(query, 1), &unused) == MQ_OK && change.type == MQ_CHANGE_ADD &&
            change.field == field && mq_span_equal(change.value, reference) &&
            (name = mq_reserve(names, MQ_NAME_SIZE)) != NULL)
            mq_element_name(name, mq_db_blob(query, 0).data, change.value);
    }
    return error->status;
}

/* Does it still say so? What was taken back once is no reason to take it back again. */
static enum mq_status element_stands(struct mq_replica *replica, const uint8_t from[MQ_ID_SIZE],
                                     const uint8_t to[MQ_ID_SIZE], uint8_t field, bool *stands, struct mq_error *error)
{
    int64_t count = 0;
    enum mq_status status =
        field == MQ_FIELD_SAME_AS
            ? mq_db_number(replica->db, &count, error, "SELECT count(*) FROM link WHERE a = ? AND b = ?", "bb",
                           mq_span(from, MQ_ID_SIZE), mq_span(to, MQ_ID_SIZE))
            : mq_db_number(replica->db, &count, error,
                           "SELECT count(*) FROM refers WHERE source = (SELECT canonical FROM record WHERE record = ?)"
                           " AND field = ? AND target = ?",
                           "bib", mq_span(from, MQ_ID_SIZE), (int64_t)field, mq_span(to, MQ_ID_SIZE));
    *stands = count > 0;
    return status;
}

static enum mq_status element_remove(struct mq_replica *replica, const struct mq_team *team,
                                     const uint8_t from[MQ_ID_SIZE], const uint8_t to[MQ_ID_SIZE], uint8_t field,
                                     bool *found, struct mq_error *error)
{
    uint8_t names_memory[MQ_REPLACED_MAX * MQ_NAME_SIZE], value_memory[32], id[MQ_ID_SIZE];
    uint8_t change_memory[sizeof names_memory * 2];
    struct mq_buffer names = mq_buffer(names_memory, sizeof names_memory),
                     value = mq_buffer(value_memory, sizeof value_memory);
    struct mq_buffer change = mq_buffer(change_memory, sizeof change_memory);
    mq_put_reference(&value, to);
    bool stands;
    enum mq_status status = element_stands(replica, from, to, field, &stands, error);
    if (status == MQ_OK && stands)
        status = element_names(replica, from, field, mq_written(&value), &names, error);
    if (status != MQ_OK || names.size == 0)
        return status;
    *found = true;
    mq_change_put_remove(&change, from, field, mq_written(&names));
    MQ_ASSERT(!change.failed);
    return mq_journal_add(replica, team, mq_written(&change), from, id, error);
}

/* All that either says of the other. */
static enum mq_status elements_remove(struct mq_replica *replica, const struct link_work *work, uint8_t field,
                                      bool *found, struct mq_error *error)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; status == MQ_OK && j < b->count; j++) {
            status = element_remove(replica, &a->team, a->named[i], b->named[j], field, found, error);
            if (status == MQ_OK)
                status = element_remove(replica, &b->team, b->named[j], a->named[i], field, found, error);
        }
    return status;
}

/* ---- what still joins two records ---- */

struct path {
    uint8_t records[MQ_GROUP_MAX][MQ_ID_SIZE];
    size_t from[MQ_GROUP_MAX]; /* by which one it was reached */
    size_t count;
};

static void reach(struct path *path, struct mq_span record, size_t from)
{
    for (size_t i = 0; i < path->count; i++)
        if (memcmp(path->records[i], record.data, MQ_ID_SIZE) == 0)
            return;
    if (path->count == MQ_GROUP_MAX)
        return;
    path->from[path->count] = from;
    memcpy(path->records[path->count++], record.data, MQ_ID_SIZE);
}

static enum mq_status reach_neighbours(struct mq_replica *replica, struct path *path, size_t at, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT b FROM link WHERE a = ?1 UNION SELECT a FROM link WHERE b = ?1"
        " UNION SELECT other.record FROM record AS mine JOIN record AS other ON other.kind = mine.kind"
        " AND other.id = mine.id AND other.team = mine.team WHERE mine.record = ?1 AND mine.id IS NOT NULL",
        "b", MQ_SPAN(path->records[at]));
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        reach(path, mq_db_blob(query, 0), at);
    return error->status;
}

/* "A - C - B", by the ids that people know. */
static enum mq_status path_print(struct mq_replica *replica, const struct path *path, size_t at, struct mq_buffer *out,
                                 struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (;; at = path->from[at]) {
        status = mq_print_reference(replica, path->records[at], out, error);
        if (status != MQ_OK || at == 0)
            break;
        mq_put_text(out, " - ");
    }
    return status;
}

/* Refuses, saying by which others the two are still one. */
static enum mq_status still_joined(struct mq_replica *replica, const uint8_t a[MQ_ID_SIZE], const uint8_t b[MQ_ID_SIZE],
                                   struct mq_error *error)
{
    struct path *path = mq_work_memory(sizeof *path);
    uint8_t memory[MQ_SHORT_TEXT_MAX];
    struct mq_buffer text = mq_buffer(memory, sizeof memory - 1);
    enum mq_status status = MQ_OK;
    size_t at = 0;
    path->count = 0;
    reach(path, mq_span(b, MQ_ID_SIZE), 0); /* from its end, so that it reads from `a` */
    for (; at < path->count && status == MQ_OK && memcmp(path->records[at], a, MQ_ID_SIZE) != 0; at++)
        status = reach_neighbours(replica, path, at, error);
    if (status == MQ_OK && at < path->count)
        status = path_print(replica, path, at, &text, error);
    text.data[text.size] = '\0';
    if (status == MQ_OK)
        status = mq_fail(error, MQ_REFUSED,
                         _("these two are still joined through other records: %s; take those apart first, or where they form a ring, "
                           "one of its links with --link. Nothing was changed"),
                         (const char *)text.data);
    mq_work_free(path, sizeof *path);
    return status;
}

static enum mq_status apart_or_refuse(struct mq_replica *replica, const struct link_work *work, struct mq_error *error)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];
    int64_t same;
    enum mq_status status = mq_db_number(
        replica->db, &same, error,
        "SELECT (SELECT canonical FROM record WHERE record = ?) = (SELECT canonical FROM record WHERE record = ?)", "bb",
        MQ_SPAN(a->named[0]), MQ_SPAN(b->named[0]));
    return status == MQ_OK && same != 0 ? still_joined(replica, a->named[0], b->named[0], error) : status;
}

/* ---- the two sayings ---- */

static enum mq_status same(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct link_work *work = context;
    bool found = false;
    enum mq_status status = sides_find(replica, work, error);
    if (status == MQ_OK && !work->undo)
        status = sides_match(replica, work, error);
    if (status != MQ_OK)
        return status;
    if (!work->undo)
        return element_add(replica, &work->sides[0], &work->sides[1], MQ_FIELD_SAME_AS, error);
    status = elements_remove(replica, work, MQ_FIELD_SAME_AS, &found, error);
    if (status == MQ_OK && !found)
        return mq_fail(error, MQ_REFUSED, _("nobody said that these two are one; there is nothing to undo"));
    return status == MQ_OK && !work->though_joined ? apart_or_refuse(replica, work, error) : status;
}

enum mq_status mq_records_unlink(struct mq_replica *replica, struct mq_span a, struct mq_span b, struct mq_error *error)
{
    struct link_work work = {.texts = {a, b}, .undo = true, .though_joined = true};
    return mq_replica_transact(replica, same, &work, error);
}

enum mq_status mq_records_merge(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                struct mq_error *error)
{
    struct link_work work = {.texts = {a, b}, .undo = undo};
    return mq_replica_transact(replica, same, &work, error);
}

static enum mq_status distinct(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct link_work *work = context;
    bool found = false;
    enum mq_status status = sides_find(replica, work, error);
    if (status == MQ_OK && !work->undo)
        status = sides_match(replica, work, error);
    if (status != MQ_OK)
        return status;
    const struct mq_field *field = mq_field_by_key(work->sides[0].kind, mq_span_text("not_same_as"));
    if (field == NULL)
        return mq_fail(error, MQ_REFUSED, _("that two records are different is said of households and of needs"));
    if (!work->undo)
        return element_add(replica, &work->sides[0], &work->sides[1], field->number, error);
    status = elements_remove(replica, work, field->number, &found, error);
    if (status == MQ_OK && !found)
        return mq_fail(error, MQ_REFUSED, _("nobody said that these two are different; there is nothing to undo"));
    return status;
}

enum mq_status mq_records_distinct(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                   struct mq_error *error)
{
    struct link_work work = {.texts = {a, b}, .undo = undo};
    return mq_replica_transact(replica, distinct, &work, error);
}
