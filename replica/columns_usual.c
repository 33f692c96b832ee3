/* The table of usual headings: first those of ledgers of households, then of needs and visits. A place that uses other
 * words writes a map of its own. */
#include "replica/columns_usual.h"

static const struct usual {
    uint8_t kind;         /* 0: in every ledger */
    const char *headings; /* with a blank between them */
    const char *key;      /* NULL: not taken over */
} usual[] = {
    {0, "序号 行号", NULL},
    {0, "身份证 身份证号 身份证号码 公民身份号码 证件号 证件号码 户主身份证号 户主身份证号码 户主证件号码", NULL},
    {0, "残疾证号 残疾证号码 银行卡 银行卡号 银行账号 银行帐号 开户账号 一卡通 一卡通号 一卡通账号 社保卡号 卡号 账号", NULL},

    {MQ_KIND_HOUSEHOLD, "户编号 户编码 农户编号 农户编码", "id"},
    {MQ_KIND_HOUSEHOLD, "村 村名 行政村 所在村 村居 村(社区) 村代码 村编码 行政区划代码", "place"},
    {MQ_KIND_HOUSEHOLD, "组 组名 组别 小组 村民组 村民小组 自然村 社 屯 寨", "group"},
    {MQ_KIND_HOUSEHOLD, "户主 户主姓名 户主名 姓名 称呼", "head"},
    {MQ_KIND_HOUSEHOLD, "俗称 小名", "nickname"},
    {MQ_KIND_HOUSEHOLD, "位置 位置描述 住址 地址 家庭住址 家庭地址 详细地址", "where"},
    {MQ_KIND_HOUSEHOLD, "电话 电话号码 联系电话 联系方式 手机 手机号 手机号码 联系电话1 联系电话2 联系电话3", "phones"},
    {MQ_KIND_HOUSEHOLD, "人口 人口数 家庭人口 家庭人口数 户籍人口 户籍人口数", "people"},
    {MQ_KIND_HOUSEHOLD, "常住人口 常住人口数", "residents"},
    {MQ_KIND_HOUSEHOLD, "户类型 户类别 户属性 农户类型 农户类别 农户属性 家庭类型", "types"},
    {MQ_KIND_HOUSEHOLD, "标签 关注标签 重点人群 风险原因 致贫原因", "tags"},
    {MQ_KIND_HOUSEHOLD, "方便上门时间 方便时间", "best_time"},
    {MQ_KIND_HOUSEHOLD, "语言 方言 语言/方言", "dialect"},
    {MQ_KIND_HOUSEHOLD, "状态 居住状态", "state"},

    {MQ_KIND_NEED, "诉求内容 反映内容 反映问题 诉求 原话", "words"},
    {MQ_KIND_NEED, "反映时间 反映日期", "date"},
    {MQ_KIND_NEED, "反映人 诉求人", "reporter"},
    {MQ_KIND_NEED, "来源 诉求来源", "source"},
    {MQ_KIND_NEED, "摘要", "summary"},
    {MQ_KIND_NEED, "类别 诉求类别 诉求类型", "category"},
    {MQ_KIND_NEED, "性质", "nature"},
    {MQ_KIND_NEED, "主体", "subject"},
    {MQ_KIND_NEED, "紧急程度", "urgency"},
    {MQ_KIND_NEED, "涉及户数", "households_affected"},
    {MQ_KIND_NEED, "需要上级给什么", "asks"},
    {MQ_KIND_NEED, "外部单号 工单号", "external_no"},
    {MQ_KIND_NEED, "村 村名 行政村", "place"},
    {MQ_KIND_NEED, "地点", "where"},

    {MQ_KIND_VISIT, "走访日期 走访时间 日期", "date"},
    {MQ_KIND_VISIT, "村 村名 行政村", "place"},
    {MQ_KIND_VISIT, "时段", "part"},
    {MQ_KIND_VISIT, "方式 走访方式", "mode"},
    {MQ_KIND_VISIT, "结果 走访结果", "result"},
    {MQ_KIND_VISIT, "同行人", "with"},
    {MQ_KIND_VISIT, "情况 走访情况 情况简述", "notes"},
    {MQ_KIND_VISIT, "下次打算", "next"},
    {MQ_KIND_VISIT, "纸表号", "paper_no"},
};

static bool has_word(const char *words, struct mq_span word)
{
    struct mq_span left = mq_span_text(words);
    while (left.size >= word.size) {
        size_t size = 0;
        while (size < left.size && left.data[size] != ' ')
            size++;
        if (mq_span_equal(mq_span(left.data, size), word))
            return true;
        size += size < left.size;
        left = mq_span(left.data + size, left.size - size);
    }
    return false;
}

bool mq_usual_column(const struct mq_kind *kind, struct mq_span heading, const struct mq_field **field)
{
    *field = NULL;
    if (heading.size == 0)
        return false;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if ((usual[i].kind != 0 && usual[i].kind != kind->number) || !has_word(usual[i].headings, heading))
            continue;
        *field = usual[i].key == NULL ? NULL : mq_field_by_key(kind, mq_span_text(usual[i].key));
        return usual[i].key == NULL || *field != NULL;
    }
    *field = mq_field_by_key(kind, heading);
    return *field != NULL && (*field)->number >= MQ_FIELD_ID && !((*field)->flags & MQ_FIELD_MADE);
}
