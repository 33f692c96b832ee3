/* Aim: what is to be done is found by whoever has to do it: lists by state, a cadre's day, a desk's day, a brief before
 * knocking, and numbers that can be said. */
#include "platform/db.h"
#include "tests/replica/needs_kit.h"

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

/* What a desk says of clocks, holidays and letters goes before what is built in, on devices too. */
static void the_desk_sets_the_clocks(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    begin(&village, 917);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    village_add(desk, "{\"kind\":\"preset\",\"id\":\"town\",\"name\":\"本镇\",\"clock\":\"accept\",\"days\":1,\"working\":true}",
                NULL);
    village_add(desk, "{\"kind\":\"calendar\",\"id\":\"2026\",\"year\":2026,\"holidays\":[\"2026-11-09\"],\"workdays\":[]}", NULL);
    village_add(desk,
                "{\"kind\":\"place\",\"id\":\"P-1\",\"name\":\"龙塘村\",\"codes\":[{\"code\":\"990527103205\"}],"
                "\"letters\":\"LTC\"}",
                NULL);
    village_sync_all(&village, 2);
    shows(cadre, "N-1", "\"due\":\"2026-11-10\",\"rule\":\"town\""); /* Monday is free here */
    village_add(cadre, "{\"kind\":\"need\",\"place\":\"990527103205\",\"words\":\"路断了。\"}", &saved);
    assert_memory_equal(saved.number, "LTC-", 4);
    does(STEP(desk, "N-1", "accept", "rule=town"));
    says("\"due\":\"2026-11-10\",\"rule\":\"town\"");
    does(STEP(desk, "N-1", "assign", "unit=镇水利站", "rule=12345-answer"));
    says("\"due\":\"2026-11-16\",\"rule\":\"12345-answer\"");
    set_days(&village, 2000); /* 2032 */
    village_add(cadre, "{\"kind\":\"need\",\"id\":\"N-9\",\"words\":\"桥断了。\"}", NULL);
    shows(cadre, "N-9", "\"calendar_missing\":2032");
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
    village_add(cadre, "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"桥断了。\",\"urgency\":\"紧急\"}",
                NULL);
    village_set(cadre, "N-1", "county_eyes=true"); /* said later, it hides nothing */
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
        cmocka_unit_test(numbers_say_the_village),
        cmocka_unit_test(the_desk_sets_the_clocks),
        cmocka_unit_test(wrong_notes_are_found),
        cmocka_unit_test(lists_by_state),
        cmocka_unit_test(the_desk_sees_what_is_due),
        cmocka_unit_test(plans_and_briefs),
        cmocka_unit_test(lowering_needs_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
