/* Aim: a local command reaches the running program of the same user and gets its answer; a file left by a killed
 * program is no obstacle, a living one is; nobody waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/local.h"
#include "platform/stream.h"

static char directory[64], path[128];
static struct mq_local *local;
static struct mq_error error;
static uint8_t memory[MQ_LOCAL_REQUEST_MAX];
static struct mq_buffer buffer;

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/mq-local-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/control", directory);
    mq_error_clear(&error);
    buffer = mq_buffer(memory, sizeof memory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];

    mq_local_close(local);
    local = NULL;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static void open_local(void)
{
    if (mq_local_open(&local, path, &error) != MQ_OK)
        fail_msg("%s", error.text);
}

static int raw_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

/* Serves `count` calls in a child of its own: says back what it heard, twice. */
static pid_t serve(int count)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    alarm(20);
    for (int served = 0; served < count;) {
        struct pollfd one = {.fd = mq_local_descriptor(local), .events = POLLIN};
        int call = -1;
        buffer = mq_buffer(memory, sizeof memory);
        if (poll(&one, 1, 10000) != 1)
            _exit(1);
        if (mq_local_accept(local, &call, &buffer, &error) != MQ_OK)
            continue; /* somebody only looked whether we live */
        static uint8_t twice[2 * MQ_LOCAL_REQUEST_MAX];
        memcpy(twice, memory, buffer.size);
        memcpy(twice + buffer.size, memory, buffer.size);
        mq_local_answer(call, mq_span(twice, 2 * buffer.size), &error);
        served++;
    }
    _exit(0);
}

static void assert_ends_well(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Requests and replies of any size up to the limit arrive whole. */
static void exchanges(void **state)
{
    (void)state;
    static uint8_t request[MQ_LOCAL_REQUEST_MAX], reply_memory[2 * MQ_LOCAL_REQUEST_MAX];
    static const size_t sizes[] = {0, 1, 70000, sizeof request};

    for (size_t i = 0; i < sizeof request; i++)
        request[i] = (uint8_t)(i * 31 + i / 253);
    open_local();
    pid_t child = serve(4);
    for (size_t i = 0; i < 4; i++) {
        struct mq_buffer reply = mq_buffer(reply_memory, sizeof reply_memory);
        assert_int_equal(mq_local_call(path, mq_span(request, sizes[i]), &reply, 10000, &error), MQ_OK);
        assert_int_equal(reply.size, 2 * sizes[i]);
        assert_memory_equal(reply_memory, request, sizes[i]);
        assert_memory_equal(reply_memory + sizes[i], request, sizes[i]);
    }
    assert_ends_well(child);
}

/* Only the owner may open the file, whatever the umask; it is gone after the end. */
static void is_private(void **state)
{
    (void)state;
    struct stat found;
    mode_t before = umask(0);

    open_local();
    umask(before);
    assert_int_equal(lstat(path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0600);
    mq_local_close(local);
    local = NULL;
    assert_int_equal(lstat(path, &found), -1);
}

/* Another user's process is sent away unheard. Needs root to become somebody else. */
static void knows_its_user(void **state)
{
    (void)state;
    int call = -1, status = -1;

    if (geteuid() != 0)
        skip();
    open_local();
    assert_int_equal(chmod(directory, 0755) | chmod(path, 0666), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        if (setresuid(65534, 65534, 65534) != 0)
            _exit(1);
        _exit(mq_local_call(path, mq_span_text("hello"), &buffer, 5000, &error) == MQ_UNREACHABLE ? 0 : 2);
    }
    struct pollfd one = {.fd = mq_local_descriptor(local), .events = POLLIN};
    assert_int_equal(poll(&one, 1, 5000), 1);
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_REFUSED);
    assert_int_equal(call, -1);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A file left by a killed program is replaced; one on which somebody listens is not, nor anything that is no socket. */
static void replaces_only_what_is_dead(void **state)
{
    (void)state;
    struct mq_local *second = NULL;

    pid_t child = fork();
    if (child == 0) {
        if (mq_local_open(&local, path, &error) != MQ_OK)
            _exit(1);
        _exit(0); /* without mq_local_close: as if killed */
    }
    assert_ends_well(child);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(mq_local_call(path, mq_span_text("x"), &buffer, 1000, &error), MQ_NOT_FOUND);
    mq_error_clear(&error);
    open_local();
    assert_int_equal(mq_local_open(&second, path, &error), MQ_BUSY);
    assert_null(second);
    child = serve(1);
    mq_error_clear(&error);
    assert_int_equal(mq_local_call(path, mq_span_text("alive"), &buffer, 5000, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&buffer), mq_span_text("alivealive")));
    assert_ends_well(child);
    mq_local_close(local);
    local = NULL;

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(mq_local_open(&second, path, &error), MQ_REFUSED);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/nowhere", path), 0);
    mq_error_clear(&error);
    assert_int_equal(mq_local_open(&second, path, &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(mq_local_open(&second, "/nowhere/at/all/control", &error), MQ_REFUSED);
}

/* Nobody there is told apart from somebody who does not answer. */
static void says_who_is_there(void **state)
{
    (void)state;
    assert_int_equal(mq_local_call(path, mq_span_text("x"), &buffer, 1000, &error), MQ_NOT_FOUND);
    mq_error_clear(&error);
    open_local();
    int64_t begin = mq_clock_ms();
    assert_int_equal(mq_local_call(path, mq_span_text("x"), &buffer, 200, &error), MQ_UNREACHABLE);
    assert_in_range(mq_clock_ms() - begin, 200, 1000);
}

/* A caller that says too much, too little or nothing does not hold the program up, and the next one is served. */
static void bears_bad_callers(void **state)
{
    (void)state;
    int call = -1;
    uint8_t small_memory[16];
    struct mq_buffer small = mq_buffer(small_memory, sizeof small_memory);

    open_local();
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_NOT_FOUND);
    int client = raw_connect();
    assert_int_equal(write(client, "\x7f\xff\xff\xff", 4), 4);
    mq_error_clear(&error);
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_UNREACHABLE);
    close(client);

    client = raw_connect();
    assert_int_equal(write(client, "\0\0\0\x11seventeen bytes!!", 21), 21);
    mq_error_clear(&error);
    assert_int_equal(mq_local_accept(local, &call, &small, &error), MQ_UNREACHABLE);
    close(client);

    client = raw_connect();
    assert_int_equal(write(client, "\0\0\0\5cut", 7), 7);
    close(client);
    mq_error_clear(&error);
    buffer = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_UNREACHABLE);
    assert_int_equal(buffer.size, 0);

    client = raw_connect();
    int64_t begin = mq_clock_ms();
    mq_error_clear(&error);
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_UNREACHABLE);
    assert_in_range(mq_clock_ms() - begin, MQ_LOCAL_READ_MS, MQ_LOCAL_READ_MS + 1000);
    assert_int_equal(call, -1);
    close(client);

    client = raw_connect();
    assert_int_equal(write(client, "\0\0\0\1x", 5), 5);
    mq_error_clear(&error);
    assert_int_equal(mq_local_accept(local, &call, &buffer, &error), MQ_OK);
    close(client); /* before the answer: no signal ends the program */
    mq_local_answer(call, MQ_SPAN(memory), &error);

    pid_t child = serve(1);
    mq_error_clear(&error);
    buffer = mq_buffer(memory, sizeof memory);
    assert_int_equal(mq_local_call(path, mq_span_text("ok"), &buffer, 5000, &error), MQ_OK);
    assert_ends_well(child);
}

/* An answer that has no room is refused, not cut. */
static void refuses_answers_without_room(void **state)
{
    (void)state;
    uint8_t small_memory[9];
    struct mq_buffer small = mq_buffer(small_memory, sizeof small_memory);

    open_local();
    pid_t child = serve(1);
    assert_int_equal(mq_local_call(path, mq_span_text("five!"), &small, 5000, &error), MQ_NO_SPACE);
    assert_int_equal(small.size, 0);
    assert_ends_well(child);
}

/* A home may be deeper than a socket's address is long. */
static void works_in_deep_directories(void **state)
{
    (void)state;
    char deep[512];
    int size = snprintf(deep, sizeof deep, "%s", directory);

    for (int i = 0; i < 8; i++) {
        size += snprintf(deep + size, sizeof deep - (size_t)size, "/0123456789012345678901234567890");
        assert_int_equal(mkdir(deep, 0700), 0);
    }
    snprintf(deep + size, sizeof deep - (size_t)size, "/control");
    assert_int_equal(mq_local_open(&local, deep, &error), MQ_OK);
    pid_t child = serve(1);
    assert_int_equal(mq_local_call(deep, mq_span_text("ab"), &buffer, 5000, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&buffer), mq_span_text("abab")));
    assert_ends_well(child);
    struct mq_local *second = NULL;
    assert_int_equal(mq_local_open(&second, deep, &error), MQ_BUSY);
    mq_local_close(local);
    local = NULL;
    assert_int_equal(access(deep, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exchanges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_its_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaces_only_what_is_dead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_who_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bears_bad_callers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_answers_without_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(works_in_deep_directories, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
