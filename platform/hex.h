/* Bytes as hexadecimal digits: how a record without an `id`, a team or a pin is called where people and files name it. */
#ifndef MQ_PLATFORM_HEX_H
#define MQ_PLATFORM_HEX_H

#include <stdbool.h>

#include "protocol/bytes.h"

/* Exactly `size` bytes from 2 * size hexadecimal digits; a line's end behind them is fine. */
bool mq_hex_read(uint8_t *out, size_t size, struct mq_span text);
/* 2 * size digits, in lower case, and a final NUL. */
void mq_hex_write(char *out, struct mq_span bytes);

#endif
