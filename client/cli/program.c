/* Opening, showing, ending: the same for every command. */
#include "client/cli/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/secret_key.h"
#include "platform/terminal.h"

enum mq_status program_passphrase(struct program *program, const char *file, const char *prompt, struct mq_buffer *out)
{
    return file != NULL ? mq_passphrase_read(out, file, &program->error)
                        : mq_passphrase_ask(out, prompt, &program->error);
}

const char *program_passphrase_file(const struct program *program)
{
    const char *variable = getenv("MINQING_PASSPHRASE_FILE");
    return program->passphrase_file != NULL          ? program->passphrase_file
           : variable != NULL && variable[0] != '\0' ? variable
                                                     : NULL;
}

enum mq_status program_open(struct program *program)
{
    uint8_t *memory = mq_secret_alloc(MQ_PASSPHRASE_MAX);
    if (memory == NULL)
        return mq_fail(&program->error, MQ_FAULT, _("there is not enough memory"));
    struct mq_buffer passphrase = mq_buffer(memory, MQ_PASSPHRASE_MAX);
    enum mq_status status = program_passphrase(program, program_passphrase_file(program), _("Passphrase: "), &passphrase);
    if (status == MQ_OK)
        status = mq_device_open(&program->device, mq_written(&passphrase), &program->error);
    mq_secret_free(memory);
    return status;
}

int program_end(struct program *program, enum mq_status status)
{
    if (status != MQ_OK)
        fprintf(stderr, "minqing: %s\n",
                program->error.status != MQ_OK ? program->error.text
                                               : _("something went wrong; nothing that was saved is lost"));
    if (fflush(stdout) != 0 && status == MQ_OK) {
        fprintf(stderr, "minqing: %s\n", _("the result could not be written to where it should go"));
        return mq_exit_code(MQ_FAULT);
    }
    return mq_exit_code(status);
}

void program_rest(struct program *program, int code)
{
    struct mq_error error = {0};
    if (code > 3) /* damage, or the machine's fault: nothing more is written */
        return;
    if (mq_device_rest(&program->device, &error) != MQ_OK)
        fprintf(stderr, _("minqing: what is saved stays saved, but could not be made ready for `sync --locked`: %s\n"),
                error.text);
}

/* ---- objects for people: the same keys, without the punctuation ---- */

static void print_plain(struct program *program, const struct mq_json *value, const char *separator);

/* A kind is a word of ours, so it is shown as one. */
static void print_kind(const struct mq_json *value)
{
    const struct mq_kind *kind = mq_kind_by_key(mq_json_string(value));
    fputs(kind == NULL ? "?" : program_word(kind->key), stdout);
}

static void print_members(struct program *program, const struct mq_json *object, const char *separator)
{
    void *iterator = NULL;
    const char *key;
    const struct mq_json *member;
    bool first = true;
    while (mq_json_each(object, &iterator, &key, &member)) {
        printf("%s%s ", first ? "" : separator, program_word(key));
        if (strcmp(key, "kind") == 0 && mq_json_type(member) == MQ_JSON_STRING)
            print_kind(member);
        else if (mq_json_type(member) == MQ_JSON_STRING)
            mq_print_text(stdout, program_value(program, key, mq_json_string(member)));
        else
            print_plain(program, member, " ");
        first = false;
    }
}

static void print_plain(struct program *program, const struct mq_json *value, const char *separator)
{
    switch (mq_json_type(value)) {
    case MQ_JSON_OBJECT: print_members(program, value, separator); return;
    case MQ_JSON_ARRAY:
        for (size_t i = 0; i < mq_json_size(value); i++) {
            fputs(i == 0 ? "" : "; ", stdout);
            print_plain(program, mq_json_item(value, i), " ");
        }
        return;
    case MQ_JSON_STRING: mq_print_text(stdout, mq_json_string(value)); return;
    case MQ_JSON_INTEGER: printf("%lld", (long long)mq_json_integer(value)); return;
    case MQ_JSON_BOOL: fputs(mq_json_bool(value) ? _("yes") : _("no"), stdout); return;
    case MQ_JSON_REAL:
    case MQ_JSON_NULL: fputs("-", stdout); return;
    }
}

static enum mq_status emit_json(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    if (fwrite(object.data, 1, object.size, stdout) != object.size || putchar('\n') == EOF)
        return mq_fail(error, MQ_FAULT, _("the result could not be written to where it should go"));
    return MQ_OK;
}

static enum mq_status emit_plain(struct program *program, struct mq_span object, const char *separator,
                                 struct mq_error *error)
{
    struct mq_json *json;
    enum mq_status status = mq_json_parse(&json, object, error);
    if (status != MQ_OK)
        return status;
    print_members(program, json, separator);
    mq_json_free(json);
    return putchar('\n') == EOF ? mq_fail(error, MQ_FAULT, _("the result could not be written to where it should go"))
                                : MQ_OK;
}

static enum mq_status emit_line(void *context, struct mq_span object, struct mq_error *error)
{
    return emit_plain(context, object, "  ", error);
}

static enum mq_status emit_page(void *context, struct mq_span object, struct mq_error *error)
{
    enum mq_status status = emit_plain(context, object, "\n", error);
    if (status == MQ_OK)
        putchar('\n');
    return status;
}

struct mq_emitter program_emitter(struct program *program)
{
    return (struct mq_emitter){.context = program, .emit = program->json ? emit_json : emit_line};
}

struct mq_emitter program_pages(struct program *program)
{
    return (struct mq_emitter){.context = program, .emit = program->json ? emit_json : emit_page};
}
