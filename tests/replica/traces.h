/* Looking for traces of a restricted matter: in every page of a store, in everything that is shown, in files. */
#ifndef MQ_TESTS_REPLICA_TRACES_H
#define MQ_TESTS_REPLICA_TRACES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db_key.h"
#include "replica/bundle.h"
#include "replica/view.h"
#include "tests/replica/hostile.h"

#define MARK "MARKE-18-QZX"  /* in the matter */
#define OPEN "OFFEN-06-QZX"  /* in an ordinary need: what must be found, so that searching is no illusion */
#define REPLY "ANTWT-18-QZX" /* in the county's answer */
#define WORDS "三组的补助名单里，组长把亲戚排在前头，" MARK "，" MARK "，" MARK "。不要让村里知道是我说的。"
#define MATTER "{\"kind\":\"need\",\"id\":\"M-1\",\"words\":\"" WORDS "\",\"category\":\"18\"}"
#define NEED \
    "{\"kind\":\"need\",\"id\":\"N-1\",\"words\":\"路灯坏了，" OPEN "，" OPEN "，" OPEN "\",\"category\":\"05\"}"

#define ANSWER "{\"kind\":\"step\",\"id\":\"S-1\",\"need\":\"M-1\",\"step\":\"accept\",\"text\":\"已核查，" REPLY "\"}"

static struct mq_error problem;

/* ---- looking everywhere ---- */

static inline bool holds(const char *bytes, size_t size, const char *mark)
{
    return memmem(bytes, size, mark, strlen(mark)) != NULL;
}

static inline char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    rewind(file);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

static inline bool file_holds(const char *path, const char *mark)
{
    size_t size;
    char *bytes = file_read(path, &size);
    bool found = holds(bytes, size, mark);
    free(bytes);
    return found;
}

/* Every page of the store, the free ones too, in clear: a copy of it without its key. */
static inline bool store_holds(struct village *village, struct village_member *member, const char *mark)
{
    static int copies;
    char path[400];
    struct mq_db *copy;
    snprintf(path, sizeof path, "%s/clear%d.db", village->directory, copies++);
    assert_int_equal(mq_db_copy(member->replica->db, path, &problem), MQ_OK);
    assert_int_equal(mq_db_open_encrypted(&copy, member->platform, path, member->replica->store_key, &problem), MQ_OK);
    assert_int_equal(mq_db_script(copy, "PRAGMA journal_mode = DELETE; PRAGMA rekey = ''", &problem), MQ_OK);
    mq_db_close(copy);
    bool found = file_holds(path, mark);
    assert_true(file_holds(path, "CREATE TABLE")); /* it is in clear */
    remove(path);
    return found;
}

struct text {
    char *bytes;
    size_t size, capacity;
};

static inline enum mq_status append(void *context, struct mq_span object, struct mq_error *error)
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

/* Lists, searches, export, conflicts, check, and a bundle. */
static inline struct text outputs(struct village *village, struct village_member *member)
{
    struct text text = {NULL, 0, 0};
    const struct mq_emitter emitter = {&text, append};
    struct mq_check_result check;
    char path[300];
    int64_t segments;
    size_t size;
    append(&text, mq_span_text("outputs"), NULL);
    assert_int_equal(mq_records_list(member->replica, NULL, mq_span_text(""), 0, &emitter, &problem), MQ_OK);
    assert_int_equal(mq_records_list(member->replica, NULL, mq_span_text("QZX"), 0, &emitter, &problem), MQ_OK);
    assert_int_equal(mq_records_export(member->replica, NULL, &emitter, &problem), MQ_OK);
    assert_int_equal(mq_records_conflicts(member->replica, &emitter, &problem), MQ_OK);
    assert_int_equal(mq_records_check(member->replica, false, &check, &emitter, &problem), MQ_OK);
    snprintf(path, sizeof path, "%s/stick", village->directory);
    assert_int_equal(mq_bundle_write(member->replica, path, &segments, &problem), MQ_OK);
    char *bundle = file_read(path, &size);
    append(&text, mq_span((const uint8_t *)bundle, size), NULL);
    free(bundle);
    return text;
}

static inline bool shows(struct village *village, struct village_member *member, const char *mark)
{
    struct text text = outputs(village, member);
    bool found = holds(text.bytes, text.size, mark);
    free(text.bytes);
    return found;
}

static inline bool lists(struct village_member *member, const char *what)
{
    struct text text = {NULL, 0, 0};
    const struct mq_emitter emitter = {&text, append};
    append(&text, mq_span_text("list"), NULL);
    assert_int_equal(mq_records_list(member->replica, NULL, mq_span_text(""), 0, &emitter, &problem), MQ_OK);
    bool found = holds(text.bytes, text.size, what);
    free(text.bytes);
    return found;
}

static inline char *show(struct village_member *member, const char *id)
{
    struct text text = {NULL, 0, 0};
    const struct mq_emitter emitter = {&text, append};
    assert_int_equal(mq_records_show(member->replica, mq_span_text(id), false, &emitter, &problem), MQ_OK);
    return text.bytes;
}

/* Neither text nor number: not a trace. */
static inline void assert_knows_nothing(struct village *village, struct village_member *member)
{
    struct mq_partition parts;
    assert_true(store_holds(village, member, OPEN)); /* the team's own is found like this */
    assert_false(store_holds(village, member, MARK));
    assert_false(store_holds(village, member, REPLY));
    assert_false(shows(village, member, MARK));
    assert_false(shows(village, member, REPLY));
    assert_false(shows(village, member, "M-1"));
    assert_int_equal(village_safety(member).records, 1);
    assert_int_equal(mq_partition(member->replica, &parts, &problem), MQ_OK);
    assert_int_equal(parts.waiting + parts.quarantined + parts.undecodable, 0);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM stream JOIN mailbox USING(mailbox)"
                                           " WHERE compartment <> 0 AND mine = 0"),
                     0);
    assert_int_equal(hostile_count(member, "SELECT count(*) FROM grants JOIN mailbox USING(mailbox)"
                                           " WHERE compartment NOT IN (0, 2) AND key IS NOT NULL"),
                     0);
}

static inline void assert_reads(struct village *village, struct village_member *member, const char *mark)
{
    assert_true(store_holds(village, member, mark));
    assert_true(lists(member, mark));
    assert_true(lists(member, "\"restricted\":true"));
    char *exported = village_export(member);
    assert_null(strstr(exported, mark));
    free(exported);
}

#endif
