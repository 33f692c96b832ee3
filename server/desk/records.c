/* Records at the desk: what is listed, shown, decided and exported, after everything stored was merged. */
#include "replica/needs.h"
#include "replica/place_filter.h"
#include "replica/records.h"

#include <string.h>

#include "server/desk/call_keys.h"
#include "server/desk/ledger_keys.h"

/* `word` names a kind; with `all`, "all" is every one (NULL). */
static enum mq_status find_kind(const char *word, bool all, const struct mq_kind **kind, struct mq_error *error)
{
    char names[200] = "";

    *kind = mq_kind_by_key(mq_span_text(word));
    if (*kind != NULL || (all && strcmp(word, "all") == 0))
        return MQ_OK;
    for (size_t i = 0; i < mq_kind_count; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", i > 0 ? ", " : "", mq_kinds[i].key);
    }
    return mq_fail(error, MQ_REFUSED, _("there is no kind \"%s\"; there are: %s%s"), word, names, all ? ", all" : "");
}

/* ---- reading ---- */

struct state_filter {
    struct mq_call *call;
    const char *state;
    int64_t left; /* of the limit; < 0: none */
};

static enum mq_status emit_in_state(void *context, struct mq_span object, struct mq_error *error)
{
    struct state_filter *filter = context;
    struct mq_json *parsed;
    enum mq_status status = mq_json_parse(&parsed, object, error);

    if (status != MQ_OK)
        return status;
    const struct mq_json *state = mq_json_get(parsed, "state");
    if (filter->left != 0 && state != NULL && mq_json_type(state) == MQ_JSON_STRING &&
        mq_span_equal(mq_json_string(state), mq_span_text(filter->state))) {
        filter->left -= filter->left > 0;
        mq_call_print(filter->call, object);
    }
    mq_json_free(parsed);
    return MQ_OK;
}

enum mq_status mq_verb_desk_list(struct mq_call *call, struct mq_error *error)
{
    const struct mq_kind *kind;
    const char *search = mq_option_get(call->line, "search"), *limit_text = mq_option_get(call->line, "limit");
    struct state_filter filter = {.call = call, .state = mq_option_get(call->line, "state")};
    const struct mq_emitter in_state = {&filter, emit_in_state}, lines = mq_call_lines(call);
    const char *place = mq_option_get(call->line, "place");
    struct mq_place_filter there;
    int32_t day = 0;
    int64_t limit = 0;
    enum mq_status status = find_kind(call->line->words[0], true, &kind, error);

    if (status == MQ_OK && limit_text != NULL)
        status = mq_call_number(limit_text, "--limit", 1, INT32_MAX, &limit, error);
    if (status == MQ_OK)
        status = mq_place_day(mq_option_get(call->line, "place-as-of"), &day, error);
    filter.left = limit > 0 ? limit : -1;
    bool needs = status == MQ_OK && kind != NULL && kind->number == MQ_KIND_NEED;
    if (needs && (mq_call_filters_needs(call) || (filter.state != NULL && search != NULL)))
        return place == NULL
                   ? mq_list_matching_needs(call, limit, error)
                   : mq_fail(error, MQ_REFUSED, _("--place goes with one --state; with the others say --village"));
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    const struct mq_emitter *last = filter.state != NULL && !needs ? &in_state : &lines;
    if (last == &in_state) /* it counts for itself */
        limit = 0;
    if (status == MQ_OK)
        status = mq_place_filter_begin(&there, call->desk->replica, mq_span_text(place == NULL ? "" : place), day, limit,
                                       last, error);
    if (status != MQ_OK)
        return status;
    const struct mq_emitter filtered = mq_place_filter_emitter(&there), *emitter = place == NULL ? last : &filtered;
    limit = place == NULL ? limit : 0;
    if (filter.state != NULL && needs)
        return mq_needs_list(call->desk->replica, mq_span_text(filter.state), limit, emitter, error);
    return mq_records_list(call->desk->replica, kind, mq_span_text(search == NULL ? "" : search), limit, emitter, error);
}

enum mq_status mq_verb_desk_show(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    bool history = mq_option_get(call->line, "history") != NULL;
    enum mq_status status = mq_call_merge(call, error);

    return status == MQ_OK
               ? mq_records_show(call->desk->replica, mq_span_text(call->line->words[0]), history, &emitter, error)
               : status;
}

enum mq_status mq_verb_desk_conflicts(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    enum mq_status status = mq_call_merge(call, error);

    return status == MQ_OK ? mq_records_conflicts(call->desk->replica, &emitter, error) : status;
}

enum mq_status mq_verb_desk_quarantine(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    enum mq_status status = mq_call_merge(call, error);

    return status == MQ_OK ? mq_records_quarantine(call->desk->replica, &emitter, error) : status;
}

enum mq_status mq_verb_export(struct mq_call *call, struct mq_error *error)
{
    const struct mq_kind *kind;
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *format = mq_option_get(call->line, "format");
    enum mq_status status = find_kind(call->line->words[0], true, &kind, error);

    if (status != MQ_OK)
        return status;
    bool restricted = mq_option_get(call->line, "restricted") != NULL;
    if (restricted && format != NULL && strcmp(format, "jsonl") != 0)
        return mq_fail(error, MQ_REFUSED, _("no ledger holds restricted matters; --restricted goes with --format jsonl"));
    if (format != NULL && (strcmp(format, "xlsx") == 0 || strcmp(format, "csv") == 0))
        return mq_export_ledger(call, format, error);
    if (format != NULL && strcmp(format, "jsonl") != 0)
        return mq_fail(error, MQ_REFUSED, _("there is no format \"%s\"; there are: %s"), format, "jsonl, csv, xlsx");
    if (restricted)
        return mq_export_restricted(call, kind, &emitter, error);
    status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_records_export(call->desk->replica, kind, &emitter, error) : status;
}

/* ---- deciding ---- */

enum mq_status mq_verb_desk_resolve(struct mq_call *call, struct mq_error *error)
{
    const char *const *words = call->line->words, *keep = mq_option_get(call->line, "keep");
    const char *reason = mq_option_get(call->line, "reason");
    int64_t number;

    if (keep == NULL)
        return mq_fail(error, MQ_REFUSED,
                       _("say which value to keep: --keep N, counted from 1 as `desk conflicts` lists them"));
    enum mq_status status = mq_call_number(keep, "--keep", 1, INT32_MAX, &number, error);
    if (status == MQ_OK)
        status = mq_desk_sync(call->desk, error);
    if (status == MQ_OK)
        status = mq_records_resolve(call->desk->replica, mq_span_text(words[0]), mq_span_text(words[1]), number,
                                    mq_span_text(reason == NULL ? "" : reason), error);
    call->changed = status == MQ_OK;
    return status;
}
