/* tidy: long, a second merge reads best in one piece */
/* The naive merge; see merge_model.h. Where it could be shorter or quicker, it is neither. */
#include "tests/protocol/merge_model.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 1024

static void demand(bool condition)
{
    if (!condition)
        abort();
}

/* ---- One change ---- */

static uint64_t type_of(const struct mq_fact *fact)
{
    struct mq_reader reader = mq_reader(fact->expanded);

    mq_cbor_array(&reader, UINT64_MAX);
    return mq_cbor_uint(&reader);
}

/* The i-th item of the change's array, from 0; empty where there are fewer. */
static struct mq_span item_of(const struct mq_fact *fact, uint64_t i)
{
    struct mq_reader reader = mq_reader(fact->expanded);
    uint64_t items = mq_cbor_array(&reader, UINT64_MAX);

    if (i >= items)
        return mq_span(NULL, 0);
    for (uint64_t k = 0; k < i; k++)
        mq_cbor_take(&reader);
    return mq_cbor_take(&reader);
}

static uint64_t number_of(struct mq_span item)
{
    struct mq_reader reader = mq_reader(item);
    uint64_t number = mq_cbor_uint(&reader);

    demand(!reader.failed);
    return number;
}

/* The names that a change lists: item 4 of a set or decide, item 3 of a remove; empty for the others. */
static struct mq_span listed_by(const struct mq_fact *fact)
{
    switch (type_of(fact)) {
    case 2:
    case 6:
        return item_of(fact, 4);
    case 4:
        return item_of(fact, 3);
    default: /* tidy: not an enum */
        return mq_span(NULL, 0);
    }
}

static bool lists(struct mq_span array, const uint8_t *name)
{
    struct mq_reader reader = mq_reader(array);
    uint64_t names = array.size == 0 ? 0 : mq_cbor_array(&reader, UINT64_MAX);

    for (uint64_t i = 0; i < names; i++) {
        if (memcmp(mq_cbor_bytes(&reader, 8).data, name, 8) == 0)
            return true;
    }
    return false;
}

static bool lists_any(struct mq_span array)
{
    struct mq_reader reader = mq_reader(array);

    return array.size > 0 && mq_cbor_array(&reader, UINT64_MAX) > 0;
}

/* Of facts with one id, the one with the highest rank stands for all. */
static bool counts(const struct mq_fact *facts, size_t count, size_t i)
{
    for (size_t k = 0; k < count; k++) {
        if (memcmp(facts[k].id, facts[i].id, 16) != 0)
            continue;
        if (facts[k].rank > facts[i].rank || (facts[k].rank == facts[i].rank && k < i))
            return false;
    }
    return true;
}

/* Reference data is written by desks, and so are some fields; what others write of them says nothing. */
static bool is_void(const struct mq_fact *fact, uint64_t kind)
{
    const struct mq_kind *known = mq_kind_by_number(kind);

    if (known == NULL || fact->rank >= 2 || type_of(fact) < 1 || type_of(fact) > 6)
        return false;
    const struct mq_field *field = type_of(fact) == 1 ? NULL : mq_field_by_number(known, number_of(item_of(fact, 2)));
    return known->desk_only || (field != NULL && field->guard == MQ_GUARD_DESK);
}

bool model_named(const struct mq_fact *facts, size_t count, uint64_t field, const uint8_t name[8])
{
    for (size_t i = 0; i < count; i++) {
        struct mq_span list = listed_by(&facts[i]);
        if (list.size > 0 && number_of(item_of(&facts[i], 2)) == field && lists(list, name))
            return true;
    }
    return false;
}

/* ---- All values of a group ---- */

static uint64_t kind_of(const struct mq_fact *facts, size_t count)
{
    const struct mq_fact *first = NULL;

    for (size_t i = 0; i < count; i++) {
        if (type_of(&facts[i]) == 1 && (first == NULL || memcmp(facts[i].id, first->id, 16) < 0))
            first = &facts[i];
    }
    return first == NULL ? 0 : number_of(item_of(first, 1));
}

/* The openness of a value that says true, false or a number: 0, 1 or the number. */
static uint64_t openness(struct mq_span value)
{
    struct mq_reader reader = mq_reader(value);
    struct mq_cbor_item item = mq_cbor_next(&reader);

    if (item.type == MQ_CBOR_TRUE)
        return 0;
    if (item.type == MQ_CBOR_FALSE)
        return 1;
    return item.type == MQ_CBOR_UINT ? item.number : UINT64_MAX;
}

static bool gives_reason(const struct mq_fact *fact)
{
    struct mq_reader reader = mq_reader(item_of(fact, 5));
    struct mq_cbor_item item = mq_cbor_next(&reader);

    return item.type == MQ_CBOR_TEXT && item.bytes.size > 0;
}

static bool named_by_the_entitled(const struct mq_fact *facts, size_t count, uint64_t kind,
                                  const struct model_value *value)
{
    const struct mq_kind *known = mq_kind_by_number(kind);
    const struct mq_field *field = known == NULL ? NULL : mq_field_by_number(known, value->field);
    enum mq_field_guard guard = field == NULL ? MQ_GUARD_NONE : field->guard;

    for (size_t i = 0; i < count; i++) {
        struct mq_span list = listed_by(&facts[i]);
        if (list.size == 0 || is_void(&facts[i], kind) || !counts(facts, count, i))
            continue;
        if (number_of(item_of(&facts[i], 2)) != value->field || !lists(list, value->name))
            continue;
        struct mq_span own = type_of(&facts[i]) == 4 ? mq_span(NULL, 0) : item_of(&facts[i], 3);
        bool lowers = openness(own) > openness(value->value);
        if (guard == MQ_GUARD_REASON && lowers && !gives_reason(&facts[i]))
            continue;
        if (guard == MQ_GUARD_COUNTY && lowers && facts[i].rank < 3)
            continue;
        return true;
    }
    return false;
}

static enum mq_field_merge rule(uint64_t kind, uint64_t field)
{
    return mq_merge_rule(mq_kind_by_number(kind), field);
}

static size_t add(struct model_value *values, size_t used, const struct mq_fact *fact, uint64_t field,
                  struct mq_span value, enum mq_field_merge merge)
{
    struct model_value *new = &values[used];

    demand(used < MODEL_VALUES_MAX);
    *new = (struct model_value){.fact = fact, .field = field, .value = value, .created = type_of(fact) == 1};
    if (merge == MQ_MERGE_REGISTER) {
        memcpy(new->name, fact->id, 8);
    } else {
        struct mq_span parts[2] = {mq_span(fact->id, 16), value};
        mq_hash(new->name, 8, MQ_DOMAIN_ELEMENT, parts, 2);
    }
    return used + 1;
}

static size_t add_created(struct model_value *values, size_t used, const struct mq_fact *fact, uint64_t kind)
{
    struct mq_reader map = mq_reader(item_of(fact, 2));
    uint64_t pairs = mq_cbor_map(&map, UINT64_MAX);

    for (uint64_t p = 0; p < pairs; p++) {
        uint64_t field = mq_cbor_uint(&map);
        struct mq_span value = mq_cbor_take(&map);
        struct mq_reader inner = mq_reader(value);
        struct mq_cbor_item head = mq_cbor_next(&inner);
        if (rule(kind, field) != MQ_MERGE_SET || head.type != MQ_CBOR_ARRAY) {
            used = add(values, used, fact, field, value, rule(kind, field));
            continue;
        }
        for (uint64_t e = 0; e < head.number; e++)
            used = add(values, used, fact, field, mq_cbor_take(&inner), MQ_MERGE_SET);
    }
    demand(!map.failed);
    return used;
}

static bool names_the_other(const struct model_value *value, const struct model_value *other, uint64_t kind)
{
    return value->field == other->field && rule(kind, value->field) != MQ_MERGE_WORDS &&
           lists(listed_by(value->fact), other->name);
}

/* A value is settled when all that it names are; what never settles stands in a ring of names, or above one, and then
 * only counts what it names outside. */
static void settle(struct model_value *values, size_t used, uint64_t kind)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < used; i++) {
            bool ready = !values[i].settled;
            for (size_t k = 0; k < used && ready; k++)
                ready = values[k].settled || !names_the_other(&values[i], &values[k], kind);
            values[i].settled |= ready;
            again |= ready;
            for (size_t k = 0; k < used && ready; k++) {
                if (names_the_other(&values[i], &values[k], kind) && values[k].depth >= values[i].depth)
                    values[i].depth = values[k].depth + 1;
            }
        }
    }
    for (size_t i = 0; i < used; i++) {
        for (size_t k = 0; k < used && !values[i].settled; k++) {
            if (!values[k].settled || !names_the_other(&values[i], &values[k], kind))
                continue;
            if (values[k].depth >= values[i].depth)
                values[i].depth = values[k].depth + 1;
        }
    }
}

size_t model_values(struct model_value values[MODEL_VALUES_MAX], uint64_t *kind, const struct mq_fact *facts,
                    size_t count)
{
    size_t used = 0;

    *kind = kind_of(facts, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t type = type_of(&facts[i]);
        if (!counts(facts, count, i) || is_void(&facts[i], *kind))
            continue;
        if (type == 1)
            used = add_created(values, used, &facts[i], *kind);
        if (type == 2 || type == 3 || type == 5 || type == 6) {
            uint64_t field = number_of(item_of(&facts[i], 2));
            used = add(values, used, &facts[i], field, item_of(&facts[i], 3), rule(*kind, field));
        }
    }
    for (size_t i = 0; i < used; i++) {
        bool words = rule(*kind, values[i].field) == MQ_MERGE_WORDS;
        values[i].dead = !words && named_by_the_entitled(facts, count, *kind, &values[i]);
        values[i].depth = !words && lists_any(listed_by(values[i].fact)) ? 1 : 0;
    }
    settle(values, used, *kind);
    return used;
}

/* ---- One field ---- */

/* Does `a` speak before `b`, both of one field? */
static bool before(const struct model_value *a, const struct model_value *b, enum mq_field_merge merge)
{
    if (merge == MQ_MERGE_WORDS) {
        if (a->created != b->created)
            return a->created;
        return memcmp(a->fact->id, b->fact->id, 16) < 0;
    }
    if (a->depth != b->depth)
        return a->depth > b->depth;
    if (a->fact->rank != b->fact->rank)
        return a->fact->rank > b->fact->rank;
    return memcmp(a->fact->id, b->fact->id, 16) > 0;
}

static void put_names(struct mq_buffer *out, const struct model_value *values, size_t used,
                      const struct model_value *like)
{
    uint8_t names[MODEL_VALUES_MAX][8];
    size_t count = 0;

    for (;;) {
        const struct model_value *next = NULL;
        for (size_t i = 0; i < used; i++) {
            if (!values[i].settled || values[i].field != like->field || !mq_span_equal(values[i].value, like->value))
                continue;
            if (count > 0 && memcmp(values[i].name, names[count - 1], 8) <= 0)
                continue;
            if (next == NULL || memcmp(values[i].name, next->name, 8) < 0)
                next = &values[i];
        }
        if (next == NULL)
            break;
        memcpy(names[count++], next->name, 8);
    }
    mq_cbor_put_bytes(out, mq_span(names, count * 8));
}

static bool identity(uint64_t kind, uint64_t number)
{
    const struct mq_kind *known = mq_kind_by_number(kind);
    const struct mq_field *field = known == NULL ? NULL : mq_field_by_number(known, number);

    return field != NULL && (field->flags & MQ_FIELD_IDENTITY) != 0;
}

/* From here on `settled` means: stands, is to be shown. Returns how many different values of the field do. */
static size_t choose(const struct model_value *heads[], const struct model_value *values, size_t used, uint64_t field,
                     uint64_t kind)
{
    enum mq_field_merge merge = rule(kind, field);
    const struct mq_field *known = mq_field_by_number(mq_kind_by_number(kind), field);
    bool guarded = known != NULL && known->guard != MQ_GUARD_NONE;
    size_t count = 0;

    for (size_t i = 0; i < used; i++) {
        size_t c = 0;
        if (values[i].field != field || !values[i].settled)
            continue;
        while (c < count && !mq_span_equal(heads[c]->value, values[i].value))
            c++;
        if (c == count)
            heads[count++] = &values[i];
        else if (before(&values[i], heads[c], merge))
            heads[c] = &values[i];
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            bool wrong = merge == MQ_MERGE_SET ? mq_span_order(heads[k]->value, heads[i]->value) < 0
                                               : before(heads[k], heads[i], merge);
            uint64_t lower = openness(heads[k]->value), upper = openness(heads[i]->value);
            if (guarded && lower != upper)
                wrong = lower < upper;
            if (wrong) {
                const struct model_value *kept = heads[i];
                heads[i] = heads[k];
                heads[k] = kept;
            }
        }
    }
    return count;
}

/* Marks what stands of one field; false where a register had to fall back on what was replaced. */
static bool mark(struct model_value *values, size_t used, uint64_t field, enum mq_field_merge merge)
{
    const struct model_value *deepest = NULL;
    bool any = false;

    for (size_t i = 0; i < used; i++) {
        if (values[i].field != field)
            continue;
        values[i].settled = !values[i].dead;
        any |= !values[i].dead;
        if (deepest == NULL || before(&values[i], deepest, merge))
            deepest = &values[i];
    }
    if (any || merge != MQ_MERGE_REGISTER)
        return true;
    for (size_t i = 0; i < used; i++) {
        if (values[i].field == field && mq_span_equal(values[i].value, deepest->value))
            values[i].settled = true;
    }
    return false;
}

/* Appends a field's number and state; false where it has nothing to show. */
static bool put_field(struct mq_buffer *out, struct model_value *values, size_t used, uint64_t field, uint64_t kind,
                      bool *review)
{
    static const struct model_value *heads[MODEL_VALUES_MAX];
    enum mq_field_merge merge = rule(kind, field);
    bool fallen = !mark(values, used, field, merge);
    size_t count = choose(heads, values, used, field, kind);

    if (count == 0)
        return false;
    *review |= fallen;
    mq_cbor_put_uint(out, field);
    mq_cbor_put_array(out, 4);
    mq_cbor_put_uint(out, merge == MQ_MERGE_REGISTER ? 0 : merge == MQ_MERGE_SET ? 1 : 2);
    mq_cbor_put_bool(out, merge == MQ_MERGE_REGISTER && count > 1 && !identity(kind, field));
    mq_cbor_put_bool(out, fallen);
    mq_cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        mq_cbor_put_array(out, 5);
        mq_put_span(out, heads[i]->value);
        mq_cbor_put_uint(out, heads[i]->depth);
        mq_cbor_put_uint(out, heads[i]->fact->rank);
        mq_cbor_put_bytes(out, mq_span(heads[i]->fact->id, 16));
        put_names(out, values, used, heads[i]);
    }
    return true;
}

/* ---- Life ---- */

/* The list of names in a deletion; empty for any other life. */
static struct mq_span deletion(struct mq_span life)
{
    struct mq_reader reader = mq_reader(life);
    bool array = mq_cbor_array(&reader, UINT64_MAX) >= 2;
    bool one = mq_cbor_uint(&reader) == 1;
    struct mq_span list = mq_cbor_take(&reader);
    struct mq_reader names = mq_reader(list);
    uint64_t count = mq_cbor_array(&names, UINT64_MAX);

    for (uint64_t i = 0; i < count && !names.failed; i++) {
        if (mq_cbor_bytes(&names, 8).size != 8)
            names.failed = true;
    }
    return array && one && !reader.failed && !names.failed ? list : mq_span(NULL, 0);
}

static bool record_is_deleted(const struct model_value *values, size_t used, const uint8_t *record)
{
    bool dies = false;

    for (size_t i = 0; i < used; i++) {
        if (values[i].field != 0 || values[i].dead || memcmp(values[i].fact->record, record, 16) != 0)
            continue;
        if (deletion(values[i].value).size == 0)
            return false;
        dies = true;
    }
    return dies;
}

static bool is_deleted(const struct model_value *values, size_t used, const struct mq_fact *facts, size_t count,
                       uint64_t kind)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (type_of(&facts[i]) != 1 || is_void(&facts[i], kind))
            continue;
        any = true;
        if (!record_is_deleted(values, used, facts[i].record))
            return false;
    }
    return any;
}

/* A live value that no live deletion lists. */
static bool overlooked(const struct model_value *values, size_t used)
{
    for (size_t i = 0; i < used; i++) {
        bool seen = values[i].field == 0 || values[i].dead;
        for (size_t k = 0; k < used && !seen; k++)
            seen = values[k].field == 0 && !values[k].dead && lists(deletion(values[k].value), values[i].name);
        if (!seen)
            return true;
    }
    return false;
}

static void put_life_names(struct mq_buffer *out, struct model_value *values, size_t used)
{
    const struct model_value *life = NULL;

    /* One value for all, so that put_names() takes every live one for equal. */
    static struct model_value same[MODEL_VALUES_MAX];
    for (size_t i = 0; i < used; i++) {
        same[i] = values[i];
        same[i].value = mq_span(NULL, 0);
        same[i].settled = !values[i].dead;
        if (values[i].field == 0)
            life = &same[i];
    }
    if (life != NULL)
        put_names(out, same, used, life);
    else
        mq_cbor_put_bytes(out, mq_span(NULL, 0));
}

/* ---- A group, a replica ---- */

static size_t put_sorted(uint8_t (*ids)[16], size_t count, const uint8_t *id)
{
    size_t at = 0;

    while (at < count && memcmp(ids[at], id, 16) < 0)
        at++;
    if (at < count && memcmp(ids[at], id, 16) == 0)
        return count;
    demand(count < RECORDS_MAX);
    memmove(ids[at + 1], ids[at], (count - at) * 16);
    memcpy(ids[at], id, 16);
    return count + 1;
}

void model_group(struct mq_buffer *out, const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    static uint8_t room[1024 * 1024], members[RECORDS_MAX + 1][16];
    struct mq_buffer fields = mq_buffer(room, sizeof(room));
    size_t member_count = 0, unknown = 0, shown = 0;
    uint64_t kind, field = 0;
    size_t used = model_values(values, &kind, facts, count);

    for (size_t i = 0; i < count; i++) {
        member_count = put_sorted(members, member_count, facts[i].record);
        unknown += counts(facts, count, i) &&
                   (type_of(&facts[i]) < 1 || type_of(&facts[i]) > 6 || is_void(&facts[i], kind));
    }
    bool deleted = is_deleted(values, used, facts, count, kind);
    bool review = deleted && overlooked(values, used);
    for (;;) {
        uint64_t next = UINT64_MAX;
        for (size_t i = 0; i < used; i++) {
            if (values[i].field > field && values[i].field < next)
                next = values[i].field;
        }
        if (next == UINT64_MAX)
            break;
        field = next;
        shown += put_field(&fields, values, used, field, kind, &review);
    }
    mq_cbor_put_array(out, 7);
    mq_cbor_put_uint(out, kind);
    mq_cbor_put_bytes(out, mq_span(members, member_count * 16));
    mq_cbor_put_bool(out, deleted);
    mq_cbor_put_bool(out, review);
    put_life_names(out, values, used);
    mq_cbor_put_uint(out, unknown);
    mq_cbor_put_map(out, shown);
    mq_put_span(out, mq_written(&fields));
    demand(!out->failed && !fields.failed);
}

static size_t facts_of(struct mq_fact *out, const struct mq_fact *facts, size_t count, const uint8_t *record)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (memcmp(facts[i].record, record, 16) == 0)
            out[kept++] = facts[i];
    }
    return kept;
}

/* Tag 6 and a byte string of 16. */
static bool is_reference(struct mq_span value)
{
    return value.size == 18 && value.data[0] == 0xc6 && value.data[1] == 0x50;
}

/* Are two records linked, by what either says on its own? */
static bool linked(const struct mq_fact *facts, size_t count, const uint8_t *a, const uint8_t *b)
{
    static struct model_value values[2][MODEL_VALUES_MAX];
    static struct mq_fact own[MODEL_VALUES_MAX];
    const uint8_t *records[2] = {a, b};
    struct mq_span id[2] = {{0}};
    uint64_t kind[2];
    bool single[2] = {true, true};

    demand(count <= MODEL_VALUES_MAX);
    for (int side = 0; side < 2; side++) {
        size_t used = model_values(values[side], &kind[side], own, facts_of(own, facts, count, records[side]));
        for (size_t i = 0; i < used; i++) {
            const struct model_value *value = &values[side][i];
            if (value->dead)
                continue;
            bool link = value->field == 1 && is_reference(value->value);
            if (link && memcmp(value->value.data + 2, records[1 - side], 16) == 0)
                return true;
            if (value->field == 2) {
                single[side] &= id[side].size == 0 || mq_span_equal(id[side], value->value);
                id[side] = value->value;
            }
        }
    }
    return kind[0] == kind[1] && single[0] && single[1] && id[0].size > 0 && mq_span_equal(id[0], id[1]);
}

/* Every record that has facts or is pointed to. */
static size_t find_records(uint8_t (*records)[16], const struct mq_fact *facts, size_t count)
{
    static struct model_value values[MODEL_VALUES_MAX];
    static struct mq_fact own[MODEL_VALUES_MAX];
    size_t known = 0;
    uint64_t kind;

    for (size_t i = 0; i < count; i++) {
        size_t used = model_values(values, &kind, own, facts_of(own, facts, count, facts[i].record));
        known = put_sorted(records, known, facts[i].record);
        for (size_t k = 0; k < used; k++) {
            if (values[k].field == 1 && !values[k].dead && is_reference(values[k].value))
                known = put_sorted(records, known, values[k].value.data + 2);
        }
    }
    return known;
}

void model_replica(struct mq_buffer *out, const struct mq_fact *facts, size_t count)
{
    static uint8_t records[RECORDS_MAX + 1][16];
    static struct mq_fact members[MODEL_VALUES_MAX];
    size_t group[RECORDS_MAX], known = find_records(records, facts, count);

    for (size_t i = 0; i < known; i++)
        group[i] = i;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < known; i++) {
            for (size_t k = 0; k < known; k++) {
                if (group[k] < group[i] && linked(facts, count, records[i], records[k])) {
                    group[i] = group[k];
                    again = true;
                }
            }
        }
    }
    for (size_t g = 0; g < known; g++) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            for (size_t r = 0; r < known; r++) {
                if (group[r] == g && memcmp(facts[i].record, records[r], 16) == 0)
                    members[kept++] = facts[i];
            }
        }
        if (kept > 0)
            model_group(out, members, kept);
    }
}
