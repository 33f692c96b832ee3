/* Argon2id costs a hundredth of a second on purpose, and a world of power cuts asks it the same questions all day. It
 * is a pure function: the linker (--wrap=mq_kdf) sends every caller here, and an answer that was worked out once by the
 * real one is remembered. */
#include <stdlib.h>
#include <string.h>

#include "platform/secret_key.h"
#include "protocol/assert.h"
#include "protocol/keys.h"

#define ANSWERS_MAX 256
#define WORDS_MAX 64

struct answer {
    uint8_t words[WORDS_MAX], salt[MQ_SALT_SIZE];
    size_t size;
    struct mq_kdf_cost cost;
    struct mq_secret key;
};

static struct answer *answers;
static size_t count;

enum mq_status __real_mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                             struct mq_kdf_cost cost, struct mq_error *error);
enum mq_status __wrap_mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                             struct mq_kdf_cost cost, struct mq_error *error);

static bool same(const struct answer *answer, struct mq_span words, const uint8_t *salt, struct mq_kdf_cost cost)
{
    return answer->size == words.size && memcmp(answer->words, words.data, words.size) == 0 &&
           memcmp(answer->salt, salt, MQ_SALT_SIZE) == 0 && answer->cost.memory_mib == cost.memory_mib &&
           answer->cost.passes == cost.passes;
}

enum mq_status __wrap_mq_kdf(struct mq_secret *out, struct mq_span passphrase, const uint8_t salt[MQ_SALT_SIZE],
                             struct mq_kdf_cost cost, struct mq_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (same(&answers[i], passphrase, salt, cost)) {
            *out = answers[i].key;
            return MQ_OK;
        }
    enum mq_status status = __real_mq_kdf(out, passphrase, salt, cost, error);
    if (answers == NULL)
        answers = calloc(ANSWERS_MAX, sizeof *answers);
    MQ_ASSERT(answers != NULL);
    if (status != MQ_OK || passphrase.size > WORDS_MAX || count == ANSWERS_MAX)
        return status;
    struct answer *answer = &answers[count++];
    *answer = (struct answer){.size = passphrase.size, .cost = cost, .key = *out};
    memcpy(answer->words, passphrase.data, passphrase.size);
    memcpy(answer->salt, salt, MQ_SALT_SIZE);
    return MQ_OK;
}
