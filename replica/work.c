/* The working memories of a replica. A file of their own, so that every caller asks for them through the linker: fuzzing and
 * simulation put others in their place. */
#include "replica/replica_keys.h"

#include <stdlib.h>

void *mq_work_memory(size_t size)
{
    void *memory = malloc(size);
    mq_enough(memory);
    return memory;
}

struct mq_seal_space *mq_work_space(struct mq_replica *replica)
{
    if (replica->space == NULL)
        replica->space = mq_work_memory(mq_seal_space_size());
    return replica->space;
}

struct mq_buffer mq_work_payload(struct mq_replica *replica)
{
    if (replica->payload == NULL)
        replica->payload = mq_work_memory(MQ_PAYLOAD_MAX);
    return mq_buffer(replica->payload, MQ_PAYLOAD_MAX);
}

struct mq_buffer mq_work_expanded(struct mq_replica *replica)
{
    if (replica->expanded == NULL)
        replica->expanded = mq_work_memory(MQ_EXPANDED_MAX);
    return mq_buffer(replica->expanded, MQ_EXPANDED_MAX);
}

struct mq_arena mq_work_arena(struct mq_replica *replica)
{
    if (replica->arena == NULL)
        replica->arena = mq_work_memory(MQ_ARENA_SIZE);
    return mq_arena(replica->arena, MQ_ARENA_SIZE);
}

void mq_work_arena_used(struct mq_replica *replica, const struct mq_arena *arena)
{
    if (arena->size > replica->arena_used)
        replica->arena_used = arena->size;
}

void mq_work_free(void *memory, size_t size)
{
    if (memory != NULL)
        mq_wipe(memory, size);
    free(memory);
}
