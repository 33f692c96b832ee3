/* What the parts of the store's contract share: the store of the present clause, and names of things. */
#ifndef MQ_TESTS_SERVER_STORE_CONTRACT_KIT_H
#define MQ_TESTS_SERVER_STORE_CONTRACT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/server/store_contract.h"

static const struct store_backend *backend;
static struct mq_store *store;
static struct mq_error error;
static uint8_t memory[MQ_SEGMENT_MAX];

/* The names of things in these tests: a byte repeated. */
struct name {
    uint8_t bytes[MQ_HASH_SIZE];
};

static inline struct name named(uint8_t byte)
{
    struct name name;

    memset(name.bytes, byte, sizeof name.bytes);
    return name;
}
#define BOX named(0xb0).bytes
#define OTHER_BOX named(0xb1).bytes
#define TEAM named(0x99).bytes
#define OTHER_TEAM named(0x98).bytes

static inline int open_fresh(void **state)
{
    (void)state;
    memset(&error, 0, sizeof error);
    store = backend->open(true);
    return 0;
}

static inline int close_it(void **state)
{
    (void)state;
    store->verbs->close(store);
    return 0;
}

static inline void reopen(void)
{
    store->verbs->close(store);
    store = backend->open(false);
}

#define CLAUSE(function) cmocka_unit_test_setup_teardown(function, open_fresh, close_it)

/* store_contract_slots.c: all but logs and streams. */
int store_contract_slots(const struct store_backend *which);

#endif
