/* Aim: whatever stands beside the store to be sent without a key, and whatever a server answers, the sending ends, says
 * what is wrong, and counts no more as taken than there is. Input: a mode, the sizes of spool.to and of the spool u16 each,
 * both files (or what follows a right head and stands before a right hash), then answers, each with its size u16, and
 * perhaps a right end. */
#include <stdlib.h>
#include <string.h>

#include "platform/fake.h"
#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "protocol/frame.h"
#include "replica/spool.h"
#include "tests/fuzz/fuzz.h"

#define FILE_MAX (128 * 1024)
#define ANSWERS_MAX 6

static struct mq_fake *fake;
static struct mq_platform machine;
static struct {
    const char *path;
    uint8_t bytes[FILE_MAX];
    size_t size;
} files[] = {{.path = "home/spool.to"}, {.path = "home/spool"}};

static enum mq_status read_file(void *self, const char *path, struct mq_buffer *out, struct mq_error *error)
{
    (void)self;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(path, files[i].path) == 0 && mq_reserve(out, files[i].size) != NULL) {
            memcpy(out->data + out->size - files[i].size, files[i].bytes, files[i].size);
            return MQ_OK;
        }
    return mq_fail(error, out->failed ? MQ_NO_SPACE : MQ_NOT_FOUND, "%s cannot be read", path);
}

static enum mq_status write_file(void *self, const char *path, struct mq_span content, struct mq_error *error)
{
    (void)self, (void)error;
    MQ_ASSERT(strcmp(path, files[0].path) == 0); /* the spool itself is never changed by a sending */
    MQ_ASSERT(content.size <= FILE_MAX);
    memcpy(files[0].bytes, content.data, content.size);
    files[0].size = content.size;
    return MQ_OK;
}

void fuzz_start(void)
{
    fake = mq_fake_new(1);
    machine = *mq_fake_platform(fake);
    machine.read = read_file;
    machine.write = write_file;
}

/* ---- the server ---- */

struct server {
    struct mq_reader answers;
    unsigned asked;
    bool whole; /* a right end is put behind each answer */
};

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct server *server = context;
    struct mq_reader request = mq_reader(body);
    struct mq_request head;
    struct mq_frame frame;

    (void)path;
    MQ_ASSERT(mq_request_get(&head, &request) == MQ_OK);
    while (mq_frame_next(&request, &frame) == MQ_OK)
        continue;
    MQ_ASSERT(mq_reader_done(&request) && frame.type == MQ_FRAME_END);
    if (mq_left(&server->answers) < 2 || ++server->asked > ANSWERS_MAX)
        return mq_fail(error, MQ_REFUSED, "nothing more is said");
    size_t size = mq_get_u16(&server->answers);
    mq_put_span(reply, fuzz_take(&server->answers, size));
    if (server->whole)
        mq_exchange_end(reply);
    answer->http_status = 200;
    return MQ_OK;
}

/* ---- the files ---- */

static void hashed(struct mq_buffer *out, struct mq_span body)
{
    uint8_t hash[MQ_HASH_SIZE];

    mq_put_u8(out, MQ_SPOOL_VERSION);
    mq_put_span(out, body);
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, mq_written(out));
    mq_put(out, hash, sizeof hash);
}

static void fill(uint8_t mode, struct mq_span address, struct mq_span spool)
{
    struct mq_buffer to = mq_buffer(files[0].bytes, FILE_MAX), bundle = mq_buffer(files[1].bytes, FILE_MAX);

    if (mode & 1)
        hashed(&to, address);
    else
        mq_put_span(&to, address);
    if (mode & 2) {
        mq_bundle_begin(&bundle);
        mq_put_span(&bundle, spool);
        mq_bundle_end(&bundle);
    } else {
        mq_put_span(&bundle, spool);
    }
    MQ_ASSERT(!to.failed && !bundle.failed);
    files[0].size = to.size;
    files[1].size = bundle.size;
}

static int64_t segments_there(void)
{
    struct mq_span frames;
    struct mq_frame frame;
    int64_t count = 0;

    if (mq_bundle_open(&frames, mq_span(files[1].bytes, files[1].size)) != MQ_OK)
        return 0;
    struct mq_reader reader = mq_reader(frames);
    while (mq_frame_next(&reader, &frame) == MQ_OK)
        count += frame.type == MQ_FRAME_SEGMENT;
    return count;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_reader input = mq_reader(mq_span(data, size));
    uint8_t mode = mq_get_u8(&input);
    size_t address_size = mq_get_u16(&input), spool_size = mq_get_u16(&input);
    struct mq_spool_sent sent;
    struct mq_error error = {0};

    if (input.failed || address_size + spool_size > mq_left(&input) || size > FILE_MAX / 4)
        return;
    struct mq_span address = mq_take(&input, address_size), spool = mq_take(&input, spool_size);
    fill(mode, address, spool);
    struct server server = {.answers = mq_reader(fuzz_rest(&input)),
                            .whole = (mode & 4) != 0};
    const struct mq_transport transport = {.context = &server, .post = post};
    int64_t deadline = machine.monotonic_ms(machine.self) + 5000;
    enum mq_status status = mq_spool_send(&machine, "home", &transport, deadline, &sent, &error);
    MQ_ASSERT(status == error.status && (status == MQ_OK || error.text[0] != '\0'));
    MQ_ASSERT(sent.sent >= 0 && sent.left >= 0 && sent.sent + sent.left <= segments_there());
}
