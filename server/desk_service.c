/* Local commands at the running server: parsed by the same table, run by the same functions, their results kept in
 * memory (never in a file: they are in clear) until they are fetched. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/local.h"
#include "platform/log.h"
#include "protocol/assert.h"
#include "server/centre_keys.h"
#include "server/local_call.h"
#include "server/program.h"

#define RESULTS 4            /* large results that wait to be fetched; the oldest goes first */
#define RESULT_KEEP_MS 60000 /* since it was last asked for */
#define ACCEPT_PAUSE_MS 100
#define REPLY_SIZE (MQ_CALL_PIECE + MQ_CALL_TALK_MAX + 64)

struct result {
    uint64_t handle;  /* 0: free */
    FILE *file;       /* in memory */
    int64_t asked_ms; /* when last, by the monotonic clock */
};

struct mq_desk_service {
    struct mq_centre *centre;
    struct mq_local *local;
    uint64_t next_handle;
    struct result results[RESULTS];
    uint8_t *request, *reply, *piece;
};

struct mq_desk_service *mq_desk_service_open(struct mq_centre *centre, const char *path, struct mq_error *error)
{
    struct mq_desk_service *service = calloc(1, sizeof *service);

    mq_enough(service);
    service->centre = centre;
    service->next_handle = 1;
    service->request = malloc(MQ_LOCAL_REQUEST_MAX);
    service->reply = malloc(REPLY_SIZE);
    service->piece = malloc(MQ_CALL_PIECE);
    mq_enough(service->request);
    mq_enough(service->reply);
    mq_enough(service->piece);
    if (mq_local_open(&service->local, path, error) == MQ_OK)
        return service;
    mq_desk_service_close(service);
    return NULL;
}

int mq_desk_service_descriptor(const struct mq_desk_service *service)
{
    return mq_local_descriptor(service->local);
}

static void forget(struct result *result)
{
    if (result->file != NULL)
        fclose(result->file);
    *result = (struct result){0};
}

void mq_desk_service_close(struct mq_desk_service *service)
{
    if (service == NULL)
        return;
    mq_local_close(service->local);
    for (size_t i = 0; i < RESULTS; i++)
        forget(&service->results[i]);
    free(service->request);
    free(service->reply);
    free(service->piece);
    free(service);
}

/* ---- results ---- */

static int64_t now_ms(const struct mq_desk_service *service)
{
    const struct mq_platform *platform = service->centre->desk.platform;

    return platform->monotonic_ms(platform->self);
}

void mq_desk_service_expire(struct mq_desk_service *service)
{
    for (size_t i = 0; i < RESULTS; i++)
        if (now_ms(service) - service->results[i].asked_ms > RESULT_KEEP_MS)
            forget(&service->results[i]);
}

static FILE *open_result(void)
{
    int descriptor = memfd_create("result", MFD_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w+");

    if (file == NULL && descriptor >= 0)
        close(descriptor);
    return file;
}

/* Up to one piece; what is behind the end is empty. */
static struct mq_span read_piece(struct mq_desk_service *service, FILE *file, uint64_t offset, uint64_t *total)
{
    struct stat about;
    size_t size = 0;

    *total = 0;
    if (fstat(fileno(file), &about) != 0 || offset > (uint64_t)about.st_size)
        return mq_span(service->piece, 0);
    *total = (uint64_t)about.st_size;
    while (size < MQ_CALL_PIECE) {
        ssize_t got = pread(fileno(file), service->piece + size, MQ_CALL_PIECE - size, (off_t)(offset + size));
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    return mq_span(service->piece, size);
}

/* Keeps a result that does not fit one answer. */
static uint64_t keep(struct mq_desk_service *service, FILE *file)
{
    struct result *oldest = &service->results[0];

    for (size_t i = 1; i < RESULTS; i++)
        if (service->results[i].handle < oldest->handle)
            oldest = &service->results[i];
    forget(oldest);
    *oldest = (struct result){service->next_handle++, file, now_ms(service)};
    return oldest->handle;
}

static void continue_result(struct mq_desk_service *service, const struct mq_call_request *request,
                            struct mq_call_reply *reply)
{
    *reply = (struct mq_call_reply){.exit_code = 70};
    for (size_t i = 0; i < RESULTS; i++) {
        struct result *result = &service->results[i];
        if (result->handle != request->handle)
            continue;
        reply->piece = read_piece(service, result->file, request->offset, &reply->total);
        reply->exit_code = 0;
        reply->handle = result->handle;
        result->asked_ms = now_ms(service);
        if (request->offset + reply->piece.size >= reply->total)
            forget(result);
        return;
    }
}

/* ---- commands ---- */

static char *copy_text(struct mq_span text)
{
    char *copy = malloc(text.size + 1);

    mq_enough(copy);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static int run_line(struct mq_desk_service *service, int argc, char **argv, struct mq_call *call)
{
    const struct mq_command *command;
    struct mq_command_line line;
    struct mq_error error = {0};
    enum mq_status status = mq_options_parse(mq_server_commands, mq_server_command_count, mq_server_options, argc, argv,
                                             &command, &line, &error);

    if (status == MQ_OK && (command == NULL || command->run != mq_run_at_desk))
        status = mq_fail(&error, MQ_REFUSED, _("the running server does not do that for others"));
    if (status != MQ_OK) {
        fprintf(call->talk, "minqingd: %s\n", error.text);
        fflush(call->talk);
        return 2;
    }
    call->line = &line;
    return mq_verb_run(service->centre, command, call);
}

static int run_request(struct mq_desk_service *service, const struct mq_call_request *request, struct mq_call *call)
{
    char *argv[MQ_CALL_ARGUMENTS_MAX + 1] = {0};
    char *directory = copy_text(request->directory);

    for (size_t i = 0; i < request->argument_count; i++)
        argv[i] = copy_text(request->arguments[i]);
    call->directory = directory;
    call->input = request->input;
    int code = run_line(service, (int)request->argument_count, argv, call);
    for (size_t i = 0; i < request->argument_count; i++)
        free(argv[i]);
    free(directory);
    return code;
}

static void run_command(struct mq_desk_service *service, int caller, const struct mq_call_request *request)
{
    char *talk = NULL;
    size_t talk_size = 0;
    struct mq_call call = {.out = open_result(), .talk = open_memstream(&talk, &talk_size)};
    struct mq_call_reply reply = {0};
    struct mq_error error = {0};

    mq_enough(call.out);
    mq_enough(call.talk);
    reply.exit_code = (uint64_t)run_request(service, request, &call);
    fclose(call.talk);
    reply.talk = mq_span(talk, talk_size < MQ_CALL_TALK_MAX ? talk_size : MQ_CALL_TALK_MAX);
    reply.piece = read_piece(service, call.out, 0, &reply.total);
    if (reply.piece.size < reply.total)
        reply.handle = keep(service, call.out);
    else
        fclose(call.out);
    struct mq_buffer bytes = mq_buffer(service->reply, REPLY_SIZE);
    mq_call_reply_put(&bytes, &reply);
    MQ_ASSERT(!bytes.failed);
    if (mq_local_answer(caller, mq_written(&bytes), &error) != MQ_OK)
        mq_log(MQ_LOG_WARNING, "local_command", mq_log_text("reason", error.text));
    free(talk);
    mq_wipe(service->piece, MQ_CALL_PIECE);
    mq_wipe(service->reply, REPLY_SIZE);
    error = (struct mq_error){0};
    if (call.changed && mq_desk_sync(&service->centre->desk, &error) != MQ_OK) /* the caller need not wait for that */
        mq_log(MQ_LOG_WARNING, "sync_failed", mq_log_text("reason", error.text));
}

void mq_desk_service_take(struct mq_desk_service *service)
{
    struct mq_buffer bytes = mq_buffer(service->request, MQ_LOCAL_REQUEST_MAX);
    struct mq_call_request request;
    struct mq_call_reply reply = {.exit_code = 70};
    const struct mq_platform *platform = service->centre->desk.platform;
    struct mq_error error = {0};
    int caller;
    enum mq_status status = mq_local_accept(service->local, &caller, &bytes, &error);

    if (status == MQ_NOT_FOUND)
        return;
    if (status != MQ_OK) {
        mq_log(MQ_LOG_WARNING, "local_command", mq_log_text("reason", error.text));
        if (status == MQ_FAULT) /* no descriptor free: the caller still waits, and would wake us at once */
            platform->sleep_ms(platform->self, ACCEPT_PAUSE_MS);
        return;
    }
    status = mq_call_request_get(&request, mq_written(&bytes));
    if (status == MQ_OK && request.handle == 0) {
        run_command(service, caller, &request);
        return;
    }
    if (status == MQ_OK)
        continue_result(service, &request, &reply);
    struct mq_buffer answer = mq_buffer(service->reply, REPLY_SIZE);
    mq_call_reply_put(&answer, &reply);
    (void)mq_local_answer(caller, mq_written(&answer), &error);
}
