/* `desk`: the desk alone, where the relay is another machine's: a county's whose relay stands elsewhere, or a
 * township's. */
#include <string.h>
#include <unistd.h>

#include "platform/hex.h"
#include "platform/log.h"
#include "platform/secret_key.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/program.h"

#define LOCK_WAIT_MS 2000

static enum mq_status read_options(struct mq_desk_options *options, uint8_t pin[MQ_HASH_SIZE],
                                   const struct mq_command_line *line, struct mq_error *error)
{
    const char *text = mq_option_get(line, "pin");

    options->upstream = mq_option_get(line, "upstream");
    if (text == NULL)
        return MQ_OK;
    if (options->upstream == NULL)
        return mq_fail(error, MQ_REFUSED, _("--pin belongs to --upstream URL"));
    if (!mq_hex_read(pin, MQ_HASH_SIZE, mq_span_text(text)))
        return mq_fail(error, MQ_REFUSED, _("--pin is the SHA-256 of the relay's public key: 64 hexadecimal digits"));
    options->pin = pin;
    return MQ_OK;
}

int mq_run_desk(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    uint8_t pin[MQ_HASH_SIZE];
    struct mq_desk_options options = {
        .platform = program->platform, .data = mq_program_data(line), .link = -1, .news = -1, .ready = -1};
    struct mq_phrase *phrase = NULL;
    struct mq_error error = {0};

    if (options.data == NULL)
        return 2;
    enum mq_status status = read_options(&options, pin, line, &error);
    if (status == MQ_OK)
        status = mq_data_whole(program->platform, options.data, &error);
    if (status == MQ_OK && !mq_data_has(program->platform, options.data, "desk/vault"))
        status = mq_fail(&error, MQ_REFUSED, _("there is no centre in %s; `minqingd init` makes one"), options.data);
    if (status == MQ_OK)
        status = mq_data_lock(program->platform, options.data, LOCK_WAIT_MS, &error);
    if (status == MQ_OK)
        status = mq_phrase_get(&phrase, line, false, &error);
    if (status != MQ_OK)
        return mq_program_fail(&error);
    mq_log_start(program->platform, STDERR_FILENO);
    options.passphrase = phrase;
    int code = mq_desk_run(&options);
    mq_secret_free(phrase);
    return code;
}
