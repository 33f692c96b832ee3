/* Commands on the device itself: join, sync, status, bundles, check, lock, passphrase. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/program.h"
#include "platform/secret_key.h"
#include "platform/terminal.h"
#include "replica/bundle.h"
#include "replica/outgoing.h"
#include "replica/spool.h"

#define JOIN_TIMEOUT_MS 20000
#define SYNC_TIMEOUT_S 20
#define SYNC_TIMEOUT_MAX_S 86400

static struct mq_json_writer result_begin(struct mq_buffer *out)
{
    struct mq_json_writer writer = {.out = out};
    mq_json_begin(&writer, '{');
    return writer;
}

static enum mq_status result_end(struct program *program, struct mq_json_writer *writer)
{
    const struct mq_emitter emitter = program_pages(program);
    mq_json_end(writer, '}');
    return emitter.emit(emitter.context, mq_written(writer->out), &program->error);
}

int command_join(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const char *name = mq_option_get(line, "name"), *file = program_passphrase_file(program);
    struct mq_join join = {.name = name == NULL ? "" : name,
                           .timeout_ms = JOIN_TIMEOUT_MS,
                           .request_out = mq_option_get(line, "request-out"),
                           .grant_in = mq_option_get(line, "grant-in"),
                           .recovery = mq_option_get(line, "recovery") != NULL};
    uint8_t *memory = mq_secret_alloc(MQ_PASSPHRASE_MAX), *typed = mq_secret_alloc(MQ_INVITATION_TEXT_MAX);
    struct mq_buffer passphrase = mq_buffer(memory, memory == NULL ? 0 : MQ_PASSPHRASE_MAX);
    struct mq_buffer invitation = mq_buffer(typed, typed == NULL ? 0 : MQ_INVITATION_TEXT_MAX);
    enum mq_status status = mq_secret_argument(&invitation, (char *)(uintptr_t)line->words[0], &program->error);
    join.invitation = mq_written(&invitation);
    if (status == MQ_OK)
        status = program_kdf_memory(program, &join.kdf_memory_mib);
    if (status == MQ_OK)
        status = program_new_passphrase(program, file, &passphrase);
    join.passphrase = mq_written(&passphrase);
    if (status == MQ_OK)
        status = mq_device_join(&program->device, &join, &program->error);
    mq_secret_free(memory);
    mq_secret_free(typed);
    if (status == MQ_WAITING) {
        printf(_("The request is in %s. Bring it to the centre, then: minqing join INVITATION --grant-in FILE\n"),
               join.request_out);
        return program_end(program, MQ_OK);
    }
    if (status != MQ_OK)
        return program_end(program, status);
    if (join.recovery)
        program_say_recovery();
    fprintf(stderr, "%s\n", _("This device has joined. Records are saved here, encrypted, with or without a network."));
    return command_device(program, line);
}

/* ---- sync and status ---- */

static void put_safety(struct mq_json_writer *writer, const struct mq_safety *safety)
{
    char text[32];
    time_t at = (time_t)safety->last_receipt;
    struct tm utc;
    mq_json_int_pair(writer, "records", safety->records);
    mq_json_int_pair(writer, "saved", safety->saved);
    mq_json_int_pair(writer, "stored", safety->stored);
    mq_json_int_pair(writer, "anchored", safety->anchored);
    mq_json_int_pair(writer, "quarantined", safety->quarantined);
    mq_json_key(writer, "last_receipt");
    if (safety->last_receipt > 0 && gmtime_r(&at, &utc) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        mq_json_text_value(writer, text);
    else
        mq_json_null_value(writer);
    mq_json_int_pair(writer, "conflicts", safety->conflicts);
    mq_json_bool_pair(writer, "locked", false);
    if (safety->revoked)
        mq_json_bool_pair(writer, "revoked", true);
}

static void tell_revoked(const struct mq_safety *safety)
{
    if (safety->revoked)
        fprintf(stderr, "%s\n",
                _("The centre has stopped this device, as one does when a device is lost. Everything you saved is still here; what "
                  "was sent after that waits at the centre until somebody there lets it in. Please call the centre; a new "
                  "device gets a new invitation."));
}

static enum mq_status timeout_option(struct program *program, int64_t *out)
{
    const char *text = mq_option_get(program->line, "timeout");
    char *end = NULL;
    *out = SYNC_TIMEOUT_S * 1000;
    if (text == NULL)
        return MQ_OK;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > SYNC_TIMEOUT_MAX_S)
        return mq_fail(&program->error, MQ_REFUSED, _("--timeout is a number of seconds from 1 to %d"),
                       SYNC_TIMEOUT_MAX_S);
    *out = value * 1000;
    return MQ_OK;
}

static enum mq_status print_sync(struct program *program, const struct mq_device_sync *done)
{
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = result_begin(&out);
    mq_json_int_pair(&writer, "sent", done->sent);
    mq_json_int_pair(&writer, "received", done->received);
    mq_json_int_pair(&writer, "bytes_up", done->bytes_up);
    mq_json_int_pair(&writer, "bytes_down", done->bytes_down);
    mq_json_int_pair(&writer, "requests", done->requests);
    mq_json_int_pair(&writer, "round_trips", done->round_trips);
    mq_json_int_pair(&writer, "quarantined", done->safety.quarantined);
    return result_end(program, &writer);
}

/* Without the passphrase: the spool, and nothing else. */
static int sync_locked(struct program *program, int64_t timeout)
{
    struct mq_spool_sent done;
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_device_sync_locked(&program->device, timeout, &done, &program->error);
    if (status == MQ_OK || done.requests > 0) {
        struct mq_json_writer writer = result_begin(&out);
        mq_json_int_pair(&writer, "segments", done.sent);
        mq_json_int_pair(&writer, "left", done.left);
        mq_json_int_pair(&writer, "bytes_up", done.bytes_up);
        mq_json_int_pair(&writer, "bytes_down", done.bytes_down);
        mq_json_int_pair(&writer, "requests", done.requests);
        mq_json_int_pair(&writer, "round_trips", done.requests > 0 ? done.requests + 2 : 0);
        enum mq_status shown = result_end(program, &writer);
        status = status == MQ_OK ? shown : status;
    }
    if (status == MQ_OK)
        fprintf(stderr, "%s\n",
                _("What is sealed here is sent. What was saved after that waits for the passphrase; nothing is lost."));
    return program_end(program, status);
}

int command_sync(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct mq_device_sync done = {0};
    int64_t timeout;
    enum mq_status status = timeout_option(program, &timeout);
    if (status == MQ_OK && mq_option_get(line, "locked") != NULL)
        return sync_locked(program, timeout);
    if (status == MQ_OK)
        status = program_open(program);
    if (status != MQ_OK)
        return program_end(program, status);
    status = mq_device_sync(&program->device, timeout, &done, &program->error);
    if (done.moved_on)
        fprintf(
            stderr, "%s\n",
            _("This store is a copy, or was brought back from a backup; it goes on under a new stream. Nothing is lost."));
    if (status != MQ_OK)
        fprintf(stderr, _("Nothing is lost: %lld records are saved here and wait to be sent.\n"),
                (long long)done.safety.saved);
    if (status == MQ_OK || done.requests > 0) {
        enum mq_status shown = print_sync(program, &done);
        status = status == MQ_OK ? shown : status;
    }
    tell_revoked(&done.safety);
    return program_end(program, status);
}

int command_status(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct mq_safety safety;
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    (void)line;
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_safety_count(program->device.replica, &safety, &program->error);
    if (status == MQ_OK) {
        struct mq_json_writer writer = result_begin(&out);
        put_safety(&writer, &safety);
        status = result_end(program, &writer);
        tell_revoked(&safety);
    }
    return program_end(program, status);
}

/* ---- bundles ---- */

int command_bundle_write(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    int64_t segments;
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_bundle_write(program->device.replica, line->words[0], &segments, &program->error);
    if (status == MQ_OK && program->json)
        printf("{\"segments\":%lld}\n", (long long)segments);
    else if (status == MQ_OK)
        printf(_("%lld sealed pieces are in %s. Anyone may carry it; nobody on the way can read it.\n"),
               (long long)segments, line->words[0]);
    return program_end(program, status);
}

int command_bundle_read(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct mq_admitted taken;
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_bundle_read(program->device.replica, line->words[0], &taken, &program->error);
    if (status == MQ_OK && program->json)
        printf("{\"segments\":%lld,\"received\":%lld,\"refused\":%lld}\n", (long long)taken.segments,
               (long long)taken.changes, (long long)taken.refused);
    else if (status == MQ_OK)
        printf(_("%lld new sealed pieces taken in, %lld changes seen, %lld refused.\n"), (long long)taken.segments,
               (long long)taken.changes, (long long)taken.refused);
    return program_end(program, status);
}

/* ---- check, lock, passphrase ---- */

int command_check(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    struct mq_check_result result = {0};
    uint8_t memory[512];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    const struct mq_emitter emitter = program_emitter(program);
    enum mq_status status = program_open(program);
    if (status != MQ_OK)
        return program_end(program, status);
    status = mq_records_check(program->device.replica, mq_option_get(line, "rebuild") != NULL, &result, &emitter,
                              &program->error);
    struct mq_json_writer writer = result_begin(&out);
    mq_json_int_pair(&writer, "segments", result.segments);
    mq_json_int_pair(&writer, "changes", result.changes);
    mq_json_int_pair(&writer, "records", result.records);
    mq_json_int_pair(&writer, "waiting", result.waiting);
    mq_json_int_pair(&writer, "quarantined", result.quarantined);
    mq_json_int_pair(&writer, "undecodable", result.undecodable);
    mq_json_int_pair(&writer, "forks", result.forks);
    mq_json_int_pair(&writer, "holes", result.holes);
    mq_json_int_pair(&writer, "erased", result.erased);
    enum mq_status shown = result_end(program, &writer);
    return program_end(program, status == MQ_OK ? shown : status);
}

int command_lock(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    (void)line;
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_seal_all(program->device.replica, &program->error);
    if (status == MQ_OK)
        status = mq_device_rest(&program->device, &program->error);
    if (status == MQ_OK && !program->json)
        puts(_("Everything is sealed and shut. `sync --locked` sends it without the passphrase."));
    return program_end(program, status);
}

int command_unlock(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    (void)line;
    enum mq_status status = program_open(program);
    if (status == MQ_OK && !program->json)
        puts(_("The passphrase is right. No agent runs, so each command asks for it."));
    return program_end(program, status);
}

int command_passphrase(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    uint32_t memory_mib;
    uint8_t *memory = mq_secret_alloc(MQ_PASSPHRASE_MAX);
    struct mq_buffer passphrase = mq_buffer(memory, memory == NULL ? 0 : MQ_PASSPHRASE_MAX);
    enum mq_status status = program_kdf_memory(program, &memory_mib);
    if (status == MQ_OK)
        status = program_open(program);
    if (status == MQ_OK)
        status = program_new_passphrase(program, mq_option_get(line, "new-passphrase-file"), &passphrase);
    if (status == MQ_OK)
        status = mq_replica_passphrase(program->device.replica, mq_written(&passphrase), memory_mib, &program->error);
    mq_secret_free(memory);
    if (status == MQ_OK && !program->json)
        puts(_("The passphrase is changed. The old one opens nothing here any more."));
    return program_end(program, status);
}
