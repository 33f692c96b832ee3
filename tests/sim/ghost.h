/* The ghost remembers, outside of everything, each text that a person wrote and the program called saved. Every save has a
 * text of its own that can be worked out from its number alone, so what a replica holds is compared with what was
 * written, not with what another part of the program made of it. */
#ifndef MQ_TESTS_SIM_GHOST_H
#define MQ_TESTS_SIM_GHOST_H

#include "tests/sim/fleet.h"

#define SIM_TEXT_MAX (16 * 1024)
#define SIM_MARK "CANARY-" /* stands in every text, and in no sealed byte */

struct sim_entry {
    unsigned author;   /* in fleet->members */
    uint32_t size;     /* of its text */
    uint32_t record;   /* number of the text that created the record it is about */
    char kind;         /* of the record it creates (writing.c); 0: it changes one */
    bool saved;        /* the program said so; else it may be there, whole, or not */
    bool refused;      /* the program said so: it may be nowhere */
    bool restricted;   /* only the county's desk reads it */
    bool home;         /* must be in its author's own store */
    bool lost;         /* every copy was destroyed by what no program can help */
    uint16_t at_desks; /* a bit for each desk that has had it at some time, as far as it was looked */
    bool unfound;      /* its author's store was damaged when it was imported, and may not have found it the second time */
    bool beyond;       /* its author's rights had been taken, and nobody let it in */
    bool sealed;       /* segment is known, and what its packing leans on */
    bool unfollowed;   /* it is not, since its author's disk could not be read when that was looked up */
    uint8_t segment[MQ_SEGMENT_ID_SIZE];
    unsigned lean_count;
    uint8_t leans[MQ_LINKS_MAX][MQ_SEGMENT_ID_SIZE];
};

struct sim_ghost *sim_ghost_new(void);
void sim_ghost_free(struct sim_ghost *ghost);
/* The next text's number; `size` bytes of it are going to be written. */
uint32_t sim_ghost_next(struct sim_ghost *ghost, unsigned author, uint32_t size);
size_t sim_ghost_count(const struct sim_ghost *ghost);
struct sim_entry *sim_ghost_entry(struct sim_ghost *ghost, uint32_t number);
/* The text: the mark, the number, and letters of no meaning up to `size`. `out` holds size + 1. */
void sim_ghost_text(char *out, uint32_t number, uint32_t size);

/* What a replica holds: a bit for each text that is in it whole. Says so (I3) where one is there and differs from what
 * was written, or (I6) twice. False: the store could not be read. */
struct sim_sight {
    uint8_t *seen; /* by number */
    size_t count;  /* entries when it was made */
};
bool sim_ghost_see(struct sim_member *member, struct sim_sight *out);
void sim_sight_free(struct sim_sight *sight);
/* The text, or its sealed segment. */
bool sim_ghost_holds(struct sim_member *member, uint32_t number);
/* Something that its segment's packing leans on is nowhere but with those whose rights were taken. */
bool sim_ghost_leans_on_revoked(struct sim_fleet *fleet, uint32_t number);

/* After a member's store came back from a power cut: everything of its own is there (I1). */
void sim_ghost_check_home(struct sim_member *member);
/* The same where a bit of its log flipped: in the last transaction nobody can tell that from one that the power tore, which
 * was never acknowledged. What is older has to be there, or damage to be said. */
void sim_ghost_check_log(struct sim_member *member);
/* Before a medium is destroyed: which of the texts on it are in which segments, and what those lean on. */
void sim_ghost_note_segments(struct sim_member *member);
/* Afterwards: texts that no copy has any more are nobody's fault; what a member's own store has to hold is looked up. */
void sim_ghost_survey(struct sim_fleet *fleet);
/* Looks what a desk has by now, before something else stands in its place, or what it has confirmed is taken out of its view.
 * What cannot be read may have been all. */
void sim_ghost_note_desk(struct sim_member *desk);
/* Nothing is called anchored that no desk ever had, but for desks of which this member knows that their rights were taken (P4);
 * whoever believes a thief may be told anything. */
void sim_ghost_check_anchored(struct sim_member *member);

#endif
