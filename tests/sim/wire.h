/* Somebody who reads every byte on every link and stick: what may never be there, and what was promised there. */
#ifndef MQ_TESTS_SIM_WIRE_H
#define MQ_TESTS_SIM_WIRE_H

#include "tests/sim/fleet.h"

struct sim_wire *sim_wire_new(void);
void sim_wire_free(struct sim_wire *wire);

#define SIM_NO_HEAD SIZE_MAX /* its frames were all seen before, on their way to the relay */
/* Bytes that left a machine: no plaintext (I7), no key and nonce twice (I8). `head`: bytes before the first frame. */
void sim_wire_sees(struct sim_fleet *fleet, struct mq_span bytes, size_t head);
/* A reply leaves the relay: "your head" is a promise of its disk (I2). */
void sim_wire_promised(struct sim_fleet *fleet, struct mq_span request, struct mq_span reply);
/* After the server's power cut: it holds what it promised. */
void sim_wire_check_promises(struct sim_fleet *fleet);
/* The server's content is another, by a restore: what it promised before is void. */
void sim_wire_void_promises(struct sim_fleet *fleet);
/* The stream of a segment that was seen; a choice. False: there was none. */
bool sim_wire_some_stream(struct sim_fleet *fleet, uint8_t stream[MQ_ID_SIZE]);

#endif
