/* Commands at the desk, from the caller's side: through the running server's socket, or, where none runs, here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/local.h"
#include "platform/secret_key.h"
#include "protocol/assert.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/local_call.h"
#include "server/program.h"

#define CALL_MS (10 * 60 * 1000) /* a check, an export or a backup of a large store */
#define START_MS 10000           /* a server that is just starting, or another command that works here */
#define RETRY_MS 100
#define REPLY_SIZE (MQ_CALL_PIECE + MQ_CALL_TALK_MAX + 64)

struct errand {
    const struct mq_program *program;
    const struct mq_command_line *line;
    const char *data;
    struct mq_data_path socket;
    char directory[4096]; /* the caller's */
    uint8_t input_memory[MQ_ENROL_REQUEST_MAX];
    struct mq_buffer input;
    const char *out_path; /* --out; NULL: stdout */
    char out_temporary[4096];
    FILE *out;
    int code;            /* the command's own */
    enum mq_status told; /* MQ_OK: others know of what it wrote, or it wrote nothing; else `why` says what was in the way */
    struct mq_error why;
};

/* ---- the result's file: whole or not there ---- */

static enum mq_status open_out(struct errand *errand, struct mq_error *error)
{
    errand->out = stdout;
    errand->out_path = mq_option_get(errand->line, "out");
    if (errand->out_path == NULL)
        return MQ_OK;
    struct stat about;
    if (lstat(errand->out_path, &about) == 0 && !S_ISREG(about.st_mode))
        return mq_fail(error, MQ_REFUSED, _("%s is not a regular file; it is left as it is"), errand->out_path);
    int length =
        snprintf(errand->out_temporary, sizeof errand->out_temporary, "%s.%ld.new", errand->out_path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof errand->out_temporary)
        return mq_fail(error, MQ_REFUSED, _("the path is too long: %s"), errand->out_path);
    int file = open(errand->out_temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return mq_fail(error, MQ_REFUSED, _("cannot write %s: %s"), errand->out_path, strerror(errno));
    errand->out = fdopen(file, "w");
    mq_enough(errand->out);
    return MQ_OK;
}

static enum mq_status close_out(struct errand *errand, struct mq_error *error)
{
    const struct mq_platform *platform = errand->program->platform;
    bool good = fflush(errand->out) == 0 && ferror(errand->out) == 0;

    if (errand->out_path == NULL)
        return good ? MQ_OK : mq_fail(error, MQ_NO_SPACE, _("cannot write the result: %s"), strerror(errno));
    good = good && fsync(fileno(errand->out)) == 0;
    good = fclose(errand->out) == 0 && good;
    if (good && errand->code == 0)
        return platform->rename(platform->self, errand->out_temporary, errand->out_path, error);
    unlink(errand->out_temporary);
    return good ? MQ_OK : mq_fail(error, MQ_NO_SPACE, _("cannot write %s; is the disk full?"), errand->out_path);
}

/* ---- through the running server ---- */

static void encode_request(const struct errand *errand, struct mq_buffer *out)
{
    const struct mq_program *program = errand->program;
    struct mq_call_request request = {.directory = mq_span_text(errand->directory),
                                      .input = mq_written(&errand->input)};

    for (int i = 0; i < program->argc && i < MQ_CALL_ARGUMENTS_MAX; i++)
        request.arguments[request.argument_count++] = mq_span_text(program->argv[i]);
    mq_call_request_put(out, &request);
}

static enum mq_status fetch_rest(const struct errand *errand, struct mq_call_reply reply, struct mq_buffer *bytes,
                                 struct mq_error *error)
{
    struct mq_call_request next = {.handle = reply.handle, .offset = reply.piece.size};
    uint64_t total = reply.total;

    while (next.offset < total) {
        uint8_t memory[64];
        struct mq_buffer request = mq_buffer(memory, sizeof memory);
        mq_call_request_put(&request, &next);
        bytes->size = 0;
        enum mq_status status = mq_local_call(errand->socket.text, mq_written(&request), bytes, CALL_MS, error);
        if (status != MQ_OK)
            return status;
        if (mq_call_reply_get(&reply, mq_written(bytes)) != MQ_OK || reply.exit_code != 0 || reply.piece.size == 0)
            return mq_fail(error, MQ_UNREACHABLE,
                           _("the running server did not send the whole result; run the command again"));
        fwrite(reply.piece.data, 1, reply.piece.size, errand->out);
        next.offset += reply.piece.size;
    }
    return MQ_OK;
}

/* MQ_NOT_FOUND: no server runs. */
static enum mq_status run_there(struct errand *errand, struct mq_error *error)
{
    struct mq_buffer request = mq_buffer(malloc(MQ_LOCAL_REQUEST_MAX), MQ_LOCAL_REQUEST_MAX);
    struct mq_buffer bytes = mq_buffer(malloc(REPLY_SIZE), REPLY_SIZE);
    struct mq_call_reply reply;

    mq_enough(request.data);
    mq_enough(bytes.data);
    encode_request(errand, &request);
    request.failed = request.failed || errand->program->argc > MQ_CALL_ARGUMENTS_MAX;
    enum mq_status status = request.failed
                                ? mq_fail(error, MQ_REFUSED, _("the command line is too long"))
                                : mq_local_call(errand->socket.text, mq_written(&request), &bytes, CALL_MS, error);
    if (status == MQ_OK && mq_call_reply_get(&reply, mq_written(&bytes)) != MQ_OK)
        status = mq_fail(error, MQ_UNREACHABLE, _("the running server is of another version; restart it"));
    if (status == MQ_OK) {
        errand->code = (int)reply.exit_code;
        fwrite(reply.talk.data, 1, reply.talk.size, stderr);
        fwrite(reply.piece.data, 1, reply.piece.size, errand->out);
        status = fetch_rest(errand, reply, &bytes, error);
    }
    free(request.data);
    mq_wipe(bytes.data, REPLY_SIZE);
    free(bytes.data);
    return status;
}

/* ---- here ---- */

static enum mq_status run_here(struct errand *errand, struct mq_error *error)
{
    struct mq_centre centre;
    struct mq_phrase *phrase;
    struct mq_call call = {.line = errand->line,
                           .directory = errand->directory,
                           .input = mq_written(&errand->input),
                           .out = errand->out,
                           .talk = stderr};
    enum mq_status status = mq_phrase_get(&phrase, errand->line, false, error);

    if (status != MQ_OK)
        return status;
    status = mq_centre_open(&centre, errand->program->platform, errand->data, phrase, -1, error);
    if (status == MQ_OK) {
        errand->code = mq_verb_run(&centre, errand->program->command, &call);
        if (call.changed) /* what it wrote stands, and so does its result, whether others can be told now or not */
            errand->told = mq_desk_sync(&centre.desk, &errand->why);
    }
    mq_centre_close(&centre);
    mq_secret_free(phrase);
    return status;
}

/* A server may be starting: it holds the directory before its socket is there. */
static enum mq_status run_somewhere(struct errand *errand, struct mq_error *error)
{
    const struct mq_platform *platform = errand->program->platform;
    int64_t until = platform->monotonic_ms(platform->self) + START_MS;

    for (;;) {
        enum mq_status status = run_there(errand, error);
        if (status != MQ_NOT_FOUND)
            return status;
        mq_error_clear(error);
        status = mq_data_lock(platform, errand->data, 0, error);
        if (status == MQ_OK)
            return run_here(errand, error);
        if (status != MQ_BUSY || platform->monotonic_ms(platform->self) >= until)
            return status;
        mq_error_clear(error);
        platform->sleep_ms(platform->self, RETRY_MS);
    }
}

/* ---- all of it ---- */

static bool admits_members(const struct errand *errand)
{
    return strcmp(errand->program->command->name, "member admit") == 0;
}

/* `member admit` alone means nothing: it takes a request, or the root's key for those that wait. */
static bool lacks_words(const struct errand *errand)
{
    return admits_members(errand) && errand->line->word_count == 0 && mq_option_get(errand->line, "root") == NULL;
}

static bool recovers(const struct errand *errand)
{
    return strcmp(errand->program->command->name, "member recover") == 0;
}

/* Is what it gives out a file, and no text for a terminal? */
static bool answers_by_file(const struct errand *errand)
{
    return admits_members(errand) || (recovers(errand) && mq_option_get(errand->line, "code") != NULL);
}

/* `member admit REQUEST`, `member recover REQUEST`: the file is the caller's, so the caller reads it. */
static enum mq_status read_input(struct errand *errand, struct mq_error *error)
{
    const struct mq_platform *platform = errand->program->platform;

    errand->input = mq_buffer(errand->input_memory, sizeof errand->input_memory);
    if ((!admits_members(errand) && !recovers(errand)) || errand->line->word_count == 0)
        return MQ_OK;
    if (answers_by_file(errand) && mq_option_get(errand->line, "out") == NULL)
        return mq_fail(error, MQ_REFUSED, _("say where the answer goes, with --out FILE"));
    enum mq_status status = platform->read(platform->self, errand->line->words[0], &errand->input, error);
    if (status == MQ_NO_SPACE) {
        mq_error_clear(error);
        return mq_fail(error, MQ_REFUSED, _("%s is too large for such a request"), errand->line->words[0]);
    }
    return status;
}

/* The exit code. */
static int say_untold(const struct errand *errand)
{
    if (errand->told == MQ_OK)
        return errand->code;
    fprintf(stderr, "minqingd: %s\n", errand->why.text);
    if (errand->code != 0)
        return errand->code;
    fprintf(stderr, _("What this command did is done and kept here, but nobody else has been told yet: the next command "
                      "that reaches the server does that.\n"));
    return mq_exit_code(errand->told);
}

int mq_run_at_desk(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    struct errand errand = {.program = program, .line = line, .data = mq_program_data(line)};
    struct mq_error error = {0};

    if (errand.data == NULL)
        return 2;
    if (lacks_words(&errand)) {
        fprintf(stderr, "minqingd: ");
        fprintf(stderr, _("something is missing; write: %s %s"), program->command->name, program->command->arguments);
        fprintf(stderr, "\n");
        return 2;
    }
    enum mq_status status = mq_data_whole(program->platform, errand.data, &error);
    if (status == MQ_OK && !mq_data_has(program->platform, errand.data, "desk/vault"))
        status = mq_fail(&error, MQ_REFUSED, _("there is no centre in %s; `minqingd init` makes one"), errand.data);
    if (status == MQ_OK)
        status = mq_data_path(&errand.socket, errand.data, "desk.sock", &error);
    if (status == MQ_OK && getcwd(errand.directory, sizeof errand.directory) == NULL)
        status = mq_fail(&error, MQ_REFUSED, _("cannot tell the working directory: %s"), strerror(errno));
    if (status == MQ_OK)
        status = read_input(&errand, &error);
    if (status == MQ_OK)
        status = open_out(&errand, &error);
    if (status != MQ_OK)
        return mq_program_fail(&error);
    status = run_somewhere(&errand, &error);
    if (status != MQ_OK && errand.code == 0)
        errand.code = mq_exit_code(status);
    struct mq_error unwritten = {0};
    if (close_out(&errand, &unwritten) != MQ_OK && errand.code == 0) {
        status = unwritten.status;
        error = unwritten;
        errand.code = mq_exit_code(status);
    }
    if (status != MQ_OK)
        fprintf(stderr, "minqingd: %s\n", error.text);
    return say_untold(&errand);
}
