/* Aim: `check` names whatever in a store is not what was written, each kind of damage for itself; damage in what is derived
 * is mended by a rebuild, and damage in what is kept for good never makes the view forget what it still shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define HOUSEHOLD "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"head\":\"杨顺华\"}"
#define VISIT "{\"kind\":\"visit\",\"id\":\"V-%d\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"水管冻裂。%d\"}"

static struct mq_error problem;

static enum mq_status keep(void *context, struct mq_span object, struct mq_error *error)
{
    char *said = context;
    (void)error;
    size_t length = strlen(said);
    snprintf(said + length, 2048 - length, "%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

/* What a check says; `said` gets its findings. */
static enum mq_status check(struct village_member *member, bool rebuild, char said[2048])
{
    struct mq_check_result result;
    const struct mq_emitter emitter = {said, keep};
    said[0] = '\0';
    mq_error_clear(&problem);
    return mq_records_check(member->replica, rebuild, &result, &emitter, &problem);
}

static void damage(struct village_member *member, const char *sql)
{
    mq_error_clear(&problem);
    enum mq_status status = mq_db_script(mq_replica_db(member->replica), sql, &problem);
    if (status != MQ_OK)
        print_message("%s: %s\n", sql, problem.text);
    assert_int_equal(status, MQ_OK);
}

/* A device with sealed, open and received records, a sensitive piece sealed away, receipts, grants. */
static struct village_member *begin(struct village *village, uint64_t seed)
{
    char json[512];
    village_begin(village, seed);
    struct village_member *device = &village->devices[0];
    village_blind(village, device);
    village_add(device, HOUSEHOLD, NULL);
    for (int i = 0; i < 6; i++) {
        snprintf(json, sizeof json, VISIT, i, i);
        village_add(device, json, NULL);
        if (i < 4)
            assert_int_equal(mq_seal_all(device->replica, &problem), MQ_OK);
    }
    village_sync_all(village, 2);
    village_set(&village->desk, "H-1", "nickname=老杨");
    village_sync_all(village, 2);
    village_set(device, "H-1", "tags+=独居老人");
    village_add(device, "{\"kind\":\"visit\",\"id\":\"V-9\",\"household\":\"H-1\",\"date\":\"2026-11-06\",\"notes\":\"好了。\"}", NULL);
    village_set(device, "V-9", "next=再去");
    return device;
}

/* Each kind of damage is found, under its name; what the view shows stays, also where a rebuild was asked for. */
static void truth_is_named(void **state)
{
    static const struct {
        const char *sql, *named;
    } damages[] = {
        {"UPDATE segment SET bytes = x'00' WHERE number = 2", "segment differs from what was stored"},
        {"UPDATE segment SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'ff' AS BLOB) WHERE number = 2",
         "signature does not verify"},
        {"UPDATE segment SET seq = 77 WHERE number = 2", "segment differs from what was stored"},
        {"UPDATE segment SET previous = x'00' WHERE number = 2", "segment differs from what was stored"},
        {"DELETE FROM segment WHERE number = 2", "own chain"},
        {"DELETE FROM segment WHERE number = (SELECT max(number) FROM segment WHERE mine = 1 AND carry = 0)", "own chain has a hole"},
        {"DELETE FROM segment WHERE number IN (SELECT segment FROM piece)", "what was sealed of this record is gone"},
        {"UPDATE stream SET announce = CAST(substr(announce, 1, 301) || x'ff' AS BLOB) WHERE mine = 1", "announce does not verify"},
        {"UPDATE stream SET mailbox = x'00' WHERE mine = 0", "announce is another stream's"},
        {"DELETE FROM desk", "writer's certificate does not chain to the root"},
        {"UPDATE desk SET certificate = CAST(substr(certificate, 1, 165) || x'ff' AS BLOB)", "desk's certificate is not the root's"},
        {"UPDATE grants SET bytes = CAST(substr(bytes, 1, 344) || x'ff' AS BLOB) WHERE key IS NOT NULL", "grant does not verify"},
        {"UPDATE grants SET key = zeroblob(32) WHERE key IS NOT NULL", "key is not the granted one"},
        {"UPDATE control SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'ff' AS BLOB)", "what a desk said does not verify"},
        {"UPDATE journal SET expanded = (SELECT expanded FROM journal ORDER BY number DESC LIMIT 1) WHERE idx = 0",
         "change in the journal differs from what was saved"},
        {"DELETE FROM journal WHERE idx = 0", "change in the journal differs from what was saved"},
    };
    struct village village;
    char said[2048];
    (void)state;
    struct village_member *device = begin(&village, 1);
    assert_int_equal(check(device, false, said), MQ_OK);
    assert_string_equal(said, "");
    village_keep(&village, device, "whole");
    char *before = village_export(device);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        damage(device, damages[i].sql);
        for (int rebuild = 0; rebuild < 2; rebuild++) {
            enum mq_status status = check(device, rebuild, said);
            if (status != MQ_DAMAGED || strstr(said, damages[i].named) == NULL)
                print_message("%s: %d, %s\n", damages[i].sql, status, said);
            assert_int_equal(status, MQ_DAMAGED);
            assert_non_null(strstr(said, damages[i].named));
        }
        char *after = village_export(device);
        assert_string_equal(before, after);
        free(after);
        village_bring_back(&village, device, "whole");
        assert_int_equal(check(device, false, said), MQ_OK);
    }
    free(before);
    village_end(&village);
}

/* A derived table that lost or changed a row is found, left as it is where nobody asked for more, and mended by a rebuild. */
static void derived_is_mended(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM change",
        "DELETE FROM change WHERE number = (SELECT max(number) FROM change)",
        "UPDATE change SET rank = rank + 1 WHERE number = (SELECT min(number) FROM change)",
        "DELETE FROM record WHERE kind = 3",
        "UPDATE record SET canonical = record, kind = 1",
        "DELETE FROM refers",
        "UPDATE state SET deleted = 1 WHERE kind = 3",
        "DELETE FROM state WHERE kind = 1",
        "INSERT INTO link SELECT a.record, b.record FROM record AS a, record AS b WHERE a.kind = 1 AND b.kind = 3 LIMIT 1",
        "DELETE FROM search",
    };
    struct village village;
    char said[2048];
    uint8_t whole[MQ_HASH_SIZE], now[MQ_HASH_SIZE];
    (void)state;
    struct village_member *device = begin(&village, 2);
    char *before = village_export(device);
    assert_int_equal(mq_view_hash(device->replica, whole, &problem), MQ_OK);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        damage(device, damages[i]);
        for (int times = 0; times < 2; times++) { /* looking changes nothing */
            enum mq_status status = check(device, false, said);
            if (status != MQ_DAMAGED)
                print_message("%s: %d\n", damages[i], status);
            assert_int_equal(status, MQ_DAMAGED);
            assert_non_null(strstr(said, "view differs from journal and segments"));
        }
        assert_int_equal(check(device, true, said), MQ_DAMAGED); /* it was found */
        assert_int_equal(check(device, false, said), MQ_OK);     /* and mended */
        char *after = village_export(device);
        assert_string_equal(before, after);
        free(after);
        assert_int_equal(mq_view_hash(device->replica, now, &problem), MQ_OK);
        assert_memory_equal(whole, now, sizeof now);
    }
    free(before);
    village_end(&village);
}

/* A desk is checked by the same rules, with what it said itself. */
static void desks_are_checked(void **state)
{
    struct village village;
    char said[2048];
    (void)state;
    begin(&village, 3);
    assert_int_equal(check(&village.desk, false, said), MQ_OK);
    damage(&village.desk, "UPDATE outbox SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'ff' AS BLOB) WHERE frame = 6");
    assert_int_equal(check(&village.desk, true, said), MQ_DAMAGED);
    assert_non_null(strstr(said, "what a desk said does not verify"));
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_is_named),
        cmocka_unit_test(derived_is_mended),
        cmocka_unit_test(desks_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
