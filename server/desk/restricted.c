/* The exact copy with restricted matters, and the note that it left. */
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "protocol/compartment.h"
#include "replica/records.h"
#include "server/desk/call_keys.h"
#include "server/desk/ledger_keys.h"

#define NOTE_SIZE 4096

/* How many such records of the team leave: what is noted is itself restricted (protocol/kinds.c), so it tells nobody who
 * could not count them himself. */
static enum mq_status count_rows(struct mq_call *call, const struct mq_team *team, const struct mq_kind *kind,
                                 int64_t *rows, struct mq_error *error)
{
    return mq_db_number(mq_replica_db(call->desk->replica), rows, error,
                        "SELECT count(*) FROM state AS s JOIN record AS r ON r.record = s.canonical WHERE r.team = ?1"
                        " AND (r.compartment = ?2 OR r.compartment >= ?3) AND NOT s.deleted AND s.kind > 0"
                        " AND (?4 = 0 OR s.kind = ?4)",
                        "biii", MQ_SPAN(team->team), (int64_t)MQ_COMPARTMENT_RESTRICTED,
                        (int64_t)MQ_COMPARTMENT_CASE_FIRST, kind == NULL ? (int64_t)0 : (int64_t)kind->number);
}

static enum mq_status note_team(struct mq_call *call, const struct mq_team *team, int64_t rows, struct mq_error *error)
{
    uint8_t memory[NOTE_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_json *object;
    struct mq_saved saved;
    char day[11];
    mq_date_print(day, mq_call_today(call));
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "kind", "exported");
    mq_json_text_pair(&writer, "date", day);
    mq_json_text_pair(&writer, "what", call->line->words[0]);
    mq_json_text_pair(&writer, "format", "jsonl");
    mq_json_int_pair(&writer, "rows", rows);
    mq_json_bool_pair(&writer, "restricted", true);
    mq_json_text_pair(&writer, "reason", mq_call_given(call, "reason"));
    mq_json_text_pair(&writer, "recipient", mq_call_given(call, "recipient"));
    mq_json_end(&writer, '}');
    if (out.failed)
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), "reason");
    enum mq_status status = mq_json_parse(&object, mq_written(&out), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(call->desk->replica, team, object, &saved, error);
    mq_json_free(object);
    return status;
}

/* For each team that has such records; before anything is given out. */
static enum mq_status note_all(struct mq_call *call, const struct mq_kind *kind, struct mq_error *error)
{
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(call->desk, &teams, &count, error);
    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        int64_t rows = 0;
        status = count_rows(call, &teams[i], kind, &rows, error);
        if (status != MQ_OK || rows == 0)
            continue;
        status = note_team(call, &teams[i], rows, error);
        call->changed = true;
    }
    free(teams);
    return status;
}

enum mq_status mq_export_restricted(struct mq_call *call, const struct mq_kind *kind, const struct mq_emitter *emitter,
                                    struct mq_error *error)
{
    const char *reason = mq_option_get(call->line, "reason");
    if (reason == NULL || *reason == '\0')
        return mq_fail(error, MQ_REFUSED,
                       _("--restricted hands on what people said in confidence: say why with --reason TEXT"));
    enum mq_status status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = note_all(call, kind, error);
    return status == MQ_OK ? mq_records_export_restricted(call->desk->replica, kind, emitter, error) : status;
}
