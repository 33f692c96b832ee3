/* Whom to visit: draw, unheard. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/program.h"
#include "replica/catalogue.h"
#include "replica/draw.h"

#define DAY_SECONDS 86400
#define MONTH_DAYS 30
#define MONTHS_MAX 1200
#define DRAWN_MAX 999

static enum mq_status number_option(struct program *program, const char *name, int64_t least, int64_t most,
                                    int64_t *out)
{
    const char *text = mq_option_get(program->line, name);
    char *end = NULL;
    if (text == NULL)
        return MQ_OK;
    long long value = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
        return mq_fail(&program->error, MQ_REFUSED, _("--%s is a number from %lld to %lld"), name, (long long)least,
                       (long long)most);
    *out = value;
    return MQ_OK;
}

/* Fresh, and short enough to be written down beside the list. */
static int64_t fresh_seed(const struct mq_platform *platform)
{
    uint8_t bytes[4];
    mq_random(platform, bytes, sizeof bytes);
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static enum mq_status type_option(struct program *program, uint64_t *type)
{
    const char *text = mq_option_get(program->line, "type");
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text("types"));
    const struct mq_code_list *list;
    enum mq_status status =
        mq_catalogue_codes(program->device.replica, field->codes, &list, &program->error);
    if (status != MQ_OK)
        return status;
    const struct mq_code *code = text == NULL ? NULL : mq_code_by_text(list, mq_span_text(text));
    if (text != NULL && code == NULL)
        return mq_fail(&program->error, MQ_REFUSED, _("\"%s\" is no type of household; `minqing reference "
                                                      "household_type` lists them"), text);
    *type = code == NULL ? 0 : code->code;
    return MQ_OK;
}

static enum mq_status options_read(struct program *program, struct mq_draw *draw)
{
    const struct mq_platform *platform = program->device.platform;
    const char *place = mq_option_get(program->line, "place"), *group = mq_option_get(program->line, "group");
    int64_t months = 0, seed = fresh_seed(platform);
    draw->place = mq_span_text(place == NULL ? "" : place);
    draw->group = mq_span_text(group == NULL ? "" : group);
    draw->today = (int32_t)(mq_now(platform) / DAY_SECONDS);
    enum mq_status status = number_option(program, "months", 1, MONTHS_MAX, &months);
    if (status == MQ_OK)
        status = number_option(program, "seed", 0, INT64_MAX, &seed);
    draw->unheard_days = (int32_t)(months * MONTH_DAYS);
    draw->seed = (uint64_t)seed;
    return status;
}

/* Shows each household, and puts it into the plan where one is named. */
struct into_plan {
    struct program *program;
    struct mq_emitter shown;
    char ids[DRAWN_MAX][MQ_RECORD_ID_TEXT_MAX + 1];
    size_t count;
};

static enum mq_status keep(void *context, struct mq_span object, struct mq_error *error)
{
    struct into_plan *into = context;
    struct mq_json *json;
    enum mq_status status = into->shown.emit(into->shown.context, object, error);
    if (status == MQ_OK)
        status = mq_json_parse(&json, object, error);
    if (status != MQ_OK)
        return status;
    struct mq_span id = mq_json_string(mq_json_get(json, "household"));
    if (into->count < DRAWN_MAX && id.size <= MQ_RECORD_ID_TEXT_MAX)
        snprintf(into->ids[into->count++], sizeof *into->ids, "%.*s", (int)id.size, (const char *)id.data);
    mq_json_free(json);
    return MQ_OK;
}

static enum mq_status plan_put(struct into_plan *into, const char *plan)
{
    struct program *program = into->program;
    const char *how = "how_chosen=随机抽";
    struct mq_saved saved;
    enum mq_status status = mq_records_set(program->device.replica, mq_span_text(plan), &how, 1, mq_span_text(""),
                                           &saved, &program->error);
    for (size_t i = 0; i < into->count && status == MQ_OK; i++) {
        char text[MQ_RECORD_ID_TEXT_MAX + 32];
        const char *assignment = text;
        snprintf(text, sizeof text, "households+=%s", into->ids[i]);
        status = mq_records_set(program->device.replica, mq_span_text(plan), &assignment, 1, mq_span_text(""), &saved,
                                &program->error);
    }
    return status;
}

int command_draw(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const char *plan = mq_option_get(line, "plan");
    struct into_plan *into = calloc(1, sizeof *into);
    struct mq_draw draw = {.count = 1};
    if (into == NULL)
        return program_end(program, mq_fail(&program->error, MQ_FAULT, _("there is not enough memory")));
    *into = (struct into_plan){.program = program, .shown = program_emitter(program)};
    const struct mq_emitter emitter = {into, keep};
    enum mq_status status = options_read(program, &draw);
    if (status == MQ_OK)
        status = number_option(program, "count", 1, DRAWN_MAX, &draw.count);
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK)
        status = type_option(program, &draw.type);
    if (status == MQ_OK) {
        status = mq_draw_households(program->device.replica, &draw, &emitter, &program->error);
        fprintf(stderr, _("Drawn with seed %" PRIu64 "; the same seed draws the same households from the same records.\n"),
                draw.seed);
    }
    if (status == MQ_OK && plan != NULL)
        status = plan_put(into, plan);
    free(into);
    return program_end(program, status);
}

int command_unheard(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct mq_draw draw = {.count = 0};
    const struct mq_emitter emitter = program_emitter(program);
    (void)line;
    enum mq_status status = options_read(program, &draw);
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK)
        status = type_option(program, &draw.type);
    if (status == MQ_OK)
        status = mq_draw_households(program->device.replica, &draw, &emitter, &program->error);
    return program_end(program, status);
}
