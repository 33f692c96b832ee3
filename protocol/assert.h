/* Our own promises, checked in release too: a broken one ends the program before it can write something wrong. */
#ifndef MQ_PROTOCOL_ASSERT_H
#define MQ_PROTOCOL_ASSERT_H

/* __builtin_trap needs no library, so that protocol/ stays free of I/O; a debugger shows file and line. */
#define MQ_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())

/* Stands after a switch that names every value of an enum of ours: there is no other, and the compiler checks the names. */
#define MQ_NO_OTHER() __builtin_trap()

/* A condition that is always false as far as anybody knows, though we live on where it is not: no input and no caller
 * leads there, such as a library that refuses what its manual takes. `make coverage` leaves out what only it leads to,
 * lists it with its reason (a string), and fails where a test gets there after all. */
#define MQ_NEVER(condition, reason) (condition)

#endif
