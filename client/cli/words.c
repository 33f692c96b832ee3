/* The keys of --json as people read them: translated by the message catalogue, looked up by the key itself. */
#include <string.h>

#include "client/cli/program.h"
#include "replica/catalogue.h"
#include "protocol/need.h"

static const char *const keys[] = {
    N_("kind"), N_("id"), N_("record"), N_("records"), N_("place"), N_("group"), N_("head"),
    N_("nickname"), N_("where"), N_("phones"), N_("number"), N_("whose"), N_("people"), N_("residents"),
    N_("types"), N_("tags"), N_("best_time"), N_("dialect"), N_("state"), N_("purpose"), N_("questions"),
    N_("how_chosen"), N_("households"), N_("household"), N_("from"), N_("to"), N_("with"), N_("date"), N_("part"),
    N_("mode"), N_("result"), N_("plan"), N_("notes"), N_("checks"), N_("next"), N_("paper_no"), N_("visit"),
    N_("reporter"), N_("subject"), N_("nature"), N_("words"), N_("words_more"), N_("summary"), N_("category"),
    N_("urgency"), N_("households_affected"), N_("asks"), N_("county_eyes"), N_("external_no"), N_("need"),
    N_("step"), N_("unit"), N_("text"), N_("due"), N_("reason"), N_("reaction"), N_("conflicts"), N_("deleted"),
    N_("saved"), N_("stored"), N_("anchored"), N_("quarantined"), N_("last_receipt"), N_("locked"), N_("lines"),
    N_("known"), N_("refused"), N_("masked"), N_("sent"), N_("received"), N_("bytes_up"), N_("bytes_down"),
    N_("requests"), N_("round_trips"), N_("segments"), N_("changes"), N_("waiting"), N_("undecodable"), N_("forks"),
    N_("holes"), N_("erased"), N_("serial"), N_("team"), N_("home"), N_("streams"), N_("stream"), N_("closed"), N_("at"),
    N_("by"), N_("change"), N_("field"), N_("value"), N_("values"), N_("safety"), N_("note"), N_("what"), N_("told"), N_("suggestion"),
    N_("split_from"), N_("topic"), N_("escort"), N_("source"), N_("reporter_kind"), N_("county_reason"),
    N_("secrecy"), N_("part_of"), N_("again_of"), N_("policy"), N_("obstacles"), N_("called"), N_("subcategory"),
    N_("cause"), N_("helpers"), N_("rule"), N_("answer"), N_("person"), N_("name"), N_("relation"),
    N_("birth_year"), N_("age_band"), N_("consent"), N_("standing"), N_("type"), N_("basis"), N_("notice"),
    N_("for_whom"), N_("version"), N_("withdrawn"), N_("request"), N_("right"), N_("decision"), N_("done"),
    N_("exported"), N_("format"), N_("rows"), N_("unmasked"), N_("sensitive"), N_("restricted"), N_("recipient"),
    N_("code"), N_("list"), N_("label"), N_("alias"), N_("replaced_by"), N_("codes"), N_("earlier_names"),
    N_("level"), N_("class"), N_("parent"), N_("into"), N_("into_date"), N_("letters"), N_("groups"),
    N_("categories"), N_("emergency"), N_("calendar"), N_("year"), N_("holidays"), N_("workdays"), N_("preset"),
    N_("clock"), N_("days"), N_("working"), N_("binding"), N_("last_heard"), N_("holder"), N_("since"), N_("late"), N_("disputes"),
    N_("unreached"), N_("arrived_late"), N_("out_of_turn"), N_("steps"), N_("calendar_missing"),
    N_("household_id"), N_("last_visit"), N_("open"), N_("missing"),
    N_("place_name"), N_("place_now"), N_("unknown_places"),
    N_("without_notice"), N_("recovery"), N_("left"),
    N_("ids"), N_("numbers"), N_("originals"), N_("not_same_as"), N_("visits"), N_("needs"), N_("persons"), N_("split_into"), N_("moved"),
};

const char *program_word(const char *key)
{
    if (strcmp(key, "no") == 0) /* the key is also the answer to a question, and has another word as that */
        return _("number of the need");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return gettext(keys[i]);
    return key;
}

/* Values that are words of ours, by their key. */
static const struct {
    const char *key, *value, *words;
} values[] = {
    {"holder", "nobody", N_("nobody")},
    {"holder", "cadre", N_("the cadre")},
    {"holder", "desk", N_("the desk")},
    {"holder", "county", N_("the county's desk")},
    {"holder", "part_of", N_("who has the need that it is part of")},
    {"what", "tell", N_("tell the villager")},
    {"what", "supplement", N_("answer the question")},
    {"what", "recheck", N_("look at it again")},
    {"what", "visit", N_("visit")},
};

/* The states of a need have Chinese labels, which stand in the records' own table and not in the message catalogue. */
static bool in_chinese(void)
{
    return strcmp(gettext("state"), "state") != 0;
}

/* Of a value that the record format prints as a code ("04", "assign"): what people call it, in the lists that are in
 * force where the device is open. NULL: it is none. */
static const char *label_of(struct program *program, const char *key, struct mq_span value)
{
    for (size_t i = 0; i < mq_kind_count; i++) {
        const struct mq_field *field = mq_field_by_key(&mq_kinds[i], mq_span_text(key));
        if (field == NULL || field->codes == NULL)
            continue;
        const struct mq_code_list *list = field->codes;
        struct mq_error ignored = {0}; /* then the program's own words do */
        if (program->device.replica != NULL &&
            mq_catalogue_codes(program->device.replica, field->codes, &list, &ignored) != MQ_OK)
            list = field->codes;
        const struct mq_code *code = mq_code_by_text(list, value);
        if (code != NULL && code->text != NULL)
            return code->label;
    }
    return NULL;
}

struct mq_span program_value(struct program *program, const char *key, struct mq_span value)
{
    const struct mq_need_state *state = strcmp(key, "state") == 0 ? mq_need_state_by_text(value) : NULL;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].key, key) == 0 && mq_span_equal(mq_span_text(values[i].value), value))
            return mq_span_text(gettext(values[i].words));
    const char *label = state != NULL ? state->label : label_of(program, key, value);
    return label != NULL && in_chinese() ? mq_span_text(label) : value;
}
