/* Signing control objects, for desks: apart from control.c, so that what reads them needs no key header. */
#include "protocol/assert.h"
#include "protocol/control_keys.h"

enum mq_status mq_control_sign(struct mq_buffer *out, const struct mq_control *control, const struct mq_identity *desk)
{
    size_t start = out->size;
    uint8_t issuer[MQ_KID_SIZE], signature[MQ_SIGNATURE_SIZE];

    MQ_ASSERT(control->kind != 0 && control->body.size <= MQ_CONTROL_BODY_MAX);
    mq_key_name(issuer, desk->sign_public);
    mq_put_u8(out, MQ_CONTROL_VERSION);
    mq_put_u8(out, control->kind);
    mq_put(out, issuer, sizeof issuer);
    mq_put(out, control->team, sizeof control->team);
    mq_put(out, control->subject, sizeof control->subject);
    mq_put_u64(out, control->number);
    mq_put_u64(out, (uint64_t)control->wall_seconds);
    mq_put_span(out, control->body);
    if (out->failed)
        return MQ_NO_SPACE;
    mq_sign_object(signature, MQ_DOMAIN_CONTROL, mq_span(out->data + start, out->size - start), &desk->sign_seed);
    mq_put(out, signature, sizeof signature);
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}
