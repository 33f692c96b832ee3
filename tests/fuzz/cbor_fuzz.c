/* Aim: what mq_cbor_valid accepts reads and writes as itself, the naive model agrees with it, and no reader leaves its
 * bounds on what it refuses. */
#include <stdlib.h>

#include "protocol/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/protocol/cbor_model.h"
#include "tests/protocol/cbor_walk.h"

/* Reads on, whatever comes: an end must be reached. */
static void read_unjudged(struct mq_span input)
{
    struct mq_reader reader = mq_reader(input), whole = mq_reader(input);

    while (mq_left(&reader) > 0)
        (void)mq_cbor_next(&reader);
    while (mq_left(&whole) > 0)
        (void)mq_cbor_take(&whole);
    MQ_ASSERT(reader.at <= input.size && whole.at <= input.size);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct mq_span input = {data, size};
    bool valid = mq_cbor_valid(input);

    read_unjudged(input);
    MQ_ASSERT(valid == (size > 0 && model_item(data, size, MQ_CBOR_DEPTH_MAX) == size));
    if (valid) {
        uint8_t *memory = malloc(size);
        MQ_ASSERT(memory != NULL && cbor_walks_to_itself(input, memory));
        free(memory);
    }
}
