/* The first part of a need's number: letters of the village that can be said aloud, SP for 杉坪村 (docs/protocol.md,
 * section 2). */
#include <stdio.h>
#include <string.h>

#include "protocol/pinyin.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/view.h"

/* Of a place's name its initials; of a code, whose name is not known, the village's own three digits. */
static void put_letters(char out[MQ_VILLAGE_LETTERS_MAX + 1], struct mq_span place)
{
    struct mq_reader reader = mq_reader(place);
    struct mq_cbor_item item = mq_cbor_next(&reader);
    uint8_t memory[MQ_NAME_TEXT_MAX];
    struct mq_buffer letters = mq_buffer(memory, sizeof memory);
    if (item.type == MQ_CBOR_UINT)
        snprintf(out, MQ_VILLAGE_LETTERS_MAX + 1, "%03u", (unsigned)(item.number % 1000));
    if (item.type != MQ_CBOR_TEXT)
        return;
    mq_pinyin_initials(item.bytes, &letters);
    size_t size = letters.size < MQ_VILLAGE_LETTERS_MAX ? letters.size : MQ_VILLAGE_LETTERS_MAX;
    if (size > 0) {
        memcpy(out, memory, size);
        out[size] = '\0';
    }
}

/* The record that a field names; false: it is not given. */
static bool named(const struct mq_parsed *parsed, const char *key, uint8_t out[MQ_ID_SIZE])
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text(key));
    const struct mq_parsed_field *given = field == NULL ? NULL : mq_parsed_find(parsed, field->number);
    if (given == NULL)
        return false;
    struct mq_reader reader = mq_reader(given->value);
    (void)mq_cbor_next(&reader);
    memcpy(out, mq_cbor_bytes(&reader, MQ_ID_SIZE).data, MQ_ID_SIZE);
    return true;
}

enum mq_status mq_need_village(struct mq_replica *replica, const struct mq_parsed *parsed,
                               char out[MQ_VILLAGE_LETTERS_MAX + 1], struct mq_error *error)
{
    const struct mq_field *field = mq_field_by_key(parsed->kind, mq_span_text("place"));
    const struct mq_parsed_field *place = field == NULL ? NULL : mq_parsed_find(parsed, field->number);
    struct mq_group_state state;
    uint8_t record[MQ_ID_SIZE];
    memcpy(out, "X", 2);
    if (place != NULL)
        put_letters(out, place->value);
    if (place != NULL || (!named(parsed, "household", record) && !named(parsed, "visit", record)))
        return MQ_OK;
    for (;;) { /* a visit knows its place, or its household does */
        enum mq_status status = mq_view_group(replica, record, &state, error);
        struct mq_span value = status == MQ_OK ? mq_shown_value(&state, "place") : mq_span(NULL, 0);
        if (value.size > 0)
            put_letters(out, value);
        if (status != MQ_OK || value.size > 0 || state.kind != MQ_KIND_VISIT)
            return status;
        if (!mq_shown_reference(&state, "household", record) && !mq_shown_reference(&state, "households", record))
            return MQ_OK;
    }
}
