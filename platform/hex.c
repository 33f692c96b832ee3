/* Hexadecimal digits, both ways. */
#include "platform/hex.h"

static int digit(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
}

bool mq_hex_read(uint8_t *out, size_t size, struct mq_span text)
{
    if (text.size == 2 * size + 1 && text.data[2 * size] == '\n')
        text.size--;
    if (text.size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(text.data[2 * i]), low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void mq_hex_write(char *out, struct mq_span bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[bytes.data[i] >> 4];
        out[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    out[2 * bytes.size] = '\0';
}
