/* Aim: a restricted matter is read by its county and the persons who are named, byte for byte, and by nobody else; nobody
 * else finds a trace of it. */
#include "replica/cases.h"
#include "replica/erase.h"
#include "replica/needs.h"
#include "replica/view.h"
#include "tests/replica/traces.h"

/* ---- what is told ---- */

/* The matter is read at the county and by the person named, whatever the order of syncs; nothing of it is left on its
 * author's device but a stub; no other device, no township, no relay holds or shows a trace. */
static void nobody_else_knows(void **state)
{
    static const int orders[][4] = {{0, 1, 2, 4}, {4, 2, 1, 0}, {2, 0, 4, 1}}; /* 4: the township */
    (void)state;
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        struct village village;
        struct mq_saved saved;
        char path[300];
        village_begin(&village, 900 + o);
        village_township(&village);
        village_name(&village, &village.devices[2], true);
        village_sync_all(&village, 1); /* everybody hears of the new key */
        village_add(&village.devices[0], NEED, NULL);
        village_add(&village.devices[0], MATTER, &saved);
        assert_string_equal(saved.id, "M-1");
        assert_non_null(strstr(saved.number, "-M001"));
        assert_false(store_holds(&village, &village.devices[0], MARK)); /* from the moment it is saved */
        assert_false(shows(&village, &village.devices[0], MARK));
        assert_int_equal(village_safety(&village.devices[0]).saved, 2);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 4; i++) {
                int who = orders[o][i];
                struct village_member *member = who == 4 ? &village.township : &village.devices[who];
                assert_int_equal(village_sync(&village, member, NULL), MQ_OK);
                if (i == (int)o)
                    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
            }
        }
        assert_knows_nothing(&village, &village.devices[1]);
        assert_knows_nothing(&village, &village.township);
        snprintf(path, sizeof path, "%s/relay.db", village.directory);
        assert_false(file_holds(path, MARK));
        assert_false(store_holds(&village, &village.devices[0], MARK));
        assert_reads(&village, &village.desk, MARK);
        assert_reads(&village, &village.devices[2], MARK);
        char *shown = show(&village.desk, "M-1");
        assert_non_null(strstr(shown, WORDS));
        free(shown);
        char *stub = show(&village.devices[0], saved.number);
        assert_non_null(strstr(stub, "{\"kind\":\"need\",\"id\":\"M-1\",\"no\":\""));
        assert_non_null(strstr(stub, "\"date\":\"2023-11-15\",\"restricted\":true,\"record\":\""));
        assert_non_null(strstr(stub, "\"safety\":\"anchored\""));
        free(stub);
        assert_int_equal(village_safety(&village.devices[0]).anchored, 2);
        village_end(&village);
    }
}

/* Whoever wrote nothing restricted asks for one mailbox, in one request, as before. */
static void others_ask_for_nothing(void **state)
{
    struct village village;
    struct mq_sync_result result = {0};
    (void)state;
    village_begin(&village, 910);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[1], NEED, NULL);
    assert_int_equal(village_sync(&village, &village.devices[1], &result), MQ_OK);
    assert_int_equal(result.requests, 1);
    assert_int_equal(village.mailboxes, 1);
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK); /* nor does the author, unanswered */
    assert_int_equal(village.mailboxes, 1);
    village_end(&village);
}

/* ---- answers ---- */

/* The county's answer reaches the author and the person named, and nobody else; what he then says of it he can read. */
static void answer_reaches_the_author(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 920);
    village_township(&village);
    village_name(&village, &village.devices[2], true);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    village_add(&village.desk, ANSWER, NULL);
    village_sync_all(&village, 2);
    assert_reads(&village, &village.devices[0], REPLY);
    assert_reads(&village, &village.devices[2], REPLY);
    assert_knows_nothing(&village, &village.devices[1]);
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    assert_knows_nothing(&village, &village.township);

    char *stub = show(&village.devices[0], "M-1"); /* he sees how it stands */
    assert_non_null(strstr(stub, "\"state\":\"accepted\""));
    free(stub);
    struct text said = {NULL, 0, 0};
    const struct mq_emitter emitter = {&said, append};
    const struct mq_field_value answer[] = {{"result", "已解释"}, {"text", "名单已重排。"}};
    enum mq_status answered =
        mq_needs_step(village.desk.replica, mq_span_text("M-1"), "answer", answer, 2, &emitter, &problem);
    if (answered != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(answered, MQ_OK);
    village_sync_all(&village, 2);
    const struct mq_field_value fields[] = {{"text", "ZULETZT-1"}, {"reaction", "满意"}};
    assert_int_equal(mq_needs_step(village.devices[0].replica, mq_span_text("M-1"), NULL, fields, 2, &emitter, &problem),
                     MQ_OK);
    free(said.bytes);
    assert_true(lists(&village.devices[0], "ZULETZT-1"));
    assert_true(lists(&village.devices[0], "\"need\":\"M-1\""));
    village_set(&village.devices[0], "M-1", "words+=还有，ZULETZT-2");
    stub = show(&village.devices[0], "M-1");
    assert_non_null(strstr(stub, "\"words_more\":[\"还有，ZULETZT-2\"]"));
    assert_null(strstr(stub, MARK));
    free(stub);
    village_sync_all(&village, 2);
    assert_true(lists(&village.desk, "ZULETZT-1"));
    assert_true(lists(&village.desk, "ZULETZT-2"));
    assert_false(lists(&village.devices[1], "ZULETZT"));
    assert_knows_nothing(&village, &village.devices[1]);
    village_end(&village);
}

/* What is left of a restricted record from which something was erased stays restricted when the view is made anew. */
static void erased_stays_restricted(void **state)
{
    struct village village;
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE], before[MQ_HASH_SIZE], after[MQ_HASH_SIZE];
    bool restricted = false;
    (void)state;
    village_begin(&village, 925);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    struct mq_replica *desk = village.desk.replica;
    assert_int_equal(mq_view_find(desk, NULL, mq_span_text("M-1"), record, &problem), MQ_OK);
    uint8_t words = (uint8_t)mq_field_by_key(mq_kind_by_number(MQ_KIND_NEED), mq_span_text("words"))->number;
    assert_int_equal(mq_erase_list_field(desk, &list, record, words, &problem), MQ_OK);
    assert_int_equal(mq_erase(desk, &village.desk.team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
    village_sync_all(&village, 2);
    assert_false(store_holds(&village, &village.desk, WORDS));
    desk = village.desk.replica; /* opened anew */
    assert_int_equal(mq_view_hash(desk, before, &problem), MQ_OK);
    assert_int_equal(mq_view_rebuild(desk, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(desk, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(mq_view_restricted(desk, record, &restricted, &problem), MQ_OK);
    assert_true(restricted);
    village_add(&village.desk, ANSWER, NULL);
    village_sync_all(&village, 2);
    assert_reads(&village, &village.devices[0], REPLY);
    assert_knows_nothing(&village, &village.devices[1]);
    village_end(&village);
}

/* Before there is an answer, what the author adds is sealed like the matter itself. */
static void what_is_added_is_sealed(void **state)
{
    struct village village;
    struct mq_saved saved;
    const char *wrong[] = {"urgency=特急"};
    (void)state;
    village_begin(&village, 921);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_set(&village.devices[0], "M-1", "words+=还有，NACHTRAG-1");
    assert_false(store_holds(&village, &village.devices[0], "NACHTRAG-1"));
    assert_int_equal(mq_records_set(village.devices[0].replica, mq_span_text("M-1"), wrong, 1, mq_span(NULL, 0), &saved, &problem),
                     MQ_REFUSED);
    mq_error_clear(&problem);
    village_sync_all(&village, 2);
    char *shown = show(&village.desk, "M-1");
    assert_non_null(strstr(shown, "NACHTRAG-1"));
    assert_non_null(strstr(shown, WORDS));
    free(shown);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 2);
    village_end(&village);
}

/* An open need cannot be made restricted by a category: its words are known. What only asks for the county's eyes may be
 * said of it, and stays where it is. */
static void open_needs_stay_open(void **state)
{
    struct village village;
    struct mq_saved saved;
    const char *category[] = {"category=90"};
    (void)state;
    village_begin(&village, 922);
    village_add(&village.devices[0], NEED, NULL);
    assert_int_equal(mq_records_set(village.devices[0].replica, mq_span_text("N-1"), category, 1, mq_span(NULL, 0), &saved, &problem),
                     MQ_REFUSED);
    assert_non_null(strstr(problem.text, "withdraw"));
    mq_error_clear(&problem);
    village_set(&village.devices[0], "N-1", "county_eyes=true");
    village_sync_all(&village, 2);
    assert_true(lists(&village.devices[1], "\"county_eyes\":true"));
    assert_false(lists(&village.devices[1], "\"restricted\""));
    village_add(&village.devices[0],
                "{\"kind\":\"need\",\"id\":\"M-2\",\"words\":\"" MARK "\",\"category\":\"01\",\"county_eyes\":true}", NULL);
    village_sync_all(&village, 2);
    assert_false(lists(&village.devices[1], "M-2"));
    assert_true(lists(&village.desk, "M-2"));
    village_end(&village);
}

/* What everybody sees never points to a restricted matter, whoever would make it so: not even its id is told. */
static void nothing_open_points_to_it(void **state)
{
    static const char *const tries[] = {"again_of=M-1", "part_of=M-1"};
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 923);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    struct village_member *const knowing[] = {&village.devices[0], &village.desk};
    for (int who = 0; who < 2; who++)
        for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
            assert_int_equal(mq_records_set(knowing[who]->replica, mq_span_text("N-1"), &tries[i], 1, mq_span(NULL, 0),
                                            &saved, &problem),
                             MQ_REFUSED);
            assert_non_null(strstr(problem.text, "county"));
            mq_error_clear(&problem);
        }
    village_set(&village.devices[0], "N-1", "again_of=N-1");
    village_sync_all(&village, 2);
    assert_true(lists(&village.devices[1], "\"again_of\":\"N-1\""));
    village_end(&village);
}

/* ---- what goes wrong ---- */

/* A cut between sealing and commit leaves neither the text nor half a stream: afterwards it is written down again, and
 * arrives once. */
static void a_cut_leaves_nothing(void **state)
{
    struct village village;
    struct mq_saved saved;
    struct mq_json *object;
    char path[300], command[1200];
    (void)state;
    village_begin(&village, 940);
    struct village_member *author = &village.devices[0];
    village_add(author, NEED, NULL);
    assert_int_equal(mq_json_parse(&object, mq_span_text(MATTER), &problem), MQ_OK);

    mq_fake_fail_file(author->fake, 1, MQ_FAULT); /* the witness beside the store */
    assert_int_not_equal(mq_records_add(author->replica, NULL, object, &saved, &problem), MQ_OK);
    mq_error_clear(&problem);
    mq_fake_fail_file(author->fake, 0, MQ_OK);
    assert_int_equal(hostile_count(author, "SELECT count(*) FROM matter"), 0);
    assert_false(store_holds(&village, author, MARK));

    assert_int_equal(mq_db_begin(author->replica->db, &problem), MQ_OK);
    assert_int_equal(mq_records_add(author->replica, NULL, object, &saved, &problem), MQ_OK);
    snprintf(path, sizeof path, "%s/cut", village.directory);
    snprintf(command, sizeof command, "mkdir %s && cp %s/* %s/", path, author->home, path);
    assert_int_equal(system(command), 0); /* power is gone here */
    mq_db_rollback(author->replica->db);
    village_bring_back(&village, author, "cut");
    assert_int_equal(hostile_count(author, "SELECT count(*) FROM matter"), 0);
    assert_false(store_holds(&village, author, MARK));

    assert_int_equal(mq_records_add(author->replica, NULL, object, &saved, &problem), MQ_OK);
    mq_json_free(object);
    village_sync_all(&village, 2);
    assert_true(lists(&village.desk, MARK));
    assert_int_equal(village_safety(&village.desk).records, 2);
    assert_int_equal(village_safety(author).anchored, 2);
    village_end(&village);
}

/* A server that was emptied gets sealed matters again from their author, and cases from those who read them. */
static void an_emptied_server_is_healed(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 941);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    village_add(&village.desk, ANSWER, NULL);
    village_sync_all(&village, 2);
    village_add(&village.devices[1], "{\"kind\":\"need\",\"id\":\"M-9\",\"words\":\"SPAETER-9\",\"category\":\"90\"}", NULL);
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK); /* stored, not merged yet */
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_sync_all(&village, 3);
    assert_true(lists(&village.desk, "SPAETER-9"));
    assert_int_equal(village_safety(&village.devices[1]).anchored, 1);
    village_name(&village, &village.devices[3], true); /* who comes later finds the case on the new server */
    village_sync_all(&village, 2);
    village_add(&village.desk, "{\"kind\":\"step\",\"id\":\"S-2\",\"need\":\"M-1\",\"step\":\"start\",\"text\":\"WEITER-2\"}",
                NULL);
    village_sync_all(&village, 2);
    assert_true(lists(&village.devices[0], "WEITER-2"));
    assert_true(lists(&village.devices[3], "WEITER-2"));
    assert_false(lists(&village.devices[1], "WEITER-2"));
    village_end(&village);
}

/* More mailboxes than a request can name are asked for in turns. */
static void many_cases_have_their_turn(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 942);
    assert_int_equal(mq_db_begin(village.desk.replica->db, &problem), MQ_OK);
    for (uint32_t serial = 0; serial < 40; serial++)
        if (serial != village.devices[0].team.certificate.serial)
            assert_int_equal(mq_grant_next(village.desk.replica, &village.desk.team, mq_compartment_case(serial), &problem),
                             MQ_OK);
    assert_int_equal(mq_db_commit(village.desk.replica->db, &problem), MQ_OK);
    village_name(&village, &village.devices[2], true);
    village_sync_all(&village, 1);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    village_add(&village.desk, ANSWER, NULL);
    village_sync_all(&village, 2);
    assert_reads(&village, &village.devices[0], REPLY);
    assert_reads(&village, &village.devices[2], REPLY);
    village_end(&village);
}

/* A colleague may carry the matter on a stick: he brings it to the server, and neither sees nor counts it. */
static void carriers_see_nothing(void **state)
{
    struct village village;
    struct mq_admitted taken;
    struct mq_partition parts;
    char path[300];
    int64_t segments;
    (void)state;
    village_begin(&village, 943);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    snprintf(path, sizeof path, "%s/carried", village.directory);
    assert_int_equal(mq_bundle_write(village.devices[0].replica, path, &segments, &problem), MQ_OK);
    assert_int_equal(segments, 2);
    assert_false(file_holds(path, MARK));
    assert_int_equal(mq_bundle_read(village.devices[1].replica, path, &taken, &problem), MQ_OK);
    assert_int_equal(mq_partition(village.devices[1].replica, &parts, &problem), MQ_OK);
    assert_int_equal(parts.waiting, 0);
    assert_int_equal(parts.admitted, 1);
    assert_false(store_holds(&village, &village.devices[1], MARK));
    assert_false(shows(&village, &village.devices[1], "M-1"));
    assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_true(lists(&village.desk, MARK));
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 2);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_else_knows),
        cmocka_unit_test(others_ask_for_nothing),
        cmocka_unit_test(answer_reaches_the_author),
        cmocka_unit_test(erased_stays_restricted),
        cmocka_unit_test(what_is_added_is_sealed),
        cmocka_unit_test(open_needs_stay_open),
        cmocka_unit_test(nothing_open_points_to_it),
        cmocka_unit_test(a_cut_leaves_nothing),
        cmocka_unit_test(an_emptied_server_is_healed),
        cmocka_unit_test(many_cases_have_their_turn),
        cmocka_unit_test(carriers_see_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
