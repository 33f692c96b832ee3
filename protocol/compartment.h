/* Compartments: who may read, and whose word counts where (docs/protocol.md, section 1). Numbers and rules stand here and
 * nowhere else; routing, sealing, sync and merge ask these functions. */
#ifndef MQ_PROTOCOL_COMPARTMENT_H
#define MQ_PROTOCOL_COMPARTMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/limits.h"

/* Read by every member and desk of the team. */
#define MQ_COMPARTMENT_TEAM 0u
/* Read by the county desk and by persons whom it names. Everybody in the team may write into it, sealed to its
 * commitment; most cannot read it, their own part included. */
#define MQ_COMPARTMENT_RESTRICTED 1u
/* Sensitive fields of ordinary records: read by members and desks who have that right. */
#define MQ_COMPARTMENT_SENSITIVE 2u
/* From here on: cases, one for each author of restricted matters, read by him, the county desk and the named persons. */
#define MQ_COMPARTMENT_CASE_FIRST 0x10000u

/* One of the numbers that a relay keeps: common ones below MQ_COMPARTMENTS_MAX, or a case. */
bool mq_compartment_known(uint32_t compartment);
bool mq_compartment_is_case(uint32_t compartment);
/* Restricted matters and cases: only a county desk grants them, and no earlier key is handed on. */
bool mq_compartment_restricted(uint32_t compartment);
/* The case of an author, by the serial of the certificate he wrote under; one that does not fit has none: 0. */
uint32_t mq_compartment_case(uint32_t serial);

/* Where a change came from. */
struct mq_said {
    uint32_t compartment;
    bool keyless; /* write-only: it proves its writer, not that he holds the compartment's key */
    uint8_t writer[MQ_KID_SIZE]; /* mq_key_name of his sign key */
};
/* What is known of a record by the change that created it; of one whose create has not come, by the first that did. */
struct mq_belongs {
    uint32_t compartment;
    uint32_t home; /* restricted: the case in which its author is answered; 0: none */
    uint8_t author[MQ_KID_SIZE];
};
/* May a compartment speak about records of another? Records of the team hear the team and the sensitive fields; records
 * of the restricted compartment hear it and cases; a case hears itself and the restricted compartment; any other only
 * itself. So whoever holds no more than the team's keys can neither read nor soften a restricted matter. */
bool mq_compartment_speaks(uint32_t from, uint32_t about);
/* Does this change count for this record? As mq_compartment_speaks; and about restricted records only their own case is
 * heard, and what was written without the key counts for its writer's own records alone: anybody can seal to a
 * commitment. */
bool mq_said_counts(const struct mq_said *said, const struct mq_belongs *about);
/* The same change under two compartments belongs to one, whichever came first: to the more protected. */
uint32_t mq_compartment_stricter(uint32_t a, uint32_t b);

#endif
