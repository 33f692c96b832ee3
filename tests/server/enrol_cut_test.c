/* Aim: an enrolment that is cut or changed at any byte, on the way there or back, lets nobody in and keeps nobody out: a
 * home has joined whole or not at all, the invitation works once, and the true request is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/fake.h"
#include "replica/join_keys.h"
#include "server/desk/call_keys.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/reach.h"
#include "server/desk/root_keys.h"
#include "server/relay/relay.h"
#include "tests/server/directory.h"

#define PASSPHRASE "one grey heron by the weir"

static struct mq_fake *fake, *pocket; /* the centre's machine, the device's */
static const struct mq_platform *machine;
static struct mq_phrase phrase;
static struct mq_desk desk;
static struct mq_store *store;
static struct mq_relay relay;
static struct mq_replica *home;
static struct mq_joining *joining;
static struct mq_error problem;

/* ---- a centre with one team, and an empty device ---- */

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    (void)context;
    if (strcmp(path, "/v1/enrol") != 0) {
        answer->http_status = 200;
        return mq_relay_exchange(&relay, body, reply, error);
    }
    enum mq_status status = mq_relay_enrol(&relay, body, reply, error);
    answer->http_status = status == MQ_OK ? 200 : status == MQ_WAITING ? 202 : 400;
    return MQ_OK;
}

static void must(enum mq_status status)
{
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static void make_centre(void)
{
    struct mq_identity root;
    const struct mq_reach reach = {.url = "https://127.0.0.1:8420", .pin = {1}};
    char path[400];

    snprintf(path, sizeof path, "%s/desk", directory);
    must(mq_replica_create(&desk.replica, machine, path, mq_span_text(PASSPHRASE), 8, &problem));
    mq_root_make(&root, machine);
    must(mq_root_put(desk.replica, root.sign_public, &problem));
    snprintf(path, sizeof path, "%s/root.key", directory);
    must(mq_root_write(machine, path, mq_span_text(PASSPHRASE), mq_kdf_choose(8), &root, &problem));
    must(mq_reach_write(machine, directory, &reach, &problem));
    must(mq_store_sqlite_open(&store, machine, store_path, &problem));
    relay = (struct mq_relay){.platform = machine, .store = store};
    memcpy(relay.root_public, root.sign_public, MQ_PUBLIC_SIZE);
    mq_identity_wipe(&root);
}

/* Runs a verb of the desk and gives what it printed; the caller frees. */
static char *run(mq_verb *verb, const char *word)
{
    static const struct mq_option json = {.name = "json"};
    struct mq_command_line line = {
        .words = {word}, .word_count = word != NULL, .values = {{&json, NULL}}, .value_count = 1};
    struct mq_call call = {.desk = &desk, .line = &line, .directory = directory};
    FILE *talk = fopen("/dev/null", "w");
    char *printed = NULL;
    size_t size;

    call.out = open_memstream(&printed, &size);
    call.talk = talk;
    assert_true(call.out != NULL && talk != NULL);
    must(verb(&call, &problem));
    fclose(call.out);
    fclose(talk);
    return printed;
}

static void begin_joining(void)
{
    char *printed = run(mq_verb_invite, NULL), *text = strstr(printed, "minqing:");

    assert_non_null(text);
    *strchr(text, '"') = '\0';
    must(mq_join_begin(joining, MQ_ROLE_CADRE, mq_span_text(text), &problem));
    must(mq_join_request(joining, home, "李四", &problem));
    free(printed);
}

static int setup(void **state)
{
    char path[400];

    (void)state;
    if (mq_crypto_start() != MQ_OK || directory_make() != 0)
        return -1;
    fake = mq_fake_new(7);
    pocket = mq_fake_new(8);
    machine = mq_fake_platform(fake);
    mq_fake_set_wall(fake, 1800000000);
    mq_fake_set_wall(pocket, 1800000000);
    mq_error_clear(&problem);
    phrase.size = strlen(PASSPHRASE);
    memcpy(phrase.bytes, PASSPHRASE, phrase.size);
    desk = (struct mq_desk){.platform = machine, .data = directory, .passphrase = &phrase, .transport = {NULL, post}};
    make_centre();
    free(run(mq_verb_team_add, "杉坪队"));
    must(mq_desk_sync(&desk, &problem));
    snprintf(path, sizeof path, "%s/device", directory);
    must(mq_replica_create(&home, mq_fake_platform(pocket), path, mq_span_text(PASSPHRASE), 8, &problem));
    joining = mq_work_memory(sizeof *joining);
    begin_joining();
    return 0;
}

static int teardown(void **state)
{
    char command[400];

    (void)state;
    mq_work_free(joining, sizeof *joining);
    mq_replica_close(home);
    mq_desk_close(&desk);
    store->verbs->close(store);
    mq_fake_free(fake);
    mq_fake_free(pocket);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

/* ---- what both ways have in common ---- */

static void assert_outside(void)
{
    struct mq_team team;

    mq_error_clear(&problem);
    assert_int_equal(mq_team_find(home, NULL, &team, &problem), MQ_NOT_FOUND);
    mq_error_clear(&problem);
}

/* The true request, until it is answered. */
static void ask(void)
{
    const struct mq_transport transport = {NULL, post};
    struct mq_post_answer answer = {0};

    joining->reply.size = 0;
    must(post(NULL, "/v1/enrol", mq_written(&joining->request), &joining->reply, &answer, &problem));
    must(mq_desk_sync(&desk, &problem));
    must(mq_join_ask(joining, home, &transport, 0, &problem));
}

static void assert_joins(void)
{
    struct mq_team team;
    char *printed;

    must(mq_join_finish(joining, home, "", &problem));
    must(mq_team_find(home, NULL, &team, &problem));
    printed = run(mq_verb_member_list, NULL);
    char *first = strstr(printed, "李四");
    assert_non_null(first);
    assert_null(strstr(first + 1, "李四")); /* once */
    free(printed);
}

/* What came instead of the request; the relay keeps it for the desk like any other, which refuses it. */
static void bring(struct mq_span request)
{
    uint8_t memory[MQ_ENROL_MAX];
    struct mq_buffer reply = mq_buffer(memory, sizeof memory);

    enum mq_status status = mq_relay_enrol(&relay, request, &reply, &problem);
    assert_true(status == MQ_WAITING || status == MQ_REFUSED || (status == MQ_OK && reply.size == 1));
    mq_error_clear(&problem);
}

/* ---- tests ---- */

/* A request cut at any byte or changed in any byte is refused, uses nothing up, and the true one behind it is answered. */
static void request_cut_and_changed(void **state)
{
    uint8_t copy[MQ_ENROL_REQUEST_MAX];
    size_t size = joining->request.size;

    (void)state;
    for (size_t at = 0; at < size; at++) {
        bring(mq_span(joining->request.data, at));
        memcpy(copy, joining->request.data, size);
        copy[at] ^= (uint8_t)(1u << at % 8);
        bring(mq_span(copy, size));
        if (at % 64 == 0)
            must(mq_desk_sync(&desk, &problem));
    }
    must(mq_desk_sync(&desk, &problem));
    assert_outside();
    ask();
    assert_joins();
}

/* A reply cut at any byte or changed in any bit lets the home join nothing; the true one, asked for again, does. */
static void reply_cut_and_changed(void **state)
{
    static uint8_t whole[MQ_ENROL_MAX];

    (void)state;
    ask();
    size_t size = joining->reply.size;
    memcpy(whole, joining->reply.data, size);
    for (size_t at = 0; at < size; at++) {
        joining->reply.size = at;
        assert_int_not_equal(mq_join_finish(joining, home, "", &problem), MQ_OK);
        assert_outside();
    }
    joining->reply.size = size;
    for (size_t bit = 0; bit < size * 8; bit++) {
        joining->reply.data[bit / 8] = (uint8_t)(whole[bit / 8] ^ 1u << bit % 8);
        assert_int_not_equal(mq_join_finish(joining, home, "", &problem), MQ_OK);
        joining->reply.data[bit / 8] = whole[bit / 8];
    }
    assert_outside();
    ask(); /* the relay keeps the answer: a lost one is fetched again */
    assert_joins();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_cut_and_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(reply_cut_and_changed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
