/* Cuts the tail, takes out pieces, makes pieces benign, makes numbers small: from large pieces to small ones, again and
 * again until nothing helps. */
#include "tests/sim/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"

struct work {
    struct sim_vector *best;
    uint32_t *scratch;
    sim_fails *fails;
    void *context;
    int tries;
};

/* Keeps what stands in scratch where it fails too. */
static bool keep(struct work *work, size_t count)
{
    const struct sim_vector candidate = {work->scratch, count};
    if (work->tries <= 0)
        return false;
    work->tries--;
    if (!work->fails(work->context, &candidate))
        return false;
    memcpy(work->best->values, work->scratch, count * sizeof *work->scratch);
    work->best->count = count;
    return true;
}

static void load(struct work *work)
{
    memcpy(work->scratch, work->best->values, work->best->count * sizeof *work->scratch);
}

static bool cut_tail(struct work *work)
{
    bool any = false;
    for (size_t piece = work->best->count / 2; piece > 0;) {
        load(work);
        if (keep(work, work->best->count - piece))
            any = true;
        else
            piece /= 2;
        if (piece > work->best->count)
            piece = work->best->count;
    }
    return any;
}

static bool take_out(struct work *work, size_t piece)
{
    bool any = false;
    for (size_t at = 0; at + piece <= work->best->count && work->tries > 0;) {
        size_t rest = work->best->count - at - piece;
        load(work);
        memmove(work->scratch + at, work->scratch + at + piece, rest * sizeof *work->scratch);
        if (keep(work, at + rest))
            any = true;
        else
            at += piece;
    }
    return any;
}

static bool make_benign(struct work *work, size_t piece)
{
    bool any = false;
    for (size_t at = 0; at + piece <= work->best->count && work->tries > 0; at += piece) {
        bool benign = true;
        load(work);
        for (size_t i = at; i < at + piece; i++) {
            benign = benign && work->scratch[i] == 0;
            work->scratch[i] = 0;
        }
        any = (!benign && keep(work, work->best->count)) || any;
    }
    return any;
}

static bool make_small(struct work *work)
{
    bool any = false;
    for (size_t at = 0; at < work->best->count && work->tries > 0; at++)
        while (work->best->values[at] > 1) {
            load(work);
            work->scratch[at] /= 2;
            if (!keep(work, work->best->count))
                break;
            any = true;
        }
    return any;
}

void sim_shrink(struct sim_vector *vector, sim_fails *fails, void *context, int tries)
{
    struct work work = {.best = vector, .fails = fails, .context = context, .tries = tries};
    work.scratch = calloc(vector->count + 1, sizeof *work.scratch);
    MQ_ASSERT(work.scratch != NULL);
    bool any = true;
    while (any && work.tries > 0) {
        any = cut_tail(&work);
        for (size_t piece = vector->count / 2; piece > 0 && work.tries > 0; piece /= 2) {
            any = take_out(&work, piece) || any;
            any = make_benign(&work, piece) || any;
        }
        any = make_small(&work) || any;
    }
    free(work.scratch);
}
