/* The reasons for which two records look alike, in words. */
#include "platform/error.h"
#include "protocol/assert.h"
#include "replica/duplicates.h"

static const struct {
    const char *code, *words;
} reasons[MQ_ALIKE_REASONS] = {
    [MQ_ALIKE_NOT] = {"none", ""},
    [MQ_ALIKE_SAME_NAME] = {"same_name", N_("same name")},
    [MQ_ALIKE_SAME_SOUND] = {"same_sound", N_("names sound the same")},
    [MQ_ALIKE_NEAR_SOUND] = {"near_sound", N_("names sound nearly the same")},
    [MQ_ALIKE_TURNED_NAME] = {"turned_name", N_("two characters of the name changed places")},
    [MQ_ALIKE_SHORTER_NAME] = {"shorter_name", N_("one name is the other, shortened")},
    [MQ_ALIKE_ONE_CHARACTER] = {"one_character", N_("names differ in one character")},
    [MQ_ALIKE_NICKNAME] = {"nickname", N_("one is known by the name of the other")},
    [MQ_ALIKE_SAME_PHONE] = {"same_phone", N_("same telephone number")},
    [MQ_ALIKE_PHONE_END] = {"phone_end", N_("telephone numbers end alike")},
    [MQ_ALIKE_PHONE_DIGIT] = {"phone_digit", N_("telephone numbers differ in one digit")},
    [MQ_ALIKE_RELATIVES_PHONE] = {"relatives_phone", N_("same number, a relative's of one")},
    [MQ_ALIKE_SHARED_PHONE] = {"shared_phone", N_("same number, shared by several")},
    [MQ_ALIKE_SAME_GROUP] = {"same_group", N_("same group")},
    [MQ_ALIKE_SAME_PLACE] = {"same_place", N_("same village")},
    [MQ_ALIKE_SAME_WORDS] = {"same_words", N_("same words")},
    [MQ_ALIKE_WORDS_WITHIN] = {"words_within", N_("one says what the other says, and more")},
    [MQ_ALIKE_WORDS_ALIKE] = {"words_alike", N_("both speak of the same")},
    [MQ_ALIKE_SAME_AMOUNT] = {"same_amount", N_("same amount")},
    [MQ_ALIKE_SAME_HOUSEHOLD] = {"same_household", N_("same household")},
    [MQ_ALIKE_LIKELY_HOUSEHOLD] = {"likely_household", N_("two households that may be one")},
    [MQ_ALIKE_SAME_CATEGORY] = {"same_category", N_("same category")},
    [MQ_ALIKE_CLOSE_DATES] = {"close_dates", N_("a few days apart")},
};

const char *mq_alike_code(enum mq_alike_reason reason)
{
    MQ_ASSERT(reason < MQ_ALIKE_REASONS);
    return reasons[reason].code;
}

static const char *words_of(enum mq_alike_reason reason)
{
    MQ_ASSERT(reason < MQ_ALIKE_REASONS);
    return reason == MQ_ALIKE_NOT ? "" : _(reasons[reason].words);
}

void mq_alike_say(struct mq_buffer *out, uint32_t which)
{
    bool some = false;
    for (int reason = MQ_ALIKE_SAME_NAME; reason < MQ_ALIKE_REASONS; reason++) {
        if (!MQ_LIKE_HAS(which, reason))
            continue;
        if (some)
            mq_put_text(out, _(", "));
        mq_put_text(out, words_of((enum mq_alike_reason)reason));
        some = true;
    }
}
