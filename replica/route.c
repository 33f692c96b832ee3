/* The rules of route.h. */
#include "replica/route.h"

#include <string.h>

#include "protocol/change.h"
#include "protocol/compartment.h"
#include "protocol/record.h"
#include "replica/cases.h"
#include "replica/catalogue.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

struct route_work {
    struct mq_replica *replica;
    const struct mq_team *team;
    bool restricts;                 /* by a value of its own */
    bool points;                    /* to a restricted record */
    uint8_t pointed_to[MQ_ID_SIZE]; /* the first such */
};

/* ---- what a create says ---- */

/* Every reference within a value, whatever its shape. */
static enum mq_status look_at_references(struct route_work *work, struct mq_span value, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(value);
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && !work->points && mq_left(&reader) > 0 && !reader.failed) {
        if (mq_cbor_next(&reader).type != MQ_CBOR_REFERENCE)
            continue;
        struct mq_span record = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (record.size != MQ_ID_SIZE)
            continue;
        status = mq_view_restricted(work->replica, record.data, &work->points, error);
        memcpy(work->pointed_to, record.data, MQ_ID_SIZE);
    }
    return status;
}

static enum mq_status look_at_create(struct route_work *work, const struct mq_kind *kind,
                                     const struct mq_change *change, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(change->fields);
    uint64_t count = mq_cbor_map(&reader, MQ_FIELDS_MAX);
    enum mq_status status = MQ_OK;
    for (uint64_t i = 0; i < count && status == MQ_OK; i++) {
        const struct mq_field *field = mq_field_by_number(kind, mq_cbor_uint(&reader));
        struct mq_span value = mq_cbor_take(&reader);
        bool restricts = false;
        if (field != NULL)
            status = mq_catalogue_restricts(work->replica, field, value, &restricts, error);
        work->restricts = work->restricts || restricts;
        if (status == MQ_OK)
            status = look_at_references(work, value, error);
    }
    return status;
}

/* ---- about a restricted record ---- */

enum mq_status mq_route_reads(struct mq_replica *replica, const struct mq_team *team, uint32_t compartment, bool *reads,
                              struct mq_error *error)
{
    struct mq_grant newest;
    uint8_t mailbox[MQ_ID_SIZE], kid[MQ_KID_SIZE];
    int64_t held = 0;
    if (mq_role_governs(team->certificate.role)) /* it makes the keys itself; from an old backup it goes on with what it has */
        return mq_key_here(replica, team->team, compartment, reads, error);
    mq_mailbox(mailbox, team->team, compartment);
    enum mq_status status = mq_grant_newest(replica, mailbox, &newest, error);
    *reads = false;
    if (status != MQ_OK)
        return status == MQ_NOT_FOUND ? MQ_OK : status;
    mq_grant_kid(kid, &newest);
    status = mq_db_number(replica->db, &held, error, "SELECT count(*) FROM grants WHERE kid = ? AND key IS NOT NULL", "b",
                          MQ_SPAN(kid));
    *reads = status == MQ_OK && held > 0;
    return status;
}

/* `answers`: a record of its own, which its author shall read. */
static enum mq_status follow(struct route_work *work, const uint8_t record[MQ_ID_SIZE], bool answers,
                             uint32_t *compartment, struct mq_error *error)
{
    struct mq_belongs about;
    bool reads = false, open = false;
    enum mq_status status = mq_view_belongs(work->replica, record, &about, error);
    *compartment = about.compartment;
    if (status != MQ_OK || mq_compartment_is_case(about.compartment))
        return status;
    status = mq_route_reads(work->replica, work->team, MQ_COMPARTMENT_RESTRICTED, &reads, error);
    if (status != MQ_OK || (reads && !answers))
        return status;
    status = mq_case_open(work->replica, work->team, record, &about, &open, error);
    *compartment = open ? about.home : MQ_COMPARTMENT_RESTRICTED;
    return status;
}

/* ---- what is sensitive ---- */

/* Nobody could save such a record without a sensitive value, so all of it is. */
static bool kind_is_sensitive(const struct mq_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if ((kind->fields[i].flags & MQ_FIELD_CLASS_B) && (kind->fields[i].flags & MQ_FIELD_REQUIRED))
            return true;
    return false;
}

/* Where it is not granted, as in a team that was made by an older program, what is sensitive stays the team's. */
static enum mq_status sensitive_or_team(struct mq_replica *replica, const struct mq_team *team, uint32_t *compartment,
                                        struct mq_error *error)
{
    uint8_t mailbox[MQ_ID_SIZE];
    int64_t granted = 0;
    mq_mailbox(mailbox, team->team, MQ_COMPARTMENT_SENSITIVE);
    enum mq_status status = mq_db_number(replica->db, &granted, error,
                                         "SELECT EXISTS (SELECT 1 FROM grants WHERE mailbox = ?)", "b", MQ_SPAN(mailbox));
    *compartment = granted != 0 ? MQ_COMPARTMENT_SENSITIVE : MQ_COMPARTMENT_TEAM;
    return status;
}

enum mq_status mq_route_apart(struct mq_replica *replica, const struct mq_team *team, const struct mq_kind *kind,
                              bool *apart, struct mq_error *error)
{
    uint32_t compartment;
    enum mq_status status = sensitive_or_team(replica, team, &compartment, error);
    *apart = status == MQ_OK && compartment == MQ_COMPARTMENT_SENSITIVE && !kind_is_sensitive(kind);
    return status;
}

/* ---- both ---- */

static enum mq_status route_create(struct route_work *work, const struct mq_change *change, uint32_t *compartment,
                                   struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(change->kind);
    if (kind == NULL)
        return MQ_OK; /* nothing is written here that this program does not know */
    enum mq_status status = look_at_create(work, kind, change, error);
    if (status != MQ_OK)
        return status;
    if (!work->restricts && !work->points)
        return kind_is_sensitive(kind) ? sensitive_or_team(work->replica, work->team, compartment, error) : MQ_OK;
    if (work->points && !work->restricts && !mq_kind_restricts(kind))
        return follow(work, work->pointed_to, true, compartment, error);
    *compartment = MQ_COMPARTMENT_RESTRICTED;
    return MQ_OK;
}

/* What hangs on an open record is seen by all: also that there is something restricted, and whom it concerns. */
static enum mq_status points_nowhere(struct route_work *work, const struct mq_kind *kind,
                                     const struct mq_change *change, struct mq_error *error)
{
    enum mq_status status = look_at_references(work, change->value, error);
    if (status != MQ_OK || !work->points)
        return status;
    return mq_fail(error, MQ_REFUSED,
                   _("this %s is open to the whole team, and what it would point to is only for the county to read: leave "
                     "it as it is, and say there which one is meant"),
                   kind->key);
}

/* A guarded field may be raised where the record is; what would hide it comes too late. */
static enum mq_status route_open(struct route_work *work, const uint8_t record[MQ_ID_SIZE],
                                 const struct mq_change *change, uint32_t *compartment, struct mq_error *error)
{
    uint64_t number;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_view_kind(work->replica, record, &number, team, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK;
    const struct mq_kind *kind = mq_kind_by_number(number);
    const struct mq_field *field = mq_field_by_number(kind, change->field);
    bool restricts = false;
    if (status == MQ_OK && field != NULL && field->guard == MQ_GUARD_NONE)
        status = mq_catalogue_restricts(work->replica, field, change->value, &restricts, error);
    if (status == MQ_OK && restricts)
        return mq_fail(error, MQ_REFUSED,
                       _("this %s is open to the whole team already, and a \"%s\" of this sort is only for the county to "
                         "read: write it down anew with it, and withdraw this one"),
                       kind->key, field->key);
    if (status == MQ_OK && field != NULL)
        status = points_nowhere(work, kind, change, error);
    if (status != MQ_OK || field == NULL || !(field->flags & MQ_FIELD_CLASS_B))
        return status;
    return sensitive_or_team(work->replica, work->team, compartment, error);
}

enum mq_status mq_route(struct mq_replica *replica, const struct mq_team *team, struct mq_span expanded,
                        const uint8_t *record, uint32_t *compartment, struct mq_error *error)
{
    struct route_work work = {.replica = replica, .team = team};
    struct mq_change change;
    uint8_t names_memory[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer names = mq_buffer(names_memory, sizeof names_memory);
    struct mq_belongs about = {.compartment = MQ_COMPARTMENT_TEAM};
    *compartment = MQ_COMPARTMENT_TEAM;
    if (mq_change_decode(&change, expanded, &names) != MQ_OK)
        return mq_fail(error, MQ_FAULT, "a change is not of its type's shape");
    if (record == NULL)
        return route_create(&work, &change, compartment, error);
    enum mq_status status = mq_view_belongs(replica, record, &about, error);
    if (status != MQ_OK && status != MQ_NOT_FOUND)
        return status;
    if (mq_compartment_restricted(about.compartment))
        return follow(&work, record, false, compartment, error);
    status = route_open(&work, record, &change, compartment, error);
    if (about.compartment == MQ_COMPARTMENT_SENSITIVE) /* a record of that compartment hears nothing else */
        *compartment = MQ_COMPARTMENT_SENSITIVE;
    return status;
}
