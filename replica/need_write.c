/* Writing steps and tellings: what they name, when they are due, and whether the need may move so. */
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/codes.h"
#include "protocol/preset.h"
#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/records_matter.h"
#include "replica/needs.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* ---- what a record that is about to be written says ---- */

static const struct mq_parsed_field *find_key(const struct mq_parsed *parsed, const char *key)
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text(key));
    return field == NULL ? NULL : mq_parsed_find(parsed, field->number);
}

static int32_t number_of(const struct mq_parsed *parsed, const char *key)
{
    const struct mq_parsed_field *given = find_key(parsed, key);
    if (given == NULL)
        return 0;
    struct mq_reader reader = mq_reader(given->value);
    return (int32_t)mq_cbor_uint(&reader);
}

static struct mq_need_step step_of(const struct mq_parsed *parsed, unsigned rank)
{
    static const char *const keys[] = {"unit", "text", "due", "reason", "result", "cause"};
    struct mq_need_step step = {.rank = rank, .code = (uint8_t)number_of(parsed, "step")};
    for (unsigned bit = 0; bit < sizeof keys / sizeof *keys; bit++)
        if (find_key(parsed, keys[bit]) != NULL)
            step.says |= (uint8_t)(1u << bit);
    step.reaction = (uint8_t)number_of(parsed, "reaction");
    step.result = (uint8_t)number_of(parsed, "result");
    step.cause = (uint8_t)number_of(parsed, "cause");
    step.due = number_of(parsed, "due");
    return step;
}

static enum mq_status need_of(struct mq_replica *replica, const struct mq_parsed *parsed, uint8_t need[MQ_ID_SIZE],
                              struct mq_error *error)
{
    const struct mq_parsed_field *given = find_key(parsed, "need");
    MQ_ASSERT(given != NULL); /* required of both kinds */
    struct mq_reader reader = mq_reader(given->value);
    (void)mq_cbor_next(&reader);
    return mq_need_canonical(replica, mq_cbor_bytes(&reader, MQ_ID_SIZE), need, error);
}

/* Adds a value that mq_cbor_put_* wrote at the end of the record's memory. */
static enum mq_status put_key(struct mq_parsed *parsed, const char *key, size_t start, struct mq_error *error)
{
    if (parsed->memory.failed)
        return mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return mq_parsed_put(parsed, mq_field_by_key(parsed->kind, mq_span_text(key)),
                         mq_span(parsed->memory.data + start, parsed->memory.size - start), error);
}

static enum mq_status put_day(struct mq_parsed *parsed, const char *key, int32_t day, struct mq_error *error)
{
    size_t start = parsed->memory.size;
    mq_cbor_put_uint(&parsed->memory, (uint64_t)day);
    return put_key(parsed, key, start, error);
}

/* ---- what it names: the steps that stand there ---- */

/* A device's step names the step at which the need stands, a desk's all heads: late ones wait for a desk. */
static enum mq_status put_after(const struct mq_need_chain *chain, bool desk, struct mq_parsed *parsed,
                                struct mq_error *error)
{
    size_t start = parsed->memory.size, count = chain->need.head >= 0;
    for (size_t i = 0; i < chain->count && desk; i++)
        count += chain->steps[i].head && chain->need.head != (int16_t)i && count < MQ_NEED_AFTER_MAX;
    if (count == 0)
        return MQ_OK;
    mq_cbor_put_array(&parsed->memory, count);
    mq_put_reference(&parsed->memory, chain->steps[chain->need.head].record);
    for (size_t i = 0; i < chain->count && desk && count > 1; i++)
        if (chain->steps[i].head && chain->need.head != (int16_t)i) {
            mq_put_reference(&parsed->memory, chain->steps[i].record);
            count--;
        }
    return put_key(parsed, "after", start, error);
}

/* ---- when it is due ---- */

/* The clock that begins with a step; 0: none does, or its date must be given. */
static unsigned clock_of(const struct mq_need_rule *rule, const struct mq_need_status *before)
{
    switch (rule->clock) {
    case MQ_CLOCK_START: return rule->to == MQ_NEED_REGISTERED ? MQ_PRESET_ACCEPT : MQ_PRESET_ANSWER;
    case MQ_CLOCK_STOP: return MQ_PRESET_TELL;
    case MQ_CLOCK_RUN: return rule->code == MQ_STEP_ASSIGN && before->dated < 0 ? MQ_PRESET_ANSWER : 0;
    case MQ_CLOCK_DATE: return rule->to == MQ_NEED_PARKED ? MQ_PRESET_RECHECK : MQ_PRESET_EXTEND;
    case MQ_CLOCK_PAUSE:
    case MQ_CLOCK_END: break;
    }
    return 0;
}

/* The preset that `rule` names, or the usual one. NULL: none. */
static enum mq_status find_preset(struct mq_replica *replica, const struct mq_parsed *parsed,
                                  const uint8_t need[MQ_ID_SIZE], unsigned clock, const struct mq_preset **preset,
                                  struct mq_error *error)
{
    const struct mq_parsed_field *rule = find_key(parsed, "rule");
    struct mq_preset_list own;
    struct mq_group_state state;
    *preset = NULL;
    enum mq_status status = mq_catalogue_presets(replica, &own, error);
    if (status != MQ_OK)
        return status;
    if (rule != NULL) {
        struct mq_reader reader = mq_reader(rule->value);
        struct mq_span id = mq_cbor_text(&reader, MQ_NAME_TEXT_MAX);
        *preset = mq_preset_by_id(&own, id);
        return *preset != NULL ? MQ_OK
                               : mq_fail(error, MQ_REFUSED, _("there is no rule \"%.*s\"; docs/domain.md lists them"),
                                         (int)id.size, (const char *)id.data);
    }
    status = mq_view_group(replica, need, &state, error);
    if (status == MQ_OK)
        *preset = mq_preset_usual(&own, clock, (unsigned)mq_shown_number(&state, "urgency"),
                                  (unsigned)mq_shown_number(&state, "category"),
                                  number_of(parsed, "date"));
    return status;
}

/* A due date that was not given comes from a preset, and the step says from which. Where only a person can know it (an
 * extension, a recheck), it must be given, or the rule for it. */
static enum mq_status put_due(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                              const struct mq_need_status *before, struct mq_need_step *step, struct mq_parsed *parsed,
                              int *missing, struct mq_error *error)
{
    const struct mq_preset *preset;
    bool ruled = find_key(parsed, "rule") != NULL, given = (step->says & MQ_SAYS_DUE) != 0;
    struct mq_need_step dated = *step;
    dated.says |= MQ_SAYS_DUE;
    const struct mq_need_rule *rule = mq_need_rule_find(before, &dated);
    unsigned clock = rule == NULL || given || rule->clock == MQ_CLOCK_DATE ? 0 : clock_of(rule, before);
    if (step->code == MQ_STEP_TOLD || (clock == 0 && !ruled))
        return MQ_OK;
    enum mq_status status = find_preset(replica, parsed, need, clock, &preset, error);
    if (status != MQ_OK || preset == NULL || given)
        return status;
    struct mq_calendar calendar;
    status = mq_catalogue_calendar(replica, &calendar, error);
    if (status != MQ_OK)
        return status;
    step->due = mq_preset_due(preset, &calendar, number_of(parsed, "date"), missing);
    step->says |= MQ_SAYS_DUE;
    status = put_day(parsed, "due", step->due, error);
    if (status != MQ_OK || ruled)
        return status;
    size_t start = parsed->memory.size;
    mq_cbor_put_text(&parsed->memory, mq_span_text(preset->id));
    return put_key(parsed, "rule", start, error);
}

/* ---- all of it ---- */

/* What the villager is told is one sentence that a cadre can say. */
static enum mq_status check_sentence(const struct mq_parsed *parsed, const struct mq_need_rule *rule,
                                     struct mq_error *error)
{
    const struct mq_parsed_field *text = find_key(parsed, "text");
    if (text == NULL || rule->to == 0 || !mq_need_state_by_number(rule->to)->tells)
        return MQ_OK;
    struct mq_reader reader = mq_reader(text->value);
    struct mq_span bytes = mq_cbor_text(&reader, MQ_LONG_TEXT_MAX);
    size_t characters = 0;
    for (size_t i = 0; i < bytes.size; i++)
        characters += (bytes.data[i] & 0xc0) != 0x80;
    return characters <= MQ_SENTENCE_MAX
               ? MQ_OK
               : mq_fail(error, MQ_REFUSED,
                         _("\"text\" is what the villager is told: one plain sentence of at most %d characters, not %zu"),
                         MQ_SENTENCE_MAX, characters);
}

/* A need goes into another one that it names, and not into itself. */
static enum mq_status check_target(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], struct mq_error *error)
{
    uint8_t target[MQ_ID_SIZE];
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, need, &state, error);
    bool named = status == MQ_OK && mq_shown_reference(&state, "part_of", target);
    if (named)
        status = mq_need_canonical(replica, MQ_SPAN(target), target, error);
    if (status == MQ_OK && (!named || memcmp(target, need, MQ_ID_SIZE) == 0))
        status = mq_fail(error, MQ_REFUSED, _("say which other need it becomes part of: --part_of ID"));
    return status;
}

enum mq_status mq_need_complete(struct mq_replica *replica, const struct mq_team *team, struct mq_parsed *parsed,
                                bool strict, int *calendar_missing, struct mq_error *error)
{
    uint8_t need[MQ_ID_SIZE];
    unsigned rank = mq_role_rank(team->certificate.role);
    if (parsed->kind->number != MQ_KIND_STEP && parsed->kind->number != MQ_KIND_TOLD)
        return MQ_OK;
    struct mq_need_chain *chain = mq_work_memory(sizeof *chain);
    enum mq_status status = need_of(replica, parsed, need, error);
    if (status == MQ_OK)
        status = mq_need_chain_load(chain, replica, need, error);
    if (status == MQ_OK && strict && find_key(parsed, "date") == NULL)
        status = put_day(parsed, "date", mq_catalogue_today(replica), error);
    struct mq_need_step step = step_of(parsed, rank);
    if (status == MQ_OK && strict)
        status = put_due(replica, need, &chain->need.status, &step, parsed, calendar_missing, error);
    if (status == MQ_OK && strict && step.code == MQ_STEP_MERGE_INTO)
        status = check_target(replica, need, error);
    const struct mq_need_rule *rule = mq_need_rule_find(&chain->need.status, &step);
    if (status == MQ_OK && strict)
        status = rule == NULL ? mq_need_refuse(&chain->need.status, &step, error) : check_sentence(parsed, rule, error);
    if (status == MQ_OK)
        status = put_after(chain, rank >= MQ_RANK_DESK, parsed, error);
    mq_work_free(chain, sizeof *chain);
    return status;
}

/* ---- a step from a front end ---- */

struct step_work {
    struct mq_span need;
    const char *step; /* NULL: a telling */
    const struct mq_field_value *fields;
    size_t count;
    const struct mq_emitter *emitter;
    /* What came of it: */
    uint8_t record[MQ_ID_SIZE]; /* the need's */
    struct mq_saved saved;
    int calendar_missing;
};

/* A key that people may give; NULL: this kind has none of that name. */
static const struct mq_field *field_to_give(const struct mq_kind *kind, const char *name)
{
    const struct mq_field *field = mq_field_by_key(kind, mq_span_text(name));
    return field == NULL || field->number < MQ_FIELD_ID || field->flags & MQ_FIELD_MADE ? NULL : field;
}

static enum mq_status put_fields(const struct step_work *work, const struct mq_kind *kind,
                                 struct mq_json_writer *writer, struct mq_error *error)
{
    const struct mq_kind *need = mq_kind_by_number(MQ_KIND_NEED);
    for (size_t i = 0; i < work->count; i++) {
        const struct mq_field *field = field_to_give(kind, work->fields[i].name);
        struct mq_span value = mq_span_text(work->fields[i].value);
        if (field == NULL && field_to_give(need, work->fields[i].name) != NULL)
            continue; /* it is said of the need: set_need */
        if (field == NULL)
            return mq_fail(error, MQ_REFUSED, _("\"%s\" is no key of a %s; nothing of this record was saved"),
                           work->fields[i].name, kind->key);
        if (!mq_utf8_valid(value))
            return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), field->key);
        mq_json_key(writer, field->key);
        if (mq_type_is_list(field->type)) {
            mq_put_span(writer->out, value);
            writer->comma = true;
        } else
            mq_json_string_value(writer, value);
    }
    return MQ_OK;
}

/* What was given with the step and is said of the need, such as its nature when it is accepted. The step's reason is the
 * reason for that too. */
static enum mq_status set_need(struct mq_replica *replica, const struct step_work *work, const struct mq_kind *kind,
                               struct mq_span need, struct mq_error *error)
{
    struct mq_span reason = mq_span_text("");
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->fields[i].name, "reason") == 0)
            reason = mq_span_text(work->fields[i].value);
    for (size_t i = 0; i < work->count && status == MQ_OK; i++) {
        struct mq_saved saved;
        char *text = mq_work_memory(MQ_LONG_TEXT_MAX);
        const char *const assignment[] = {text};
        if (field_to_give(kind, work->fields[i].name) == NULL) {
            int length = snprintf(text, MQ_LONG_TEXT_MAX, "%s=%s", work->fields[i].name, work->fields[i].value);
            status = length >= MQ_LONG_TEXT_MAX
                         ? mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"),
                                   work->fields[i].name)
                         : mq_records_set(replica, need, assignment, 1, reason, &saved, error);
        }
        mq_work_free(text, MQ_LONG_TEXT_MAX);
    }
    return status;
}

static bool given(const struct step_work *work, const char *name)
{
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->fields[i].name, name) == 0)
            return true;
    return false;
}

/* The record as one would write it in a file. */
static enum mq_status put_object(struct mq_replica *replica, const struct step_work *work,
                                 const uint8_t need[MQ_ID_SIZE], struct mq_buffer *out, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(work->step == NULL ? MQ_KIND_TOLD : MQ_KIND_STEP);
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = out};
    enum mq_status status = mq_print_reference(replica, need, &id, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind->key);
    mq_json_key(&writer, "need");
    mq_json_string_value(&writer, mq_written(&id));
    if (work->step != NULL) {
        if (!mq_utf8_valid(mq_span_text(work->step)))
            return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), "step");
        mq_json_key(&writer, "step");
        mq_json_text_value(&writer, work->step);
    } else if (!given(work, "date")) {
        char today[11];
        mq_date_print(today, mq_catalogue_today(replica));
        mq_json_key(&writer, "date");
        mq_json_text_value(&writer, today);
    }
    if (status == MQ_OK)
        status = put_fields(work, kind, &writer, error);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && out->failed)
        status = mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return status;
}

static enum mq_status emit_moved(struct mq_replica *replica, const struct step_work *work, struct mq_error *error)
{
    const struct mq_code *step =
        work->step == NULL ? NULL : mq_code_by_text(&mq_codes_step, mq_span_text(work->step));
    uint8_t *memory = mq_work_memory(MQ_OBJECT_MAX);
    struct mq_buffer out = mq_buffer(memory, MQ_OBJECT_MAX);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, work->saved.id);
    enum mq_status status = mq_need_put_names(replica, work->record, &writer, error);
    mq_json_key(&writer, "step");
    mq_json_text_value(&writer, step == NULL ? "told" : step->text);
    if (status == MQ_OK)
        status = mq_need_put_state(replica, work->record, &writer, error);
    if (status == MQ_OK)
        status = mq_need_put_missing(replica, work->record, &writer, error);
    if (work->calendar_missing != 0) {
        mq_json_key(&writer, "calendar_missing");
        mq_json_int_value(&writer, work->calendar_missing);
    }
    if (work->saved.masked > 0) {
        mq_json_key(&writer, "masked");
        mq_json_int_value(&writer, (int64_t)work->saved.masked);
    }
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    if (status == MQ_OK)
        status = work->emitter->emit(work->emitter->context, mq_written(&out), error);
    mq_work_free(memory, out.size);
    return status;
}

/* A need that is here, or one that was sealed here. */
static enum mq_status find_need(struct mq_replica *replica, struct mq_span text, uint8_t need[MQ_ID_SIZE],
                                uint8_t team[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_matter matter;
    uint64_t kind;
    enum mq_status status = mq_view_find(replica, mq_kind_by_number(MQ_KIND_NEED), text, need, error);
    if (status != MQ_NOT_FOUND)
        return status == MQ_OK ? mq_view_kind(replica, need, &kind, team, error) : status;
    status = mq_matter_instead(replica, status, text, &matter, error);
    if (status == MQ_OK && matter.kind != MQ_KIND_NEED)
        return mq_fail(error, MQ_REFUSED, _("this is no need; steps and tellings are about needs"));
    memcpy(need, matter.record, MQ_ID_SIZE);
    memcpy(team, matter.team, MQ_ID_SIZE);
    return status;
}

static enum mq_status write_step(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct step_work *work = context;
    uint8_t *need = work->record, team_id[MQ_ID_SIZE], *memory = mq_work_memory(MQ_OBJECT_MAX);
    struct mq_buffer text = mq_buffer(memory, MQ_OBJECT_MAX);
    struct mq_json *object = NULL;
    struct mq_team team;
    enum mq_status status = find_need(replica, work->need, need, team_id, error);
    if (status == MQ_OK)
        status = mq_team_find(replica, team_id, &team, error);
    if (status == MQ_OK)
        status = set_need(replica, work, mq_kind_by_number(work->step == NULL ? MQ_KIND_TOLD : MQ_KIND_STEP), work->need,
                          error);
    if (status == MQ_OK)
        status = put_object(replica, work, need, &text, error);
    if (status == MQ_OK)
        status = mq_json_parse(&object, mq_written(&text), error);
    if (status == MQ_OK)
        status = mq_records_add_step(replica, &team, object, &work->saved, &work->calendar_missing, error);
    mq_json_free(object);
    mq_work_free(memory, text.size);
    return status;
}

enum mq_status mq_needs_step(struct mq_replica *replica, struct mq_span need, const char *step,
                             const struct mq_field_value *fields, size_t count, const struct mq_emitter *emitter,
                             struct mq_error *error)
{
    struct step_work work = {.need = need, .step = step, .fields = fields, .count = count, .emitter = emitter};
    enum mq_status status = mq_replica_transact(replica, write_step, &work, error);
    return status == MQ_OK ? emit_moved(replica, &work, error) : status;
}
