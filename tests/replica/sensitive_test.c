/* Aim: what is sensitive (class B) is kept apart from its record: who has the right reads, exports and compares it as before,
 * who has not finds no trace of it, and a day on which none of it changes costs no byte more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/erase.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"
#include "tests/replica/traces.h"

#define PLAIN \
    "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"吴国平\""
#define HOUSEHOLD PLAIN ",\"types\":[\"低保家庭\"],\"tags\":[\"大病/慢病负担\",\"独居老人\"]}"
#define PERSON "{\"kind\":\"person\",\"id\":\"P-1\",\"household\":\"H-1\",\"name\":\"冉大珍\",\"tags\":[\"残疾人\"]}"
#define STANDING \
    "{\"kind\":\"standing\",\"id\":\"T-1\",\"household\":\"H-1\",\"type\":\"低保家庭\",\"basis\":\"证件\",\"note\":\"" MARK "\"}"
#define VISIT "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"水管冻裂。\"}"

static void write_all(struct village_member *member)
{
    village_add(member, HOUSEHOLD, NULL);
    village_add(member, PERSON, NULL);
    village_add(member, STANDING, NULL);
}

static bool exports(struct village_member *member, const char *part)
{
    char *text = village_export(member);
    bool found = strstr(text, part) != NULL;
    free(text);
    return found;
}

/* Whoever has the right exports the same lines as the writer, whole; whoever has not has no page, row or segment of it. */
static void right_decides(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 1);
    struct village_member *blind = &village.devices[3];
    village_blind(&village, blind);
    write_all(&village.devices[0]);
    village_set(&village.devices[0], "H-1", "tags+=失能照护");
    village_sync_all(&village, 3);
    char *own = village_export(&village.devices[0]);
    assert_non_null(strstr(own, "\"types\":[\"低保家庭\"],\"tags\":[\"独居老人\",\"大病/慢病负担\",\"失能照护\"]}"));
    assert_non_null(strstr(own, "\"note\":\"" MARK "\""));
    struct village_member *readers[] = {&village.desk, &village.devices[1]};
    for (int i = 0; i < 2; i++) {
        char *other = village_export(readers[i]);
        assert_string_equal(own, other);
        free(other);
    }
    free(own);
    assert_true(exports(blind, "吴国平"));
    assert_true(exports(blind, "冉大珍"));
    assert_false(exports(blind, "tags"));
    assert_false(exports(blind, "types"));
    assert_false(exports(blind, "standing"));
    assert_false(store_holds(&village, blind, MARK));
    assert_int_equal(hostile_count(blind, "SELECT count(*) FROM change WHERE compartment <> 0"), 0);
    assert_int_equal(hostile_count(blind, "SELECT count(*) FROM segment JOIN stream USING(stream) JOIN mailbox"
                                          " USING(mailbox) WHERE compartment <> 0"),
                     0);
    assert_int_equal(village_safety(&village.devices[0]).anchored, 3);
    village_end(&village);
}

/* A day without anything sensitive costs the same bytes, and asks for one mailbox, whether there is something sensitive in
 * the team or not. */
static void quiet_days_cost_nothing(void **state)
{
    int64_t up[2], down[2];
    (void)state;
    for (int with = 0; with < 2; with++) {
        struct village village;
        struct mq_sync_result result = {0};
        village_begin(&village, 2);
        village_add(&village.devices[0], PLAIN "}", NULL);
        village_sync_all(&village, 2);
        if (with)
            village_set(&village.devices[1], "H-1", "tags+=独居老人");
        village_sync_all(&village, 3);
        village_add(&village.devices[0], VISIT, NULL);
        assert_int_equal(village_sync(&village, &village.devices[0], &result), MQ_OK);
        assert_int_equal(result.requests, 1);
        assert_int_equal(village.mailboxes, 1);
        up[with] = result.bytes_up;
        down[with] = result.bytes_down;
        assert_int_equal(exports(&village.devices[0], "独居老人"), with);
        village_end(&village);
    }
    assert_int_equal(up[0], up[1]);
    assert_true(down[1] - down[0] <= 16); /* where else something lies, and how much */
}

/* News of it comes with the same sync, in both directions. */
static void news_arrive_at_once(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 3);
    write_all(&village.devices[0]);
    village_sync_all(&village, 2);
    village_set(&village.desk, "H-1", "tags+=受灾");
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
    assert_true(exports(&village.devices[2], "受灾"));
    village_set(&village.devices[2], "H-1", "tags-=受灾");
    assert_int_equal(village_sync(&village, &village.devices[2], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_false(exports(&village.desk, "受灾"));
    village_end(&village);
}

static enum mq_status import(struct village_member *member, const char *line, bool update, struct mq_saved *saved)
{
    return village_import(member, line, update, saved, &problem);
}

/* What is imported once more is known, with the right and without; other values are another record's word. */
static void imports_are_known(void **state)
{
    struct village village;
    struct mq_saved saved;
    (void)state;
    village_begin(&village, 4);
    struct village_member *blind = &village.devices[3];
    village_blind(&village, blind);
    write_all(&village.devices[0]);
    village_sync_all(&village, 2);
    struct village_member *members[] = {&village.devices[0], &village.devices[1], blind};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(import(members[i], HOUSEHOLD, false, &saved), MQ_OK);
        assert_true(saved.known);
        assert_int_equal(import(members[i], HOUSEHOLD, true, &saved), MQ_OK);
        assert_true(saved.known);
    }
    assert_int_equal(import(&village.devices[1], PLAIN ",\"tags\":[\"受灾\"]}", false, &saved), MQ_REFUSED);
    assert_int_equal(import(blind, PLAIN ",\"people\":3}", false, &saved), MQ_REFUSED);
    village_end(&village);
}

/* Without the right one may write it: it is sealed at once, reaches those who read it, and stays unread here. */
static void blind_members_write(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 5);
    struct village_member *blind = &village.devices[3];
    village_blind(&village, blind);
    write_all(blind);
    assert_false(exports(blind, "tags"));
    assert_false(store_holds(&village, blind, MARK));
    assert_int_equal(hostile_count(blind, "SELECT count(*) FROM matter"), 0);
    village_sync_all(&village, 3);
    assert_true(exports(&village.desk, "大病/慢病负担"));
    assert_true(exports(&village.desk, MARK));
    assert_true(exports(&village.devices[0], "残疾人"));
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM segment WHERE state <> 1"), 0);
    assert_int_equal(village_safety(blind).saved + village_safety(blind).stored, 0);
    village_end(&village);
}

/* A record of which only the sealed piece is still here counts as saved, until the desk has merged that piece too. */
static void sealed_pieces_count(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 8);
    struct village_member *blind = &village.devices[3];
    village_blind(&village, blind);
    village_add(blind, PLAIN "}", NULL);
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(blind).anchored, 1);
    village_set(blind, "H-1", "tags+=失能照护");
    assert_int_equal(village_safety(blind).saved, 1);
    assert_int_equal(village_safety(blind).anchored, 0);
    village_add(blind, STANDING, NULL); /* sealed whole: a record of its own */
    assert_int_equal(village_safety(blind).saved, 2);
    assert_int_equal(village_safety(blind).records, 2);
    village_sync_all(&village, 3);
    assert_int_equal(village_safety(blind).anchored, 2);
    village_end(&village);
}

/* A server that came up empty gets it back, and who was away before reads it there. */
static void emptied_server_is_filled(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 6);
    village_add(&village.devices[0], PLAIN "}", NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[0], "H-1", "tags+=独居老人");
    assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_relay_empty(&village);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    village_sync_all(&village, 3);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        assert_true(exports(&village.devices[i], "独居老人"));
    assert_int_equal(village_safety(&village.devices[0]).anchored, 1);
    village_end(&village);
}

/* It is erased by lists that those without the right do not hear of. */
static void erased_apart(void **state)
{
    struct village village;
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE];
    (void)state;
    village_begin(&village, 7);
    struct village_member *blind = &village.devices[3];
    village_blind(&village, blind);
    write_all(&village.devices[0]);
    village_sync_all(&village, 2);
    mq_error_clear(&problem);
    assert_int_equal(mq_view_find(village.desk.replica, NULL, mq_span_text("T-1"), record, &problem), MQ_OK);
    assert_int_equal(mq_erase_list_field(village.desk.replica, &list, record, MQ_ERASE_WHOLE, &problem), MQ_OK);
    assert_int_equal(mq_erase(village.desk.replica, &village.desk.team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
    village_sync_all(&village, 3);
    for (int i = 0; i < 3; i++) {
        assert_false(store_holds(&village, &village.devices[i], MARK));
        assert_true(exports(&village.devices[i], "大病/慢病负担"));
    }
    assert_int_equal(hostile_count(blind, "SELECT count(*) FROM erased"), 0);
    assert_int_equal(hostile_count(&village.devices[1], "SELECT count(*) FROM segment WHERE erased = 2"), 1);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_decides),     cmocka_unit_test(quiet_days_cost_nothing), cmocka_unit_test(news_arrive_at_once),
        cmocka_unit_test(imports_are_known), cmocka_unit_test(blind_members_write),     cmocka_unit_test(emptied_server_is_filled),
        cmocka_unit_test(erased_apart),      cmocka_unit_test(sealed_pieces_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
