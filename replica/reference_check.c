/* What a desk may say of codes and places (replica/reference.h): a number keeps its meaning, a word leads to one number,
 * a place code is one place's for ever. */
#include "replica/reference_check.h"

#include <stdio.h>
#include <string.h>

#include "platform/error.h"
#include "protocol/assert.h"
#include "replica/catalogue.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

/* ---- codes ---- */

/* The list and number that a code's id names. NULL: there is no such list. */
static const struct mq_code_list *code_named(struct mq_span id, uint64_t *number)
{
    const uint8_t *colon = id.size > 0 ? memchr(id.data, ':', id.size) : NULL;
    size_t at = colon == NULL ? id.size : (size_t)(colon - id.data);
    *number = 0;
    for (size_t i = at + 1; i < id.size && *number <= MQ_CODE_NUMBER_MAX; i++)
        *number = *number * 10 + (uint64_t)(id.data[i] - '0');
    return mq_code_list_by_name(mq_span(id.data, at));
}

static void put_word(struct mq_buffer *out, const char *word)
{
    if (word == NULL)
        return;
    if (out->size > 0)
        mq_put_text(out, " ");
    mq_put_text(out, word);
}

/* Everything that leads to a code, with blanks between and a final NUL. */
static void words_of(const struct mq_code *code, char *out, size_t capacity)
{
    struct mq_buffer words = mq_buffer(out, capacity - 1);
    put_word(&words, code->text);
    put_word(&words, code->label);
    put_word(&words, code->alias);
    out[words.failed ? 0 : words.size] = '\0';
}

/* The next of several words; NULL at the end. */
static const char *next_word(const char *at, struct mq_span *word)
{
    at += strspn(at, " ");
    *word = mq_span(at, strcspn(at, " "));
    return word->size > 0 ? at + word->size : NULL;
}

static bool has_word(const char *words, struct mq_span wanted)
{
    struct mq_span word;
    for (const char *at = words; (at = next_word(at, &word)) != NULL;)
        if (mq_span_equal(word, wanted))
            return true;
    return false;
}

enum mq_status mq_reference_before(struct mq_replica *replica, const struct mq_kind *kind, struct mq_span id,
                                   struct mq_reference_before *out, struct mq_error *error)
{
    const struct mq_code_list *list;
    uint64_t number;
    *out = (struct mq_reference_before){.label = ""};
    if (kind->number != MQ_KIND_CODE || (list = code_named(id, &number)) == NULL)
        return MQ_OK;
    enum mq_status status = mq_catalogue_codes(replica, list, &list, error);
    const struct mq_code *code = status == MQ_OK ? mq_code_by_number(list, number) : NULL;
    if (code == NULL)
        return status;
    snprintf(out->label, sizeof out->label, "%s", code->label);
    words_of(code, out->words, sizeof out->words);
    return MQ_OK;
}

static enum mq_status no_such_list(struct mq_span id, struct mq_error *error)
{
    char names[MQ_ERROR_TEXT_SIZE - 100];
    struct mq_buffer text = mq_buffer(names, sizeof names - 1);
    for (size_t i = 0; i < mq_code_list_count; i++)
        put_word(&text, mq_code_lists[i]->name);
    names[text.failed ? 0 : text.size] = '\0';
    return mq_fail(error, MQ_REFUSED, _("there is no list as in \"%.*s\"; there are: %s"), (int)id.size,
                   (const char *)id.data, names);
}

/* The words that this record has of its own: what it was called before must be among them when it is called anew. */
static enum mq_status own_aliases(struct mq_replica *replica, const struct mq_team *team, struct mq_span id, char *out,
                                  size_t capacity, struct mq_error *error)
{
    const struct mq_kind *kind = mq_kind_by_number(MQ_KIND_CODE);
    const struct mq_field *alias = mq_field_by_key(kind, mq_span_text("alias"));
    uint8_t memory[MQ_RECORD_ID_TEXT_MAX + 8], canonical[MQ_ID_SIZE];
    struct mq_buffer value = mq_buffer(memory, sizeof memory);
    struct mq_group_state state;
    out[0] = '\0';
    enum mq_status status = mq_value_from_text(mq_field_by_number(kind, MQ_FIELD_ID), id, &value);
    MQ_ASSERT(status == MQ_OK);
    status = mq_view_by_id(replica, team->team, kind->number, mq_written(&value), canonical, error);
    if (status == MQ_OK)
        status = mq_view_group(replica, canonical, &state, error);
    if (status != MQ_OK || mq_group_field(&state, alias->number) == NULL)
        return status;
    struct mq_reader reader = mq_reader(mq_group_field(&state, alias->number)->choices[0].value);
    struct mq_span text = mq_cbor_text(&reader, MQ_SHORT_TEXT_MAX);
    MQ_ASSERT(text.size < capacity);
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return MQ_OK;
}

/* A word that is some other number's, or looks like one. */
static enum mq_status check_word(const struct mq_code_list *list, const struct mq_code *code, struct mq_span word,
                                 struct mq_error *error)
{
    char number[8];
    size_t digits = 0;
    snprintf(number, sizeof number, "%u", (unsigned)code->code);
    while (digits < word.size && word.data[digits] >= '0' && word.data[digits] <= '9')
        digits++;
    size_t zeros = 0;
    while (zeros + 1 < word.size && word.data[zeros] == '0')
        zeros++;
    if (digits == word.size && !mq_span_equal(mq_span(word.data + zeros, word.size - zeros), mq_span_text(number)))
        return mq_fail(error, MQ_REFUSED, _("\"%.*s\" is another number; a word for %s should not look like one"),
                       (int)word.size, (const char *)word.data, number);
    for (size_t i = 0; i < list->count; i++) {
        const struct mq_code *other = &list->codes[i];
        char words[16 * MQ_SHORT_TEXT_MAX];
        if (other->code == code->code)
            continue;
        words_of(other, words, sizeof words);
        if (has_word(words, word))
            return mq_fail(error, MQ_REFUSED, _("\"%.*s\" leads to %u (%s) already; choose another word"),
                           (int)word.size, (const char *)word.data, (unsigned)other->code, other->label);
    }
    return MQ_OK;
}

static enum mq_status check_words(const struct mq_code_list *list, const struct mq_code *code,
                                  const struct mq_reference_before *before, struct mq_error *error)
{
    char words[16 * MQ_SHORT_TEXT_MAX];
    struct mq_span word;
    enum mq_status status = MQ_OK;
    words_of(code, words, sizeof words);
    for (const char *at = before->words; (at = next_word(at, &word)) != NULL;)
        if (!has_word(words, word))
            return mq_fail(error, MQ_REFUSED, _("\"%.*s\" led to %u until now and should go on doing so; put it into alias"),
                           (int)word.size, (const char *)word.data, (unsigned)code->code);
    for (const char *at = words; status == MQ_OK && (at = next_word(at, &word)) != NULL;)
        status = check_word(list, code, word, error);
    return status;
}

static enum mq_status check_successor(const struct mq_code_list *list, const struct mq_code *code,
                                      struct mq_error *error)
{
    if (code->from != 0 && code->to != 0 && code->to < code->from)
        return mq_fail(error, MQ_REFUSED, _("the last day (\"to\") is before the first (\"from\")"));
    if (code->replaced_by == code->code ||
        (code->replaced_by != 0 && mq_code_by_number(list, code->replaced_by) == NULL))
        return mq_fail(error, MQ_REFUSED, _("\"replaced_by\": %u is no other code of this list; add that one first"),
                       (unsigned)code->replaced_by);
    return MQ_OK;
}

static enum mq_status check_code(struct mq_replica *replica, const struct mq_team *team, struct mq_span id,
                                 const struct mq_reference_before *before, struct mq_error *error)
{
    const struct mq_code_list *list, *above = NULL, *own;
    char aliases[MQ_SHORT_TEXT_MAX + 1], plain[8];
    uint64_t number;
    own = code_named(id, &number);
    if (own == NULL)
        return no_such_list(id, error);
    if (number == 0)
        return mq_fail(error, MQ_REFUSED, _("the number of a code is 1 to %d"), MQ_CODE_NUMBER_MAX);
    if (own->closed && mq_code_by_number(own, number) == NULL)
        return mq_fail(error, MQ_REFUSED, _("the program itself goes by the numbers of %s; they can have other words, but "
                                            "none is added"), own->name);
    enum mq_status status = mq_catalogue_codes(replica, own, &list, error);
    if (status == MQ_OK && own->parent != NULL)
        status = mq_catalogue_codes(replica, own->parent, &above, error);
    if (status == MQ_OK)
        status = own_aliases(replica, team, id, aliases, sizeof aliases, error);
    if (status != MQ_OK)
        return status;
    const struct mq_code *code = mq_code_by_number(list, number);
    MQ_ASSERT(code != NULL);
    if (above != NULL && mq_code_by_number(above, number / MQ_CODE_CHILDREN) == NULL)
        return mq_fail(error, MQ_REFUSED, _("%04u belongs to %02u of %s, which there is not yet; add that one first"),
                       (unsigned)number, (unsigned)(number / MQ_CODE_CHILDREN), own->parent->name);
    snprintf(plain, sizeof plain, "%u", (unsigned)number);
    if (strcmp(code->label, plain) == 0)
        return mq_fail(error, MQ_REFUSED, _("a new code needs a \"label\""));
    if (strchr(code->label, ' ') != NULL || (code->text != NULL && strchr(code->text, ' ') != NULL))
        return mq_fail(error, MQ_REFUSED, _("a code's label and text are one word each, without blanks"));
    if (before->label[0] != '\0' && strcmp(before->label, code->label) != 0 &&
        !has_word(aliases, mq_span_text(before->label)))
        return mq_fail(error, MQ_REFUSED, _("%u means %s and is never given to another meaning. For something new take a "
                                            "new number; for a new word for the same thing keep the old one as alias"),
                       (unsigned)number, before->label);
    status = check_words(list, code, before, error);
    return status == MQ_OK ? check_successor(list, code, error) : status;
}

/* ---- places ---- */

static const struct mq_place *place_by_id(const struct mq_place *const *places, size_t count, struct mq_span id)
{
    for (size_t i = 0; i < count; i++)
        if (mq_span_equal(mq_span_text(places[i]->id), id))
            return places[i];
    return NULL;
}

/* The other place that has, or had, one of this place's codes; NULL: none. */
static const struct mq_place *same_code(const struct mq_place *const *places, size_t count,
                                        const struct mq_place *place, uint64_t *code)
{
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; places[i] != place && c < places[i]->code_count; c++)
            for (size_t own = 0; own < place->code_count; own++)
                if (places[i]->codes[c].code == place->codes[own].code) {
                    *code = place->codes[own].code;
                    return places[i];
                }
    return NULL;
}

static enum mq_status check_place(struct mq_replica *replica, struct mq_span id, struct mq_error *error)
{
    const struct mq_place *const *places;
    size_t count;
    uint64_t code;
    enum mq_status status = mq_catalogue_places(replica, &places, &count, error);
    const struct mq_place *place = status == MQ_OK ? place_by_id(places, count, id) : NULL;
    if (place == NULL)
        return status;
    size_t letters = place->letters == NULL ? 0 : strlen(place->letters);
    if (place->letters != NULL && (letters > MQ_VILLAGE_LETTERS_MAX ||
                                   strspn(place->letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != letters))
        return mq_fail(error, MQ_REFUSED, _("\"letters\" are up to %d capital letters and digits, such as SP"),
                       MQ_VILLAGE_LETTERS_MAX);
    const struct mq_place *other = same_code(places, count, place, &code);
    if (other != NULL)
        return mq_fail(error, MQ_REFUSED, _("%012llu is the code of %s; a code is never given to another place"),
                       (unsigned long long)code, other->name);
    if (place->into != NULL && place->into_date == 0)
        return mq_fail(error, MQ_REFUSED, _("say from which day on it belongs to %s: \"into_date\""), place->into->name);
    if (mq_place_on(place, MQ_DAY_MAX)->into != NULL)
        return mq_fail(error, MQ_REFUSED, _("%s cannot be merged into what was merged into it"), place->name);
    const struct mq_place *above = place->parent;
    for (int steps = 0; steps < MQ_PLACE_STEPS_MAX && above != NULL && above != place; steps++)
        above = above->parent;
    if (above != NULL)
        return mq_fail(error, MQ_REFUSED, _("%s cannot lie below itself"), place->name);
    return MQ_OK;
}

enum mq_status mq_reference_check(struct mq_replica *replica, const struct mq_kind *kind, const struct mq_team *team,
                                  struct mq_span id, const struct mq_reference_before *before, struct mq_error *error)
{
    if (kind->number == MQ_KIND_CODE)
        return check_code(replica, team, id, before, error);
    return kind->number == MQ_KIND_PLACE ? check_place(replica, id, error) : MQ_OK;
}
