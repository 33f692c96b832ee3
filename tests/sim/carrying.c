/* Sticks: bundles that people carry, late, twice, cut in the middle, to whoever has a reader. */
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/bundle.h"
#include "tests/sim/events.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"
#include "tests/sim/wire.h"

#define STICK "/stick"
#define STICK_MAX (8 * 1024 * 1024)

static void into_pocket(struct sim_member *member, struct sim_pocket *pocket)
{
    struct mq_error error = {0};
    uint8_t *memory = malloc(STICK_MAX);
    MQ_ASSERT(memory != NULL);
    struct mq_buffer file = mq_buffer(memory, STICK_MAX);
    if (member->platform->read(member->platform->self, STICK, &file, &error) == MQ_OK) {
        sim_wire_sees(member->fleet, mq_written(&file), MQ_BUNDLE_HEAD_SIZE);
        free(pocket->bytes);
        pocket->size = file.size;
        pocket->bytes = malloc(file.size + 1);
        MQ_ASSERT(pocket->bytes != NULL);
        memcpy(pocket->bytes, file.data, file.size);
    }
    free(memory);
    mq_error_clear(&error);
    (void)member->platform->remove(member->platform->self, STICK, &error);
}

void sim_export(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_pocket *pocket = &fleet->pockets[sim_choose(fleet->choices, SIM_POCKETS)];
    struct mq_error error = {0};
    int64_t segments = 0;
    if (!sim_enter(member))
        return;
    enum mq_status status = mq_bundle_write(member->replica, STICK, &segments, &error);
    sim_tell(fleet->story, "%s writes %lld segments onto stick %d%s%s", member->name, (long long)segments,
             (int)(pocket - fleet->pockets), status == MQ_OK ? "" : ": ", status == MQ_OK ? "" : error.text);
    if (status == MQ_OK) {
        sim_happened(fleet, SIM_STICK_WRITTEN);
        into_pocket(member, pocket);
    }
    sim_leave(member, status);
}

/* What became of it on the way. True: it is not what was written. */
static bool spoil(struct sim_fleet *fleet, uint8_t *bytes, size_t *size)
{
    uint32_t how = sim_choose(fleet->choices, 10);
    if (how < 8 || *size == 0)
        return false;
    sim_happened(fleet, SIM_STICK_SPOILT);
    sim_tell(fleet->story, how == 8 ? "the stick is cut" : "a bit of the stick flips");
    size_t place = sim_choose(fleet->choices, (uint32_t)*size);
    if (how == 8)
        *size = place;
    else
        bytes[place] ^= (uint8_t)(1u << sim_choose(fleet->choices, 8));
    return true;
}

static enum mq_status read_stick(struct sim_member *member, struct mq_span bytes, bool spoiled)
{
    struct mq_admitted admitted = {0};
    struct mq_error error = {0};
    enum mq_status status = member->platform->write(member->platform->self, STICK, bytes, &error);
    if (status == MQ_OK)
        status = mq_bundle_read(member->replica, STICK, &admitted, &error);
    sim_tell(member->fleet->story, "%s reads a stick: %lld new segments%s%s", member->name,
             (long long)admitted.segments, status == MQ_OK ? "" : ": ", status == MQ_OK ? "" : error.text);
    if (status == MQ_OK)
        sim_happened(member->fleet, SIM_STICK_READ);
    if (status == MQ_OK && spoiled)
        sim_broken(member->fleet->story, "I13", "%s took in a stick that was cut or changed", member->name);
    if (spoiled && (status == MQ_DAMAGED || status == MQ_REFUSED))
        return MQ_OK;
    return status;
}

void sim_bring(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_pocket *pocket = &fleet->pockets[sim_choose(fleet->choices, SIM_POCKETS)];
    struct mq_error error = {0};
    if (pocket->bytes == NULL || !sim_enter(member))
        return;
    uint8_t *copy = malloc(pocket->size + 1);
    size_t size = pocket->size;
    MQ_ASSERT(copy != NULL);
    memcpy(copy, pocket->bytes, size);
    bool spoiled = spoil(fleet, copy, &size);
    enum mq_status status = read_stick(member, mq_span(copy, size), spoiled);
    (void)member->platform->remove(member->platform->self, STICK, &error);
    free(copy);
    sim_leave(member, status);
}
