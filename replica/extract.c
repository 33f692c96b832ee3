/* Everything about a household, record by record, in the words of forms. */
#include "replica/extract.h"

#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/forget.h"
#include "replica/ledger_value.h"
#include "replica/replica_keys.h"
#include "replica/view.h"

#define LINE_SIZE (64 * 1024)

struct label {
    const char *key, *text;
};
#define END {NULL, NULL}

static const struct label household[] = {
    {"place", "地方"},       {"group", "组"},         {"head", "户主"},       {"nickname", "俗称"},
    {"where", "住处"},       {"phones", "电话"},      {"people", "家庭人口"}, {"residents", "常住人口"},
    {"types", "户类型"},     {"tags", "关注"},        {"best_time", "方便上门的时间"}, {"dialect", "语言"},
    {"state", "状态"},       {"split_from", "分户前"}, END};
static const struct label person[] = {
    {"name", "姓名"},       {"relation", "与户主关系"}, {"birth_year", "出生年"},
    {"age_band", "年龄段"}, {"phones", "电话"},         {"tags", "关注"},         END};
static const struct label standing[] = {{"type", "户类型"}, {"from", "从"}, {"to", "到"}, {"basis", "依据"}, {"note", "说明"}, END};
static const struct label notice[] = {{"date", "日期"},  {"for_whom", "对谁"},     {"version", "告知书版本"}, {"mode", "方式"},
                                      {"basis", "依据"}, {"withdrawn", "撤回日期"}, {"note", "说明"},         END};
static const struct label request[] = {{"date", "日期"},     {"right", "要求"},  {"by", "提出人"}, {"text", "内容"},
                                       {"decision", "决定"}, {"reason", "理由"}, {"done", "办完"}, END};
static const struct label visit[] = {
    {"date", "日期"},         {"part", "时段"},         {"mode", "方式"},         {"result", "结果"},
    {"with", "同行"},         {"notes", "情况"},        {"checks.吃穿", "吃穿"}, {"checks.住房", "住房"},
    {"checks.看病", "看病"}, {"checks.上学", "上学"}, {"checks.饮水", "饮水"}, {"checks.收入变化", "收入变化"},
    {"checks.其他", "其他"}, {"next", "下次打算"},     {"paper_no", "纸表编号"}, END};
static const struct label need[] = {
    {"no", "编号"},       {"date", "日期"},       {"reporter", "反映人"}, {"words", "原话"},
    {"summary", "摘要"}, {"category", "类别"},   {"subcategory", "细类"}, {"nature", "性质"},
    {"urgency", "紧急"}, {"asks", "需要什么"},   {"where", "地点"},       {"external_no", "外部单号"},
    {"called", "电话打给谁"}, END};
static const struct label step[] = {{"date", "日期"},   {"step", "环节"},   {"unit", "单位"}, {"text", "内容"},
                                    {"reason", "理由"}, {"result", "结果"}, {"due", "时限"},   END};
static const struct label told[] = {{"date", "日期"}, {"mode", "方式"}, {"text", "内容"}, {"reaction", "反应"}, END};

static const struct {
    uint8_t kind;
    const char *title;
    const struct label *labels;
} kinds[] = {
    {MQ_KIND_HOUSEHOLD, "户", household}, {MQ_KIND_PERSON, "家里人", person}, {MQ_KIND_STANDING, "户类型变动", standing},
    {MQ_KIND_NOTICE, "告知", notice},     {MQ_KIND_REQUEST, "要求", request}, {MQ_KIND_VISIT, "走访", visit},
    {MQ_KIND_NEED, "需求", need},         {MQ_KIND_STEP, "　办理", step},     {MQ_KIND_TOLD, "　告知群众", told},
};

struct extract {
    struct mq_replica *replica;
    enum mq_status (*emit)(void *, struct mq_span, struct mq_error *);
    void *context;
    uint8_t *memory;
};

static enum mq_status say(const struct extract *extract, const char *text, struct mq_error *error)
{
    return extract->emit(extract->context, mq_span_text(text), error);
}

static enum mq_status line(const struct extract *extract, const struct mq_group_state *state, const struct label *label,
                           struct mq_error *error)
{
    struct mq_buffer out = mq_buffer(extract->memory, LINE_SIZE);
    mq_put_text(&out, "    ");
    mq_put_text(&out, label->text);
    mq_put_text(&out, "：");
    size_t before = out.size;
    mq_put_shown(extract->replica, &out, state, label->key, false);
    if (out.failed)
        return mq_fail(error, MQ_NO_SPACE, _("this record is too long to show in one piece"));
    return out.size == before ? MQ_OK : extract->emit(extract->context, mq_written(&out), error);
}

static enum mq_status take(void *context, const struct mq_about *about, struct mq_error *error)
{
    const struct extract *extract = context;
    struct mq_group_state state;
    size_t i = 0;
    while (i < sizeof kinds / sizeof *kinds && kinds[i].kind != about->kind)
        i++;
    MQ_ASSERT(i < sizeof kinds / sizeof *kinds);
    enum mq_status status = mq_view_group(extract->replica, about->record, &state, error);
    if (status != MQ_OK || state.deleted)
        return status;
    status = say(extract, kinds[i].title, error);
    for (const struct label *label = kinds[i].labels; label->key != NULL && status == MQ_OK; label++)
        status = line(extract, &state, label, error);
    return status;
}

enum mq_status mq_extract_household(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t today,
                                    enum mq_status (*emit)(void *, struct mq_span, struct mq_error *), void *context,
                                    struct mq_error *error)
{
    struct extract extract = {.replica = replica, .emit = emit, .context = context, .memory = mq_work_memory(LINE_SIZE)};
    char day[11], head[64];
    mq_date_print(day, today);
    snprintf(head, sizeof head, "打印日期：%s", day);
    enum mq_status status = say(&extract, "个人信息查阅件：这里是登记的关于您家的全部内容", error);
    if (status == MQ_OK)
        status = say(&extract, head, error);
    if (status == MQ_OK)
        status = mq_about_household(replica, record, take, &extract, error);
    if (status == MQ_OK)
        status = say(&extract, "看到不对的，可以要求更正；不需要再留的，可以要求删除。", error);
    mq_work_free(extract.memory, LINE_SIZE);
    return status;
}
