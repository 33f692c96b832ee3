/* Aim: whatever text is called an invitation, it is refused, or it prints and parses as the same again; nothing
 * passes but what a county desk of the root is named in. Input: a mode, then the text as it is, or the bytes behind the scheme
 * without their check value, or changes (position u16, value u8) to those of a good one. */
#include "protocol/assert.h"
#include "protocol/base64url.h"
#include "protocol/enrol_keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/identities.h"

#define CHECK_SIZE 8

static uint8_t good[600];
static size_t good_size; /* without the check value */

void fuzz_start(void)
{
    struct people p = people();
    struct mq_invitation invitation = {
        .expiry_day = EXPIRY_DAY, .url = "https://desk.example", .desk = p.desk_certificate};
    uint8_t text[MQ_INVITATION_TEXT_MAX];
    struct mq_buffer out = mq_buffer(text, sizeof text), bytes = mq_buffer(good, sizeof good);

    memcpy(invitation.root_public, p.root.sign_public, MQ_PUBLIC_SIZE);
    MQ_ASSERT(mq_invitation_print(&out, &invitation) == MQ_OK);
    MQ_ASSERT(mq_base64url_get(&bytes, mq_span(text + 8, out.size - 8)) == MQ_OK);
    good_size = bytes.size - CHECK_SIZE;
}

static void try_text(struct mq_span text)
{
    static struct mq_invitation parsed, again;
    uint8_t memory[MQ_INVITATION_TEXT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    if (mq_invitation_parse(&parsed, text) != MQ_OK)
        return;
    MQ_ASSERT(mq_role_governs(parsed.desk.role) && mq_certificate_signed_by(&parsed.desk, parsed.root_public));
    MQ_ASSERT(mq_invitation_print(&out, &parsed) == MQ_OK);
    MQ_ASSERT(mq_invitation_parse(&again, mq_written(&out)) == MQ_OK);
    MQ_ASSERT(memcmp(&parsed, &again, sizeof parsed) == 0);
}

static void try_bytes(struct mq_span before)
{
    uint8_t text[4096], check[CHECK_SIZE];
    struct mq_buffer out = mq_buffer(text, sizeof text), bytes = mq_buffer(text + 2048, 2048);

    mq_hash_one(check, sizeof check, MQ_DOMAIN_INVITATION, before);
    mq_put_span(&bytes, before);
    mq_put(&bytes, check, sizeof check);
    mq_put_text(&out, "minqing:");
    mq_base64url_put(&out, mq_written(&bytes));
    if (!bytes.failed && !out.failed && out.size < 2048)
        try_text(mq_written(&out));
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_reader reader = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&reader);

    if (mode % 3 < 2) {
        struct mq_span rest = fuzz_rest(&reader);
        if (mode % 3 == 0)
            try_text(rest);
        else
            try_bytes(rest);
        return;
    }
    uint8_t changed[sizeof good];
    memcpy(changed, good, good_size);
    fuzz_change(changed, good_size, &reader);
    try_bytes(mq_span(changed, good_size));
}
