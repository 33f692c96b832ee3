/* Search, best first: names as they are written, as they sound, other short texts; then what belongs to a household or
 * place that is so called; then long texts. Rows of short texts are read through; long texts are asked for only as far as
 * the limit wants it. */
#include "replica/search.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/fold.h"
#include "protocol/pinyin.h"
#include "replica/replica_keys.h"
#include "replica/search_blocks.h"
#include "replica/search_index.h"
#include "replica/view.h"

#define PLACE_CODE_DIGITS_MIN 6 /* of a place's code: fewer are somebody's phone */

enum rank {
    RANK_WHOLE,       /* a name, letter by letter */
    RANK_FRONT,       /* its front */
    RANK_PART,        /* a part of it */
    RANK_SOUND_FRONT, /* as it sounds, from the front */
    RANK_SOUND,       /* as a part of it sounds */
    RANK_END,         /* the end of another short text: the last digits of a phone */
    RANK_OTHER,       /* anything in a short text */
    RANK_THROUGH,     /* the household, or the place, is so called */
    RANK_COUNT,
    RANK_NONE = RANK_COUNT
};

/* Things of one size, one after another. */
struct list {
    uint8_t *data;
    size_t count, room, size;
};

/* A record of a household, and the words that the household is called by, a bit each. */
struct called {
    uint8_t record[MQ_SEARCH_ID_SIZE];
    uint8_t words;
};

struct word {
    struct mq_span text; /* folded */
    bool sounds;         /* it has letters, and is short enough to be compared by its sound */
    struct mq_pinyin_word pinyin;
    struct list places; /* codes of places that are so called (uint64_t), sorted once all are there */
    uint64_t *rows;     /* a bit for each row of table state: its record has the word */
    uint64_t *texts;    /* a long text of its record may have it */
};

struct run {
    struct mq_replica *replica;
    const struct mq_search *search;
    struct word words[MQ_SEARCH_WORDS_MAX];
    size_t word_count;
    struct list called; /* struct called, of all households that some word calls; sorted once all are there */
    uint8_t *folded; /* the words' memory */
    size_t limit;    /* rows of table state are below it */
    uint8_t *ranks;  /* of each row, by its worst word so far */
    uint64_t *done;  /* was given, or looked at in vain */
    int64_t left;    /* < 0: no limit */
    uint8_t *text;   /* MQ_LONG_TEXT_MAX, for folding */
};

/* ---- the words ---- */

static bool is_blank(uint32_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The next word of a query, without blanks around it (an ideographic blank is one too); false: there is none. */
static bool next_word(struct mq_span *rest, struct mq_span *word)
{
    static const uint8_t wide[] = {0xe3, 0x80, 0x80};
    size_t at = 0, start = SIZE_MAX;
    for (; at < rest->size; at++) {
        bool wide_here = rest->size - at >= sizeof wide && memcmp(rest->data + at, wide, sizeof wide) == 0;
        if (!wide_here && !is_blank(rest->data[at])) {
            start = start == SIZE_MAX ? at : start;
            continue;
        }
        if (start != SIZE_MAX)
            break;
        at += wide_here ? sizeof wide - 1 : 0;
    }
    if (start == SIZE_MAX)
        return false;
    *word = mq_span(rest->data + start, at - start);
    *rest = mq_span(rest->data + at, rest->size - at);
    return true;
}

bool mq_search_says_something(struct mq_span words)
{
    return mq_fold_next(&words) != 0;
}

bool mq_search_in(struct mq_span words, struct mq_span text)
{
    struct mq_span word;
    size_t room = text.size + words.size + 1;
    uint8_t *memory = mq_work_memory(room);
    struct mq_buffer folded = mq_buffer(memory, room);
    bool found = true;
    mq_fold(&folded, text);
    size_t size = folded.size;
    while (found && next_word(&words, &word)) {
        folded.size = size;
        mq_fold(&folded, word);
        found = memmem(memory, size, memory + size, folded.size - size) != NULL;
    }
    mq_work_free(memory, room);
    return found;
}

static bool has_letter(struct mq_span folded)
{
    for (size_t i = 0; i < folded.size; i++)
        if (folded.data[i] >= 'a' && folded.data[i] <= 'z')
            return true;
    return false;
}

static enum mq_status words_read(struct run *run, struct mq_error *error)
{
    struct mq_span rest = run->search->words, one;
    struct mq_buffer memory = mq_buffer(run->folded, rest.size);
    while (next_word(&rest, &one)) {
        size_t start = memory.size;
        mq_fold(&memory, one);
        if (memory.size == start)
            continue;
        if (run->word_count == MQ_SEARCH_WORDS_MAX)
            return mq_fail(error, MQ_REFUSED, _("search for at most %d words at once"), MQ_SEARCH_WORDS_MAX);
        struct word *word = &run->words[run->word_count++];
        word->text = mq_span(memory.data + start, memory.size - start);
        word->sounds = has_letter(word->text) && mq_pinyin_word(&word->pinyin, word->text);
    }
    MQ_ASSERT(!memory.failed);
    return MQ_OK;
}

/* ---- lists and bits ---- */

static void *list_put(struct list *list)
{
    if (list->count == list->room) {
        size_t room = 2 * list->room + 64;
        uint8_t *more = mq_work_memory(room * list->size);
        if (list->count > 0)
            memcpy(more, list->data, list->count * list->size);
        mq_work_free(list->data, list->count * list->size);
        list->data = more;
        list->room = room;
    }
    return list->data + list->size * list->count++;
}

static void list_sort(struct list *list, int (*order)(const void *, const void *))
{
    if (list->count > 0)
        qsort(list->data, list->count, list->size, order);
}

static const void *list_find(const struct list *list, const void *key, int (*order)(const void *, const void *))
{
    return list->count > 0 ? bsearch(key, list->data, list->count, list->size, order) : NULL;
}

static bool has(const uint64_t *bits, size_t number)
{
    return bits[number / 64] >> number % 64 & 1;
}

static void put(uint64_t *bits, size_t number)
{
    bits[number / 64] |= (uint64_t)1 << number % 64;
}

static size_t bits_size(const struct run *run)
{
    return (run->limit / 64 + 1) * sizeof(uint64_t);
}

static uint64_t *bits_new(const struct run *run)
{
    uint64_t *bits = mq_work_memory(bits_size(run));
    memset(bits, 0, bits_size(run));
    return bits;
}

/* ---- short texts ---- */

static enum rank rank_of(const struct word *word, const struct mq_field *field, struct mq_span text)
{
    bool spoken = (field->flags & MQ_FIELD_SPOKEN) != 0;
    const uint8_t *at = memmem(text.data, text.size, word->text.data, word->text.size);
    if (field->type == MQ_TYPE_DATED_CODES ||
        (field->type == MQ_TYPE_PLACE && text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9'))
        return at == text.data && word->text.size >= PLACE_CODE_DIGITS_MIN ? RANK_OTHER : RANK_NONE;
    if (at != NULL && spoken)
        return at != text.data ? RANK_PART : text.size == word->text.size ? RANK_WHOLE : RANK_FRONT;
    if (at != NULL)
        return text.size >= word->text.size &&
                       memcmp(text.data + text.size - word->text.size, word->text.data, word->text.size) == 0
                   ? RANK_END
                   : RANK_OTHER;
    if (!spoken || !word->sounds || !mq_pinyin_matches(&word->pinyin, text, false))
        return RANK_NONE;
    return mq_pinyin_matches(&word->pinyin, text, true) ? RANK_SOUND_FRONT : RANK_SOUND;
}

static uint64_t code_read(struct mq_span digits)
{
    uint64_t code = 0;
    for (size_t i = 0; i < digits.size && digits.data[i] >= '0' && digits.data[i] <= '9'; i++)
        code = code * 10 + (uint64_t)(digits.data[i] - '0');
    return code;
}

static int code_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool in_place(const struct word *word, const struct mq_field *field, struct mq_span text)
{
    if (field->type != MQ_TYPE_PLACE || word->places.count == 0 || text.data[0] < '0' || text.data[0] > '9')
        return false;
    uint64_t code = code_read(text);
    return list_find(&word->places, &code, code_order) != NULL;
}

static int record_order(const void *a, const void *b)
{
    return memcmp(a, b, MQ_SEARCH_ID_SIZE);
}

/* The next entry of a row; false: there is no more. */
static bool next_entry(struct mq_span *row, const struct mq_kind *kind, const struct mq_field **field, struct mq_span *text)
{
    while (row->size > 1) {
        const uint8_t *end = memchr(row->data + 1, MQ_SEARCH_ENTRY_END, row->size - 1);
        if (end == NULL)
            return false;
        *field = mq_field_by_number(kind, row->data[0]);
        *text = mq_span(row->data + 1, (size_t)(end - row->data) - 1);
        *row = mq_span(end + 1, row->size - (size_t)(end - row->data) - 1);
        if (*field != NULL && text->size > 0)
            return true;
    }
    return false;
}

/* The ids at the front of a row; the entries are left. */
static struct mq_span row_ids(struct mq_span *row)
{
    struct mq_reader reader = mq_reader(*row);
    struct mq_span ids = mq_take(&reader, (size_t)mq_get_u16(&reader) * MQ_SEARCH_ID_SIZE);
    *row = mq_take(&reader, mq_left(&reader));
    return ids;
}

/* The best that the entries of a row say to a word. `called`: one of them is what the record is called by. */
static enum rank entries_against(const struct word *word, const struct mq_kind *kind, struct mq_span entries, bool *called)
{
    enum rank best = RANK_NONE;
    const struct mq_field *field;
    struct mq_span text;
    if (!word->sounds && word->places.count == 0 &&
        memmem(entries.data, entries.size, word->text.data, word->text.size) == NULL)
        return RANK_NONE; /* the usual answer, and quick */
    while (best != RANK_WHOLE && next_entry(&entries, kind, &field, &text)) {
        enum rank rank = in_place(word, field, text) ? RANK_THROUGH : rank_of(word, field, text);
        *called = *called || (rank < RANK_NONE && (field->flags & MQ_FIELD_SPOKEN));
        best = rank < best ? rank : best;
    }
    return best;
}

/* The words that the households of a row are called by. */
static unsigned called_by(const struct run *run, struct mq_span ids)
{
    unsigned words = 0;
    for (size_t at = 0; at < ids.size; at += MQ_SEARCH_ID_SIZE) {
        const struct called *called = list_find(&run->called, ids.data + at, record_order);
        words |= called == NULL ? 0 : called->words;
    }
    return words;
}

static void row_against(struct run *run, const struct mq_kind *kind, size_t number, struct mq_span row)
{
    bool household = kind->number == MQ_KIND_HOUSEHOLD;
    struct mq_span ids = row_ids(&row);
    unsigned through = household ? 0 : called_by(run, ids), words = 0;
    for (size_t i = 0; i < run->word_count; i++) {
        bool called = false;
        enum rank rank = entries_against(&run->words[i], kind, row, &called);
        words |= called ? 1u << i : 0;
        if (rank == RANK_NONE && through >> i & 1)
            rank = RANK_THROUGH;
        if (rank == RANK_NONE)
            continue;
        put(run->words[i].rows, number);
        if (rank > run->ranks[number])
            run->ranks[number] = (uint8_t)rank;
    }
    for (size_t at = 0; household && words != 0 && at < ids.size; at += MQ_SEARCH_ID_SIZE) {
        struct called *called = list_put(&run->called);
        memcpy(called->record, ids.data + at, MQ_SEARCH_ID_SIZE);
        called->words = (uint8_t)words;
    }
}

static enum mq_status rows_read(struct run *run, const struct mq_kind *kind, struct mq_error *error)
{
    struct mq_query *query;
    int64_t first = (int64_t)kind->number << MQ_SEARCH_KIND_SHIFT;
    enum mq_status status =
        mq_db_query(run->replica->db, &query, error, "SELECT place, text FROM search WHERE place BETWEEN ? AND ?", "ii",
                    first, first + (int64_t)run->limit);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        size_t number = (size_t)(mq_db_int(query, 0) - first);
        if (number < run->limit)
            row_against(run, kind, number, mq_db_blob(query, 1));
    }
    if (kind->number == MQ_KIND_HOUSEHOLD)
        list_sort(&run->called, record_order);
    return error->status;
}

/* ---- places that are so called ---- */

static void place_against(struct word *word, const struct mq_kind *kind, struct mq_span entries)
{
    const struct mq_field *field;
    struct mq_span text;
    bool called = false;
    (void)entries_against(word, kind, entries, &called);
    while (called && next_entry(&entries, kind, &field, &text))
        if (field->type == MQ_TYPE_DATED_CODES)
            *(uint64_t *)list_put(&word->places) = code_read(text);
}

static enum mq_status places_read(struct run *run, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_PLACE);
    struct mq_query *query;
    enum mq_status status = mq_db_query(run->replica->db, &query, error,
                                        "SELECT text FROM search WHERE place IN"
                                        " (SELECT ?2 + number FROM state WHERE kind = ?1 AND " MQ_VIEW_LISTED ")",
                                        "ii", (int64_t)kind->number, (int64_t)kind->number << MQ_SEARCH_KIND_SHIFT);
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        struct mq_span row = mq_db_blob(query, 0);
        (void)row_ids(&row);
        for (size_t i = 0; i < run->word_count; i++)
            place_against(&run->words[i], kind, row);
    }
    for (size_t i = 0; i < run->word_count; i++)
        list_sort(&run->words[i].places, code_order);
    return error->status;
}

/* ---- giving ---- */

/* Which words stand in a long text of the state? All that are not accounted for by `number`'s bits have to. */
static bool texts_have_the_rest(struct run *run, const struct mq_group_state *state, size_t number)
{
    const struct mq_kind *kind = mq_kind_by_number(state->kind);
    bool found[MQ_SEARCH_WORDS_MAX] = {false};
    for (size_t i = 0; i < state->field_count; i++) {
        const struct mq_field *field = mq_field_by_number(kind, state->fields[i].number);
        for (size_t c = 0; field != NULL && mq_search_is_long(field) && c < state->fields[i].choice_count; c++) {
            struct mq_reader reader = mq_reader(state->fields[i].choices[c].value);
            struct mq_buffer text = mq_buffer(run->text, MQ_LONG_TEXT_MAX);
            mq_fold(&text, mq_cbor_text(&reader, MQ_LONG_TEXT_MAX));
            for (size_t w = 0; w < run->word_count; w++)
                found[w] = found[w] || memmem(text.data, text.size, run->words[w].text.data, run->words[w].text.size);
        }
    }
    for (size_t w = 0; w < run->word_count; w++)
        if (!found[w] && !has(run->words[w].rows, number))
            return false;
    return true;
}

/* Gives a record, once; `look`: only if its long texts have the words that nothing else has. */
static enum mq_status give(struct run *run, size_t number, bool look, struct mq_error *error)
{
    uint8_t canonical[MQ_ID_SIZE];
    struct mq_group_state state;
    if (has(run->done, number))
        return MQ_OK;
    put(run->done, number);
    enum mq_status status = mq_view_listed(run->replica, (int64_t)number, run->search->kind, canonical, error);
    if (status == MQ_OK)
        status = mq_view_group(run->replica, canonical, &state, error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK; /* no list shows it */
    if (status == MQ_NO_SPACE || status == MQ_REFUSED) { /* unreadable: counted for review */
        mq_error_clear(error);
        return MQ_OK;
    }
    if (status != MQ_OK || (look && !texts_have_the_rest(run, &state, number)))
        return status;
    run->left -= run->left > 0;
    return run->search->take(run->search->context, &state, error);
}

/* Has the record every word? With `texts`: or may its long texts have what is missing? */
static bool has_all(const struct run *run, size_t number, bool texts)
{
    for (size_t i = 0; i < run->word_count; i++)
        if (!has(run->words[i].rows, number) && !(texts && has(run->words[i].texts, number)))
            return false;
    return true;
}

static enum mq_status give_rows(struct run *run, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (unsigned rank = 0; rank < RANK_COUNT; rank++)
        for (size_t number = 0; number < run->limit && status == MQ_OK && run->left != 0; number++)
            if (run->ranks[number] == rank && has_all(run, number, false))
                status = give(run, number, false, error);
    return status;
}

static bool has_long_texts(const struct mq_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (mq_search_is_long(&kind->fields[i]))
            return true;
    return false;
}

static enum mq_status give_texts(struct run *run, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < run->word_count && status == MQ_OK; i++)
        status = mq_search_candidates(run->replica, run->words[i].text, run->words[i].texts, run->limit, error);
    for (size_t number = 0; number < run->limit && status == MQ_OK && run->left != 0; number++)
        if (has_all(run, number, true))
            status = give(run, number, true, error);
    return status;
}

/* ---- all of it ---- */

static void run_begin(struct run *run)
{
    run->ranks = mq_work_memory(run->limit);
    memset(run->ranks, 0, run->limit);
    run->done = bits_new(run);
    run->text = mq_work_memory(MQ_LONG_TEXT_MAX);
    run->called.size = sizeof(struct called);
    for (size_t i = 0; i < run->word_count; i++) {
        run->words[i].places.size = sizeof(uint64_t);
        run->words[i].rows = bits_new(run);
        run->words[i].texts = bits_new(run);
    }
}

static void list_end(struct list *list)
{
    mq_work_free(list->data, list->count * list->size);
}

static void run_end(struct run *run)
{
    for (size_t i = 0; i < run->word_count; i++) {
        list_end(&run->words[i].places);
        mq_work_free(run->words[i].rows, bits_size(run));
        mq_work_free(run->words[i].texts, bits_size(run));
    }
    list_end(&run->called);
    mq_work_free(run->ranks, run->limit);
    mq_work_free(run->done, bits_size(run));
    mq_work_free(run->text, MQ_LONG_TEXT_MAX);
}

static enum mq_status read_and_give(struct run *run, struct mq_error *error)
{
    const struct mq_kind *kind = run->search->kind;
    enum mq_status status = places_read(run, error);
    for (size_t i = 0; i < mq_kind_count && status == MQ_OK; i++) /* households come first: others are found by theirs */
        if (kind == NULL || kind == &mq_kinds[i] || mq_kinds[i].number == MQ_KIND_HOUSEHOLD)
            status = rows_read(run, &mq_kinds[i], error);
    if (status == MQ_OK)
        status = give_rows(run, error);
    if (status != MQ_OK || run->left == 0 || (kind != NULL && !has_long_texts(kind)))
        return status;
    return give_texts(run, error);
}

enum mq_status mq_search(struct mq_replica *replica, const struct mq_search *search, struct mq_error *error)
{
    struct run *run = mq_work_memory(sizeof *run);
    int64_t highest;
    *run = (struct run){.replica = replica, .search = search, .left = search->limit > 0 ? search->limit : -1};
    run->folded = mq_work_memory(search->words.size + 1);
    enum mq_status status = words_read(run, error);
    if (status == MQ_OK)
        status = mq_db_number(replica->db, &highest, error, "SELECT ifnull(max(number), 0) FROM state", "");
    if (status == MQ_OK) {
        run->limit = (size_t)highest + 1;
        run_begin(run);
        status = read_and_give(run, error);
        run_end(run);
    }
    mq_work_free(run->folded, search->words.size + 1);
    mq_work_free(run, sizeof *run);
    return status;
}
