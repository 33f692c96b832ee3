/* Aim: a draw is fair and can be repeated: the same seed gives the same households on every replica, whoever was heard
 * lately is left out, and those who were never heard come up more often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "replica/draw.h"
#include "tests/replica/village.h"

#define HOUSEHOLDS 24
#define TODAY 20767 /* 2026-11-10 */

static struct mq_error problem;
static struct village village;

struct drawn {
    char text[HOUSEHOLDS * 200];
    size_t count;
};

static enum mq_status take(void *context, struct mq_span object, struct mq_error *error)
{
    struct drawn *drawn = context;
    (void)error;
    size_t used = strlen(drawn->text);
    snprintf(drawn->text + used, sizeof drawn->text - used, "%.*s\n", (int)object.size, (const char *)object.data);
    drawn->count++;
    return MQ_OK;
}

static enum mq_status draw(struct village_member *member, const struct mq_draw *wanted, struct drawn *out)
{
    const struct mq_emitter emitter = {out, take};
    *out = (struct drawn){.count = 0};
    mq_error_clear(&problem);
    return mq_draw_households(member->replica, wanted, &emitter, &problem);
}

static bool has(const struct drawn *drawn, int household)
{
    char id[32];
    snprintf(id, sizeof id, "\"H-%d\"", household);
    return strstr(drawn->text, id) != NULL;
}

/* Households 0 to 23 of two villages; every third was visited last month, every third two years ago, the rest never.
 * 23 is empty, and the visit to 21 met nobody. */
static int begin(void **state)
{
    char text[300];
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 7);
    for (int i = 0; i < HOUSEHOLDS; i++) {
        snprintf(text, sizeof text,
                 "{\"kind\":\"household\",\"id\":\"H-%d\",\"place\":\"99052710320%d\",\"head\":\"杨%d\",\"group\":\"三组\","
                 "\"state\":\"%s\"}", i, 4 + i % 2, i, i == 23 ? "空户" : "在住");
        village_add(&village.devices[0], text, &saved);
    }
    for (int i = 0; i < HOUSEHOLDS; i++) {
        if (i % 3 == 2)
            continue;
        snprintf(text, sizeof text, "{\"kind\":\"visit\",\"id\":\"V-%d\",\"households\":[\"H-%d\"],\"date\":\"%s\",\"result\":\"%s\"}",
                 i, i, i % 3 == 0 ? "2026-10-12" : "2024-10-12", i == 21 ? "无人" : "见到家人");
        village_add(&village.devices[0], text, &saved);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    village_end(&village);
    return 0;
}

/* The same seed draws the same households, on the device and, once they came there, at the desk; another one others. */
static void same_seed_same_households(void **state)
{
    struct mq_draw wanted = {.today = TODAY, .seed = 20261110, .count = 8};
    struct drawn one, two;
    (void)state;
    assert_int_equal(draw(&village.devices[0], &wanted, &one), MQ_OK);
    assert_int_equal(one.count, 8);
    assert_int_equal(draw(&village.devices[0], &wanted, &two), MQ_OK);
    assert_string_equal(one.text, two.text);
    village_sync_all(&village, 1);
    assert_int_equal(draw(&village.desk, &wanted, &two), MQ_OK);
    assert_string_equal(one.text, two.text);
    wanted.seed++;
    assert_int_equal(draw(&village.devices[0], &wanted, &two), MQ_OK);
    assert_string_not_equal(one.text, two.text);
}

/* Who was heard within the months is not drawn, an empty household never, and a visit that met nobody does not count. */
static void the_lately_heard_are_left_out(void **state)
{
    struct mq_draw wanted = {.today = TODAY, .unheard_days = 180, .seed = 1, .count = HOUSEHOLDS};
    struct drawn drawn;
    (void)state;
    assert_int_equal(draw(&village.devices[0], &wanted, &drawn), MQ_REFUSED); /* there are not so many */
    for (int i = 0; i < HOUSEHOLDS; i++)
        assert_int_equal(has(&drawn, i), i != 23 && (i % 3 != 0 || i == 21));
    wanted.place = mq_span_text("990527103204");
    assert_int_equal(draw(&village.devices[0], &wanted, &drawn), MQ_REFUSED);
    for (int i = 1; i < HOUSEHOLDS; i += 2)
        assert_false(has(&drawn, i));
    wanted.count = 0;
    assert_int_equal(draw(&village.devices[0], &wanted, &drawn), MQ_OK);
    assert_true(strstr(drawn.text, "null") < strstr(drawn.text, "2024-10-12"));
}

/* Over many seeds a household that was never heard comes up well over twice as often as one heard last month. */
static void the_unheard_come_up_more_often(void **state)
{
    struct drawn drawn;
    size_t lately = 0, never = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct mq_draw wanted = {.today = TODAY, .seed = seed, .count = 4};
        assert_int_equal(draw(&village.devices[0], &wanted, &drawn), MQ_OK);
        for (int i = 0; i < 21; i++) {
            lately += i % 3 == 0 && has(&drawn, i);
            never += i % 3 == 2 && has(&drawn, i);
        }
    }
    print_message("heard last month %zu times, never heard %zu times\n", lately, never);
    assert_true(lately > 0 && never > 2 * lately);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_seed_same_households, begin, end),
        cmocka_unit_test_setup_teardown(the_lately_heard_are_left_out, begin, end),
        cmocka_unit_test_setup_teardown(the_unheard_come_up_more_often, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
