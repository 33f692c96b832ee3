/* The page cipher's two primitives from libsodium. */
#include "platform/page_cipher.h"

#include <sodium.h>

#define BLOCK 64u

/* libsodium refuses to pass the counter's end; a page's counter begins anywhere, so that one page in some sixty million does. */
void mq_page_xor(void *data, size_t size, const uint8_t key[32], const uint8_t nonce[12], uint32_t counter)
{
    uint8_t *bytes = data;
    uint64_t until_end = ((UINT64_C(1) << 32) - counter) * BLOCK;
    size_t first = size < until_end ? size : (size_t)until_end;
    (void)crypto_stream_chacha20_ietf_xor_ic(bytes, bytes, first, nonce, counter, key);
    if (first < size)
        (void)crypto_stream_chacha20_ietf_xor_ic(bytes + first, bytes + first, size - first, nonce, 0, key);
}

void mq_page_tag(const uint8_t *message, size_t size, const uint8_t key[32], uint8_t tag[16])
{
    (void)crypto_onetimeauth_poly1305(tag, message, size, key);
}
