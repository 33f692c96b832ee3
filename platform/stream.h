/* Whole transfers over a local stream socket until a moment, and the clock that moment is on. */
#ifndef MQ_PLATFORM_STREAM_H
#define MQ_PLATFORM_STREAM_H

#include "protocol/bytes.h"

/* Milliseconds of the monotonic clock: for waiting in real time, never for what a replica decides. */
int64_t mq_clock_ms(void);

enum mq_transfer {
    MQ_MOVED,
    MQ_TIME_OVER,
    MQ_CLOSED /* the other side has gone, or the socket failed */
};

/* All of it or the reason why not; never blocks beyond `until_ms` of mq_clock_ms(), never raises SIGPIPE. */
enum mq_transfer mq_send_all(int descriptor, struct mq_span bytes, int64_t until_ms);
enum mq_transfer mq_receive_all(int descriptor, uint8_t *out, size_t size, int64_t until_ms);

#endif
