/* Which column is which field: the map of a place first, then the usual headings. */
#include "replica/columns.h"

#include <stdio.h>
#include <string.h>

#include "replica/columns_usual.h"

#define KNOWN_LEAST 2 /* headings that make a row the row of headings */

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct mq_span trim(struct mq_span text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = mq_span(text.data + 1, text.size - 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* ---- the map ---- */

static const uint8_t *find(struct mq_span line, const char *word)
{
    return memmem(line.data, line.size, word, strlen(word));
}

static enum mq_status rule_read(struct mq_column_rule *rule, const struct mq_kind *kind, struct mq_span line,
                                struct mq_error *error)
{
    const uint8_t *constant = find(line, ":="), *equals = constant != NULL ? constant + 1 : find(line, "=");
    if (equals == NULL)
        return mq_fail(error, MQ_REFUSED, _("write HEADING = KEY, HEADING = - or KEY := VALUE"));
    struct mq_span left = trim(mq_span(line.data, (size_t)((constant != NULL ? constant : equals) - line.data)));
    struct mq_span right = trim(mq_span(equals + 1, (size_t)(line.data + line.size - equals) - 1));
    struct mq_span key = constant != NULL ? left : right;
    *rule = (struct mq_column_rule){.field = NULL};
    if (constant != NULL)
        rule->constant = right;
    else
        rule->heading = left;
    if (left.size == 0 || right.size == 0)
        return mq_fail(error, MQ_REFUSED, _("write HEADING = KEY, HEADING = - or KEY := VALUE"));
    if (constant == NULL && mq_span_equal(right, mq_span_text("-")))
        return MQ_OK;
    rule->field = mq_field_by_key(kind, key);
    if (rule->field == NULL)
        (void)mq_usual_column(kind, key, &rule->field);
    if (rule->field == NULL || rule->field->number < MQ_FIELD_ID)
        return mq_fail(error, MQ_REFUSED, _("\"%.*s\" is no key of a %s"), (int)key.size, (const char *)key.data, kind->key);
    if (rule->field->flags & MQ_FIELD_MADE)
        return mq_fail(error, MQ_REFUSED, _("\"%s\" is given by the device and stays"), rule->field->key);
    return MQ_OK;
}

static enum mq_status check_map(struct mq_span map, struct mq_error *error)
{
    if (map.size > MQ_MAP_MAX)
        return mq_fail(error, MQ_REFUSED, _("the map is longer than %d KiB"), MQ_MAP_MAX / 1024);
    return mq_utf8_valid(map) ? MQ_OK : mq_fail(error, MQ_REFUSED, _("the map is not UTF-8"));
}

enum mq_status mq_columns_begin(struct mq_columns *out, const struct mq_kind *kind, struct mq_span map,
                                struct mq_error *error)
{
    *out = (struct mq_columns){.kind = kind};
    enum mq_status status = check_map(map, error);
    if (map.size >= 3 && memcmp(map.data, "\xef\xbb\xbf", 3) == 0)
        map = mq_span(map.data + 3, map.size - 3);
    for (int number = 1; status == MQ_OK && map.size > 0; number++) {
        const uint8_t *end = memchr(map.data, '\n', map.size);
        size_t size = end == NULL ? map.size : (size_t)(end - map.data) + 1;
        struct mq_span line = trim(mq_span(map.data, size));
        map = mq_span(map.data + size, map.size - size);
        if (line.size == 0 || line.data[0] == '#')
            continue;
        if (out->rule_count == MQ_COLUMN_RULES_MAX)
            return mq_fail(error, MQ_REFUSED, _("the map has more than %d lines"), MQ_COLUMN_RULES_MAX);
        status = rule_read(&out->rules[out->rule_count++], kind, line, error);
        if (status != MQ_OK)
            mq_error_prefix(error, _("line %d of the map: "), number);
    }
    return status;
}

/* ---- the headings ---- */

/* A heading without the blanks and line ends that make it fit its column, and in a second look without what stands in
 * brackets at its end. */
static struct mq_span heading_of(struct mq_span cell, bool whole, uint8_t memory[MQ_NAME_TEXT_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < cell.size && size < MQ_NAME_TEXT_MAX; i++)
        if (!is_blank(cell.data[i]))
            memory[size++] = cell.data[i];
    struct mq_span out = mq_span(memory, size);
    const uint8_t *wide = find(out, "（"), *narrow = find(out, "(");
    if (!whole && (wide != NULL || narrow != NULL))
        out.size = (size_t)((wide != NULL && (narrow == NULL || wide < narrow) ? wide : narrow) - out.data);
    return out;
}

static bool known(const struct mq_columns *columns, struct mq_span cell, const struct mq_field **field)
{
    uint8_t memory[MQ_NAME_TEXT_MAX], own[MQ_NAME_TEXT_MAX];
    struct mq_span whole = heading_of(cell, true, memory);
    for (size_t i = 0; i < columns->rule_count; i++) {
        const struct mq_column_rule *rule = &columns->rules[i];
        if (rule->heading.size > 0 && mq_span_equal(heading_of(rule->heading, true, own), whole)) {
            *field = rule->field;
            return true;
        }
    }
    return mq_usual_column(columns->kind, whole, field) ||
           mq_usual_column(columns->kind, heading_of(cell, false, memory), field);
}

static bool takes_several(const struct mq_field *field)
{
    return field->merge == MQ_MERGE_SET || mq_type_is_list(field->type);
}

/* A value that comes once must not come from two places. */
static enum mq_status check_single(const struct mq_columns *columns, size_t count, struct mq_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct mq_field *field = columns->fields[i];
        size_t sources = 0;
        for (size_t j = 0; field != NULL && j < count; j++)
            sources += columns->fields[j] == field;
        for (size_t j = 0; field != NULL && j < columns->rule_count; j++)
            sources += columns->rules[j].heading.size == 0 && columns->rules[j].field == field;
        if (sources > 1 && !takes_several(field))
            return mq_fail(error, MQ_REFUSED, _("several columns are \"%s\"; map all but one of them to -"), field->key);
    }
    return MQ_OK;
}

enum mq_status mq_columns_headings(struct mq_columns *columns, const struct mq_span *cells, size_t count,
                                   struct mq_error *error)
{
    char unknown[MQ_ERROR_TEXT_SIZE / 2] = "";
    size_t found = 0, used = 0;
    for (size_t i = 0; i < count; i++) {
        columns->fields[i] = NULL;
        columns->blank[i] = trim(cells[i]).size == 0;
        if (columns->blank[i])
            continue;
        if (known(columns, cells[i], &columns->fields[i])) {
            found++;
            continue;
        }
        int length = snprintf(unknown + used, sizeof unknown - used, "%s\"%.*s\"", used > 0 ? ", " : "",
                              (int)cells[i].size, (const char *)cells[i].data);
        used = length < 0 || (size_t)length >= sizeof unknown - used ? used : used + (size_t)length;
        unknown[used] = '\0';
    }
    if (found < KNOWN_LEAST)
        return MQ_WAITING;
    if (used > 0)
        return mq_fail(error, MQ_REFUSED,
                       _("no field is known for these columns: %s. Say in a map which is which, or leave them out: HEADING = -"),
                       unknown);
    enum mq_status status = check_single(columns, count, error);
    columns->count = status == MQ_OK ? count : 0;
    return status;
}
