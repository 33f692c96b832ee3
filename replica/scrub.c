/* Masks for people; those for numbers that are never stored are in protocol/mask.c. */
#include "replica/scrub.h"

#include <stdlib.h>
#include <string.h>

#include "platform/error.h"
#include "protocol/assert.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#define STARS_MAX 2     /* of a name: its length is nobody's business */
#define GROUP_LEAST 3   /* digits of a group that belongs to the number before it */

/* Surnames of two characters. */
static const char *const compound[] = {
    "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛", "尉迟", "公羊", "赫连", "澹台",
    "皇甫", "宗政", "濮阳", "公冶", "太叔", "申屠", "公孙", "慕容", "仲孙", "钟离", "长孙", "宇文", "司徒", "鲜于", "司空", "令狐",
};

static size_t character_size(struct mq_span text, size_t at)
{
    size_t size = 1;
    while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80)
        size++;
    return size;
}

static size_t characters(struct mq_span text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; at += character_size(text, at))
        count++;
    return count;
}

/* ---- names ---- */

void mq_mask_name(struct mq_span name, struct mq_buffer *out)
{
    size_t count = characters(name), kept = 1;
    for (size_t i = 0; count > 2 && i < sizeof compound / sizeof *compound; i++)
        if (name.size > strlen(compound[i]) && memcmp(name.data, compound[i], strlen(compound[i])) == 0)
            kept = 2;
    size_t at = 0;
    for (size_t i = 0; i < kept && at < name.size; i++)
        at += character_size(name, at);
    mq_put(out, name.data, at);
    for (size_t i = kept; i < count && i < kept + STARS_MAX; i++)
        mq_put_u8(out, '*');
}

void mq_names_add(struct mq_names *names, struct mq_span name)
{
    if (characters(name) < 2)
        return;
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 16 : 2 * names->capacity;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        mq_enough(names->items);
    }
    uint8_t *copy = malloc(name.size);
    mq_enough(copy);
    memcpy(copy, name.data, name.size);
    names->items[names->count++] = mq_span(copy, name.size);
    names->sorted = false;
}

void mq_names_end(struct mq_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        mq_wipe((void *)(uintptr_t)names->items[i].data, names->items[i].size);
        free((void *)(uintptr_t)names->items[i].data);
    }
    free(names->items);
    *names = (struct mq_names){.items = NULL};
}

/* By the first byte, then longest first: a name within a longer one is not found alone. */
static int name_order(const void *left, const void *right)
{
    const struct mq_span *a = left, *b = right;
    if (a->data[0] != b->data[0])
        return a->data[0] < b->data[0] ? -1 : 1;
    return a->size != b->size ? (a->size > b->size ? -1 : 1) : mq_span_order(*a, *b);
}

/* The longest name that stands here; NULL: none. */
static const struct mq_span *name_at(const struct mq_names *names, struct mq_span text)
{
    size_t low = 0, high = names->count;
    while (low < high) { /* the first that begins with this byte */
        size_t middle = (low + high) / 2;
        if (names->items[middle].data[0] < text.data[0])
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < names->count && names->items[low].data[0] == text.data[0]; low++)
        if (names->items[low].size <= text.size &&
            memcmp(names->items[low].data, text.data, names->items[low].size) == 0)
            return &names->items[low];
    return NULL;
}

/* ---- numbers ---- */

/* A digit at the front, ASCII or full-width: its bytes, or 0. */
static size_t digit_size(struct mq_span text)
{
    if (text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9')
        return 1;
    bool wide = text.size >= 3 && text.data[0] == 0xef && text.data[1] == 0xbc && text.data[2] >= 0x90 && text.data[2] <= 0x99;
    return wide ? 3 : 0;
}

static struct mq_span after(struct mq_span text, size_t size)
{
    return mq_span(text.data + size, text.size - size);
}

/* Bytes of the digits that touch here, and how many they are. */
static size_t group_size(struct mq_span text, size_t *digits)
{
    size_t size = 0, one;
    *digits = 0;
    while ((one = digit_size(after(text, size))) > 0) {
        size += one;
        ++*digits;
    }
    return size;
}

/* Bytes of the number that begins here, with all its groups. */
static size_t number_size(struct mq_span text, size_t *digits)
{
    size_t size = group_size(text, digits), more;
    while (size > 0 && size < text.size && (text.data[size] == ' ' || text.data[size] == '-')) {
        size_t next = group_size(after(text, size + 1), &more);
        if (more < GROUP_LEAST)
            break;
        size += 1 + next;
        *digits += more;
    }
    return size;
}

static void put_number(struct mq_span number, size_t digits, size_t front, size_t back, struct mq_buffer *out)
{
    size_t seen = 0;
    for (size_t at = 0, size; at < number.size; at += size) {
        size = digit_size(after(number, at));
        bool digit = size > 0;
        size = digit ? size : 1;
        seen += digit;
        if (digit && seen > front && seen + back <= digits)
            mq_put_u8(out, '*');
        else
            mq_put(out, number.data + at, size);
    }
}

static void mask_number(struct mq_span number, size_t digits, struct mq_buffer *out)
{
    put_number(number, digits, digits >= 9 ? 3 : 0, digits >= 9 ? 4 : digits >= 5 ? 2 : 0, out);
}

void mq_mask_phone(struct mq_span number, struct mq_buffer *out)
{
    size_t digits = 0;
    for (size_t at = 0; at < number.size; at += character_size(number, at))
        digits += digit_size(after(number, at)) > 0;
    mask_number(number, digits, out);
}

/* ---- texts ---- */

void mq_scrub(struct mq_span text, struct mq_names *names, enum mq_scrub how, struct mq_buffer *out)
{
    if (!names->sorted && names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, name_order);
    names->sorted = true;
    while (text.size > 0) {
        size_t digits, size = number_size(text, &digits);
        const struct mq_span *name = name_at(names, text);
        if (size > 0 && digits >= MQ_SCRUB_DIGITS && how == MQ_SCRUB_MASK)
            mask_number(mq_span(text.data, size), digits, out);
        else if (size > 0 && digits >= MQ_SCRUB_DIGITS)
            put_number(mq_span(text.data, size), digits, 0, 0, out);
        else if (size > 0)
            mq_put(out, text.data, size);
        else if (name != NULL && how == MQ_SCRUB_MASK)
            mq_mask_name(*name, out);
        else if (name != NULL)
            mq_put_text(out, "某某");
        else
            mq_put(out, text.data, character_size(text, 0));
        text = after(text, size > 0 ? size : name != NULL ? name->size : character_size(text, 0));
    }
}
