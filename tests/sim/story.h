/* What a run tells: a line for each thing that happens, hashed always (two runs of the same choices must tell the same
 * story) and printed on request; and the first promise that was broken. */
#ifndef MQ_TESTS_SIM_STORY_H
#define MQ_TESTS_SIM_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SIM_WORDS_MAX 400

struct sim_story {
    FILE *out;     /* NULL: nothing is printed */
    uint64_t hash; /* of all lines so far */
    int64_t lines;
    int depth;
    char invariant[8]; /* that was broken: "I1" ...; "" for none */
    char words[SIM_WORDS_MAX];
};

void sim_tell(struct sim_story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A promise is broken. The first one counts; the run ends at the next event. */
void sim_broken(struct sim_story *story, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool sim_is_broken(const struct sim_story *story)
{
    return story->invariant[0] != '\0';
}

#endif
