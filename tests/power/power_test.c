/* Aim: no power cut at any moment of writing, sealing, importing and syncing, and none while recovering, loses a saving
 * that was acknowledged, leaves one by half, or makes a store unopenable. A few hundred here, under the sanitizers;
 * build/tests/power/power makes the thousands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/power/power.h"

#define CUTS 250

static void nothing_is_lost(void **state)
{
    struct stage stage;
    struct stage_image image = {{NULL}};
    struct power_tally tally = {0};
    const char *asked = getenv("MQ_SEED");
    uint64_t seed = asked == NULL ? 4711 : strtoull(asked, NULL, 10);
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    stage_begin(&stage);
    stage_keep(&stage, &image);
    power_run(&stage, &image, seed, CUTS, &tally);
    print_message("power-cuts=%lld nested=%lld acknowledged=%lld\n", (long long)tally.cuts, (long long)tally.nested,
                  (long long)tally.acknowledged);
    assert_int_equal(tally.lost + tally.torn + tally.unopenable, 0);
    assert_true(tally.acknowledged > tally.cuts && tally.nested > 10);
    stage_image_free(&image);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
