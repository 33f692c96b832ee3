/* The small world of village.h. */
#include "tests/replica/village.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/identity_keys.h"
#include "replica/admit.h"
#include "replica/cases.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"
#include "replica/revoke.h"
#include "replica/rotate.h"

#define PASSPHRASE "correct horse battery staple"
#define KDF_MIB 8

static struct mq_error problem;

/* ---- the network ---- */

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct village *village = context;
    (void)path;
    village->requests++;
    village->mailboxes = body.data[1];
    answer->bytes_up = (uint32_t)body.size;
    if (village->drop_requests > 0 && village->drop_requests--)
        return mq_fail(error, MQ_UNREACHABLE, "the request was lost");
    enum mq_status status = mq_relay_exchange(&village->relay, body, reply, error);
    answer->http_status = status == MQ_OK ? 200 : status == MQ_REFUSED ? 400 : 500;
    answer->bytes_down = (uint32_t)reply->size;
    if (status != MQ_OK)
        mq_error_clear(error);
    if (village->drop_replies > 0 && village->drop_replies--) {
        reply->size = 0;
        return mq_fail(error, MQ_UNREACHABLE, "the reply was lost");
    }
    if (village->cut_reply_at > 0 && village->cut_reply_at < reply->size)
        reply->size = village->cut_reply_at;
    village->cut_reply_at = 0;
    return MQ_OK;
}

struct mq_transport village_transport(struct village *village)
{
    return (struct mq_transport){.context = village, .post = post};
}

static enum mq_status desk_between(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct village_member *desk = context;
    return mq_receipts_make(desk->replica, team, error);
}

static enum mq_status rotate_one(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_rotate(replica, context, error);
}

void village_rotate(struct village *village)
{
    assert_int_equal(mq_replica_transact(village->desk.replica, rotate_one, &village->desk.team, &problem), MQ_OK);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

enum mq_status village_sync(struct village *village, struct village_member *member, struct mq_sync_result *result)
{
    const struct mq_transport transport = village_transport(village);
    const struct mq_sync_hooks hooks = {.context = member, .between = desk_between};
    struct mq_sync_result ignored = {0};
    mq_error_clear(&problem);
    bool is_desk = mq_role_is_desk(member->team.certificate.role);
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + 20000;
    enum mq_status status =
        mq_sync(member->replica, &member->team, &transport, is_desk ? &hooks : NULL, deadline,
                result != NULL ? result : &ignored, &problem);
    if (status != MQ_OK)
        print_message("sync: %s\n", problem.text);
    return status;
}

void village_sync_all(struct village *village, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        for (int d = 0; d < VILLAGE_DEVICES; d++)
            if (village->devices[d].replica != NULL)
                assert_int_equal(village_sync(village, &village->devices[d], NULL), MQ_OK);
        assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
    }
}

void village_relay_open(struct village *village, const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", village->directory, file);
    assert_int_equal(mq_store_sqlite_open(&village->store, village->relay.platform, path, &problem), MQ_OK);
    village->relay.store = village->store;
}

void village_relay_empty(struct village *village)
{
    village->store->verbs->close(village->store);
    village_relay_open(village, "relay-empty.db");
}

/* ---- members ---- */

static void certify(struct village *village, struct village_member *member, const struct mq_identity *issuer,
                    enum mq_role role, uint32_t serial)
{
    const struct mq_identity *own = mq_replica_identity(member->replica);
    struct mq_certificate *certificate = &member->team.certificate;
    *certificate = (struct mq_certificate){.role = role, .serial = serial, .issued_day = 20000, .expiry_day = 22000};
    memset(certificate->team, 0x54, MQ_ID_SIZE);
    memcpy(certificate->sign_public, own->sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate->box_public, own->box_public, MQ_PUBLIC_SIZE);
    mq_certificate_sign(certificate, issuer);
    memcpy(member->team.team, certificate->team, MQ_ID_SIZE);
    mq_mailbox(member->team.mailbox, member->team.team, 0);
    snprintf(member->team.name, sizeof member->team.name, "%s", "杉坪队");
    memset(member->team.token, (int)serial + 1, MQ_TOKEN_SIZE);
    assert_int_equal(mq_root_put(member->replica, village->root.sign_public, &problem), MQ_OK);
    assert_int_equal(mq_team_put(member->replica, &member->team, &problem), MQ_OK);
}

static const struct mq_platform *machine_make(struct village *village, struct mq_fake **fake, unsigned number,
                                              uint64_t seed)
{
    if (village->ground != NULL)
        return village->ground->machine(village->ground->context, number);
    *fake = mq_fake_new(seed);
    mq_fake_set_wall(*fake, 1700000000);
    return mq_fake_platform(*fake);
}

static void member_make(struct village *village, struct village_member *member, const char *name, unsigned number,
                        uint64_t seed)
{
    member->platform = machine_make(village, &member->fake, number, seed);
    snprintf(member->home, sizeof member->home, "%s/%s", village->directory, name);
    enum mq_status status = mq_replica_create(&member->replica, member->platform, member->home,
                                              mq_span_text(PASSPHRASE), KDF_MIB, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

/* The restricted compartment: read by the county, written to by everybody. */
static enum mq_status grant_restricted(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct village *village = context;
    enum mq_status status = mq_grant_next(replica, &village->desk.team, MQ_COMPARTMENT_RESTRICTED, error);
    return status == MQ_OK ? mq_grant_next(replica, &village->desk.team, MQ_COMPARTMENT_SENSITIVE, error) : status;
}

static void know_restricted(struct village *village, struct village_member *member)
{
    struct mq_grant grant;
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, member->team.team, MQ_COMPARTMENT_RESTRICTED);
    assert_int_equal(mq_grant_newest(village->desk.replica, mailbox, &grant, &problem), MQ_OK);
    assert_int_equal(mq_grant_put(member->replica, &grant, NULL, &problem), MQ_OK);
}

/* What is sensitive: read by everybody, until a test takes the right (village_blind). */
static void know_sensitive(struct village *village, struct village_member *member)
{
    struct mq_grant grant;
    struct mq_secret key;
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, member->team.team, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_key_newest(village->desk.replica, mailbox, &grant, &key, &problem), MQ_OK);
    assert_int_equal(mq_grant_put(member->replica, &grant, &key, &problem), MQ_OK);
    member->rights |= MQ_ACCESS_SENSITIVE;
}

static void grant_all(struct village *village)
{
    struct mq_grant grant = {.compartment = 0, .epoch = 1};
    struct mq_secret key;
    uint8_t nonce[MQ_NONCE_SIZE] = {7}, bytes[MQ_GRANT_SIZE], certificate[MQ_CERTIFICATE_SIZE];
    struct village_member *desk = &village->desk;
    memset(key.bytes, 0x4b, sizeof key.bytes);
    memcpy(grant.team, desk->team.team, MQ_ID_SIZE);
    mq_grant_sign(&grant, &key, NULL, nonce, mq_replica_identity(desk->replica));
    assert_int_equal(mq_grant_put(desk->replica, &grant, &key, &problem), MQ_OK);
    assert_int_equal(mq_desk_put(desk->replica, &desk->team.certificate, &problem), MQ_OK);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        assert_int_equal(mq_grant_put(village->devices[i].replica, &grant, &key, &problem), MQ_OK);
        assert_int_equal(mq_desk_put(village->devices[i].replica, &desk->team.certificate, &problem), MQ_OK);
    }
    mq_grant_encode(bytes, &grant);
    mq_certificate_encode(certificate, &desk->team.certificate);
    assert_int_equal(
        mq_outbox_put(desk->replica, MQ_FRAME_CERTIFICATE, MQ_SPAN(certificate), MQ_SPAN(certificate), &problem),
        MQ_OK);
    assert_int_equal(mq_outbox_put(desk->replica, MQ_FRAME_GRANT, MQ_SPAN(bytes), MQ_SPAN(bytes), &problem), MQ_OK);
    assert_int_equal(mq_replica_transact(desk->replica, grant_restricted, village, &problem), MQ_OK);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        know_restricted(village, &village->devices[i]);
        know_sensitive(village, &village->devices[i]);
    }
}

/* A row in the county desk's list. */
static void enlist(struct village *village, const struct village_member *member)
{
    uint8_t certificate[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(certificate, &member->team.certificate);
    assert_int_equal(mq_db_run(mq_replica_db(village->desk.replica), &problem,
                               "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, joined,"
                               " reply, rights) VALUES(?, ?, 'named', ?, ?, x'', 0, x'', ?)",
                               "bbibi", MQ_SPAN(member->team.certificate.sign_public), MQ_SPAN(member->team.team),
                               (int64_t)member->team.certificate.serial, MQ_SPAN(certificate),
                               (int64_t)MQ_RIGHT_SENSITIVE),
                     MQ_OK);
}

static void access_one(struct mq_buffer *body, const struct village_member *member, uint8_t rights)
{
    struct mq_access access = {.rights = member->revoked ? MQ_ACCESS_REVOKED : rights};
    mq_token_hash(access.token_hash, member->team.token);
    mq_key_name(access.key_name, mq_replica_identity(member->replica)->sign_public);
    mq_access_put(body, &access);
}

static void access_all(struct village *village)
{
    uint8_t body_memory[1024], object_memory[2048];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory),
                     object = mq_buffer(object_memory, sizeof object_memory);
    access_one(&body, &village->desk,
               MQ_ACCESS_MEMBER | MQ_ACCESS_DESK | MQ_ACCESS_RESTRICTED | MQ_ACCESS_SENSITIVE);
    for (int i = 0; i < VILLAGE_DEVICES; i++)
        access_one(&body, &village->devices[i], MQ_ACCESS_MEMBER | village->devices[i].rights);
    if (village->township.replica != NULL)
        access_one(&body, &village->township, MQ_ACCESS_MEMBER | village->township.rights);
    struct mq_control control = {.kind = MQ_CONTROL_ACCESS, .body = mq_written(&body)};
    memcpy(control.team, village->desk.team.team, MQ_ID_SIZE);
    assert_int_equal(mq_control_number(village->desk.replica, &control.number, &problem), MQ_OK);
    assert_int_equal(mq_control_sign(&object, &control, mq_replica_identity(village->desk.replica)), MQ_OK);
    assert_int_equal(
        mq_outbox_put(village->desk.replica, MQ_FRAME_CONTROL, mq_span_text("access"), mq_written(&object), &problem),
        MQ_OK);
}

static void everything_make(struct village *village, uint64_t seed)
{
    struct mq_secret seeds[2] = {{{1}}, {{2}}};
    char path[256], name[24];
    mq_identity_from_seeds(&village->root, &seeds[0], &seeds[1]);
    const struct mq_platform *server = machine_make(village, &village->fake, 0, seed);
    snprintf(path, sizeof path, "%s/relay.db", village->directory);
    assert_int_equal(mq_store_sqlite_open(&village->store, server, path, &problem), MQ_OK);
    village->relay = (struct mq_relay){.platform = server, .store = village->store};
    memcpy(village->relay.root_public, village->root.sign_public, MQ_PUBLIC_SIZE);
    member_make(village, &village->desk, "desk", 1, seed + 1);
    certify(village, &village->desk, &village->root, MQ_ROLE_COUNTY_DESK, 1);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        snprintf(name, sizeof name, "device%d", i);
        member_make(village, &village->devices[i], name, 2 + (unsigned)i, seed + 2 + (uint64_t)i);
        certify(village, &village->devices[i], mq_replica_identity(village->desk.replica), MQ_ROLE_CADRE,
                2 + (uint32_t)i);
        enlist(village, &village->devices[i]);
    }
    grant_all(village);
    access_all(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

void village_begin(struct village *village, uint64_t seed)
{
    memset(village, 0, sizeof *village);
    mq_error_clear(&problem);
    assert_int_equal(mq_crypto_start(), MQ_OK);
    const char *base = getenv("TMPDIR");
    snprintf(village->directory, sizeof village->directory, "%s/minqing-village-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(village->directory));
    everything_make(village, seed);
}

void village_begin_on(struct village *village, const struct village_ground *ground)
{
    memset(village, 0, sizeof *village);
    mq_error_clear(&problem);
    assert_int_equal(mq_crypto_start(), MQ_OK);
    village->ground = ground;
    everything_make(village, 0);
}

static enum mq_status revoke_one(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct village_member *member = context;
    struct mq_team team;
    enum mq_status status = mq_team_find(replica, member->team.team, &team, error);
    if (status == MQ_OK)
        status = mq_revoke(replica, &team, &member->team.certificate, error);
    if (status == MQ_OK)
        status = mq_db_run(mq_replica_db(replica), error, "UPDATE member SET state = 1 WHERE sign_public = ?", "b",
                           MQ_SPAN(member->team.certificate.sign_public));
    unsigned rights = member->rights & MQ_ACCESS_RESTRICTED ? MQ_RIGHT_RESTRICTED : 0;
    return status == MQ_OK ? mq_rotate_without(replica, &team, &member->team.certificate, rights, error) : status;
}

void village_revoke(struct village *village, struct village_member *member)
{
    assert_int_equal(mq_seal_all(village->desk.replica, &problem), MQ_OK);
    enum mq_status status = mq_replica_transact(village->desk.replica, revoke_one, member, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    member->revoked = true;
    access_all(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

static enum mq_status adopt_one(struct mq_replica *replica, void *context, struct mq_error *error)
{
    return mq_adopt(replica, context, error);
}

void village_adopt(struct village *village, const uint8_t id[MQ_SEGMENT_ID_SIZE])
{
    uint8_t copy[MQ_SEGMENT_ID_SIZE];
    memcpy(copy, id, sizeof copy);
    assert_int_equal(mq_seal_all(village->desk.replica, &problem), MQ_OK);
    enum mq_status status = mq_replica_transact(village->desk.replica, adopt_one, copy, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

struct naming {
    struct village *village;
    struct village_member *member;
    bool named;
};

static enum mq_status name_one(struct mq_replica *replica, void *context, struct mq_error *error)
{
    const struct naming *work = context;
    enum mq_status status =
        mq_db_run(mq_replica_db(replica), error, "UPDATE member SET rights = ? WHERE sign_public = ?", "ib",
                  (int64_t)(MQ_RIGHT_SENSITIVE | (work->named ? MQ_RIGHT_RESTRICTED : 0)),
                  MQ_SPAN(work->member->team.certificate.sign_public));
    return status == MQ_OK ? mq_restricted_regrant(replica, &work->village->desk.team, error) : status;
}

void village_name(struct village *village, struct village_member *member, bool named)
{
    struct naming work = {village, member, named};
    assert_int_equal(mq_replica_transact(village->desk.replica, name_one, &work, &problem), MQ_OK);
    member->rights = (uint8_t)((member->rights & ~MQ_ACCESS_RESTRICTED) | (named ? MQ_ACCESS_RESTRICTED : 0));
    access_all(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

void village_blind(struct village *village, struct village_member *member)
{
    uint8_t mailbox[MQ_ID_SIZE];
    mq_mailbox(mailbox, member->team.team, MQ_COMPARTMENT_SENSITIVE);
    assert_int_equal(mq_db_run(mq_replica_db(member->replica), &problem, "UPDATE grants SET key = NULL WHERE mailbox = ?",
                               "b", MQ_SPAN(mailbox)),
                     MQ_OK);
    assert_int_equal(mq_db_run(mq_replica_db(village->desk.replica), &problem,
                               "UPDATE member SET rights = 0 WHERE sign_public = ?", "b",
                               MQ_SPAN(member->team.certificate.sign_public)),
                     MQ_OK);
    member->rights = (uint8_t)(member->rights & ~MQ_ACCESS_SENSITIVE);
    access_all(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

void village_township(struct village *village)
{
    struct village_member *township = &village->township;
    uint8_t certificate[MQ_CERTIFICATE_SIZE];
    struct mq_grant grant;
    struct mq_secret key;
    member_make(village, township, "township", 2 + VILLAGE_DEVICES, 77);
    certify(village, township, &village->root, MQ_ROLE_DESK, 40);
    assert_int_equal(mq_key_newest(village->desk.replica, township->team.mailbox, &grant, &key, &problem), MQ_OK);
    assert_int_equal(mq_desk_put(township->replica, &village->desk.team.certificate, &problem), MQ_OK);
    assert_int_equal(mq_desk_put(township->replica, &township->team.certificate, &problem), MQ_OK);
    assert_int_equal(mq_grant_put(township->replica, &grant, &key, &problem), MQ_OK);
    assert_int_equal(mq_desk_put(village->desk.replica, &township->team.certificate, &problem), MQ_OK);
    know_restricted(village, township);
    know_sensitive(village, township);
    enlist(village, township);
    mq_certificate_encode(certificate, &township->team.certificate);
    assert_int_equal(mq_outbox_put(village->desk.replica, MQ_FRAME_CERTIFICATE, MQ_SPAN(certificate),
                                   MQ_SPAN(certificate), &problem),
                     MQ_OK);
    access_all(village);
    assert_int_equal(village_sync(village, &village->desk, NULL), MQ_OK);
}

void village_end(struct village *village)
{
    char command[256];
    village_close(&village->township);
    mq_fake_free(village->township.fake);
    village_close(&village->desk);
    mq_fake_free(village->desk.fake);
    for (int i = 0; i < VILLAGE_DEVICES; i++) {
        village_close(&village->devices[i]);
        mq_fake_free(village->devices[i].fake);
    }
    village->store->verbs->close(village->store);
    mq_fake_free(village->fake);
    if (village->ground != NULL)
        return;
    snprintf(command, sizeof command, "rm -rf %s", village->directory);
    assert_int_equal(system(command), 0);
}

void village_close(struct village_member *member)
{
    mq_replica_close(member->replica);
    member->replica = NULL;
}

void village_open(struct village_member *member)
{
    enum mq_status status =
        mq_replica_open(&member->replica, member->platform, member->home, mq_span_text(PASSPHRASE), 0, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

struct hearing {
    const struct mq_frame *frame;
    struct mq_admitted admitted;
};

static enum mq_status hear(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct hearing *hearing = context;
    return mq_admit(replica, hearing->frame, false, &hearing->admitted, error);
}

int64_t village_hear(struct village_member *member, const struct mq_frame *frame)
{
    struct hearing hearing = {.frame = frame};
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_transact(member->replica, hear, &hearing, &problem), MQ_OK);
    return hearing.admitted.refused;
}

/* ---- homes that are copied ---- */

static void copy_home(const char *from, const char *to)
{
    char command[1200];
    snprintf(command, sizeof command, "mkdir -p %s && cp %s/* %s/", to, from, to);
    assert_int_equal(system(command), 0);
}

void village_clone(struct village *village, struct village_member *member, struct village_member *copy)
{
    village_close(member);
    *copy = *member;
    copy->fake = mq_fake_new(999);
    copy->platform = mq_fake_platform(copy->fake);
    mq_fake_set_wall(copy->fake, 1700001000);
    snprintf(copy->home, sizeof copy->home, "%s/clone%lld", village->directory, (long long)village->requests);
    copy_home(member->home, copy->home);
    village_open(member);
    village_open(copy);
}

void village_keep(struct village *village, struct village_member *member, const char *name)
{
    char path[400];
    village_close(member);
    snprintf(path, sizeof path, "%s/%s", village->directory, name);
    copy_home(member->home, path);
    village_open(member);
}

void village_bring_back(struct village *village, struct village_member *member, const char *name)
{
    char path[400];
    village_close(member);
    snprintf(path, sizeof path, "%s/%s", village->directory, name);
    copy_home(path, member->home);
    village_open(member);
}

/* ---- records ---- */

void village_add(struct village_member *member, const char *json, struct mq_saved *saved)
{
    struct mq_json *object;
    struct mq_saved ignored;
    assert_int_equal(mq_json_parse(&object, mq_span_text(json), &problem), MQ_OK);
    enum mq_status status = mq_records_add(member->replica, NULL, object, saved != NULL ? saved : &ignored, &problem);
    if (status != MQ_OK)
        print_message("%s: %s\n", json, problem.text);
    assert_int_equal(status, MQ_OK);
    mq_json_free(object);
}

enum mq_status village_import(struct village_member *member, const char *line, bool update, struct mq_saved *saved,
                              struct mq_error *error)
{
    struct mq_db *db = mq_replica_db(member->replica);
    struct mq_error unneeded = {0};
    mq_error_clear(error);
    assert_int_equal(mq_db_begin(db, error), MQ_OK);
    enum mq_status status =
        mq_records_import_line(member->replica, &member->team, mq_span_text(line), update, saved, error);
    assert_int_equal(mq_db_commit(db, &unneeded), MQ_OK);
    return status;
}

void village_set(struct village_member *member, const char *id, const char *assignment)
{
    struct mq_saved saved;
    enum mq_status status =
        mq_records_set(member->replica, mq_span_text(id), &assignment, 1, mq_span_text(""), &saved, &problem);
    if (status != MQ_OK)
        print_message("%s\n", problem.text);
    assert_int_equal(status, MQ_OK);
}

struct text {
    char *bytes;
    size_t size, capacity;
};

static enum mq_status append_line(void *context, struct mq_span object, struct mq_error *error)
{
    struct text *text = context;
    (void)error;
    if (text->size + object.size + 2 > text->capacity) {
        text->capacity = 2 * (text->size + object.size + 2);
        text->bytes = realloc(text->bytes, text->capacity);
        assert_non_null(text->bytes);
    }
    memcpy(text->bytes + text->size, object.data, object.size);
    text->size += object.size;
    text->bytes[text->size++] = '\n';
    text->bytes[text->size] = '\0';
    return MQ_OK;
}

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines sorted, so that two exports of equal states are equal texts. */
char *village_export(struct village_member *member)
{
    struct text text = {.bytes = calloc(1, 1), .capacity = 1};
    const struct mq_emitter emitter = {.context = &text, .emit = append_line};
    assert_int_equal(mq_records_export(member->replica, NULL, &emitter, &problem), MQ_OK);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.bytes[i] == '\n';
    char **lines = calloc(count + 1, sizeof *lines), *sorted = calloc(1, text.size + 1);
    assert_non_null(lines);
    assert_non_null(sorted);
    count = 0;
    for (char *rest = text.bytes, *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;)
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, line_order);
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(sorted + at, text.size + 1 - at, "%s\n", lines[i]);
    free(lines);
    free(text.bytes);
    return sorted;
}

struct mq_safety village_safety(struct village_member *member)
{
    struct mq_safety safety;
    assert_int_equal(mq_safety_count(member->replica, &safety, &problem), MQ_OK);
    return safety;
}
