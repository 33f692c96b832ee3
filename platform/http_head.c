/* Judging a request's head; see http_head.h. */
#include "platform/http_head.h"

#include <string.h>

#include "protocol/assert.h"

enum { BAD_REQUEST = 400, LENGTH_REQUIRED = 411, TOO_LARGE = 413 };

#define LINE_END 2 /* CR LF */

static bool is_name_byte(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", byte) == NULL;
}

static bool is_value_byte(unsigned char byte)
{
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

static bool is_digits(struct mq_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size > 0;
}

static bool is_named(const char *name, size_t size, const char *wanted)
{
    return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

/* CR and LF, cut to NULs (which strchr finds too) or not: else something hides there. */
static bool is_line_end(const struct mq_http_head *head, const char *at)
{
    return head->end - at >= LINE_END && strchr("\r\n", at[0]) != NULL && strchr("\r\n", at[1]) != NULL;
}

static bool is_version(const char *text)
{
    return strncmp(text, "HTTP/1.", 7) == 0 && text[7] >= '0' && text[7] <= '9' && text[8] == '\0';
}

void mq_http_head_in_place(struct mq_http_head *head, const char *method, const char *target, size_t target_size,
                           const char *version, size_t size)
{
    *head = (struct mq_http_head){.next = version + strlen(version) + LINE_END, .end = method + size};
    head->strange = target != method + strlen(method) + 1 || version != target + target_size + 1 || !is_version(version) ||
                    !is_line_end(head, version + strlen(version));
}

/* Name, colon, blanks and value stand where the line before ended. */
static bool follows(struct mq_http_head *head, const char *name, size_t name_size, const char *value, size_t value_size)
{
    if (head->next == NULL)
        return true;
    bool in_place = name == head->next && value > name + name_size && value < head->end;
    for (const char *at = name + name_size + 1; in_place && at < value; at++)
        in_place = *at == ' ' || *at == '\t';
    head->next = value + value_size + LINE_END;
    return in_place && is_line_end(head, value + value_size);
}

void mq_http_head_line(struct mq_http_head *head, const char *name, size_t name_size, const char *value,
                       size_t value_size)
{
    if (head->strange || value == NULL || name_size == 0 || !follows(head, name, name_size, value, value_size)) {
        head->strange = true;
        return;
    }
    for (size_t i = 0; i < name_size; i++)
        head->strange |= !is_name_byte((unsigned char)name[i]);
    for (size_t i = 0; i < value_size; i++)
        head->strange |= !is_value_byte((unsigned char)value[i]);
    head->hosts += is_named(name, name_size, "Host");
    head->encodings += is_named(name, name_size, "Transfer-Encoding");
    if (is_named(name, name_size, "Content-Length")) {
        head->lengths++;
        head->length = mq_span(value, value_size);
    }
}

bool mq_http_head_is_good(const struct mq_http_head *head)
{
    bool whole = head->next == NULL || (head->next + LINE_END == head->end && is_line_end(head, head->next));
    return !head->strange && head->hosts <= 1 && whole;
}

bool mq_http_target_is_good(const char *target, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (target[i] <= 0x20 || target[i] >= 0x7f)
            return false;
    return size > 0 && target[0] == '/';
}

unsigned mq_http_head_body(const struct mq_http_head *head, bool is_post, size_t max, size_t *length)
{
    MQ_ASSERT(max <= SIZE_MAX / 16);
    *length = 0;
    if (head->encodings > 0)
        return head->lengths > 0 ? BAD_REQUEST : LENGTH_REQUIRED;
    if (head->lengths == 0)
        return is_post ? LENGTH_REQUIRED : 0;
    if (head->lengths > 1 || !is_digits(head->length))
        return BAD_REQUEST;
    for (size_t i = 0; i < head->length.size && *length <= max; i++)
        *length = *length * 10 + (size_t)(head->length.data[i] - '0');
    if (*length > max)
        return TOO_LARGE;
    return *length > 0 && !is_post ? BAD_REQUEST : 0;
}
