/* Aim: who knows an invitation's secret, or can print one, and yet keeps to no rule, is refused: every part of an
 * invitation, a request and a reply is looked at before it is believed. All three are put together here by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base64url.h"
#include "protocol/enrol_keys.h"
#include "tests/protocol/identities.h"

static struct people p;
static struct mq_invitation invitation;

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    invitation.expiry_day = EXPIRY_DAY;
    memcpy(invitation.url, "https://desk.example:8420", 25);
    memcpy(invitation.root_public, p.root.sign_public, MQ_PUBLIC_SIZE);
    invitation.desk = p.desk_certificate;
    count_up(invitation.secret, sizeof invitation.secret, 0x33);
    return 0;
}

/* ---- Invitations ---- */

struct forged_invitation {
    uint8_t version, certificate_version;
    struct mq_span url;
    size_t more; /* bytes behind the secret */
};

static enum mq_status parse(const struct forged_invitation *forged)
{
    uint8_t memory[512], text[MQ_INVITATION_TEXT_MAX], check[8];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory), out = mq_buffer(text, sizeof text);
    struct mq_invitation parsed;

    mq_put_u8(&bytes, forged->version);
    mq_put_u32(&bytes, EXPIRY_DAY);
    mq_put_u8(&bytes, (uint8_t)forged->url.size);
    mq_put_span(&bytes, forged->url);
    mq_put(&bytes, invitation.server_pin, sizeof invitation.server_pin);
    mq_put(&bytes, invitation.root_public, sizeof invitation.root_public);
    uint8_t *certificate = mq_reserve(&bytes, MQ_CERTIFICATE_SIZE);
    mq_certificate_encode(certificate, &invitation.desk);
    certificate[0] = forged->certificate_version;
    mq_put(&bytes, invitation.secret, sizeof invitation.secret);
    for (size_t i = 0; i < forged->more; i++)
        mq_put_u8(&bytes, 0);
    mq_hash_one(check, sizeof check, MQ_DOMAIN_INVITATION, mq_written(&bytes));
    mq_put(&bytes, check, sizeof check);
    mq_put_text(&out, "minqing:");
    mq_base64url_put(&out, mq_written(&bytes));
    assert_false(bytes.failed || out.failed);
    return mq_invitation_parse(&parsed, mq_written(&out));
}

/* An invitation whose check value fits is refused for another version, an address that cannot be one, more bytes than it
 * has, or a certificate that is none; one that is too long counts as mistyped. */
static void forged_invitations(void **state)
{
    static uint8_t long_url[MQ_INVITATION_URL_MAX + 1];
    struct mq_span url = mq_span_text("https://desk.example");

    (void)state;
    memset(long_url, 'u', sizeof long_url);
    assert_int_equal(parse(&(struct forged_invitation){1, 1, url, 0}), MQ_OK);
    assert_int_equal(parse(&(struct forged_invitation){2, 1, url, 0}), MQ_REFUSED);
    assert_int_equal(parse(&(struct forged_invitation){1, 2, url, 0}), MQ_REFUSED);
    assert_int_equal(parse(&(struct forged_invitation){1, 1, mq_span_text(""), 0}), MQ_REFUSED);
    assert_int_equal(parse(&(struct forged_invitation){1, 1, mq_span_text("https://desk\x1b[2J"), 0}), MQ_REFUSED);
    assert_int_equal(parse(&(struct forged_invitation){1, 1, url, 1}), MQ_REFUSED);
    assert_int_equal(parse(&(struct forged_invitation){1, 1, MQ_SPAN(long_url), 0}), MQ_DAMAGED);
}

/* ---- What both messages share ---- */

static uint8_t memory[MQ_ENROL_MAX + 64], plain_memory[MQ_ENROL_MAX];

/* Behind what stands in `out`: the box, then the MAC over all of it. */
static struct mq_span seal(struct mq_buffer *out, struct mq_span plain, const struct mq_identity *to, uint8_t direction)
{
    const struct mq_span parts[] = {mq_span(&direction, 1), MQ_SPAN(invitation.secret)};
    struct mq_secret ephemeral = secret_from(0xe0);
    uint8_t key[MQ_KEY_SIZE], mac[MQ_HASH_SIZE];

    assert_int_equal(mq_box_seal(out, plain, to->box_public, &ephemeral), MQ_OK);
    mq_hash(key, sizeof key, MQ_DOMAIN_ENROL, parts, 2);
    struct mq_span before = mq_written(out);
    mq_hash_keyed(mac, sizeof mac, key, MQ_DOMAIN_ENROL, &before, 1);
    mq_put(out, mac, sizeof mac);
    return mq_written(out);
}

/* ---- Requests ---- */

static enum mq_status open_request(struct mq_span name)
{
    uint8_t signature[MQ_SIGNATURE_SIZE], id[MQ_ID_SIZE];
    struct mq_buffer object = mq_buffer(plain_memory, sizeof plain_memory), out = mq_buffer(memory, sizeof memory);
    struct mq_enrol_request opened;

    mq_put(&object, p.cadre.sign_public, MQ_PUBLIC_SIZE);
    mq_put(&object, p.cadre.box_public, MQ_PUBLIC_SIZE);
    mq_put_span(&object, name);
    mq_sign_object(signature, MQ_DOMAIN_ENROL, mq_written(&object), &p.cadre.sign_seed);
    object.size -= name.size;
    mq_put(&object, signature, sizeof signature);
    mq_put_span(&object, name);
    mq_invitation_name(id, invitation.secret);
    mq_put_u8(&out, 1);
    mq_put(&out, id, sizeof id);
    struct mq_span sealed = seal(&out, mq_written(&object), &p.desk, 1);
    return mq_enrol_request_open(&opened, sealed, invitation.secret, &p.desk);
}

/* A device that signs for a name which would move a terminal's cursor, or is no text, is refused by the desk that opens it;
 * one that asks with a longer name than there is room for, or with nothing, before that. */
static void forged_requests(void **state)
{
    static uint8_t long_name[MQ_NAME_TEXT_MAX + 1];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_enrol_request opened;
    uint8_t id[MQ_ID_SIZE];

    (void)state;
    memset(long_name, 'n', sizeof long_name);
    assert_int_equal(open_request(mq_span_text("杨顺华")), MQ_OK);
    assert_int_equal(open_request(mq_span_text("\x1b[2J")), MQ_REFUSED);
    assert_int_equal(open_request(mq_span_text("x\xc2\x9b"
                                               "2J")),
                     MQ_REFUSED);
    assert_int_equal(open_request(mq_span_text("\xff")), MQ_REFUSED);
    assert_int_equal(open_request(mq_span(long_name, MQ_NAME_TEXT_MAX)), MQ_OK);
    assert_int_equal(open_request(MQ_SPAN(long_name)), MQ_REFUSED);
    mq_invitation_name(id, invitation.secret);
    mq_put_u8(&out, 1);
    mq_put(&out, id, sizeof id);
    struct mq_span sealed = seal(&out, mq_span(NULL, 0), &p.desk, 1);
    assert_int_equal(mq_enrol_request_open(&opened, sealed, invitation.secret, &p.desk), MQ_REFUSED);
}

/* ---- Replies ---- */

struct forged_reply {
    uint8_t own_version, desk_version, grant_version;
    uint8_t count; /* as the reply says; one grant stands there */
    size_t cut, more;
};

static enum mq_status open_reply(const struct forged_reply *forged, const struct mq_identity *holder)
{
    static const uint8_t token[MQ_TOKEN_SIZE], wrap[MQ_WRAP_SIZE];
    static struct mq_enrol_reply opened;
    struct mq_buffer plain = mq_buffer(plain_memory, sizeof plain_memory), out = mq_buffer(memory, sizeof memory);
    struct mq_certificate own = certificate_for(MQ_ROLE_CADRE, holder, 7, team_a, &p.desk);
    struct mq_secret key = secret_from(0x01);
    struct mq_grant grant = grant_for(&key, NULL, &p.desk);

    mq_certificate_encode(mq_reserve(&plain, MQ_CERTIFICATE_SIZE), &own);
    plain_memory[0] = forged->own_version;
    mq_certificate_encode(mq_reserve(&plain, MQ_CERTIFICATE_SIZE), &p.desk_certificate);
    plain_memory[MQ_CERTIFICATE_SIZE] = forged->desk_version;
    mq_put(&plain, token, sizeof token);
    mq_put_u8(&plain, forged->count);
    uint8_t *encoded = mq_reserve(&plain, MQ_GRANT_SIZE);
    mq_grant_encode(encoded, &grant);
    encoded[0] = forged->grant_version;
    mq_put(&plain, wrap, sizeof wrap);
    for (size_t i = 0; i < forged->more; i++)
        mq_put_u8(&plain, 0);
    mq_put_u8(&out, 1);
    struct mq_span sealed = seal(&out, mq_span(plain_memory, plain.size - forged->cut), &p.cadre, 2);
    return mq_enrol_reply_open(&opened, sealed, &invitation, MQ_ROLE_CADRE, &p.cadre);
}

/* A reply is refused where a certificate or a grant is none, where it has fewer grants than it says or more than are
 * allowed, where it ends early or goes on. */
static void forged_replies(void **state)
{
    const size_t grant = MQ_GRANT_SIZE + MQ_WRAP_SIZE;

    (void)state;
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 1, 0, 0}, &p.cadre), MQ_OK);
    assert_int_equal(open_reply(&(struct forged_reply){2, 1, 1, 1, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 2, 1, 1, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 2, 1, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 0, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 2, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, MQ_ENROL_GRANTS_MAX + 1, 0, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 0, grant, 0}, &p.cadre), MQ_OK);
    for (size_t cut = 1; cut <= grant; cut++)
        assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 1, cut, 0}, &p.cadre), MQ_REFUSED);
    for (size_t cut = grant + 1; cut <= grant + MQ_TOKEN_SIZE + 1 + 2 * MQ_CERTIFICATE_SIZE; cut += 13)
        assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 0, cut, 0}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 1, 0, 1}, &p.cadre), MQ_REFUSED);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 1, 0, MQ_ENROL_GRANTS_MAX * grant}, &p.cadre), MQ_REFUSED);
}

/* A certificate with our sign key and somebody else's box key is not ours: whoever has that key would read what is for us. */
static void reply_with_a_foreign_box_key(void **state)
{
    struct mq_identity mixed = p.cadre;

    (void)state;
    memcpy(mixed.box_public, p.stranger.box_public, MQ_PUBLIC_SIZE);
    assert_int_equal(open_reply(&(struct forged_reply){1, 1, 1, 1, 0, 0}, &mixed), MQ_WRONG_KEY);
}

/* ---- Room ---- */

/* Buffers of every size that is too small get neither request nor reply. */
static void small_buffers(void **state)
{
    static struct mq_enrol_reply reply;
    struct mq_enrol_request request = {.name = "杨顺华"};
    struct mq_secret ephemeral = secret_from(0xe0);
    size_t request_size = 1 + MQ_ID_SIZE + 64 + 64 + 9 + 48 + 32, reply_size = 1 + 2 * MQ_CERTIFICATE_SIZE + 32 + 1 + 48 + 32;

    (void)state;
    memcpy(request.sign_public, p.cadre.sign_public, MQ_PUBLIC_SIZE);
    memcpy(request.box_public, p.cadre.box_public, MQ_PUBLIC_SIZE);
    reply.certificate = p.cadre_certificate;
    reply.desk = p.desk_certificate;
    for (size_t size = 0; size <= reply_size; size++) {
        struct mq_buffer out = mq_buffer(memory, size);
        assert_int_equal(mq_enrol_request_seal(&out, &request, &invitation, &p.cadre, &ephemeral),
                         size < request_size ? MQ_NO_SPACE : MQ_OK);
        out = mq_buffer(memory, size);
        assert_int_equal(mq_enrol_reply_seal(&out, &reply, invitation.secret, &ephemeral),
                         size < reply_size ? MQ_NO_SPACE : MQ_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged_invitations), cmocka_unit_test(forged_requests), cmocka_unit_test(forged_replies),
        cmocka_unit_test(reply_with_a_foreign_box_key), cmocka_unit_test(small_buffers),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
