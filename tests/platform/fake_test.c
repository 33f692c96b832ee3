/* Aim: the pretended machine does what a test tells it, the same for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/fake.h"

/* Equal seeds give equal chance, other seeds other, in any size. */
static void chance_follows_the_seed(void **state)
{
    (void)state;
    uint8_t one[37] = {0}, two[37] = {0}, three[37] = {0};
    struct mq_fake *a = mq_fake_new(0), *b = mq_fake_new(0), *c = mq_fake_new(1);
    for (int round = 0; round < 3; round++) {
        mq_random(mq_fake_platform(a), one, sizeof one);
        mq_random(mq_fake_platform(b), two, sizeof two);
        mq_random(mq_fake_platform(c), three, sizeof three);
        assert_memory_equal(one, two, sizeof one);
        assert_memory_not_equal(one, three, sizeof one);
    }
    uint8_t first[8], second[8];
    mq_random(mq_fake_platform(a), first, sizeof first);
    mq_random(mq_fake_platform(a), second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    mq_fake_free(a);
    mq_fake_free(b);
    mq_fake_free(c);
}

/* Time stands until it is moved; a reboot starts the monotonic clock anew and changes the boot number. */
static void time_is_set_by_hand(void **state)
{
    (void)state;
    struct mq_fake *fake = mq_fake_new(7);
    const struct mq_platform *machine = mq_fake_platform(fake);
    int64_t wall = mq_now(machine), monotonic = machine->monotonic_ms(machine->self);
    assert_true(mq_now(machine) == wall);
    mq_fake_advance(fake, 60);
    assert_true(mq_now(machine) == wall + 60);
    assert_true(machine->monotonic_ms(machine->self) == monotonic + 60000);
    machine->sleep_ms(machine->self, 1500);
    assert_true(mq_now(machine) == wall + 61);
    assert_true(machine->monotonic_ms(machine->self) == monotonic + 61500);
    mq_fake_set_wall(fake, 5);
    assert_true(mq_now(machine) == 5);
    assert_true(machine->monotonic_ms(machine->self) == monotonic + 61500);
    uint32_t boot = machine->boot(machine->self);
    mq_fake_reboot(fake);
    assert_int_not_equal(machine->boot(machine->self), boot);
    assert_true(machine->monotonic_ms(machine->self) < 60000);
    mq_fake_free(fake);
}

/* The file operation that was named fails, once, with the status that was named; moving changes an identity. */
static void files_fail_when_told(void **state)
{
    (void)state;
    char path[] = "/tmp/mq-fake-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    struct mq_error error = {0};
    struct mq_fake *fake = mq_fake_new(7);
    const struct mq_platform *machine = mq_fake_platform(fake);
    mq_fake_fail_file(fake, 2, MQ_NO_SPACE);
    assert_int_equal(machine->write(machine->self, path, mq_span_text("one"), &error), MQ_OK);
    assert_int_equal(machine->append(machine->self, path, mq_span_text("two"), &error), MQ_NO_SPACE);
    mq_error_clear(&error);
    assert_int_equal(machine->append(machine->self, path, mq_span_text("3"), &error), MQ_OK);
    uint8_t memory[16];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    mq_fake_fail_file(fake, 1, MQ_FAULT);
    assert_int_equal(machine->read(machine->self, path, &out, &error), MQ_OK);
    assert_true(mq_span_equal(mq_written(&out), mq_span_text("one3")));
    mq_fake_fail_file(fake, 0, MQ_OK);

    struct mq_file_identity before, same, moved;
    assert_int_equal(machine->identify(machine->self, path, &before, &error), MQ_OK);
    assert_int_equal(machine->identify(machine->self, path, &same, &error), MQ_OK);
    assert_memory_equal(&before, &same, sizeof before);
    mq_fake_move(fake);
    assert_int_equal(machine->identify(machine->self, path, &moved, &error), MQ_OK);
    assert_memory_not_equal(&before, &moved, sizeof before);
    assert_int_equal(machine->remove(machine->self, path, &error), MQ_OK);
    mq_fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chance_follows_the_seed),
        cmocka_unit_test(time_is_set_by_hand),
        cmocka_unit_test(files_fail_when_told),
    };
    return cmocka_run_group_tests_name("platform/fake", tests, NULL, NULL);
}
