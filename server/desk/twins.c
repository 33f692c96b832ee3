/* At the desk: what may be one, what is one, and what is not. */
#include "replica/duplicates.h"
#include "replica/split.h"
#include "server/desk/call_keys.h"

enum mq_status mq_verb_desk_duplicates(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const char *kind_text = mq_option_get(call->line, "kind"), *limit_text = mq_option_get(call->line, "limit");
    const struct mq_kind *kind = kind_text == NULL ? NULL : mq_kind_by_key(mq_span_text(kind_text));
    int64_t limit = 0;
    enum mq_status status = MQ_OK;

    if (kind_text != NULL && kind == NULL)
        status = mq_fail(error, MQ_REFUSED, _("duplicates are looked for among households and needs: --kind household or --kind need"));
    if (status == MQ_OK && limit_text != NULL)
        status = mq_call_number(limit_text, "--limit", 1, INT32_MAX, &limit, error);
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    return status == MQ_OK ? mq_duplicates_list(call->desk->replica, kind, limit, &emitter, error) : status;
}

static enum mq_status two(struct mq_call *call, bool undo,
                          enum mq_status (*say)(struct mq_replica *, struct mq_span, struct mq_span, bool, struct mq_error *),
                          struct mq_error *error)
{
    const char *const *words = call->line->words;
    enum mq_status status = mq_desk_sync(call->desk, error);

    if (status == MQ_OK)
        status = say(call->desk->replica, mq_span_text(words[0]), mq_span_text(words[1]), undo, error);
    call->changed = status == MQ_OK;
    return status;
}

enum mq_status mq_verb_desk_merge(struct mq_call *call, struct mq_error *error)
{
    return two(call, false, mq_records_merge, error);
}

static enum mq_status unlink_two(struct mq_replica *replica, struct mq_span a, struct mq_span b, bool undo,
                                 struct mq_error *error)
{
    (void)undo;
    return mq_records_unlink(replica, a, b, error);
}

enum mq_status mq_verb_desk_unmerge(struct mq_call *call, struct mq_error *error)
{
    return two(call, true, mq_option_get(call->line, "link") != NULL ? unlink_two : mq_records_merge, error);
}

enum mq_status mq_verb_desk_distinct(struct mq_call *call, struct mq_error *error)
{
    return two(call, mq_option_get(call->line, "undo") != NULL, mq_records_distinct, error);
}

enum mq_status mq_verb_desk_split(struct mq_call *call, struct mq_error *error)
{
    const struct mq_emitter emitter = mq_call_lines(call);
    const struct mq_split split = {.household = mq_span_text(call->line->words[0]),
                                   .fields = call->line->fields,
                                   .field_count = (size_t)call->line->field_count,
                                   .left_people = mq_option_get(call->line, "left-people"),
                                   .left_residents = mq_option_get(call->line, "left-residents"),
                                   .mark = mq_option_get(call->line, "mark") != NULL};
    enum mq_status status = mq_desk_sync(call->desk, error);

    if (status == MQ_OK)
        status = mq_records_split(call->desk->replica, &split, &emitter, error);
    call->changed = status == MQ_OK;
    return status;
}
