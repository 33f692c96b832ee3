/* Aim: whoever breaks the front stands where nothing can be read, though it runs under the same user as the desk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/confine.h"

static const char *const of_the_desk[] = {"root.key", "tls_key.pem", "desk/vault", "desk/store.db", "desk/store.db-wal", "lock"};
static const char *const of_the_front[] = {"relay/store.db", "relay/store.db-wal"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static char data[64];

static void path_of(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", data, name);
}

static void make(const char *name)
{
    char path[128];

    path_of(path, name);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, "x", 1), 1);
    close(file);
}

static int set_up(void **state)
{
    char path[128];

    (void)state;
    snprintf(data, sizeof data, "/tmp/minqing-confine-XXXXXX");
    if (mkdtemp(data) == NULL)
        return -1;
    path_of(path, "desk");
    mkdir(path, 0700);
    path_of(path, "relay");
    mkdir(path, 0700);
    for (size_t i = 0; i < COUNT(of_the_desk); i++)
        make(of_the_desk[i]);
    for (size_t i = 0; i < COUNT(of_the_front); i++)
        make(of_the_front[i]);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", data);
    return system(command);
}

/* How many of the files can be opened, for reading and for writing. */
static unsigned openable(const char *const *names, size_t count)
{
    static const int ways[] = {O_RDONLY, O_WRONLY};
    unsigned opened = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t w = 0; w < COUNT(ways); w++) {
            char path[128];
            path_of(path, names[i]);
            int file = open(path, ways[w] | O_NOFOLLOW);
            if (file >= 0)
                close(file);
            opened += file >= 0;
        }
    return opened;
}

/* The front opens its own store and none of the desk's files, neither its keys nor the root's; before it was confined it
 * could open them all. */
static void front_reaches_its_store_only(void **state)
{
    int ended;

    (void)state;
    assert_int_equal(openable(of_the_desk, COUNT(of_the_desk)), 2 * COUNT(of_the_desk));
    pid_t child = fork();
    if (child == 0) {
        struct mq_sandbox_report report = mq_confine_front(data);
        if (report.landlock_abi == 0)
            _exit(77);
        _exit(openable(of_the_desk, COUNT(of_the_desk)) != 0                          ? 1
              : openable(of_the_front, COUNT(of_the_front)) != 2 * COUNT(of_the_front) ? 2
                                                                                       : 0);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == 77) {
        print_message("this kernel has no Landlock: the front is not kept from the desk's files here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(ended), 0);
}

/* A data directory whose path is too long for us leaves the process as it was, and says so. */
static void too_long_a_path_is_said(void **state)
{
    static char longer[8192];

    (void)state;
    memset(longer, 'a', sizeof longer - 1);
    struct mq_sandbox_report report = mq_confine_front(longer);
    assert_int_equal(report.landlock_abi, 0);
    assert_int_equal(report.landlock_trouble, ENAMETOOLONG);
    assert_int_equal(report.filter_trouble, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_reaches_its_store_only),
        cmocka_unit_test(too_long_a_path_is_said),
    };
    return cmocka_run_group_tests_name("server/confine", tests, set_up, tear_down);
}
