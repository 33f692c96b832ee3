/* Aim: what a lost device could read is said by the keys that it had; of restricted matters rather more than less;
 * and no name steers the terminal on which it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/cases.h"
#include "server/desk/call_keys.h"
#include "server/desk/member_keys.h"
#include "tests/replica/village.h"

static struct village village;
static struct mq_error problem;

/* The village's devices have joined by invitations; all but device 2 with the right to what is sensitive. */
static void begin(uint64_t seed)
{
    village_begin(&village, seed);
    village_blind(&village, &village.devices[2]);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        const struct mq_team *team = &village.devices[i].team;
        const struct mq_span sign_public = MQ_SPAN(team->certificate.sign_public);
        struct mq_db *db = mq_replica_db(village.desk.replica);
        uint8_t token_hash[MQ_ID_SIZE];
        mq_token_hash(token_hash, team->token);
        assert_int_equal(mq_db_run(db, &problem, "UPDATE member SET token_hash = ?1 WHERE sign_public = ?2", "bb",
                                   MQ_SPAN(token_hash), sign_public),
                         MQ_OK);
        assert_int_equal(mq_db_run(db, &problem,
                                   "INSERT INTO invitation(name, team, secret, expiry_day, used_by, rights)"
                                   " VALUES(?1, ?2, zeroblob(16), 0, ?1, ?3)",
                                   "bbi", sign_public, MQ_SPAN(team->team),
                                   (int64_t)(i == 2 ? MQ_RIGHT_NONE : MQ_RIGHT_SENSITIVE)),
                         MQ_OK);
    }
}

/* Runs a command about the member and gives what it printed; the caller frees it. The relay is out of reach. */
static char *run(mq_verb *verb, const struct village_member *device, const char *word, const char *option)
{
    const struct mq_option given = {.name = option};
    const struct mq_platform *platform = village.desk.platform;
    struct mq_desk desk = {.replica = village.desk.replica,
                           .platform = platform,
                           .unreached = {.status = MQ_UNREACHABLE},
                           .unreached_ms = platform->monotonic_ms(platform->self)};
    char serial[12], *printed;
    size_t size;
    snprintf(serial, sizeof serial, "%u", device->team.certificate.serial);
    struct mq_command_line line = {.words = {serial, word},
                                   .word_count = word == NULL ? 1 : 2,
                                   .values = {{&given, NULL}},
                                   .value_count = option == NULL ? 0 : 1};
    struct mq_call call = {.desk = &desk, .line = &line, .directory = "/", .out = open_memstream(&printed, &size)};
    assert_non_null(call.out);
    call.talk = tmpfile();
    assert_non_null(call.talk);
    if (verb(&call, &problem) != MQ_OK)
        fail_msg("%s", problem.text);
    fclose(call.out);
    fclose(call.talk);
    return printed;
}

static void expect_held(const struct village_member *device, const char *held)
{
    char *printed = run(mq_verb_member_held, device, NULL, "json");
    const char *found = strstr(printed, "\"held\":");
    assert_non_null(found);
    assert_string_equal(found, held);
    free(printed);
}

static void name(const struct village_member *device, const char *right, bool take)
{
    free(run(mq_verb_member_right, device, right, take ? "take" : NULL));
}

/* A household, a standing of it, and a restricted matter: one record for each compartment. */
static void write_one_of_each(void)
{
    village_add(&village.devices[0], "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"余世海\"}", NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"standing\",\"id\":\"T-1\",\"household\":\"H-1\",\"type\":\"低保家庭\",\"basis\":\"证件\"}", NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"账没有贴出来。\",\"category\":\"18\"}", NULL);
    village_sync_all(&village, 2);
}

/* The right to sensitive fields brings the standing, and being named the matters: neither brings what is the other's. */
static void each_right_brings_its_own(void **state)
{
    const struct village_member *reads = &village.devices[1], *blind = &village.devices[2];
    (void)state;
    begin(900);
    write_one_of_each();
    expect_held(reads, "\"held\":{\"household\":1,\"standing\":1},\"sensitive\":true,\"restricted\":false}\n");
    expect_held(blind, "\"held\":{\"household\":1},\"sensitive\":false,\"restricted\":false}\n");
    name(blind, "restricted", false);
    expect_held(blind, "\"held\":{\"household\":1,\"need\":1},\"sensitive\":false,\"restricted\":true}\n");
    name(blind, "sensitive", false);
    expect_held(blind, "\"held\":{\"household\":1,\"need\":1,\"standing\":1},\"sensitive\":true,\"restricted\":true}\n");
    village_end(&village);
}

/* A right that was taken leaves on the device what it had brought: from the invitation or given later. */
static void what_was_taken_was_read(void **state)
{
    const struct village_member *invited = &village.devices[1], *given = &village.devices[2];
    (void)state;
    begin(901);
    write_one_of_each();
    name(invited, "sensitive", true);
    expect_held(invited, "\"held\":{\"household\":1,\"standing\":1},\"sensitive\":true,\"restricted\":false}\n");
    name(given, "sensitive", false);
    name(given, "sensitive", true);
    expect_held(given, "\"held\":{\"household\":1,\"standing\":1},\"sensitive\":true,\"restricted\":false}\n");
    name(given, "restricted", false);
    name(given, "restricted", true);
    expect_held(given, "\"held\":{\"household\":1,\"need\":1,\"standing\":1},\"sensitive\":true,\"restricted\":true}\n");
    village_end(&village);
}

/* Whoever is answered about his matter reads the answer in his case, and no more of it; the others do not. */
static void an_author_reads_his_case(void **state)
{
    struct village_member *author = &village.devices[0], *other = &village.devices[1];
    (void)state;
    begin(902);
    write_one_of_each();
    village_add(&village.desk, "{\"kind\":\"step\",\"id\":\"S-1\",\"need\":\"M-1\",\"step\":\"start\"}", NULL);
    village_sync_all(&village, 2);
    expect_held(author, "\"held\":{\"household\":1,\"step\":1,\"standing\":1},\"sensitive\":true,\"restricted\":false}\n");
    expect_held(other, "\"held\":{\"household\":1,\"standing\":1},\"sensitive\":true,\"restricted\":false}\n");
    village_end(&village);
}

/* ---- names from older stores ---- */

/* A name that was admitted when names could hold such bytes steers no terminal: whatever is said of its bearer. */
static void an_old_name_steers_no_terminal(void **state)
{
    static const struct {
        mq_verb *verb;
        const char *word, *option, *said;
    } calls[] = {
        {mq_verb_member_list, NULL, NULL, "x?2Jx  "},
        {mq_verb_member_list, NULL, "json", "\"name\":\"x\\u009b2Jx\""},
        {mq_verb_member_held, NULL, NULL, "device of x?2Jx"},
        {mq_verb_member_right, "restricted", NULL, "x?2Jx has the right"},
        {mq_verb_member_right, "restricted", "take", "x?2Jx no longer"},
        {mq_verb_member_revoke, NULL, NULL, "x?2Jx's device"},
    };
    const struct village_member *device = &village.devices[1];
    (void)state;
    begin(903);
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem,
                               "UPDATE member SET name = ? WHERE sign_public = ?", "zb",
                               "x\xc2\x9b"
                               "2Jx",
                               MQ_SPAN(device->team.certificate.sign_public)),
                     MQ_OK);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char *printed = run(calls[i].verb, device, calls[i].word, calls[i].option);
        if (strstr(printed, calls[i].said) == NULL || strstr(printed, "\xc2\x9b") != NULL)
            fail_msg("%s", printed);
        free(printed);
    }
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_right_brings_its_own),
        cmocka_unit_test(what_was_taken_was_read),
        cmocka_unit_test(an_author_reads_his_case),
        cmocka_unit_test(an_old_name_steers_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
