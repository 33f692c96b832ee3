/* Control objects, receipts and access lists: reading and verifying (docs/protocol.md, section 1).
 * An object: version 1, kind 1, issuer 8, team 16, subject 16, number 8, desk's clock 8, body, signature 64. */
#include "protocol/control.h"

#include <string.h>

#include "protocol/assert.h"

#define FIXED_SIZE (MQ_CONTROL_HEAD_SIZE + MQ_SIGNATURE_SIZE)
#define EXCEPTION_SIZE (MQ_SEGMENT_ID_SIZE + 1)

enum mq_status mq_control_decode(struct mq_control *out, struct mq_span bytes)
{
    struct mq_reader reader = mq_reader(bytes);

    if (bytes.size < FIXED_SIZE || bytes.size - FIXED_SIZE > MQ_CONTROL_BODY_MAX)
        return MQ_REFUSED;
    uint8_t version = mq_get_u8(&reader);
    out->kind = mq_get_u8(&reader);
    mq_get(&reader, out->issuer, sizeof out->issuer);
    mq_get(&reader, out->team, sizeof out->team);
    mq_get(&reader, out->subject, sizeof out->subject);
    out->number = mq_get_u64(&reader);
    out->wall_seconds = (int64_t)mq_get_u64(&reader);
    out->body = mq_take(&reader, bytes.size - FIXED_SIZE);
    mq_get(&reader, out->signature, sizeof out->signature);
    out->bytes = bytes;
    MQ_ASSERT(mq_reader_done(&reader));
    return version == MQ_CONTROL_VERSION && out->kind != 0 ? MQ_OK : MQ_REFUSED;
}

static const struct {
    uint8_t kind;
    bool countys, logged;
} kinds[] = {
    {MQ_CONTROL_RECEIPT, false, false},
    {MQ_CONTROL_ACCESS, true, false},
    {MQ_CONTROL_REVOCATION, true, true},
};

bool mq_control_is_countys(uint8_t kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].countys;
    return false;
}

bool mq_control_is_logged(uint8_t kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].logged;
    return false;
}

void mq_control_owner(uint8_t out[MQ_KID_SIZE], const struct mq_control *control)
{
    if (mq_control_is_countys(control->kind))
        memset(out, 0, MQ_KID_SIZE);
    else
        memcpy(out, control->issuer, MQ_KID_SIZE);
}

enum mq_status mq_control_verify(const struct mq_control *control, const struct mq_certificate *desk)
{
    struct mq_span object = mq_span(control->bytes.data, control->bytes.size - MQ_SIGNATURE_SIZE);
    uint8_t issuer[MQ_KID_SIZE];

    mq_key_name(issuer, desk->sign_public);
    if (!mq_role_is_desk(desk->role) || (mq_control_is_countys(control->kind) && !mq_role_governs(desk->role)) ||
        memcmp(control->team, desk->team, sizeof control->team) != 0 ||
        memcmp(control->issuer, issuer, sizeof issuer) != 0)
        return MQ_REFUSED;
    bool good = mq_verify_object(control->signature, MQ_DOMAIN_CONTROL, object, desk->sign_public);
    return good ? MQ_OK : MQ_BAD_SIGNATURE;
}

/* ---- Receipts: desk stream 16, backup 4, head seq 4, head id 32, count 2, then id 32 and reason 1 each ---- */

void mq_receipt_put(struct mq_buffer *out, const struct mq_receipt *receipt)
{
    MQ_ASSERT(receipt->excepted_count <= MQ_EXCEPTED_MAX);
    mq_put(out, receipt->desk_stream, sizeof receipt->desk_stream);
    mq_put_u32(out, receipt->backup);
    mq_put_u32(out, receipt->head_seq);
    mq_put(out, receipt->head_id, sizeof receipt->head_id);
    mq_put_u16(out, (uint16_t)receipt->excepted_count);
    for (size_t i = 0; i < receipt->excepted_count; i++) {
        mq_put(out, receipt->excepted[i].id, sizeof receipt->excepted[i].id);
        mq_put_u8(out, receipt->excepted[i].reason);
    }
}

/* Every name costs its reader a walk along the stream. */
static bool named_before(const struct mq_receipt *receipt, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (memcmp(receipt->excepted[i].id, receipt->excepted[index].id, MQ_SEGMENT_ID_SIZE) == 0)
            return true;
    return false;
}

enum mq_status mq_receipt_get(struct mq_receipt *out, struct mq_span body)
{
    struct mq_reader reader = mq_reader(body);

    mq_get(&reader, out->desk_stream, sizeof out->desk_stream);
    out->backup = mq_get_u32(&reader);
    out->head_seq = mq_get_u32(&reader);
    mq_get(&reader, out->head_id, sizeof out->head_id);
    out->excepted_count = mq_get_u16(&reader);
    if (out->excepted_count > MQ_EXCEPTED_MAX || mq_left(&reader) != out->excepted_count * EXCEPTION_SIZE)
        return MQ_REFUSED;
    for (size_t i = 0; i < out->excepted_count; i++) {
        mq_get(&reader, out->excepted[i].id, sizeof out->excepted[i].id);
        out->excepted[i].reason = mq_get_u8(&reader);
        if (out->excepted[i].reason == 0 || /* would read as no exception */
            named_before(out, i))
            return MQ_REFUSED;
    }
    return mq_reader_done(&reader) ? MQ_OK : MQ_REFUSED;
}

/* ---- Access lists: token hash 16, key name 8, rights 1 each ---- */

void mq_access_put(struct mq_buffer *out, const struct mq_access *access)
{
    mq_put(out, access->token_hash, sizeof access->token_hash);
    mq_put(out, access->key_name, sizeof access->key_name);
    mq_put_u8(out, access->rights);
}

enum mq_status mq_access_get(struct mq_access *out, struct mq_reader *reader)
{
    mq_get(reader, out->token_hash, sizeof out->token_hash);
    mq_get(reader, out->key_name, sizeof out->key_name);
    out->rights = mq_get_u8(reader);
    return reader->failed ? MQ_REFUSED : MQ_OK;
}
