/* What all commands at the desk need. */
#include "server/desk/call_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/hex.h"

#define DAY_SECONDS 86400

bool mq_call_json(const struct mq_call *call)
{
    return mq_option_get(call->line, "json") != NULL;
}

const char *mq_call_given(const struct mq_call *call, const char *option)
{
    const char *given = mq_option_get(call->line, option);

    return given != NULL && *given != '\0' ? given : NULL;
}

int32_t mq_call_today(const struct mq_call *call)
{
    const struct mq_platform *platform = call->desk->platform;

    return (int32_t)((mq_now(platform) + platform->utc_offset(platform->self)) / DAY_SECONDS);
}

void mq_call_print(struct mq_call *call, struct mq_span line)
{
    fwrite(line.data, 1, line.size, call->out);
    fputc('\n', call->out);
}

static enum mq_status emit_line(void *context, struct mq_span object, struct mq_error *error)
{
    (void)error;
    mq_call_print(context, object);
    return MQ_OK;
}

struct mq_emitter mq_call_lines(struct mq_call *call)
{
    return (struct mq_emitter){.context = call, .emit = emit_line};
}

enum mq_status mq_call_merge(struct mq_call *call, struct mq_error *error)
{
    struct mq_desk *desk = call->desk;
    const int64_t now = desk->platform->monotonic_ms(desk->platform->self);
    struct mq_error why = desk->unreached;

    if (desk->unreached.status == MQ_OK || now - desk->unreached_ms >= MQ_CALL_UNREACHED_MS) {
        enum mq_status status = mq_desk_sync(desk, error);
        if (status != MQ_UNREACHABLE && status != MQ_REFUSED)
            return status;
        why = *error;
        mq_error_clear(error);
    }
    fprintf(call->talk, _("Not everything stored is merged yet: %s\n"), why.text);
    return MQ_OK;
}

enum mq_status mq_call_path(const struct mq_call *call, const char *name, char out[MQ_PATH_MAX], struct mq_error *error)
{
    int length = name[0] == '/' ? snprintf(out, MQ_PATH_MAX, "%s", name)
                                : snprintf(out, MQ_PATH_MAX, "%s/%s", call->directory, name);

    return length > 0 && length < MQ_PATH_MAX ? MQ_OK : mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), name);
}

enum mq_status mq_call_root_file(const struct mq_call *call, char memory[MQ_PATH_MAX], const char **file,
                                 struct mq_error *error)
{
    const char *named = mq_option_get(call->line, "root");

    *file = named != NULL ? memory : NULL;
    return named != NULL ? mq_call_path(call, named, memory, error) : MQ_OK;
}

enum mq_status mq_call_root(struct mq_call *call, struct mq_identity *root, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    const char *file;
    enum mq_status status = mq_call_root_file(call, path, &file, error);

    return status == MQ_OK ? mq_root_of(call->desk, file, root, error) : status;
}

enum mq_status mq_call_number(const char *text, const char *what, int64_t least, int64_t most, int64_t *out,
                              struct mq_error *error)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < least || number > most)
        return mq_fail(error, MQ_REFUSED, _("%s is a number from %" PRId64 " to %" PRId64 ", not \"%s\""), what, least,
                       most, text);
    *out = number;
    return MQ_OK;
}

static bool is_team(const struct mq_team *team, const char *text)
{
    char id[2 * MQ_ID_SIZE + 1];

    mq_hex_write(id, MQ_SPAN(team->team));
    return strcmp(text, team->name) == 0 || strcmp(text, id) == 0;
}

enum mq_status mq_call_team(struct mq_call *call, const char *text, struct mq_team *out, struct mq_error *error)
{
    struct mq_team *teams;
    size_t count;
    char names[400] = "";
    enum mq_status status = mq_desk_teams(call->desk, &teams, &count, error);

    if (status == MQ_OK && count == 0)
        status = mq_fail(error, MQ_REFUSED, _("there is no team yet; `minqingd team add NAME` makes one"));
    for (size_t i = 0; status == MQ_OK && i < count; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", i > 0 ? ", " : "", teams[i].name);
        if (text == NULL ? count > 1 : !is_team(&teams[i], text))
            continue;
        *out = teams[i];
        free(teams);
        return MQ_OK;
    }
    free(teams);
    if (status != MQ_OK)
        return status;
    if (text == NULL)
        return mq_fail(error, MQ_REFUSED, _("there are several teams; say which with --team: %s"), names);
    return mq_fail(error, MQ_REFUSED, _("there is no team \"%s\"; there are: %s"), text, names);
}

void mq_time_text(char out[MQ_TIME_TEXT_SIZE], int64_t seconds)
{
    struct tm parts;
    time_t moment = (time_t)seconds;

    out[0] = '\0';
    if (gmtime_r(&moment, &parts) != NULL)
        strftime(out, MQ_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
