/* Code lists in force: the program's, with what records of kind `code` say of their numbers. A record can add a number,
 * and to a known one days, words, a successor, a hint, and that it is for named persons only; it takes nothing away, so
 * every word that ever led to a number still does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/catalogue_keys.h"

/* One record. */
struct code_row {
    const char *list;
    uint16_t number, replaced_by;
    int32_t from, to;
    const char *text, *label, *unit; /* NULL: it says nothing of it */
    const char *others;              /* aliases, and what else desks called it at the same time; blanks between */
    bool restricted;
    uint8_t record[MQ_ID_SIZE]; /* for an order that is the same everywhere */
};

/* ---- reading ---- */

static void put_word(struct mq_buffer *out, struct mq_span word)
{
    if (word.size == 0)
        return;
    if (out->size > 0)
        mq_put_text(out, " ");
    mq_put_span(out, word);
}

/* All choices of a field from number `first` on, in the order in which they are shown. */
static void put_choices(struct mq_buffer *out, const struct mq_field_state *here, size_t first)
{
    for (size_t i = first; here != NULL && i < here->choice_count; i++) {
        struct mq_reader reader = mq_reader(here->choices[i].value);
        put_word(out, mq_cbor_text(&reader, MQ_SHORT_TEXT_MAX));
    }
}

static enum mq_status read_row(struct mq_replica *replica, struct mq_pool *pool, const struct mq_group_state *state,
                               void *out, bool *keep, struct mq_error *error)
{
    struct code_row *row = out;
    char memory[4 * MQ_SHORT_TEXT_MAX];
    struct mq_buffer others = mq_buffer(memory, sizeof memory);
    (void)replica;
    (void)error;
    put_choices(&others, mq_state_field(state, "alias"), 0);
    put_choices(&others, mq_state_field(state, "label"), 1);
    put_choices(&others, mq_state_field(state, "text"), 1);
    *row = (struct code_row){
        .list = mq_state_text(pool, state, "list"),
        .number = (uint16_t)mq_state_number(state, "code"),
        .replaced_by = (uint16_t)mq_state_number(state, "replaced_by"),
        .from = (int32_t)mq_state_number(state, "from"),
        .to = (int32_t)mq_state_number(state, "to"),
        .text = mq_state_text(pool, state, "text"),
        .label = mq_state_text(pool, state, "label"),
        .unit = mq_state_text(pool, state, "unit"),
        .others = mq_pool_text(pool, mq_written(&others)),
        .restricted = mq_state_true(state, "restricted"),
    };
    memcpy(row->record, state->canonical, MQ_ID_SIZE);
    *keep = row->list != NULL && row->number != 0;
    return MQ_OK;
}

static int row_order(const void *a, const void *b)
{
    const struct code_row *left = a, *right = b;
    int order = strcmp(left->list, right->list);
    if (order == 0)
        order = (left->number > right->number) - (left->number < right->number);
    return order != 0 ? order : memcmp(left->record, right->record, MQ_ID_SIZE);
}

/* ---- working out a list ---- */

/* What several records (one of each team, of one desk or of two) and the program say of one number. */
static struct mq_code code_of(struct mq_pool *pool, const struct mq_code *own, const struct code_row *rows,
                              size_t count)
{
    char memory[16 * MQ_SHORT_TEXT_MAX], number[8];
    struct mq_buffer others = mq_buffer(memory, sizeof memory);
    struct mq_code code = own != NULL ? *own : (struct mq_code){.code = rows[0].number};
    const char *label = NULL, *text = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct code_row *row = &rows[i];
        label = label == NULL ? row->label : label;
        text = text == NULL ? row->text : text;
        code.from = row->from != 0 ? row->from : code.from;
        code.to = row->to != 0 ? row->to : code.to;
        code.replaced_by = row->replaced_by != 0 ? row->replaced_by : code.replaced_by;
        code.unit = row->unit != NULL ? row->unit : code.unit;
        code.flags |= row->restricted ? MQ_CODE_RESTRICTED : 0;
        put_word(&others, mq_span_text(row->others));
        if (row->label != NULL && row->label != label && strcmp(row->label, label) != 0)
            put_word(&others, mq_span_text(row->label));
    }
    put_word(&others, mq_span_text(own != NULL && label != NULL ? own->label : ""));
    put_word(&others, mq_span_text(own != NULL && text != NULL && own->text != NULL ? own->text : ""));
    put_word(&others, mq_span_text(own != NULL && own->alias != NULL ? own->alias : ""));
    snprintf(number, sizeof number, "%u", (unsigned)code.code);
    code.text = text != NULL ? text : code.text;
    code.label = label != NULL ? label : code.label != NULL ? code.label : text;
    if (code.label == NULL) /* a number without a word */
        code.label = mq_pool_text(pool, mq_span_text(number));
    if (others.size > 0)
        code.alias = mq_pool_text(pool, mq_written(&others));
    return code;
}

/* A list whose codes are printed as numbers prints new ones so too, as wide as its first. */
static void print_as_list(struct mq_pool *pool, const struct mq_code_list *own, struct mq_code *code)
{
    const char *first = own->codes[0].text;
    char number[8];
    if (code->text != NULL || first == NULL || first[0] < '0' || first[0] > '9')
        return;
    snprintf(number, sizeof number, "%0*u", (int)strlen(first), (unsigned)code->code);
    code->text = mq_pool_text(pool, mq_span_text(number));
}

/* What is printed must lead back to the number: where two desks gave one word to two numbers, the second is printed as
 * its number. */
static void tell_apart(struct mq_pool *pool, const struct mq_code_list *list, struct mq_code *codes)
{
    char number[8];
    for (size_t i = 0; i < list->count; i++) {
        const char *word = codes[i].text != NULL ? codes[i].text : codes[i].label;
        if (mq_code_by_text(list, mq_span_text(word)) == &codes[i])
            continue;
        snprintf(number, sizeof number, "%u", (unsigned)codes[i].code);
        codes[i].text = mq_pool_text(pool, mq_span_text(number));
    }
}

static const struct mq_code_list *list_of(struct mq_pool *pool, const struct mq_code_list *own,
                                          const struct mq_code_list *parent, const struct code_row *rows, size_t count)
{
    struct mq_code *codes = mq_pool_take(pool, (own->count + count) * sizeof *codes);
    struct mq_code_list *list = mq_pool_take(pool, sizeof *list);
    size_t size = 0, mine = 0, row = 0;
    while (mine < own->count || row < count) {
        bool known = mine < own->count && (row == count || own->codes[mine].code <= rows[row].number);
        uint16_t number = known ? own->codes[mine].code : rows[row].number;
        size_t same = 0;
        while (row + same < count && rows[row + same].number == number)
            same++;
        codes[size] = code_of(pool, known ? &own->codes[mine] : NULL, rows + row, same);
        print_as_list(pool, own, &codes[size++]);
        mine += known;
        row += same;
    }
    for (size_t i = 0; parent != NULL && i < size; i++) { /* what is said of the first level holds for the second */
        const struct mq_code *above = mq_code_by_number(parent, codes[i].code / MQ_CODE_CHILDREN);
        codes[i].flags |= above != NULL ? above->flags : 0;
    }
    *list = (struct mq_code_list){.name = own->name, .codes = codes, .count = size, .parent = own->parent};
    tell_apart(pool, list, codes);
    return list;
}

static size_t list_index(const struct mq_code_list *list)
{
    size_t at = 0;
    while (at < mq_code_list_count && mq_code_lists[at] != list)
        at++;
    return at;
}

static void work_out(struct mq_catalogue *catalogue, const struct mq_code_list *own)
{
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_CODES];
    const struct code_row *rows = part->rows;
    const struct mq_code_list *parent = own->parent != NULL ? catalogue->lists[list_index(own->parent)] : NULL;
    size_t first = 0, count = 0;
    while (first < part->count && strcmp(rows[first].list, own->name) != 0)
        first++;
    while (first + count < part->count && strcmp(rows[first + count].list, own->name) == 0)
        count++;
    bool changed = count > 0 || parent != own->parent;
    catalogue->lists[list_index(own)] =
        changed ? list_of(&part->pool, own, parent, rows == NULL ? NULL : rows + first, count) : own;
}

static enum mq_status codes_read(struct mq_replica *replica, struct mq_error *error)
{
    static const struct mq_part_reader reader = {MQ_KIND_CODE, sizeof(struct code_row), read_row};
    bool stale;
    enum mq_status status = mq_catalogue_read(replica, MQ_PART_CODES, &reader, &stale, error);
    if (status != MQ_OK || !stale)
        return status;
    struct mq_catalogue *catalogue = replica->catalogue;
    struct mq_catalogue_part *part = &catalogue->parts[MQ_PART_CODES];
    if (part->count > 0)
        qsort(part->rows, part->count, sizeof(struct code_row), row_order);
    catalogue->lists = mq_pool_take(&part->pool, mq_code_list_count * sizeof *catalogue->lists);
    for (int second = 0; second < 2; second++) /* first levels first */
        for (size_t i = 0; i < mq_code_list_count; i++)
            if ((mq_code_lists[i]->parent != NULL) == second)
                work_out(catalogue, mq_code_lists[i]);
    return MQ_OK;
}

/* ---- asking ---- */

enum mq_status mq_catalogue_codes(struct mq_replica *replica, const struct mq_code_list *list,
                                  const struct mq_code_list **out, struct mq_error *error)
{
    enum mq_status status = codes_read(replica, error);
    size_t at = list_index(list);
    if (status == MQ_OK)
        *out = at < mq_code_list_count ? replica->catalogue->lists[at] : list;
    return status;
}

enum mq_status mq_catalogue_field(struct mq_replica *replica, const struct mq_field *field, struct mq_field *out,
                                  struct mq_error *error)
{
    *out = *field;
    return field->codes == NULL ? MQ_OK : mq_catalogue_codes(replica, field->codes, &out->codes, error);
}

enum mq_status mq_catalogue_restricts(struct mq_replica *replica, const struct mq_field *field, struct mq_span value,
                                      bool *restricts, struct mq_error *error)
{
    const struct mq_code_list *list;
    struct mq_reader reader = mq_reader(value);
    *restricts = false;
    if (value.size == 0)
        return MQ_OK;
    struct mq_cbor_item item = mq_cbor_next(&reader);
    if (field->flags & MQ_FIELD_RESTRICTED)
        *restricts = item.type == MQ_CBOR_TRUE;
    if (field->type != MQ_TYPE_CODE || item.type != MQ_CBOR_UINT)
        return MQ_OK;
    enum mq_status status = mq_catalogue_codes(replica, field->codes, &list, error);
    const struct mq_code *code = status == MQ_OK ? mq_code_by_number(list, item.number) : NULL;
    *restricts = *restricts || (code != NULL && (code->flags & MQ_CODE_RESTRICTED) != 0);
    return status;
}
