/* Code lists: the number that travels, the word that people read. A number is never given to another meaning; what is
 * out of use keeps its row and gets a last day (docs/domain.md, section 3). */
#include "protocol/codes.h"

#define CODE(number, word) {.code = number, .label = word}
#define CODE_ALIAS(number, word, others) {.code = number, .label = word, .alias = others}
#define CODE_DATED(number, word, others, first, last) \
    {.code = number, .label = word, .alias = others, .from = first, .to = last}
#define CODE_PRINTED(number, printed, word) {.code = number, .text = printed, .label = word}
#define CATEGORY(number, printed, word, who) {.code = number, .text = printed, .label = word, .unit = who}
#define CODE_HEALTH(number, printed, word, others) \
    {.code = number, .text = printed, .label = word, .alias = others, .flags = MQ_CODE_HEALTH | MQ_CODE_SENSITIVE}
#define CATEGORY_OF(number, printed, word, who, f) \
    {.code = number, .text = printed, .label = word, .unit = who, .flags = f}
#define LIST(key, rows) {.name = key, .codes = rows, .count = sizeof rows / sizeof *rows}
/* What the program itself goes by, so that nobody adds to it. */
#define CLOSED_LIST(key, rows) {.name = key, .codes = rows, .count = sizeof rows / sizeof *rows, .closed = true}

enum { END_OF_2025 = 20453, START_OF_2026 = 20454 }; /* days: 防返贫 terms changed with the end of the transition */

static const struct mq_code household_types[] = {
    {.code = 1, .label = "一般户", .alias = "一般农户", .flags = MQ_CODE_ORDINARY},
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
    CODE_HEALTH(5, NULL, "残疾人", NULL),
    CODE_HEALTH(6, NULL, "大病/慢病负担", "大病负担 慢病负担"),
    CODE_HEALTH(7, NULL, "失能照护", NULL),
    CODE(8, "多子女在读"),
    CODE(9, "务工不稳"),
    CODE(10, "受灾"),
    CODE(11, "易地搬迁"),
    CODE(12, "退役军人"),
    CODE_HEALTH(21, NULL, "因病", NULL),
    CODE(22, "因学"),
    CODE_HEALTH(23, NULL, "因残", NULL),
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
    CATEGORY_OF(1, "01", "医疗", "医保/卫健", MQ_CODE_HEALTH | MQ_CODE_SENSITIVE),
    CATEGORY(2, "02", "教育", "教育"),
    CATEGORY(3, "03", "住房", "住建/自然资源"),
    CATEGORY(4, "04", "饮水", "水利"),
    CATEGORY(5, "05", "道路交通", "交通"),
    CATEGORY(6, "06", "电力通信", "供电/通信"),
    CATEGORY_OF(7, "07", "救助保障", "民政", MQ_CODE_SENSITIVE),
    CATEGORY(8, "08", "养老", "人社/民政"),
    CATEGORY_OF(9, "09", "残疾", "残联/民政", MQ_CODE_HEALTH | MQ_CODE_SENSITIVE),
    CATEGORY_OF(10, "10", "儿童", "民政/教育", MQ_CODE_SENSITIVE),
    CATEGORY(11, "11", "就业务工", "人社"),
    CATEGORY(12, "12", "产业生产", "农业农村"),
    CATEGORY(13, "13", "惠农补贴", "农业农村/财政"),
    CATEGORY(14, "14", "土地山林", "农业农村/自然资源"),
    CATEGORY_OF(15, "15", "矛盾调解", "司法/村调委会", MQ_CODE_SENSITIVE),
    CATEGORY(16, "16", "环境卫生", "农业农村/生态"),
    CATEGORY(17, "17", "灾害安全", "应急/林业"),
    {.code = 18, .text = "18", .label = "村务干部作风", .unit = "纪检/组织", .flags = MQ_CODE_RESTRICTED},
    CATEGORY(19, "19", "证件政务", "便民服务中心"),
    {.code = 20, .text = "20", .label = "退役军人/法律", .alias = "退役军人 法律",
     .unit = "退役军人/司法"},
    {.code = 90, .text = "90", .label = "人身安全", .unit = "110/民政/教育",
     .flags = MQ_CODE_RESTRICTED | MQ_CODE_SENSITIVE | MQ_CODE_CALL_FIRST},
    {.code = 99, .text = "99", .label = "其他/说不清", .alias = "其他 说不清"},
};
const struct mq_code_list mq_codes_category = LIST("category", categories);

static const struct mq_code urgencies[] = {{.code = 1, .label = "特急", .flags = MQ_CODE_CALL_FIRST}, CODE(2, "紧急"), CODE(3, "一般")};
const struct mq_code_list mq_codes_urgency = CLOSED_LIST("urgency", urgencies);

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
    CODE_PRINTED(15, "supplement", "补充"), CODE_PRINTED(16, "merge_into", "并入"),
};
const struct mq_code_list mq_codes_step = CLOSED_LIST("step", steps);

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

static const struct mq_code escorts[] = {CODE(1, "无"), CODE(2, "村干部"), CODE(9, "其他")};
const struct mq_code_list mq_codes_escort = LIST("escort", escorts);

static const struct mq_code sources[] = {
    CODE(1, "走访"), CODE(2, "来访"), CODE(3, "来电"), CODE(4, "村民会"), CODE(5, "纸条"), CODE(6, "上级转"),
};
const struct mq_code_list mq_codes_source = LIST("source", sources);

static const struct mq_code reporter_kinds[] = {
    CODE(1, "本户"), CODE(2, "个人"), CODE(3, "匿名"), CODE_ALIAS(4, "多人", "代表"),
};
const struct mq_code_list mq_codes_reporter_kind = LIST("reporter_kind", reporter_kinds);

/* The smaller, the closer: a guarded field (protocol/record.h). */
static const struct mq_code secrecies[] = {{.code = 1, .label = "限定知悉", .flags = MQ_CODE_RESTRICTED}, CODE(2, "敏感"), CODE(3, "普通")};
const struct mq_code_list mq_codes_secrecy = CLOSED_LIST("secrecy", secrecies);

static const struct mq_code obstacles[] = {
    CODE(1, "习惯"), CODE(2, "钱"), CODE(3, "地"), CODE(4, "劳力"), CODE(5, "时间"), CODE(9, "其他"),
};
const struct mq_code_list mq_codes_obstacle = LIST("obstacle", obstacles);

/* The second level of `category`: its code, and two digits more. */
static const struct mq_code subcategories[] = {
    CODE_PRINTED(101, "0101", "医疗:参保缴费"),
    CODE_PRINTED(102, "0102", "医疗:报销"),
    CODE_PRINTED(103, "0103", "医疗:大病救助"),
    CODE_PRINTED(104, "0104", "医疗:慢病用药"),
    CODE_PRINTED(105, "0105", "医疗:就医交通"),
    CODE_PRINTED(106, "0106", "医疗:村卫生室"),
    CODE_PRINTED(201, "0201", "教育:上学"),
    CODE_PRINTED(202, "0202", "教育:资助"),
    CODE_PRINTED(203, "0203", "教育:寄宿"),
    CODE_PRINTED(204, "0204", "教育:校车"),
    CODE_PRINTED(205, "0205", "教育:村校条件"),
    CODE_PRINTED(301, "0301", "住房:危房"),
    CODE_PRINTED(302, "0302", "住房:改造补助"),
    CODE_PRINTED(303, "0303", "住房:宅基地"),
    CODE_PRINTED(304, "0304", "住房:灾损"),
    CODE_PRINTED(305, "0305", "住房:搬迁后续"),
    CODE_PRINTED(401, "0401", "饮水:断水"),
    CODE_PRINTED(402, "0402", "饮水:水质"),
    CODE_PRINTED(403, "0403", "饮水:管网"),
    CODE_PRINTED(404, "0404", "饮水:入户"),
    CODE_PRINTED(501, "0501", "道路交通:村组路"),
    CODE_PRINTED(502, "0502", "道路交通:桥"),
    CODE_PRINTED(503, "0503", "道路交通:路灯"),
    CODE_PRINTED(504, "0504", "道路交通:客运"),
    CODE_PRINTED(601, "0601", "电力通信:电压"),
    CODE_PRINTED(602, "0602", "电力通信:停电"),
    CODE_PRINTED(603, "0603", "电力通信:信号盲区"),
    CODE_PRINTED(604, "0604", "电力通信:宽带"),
    CODE_PRINTED(701, "0701", "救助保障:低保"),
    CODE_PRINTED(702, "0702", "救助保障:低保边缘"),
    CODE_PRINTED(703, "0703", "救助保障:刚性支出困难"),
    CODE_PRINTED(704, "0704", "救助保障:特困"),
    CODE_PRINTED(705, "0705", "救助保障:临时救助"),
    CODE_PRINTED(706, "0706", "救助保障:价格补贴"),
    CODE_PRINTED(801, "0801", "养老:养老保险"),
    CODE_PRINTED(802, "0802", "养老:高龄补贴"),
    CODE_PRINTED(803, "0803", "养老:照护"),
    CODE_PRINTED(804, "0804", "养老:独居探访"),
    CODE_PRINTED(805, "0805", "养老:适老改造"),
    CODE_PRINTED(901, "0901", "残疾:办证"),
    CODE_PRINTED(902, "0902", "残疾:两项补贴"),
    CODE_PRINTED(903, "0903", "残疾:辅具"),
    CODE_PRINTED(904, "0904", "残疾:无障碍"),
    CODE_PRINTED(905, "0905", "残疾:照护"),
    CODE_PRINTED(1001, "1001", "儿童:留守照护"),
    CODE_PRINTED(1002, "1002", "儿童:困境儿童"),
    CODE_PRINTED(1003, "1003", "儿童:事实无人抚养"),
    CODE_PRINTED(1004, "1004", "儿童:辍学"),
    CODE_PRINTED(1101, "1101", "就业务工:找工作"),
    CODE_PRINTED(1102, "1102", "就业务工:培训"),
    CODE_PRINTED(1103, "1103", "就业务工:欠薪"),
    CODE_PRINTED(1104, "1104", "就业务工:公益岗"),
    CODE_PRINTED(1105, "1105", "就业务工:返乡"),
    CODE_PRINTED(1201, "1201", "产业生产:技术"),
    CODE_PRINTED(1202, "1202", "产业生产:种苗"),
    CODE_PRINTED(1203, "1203", "产业生产:贷款"),
    CODE_PRINTED(1204, "1204", "产业生产:销路"),
    CODE_PRINTED(1205, "1205", "产业生产:农机"),
    CODE_PRINTED(1206, "1206", "产业生产:灌溉"),
    CODE_PRINTED(1207, "1207", "产业生产:病虫害"),
    CODE_PRINTED(1208, "1208", "产业生产:农业保险"),
    CODE_PRINTED(1301, "1301", "惠农补贴:耕地地力"),
    CODE_PRINTED(1302, "1302", "惠农补贴:种粮"),
    CODE_PRINTED(1303, "1303", "惠农补贴:农机"),
    CODE_PRINTED(1304, "1304", "惠农补贴:发放失败"),
    CODE_PRINTED(1401, "1401", "土地山林:承包"),
    CODE_PRINTED(1402, "1402", "土地山林:流转"),
    CODE_PRINTED(1403, "1403", "土地山林:征地补偿"),
    CODE_PRINTED(1404, "1404", "土地山林:界线"),
    CODE_PRINTED(1405, "1405", "土地山林:确权"),
    CODE_PRINTED(1501, "1501", "矛盾调解:邻里"),
    CODE_PRINTED(1502, "1502", "矛盾调解:家庭"),
    CODE_PRINTED(1503, "1503", "矛盾调解:婚姻"),
    CODE_PRINTED(1504, "1504", "矛盾调解:债务"),
    CODE_PRINTED(1505, "1505", "矛盾调解:集体分配"),
    CODE_PRINTED(1601, "1601", "环境卫生:垃圾"),
    CODE_PRINTED(1602, "1602", "环境卫生:污水"),
    CODE_PRINTED(1603, "1603", "环境卫生:改厕"),
    CODE_PRINTED(1604, "1604", "环境卫生:养殖污染"),
    CODE_PRINTED(1701, "1701", "灾害安全:地灾"),
    CODE_PRINTED(1702, "1702", "灾害安全:防汛"),
    CODE_PRINTED(1703, "1703", "灾害安全:火灾隐患"),
    CODE_PRINTED(1704, "1704", "灾害安全:用电"),
    CODE_PRINTED(1705, "1705", "灾害安全:野生动物"),
    {.code = 1801, .text = "1801", .label = "村务干部作风:公开", .flags = MQ_CODE_RESTRICTED},
    {.code = 1802, .text = "1802", .label = "村务干部作风:账目", .flags = MQ_CODE_RESTRICTED},
    {.code = 1803, .text = "1803", .label = "村务干部作风:优亲厚友", .flags = MQ_CODE_RESTRICTED},
    {.code = 1804, .text = "1804", .label = "村务干部作风:服务态度", .flags = MQ_CODE_RESTRICTED},
    CODE_PRINTED(1901, "1901", "证件政务:户籍"),
    CODE_PRINTED(1902, "1902", "证件政务:社保卡"),
    CODE_PRINTED(1903, "1903", "证件政务:开证明"),
    CODE_PRINTED(1904, "1904", "证件政务:代办"),
    CODE_PRINTED(2001, "2001", "退役军人/法律:优抚"),
    CODE_PRINTED(2002, "2002", "退役军人/法律:法律援助"),
    {.code = 9001, .text = "9001", .label = "人身安全:疑似侵害未成年人", .flags = MQ_CODE_RESTRICTED | MQ_CODE_CALL_FIRST},
    {.code = 9002, .text = "9002", .label = "人身安全:家暴", .flags = MQ_CODE_RESTRICTED | MQ_CODE_CALL_FIRST},
    {.code = 9003, .text = "9003", .label = "人身安全:轻生", .flags = MQ_CODE_RESTRICTED | MQ_CODE_CALL_FIRST},
    {.code = 9004, .text = "9004", .label = "人身安全:失联", .flags = MQ_CODE_RESTRICTED | MQ_CODE_CALL_FIRST},
};
const struct mq_code_list mq_codes_subcategory = {
    .name = "subcategory",
    .codes = subcategories,
    .count = sizeof subcategories / sizeof *subcategories,
    .parent = &mq_codes_category,
};

/* Why a need went back (from 1), why a unit disputes it (from 11), why it is closed although nobody was told, or was not
 * satisfied (from 21). */
static const struct mq_code causes[] = {
    CODE(1, "看不清说的事"),      CODE(2, "缺地点"),     CODE(3, "缺联系办法"), CODE(4, "像是重复"),
    CODE(11, "不属职责"),         CODE(12, "属地不符"),  CODE(13, "权属不清"),  CODE(14, "需上级"),
    CODE(21, "三次未联系上"),     CODE(22, "匿名"),      CODE(23, "迁出"),      CODE(24, "解释后办结"),
};
const struct mq_code_list mq_codes_cause = LIST("cause", causes);

static const struct mq_code age_bands[] = {
    CODE(1, "未满14岁"), CODE(2, "14至17岁"), CODE(3, "18至59岁"), CODE(4, "60至79岁"), CODE(5, "80岁以上"),
};
const struct mq_code_list mq_codes_age_band = LIST("age_band", age_bands);

static const struct mq_code bases_of_type[] = {CODE(1, "名单"), CODE(2, "证件"), CODE(3, "自述")};
const struct mq_code_list mq_codes_basis_of_type = LIST("basis_of_type", bases_of_type);

static const struct mq_code notice_modes[] = {CODE(1, "口头"), CODE(2, "纸质"), CODE(3, "口头加纸质")};
const struct mq_code_list mq_codes_notice_mode = LIST("notice_mode", notice_modes);

static const struct mq_code legal_bases[] = {CODE(1, "法定职责"), CODE(2, "本人同意"), CODE(3, "监护人同意")};
const struct mq_code_list mq_codes_legal_basis = LIST("legal_basis", legal_bases);

static const struct mq_code rights[] = {
    CODE(1, "查阅"), CODE(2, "复制"), CODE(3, "更正"), CODE(4, "删除"), CODE(5, "撤回同意"),
};
const struct mq_code_list mq_codes_right = LIST("right", rights);

static const struct mq_code decisions[] = {CODE(1, "同意"), CODE(2, "部分同意"), CODE(3, "不同意")};
const struct mq_code_list mq_codes_decision = LIST("decision", decisions);

static const struct mq_code place_levels[] = {
    CODE(1, "省"), CODE(2, "市"), CODE(3, "县"), CODE_ALIAS(4, "乡镇", "乡 镇 街道"), CODE_ALIAS(5, "村", "社区"),
};
const struct mq_code_list mq_codes_place_level = LIST("place_level", place_levels);

/* The three digits by which statistics tell town from country. */
static const struct mq_code place_classes[] = {
    CODE_PRINTED(111, "111", "主城区"),   CODE_PRINTED(112, "112", "城乡结合区"), CODE_PRINTED(121, "121", "镇中心区"),
    CODE_PRINTED(122, "122", "镇乡结合区"), CODE_PRINTED(123, "123", "特殊区域"),   CODE_PRINTED(210, "210", "乡中心区"),
    CODE_PRINTED(220, "220", "村庄"),
};
const struct mq_code_list mq_codes_place_class = LIST("place_class", place_classes);

static const struct mq_code unit_levels[] = {
    CODE(1, "村"), CODE(2, "乡镇"), CODE(3, "县"), CODE(4, "县级部门"), CODE(9, "其他"),
};
const struct mq_code_list mq_codes_unit_level = LIST("unit_level", unit_levels);

/* What a deadline preset is for. */
static const struct mq_code clocks[] = {
    CODE_PRINTED(1, "accept", "受理"), CODE_PRINTED(2, "answer", "办理答复"), CODE_PRINTED(3, "tell", "告知"),
    CODE_PRINTED(4, "recheck", "复查"), CODE_PRINTED(5, "extend", "延期"),
};
const struct mq_code_list mq_codes_clock = CLOSED_LIST("clock", clocks);

const struct mq_code_list *const mq_code_lists[] = {
    &mq_codes_household_type, &mq_codes_household_tag,   &mq_codes_household_state, &mq_codes_purpose,
    &mq_codes_how_chosen,     &mq_codes_part,            &mq_codes_visit_mode,      &mq_codes_visit_result,
    &mq_codes_check,          &mq_codes_subject,         &mq_codes_nature,          &mq_codes_category,
    &mq_codes_urgency,        &mq_codes_ask,             &mq_codes_step,            &mq_codes_step_result,
    &mq_codes_told_mode,      &mq_codes_reaction,        &mq_codes_escort,          &mq_codes_source,
    &mq_codes_reporter_kind,  &mq_codes_secrecy,         &mq_codes_obstacle,        &mq_codes_subcategory,
    &mq_codes_cause,          &mq_codes_age_band,        &mq_codes_basis_of_type,   &mq_codes_notice_mode,
    &mq_codes_legal_basis,    &mq_codes_right,           &mq_codes_decision,        &mq_codes_place_level,
    &mq_codes_place_class,    &mq_codes_unit_level,      &mq_codes_clock,
};
const size_t mq_code_list_count = sizeof mq_code_lists / sizeof *mq_code_lists;
