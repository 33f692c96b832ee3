/* `status` and `check`: how the centre stands, and whether everything in it still is what was written. */
#include <stdlib.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "replica/receipts.h"
#include "replica/records.h"
#include "server/centre_keys.h"
#include "server/desk/enrol_keys.h"

#define LINE_SIZE 1024

/* ---- status ---- */

struct standing {
    int64_t teams, members, invitations, desks_waiting, backup;
    struct mq_safety safety;
    struct mq_partition partition;
    bool root_here;
};

static enum mq_status find_standing(struct mq_call *call, struct standing *out, struct mq_error *error)
{
    struct mq_replica *replica = call->desk->replica;
    struct mq_db *db = mq_replica_db(replica);
    char root[MQ_PATH_MAX];
    struct mq_file_identity identity;
    struct mq_error missing = {0};
    enum mq_status status = mq_db_number(db, &out->teams, error, "SELECT count(*) FROM team", "");

    if (status == MQ_OK)
        status = mq_db_number(db, &out->members, error, "SELECT count(*) FROM member", "");
    if (status == MQ_OK)
        status = mq_db_number(db, &out->invitations, error,
                              "SELECT count(*) FROM invitation WHERE used_by IS NULL AND expiry_day >= ?", "i",
                              (int64_t)mq_desk_today(call->desk));
    if (status == MQ_OK)
        status = mq_enrol_waiting(call->desk, &out->desks_waiting, error);
    if (status == MQ_OK)
        status = mq_setting_number(replica, "backup", &out->backup, error);
    if (status == MQ_OK)
        status = mq_safety_count(replica, &out->safety, error);
    if (status == MQ_OK)
        status = mq_partition(replica, &out->partition, error);
    mq_home_path(root, call->desk->data, "root.key");
    out->root_here = call->desk->platform->identify(call->desk->platform->self, root, &identity, &missing) == MQ_OK;
    return status;
}

static void print_standing(struct mq_call *call, const struct standing *standing)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    const struct mq_partition *partition = &standing->partition;

    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "desk", call->desk->township ? "township" : "county");
    mq_json_int_pair(&writer, "teams", standing->teams);
    mq_json_int_pair(&writer, "members", standing->members);
    mq_json_int_pair(&writer, "invitations", standing->invitations);
    mq_json_int_pair(&writer, "desks_waiting", standing->desks_waiting);
    mq_json_int_pair(&writer, "records", standing->safety.records);
    mq_json_int_pair(&writer, "conflicts", standing->safety.conflicts);
    mq_json_int_pair(&writer, "admitted", partition->admitted);
    mq_json_int_pair(&writer, "waiting", partition->waiting);
    mq_json_int_pair(&writer, "quarantined", partition->quarantined);
    mq_json_int_pair(&writer, "undecodable", partition->undecodable);
    mq_json_int_pair(&writer, "backup", standing->backup);
    mq_json_bool_pair(&writer, "root_here", standing->root_here);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    if (mq_call_json(call)) {
        mq_call_print(call, mq_written(&line));
        return;
    }
    fprintf(call->out, _("%lld records of %lld members in %lld teams; %lld conflicts wait for a person\n"),
            (long long)standing->safety.records, (long long)standing->members, (long long)standing->teams,
            (long long)standing->safety.conflicts);
    fprintf(call->out,
            _("segments: %lld merged, %lld waiting, %lld quarantined, %lld undecodable; last backup: number %lld\n"),
            (long long)partition->admitted, (long long)partition->waiting, (long long)partition->quarantined,
            (long long)partition->undecodable, (long long)standing->backup);
}

enum mq_status mq_verb_status(struct mq_call *call, struct mq_error *error)
{
    struct standing standing = {0};
    enum mq_status status = mq_call_merge(call, error);

    if (status == MQ_OK)
        status = find_standing(call, &standing, error);
    if (status != MQ_OK)
        return status;
    print_standing(call, &standing);
    if (standing.desks_waiting > 0)
        fprintf(call->talk, "%s\n",
                _("A township's desk asks to join. Bring the root's key: minqingd member admit --root FILE"));
    if (standing.root_here)
        fprintf(call->talk, _("The root's key is still in %s/root.key. Move it to a stick that lies in a safe.\n"),
                call->desk->data);
    return MQ_OK;
}

/* ---- check ---- */

static void print_check(struct mq_call *call, const struct mq_check_result *result)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    mq_json_begin(&writer, '{');
    mq_json_int_pair(&writer, "segments", result->segments);
    mq_json_int_pair(&writer, "changes", result->changes);
    mq_json_int_pair(&writer, "records", result->records);
    mq_json_int_pair(&writer, "waiting", result->waiting);
    mq_json_int_pair(&writer, "quarantined", result->quarantined);
    mq_json_int_pair(&writer, "undecodable", result->undecodable);
    mq_json_int_pair(&writer, "forks", result->forks);
    mq_json_int_pair(&writer, "holes", result->holes);
    mq_json_int_pair(&writer, "erased", result->erased);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
}

enum mq_status mq_verb_check(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    struct mq_check_result result = {0};
    struct mq_error other = {0};
    enum mq_status store = MQ_OK;
    struct mq_buffer nothing = mq_buffer(malloc(MQ_REPLY_MAX), MQ_REPLY_MAX);

    mq_enough(nothing.data);
    enum mq_status desk = mq_records_check(call->desk->replica, mq_option_get(call->line, "rebuild") != NULL, &result, &emitter, error);
    if (mq_link_reaches_store(call->link))
        store = mq_link_ask(call->link, MQ_LINK_CHECK, mq_span(NULL, 0), &nothing, &other);
    free(nothing.data);
    if (desk == MQ_OK || desk == MQ_DAMAGED)
        print_check(call, &result);
    if (store != MQ_OK && desk != MQ_OK)
        fprintf(call->talk, "minqingd: %s\n", other.text); /* both are said */
    else if (store != MQ_OK)
        return mq_fail(error, store, "%s", other.text);
    return desk;
}
