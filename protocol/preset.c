/* Presets of deadlines: a table, and the choice among its rows (docs/domain.md, section 4.3). */
#include "protocol/preset.h"

#include <stddef.h>

#define OWN "本地约定"

/* id, name, clock, days, source */
#define CUSTOM(key, words, what, number, work, how) \
    {.id = key, .name = words, .clock = MQ_PRESET_##what, .days = number, .working = work, .usual = true, \
     .urgency = how, .source = OWN}
#define RULE(key, words, what, number, work, from_where) \
    {.id = key, .name = words, .clock = MQ_PRESET_##what, .days = number, .working = work, .binding = true, \
     .source = from_where}
#define LOCAL(key, words, what, number, work, from_where) \
    {.id = key, .name = words, .clock = MQ_PRESET_##what, .days = number, .working = work, .source = from_where}

const struct mq_preset mq_presets_built_in[] = {
    CUSTOM("accept", "受理", ACCEPT, 3, true, 0),
    CUSTOM("answer", "一般事项答复", ANSWER, 15, false, 0),
    CUSTOM("answer-urgent", "紧急事项答复", ANSWER, 5, false, 2),
    CUSTOM("answer-at-once", "特急事项答复", ANSWER, 5, false, 1),
    CUSTOM("tell", "答复后告知群众", TELL, 7, false, 0),
    CUSTOM("recheck", "挂账复查", RECHECK, 90, false, 0),
    RULE("xinfang-forward", "信访登记与转送", ACCEPT, 15, false, "信访工作条例第二十二条"),
    RULE("xinfang-answer", "信访办结", ANSWER, 60, false, "信访工作条例第三十四条"),
    RULE("xinfang-extend", "信访延期", EXTEND, 30, false, "信访工作条例第三十四条"),
    RULE("xinfang-review", "信访复查复核", ANSWER, 30, false, "信访工作条例第三十五条、第三十六条"),
    RULE("12345-answer", "12345热线答复", ANSWER, 5, true, "潍坊市12345条例第二十条、济南市12345条例第二十四条"),
    RULE("fanpin-identify", "防返贫线索到认定", ANSWER, 15, false, "防止返贫动态监测和帮扶机制"),
    LOCAL("fanpin-check-gansu", "防返贫核实", ANSWER, 5, true, "甘肃省"),
    LOCAL("fanpin-check-anhui", "防返贫核实", ANSWER, 2, true, "安徽省"),
    LOCAL("dibao-answer", "低保审核确认", ANSWER, 25, true, "郑州市"),
    LOCAL("rework", "差评整改", ANSWER, 15, true, "四川省某市"),
};
const size_t mq_presets_built_in_count = sizeof mq_presets_built_in / sizeof *mq_presets_built_in;

static const struct mq_preset *find_id(const struct mq_preset *presets, size_t count, struct mq_span id)
{
    for (size_t i = 0; i < count; i++)
        if (mq_span_equal(mq_span_text(presets[i].id), id))
            return &presets[i];
    return NULL;
}

const struct mq_preset *mq_preset_by_id(const struct mq_preset_list *own, struct mq_span id)
{
    const struct mq_preset *found = own == NULL ? NULL : find_id(own->presets, own->count, id);
    return found != NULL ? found : find_id(mq_presets_built_in, mq_presets_built_in_count, id);
}

static const struct mq_preset *find_usual(const struct mq_preset *presets, size_t count, unsigned clock,
                                          unsigned urgency, unsigned category, int32_t day)
{
    const struct mq_preset *best = NULL;
    int most = -1;
    for (size_t i = 0; i < count; i++) {
        const struct mq_preset *each = &presets[i];
        bool today = (each->from == 0 || day >= each->from) && (each->to == 0 || day <= each->to);
        bool fits = each->usual && each->clock == clock && (each->urgency == 0 || each->urgency == urgency) &&
                    (each->category == 0 || each->category == category);
        int says = 2 * (each->category != 0) + (each->urgency != 0);
        if (today && fits && says > most) {
            best = each;
            most = says;
        }
    }
    return best;
}

const struct mq_preset *mq_preset_usual(const struct mq_preset_list *own, unsigned clock, unsigned urgency,
                                        unsigned category, int32_t day)
{
    const struct mq_preset *found =
        own == NULL ? NULL : find_usual(own->presets, own->count, clock, urgency, category, day);
    return found != NULL
               ? found
               : find_usual(mq_presets_built_in, mq_presets_built_in_count, clock, urgency, category, day);
}

int32_t mq_preset_due(const struct mq_preset *preset, const struct mq_calendar *calendar, int32_t day, int *missing)
{
    return preset->working ? mq_workdays_after(calendar, day, preset->days, missing) : day + preset->days;
}
