/* Our own promises, checked in release too: a broken one ends the program before it can write something wrong. */
#ifndef MQ_PROTOCOL_ASSERT_H
#define MQ_PROTOCOL_ASSERT_H

/* __builtin_trap needs no library, so that protocol/ stays free of I/O; a debugger shows file and line. */
#define MQ_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
