/* Aim: a backup's file is read to its very end or called damaged, whatever stands in it, even where somebody with the
 * passphrase sealed it; no single changed bit passes, which is tried before all else. Input: a mode, then the whole
 * file; or chunks of plaintext, each a byte for its flag, its size u16 and its bytes, which are rightly encrypted. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/assert.h"
#include "protocol/keys.h"
#include "server/archive_keys.h"
#include "tests/fuzz/fuzz.h"

#define HEAD_SIZE 49
#define FRONT_SIZE (MQ_NONCE_SIZE - 8)
#define FILE_MAX (256 * 1024)
#define PASSPHRASE "one grey heron by the weir"

static int file;
static char path[32];
static uint8_t head[HEAD_SIZE], bytes[FILE_MAX], plain[FILE_MAX];
static struct mq_secret key;

/* server/archive_keys.h, once more. */
static void put_chunk(struct mq_buffer *out, uint64_t number, uint8_t last, struct mq_span text)
{
    uint8_t nonce_memory[MQ_NONCE_SIZE], aad_memory[HEAD_SIZE + 5];
    struct mq_buffer nonce = mq_buffer(nonce_memory, sizeof nonce_memory),
                     aad = mq_buffer(aad_memory, sizeof aad_memory);

    mq_put(&nonce, head + HEAD_SIZE - FRONT_SIZE, FRONT_SIZE);
    mq_put_u64(&nonce, number);
    mq_put(&aad, head, sizeof head);
    mq_put_u8(&aad, last);
    mq_put_u32(&aad, (uint32_t)text.size);
    mq_put(out, aad_memory + HEAD_SIZE, 5);
    MQ_ASSERT(mq_aead_seal(out, text, mq_written(&aad), nonce_memory, &key) == MQ_OK);
}

/* Gives the plaintext up to the chunk that says it is the last; *ended: there was one. */
static struct mq_span put_chunks(struct mq_buffer *out, struct mq_reader *input, bool *ended)
{
    struct mq_buffer text = mq_buffer(plain, sizeof plain);
    uint64_t number = 0;

    mq_put(out, head, sizeof head);
    *ended = false;
    while (mq_left(input) >= 3) {
        uint8_t flag = mq_get_u8(input);
        size_t size = mq_get_u16(input);
        struct mq_span part = fuzz_take(input, size);
        uint8_t last = flag < 0xf0 ? flag & 1 : flag; /* and sometimes what is neither yes nor no */
        put_chunk(out, number++, last, part);
        if (!*ended && last <= 1)
            mq_put_span(&text, part);
        if (last > 1)
            break;
        *ended = *ended || last == 1;
    }
    MQ_ASSERT(!out->failed && !text.failed);
    return mq_written(&text);
}

/* Pieces up to the name of length 0, which must be the last byte. */
static bool model(struct mq_span text, size_t *pieces)
{
    struct mq_reader reader = mq_reader(text);

    for (*pieces = 0;; ++*pieces) {
        uint8_t length = mq_get_u8(&reader);
        if (reader.failed || length >= MQ_ARCHIVE_NAME_SIZE)
            return false;
        if (length == 0)
            return mq_reader_done(&reader);
        (void)mq_take(&reader, length);
        uint64_t size = mq_get_u64(&reader);
        if (reader.failed || size > mq_left(&reader))
            return false;
        (void)mq_take(&reader, (size_t)size);
    }
}

static enum mq_status read_all(size_t *pieces)
{
    struct mq_archive *archive;
    struct mq_error error = {0};
    char name[MQ_ARCHIVE_NAME_SIZE];
    enum mq_status status = mq_archive_open(&archive, path, mq_span_text(PASSPHRASE), &error);

    MQ_ASSERT((status == MQ_OK) == (archive != NULL) && status != MQ_NOT_FOUND);
    for (*pieces = 0; status == MQ_OK; ++*pieces) {
        status = mq_archive_next(archive, name, &error);
        if (status != MQ_OK)
            break;
        MQ_ASSERT(memchr(name, '\0', sizeof name) != NULL);
        status = mq_archive_extract(archive, NULL, &error);
    }
    mq_archive_close(archive);
    MQ_ASSERT(status == MQ_NOT_FOUND || error.text[0] != '\0');
    return status;
}

static void write_file(struct mq_span content)
{
    MQ_ASSERT(ftruncate(file, 0) == 0 && pwrite(file, content.data, content.size, 0) == (ssize_t)content.size);
}

/* Of a backup of 2 KiB in two chunks. */
static void every_bit_matters(void)
{
    static const uint8_t piece[1800];
    struct mq_buffer out = mq_buffer(bytes, sizeof bytes), text = mq_buffer(plain, sizeof plain);
    size_t pieces;

    mq_put_u8(&text, 1);
    mq_put_text(&text, "a");
    mq_put_u64(&text, sizeof piece);
    mq_put(&text, piece, sizeof piece);
    mq_put_u8(&text, 0);
    mq_put(&out, head, sizeof head);
    put_chunk(&out, 0, 0, mq_span(plain, 1000));
    put_chunk(&out, 1, 1, mq_span(plain + 1000, text.size - 1000));
    MQ_ASSERT(!text.failed && !out.failed);
    write_file(mq_written(&out));
    MQ_ASSERT(read_all(&pieces) == MQ_NOT_FOUND && pieces == 1);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(mq_written(&out));
        MQ_ASSERT(read_all(&pieces) != MQ_NOT_FOUND);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

void fuzz_start(void)
{
    struct mq_buffer out = mq_buffer(head, sizeof head);
    struct mq_error error = {0};
    uint8_t salt[MQ_SALT_SIZE] = {1}, front[FRONT_SIZE] = {2};

    mq_put_text(&out, "MQBACKUP");
    mq_put_u8(&out, 1);
    mq_put(&out, salt, sizeof salt);
    mq_put_u32(&out, 8);
    mq_put_u32(&out, 1);
    mq_put(&out, front, sizeof front);
    MQ_ASSERT(out.size == sizeof head);
    MQ_ASSERT(mq_kdf(&key, mq_span_text(PASSPHRASE), salt, (struct mq_kdf_cost){8, 1}, &error) == MQ_OK);
    file = memfd_create("archive", MFD_CLOEXEC);
    MQ_ASSERT(file >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    every_bit_matters();
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_buffer out = mq_buffer(bytes, sizeof bytes);
    struct mq_reader input = mq_reader(mq_span(data, size));
    size_t pieces, wanted = 0;
    bool ended = false, whole = false;

    if (size == 0 || size > FILE_MAX / 16)
        return;
    if ((mq_get_u8(&input) & 1) == 0)
        mq_put_span(&out, fuzz_rest(&input));
    else
        whole = model(put_chunks(&out, &input, &ended), &wanted) && ended;
    write_file(mq_written(&out));
    enum mq_status status = read_all(&pieces);
    /* Nobody guesses what is sealed. */
    MQ_ASSERT((status == MQ_NOT_FOUND) == whole && (!whole || pieces == wanted));
    MQ_ASSERT(whole || status == MQ_DAMAGED || status == MQ_WRONG_KEY || status == MQ_REFUSED);
}
