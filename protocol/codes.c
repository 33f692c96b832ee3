/* Code lists: the number that travels, the word that people read. A number is never given to another meaning; what is
 * out of use keeps its row and gets a last day (docs/domain.md, section 3). */
#include "protocol/codes.h"

#define CODE(number, word) {.code = number, .label = word}
#define CODE_ALIAS(number, word, others) {.code = number, .label = word, .alias = others}
#define CODE_DATED(number, word, others, first, last) \
    {.code = number, .label = word, .alias = others, .from = first, .to = last}
#define CODE_PRINTED(number, printed, word) {.code = number, .text = printed, .label = word}
#define LIST(key, rows) {.name = key, .codes = rows, .count = sizeof rows / sizeof *rows}

enum { END_OF_2025 = 20453, START_OF_2026 = 20454 }; /* days: 防返贫 terms changed with the end of the transition */

static const struct mq_code household_types[] = {
    CODE_ALIAS(1, "一般户", "一般农户"),
    CODE_ALIAS(2, "特困人员", "特困 特困户 五保 五保户"),
    CODE_ALIAS(3, "低保家庭", "低保 低保户"),
    CODE_ALIAS(4, "低保边缘家庭", "低保边缘 低保边缘户"),
    CODE_ALIAS(5, "刚性支出困难家庭", "刚性支出困难"),
    CODE_ALIAS(6, "受灾", "受灾人员 受灾户"),
    CODE_ALIAS(7, "临时困难", "临时困难家庭"),
    CODE_DATED(8, "防止返贫致贫对象", "监测对象 监测户", START_OF_2026, 0),
    CODE_ALIAS(9, "原脱贫户", "脱贫户"),
    CODE_DATED(10, "脱贫不稳定户", NULL, 0, END_OF_2025),
    CODE_DATED(11, "边缘易致贫户", NULL, 0, END_OF_2025),
    CODE_DATED(12, "突发严重困难户", NULL, 0, END_OF_2025),
    CODE_DATED(13, "风险未消除", NULL, 0, END_OF_2025),
    CODE_DATED(14, "风险已消除", "已消除", 0, END_OF_2025),
};
const struct mq_code_list mq_codes_household_type = LIST("household_type", household_types);

/* What to look out for from 1, why a household is at risk from 21. */
static const struct mq_code household_tags[] = {
    CODE(1, "独居老人"),
    CODE_ALIAS(2, "空巢/留守老人", "空巢老人 留守老人"),
    CODE(3, "留守儿童"),
    CODE(4, "困境儿童"),
    CODE(5, "残疾人"),
    CODE_ALIAS(6, "大病/慢病负担", "大病负担 慢病负担"),
    CODE(7, "失能照护"),
    CODE(8, "多子女在读"),
    CODE(9, "务工不稳"),
    CODE(10, "受灾"),
    CODE(11, "易地搬迁"),
    CODE(12, "退役军人"),
    CODE(21, "因病"),
    CODE(22, "因学"),
    CODE(23, "因残"),
    CODE(24, "因灾"),
    CODE(25, "因意外"),
    CODE(26, "缺劳力"),
    CODE(27, "务工减收"),
    CODE(28, "产业失败"),
    CODE(29, "住房"),
    CODE(30, "饮水"),
    CODE(39, "其他"),
};
const struct mq_code_list mq_codes_household_tag = LIST("household_tag", household_tags);

static const struct mq_code household_states[] = {
    CODE(1, "在住"), CODE(2, "常年外出"), CODE(3, "空户"), CODE(4, "迁出"),
    CODE(5, "分户"), CODE(6, "合户"),     CODE(7, "销户"),
};
const struct mq_code_list mq_codes_household_state = LIST("household_state", household_states);

static const struct mq_code purposes[] = {
    CODE(1, "日常走访"),   CODE(2, "回访告知"), CODE(3, "专题调研"),
    CODE(4, "防返贫排查"), CODE(5, "灾后"),     CODE(6, "政策宣讲"),
};
const struct mq_code_list mq_codes_purpose = LIST("purpose", purposes);

static const struct mq_code ways_of_choosing[] = {
    CODE_ALIAS(1, "随机抽", "随机"), CODE_ALIAS(2, "自己选", "自选"), CODE_ALIAS(3, "村里荐", "村荐"),
    CODE(4, "群众约"),               CODE(5, "顺路"),
};
const struct mq_code_list mq_codes_how_chosen = LIST("how_chosen", ways_of_choosing);

static const struct mq_code parts_of_day[] = {CODE(1, "上午"), CODE(2, "下午"), CODE(3, "晚上")};
const struct mq_code_list mq_codes_part = LIST("part", parts_of_day);

static const struct mq_code visit_modes[] = {
    CODE(1, "入户"), CODE(2, "田间"),     CODE(3, "院坝会"), CODE(4, "电话"),
    CODE(5, "视频"), CODE(6, "村部接待"), CODE(9, "其他"),
};
const struct mq_code_list mq_codes_visit_mode = LIST("visit_mode", visit_modes);

static const struct mq_code visit_results[] = {
    CODE(1, "见到本人"), CODE(2, "见到家人"), CODE(3, "无人"), CODE(4, "拒访"), CODE(5, "已搬"),
};
const struct mq_code_list mq_codes_visit_result = LIST("visit_result", visit_results);

static const struct mq_code checks[] = {CODE(1, "好"), CODE(2, "有问题"), CODE(3, "没问")};
const struct mq_code_list mq_codes_check = LIST("check", checks);

static const struct mq_code subjects[] = {
    CODE(1, "个人"), CODE(2, "户"), CODE(3, "组"), CODE(4, "村"), CODE(5, "基层单位"),
};
const struct mq_code_list mq_codes_subject = LIST("subject", subjects);

static const struct mq_code natures[] = {
    CODE(1, "咨询"), CODE(2, "求助"), CODE(3, "投诉"), CODE(4, "举报"), CODE(5, "建议"), CODE(6, "政策反映"),
};
const struct mq_code_list mq_codes_nature = LIST("nature", natures);

static const struct mq_code categories[] = {
    CODE_PRINTED(1, "01", "医疗"),
    CODE_PRINTED(2, "02", "教育"),
    CODE_PRINTED(3, "03", "住房"),
    CODE_PRINTED(4, "04", "饮水"),
    CODE_PRINTED(5, "05", "道路交通"),
    CODE_PRINTED(6, "06", "电力通信"),
    CODE_PRINTED(7, "07", "救助保障"),
    CODE_PRINTED(8, "08", "养老"),
    CODE_PRINTED(9, "09", "残疾"),
    CODE_PRINTED(10, "10", "儿童"),
    CODE_PRINTED(11, "11", "就业务工"),
    CODE_PRINTED(12, "12", "产业生产"),
    CODE_PRINTED(13, "13", "惠农补贴"),
    CODE_PRINTED(14, "14", "土地山林"),
    CODE_PRINTED(15, "15", "矛盾调解"),
    CODE_PRINTED(16, "16", "环境卫生"),
    CODE_PRINTED(17, "17", "灾害安全"),
    CODE_PRINTED(18, "18", "村务干部作风"),
    CODE_PRINTED(19, "19", "证件政务"),
    {.code = 20, .text = "20", .label = "退役军人/法律", .alias = "退役军人 法律"},
    CODE_PRINTED(90, "90", "人身安全"),
    {.code = 99, .text = "99", .label = "其他/说不清", .alias = "其他 说不清"},
};
const struct mq_code_list mq_codes_category = LIST("category", categories);

static const struct mq_code urgencies[] = {CODE(1, "特急"), CODE(2, "紧急"), CODE(3, "一般")};
const struct mq_code_list mq_codes_urgency = LIST("urgency", urgencies);

static const struct mq_code asks[] = {
    CODE(1, "人"), CODE(2, "钱"), CODE(3, "物"), CODE(4, "政策"), CODE(5, "技术"), CODE(6, "协调"), CODE(7, "不用"),
};
const struct mq_code_list mq_codes_ask = LIST("ask", asks);

static const struct mq_code steps[] = {
    CODE_PRINTED(1, "accept", "受理"),     CODE_PRINTED(2, "return", "退回补充"),
    CODE_PRINTED(3, "redirect", "指路"),   CODE_PRINTED(4, "assign", "交办"),
    CODE_PRINTED(5, "dispute", "退回异议"), CODE_PRINTED(6, "start", "办理"),
    CODE_PRINTED(7, "extend", "延期"),     CODE_PRINTED(8, "escalate", "上报县级"),
    CODE_PRINTED(9, "park", "挂账"),       CODE_PRINTED(10, "answer", "答复"),
    CODE_PRINTED(11, "settle", "当场解决"), CODE_PRINTED(12, "close", "办结"),
    CODE_PRINTED(13, "reopen", "重办"),    CODE_PRINTED(14, "withdraw", "撤回"),
};
const struct mq_code_list mq_codes_step = LIST("step", steps);

static const struct mq_code step_results[] = {
    CODE(1, "已解决"),     CODE(2, "部分解决"), CODE(3, "已解释"),   CODE(4, "不支持"),       CODE(5, "已指路"),
    CODE(6, "转专门程序"), CODE(7, "挂账"),     CODE(8, "群众撤回"), CODE(9, "并入集体需求"), CODE(10, "无法联系"),
};
const struct mq_code_list mq_codes_step_result = LIST("step_result", step_results);

static const struct mq_code told_modes[] = {
    CODE(1, "当面"), CODE(2, "电话"), CODE(3, "院坝会"), CODE_ALIAS(4, "纸条", "书面"), CODE(5, "请人带话"),
};
const struct mq_code_list mq_codes_told_mode = LIST("told_mode", told_modes);

static const struct mq_code reactions[] = {
    CODE(1, "满意"), CODE(2, "基本满意"), CODE(3, "不满意"), CODE(4, "未表态"), CODE(5, "未联系上"),
};
const struct mq_code_list mq_codes_reaction = LIST("reaction", reactions);
