/* What the steps have in common. */
#include "tests/power/points_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct mq_error point_problem;

void point_must(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", point_problem.text);
    assert_int_equal(status, MQ_OK);
}

bool point_shows(struct village_member *member, const char *line)
{
    char *text = village_export(member);
    bool there = strstr(text, line) != NULL;
    free(text);
    return there;
}

void point_assert_shows(struct village_member *member, const char *line)
{
    if (!point_shows(member, line))
        print_message("missing: %s\n", line);
    assert_true(point_shows(member, line));
}

void point_prepare_three(struct stage *stage)
{
    mq_error_clear(&point_problem);
    stage_settle(stage);
    point_must(stage_add(stage_device(stage), FIRST, &point_problem));
    point_must(stage_add(stage_device(stage), SECOND, &point_problem));
    stage_settle(stage);
    point_must(stage_add(stage_device(stage), THIRD, &point_problem));
}

void point_prepare_sent(struct stage *stage)
{
    point_prepare_three(stage);
    point_must(stage_sync(stage, STAGE_DEVICE, &point_problem));
}

void point_begin_device(struct stage *stage)
{
    stage_must_open(stage, STAGE_DEVICE);
}

void point_begin_desk(struct stage *stage)
{
    stage_must_open(stage, STAGE_DESK);
}

void point_begin_server(struct stage *stage)
{
    stage_must_open(stage, STAGE_SERVER);
}

void point_begin_all(struct stage *stage)
{
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        stage_must_open(stage, i);
}

void point_judge_three(struct stage *stage)
{
    mq_error_clear(&point_problem);
    stage_must_open(stage, STAGE_DEVICE);
    stage_assert_sound(stage, STAGE_DEVICE);
    point_assert_shows(stage_device(stage), SECOND);
    point_assert_shows(stage_device(stage), THIRD);
    assert_true(point_shows(stage_device(stage), FIRST) || point_shows(stage_device(stage), FIRST_CHANGED));
    point_must(stage_add(stage_device(stage), HOUSEHOLD("H-8", "布买日穆", "1"), &point_problem));
    stage_settle(stage);
    point_assert_shows(stage_desk(stage), SECOND);
    point_assert_shows(stage_desk(stage), THIRD);
    point_assert_shows(stage_desk(stage), HOUSEHOLD("H-8", "布买日穆", "1"));
}

void point_judge_plain(struct stage *stage, bool acknowledged)
{
    (void)acknowledged;
    point_judge_three(stage);
    point_assert_shows(stage_desk(stage), FIRST);
}
