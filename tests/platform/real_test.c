/* Aim: the real machine's files are whole or not there, its lock holds between processes and names the holder, its
 * chance is not constant. Works in a directory of its own under TMPDIR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/platform.h"

#define PATH_SIZE 256

static char directory[PATH_SIZE / 2];
static const struct mq_platform *machine;

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    machine = mq_platform_real();
    snprintf(directory, sizeof directory, "%s/mq-real-XXXXXX", base == NULL ? "/tmp" : base);
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static const char *in_directory(const char *name)
{
    static char path[4][PATH_SIZE];
    static unsigned turn;
    char *out = path[turn++ % 4];
    snprintf(out, PATH_SIZE, "%s/%s", directory, name);
    return out;
}

static void expect_content(const char *path, const char *text)
{
    struct mq_error error = {0};
    uint8_t memory[100];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    if (machine->read(machine->self, path, &out, &error) != MQ_OK)
        fail_msg("%s", error.text);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text(text)));
}

static int entries(void)
{
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", directory);
    FILE *list = popen(command, "r");
    int number = -1;
    assert_int_equal(fscanf(list, "%d", &number), 1);
    pclose(list);
    return number;
}

/* Write replaces, append adds, both for us alone; remove and rename do what they say; no temporary file stays. */
static void files(void **state)
{
    (void)state;
    struct mq_error error = {0};
    const char *one = in_directory("one"), *two = in_directory("two");
    assert_int_equal(machine->write(NULL, one, mq_span_text("first"), &error), MQ_OK);
    assert_int_equal(machine->write(NULL, one, mq_span_text("x"), &error), MQ_OK);
    expect_content(one, "x");
    assert_int_equal(machine->append(NULL, one, mq_span_text("y"), &error), MQ_OK);
    assert_int_equal(machine->append(NULL, two, mq_span_text("z"), &error), MQ_OK);
    expect_content(one, "xy");
    struct stat about;
    assert_int_equal(stat(one, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(stat(two, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(machine->rename(NULL, one, two, &error), MQ_OK);
    expect_content(two, "xy");
    assert_int_equal(entries(), 1);
    assert_int_equal(machine->remove(NULL, two, &error), MQ_OK);
    assert_int_equal(machine->remove(NULL, two, &error), MQ_OK);
    assert_int_equal(entries(), 0);
    assert_int_equal(machine->rename(NULL, one, two, &error), MQ_NOT_FOUND);
}

/* Read appends to what is there; exactly full fits, one byte more does not and leaves the buffer as it was. */
static void reading(void **state)
{
    (void)state;
    struct mq_error error = {0};
    const char *path = in_directory("file");
    uint8_t memory[8] = "ab";
    struct mq_buffer out = {.data = memory, .size = 2, .capacity = 8};
    assert_int_equal(machine->read(NULL, path, &out, &error), MQ_NOT_FOUND);
    mq_error_clear(&error);
    assert_int_equal(machine->write(NULL, path, mq_span_text("1234567"), &error), MQ_OK);
    assert_int_equal(machine->read(NULL, path, &out, &error), MQ_NO_SPACE);
    assert_int_equal(out.size, 2);
    mq_error_clear(&error);
    assert_int_equal(machine->write(NULL, path, mq_span_text("123456"), &error), MQ_OK);
    assert_int_equal(machine->read(NULL, path, &out, &error), MQ_OK);
    assert_int_equal(out.size, 8);
    assert_memory_equal(memory, "ab123456", 8);
}

/* Symbolic links, directories and pipes are not read, and a link is not written through. */
static void odd_files(void **state)
{
    (void)state;
    struct mq_error error = {0};
    uint8_t memory[8];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    const char *target = in_directory("target"), *link = in_directory("link"), *pipe = in_directory("pipe");
    assert_int_equal(machine->write(NULL, target, mq_span_text("1"), &error), MQ_OK);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(machine->read(NULL, link, &out, &error), MQ_REFUSED);
    assert_int_equal(machine->read(NULL, pipe, &out, &error), MQ_REFUSED);
    assert_int_equal(machine->read(NULL, directory, &out, &error), MQ_REFUSED);
    assert_int_equal(machine->append(NULL, link, mq_span_text("2"), &error), MQ_REFUSED);
    expect_content(target, "1");
}

static void write_too_much(void)
{
    static uint8_t much[100000];
    struct mq_error error = {0};
    const char *path = in_directory("kept");
    int right = machine->write(NULL, path, mq_span_text("old"), &error) == MQ_OK;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){50000, RLIM_INFINITY});
    right = right && machine->write(NULL, path, MQ_SPAN(much), &error) == MQ_NO_SPACE;
    right = right && machine->append(NULL, path, MQ_SPAN(much), &error) == MQ_NO_SPACE;
    _exit(right ? 0 : 1);
}

/* No room: told as such, the old content stands, for append too, and no temporary file is left. */
static void no_room(void **state)
{
    (void)state;
    int ended;
    pid_t child = fork();
    if (child == 0)
        write_too_much();
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    expect_content(in_directory("kept"), "old");
    assert_int_equal(entries(), 1);
}

/* Parents are made too, for us alone; again is fine; a file in the way is told. */
static void directories(void **state)
{
    (void)state;
    struct mq_error error = {0};
    const char *deep = in_directory("a/b//c/");
    assert_int_equal(machine->make_directory(NULL, deep, &error), MQ_OK);
    assert_int_equal(machine->make_directory(NULL, deep, &error), MQ_OK);
    struct stat about;
    assert_int_equal(stat(in_directory("a/b"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    assert_int_equal(machine->write(NULL, in_directory("a/file"), mq_span_text(""), &error), MQ_OK);
    assert_int_equal(machine->make_directory(NULL, in_directory("a/file/below"), &error), MQ_REFUSED);
    assert_int_equal(machine->make_directory(NULL, "", &error), MQ_REFUSED);
    assert_int_equal(machine->write(NULL, in_directory("none/file"), mq_span_text(""), &error), MQ_NOT_FOUND);
}

/* A file keeps its identity when it is written to or renamed, a copy has another. */
static void identity(void **state)
{
    (void)state;
    struct mq_error error = {0};
    struct mq_file_identity one, again, copy;
    const char *path = in_directory("one"), *moved = in_directory("moved"), *other = in_directory("other");
    assert_int_equal(machine->append(NULL, path, mq_span_text("1"), &error), MQ_OK);
    assert_int_equal(machine->identify(NULL, path, &one, &error), MQ_OK);
    assert_int_equal(machine->append(NULL, path, mq_span_text("2"), &error), MQ_OK);
    assert_int_equal(machine->rename(NULL, path, moved, &error), MQ_OK);
    assert_int_equal(machine->identify(NULL, moved, &again, &error), MQ_OK);
    assert_memory_equal(&one, &again, sizeof one);
    assert_int_equal(machine->write(NULL, other, mq_span_text("12"), &error), MQ_OK);
    assert_int_equal(machine->identify(NULL, other, &copy, &error), MQ_OK);
    assert_memory_not_equal(&one, &copy, sizeof one);
    assert_int_equal(machine->identify(NULL, path, &one, &error), MQ_NOT_FOUND);
}

static void hold_lock(const char *path, int ready)
{
    struct mq_error error = {0};
    int lock;
    char byte = machine->lock_take(NULL, path, 0, &lock, &error) == MQ_OK ? 'o' : 'x';
    (void)!write(ready, &byte, 1);
    pause();
    _exit(0);
}

/* A held lock answers busy with the holder's pid, after the time asked for; it ends with its holder's death. */
static void lock_between_processes(void **state)
{
    (void)state;
    const char *path = in_directory("lock");
    int ready[2], lock, ended;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0)
        hold_lock(path, ready[1]);
    char byte = 0, pid[32];
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'o');

    struct mq_error error = {0};
    int64_t from = machine->monotonic_ms(NULL);
    assert_int_equal(machine->lock_take(NULL, path, 100, &lock, &error), MQ_BUSY);
    int64_t waited = machine->monotonic_ms(NULL) - from;
    assert_true(waited >= 100 && waited < 5000);
    snprintf(pid, sizeof pid, "(pid %ld)", (long)child);
    assert_non_null(strstr(error.text, pid));

    kill(child, SIGKILL);
    waitpid(child, &ended, 0);
    assert_int_equal(machine->lock_take(NULL, path, 0, &lock, &error), MQ_OK);
    int second;
    assert_int_equal(machine->lock_take(NULL, path, 0, &second, &error), MQ_BUSY);
    machine->lock_release(NULL, lock);
    assert_int_equal(machine->lock_take(NULL, path, 0, &second, &error), MQ_OK);
    machine->lock_release(NULL, second);
    close(ready[0]);
    close(ready[1]);
}

/* Clocks run forward, one start of the machine has one number, chance differs from call to call. */
static void clock_and_chance(void **state)
{
    (void)state;
    uint8_t one[600] = {0}, two[600] = {0};
    mq_random(machine, one, sizeof one);
    mq_random(machine, two, sizeof two);
    assert_memory_not_equal(one, two, sizeof one);
    assert_memory_not_equal(one + 560, two + 560, 40);
    assert_true(mq_now(machine) > 1700000000);
    int64_t before = machine->monotonic_ms(NULL);
    machine->sleep_ms(NULL, 2);
    assert_true(machine->monotonic_ms(NULL) > before);
    assert_int_equal(machine->boot(NULL), machine->boot(NULL));
    int32_t offset = machine->utc_offset(NULL);
    assert_true(offset >= -14 * 3600 && offset <= 14 * 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lock_between_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clock_and_chance, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("platform/real", tests, NULL, NULL);
}
