/* How a function says what became of a request: one short list for the whole house. */
#ifndef MQ_PROTOCOL_STATUS_H
#define MQ_PROTOCOL_STATUS_H

#define MQ_MUST_USE __attribute__((warn_unused_result))

/* Ordered by what the caller can do about it. `minqing` and `minqingd` turn these into exit codes
 * (docs/contract.md): refused 1, unreachable 3, damaged 4, fault 70. */
enum mq_status {
    MQ_OK = 0,
    MQ_REFUSED,       /* what came from outside is not what it should be; nothing was changed */
    MQ_NOT_FOUND,     /* the named thing is not here */
    MQ_NO_SPACE,      /* the caller's buffer, or the disk, is full */
    MQ_BAD_SIGNATURE, /* a signature, tag or MAC does not verify: forged or damaged on the way */
    MQ_WRONG_KEY,     /* a passphrase or key does not open this */
    MQ_WAITING,       /* good as far as can be seen, but something it needs has not come yet */
    MQ_BUSY,          /* somebody else holds it; try again */
    MQ_UNREACHABLE,   /* the other side did not answer; nothing was lost */
    MQ_DAMAGED,       /* our own store is not what we wrote */
    MQ_FAULT          /* the machine refused (I/O, memory) or we were wrong */
};

#endif
