/* Lines of a story. */
#include "tests/sim/story.h"

#include <stdarg.h>
#include <string.h>

/* FNV-1a: short, and good enough to tell two stories apart. */
static void hash_line(struct sim_story *story, const char *line)
{
    for (; *line != '\0'; line++)
        story->hash = (story->hash ^ (uint8_t)*line) * 0x100000001b3u;
    story->hash = (story->hash ^ '\n') * 0x100000001b3u;
}

static void put(struct sim_story *story, const char *line)
{
    hash_line(story, line);
    story->lines++;
    if (story->out == NULL)
        return;
    fprintf(story->out, "%5lld  ", (long long)story->lines);
    for (int i = 0; i < story->depth; i++)
        fputs("    ", story->out);
    fprintf(story->out, "%s\n", line);
}

void sim_tell(struct sim_story *story, const char *format, ...)
{
    char line[SIM_WORDS_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(story, line);
}

void sim_broken(struct sim_story *story, const char *invariant, const char *format, ...)
{
    if (sim_is_broken(story))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(story->words, sizeof story->words, format, arguments);
    va_end(arguments);
    snprintf(story->invariant, sizeof story->invariant, "%s", invariant);
    char line[SIM_WORDS_MAX + 32];
    snprintf(line, sizeof line, "BROKEN %s: %s", story->invariant, story->words);
    put(story, line);
}
