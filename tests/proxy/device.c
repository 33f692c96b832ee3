/* A device that stays open: for a flow that makes thousands of exchanges, where a process for each record and each sync would
 * take hours. All of it is the program's own code below the command line, its courier is the real one.
 *
 * device HOME COURIER, the passphrase in the file that MINQING_PASSPHRASE_FILE names; on stdin a line for each
 *   add ID         a visit with so many notes that an exchange has more than 4 KiB; answers "added"
 *   sync MS        answers "synced SENT SAVED REQUESTS": records that went, that are still only here, exchanges
 * or, whatever it was, "failed WORDS". It ends with its input. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/device.h"
#include "platform/json.h"
#include "platform/secret_key.h"
#include "platform/terminal.h"

#define LINE_SIZE 256
#define NOTES_SIZE 5200 /* of 64 letters by chance: zstd leaves three quarters */

static enum mq_status open_device(struct mq_device *device, struct mq_error *error)
{
    uint8_t memory[MQ_PASSPHRASE_MAX];
    struct mq_buffer passphrase = mq_buffer(memory, sizeof memory);
    const char *file = getenv("MINQING_PASSPHRASE_FILE");
    if (mq_crypto_start() != MQ_OK || file == NULL)
        return mq_fail(error, MQ_REFUSED, "libsodium, or MINQING_PASSPHRASE_FILE");
    enum mq_status status = mq_passphrase_read(&passphrase, file, error);
    return status == MQ_OK ? mq_device_open(device, mq_written(&passphrase), error) : status;
}

static enum mq_status add(struct mq_device *device, const char *id, struct mq_error *error)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .";
    char notes[NOTES_SIZE + 1], text[LINE_SIZE * 2 + NOTES_SIZE];
    struct mq_json *object;
    struct mq_saved saved;
    mq_random(device->platform, notes, NOTES_SIZE);
    for (size_t i = 0; i < NOTES_SIZE; i++)
        notes[i] = letters[(unsigned char)notes[i] % 64];
    notes[NOTES_SIZE] = '\0';
    snprintf(text, sizeof text,
             "{\"kind\":\"visit\",\"id\":\"%s\",\"place\":\"990527103204\",\"date\":\"2026-11-05\",\"notes\":\"%s\"}", id, notes);
    enum mq_status status = mq_json_parse(&object, mq_span_text(text), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(device->replica, NULL, object, &saved, error);
    mq_json_free(object);
    if (status == MQ_OK)
        puts("added");
    return status;
}

static enum mq_status sync_once(struct mq_device *device, const char *milliseconds, struct mq_error *error)
{
    struct mq_device_sync done;
    enum mq_status status = mq_device_sync(device, strtol(milliseconds, NULL, 10), &done, error);
    if (status == MQ_OK)
        printf("synced %lld %lld %lld\n", (long long)done.sent, (long long)done.safety.saved, (long long)done.requests);
    return status;
}

int main(int count, char **words)
{
    struct mq_device device = {.platform = mq_platform_real()};
    struct mq_error error = {0};
    char line[LINE_SIZE];
    if (count != 3) {
        fputs("device HOME COURIER\n", stderr);
        return 2;
    }
    device.home = words[1];
    device.courier = words[2];
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    enum mq_status status = open_device(&device, &error);
    while (status == MQ_OK && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *argument = strchr(line, ' ');
        if (argument == NULL)
            return 2;
        *argument++ = '\0';
        status = strcmp(line, "add") == 0 ? add(&device, argument, &error) : sync_once(&device, argument, &error);
        if (status != MQ_OK)
            printf("failed %s\n", error.text);
        if (status == MQ_UNREACHABLE) { /* nothing is lost, as the words say: the next line shows it */
            mq_error_clear(&error);
            status = MQ_OK;
        }
    }
    if (status != MQ_OK)
        fprintf(stderr, "device: %s\n", error.text);
    mq_device_close(&device);
    return status == MQ_OK ? 0 : 1;
}
