/* A cage for processes that read what strangers send: Landlock over files and TCP ports, seccomp over system calls. What
 * is open already stays usable, so each opens what it needs, enters, and only then listens to anybody. There is no way
 * out, for threads and children neither. Kernels differ: what this one cannot do is left out and reported. */
#ifndef MQ_PLATFORM_SANDBOX_H
#define MQ_PLATFORM_SANDBOX_H

#include <stdbool.h>

/* Who enters decides which system calls remain; the table with a reason for each is in platform/sandbox.c. */
enum mq_sandbox_role {
    MQ_SANDBOX_FRONT,  /* accepts, reads and writes its store; no new sockets, no other files */
    MQ_SANDBOX_DESK,   /* all files, since backups and exports go where a person says; no network, no programs */
    MQ_SANDBOX_COURIER /* connects; no files but those it may read */
};

struct mq_sandbox {
    enum mq_sandbox_role role;
    const char *directory;       /* files below it may be read, written, made and removed; NULL: none */
    const char *const *readable; /* files that may be read, ends with NULL; those that are not there are left out. NULL: none */
};

struct mq_sandbox_report {
    int landlock_abi;     /* 0: not in force */
    int landlock_trouble; /* errno, where not in force */
    int filter_trouble;   /* errno of seccomp; 0: in force. ENOSYS also where this machine has no table */
};

/* From here on the process can do only what its role allows; before it starts threads. What is refused fails with EPERM,
 * EACCES or ENOSYS and does not end the process. Files and locale of messages must have been loaded. */
void mq_sandbox_enter(const struct mq_sandbox *sandbox, struct mq_sandbox_report *report);

#endif
