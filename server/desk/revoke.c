/* `member held`, `member revoke`, `desk adopt` and `team rotate`: a device is lost, and what follows. */
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/compartment.h"
#include "replica/cases.h"
#include "replica/outgoing.h"
#include "replica/revoke.h"
#include "replica/rotate.h"
#include "server/desk/call_keys.h"
#include "server/desk/member_keys.h"
#include "server/desk/rights_keys.h"

#define LINE_SIZE 2048

/* ---- what a device could read ---- */

/* Records of each kind that could have been on the device, of the compartments that its keys open. Nothing here knows who
 * wrote what. */
struct held {
    unsigned rights; /* that it has or had */
    int64_t counts[UINT8_MAX + 1];
};

/* The keys of restricted matters open what was written since he was named; but since when that was, for each matter, no
 * desk can say for sure that was brought back from a backup. So all of them count: rather too much than too little. */
static enum mq_status find_held(struct mq_desk *desk, const struct mq_member *member, struct held *held,
                                struct mq_error *error)
{
    const struct mq_certificate *certificate = &member->certificate;
    struct mq_query *query;

    *held = (struct held){0};
    enum mq_status status = mq_rights_ever(desk, member, &held->rights, error);
    if (status == MQ_OK)
        status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                             "SELECT s.kind, count(*) FROM state AS s JOIN record AS r ON r.record = s.canonical"
                             " WHERE s.kind BETWEEN 1 AND 255 AND NOT s.deleted AND r.team = ?1 AND (r.compartment IN (?2, ?3)"
                             " OR (?4 AND r.compartment = ?5) OR (?6 AND (r.compartment = ?7 OR r.compartment >= ?8)))"
                             " GROUP BY s.kind",
                             "biiiiiii", MQ_SPAN(certificate->team), (int64_t)MQ_COMPARTMENT_TEAM,
                             (int64_t)mq_compartment_case(certificate->serial), /* in which he is answered himself */
                             (int64_t)(held->rights & MQ_RIGHT_SENSITIVE), (int64_t)MQ_COMPARTMENT_SENSITIVE,
                             (int64_t)(held->rights & MQ_RIGHT_RESTRICTED), (int64_t)MQ_COMPARTMENT_RESTRICTED,
                             (int64_t)MQ_COMPARTMENT_CASE_FIRST);
    while (status == MQ_OK && mq_db_next(&query, error))
        held->counts[mq_db_int(query, 0)] = mq_db_int(query, 1);
    return status == MQ_OK ? error->status : status;
}

static void put_held(struct mq_json_writer *writer, const struct held *held)
{
    mq_json_key(writer, "held");
    mq_json_begin(writer, '{');
    for (unsigned number = 1; number <= UINT8_MAX; number++) {
        const struct mq_kind *kind = mq_kind_by_number(number);
        if (kind == NULL || held->counts[number] == 0)
            continue;
        mq_json_key(writer, kind->key);
        mq_json_int_value(writer, held->counts[number]);
    }
    mq_json_end(writer, '}');
}

static void print_held(struct mq_call *call, const struct mq_member *member, const struct held *held, bool revoked)
{
    uint8_t memory[LINE_SIZE], id[MQ_KID_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};

    mq_key_name(id, member->certificate.sign_public);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_hex_value(&writer, MQ_SPAN(id));
    mq_json_key(&writer, "revoked");
    mq_json_bool_value(&writer, revoked);
    put_held(&writer, held);
    mq_json_key(&writer, "sensitive");
    mq_json_bool_value(&writer, (held->rights & MQ_RIGHT_SENSITIVE) != 0);
    mq_json_key(&writer, "restricted");
    mq_json_bool_value(&writer, (held->rights & MQ_RIGHT_RESTRICTED) != 0);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
}

static void tell_held(struct mq_call *call, const struct mq_member *member, const struct held *held)
{
    mq_say(call->out, _("What the device of %s could read:\n"), member->name);
    for (unsigned number = 1; number <= UINT8_MAX; number++) {
        const struct mq_kind *kind = mq_kind_by_number(number);
        if (kind != NULL && held->counts[number] > 0)
            fprintf(call->out, "  %s: %lld\n", _(kind->key), (long long)held->counts[number]);
    }
    fprintf(call->out, "%s\n",
            held->rights & MQ_RIGHT_SENSITIVE
                ? _("The fields on health, standing and children were among it.")
                : _("The fields on health, standing and children were not among it."));
    if (held->rights & MQ_RIGHT_RESTRICTED)
        fprintf(call->out, "%s\n", _("Restricted matters were among it."));
}

enum mq_status mq_verb_member_held(struct mq_call *call, struct mq_error *error)
{
    struct mq_member member;
    struct held held;
    enum mq_status status = mq_call_merge(call, error);

    if (status == MQ_OK)
        status = mq_member_find(call->desk, call->line->words[0], &member, error);
    if (status == MQ_OK)
        status = find_held(call->desk, &member, &held, error);
    if (status != MQ_OK)
        return status;
    if (mq_call_json(call))
        print_held(call, &member, &held, member.revoked);
    else
        tell_held(call, &member, &held);
    return MQ_OK;
}

/* ---- member revoke ---- */

struct revoke {
    struct mq_desk *desk;
    struct mq_member member;
};

static enum mq_status revoke(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct revoke *work = context;

    (void)replica;
    return mq_member_revoke(work->desk, &work->member, error);
}

/* A township's desk has its rights in each team by itself: one that is lost has to lose them in all. */
static enum mq_status tell_other_teams(struct mq_call *call, const struct mq_member *member, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(mq_replica_db(call->desk->replica), &query, error,
                                        "SELECT t.name, m.serial FROM member AS m JOIN team AS t USING(team)"
                                        " WHERE m.sign_public = ? AND m.state = 0 ORDER BY m.serial",
                                        "b", MQ_SPAN(member->certificate.sign_public));

    while (status == MQ_OK && mq_db_next(&query, error)) {
        struct mq_span team = mq_db_text(query, 0);
        mq_say(call->talk, _("It still has its rights in the team \"%.*s\". If it is lost: minqingd member revoke %lld\n"),
               (int)team.size, (const char *)team.data, (long long)mq_db_int(query, 1));
    }
    mq_db_done(&query);
    return status == MQ_OK ? error->status : status;
}

enum mq_status mq_verb_member_revoke(struct mq_call *call, struct mq_error *error)
{
    struct revoke work = {.desk = call->desk};
    struct mq_replica *replica = call->desk->replica;
    struct held held;
    enum mq_status status = mq_call_merge(call, error); /* what the relay has by now is not late */

    if (status == MQ_OK)
        status = mq_member_find(call->desk, call->line->words[0], &work.member, error);
    if (status == MQ_OK)
        status = find_held(call->desk, &work.member, &held, error);
    if (status == MQ_OK)
        status = mq_seal_all(replica, error);
    if (status == MQ_OK)
        status = mq_replica_transact(replica, revoke, &work, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    if (mq_call_json(call)) {
        print_held(call, &work.member, &held, true);
        return tell_other_teams(call, &work.member, error);
    }
    tell_held(call, &work.member, &held);
    mq_say(call->out,
           _("%s's device has no rights any more, and the keys are changed. What was merged of it stays; what it still "
             "brings waits in `desk quarantine` until you let it in with `desk adopt`.\n"),
           work.member.name);
    return tell_other_teams(call, &work.member, error);
}

/* ---- desk adopt ---- */

static enum mq_status find_segment(struct mq_desk *desk, const char *text, uint8_t id[MQ_SEGMENT_ID_SIZE],
                                   struct mq_error *error)
{
    size_t length = strlen(text);
    uint8_t front[MQ_SEGMENT_ID_SIZE] = {0};
    struct mq_query *query;
    int found = 0;
    bool plain = length >= 6 && length <= 2 * MQ_SEGMENT_ID_SIZE && length % 2 == 0 &&
                 mq_hex_read(front, length / 2, mq_span(text, length));
    if (!plain)
        return mq_fail(error, MQ_REFUSED,
                       _("\"%s\" is no id of `desk quarantine`: 64 digits from 0 to f, or an even number of them, at least "
                         "6, from the front"),
                       text);
    enum mq_status status = mq_db_query(mq_replica_db(desk->replica), &query, error,
                                        "SELECT id FROM segment WHERE substr(id, 1, ?) = ? AND state <> 1 LIMIT 2", "ib",
                                        (int64_t)(length / 2), mq_span(front, length / 2));
    while (status == MQ_OK && mq_db_next(&query, error)) {
        memcpy(id, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
        found++;
    }
    if (status == MQ_OK)
        status = error->status;
    if (status == MQ_OK && found == 0)
        return mq_fail(error, MQ_REFUSED, _("nothing that waits here has the id \"%s\"; `desk quarantine` lists what does"),
                       text);
    if (status == MQ_OK && found > 1)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" fits several pieces; say more of the id"), text);
    return status;
}

static enum mq_status adopt(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const uint8_t *id = context;

    return mq_adopt(replica, id, error);
}

static enum mq_status adopt_one(struct mq_call *call, const char *text, struct mq_error *error)
{
    uint8_t id[MQ_SEGMENT_ID_SIZE], memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    enum mq_status status = find_segment(call->desk, text, id, error);

    if (status == MQ_OK)
        status = mq_replica_transact(call->desk->replica, adopt, id, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_hex_value(&writer, MQ_SPAN(id));
    mq_json_key(&writer, "adopted");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
    return MQ_OK;
}

enum mq_status mq_verb_desk_adopt(struct mq_call *call, struct mq_error *error)
{
    enum mq_status status = mq_call_merge(call, error);

    if (status == MQ_OK)
        status = mq_seal_all(call->desk->replica, error);
    for (int i = 0; i < call->line->word_count && status == MQ_OK; i++)
        status = adopt_one(call, call->line->words[i], error);
    return status;
}

/* ---- team rotate ---- */

static enum mq_status rotate(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_rotate(replica, context, error);
}

enum mq_status mq_verb_team_rotate(struct mq_call *call, struct mq_error *error)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    struct mq_team team;
    struct mq_grant grant;
    const char *name = call->line->word_count > 0 ? call->line->words[0] : NULL;
    enum mq_status status = mq_call_team(call, name, &team, error);

    if (status == MQ_OK)
        status = mq_replica_transact(call->desk->replica, rotate, &team, error);
    if (status == MQ_OK)
        status = mq_grant_newest(call->desk->replica, team.mailbox, &grant, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    if (!mq_call_json(call)) {
        mq_say(call->out, _("The key of \"%s\" is changed; its devices hear of it with their next sync.\n"), team.name);
        return MQ_OK;
    }
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "team");
    mq_json_hex_value(&writer, MQ_SPAN(team.team));
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, team.name);
    mq_json_key(&writer, "epoch");
    mq_json_int_value(&writer, grant.epoch);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    mq_call_print(call, mq_written(&line));
    return MQ_OK;
}
