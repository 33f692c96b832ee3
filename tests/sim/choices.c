/* Choices from a seed or from a vector. */
#include "tests/sim/choices.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

struct sim_choices {
    uint64_t state;         /* of the generator, while exploring */
    const uint32_t *replay; /* NULL: exploring */
    size_t replay_count;
    uint32_t *made;
    size_t count, room;
    bool frozen;
};

/* SplitMix64: every seed, zero too, gives a good sequence. */
static uint64_t next_number(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static struct sim_choices *choices_new(void)
{
    struct sim_choices *choices = calloc(1, sizeof *choices);
    MQ_ASSERT(choices != NULL);
    return choices;
}

struct sim_choices *sim_choices_explore(uint64_t seed)
{
    struct sim_choices *choices = choices_new();
    choices->state = seed;
    return choices;
}

struct sim_choices *sim_choices_replay(const uint32_t *made, size_t count)
{
    struct sim_choices *choices = choices_new();
    uint32_t *copy = calloc(count + 1, sizeof *copy);
    MQ_ASSERT(copy != NULL);
    if (count > 0)
        memcpy(copy, made, count * sizeof *copy);
    choices->replay = copy;
    choices->replay_count = count;
    return choices;
}

void sim_choices_free(struct sim_choices *choices)
{
    if (choices == NULL)
        return;
    free((void *)choices->replay);
    free(choices->made);
    free(choices);
}

static void note(struct sim_choices *choices, uint32_t value)
{
    if (choices->count == choices->room) {
        choices->room = choices->room == 0 ? 1024 : choices->room * 2;
        choices->made = realloc(choices->made, choices->room * sizeof *choices->made);
        MQ_ASSERT(choices->made != NULL);
    }
    choices->made[choices->count++] = value;
}

uint32_t sim_choose(struct sim_choices *choices, uint32_t bound)
{
    MQ_ASSERT(bound > 0);
    if (choices->frozen)
        return 0;
    uint32_t value = 0;
    if (choices->replay == NULL)
        value = (uint32_t)(next_number(&choices->state) % bound);
    else if (choices->count < choices->replay_count)
        value = choices->replay[choices->count] % bound;
    note(choices, value);
    return value;
}

bool sim_chance(struct sim_choices *choices, uint32_t one_in)
{
    return one_in > 0 && sim_choose(choices, one_in) == one_in - 1 && one_in > 1;
}

bool sim_choices_ended(const struct sim_choices *choices)
{
    return choices->replay != NULL && choices->count >= choices->replay_count;
}

void sim_choices_freeze(struct sim_choices *choices)
{
    choices->frozen = true;
}

void sim_chance_bytes(uint64_t *state, void *out, size_t size)
{
    uint8_t *at = out;
    for (uint64_t number = 0, left = 0; size > 0; size--, left--, number >>= 8) {
        if (left == 0) {
            number = next_number(state);
            left = sizeof number;
        }
        *at++ = (uint8_t)number;
    }
}

const uint32_t *sim_choices_made(const struct sim_choices *choices, size_t *count)
{
    *count = choices->count;
    return choices->made;
}

void sim_choices_again(struct sim_choices *choices, uint64_t seed)
{
    MQ_ASSERT(choices->replay == NULL);
    choices->state = seed;
    choices->count = 0;
    choices->frozen = false;
}
