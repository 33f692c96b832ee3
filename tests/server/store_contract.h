/* What every backend of the relay's store must do. A backend's test calls store_contract() from its main(). */
#ifndef MQ_TESTS_SERVER_STORE_CONTRACT_H
#define MQ_TESTS_SERVER_STORE_CONTRACT_H

#include "server/relay/store.h"

struct store_backend {
    /* Opens the one store of this test: empty when `fresh`, otherwise as it was left. Ends the test where it cannot. */
    struct mq_store *(*open)(bool fresh);
};

/* Runs the suite and returns cmocka's count of failures. */
int store_contract(const struct store_backend *backend);

#endif
