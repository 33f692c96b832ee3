/* A program's manual page, from the same table that parses its command line (platform/options.h). */
#ifndef MQ_PLATFORM_MANUAL_H
#define MQ_PLATFORM_MANUAL_H

#include "platform/options.h"

/* One titled part of the page. What the exit codes mean stands on every page by itself. */
struct mq_manual_entry {
    const char *name; /* as typed; never translated */
    const char *help; /* N_() text */
};
struct mq_manual_part {
    const char *title; /* N_() text, in capitals where the language has them */
    const struct mq_manual_entry *entries;
    size_t count;
};
struct mq_manual {
    const char *program;
    const char *summary; /* N_() text, one line: what stands behind the name in NAME */
    const char *about;   /* N_() text, one paragraph */
    const struct mq_manual_part *parts;
    size_t part_count;
};

/* Writes the page to stdout in the man(7) macros, section 1, in the language of the messages. */
void mq_manual_print(const struct mq_manual *manual, const struct mq_command *commands, size_t count,
                     const struct mq_option *common);

#endif
