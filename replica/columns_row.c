/* A row of a spreadsheet as an object of the record format: what people write in cells, as the format wants it. What
 * cannot be told here stays as it is, and is refused by name where the object is read. */
#include <stdio.h>
#include <string.h>

#include "platform/json.h"
#include "protocol/assert.h"
#include "protocol/hash.h"
#include "replica/columns.h"

/* The cells and constants of one field, and where its value goes. */
struct value {
    const struct mq_field *field;
    struct mq_span cells[MQ_CSV_COLUMNS_MAX + MQ_COLUMN_RULES_MAX]; /* none is empty */
    size_t count;
    struct mq_json_writer *writer;
    struct mq_row_notes *notes;
    struct mq_error *error;
};

/* ---- characters ---- */

static bool begins(struct mq_span text, const char *with)
{
    return text.size >= strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

static struct mq_span after(struct mq_span text, size_t size)
{
    return mq_span(text.data + size, text.size - size);
}

static bool ends(struct mq_span text, const char *with)
{
    return text.size >= strlen(with) && begins(after(text, text.size - strlen(with)), with);
}

/* Bytes of a blank at the front: those of ASCII and the wide one. */
static size_t blank_size(struct mq_span text)
{
    if (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t' || text.data[0] == '\r' || text.data[0] == '\n'))
        return 1;
    return begins(text, "\u3000") ? strlen("\u3000") : 0;
}

static struct mq_span trim(struct mq_span text)
{
    while (blank_size(text) > 0)
        text = after(text, blank_size(text));
    for (;;) {
        if (ends(text, "\u3000"))
            text.size -= strlen("\u3000");
        else if (text.size > 0 && blank_size(after(text, text.size - 1)) == 1)
            text.size--;
        else
            return text;
    }
}

/* A digit at the front, ASCII or full-width: its bytes, or 0. */
static size_t digit_size(struct mq_span text, char *digit)
{
    if (text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9') {
        *digit = (char)text.data[0];
        return 1;
    }
    if (text.size >= 3 && text.data[0] == 0xef && text.data[1] == 0xbc && text.data[2] >= 0x90 && text.data[2] <= 0x99) {
        *digit = (char)('0' + text.data[2] - 0x90);
        return 3;
    }
    return 0;
}

/* Reads up to `most` digits; gives how many. */
static size_t digits_read(struct mq_span *text, char *out, size_t most)
{
    size_t count = 0, size;
    while (count < most && (size = digit_size(*text, &out[count])) > 0) {
        *text = after(*text, size);
        count++;
    }
    out[count] = '\0';
    return count;
}

/* ---- one value ---- */

static void put(struct value *value, struct mq_span text)
{
    mq_json_string_value(value->writer, text);
}

/* The dot in a name, in the ways it is typed: between characters that are not ASCII. 0: none here. */
static size_t dot_size(struct mq_span text, const struct mq_buffer *before)
{
    size_t size = begins(text, "•") || begins(text, "・") ? strlen("•") : begins(text, ".") ? 1 : 0;
    bool between = size > 0 && text.size > size && text.data[size] >= 0x80 && before->size > 0 &&
                   before->data[before->size - 1] >= 0x80;
    return between ? size : 0;
}

static bool is_name(const struct mq_field *field)
{
    return (field->flags & MQ_FIELD_PERSONAL) != 0 && field->type == MQ_TYPE_TEXT && field->most == MQ_NAME_TEXT_MAX;
}

/* One line: what was broken to fit its cell is joined by blanks. A name gets the dot that identity papers have. */
static void put_line(struct value *value, struct mq_span text)
{
    uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    while (text.size > 0) {
        size_t blank = blank_size(text), dot = is_name(value->field) ? dot_size(text, &line) : 0;
        if (blank > 0)
            mq_put_text(&line, " ");
        else if (dot > 0)
            mq_put_text(&line, "·");
        else
            mq_put_u8(&line, text.data[0]);
        text = after(text, blank + dot > 0 ? blank + dot : 1);
    }
    put(value, mq_written(&line));
}

/* Lines as they are, with one kind of end. */
static void put_lines(struct value *value, struct mq_span text)
{
    uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer lines = mq_buffer(memory, sizeof memory);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != '\r')
            mq_put_u8(&lines, text.data[i]);
    put(value, mq_written(&lines));
}

static size_t date_mark(struct mq_span text, const char *word)
{
    static const char *const marks[] = {"-", "/", "."};
    if (begins(text, word))
        return strlen(word);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (begins(text, marks[i]))
            return 1;
    return 0;
}

/* 2026-3-5, 2026/3/5, 2026.3.5, 2026年3月5日, 20260305; a time of day behind it goes. */
static void put_date(struct value *value, struct mq_span text)
{
    char year[5], month[3], day[3], date[16];
    struct mq_span rest = text;
    bool good = digits_read(&rest, year, 4) == 4;
    size_t mark = date_mark(rest, "年");
    rest = after(rest, mark);
    size_t months = digits_read(&rest, month, 2), second = date_mark(rest, "月");
    rest = after(rest, second);
    size_t days = digits_read(&rest, day, 2);
    good = good && days > 0 && months > 0 && (mark > 0 ? second > 0 : second == 0 && months == 2 && days == 2);
    if (begins(rest, "日"))
        rest = after(rest, strlen("日"));
    if (!good || (rest.size > 0 && rest.data[0] != ' ')) {
        put(value, text);
        return;
    }
    snprintf(date, sizeof date, "%s-%s%s-%s%s", year, months == 1 ? "0" : "", month, days == 1 ? "0" : "", day);
    put(value, mq_span_text(date));
}

/* "3", "3人", "３ 口". */
static void put_count(struct value *value, struct mq_span text)
{
    static const char *const units[] = {"", "人", "口", "户", "口人"};
    char digits[16];
    struct mq_span rest = text;
    bool good = digits_read(&rest, digits, sizeof digits - 1) > 0, unit = false;
    rest = trim(rest);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        unit = unit || mq_span_equal(rest, mq_span_text(units[i]));
    put(value, good && unit ? mq_span_text(digits) : text);
}

static void put_bool(struct value *value, struct mq_span text)
{
    static const char *const words[][2] = {{"是", "true"}, {"有", "true"}, {"√", "true"}, {"1", "true"},
                                           {"否", "false"}, {"无", "false"}, {"×", "false"}, {"0", "false"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (mq_span_equal(text, mq_span_text(words[i][0])))
            text = mq_span_text(words[i][1]);
    put(value, text);
}

/* ---- lists ---- */

static size_t separator_size(struct mq_span text, bool slash)
{
    static const char *const separators[] = {"、", "，", "；", ",", ";", "\n"};
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
        if (begins(text, separators[i]))
            return strlen(separators[i]);
    return slash && begins(text, "/") ? 1 : 0;
}

/* The next entry of a list in one cell; false at the end. */
static bool next_entry(struct mq_span *left, bool slash, struct mq_span *entry)
{
    while (left->size > 0) {
        size_t size = 0, separator = 0;
        while (size < left->size && (separator = separator_size(after(*left, size), slash)) == 0)
            size++;
        *entry = trim(mq_span(left->data, size));
        *left = after(*left, size + separator);
        if (entry->size > 0)
            return true;
    }
    return false;
}

/* Some labels have a slash of their own: where the whole is a label, it is not cut there. */
static void put_entries(struct value *value, struct mq_span cell)
{
    struct mq_span entry, part;
    bool codes = value->field->type == MQ_TYPE_CODE;
    while (next_entry(&cell, false, &entry)) {
        if (!codes || mq_code_by_text(value->field->codes, entry) != NULL) {
            put(value, entry);
            continue;
        }
        while (next_entry(&entry, true, &part))
            put(value, part);
    }
}

/* ---- telephone numbers ---- */

static size_t open_bracket(struct mq_span text)
{
    return begins(text, "（") ? strlen("（") : begins(text, "(") ? 1 : 0;
}

static size_t close_bracket(struct mq_span text)
{
    return ends(text, "）") ? strlen("）") : ends(text, ")") ? 1 : 0;
}

/* "13900001111（女儿）", "女儿13900001111", "女儿：13900001111". */
static void phone_split(struct mq_span entry, struct mq_span *number, struct mq_span *whose)
{
    char digit;
    size_t at = 0, bracket = 0;
    *number = entry;
    *whose = mq_span(NULL, 0);
    while (at < entry.size && (bracket = open_bracket(after(entry, at))) == 0)
        at++;
    if (bracket > 0 && at > 0 && close_bracket(entry) > 0) {
        *number = trim(mq_span(entry.data, at));
        entry = after(entry, at + bracket);
        entry.size -= close_bracket(entry);
        *whose = trim(entry);
        return;
    }
    at = 0;
    while (at < entry.size && digit_size(after(entry, at), &digit) == 0 && entry.data[at] != '+')
        at++;
    if (at == 0 || at == entry.size)
        return;
    *number = after(entry, at);
    struct mq_span label = trim(mq_span(entry.data, at));
    label.size -= ends(label, "：") ? strlen("：") : ends(label, ":") ? 1 : 0;
    *whose = trim(label);
}

static bool all_digits(struct mq_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

bool mq_is_phone(struct mq_span text)
{
    if (text.size == 11 && text.data[0] == '1')
        return all_digits(text) && text.data[1] >= '3';
    if (text.size < 10 || text.data[0] != '0')
        return false;
    for (size_t area = 3; area <= 4; area++) { /* 0 and two or three digits */
        struct mq_span own = after(text, area);
        own = begins(own, "-") ? after(own, 1) : own;
        if (all_digits(mq_span(text.data, area)) && all_digits(own) && (own.size == 7 || own.size == 8))
            return true;
    }
    return false;
}

/* 1.39E+10: the last digits are gone for good. */
static bool was_cut(struct mq_span text)
{
    bool exponent = false;
    for (size_t i = 0; i < text.size; i++) {
        bool e = text.data[i] == 'E' || text.data[i] == 'e';
        if (!(text.data[i] >= '0' && text.data[i] <= '9') && text.data[i] != '.' && text.data[i] != '+' && !(e && i > 0 && !exponent))
            return false;
        exponent = exponent || e;
    }
    return exponent;
}

static enum mq_status put_phones(struct value *value, struct mq_span cell)
{
    struct mq_span entry, number, whose;
    while (next_entry(&cell, true, &entry)) {
        phone_split(entry, &number, &whose);
        if (was_cut(number))
            return mq_fail(value->error, MQ_REFUSED,
                           _("\"%s\": \"%.*s\" was cut short by a spreadsheet; make that column text there, and save it anew"),
                           value->field->key, (int)number.size, (const char *)number.data);
        if (!mq_is_phone(number))
            value->notes->odd_phone = number;
        mq_json_begin(value->writer, '{');
        mq_json_key(value->writer, "number");
        put(value, number);
        if (whose.size > 0) {
            mq_json_key(value->writer, "whose");
            put(value, whose);
        }
        mq_json_end(value->writer, '}');
    }
    return MQ_OK;
}

/* ---- a field ---- */

static enum mq_status put_list(struct value *value)
{
    enum mq_status status = MQ_OK;
    mq_json_begin(value->writer, '[');
    for (size_t i = 0; i < value->count && status == MQ_OK; i++) {
        if (value->field->type == MQ_TYPE_PHONES)
            status = put_phones(value, value->cells[i]);
        else
            put_entries(value, value->cells[i]);
    }
    mq_json_end(value->writer, ']');
    return status;
}

static enum mq_status put_value(struct value *value)
{
    if (value->field->merge == MQ_MERGE_SET)
        return put_list(value);
    switch (value->field->type) {
    case MQ_TYPE_PHONES:
    case MQ_TYPE_TEXTS:
    case MQ_TYPE_DATES:
    case MQ_TYPE_DATED_CODES:
    case MQ_TYPE_REFERENCES: return put_list(value);
    case MQ_TYPE_DATE: put_date(value, value->cells[0]); return MQ_OK;
    case MQ_TYPE_COUNT: put_count(value, value->cells[0]); return MQ_OK;
    case MQ_TYPE_BOOL: put_bool(value, value->cells[0]); return MQ_OK;
    case MQ_TYPE_LONG_TEXT: put_lines(value, value->cells[0]); return MQ_OK;
    case MQ_TYPE_TEXT:
    case MQ_TYPE_PLACE: put_line(value, value->cells[0]); return MQ_OK;
    case MQ_TYPE_ID:
    case MQ_TYPE_CODE:
    case MQ_TYPE_REFERENCE:
    case MQ_TYPE_LIFE: break;
    }
    put(value, value->cells[0]);
    return MQ_OK;
}

/* A cell that our own CSV made harmless for spreadsheets has an apostrophe in front (platform/table.h). */
static struct mq_span cell_of(struct mq_span cell)
{
    cell = trim(cell);
    if (cell.size > 1 && cell.data[0] == '\'' && strchr("=+-@", cell.data[1]) != NULL)
        cell = after(cell, 1);
    return cell;
}

static void gather(struct value *value, const struct mq_columns *columns, const struct mq_span *cells, size_t count)
{
    value->count = 0;
    for (size_t i = 0; i < columns->count && i < count; i++)
        if (columns->fields[i] == value->field && cell_of(cells[i]).size > 0)
            value->cells[value->count++] = cell_of(cells[i]);
    for (size_t i = 0; i < columns->rule_count; i++)
        if (columns->rules[i].heading.size == 0 && columns->rules[i].field == value->field)
            value->cells[value->count++] = columns->rules[i].constant;
}

/* ---- the id ---- */

/* What a household is known by; of other kinds all that the row says. */
static bool names_it(const struct mq_kind *kind, const struct mq_field *field)
{
    static const char *const keys[] = {"place", "group", "head"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(field->key, keys[i]) == 0)
            return true;
    return kind->number != MQ_KIND_HOUSEHOLD;
}

/* H_16("row", team, kind, then key and value of each field, each behind its length), as a UUID of version 8. */
static void put_derived(struct mq_json_writer *writer, const uint8_t team[MQ_ID_SIZE], const struct mq_kind *kind,
                        const struct mq_buffer *known_by)
{
    uint8_t hash[MQ_ID_SIZE], number = kind->number;
    char text[40];
    size_t at = 0;
    const struct mq_span parts[] = {mq_span(team, MQ_ID_SIZE), mq_span(&number, 1), mq_written(known_by)};
    mq_hash(hash, sizeof hash, MQ_DOMAIN_ROW, parts, 3);
    hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0f));
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3f));
    for (size_t i = 0; i < sizeof hash; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               hash[i]);
    mq_json_key(writer, "id");
    mq_json_text_value(writer, text);
}

static enum mq_status check_blank(const struct mq_columns *columns, const struct mq_span *cells, size_t count,
                                  struct mq_error *error)
{
    for (size_t i = 0; i < count; i++)
        if ((i >= columns->count || columns->blank[i]) && trim(cells[i]).size > 0)
            return mq_fail(error, MQ_REFUSED, _("column %zu has no heading, but something stands there"), i + 1);
    return MQ_OK;
}

enum mq_status mq_columns_object(const struct mq_columns *columns, const uint8_t team[MQ_ID_SIZE],
                                 const struct mq_span *cells, size_t count, struct mq_buffer *out,
                                 struct mq_row_notes *notes, struct mq_error *error)
{
    const struct mq_kind *kind = columns->kind;
    struct mq_json_writer writer = {.out = out};
    uint8_t memory[MQ_LINE_MAX];
    struct mq_buffer known_by = mq_buffer(memory, sizeof memory);
    struct value value = {.writer = &writer, .notes = notes, .error = error};
    *notes = (struct mq_row_notes){.derived = true};
    enum mq_status status = check_blank(columns, cells, count, error);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "kind");
    mq_json_text_value(&writer, kind->key);
    for (size_t i = 0; i < kind->field_count && status == MQ_OK; i++) {
        value.field = &kind->fields[i];
        gather(&value, columns, cells, count);
        if (value.count == 0)
            continue;
        notes->derived = notes->derived && value.field->number != MQ_FIELD_ID;
        mq_json_key(&writer, value.field->key);
        size_t start = out->size;
        status = put_value(&value);
        if (!names_it(kind, value.field))
            continue;
        mq_put_u8(&known_by, value.field->number);
        mq_put_u32(&known_by, (uint32_t)(out->size - start));
        mq_put(&known_by, out->data + start, out->size - start);
    }
    if (status == MQ_OK && notes->derived)
        put_derived(&writer, team, kind, &known_by);
    mq_json_end(&writer, '}');
    if (status == MQ_OK && (out->failed || known_by.failed))
        status = mq_fail(error, MQ_REFUSED, _("this record is too long to save in one piece; split it"));
    return status;
}
