/* What somebody may try who has taken over a process: one function each, by the bare system call. */
#ifndef MQ_TESTS_PLATFORM_SANDBOX_ACTIONS_H
#define MQ_TESTS_PLATFORM_SANDBOX_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Made before the cage is entered. */
struct place {
    char directory[64];              /* with the files secret, victim and mine/inside */
    char secret[96], victim[96], mine[96], inside[128];
    int listener, free_socket;       /* TCP, on loopback; and one that is neither bound nor connected */
    int port;
    pid_t other;                     /* a process of the same user */
    void *page;                      /* of memory, writable */
};

enum layer { BY_FILES = 1, BY_PORTS = 2, BY_CALLS = 4 }; /* what stops it: Landlock, Landlock since its fourth, seccomp */

struct action {
    const char *name;
    int (*run)(const struct place *place); /* 0: it could be done; else errno */
    unsigned front, desk, courier;         /* the layers that must stop it there, any of them is enough; 0: it may be done */
    bool plain;                            /* anybody can do it outside of a cage */
};

extern const struct action sandbox_actions[];
extern const size_t sandbox_action_count;

#endif
