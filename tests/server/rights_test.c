/* Aim: the county says by name who reads restricted matters, and by what it hands out somebody does, or does no longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "protocol/identity_keys.h"
#include "replica/cases.h"
#include "replica/outgoing.h"
#include "replica/revoke.h"
#include "replica/sealed.h"
#include "replica/view.h"
#include "server/desk/call_keys.h"
#include "server/desk/member_keys.h"
#include "server/desk/rights_keys.h"
#include "tests/replica/village.h"

static struct village village;
static struct mq_error problem;

/* The village's devices as the county's members, with their tokens. */
static void enlist(void)
{
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        const struct village_member *device = &village.devices[i];
        uint8_t certificate[MQ_CERTIFICATE_SIZE], token_hash[MQ_ID_SIZE];
        char name[20];
        snprintf(name, sizeof name, "%s", i < 2 ? "李梅" : i == 2 ? "石小兰" : "赵永强");
        mq_certificate_encode(certificate, &device->team.certificate);
        mq_token_hash(token_hash, device->team.token);
        assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem,
                                   "INSERT OR REPLACE INTO member(sign_public, team, name, serial, certificate, token_hash, joined,"
                                   " reply) VALUES(?, ?, ?, ?, ?, ?, 0, x'')",
                                   "bbzibb", MQ_SPAN(device->team.certificate.sign_public), MQ_SPAN(device->team.team),
                                   name, (int64_t)device->team.certificate.serial, MQ_SPAN(certificate),
                                   MQ_SPAN(token_hash)),
                         MQ_OK);
    }
}

static enum mq_status right(const char *who, const char *what, bool take, char **printed)
{
    static const struct mq_option json = {.name = "json"}, taking = {.name = "take"};
    struct mq_desk desk = {.replica = village.desk.replica, .platform = village.desk.platform};
    struct mq_command_line line = {.words = {who, what},
                                   .word_count = 2,
                                   .values = {{&json, NULL}, {&taking, NULL}},
                                   .value_count = take ? 2 : 1};
    size_t size;
    struct mq_call call = {.desk = &desk, .line = &line, .directory = "/"};
    mq_error_clear(&problem);
    call.out = open_memstream(printed, &size);
    call.talk = call.out;
    assert_non_null(call.out);
    enum mq_status status = mq_verb_member_right(&call, &problem);
    fclose(call.out);
    return status;
}

static void done(const char *who, const char *what, bool take, const char *said)
{
    char *printed;
    enum mq_status status = right(who, what, take, &printed);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_non_null(strstr(printed, said));
    free(printed);
}

static void refused(const char *who, const char *what, bool take, const char *why)
{
    char *printed;
    assert_int_equal(right(who, what, take, &printed), MQ_REFUSED);
    assert_non_null(strstr(problem.text, why));
    free(printed);
}

static int64_t records(const struct village_member *member, const char *id)
{
    int64_t count;
    assert_int_equal(mq_db_number(mq_replica_db(member->replica), &count, &problem,
                                  "SELECT count(*) FROM record WHERE kind > 0 AND id = ?", "b",
                                  mq_span((const uint8_t *)id, strlen(id))),
                     MQ_OK);
    return count;
}

/* Ids as records hold them: CBOR text of three letters. */
#define FIRST "cM-1"
#define SECOND "cM-2"
#define THIRD "cM-3"

static void matter(const char *id)
{
    char json[200];
    snprintf(json, sizeof json, "{\"kind\":\"need\",\"id\":\"%s\",\"words\":\"账没有贴出来。\",\"category\":\"18\"}", id);
    village_add(&village.devices[0], json, NULL);
    village_sync_all(&village, 2);
}

/* Named, by the number or the name that `member list` shows, he reads what is written from then on; when the right is
 * taken, no longer. */
static void persons_are_named(void **state)
{
    (void)state;
    village_begin(&village, 700);
    enlist();
    village_sync_all(&village, 1);
    matter("M-1");
    done("石小兰", "restricted", false, "{\"name\":\"石小兰\",\"right\":\"restricted\",\"given\":true}");
    village_sync_all(&village, 2);
    matter("M-2");
    assert_int_equal(records(&village.devices[2], FIRST), 0);
    assert_int_equal(records(&village.devices[2], SECOND), 1);
    assert_int_equal(records(&village.devices[3], SECOND), 0);
    done("4", "restricted", true, "\"given\":false");
    village_sync_all(&village, 2);
    matter("M-3");
    assert_int_equal(records(&village.devices[2], THIRD), 0);
    assert_int_equal(records(&village.desk, THIRD), 1);
    village_end(&village);
}

/* What cannot be meant is refused with words, and nothing changes. */
static void mistakes_are_refused(void **state)
{
    (void)state;
    village_begin(&village, 701);
    enlist();
    refused("王五", "restricted", false, "王五");
    refused("李梅", "restricted", false, "several");
    refused("石小兰", "everything", false, "sensitive");
    refused("石小兰", "sensitive", false, "already"); /* from her invitation */
    refused("石小兰", "restricted", true, "does not have");
    village_end(&village);
}

/* The key of the sensitive fields comes to who is given the right later, with its past; taken, others go on without him. */
static void sensitive_fields_have_their_own_key(void **state)
{
    static const char *const count = "SELECT count(*) FROM grants JOIN mailbox USING(mailbox) WHERE compartment = 2"
                                     " AND key IS NOT NULL";
    int64_t keys;
    (void)state;
    village_begin(&village, 702);
    village_blind(&village, &village.devices[2]); /* only what the desk hands out here counts */
    village_blind(&village, &village.devices[3]);
    enlist();
    done("石小兰", "sensitive", true, "\"given\":false");
    village_sync_all(&village, 2);
    assert_int_equal(mq_db_number(mq_replica_db(village.devices[2].replica), &keys, &problem, count, ""), MQ_OK);
    assert_int_equal(keys, 0);
    assert_int_equal(mq_db_number(mq_replica_db(village.devices[3].replica), &keys, &problem, count, ""), MQ_OK);
    assert_int_equal(keys, 2); /* the new one, and by it the one before */
    done("石小兰", "sensitive", false, "\"given\":true");
    village_sync_all(&village, 2);
    assert_int_equal(mq_db_number(mq_replica_db(village.devices[2].replica), &keys, &problem, count, ""), MQ_OK);
    assert_int_equal(keys, 2);
    village_end(&village);
}

/* A sensitive value of an ordinary record, written by somebody without that right: sealed at once as well, read by those
 * who have it, and by him from when he is given it. */
static void written_without_the_right(void **state)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_HOUSEHOLD);
    struct village_member *writer = &village.devices[2];
    struct mq_saved saved;
    uint8_t memory[200], value_memory[8], id[MQ_ID_SIZE], mailbox[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, sizeof memory), value = mq_buffer(value_memory, sizeof value_memory);
    struct mq_grant grant;
    (void)state;
    village_begin(&village, 703);
    village_blind(&village, &village.devices[2]);
    village_blind(&village, &village.devices[3]);
    enlist();
    done("石小兰", "sensitive", true, "\"given\":false");
    village_sync_all(&village, 2);
    village_add(writer, "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"杉坪村\",\"head\":\"冉大珍\"}", &saved);
    village_sync_all(&village, 2);
    mq_mailbox(mailbox, writer->team.team, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_grant_newest(writer->replica, mailbox, &grant, &problem), MQ_OK); /* to write to */
    mq_cbor_put_text(&value, mq_span_text("老冉"));
    mq_change_put_set(&change, saved.record, mq_field_by_key(kind, mq_span_text("nickname"))->number, mq_written(&value),
                      mq_span(NULL, 0), mq_span(NULL, 0));
    assert_int_equal(mq_db_begin(writer->replica->db, &problem), MQ_OK);
    assert_int_equal(mq_seal_now(writer->replica, &writer->team, MQ_COMPARTMENT_SENSITIVE, mq_written(&change),
                                 saved.record, id, &problem),
                     MQ_OK);
    assert_int_equal(mq_db_commit(writer->replica->db, &problem), MQ_OK);
    village_sync_all(&village, 2);
    const struct village_member *const who[] = {&village.desk, &village.devices[3], writer};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            char *exported = village_export((struct village_member *)who[i]);
            assert_int_equal(strstr(exported, "老冉") != NULL, i < 2 || round == 1);
            free(exported);
        }
        if (round == 0)
            done("石小兰", "sensitive", false, "\"given\":true");
        village_sync_all(&village, 2);
    }
    assert_int_equal(village_safety(writer).anchored, 1);
    assert_int_equal(mq_view_rebuild(writer->replica, &problem), MQ_OK); /* and so he does when his view is made anew */
    char *exported = village_export(writer);
    assert_non_null(strstr(exported, "老冉"));
    free(exported);
    village_end(&village);
}

/* ---- a desk that was set back ---- */

struct ending {
    struct mq_desk desk;
    struct mq_member member;
};

static enum mq_status end_membership(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct ending *work = context;
    (void)replica;
    return mq_member_revoke(&work->desk, &work->member, error);
}

static enum mq_status settle_members(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct ending *work = context;
    (void)replica;
    return mq_members_settle(&work->desk, &village.desk.team, error);
}

/* The rights that the desk's newest access list gives the device's token. */
static uint8_t listed_rights(const struct village_member *device)
{
    struct mq_query *query;
    struct mq_control control;
    struct mq_access access = {.rights = 0};
    uint8_t hash[MQ_ID_SIZE], found = 0;
    mq_token_hash(hash, device->team.token);
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem,
                                 "SELECT bytes FROM outbox WHERE frame = 6 ORDER BY number DESC", ""),
                     MQ_OK);
    while (mq_db_next(&query, &problem)) {
        if (mq_control_decode(&control, mq_db_blob(query, 0)) != MQ_OK || control.kind != MQ_CONTROL_ACCESS)
            continue;
        struct mq_reader reader = mq_reader(control.body);
        while (mq_access_get(&access, &reader) == MQ_OK)
            if (memcmp(access.token_hash, hash, sizeof hash) == 0)
                found = access.rights;
        break;
    }
    mq_db_done(&query);
    return found;
}

/* A desk that was brought back from before a revocation hears of it, and takes that member's rights once more: in its list,
 * at the relay, and with new keys; once. */
static void who_was_revoked_stays_so(void **state)
{
    (void)state;
    village_begin(&village, 704);
    enlist();
    village_sync_all(&village, 1);
    village_keep(&village, &village.desk, "backup");
    struct ending work = {.desk = {.replica = village.desk.replica, .platform = village.desk.platform}};
    assert_int_equal(mq_member_find(&work.desk, "石小兰", &work.member, &problem), MQ_OK);
    assert_int_equal(mq_replica_transact(village.desk.replica, end_membership, &work, &problem), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(listed_rights(&village.devices[2]), MQ_ACCESS_REVOKED);
    assert_int_equal(mq_replica_transact(village.desk.replica, end_membership, &work, &problem), MQ_OK); /* as if not known */
    assert_int_equal(mq_member_find(&work.desk, "石小兰", &work.member, &problem), MQ_OK);
    assert_true(work.member.revoked);
    assert_int_equal(mq_replica_transact(village.desk.replica, end_membership, &work, &problem), MQ_REFUSED);
    mq_error_clear(&problem);

    village_bring_back(&village, &village.desk, "backup");
    work.desk.replica = village.desk.replica;
    assert_int_equal(mq_member_find(&work.desk, "石小兰", &work.member, &problem), MQ_OK);
    assert_false(work.member.revoked);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(mq_replica_transact(village.desk.replica, settle_members, &work, &problem), MQ_OK);
    assert_int_equal(mq_member_find(&work.desk, "石小兰", &work.member, &problem), MQ_OK);
    assert_true(work.member.revoked);
    assert_int_equal(listed_rights(&village.devices[2]), MQ_ACCESS_REVOKED);
    assert_true(listed_rights(&village.devices[3]) & MQ_ACCESS_MEMBER);
    village_end(&village);
}

/* ---- one key, several certificates ---- */

/* The device comes with another certificate of this county, as one may that joined anew after the desk was set back. */
static void certify_again(struct village_member *device, uint32_t serial)
{
    device->team.certificate.serial = serial;
    mq_certificate_sign(&device->team.certificate, mq_replica_identity(village.desk.replica));
    assert_int_equal(mq_team_put(device->replica, &device->team, &problem), MQ_OK);
    assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
    assert_int_equal(mq_streams_close(device->replica, &problem), MQ_OK);
}

/* The desk hears of a stream under that certificate. */
static void announce(struct village_member *device)
{
    struct mq_announce announce = {.certificate = device->team.certificate};
    uint8_t bytes[MQ_ANNOUNCE_SIZE];
    mq_announce_sign(&announce, mq_replica_identity(device->replica));
    mq_announce_encode(bytes, &announce);
    struct mq_frame frame = {.type = MQ_FRAME_ANNOUNCE, .payload = MQ_SPAN(bytes)};
    assert_int_equal(village_hear(&village.desk, &frame), 0);
}

static bool is_revoked(const struct mq_certificate *certificate)
{
    bool revoked;
    assert_int_equal(mq_revoked(village.desk.replica, certificate, &revoked, &problem), MQ_OK);
    return revoked;
}

static void revoke(const char *who)
{
    struct ending work = {.desk = {.replica = village.desk.replica, .platform = village.desk.platform}};
    enum mq_status status = mq_member_find(&work.desk, who, &work.member, &problem);
    if (status == MQ_OK)
        status = mq_replica_transact(village.desk.replica, end_membership, &work, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
}

static void add(struct village_member *device, const char *id)
{
    char json[200];
    snprintf(json, sizeof json, "{\"kind\":\"household\",\"id\":\"%s\",\"place\":\"990527103204\",\"head\":\"冉大珍\"}", id);
    village_add(device, json, NULL);
}

static void deliver(struct village_member *device)
{
    struct ending work = {.desk = {.replica = village.desk.replica, .platform = village.desk.platform}};
    assert_int_equal(village_sync(&village, device, NULL), MQ_OK);
    assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
    assert_int_equal(mq_replica_transact(village.desk.replica, settle_members, &work, &problem), MQ_OK);
}

/* However many certificates a key wrote under, each is revoked. */
static void every_certificate_is_revoked(void **state)
{
    enum { MANY = 70 };
    (void)state;
    village_begin(&village, 705);
    enlist();
    struct village_member *device = &village.devices[2];
    static struct mq_certificate all[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        certify_again(device, 100 + i);
        announce(device);
        all[i] = device->team.certificate;
    }
    revoke("石小兰");
    for (size_t i = 0; i < MANY; i++)
        assert_true(is_revoked(&all[i]));
    village_end(&village);
}

/* A certificate that the desk issued, forgot when it was set back, and had never seen a stream of: it comes to light after
 * the member was revoked. Nothing under it counts until a person lets it in. */
static void a_forgotten_certificate_comes_late(void **state)
{
    (void)state;
    village_begin(&village, 706);
    enlist();
    struct village_member *device = &village.devices[2];
    add(device, "H-1");
    village_sync_all(&village, 1);
    revoke("石小兰");
    certify_again(device, 100);
    add(device, "H-2");
    deliver(device);
    assert_true(is_revoked(&device->team.certificate));
    assert_int_equal(records(&village.desk, "cH-1"), 1);
    assert_int_equal(records(&village.desk, "cH-2"), 0);
    deliver(device);
    assert_int_equal(records(&village.desk, "cH-2"), 0);
    village_end(&village);
}

/* The township's key under one certificate more, which the desk hears of now. */
static struct mq_certificate township_again(uint32_t serial)
{
    struct mq_certificate again = village.township.team.certificate;
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    again.serial = serial;
    mq_certificate_sign(&again, &village.root);
    mq_certificate_encode(bytes, &again);
    struct mq_frame frame = {.type = MQ_FRAME_CERTIFICATE, .payload = MQ_SPAN(bytes)};
    assert_int_equal(village_hear(&village.desk, &frame), 0);
    return again;
}

/* A township's desk that writes nothing is known by its certificates alone: each is revoked, those that the desk hears of
 * later too, and though the desk, set back, has it in no list. */
static void a_silent_townships_certificates_are_revoked(void **state)
{
    char number[12];
    (void)state;
    village_begin(&village, 708);
    village_township(&village);
    enlist();
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem, "DELETE FROM member WHERE sign_public = ?", "b",
                               MQ_SPAN(village.township.team.certificate.sign_public)),
                     MQ_OK);
    struct mq_certificate first = village.township.team.certificate, second = township_again(150);
    snprintf(number, sizeof number, "%u", first.serial);
    revoke(number);
    assert_true(is_revoked(&first));
    assert_true(is_revoked(&second));
    struct mq_certificate third = township_again(160);
    struct ending work = {.desk = {.replica = village.desk.replica, .platform = village.desk.platform}};
    assert_int_equal(mq_replica_transact(village.desk.replica, settle_members, &work, &problem), MQ_OK);
    assert_true(is_revoked(&third));
    village_end(&village);
}

static enum mq_status known_at_relay(const uint8_t token_hash[MQ_ID_SIZE])
{
    struct mq_access access;
    uint8_t team[MQ_ID_SIZE];
    return village.store->verbs->access(village.store, token_hash, &access, team, &problem);
}

/* Who joined after the backup that the desk was brought back from is no member that it knows of: by the number in what he
 * wrote his rights are taken all the same. The relay is told no token of his, for the desk knows none. */
static void who_is_not_listed_can_be_revoked(void **state)
{
    static const uint8_t none[MQ_ID_SIZE];
    uint8_t listed[MQ_ID_SIZE];
    (void)state;
    village_begin(&village, 707);
    enlist();
    struct village_member *device = &village.devices[2];
    add(device, "H-1");
    village_sync_all(&village, 1);
    assert_int_equal(mq_db_run(mq_replica_db(village.desk.replica), &problem, "DELETE FROM member WHERE serial = 4", ""), MQ_OK);
    assert_int_equal(device->team.certificate.serial, 4);
    revoke("4");
    assert_true(is_revoked(&device->team.certificate));
    mq_token_hash(listed, village.devices[3].team.token);
    assert_int_equal(known_at_relay(listed), MQ_OK);
    assert_int_equal(known_at_relay(none), MQ_NOT_FOUND);
    mq_error_clear(&problem);
    add(device, "H-2");
    struct ending work = {.desk = {.replica = village.desk.replica, .platform = village.desk.platform}};
    assert_int_equal(mq_member_find(&work.desk, "4", &work.member, &problem), MQ_OK);
    assert_true(work.member.revoked);
    assert_int_equal(mq_replica_transact(village.desk.replica, end_membership, &work, &problem), MQ_REFUSED);
    mq_error_clear(&problem);
    certify_again(device, 101);
    announce(device);
    assert_int_equal(mq_replica_transact(village.desk.replica, settle_members, &work, &problem), MQ_OK);
    assert_true(is_revoked(&device->team.certificate));
    assert_int_equal(mq_member_find(&work.desk, "77", &work.member, &problem), MQ_REFUSED);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persons_are_named),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(sensitive_fields_have_their_own_key),
        cmocka_unit_test(written_without_the_right),
        cmocka_unit_test(who_was_revoked_stays_so),
        cmocka_unit_test(every_certificate_is_revoked),
        cmocka_unit_test(a_forgotten_certificate_comes_late),
        cmocka_unit_test(a_silent_townships_certificates_are_revoked),
        cmocka_unit_test(who_is_not_listed_can_be_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
