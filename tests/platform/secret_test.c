/* Aim: a key comes from a passphrase as Argon2id has it, costs outside the limits are refused, secret memory ends at
 * its end, and is kept from swap and core files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/secret_key.h"
#include "tests/platform/guarded.h"

static const uint8_t salt[MQ_SALT_SIZE] = "0123456789abcdef";

static int set_up(void **state)
{
    (void)state;
    return mq_crypto_start() == MQ_OK ? 0 : -1;
}

static struct mq_secret stretch(const char *passphrase, struct mq_kdf_cost cost)
{
    struct mq_error error = {0};
    struct mq_secret key;
    if (mq_kdf(&key, mq_span_text(passphrase), salt, cost, &error) != MQ_OK)
        fail_msg("%s", error.text);
    return key;
}

/* The same four give the same key; another passphrase, salt, memory or number of passes another one. */
static void key_depends_on_all(void **state)
{
    (void)state;
    struct mq_kdf_cost cost = {8, 1};
    struct mq_secret key = stretch("correct horse", cost), same = stretch("correct horse", cost);
    assert_memory_equal(&key, &same, sizeof key);
    struct mq_secret word = stretch("correct horsf", cost),
                     passes = stretch("correct horse", (struct mq_kdf_cost){8, 2});
    struct mq_secret memory = stretch("correct horse", (struct mq_kdf_cost){9, 1}), other;
    struct mq_error error = {0};
    const uint8_t salted[MQ_SALT_SIZE] = "0123456789abcdeF";
    assert_int_equal(mq_kdf(&other, mq_span_text("correct horse"), salted, cost, &error), MQ_OK);
    assert_memory_not_equal(&key, &word, sizeof key);
    assert_memory_not_equal(&key, &passes, sizeof key);
    assert_memory_not_equal(&key, &memory, sizeof key);
    assert_memory_not_equal(&key, &other, sizeof key);
}

/* A vector that another implementation of Argon2id v1.3 gave (8192 KiB, 2 passes, 1 lane, 32 bytes). */
static void agrees_with_argon2id(void **state)
{
    (void)state;
    static const uint8_t expected[32] = {0x46, 0xf6, 0x24, 0x18, 0x30, 0x46, 0x23, 0x6e, 0x17, 0xa0, 0x69,
                                         0x87, 0x90, 0x1e, 0x23, 0xb6, 0xfe, 0xd9, 0x77, 0x87, 0x70, 0x90,
                                         0xef, 0x49, 0xf7, 0x56, 0x75, 0xac, 0x94, 0xcd, 0xdd, 0x21};
    struct mq_secret key = stretch("password", (struct mq_kdf_cost){8, 2});
    assert_memory_equal(key.bytes, expected, sizeof expected);
}

/* Costs outside the limits are refused, with words. */
static void cost_limits(void **state)
{
    (void)state;
    static const struct mq_kdf_cost bad[] = {{7, 3}, {1025, 1}, {8, 0}, {8, 65}, {0, 0}};
    struct mq_secret key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mq_error error = {0};
        assert_int_equal(mq_kdf(&key, mq_span_text("x"), salt, bad[i], &error), MQ_REFUSED);
        assert_true(strlen(error.text) > 0);
    }
}

/* What is asked for is taken, with passes that make up for little memory; unasked it is one of the three. */
static void choosing(void **state)
{
    (void)state;
    assert_int_equal(mq_kdf_choose(8).memory_mib, 8);
    assert_int_equal(mq_kdf_choose(8).passes, 16);
    assert_int_equal(mq_kdf_choose(16).passes, 8);
    assert_int_equal(mq_kdf_choose(128).memory_mib, 128);
    assert_int_equal(mq_kdf_choose(128).passes, 3);
    struct mq_kdf_cost own = mq_kdf_choose(0);
    assert_true(own.memory_mib == 64 || own.memory_mib == 16 || own.memory_mib == 8);
}

/* In a child: no core dump, and writing behind secret memory ends the program. */
static void memory_is_guarded(void **state)
{
    (void)state;
    int ended;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit core;
        mq_secret_guard_process();
        if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || prctl(PR_GET_DUMPABLE) != 0)
            _exit(1);
        signal(SIGSEGV, SIG_DFL);
        volatile uint8_t *memory = mq_secret_alloc(32);
        memory[31] = 1;
        memory[32] = 1; /* the guard page */
        _exit(2);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));

    uint8_t *one = mq_secret_alloc(64), *two = mq_secret_alloc(64);
    mq_secret_random(one, 64);
    mq_secret_random(two, 64);
    assert_memory_not_equal(one, two, 64);
    mq_secret_free(one);
    mq_secret_free(two);
    mq_secret_free(NULL);
}

/* Secret memory is locked and left out of core files, as the kernel itself says; ordinary memory is neither. A process made by
 * fork has lost the lock, so it has to take its secrets over. */
static void kernel_says_guarded(void **state)
{
    (void)state;
    int ended;
    uint8_t *secret = mq_secret_alloc(32), *ordinary = malloc(32);
    assert_non_null(unguarded(ordinary));
    assert_null(unguarded(secret));
    pid_t child = fork();
    if (child == 0) {
        bool lost = !may_lock_pages() || unguarded(secret) != NULL;
        secret = mq_secret_take_over(secret, 32);
        _exit(!lost ? 1 : secret == NULL || unguarded(secret) != NULL ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
    mq_secret_free(secret);
    free(ordinary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_depends_on_all), cmocka_unit_test(agrees_with_argon2id), cmocka_unit_test(cost_limits),
        cmocka_unit_test(choosing),           cmocka_unit_test(memory_is_guarded),
        cmocka_unit_test(kernel_says_guarded),
    };
    return cmocka_run_group_tests_name("platform/secret", tests, set_up, NULL);
}
