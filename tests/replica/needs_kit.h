/* Words of the tests about needs: a village in November, steps, and what is shown. */
#ifndef MQ_TESTS_REPLICA_NEEDS_KIT_H
#define MQ_TESTS_REPLICA_NEEDS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/needs.h"
#include "replica/view.h"
#include "tests/replica/village.h"

#define NOVEMBER 1793937600 /* 2026-11-06 00:00 UTC: a Friday */
#define DAY 86400
#define HOUSEHOLD \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"杉坪村\",\"group\":\"三组\",\"head\":\"冉大珍\",\"nickname\":\"冉婆婆\"}"
#define NEED "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"雨天屋里摆三个盆。\",\"category\":\"住房\"}"

static struct mq_error problem; /* of the test that includes this */

/* ---- words of this test ---- */

struct lines {
    char text[64 * 1024];
    size_t size;
};
static struct lines lines;

static inline enum mq_status keep_line(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context;
    (void)error;
    assert_true(lines.size + object.size + 2 < sizeof lines.text);
    memcpy(lines.text + lines.size, object.data, object.size);
    lines.size += object.size;
    lines.text[lines.size++] = '\n';
    lines.text[lines.size] = '\0';
    return MQ_OK;
}

static const struct mq_emitter keeper = {NULL, keep_line};

static inline void nothing_yet(void)
{
    lines.size = 0;
    lines.text[0] = '\0';
    mq_error_clear(&problem);
}

/* `fields`: "unit=镇水利站" and so on, NULL-ended. */
static inline enum mq_status step_by(struct village_member *member, const char *need, const char *step, const char *const *fields)
{
    struct mq_field_value values[16];
    char names[16][32];
    size_t count = 0;
    for (; fields != NULL && fields[count] != NULL; count++) {
        const char *equals = strchr(fields[count], '=');
        snprintf(names[count], sizeof names[count], "%.*s", (int)(equals - fields[count]), fields[count]);
        values[count] = (struct mq_field_value){names[count], equals + 1};
    }
    nothing_yet();
    return mq_needs_step(member->replica, mq_span_text(need), step, values, count, &keeper, &problem);
}

#define STEP(member, need, step, ...) step_by(member, need, step, (const char *const[]){__VA_ARGS__, NULL})

static inline void does(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static inline void refused(enum mq_status status, const char *part)
{
    if (status == MQ_OK)
        print_message("not refused: %s\n", part);
    assert_int_equal(status, MQ_REFUSED);
    if (strstr(problem.text, part) == NULL)
        fail_msg("\"%s\" should say \"%s\"", problem.text, part);
    mq_error_clear(&problem);
}

static inline void says(const char *part)
{
    if (strstr(lines.text, part) == NULL)
        fail_msg("%s\nshould hold %s", lines.text, part);
}

static inline void says_not(const char *part)
{
    if (strstr(lines.text, part) != NULL)
        fail_msg("%s\nshould not hold %s", lines.text, part);
}

static inline void show(struct village_member *member, const char *id)
{
    nothing_yet();
    does(mq_records_show(member->replica, mq_span_text(id), false, &keeper, &problem));
}

static inline void shows(struct village_member *member, const char *id, const char *part)
{
    show(member, id);
    says(part);
}

static inline void today(struct village_member *member)
{
    nothing_yet();
    does(mq_needs_today(member->replica, &keeper, &problem));
}

static inline void desk_today(struct village_member *member, const char *unit)
{
    nothing_yet();
    does(mq_needs_desk_today(member->replica, mq_span_text(unit), &keeper, &problem));
}

static inline void set_days(struct village *village, int days)
{
    mq_fake_set_wall(village->desk.fake, NOVEMBER + (int64_t)days * DAY);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        mq_fake_set_wall(village->devices[i].fake, NOVEMBER + (int64_t)days * DAY);
}

static inline void begin(struct village *village, uint64_t seed)
{
    village_begin(village, seed);
    set_days(village, 0);
    village_add(&village->devices[0], HOUSEHOLD, NULL);
    village_add(&village->devices[0], NEED, NULL);
    village_sync_all(village, 2);
}

#endif
