/* `place merge` and `place split`: what happens to villages, said once and written as reference data. */
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/reference.h"
#include "server/desk/call_keys.h"

#define ASSIGNMENT_MAX (MQ_PLACE_CODES_MAX * 96 + 128)

struct place_work {
    struct mq_call *call;
    struct mq_reference_teams teams;
    int32_t day;       /* from which it holds */
    const char *code;  /* the new one; NULL: none */
    struct mq_saved saved;
};

/* ---- what is said ---- */

static enum mq_status read_day(const struct mq_call *call, int32_t *day, struct mq_error *error)
{
    const char *date = mq_option_get(call->line, "date");
    if (date == NULL || !mq_date_parse(day, mq_span_text(date)) || *day < 1)
        return mq_fail(error, MQ_REFUSED, _("say from which day on: --date 2026-12-01"));
    return MQ_OK;
}

static void put_day(struct mq_json_writer *writer, const char *key, int32_t day)
{
    char text[11];
    if (day == 0)
        return;
    mq_date_print(text, day);
    mq_json_key(writer, key);
    mq_json_text_value(writer, text);
}

/* codes=[...]: those that are open end the day before, and the new one begins. */
static void put_codes(struct mq_json_writer *writer, const struct mq_place *place, const struct place_work *work)
{
    mq_json_begin(writer, '[');
    for (size_t i = 0; i < (place == NULL ? 0 : place->code_count); i++) {
        const struct mq_place_code *code = &place->codes[i];
        char text[24];
        snprintf(text, sizeof text, "%012llu", (unsigned long long)code->code);
        mq_json_begin(writer, '{');
        mq_json_key(writer, "code");
        mq_json_text_value(writer, text);
        put_day(writer, "from", code->from);
        put_day(writer, "to", code->to == 0 || code->to >= work->day ? work->day - 1 : code->to);
        mq_json_end(writer, '}');
    }
    if (work->code != NULL) {
        mq_json_begin(writer, '{');
        mq_json_key(writer, "code");
        mq_json_text_value(writer, work->code);
        put_day(writer, "from", work->day);
        mq_json_end(writer, '}');
    }
    mq_json_end(writer, ']');
}

static void codes_assignment(char *out, size_t size, const struct mq_place *place, const struct place_work *work)
{
    struct mq_buffer text = mq_buffer(out, size - 1);
    struct mq_json_writer writer = {.out = &text};
    mq_put_text(&text, "codes=");
    put_codes(&writer, place, work);
    MQ_ASSERT(!text.failed);
    out[text.size] = '\0';
}

static void print_saved(const struct place_work *work)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "id");
    mq_json_text_value(&writer, work->saved.id);
    mq_json_key(&writer, "saved");
    mq_json_bool_value(&writer, true);
    mq_json_end(&writer, '}');
    if (mq_call_json(work->call))
        mq_call_print(work->call, mq_written(&out));
    else
        mq_say(work->call->out, _("Saved as \"%s\"; it goes to the devices with their next sync.\n"), work->saved.id);
    work->call->changed = true;
}

/* ---- merge ---- */

static enum mq_status merge(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct place_work *work = context;
    const char *const *words = work->call->line->words;
    const struct mq_place *from, *into;
    char codes[ASSIGNMENT_MAX], target[MQ_RECORD_ID_TEXT_MAX + 8], date[32] = "into_date=", id[MQ_RECORD_ID_TEXT_MAX + 1];
    const char *const assignments[] = {target, date, codes}, *const new_codes[] = {codes};
    enum mq_status status = mq_catalogue_place_named(replica, mq_span_text(words[0]), &from, error);
    if (status == MQ_OK)
        status = mq_catalogue_place_named(replica, mq_span_text(words[2]), &into, error);
    if (status != MQ_OK)
        return status;
    if (from == into)
        return mq_fail(error, MQ_REFUSED, _("%s cannot be merged into itself"), from->name);
    snprintf(target, sizeof target, "into=%s", into->id);
    mq_date_print(date + strlen(date), work->day);
    snprintf(id, sizeof id, "%s", from->id);
    const char *code = work->code;
    work->code = NULL; /* the new one is not for the village that ends */
    codes_assignment(codes, sizeof codes, from, work);
    work->code = code;
    status = mq_reference_set(replica, &work->teams, mq_span_text(id), assignments, from->code_count > 0 ? 3 : 2,
                              &work->saved, error);
    if (status != MQ_OK || code == NULL)
        return status;
    status = mq_catalogue_place_named(replica, mq_span_text(words[2]), &into, error); /* read anew: something changed */
    if (status != MQ_OK)
        return status;
    codes_assignment(codes, sizeof codes, into, work);
    snprintf(id, sizeof id, "%s", into->id);
    struct mq_saved other;
    return mq_reference_set(replica, &work->teams, mq_span_text(id), new_codes, 1, &other, error);
}

/* ---- split ---- */

static enum mq_status split(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct place_work *work = context;
    const char *name = mq_option_get(work->call->line, "name");
    const struct mq_place *from;
    uint8_t memory[4096];
    char level[8];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &text};
    struct mq_json *object;
    enum mq_status status = mq_catalogue_place_named(replica, mq_span_text(work->call->line->words[0]), &from, error);
    if (status != MQ_OK)
        return status;
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, "place");
    mq_json_key(&writer, "name");
    mq_json_text_value(&writer, name);
    mq_json_key(&writer, "split_from");
    mq_json_text_value(&writer, from->id);
    if (from->parent != NULL) {
        mq_json_key(&writer, "parent");
        mq_json_text_value(&writer, from->parent->id);
    }
    if (from->level != 0) {
        snprintf(level, sizeof level, "%u", (unsigned)from->level);
        mq_json_key(&writer, "level");
        mq_json_text_value(&writer, level);
    }
    if (work->code != NULL) {
        mq_json_key(&writer, "codes");
        put_codes(&writer, NULL, work);
    }
    mq_json_end(&writer, '}');
    status = text.failed ? mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"))
                         : mq_json_parse(&object, mq_written(&text), error);
    if (status != MQ_OK)
        return status;
    status = mq_reference_add(replica, &work->teams, object, &work->saved, error);
    mq_json_free(object);
    return status;
}

/* ---- both ---- */

static enum mq_status run(struct mq_call *call,
                          enum mq_status (*work)(struct mq_replica *, void *, struct mq_error *), struct mq_error *error)
{
    struct place_work place = {.call = call, .code = mq_option_get(call->line, "code")};
    struct mq_team *teams = NULL;
    enum mq_status status = read_day(call, &place.day, error);
    if (status == MQ_OK)
        status = mq_call_merge(call, error);
    if (status == MQ_OK)
        status = mq_desk_teams(call->desk, &teams, &place.teams.count, error);
    place.teams.teams = teams;
    if (status == MQ_OK)
        status = mq_replica_transact(call->desk->replica, work, &place, error);
    if (status == MQ_OK)
        print_saved(&place);
    free(teams);
    return status;
}

enum mq_status mq_verb_place_merge(struct mq_call *call, struct mq_error *error)
{
    if (strcmp(call->line->words[1], "into") != 0)
        return mq_fail(error, MQ_REFUSED, _("write: place merge PLACE into PLACE --date DATE"));
    return run(call, merge, error);
}

enum mq_status mq_verb_place_split(struct mq_call *call, struct mq_error *error)
{
    if (mq_option_get(call->line, "name") == NULL)
        return mq_fail(error, MQ_REFUSED, _("say what the new place is called: --name NAME"));
    return run(call, split, error);
}
