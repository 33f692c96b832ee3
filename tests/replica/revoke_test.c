/* Aim: beyond a revocation nothing of that certificate is merged unless a person lets it in by name, nothing of it is
 * dropped, and every replica ends in the same state, whatever came first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/control_keys.h"
#include "replica/bundle.h"
#include "replica/outbox.h"
#include "replica/outgoing.h"
#include "replica/revoke.h"
#include "replica/view.h"
#include "tests/replica/lost.h"

/* The id of the member's newest own segment. */
static void newest(struct village_member *member, uint8_t id[MQ_SEGMENT_ID_SIZE])
{
    struct mq_query *query;
    assert_int_equal(mq_seal_all(member->replica, &problem), MQ_OK);
    assert_int_equal(mq_db_query(mq_replica_db(member->replica), &query, &problem,
                                 "SELECT id FROM segment WHERE mine = 1 ORDER BY number DESC LIMIT 1", ""),
                     MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    memcpy(id, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
    mq_db_done(&query);
}

static void assert_same_view(struct village_member *a, struct village_member *b)
{
    uint8_t left[MQ_HASH_SIZE], right[MQ_HASH_SIZE];
    assert_int_equal(mq_view_hash(a->replica, left, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(b->replica, right, &problem), MQ_OK);
    assert_memory_equal(left, right, sizeof left);
}

/* ---- what waits, and what is let in ---- */

/* What a revoked member wrote before he knew comes in, waits everywhere, is shown so to its author with the desk's
 * reason, and is merged everywhere once a person names it; what had been merged before stays all the time. */
static void late_records_wait_until_named(void **state)
{
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 2);
    add(lost(), "late");
    village_revoke(&village, lost());
    village_sync_all(&village, 2);
    newest(lost(), late);
    assert_true(knows(&village.desk, "before") && knows(other(), "before"));
    assert_false(knows(&village.desk, "late") || knows(other(), "late"));
    assert_int_equal(waiting_for_a_person(&village.desk), 1);
    assert_int_equal(waiting_for_a_person(other()), 1);
    assert_true(knows(lost(), "late")); /* his own he sees */
    struct mq_safety safety = village_safety(lost());
    assert_int_equal(safety.anchored, 1);
    assert_int_equal(safety.quarantined, 1);
    assert_int_equal(hostile_count(lost(), "SELECT max(excepted) FROM segment WHERE mine = 1"), MQ_EXCEPTION_REVOKED);

    village_adopt(&village, late);
    village_sync_all(&village, 2);
    assert_true(knows(&village.desk, "late") && knows(other(), "late"));
    assert_int_equal(waiting_for_a_person(&village.desk) + waiting_for_a_person(other()), 0);
    assert_same_view(&village.desk, other());
    safety = village_safety(lost());
    assert_int_equal(safety.anchored, 2);
    assert_int_equal(safety.quarantined, 0);
}

/* A name lets in that segment alone: what follows it waits on. */
static void a_name_covers_one_segment(void **state)
{
    uint8_t first[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 1);
    village_revoke(&village, lost());
    add(lost(), "one");
    newest(lost(), first);
    add(lost(), "two");
    village_sync_all(&village, 2);
    assert_int_equal(waiting_for_a_person(&village.desk), 2);
    village_adopt(&village, first);
    assert_true(knows(&village.desk, "one"));
    assert_false(knows(&village.desk, "two"));
}

/* A replica that merged more than the desk, before it heard, takes it back out of its view, and after it is named has the
 * same state as the desk. */
static void late_revocation_takes_back(void **state)
{
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(other(), "theirs");
    add(lost(), "before");
    village_sync_all(&village, 2);
    village_set(lost(), "theirs", "where=河边");
    add(lost(), "late");
    newest(lost(), late);
    carry(lost(), other());
    assert_true(knows(other(), "late"));
    village_revoke(&village, lost());
    sync_one(other());
    assert_false(knows(other(), "late"));
    assert_true(knows(other(), "before"));
    sync_one(&village.desk);
    sync_one(other());
    assert_same_view(&village.desk, other());
    village_adopt(&village, late);
    sync_one(other());
    assert_true(knows(other(), "late"));
    assert_same_view(&village.desk, other());
}

/* ---- a thief ---- */

/* Whoever has the revoked key gets nothing in: under a new stream, or in a fork below the cut, with smaller numbers than
 * the cut's; and what the honest copy had brought before stays. */
static void a_thief_gets_nothing_in(void **state)
{
    static struct village_member thief;
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 1);
    village_clone(&village, lost(), &thief); /* both go on from here */
    for (int i = 0; i < 3; i++) {
        add(lost(), (const char *[]){"honest 1", "honest 2", "honest 3"}[i]);
        sync_one(lost());
    }
    village_sync_all(&village, 1);
    village_revoke(&village, lost());
    assert_int_equal(mq_db_run(mq_replica_db(thief.replica), &problem,
                               "UPDATE stream SET closed = (SELECT count(*) FROM segment WHERE segment.stream = stream.stream) = 0"
                               " WHERE mine = 1",
                               ""),
                     MQ_OK); /* the old stream, as if nothing had happened */
    add(&thief, "fork");
    assert_int_equal(mq_seal_all(thief.replica, &problem), MQ_OK);
    assert_int_equal(hostile_count(&thief, "SELECT max(seq) FROM segment WHERE mine = 1"), 2);
    assert_int_equal(mq_streams_close(thief.replica, &problem), MQ_OK);
    add(&thief, "stream");
    carry(&thief, other());
    village_sync_all(&village, 2);
    for (int i = 0; i < 2; i++) {
        struct village_member *member = i == 0 ? &village.desk : other();
        assert_true(knows(member, "before") && knows(member, "honest 3"));
        assert_false(knows(member, "fork") || knows(member, "stream"));
        assert_int_equal(waiting_for_a_person(member), 2);
    }
    assert_same_view(&village.desk, other());
    village_close(&thief);
    mq_fake_free(thief.fake);
}

/* A device that gave two different successors of one segment before it was revoked keeps both, since the desk had merged
 * both; a third that comes later waits. */
static void branches_that_were_merged_stay(void **state)
{
    static struct village_member copies[2];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 1);
    for (int i = 0; i < 2; i++) {
        sync_one(other()); /* a copy's directory is named by the requests so far */
        village_clone(&village, lost(), &copies[i]);
        assert_int_equal(mq_db_run(mq_replica_db(copies[i].replica), &problem,
                                   "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                         MQ_OK); /* it does not notice that it is a copy */
        add(&copies[i], i == 0 ? "second branch" : "third branch");
    }
    add(lost(), "first branch");
    sync_one(lost());
    carry(&copies[0], &village.desk);
    village_sync_all(&village, 1);
    assert_true(knows(&village.desk, "first branch") && knows(&village.desk, "second branch"));
    village_revoke(&village, lost());
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM cut"), 2);
    carry(&copies[1], &village.desk);
    village_sync_all(&village, 2);
    for (int i = 0; i < 2; i++) {
        struct village_member *member = i == 0 ? &village.desk : other();
        assert_true(knows(member, "first branch") && knows(member, "second branch"));
        assert_false(knows(member, "third branch"));
        assert_int_equal(waiting_for_a_person(member), 1);
    }
    assert_same_view(&village.desk, other());
    for (int i = 0; i < 2; i++) {
        village_close(&copies[i]);
        mq_fake_free(copies[i].fake);
    }
}

/* Others wrote on where the lost device did, and so did its owner: what of his is let in is confirmed to him, though the
 * desk's chain may have gone on along another branch and what follows still waits. */
static void what_is_let_in_is_confirmed(void **state)
{
    static struct village_member copies[3];
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 2);
    for (int i = 0; i < 3; i++) {
        sync_one(other());
        village_clone(&village, lost(), &copies[i]);
        assert_int_equal(mq_db_run(mq_replica_db(copies[i].replica), &problem,
                                   "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                         MQ_OK);
        add(&copies[i], (const char *[]){"thief 1", "thief 2", "thief 3"}[i]);
    }
    village_revoke(&village, lost());
    for (int i = 0; i < 3; i++)
        carry(&copies[i], &village.desk);
    add(lost(), "late");
    newest(lost(), late);
    add(lost(), "later");
    village_sync_all(&village, 2);
    assert_int_equal(waiting_for_a_person(&village.desk), 5);
    village_adopt(&village, late);
    village_sync_all(&village, 2);
    struct mq_safety safety = village_safety(lost());
    assert_int_equal(safety.anchored, 2);
    assert_int_equal(safety.quarantined, 1);
    for (int i = 0; i < 3; i++) {
        village_close(&copies[i]);
        mq_fake_free(copies[i].fake);
    }
}

/* A copy of a revoked device, whose branch the relay does not follow, learns that it is a copy and stops bringing it. */
static void a_revoked_copy_comes_to_an_end(void **state)
{
    static struct village_member copy;
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 1);
    village_clone(&village, lost(), &copy);
    assert_int_equal(mq_db_run(mq_replica_db(copy.replica), &problem, "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                     MQ_OK);
    village_revoke(&village, lost());
    copy.revoked = true;
    assert_int_equal(mq_db_run(mq_replica_db(lost()->replica), &problem, "UPDATE stream SET closed = 0 WHERE mine = 1", ""),
                     MQ_OK);
    add(lost(), "late");
    sync_one(lost());
    add(&copy, "fork");
    int64_t before = village.requests;
    sync_one(&copy);
    assert_true(village.requests - before < 10);
    assert_int_equal(hostile_count(&copy, "SELECT count(*) FROM stream WHERE mine = 1 AND closed = 0"), 0);
    village_close(&copy);
    mq_fake_free(copy.fake);
}

/* A relay that keeps the revocation back lets a device merge what the desk does not; once it is heard, however late, the
 * device takes it back, and is as the desk is. */
static void a_withheld_revocation_counts_when_heard(void **state)
{
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 2);
    village_revoke(&village, lost());
    add(lost(), "late");
    sync_one(lost());
    struct hostile_way way = {.village = &village, .withholds_words = true};
    assert_int_equal(hostile_sync(&way, other(), NULL), MQ_OK);
    assert_true(knows(other(), "late"));
    assert_int_equal(mq_db_run(mq_replica_db(other()->replica), &problem,
                               "UPDATE mailbox SET cursor = 0, fingerprint = zeroblob(16)", ""),
                     MQ_OK);
    sync_one(other());
    assert_false(knows(other(), "late"));
    assert_true(knows(other(), "before"));
    village_sync_all(&village, 1);
    assert_same_view(&village.desk, other());
}

/* One of the desk's control objects. */
static void word_keep(struct mq_buffer *out, const char *sql)
{
    struct mq_query *query;
    out->size = 0;
    assert_int_equal(mq_db_query(mq_replica_db(village.desk.replica), &query, &problem, sql, ""), MQ_OK);
    assert_true(mq_db_next(&query, &problem));
    mq_put_span(out, mq_db_blob(query, 0));
    mq_db_done(&query);
    assert_false(out->failed);
}

/* Old words brought again change nothing: not the access list that knew the revoked device as a member, nor the revocation from
 * before something was let in. */
static void old_words_change_nothing(void **state)
{
    static uint8_t list_memory[4096], word_memory[MQ_CONTROL_BODY_MAX];
    struct mq_buffer list = mq_buffer(list_memory, sizeof list_memory), word = mq_buffer(word_memory, sizeof word_memory);
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 2);
    word_keep(&list, "SELECT bytes FROM outbox WHERE slot = CAST('access' AS BLOB)");
    village_revoke(&village, lost());
    word_keep(&word, "SELECT bytes FROM control WHERE kind = 3");
    add(lost(), "late");
    newest(lost(), late);
    village_sync_all(&village, 1);
    village_adopt(&village, late);
    village_sync_all(&village, 2);
    struct village_member *const bringers[] = {other(), lost()};
    for (int i = 0; i < 2; i++) {
        struct mq_admitted taken = {0};
        const struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&word)};
        assert_int_equal(mq_outbox_put(bringers[i]->replica, MQ_FRAME_CONTROL, mq_span_text("old list"),
                                       mq_written(&list), &problem),
                         MQ_OK);
        assert_int_equal(mq_outbox_put(bringers[i]->replica, MQ_FRAME_CONTROL, mq_span_text("old word"),
                                       mq_written(&word), &problem),
                         MQ_OK);
        assert_int_equal(mq_db_begin(mq_replica_db(other()->replica), &problem), MQ_OK);
        assert_int_equal(mq_admit(other()->replica, &frame, false, &taken, &problem), MQ_OK);
        assert_int_equal(mq_admit_waiting(other()->replica, &taken, &problem), MQ_OK);
        assert_int_equal(mq_db_commit(mq_replica_db(other()->replica), &problem), MQ_OK);
        village_sync_all(&village, 2);
        assert_true(knows(other(), "late") && knows(&village.desk, "late"));
    }
    add(other(), "after");
    village_sync_all(&village, 2);
    assert_true(knows(&village.devices[2], "after"));
    assert_false(knows(lost(), "after")); /* the relay still gives him nothing */
    assert_int_equal(hostile_count(lost(), "SELECT count(*) FROM segment WHERE mine = 0"), 0);
}

/* A township's desk that is revoked decides and confirms nothing any more; what it had decided stays. */
static void a_revoked_township_is_not_heard(void **state)
{
    (void)state;
    village_township(&village);
    add(other(), "H-1");
    village_sync_all(&village, 2);
    sync_one(&village.township);
    village_set(&village.township, "H-1", "where=河边");
    sync_one(&village.township);
    village_sync_all(&village, 1);
    village_revoke(&village, &village.township);
    village_sync_all(&village, 1);
    village_set(&village.township, "H-1", "where=山上");
    add(other(), "H-2");
    int64_t refused = village_safety(other()).anchored;
    assert_int_equal(mq_seal_all(other()->replica, &problem), MQ_OK);
    carry(other(), &village.township);
    assert_int_equal(mq_receipts_make(village.township.replica, &village.township.team, &problem), MQ_OK);
    carry(&village.township, other()); /* with its receipt for H-2 */
    assert_int_equal(village_safety(other()).anchored, refused);
    village_sync_all(&village, 2);
    char *shown = village_export(other());
    assert_non_null(strstr(shown, "河边"));
    assert_null(strstr(shown, "山上"));
    free(shown);
    assert_int_equal(waiting_for_a_person(&village.desk), 1);
    assert_same_view(&village.desk, other());
}

/* ---- the order in which things come ---- */

#define PIECES 7
#define MOVING (PIECES - 1)

struct pieces {
    uint8_t memory[PIECES][2 * MQ_SEGMENT_MAX];
    struct mq_frame frames[PIECES];
    int count;
};

static void piece_put(struct pieces *pieces, enum mq_frame_type type, struct mq_span bytes)
{
    assert_true(pieces->count < PIECES && bytes.size <= sizeof pieces->memory[0]);
    memcpy(pieces->memory[pieces->count], bytes.data, bytes.size);
    pieces->frames[pieces->count] =
        (struct mq_frame){.type = (uint8_t)type, .payload = {pieces->memory[pieces->count], bytes.size}};
    pieces->count++;
}

static void pieces_take(struct pieces *pieces, struct village_member *member, enum mq_frame_type type, const char *sql)
{
    struct mq_query *query;
    assert_int_equal(mq_db_query(mq_replica_db(member->replica), &query, &problem, sql, ""), MQ_OK);
    while (mq_db_next(&query, &problem))
        piece_put(pieces, type, mq_db_blob(query, 0));
}

struct outcome {
    uint8_t hash[MQ_HASH_SIZE];
    struct mq_partition parts;
};

/* The pieces in one order, some of them twice, and what came of it; then all is undone. */
static void deliver(struct village_member *member, const struct pieces *pieces, const int *order, struct outcome *out)
{
    struct mq_db *db = mq_replica_db(member->replica);
    struct mq_admitted taken = {0};
    memset(out, 0, sizeof *out);
    assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
    for (int i = 0; i < pieces->count; i++) {
        assert_int_equal(mq_admit(member->replica, &pieces->frames[order[i]], false, &taken, &problem), MQ_OK);
        if (order[i] % 2 == 0)
            assert_int_equal(mq_admit_waiting(member->replica, &taken, &problem), MQ_OK);
        if (i > 0 && order[i] % 3 == 0)
            assert_int_equal(mq_admit(member->replica, &pieces->frames[order[i - 1]], false, &taken, &problem), MQ_OK);
    }
    assert_int_equal(mq_admit_waiting(member->replica, &taken, &problem), MQ_OK);
    assert_int_equal(taken.refused, 0);
    assert_int_equal(mq_view_hash(member->replica, out->hash, &problem), MQ_OK);
    assert_int_equal(mq_partition(member->replica, &out->parts, &problem), MQ_OK);
    mq_db_rollback(db);
    mq_chain_forget(&member->replica->chain);
}

static bool next_order(int *order, int count)
{
    int i = count - 2, j = count - 1;
    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[j] < order[i])
        j--;
    int swap = order[i];
    order[i] = order[j];
    order[j] = swap;
    for (int a = i + 1, b = count - 1; a < b; a++, b--) {
        swap = order[a];
        order[a] = order[b];
        order[b] = swap;
    }
    return true;
}

/* Every order of two segments below the cut, two beyond, the revocation, and the one that names one of the latter, with
 * the announce between any of them, gives the same state and the same counts (M1, M2, M12, P8). */
static void any_order_gives_the_same(void **state)
{
    static struct pieces pieces;
    struct outcome first, now;
    int order[PIECES], orders = 0;
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    pieces.count = 0;
    for (int i = 0; i < 2; i++) {
        add(lost(), i == 0 ? "before 1" : "before 2");
        sync_one(lost());
    }
    sync_one(&village.desk);
    village_revoke(&village, lost());
    pieces_take(&pieces, &village.desk, MQ_FRAME_CONTROL, "SELECT bytes FROM control WHERE kind = 3");
    village_set(lost(), "before 1", "where=桥头");
    newest(lost(), late);
    sync_one(lost());
    add(lost(), "late");
    sync_one(lost());
    sync_one(&village.desk);
    village_adopt(&village, late);
    pieces_take(&pieces, &village.desk, MQ_FRAME_CONTROL, "SELECT bytes FROM control WHERE kind = 3");
    pieces_take(&pieces, lost(), MQ_FRAME_SEGMENT, "SELECT bytes FROM segment WHERE mine = 1");
    pieces_take(&pieces, lost(), MQ_FRAME_ANNOUNCE, "SELECT announce FROM stream WHERE mine = 1");
    assert_int_equal(pieces.count, PIECES);
    for (int i = 0; i < MOVING; i++)
        order[i] = i;
    do { /* the announce, which is the last piece, stands in another place each time */
        int whole[PIECES], place = orders % PIECES;
        memcpy(whole, order, (size_t)place * sizeof *whole);
        whole[place] = MOVING;
        memcpy(whole + place + 1, order + place, (size_t)(MOVING - place) * sizeof *whole);
        deliver(&village.devices[3], &pieces, whole, orders == 0 ? &first : &now);
        assert_true(orders == 0 || memcmp(&first, &now, sizeof first) == 0);
        orders++;
    } while (next_order(order, MOVING));
    assert_int_equal(orders, 720);
    assert_int_equal(first.parts.admitted, 3);
    assert_int_equal(first.parts.quarantined, 1);
}

/* ---- what restores bring ---- */

/* A desk and a server that were set back to before the revocation hear of it from a device, and of what was let in: the
 * newest word stands, under a number that is not smaller, and the lost device's late records are where they were. */
static void a_restored_desk_is_healed(void **state)
{
    uint8_t late[MQ_SEGMENT_ID_SIZE];
    (void)state;
    add(lost(), "before");
    village_sync_all(&village, 2);
    village_keep(&village, &village.desk, "desk-backup");
    village_revoke(&village, lost());
    add(lost(), "late");
    newest(lost(), late);
    add(lost(), "later");
    village_sync_all(&village, 2);
    village_adopt(&village, late);
    village_sync_all(&village, 2);
    int64_t number = hostile_count(other(), "SELECT number FROM control WHERE kind = 3");

    village_bring_back(&village, &village.desk, "desk-backup");
    village_relay_empty(&village);
    assert_int_equal(waiting_for_a_person(&village.desk), 0);
    sync_one(&village.desk);
    village_sync_all(&village, 3);
    assert_int_equal(waiting_for_a_person(&village.desk), 1);
    assert_true(knows(&village.desk, "late"));
    assert_false(knows(&village.desk, "later"));
    assert_same_view(&village.desk, other());
    assert_true(hostile_count(&village.desk, "SELECT number FROM control WHERE kind = 3") >= number);
}

/* The server and the desk were set back to before a revocation of which only the revoked device had heard: on its stick the desk
 * finds its own word again, and tells the others. */
static void a_word_from_a_stick_is_told(void **state)
{
    static uint8_t memory[1000];
    struct mq_buffer word = mq_buffer(memory, sizeof memory);
    (void)state;
    village_sync_all(&village, 1);
    village_keep(&village, &village.desk, "kept");
    add(lost(), "late");
    assert_int_equal(village_sync(&village, lost(), NULL), MQ_OK);
    assert_int_equal(village_sync(&village, other(), NULL), MQ_OK);
    village_revoke(&village, lost());
    word_keep(&word, "SELECT bytes FROM control WHERE kind = 3");
    village_bring_back(&village, &village.desk, "kept");
    village_relay_empty(&village);
    struct mq_frame frame = {.type = MQ_FRAME_CONTROL, .payload = mq_written(&word)};
    assert_int_equal(village_hear(&village.desk, &frame), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, other(), NULL), MQ_OK);
    }
    assert_false(knows(&village.desk, "late") || knows(other(), "late"));
    assert_int_equal(waiting_for_a_person(other()), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(late_records_wait_until_named, begin, end),
        cmocka_unit_test_setup_teardown(a_name_covers_one_segment, begin, end),
        cmocka_unit_test_setup_teardown(late_revocation_takes_back, begin, end),
        cmocka_unit_test_setup_teardown(a_thief_gets_nothing_in, begin, end),
        cmocka_unit_test_setup_teardown(branches_that_were_merged_stay, begin, end),
        cmocka_unit_test_setup_teardown(what_is_let_in_is_confirmed, begin, end),
        cmocka_unit_test_setup_teardown(a_revoked_copy_comes_to_an_end, begin, end),
        cmocka_unit_test_setup_teardown(a_withheld_revocation_counts_when_heard, begin, end),
        cmocka_unit_test_setup_teardown(old_words_change_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_revoked_township_is_not_heard, begin, end),
        cmocka_unit_test_setup_teardown(any_order_gives_the_same, begin, end),
        cmocka_unit_test_setup_teardown(a_restored_desk_is_healed, begin, end),
        cmocka_unit_test_setup_teardown(a_word_from_a_stick_is_told, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
