/* Aim: five segments of three writers give one state in every order in which they can come, with any one of them twice,
 * wherever announces, grant and key come between them. Exhaustive: 120 orders, and 1,800 with one segment twice, of each
 * of three small histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/change.h"
#include "protocol/grant_keys.h"
#include "replica/admit.h"
#include "replica/erase.h"
#include "replica/view.h"
#include "tests/protocol/chance.h"
#include "tests/replica/hostile.h"

#define SEGMENTS 5
#define OTHERS_MAX 8
#define ORDERS 120
#define TWICE 1800

#define HOUSEHOLD(id, head) \
    "{\"kind\":\"household\",\"id\":\"" id "\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"" head "\"}"
/* Long enough that leaning on the same words in the segment before pays. */
#define VISIT(id, date)                                                                                              \
    "{\"kind\":\"visit\",\"id\":\"" id "\",\"place\":\"990527103204\",\"date\":\"" date "\",\"notes\":\""                   \
    "老井边的抽水房漏雨，电线裸露；去年修的蓄水池裂了两道缝，下游四户接不到水。村里找过施工队，说保修期已过。" \
    "三组组长愿意出工，缺水泥两吨、防水砂浆六袋，另要一台小型振动棒，用完归还。等天晴就能动工，最多五天。\"}"

static struct mq_error problem;

/* ---- what is delivered ---- */

struct parcel {
    enum mq_frame_type type;
    size_t size;
    uint8_t bytes[MQ_SEGMENT_MAX];
};

struct set {
    struct parcel segments[SEGMENTS], others[OTHERS_MAX]; /* others: announces, grant, the key wrapped */
    size_t segment_count, other_count;
    struct village_member *reader; /* who has nothing yet, not even the team's key */
    uint8_t wanted[MQ_HASH_SIZE];  /* the state at the desk, which took part in all of it */
};

static struct set set; /* large */

static void parcel_put(struct parcel *parcels, size_t *count, size_t most, enum mq_frame_type type, struct mq_span bytes)
{
    for (size_t i = 0; i < *count; i++)
        if (mq_span_equal(mq_span(parcels[i].bytes, parcels[i].size), bytes))
            return;
    assert_true(*count < most && bytes.size <= sizeof parcels->bytes);
    parcels[*count].type = type;
    parcels[*count].size = bytes.size;
    memcpy(parcels[(*count)++].bytes, bytes.data, bytes.size);
}

/* What these three have sealed so far: as it was sealed, before anything of it is erased. */
static void collect(struct village *village)
{
    struct village_member *const writers[] = {&village->devices[0], &village->devices[1], &village->desk};
    for (size_t i = 0; i < 3; i++) {
        struct mq_query *query;
        mq_error_clear(&problem);
        assert_int_equal(mq_db_query(mq_replica_db(writers[i]->replica), &query, &problem,
                                     "SELECT g.bytes, s.announce FROM segment AS g JOIN stream AS s USING(stream)"
                                     " WHERE g.mine = 1 AND g.erased <> 2 ORDER BY g.number",
                                     ""),
                         MQ_OK);
        while (mq_db_next(&query, &problem)) {
            parcel_put(set.segments, &set.segment_count, SEGMENTS, MQ_FRAME_SEGMENT, mq_db_blob(query, 0));
            parcel_put(set.others, &set.other_count, OTHERS_MAX, MQ_FRAME_ANNOUNCE, mq_db_blob(query, 1));
        }
        assert_int_equal(problem.status, MQ_OK);
    }
}

static void put_key(struct village *village)
{
    const struct village_member *desk = &village->desk;
    uint8_t memory[MQ_WRAP_FRAME_SIZE], grant_bytes[MQ_GRANT_SIZE], wrap[MQ_WRAP_SIZE];
    struct mq_buffer frame = mq_buffer(memory, sizeof memory);
    struct mq_secret key, ephemeral = {{9}};
    struct mq_grant grant;
    assert_int_equal(mq_key_newest(desk->replica, desk->team.mailbox, &grant, &key, &problem), MQ_OK);
    mq_grant_encode(grant_bytes, &grant);
    parcel_put(set.others, &set.other_count, OTHERS_MAX, MQ_FRAME_GRANT, MQ_SPAN(grant_bytes));
    assert_int_equal(mq_wrap_seal(wrap, &key, mq_replica_identity(set.reader->replica)->box_public, &ephemeral), MQ_OK);
    mq_grant_kid(mq_reserve(&frame, MQ_KID_SIZE), &grant);
    mq_put(&frame, wrap, sizeof wrap);
    parcel_put(set.others, &set.other_count, OTHERS_MAX, MQ_FRAME_WRAP, mq_written(&frame));
}

/* ---- one order ---- */

struct order {
    const struct parcel *parcels[SEGMENTS + 1 + OTHERS_MAX];
    size_t count;
    struct chance *chance; /* when syncs end between them; NULL: never */
    uint8_t hash[MQ_HASH_SIZE];
};

static void insert(struct order *order, size_t at, const struct parcel *parcel)
{
    memmove(order->parcels + at + 1, order->parcels + at, (order->count - at) * sizeof *order->parcels);
    order->parcels[at] = parcel;
    order->count++;
}

static void deliver(struct mq_replica *replica, const struct order *order, struct mq_admitted *result)
{
    for (size_t i = 0; i < order->count; i++) {
        const struct parcel *parcel = order->parcels[i];
        const struct mq_frame frame = {.type = (uint8_t)parcel->type, .payload = mq_span(parcel->bytes, parcel->size)};
        assert_int_equal(mq_admit(replica, &frame, false, result, &problem), MQ_OK);
        if (order->chance != NULL && chance_below(order->chance, 3) > 0)
            continue;
        assert_int_equal(mq_admit_waiting(replica, result, &problem), MQ_OK);
        if (order->chance != NULL)
            assert_int_equal(mq_erase_settle(replica, &problem), MQ_OK);
    }
    assert_int_equal(mq_admit_waiting(replica, result, &problem), MQ_OK);
    assert_int_equal(mq_erase_settle(replica, &problem), MQ_OK);
}

static enum mq_status take_in(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct order *order = context;
    struct mq_admitted result = {0};
    struct mq_partition parts;
    mq_chain_reset(&replica->chain); /* of the order before */
    assert_int_equal(mq_db_run(replica->db, error, "DELETE FROM grants", ""), MQ_OK);
    deliver(replica, order, &result);
    assert_int_equal(mq_partition(replica, &parts, error), MQ_OK);
    if (parts.waiting > 0) { /* for a body that was erased here before it was leaned on: it is asked for, and lent */
        deliver(replica, order, &result);
        assert_int_equal(mq_partition(replica, &parts, error), MQ_OK);
    }
    assert_int_equal(result.refused, 0);
    assert_int_equal(parts.admitted, SEGMENTS);
    assert_int_equal(parts.waiting + parts.quarantined + parts.undecodable, 0);
    assert_int_equal(mq_view_hash(replica, order->hash, error), MQ_OK);
    return mq_fail(error, MQ_REFUSED, "rolled back, for the next order");
}

static void print_order(const struct order *order)
{
    for (size_t i = 0; i < order->count; i++)
        if (order->parcels[i]->type == MQ_FRAME_SEGMENT)
            print_message(" segment %d", (int)(order->parcels[i] - set.segments));
        else
            print_message(" frame %d", (int)order->parcels[i]->type);
    print_message("\n");
}

static void assert_same_state(struct order *order)
{
    mq_error_clear(&problem);
    assert_int_equal(mq_replica_transact(set.reader->replica, take_in, order, &problem), MQ_REFUSED);
    if (memcmp(order->hash, set.wanted, sizeof set.wanted) != 0)
        print_order(order);
    assert_memory_equal(order->hash, set.wanted, sizeof set.wanted);
}

/* ---- all orders ---- */

struct count {
    int orders, twice;
};

/* The announces and the key first, or last; in one sync. */
static void plainly(const struct parcel *const *segments, bool last)
{
    struct order order = {.count = 0};
    for (size_t i = 0; i < SEGMENTS; i++)
        insert(&order, i, segments[i]);
    for (size_t i = 0; i < set.other_count; i++)
        insert(&order, last ? order.count : 0, &set.others[i]);
    assert_same_state(&order);
}

/* The segment at `which` comes again at `again`; all else by chance, in several syncs. */
static void with_one_twice(const struct parcel *const *segments, size_t which, size_t again, struct chance *chance)
{
    struct order order = {.chance = chance};
    for (size_t i = 0; i < SEGMENTS; i++)
        insert(&order, i, segments[i]);
    insert(&order, again, segments[which]);
    for (size_t i = 0; i < set.other_count; i++)
        insert(&order, chance_below(chance, order.count + 1), &set.others[i]);
    assert_same_state(&order);
}

static void each_order(const struct parcel **segments, size_t fixed, struct chance *chance, struct count *count)
{
    if (fixed == SEGMENTS) {
        plainly(segments, false);
        plainly(segments, true);
        count->orders++;
        for (size_t which = 0; which < SEGMENTS; which++)
            for (size_t again = which + 1; again <= SEGMENTS; again++, count->twice++)
                with_one_twice(segments, which, again, chance);
        return;
    }
    for (size_t i = fixed; i < SEGMENTS; i++) {
        const struct parcel *kept = segments[fixed];
        segments[fixed] = segments[i];
        segments[i] = kept;
        each_order(segments, fixed + 1, chance, count);
        segments[i] = segments[fixed];
        segments[fixed] = kept;
    }
}

static void assert_every_order(struct village *village)
{
    const struct parcel *segments[SEGMENTS];
    struct chance chance = chance_start("orders");
    struct count count = {0};
    collect(village);
    set.reader = &village->devices[3];
    put_key(village);
    assert_int_equal(set.segment_count, SEGMENTS);
    assert_true(set.other_count >= 5); /* three announces, grant, key */
    assert_int_equal(mq_view_hash(village->desk.replica, set.wanted, &problem), MQ_OK);
    for (size_t i = 0; i < SEGMENTS; i++)
        segments[i] = &set.segments[i];
    each_order(segments, 0, &chance, &count);
    assert_int_equal(count.orders, ORDERS);
    assert_int_equal(count.twice, TWICE);
}

/* ---- three histories ---- */

static void sync_one(struct village *village, struct village_member *member)
{
    assert_int_equal(village_sync(village, member, NULL), MQ_OK);
    collect(village);
}

static void begin(struct village *village, uint64_t seed)
{
    memset(&set, 0, sizeof set);
    village_begin(village, seed);
}

/* Two people change one name without knowing of each other; the desk decides while one of them changes it again. */
static void conflict_and_decision(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 1);
    struct village_member *a = &village.devices[0], *b = &village.devices[1], *desk = &village.desk;
    village_add(a, HOUSEHOLD("H-1", "杨顺华"), NULL);
    sync_one(&village, a);
    sync_one(&village, b);
    village_set(a, "H-1", "head=杨顺花");
    village_set(b, "H-1", "head=杨顺桦");
    sync_one(&village, a);
    sync_one(&village, b);
    sync_one(&village, desk);
    assert_int_equal(village_safety(desk).conflicts, 1);
    assert_int_equal(mq_records_resolve(desk->replica, mq_span_text("H-1"), mq_span_text("head"), 2, mq_span(NULL, 0),
                                        &problem),
                     MQ_OK);
    village_set(a, "H-1", "head=杨顺骅");
    sync_one(&village, desk);
    sync_one(&village, a);
    sync_one(&village, desk);
    assert_int_equal(village_safety(desk).conflicts, 1);
    assert_every_order(&village);
    village_end(&village);
}

/* Two households are one; one of the two names is edited through the link, the other record is taken away by somebody
 * who knows nothing of it. */
static void link_and_deletion(void **state)
{
    struct village village;
    struct mq_saved second;
    uint8_t memory[256], dead[] = {0x82, 0x01, 0x80};
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    begin(&village, 2);
    struct village_member *a = &village.devices[0], *b = &village.devices[1], *desk = &village.desk;
    village_add(a, HOUSEHOLD("H-1", "余世海"), NULL);
    village_add(b, HOUSEHOLD("H-2", "余世海"), &second);
    sync_one(&village, a);
    sync_one(&village, b);
    sync_one(&village, desk);
    assert_int_equal(
        mq_records_merge(desk->replica, mq_span_text("H-1"), mq_span_text("H-2"), false, &problem), MQ_OK);
    sync_one(&village, desk);
    sync_one(&village, a);
    village_set(a, "H-1", "group=五组");
    sync_one(&village, a);
    mq_change_put_set(&change, second.record, MQ_FIELD_LIFE, MQ_SPAN(dead), mq_span(NULL, 0), mq_span(NULL, 0));
    hostile_write(b, mq_written(&change));
    sync_one(&village, b);
    sync_one(&village, desk);
    assert_int_equal(hostile_count(desk, "SELECT count(*) FROM state"), 1);
    assert_true(hostile_count(desk, "SELECT count(*) FROM link") > 0);
    assert_every_order(&village);
    village_end(&village);
}

static void erase_notes(struct village_member *desk, const char *id)
{
    struct mq_erase_list list = {.count = 0};
    uint8_t record[MQ_ID_SIZE];
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_VISIT), mq_span_text("notes"));
    mq_error_clear(&problem);
    assert_int_equal(mq_view_find(desk->replica, NULL, mq_span_text(id), record, &problem), MQ_OK);
    assert_int_equal(mq_erase_list_field(desk->replica, &list, record, field->number, &problem), MQ_OK);
    assert_int_equal(mq_erase(desk->replica, &desk->team, NULL, &list, &problem), MQ_OK);
    mq_erase_list_free(&list);
}

/* What somebody told is erased, with what others had made of it, while one who has not heard of that writes it again. The
 * second segment leans on the first one's words. */
static void erasure_and_links(void **state)
{
    struct village village;
    (void)state;
    begin(&village, 3);
    struct village_member *a = &village.devices[0], *b = &village.devices[1], *desk = &village.desk;
    village_add(a, VISIT("V-1", "2026-11-05"), NULL);
    sync_one(&village, a);
    village_add(a, VISIT("V-2", "2026-11-06"), NULL);
    sync_one(&village, a);
    assert_int_equal(hostile_count(a, "SELECT count(*) FROM segment WHERE mine = 1 AND links > 0"), 1);
    sync_one(&village, b);
    village_set(b, "V-1", "notes=家里人都知道。");
    sync_one(&village, b);
    sync_one(&village, desk);
    erase_notes(desk, "V-1");
    sync_one(&village, desk);
    village_set(a, "V-1", "notes=又说了一次。");
    sync_one(&village, a);
    sync_one(&village, desk);
    assert_int_equal(hostile_count(desk, "SELECT count(*) FROM segment WHERE erased = 2"), 2);
    assert_every_order(&village);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conflict_and_decision),
        cmocka_unit_test(link_and_deletion),
        cmocka_unit_test(erasure_and_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
