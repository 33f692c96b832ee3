/* Aim: who is heard about what, case by case; the same for every order in which a change's two origins come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/compartment.h"

#define CASE_A (MQ_COMPARTMENT_CASE_FIRST + 3)
#define CASE_B (MQ_COMPARTMENT_CASE_FIRST + 4)

static struct mq_said said(uint32_t compartment, bool keyless, uint8_t writer)
{
    struct mq_said said = {.compartment = compartment, .keyless = keyless};
    memset(said.writer, writer, sizeof said.writer);
    return said;
}

static struct mq_belongs about(uint32_t compartment, uint32_t home, uint8_t author)
{
    struct mq_belongs about = {.compartment = compartment, .home = home};
    memset(about.author, author, sizeof about.author);
    return about;
}

/* The whole table of which compartment may speak about which. */
static void compartments_speak(void **state)
{
    static const uint32_t all[] = {MQ_COMPARTMENT_TEAM, MQ_COMPARTMENT_RESTRICTED, MQ_COMPARTMENT_SENSITIVE, 7, CASE_A,
                                   CASE_B};
    static const char *const table[] = {
        /* about: team, restricted, sensitive, 7, case a, case b */
        "+.....", /* from the team */
        ".+..++", /* from the restricted compartment */
        "+.+...", /* from sensitive fields */
        "...+..", /* from 7 */
        ".+..+.", /* from case a */
        ".+...+", /* from case b */
    };
    (void)state;
    for (size_t from = 0; from < 6; from++)
        for (size_t to = 0; to < 6; to++)
            assert_int_equal(mq_compartment_speaks(all[from], all[to]), table[from][to] == '+');
}

/* About a restricted matter of author 5, whose case is A. */
static void only_its_own_circle_counts(void **state)
{
    const struct mq_belongs matter = about(MQ_COMPARTMENT_RESTRICTED, CASE_A, 5);
    const struct {
        struct mq_said said;
        bool counts;
    } rows[] = {
        {said(MQ_COMPARTMENT_TEAM, false, 5), false},      /* its author, in the open */
        {said(MQ_COMPARTMENT_SENSITIVE, false, 5), false},
        {said(MQ_COMPARTMENT_RESTRICTED, true, 5), true},  /* its author, sealed */
        {said(MQ_COMPARTMENT_RESTRICTED, true, 6), false}, /* anybody else, sealed */
        {said(MQ_COMPARTMENT_RESTRICTED, false, 6), true}, /* who holds the key */
        {said(CASE_A, false, 5), true},
        {said(CASE_A, false, 6), true},
        {said(CASE_A, true, 6), false}, /* sealed into the case from outside */
        {said(CASE_A, true, 5), true},
        {said(CASE_B, false, 6), false}, /* another's case */
        {said(CASE_B, true, 5), true},   /* his own word, wherever he sealed it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(mq_said_counts(&rows[i].said, &matter), rows[i].counts);

    const struct mq_belongs answer = about(CASE_A, CASE_A, 9); /* a step that the county, key 9, wrote in the case */
    const struct mq_said inside = said(CASE_A, false, 5), outside = said(CASE_A, true, 5),
                         other = said(CASE_B, false, 5), county = said(MQ_COMPARTMENT_RESTRICTED, false, 9);
    assert_true(mq_said_counts(&inside, &answer));
    assert_false(mq_said_counts(&outside, &answer));
    assert_false(mq_said_counts(&other, &answer));
    assert_true(mq_said_counts(&county, &answer));

    const struct mq_belongs open = about(MQ_COMPARTMENT_TEAM, 0, 5); /* a team's record hears all of the team */
    const struct mq_said team = said(MQ_COMPARTMENT_TEAM, false, 6), sealed = said(MQ_COMPARTMENT_SENSITIVE, true, 6),
                         secret = said(MQ_COMPARTMENT_RESTRICTED, false, 9);
    assert_true(mq_said_counts(&team, &open));
    assert_true(mq_said_counts(&sealed, &open));
    assert_false(mq_said_counts(&secret, &open));
}

/* Whichever origin of a change comes first, it ends in the same compartment, the more protected. */
static void stricter_is_order_free(void **state)
{
    static const uint32_t all[] = {0, 1, 2, 7, CASE_A, CASE_B};
    (void)state;
    for (size_t a = 0; a < 6; a++)
        for (size_t b = 0; b < 6; b++) {
            assert_int_equal(mq_compartment_stricter(all[a], all[b]), mq_compartment_stricter(all[b], all[a]));
            for (size_t c = 0; c < 6; c++)
                assert_int_equal(mq_compartment_stricter(mq_compartment_stricter(all[a], all[b]), all[c]),
                                 mq_compartment_stricter(all[a], mq_compartment_stricter(all[b], all[c])));
        }
    assert_int_equal(mq_compartment_stricter(MQ_COMPARTMENT_SENSITIVE, MQ_COMPARTMENT_RESTRICTED),
                     MQ_COMPARTMENT_RESTRICTED);
    assert_int_equal(mq_compartment_stricter(MQ_COMPARTMENT_TEAM, CASE_A), CASE_A);
}

/* Numbers that a relay keeps; serials that have no case. */
static void numbers(void **state)
{
    (void)state;
    assert_true(mq_compartment_known(0));
    assert_true(mq_compartment_known(MQ_COMPARTMENTS_MAX - 1));
    assert_false(mq_compartment_known(MQ_COMPARTMENTS_MAX));
    assert_false(mq_compartment_known(MQ_COMPARTMENT_CASE_FIRST - 1));
    assert_true(mq_compartment_known(mq_compartment_case(1)));
    assert_int_equal(mq_compartment_case(UINT32_MAX), 0);
    assert_int_equal(mq_compartment_case(UINT32_MAX - MQ_COMPARTMENT_CASE_FIRST), UINT32_MAX);
    assert_true(mq_compartment_restricted(MQ_COMPARTMENT_RESTRICTED));
    assert_true(mq_compartment_restricted(CASE_B));
    assert_false(mq_compartment_restricted(MQ_COMPARTMENT_SENSITIVE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compartments_speak),
        cmocka_unit_test(only_its_own_circle_counts),
        cmocka_unit_test(stricter_is_order_free),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
