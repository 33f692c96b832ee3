/* Aim: a need lives on devices and at the desk as its table says, in whatever order its steps come, and everybody sees
 * whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "protocol/change.h"
#include "replica/erase.h"
#include "replica/journal.h"
#include "replica/needs.h"
#include "replica/view.h"
#include "tests/replica/village.h"

#define NOVEMBER 1793937600 /* 2026-11-06 00:00 UTC: a Friday */
#define DAY 86400
#define HOUSEHOLD \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"杉坪村\",\"group\":\"三组\",\"head\":\"冉大珍\",\"nickname\":\"冉婆婆\"}"
#define NEED "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"雨天屋里摆三个盆。\",\"category\":\"住房\"}"

static struct mq_error problem;

/* ---- words of this test ---- */

struct lines {
    char text[64 * 1024];
    size_t size;
};
static struct lines lines;

static enum mq_status keep_line(void *context, struct mq_span object, struct mq_error *error)
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

static void nothing_yet(void)
{
    lines.size = 0;
    lines.text[0] = '\0';
    mq_error_clear(&problem);
}

/* `fields`: "unit=镇水利站" and so on, NULL-ended. */
static enum mq_status step_by(struct village_member *member, const char *need, const char *step, const char *const *fields)
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

static void does(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static void refused(enum mq_status status, const char *part)
{
    if (status == MQ_OK)
        print_message("not refused: %s\n", part);
    assert_int_equal(status, MQ_REFUSED);
    if (strstr(problem.text, part) == NULL)
        fail_msg("\"%s\" should say \"%s\"", problem.text, part);
    mq_error_clear(&problem);
}

static void says(const char *part)
{
    if (strstr(lines.text, part) == NULL)
        fail_msg("%s\nshould hold %s", lines.text, part);
}

static void says_not(const char *part)
{
    if (strstr(lines.text, part) != NULL)
        fail_msg("%s\nshould not hold %s", lines.text, part);
}

static void show(struct village_member *member, const char *id)
{
    nothing_yet();
    does(mq_records_show(member->replica, mq_span_text(id), false, &keeper, &problem));
}

static void shows(struct village_member *member, const char *id, const char *part)
{
    show(member, id);
    says(part);
}

static void today(struct village_member *member)
{
    nothing_yet();
    does(mq_needs_today(member->replica, &keeper, &problem));
}

static void desk_today(struct village_member *member, const char *unit)
{
    nothing_yet();
    does(mq_needs_desk_today(member->replica, mq_span_text(unit), &keeper, &problem));
}

static void set_days(struct village *village, int days)
{
    mq_fake_set_wall(village->desk.fake, NOVEMBER + (int64_t)days * DAY);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        mq_fake_set_wall(village->devices[i].fake, NOVEMBER + (int64_t)days * DAY);
}

static void begin(struct village *village, uint64_t seed)
{
    village_begin(village, seed);
    set_days(village, 0);
    village_add(&village->devices[0], HOUSEHOLD, NULL);
    village_add(&village->devices[0], NEED, NULL);
    village_sync_all(village, 2);
}

/* ---- the life of a need ---- */

/* From the house to the unit and back: each sees whose turn it is, until when, and what to say. */
static void goes_the_whole_way(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 900);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    shows(desk, "N-1", "\"state\":\"registered\",\"holder\":\"desk\"");
    says("\"due\":\"2026-11-11\",\"rule\":\"accept\""); /* three working days after a Friday */
    does(step_by(desk, "N-1", "accept", NULL));
    says("\"state\":\"accepted\",\"holder\":\"desk\"");
    says("\"due\":\"2026-11-21\",\"rule\":\"answer\"");
    does(STEP(desk, "N-1", "assign", "unit=镇村建办", "helpers=[\"县住建局\"]"));
    says("\"holder\":\"镇村建办\"");
    says("\"due\":\"2026-11-21\""); /* the clock began when it was accepted */
    does(step_by(desk, "N-1", "start", NULL));
    does(STEP(desk, "N-1", "answer", "result=已解决", "text=瓦已经换好了，下雨再看看。"));
    says("\"state\":\"answered\",\"holder\":\"cadre\"");
    says("\"due\":\"2026-11-13\",\"rule\":\"tell\"");
    village_sync_all(&village, 2);
    today(cadre);
    says("\"what\":\"tell\"");
    says("\"household\":\"三组 冉大珍（冉婆婆）\"");
    says("\"text\":\"瓦已经换好了，下雨再看看。\"");
    desk_today(desk, "");
    says("\"what\":\"tell\"");
    does(STEP(cadre, "N-1", NULL, "reaction=满意"));
    says("\"state\":\"told\",\"holder\":\"desk\"");
    today(cadre);
    assert_int_equal(lines.size, 0);
    village_sync_all(&village, 2);
    desk_today(desk, "");
    says("\"what\":\"close\"");
    does(step_by(desk, "N-1", "close", NULL));
    says("\"state\":\"closed\",\"holder\":\"nobody\"");
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        shows(&village.devices[i], "N-1", "\"state\":\"closed\"");
    village_end(&village);
}

/* Who is not satisfied is heard again; nobody closes that by the way. */
static void dissatisfaction_is_heard(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 901);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "assign", "unit=县住建局"));
    does(STEP(desk, "N-1", "park", "reason=今年指标已满", "text=明年三月头一批给您家复核。", "due=2027-03-10"));
    says("\"state\":\"parked\",\"holder\":\"县住建局\"");
    village_sync_all(&village, 2);
    today(cadre);
    says("明年三月头一批给您家复核。");
    does(STEP(cadre, "N-1", NULL, "reaction=不满意", "text=雨天屋里摆三个盆。"));
    says("\"state\":\"unsatisfied\"");
    village_sync_all(&village, 2);
    desk_today(desk, "");
    says("\"what\":\"reopen\"");
    refused(step_by(desk, "N-1", "close", NULL), "解释后办结");
    refused(STEP(desk, "N-1", "close", "cause=解释后办结"), "--reason");
    does(STEP(desk, "N-1", "reopen", "reason=先铺防水布"));
    does(STEP(desk, "N-1", "assign", "unit=镇应急办"));
    does(STEP(desk, "N-1", "answer", "result=部分解决", "text=防水布铺好了。"));
    refused(step_by(desk, "N-1", "close", NULL), "匿名");
    village_sync_all(&village, 2);
    does(STEP(cadre, "N-1", NULL, "reaction=基本满意"));
    village_sync_all(&village, 2);
    does(STEP(desk, "N-1", "park", "reason=等明年指标", "text=三月再来复核。", "due=2027-03-10", "unit=县住建局"));
    village_sync_all(&village, 2);
    does(STEP(cadre, "N-1", NULL, "reaction=满意"));
    says("\"state\":\"parked\"");
    village_sync_all(&village, 2);
    desk_today(desk, "");
    assert_int_equal(lines.size, 0);
    set_days(&village, 124); /* 2027-03-10 */
    desk_today(desk, "");
    says("\"what\":\"recheck\"");
    today(cadre);
    says("\"what\":\"recheck\"");
    village_end(&village);
}

/* A question comes back to the device; the supplement goes up again. */
static void returned_needs_wait_for_the_cadre(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 902);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    does(STEP(desk, "N-1", "return", "cause=缺地点", "text=是哪一间屋？"));
    says_not("\"due\"");
    village_sync_all(&village, 2);
    today(cadre);
    says("\"what\":\"supplement\"");
    says("\"text\":\"是哪一间屋？\"");
    does(STEP(cadre, "N-1", "supplement", "text=西边那间"));
    says("\"state\":\"registered\"");
    village_sync_all(&village, 2);
    shows(desk, "N-1", "\"state\":\"registered\"");
    village_end(&village);
}

/* What the table does not allow is refused with what would be right; nothing of it is kept. */
static void refusals_say_what_is_possible(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 903);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    refused(step_by(cadre, "N-1", "accept", NULL), "accept 受理");
    refused(step_by(desk, "N-1", "start", NULL), "已登记");
    refused(step_by(desk, "N-1", "answer", NULL), "accept 受理");
    refused(STEP(cadre, "N-1", "withdraw", "text=算了"), "--reason");
    refused(STEP(desk, "N-1", "step", "text=x"), "step");
    does(step_by(desk, "N-1", "accept", NULL));
    refused(step_by(desk, "N-1", "assign", NULL), "--unit");
    refused(STEP(desk, "N-1", "assign", "unit=镇水利站", "rule=nothing"), "nothing");
    refused(STEP(desk, "N-1", "assign", "unit=镇水利站", "after=x"), "after");
    char sentence[sizeof "text=" + 3 * 121] = "text=";
    for (size_t i = 0; i < 121; i++)
        memcpy(sentence + strlen("text=") + 3 * i, "好", 4);
    refused(STEP(desk, "N-1", "answer", "result=已解决", sentence), "121");
    does(STEP(desk, "N-1", "answer", "result=已解决", "text=好"));
    show(desk, "N-1");
    says_not("out_of_turn");
    village_end(&village);
}

/* A chain from a device that was away moves nothing that the desk did since; it is shown, and the desk takes it up. */
static void late_chains_wait_for_the_desk(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 904);
    struct village_member *away = &village.devices[1], *cadre = &village.devices[0], *desk = &village.desk;
    does(STEP(desk, "N-1", "return", "text=是哪一间屋？"));
    village_sync_all(&village, 2);
    does(STEP(away, "N-1", "supplement", "text=西边"));
    does(STEP(away, "N-1", "withdraw", "reason=说弄错了"));
    does(STEP(cadre, "N-1", "supplement", "text=西边那间"));
    assert_int_equal(village_sync(&village, cadre, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    does(step_by(desk, "N-1", "accept", NULL));
    village_sync_all(&village, 3);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        shows(&village.devices[i], "N-1", "\"state\":\"accepted\"");
        says("\"arrived_late\":1");
        says("\"late\":true");
    }
    does(STEP(desk, "N-1", "answer", "result=已解释", "text=好"));
    show(desk, "N-1");
    says_not("arrived_late");
    village_end(&village);
}

/* Steps of both count when two needs turn out to be one, both numbers are found, and taking it back restores each. */
static void merged_needs_share_their_steps(void **state)
{
    struct village village;
    struct mq_saved first, second;
    (void)state;
    begin(&village, 905);
    struct village_member *desk = &village.desk;
    village_add(&village.devices[1], "{\"kind\":\"need\",\"id\":\"N-2\",\"words\":\"屋顶漏。\"}", &first);
    village_add(&village.devices[2], "{\"kind\":\"need\",\"id\":\"N-3\",\"words\":\"漏雨。\"}", &second);
    village_sync_all(&village, 2);
    does(step_by(desk, "N-3", "accept", NULL));
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("N-2"), mq_span_text("N-3"), false, &problem), MQ_OK);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        shows(&village.devices[i], first.number, "\"state\":\"accepted\"");
        shows(&village.devices[i], second.number, "\"state\":\"accepted\"");
    }
    assert_int_equal(mq_records_merge(desk->replica, mq_span_text("N-2"), mq_span_text("N-3"), true, &problem), MQ_OK);
    village_sync_all(&village, 2);
    shows(&village.devices[0], first.number, "\"state\":\"registered\"");
    shows(&village.devices[0], second.number, "\"state\":\"accepted\"");
    village_end(&village);
}

/* A need known only by its steps has a state; when it comes it keeps it. */
static void steps_may_come_first(void **state)
{
    struct village village;
    uint8_t memory[256], pairs_memory[128], id[MQ_ID_SIZE];
    struct mq_saved need;
    (void)state;
    village_begin(&village, 906);
    set_days(&village, 0);
    struct village_member *away = &village.devices[0], *desk = &village.desk;
    village_add(away, "{\"kind\":\"need\",\"id\":\"N-7\",\"words\":\"路断了。\"}", &need);
    struct mq_buffer pairs = mq_buffer(pairs_memory, sizeof pairs_memory), change = mq_buffer(memory, sizeof memory);
    mq_cbor_put_uint(&pairs, MQ_FIELD_ID);
    mq_cbor_put_text(&pairs, mq_span_text("S-7"));
    mq_cbor_put_uint(&pairs, 3);
    mq_put_reference(&pairs, need.record);
    mq_cbor_put_uint(&pairs, 4);
    mq_cbor_put_uint(&pairs, MQ_STEP_ACCEPT);
    mq_change_put_create(&change, MQ_KIND_STEP, 3, mq_written(&pairs));
    assert_int_equal(mq_journal_add(desk->replica, &desk->team, mq_written(&change), NULL, id, &problem), MQ_OK);
    assert_int_equal(village_sync(&village, desk, NULL), MQ_OK);
    village_sync_all(&village, 2);
    shows(desk, "N-7", "\"state\":\"accepted\"");
    shows(&village.devices[1], "N-7", "\"state\":\"accepted\"");
    village_end(&village);
}

/* One file imported on two devices gives one step, and a step that is edited later moves nothing. */
static void steps_count_once_and_as_they_were(void **state)
{
    struct village village;
    struct mq_saved saved;
    static const char *const imported[] = {
        "{\"kind\":\"need\",\"id\":\"N-8\",\"words\":\"井浑了。\"}",
        "{\"kind\":\"step\",\"id\":\"S-8\",\"need\":\"N-8\",\"step\":\"settle\",\"text\":\"换了滤网\"}",
        "{\"kind\":\"step\",\"id\":\"S-9\",\"need\":\"N-8\",\"step\":\"accept\"}",
    };
    (void)state;
    village_begin(&village, 907);
    set_days(&village, 0);
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof imported / sizeof *imported; k++)
            assert_int_equal(mq_records_import_line(village.devices[i].replica, &village.devices[i].team,
                                                    mq_span_text(imported[k]), false, &saved, &problem),
                             MQ_OK);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        shows(&village.devices[i], "N-8", "\"state\":\"told\"");
        says("\"out_of_turn\":1"); /* a device accepts nothing; the record is kept */
        says_not("arrived_late");
    }
    village_set(&village.devices[2], "S-8", "step=withdraw");
    village_sync_all(&village, 2);
    shows(&village.desk, "N-8", "\"state\":\"told\"");
    village_end(&village);
}

/* Made anew, what is noted of needs is what it was. */
static void notes_are_derived(void **state)
{
    struct village village;
    static struct lines before;
    (void)state;
    begin(&village, 908);
    struct village_member *desk = &village.desk;
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "assign", "unit=镇水利站"));
    does(STEP(desk, "N-1", "dispute", "cause=不属职责"));
    show(desk, "N-1");
    before = lines;
    assert_int_equal(mq_view_rebuild(desk->replica, &problem), MQ_OK);
    show(desk, "N-1");
    assert_string_equal(lines.text, before.text);
    says("\"disputes\":1");
    village_end(&village);
}

/* What was erased of a step was said all the same: the need stays where it stands, and its sentence is gone. */
static void erased_words_move_nothing(void **state)
{
    struct village village;
    struct mq_erase_list list = {.count = 0};
    uint8_t step[MQ_ID_SIZE];
    (void)state;
    begin(&village, 913);
    struct village_member *desk = &village.desk;
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "answer", "result=已解决", "text=慢病用药已办好。"));
    village_sync_all(&village, 2);
    show(desk, "N-1");
    char *id = strstr(strstr(lines.text, "\"step\":\"answer\"") - 60, "\"id\":\"") + strlen("\"id\":\"");
    struct mq_span text = mq_span(id, (size_t)(strchr(id, '"') - id));
    does(mq_view_find(desk->replica, NULL, text, step, &problem));
    does(mq_erase_list_field(desk->replica, &list, step, 6, &problem)); /* text */
    assert_true(list.count > 0);
    does(mq_erase(desk->replica, &desk->team, NULL, &list, &problem));
    mq_erase_list_free(&list);
    village_sync_all(&village, 2);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        shows(&village.devices[i], "N-1", "\"state\":\"answered\"");
        says_not("慢病用药");
        says_not("out_of_turn");
    }
    village_end(&village);
}

/* A number begins with the village as people say it, by its name, or by its digits where no name is known. */
static void numbers_say_the_village(void **state)
{
    struct village village;
    struct mq_saved saved;
    static const struct {
        const char *json, *begins;
    } needs[] = {
        {"{\"kind\":\"need\",\"household\":\"H-1\",\"words\":\"一\"}", "SP-"},
        {"{\"kind\":\"need\",\"household\":\"H-2\",\"words\":\"二\"}", "205-"},
        {"{\"kind\":\"need\",\"visit\":\"V-1\",\"words\":\"三\"}", "SP-"},
        {"{\"kind\":\"need\",\"place\":\"龙塘村\",\"household\":\"H-1\",\"words\":\"四\"}", "LT-"},
        {"{\"kind\":\"need\",\"words\":\"五\"}", "X-"},
    };
    (void)state;
    begin(&village, 914);
    struct village_member *cadre = &village.devices[0];
    village_add(cadre, "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103205\",\"head\":\"吴国平\"}", NULL);
    village_add(cadre, "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-06\"}", NULL);
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        village_add(cadre, needs[i].json, &saved);
        if (strncmp(saved.number, needs[i].begins, strlen(needs[i].begins)) != 0)
            fail_msg("%s should begin with %s", saved.number, needs[i].begins);
    }
    shows(cadre, "lt-2-0005", "四"); /* whatever the case */
    village_end(&village);
}

/* A check finds what is noted wrongly, and a rebuild repairs it. */
static void wrong_notes_are_found(void **state)
{
    struct village village;
    struct mq_check_result result;
    (void)state;
    begin(&village, 915);
    struct village_member *desk = &village.desk;
    does(step_by(desk, "N-1", "accept", NULL));
    nothing_yet();
    does(mq_records_check(desk->replica, false, &result, &keeper, &problem));
    assert_int_equal(mq_db_script(mq_replica_db(desk->replica), "UPDATE need_state SET state = 15", &problem), MQ_OK);
    assert_int_equal(mq_records_check(desk->replica, false, &result, &keeper, &problem), MQ_DAMAGED);
    mq_error_clear(&problem);
    assert_int_equal(mq_records_check(desk->replica, true, &result, &keeper, &problem), MQ_DAMAGED);
    shows(desk, "N-1", "\"state\":\"accepted\"");
    village_end(&village);
}

/* ---- lists ---- */

/* By state, by key or label; a state that does not exist is named. */
static void lists_by_state(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 909);
    struct village_member *desk = &village.desk;
    village_add(&village.devices[0], "{\"kind\":\"need\",\"id\":\"N-2\",\"words\":\"路灯。\"}", NULL);
    village_sync_all(&village, 2);
    does(step_by(desk, "N-2", "accept", NULL));
    nothing_yet();
    does(mq_needs_list(desk->replica, mq_span_text("已受理"), 0, &keeper, &problem));
    says("\"id\":\"N-2\"");
    says_not("\"id\":\"N-1\"");
    nothing_yet();
    does(mq_needs_list(desk->replica, mq_span_text("registered"), 0, &keeper, &problem));
    says("\"id\":\"N-1\"");
    nothing_yet();
    refused(mq_needs_list(desk->replica, mq_span_text("open"), 0, &keeper, &problem), "registered 已登记");
    village_end(&village);
}

/* What is late is late for the need and its unit; what is told long ago is closed by a step of its own. */
static void the_desk_sees_what_is_due(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 910);
    struct village_member *desk = &village.desk, *cadre = &village.devices[0];
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "assign", "unit=镇水利站", "due=2026-11-10"));
    set_days(&village, 2);
    desk_today(desk, "");
    says("\"what\":\"due_soon\"");
    set_days(&village, 5);
    desk_today(desk, "镇水利站");
    says("\"what\":\"overdue\"");
    says("\"late\":true");
    says("\"words\":\"雨天屋里摆三个盆。\"");
    desk_today(desk, "县住建局");
    assert_int_equal(lines.size, 0);
    does(STEP(desk, "N-1", "answer", "result=已解决", "text=好了"));
    village_sync_all(&village, 2);
    does(STEP(cadre, "N-1", NULL, "reaction=满意"));
    village_sync_all(&village, 2);
    set_days(&village, 10);
    nothing_yet();
    does(mq_needs_close_due(desk->replica, 7, &keeper, &problem));
    assert_int_equal(lines.size, 0);
    set_days(&village, 12);
    does(mq_needs_close_due(desk->replica, 7, &keeper, &problem));
    says("\"state\":\"closed\"");
    shows(desk, "N-1", "\"state\":\"closed\"");
    village_end(&village);
}

/* Plans of today name the households that were not visited yet; a brief says what was last. */
static void plans_and_briefs(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 911);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    village_add(cadre, "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"杉坪村\",\"head\":\"吴国平\"}", NULL);
    village_add(cadre,
                "{\"kind\":\"plan\",\"id\":\"P-1\",\"purpose\":\"回访告知\",\"households\":[\"H-1\",\"H-2\"],"
                "\"from\":\"2026-11-05\",\"to\":\"2026-11-07\"}",
                NULL);
    village_add(cadre, "{\"kind\":\"plan\",\"id\":\"P-2\",\"purpose\":\"日常走访\",\"households\":[\"H-2\"]}", NULL);
    today(cadre);
    says("\"what\":\"visit\",\"household_id\":\"H-1\"");
    says("\"what\":\"visit\",\"household_id\":\"H-2\"");
    says_not("P-2");
    village_add(cadre,
                "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"plan\":\"P-1\","
                "\"notes\":\"屋里有潮气\"}",
                NULL);
    village_add(cadre, "{\"kind\":\"visit\",\"id\":\"V-0\",\"household\":\"H-1\",\"date\":\"2026-09-03\"}", NULL);
    village_add(cadre, "{\"kind\":\"need\",\"id\":\"N-2\",\"visit\":\"V-1\",\"words\":\"灯不亮。\"}", NULL);
    today(cadre);
    says_not("H-1");
    says("H-2");
    set_days(&village, 2);
    today(cadre);
    assert_int_equal(lines.size, 0);
    village_sync_all(&village, 2);
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "answer", "result=已解决", "text=瓦换好了。"));
    village_sync_all(&village, 2);
    nothing_yet();
    does(mq_needs_brief(cadre->replica, mq_span_text("H-1"), &keeper, &problem));
    says("\"last_visit\":{\"id\":\"V-1\",\"date\":\"2026-11-06\"");
    says("\"text\":\"瓦换好了。\"");
    says("灯不亮。"); /* through its visit */
    village_end(&village);
}

/* Urgency is lowered with a reason that stays; "straight to the county" only by the county. */
static void lowering_needs_a_reason(void **state)
{
    struct village village;
    struct mq_saved saved;
    static const char *const lower[] = {"urgency=一般"}, *const eyes[] = {"county_eyes=false"};
    (void)state;
    village_begin(&village, 912);
    struct village_member *cadre = &village.devices[0];
    village_add(cadre, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"桥断了。\",\"urgency\":\"紧急\",\"county_eyes\":true}",
                NULL);
    refused(mq_records_set(cadre->replica, mq_span_text("N-1"), lower, 1, mq_span_text(""), &saved, &problem), "urgency");
    does(mq_records_set(cadre->replica, mq_span_text("N-1"), lower, 1, mq_span_text("水退了 11010519491231002X"), &saved,
                        &problem));
    refused(mq_records_set(cadre->replica, mq_span_text("N-1"), eyes, 1, mq_span_text("不用"), &saved, &problem),
            "county");
    nothing_yet();
    does(mq_records_show(cadre->replica, mq_span_text("N-1"), true, &keeper, &problem));
    says("\"urgency\":\"一般\"");
    says("\"note\":\"水退了 110105********002X\"");
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_the_whole_way),
        cmocka_unit_test(dissatisfaction_is_heard),
        cmocka_unit_test(returned_needs_wait_for_the_cadre),
        cmocka_unit_test(refusals_say_what_is_possible),
        cmocka_unit_test(late_chains_wait_for_the_desk),
        cmocka_unit_test(merged_needs_share_their_steps),
        cmocka_unit_test(steps_may_come_first),
        cmocka_unit_test(steps_count_once_and_as_they_were),
        cmocka_unit_test(notes_are_derived),
        cmocka_unit_test(erased_words_move_nothing),
        cmocka_unit_test(numbers_say_the_village),
        cmocka_unit_test(wrong_notes_are_found),
        cmocka_unit_test(lists_by_state),
        cmocka_unit_test(the_desk_sees_what_is_due),
        cmocka_unit_test(plans_and_briefs),
        cmocka_unit_test(lowering_needs_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
