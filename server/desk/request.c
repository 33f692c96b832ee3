/* What people may ask about their data: written down, decided, carried out (docs/domain.md, section 6.2). */
#include <stdlib.h>
#include <string.h>

#include "platform/hex.h"
#include "protocol/assert.h"
#include "replica/extract.h"
#include "replica/forget.h"
#include "replica/ledger_value.h"
#include "replica/view.h"
#include "server/desk/call_keys.h"

/* Codes of docs/domain.md, section 3.1. */
enum { RIGHT_SEE = 1, RIGHT_COPY = 2, RIGHT_CORRECT = 3, RIGHT_DELETE = 4, RIGHT_WITHDRAW = 5 };
enum { DECISION_YES = 1, DECISION_IN_PART = 2, DECISION_NO = 3 };

/* ---- adding ---- */

static enum mq_status household_team(struct mq_call *call, const char *id, uint8_t household[MQ_ID_SIZE],
                                     struct mq_team *team, struct mq_error *error)
{
    uint8_t team_id[MQ_ID_SIZE];
    uint64_t kind;
    struct mq_replica *replica = call->desk->replica;
    enum mq_status status =
        mq_view_find(replica, mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text(id), household, error);
    if (status == MQ_OK)
        status = mq_view_kind(replica, household, &kind, team_id, error);
    return status == MQ_OK ? mq_team_find(replica, team_id, team, error) : status;
}

static enum mq_status add(struct mq_call *call, const struct mq_team *team, struct mq_saved *saved,
                          struct mq_error *error)
{
    uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_json *object;
    const char *date = mq_call_given(call, "date");
    char day[11];
    mq_date_print(day, mq_call_today(call));
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "kind", "request");
    mq_json_text_pair(&writer, "household", mq_call_given(call, "household"));
    mq_json_text_pair(&writer, "right", mq_call_given(call, "right"));
    mq_json_text_pair(&writer, "by", mq_call_given(call, "by"));
    mq_json_text_pair(&writer, "text", mq_call_given(call, "text"));
    mq_json_text_pair(&writer, "date", date != NULL ? date : day);
    mq_json_end(&writer, '}');
    if (out.failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    enum mq_status status = mq_json_parse(&object, mq_written(&out), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(call->desk->replica, team, object, saved, error);
    mq_json_free(object);
    return status;
}

enum mq_status mq_verb_request_add(struct mq_call *call, struct mq_error *error)
{
    const char *household = mq_option_get(call->line, "household");
    uint8_t record[MQ_ID_SIZE], memory[256];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_team team;
    struct mq_saved saved;
    if (household == NULL || mq_option_get(call->line, "right") == NULL)
        return mq_fail(error, MQ_REFUSED, _("say whose and what: --household ID --right 查阅|复制|更正|删除|撤回同意"));
    enum mq_status status = mq_desk_sync(call->desk, error);
    if (status == MQ_OK)
        status = household_team(call, household, record, &team, error);
    if (status == MQ_OK)
        status = add(call, &team, &saved, error);
    if (status != MQ_OK)
        return status;
    call->changed = true;
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "id", saved.id);
    mq_json_bool_pair(&writer, "saved", true);
    mq_json_end(&writer, '}');
    mq_call_print(call, mq_written(&out));
    return MQ_OK;
}

/* ---- reading ---- */

static enum mq_status emit_open(void *context, struct mq_span object, struct mq_error *error)
{
    struct mq_json *parsed;
    enum mq_status status = mq_json_parse(&parsed, object, error);
    if (status != MQ_OK)
        return status;
    if (mq_json_get(parsed, "done") == NULL)
        mq_call_print(context, object);
    mq_json_free(parsed);
    return MQ_OK;
}

enum mq_status mq_verb_request_list(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter unanswered = {call, emit_open};
    const struct mq_emitter emitter = mq_option_get(call->line, "open") != NULL ? unanswered : mq_call_lines(call);
    enum mq_status status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_records_list(call->desk->replica, mq_kind_by_number(MQ_KIND_REQUEST), mq_span(NULL, 0), 0,
                                             &emitter, error)
                           : status;
}

static enum mq_status find_request(struct mq_call *call, uint8_t record[MQ_ID_SIZE], uint8_t household[MQ_ID_SIZE],
                                   uint64_t *right, struct mq_error *error)
{
    struct mq_group_state state;
    struct mq_replica *replica = call->desk->replica;
    enum mq_status status = mq_view_find(replica, mq_kind_by_number(MQ_KIND_REQUEST),
                                         mq_span_text(call->line->words[0]), record, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, record, &state, error);
    if (status != MQ_OK)
        return status;
    *right = mq_shown_number(&state, "right");
    if (!mq_shown_reference(&state, "household", household))
        return mq_fail(error, MQ_REFUSED, _("this request names no household"));
    return MQ_OK;
}

enum mq_status mq_verb_request_show(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    uint8_t record[MQ_ID_SIZE];
    struct mq_replica *replica = call->desk->replica;
    enum mq_status status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = mq_view_find(replica, mq_kind_by_number(MQ_KIND_REQUEST), mq_span_text(call->line->words[0]), record,
                              error);
    if (status == MQ_OK)
        status = mq_records_show(replica, mq_span_text(call->line->words[0]), false, &emitter, error);
    return status == MQ_OK ? mq_forget_list(replica, record, &emitter, error) : status;
}

enum mq_status mq_verb_erased_list(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    enum mq_status status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_forget_list(call->desk->replica, NULL, &emitter, error) : status;
}

/* ---- the extract ---- */

static enum mq_status set_fields(struct mq_call *call, const uint8_t record[MQ_ID_SIZE], const char *const *assignments,
                                 size_t count, struct mq_error *error)
{
    char id[2 * MQ_ID_SIZE + 1];
    struct mq_saved saved;
    mq_hex_write(id, mq_span(record, MQ_ID_SIZE));
    call->changed = true;
    return mq_records_set(call->desk->replica, mq_span_text(id), assignments, count, mq_span(NULL, 0), &saved, error);
}

enum mq_status mq_verb_request_extract(struct mq_call *call, struct mq_error *error)
{
    uint8_t record[MQ_ID_SIZE], household[MQ_ID_SIZE];
    uint64_t right;
    char day[11], done[32];
    const struct mq_emitter lines = mq_call_lines(call);
    if (mq_option_get(call->line, "out") == NULL)
        return mq_fail(error, MQ_REFUSED, _("say where the extract goes: --out FILE; print it and hand it over"));
    enum mq_status status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = find_request(call, record, household, &right, error);
    if (status == MQ_OK)
        status = mq_extract_household(call->desk->replica, household, mq_call_today(call), lines.emit, lines.context, error);
    if (status != MQ_OK || (right != RIGHT_SEE && right != RIGHT_COPY))
        return status;
    mq_date_print(day, mq_call_today(call));
    snprintf(done, sizeof done, "done=%s", day);
    const char *const assignments[] = {"decision=同意", done};
    return set_fields(call, record, assignments, 2, error);
}

/* ---- deciding ---- */

struct decision {
    uint8_t record[MQ_ID_SIZE], household[MQ_ID_SIZE];
    uint64_t right, decision;
    bool dry;
};

static enum mq_status read_decision(const struct mq_call *call, struct decision *out, struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_REQUEST), mq_span_text("decision"));
    const char *text = mq_option_get(call->line, "decision"), *reason = mq_option_get(call->line, "reason");
    uint8_t memory[8];
    struct mq_buffer value = mq_buffer(memory, sizeof memory);
    const struct mq_code *code = NULL;
    if (text != NULL && mq_value_from_text(field, mq_span_text(text), &value) == MQ_OK) { /* its word or its number */
        struct mq_reader reader = mq_reader(mq_written(&value));
        code = mq_code_by_number(field->codes, mq_cbor_uint(&reader));
    }
    out->dry = mq_option_get(call->line, "dry-run") != NULL;
    if (code == NULL)
        return mq_fail(error, MQ_REFUSED, _("say what was decided: --decision 同意|部分同意|不同意"));
    out->decision = code->code;
    if (out->decision != DECISION_YES && (reason == NULL || *reason == '\0'))
        return mq_fail(error, MQ_REFUSED, _("a request that is not granted whole needs --reason TEXT; it is told to who asked"));
    return MQ_OK;
}

static void print_summary(struct mq_call *call, const struct mq_forgotten *forgotten, bool dry)
{
    uint8_t memory[256];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_int_pair(&writer, "records", forgotten->records);
    mq_json_int_pair(&writer, "fields", forgotten->fields);
    mq_json_int_pair(&writer, "answered", forgotten->answered);
    mq_json_bool_pair(&writer, "erased", !dry);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!out.failed);
    mq_call_print(call, mq_written(&out));
    if (forgotten->answered > 0)
        fprintf(call->talk,
                _("%lld of these needs were answered. What was handled may have to be kept as a file of the village or the "
                  "township: ask there first, and export it before it goes.\n"),
                (long long)forgotten->answered);
    if (dry)
        fputs(_("Nothing was taken out yet; without --dry-run it goes, on every device with its next sync.\n"), call->talk);
}

/* Deletion, and consent withdrawn: what goes is named by --what. */
static enum mq_status take_out(struct mq_call *call, const struct decision *decision, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *what = mq_option_get(call->line, "what"), *matter = mq_option_get(call->line, "matter");
    uint8_t record[MQ_ID_SIZE];
    struct mq_forget forget;
    struct mq_forgotten forgotten;
    if (what == NULL && decision->right == RIGHT_WITHDRAW)
        what = "sensitive";
    if (what == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("say what goes: --what health, sensitive, household, or fields such as visit.notes; --dry-run lists "
                         "it first"));
    enum mq_status status = mq_forget_parse(&forget, mq_span_text(what), error);
    if (status == MQ_OK && matter != NULL)
        status = mq_view_find(call->desk->replica, mq_kind_by_number(MQ_KIND_NEED), mq_span_text(matter), record, error);
    forget.matter = matter != NULL ? record : NULL;
    if (status == MQ_OK)
        status = mq_forget_household(call->desk->replica, decision->household, &forget, decision->record, decision->dry,
                                     &forgotten, &emitter, error);
    call->changed = call->changed || !decision->dry;
    if (status == MQ_OK)
        print_summary(call, &forgotten, decision->dry);
    return status;
}

struct withdraw_work {
    struct mq_call *call;
    const char *assignment;
};

static enum mq_status withdraw_one(void *context, const struct mq_about *about, struct mq_error *error)
{
    struct withdraw_work *work = context;
    struct mq_group_state state;
    if (about->kind != MQ_KIND_NOTICE)
        return MQ_OK;
    enum mq_status status = mq_view_group(work->call->desk->replica, about->record, &state, error);
    if (status != MQ_OK || mq_shown_number(&state, "withdrawn") != 0)
        return status;
    return set_fields(work->call, about->record, &work->assignment, 1, error);
}

/* The consents of the household end today. */
static enum mq_status withdraw(struct mq_call *call, const struct decision *decision, const char *day,
                               struct mq_error *error)
{
    char assignment[32];
    struct withdraw_work work = {call, assignment};
    snprintf(assignment, sizeof assignment, "withdrawn=%s", day);
    return mq_about_household(call->desk->replica, decision->household, withdraw_one, &work, error);
}

static enum mq_status note_decision(struct mq_call *call, const struct decision *decision, const char *day,
                                    struct mq_error *error)
{
    char decided[64], done[32], why[MQ_SHORT_TEXT_MAX + 16];
    const char *reason = mq_option_get(call->line, "reason"), *assignments[3] = {decided, why, done};
    snprintf(decided, sizeof decided, "decision=%s", mq_option_get(call->line, "decision"));
    snprintf(done, sizeof done, "done=%s", day);
    if (reason != NULL && strlen(reason) > MQ_SHORT_TEXT_MAX)
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), "reason");
    snprintf(why, sizeof why, "reason=%s", reason == NULL ? "" : reason);
    if (reason == NULL)
        assignments[1] = done;
    /* What somebody wants to see is done when he has it: `request extract`. */
    bool handed = decision->decision == DECISION_NO || (decision->right != RIGHT_SEE && decision->right != RIGHT_COPY);
    size_t count = (reason != NULL ? 2u : 1u) + (handed ? 1u : 0u);
    return set_fields(call, decision->record, assignments, count, error);
}

enum mq_status mq_verb_request_decide(struct mq_call *call, struct mq_error *error)
{
    struct decision decision;
    char day[11];
    enum mq_status status = read_decision(call, &decision, error);
    if (status == MQ_OK)
        status = decision.dry ? mq_call_merge(call, error) : mq_desk_sync(call->desk, error);
    if (status == MQ_OK)
        status = find_request(call, decision.record, decision.household, &decision.right, error);
    if (status != MQ_OK)
        return status;
    mq_date_print(day, mq_call_today(call));
    bool out = decision.decision != DECISION_NO && (decision.right == RIGHT_DELETE || decision.right == RIGHT_WITHDRAW);
    if (out && !decision.dry && decision.right == RIGHT_WITHDRAW)
        status = withdraw(call, &decision, day, error);
    if (status == MQ_OK && out)
        status = take_out(call, &decision, error);
    return status == MQ_OK && !decision.dry ? note_decision(call, &decision, day, error) : status;
}
