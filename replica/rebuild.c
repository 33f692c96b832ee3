/* The derived tables made again from the truth: journal and segments. */
#include <string.h>

#include "protocol/assert.h"
#include "replica/admit_keys.h"
#include "replica/erase.h"
#include "replica/revoke.h"
#include "replica/search_index.h"
#include "replica/view.h"

static const char drop[] = "DELETE FROM change; DELETE FROM record; DELETE FROM link; DELETE FROM state; DELETE FROM refers;"
    " DELETE FROM twice; DELETE FROM other;"
    " DELETE FROM need_step; DELETE FROM need_state; DELETE FROM need_number; DELETE FROM need_touched;";

/* What was admitted, what did not decode, and what lies beyond a cut goes through the door again. What else was
 * quarantined was judged by rules that a rebuild does not change. */
static enum mq_status readmit(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_admitted result = {0};
    mq_chain_reset(&replica->chain);
    enum mq_status status = mq_db_run(
        replica->db, error,
        "UPDATE segment SET state = 0 WHERE (state = 1 AND NOT " MQ_SEGMENT_SEALED_AWAY ")"
        " OR (state = 2 AND reason = 'revoked') OR (state = 3 AND NOT EXISTS"
        " (SELECT 1 FROM segment AS p WHERE p.id = segment.previous AND (p.erased = 2 OR p.kept)))",
        "");
    return status == MQ_OK ? mq_admit_waiting(replica, &result, error) : status;
}

struct open_change {
    uint8_t id[MQ_ID_SIZE], record[MQ_ID_SIZE], team[MQ_ID_SIZE];
};

static enum mq_status rejournal_row(struct mq_replica *replica, struct mq_query *query, int64_t *minutes,
                                    int64_t *batch, struct mq_error *error)
{
    struct mq_change change;
    struct mq_team team;
    uint8_t names[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    struct mq_buffer buffer = mq_buffer(names, sizeof names);
    struct open_change open;
    struct mq_span expanded = mq_db_blob(query, 1);
    if (*batch != mq_db_int(query, 3))
        *minutes = 0;
    *batch = mq_db_int(query, 3);
    *minutes += mq_db_int(query, 2);
    memcpy(open.id, mq_db_blob(query, 0).data, MQ_ID_SIZE);
    memcpy(open.team, mq_db_blob(query, 5).data, MQ_ID_SIZE);
    enum mq_status status = mq_change_decode(&change, expanded, &buffer);
    if (status != MQ_OK)
        return mq_fail(error, MQ_DAMAGED, _("a change in the journal is damaged; the other records are not touched"));
    if (change.type == MQ_CHANGE_ERASE) {
        const struct mq_erase_scope scope = {open.team, (uint32_t)mq_db_int(query, 6)};
        return mq_erase_note(replica, &scope, mq_db_int(query, 4) + *minutes * 60, expanded, error);
    }
    if (change.type == MQ_CHANGE_RETURN)
        return MQ_OK; /* it shows nothing */
    memcpy(open.record, change.type == MQ_CHANGE_CREATE ? open.id : change.record, MQ_ID_SIZE);
    status = mq_team_find(replica, open.team, &team, error);
    if (status != MQ_OK)
        return status;
    struct mq_said said = {.compartment = (uint32_t)mq_db_int(query, 6)};
    mq_key_name(said.writer, replica->identity->sign_public);
    const struct mq_view_change row = {.id = open.id,
                                       .record = open.record,
                                       .team = open.team,
                                       .rank = mq_role_rank(team.certificate.role),
                                       .serial = team.certificate.serial,
                                       .said = said,
                                       .segment = -*batch,
                                       .wall = mq_db_int(query, 4) + *minutes * 60,
                                       .expanded = expanded};
    status = mq_view_add(replica, &row, error);
    return status == MQ_OK ? mq_view_settle(replica, open.record, error) : status;
}

static enum mq_status rejournal(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_query *query;
    int64_t minutes = 0, batch = 0;
    enum mq_status status = mq_db_query(
        replica->db, &query, error,
        "SELECT j.id, j.expanded, j.minutes, j.batch, b.wall, m.team, m.compartment FROM journal AS j JOIN batch AS b ON b.number = j.batch"
        " JOIN mailbox AS m USING(mailbox) ORDER BY j.number",
        "");
    if (status != MQ_OK)
        return status;
    while (status == MQ_OK && mq_db_next(&query, error))
        status = rejournal_row(replica, query, &minutes, &batch, error);
    mq_db_done(&query);
    return status != MQ_OK ? status : error->status;
}

static enum mq_status rebuild(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    enum mq_status status = mq_db_script(replica->db, drop, error);
    if (status == MQ_OK)
        status = mq_db_script(replica->db, mq_search_drop, error);
    if (status == MQ_OK)
        status = mq_revoke_reload(replica, error);
    if (status == MQ_OK)
        status = readmit(replica, error);
    if (status == MQ_OK)
        status = rejournal(replica, error);
    replica->regrouped = true;
    if (status == MQ_OK)
        status = mq_view_settle_references(replica, error);
    return status == MQ_OK ? mq_erase_settle(replica, error) : status;
}

enum mq_status mq_view_rebuild(struct mq_replica *replica, struct mq_error *error)
{
    return mq_replica_transact(replica, rebuild, NULL, error);
}
