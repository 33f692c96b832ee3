/* The village on simulated machines: the server, the county's desk and one device that works, each with a disk that can lose
 * power at any operation. What stands on the disks is kept as an image and brought back for the next run, so that
 * thousands of runs begin alike. */
#ifndef MQ_TESTS_POWER_STAGE_H
#define MQ_TESTS_POWER_STAGE_H

#include "tests/replica/village.h"
#include "tests/sim/files.h"
#include "tests/sim/machine.h"

enum stage_machine { STAGE_SERVER, STAGE_DESK, STAGE_DEVICE, STAGE_MACHINES = 2 + VILLAGE_DEVICES };
#define STAGE_AT_WORK 3 /* the first so many machines; the other devices stay closed */

struct stage {
    struct village village;
    struct village_ground ground;
    struct sim_choices *choices;
    struct sim_machine *machines[STAGE_MACHINES];
    int64_t forks; /* that a check may find: a home that was set back has written one number twice */
};

/* The disks of the machines at work, at rest. */
struct stage_image {
    struct sim_disk *disks[STAGE_AT_WORK];
};

/* Everybody has joined, nothing is written yet; all is closed. */
void stage_begin(struct stage *stage);
void stage_end(struct stage *stage);

void stage_keep(struct stage *stage, struct stage_image *image); /* closes all */
void stage_image_free(struct stage_image *image);
/* All is closed, the disks are the image's, machines have just started and draw the same keys and nonces as after every
 * bringing, choices begin anew from `seed`. */
void stage_bring(struct stage *stage, const struct stage_image *image, uint64_t seed);

struct village_member *stage_member(struct stage *stage, enum stage_machine machine); /* not of the server */
struct village_member *stage_device(struct stage *stage);
struct village_member *stage_desk(struct stage *stage);
struct sim_disk *stage_disk(struct stage *stage, enum stage_machine machine);

/* Starts the program of this machine, or answers why it does not start. Fine where it runs already. */
enum mq_status stage_open(struct stage *stage, enum stage_machine machine, struct mq_error *error);
void stage_must_open(struct stage *stage, enum stage_machine machine);
void stage_close(struct stage *stage, enum stage_machine machine);
void stage_close_all(struct stage *stage);
/* The power goes, if it has not; what survives is decided; the machine is on and nothing runs. */
void stage_reboot(struct stage *stage, enum stage_machine machine);

/* One sync of the device or the desk with the server; MQ_UNREACHABLE where that does not run. */
enum mq_status stage_sync(struct stage *stage, enum stage_machine machine, struct mq_error *error);
/* Everything reaches everybody; all three are open afterwards. Asserts that it does, that the device counts all as anchored,
 * that desk and device show the same, and that each finds its own store sound. */
void stage_settle(struct stage *stage);
/* The store finds itself sound, and its view is what its changes say. */
void stage_assert_sound(struct stage *stage, enum stage_machine machine);

enum mq_status stage_add(struct village_member *member, const char *json, struct mq_error *error);

#endif
