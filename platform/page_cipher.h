/* The stream cipher and the tag of a page of an encrypted store, as SQLite3MultipleCiphers asks for them: its own are plain C and
 * took a sixth of the time of a sync, libsodium's use what the processor has (docs/decisions/0031-page-cipher.md). The
 * bytes are the same; platform/sqlite/mend.sh turns the calls to here. */
#ifndef MQ_PLATFORM_PAGE_CIPHER_H
#define MQ_PLATFORM_PAGE_CIPHER_H

#include <stddef.h>
#include <stdint.h>

/* ChaCha20 (RFC 8439) over `data` in place, from block `counter` on; after the last block there is, block 0 follows. */
void mq_page_xor(void *data, size_t size, const uint8_t key[32], const uint8_t nonce[12], uint32_t counter);

/* Poly1305 (RFC 8439). `tag` may stand right behind the message. */
void mq_page_tag(const uint8_t *message, size_t size, const uint8_t key[32], uint8_t tag[16]);

#endif
