/* Passphrases that are new, and one that is forgotten: `recover`. */
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/program.h"
#include "platform/secret_key.h"
#include "protocol/recovery_keys.h"
#include "replica/recovery.h"

enum mq_status program_kdf_memory(struct program *program, uint32_t *out)
{
    const char *text = mq_option_get(program->line, "kdf-memory");
    char *end = NULL;
    *out = 0;
    if (text == NULL)
        return MQ_OK;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 8 || value > 1024)
        return mq_fail(&program->error, MQ_REFUSED, _("--kdf-memory is a number of MiB from 8 to 1024"));
    *out = (uint32_t)value;
    return MQ_OK;
}

/* A new passphrase: from a file, or asked twice. */
enum mq_status program_new_passphrase(struct program *program, const char *file, struct mq_buffer *out)
{
    enum mq_status status = program_passphrase(program, file, _("New passphrase, several words: "), out);
    if (status != MQ_OK || file != NULL)
        return status;
    uint8_t *memory = mq_secret_alloc(MQ_PASSPHRASE_MAX);
    if (memory == NULL)
        return mq_fail(&program->error, MQ_FAULT, _("there is not enough memory"));
    struct mq_buffer again = mq_buffer(memory, MQ_PASSPHRASE_MAX);
    status = program_passphrase(program, NULL, _("Once more: "), &again);
    if (status == MQ_OK && !mq_span_equal(mq_written(out), mq_written(&again)))
        status = mq_fail(&program->error, MQ_REFUSED, _("the two were not the same; nothing was changed"));
    mq_secret_free(memory);
    return status;
}

void program_say_recovery(void)
{
    fprintf(stderr, "%s\n",
            _("Recovery is on: if you forget the passphrase, the county's desk can open this device again for you. Whoever has "
              "both the desk's key and this device can then read what is saved here, and you would not see it. What only the "
              "county reads is sealed at once and does not come back this way. `recover --off` takes it back."));
}

/* ---- recover ---- */

static int ask(struct program *program, const char *request_out)
{
    char code[MQ_RECOVER_CODE_SIZE];
    enum mq_status status = mq_device_recover_ask(&program->device, request_out, code, &program->error);
    if (status == MQ_OK && program->json)
        printf("{\"code\":\"%s\"}\n", code);
    else if (status == MQ_OK)
        printf(_("The request is in %s. Bring it to the county's desk, and read this code out over the phone: %s\n"
                 "With the answer: minqing recover --grant-in FILE\n"),
               request_out, code);
    return program_end(program, status);
}

static int end(struct program *program, const char *grant_in)
{
    uint32_t memory_mib;
    uint8_t *memory = mq_secret_alloc(MQ_PASSPHRASE_MAX);
    struct mq_buffer passphrase = mq_buffer(memory, memory == NULL ? 0 : MQ_PASSPHRASE_MAX);
    enum mq_status status = program_kdf_memory(program, &memory_mib);
    if (status == MQ_OK)
        status = program_new_passphrase(program, mq_option_get(program->line, "new-passphrase-file"), &passphrase);
    if (status == MQ_OK)
        status = mq_device_recover_end(&program->device, grant_in, mq_written(&passphrase), memory_mib, &program->error);
    mq_secret_free(memory);
    if (status == MQ_OK && !program->json)
        puts(_("The store opens with the new passphrase. Everything that was saved is here."));
    return program_end(program, status);
}

static int turn(struct program *program, bool on)
{
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = on ? mq_recovery_on(program->device.replica, &program->error)
                    : mq_recovery_off(program->device.replica, &program->error);
    if (status == MQ_OK && on)
        program_say_recovery();
    else if (status == MQ_OK)
        fprintf(stderr, "%s\n",
                _("Recovery is off. Copies of this home that were made before can still be opened by the county's desk."));
    return program_end(program, status);
}

int command_recover(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const char *request_out = mq_option_get(line, "request-out"), *grant_in = mq_option_get(line, "grant-in");
    bool on = mq_option_get(line, "on") != NULL, off = mq_option_get(line, "off") != NULL;
    if ((request_out != NULL) + (grant_in != NULL) + on + off != 1) {
        fprintf(stderr, "minqing: %s\n", _("say one of: --request-out FILE, --grant-in FILE, --on, --off"));
        return 2;
    }
    if (on || off)
        return turn(program, on);
    return request_out != NULL ? ask(program, request_out) : end(program, grant_in);
}
