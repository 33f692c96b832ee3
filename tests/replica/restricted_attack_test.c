/* Aim: whatever a colleague, a township's desk or a former confidant does, nobody else learns of a restricted matter or
 * changes what it says. */
#include "protocol/change.h"
#include "protocol/identity_keys.h"
#include "replica/outbox.h"
#include "tests/replica/traces.h"

/* ---- who may say what ---- */

/* A change of the matter, whoever writes it: its category becomes another. */
static void put_softening(struct mq_buffer *out, const uint8_t record[MQ_ID_SIZE])
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_NEED);
    uint8_t memory[16];
    struct mq_buffer value = mq_buffer(memory, sizeof memory);
    mq_cbor_put_uint(&value, 5);
    mq_change_put_set(out, record, mq_field_by_key(kind, mq_span_text("category"))->number, mq_written(&value),
                      mq_span(NULL, 0), mq_span(NULL, 0));
    assert_false(out->failed);
}

/* A township's desk and a colleague who have learnt the record's id can say what they like, in the open or sealed: at the
 * county it counts for nothing, and neither can they tie a record of their own to it. */
static void nobody_else_is_heard(void **state)
{
    struct village village;
    struct mq_saved saved, own;
    uint8_t memory[256], before[MQ_HASH_SIZE], after[MQ_HASH_SIZE], sealed_id[MQ_ID_SIZE];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    village_begin(&village, 930);
    village_township(&village);
    village_add(&village.devices[0], MATTER, &saved);
    village_sync_all(&village, 2);
    char *was = show(&village.desk, "M-1");
    put_softening(&change, saved.record);
    hostile_write(&village.township, mq_written(&change)); /* in the team's compartment */
    hostile_write(&village.devices[1], mq_written(&change));
    struct village_member *const others[] = {&village.township, &village.devices[1]};
    for (int i = 0; i < 2; i++) { /* and sealed, as everybody may */
        struct hostile_sealing sealing = {others[i], MQ_COMPARTMENT_RESTRICTED, mq_written(&change), saved.record,
                                          sealed_id};
        hostile_seal(&sealing);
    }
    assert_int_equal(mq_view_hash(village.desk.replica, before, &problem), MQ_OK);
    assert_int_equal(village_sync(&village, &village.township, NULL), MQ_OK);
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.desk, "SELECT count(*) FROM change WHERE compartment = 1"), 3);
    assert_int_equal(mq_view_hash(village.desk.replica, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    char *is = show(&village.desk, "M-1");
    assert_string_equal(was, is);
    free(was);
    free(is);

    village_add(&village.devices[1], "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"别的\",\"category\":\"18\"}", &own);
    village_sync_all(&village, 2); /* the same id, and restricted too: another matter all the same */
    assert_int_equal(village_safety(&village.desk).records, 2);
    assert_int_equal(mq_view_rebuild(village.desk.replica, &problem), MQ_OK);
    assert_int_equal(mq_view_hash(village.desk.replica, before, &problem), MQ_OK);
    village_sync_all(&village, 1);
    assert_int_equal(mq_view_hash(village.desk.replica, after, &problem), MQ_OK);
    assert_memory_equal(before, after, sizeof before);
    village_end(&village);
}

/* A step that a township's desk writes about a matter whose id it has learnt, in the open, moves nothing: at the county it
 * stands as it stood, in whatever order the step and the matter come; the county's own step does move it. */
static void foreign_steps_move_nothing(void **state)
{
    static const char *const count = "SELECT count(*) FROM refers JOIN record ON record = target"
                                     " WHERE record.compartment = 1";
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct village village;
        struct mq_saved saved;
        uint8_t memory[256];
        struct mq_buffer pairs_buffer = mq_buffer(memory, sizeof memory);
        village_begin(&village, 950 + (uint64_t)order);
        village_township(&village);
        village_add(&village.devices[0], MATTER, &saved);
        const struct mq_kind *step = mq_kind_by_number(MQ_KIND_STEP);
        mq_cbor_put_uint(&pairs_buffer, MQ_FIELD_ID);
        mq_cbor_put_text(&pairs_buffer, mq_span_text("S-fremd"));
        mq_cbor_put_uint(&pairs_buffer, mq_field_by_key(step, mq_span_text("need"))->number);
        mq_put_reference(&pairs_buffer, saved.record);
        mq_cbor_put_uint(&pairs_buffer, mq_field_by_key(step, mq_span_text("step"))->number);
        mq_cbor_put_uint(&pairs_buffer, 1);
        uint8_t change_memory[300];
        struct mq_buffer change = mq_buffer(change_memory, sizeof change_memory);
        mq_change_put_create(&change, MQ_KIND_STEP, 3, mq_written(&pairs_buffer));
        hostile_write(&village.township, mq_written(&change));
        struct village_member *first = order == 0 ? &village.devices[0] : &village.township;
        struct village_member *second = order == 0 ? &village.township : &village.devices[0];
        assert_int_equal(village_sync(&village, first, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, second, NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        assert_int_equal(village_safety(&village.desk).records, 2); /* the step is kept, of course */
        assert_int_equal(hostile_count(&village.desk, count), 0);
        village_add(&village.desk, ANSWER, NULL);
        assert_int_equal(hostile_count(&village.desk, count), 1);
        village_sync_all(&village, 2);
        assert_int_equal(hostile_count(&village.devices[0], "SELECT count(DISTINCT source) FROM refers JOIN matter"
                                                            " ON record = target"),
                         1); /* at the author's too */
        village_end(&village);
    }
}

/* A colleague who writes about the matter in the open, to the author's own device, does not make him answer in the open:
 * what he says of it goes where the matter is. */
static void the_author_is_not_drawn_out(void **state)
{
    struct village village;
    struct mq_saved saved;
    uint8_t memory[256];
    struct mq_buffer change = mq_buffer(memory, sizeof memory);
    (void)state;
    village_begin(&village, 960);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, &saved);
    village_sync_all(&village, 2);
    put_softening(&change, saved.record);
    hostile_write(&village.devices[1], mq_written(&change));
    village_sync_all(&village, 2);
    assert_int_equal(hostile_count(&village.devices[0], "SELECT count(*) FROM change WHERE record IN (SELECT record FROM matter)"),
                     1);
    village_set(&village.devices[0], "M-1", "words+=NACHTRAG-2");
    village_add(&village.devices[0], "{\"kind\":\"told\",\"need\":\"M-1\",\"date\":\"2026-11-20\",\"text\":\"NACHTRAG-3\"}", NULL);
    assert_false(store_holds(&village, &village.devices[0], "NACHTRAG"));
    village_sync_all(&village, 2);
    assert_false(store_holds(&village, &village.devices[1], "NACHTRAG"));
    assert_true(lists(&village.desk, "NACHTRAG-2"));
    assert_true(lists(&village.desk, "NACHTRAG-3"));
    village_end(&village);
}

/* A colleague gives an open need the name and the number of a matter: what its author then adds goes to neither before he
 * says which one he means. */
static void a_name_given_twice_draws_nothing_out(void **state)
{
    struct village village;
    struct mq_saved saved, other;
    struct mq_json *told;
    char line[200], record[2 * MQ_ID_SIZE + 1];
    const char *words[] = {"words+=NACHTRAG-4"};
    (void)state;
    village_begin(&village, 962);
    struct village_member *author = &village.devices[0], *colleague = &village.devices[1];
    village_add(author, MATTER, &saved);
    village_sync_all(&village, 2);
    snprintf(line, sizeof line, "{\"kind\":\"need\",\"id\":\"Z-1\",\"no\":\"%s\",\"words\":\"" OPEN "\"}", saved.number);
    assert_int_equal(mq_records_import_line(colleague->replica, &colleague->team, mq_span_text(line), false, &other, &problem),
                     MQ_OK);
    village_add(colleague, "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" OPEN "\"}", NULL);
    village_sync_all(&village, 2);
    const char *const names[] = {"M-1", saved.number};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mq_records_set(author->replica, mq_span_text(names[i]), words, 1, mq_span(NULL, 0), &other, &problem),
                         MQ_REFUSED);
        assert_non_null(strstr(problem.text, "several"));
        mq_error_clear(&problem);
    }
    assert_int_equal(mq_json_parse(&told, mq_span_text("{\"kind\":\"told\",\"need\":\"M-1\",\"date\":\"2023-11-14\","
                                                       "\"text\":\"NACHTRAG-5\"}"), &problem),
                     MQ_OK);
    assert_int_equal(mq_records_add(author->replica, NULL, told, &other, &problem), MQ_REFUSED);
    assert_non_null(strstr(problem.text, "several"));
    mq_error_clear(&problem);
    mq_json_free(told);
    assert_int_equal(mq_records_import_line(author->replica, &author->team,
                                            mq_span_text("{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"NACHTRAG-6\"}"),
                                            true, &other, &problem),
                     MQ_OK);
    assert_true(other.known);
    for (size_t i = 0; i < MQ_ID_SIZE; i++)
        snprintf(record + 2 * i, 3, "%02x", saved.record[i]);
    record[12] = '\0'; /* as the refusal lists it */
    village_set(author, record, words[0]);
    village_sync_all(&village, 2);
    assert_false(store_holds(&village, colleague, "NACHTRAG"));
    assert_true(lists(&village.desk, "NACHTRAG-4"));
    assert_false(lists(&village.desk, "NACHTRAG-6"));
    village_end(&village);
}

/* Where the county has several matters of one name, of two authors or an open one, its answer goes to none of them: not to
 * whoever took the name, and not to the team. */
static void an_answer_goes_to_no_namesake(void **state)
{
    static const char *const takes[] = {"{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" OPEN "\"}", MATTER};
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        struct village village;
        struct mq_saved saved;
        struct mq_json *answer;
        village_begin(&village, 963 + i);
        village_add(&village.devices[1], takes[i], NULL);
        assert_int_equal(village_sync(&village, &village.devices[1], NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.desk, NULL), MQ_OK);
        village_add(&village.devices[0], MATTER, NULL);
        village_sync_all(&village, 2);
        assert_int_equal(mq_json_parse(&answer, mq_span_text(ANSWER), &problem), MQ_OK);
        assert_int_equal(mq_records_add(village.desk.replica, NULL, answer, &saved, &problem), MQ_REFUSED);
        assert_non_null(strstr(problem.text, "several"));
        mq_error_clear(&problem);
        mq_json_free(answer);
        village_end(&village);
    }
}

/* A member's token that asks for the restricted mailbox all the same is given nothing of it, and learns no count. */
static void the_relay_keeps_counts_back(void **state)
{
    struct village village;
    bool news;
    (void)state;
    village_begin(&village, 961);
    village_township(&village);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    struct village_member *const curious[] = {&village.devices[1], &village.township};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mq_mailbox_ask(curious[i]->replica, curious[i]->team.team, MQ_COMPARTMENT_RESTRICTED, &news,
                                        &problem),
                         MQ_OK);
        assert_int_equal(village_sync(&village, curious[i], NULL), MQ_OK);
        assert_true(village.mailboxes >= 2);
        assert_knows_nothing(&village, curious[i]);
        assert_int_equal(hostile_count(curious[i], "SELECT cursor FROM mailbox WHERE compartment = 1"), 0);
    }
    village_end(&village);
}

/* A grant of the restricted compartment that a member or a township's desk signed is refused by relay and device: what
 * is written goes on being sealed to the county's. */
static void forged_grants_are_refused(void **state)
{
    struct village village;
    struct mq_admitted result = {0};
    uint8_t bytes[MQ_GRANT_SIZE], mailbox[MQ_ID_SIZE];
    (void)state;
    village_begin(&village, 931);
    village_township(&village);
    mq_mailbox(mailbox, village.desk.team.team, MQ_COMPARTMENT_RESTRICTED);
    struct village_member *const forgers[] = {&village.devices[1], &village.township};
    for (int i = 0; i < 2; i++) {
        struct mq_grant grant = {.compartment = MQ_COMPARTMENT_RESTRICTED, .epoch = 9};
        const struct mq_secret key = {{3}};
        memcpy(grant.team, village.desk.team.team, MQ_ID_SIZE);
        mq_grant_sign(&grant, &key, NULL, NULL, mq_replica_identity(forgers[i]->replica));
        mq_grant_encode(bytes, &grant);
        assert_int_equal(mq_grant_verify(&grant, &forgers[i]->team.certificate), MQ_REFUSED);
        assert_int_equal(mq_outbox_put(forgers[i]->replica, MQ_FRAME_GRANT, MQ_SPAN(bytes), MQ_SPAN(bytes), &problem),
                         MQ_OK);
        assert_int_equal(village_sync(&village, forgers[i], NULL), MQ_OK);
        assert_int_equal(village_sync(&village, &village.devices[0], NULL), MQ_OK);
        const struct mq_frame frame = {.type = MQ_FRAME_GRANT, .payload = MQ_SPAN(bytes)};
        assert_int_equal(mq_db_begin(village.devices[0].replica->db, &problem), MQ_OK);
        assert_int_equal(mq_admit(village.devices[0].replica, &frame, false, &result, &problem), MQ_OK);
        assert_int_equal(mq_db_commit(village.devices[0].replica->db, &problem), MQ_OK);
        assert_int_equal(result.refused, i + 1);
        struct mq_grant newest;
        assert_int_equal(mq_grant_newest(village.devices[0].replica, mailbox, &newest, &problem), MQ_OK);
        assert_int_equal(newest.epoch, 1);
    }
    village_end(&village);
}

/* Who is named reads what is written from then on, no earlier matter; who is not any more, nothing that is written
 * later. */
static void names_count_from_when_they_are_given(void **state)
{
    struct village village;
    (void)state;
    village_begin(&village, 932);
    village_add(&village.devices[0], NEED, NULL);
    village_add(&village.devices[0], MATTER, NULL);
    village_sync_all(&village, 2);
    village_name(&village, &village.devices[2], true);
    village_sync_all(&village, 2);
    assert_false(store_holds(&village, &village.devices[2], MARK));
    village_add(&village.devices[0], "{\"kind\":\"need\",\"id\":\"M-2\",\"words\":\"SPAETER-2\",\"category\":\"18\"}", NULL);
    village_sync_all(&village, 2);
    assert_true(lists(&village.devices[2], "SPAETER-2"));
    assert_false(lists(&village.devices[2], MARK));
    village_name(&village, &village.devices[2], false);
    village_sync_all(&village, 2);
    village_add(&village.devices[0], "{\"kind\":\"need\",\"id\":\"M-3\",\"words\":\"SPAETER-3\",\"category\":\"18\"}", NULL);
    village_sync_all(&village, 2);
    assert_false(lists(&village.devices[2], "SPAETER-3"));
    assert_true(lists(&village.desk, "SPAETER-3"));
    assert_int_equal(village_safety(&village.devices[0]).anchored, 4);
    village_end(&village);
}

/* Who was named and is no longer keeps nothing in clear of what he writes from then on; it arrives all the same. */
static void who_was_named_seals_like_anybody(void **state)
{
    struct village village;
    struct mq_sync_result result = {0};
    (void)state;
    village_begin(&village, 933);
    village_add(&village.devices[2], NEED, NULL);
    village_name(&village, &village.devices[2], true);
    village_sync_all(&village, 2);
    village_add(&village.devices[2], "{\"kind\":\"need\",\"id\":\"M-2\",\"words\":\"FRUEHER-2\",\"category\":\"18\"}", NULL);
    village_sync_all(&village, 2);
    assert_true(lists(&village.devices[2], "FRUEHER-2"));
    village_name(&village, &village.devices[2], false);
    village_sync_all(&village, 2);
    village_add(&village.devices[2], "{\"kind\":\"need\",\"id\":\"M-3\",\"words\":\"SPAETER-3\",\"category\":\"18\"}", NULL);
    village_set(&village.devices[2], "M-2", "words+=SPAETER-4");
    assert_false(store_holds(&village, &village.devices[2], "SPAETER"));
    village_sync_all(&village, 3);
    assert_true(lists(&village.desk, "SPAETER-3"));
    assert_true(lists(&village.desk, "SPAETER-4"));
    assert_int_equal(village_safety(&village.devices[2]).anchored, 3);
    assert_int_equal(village_sync(&village, &village.devices[2], &result), MQ_OK);
    assert_int_equal(result.requests, 1); /* nothing is said twice */
    assert_int_equal(result.sent, 0);
    village_end(&village);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_else_is_heard),
        cmocka_unit_test(foreign_steps_move_nothing),
        cmocka_unit_test(the_author_is_not_drawn_out),
        cmocka_unit_test(a_name_given_twice_draws_nothing_out),
        cmocka_unit_test(an_answer_goes_to_no_namesake),
        cmocka_unit_test(the_relay_keeps_counts_back),
        cmocka_unit_test(forged_grants_are_refused),
        cmocka_unit_test(names_count_from_when_they_are_given),
        cmocka_unit_test(who_was_named_seals_like_anybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
