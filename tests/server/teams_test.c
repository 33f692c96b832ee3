/* Aim: a desk that serves several teams does for each of them what it does for one: new keys come to its members, and what a
 * server lost comes back to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "replica/bundle.h"
#include "replica/cases.h"
#include "replica/join_keys.h"
#include "replica/records.h"
#include "replica/rotate.h"
#include "replica/view.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"
#include "server/relay/relay.h"
#include "tests/server/centre.h"

#define TEAMS 2
#define SYNC_MS 20000
#define ROTATIONS 400 /* their grants are more than one body */

static struct mq_team *teams;
static const struct mq_team *broken; /* the relay answers this team "500"; NULL: none */

/* ---- a centre in one process ---- */

static bool of_broken(struct mq_span body)
{
    struct mq_reader reader = mq_reader(body);
    struct mq_request request;

    return broken != NULL && mq_request_get(&request, &reader) == MQ_OK &&
           memcmp(request.token, broken->token, sizeof request.token) == 0;
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    (void)context;
    (void)path;
    answer->http_status = of_broken(body) ? 500 : 200;
    if (answer->http_status != 200)
        return MQ_OK;
    return mq_relay_exchange(&relay, body, reply, error);
}

static void make_team(const char *name)
{
    const struct mq_command_line line = {.words = {name}, .word_count = 1};
    FILE *nowhere = fopen("/dev/null", "w");
    struct mq_call call = {.desk = &desk, .line = &line, .directory = directory, .out = nowhere, .talk = nowhere};

    assert_non_null(nowhere);
    must(mq_verb_team_add(&call, &problem));
    fclose(nowhere);
}

static void sync_desk(void)
{
    must(mq_desk_sync(&desk, &problem));
}

static int setup(void **state)
{
    size_t count;

    (void)state;
    broken = NULL;
    if (centre_begin((struct mq_transport){NULL, post}) != 0)
        return -1;
    make_team("杉坪队");
    make_team("龙塘队");
    must(mq_desk_teams(&desk, &teams, &count, &problem));
    assert_int_equal(count, TEAMS);
    sync_desk();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(teams);
    return centre_end();
}

/* ---- devices ---- */

/* `called`: by the one who joins; a device has no name for its team. */
static void join_team(struct mq_replica *replica, const struct mq_team *team, enum mq_role role, const char *called)
{
    struct mq_invitation invitation = {
        .expiry_day = mq_desk_today(&desk) + 7, .url = "https://127.0.0.1:8420", .server_pin = {1}};
    uint8_t memory[MQ_INVITATION_TEXT_MAX];
    struct mq_buffer text = mq_buffer(memory, sizeof memory);
    struct mq_joining *joining = mq_work_memory(sizeof *joining);

    must(mq_invitation_make(&desk, team, role, MQ_RIGHT_SENSITIVE, &invitation, &problem));
    must(mq_invitation_print(&text, &invitation));
    must(mq_join_begin(joining, role, mq_written(&text), &problem));
    must(mq_join_request(joining, replica, "冉大珍", &problem));
    must(mq_enrol_admit(&desk, mq_written(&joining->request), NULL, &joining->reply, &problem));
    must(mq_join_finish(joining, replica, called, &problem));
    mq_work_free(joining, sizeof *joining);
    sync_desk(); /* the server hears who may come */
}

static struct mq_replica *make_replica(const char *name)
{
    struct mq_replica *replica;
    char path[400];

    in_directory(path, name);
    must(mq_replica_create(&replica, machine, path, mq_span_text(PASSPHRASE), KDF_MIB, &problem));
    return replica;
}

static struct mq_replica *join(const struct mq_team *team, const char *name)
{
    struct mq_replica *replica = make_replica(name);

    join_team(replica, team, MQ_ROLE_CADRE, "");
    return replica;
}

/* A township's desk in every team. */
static struct mq_desk join_township(void)
{
    struct mq_desk town = {.replica = make_replica("town"), .platform = machine, .data = directory, .township = true};

    town.transport = desk.transport;
    for (int i = 0; i < TEAMS; i++)
        join_team(town.replica, &teams[i], MQ_ROLE_DESK, teams[i].name);
    return town;
}

static void sync_device(struct mq_replica *replica)
{
    struct mq_team team;
    struct mq_sync_result result = {0};

    must(mq_team_find(replica, NULL, &team, &problem));
    must(mq_sync(replica, &team, &desk.transport, NULL, machine->monotonic_ms(machine->self) + SYNC_MS, &result, &problem));
}

/* The newest epoch of which the replica has the team's key. */
static int64_t epoch(struct mq_replica *replica)
{
    int64_t newest;

    must(mq_db_number(mq_replica_db(replica), &newest, &problem,
                      "SELECT max(epoch) FROM grants JOIN mailbox USING(mailbox) WHERE compartment = 0 AND key IS NOT NULL", ""));
    return newest;
}

static void add_household(struct mq_replica *replica)
{
    struct mq_json *object;
    struct mq_saved saved;

    must(mq_json_parse(&object,
                       mq_span_text("{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"杨顺华\","
                                    "\"state\":\"在住\"}"),
                       &problem));
    must(mq_records_add(replica, NULL, object, &saved, &problem));
    mq_json_free(object);
}

static bool knows_household(struct mq_replica *replica)
{
    uint8_t record[MQ_ID_SIZE];
    enum mq_status status = mq_view_find(replica, NULL, mq_span_text("H-1"), record, &problem);

    mq_error_clear(&problem);
    return status == MQ_OK;
}

static int64_t households_of(const struct mq_team *team)
{
    int64_t count;

    must(mq_db_number(mq_replica_db(desk.replica), &count, &problem, "SELECT count(*) FROM record WHERE kind = ? AND team = ?",
                      "ib", (int64_t)MQ_KIND_HOUSEHOLD, MQ_SPAN(team->team)));
    return count;
}

/* ---- tests ---- */

static enum mq_status rotate_one(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_rotate(replica, context, error);
}

/* When keys change, the members of each team have their new one with their next sync, whichever team the desk syncs first. */
static void every_team_gets_its_new_key(void **state)
{
    struct mq_replica *devices[TEAMS];

    (void)state;
    for (int i = 0; i < TEAMS; i++)
        devices[i] = join(&teams[i], (const char *[]){"first", "second"}[i]);
    for (int i = 0; i < TEAMS; i++)
        must(mq_replica_transact(desk.replica, rotate_one, &teams[i], &problem));
    sync_desk();
    for (int i = 0; i < TEAMS; i++) {
        sync_device(devices[i]);
        assert_int_equal(epoch(devices[i]), 2);
        mq_replica_close(devices[i]);
    }
}

/* A server that was emptied gets from the desk what only the desk still has of each team: who joins later reads it. */
static void every_team_is_healed(void **state)
{
    (void)state;
    for (int i = 0; i < TEAMS; i++) {
        struct mq_replica *lost = join(&teams[i], (const char *[]){"lost1", "lost2"}[i]);
        add_household(lost);
        sync_device(lost);
        mq_replica_close(lost);
    }
    sync_desk();
    centre_empty_store();
    sync_desk();
    for (int i = 0; i < TEAMS; i++) {
        struct mq_replica *late = join(&teams[i], (const char *[]){"late1", "late2"}[i]);
        sync_device(late);
        assert_true(knows_household(late));
        mq_replica_close(late);
    }
}

/* A server that was emptied knows its desk again, however much the desk has to say to all teams: who may come is said first. */
static void a_desk_with_much_to_say_is_known_again(void **state)
{
    struct mq_replica *late;

    (void)state;
    for (int i = 0; i < ROTATIONS; i++)
        must(mq_replica_transact(desk.replica, rotate_one, &teams[i % TEAMS], &problem));
    for (int i = 0; i < TEAMS; i++)
        mq_replica_close(join(&teams[i], (const char *[]){"one", "two"}[i])); /* the lists are newer than the keys */
    centre_empty_store();
    sync_desk();
    late = join(&teams[1], "late");
    sync_device(late);
    mq_replica_close(late);
}

/* What the relay cannot say of one team, by damage or by chance, keeps no other from being merged, answered and given keys. */
static void a_team_that_fails_stops_no_other(void **state)
{
    (void)state;
    for (int i = 0; i < TEAMS; i++) {
        struct mq_replica *device = join(&teams[i], (const char *[]){"first", "second"}[i]);
        add_household(device);
        sync_device(device);
        mq_replica_close(device);
        broken = &teams[1 - i];
        for (int j = 0; j < TEAMS; j++) {
            assert_int_equal(mq_desk_sync(&desk, &problem), MQ_UNREACHABLE);
            mq_error_clear(&problem);
        }
        broken = NULL;
        assert_int_equal(households_of(&teams[i]), 1);
    }
}

/* A bundle is carried to the server by whoever has it, also by somebody of another team, and is then carried no more. */
static void anyone_carries_a_bundle(void **state)
{
    struct mq_replica *away = join(&teams[1], "away"), *carrier = join(&teams[0], "carrier");
    struct mq_admitted admitted;
    int64_t segments, carried;
    char path[400];

    (void)state;
    in_directory(path, "bundle");
    add_household(away);
    must(mq_bundle_write(away, path, &segments, &problem));
    mq_replica_close(away);
    must(mq_bundle_read(carrier, path, &admitted, &problem));
    sync_device(carrier);
    must(mq_db_number(mq_replica_db(carrier), &carried, &problem, "SELECT count(*) FROM segment WHERE carry = 1", ""));
    mq_replica_close(carrier);
    sync_desk();
    assert_int_equal(households_of(&teams[1]), 1);
    assert_int_equal(carried, 0);
}

static enum mq_status forget_township(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct mq_team *team = context;
    enum mq_status status = mq_db_run(mq_replica_db(replica), error, "DELETE FROM member WHERE team = ? AND role = ?", "bi",
                                      MQ_SPAN(team->team), (int64_t)MQ_ROLE_DESK);

    return status == MQ_OK ? mq_access_update(&desk, team, error) : status;
}

/* A township's desk that the server knows in one of its teams only, as after a restore at the county, still reads what it has. */
static void a_desk_that_is_a_stranger_in_one_team_reads(void **state)
{
    struct mq_desk town = join_township();
    const struct mq_command_line line = {.words = {"household"}, .word_count = 1};
    char *said = NULL, *beside = NULL;
    size_t size, beside_size;
    struct mq_call call = {.desk = &town,
                           .line = &line,
                           .directory = directory,
                           .out = open_memstream(&said, &size),
                           .talk = open_memstream(&beside, &beside_size)};
    struct mq_replica *device = join(&teams[1], "device");

    (void)state;
    add_household(device);
    sync_device(device);
    mq_replica_close(device);
    must(mq_replica_transact(desk.replica, forget_township, &teams[0], &problem));
    sync_desk();
    must(mq_verb_desk_list(&call, &problem));
    fclose(call.out);
    fclose(call.talk);
    assert_non_null(strstr(said, "H-1"));
    assert_non_null(strstr(beside, "merged"));
    free(said);
    free(beside);
    mq_desk_close(&town);
}

/* What such a desk said in its other teams it does not say there again with every sync: its line may be thin. */
static void a_stranger_in_one_team_repeats_nothing_in_others(void **state)
{
    struct mq_desk town = join_township();
    struct mq_team other;
    int64_t unsaid;

    (void)state;
    must(mq_desk_sync(&town, &problem));
    must(mq_replica_transact(desk.replica, forget_township, &teams[0], &problem));
    sync_desk();
    must(mq_team_find(town.replica, teams[1].team, &other, &problem));
    broken = &other; /* so that what is said again is still to be seen */
    assert_int_equal(mq_desk_sync(&town, &problem), MQ_REFUSED);
    mq_error_clear(&problem);
    must(mq_db_number(mq_replica_db(town.replica), &unsaid, &problem, "SELECT count(*) FROM outbox WHERE sent = 0", ""));
    assert_int_equal(unsaid, 0);
    mq_desk_close(&town);
}

/* Who takes the rights of a township's desk is told of the teams in which it has them still, until there is none. */
static void a_lost_desk_is_revoked_in_every_team(void **state)
{
    struct mq_desk town = join_township();

    (void)state;
    mq_desk_close(&town);
    for (int i = 0; i < TEAMS; i++) {
        char number[24], *beside = NULL;
        size_t size;
        int64_t serial;
        FILE *nowhere = fopen("/dev/null", "w");
        must(mq_db_number(mq_replica_db(desk.replica), &serial, &problem, "SELECT serial FROM member WHERE team = ? AND state = 0",
                          "b", MQ_SPAN(teams[i].team)));
        snprintf(number, sizeof number, "%lld", (long long)serial);
        const struct mq_command_line line = {.words = {number}, .word_count = 1};
        struct mq_call call = {.desk = &desk,
                               .line = &line,
                               .directory = directory,
                               .out = nowhere,
                               .talk = open_memstream(&beside, &size)};
        must(mq_verb_member_revoke(&call, &problem));
        fclose(nowhere);
        fclose(call.talk);
        assert_int_equal(strstr(beside, teams[1].name) != NULL, i == 0);
        assert_null(strstr(beside, teams[0].name));
        free(beside);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_team_gets_its_new_key, setup, teardown),
        cmocka_unit_test_setup_teardown(every_team_is_healed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_desk_with_much_to_say_is_known_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_team_that_fails_stops_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(anyone_carries_a_bundle, setup, teardown),
        cmocka_unit_test_setup_teardown(a_desk_that_is_a_stranger_in_one_team_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stranger_in_one_team_repeats_nothing_in_others, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_desk_is_revoked_in_every_team, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
