/* Aim: certificate, announce, grant and wrap from outside: what decodes encodes to the same bytes, and no change of a
 * good object, however contrived, passes. The first byte chooses the object and whether the rest stands for itself or
 * is laid over a good one (XOR), which lets an input reach what only a signature opens. */
#include <string.h>

#include "protocol/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

static struct people p;
static struct mq_secret key;
static uint8_t good_certificate[MQ_CERTIFICATE_SIZE], good_announce[MQ_ANNOUNCE_SIZE], good_grant[MQ_GRANT_SIZE],
    good_wrap[MQ_WRAP_SIZE];
static struct mq_grant grant;

void fuzz_start(void)
{
    struct mq_secret previous = secret_from(0xe8), ephemeral = secret_from(0x18);
    struct mq_announce announce;

    p = people();
    key = secret_from(0xc8);
    announce = announce_for(&p.cadre_certificate, &p.cadre);
    grant = grant_for(&key, &previous, &p.desk);
    mq_certificate_encode(good_certificate, &p.cadre_certificate);
    mq_announce_encode(good_announce, &announce);
    mq_grant_encode(good_grant, &grant);
    MQ_ASSERT(mq_wrap_seal(good_wrap, &key, p.cadre.box_public, &ephemeral) == MQ_OK);
}

static bool certificate_passes(struct mq_span input)
{
    struct mq_certificate decoded;
    uint8_t again[MQ_CERTIFICATE_SIZE];

    if (mq_certificate_decode(&decoded, input) != MQ_OK)
        return false;
    mq_certificate_encode(again, &decoded);
    MQ_ASSERT(mq_span_equal(MQ_SPAN(again), input));
    return mq_certificate_verify(&decoded, p.root.sign_public, &p.desk_certificate, 1) == MQ_OK;
}

static bool announce_passes(struct mq_span input)
{
    struct mq_announce decoded;
    uint8_t again[MQ_ANNOUNCE_SIZE];

    if (mq_announce_decode(&decoded, input) != MQ_OK)
        return false;
    mq_announce_encode(again, &decoded);
    MQ_ASSERT(mq_span_equal(MQ_SPAN(again), input));
    return true;
}

static bool grant_passes(struct mq_span input)
{
    struct mq_grant decoded;
    struct mq_secret out;
    uint8_t again[MQ_GRANT_SIZE];

    if (mq_grant_decode(&decoded, input) != MQ_OK)
        return false;
    mq_grant_encode(again, &decoded);
    MQ_ASSERT(mq_span_equal(MQ_SPAN(again), input));
    (void)!mq_grant_previous_key(&out, &decoded, &key);
    return mq_grant_verify(&decoded, &p.desk_certificate) == MQ_OK;
}

static bool wrap_passes(struct mq_span input)
{
    struct mq_secret out;
    bool passes = mq_wrap_open(&out, input, &grant, &p.cadre) == MQ_OK;

    MQ_ASSERT(!passes || memcmp(&out, &key, sizeof key) == 0);
    return passes;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static const struct {
        struct mq_span good;
        bool (*passes)(struct mq_span input);
    } objects[] = {{{good_certificate, MQ_CERTIFICATE_SIZE}, certificate_passes},
                   {{good_announce, MQ_ANNOUNCE_SIZE}, announce_passes},
                   {{good_grant, MQ_GRANT_SIZE}, grant_passes},
                   {{good_wrap, MQ_WRAP_SIZE}, wrap_passes}};
    uint8_t laid_over[MQ_GRANT_SIZE]; /* the longest of them */

    if (size == 0)
        return;
    struct mq_span good = objects[data[0] % 4].good, input = mq_span(data + 1, size - 1);
    if (data[0] & 4)
        input = fuzz_lay_over(laid_over, good, input);
    MQ_ASSERT(objects[data[0] % 4].passes(input) == mq_span_equal(input, good));
}
