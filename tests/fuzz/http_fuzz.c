/* Aim: a head that a lenient library has cut in place passes only where a strict reader would have read the same in it,
 * line for line and with the same length of the body; so nobody in front of us can have seen another request. Input: the
 * bytes of a request up to its body, behind one for the method that is allowed a body. */
#include <string.h>

#include "platform/http_head.h"
#include "protocol/assert.h"
#include "protocol/limits.h"
#include "tests/fuzz/fuzz.h"

#define HEAD_MAX 4096
#define BODY_MAX 5000

/* ---- The strict reader (RFC 9112), which only looks ---- */

struct strict {
    const char *at, *end;
    bool bad;
    unsigned hosts, lengths, encodings;
    struct mq_span target, length;
};

static bool is_token(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* Up to `stop`, which goes too. */
static struct mq_span part(struct strict *s, char stop)
{
    const char *found = s->bad ? NULL : memchr(s->at, stop, (size_t)(s->end - s->at));
    if (found == NULL) {
        s->bad = true;
        return mq_span(NULL, 0);
    }
    struct mq_span out = mq_span(s->at, (size_t)(found - s->at));
    s->at = found + 1;
    return out;
}

static bool is_end_byte(char byte)
{
    return byte == '\r' || byte == '\n' || byte == '\0';
}

/* Which two of CR, LF and NUL end a line is the one thing that is forgiven: once cut in place, nobody can tell. */
static struct mq_span line(struct strict *s)
{
    const char *begin = s->at;
    while (s->at < s->end && !is_end_byte(*s->at))
        s->at++;
    struct mq_span out = mq_span(begin, (size_t)(s->at - begin));
    s->bad = s->bad || s->end - s->at < 2 || !is_end_byte(s->at[1]);
    s->at += s->bad ? 0 : 2;
    return out;
}

static bool is_called(struct mq_span name, const char *wanted)
{
    return name.size == strlen(wanted) && strncasecmp((const char *)name.data, wanted, name.size) == 0;
}

static void header(struct strict *s)
{
    struct mq_span name = part(s, ':'), value = line(s);
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = mq_span(value.data + 1, value.size - 1);
    s->bad = s->bad || name.size == 0;
    for (size_t i = 0; i < name.size; i++)
        s->bad = s->bad || !is_token((char)name.data[i]);
    for (size_t i = 0; i < value.size; i++)
        s->bad = s->bad || (value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f;
    s->hosts += is_called(name, "host");
    s->encodings += is_called(name, "transfer-encoding");
    if (is_called(name, "content-length")) {
        s->lengths++;
        s->length = value;
    }
}

static bool has_end_byte(struct mq_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_end_byte((char)text.data[i]))
            return true;
    return false;
}

static struct strict strict_read(const char *bytes, size_t size)
{
    struct strict s = {.at = bytes, .end = bytes + size};
    struct mq_span method = part(&s, ' ');
    s.target = part(&s, ' ');
    struct mq_span version = line(&s);
    s.bad = s.bad || method.size == 0 || version.size != 8 || has_end_byte(method) || has_end_byte(s.target);
    while (!s.bad && s.at < s.end && !is_end_byte(*s.at))
        header(&s);
    s.bad = s.bad || line(&s).size > 0 || s.at != s.end || s.hosts > 1;
    return s;
}

/* ---- The lenient library: cuts in place, as libmicrohttpd before 1.0 does ---- */

struct lenient {
    char bytes[HEAD_MAX + 2];
    char folded[HEAD_MAX + 2]; /* memory of its own for a value over several lines */
    size_t at, size;
};

/* A line ends with LF or CR LF; NULL where there is none. */
static char *cut_line(struct lenient *l)
{
    char *begin = l->bytes + l->at, *end = memchr(begin, '\n', l->size - l->at);
    if (end == NULL)
        return NULL;
    l->at = (size_t)(end - l->bytes) + 1;
    *end = '\0';
    if (end > begin && end[-1] == '\r')
        end[-1] = '\0';
    return begin;
}

/* Up to `end`, which becomes a NUL; the rest behind any more blanks. */
static char *cut_word(char **rest, char *end)
{
    char *begin = *rest;
    *rest = end == NULL ? begin + strlen(begin) : end + 1;
    if (end != NULL)
        *end = '\0';
    while (**rest == ' ')
        (*rest)++;
    return begin;
}

static char *unfold(struct lenient *l, char *value)
{
    while (l->at < l->size && (l->bytes[l->at] == ' ' || l->bytes[l->at] == '\t')) {
        char *more = cut_line(l);
        if (more == NULL)
            break;
        size_t size = strlen(value), more_size = strlen(more);
        memmove(l->folded, value, size);
        memcpy(l->folded + size, more, more_size + 1);
        value = l->folded;
    }
    return value;
}

static void give_lines(struct lenient *l, struct mq_http_head *head)
{
    char *line;
    while ((line = cut_line(l)) != NULL && *line != '\0') {
        char *colon = strchr(line, ':'), *value = colon == NULL ? NULL : colon + 1;
        if (value != NULL)
            *colon = '\0';
        while (value != NULL && (*value == ' ' || *value == '\t'))
            value++;
        value = value == NULL ? NULL : unfold(l, value);
        mq_http_head_line(head, line, strlen(line), value, value == NULL ? 0 : strlen(value));
    }
    if (line == NULL)
        head->strange = true; /* no end: the library waits for more */
}

/* Where the library takes the head to end. */
static size_t end_of_head(const struct lenient *l)
{
    static struct lenient copy;
    struct mq_http_head ignored = {0};

    copy = *l;
    give_lines(&copy, &ignored);
    return copy.at;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct lenient l;
    struct mq_http_head head;
    size_t length;

    if (size < 2 || size - 1 > HEAD_MAX)
        return;
    l.at = 0;
    l.size = size - 1;
    memcpy(l.bytes, data + 1, l.size);
    l.bytes[l.size] = '\0';
    char *rest = cut_line(&l);
    if (rest == NULL)
        return;
    char *method = cut_word(&rest, strchr(rest, ' ')), *target = cut_word(&rest, strrchr(rest, ' ')), *version = rest;
    size_t target_size = strlen(target);
    mq_http_head_in_place(&head, method, target, target_size, version, end_of_head(&l));
    give_lines(&l, &head);
    bool known = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "POST") == 0;
    bool good = known && mq_http_head_is_good(&head) && mq_http_target_is_good(target, target_size);
    if (!good)
        return;
    struct strict s = strict_read((const char *)data + 1, l.at);
    MQ_ASSERT(!s.bad && mq_span_equal(s.target, mq_span(target, target_size)));
    MQ_ASSERT(s.hosts == head.hosts && s.lengths == head.lengths && s.encodings == head.encodings);
    if (mq_http_head_body(&head, (data[0] & 1) != 0, BODY_MAX, &length) == 0) {
        MQ_ASSERT(length <= BODY_MAX && s.encodings == 0 && s.lengths <= 1 && (length == 0 || (data[0] & 1) != 0));
        for (size_t i = s.length.size; i > 0; i--, length /= 10)
            MQ_ASSERT(s.length.data[i - 1] == '0' + length % 10);
        MQ_ASSERT(length == 0);
    }
}
