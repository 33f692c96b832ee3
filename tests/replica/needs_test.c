/* Aim: a need lives on devices and at the desk as its table says, in whatever order its steps come, and everybody sees
 * whose turn it is. */
#include "protocol/change.h"
#include "replica/erase.h"
#include "replica/journal.h"
#include "replica/need_chain.h"
#include "tests/replica/needs_kit.h"

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

/* What is parked comes up on its day, also where nobody had told its sentence: by then the sentence is old. */
static void untold_parked_needs_come_up_on_their_day(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 906);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    does(step_by(desk, "N-1", "accept", NULL));
    does(STEP(desk, "N-1", "park", "reason=今年指标已满", "text=三月再来复核。", "due=2027-03-10", "unit=县住建局"));
    village_sync_all(&village, 2);
    set_days(&village, 123);
    desk_today(desk, "");
    says("\"what\":\"tell\"");
    set_days(&village, 124); /* 2027-03-10 */
    desk_today(desk, "");
    says("\"what\":\"recheck\"");
    today(cadre);
    says("\"what\":\"tell\"");
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

/* A step that a desk linked to a household by hand is noted the same by who had the link first and who had the step. */
static void notes_do_not_ask_what_came_first(void **state)
{
    enum { PAIRS = 5 }; /* which of a pair gives the group its kind is chance */
    struct village village;
    struct mq_saved house, step;
    char line[200];
    uint8_t memory[128], value_memory[32], id[MQ_ID_SIZE], here[MQ_HASH_SIZE], there[MQ_HASH_SIZE];
    (void)state;
    begin(&village, 917);
    struct village_member *cadre = &village.devices[1], *desk = &village.desk;
    for (int i = 0; i < PAIRS; i++) {
        snprintf(line, sizeof line, "{\"kind\":\"need\",\"id\":\"N-1%d\",\"words\":\"灯坏了。\"}", i);
        village_add(desk, line, NULL);
    }
    village_sync_all(&village, 2);
    for (int i = 0; i < PAIRS; i++) {
        struct mq_buffer change = mq_buffer(memory, sizeof memory), value = mq_buffer(value_memory, sizeof value_memory);
        snprintf(line, sizeof line,
                 "{\"kind\":\"household\",\"id\":\"H-1%d\",\"place\":\"杉坪村\",\"group\":\"三组\",\"head\":\"余世海\"}", i);
        village_add(desk, line, &house);
        snprintf(line, sizeof line,
                 "{\"kind\":\"step\",\"need\":\"N-1%d\",\"step\":\"settle\",\"text\":\"换了。\"}", i);
        village_add(cadre, line, &step);
        mq_put_reference(&value, step.record);
        mq_change_put_add(&change, house.record, MQ_FIELD_SAME_AS, mq_written(&value));
        does(mq_journal_add(desk->replica, &desk->team, mq_written(&change), house.record, id, &problem));
    }
    village_sync_all(&village, 3);
    does(mq_need_hash(desk->replica, here, &problem));
    does(mq_need_hash(cadre->replica, there, &problem));
    assert_memory_equal(here, there, sizeof here);
    does(mq_view_rebuild(cadre->replica, &problem));
    does(mq_need_hash(cadre->replica, there, &problem));
    assert_memory_equal(here, there, sizeof here);
    village_end(&village);
}

/* A need that is part of another follows it: its household too is told what was answered there. */
static void parts_follow_the_whole(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 916);
    struct village_member *cadre = &village.devices[0], *desk = &village.desk;
    village_add(cadre, "{\"kind\":\"need\",\"id\":\"N-G\",\"subject\":\"组\",\"words\":\"三组要路灯。\"}", NULL);
    village_sync_all(&village, 2);
    refused(step_by(desk, "N-1", "merge_into", NULL), "--part_of");
    refused(STEP(desk, "N-1", "merge_into", "part_of=N-1"), "--part_of");
    does(STEP(desk, "N-1", "merge_into", "part_of=N-G"));
    says("\"state\":\"merged\",\"holder\":\"part_of\"");
    village_sync_all(&village, 2);
    today(cadre);
    assert_int_equal(lines.size, 0);
    does(STEP(desk, "N-G", "accept", "nature=建议", "category=05"));
    says_not("missing");
    does(STEP(desk, "N-G", "assign", "unit=镇村建办"));
    says("\"missing\":[\"summary\"]");
    does(STEP(desk, "N-G", "answer", "result=已解决", "text=路灯装好了。"));
    village_sync_all(&village, 2);
    today(cadre);
    says("\"need\":\"N-1\"");
    says("\"need\":\"N-G\"");
    does(STEP(cadre, "N-1", NULL, "reaction=满意"));
    today(cadre);
    says_not("\"need\":\"N-1\"");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_the_whole_way),
        cmocka_unit_test(dissatisfaction_is_heard),
        cmocka_unit_test(untold_parked_needs_come_up_on_their_day),
        cmocka_unit_test(returned_needs_wait_for_the_cadre),
        cmocka_unit_test(refusals_say_what_is_possible),
        cmocka_unit_test(late_chains_wait_for_the_desk),
        cmocka_unit_test(merged_needs_share_their_steps),
        cmocka_unit_test(steps_may_come_first),
        cmocka_unit_test(steps_count_once_and_as_they_were),
        cmocka_unit_test(notes_do_not_ask_what_came_first),
        cmocka_unit_test(parts_follow_the_whole),
        cmocka_unit_test(notes_are_derived),
        cmocka_unit_test(erased_words_move_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
