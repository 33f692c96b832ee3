/* Aim: what is handed in for a forgotten passphrase, and what comes back, opens only as it was made, for whom it was made;
 * nobody's box becomes another's. Input: a mode, then bytes as they are or laid over good ones (XOR); or what somebody with
 * a device's key could sign. */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/recovery_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

static struct people p;
static struct mq_secret store_key, reply_seed;
static uint8_t good_file[MQ_RECOVERY_SIZE], good_request[MQ_RECOVER_REQUEST_SIZE], good_grant[MQ_RECOVER_GRANT_SIZE];
static uint8_t request_hash[MQ_HASH_SIZE];

void fuzz_start(void)
{
    struct mq_secret ephemeral = secret_from(0x18);
    struct mq_buffer file = mq_buffer(good_file, sizeof good_file), request = mq_buffer(good_request, sizeof good_request),
                     grant = mq_buffer(good_grant, sizeof good_grant);
    uint8_t reply_to[MQ_PUBLIC_SIZE];

    p = people();
    store_key = secret_from(0xc8);
    reply_seed = secret_from(0xd8);
    mq_box_public(reply_to, &reply_seed);
    MQ_ASSERT(mq_recovery_seal(&file, &p.cadre_certificate, &store_key, p.desk.box_public, &p.cadre, &ephemeral) == MQ_OK);
    mq_recover_request_put(&request, mq_written(&file), reply_to);
    mq_recover_request_hash(request_hash, mq_written(&request));
    MQ_ASSERT(mq_recover_grant_seal(&grant, mq_written(&request), &store_key, &ephemeral) == MQ_OK);
    MQ_ASSERT(file.size == sizeof good_file && request.size == sizeof good_request && grant.size == sizeof good_grant);
}

static void try_file(struct mq_span bytes)
{
    struct mq_recovery recovery;
    struct mq_secret opened;
    enum mq_status status = mq_recovery_decode(&recovery, bytes);

    MQ_ASSERT((status == MQ_OK) == mq_span_equal(bytes, MQ_SPAN(good_file)));
    if (status == MQ_OK)
        MQ_ASSERT(mq_recovery_open(&opened, &recovery, &p.desk) == MQ_OK &&
                  memcmp(&opened, &store_key, sizeof opened) == 0);
}

/* Its end is a box key that anybody may choose; the code over the phone covers it. */
static void try_request(struct mq_span bytes)
{
    struct mq_recover_request request;
    char code[MQ_RECOVER_CODE_SIZE], good_code[MQ_RECOVER_CODE_SIZE];
    size_t signed_size = sizeof good_request - MQ_PUBLIC_SIZE;
    bool good = bytes.size == sizeof good_request && memcmp(bytes.data, good_request, signed_size) == 0;

    MQ_ASSERT((mq_recover_request_get(&request, bytes) == MQ_OK) == good);
    if (!good)
        return;
    mq_recover_code(code, bytes);
    mq_recover_code(good_code, MQ_SPAN(good_request));
    MQ_ASSERT(mq_recover_code_is(code, code));
    MQ_ASSERT(mq_recover_code_is(code, good_code) == mq_span_equal(bytes, MQ_SPAN(good_request)));
}

static void try_grant(struct mq_span bytes)
{
    struct mq_secret opened;
    enum mq_status status = mq_recover_grant_open(&opened, bytes, request_hash, &reply_seed);

    MQ_ASSERT((status == MQ_OK) == mq_span_equal(bytes, MQ_SPAN(good_grant)));
    MQ_ASSERT(status != MQ_OK || memcmp(&opened, &store_key, sizeof opened) == 0);
}

/* A device that puts anything into the place of the box and signs it. */
static void try_signed(struct mq_span box)
{
    uint8_t bytes[MQ_RECOVERY_SIZE];
    struct mq_recovery recovery;
    struct mq_secret opened;
    size_t at = sizeof bytes - MQ_SIGNATURE_SIZE - MQ_RECOVERY_SEALED_SIZE;

    memcpy(bytes, good_file, sizeof bytes);
    for (size_t i = 0; i < box.size && i < MQ_RECOVERY_SEALED_SIZE; i++)
        bytes[at + i] ^= box.data[i];
    bool same = memcmp(bytes, good_file, sizeof bytes - MQ_SIGNATURE_SIZE) == 0;
    mq_sign_object(bytes + sizeof bytes - MQ_SIGNATURE_SIZE, MQ_DOMAIN_RECOVERY,
                   mq_span(bytes, sizeof bytes - MQ_SIGNATURE_SIZE), &p.cadre.sign_seed);
    MQ_ASSERT(mq_recovery_decode(&recovery, MQ_SPAN(bytes)) == MQ_OK);
    MQ_ASSERT((mq_recovery_open(&opened, &recovery, &p.desk) == MQ_OK) == same);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static const struct {
        struct mq_span good;
        void (*attempt)(struct mq_span bytes);
    } things[] = {{{good_file, sizeof good_file}, try_file},
                  {{good_request, sizeof good_request}, try_request},
                  {{good_grant, sizeof good_grant}, try_grant}};
    uint8_t laid_over[MQ_RECOVER_REQUEST_SIZE];

    if (size == 0)
        return;
    struct mq_span rest = mq_span(data + 1, size - 1);
    if (data[0] % 4 == 3) {
        try_signed(rest);
        return;
    }
    struct mq_span good = things[data[0] % 4].good;
    if (data[0] & 4)
        rest = fuzz_lay_over(laid_over, good, rest);
    things[data[0] % 4].attempt(rest);
}
