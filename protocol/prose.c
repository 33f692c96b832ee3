/* The prose shipped with the program: sentences as people here write them, so that the first segment of a stream finds
 * something to refer to already (docs/protocol.md, section 2). A text once shipped is never altered; a better one gets
 * the next number. The build makes prose_1.h from prose/1.txt with prose/embed.sh. */
#include "protocol/compress.h"

#include "generated/prose_1.h"

_Static_assert(sizeof prose_1 <= MQ_PROSE_MAX, "the joined prefix in seal.c has room for no more");

struct mq_span mq_prose(uint8_t number)
{
    return number == 1 ? MQ_SPAN(prose_1) : mq_span(NULL, 0);
}
