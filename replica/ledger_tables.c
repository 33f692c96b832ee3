/* The columns of each ledger, in the order that offices are used to. */
#include <stdio.h>
#include <string.h>

#include "replica/ledger.h"

#define USUAL MQ_LEDGER_USUAL
#define SENSITIVE MQ_LEDGER_SENSITIVE
#define COUNT MQ_LEDGER_COUNT

static const struct mq_ledger_column households[] = {
    {"row", "序号", 6, MQ_LEDGER_NUMBER, NULL, MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"village", "村组", 18, MQ_LEDGER_VILLAGE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"head", "户主姓名", 12, MQ_LEDGER_OWN, "head", MQ_LEDGER_NAME, USUAL},
    {"nickname", "俗称", 10, MQ_LEDGER_OWN, "nickname", MQ_LEDGER_HIDDEN, 0},
    {"where", "位置", 24, MQ_LEDGER_OWN, "where", MQ_LEDGER_HIDDEN, 0},
    {"phones", "联系电话", 24, MQ_LEDGER_OWN, "phones", MQ_LEDGER_PHONES, USUAL},
    {"people", "家庭人口", 8, MQ_LEDGER_OWN, "people", MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"residents", "常住人口", 8, MQ_LEDGER_OWN, "residents", MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"state", "状态", 10, MQ_LEDGER_OWN, "state", MQ_LEDGER_PLAIN, USUAL},
    {"types", "户类型", 20, MQ_LEDGER_OWN, "types", MQ_LEDGER_PLAIN, SENSITIVE},
    {"tags", "关注标签", 24, MQ_LEDGER_OWN, "tags", MQ_LEDGER_PLAIN, SENSITIVE},
    {"best_time", "方便上门时间", 18, MQ_LEDGER_OWN, "best_time", MQ_LEDGER_TEXT, 0},
    {"dialect", "语言/方言", 12, MQ_LEDGER_OWN, "dialect", MQ_LEDGER_TEXT, 0},
};

static const struct mq_ledger_column visits[] = {
    {"row", "序号", 6, MQ_LEDGER_NUMBER, NULL, MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"date", "走访日期", 12, MQ_LEDGER_OWN, "date", MQ_LEDGER_PLAIN, USUAL},
    {"village", "村组", 18, MQ_LEDGER_VILLAGE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"head", "户主姓名", 12, MQ_LEDGER_HOUSEHOLD, "head", MQ_LEDGER_NAME, USUAL},
    {"mode", "方式", 10, MQ_LEDGER_OWN, "mode", MQ_LEDGER_PLAIN, USUAL},
    {"result", "结果", 10, MQ_LEDGER_OWN, "result", MQ_LEDGER_PLAIN, USUAL},
    {"notes", "情况简述", 48, MQ_LEDGER_OWN, "notes", MQ_LEDGER_TEXT, USUAL},
    {"checks", "发现的问题", 24, MQ_LEDGER_CHECKS, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"next", "下次打算", 24, MQ_LEDGER_OWN, "next", MQ_LEDGER_TEXT, USUAL},
    {"phones", "联系电话", 24, MQ_LEDGER_HOUSEHOLD, "phones", MQ_LEDGER_PHONES, 0},
    {"paper_no", "纸表号", 12, MQ_LEDGER_OWN, "paper_no", MQ_LEDGER_PLAIN, 0},
    {"part", "时段", 8, MQ_LEDGER_OWN, "part", MQ_LEDGER_PLAIN, SENSITIVE},
    {"with", "同行人", 16, MQ_LEDGER_OWN, "with", MQ_LEDGER_PLAIN, SENSITIVE},
    {"escort", "陪同", 10, MQ_LEDGER_OWN, "escort", MQ_LEDGER_PLAIN, SENSITIVE},
};

static const struct mq_ledger_column needs[] = {
    {"row", "序号", 6, MQ_LEDGER_NUMBER, NULL, MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"date", "反映时间", 12, MQ_LEDGER_DAY, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"village", "村组", 18, MQ_LEDGER_VILLAGE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"who", "反映人", 12, MQ_LEDGER_WHO, NULL, MQ_LEDGER_NAME, USUAL},
    {"content", "诉求内容", 48, MQ_LEDGER_CONTENT, NULL, MQ_LEDGER_TEXT, USUAL},
    {"category", "类别", 12, MQ_LEDGER_OWN, "category", MQ_LEDGER_PLAIN, USUAL},
    {"unit", "责任单位", 16, MQ_LEDGER_UNIT, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"due", "时限", 12, MQ_LEDGER_DUE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"progress", "办理情况", 40, MQ_LEDGER_PROGRESS, NULL, MQ_LEDGER_TEXT, USUAL},
    {"told", "反馈时间", 12, MQ_LEDGER_TOLD, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"reaction", "满意情况", 10, MQ_LEDGER_REACTION, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"no", "编号", 14, MQ_LEDGER_OWN, "no", MQ_LEDGER_PLAIN, 0},
    {"words", "原话", 48, MQ_LEDGER_OWN, "words", MQ_LEDGER_TEXT, 0},
    {"phones", "联系电话", 24, MQ_LEDGER_HOUSEHOLD, "phones", MQ_LEDGER_PHONES, 0},
    {"source", "来源", 8, MQ_LEDGER_OWN, "source", MQ_LEDGER_PLAIN, 0},
    {"subject", "主体", 10, MQ_LEDGER_OWN, "subject", MQ_LEDGER_PLAIN, 0},
    {"nature", "性质", 10, MQ_LEDGER_OWN, "nature", MQ_LEDGER_PLAIN, 0},
    {"urgency", "紧急程度", 10, MQ_LEDGER_OWN, "urgency", MQ_LEDGER_PLAIN, 0},
    {"affected", "涉及户数", 8, MQ_LEDGER_OWN, "households_affected", MQ_LEDGER_PLAIN, COUNT},
    {"asks", "需要上级给什么", 16, MQ_LEDGER_OWN, "asks", MQ_LEDGER_PLAIN, 0},
    {"policy", "涉及政策", 20, MQ_LEDGER_OWN, "policy", MQ_LEDGER_PLAIN, 0},
    {"obstacles", "障碍", 16, MQ_LEDGER_OWN, "obstacles", MQ_LEDGER_PLAIN, 0},
    {"external_no", "外部单号", 16, MQ_LEDGER_OWN, "external_no", MQ_LEDGER_PLAIN, 0},
    {"state", "状态", 12, MQ_LEDGER_STATE, NULL, MQ_LEDGER_PLAIN, 0},
};

const struct mq_ledger mq_ledgers[] = {
    {MQ_KIND_HOUSEHOLD, "农户台账", households, sizeof households / sizeof *households},
    {MQ_KIND_VISIT, "走访台账", visits, sizeof visits / sizeof *visits},
    {MQ_KIND_NEED, "群众诉求台账", needs, sizeof needs / sizeof *needs},
};
const size_t mq_ledger_count = sizeof mq_ledgers / sizeof *mq_ledgers;

/* ---- for the board: no telephone, no class B, no word of the person's own ---- */

static const struct mq_ledger_column household_notice[] = {
    {"row", "序号", 6, MQ_LEDGER_NUMBER, NULL, MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"village", "村组", 20, MQ_LEDGER_VILLAGE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"head", "户主姓名", 14, MQ_LEDGER_OWN, "head", MQ_LEDGER_NAME, USUAL},
};

static const struct mq_ledger_column need_notice[] = {
    {"row", "序号", 6, MQ_LEDGER_NUMBER, NULL, MQ_LEDGER_PLAIN, USUAL | COUNT},
    {"date", "日期", 12, MQ_LEDGER_DAY, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"village", "村组", 20, MQ_LEDGER_VILLAGE, NULL, MQ_LEDGER_PLAIN, USUAL},
    {"who", "姓名", 14, MQ_LEDGER_WHO, NULL, MQ_LEDGER_NAME, USUAL},
    {"category", "类别", 14, MQ_LEDGER_OWN, "category", MQ_LEDGER_PLAIN, USUAL},
    {"state", "办理情况", 16, MQ_LEDGER_STATE, NULL, MQ_LEDGER_PLAIN, USUAL},
};

const struct mq_ledger mq_notices[] = {
    {MQ_KIND_HOUSEHOLD, "农户公示", household_notice, sizeof household_notice / sizeof *household_notice},
    {MQ_KIND_NEED, "诉求办理公示", need_notice, sizeof need_notice / sizeof *need_notice},
};
const size_t mq_notice_count = sizeof mq_notices / sizeof *mq_notices;

const struct mq_ledger *mq_ledger_find(const struct mq_ledger *ledgers, size_t count, const struct mq_kind *kind)
{
    for (size_t i = 0; i < count && kind != NULL; i++)
        if (ledgers[i].kind == kind->number)
            return &ledgers[i];
    return NULL;
}

/* ---- choosing ---- */

static const struct mq_ledger_column *column_named(const struct mq_ledger *ledger, const char *name, size_t size)
{
    for (size_t i = 0; i < ledger->column_count; i++)
        if (strlen(ledger->columns[i].key) == size && memcmp(ledger->columns[i].key, name, size) == 0)
            return &ledger->columns[i];
    return NULL;
}

static enum mq_status unknown_column(const struct mq_ledger *ledger, const char *name, size_t size,
                                     struct mq_error *error)
{
    char names[MQ_ERROR_TEXT_SIZE / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < ledger->column_count; i++) {
        int length = snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", ledger->columns[i].key);
        if (length < 0 || (size_t)length >= sizeof names - used)
            break;
        used += (size_t)length;
    }
    return mq_fail(error, MQ_REFUSED, _("there is no column \"%.*s\"; there are: %s"), (int)size, name, names);
}

static enum mq_status choose_named(struct mq_ledger_choice *out, const char *names, bool sensitive,
                                   struct mq_error *error)
{
    for (const char *at = names; *at != '\0';) {
        size_t size = strcspn(at, ",");
        const struct mq_ledger_column *column = column_named(out->ledger, at, size);
        if (column == NULL)
            return unknown_column(out->ledger, at, size, error);
        if ((column->flags & SENSITIVE) && !sensitive)
            return mq_fail(error, MQ_REFUSED, _("the column \"%s\" is sensitive; it needs --sensitive and --reason"),
                           column->key);
        if (out->count == MQ_CSV_COLUMNS_MAX)
            return mq_fail(error, MQ_REFUSED, _("a table has at most %d columns"), MQ_CSV_COLUMNS_MAX);
        out->columns[out->count++] = column;
        at += size + (at[size] == ',');
    }
    return out->count > 0 ? MQ_OK : unknown_column(out->ledger, "", 0, error);
}

enum mq_status mq_ledger_choose(struct mq_ledger_choice *out, const struct mq_ledger *ledger, const char *names,
                                bool sensitive, struct mq_error *error)
{
    *out = (struct mq_ledger_choice){.ledger = ledger};
    if (names != NULL)
        return choose_named(out, names, sensitive, error);
    for (size_t i = 0; i < ledger->column_count; i++) {
        const struct mq_ledger_column *column = &ledger->columns[i];
        if ((column->flags & USUAL) || (sensitive && (column->flags & SENSITIVE)))
            out->columns[out->count++] = column;
    }
    return MQ_OK;
}
