/* base64url without padding (RFC 4648, section 5). */
#include "protocol/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void mq_base64url_put(struct mq_buffer *out, struct mq_span bytes)
{
    uint32_t held = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        held = held << 8 | bytes.data[i];
        for (bits += 8; bits >= 6; bits -= 6)
            mq_put_u8(out, (uint8_t)alphabet[held >> (bits - 6) & 63]);
    }
    if (bits > 0)
        mq_put_u8(out, (uint8_t)alphabet[held << (6 - bits) & 63]);
}

/* 0 to 63, or 64 for a character outside the alphabet. */
static uint32_t value_of(uint8_t character)
{
    uint32_t value = 0;

    while (value < 64 && (uint8_t)alphabet[value] != character)
        value++;
    return value;
}

enum mq_status mq_base64url_get(struct mq_buffer *out, struct mq_span text)
{
    uint32_t held = 0;
    unsigned bits = 0;

    if (text.size % 4 == 1)
        return MQ_REFUSED;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t value = value_of(text.data[i]);
        if (value == 64)
            return MQ_REFUSED;
        held = held << 6 | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            mq_put_u8(out, (uint8_t)(held >> bits));
        }
    }
    if ((held & ((1u << bits) - 1)) != 0)
        return MQ_REFUSED;
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}
