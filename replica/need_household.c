/* Whose need it is: two people of one name in a village are told apart by group and nickname. */
#include "replica/need_household.h"

#include <string.h>

#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define WORDS_SHOWN 60 /* characters */

unsigned mq_field_number(unsigned kind, const char *key)
{
    return mq_field_by_key(mq_kind_by_number(kind), mq_span_text(key))->number;
}

static void put_text(struct mq_json_writer *writer, const char *key, struct mq_span text)
{
    if (text.size == 0)
        return;
    mq_json_key(writer, key);
    mq_json_string_value(writer, text);
}

/* ---- households ---- */

static void put_called(const struct mq_group_state *state, struct mq_json_writer *writer)
{
    uint8_t memory[4 * MQ_NAME_TEXT_MAX], called_memory[sizeof memory];
    struct mq_buffer called = mq_buffer(called_memory, sizeof called_memory);
    static const struct {
        const char *key, *before, *after;
    } parts[] = {{"group", "", " "}, {"head", "", ""}, {"nickname", "（", "）"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct mq_buffer part = mq_buffer(memory, sizeof memory);
        mq_put_shown(NULL, &part, state, parts[i].key, false);
        if (part.size == 0)
            continue;
        mq_put_text(&called, parts[i].before);
        mq_put_span(&called, mq_written(&part));
        mq_put_text(&called, parts[i].after);
    }
    put_text(writer, "household", mq_written(&called));
}

enum mq_status mq_put_household(struct mq_replica *replica, const uint8_t household[MQ_ID_SIZE],
                                struct mq_json_writer *writer, struct mq_error *error)
{
    uint8_t memory[2 * MQ_RECORD_ID_TEXT_MAX];
    struct mq_buffer id = mq_buffer(memory, sizeof memory);
    struct mq_group_state state;
    enum mq_status status = mq_view_group(replica, household, &state, error);
    if (status == MQ_NOT_FOUND) {
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status == MQ_OK)
        status = mq_print_reference(replica, household, &id, error);
    if (status != MQ_OK)
        return status;
    put_text(writer, "household_id", mq_written(&id));
    put_called(&state, writer);
    return MQ_OK;
}

/* ---- of a need ---- */

/* At a character's end, so that what is cut stays text. */
static void put_words(const struct mq_group_state *state, struct mq_json_writer *writer)
{
    uint8_t memory[MQ_LONG_TEXT_MAX];
    struct mq_buffer words = mq_buffer(memory, sizeof memory);
    size_t characters = 0, end = 0;
    mq_put_shown(NULL, &words, state, "words", false);
    while (end < words.size && characters <= WORDS_SHOWN) {
        characters += (memory[end] & 0xc0) != 0x80;
        end += characters <= WORDS_SHOWN;
    }
    put_text(writer, "words", mq_span(memory, end));
}

static bool household_of(const struct mq_group_state *state, uint8_t out[MQ_ID_SIZE], bool *by_visit)
{
    *by_visit = false;
    if (mq_shown_reference(state, "household", out))
        return true;
    *by_visit = mq_shown_reference(state, "visit", out);
    return *by_visit;
}

enum mq_status mq_put_need_household(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE], bool with_words,
                                     struct mq_json_writer *writer, struct mq_error *error)
{
    struct mq_group_state state;
    uint8_t reporter_memory[MQ_SHORT_TEXT_MAX], household[MQ_ID_SIZE];
    struct mq_buffer reporter = mq_buffer(reporter_memory, sizeof reporter_memory);
    bool by_visit;
    enum mq_status status = mq_view_group(replica, need, &state, error);
    if (status == MQ_NOT_FOUND) { /* sealed here for others to read: who said it is not known here any more */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    mq_put_shown(NULL, &reporter, &state, "reporter", false);
    put_text(writer, "reporter", mq_written(&reporter));
    if (with_words)
        put_words(&state, writer);
    if (!household_of(&state, household, &by_visit))
        return MQ_OK;
    if (by_visit) {
        status = mq_view_group(replica, household, &state, error);
        if (status == MQ_NOT_FOUND)
            mq_error_clear(error);
        if (status != MQ_OK || !mq_shown_reference(&state, "household", household))
            return error->status;
    }
    return mq_put_household(replica, household, writer, error);
}
