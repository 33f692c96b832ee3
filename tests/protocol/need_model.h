/* A second, naive derivation of a need's state, written from docs/protocol.md, section 6, that shares no code with
 * protocol/need.c but the table of rows. */
#ifndef MQ_TESTS_PROTOCOL_NEED_MODEL_H
#define MQ_TESTS_PROTOCOL_NEED_MODEL_H

#include "protocol/need.h"

#define MODEL_STEPS_MAX 64

/* What the model says of a set of at most MODEL_STEPS_MAX steps; `steps` as given, in any order. */
struct model_result {
    unsigned state;
    bool told;
    int32_t due;
    int dated, unit, sentence, head; /* indexes into `steps`; -1 */
    unsigned disputes, unreached;
    bool effective[MODEL_STEPS_MAX], late[MODEL_STEPS_MAX], is_head[MODEL_STEPS_MAX];
};
void model_derive(struct model_result *out, const struct mq_need_step *steps, size_t count);

#endif
