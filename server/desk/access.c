/* Access lists: whose tokens may use the relay, signed by the desk, without the tokens themselves. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/exchange.h"
#include "replica/outbox.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/rights_keys.h"

#define LIST_SIZE (MQ_ACCESS_ENTRIES_MAX * MQ_ACCESS_ENTRY_SIZE)

static void put_entry(struct mq_buffer *body, const uint8_t token_hash[MQ_ID_SIZE],
                      const uint8_t sign_public[MQ_PUBLIC_SIZE], uint8_t rights)
{
    struct mq_access access = {.rights = rights};

    memcpy(access.token_hash, token_hash, sizeof access.token_hash);
    mq_key_name(access.key_name, sign_public);
    mq_access_put(body, &access);
}

/* Whom this desk had forgotten and revoked all the same has no token here (server/desk/member_end.c). */
static enum mq_status put_entries(struct mq_desk *desk, const struct mq_team *team, struct mq_buffer *body,
                                  struct mq_error *error)
{
    uint8_t own[MQ_ID_SIZE];
    struct mq_query *query;

    mq_token_hash(own, team->token);
    put_entry(body, own, mq_replica_identity(desk->replica)->sign_public,
              MQ_ACCESS_DESK | mq_rights_access(MQ_RIGHT_RESTRICTED | MQ_RIGHT_SENSITIVE));
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT token_hash, sign_public, rights, state FROM member WHERE team = ?"
                                        " AND token_hash <> zeroblob(16) ORDER BY serial",
                                        "b", MQ_SPAN(team->team));
    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_span hash = mq_db_blob(query, 0), key = mq_db_blob(query, 1);
        MQ_ASSERT(hash.size == MQ_ID_SIZE && key.size == MQ_PUBLIC_SIZE);
        put_entry(body, hash.data, key.data,
                  mq_db_int(query, 3) == 0 ? mq_rights_access((unsigned)mq_db_int(query, 2)) : MQ_ACCESS_REVOKED);
    }
    return status == MQ_OK ? error->status : status;
}

enum mq_status mq_access_update(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    uint8_t body_memory[LIST_SIZE], object_memory[MQ_CONTROL_HEAD_SIZE + LIST_SIZE + MQ_SIGNATURE_SIZE];
    uint8_t slot_memory[sizeof "access:" + MQ_ID_SIZE];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory);
    struct mq_buffer object = mq_buffer(object_memory, sizeof object_memory);
    struct mq_buffer slot = mq_buffer(slot_memory, sizeof slot_memory);
    struct mq_control control = {.kind = MQ_CONTROL_ACCESS, .wall_seconds = mq_now(desk->platform)};

    enum mq_status status = put_entries(desk, team, &body, error);
    if (status == MQ_OK)
        status = mq_control_number(desk->replica, &control.number, error);
    if (status != MQ_OK)
        return status;
    MQ_ASSERT(!body.failed); /* a team is refused before it has too many members */
    control.body = mq_written(&body);
    memcpy(control.team, team->team, sizeof control.team);
    status = mq_control_sign(&object, &control, mq_replica_identity(desk->replica));
    MQ_ASSERT(status == MQ_OK);
    mq_put_text(&slot, "access:");
    mq_put(&slot, team->team, sizeof team->team);
    return mq_outbox_put(desk->replica, MQ_FRAME_CONTROL, mq_written(&slot), mq_written(&object), error);
}
