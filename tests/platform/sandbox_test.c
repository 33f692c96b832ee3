/* Aim: what a process does not need for its work it cannot do any more once it is in its cage, and its work it can. Which
 * layers this kernel has is printed; a layer that is there has to hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/sandbox.h"
#include "tests/platform/sandbox_actions.h"

enum role { FRONT, DESK, COURIER, FREE, ROLES };
static const char *const role_names[ROLES] = {"front", "desk", "courier", "nobody's cage"};

static struct place place;
static unsigned layers[ROLES]; /* that this kernel has, for each cage */

/* ---- the place ---- */

static void write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("content", file);
    fclose(file);
}

static int loopback(bool listens, int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int made = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!listens)
        return made;
    assert_int_equal(bind(made, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(made, 100), 0);
    assert_int_equal(getsockname(made, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return made;
}

/* As it was before anybody touched it: what one action did must not be in the way of the next. */
static void fill_place(void)
{
    close(place.listener);
    close(place.free_socket);
    place.listener = loopback(true, &place.port);
    place.free_socket = loopback(false, NULL);
    write_file(place.secret);
    write_file(place.victim);
    write_file(place.inside);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(place.directory, sizeof place.directory, "/tmp/minqing-sandbox-XXXXXX");
    if (mkdtemp(place.directory) == NULL)
        return -1;
    snprintf(place.secret, sizeof place.secret, "%s/secret", place.directory);
    snprintf(place.victim, sizeof place.victim, "%s/victim", place.directory);
    snprintf(place.mine, sizeof place.mine, "%s/mine", place.directory);
    snprintf(place.inside, sizeof place.inside, "%s/inside", place.mine);
    mkdir(place.mine, 0700);
    place.listener = place.free_socket = -1;
    fill_place();
    place.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    place.other = fork();
    if (place.other == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    kill(place.other, SIGKILL);
    waitpid(place.other, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", place.directory);
    return system(command);
}

/* What an action may have left. */
static void tidy_up(void)
{
    char command[256];

    snprintf(command, sizeof command, "cd %s && rm -rf new folder mine/*", place.directory);
    assert_int_equal(system(command), 0);
}

/* ---- in a cage ---- */

static struct mq_sandbox_report enter(enum role role)
{
    static const enum mq_sandbox_role roles[] = {MQ_SANDBOX_FRONT, MQ_SANDBOX_DESK, MQ_SANDBOX_COURIER};
    static const char *const readable[] = {"/etc/hosts", "/no/such/file", NULL};
    struct mq_sandbox_report report = {0};

    if (role != FREE)
        mq_sandbox_enter(&(struct mq_sandbox){.role = roles[role],
                                              .directory = role == FRONT ? place.mine : NULL,
                                              .readable = role == COURIER ? readable : NULL},
                         &report);
    return report;
}

/* What a child in that cage comes to: its exit code, or 1000 and the signal that ended it. */
static int in_cage(enum role role, int (*run)(const struct place *))
{
    int ended;
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        enter(role);
        _exit(run(&place));
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 1000 + WTERMSIG(ended);
}

static void learn_layers(enum role role)
{
    struct mq_sandbox_report report = {0};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        report = enter(role);
        _exit(write(ends[1], &report, sizeof report) == (ssize_t)sizeof report ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &report, sizeof report), sizeof report);
    close(ends[0]);
    waitpid(child, NULL, 0);
    layers[role] = (report.landlock_abi >= 1 ? BY_FILES : 0u) | (report.landlock_abi >= 4 ? BY_PORTS : 0u) |
                   (report.filter_trouble == 0 ? BY_CALLS : 0u);
    print_message("%s: Landlock %d%s%s, seccomp %s\n", role_names[role], report.landlock_abi,
                  report.landlock_abi > 0 ? "" : ": ", report.landlock_abi > 0 ? "" : strerror(report.landlock_trouble),
                  report.filter_trouble == 0 ? "in force" : strerror(report.filter_trouble));
}

/* ---- tests ---- */

/* A kernel that has a layer does not refuse it to the cage: only what is missing, or forbidden to everybody, is left out. */
static void layers_are_used(void **state)
{
    (void)state;
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1);
    for (enum role role = FRONT; role < FREE; role++) {
        learn_layers(role);
        assert_int_equal((layers[role] & BY_FILES) != 0, version > 0);
        assert_int_equal(layers[role], layers[FRONT]);
    }
    bool has_seccomp = prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L) >= 0 &&
                       (syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &(uint32_t){0x00050000u}) == 0);
#if defined __x86_64__ || defined __aarch64__
    assert_int_equal((layers[FRONT] & BY_CALLS) != 0, has_seccomp);
#else
    (void)has_seccomp;
#endif
}

static bool is_refusal(int code)
{
    return code == EPERM || code == EACCES || code == ENOSYS || code == EXDEV;
}

/* Each of the forbidden actions fails in each cage where a layer against it is there; outside most succeed, so that the
 * test can fail. */
static void forbidden_actions_fail(void **state)
{
    unsigned possible = 0, refused = 0, skipped = 0;

    (void)state;
    for (size_t i = 0; i < sandbox_action_count; i++) {
        const struct action *action = &sandbox_actions[i];
        const unsigned stops[ROLES] = {action->front, action->desk, action->courier, 0};
        for (enum role role = FRONT; role < ROLES; role++) {
            fill_place();
            int code = in_cage(role, action->run);
            if (role == FREE) {
                possible += code == 0;
                if (action->plain && code != 0 && code != EPERM) /* EPERM: a container forbids it already */
                    fail_msg("outside of a cage it fails too (%s), so nothing is shown: %s", strerror(code), action->name);
            } else if ((stops[role] & layers[role]) == 0) {
                skipped += stops[role] != 0;
            } else {
                refused++;
                if (!is_refusal(code))
                    fail_msg("%s could %s: %d", role_names[role], action->name, code);
            }
            tidy_up();
        }
    }
    print_message("%zu actions: %u refused in cages, %u without a layer here; %u possible outside\n", sandbox_action_count,
                  refused, skipped, possible);
    assert_true(possible >= 25);
}

static void *think(void *argument)
{
    *(int *)argument = 7;
    return NULL;
}

static bool thread_works(void)
{
    pthread_t thread;
    int thought = 0;

    return pthread_create(&thread, NULL, think, &thought) == 0 && pthread_join(thread, NULL) == 0 && thought == 7;
}

/* Its store: made, written, synced, renamed, removed. */
static bool store_works(const struct place *at)
{
    char path[160], other[160];

    snprintf(path, sizeof path, "%s/part", at->mine);
    snprintf(other, sizeof other, "%s/whole", at->mine);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    return file >= 0 && pwrite(file, "x", 1, 0) == 1 && fsync(file) == 0 && ftruncate(file, 0) == 0 &&
           rename(path, other) == 0 && unlink(other) == 0 && close(file) == 0;
}

static int front_works(const struct place *at)
{
    struct pollfd waits = {.fd = at->listener, .events = POLLIN};
    char byte;

    if (poll(&waits, 1, 2000) != 1)
        return 1;
    int guest = accept4(at->listener, NULL, NULL, SOCK_CLOEXEC);
    bool talks = guest >= 0 && recv(guest, &byte, 1, 0) == 1 && send(guest, "b", 1, MSG_NOSIGNAL) == 1;
    return !talks ? 2 : !store_works(at) ? 3 : !thread_works() ? 4 : 0;
}

static int desk_works(const struct place *at)
{
    int file = open(at->secret, O_RDWR), result = memfd_create("result", MFD_CLOEXEC);

    return file < 0 || result < 0 || write(result, "x", 1) != 1 ? 1 : !store_works(at) ? 2 : !thread_works() ? 3 : 0;
}

static int courier_works(const struct place *at)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)at->port)};
    int made = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (made < 0 || connect(made, (struct sockaddr *)&to, sizeof to) != 0)
        return 1;
    if (send(made, "a", 1, MSG_NOSIGNAL) != 1 || recv(made, &byte, 1, 0) != 1)
        return 2;
    return open("/etc/hosts", O_RDONLY) < 0 ? 3 : !thread_works() ? 4 : 0;
}

/* The work of each can be done inside: a front answers a courier, both in their cages, and keeps its store; a desk reads
 * and writes wherever it is told. */
static void work_goes_on(void **state)
{
    int ended;

    (void)state;
    fill_place();
    pid_t front = fork();
    if (front == 0) {
        enter(FRONT);
        _exit(front_works(&place));
    }
    assert_int_equal(in_cage(COURIER, courier_works), 0);
    assert_int_equal(waitpid(front, &ended, 0), front);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
    assert_int_equal(in_cage(DESK, desk_works), 0);
}

#ifdef __x86_64__
static int call_by_other_number(const struct place *at)
{
    (void)at;
    return syscall(0x40000000 | SYS_getpid) > 0 ? 0 : 1;
}

/* The second set of numbers of x86-64 is no way around the filter: it ends the process. */
static void other_numbers_kill(void **state)
{
    (void)state;
    if ((layers[FRONT] & BY_CALLS) == 0)
        skip();
    for (enum role role = FRONT; role < FREE; role++)
        assert_int_equal(in_cage(role, call_by_other_number), 1000 + SIGSYS);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_used),
        cmocka_unit_test(forbidden_actions_fail),
        cmocka_unit_test(work_goes_on),
#ifdef __x86_64__
        cmocka_unit_test(other_numbers_kill),
#endif
    };
    return cmocka_run_group_tests_name("platform/sandbox", tests, set_up, tear_down);
}
