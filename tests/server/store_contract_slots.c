/* The contract of server/relay/store.h, clause by clause, for any backend: what is not a log. */
#include "tests/protocol/identities.h"
#include "tests/server/store_contract_kit.h"

/* ---- Slots ---- */

static uint8_t issuer; /* who signs what is put next */

static bool put_control(uint8_t team, uint8_t kind, uint8_t subject, uint64_t number, const char *bytes)
{
    struct mq_control control = {.kind = kind, .number = number, .bytes = mq_span_text(bytes)};
    bool kept = false;

    memset(control.team, team, sizeof control.team);
    memset(control.subject, subject, sizeof control.subject);
    memset(control.issuer, issuer, sizeof control.issuer);
    assert_int_equal(store->verbs->put_control(store, &control, &kept, &error), MQ_OK);
    return kept;
}

struct texts {
    size_t count, most;
    char text[64];
};

static bool add_text(void *context, struct mq_span bytes)
{
    struct texts *texts = context;
    size_t length = strlen(texts->text);

    if (texts->count++ == texts->most)
        return false;
    assert_true(length + bytes.size < sizeof texts->text);
    memcpy(texts->text + length, bytes.data, bytes.size);
    return true;
}

static void assert_controls(uint8_t team, uint8_t kind, const uint8_t *subject, const char *expected)
{
    struct texts texts = {.most = 9};

    assert_int_equal(
        store->verbs->controls(store, named(team).bytes, kind, subject, add_text, &texts, &error), MQ_OK);
    assert_string_equal(texts.text, expected);
}

/* In a slot the greater number stays, whatever the order; slots do not touch each other; the greatest comes first. */
static void control_slots(void **state)
{
    struct name subject = named(1), other = named(2);

    (void)state;
    assert_true(put_control(0x99, 1, 1, 5, "A5"));
    assert_false(put_control(0x99, 1, 1, 5, "x"));
    assert_false(put_control(0x99, 1, 1, 4, "x"));
    assert_true(put_control(0x99, 1, 2, 3, "B3"));
    assert_true(put_control(0x99, 2, 0, 4, "C4"));
    assert_true(put_control(0x98, 1, 1, 9, "D9"));
    reopen();
    assert_true(put_control(0x99, 1, 1, 6, "A6"));
    assert_controls(0x99, 0, NULL, "A6C4B3");
    assert_controls(0x99, 1, NULL, "A6B3");
    assert_controls(0x99, 1, subject.bytes, "A6");
    assert_controls(0x99, 0, other.bytes, "B3");
    assert_controls(0x99, 2, subject.bytes, "");
    assert_controls(0x98, 0, NULL, "D9");
}

/* Of receipts, and of what is not known yet, each desk has a slot of its own, so that none keeps another's out with a great
 * number; of what is the county's to say the team has one. */
static void desks_have_slots_of_their_own(void **state)
{
    (void)state;
    issuer = 0x11;
    assert_true(put_control(0x99, MQ_CONTROL_RECEIPT, 1, INT64_MAX, "A"));
    assert_true(put_control(0x99, MQ_CONTROL_ACCESS, 0, 7, "L"));
    assert_true(put_control(0x99, 200, 1, 6, "U"));
    issuer = 0x12;
    assert_true(put_control(0x99, MQ_CONTROL_RECEIPT, 1, 5, "B"));
    assert_false(put_control(0x99, MQ_CONTROL_RECEIPT, 1, 5, "x"));
    assert_false(put_control(0x99, MQ_CONTROL_ACCESS, 0, 6, "x"));
    assert_true(put_control(0x99, 200, 1, 4, "V"));
    reopen();
    assert_controls(0x99, 0, NULL, "ALUBV");
    assert_true(put_control(0x99, MQ_CONTROL_ACCESS, 0, 8, "M"));
    assert_controls(0x99, MQ_CONTROL_ACCESS, NULL, "M");
    issuer = 0;
}

/* A number that no backend could order is refused, and changes nothing. */
static void control_number_too_great(void **state)
{
    struct mq_control control = {.kind = 1, .number = (uint64_t)INT64_MAX + 1, .bytes = mq_span_text("x")};
    bool kept;

    (void)state;
    assert_int_equal(store->verbs->put_control(store, &control, &kept, &error), MQ_REFUSED);
    assert_false(kept);
}

/* Desks' certificates are kept once each, and no more of them than there may be. */
static void desks_are_kept(void **state)
{
    static struct mq_certificate certificates[MQ_DESKS_MAX + 1];
    struct people p = people();
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    size_t count;

    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    for (uint32_t i = 0; i < MQ_DESKS_MAX; i++) {
        p.desk_certificate.serial = i;
        mq_certificate_encode(bytes, &p.desk_certificate);
        assert_int_equal(store->verbs->put_desk(store, MQ_SPAN(bytes), &error), MQ_OK);
        assert_int_equal(store->verbs->put_desk(store, MQ_SPAN(bytes), &error), MQ_OK);
    }
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
    assert_int_equal(store->verbs->desks(store, certificates, MQ_DESKS_MAX + 1, &count, &error), MQ_OK);
    assert_int_equal(count, MQ_DESKS_MAX);
    assert_memory_equal(certificates[0].sign_public, p.desk.sign_public, MQ_PUBLIC_SIZE);
    assert_int_equal(store->verbs->desks(store, certificates, 3, &count, &error), MQ_OK);
    assert_int_equal(count, 3);
    p.desk_certificate.serial = MQ_DESKS_MAX;
    mq_certificate_encode(bytes, &p.desk_certificate);
    assert_int_equal(store->verbs->put_desk(store, MQ_SPAN(bytes), &error), MQ_REFUSED);
}

static struct mq_span access_list(uint8_t *out, size_t capacity, const uint8_t *tokens, size_t count, uint8_t rights)
{
    struct mq_buffer buffer = mq_buffer(out, capacity);

    for (size_t i = 0; i < count; i++) {
        struct mq_access access = {.rights = rights};
        memset(access.token_hash, tokens[i], sizeof access.token_hash);
        memset(access.key_name, tokens[i] + 1, sizeof access.key_name);
        mq_access_put(&buffer, &access);
    }
    return mq_written(&buffer);
}

/* A team's list replaces its old one, leaves other teams alone, and takes no token that another team has. */
static void access_lists(void **state)
{
    struct mq_span list_a = access_list(memory, 100, (const uint8_t[]){1, 2}, 2, MQ_ACCESS_MEMBER);
    struct mq_access access;
    uint8_t team[MQ_ID_SIZE];

    (void)state;
    assert_int_equal(store->verbs->set_access(store, TEAM, list_a, &error), MQ_OK);
    assert_int_equal(store->verbs->access(store, named(2).bytes, &access, team, &error), MQ_OK);
    assert_memory_equal(team, TEAM, sizeof team);
    assert_memory_equal(access.token_hash, named(2).bytes, sizeof access.token_hash);
    assert_memory_equal(access.key_name, named(3).bytes, sizeof access.key_name);
    assert_int_equal(access.rights, MQ_ACCESS_MEMBER);

    struct mq_span list_b = access_list(memory, 100, (const uint8_t[]){2, 3}, 2, MQ_ACCESS_DESK);
    assert_int_equal(store->verbs->set_access(store, OTHER_TEAM, list_b, &error), MQ_OK);
    assert_int_equal(store->verbs->access(store, named(2).bytes, &access, team, &error), MQ_OK);
    assert_memory_equal(team, TEAM, sizeof team);
    assert_int_equal(store->verbs->access(store, named(3).bytes, &access, team, &error), MQ_OK);
    assert_memory_equal(team, OTHER_TEAM, sizeof team);

    struct mq_span shorter = access_list(memory, 100, (const uint8_t[]){1}, 1, MQ_ACCESS_REVOKED);
    assert_int_equal(store->verbs->set_access(store, TEAM, shorter, &error), MQ_OK);
    reopen();
    assert_int_equal(store->verbs->access(store, named(1).bytes, &access, team, &error), MQ_OK);
    assert_int_equal(access.rights, MQ_ACCESS_REVOKED);
    assert_int_equal(store->verbs->access(store, named(2).bytes, &access, team, &error), MQ_NOT_FOUND);
    assert_int_equal(error.status, MQ_OK);
}

/* What is no whole list is refused and leaves the old one as it was. */
static void access_list_refused(void **state)
{
    struct mq_span good = access_list(memory, 100, (const uint8_t[]){1}, 1, MQ_ACCESS_MEMBER);
    static const uint8_t long_list[MQ_ACCESS_ENTRY_SIZE * (MQ_ACCESS_ENTRIES_MAX + 1)];
    struct mq_access access;
    uint8_t team[MQ_ID_SIZE];

    (void)state;
    assert_int_equal(store->verbs->set_access(store, TEAM, good, &error), MQ_OK);
    assert_int_equal(store->verbs->set_access(store, TEAM, mq_span(good.data, good.size - 1), &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(store->verbs->set_access(store, TEAM, MQ_SPAN(long_list), &error), MQ_REFUSED);
    assert_int_equal(store->verbs->access(store, named(1).bytes, &access, team, &error), MQ_OK);
}

/* ---- Parts ---- */

static enum mq_status put_part_of(uint8_t owner, uint8_t id, uint32_t size, uint32_t offset, const char *text,
                                  struct mq_buffer *whole)
{
    return store->verbs->put_part(store, named(owner).bytes, named(id).bytes, size, offset, mq_span_text(text), 100,
                                  whole, &error);
}

static enum mq_status put_part(uint8_t id, uint32_t size, uint32_t offset, const char *text, struct mq_buffer *whole)
{
    return put_part_of(200, id, size, offset, text, whole);
}

/* Parts in any order and with overlaps make the whole once, and are forgotten then. */
static void parts_make_a_whole(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_int_equal(put_part(1, 10, 6, "6789", &whole), MQ_WAITING);
    assert_int_equal(put_part(1, 10, 0, "012", &whole), MQ_WAITING);
    assert_int_equal(put_part(2, 10, 3, "xxx", &whole), MQ_WAITING);
    reopen();
    assert_int_equal(put_part(1, 10, 2, "23456", &whole), MQ_OK);
    assert_true(mq_span_equal(mq_written(&whole), mq_span_text("0123456789")));
    whole.size = 0;
    assert_int_equal(put_part(1, 10, 2, "23456", &whole), MQ_WAITING);
    assert_int_equal(whole.size, 0);
    assert_int_equal(error.status, MQ_OK);
}

/* Of two parts with one offset the later counts; parts that name another size are forgotten. */
static void later_parts_count(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_int_equal(put_part(1, 4, 0, "xx", &whole), MQ_WAITING);
    assert_int_equal(put_part(1, 4, 0, "01", &whole), MQ_WAITING);
    assert_int_equal(put_part(1, 4, 2, "23", &whole), MQ_OK);
    assert_true(mq_span_equal(mq_written(&whole), mq_span_text("0123")));
    whole.size = 0;
    assert_int_equal(put_part(2, 4, 0, "xx", &whole), MQ_WAITING);
    assert_int_equal(put_part(2, 3, 2, "2", &whole), MQ_WAITING);
    assert_int_equal(put_part(2, 3, 0, "01", &whole), MQ_OK);
    assert_true(mq_span_equal(mq_written(&whole), mq_span_text("012")));
}

/* A part that lies within what others have brought adds nothing. A whole that does not fit the room given is not taken:
 * its last part comes again. */
static void parts_within_parts(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory), small = mq_buffer(memory, 3);

    (void)state;
    assert_int_equal(put_part(1, 6, 0, "0123", &whole), MQ_WAITING);
    assert_int_equal(put_part(1, 6, 1, "12", &whole), MQ_WAITING);
    assert_int_not_equal(put_part(1, 6, 4, "45", &small), MQ_OK);
    assert_int_equal(small.size, 0);
    mq_error_clear(&error);
    assert_int_equal(put_part(1, 6, 4, "45", &whole), MQ_OK);
    assert_true(mq_span_equal(mq_written(&whole), mq_span_text("012345")));
}

/* Lengths that do not fit are refused. */
static void parts_refused(void **state)
{
    static const struct {
        uint32_t size, offset;
        const char *text;
    } bad[] = {{4, 0, ""}, {4, 4, "x"}, {4, 3, "xx"}, {4, 5, "x"}, {MQ_SEGMENT_MAX + 1, 0, "x"}, {0, 0, "x"}};
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mq_error_clear(&error);
        assert_int_equal(put_part(1, bad[i].size, bad[i].offset, bad[i].text, &whole), MQ_REFUSED);
    }
}

/* Nobody completes or disturbs what another one brings in parts. */
static void parts_have_owners(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_int_equal(put_part_of(1, 1, 4, 0, "01", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(2, 1, 4, 0, "xx", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(2, 1, 3, 2, "x", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(1, 1, 4, 2, "23", &whole), MQ_OK);
    assert_memory_equal(whole.data, "0123", 4);
    assert_int_equal(put_part_of(2, 1, 3, 0, "xx", &whole), MQ_OK);
}

/* Of one owner no more parts wait than may: his oldest goes, another's stays. */
static void parts_of_one_are_bounded(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_int_equal(put_part_of(1, 1, 2, 0, "0", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(2, 1, 2, 0, "0", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(2, 2, 2, 0, "0", &whole), MQ_WAITING);
    for (uint32_t i = 0; i < MQ_PARTS_OWNER_MAX - 1; i++)
        assert_int_equal(put_part_of(2, 3, 60000, 2 * i + 1, "x", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(1, 1, 2, 1, "1", &whole), MQ_OK);
    assert_int_equal(put_part_of(2, 2, 2, 1, "1", &whole), MQ_OK);
    assert_int_equal(put_part_of(2, 1, 2, 1, "1", &whole), MQ_WAITING);
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
}

/* Of all owners together no more parts wait than may: the oldest goes, whoever comes last is served. */
static void parts_are_bounded(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);
    uint32_t owners = MQ_PARTS_WAITING_MAX / MQ_PARTS_OWNER_MAX;

    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    assert_int_equal(put_part_of(0, 1, 2, 0, "0", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(0, 2, 2, 0, "0", &whole), MQ_WAITING);
    for (uint32_t i = 0; i < MQ_PARTS_WAITING_MAX - 1; i++)
        assert_int_equal(put_part_of((uint8_t)(1 + i % owners), 3, 60000, 2 * i + 1, "x", &whole), MQ_WAITING);
    assert_int_equal(put_part_of(0, 2, 2, 1, "1", &whole), MQ_OK);
    assert_int_equal(put_part_of(0, 1, 2, 1, "1", &whole), MQ_WAITING);
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
}

/* ---- Enrolments ---- */

static void put_enrol(uint8_t id, const char *text, int32_t day)
{
    assert_int_equal(store->verbs->put_enrol(store, named(id).bytes, mq_span_text(text), day, &error), MQ_OK);
}

static void assert_enrols(const char *expected)
{
    struct texts texts = {.most = 9};

    assert_int_equal(store->verbs->enrols(store, add_text, &texts, &error), MQ_OK);
    assert_string_equal(texts.text, expected);
}

static enum mq_status enrol_reply(uint8_t id, const char *expected)
{
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    enum mq_status status = store->verbs->enrol_reply(store, named(id).bytes, &out, &error);

    assert_true(mq_span_equal(mq_written(&out), mq_span_text(expected)));
    return status;
}

static enum mq_status answer_enrol(uint8_t id, const char *text)
{
    return store->verbs->answer_enrol(store, named(id).bytes, mq_span_text(text), &error);
}

/* A request waits, once, until it is answered; its answer stays to be fetched again. */
static void enrolments(void **state)
{
    (void)state;
    assert_int_equal(enrol_reply(1, ""), MQ_NOT_FOUND);
    assert_int_equal(answer_enrol(1, "reply"), MQ_NOT_FOUND);
    put_enrol(1, "A", 100);
    put_enrol(2, "B", 100);
    put_enrol(1, "A", 100);
    assert_enrols("AB");
    assert_int_equal(enrol_reply(1, ""), MQ_WAITING);
    reopen();
    assert_int_equal(answer_enrol(1, "reply"), MQ_OK);
    assert_enrols("B");
    assert_int_equal(enrol_reply(1, "reply"), MQ_OK);
    assert_int_equal(enrol_reply(1, "reply"), MQ_OK);
    put_enrol(1, "A", 100);
    assert_enrols("B");
    assert_int_equal(error.status, MQ_OK);
    struct mq_buffer small = mq_buffer(memory, 4);
    assert_int_not_equal(store->verbs->enrol_reply(store, named(1).bytes, &small, &error), MQ_OK);
    assert_int_equal(small.size, 0);
}

/* A reply may replace a refusal, nothing a reply. */
static void enrolment_answers(void **state)
{
    (void)state;
    put_enrol(1, "A", 100);
    assert_int_equal(answer_enrol(1, "\1"), MQ_OK);
    assert_int_equal(enrol_reply(1, "\1"), MQ_OK);
    assert_int_equal(answer_enrol(1, "reply"), MQ_OK);
    assert_int_equal(answer_enrol(1, "\1"), MQ_OK);
    assert_int_equal(answer_enrol(1, "other"), MQ_OK);
    assert_int_equal(enrol_reply(1, "reply"), MQ_OK);
}

/* Where too many wait, the oldest is forgotten, an answered one not. */
static void enrolments_are_bounded(void **state)
{
    struct name id = named(0);
    struct texts texts = {.most = 1};

    (void)state;
    assert_int_equal(store->verbs->begin(store, &error), MQ_OK);
    for (uint32_t i = 0; i < MQ_ENROLS_WAITING_MAX + 2; i++) {
        memcpy(id.bytes, &i, sizeof i);
        struct mq_span text = mq_span_text(i == 0 ? "A" : i == 1 ? "B" : i == 2 ? "C" : "x");
        assert_int_equal(store->verbs->put_enrol(store, id.bytes, text, 100, &error), MQ_OK);
        if (i == 0)
            assert_int_equal(store->verbs->answer_enrol(store, id.bytes, mq_span_text("reply"), &error), MQ_OK);
    }
    assert_int_equal(store->verbs->commit(store, &error), MQ_OK);
    assert_int_equal(store->verbs->enrols(store, add_text, &texts, &error), MQ_OK);
    assert_string_equal(texts.text, "C");
    assert_int_equal(enrol_reply(0, "reply"), MQ_OK);
}

/* What is older than the given day goes, parts and enrolments; logs stay. */
static void expiry(void **state)
{
    struct mq_buffer whole = mq_buffer(memory, sizeof memory);

    (void)state;
    put_enrol(1, "A", 99);
    put_enrol(2, "B", 100);
    assert_int_equal(put_part(1, 4, 0, "01", &whole), MQ_WAITING);
    struct mq_log_item item = {.frame = MQ_FRAME_WRAP, .bytes = mq_span_text("sealed key")};
    struct mq_log_position last;
    bool added;
    assert_int_equal(store->verbs->append(store, BOX, &item, &added, &error), MQ_OK);
    assert_int_equal(store->verbs->expire(store, 100, &error), MQ_OK);
    assert_enrols("B");
    assert_int_equal(store->verbs->expire(store, 101, &error), MQ_OK);
    assert_enrols("");
    assert_int_equal(put_part(1, 4, 2, "23", &whole), MQ_WAITING);
    assert_int_equal(store->verbs->last(store, BOX, &last, &error), MQ_OK);
    assert_int_equal(last.number, 1);
}

int store_contract_slots(const struct store_backend *which)
{
    const struct CMUnitTest tests[] = {
        CLAUSE(control_slots),
        CLAUSE(desks_have_slots_of_their_own),
        CLAUSE(control_number_too_great),
        CLAUSE(desks_are_kept),
        CLAUSE(access_lists),
        CLAUSE(access_list_refused),
        CLAUSE(parts_make_a_whole),
        CLAUSE(later_parts_count),
        CLAUSE(parts_within_parts),
        CLAUSE(parts_refused),
        CLAUSE(parts_have_owners),
        CLAUSE(parts_of_one_are_bounded),
        CLAUSE(parts_are_bounded),
        CLAUSE(enrolments),
        CLAUSE(enrolment_answers),
        CLAUSE(enrolments_are_bounded),
        CLAUSE(expiry),
    };

    backend = which;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
