/* Aim: requests and replies of enrolment from outside are refused without harm, even where the MAC fits; neither a device's
 * signature nor a chain to the root can be guessed, and no change of a good one passes but where nothing is signed. Input: a
 * mode, then bytes as they are; or what a person with the secret could seal: anything, or changes (position u16, value u8)
 * to something good. */
#include "protocol/assert.h"
#include "protocol/enrol_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

#define GRANTS 2
#define GRANTS_AT (2 * MQ_CERTIFICATE_SIZE + MQ_TOKEN_SIZE + 1)
#define REPLY_SIZE (GRANTS_AT + GRANTS * (MQ_GRANT_SIZE + MQ_WRAP_SIZE))
#define NAME "冉大珍"
#define REQUEST_SIZE (2 * MQ_PUBLIC_SIZE + MQ_SIGNATURE_SIZE + sizeof NAME - 1)

static struct people p;
static struct mq_invitation invitation;
static uint8_t good_request[REQUEST_SIZE], good_reply[REPLY_SIZE]; /* what is sealed */

/* docs/protocol.md, section 1, once more: keys, signature over keys and name, name. */
static void make_request(void)
{
    struct mq_buffer out = mq_buffer(good_request, sizeof good_request);
    uint8_t object[2 * MQ_PUBLIC_SIZE + sizeof NAME], signature[MQ_SIGNATURE_SIZE];
    struct mq_buffer named = mq_buffer(object, sizeof object);

    mq_put(&named, p.cadre.sign_public, MQ_PUBLIC_SIZE);
    mq_put(&named, p.cadre.box_public, MQ_PUBLIC_SIZE);
    mq_put_span(&out, mq_written(&named));
    mq_put_text(&named, NAME);
    mq_sign_object(signature, MQ_DOMAIN_ENROL, mq_written(&named), &p.cadre.sign_seed);
    mq_put(&out, signature, sizeof signature);
    mq_put_text(&out, NAME);
    MQ_ASSERT(!out.failed && out.size == sizeof good_request);
}

/* Certificate, the desk's, token, grants each with its wrap. */
static void make_reply(void)
{
    struct mq_secret key = secret_from(0xc8);
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);
    struct mq_buffer out = mq_buffer(good_reply, sizeof good_reply);

    mq_certificate_encode(mq_reserve(&out, MQ_CERTIFICATE_SIZE), &p.cadre_certificate);
    mq_certificate_encode(mq_reserve(&out, MQ_CERTIFICATE_SIZE), &p.desk_certificate);
    memset(mq_reserve(&out, MQ_TOKEN_SIZE), 7, MQ_TOKEN_SIZE);
    mq_put_u8(&out, GRANTS);
    for (size_t i = 0; i < GRANTS; i++) {
        mq_grant_encode(mq_reserve(&out, MQ_GRANT_SIZE), &grant);
        memset(mq_reserve(&out, MQ_WRAP_SIZE), 0, MQ_WRAP_SIZE);
    }
    MQ_ASSERT(!out.failed && out.size == sizeof good_reply);
}

void fuzz_start(void)
{
    p = people();
    memcpy(invitation.root_public, p.root.sign_public, MQ_PUBLIC_SIZE);
    invitation.desk = p.desk_certificate;
    make_request();
    make_reply();
}

/* Token and wraps may be anything: only the MAC covers them. */
static bool is_good_reply(struct mq_span plain)
{
    uint8_t same[sizeof good_reply];

    if (plain.size != sizeof same)
        return false;
    memcpy(same, good_reply, sizeof same);
    memcpy(same + 2 * MQ_CERTIFICATE_SIZE, plain.data + 2 * MQ_CERTIFICATE_SIZE, MQ_TOKEN_SIZE);
    for (size_t i = 0; i < GRANTS; i++) {
        size_t at = GRANTS_AT + i * (MQ_GRANT_SIZE + MQ_WRAP_SIZE) + MQ_GRANT_SIZE;
        memcpy(same + at, plain.data + at, MQ_WRAP_SIZE);
    }
    return mq_span_equal(MQ_SPAN(same), plain);
}

/* The MAC over all before, under the key of that direction. */
static void put_mac(struct mq_buffer *out, uint8_t direction)
{
    const struct mq_span parts[] = {mq_span(&direction, 1), MQ_SPAN(invitation.secret)};
    uint8_t key[MQ_KEY_SIZE], mac[MQ_HASH_SIZE];
    struct mq_span before = mq_written(out);

    mq_hash(key, sizeof key, MQ_DOMAIN_ENROL, parts, 2);
    mq_hash_keyed(mac, sizeof mac, key, MQ_DOMAIN_ENROL, &before, 1);
    mq_put(out, mac, sizeof mac);
}

static void seal(struct mq_buffer *out, struct mq_span plain, bool for_desk)
{
    static const uint8_t name[MQ_ID_SIZE];
    const struct mq_identity *to = for_desk ? &p.desk : &p.cadre;
    struct mq_secret ephemeral = secret_from(0xe0);

    mq_put_u8(out, 1);
    mq_put(out, name, for_desk ? sizeof name : 0);
    MQ_ASSERT(mq_box_seal(out, plain, to->box_public, &ephemeral) == MQ_OK);
    put_mac(out, for_desk ? 1 : 2);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_enrol_reply reply;
    static uint8_t memory[MQ_ENROL_MAX], changed[REPLY_SIZE];
    struct mq_enrol_request request;
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&reader);
    bool sealed = (mode & 1) != 0, for_desk = (mode & 2) == 0, from_good = (mode & 4) != 0;
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_span plain = from_good ? for_desk ? MQ_SPAN(good_request) : MQ_SPAN(good_reply) : fuzz_rest(&reader);

    if (plain.size > 30000)
        return;
    if (from_good) {
        memcpy(changed, plain.data, plain.size);
        fuzz_change(changed, plain.size, &reader);
        plain = mq_span(changed, plain.size);
    }
    if (sealed)
        seal(&out, plain, for_desk);
    else
        mq_put_span(&out, plain);
    if (for_desk)
        MQ_ASSERT((mq_enrol_request_open(&request, mq_written(&out), invitation.secret, &p.desk) == MQ_OK) ==
                  (sealed && mq_span_equal(plain, MQ_SPAN(good_request))));
    else
        MQ_ASSERT((mq_enrol_reply_open(&reply, mq_written(&out), &invitation, MQ_ROLE_CADRE, &p.cadre) == MQ_OK) ==
                  (sealed && is_good_reply(plain)));
}
