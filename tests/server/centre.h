/* A centre in one process: a county's desk with the root's key, a relay behind it, a store in the test's own directory, on a
 * pretended machine. */
#ifndef MQ_TESTS_SERVER_CENTRE_H
#define MQ_TESTS_SERVER_CENTRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/fake.h"
#include "server/desk/desk_keys.h"
#include "server/desk/root_keys.h"
#include "server/relay/relay.h"
#include "tests/server/directory.h"

#define PASSPHRASE "one grey heron by the weir"
#define KDF_MIB 8

static struct mq_fake *fake;
static const struct mq_platform *machine;
static struct mq_phrase phrase;
static struct mq_desk desk;
static struct mq_store *store;
static struct mq_relay relay;
static struct mq_error problem;

static inline void must(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static inline void in_directory(char out[400], const char *name)
{
    snprintf(out, 400, "%s/%s", directory, name);
}

static inline void centre_open_store(void)
{
    must(mq_store_sqlite_open(&store, machine, store_path, &problem));
    relay.store = store;
}

static inline void centre_empty_store(void)
{
    store->verbs->close(store);
    directory_empty();
    centre_open_store();
}

static inline void centre_make(void)
{
    struct mq_identity root;
    char path[400];

    in_directory(path, "desk");
    must(mq_replica_create(&desk.replica, machine, path, mq_span_text(PASSPHRASE), KDF_MIB, &problem));
    mq_root_make(&root, machine);
    must(mq_root_put(desk.replica, root.sign_public, &problem));
    in_directory(path, "root.key");
    must(mq_root_write(machine, path, mq_span_text(PASSPHRASE), mq_kdf_choose(KDF_MIB), &root, &problem));
    relay = (struct mq_relay){.platform = machine};
    memcpy(relay.root_public, root.sign_public, MQ_PUBLIC_SIZE);
    mq_identity_wipe(&root);
    centre_open_store();
}

/* `transport`: how the desk reaches the relay. */
static inline int centre_begin(struct mq_transport transport)
{
    if (mq_crypto_start() != MQ_OK || directory_make() != 0)
        return -1;
    fake = mq_fake_new(7);
    machine = mq_fake_platform(fake);
    mq_fake_set_wall(fake, 1800000000);
    mq_error_clear(&problem);
    phrase.size = strlen(PASSPHRASE);
    memcpy(phrase.bytes, PASSPHRASE, phrase.size);
    desk = (struct mq_desk){.platform = machine, .data = directory, .passphrase = &phrase, .transport = transport};
    centre_make();
    return 0;
}

static inline int centre_end(void)
{
    char command[400];

    mq_desk_close(&desk);
    store->verbs->close(store);
    mq_fake_free(fake);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

#endif
