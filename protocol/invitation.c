/* Invitations: what a person carries from the desk to a new device, as text or QR code (docs/protocol.md,
 * section 1). */
#include <string.h>

#include "protocol/assert.h"
#include "protocol/base64url.h"
#include "protocol/enrol_keys.h"

#define VERSION 1
#define CHECK_SIZE 8
#define FIXED_SIZE (1 + 4 + 1 + MQ_HASH_SIZE + MQ_PUBLIC_SIZE + MQ_CERTIFICATE_SIZE + MQ_SECRET_SIZE + CHECK_SIZE)
#define BYTES_MAX (FIXED_SIZE + MQ_INVITATION_URL_MAX)

static const char scheme[] = "minqing:";
#define SCHEME_SIZE (sizeof scheme - 1)

_Static_assert(SCHEME_SIZE + (BYTES_MAX * 4 + 2) / 3 <= MQ_INVITATION_TEXT_MAX, "the longest invitation is allowed");

static void make_check(uint8_t check[CHECK_SIZE], struct mq_span before)
{
    mq_hash_one(check, CHECK_SIZE, MQ_DOMAIN_INVITATION, before);
}

/* Visible ASCII only: the address is shown to people and handed to another program. */
static bool url_allowed(struct mq_span url)
{
    for (size_t i = 0; i < url.size; i++)
        if (url.data[i] <= ' ' || url.data[i] > '~')
            return false;
    return url.size > 0;
}

enum mq_status mq_invitation_print(struct mq_buffer *out, const struct mq_invitation *invitation)
{
    uint8_t memory[BYTES_MAX], check[CHECK_SIZE];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
    struct mq_span url = mq_span_text(invitation->url);

    if (!url_allowed(url))
        return MQ_REFUSED;
    mq_put_u8(&bytes, VERSION);
    mq_put_u32(&bytes, invitation->expiry_day);
    mq_put_u8(&bytes, (uint8_t)url.size);
    mq_put_span(&bytes, url);
    mq_put(&bytes, invitation->server_pin, sizeof invitation->server_pin);
    mq_put(&bytes, invitation->root_public, sizeof invitation->root_public);
    mq_certificate_encode(mq_reserve(&bytes, MQ_CERTIFICATE_SIZE), &invitation->desk);
    mq_put(&bytes, invitation->secret, sizeof invitation->secret);
    make_check(check, mq_written(&bytes));
    mq_put(&bytes, check, sizeof check);
    MQ_ASSERT(!bytes.failed);

    mq_put_text(out, scheme);
    mq_base64url_put(out, mq_written(&bytes));
    mq_wipe(memory, sizeof memory);
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}

/* The text without blanks: mail and chat programs break long lines. */
static void put_without_blanks(struct mq_buffer *out, struct mq_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r' && text.data[i] != '\n')
            mq_put_u8(out, text.data[i]);
}

/* Some keyboards begin a line with a capital letter. */
static bool has_scheme(struct mq_span text)
{
    if (text.size < SCHEME_SIZE)
        return false;
    for (size_t i = 0; i < SCHEME_SIZE; i++) {
        uint8_t letter = text.data[i];
        if (letter >= 'A' && letter <= 'Z')
            letter = (uint8_t)(letter - 'A' + 'a');
        if (letter != (uint8_t)scheme[i])
            return false;
    }
    return true;
}

static enum mq_status get_fields(struct mq_invitation *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);
    uint8_t version = mq_get_u8(&reader);

    memset(out, 0, sizeof *out);
    out->expiry_day = mq_get_u32(&reader);
    struct mq_span url = mq_take(&reader, mq_get_u8(&reader));
    mq_get(&reader, out->server_pin, sizeof out->server_pin);
    mq_get(&reader, out->root_public, sizeof out->root_public);
    struct mq_span desk = mq_take(&reader, MQ_CERTIFICATE_SIZE);
    mq_get(&reader, out->secret, sizeof out->secret);
    if (!mq_reader_done(&reader) || version != VERSION || !url_allowed(url))
        return MQ_REFUSED;
    MQ_ASSERT(url.size <= MQ_INVITATION_URL_MAX); /* with more than BYTES_MAX it would not have come here */
    memcpy(out->url, url.data, url.size);
    if (mq_certificate_decode(&out->desk, desk) != MQ_OK || !mq_role_governs(out->desk.role))
        return MQ_REFUSED;
    return mq_certificate_signed_by(&out->desk, out->root_public) ? MQ_OK : MQ_BAD_SIGNATURE;
}

/* From here on it is an invitation; what does not fit was mistyped or cut. */
static enum mq_status parse_after_scheme(struct mq_invitation *out, struct mq_span text)
{
    uint8_t memory[BYTES_MAX], check[CHECK_SIZE];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
    enum mq_status status = MQ_DAMAGED;

    if (mq_base64url_get(&bytes, text) == MQ_OK && bytes.size > CHECK_SIZE) {
        struct mq_span before = mq_span(memory, bytes.size - CHECK_SIZE);
        make_check(check, before);
        if (memcmp(check, memory + before.size, CHECK_SIZE) == 0)
            status = get_fields(out, before);
    }
    mq_wipe(memory, sizeof memory);
    return status;
}

enum mq_status mq_invitation_parse(struct mq_invitation *out, struct mq_span text)
{
    uint8_t memory[MQ_INVITATION_TEXT_MAX];
    struct mq_buffer buffer = mq_buffer(memory, sizeof memory);

    put_without_blanks(&buffer, text);
    struct mq_span plain = mq_written(&buffer);
    enum mq_status status = MQ_REFUSED;
    if (has_scheme(plain))
        status = buffer.failed
                     ? MQ_DAMAGED
                     : parse_after_scheme(out, mq_span(plain.data + SCHEME_SIZE, plain.size - SCHEME_SIZE));
    mq_wipe(memory, sizeof memory);
    if (status != MQ_OK)
        mq_wipe(out, sizeof *out);
    return status;
}

void mq_invitation_name(uint8_t out[MQ_ID_SIZE], const uint8_t secret[MQ_SECRET_SIZE])
{
    mq_hash_one(out, MQ_ID_SIZE, MQ_DOMAIN_INVITATION, mq_span(secret, MQ_SECRET_SIZE));
}
