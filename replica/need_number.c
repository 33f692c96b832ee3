/* The first part of a need's number: letters of the village that can be said aloud, SP for 杉坪村 (docs/protocol.md,
 * section 2). */
#include <stdio.h>
#include <string.h>

#include "protocol/pinyin.h"
#include "replica/catalogue.h"
#include "replica/ledger_value.h"
#include "replica/need_chain.h"
#include "replica/view.h"

/* What the desk said the letters of a place shall be, else the initials of its name; of a code whose name is not known
 * the village's own three digits. */
static enum mq_status put_letters(struct mq_replica *replica, char out[MQ_VILLAGE_LETTERS_MAX + 1],
                                  struct mq_span value, struct mq_error *error)
{
    const struct mq_place *place;
    struct mq_reader reader = mq_reader(value);
    struct mq_cbor_item item = mq_cbor_next(&reader);
    uint8_t memory[MQ_NAME_TEXT_MAX];
    struct mq_buffer letters = mq_buffer(memory, sizeof memory);
    enum mq_status status = mq_catalogue_place(replica, value, &place, error);
    if (status != MQ_OK)
        return status;
    if (item.type == MQ_CBOR_UINT)
        snprintf(out, MQ_VILLAGE_LETTERS_MAX + 1, "%03u", (unsigned)(item.number % 1000));
    if (place != NULL && place->letters != NULL)
        mq_put_text(&letters, place->letters);
    else if (place != NULL || item.type == MQ_CBOR_TEXT)
        mq_pinyin_initials(place != NULL ? mq_span_text(place->name) : item.bytes, &letters);
    size_t size = letters.size < MQ_VILLAGE_LETTERS_MAX ? letters.size : MQ_VILLAGE_LETTERS_MAX;
    if (size > 0) {
        memcpy(out, memory, size);
        out[size] = '\0';
    }
    return MQ_OK;
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
        return put_letters(replica, out, place->value, error);
    if (!named(parsed, "household", record) && !named(parsed, "visit", record))
        return MQ_OK;
    for (;;) { /* a visit knows its place, or its household does */
        enum mq_status status = mq_view_group(replica, record, &state, error);
        if (status != MQ_OK)
            return status;
        uint8_t memory[MQ_NAME_TEXT_MAX + 16];
        struct mq_span value = mq_shown_value(&state, "place");
        if (value.size > 0 && value.size <= sizeof memory) {
            memcpy(memory, value.data, value.size); /* the catalogue reads records too */
            return put_letters(replica, out, mq_span(memory, value.size), error);
        }
        if (state.kind != MQ_KIND_VISIT)
            return MQ_OK;
        if (!mq_shown_reference(&state, "household", record) && !mq_shown_reference(&state, "households", record))
            return MQ_OK;
    }
}
