/* A list of all codes and names of places, sorted, each with the place that it belongs to now. */
#include "replica/likeness_places.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/hash.h"
#include "protocol/merge.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

struct place {
    uint8_t record[MQ_ID_SIZE];
    uint8_t into[MQ_ID_SIZE]; /* zeros: itself */
    uint64_t number;
};

struct called {
    uint64_t sign;
    size_t place;
};

struct mq_places {
    struct mq_replica *replica;
    struct place *places;
    size_t count, room;
    struct called *called;
    size_t called_count, called_room;
};

static uint64_t number_of(struct mq_span bytes)
{
    uint8_t hash[8];
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_ROW, bytes);
    struct mq_reader reader = mq_reader(MQ_SPAN(hash));
    return mq_get_u64(&reader) | 1;
}

static void call(struct mq_places *places, struct mq_span value)
{
    if (places->called_count == places->called_room) {
        places->called_room = 2 * places->called_room + 64;
        places->called = realloc(places->called, places->called_room * sizeof *places->called);
        MQ_ASSERT(places->called != NULL);
    }
    places->called[places->called_count++] = (struct called){number_of(value), places->count};
}

static struct mq_span shown(const struct mq_group_state *state, const char *key)
{
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_PLACE), mq_span_text(key));
    const struct mq_field_state *here = mq_group_field(state, field->number);
    return here == NULL || here->choice_count == 0 ? mq_span(NULL, 0) : here->choices[0].value;
}

/* Codes as a place value has them: the number alone. */
static void call_codes(struct mq_places *places, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    uint64_t count = value.size == 0 ? 0 : mq_cbor_array(&reader, MQ_PLACE_CODES_MAX);
    for (uint64_t i = 0; i < count && !reader.failed; i++) {
        struct mq_span one = mq_cbor_take(&reader);
        struct mq_reader inside = mq_reader(one);
        (void)mq_cbor_array(&inside, 3);
        call(places, mq_cbor_take(&inside));
    }
}

static void call_names(struct mq_places *places, struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    uint64_t count = value.size == 0 ? 0 : mq_cbor_array(&reader, MQ_PLACE_CODES_MAX);
    for (uint64_t i = 0; i < count && !reader.failed; i++)
        call(places, mq_cbor_take(&reader));
}

static enum mq_status learn(void *context, const uint8_t canonical[MQ_ID_SIZE], struct mq_error *error)
{
    struct mq_places *places = context;
    struct mq_group_state state;
    enum mq_status status = mq_view_group(places->replica, canonical, &state, error);
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: it only joins nothing */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK)
        return status;
    if (places->count == places->room) {
        places->room = 2 * places->room + 64;
        places->places = realloc(places->places, places->room * sizeof *places->places);
        MQ_ASSERT(places->places != NULL);
    }
    struct place *place = &places->places[places->count];
    *place = (struct place){.number = number_of(mq_span(canonical, MQ_ID_SIZE))};
    memcpy(place->record, canonical, MQ_ID_SIZE);
    struct mq_reader reader = mq_reader(shown(&state, "into"));
    if (mq_left(&reader) > 0 && mq_cbor_next(&reader).type == MQ_CBOR_REFERENCE) {
        struct mq_span into = mq_cbor_bytes(&reader, MQ_ID_SIZE);
        if (into.size == MQ_ID_SIZE)
            memcpy(place->into, into.data, MQ_ID_SIZE);
    }
    if (shown(&state, "name").size > 0)
        call(places, shown(&state, "name"));
    call_codes(places, shown(&state, "codes"));
    call_names(places, shown(&state, "earlier_names"));
    places->count++;
    return MQ_OK;
}

static int called_order(const void *a, const void *b)
{
    const struct called *left = a, *right = b;
    return left->sign != right->sign ? (left->sign < right->sign ? -1 : 1) : (left->place > right->place) - (left->place < right->place);
}

static const struct place *place_of(const struct mq_places *places, const uint8_t record[MQ_ID_SIZE])
{
    for (size_t i = 0; i < places->count; i++)
        if (memcmp(places->places[i].record, record, MQ_ID_SIZE) == 0)
            return &places->places[i];
    return NULL;
}

/* Each place gets the number of the one that it ended in. */
static void follow(struct mq_places *places)
{
    static const uint8_t none[MQ_ID_SIZE] = {0};
    for (size_t i = 0; i < places->count; i++) {
        const struct place *end = &places->places[i];
        for (int step = 0; step < MQ_PLACE_STEPS_MAX && memcmp(end->into, none, MQ_ID_SIZE) != 0; step++) {
            const struct place *next = place_of(places, end->into);
            if (next == NULL)
                break;
            end = next;
        }
        places->places[i].number = number_of(MQ_SPAN(end->record));
    }
}

enum mq_status mq_places_begin(struct mq_places **out, struct mq_replica *replica, struct mq_error *error)
{
    struct mq_places *places = calloc(1, sizeof *places);
    MQ_ASSERT(places != NULL);
    places->replica = replica;
    enum mq_status status = mq_view_each(replica, MQ_KIND_PLACE, false, learn, places, error);
    if (status == MQ_OK) {
        follow(places);
        if (places->called_count > 0)
            qsort(places->called, places->called_count, sizeof *places->called, called_order);
    } else {
        mq_places_end(places);
    }
    *out = status == MQ_OK ? places : NULL;
    return status;
}

void mq_places_end(struct mq_places *places)
{
    if (places == NULL)
        return;
    free(places->places);
    free(places->called);
    free(places);
}

uint64_t mq_places_number(const struct mq_places *places, struct mq_span value)
{
    if (value.size == 0)
        return 0;
    size_t low = 0, high = places->called_count;
    uint64_t sign = number_of(value);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (places->called[middle].sign < sign)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < places->called_count && places->called[low].sign == sign)
        return places->places[places->called[low].place].number;
    return sign; /* in no list: itself */
}
