/* tidy: long, every way to join needs the same centre and relay */
/* Aim: the desk makes a centre that devices can join: teams with root-signed certificates, invitations that work once,
 * replies that open on the device and only there, access lists that let members in and strangers not; all through the
 * real relay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/fake.h"
#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "protocol/recovery_keys.h"
#include "server/desk/call_keys.h"
#include "replica/cases.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/reach.h"
#include "server/desk/root_keys.h"
#include "server/relay/relay.h"
#include "tests/server/centre.h"

#define DAY 86400

static uint8_t reply_memory[MQ_REPLY_MAX];

/* ---- a centre in one process ---- */

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    (void)context;
    (void)path;
    answer->http_status = 200;
    return mq_relay_exchange(&relay, body, reply, error);
}

static int setup(void **state)
{
    const struct mq_reach reach = {.url = "https://127.0.0.1:8420", .pin = {1}};

    (void)state;
    if (centre_begin((struct mq_transport){NULL, post}) != 0)
        return -1;
    must(mq_reach_write(machine, directory, &reach, &problem));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return centre_end();
}

/* ---- commands ---- */

/* Runs a verb with one word (or NULL), --json, and one more option (or NULL); what it printed comes back, the caller
 * frees. */
static enum mq_status run_with(mq_verb *verb, const char *word, const char *name, const char *value, char **printed)
{
    static const struct mq_option json = {.name = "json"};
    const struct mq_option option = {.name = name};
    struct mq_command_line line = {.words = {word},
                                   .word_count = word != NULL,
                                   .values = {{&json, NULL}, {&option, value}},
                                   .value_count = name != NULL ? 2 : 1};
    size_t size;
    struct mq_call call = {.desk = &desk, .line = &line, .directory = directory};
    FILE *talk = fopen("/dev/null", "w");

    *printed = NULL;
    call.out = open_memstream(printed, &size);
    call.talk = talk;
    assert_true(call.out != NULL && talk != NULL);
    mq_error_clear(&problem);
    enum mq_status status = verb(&call, &problem);
    fclose(call.out);
    fclose(talk);
    return status;
}

static enum mq_status run(mq_verb *verb, const char *word, char **printed)
{
    return run_with(verb, word, NULL, NULL, printed);
}

static void run_well(mq_verb *verb, const char *word)
{
    char *printed;
    enum mq_status status = run(verb, word, &printed);

    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    free(printed);
}

static void sync_desk(void)
{
    mq_error_clear(&problem);
    enum mq_status status = mq_desk_sync(&desk, &problem);

    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

static struct mq_invitation invite_with(const char *option, const char *value)
{
    char *printed;
    struct mq_invitation invitation;

    assert_int_equal(run_with(mq_verb_invite, NULL, option, value, &printed), MQ_OK);
    char *text = strstr(printed, "minqing:");
    assert_non_null(text);
    *strchr(text, '"') = '\0';
    assert_int_equal(mq_invitation_parse(&invitation, mq_span_text(text)), MQ_OK);
    free(printed);
    return invitation;
}

static struct mq_invitation invite(void)
{
    return invite_with(NULL, NULL);
}

/* ---- a device ---- */

struct device {
    struct mq_identity identity;
    uint8_t request_memory[MQ_ENROL_REQUEST_MAX], reply_memory[MQ_ENROL_MAX];
    struct mq_buffer request, reply;
};

static void make_request(struct device *device, const struct mq_invitation *invitation)
{
    struct mq_enrol_request asked = {.name = "李四"};
    struct mq_secret ephemeral;

    mq_random(machine, &ephemeral, sizeof ephemeral);
    memcpy(asked.sign_public, device->identity.sign_public, MQ_PUBLIC_SIZE);
    memcpy(asked.box_public, device->identity.box_public, MQ_PUBLIC_SIZE);
    device->request = mq_buffer(device->request_memory, sizeof device->request_memory);
    assert_int_equal(mq_enrol_request_seal(&device->request, &asked, invitation, &device->identity, &ephemeral), MQ_OK);
}

static void make_device(struct device *device, const struct mq_invitation *invitation)
{
    struct mq_secret seeds[2];

    mq_random(machine, seeds, sizeof seeds);
    mq_identity_from_seeds(&device->identity, &seeds[0], &seeds[1]);
    make_request(device, invitation);
}

/* Brings the request to the relay, lets the desk work, and fetches the answer. */
static void bring(struct device *device)
{
    device->reply = mq_buffer(device->reply_memory, sizeof device->reply_memory);
    enum mq_status first = mq_relay_enrol(&relay, mq_written(&device->request), &device->reply, &problem);
    assert_true(first == MQ_WAITING || first == MQ_OK); /* OK: the same request was answered before */
    sync_desk();
    device->reply.size = 0;
    assert_int_equal(mq_relay_enrol(&relay, mq_written(&device->request), &device->reply, &problem), MQ_OK);
}

static void assert_refused(const struct device *device, enum mq_enrol_refusal why)
{
    assert_int_equal(device->reply.size, 1);
    assert_int_equal(device->reply.data[0], why);
}

static enum mq_reply_status exchange(const uint8_t token[MQ_TOKEN_SIZE])
{
    uint8_t memory[1024];
    struct mq_buffer bytes = mq_buffer(memory, sizeof memory), reply = mq_buffer(reply_memory, sizeof reply_memory);
    struct mq_request request = {.budget = MQ_REPLY_MAX};
    struct mq_reply answer;

    memcpy(request.token, token, MQ_TOKEN_SIZE);
    mq_request_put(&bytes, &request);
    mq_exchange_end(&bytes);
    assert_int_equal(mq_relay_exchange(&relay, mq_written(&bytes), &reply, &problem), MQ_OK);
    struct mq_reader reader = mq_reader(mq_written(&reply));
    assert_int_equal(mq_reply_get(&answer, 0, &reader), MQ_OK);
    return answer.status;
}

/* The device joins a new team, and opens the answer. */
static void join(struct device *device, struct mq_enrol_reply *reply)
{
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite();
    make_device(device, &invitation);
    bring(device);
    assert_int_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), &invitation, MQ_ROLE_CADRE, &device->identity), MQ_OK);
}

/* ---- tests ---- */

/* A device that joins gets a certificate that chains to the root, the team's key, and a token that the relay knows. */
static void test_join(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);
    struct mq_secret key;
    static const uint8_t unwrapped[MQ_WRAP_SIZE];
    uint8_t stranger[MQ_TOKEN_SIZE] = {9};
    char *printed;

    (void)state;
    assert_true(device != NULL && reply != NULL);
    join(device, reply);
    assert_int_equal(reply->certificate.role, MQ_ROLE_CADRE);
    assert_int_equal(reply->certificate.expiry_day, 1800000000 / DAY + MQ_CADRE_DAYS);
    assert_int_equal(mq_certificate_verify(&reply->certificate, relay.root_public, &reply->desk, 1), MQ_OK);
    assert_int_equal(reply->grant_count, 3);
    assert_int_equal(mq_wrap_open(&key, MQ_SPAN(reply->wraps[0]), &reply->grants[0], &device->identity), MQ_OK);
    assert_int_equal(reply->grants[1].compartment, MQ_COMPARTMENT_RESTRICTED); /* to write to, not to read */
    assert_memory_equal(reply->wraps[1], unwrapped, sizeof unwrapped);
    assert_int_equal(reply->grants[2].compartment, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_wrap_open(&key, MQ_SPAN(reply->wraps[2]), &reply->grants[2], &device->identity), MQ_OK);
    assert_int_equal(exchange(reply->token), MQ_REPLY_OK);
    assert_int_equal(exchange(stranger), MQ_REPLY_STRANGER);
    assert_int_equal(run(mq_verb_member_list, NULL, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"name\":\"李四\""));
    free(printed);
    free(device);
    free(reply);
}

/* Who asks again, in the same words or in new ones under the same keys, gets the same answer, and stays one member. */
static void test_again(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    uint8_t first[MQ_ENROL_MAX];
    int64_t members;

    (void)state;
    assert_non_null(device);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite();
    make_device(device, &invitation);
    bring(device);
    size_t size = device->reply.size;
    memcpy(first, device->reply.data, size);
    bring(device);
    assert_true(mq_span_equal(mq_written(&device->reply), mq_span(first, size)));
    make_request(device, &invitation);
    bring(device);
    assert_true(mq_span_equal(mq_written(&device->reply), mq_span(first, size)));
    assert_int_equal(mq_db_number(mq_replica_db(desk.replica), &members, &problem, "SELECT count(*) FROM member", ""),
                     MQ_OK);
    assert_int_equal(members, 1);
    free(device);
}

/* A used invitation, an expired one, one of another secret and one that is void are each refused by their reason. */
static void test_refusals(void **state)
{
    struct device *device = calloc(1, sizeof *device);

    (void)state;
    assert_non_null(device);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation used = invite(), late = invite(), void_one = invite(), forged = invite();
    make_device(device, &used);
    bring(device);
    assert_true(device->reply.size > 1);
    make_device(device, &used);
    bring(device);
    assert_refused(device, MQ_ENROL_USED);

    forged.secret[0] ^= 1;
    make_device(device, &forged);
    bring(device);
    assert_refused(device, MQ_ENROL_UNKNOWN);
    forged.secret[0] ^= 1;
    make_device(device, &forged);
    device->request.data[device->request.size - 1] ^= 1;
    bring(device);
    assert_refused(device, MQ_ENROL_WRONG);

    mq_fake_advance(fake, 7 * DAY);
    make_device(device, &forged);
    bring(device);
    assert_true(device->reply.size > 1); /* the last day still counts */
    mq_fake_advance(fake, DAY);
    make_device(device, &late);
    bring(device);
    assert_refused(device, MQ_ENROL_EXPIRED);
    assert_int_equal(mq_invitations_void(&desk, &problem), MQ_OK);
    make_device(device, &void_one);
    bring(device);
    assert_refused(device, MQ_ENROL_USED);
    free(device);
}

/* A reply is of no use to another device, and none to the right one when a bit of it is changed. */
static void test_reply_is_for_one(void **state)
{
    struct device *device = calloc(1, sizeof *device), *other = calloc(1, sizeof *other);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);

    (void)state;
    assert_true(device != NULL && other != NULL && reply != NULL);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite();
    make_device(device, &invitation);
    make_device(other, &invitation);
    bring(device);
    assert_int_not_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), &invitation, MQ_ROLE_CADRE, &other->identity), MQ_OK);
    device->reply.data[device->reply.size / 2] ^= 4;
    assert_int_not_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), &invitation, MQ_ROLE_CADRE, &device->identity), MQ_OK);
    free(device);
    free(other);
    free(reply);
}

/* By files: the same judgement in words, and the same member when the file comes twice. */
static void test_by_files(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);

    (void)state;
    assert_true(device != NULL && reply != NULL);
    run_well(mq_verb_team_add, "杉坪队");
    struct mq_invitation invitation = invite();
    make_device(device, &invitation);
    device->reply = mq_buffer(device->reply_memory, sizeof device->reply_memory);
    assert_int_equal(mq_enrol_admit(&desk, mq_written(&device->request), NULL, &device->reply, &problem), MQ_OK);
    assert_int_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), &invitation, MQ_ROLE_CADRE, &device->identity), MQ_OK);
    make_device(device, &invitation);
    device->reply.size = 0;
    assert_int_equal(mq_enrol_admit(&desk, mq_written(&device->request), NULL, &device->reply, &problem), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "used"));
    sync_desk();
    assert_int_equal(exchange(reply->token), MQ_REPLY_OK);
    free(device);
    free(reply);
}

/* A second team has a certificate, a key and members of its own; a name is given once; the wrong passphrase makes none.
 */
static void test_teams(void **state)
{
    char *printed;
    struct mq_team *teams;
    size_t count;

    (void)state;
    run_well(mq_verb_team_add, "杉坪队");
    run_well(mq_verb_team_add, "柳溪队");
    assert_int_equal(run(mq_verb_team_add, "柳溪队", &printed), MQ_REFUSED);
    free(printed);
    assert_int_equal(run(mq_verb_team_add, "two\nlines", &printed), MQ_REFUSED);
    free(printed);
    assert_int_equal(run(mq_verb_invite, NULL, &printed), MQ_REFUSED); /* which of the two? */
    free(printed);
    phrase.bytes[0] ^= 1;
    assert_int_equal(run(mq_verb_team_add, "桑坪队", &printed), MQ_WRONG_KEY);
    free(printed);
    sync_desk();
    mq_error_clear(&problem);
    assert_int_equal(mq_desk_teams(&desk, &teams, &count, &problem), MQ_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(mq_certificate_verify(&teams[i].certificate, relay.root_public, NULL, 0), MQ_OK);
        assert_int_equal(exchange(teams[i].token), MQ_REPLY_OK);
    }
    assert_memory_not_equal(teams[0].certificate.team, teams[1].certificate.team, MQ_ID_SIZE);
    assert_memory_not_equal(teams[0].token, teams[1].token, MQ_TOKEN_SIZE);
    free(teams);
}

/* A relay whose store was emptied is told everything again: the member's token works there too. */
static void test_emptied_store(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);

    (void)state;
    assert_true(device != NULL && reply != NULL);
    join(device, reply);
    store->verbs->close(store);
    directory_empty();
    assert_int_equal(mq_store_sqlite_open(&store, machine, store_path, &problem), MQ_OK);
    relay.store = store;
    assert_int_equal(exchange(reply->token), MQ_REPLY_STRANGER);
    sync_desk();
    assert_int_equal(exchange(reply->token), MQ_REPLY_OK);
    free(device);
    free(reply);
}

/* ---- a lost device ---- */

/* Who was revoked does not come back with the same keys, neither by his invitation nor by a new one; his token stays known to
 * the relay as a revoked one; he is listed so, and is found by his name only until another has it. */
static void test_revoked(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);
    struct mq_access access;
    uint8_t hash[MQ_ID_SIZE], team[MQ_ID_SIZE];
    char *printed, serial[16];

    (void)state;
    assert_true(device != NULL && reply != NULL);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite(), next = invite();
    make_device(device, &invitation);
    bring(device);
    assert_int_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), &invitation, MQ_ROLE_CADRE, &device->identity),
                     MQ_OK);
    snprintf(serial, sizeof serial, "%u", (unsigned)reply->certificate.serial);
    assert_int_equal(run(mq_verb_member_held, serial, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"revoked\":false,\"held\":{}"));
    free(printed);
    assert_int_equal(run(mq_verb_member_revoke, serial, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"revoked\":true"));
    free(printed);
    sync_desk();
    assert_int_equal(run(mq_verb_member_revoke, serial, &printed), MQ_REFUSED);
    free(printed);
    assert_int_equal(run(mq_verb_member_list, NULL, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"state\":\"revoked\""));
    free(printed);
    mq_token_hash(hash, reply->token);
    assert_int_equal(store->verbs->access(store, hash, &access, team, &problem), MQ_OK);
    assert_int_equal(access.rights, MQ_ACCESS_REVOKED);
    bring(device); /* the same request again */
    assert_true(device->reply.size > 1); /* the relay still has what it was answered then; the desk answers no more: */
    device->reply.size = 0;
    assert_int_equal(mq_enrol_admit(&desk, mq_written(&device->request), NULL, &device->reply, &problem), MQ_REFUSED);
    make_request(device, &next); /* with the keys that it has */
    device->reply.size = 0;
    assert_int_equal(mq_enrol_admit(&desk, mq_written(&device->request), NULL, &device->reply, &problem), MQ_REFUSED);
    free(device);
    free(reply);
}

/* What the owner of a device that wants recovery hands in, and his code. */
static struct mq_span forgotten(const struct device *device, const struct mq_enrol_reply *reply, char code[MQ_RECOVER_CODE_SIZE])
{
    static uint8_t file_memory[MQ_RECOVERY_SIZE], memory[MQ_RECOVER_REQUEST_SIZE];
    struct mq_buffer file = mq_buffer(file_memory, sizeof file_memory), request = mq_buffer(memory, sizeof memory);
    struct mq_secret store_key, ephemeral;

    mq_random(machine, &store_key, sizeof store_key);
    mq_random(machine, &ephemeral, sizeof ephemeral);
    assert_int_equal(mq_recovery_seal(&file, &reply->certificate, &store_key, reply->desk.box_public, &device->identity, &ephemeral),
                     MQ_OK);
    mq_recover_request_put(&request, mq_written(&file), device->identity.box_public);
    assert_false(request.failed);
    mq_recover_code(code, mq_written(&request));
    return mq_written(&request);
}

static enum mq_status recover(struct mq_span request, const char *code)
{
    static const struct mq_option with_code = {.name = "code"}, with_reason = {.name = "reason"};
    const struct mq_command_line line = {.words = {"request"},
                                         .word_count = 1,
                                         .values = {{&with_code, code}, {&with_reason, "本人来电"}},
                                         .value_count = 2};
    FILE *nowhere = fopen("/dev/null", "w");
    struct mq_call call = {.desk = &desk, .line = &line, .directory = directory, .input = request, .out = nowhere, .talk = nowhere};

    assert_non_null(nowhere);
    mq_error_clear(&problem);
    enum mq_status status = mq_verb_member_recover(&call, &problem);
    fclose(nowhere);
    return status;
}

/* The desk's store put aside, or brought back in its place. */
static void copy_desk(const char *from, const char *to)
{
    char command[900], path[400];

    mq_replica_close(desk.replica);
    snprintf(command, sizeof command, "cd %s && rm -rf %s && cp -r %s %s", directory, to, from, to);
    assert_int_equal(system(command), 0);
    in_directory(path, "desk");
    assert_int_equal(mq_replica_open(&desk.replica, machine, path, mq_span_text(PASSPHRASE), 0, &problem), MQ_OK);
}

/* A desk that was set back to before a revocation opens that device for nobody: it hears first what the server has. */
static void test_forgotten_by_a_restored_desk(void **state)
{
    struct device *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);
    char *printed, serial[16], code[MQ_RECOVER_CODE_SIZE];

    (void)state;
    assert_true(device != NULL && reply != NULL);
    join(device, reply);
    struct mq_span request = forgotten(device, reply, code);
    assert_int_equal(recover(request, code), MQ_OK);
    copy_desk("desk", "desk-before");
    snprintf(serial, sizeof serial, "%u", (unsigned)reply->certificate.serial);
    assert_int_equal(run(mq_verb_member_revoke, serial, &printed), MQ_OK);
    free(printed);
    sync_desk();
    copy_desk("desk-before", "desk");
    assert_int_equal(recover(request, code), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "revoked"));
    free(device);
    free(reply);
}

/* ---- a township's desk ---- */

/* The answer in `device` makes it a desk of the invitation's team, certified by the root, and known to the relay. */
static void assert_is_desk(struct device *device, const struct mq_invitation *invitation)
{
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);
    struct mq_certificate known[MQ_DESKS_MAX];
    uint8_t own[MQ_CERTIFICATE_SIZE], other[MQ_CERTIFICATE_SIZE];
    size_t count, found = 0;

    assert_non_null(reply);
    assert_int_equal(mq_enrol_reply_open(reply, mq_written(&device->reply), invitation, MQ_ROLE_DESK, &device->identity),
                     MQ_OK);
    assert_int_equal(mq_certificate_verify(&reply->certificate, relay.root_public, NULL, 0), MQ_OK);
    assert_int_equal(reply->certificate.expiry_day, mq_desk_today(&desk) + MQ_DESK_DAYS);
    assert_int_equal(reply->grant_count, 3);
    assert_int_equal(exchange(reply->token), MQ_REPLY_OK);
    mq_certificate_encode(own, &reply->certificate);
    assert_int_equal(store->verbs->desks(store, known, MQ_DESKS_MAX, &count, &problem), MQ_OK);
    for (size_t i = 0; i < count; i++) {
        mq_certificate_encode(other, &known[i]);
        found += memcmp(own, other, sizeof own) == 0;
    }
    assert_int_equal(found, 1);
    free(reply);
}

/* A township's desk is certified by the root at once where its key is at hand, for the role of the invitation and no
 * other; and is listed with it. */
static void test_township(void **state)
{
    struct device *township = calloc(1, sizeof *township), *device = calloc(1, sizeof *device);
    struct mq_enrol_reply *reply = calloc(1, sizeof *reply);
    char *printed;

    (void)state;
    assert_true(township != NULL && device != NULL && reply != NULL);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite_with("role", "desk"), other = invite_with("role", "cadre");
    assert_int_equal(run_with(mq_verb_invite, NULL, "role", "root", &printed), MQ_REFUSED);
    free(printed);
    make_device(township, &invitation);
    bring(township);
    sync_desk();
    assert_is_desk(township, &invitation);
    make_device(device, &other);
    bring(device);
    assert_int_not_equal(
        mq_enrol_reply_open(reply, mq_written(&device->reply), &other, MQ_ROLE_DESK, &device->identity), MQ_OK);
    assert_int_equal(
        mq_enrol_reply_open(reply, mq_written(&device->reply), &other, MQ_ROLE_CADRE, &device->identity), MQ_OK);
    assert_int_equal(run(mq_verb_member_list, NULL, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"role\":\"desk\""));
    assert_non_null(strstr(printed, "\"role\":\"cadre\""));
    free(printed);
    free(township);
    free(device);
    free(reply);
}

/* Without the root's key a desk's request waits, past the invitation's last day too, and is refused nothing; whoever
 * brings the key answers it. The wrong key, or none, changes nothing. */
static void test_township_waits_for_root(void **state)
{
    struct device *township = calloc(1, sizeof *township);
    char *printed, key[400], stick[400];
    int64_t waiting;

    (void)state;
    assert_non_null(township);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    in_directory(key, "root.key");
    in_directory(stick, "stick");
    assert_int_equal(rename(key, stick), 0);
    struct mq_invitation invitation = invite_with("role", "desk");
    make_device(township, &invitation);
    township->reply = mq_buffer(township->reply_memory, sizeof township->reply_memory);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mq_relay_enrol(&relay, mq_written(&township->request), &township->reply, &problem), MQ_WAITING);
        sync_desk();
    }
    assert_int_equal(mq_enrol_waiting(&desk, &waiting, &problem), MQ_OK);
    assert_int_equal(waiting, 1);
    assert_int_equal(run(mq_verb_member_admit, NULL, &printed), MQ_NOT_FOUND);
    free(printed);
    phrase.bytes[0] ^= 1;
    assert_int_equal(run_with(mq_verb_member_admit, NULL, "root", stick, &printed), MQ_WRONG_KEY);
    free(printed);
    phrase.bytes[0] ^= 1;
    mq_fake_advance(fake, 8 * DAY);
    assert_int_equal(run_with(mq_verb_member_admit, NULL, "root", stick, &printed), MQ_OK);
    assert_non_null(strstr(printed, "\"admitted\":1"));
    free(printed);
    sync_desk();
    bring(township);
    assert_is_desk(township, &invitation);
    assert_int_equal(mq_enrol_waiting(&desk, &waiting, &problem), MQ_OK);
    assert_int_equal(waiting, 0);
    assert_int_equal(run_with(mq_verb_member_admit, NULL, "root", stick, &printed), MQ_REFUSED); /* nobody waits */
    free(printed);
    free(township);
}

/* A root key's file that is damaged is said, and nobody is left waiting for it; repaired, the same request is answered. */
static void test_township_and_damaged_root(void **state)
{
    struct device *township = calloc(1, sizeof *township);
    char key[400], stick[400];
    int64_t waiting;

    (void)state;
    assert_non_null(township);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation invitation = invite_with("role", "desk");
    in_directory(key, "root.key");
    in_directory(stick, "stick");
    assert_int_equal(rename(key, stick), 0);
    assert_int_equal(desk.platform->write(desk.platform->self, key, mq_span_text("?"), &problem), MQ_OK);
    make_device(township, &invitation);
    township->reply = mq_buffer(township->reply_memory, sizeof township->reply_memory);
    assert_int_equal(mq_relay_enrol(&relay, mq_written(&township->request), &township->reply, &problem), MQ_WAITING);
    assert_int_equal(mq_desk_sync(&desk, &problem), MQ_DAMAGED);
    assert_non_null(strstr(problem.text, "root.key"));
    mq_error_clear(&problem);
    assert_int_equal(mq_enrol_waiting(&desk, &waiting, &problem), MQ_OK);
    assert_int_equal(waiting, 0);
    assert_int_equal(rename(stick, key), 0);
    sync_desk();
    bring(township);
    assert_is_desk(township, &invitation);
    free(township);
}

/* The same desk joins a second team under the same keys, with another certificate and token. */
static void test_township_of_two_teams(void **state)
{
    struct device *township = calloc(1, sizeof *township);
    struct mq_team *teams;
    size_t count;

    (void)state;
    assert_non_null(township);
    run_well(mq_verb_team_add, "杉坪队");
    sync_desk();
    struct mq_invitation first = invite_with("role", "desk");
    make_device(township, &first);
    bring(township);
    sync_desk();
    assert_is_desk(township, &first);
    run_well(mq_verb_team_add, "柳溪队");
    sync_desk();
    assert_int_equal(mq_desk_teams(&desk, &teams, &count, &problem), MQ_OK);
    assert_int_equal(count, 2);
    const struct mq_team *other = memcmp(teams[0].team, first.desk.team, MQ_ID_SIZE) == 0 ? &teams[1] : &teams[0];
    struct mq_invitation second = {.expiry_day = first.expiry_day, .url = "https://127.0.0.1:8420"};
    assert_int_equal(mq_invitation_make(&desk, other, MQ_ROLE_DESK, MQ_RIGHT_SENSITIVE, &second, &problem), MQ_OK);
    make_request(township, &second);
    bring(township);
    sync_desk();
    assert_is_desk(township, &second);
    free(teams);
    free(township);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_join, setup, teardown),
        cmocka_unit_test_setup_teardown(test_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reply_is_for_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_teams, setup, teardown),
        cmocka_unit_test_setup_teardown(test_emptied_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_revoked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgotten_by_a_restored_desk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_township, setup, teardown),
        cmocka_unit_test_setup_teardown(test_township_waits_for_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_township_and_damaged_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_township_of_two_teams, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
