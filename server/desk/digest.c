/* `digest`: for those who decide; and `desk list need` with the options by which its numbers are counted again. */
#include "replica/digest.h"

#include <stdlib.h>
#include <string.h>

#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/keys.h"
#include "replica/records.h"
#include "server/desk/call_keys.h"
#include "server/desk/ledger_keys.h"

static struct mq_need_filter_text filter_text(const struct mq_call *call)
{
    const struct mq_command_line *line = call->line;
    return (struct mq_need_filter_text){.village = mq_option_get(line, "village"),
                                        .unit = mq_option_get(line, "unit"),
                                        .policy = mq_option_get(line, "policy"),
                                        .category = mq_option_get(line, "category"),
                                        .nature = mq_option_get(line, "nature"),
                                        .state = mq_option_get(line, "state"),
                                        .obstacle = mq_option_get(line, "obstacle"),
                                        .ask = mq_option_get(line, "ask"),
                                        .topic = mq_option_get(line, "topic"),
                                        .from = mq_option_get(line, "from"),
                                        .to = mq_option_get(line, "to"),
                                        .counted = mq_option_get(line, "counted")};
}

/* ---- the digest ---- */

#define LINE_MAX_SIZE (8 * MQ_LONG_TEXT_MAX) /* of --json: the options of one number may be long */

struct digest_talk {
    struct mq_call *call;
    enum mq_digest_part part; /* of the line before */
    bool begun;
};

static enum mq_status print_json(struct mq_call *call, const struct mq_digest_line *line, struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(malloc(LINE_MAX_SIZE), LINE_MAX_SIZE);
    mq_enough(out.data);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "part", mq_digest_part_key(line->part));
    mq_json_text_pair(&writer, "village", line->village);
    mq_json_text_pair(&writer, "label", line->label);
    mq_json_text_pair(&writer, "quote", line->quote);
    if (line->others || line->too_few)
        mq_json_bool_pair(&writer, line->others ? "others" : "too_few", true);
    if (line->filter != NULL) {
        mq_json_int_pair(&writer, "needs", line->needs);
        mq_json_int_pair(&writer, "households", line->households);
        mq_json_text_pair(&writer, "filter", line->filter);
    }
    mq_json_end(&writer, '}');
    enum mq_status status = out.failed
                                ? mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"))
                                : MQ_OK;
    if (status == MQ_OK)
        mq_call_print(call, mq_written(&out));
    mq_wipe(out.data, out.size);
    free(out.data);
    return status;
}

static const char *part_title(enum mq_digest_part part)
{
    switch (part) {
    case MQ_DIGEST_TOTAL: return _("What people said");
    case MQ_DIGEST_CATEGORY: return _("By village and matter");
    case MQ_DIGEST_STATE: return _("How it stands");
    case MQ_DIGEST_AGE: return _("Open, by age in days");
    case MQ_DIGEST_UNTOLD: return _("Answered, and nobody told the villager yet");
    case MQ_DIGEST_MEANS: return _("Waiting for means, by unit");
    case MQ_DIGEST_ASK: return _("What those ask for");
    case MQ_DIGEST_POLICY: return _("About policies");
    case MQ_DIGEST_OBSTACLE: return _("What stands in their way");
    case MQ_DIGEST_QUOTE: break;
    }
    return _("In their own words, with names and numbers taken out");
}

static const char *label_of(const struct mq_digest_line *line)
{
    if (line->others)
        return _("others");
    if (line->label == NULL)
        return _("all");
    return line->label[0] == '\0' ? _("not said") : line->label;
}

static enum mq_status print_line(void *context, const struct mq_digest_line *line, struct mq_error *error)
{
    struct digest_talk *talk = context;
    FILE *out = talk->call->out;
    if (mq_call_json(talk->call))
        return print_json(talk->call, line, error);
    if (!talk->begun || talk->part != line->part)
        fprintf(out, "%s%s\n", talk->begun ? "\n" : "", part_title(line->part));
    talk->begun = true;
    talk->part = line->part;
    const char *village = line->village == NULL ? NULL : line->village[0] == '\0' ? _("other places") : line->village;
    if (line->quote != NULL)
        mq_say(out, "  %s · %s: “%s”\n", village, line->label, line->quote);
    else if (line->too_few)
        fprintf(out, _("  fewer than %d households; not shown\n"), MQ_DIGEST_GROUP_LEAST);
    else
        mq_say(out, _("  %s%s%s: %lld needs, %lld households   [desk list need %s]\n"), village == NULL ? "" : village,
               village == NULL ? "" : " · ", label_of(line), (long long)line->needs, (long long)line->households,
               line->filter);
    return MQ_OK;
}

enum mq_status mq_verb_digest(struct mq_call *call, struct mq_error *error)
{
    struct digest_talk talk = {.call = call};
    const struct mq_digest_sink sink = {&talk, print_line};
    const struct mq_need_filter_text text = filter_text(call);
    enum mq_status status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_digest_write(call->desk->replica, &text, mq_call_today(call), &sink, error) : status;
}

/* ---- counting again ---- */

struct list_work {
    struct mq_call *call;
    struct mq_need_filter filter;
    struct mq_need_facts facts;
    int64_t left; /* of the limit; < 0: none */
};

static bool read_record(struct mq_span object, uint8_t out[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_json *json;
    if (mq_json_parse(&json, object, error) != MQ_OK)
        return false;
    const struct mq_json *record = mq_json_get(json, "record");
    struct mq_span hex = record == NULL ? mq_span(NULL, 0) : mq_json_string(record);
    for (size_t i = 0; i < MQ_ID_SIZE && hex.size == 2 * MQ_ID_SIZE; i++) {
        unsigned byte;
        sscanf((const char *)hex.data + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    mq_json_free(json);
    return hex.size == 2 * MQ_ID_SIZE;
}

static enum mq_status emit_matching(void *context, struct mq_span object, struct mq_error *error)
{
    struct list_work *work = context;
    uint8_t record[MQ_ID_SIZE];
    if (work->left == 0)
        return MQ_OK;
    if (!read_record(object, record, error))
        return error->status;
    enum mq_status status = mq_need_facts_read(&work->facts, work->call->desk->replica, record, error);
    if (status == MQ_OK && mq_need_matches(&work->filter, &work->facts)) {
        work->left -= work->left > 0;
        mq_call_print(work->call, object);
    }
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

bool mq_call_filters_needs(const struct mq_call *call)
{
    const struct mq_need_filter_text text = filter_text(call);
    const char *const given[] = {text.village, text.unit, text.policy, text.category, text.nature,
                                 text.obstacle, text.ask, text.topic, text.from, text.to, text.counted};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i] != NULL)
            return true;
    return text.state != NULL && (strchr(text.state, ',') != NULL || strcmp(text.state, "open") == 0);
}

enum mq_status mq_list_matching_needs(struct mq_call *call, int64_t limit, struct mq_error *error)
{
    struct list_work work = {.call = call, .left = limit > 0 ? limit : -1};
    const char *search = mq_option_get(call->line, "search");
    const struct mq_emitter emitter = {&work, emit_matching};
    const struct mq_need_filter_text text = filter_text(call);
    enum mq_status status = mq_need_filter_read(&work.filter, call->desk->replica, &text, error);
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    if (status != MQ_OK)
        return status;
    return mq_records_list(call->desk->replica, mq_kind_by_number(MQ_KIND_NEED),
                           mq_span_text(search == NULL ? "" : search), 0, &emitter, error);
}
