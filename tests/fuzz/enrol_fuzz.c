/* Aim: requests and replies of enrolment from outside are refused without harm, even where the MAC fits. Input: a mode,
 * then bytes as they are, or what a person with the secret could seal. */
#include "protocol/assert.h"
#include "protocol/enrol_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

static struct people p;
static struct mq_invitation invitation;

void fuzz_start(void)
{
    p = people();
    memcpy(invitation.root_public, p.root.sign_public, MQ_PUBLIC_SIZE);
    invitation.desk = p.desk_certificate;
}

/* docs/protocol.md, section 1, once more: the MAC over all before, under the key of that direction. */
static void put_mac(struct mq_buffer *out, uint8_t direction)
{
    const struct mq_span parts[] = {mq_span(&direction, 1), MQ_SPAN(invitation.secret)};
    uint8_t key[MQ_KEY_SIZE], mac[MQ_HASH_SIZE];
    struct mq_span before = mq_written(out);

    mq_hash(key, sizeof key, MQ_DOMAIN_ENROL, parts, 2);
    mq_hash_keyed(mac, sizeof mac, key, MQ_DOMAIN_ENROL, &before, 1);
    mq_put(out, mac, sizeof mac);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_enrol_reply reply;
    static uint8_t memory[MQ_ENROL_MAX];
    struct mq_enrol_request request;
    struct mq_secret ephemeral = secret_from(0xe0);
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&reader), name[MQ_ID_SIZE] = {0};
    struct mq_span rest = fuzz_rest(&reader);
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    if (rest.size > 30000)
        return;
    bool as_is = (mode & 1) == 0, for_desk = (mode & 2) == 0;
    if (as_is) {
        mq_put_span(&out, rest);
    } else {
        mq_put_u8(&out, 1);
        mq_put(&out, name, for_desk ? sizeof name : 0);
        const struct mq_identity *to = for_desk ? &p.desk : &p.cadre;
        MQ_ASSERT(mq_box_seal(&out, rest, to->box_public, &ephemeral) == MQ_OK);
        put_mac(&out, for_desk ? 1 : 2);
    }
    /* Neither a sign key's signature nor a chain to the root can be guessed. */
    if (for_desk)
        MQ_ASSERT(mq_enrol_request_open(&request, mq_written(&out), invitation.secret, &p.desk) != MQ_OK);
    else
        MQ_ASSERT(mq_enrol_reply_open(&reply, mq_written(&out), &invitation, MQ_ROLE_CADRE, &p.cadre) != MQ_OK);
}
