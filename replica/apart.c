/* Sensitive fields apart from their record. */
#include "replica/apart.h"

#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "replica/journal.h"
#include "replica/keyring_keys.h"
#include "replica/replica_keys.h"
#include "replica/route.h"

enum mq_status mq_apart(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed, bool *apart,
                        struct mq_error *error)
{
    bool any = false;
    *apart = false;
    for (size_t i = 0; i < parsed->count; i++)
        any = any || (parsed->fields[i].field->flags & MQ_FIELD_CLASS_B) != 0;
    return any ? mq_route_apart(replica, team, parsed->kind, apart, error) : MQ_OK;
}

static enum mq_status write_value(struct mq_replica *replica, const struct mq_team *team,
                                  const struct mq_parsed_field *given, struct mq_span value,
                                  const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t *memory = mq_work_memory(MQ_CHANGE_MAX), id[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, MQ_CHANGE_MAX);
    if (given->field->merge == MQ_MERGE_SET)
        mq_change_put_add(&change, record, given->field->number, value);
    else
        mq_change_put_set(&change, record, given->field->number, value, mq_span(NULL, 0), mq_span(NULL, 0));
    enum mq_status status =
        change.failed ? mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"))
                      : mq_journal_add(replica, team, mq_written(&change), record, id, error);
    mq_work_free(memory, change.size);
    return status;
}

enum mq_status mq_apart_write(struct mq_replica *replica, const struct mq_team *team, const struct mq_parsed *parsed,
                              const uint8_t record[MQ_ID_SIZE], struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < parsed->count && status == MQ_OK; i++) {
        const struct mq_parsed_field *given = &parsed->fields[i];
        struct mq_reader reader = mq_reader(given->value);
        if (!(given->field->flags & MQ_FIELD_CLASS_B))
            continue;
        if (given->field->merge != MQ_MERGE_SET) {
            status = write_value(replica, team, given, given->value, record, error);
            continue;
        }
        uint64_t count = mq_cbor_array(&reader, MQ_SET_MAX);
        for (uint64_t e = 0; e < count && status == MQ_OK; e++)
            status = write_value(replica, team, given, mq_cbor_take(&reader), record, error);
    }
    return status;
}

enum mq_status mq_apart_hidden(struct mq_replica *replica, const struct mq_team *team, bool *hidden, struct mq_error *error)
{
    bool apart, readable = true;
    enum mq_status status =
        mq_route_apart(replica, team, mq_kind_by_number(MQ_KIND_HOUSEHOLD), &apart, error);
    if (status == MQ_OK && apart)
        status = mq_key_here(replica, team->team, MQ_COMPARTMENT_SENSITIVE, &readable, error);
    *hidden = status == MQ_OK && !readable;
    return status;
}
