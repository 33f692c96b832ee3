/* Aim: an invitation is whole or refused; request and reply reach only whom they are for, unchanged, and only with the
 * invitation's secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base64url.h"
#include "protocol/enrol_keys.h"
#include "tests/protocol/chance.h"
#include "tests/protocol/identities.h"

static struct people p;
static struct mq_invitation invitation;
static uint8_t memory[MQ_ENROL_MAX];

static int start(void **state)
{
    (void)state;
    if (mq_crypto_start() != MQ_OK)
        return -1;
    p = people();
    memset(&invitation, 0, sizeof invitation);
    invitation.expiry_day = EXPIRY_DAY;
    memcpy(invitation.url, "https://desk.example:8420", 25);
    count_up(invitation.server_pin, sizeof invitation.server_pin, 0x11);
    memcpy(invitation.root_public, p.root.sign_public, MQ_PUBLIC_SIZE);
    invitation.desk = p.desk_certificate;
    count_up(invitation.secret, sizeof invitation.secret, 0x33);
    return 0;
}

/* ---- base64url ---- */

/* The examples of RFC 4648, section 10, without their padding, and the two characters that differ. */
static void base64url_examples(void **state)
{
    static const char *const pairs[][2] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},
                                           {"foo", "Zm9v"},    {"foob", "Zm9vYg"},   {"fooba", "Zm9vYmE"},
                                           {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t text[16], bytes[16];
        struct mq_buffer out = mq_buffer(text, sizeof text), back = mq_buffer(bytes, sizeof bytes);

        mq_base64url_put(&out, mq_span_text(pairs[i][0]));
        assert_true(mq_span_equal(mq_written(&out), mq_span_text(pairs[i][1])));
        assert_int_equal(mq_base64url_get(&back, mq_written(&out)), MQ_OK);
        assert_true(mq_span_equal(mq_written(&back), mq_span_text(pairs[i][0])));
    }
}

/* Padding, other alphabets, impossible lengths and bits left over are refused; a small buffer is said to be small. */
static void base64url_refuses(void **state)
{
    static const char *const bad[] = {"Zg==", "Z", "Zm9vY", "+_8", "-/8", "Zh", "Zm9", "Zm 9v"};
    uint8_t bytes[16];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mq_buffer out = mq_buffer(bytes, sizeof bytes);
        assert_int_equal(mq_base64url_get(&out, mq_span_text(bad[i])), MQ_REFUSED);
    }
    struct mq_buffer small = mq_buffer(bytes, 2);
    assert_int_equal(mq_base64url_get(&small, mq_span_text("Zm9v")), MQ_NO_SPACE);
}

/* ---- Invitations ---- */

static struct mq_span print(uint8_t *text, const struct mq_invitation *what)
{
    struct mq_buffer out = mq_buffer(text, MQ_INVITATION_TEXT_MAX);

    assert_int_equal(mq_invitation_print(&out, what), MQ_OK);
    return mq_written(&out);
}

static void assert_same_invitation(const struct mq_invitation *a, const struct mq_invitation *b)
{
    uint8_t x[MQ_CERTIFICATE_SIZE], y[MQ_CERTIFICATE_SIZE];

    assert_int_equal(a->expiry_day, b->expiry_day);
    assert_string_equal(a->url, b->url);
    assert_memory_equal(a->server_pin, b->server_pin, sizeof a->server_pin);
    assert_memory_equal(a->root_public, b->root_public, sizeof a->root_public);
    assert_memory_equal(a->secret, b->secret, sizeof a->secret);
    mq_certificate_encode(x, &a->desk);
    mq_certificate_encode(y, &b->desk);
    assert_memory_equal(x, y, sizeof x);
}

/* What was printed is read again, for the shortest and the longest address. */
static void invitation_round_trip(void **state)
{
    uint8_t text[MQ_INVITATION_TEXT_MAX];
    struct mq_invitation other = invitation, parsed;

    (void)state;
    struct mq_span printed = print(text, &invitation);
    assert_memory_equal(text, "minqing:AQ", 10);
    assert_int_equal(mq_invitation_parse(&parsed, printed), MQ_OK);
    assert_same_invitation(&parsed, &invitation);
    for (size_t size = 1; size <= MQ_INVITATION_URL_MAX; size += MQ_INVITATION_URL_MAX - 1) {
        memset(other.url, 0, sizeof other.url);
        memset(other.url, 'u', size);
        assert_int_equal(mq_invitation_parse(&parsed, print(text, &other)), MQ_OK);
        assert_same_invitation(&parsed, &other);
    }
}

/* Blanks, line breaks and a capital letter, as mail programs and keyboards add them, do no harm. */
static void invitation_with_blanks(void **state)
{
    uint8_t text[MQ_INVITATION_TEXT_MAX], broken[2 * MQ_INVITATION_TEXT_MAX];
    struct mq_buffer out = mq_buffer(broken, sizeof broken);
    struct mq_span printed = print(text, &invitation);
    struct mq_invitation parsed;

    (void)state;
    text[0] = 'M';
    mq_put_text(&out, " \t");
    for (size_t i = 0; i < printed.size; i++) {
        mq_put_u8(&out, printed.data[i]);
        if (i % 10 == 9)
            mq_put_text(&out, "\r\n ");
    }
    mq_put_text(&out, "\n");
    assert_int_equal(mq_invitation_parse(&parsed, mq_written(&out)), MQ_OK);
    assert_same_invitation(&parsed, &invitation);
}

/* No single flipped bit makes another invitation: it is refused, or was the case of the scheme. */
static void invitation_bits_matter(void **state)
{
    uint8_t text[MQ_INVITATION_TEXT_MAX];
    struct mq_span printed = print(text, &invitation);
    struct mq_invitation parsed;

    (void)state;
    for (size_t bit = 0; bit < 8 * printed.size; bit++) {
        bool scheme_case = bit / 8 < strlen("minqing") && bit % 8 == 5;
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum mq_status status = mq_invitation_parse(&parsed, printed);
        assert_int_equal(status == MQ_OK, scheme_case);
        if (status == MQ_OK)
            assert_same_invitation(&parsed, &invitation);
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Any one character mistyped behind the scheme, or any cut, is damage; without the scheme it is no invitation. */
static void invitation_mistyped(void **state)
{
    uint8_t text[MQ_INVITATION_TEXT_MAX], alike[MQ_INVITATION_TEXT_MAX];
    struct mq_span printed = print(text, &invitation);
    struct mq_invitation parsed;

    (void)state;
    for (size_t i = 0; i < printed.size; i++) {
        static const char typed[] = "AZaz09-_+/=.";
        for (const char *other = typed; *other != '\0'; other++) {
            if ((uint8_t)*other == text[i])
                continue;
            memcpy(alike, text, printed.size);
            alike[i] = (uint8_t)*other;
            assert_int_equal(mq_invitation_parse(&parsed, mq_span(alike, printed.size)),
                             i < 8 ? MQ_REFUSED : MQ_DAMAGED);
        }
        assert_int_equal(mq_invitation_parse(&parsed, mq_span(text, i)), i < 8 ? MQ_REFUSED : MQ_DAMAGED);
    }
    assert_int_equal(mq_invitation_parse(&parsed, mq_span_text("https://desk.example/")), MQ_REFUSED);
}

/* A text far too long is refused without being read. */
static void invitation_too_long(void **state)
{
    static uint8_t text[4 * MQ_INVITATION_TEXT_MAX];
    struct mq_invitation parsed;

    (void)state;
    memset(text, 'A', sizeof text);
    assert_int_equal(mq_invitation_parse(&parsed, MQ_SPAN(text)), MQ_REFUSED);
    memcpy(text, "minqing:", 8);
    assert_int_equal(mq_invitation_parse(&parsed, MQ_SPAN(text)), MQ_DAMAGED);
}

/* Well-formed and unharmed, but from a desk that this root did not sign, or not from a county desk. */
static void invitation_of_others(void **state)
{
    uint8_t text[MQ_INVITATION_TEXT_MAX];
    struct mq_invitation other = invitation, parsed;

    (void)state;
    memcpy(other.root_public, p.stranger.sign_public, MQ_PUBLIC_SIZE);
    assert_int_equal(mq_invitation_parse(&parsed, print(text, &other)), MQ_BAD_SIGNATURE);
    other = invitation;
    other.desk = p.cadre_certificate;
    assert_int_equal(mq_invitation_parse(&parsed, print(text, &other)), MQ_REFUSED);
    other.desk = certificate_for(MQ_ROLE_DESK, &p.desk, 1, team_a, &p.root);
    assert_int_equal(mq_invitation_parse(&parsed, print(text, &other)), MQ_REFUSED);
}

/* An address that is empty or not visible ASCII is refused where it is made. */
static void invitation_url_refused(void **state)
{
    static const char *const bad[] = {"", "https://desk example", "https://desk\n", "https://\xe6\xa1\x8c"};
    uint8_t text[MQ_INVITATION_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mq_invitation other = invitation;
        struct mq_buffer out = mq_buffer(text, sizeof text);

        memset(other.url, 0, sizeof other.url);
        memcpy(other.url, bad[i], strlen(bad[i]));
        assert_int_equal(mq_invitation_print(&out, &other), MQ_REFUSED);
    }
    struct mq_buffer small = mq_buffer(text, 100);
    assert_int_equal(mq_invitation_print(&small, &invitation), MQ_NO_SPACE);
}

/* ---- Requests ---- */

static struct mq_enrol_request request_of(const struct mq_identity *device, const char *name)
{
    struct mq_enrol_request request = {.name = ""};

    memcpy(request.sign_public, device->sign_public, MQ_PUBLIC_SIZE);
    memcpy(request.box_public, device->box_public, MQ_PUBLIC_SIZE);
    memcpy(request.name, name, strlen(name));
    return request;
}

static struct mq_span seal_request(const char *name)
{
    struct mq_enrol_request request = request_of(&p.cadre, name);
    struct mq_secret ephemeral = secret_from(0xe0);
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    assert_int_equal(mq_enrol_request_seal(&out, &request, &invitation, &p.cadre, &ephemeral), MQ_OK);
    return mq_written(&out);
}

/* The desk finds the invitation by its name and reads what the device asked. */
static void request_round_trip(void **state)
{
    char longest[MQ_NAME_TEXT_MAX + 1] = "";
    const char *const names[] = {"", "王小明", longest};

    (void)state;
    memset(longest, 'n', MQ_NAME_TEXT_MAX);
    for (size_t i = 0; i < 3; i++) {
        struct mq_span sealed = seal_request(names[i]);
        struct mq_enrol_request opened;
        uint8_t name[MQ_ID_SIZE], expected[MQ_ID_SIZE];

        assert_true(sealed.size <= MQ_ENROL_REQUEST_MAX);
        mq_invitation_name(expected, invitation.secret);
        assert_int_equal(mq_enrol_request_name(name, sealed), MQ_OK);
        assert_memory_equal(name, expected, sizeof name);
        assert_int_equal(mq_enrol_request_open(&opened, sealed, invitation.secret, &p.desk), MQ_OK);
        assert_memory_equal(opened.sign_public, p.cadre.sign_public, MQ_PUBLIC_SIZE);
        assert_memory_equal(opened.box_public, p.cadre.box_public, MQ_PUBLIC_SIZE);
        assert_string_equal(opened.name, names[i]);
    }
}

/* No single flipped bit and no cut passes. */
static void request_changed(void **state)
{
    struct mq_span sealed = seal_request("王小明");
    struct mq_enrol_request opened;

    (void)state;
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(mq_enrol_request_open(&opened, sealed, invitation.secret, &p.desk), MQ_OK);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_not_equal(mq_enrol_request_open(&opened, mq_span(memory, size), invitation.secret, &p.desk), MQ_OK);
}

/* Another secret, or another desk, does not open it. */
static void request_for_others(void **state)
{
    struct mq_span sealed = seal_request("王小明");
    struct mq_enrol_request opened;
    uint8_t secret[MQ_SECRET_SIZE];

    (void)state;
    count_up(secret, sizeof secret, 0x34);
    assert_int_equal(mq_enrol_request_open(&opened, sealed, secret, &p.desk), MQ_BAD_SIGNATURE);
    assert_int_equal(mq_enrol_request_open(&opened, sealed, invitation.secret, &p.stranger), MQ_WRONG_KEY);
}

/* Who knows the secret but not the sign key he names is refused: keys of two people in one request. */
static void request_without_the_key(void **state)
{
    struct mq_identity mixed = p.cadre;
    struct mq_enrol_request request, opened;
    struct mq_secret ephemeral = secret_from(0xe0);
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    (void)state;
    memcpy(mixed.sign_public, p.stranger.sign_public, MQ_PUBLIC_SIZE);
    request = request_of(&mixed, "王小明");
    assert_int_equal(mq_enrol_request_seal(&out, &request, &invitation, &mixed, &ephemeral), MQ_OK);
    assert_int_equal(mq_enrol_request_open(&opened, mq_written(&out), invitation.secret, &p.desk), MQ_BAD_SIGNATURE);
}

/* Names that are no text, or would move a terminal's cursor, are refused where they are made. */
static void request_name_refused(void **state)
{
    static const char *const bad[] = {"\xff", "a\nb", "\x1b[2J", "\x7f", "\xc2\x9b[2J", "\xc2\x80"};
    struct mq_secret ephemeral = secret_from(0xe0);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mq_enrol_request request = request_of(&p.cadre, bad[i]);
        struct mq_buffer out = mq_buffer(memory, sizeof memory);
        assert_int_equal(mq_enrol_request_seal(&out, &request, &invitation, &p.cadre, &ephemeral), MQ_REFUSED);
    }
}

/* ---- Replies ---- */

static struct mq_enrol_reply reply, opened_reply;

static void fill_reply(size_t grants)
{
    memset(&reply, 0, sizeof reply);
    reply.certificate = p.cadre_certificate;
    reply.desk = p.desk_certificate;
    count_up(reply.token, sizeof reply.token, 0x77);
    reply.grant_count = grants;
    for (size_t i = 0; i < grants; i++) {
        struct mq_secret key = secret_from((uint8_t)i), ephemeral = secret_from((uint8_t)(i + 1));
        reply.grants[i] = grant_for(&key, NULL, &p.desk);
        assert_int_equal(mq_wrap_seal(reply.wraps[i], &key, p.cadre.box_public, &ephemeral), MQ_OK);
    }
}

static struct mq_span seal_reply(void)
{
    struct mq_secret ephemeral = secret_from(0xd0);
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    assert_int_equal(mq_enrol_reply_seal(&out, &reply, invitation.secret, &ephemeral), MQ_OK);
    return mq_written(&out);
}

static enum mq_status open_reply(struct mq_span sealed)
{
    return mq_enrol_reply_open(&opened_reply, sealed, &invitation, MQ_ROLE_CADRE, &p.cadre);
}

/* The device gets its certificate, token and grants, and each wrap opens to its grant's key. */
static void reply_round_trip(void **state)
{
    static const size_t counts[] = {0, 1, MQ_ENROL_GRANTS_MAX};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fill_reply(counts[i]);
        assert_int_equal(open_reply(seal_reply()), MQ_OK);
        assert_memory_equal(opened_reply.token, reply.token, sizeof reply.token);
        assert_memory_equal(opened_reply.certificate.signature, reply.certificate.signature, MQ_SIGNATURE_SIZE);
        assert_memory_equal(opened_reply.desk.signature, reply.desk.signature, MQ_SIGNATURE_SIZE);
        assert_int_equal(opened_reply.grant_count, counts[i]);
        for (size_t g = 0; g < counts[i]; g++) {
            struct mq_secret key, expected = secret_from((uint8_t)g);
            struct mq_span wrap = MQ_SPAN(opened_reply.wraps[g]);
            assert_int_equal(mq_wrap_open(&key, wrap, &opened_reply.grants[g], &p.cadre), MQ_OK);
            assert_memory_equal(key.bytes, expected.bytes, sizeof key.bytes);
        }
    }
}

/* No single flipped bit and no cut passes, and nothing of a refused reply is left behind. */
static void reply_changed(void **state)
{
    static const struct mq_enrol_reply nothing;

    (void)state;
    fill_reply(1);
    struct mq_span sealed = seal_reply();
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(open_reply(sealed), MQ_OK);
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_not_equal(open_reply(mq_span(memory, size)), MQ_OK);
    assert_memory_equal(&opened_reply, &nothing, sizeof nothing);
}

/* Keys of another device, in the certificate or in the hand that opens. */
static void reply_for_another_device(void **state)
{
    (void)state;
    fill_reply(1);
    struct mq_span sealed = seal_reply();
    assert_int_equal(mq_enrol_reply_open(&opened_reply, sealed, &invitation, MQ_ROLE_CADRE, &p.stranger), MQ_WRONG_KEY);

    struct mq_identity mixed = p.cadre;
    memcpy(mixed.sign_public, p.stranger.sign_public, MQ_PUBLIC_SIZE);
    reply.certificate = certificate_for(MQ_ROLE_CADRE, &mixed, 7, team_a, &p.desk);
    assert_int_equal(open_reply(seal_reply()), MQ_WRONG_KEY);
}

/* Another secret: not the invitation that was given. */
static void reply_under_another_secret(void **state)
{
    struct mq_invitation other = invitation;

    (void)state;
    fill_reply(1);
    other.secret[0] ^= 1;
    assert_int_equal(mq_enrol_reply_open(&opened_reply, seal_reply(), &other, MQ_ROLE_CADRE, &p.cadre), MQ_BAD_SIGNATURE);
}

/* Another team, another root, another role, or a certificate that the given desk did not sign. */
static void reply_of_others(void **state)
{
    struct mq_certificate desk_b = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 2, team_b, &p.root);
    struct mq_certificate self_made = certificate_for(MQ_ROLE_COUNTY_DESK, &p.desk, 2, team_a, &p.stranger);

    (void)state;
    fill_reply(0);
    reply.certificate = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_b, &p.desk);
    reply.desk = desk_b;
    assert_int_equal(open_reply(seal_reply()), MQ_REFUSED);
    fill_reply(0);
    reply.desk = self_made;
    assert_int_equal(open_reply(seal_reply()), MQ_BAD_SIGNATURE);
    fill_reply(0);
    reply.certificate = certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_a, &p.root);
    assert_int_equal(open_reply(seal_reply()), MQ_REFUSED);
    fill_reply(0);
    reply.certificate = certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.stranger);
    assert_int_equal(open_reply(seal_reply()), MQ_BAD_SIGNATURE);
}

/* What a township's key answers to whoever joins is refused, with a grant and without, by a device and by a desk. */
static void reply_of_a_township(void **state)
{
    struct mq_certificate township = certificate_for(MQ_ROLE_DESK, &p.desk, 1, team_a, &p.root);

    (void)state;
    for (size_t grants = 0; grants < 2; grants++) {
        fill_reply(grants);
        reply.desk = township;
        assert_int_equal(open_reply(seal_reply()), MQ_REFUSED);
    }
    fill_reply(0);
    reply.desk = township;
    reply.certificate = certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_a, &p.root);
    assert_int_equal(mq_enrol_reply_open(&opened_reply, seal_reply(), &invitation, MQ_ROLE_DESK, &p.cadre), MQ_REFUSED);
}

/* A township's desk takes a desk's certificate of the invitation's team that the root signed, and nothing else: none that
 * the county's desk signed, none of another team, no cadre's. A device, in turn, takes no desk's. */
static void reply_for_a_desk(void **state)
{
    const struct {
        struct mq_certificate certificate;
        enum mq_role role;
        enum mq_status expected;
    } cases[] = {
        {certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_a, &p.root), MQ_ROLE_DESK, MQ_OK},
        {certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_a, &p.desk), MQ_ROLE_DESK, MQ_BAD_SIGNATURE},
        {certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_b, &p.root), MQ_ROLE_DESK, MQ_REFUSED},
        {certificate_for(MQ_ROLE_COUNTY_DESK, &p.cadre, 7, team_a, &p.root), MQ_ROLE_DESK, MQ_REFUSED},
        {certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.desk), MQ_ROLE_DESK, MQ_REFUSED},
        {certificate_for(MQ_ROLE_DESK, &p.cadre, 7, team_a, &p.root), MQ_ROLE_CADRE, MQ_REFUSED},
        {certificate_for(MQ_ROLE_CADRE, &p.cadre, 7, team_a, &p.desk), MQ_ROLE_CADRE, MQ_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fill_reply(1);
        reply.certificate = cases[i].certificate;
        assert_int_equal(mq_enrol_reply_open(&opened_reply, seal_reply(), &invitation, cases[i].role, &p.cadre),
                         cases[i].expected);
    }
}

/* A grant by somebody else among good ones spoils the whole reply. */
static void reply_with_foreign_grant(void **state)
{
    struct mq_secret key = secret_from(0x01);

    (void)state;
    fill_reply(3);
    reply.grants[2] = grant_for(&key, NULL, &p.stranger);
    assert_int_equal(open_reply(seal_reply()), MQ_BAD_SIGNATURE);
}

/* The MAC is that of docs/protocol.md, section 1: under the secret, with another key for each direction. */
static void assert_mac(struct mq_span message, uint8_t direction)
{
    const struct mq_span parts[] = {mq_span(&direction, 1), MQ_SPAN(invitation.secret)};
    struct mq_span before = mq_span(message.data, message.size - MQ_HASH_SIZE);
    uint8_t key[MQ_KEY_SIZE], mac[MQ_HASH_SIZE];

    mq_hash(key, sizeof key, MQ_DOMAIN_ENROL, parts, 2);
    mq_hash_keyed(mac, sizeof mac, key, MQ_DOMAIN_ENROL, &before, 1);
    assert_memory_equal(message.data + before.size, mac, sizeof mac);
}

/* A request sent back as a reply, or a reply handed to the desk, does not pass. */
static void directions_differ(void **state)
{
    struct mq_enrol_request opened;

    (void)state;
    struct mq_span request = seal_request("王小明");
    assert_mac(request, 1);
    assert_int_not_equal(open_reply(request), MQ_OK);
    fill_reply(0);
    assert_mac(seal_reply(), 2);
    assert_int_not_equal(mq_enrol_request_open(&opened, seal_reply(), invitation.secret, &p.desk), MQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_examples),     cmocka_unit_test(base64url_refuses),
        cmocka_unit_test(invitation_round_trip),  cmocka_unit_test(invitation_with_blanks),
        cmocka_unit_test(invitation_bits_matter), cmocka_unit_test(invitation_mistyped),
        cmocka_unit_test(invitation_too_long),
        cmocka_unit_test(invitation_of_others),   cmocka_unit_test(invitation_url_refused),
        cmocka_unit_test(request_round_trip),     cmocka_unit_test(request_changed),
        cmocka_unit_test(request_for_others),     cmocka_unit_test(request_without_the_key),
        cmocka_unit_test(request_name_refused),   cmocka_unit_test(reply_round_trip),
        cmocka_unit_test(reply_changed),          cmocka_unit_test(reply_for_another_device),
        cmocka_unit_test(reply_under_another_secret), cmocka_unit_test(reply_of_others),
        cmocka_unit_test(reply_with_foreign_grant),   cmocka_unit_test(directions_differ),
        cmocka_unit_test(reply_of_a_township),        cmocka_unit_test(reply_for_a_desk),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
