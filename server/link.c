/* Questions: length 4, word 1, body. Answers: length 4, status 1, then what was asked for, or words. */
#include "server/link.h"

#include <string.h>

#include "platform/stream.h"
#include "protocol/assert.h"

#define QUESTION_MS 30000
#define ANSWER_MS (10 * 60 * 1000) /* a check or a copy of a large store */

bool mq_link_reaches_store(const struct mq_link *link)
{
    return link->descriptor >= 0 || link->relay != NULL;
}

/* ---- the work ---- */

static enum mq_status copy_store(struct mq_store *store, struct mq_span path, struct mq_error *error)
{
    char text[4096];

    if (path.size == 0 || path.size >= sizeof text)
        return mq_fail(error, MQ_REFUSED, _("the path of the copy is too long"));
    memcpy(text, path.data, path.size);
    text[path.size] = '\0';
    return store->verbs->copy(store, text, error);
}

static enum mq_status work(struct mq_relay *relay, uint8_t word, struct mq_span body, struct mq_buffer *reply,
                           struct mq_error *error)
{
    switch (word) { /* tidy: not an enum, it comes over a socket */
    case MQ_LINK_EXCHANGE:
        return mq_relay_exchange(relay, body, reply, error);
    case MQ_LINK_CHECK:
        return relay->store->verbs->check(relay->store, error);
    case MQ_LINK_COPY:
        return copy_store(relay->store, body, error);
    default:
        return mq_fail(error, MQ_FAULT, _("the desk asked what this version does not know"));
    }
}

/* ---- the desk's side ---- */

static enum mq_status moved(enum mq_transfer how, struct mq_error *error)
{
    switch (how) {
    case MQ_MOVED:
        return MQ_OK;
    case MQ_TIME_OVER:
        return mq_fail(error, MQ_UNREACHABLE, _("the store does not answer; nothing was lost, try again later"));
    case MQ_CLOSED:
        return mq_fail(error, MQ_UNREACHABLE, _("the server is ending; nothing was lost"));
    }
    return MQ_FAULT;
}

static enum mq_status send_two(int descriptor, uint8_t first, struct mq_span rest, int64_t until,
                               struct mq_error *error)
{
    uint8_t memory[5];
    struct mq_buffer head = mq_buffer(memory, sizeof memory);

    mq_put_u32(&head, (uint32_t)rest.size + 1);
    mq_put_u8(&head, first);
    enum mq_transfer how = mq_send_all(descriptor, mq_written(&head), until);
    return moved(how == MQ_MOVED ? mq_send_all(descriptor, rest, until) : how, error);
}

/* The length's and the first byte, then the rest into `out`. */
static enum mq_status receive_two(int descriptor, uint8_t *first, struct mq_buffer *out, int64_t until,
                                  struct mq_error *error)
{
    uint8_t head[5];
    enum mq_status status = moved(mq_receive_all(descriptor, head, sizeof head, until), error);

    if (status != MQ_OK)
        return status;
    struct mq_reader reader = mq_reader(MQ_SPAN(head));
    size_t size = mq_get_u32(&reader);
    *first = mq_get_u8(&reader);
    uint8_t *room = size == 0 ? NULL : mq_reserve(out, size - 1);
    if (room == NULL)
        return mq_fail(error, MQ_FAULT, _("the two halves of the server do not understand each other"));
    return moved(mq_receive_all(descriptor, room, size - 1, until), error);
}

static enum mq_status told(uint8_t code, const struct mq_buffer *words, struct mq_error *error)
{
    if (code == MQ_OK)
        return MQ_OK;
    return mq_fail(error, code <= MQ_FAULT ? (enum mq_status)code : MQ_FAULT, "%.*s", (int)words->size,
                   (const char *)words->data);
}

enum mq_status mq_link_ask(struct mq_link *link, enum mq_link_word word, struct mq_span body, struct mq_buffer *reply,
                           struct mq_error *error)
{
    uint8_t code;

    MQ_ASSERT(mq_link_reaches_store(link));
    if (link->descriptor < 0)
        return work(link->relay, (uint8_t)word, body, reply, error);
    enum mq_status status = send_two(link->descriptor, (uint8_t)word, body, mq_clock_ms() + QUESTION_MS, error);
    if (status == MQ_OK)
        status = receive_two(link->descriptor, &code, reply, mq_clock_ms() + ANSWER_MS, error);
    return status == MQ_OK ? told(code, reply, error) : status;
}

/* ---- the relay's side ---- */

enum mq_status mq_link_hear(int descriptor, struct mq_buffer *question, struct mq_error *error)
{
    uint8_t *word = mq_reserve(question, 1);

    MQ_ASSERT(word != NULL);
    return receive_two(descriptor, word, question, mq_clock_ms() + QUESTION_MS, error);
}

enum mq_status mq_link_answer(int descriptor, struct mq_relay *relay, struct mq_span question, struct mq_buffer *reply,
                              struct mq_error *error)
{
    struct mq_error own = {0};
    enum mq_status status = work(relay, question.data[0], mq_span(question.data + 1, question.size - 1), reply, &own);
    struct mq_span answer = status == MQ_OK ? mq_written(reply) : mq_span_text(own.text);

    return send_two(descriptor, (uint8_t)status, answer, mq_clock_ms() + QUESTION_MS, error);
}
