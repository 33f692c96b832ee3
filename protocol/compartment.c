/* The rules of compartment.h. */
#include "protocol/compartment.h"

#include <string.h>

bool mq_compartment_is_case(uint32_t compartment)
{
    return compartment >= MQ_COMPARTMENT_CASE_FIRST;
}

bool mq_compartment_known(uint32_t compartment)
{
    return compartment < MQ_COMPARTMENTS_MAX || mq_compartment_is_case(compartment);
}

bool mq_compartment_restricted(uint32_t compartment)
{
    return compartment == MQ_COMPARTMENT_RESTRICTED || mq_compartment_is_case(compartment);
}

uint32_t mq_compartment_case(uint32_t serial)
{
    return serial <= UINT32_MAX - MQ_COMPARTMENT_CASE_FIRST ? MQ_COMPARTMENT_CASE_FIRST + serial : 0;
}

bool mq_compartment_speaks(uint32_t from, uint32_t about)
{
    if (from == about)
        return true;
    if (about == MQ_COMPARTMENT_TEAM)
        return from == MQ_COMPARTMENT_SENSITIVE;
    if (about == MQ_COMPARTMENT_RESTRICTED)
        return mq_compartment_is_case(from);
    return mq_compartment_is_case(about) && from == MQ_COMPARTMENT_RESTRICTED;
}

bool mq_said_counts(const struct mq_said *said, const struct mq_belongs *about)
{
    if (!mq_compartment_speaks(said->compartment, about->compartment))
        return false;
    if (!mq_compartment_restricted(about->compartment))
        return true;
    if (said->keyless)
        return memcmp(said->writer, about->author, sizeof said->writer) == 0;
    return said->compartment == MQ_COMPARTMENT_RESTRICTED || said->compartment == about->home;
}

uint32_t mq_compartment_stricter(uint32_t a, uint32_t b)
{
    if (a == MQ_COMPARTMENT_RESTRICTED || b == MQ_COMPARTMENT_RESTRICTED)
        return MQ_COMPARTMENT_RESTRICTED;
    return a > b ? a : b;
}
