/* A relay's store with something of everything, and one act for each thing that a verb can do to it: what the tests of
 * failing statements and failing disks go through. */
#ifndef MQ_TESTS_SERVER_STORE_ACTS_H
#define MQ_TESTS_SERVER_STORE_ACTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db.h"
#include "server/relay/store.h"
#include "tests/protocol/identities.h"

/* Names of things: a byte repeated. */
enum { BOX = 0xb0, STREAM = 0x51, OWNER = 0x60, TEAM = 0x99 };
struct act_name {
    uint8_t bytes[MQ_HASH_SIZE];
};
static inline struct act_name act_name(uint8_t byte)
{
    struct act_name name;

    memset(name.bytes, byte, sizeof name.bytes);
    return name;
}
#define NAMED(byte) act_name(byte).bytes

/* What an act says beside its status. */
struct act_result {
    bool changed;          /* *added, *kept */
    size_t given;          /* rows that a listing gave */
    struct mq_buffer bytes;
    uint8_t memory[4096];
};

static inline bool act_take_item(void *context, const struct mq_log_item *item)
{
    (void)item;
    ((struct act_result *)context)->given++;
    return true;
}

static inline bool act_take_bytes(void *context, struct mq_span bytes)
{
    (void)bytes;
    ((struct act_result *)context)->given++;
    return true;
}

static inline bool act_take_stream(void *context, const uint8_t stream[MQ_ID_SIZE])
{
    (void)stream;
    ((struct act_result *)context)->given++;
    return true;
}

/* ---- Things ---- */

static inline struct mq_log_item a_item(uint8_t frame, uint8_t id)
{
    struct mq_log_item item = {.frame = frame, .bytes = mq_span_text("sealed")};

    memset(item.id, id, sizeof item.id);
    return item;
}

static inline struct mq_log_item a_segment(uint32_t seq)
{
    struct mq_log_item item = a_item(MQ_FRAME_SEGMENT, (uint8_t)(0x10 + seq));

    item.seq = seq;
    memset(item.stream, STREAM, sizeof item.stream);
    memset(item.previous, (int)(0x10 + seq - 1), sizeof item.previous);
    return item;
}

static inline struct mq_log_item a_announce(uint8_t id, uint8_t stream)
{
    struct mq_log_item item = a_item(MQ_FRAME_ANNOUNCE, id);

    memset(item.stream, stream, sizeof item.stream);
    memset(item.name, 0x71, sizeof item.name);
    return item;
}

static inline struct mq_log_item a_grant(void)
{
    struct mq_log_item item = a_item(MQ_FRAME_GRANT, 0x72);

    memset(item.name, 0x73, sizeof item.name);
    return item;
}

static inline struct mq_control a_control(uint64_t number)
{
    struct mq_control control = {.kind = 1, .number = number, .bytes = mq_span_text("signed")};

    memset(control.team, TEAM, sizeof control.team);
    return control;
}

static inline struct mq_span a_desk(uint32_t serial)
{
    static uint8_t bytes[MQ_CERTIFICATE_SIZE];
    struct mq_certificate certificate = {.role = MQ_ROLE_DESK, .serial = serial};

    mq_certificate_encode(bytes, &certificate);
    return MQ_SPAN(bytes);
}

static inline struct mq_span a_access(uint8_t first)
{
    static uint8_t memory[2 * MQ_ACCESS_ENTRY_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    for (uint8_t i = 0; i < 2; i++) {
        struct mq_access access = {.rights = MQ_ACCESS_MEMBER};
        memset(access.token_hash, first + i, sizeof access.token_hash);
        mq_access_put(&out, &access);
    }
    return mq_written(&out);
}

/* ---- Acts ---- */

#define ACT(name, call) \
    static inline enum mq_status act_##name(struct mq_store *store, struct act_result *result, struct mq_error *error) \
    { \
        (void)result; \
        return store->verbs->call; \
    }
#define APPEND(name, item) ACT(name, append(store, NAMED(BOX), &(struct mq_log_item[]){item}[0], &result->changed, error))

APPEND(append, a_item(MQ_FRAME_WRAP, 0x05))
APPEND(append_again, a_item(MQ_FRAME_WRAP, 0x01))
APPEND(append_announce, a_announce(0x06, 0x52))
APPEND(append_second_announce, a_announce(0x07, STREAM))
APPEND(append_between, a_segment(2))
APPEND(append_behind, a_segment(5))
ACT(server_id, server_id(store, result->memory, error))
ACT(renew, renew(store, error))
ACT(last, last(store, NAMED(BOX), &(struct mq_log_position){0}, error))
ACT(position, position(store, NAMED(BOX), 2, &(struct mq_log_position){0}, error))
ACT(list, list(store, NAMED(BOX), 0, act_take_item, result, error))
ACT(announce, announce(store, NAMED(STREAM), (uint8_t[MQ_ID_SIZE]){0}, &result->bytes, error))
ACT(grant, grant(store, NAMED(0x73), &result->bytes, error))
ACT(grants, grants(store, act_take_bytes, result, error))
ACT(segment, segment(store, NAMED(0x11), &result->bytes, error))
ACT(head, head(store, NAMED(STREAM), &(struct mq_stream_head){0}, error))
ACT(held, held(store, NAMED(STREAM), &(struct mq_have){.count = 0}, &(uint64_t){0}, error))
ACT(streams_of, streams_of(store, NAMED(0x71), act_take_stream, result, error))
ACT(put_control, put_control(store, &(struct mq_control[]){a_control(9)}[0], &result->changed, error))
ACT(controls, controls(store, NAMED(TEAM), 0, NULL, act_take_bytes, result, error))
ACT(put_desk, put_desk(store, a_desk(2), error))
ACT(put_desk_again, put_desk(store, a_desk(1), error))
ACT(desks, desks(store, (struct mq_certificate[2]){{.serial = 0}}, 2, &result->given, error))
ACT(set_access, set_access(store, NAMED(TEAM), a_access(0x85), error))
ACT(access, access(store, NAMED(0x81), &(struct mq_access){.rights = 0}, (uint8_t[MQ_ID_SIZE]){0}, error))
ACT(put_part, put_part(store, NAMED(OWNER), NAMED(0x61), 60000, 50000, mq_span_text("xx"), 100, &result->bytes, error))
ACT(put_last_part, put_part(store, NAMED(OWNER), NAMED(0x62), 4, 2, mq_span_text("23"), 100, &result->bytes, error))
ACT(put_enrol, put_enrol(store, NAMED(0x93), mq_span_text("request"), 100, error))
ACT(enrols, enrols(store, act_take_bytes, result, error))
ACT(answer_enrol, answer_enrol(store, NAMED(0x91), mq_span_text("reply"), error))
ACT(enrol_reply, enrol_reply(store, NAMED(0x92), &result->bytes, error))
ACT(expire, expire(store, 100, error))

static const struct store_act {
    const char *name;
    enum mq_status (*run)(struct mq_store *, struct act_result *, struct mq_error *);
    enum mq_status answer; /* where nothing fails */
} store_acts[] = {
#define ROW(name, answer) {#name, act_##name, answer}
    ROW(append, MQ_OK), ROW(append_again, MQ_OK), ROW(append_announce, MQ_OK), ROW(append_second_announce, MQ_OK),
    ROW(append_between, MQ_OK), ROW(append_behind, MQ_OK), ROW(server_id, MQ_OK), ROW(renew, MQ_OK), ROW(last, MQ_OK),
    ROW(position, MQ_OK), ROW(list, MQ_OK), ROW(announce, MQ_OK), ROW(grant, MQ_OK), ROW(grants, MQ_OK), ROW(segment, MQ_OK),
    ROW(head, MQ_OK), ROW(held, MQ_OK), ROW(streams_of, MQ_OK), ROW(put_control, MQ_OK), ROW(controls, MQ_OK),
    ROW(put_desk, MQ_OK), ROW(put_desk_again, MQ_OK), ROW(desks, MQ_OK), ROW(set_access, MQ_OK), ROW(access, MQ_OK),
    ROW(put_part, MQ_WAITING), ROW(put_last_part, MQ_OK), ROW(put_enrol, MQ_OK), ROW(enrols, MQ_OK),
    ROW(answer_enrol, MQ_OK), ROW(enrol_reply, MQ_OK), ROW(expire, MQ_OK),
#undef ROW
};
#define STORE_ACTS (sizeof store_acts / sizeof *store_acts)

/* The act, and whatever it does: where it does not answer what it should, it has given nothing that looks done. */
static inline enum mq_status act(const struct store_act *what, struct mq_store *store, struct mq_error *error)
{
    struct act_result result = {.changed = false};

    result.bytes = mq_buffer(result.memory, sizeof result.memory);
    mq_error_clear(error);
    enum mq_status status = what->run(store, &result, error);
    if (status != what->answer) {
        assert_int_equal(error->status, status);
        assert_false(result.changed);
        assert_int_equal(result.bytes.size, 0);
    }
    return status;
}

/* ---- The store ---- */

static inline void store_fill(struct mq_store *store)
{
    const struct mq_log_item items[] = {a_item(MQ_FRAME_WRAP, 0x01), a_announce(0x02, STREAM), a_grant(),
                                        a_segment(1), a_segment(3)};
    struct mq_control control = a_control(3);
    struct mq_error error = {0};
    struct act_result result = {.changed = false};

    result.bytes = mq_buffer(result.memory, sizeof result.memory);
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        assert_int_equal(store->verbs->append(store, NAMED(BOX), &items[i], &result.changed, &error), MQ_OK);
    assert_int_equal(store->verbs->put_control(store, &control, &result.changed, &error), MQ_OK);
    assert_int_equal(store->verbs->put_desk(store, a_desk(1), &error), MQ_OK);
    assert_int_equal(store->verbs->set_access(store, NAMED(TEAM), a_access(0x81), &error), MQ_OK);
    for (uint32_t i = 0; i < MQ_PARTS_OWNER_MAX - 1; i++)
        assert_int_equal(store->verbs->put_part(store, NAMED(OWNER), NAMED(0x61), 60000, 2 * i + 1, mq_span_text("x"), 99,
                                                &result.bytes, &error), MQ_WAITING);
    assert_int_equal(store->verbs->put_part(store, NAMED(OWNER), NAMED(0x62), 4, 0, mq_span_text("01"), 100, &result.bytes,
                                            &error), MQ_WAITING);
    assert_int_equal(store->verbs->put_enrol(store, NAMED(0x91), mq_span_text("request"), 99, &error), MQ_OK);
    assert_int_equal(store->verbs->put_enrol(store, NAMED(0x92), mq_span_text("request"), 100, &error), MQ_OK);
    assert_int_equal(store->verbs->answer_enrol(store, NAMED(0x92), mq_span_text("reply"), &error), MQ_OK);
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
}

/* Everything that stands in a closed store's file, as one number. The server's id counts as there or not: it is chance. */
static inline uint64_t store_digest(const struct mq_platform *platform, const char *path)
{
    static const char *const tables[] = {
        "SELECT count(*) FROM life",
        "SELECT quote(id) || head || quote(total) FROM mailbox ORDER BY id",
        "SELECT quote(mailbox) || number || ' ' || frame || quote(id) || quote(stream) || seq || quote(previous) || quote(name)"
        " || quote(total) || quote(bytes) FROM log ORDER BY mailbox, number",
        "SELECT quote(id) || head_seq || quote(head_id) || count || ' ' || highest || quote(total) || bytes FROM stream"
        " ORDER BY id",
        "SELECT quote(team) || kind || quote(subject) || quote(owner) || number || quote(bytes) FROM control"
        " ORDER BY team, kind, subject, owner",
        "SELECT quote(id) || quote(bytes) FROM desk ORDER BY id",
        "SELECT quote(token_hash) || quote(team) || quote(key_name) || rights FROM access ORDER BY token_hash",
        "SELECT quote(owner) || quote(id) || offset || ' ' || size || ' ' || day || quote(bytes) FROM part ORDER BY place",
        "SELECT quote(id) || day || quote(request) || quote(reply) FROM enrol ORDER BY place",
    };
    struct mq_error error = {0};
    uint64_t digest = 1;
    struct mq_db *db;

    if (mq_db_open(&db, platform, path, &error) != MQ_OK)
        fail_msg("%s", error.text);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        struct mq_query *query;
        assert_int_equal(mq_db_query(db, &query, &error, tables[t], ""), MQ_OK);
        while (mq_db_next(&query, &error)) {
            struct mq_span row = mq_db_text(query, 0);
            for (size_t i = 0; i < row.size; i++)
                digest = (digest ^ row.data[i]) * UINT64_C(0x100000001b3);
            digest = (digest ^ t) * UINT64_C(0x100000001b3);
        }
        assert_int_equal(error.status, MQ_OK);
    }
    mq_db_close(db);
    return digest;
}

#endif
