/* Enrolment: a device's request and the desk's reply, each sealed to the other's box key and authenticated under the
 * invitation's one-time secret (docs/protocol.md, section 1).
 *
 * request = version 1, invitation name 16, sealed (sign public 32, box public 32, signature 64, name), MAC 32
 * reply   = version 1, sealed (certificate 166, desk's certificate 166, token 32, count 1, grant 345 and wrap 88 each),
 *           MAC 32
 * MAC     = K_32(H_32("enrol", direction 1 ‖ secret), "enrol", all before) */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/cbor.h"
#include "protocol/enrol_keys.h"

#define VERSION 1
#define MAC_SIZE MQ_HASH_SIZE
#define KEYS_SIZE (MQ_PUBLIC_SIZE + MQ_PUBLIC_SIZE)
#define REQUEST_PLAIN_MIN (KEYS_SIZE + MQ_SIGNATURE_SIZE)
#define REQUEST_PLAIN_MAX (REQUEST_PLAIN_MIN + MQ_NAME_TEXT_MAX)
#define REQUEST_CLEAR_SIZE (1 + MQ_ID_SIZE)
#define REQUEST_SIZE_MIN (REQUEST_CLEAR_SIZE + REQUEST_PLAIN_MIN + MQ_BOX_OVERHEAD + MAC_SIZE)
#define REQUEST_SIZE_MAX (REQUEST_CLEAR_SIZE + REQUEST_PLAIN_MAX + MQ_BOX_OVERHEAD + MAC_SIZE)
#define REPLY_PLAIN_MAX \
    (2 * MQ_CERTIFICATE_SIZE + MQ_TOKEN_SIZE + 1 + MQ_ENROL_GRANTS_MAX * (MQ_GRANT_SIZE + MQ_WRAP_SIZE))
#define REPLY_SIZE_MAX (1 + REPLY_PLAIN_MAX + MQ_BOX_OVERHEAD + MAC_SIZE)

_Static_assert(REQUEST_SIZE_MAX <= MQ_ENROL_REQUEST_MAX, "a relay takes the longest request");
_Static_assert(REPLY_SIZE_MAX <= MQ_ENROL_MAX, "a relay takes the longest reply");
_Static_assert(MQ_ENROL_GRANTS_MAX <= UINT8_MAX, "the count is one byte");

/* Part of the MAC's key, so that neither can be sent back as the other. */
enum direction {
    TO_DESK = 1,
    TO_DEVICE = 2
};

static void make_mac(uint8_t mac[MAC_SIZE], const uint8_t secret[MQ_SECRET_SIZE], enum direction direction,
                     struct mq_span before)
{
    const uint8_t which = (uint8_t)direction;
    const struct mq_span parts[] = {mq_span(&which, 1), mq_span(secret, MQ_SECRET_SIZE)};
    struct mq_secret key;

    mq_hash(key.bytes, sizeof key.bytes, MQ_DOMAIN_ENROL, parts, 2);
    mq_hash_keyed(mac, MAC_SIZE, key.bytes, MQ_DOMAIN_ENROL, &before, 1);
    mq_secret_wipe(&key);
}

/* Seals the message's plaintext behind what stands in `out` since `start`, then the MAC over all of it. */
static enum mq_status put_sealed(struct mq_buffer *out, size_t start, struct mq_span plain,
                                 const uint8_t box_public[MQ_PUBLIC_SIZE], const struct mq_secret *ephemeral,
                                 const uint8_t secret[MQ_SECRET_SIZE], enum direction direction)
{
    uint8_t mac[MAC_SIZE];
    enum mq_status status = out->failed ? MQ_NO_SPACE : mq_box_seal(out, plain, box_public, ephemeral);

    if (status != MQ_OK)
        return status;
    make_mac(mac, secret, direction, mq_span(out->data + start, out->size - start));
    mq_put(out, mac, sizeof mac);
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

static bool mac_fits(struct mq_span message, const uint8_t secret[MQ_SECRET_SIZE], enum direction direction)
{
    uint8_t mac[MAC_SIZE];
    size_t before = message.size - MAC_SIZE;

    make_mac(mac, secret, direction, mq_span(message.data, before));
    return mq_equal_secret(mac, message.data + before, sizeof mac);
}

/* ---- The request ---- */

/* What the new sign key signs: that whoever has it asks for this box key and this name. */
static struct mq_span possession(uint8_t memory[KEYS_SIZE + MQ_NAME_TEXT_MAX], const struct mq_enrol_request *request)
{
    struct mq_buffer buffer = mq_buffer(memory, KEYS_SIZE + MQ_NAME_TEXT_MAX);

    mq_put(&buffer, request->sign_public, sizeof request->sign_public);
    mq_put(&buffer, request->box_public, sizeof request->box_public);
    mq_put_text(&buffer, request->name);
    MQ_ASSERT(!buffer.failed);
    return mq_written(&buffer);
}

enum mq_status mq_enrol_request_seal(struct mq_buffer *out, const struct mq_enrol_request *request,
                                     const struct mq_invitation *invitation, const struct mq_identity *device,
                                     const struct mq_secret *ephemeral)
{
    uint8_t object[KEYS_SIZE + MQ_NAME_TEXT_MAX], memory[REQUEST_PLAIN_MAX], signature[MQ_SIGNATURE_SIZE];
    uint8_t name[MQ_ID_SIZE];
    struct mq_buffer plain = mq_buffer(memory, sizeof memory);
    size_t start = out->size;

    MQ_ASSERT(memcmp(request->sign_public, device->sign_public, MQ_PUBLIC_SIZE) == 0);
    MQ_ASSERT(memcmp(request->box_public, device->box_public, MQ_PUBLIC_SIZE) == 0);
    if (!mq_utf8_line(mq_span_text(request->name)))
        return MQ_REFUSED;
    mq_sign_object(signature, MQ_DOMAIN_ENROL, possession(object, request), &device->sign_seed);
    mq_put(&plain, request->sign_public, sizeof request->sign_public);
    mq_put(&plain, request->box_public, sizeof request->box_public);
    mq_put(&plain, signature, sizeof signature);
    mq_put_text(&plain, request->name);
    MQ_ASSERT(!plain.failed);

    mq_invitation_name(name, invitation->secret);
    mq_put_u8(out, VERSION);
    mq_put(out, name, sizeof name);
    return put_sealed(out, start, mq_written(&plain), invitation->desk.box_public, ephemeral, invitation->secret,
                      TO_DESK);
}

enum mq_status mq_enrol_request_name(uint8_t out[MQ_ID_SIZE], struct mq_span sealed)
{
    struct mq_reader reader = mq_reader(sealed);

    if (sealed.size < REQUEST_SIZE_MIN || sealed.size > REQUEST_SIZE_MAX || mq_get_u8(&reader) != VERSION)
        return MQ_REFUSED;
    mq_get(&reader, out, MQ_ID_SIZE);
    return MQ_OK;
}

/* The opened request: well-formed, and signed by the key it names? */
static enum mq_status get_request(struct mq_enrol_request *out, struct mq_span plain)
{
    uint8_t object[KEYS_SIZE + MQ_NAME_TEXT_MAX], signature[MQ_SIGNATURE_SIZE];
    struct mq_reader reader = mq_reader(plain);

    memset(out, 0, sizeof *out);
    mq_get(&reader, out->sign_public, sizeof out->sign_public);
    mq_get(&reader, out->box_public, sizeof out->box_public);
    mq_get(&reader, signature, sizeof signature);
    struct mq_span name = mq_take(&reader, mq_left(&reader));
    MQ_ASSERT(!reader.failed && name.size <= MQ_NAME_TEXT_MAX); /* the sealed request was neither shorter nor longer */
    if (!mq_utf8_line(name))
        return MQ_REFUSED;
    memcpy(out->name, name.data, name.size);
    bool good = mq_verify_object(signature, MQ_DOMAIN_ENROL, possession(object, out), out->sign_public);
    return good ? MQ_OK : MQ_BAD_SIGNATURE;
}

enum mq_status mq_enrol_request_open(struct mq_enrol_request *out, struct mq_span sealed,
                                     const uint8_t secret[MQ_SECRET_SIZE], const struct mq_identity *desk)
{
    uint8_t memory[REQUEST_PLAIN_MAX], name[MQ_ID_SIZE];
    struct mq_buffer plain = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_enrol_request_name(name, sealed);

    if (status != MQ_OK)
        return status;
    if (!mac_fits(sealed, secret, TO_DESK))
        return MQ_BAD_SIGNATURE;
    size_t box_size = sealed.size - REQUEST_CLEAR_SIZE - MAC_SIZE;
    status = mq_box_open(&plain, mq_span(sealed.data + REQUEST_CLEAR_SIZE, box_size), &desk->box_seed);
    return status == MQ_OK ? get_request(out, mq_written(&plain)) : status;
}

/* ---- The reply ---- */

enum mq_status mq_enrol_reply_seal(struct mq_buffer *out, const struct mq_enrol_reply *reply,
                                   const uint8_t secret[MQ_SECRET_SIZE], const struct mq_secret *ephemeral)
{
    uint8_t memory[REPLY_PLAIN_MAX];
    struct mq_buffer plain = mq_buffer(memory, sizeof memory);
    size_t start = out->size;

    MQ_ASSERT(reply->grant_count <= MQ_ENROL_GRANTS_MAX);
    mq_certificate_encode(mq_reserve(&plain, MQ_CERTIFICATE_SIZE), &reply->certificate);
    mq_certificate_encode(mq_reserve(&plain, MQ_CERTIFICATE_SIZE), &reply->desk);
    mq_put(&plain, reply->token, sizeof reply->token);
    mq_put_u8(&plain, (uint8_t)reply->grant_count);
    for (size_t i = 0; i < reply->grant_count; i++) {
        mq_grant_encode(mq_reserve(&plain, MQ_GRANT_SIZE), &reply->grants[i]);
        mq_put(&plain, reply->wraps[i], MQ_WRAP_SIZE);
    }
    MQ_ASSERT(!plain.failed);
    mq_put_u8(out, VERSION);
    enum mq_status status = put_sealed(out, start, mq_written(&plain), reply->certificate.box_public, ephemeral,
                                       secret, TO_DEVICE);
    mq_wipe(memory, sizeof memory); /* the token */
    return status;
}

static enum mq_status get_reply(struct mq_enrol_reply *out, struct mq_span plain)
{
    struct mq_reader reader = mq_reader(plain);
    struct mq_span certificate = mq_take(&reader, MQ_CERTIFICATE_SIZE);
    struct mq_span desk = mq_take(&reader, MQ_CERTIFICATE_SIZE);

    mq_get(&reader, out->token, sizeof out->token);
    out->grant_count = mq_get_u8(&reader);
    if (reader.failed || out->grant_count > MQ_ENROL_GRANTS_MAX ||
        mq_certificate_decode(&out->certificate, certificate) != MQ_OK ||
        mq_certificate_decode(&out->desk, desk) != MQ_OK)
        return MQ_REFUSED;
    for (size_t i = 0; i < out->grant_count; i++) {
        if (mq_grant_decode(&out->grants[i], mq_take(&reader, MQ_GRANT_SIZE)) != MQ_OK)
            return MQ_REFUSED;
        mq_get(&reader, out->wraps[i], MQ_WRAP_SIZE);
    }
    return mq_reader_done(&reader) ? MQ_OK : MQ_REFUSED;
}

/* Is it for this device and this role, from this team, and does all of it chain to the invitation's root? A desk's own
 * certificate is the root's: no desk can make another. */
static enum mq_status check_reply(const struct mq_enrol_reply *reply, const struct mq_invitation *invitation,
                                  enum mq_role role, const struct mq_identity *device)
{
    const struct mq_certificate *own = &reply->certificate, *desk = &reply->desk;

    if (memcmp(own->sign_public, device->sign_public, MQ_PUBLIC_SIZE) != 0 ||
        memcmp(own->box_public, device->box_public, MQ_PUBLIC_SIZE) != 0)
        return MQ_WRONG_KEY;
    if (own->role != role || !mq_role_governs(desk->role) ||
        memcmp(own->team, invitation->desk.team, MQ_ID_SIZE) != 0)
        return MQ_REFUSED;
    enum mq_status status = mq_certificate_verify(desk, invitation->root_public, NULL, 0);
    if (status == MQ_OK)
        status = mq_certificate_verify(own, invitation->root_public, desk, 1);
    for (size_t i = 0; status == MQ_OK && i < reply->grant_count; i++)
        status = mq_grant_verify(&reply->grants[i], desk);
    return status == MQ_WAITING ? MQ_BAD_SIGNATURE : status; /* no other desk's certificate will come */
}

enum mq_status mq_enrol_reply_open(struct mq_enrol_reply *out, struct mq_span sealed,
                                   const struct mq_invitation *invitation, enum mq_role role,
                                   const struct mq_identity *device)
{
    uint8_t memory[REPLY_PLAIN_MAX];
    struct mq_buffer plain = mq_buffer(memory, sizeof memory);

    MQ_ASSERT(role == MQ_ROLE_CADRE || role == MQ_ROLE_DESK);
    memset(out, 0, sizeof *out);
    if (sealed.size < 1 + MQ_BOX_OVERHEAD + MAC_SIZE || sealed.size > REPLY_SIZE_MAX || sealed.data[0] != VERSION)
        return MQ_REFUSED;
    if (!mac_fits(sealed, invitation->secret, TO_DEVICE))
        return MQ_BAD_SIGNATURE;
    enum mq_status status =
        mq_box_open(&plain, mq_span(sealed.data + 1, sealed.size - 1 - MAC_SIZE), &device->box_seed);
    if (status == MQ_OK)
        status = get_reply(out, mq_written(&plain));
    if (status == MQ_OK)
        status = check_reply(out, invitation, role, device);
    mq_wipe(memory, sizeof memory);
    if (status != MQ_OK)
        mq_wipe(out, sizeof *out);
    return status;
}
