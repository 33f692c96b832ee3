/* How long search takes: 10,000 invented households with two visits each and a need, on a device's store, page encryption
 * and all. For each kind of query the time to the first result and to the twentieth, beside a floor from the same run: the
 * same rows read by SQLite's instr(), which knows neither pinyin nor order. usage: search [HOUSEHOLDS] */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "platform/db.h"
#include "tests/protocol/chance.h"
#include "tests/replica/village.h"

#define GROUP 256
#define ROUNDS 15
#define LIMIT 20

static struct mq_error problem;

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* tidy: allow clock_gettime, a bench measures the real clock */
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- an invented county ---- */

static const char surnames[] = "杨吴冉余龙田张罗陈石王李黄刘单曾覃仇解朴盖查任尉吕代安冯谭向彭何韦蒙潘陆莫岑卢班";
static const char given[] = "顺华世海大珍国平秀英建军桂兰德明玉芬光荣文武春梅永福志强红艳成林金凤仕学贵礼维忠先朝正兴"
                            "长青天云水生莲菊昌盛开泰思源启航雨欣浩然梓涵";
static const char *const pieces[] = {
    "房顶漏雨，堂屋里摆着三个盆", "老两口在家，儿子在浙江务工", "村里的路灯坏了四盏，晚上看不见路", "孙女读三年级，成绩不错",
    "药费太贵，一个月要六百多", "自来水三天没来，从井里挑", "问低保怎么申请，已当面说清", "今年花椒价钱不好", "养了两头牛，一头不吃料",
    "地界和邻居有争议，想请人去看", "残疾证到期了，不会网上办", "儿媳想在镇上找个活路", "电线老化，下雨就跳闸", "医保交了，票据收好",
    "屋后的坡去年垮过，雨大就睡不着", "说谢谢关心，都好", "娃娃上学要走一个小时山路", "化肥涨价，三亩地要七百多", "水管冻裂，村里还没来修",
    "想搬到安置点，还差两万块钱",
};

static void put_character(struct mq_buffer *out, struct chance *chance, const char *list)
{
    mq_put(out, list + 3 * chance_below(chance, strlen(list) / 3), 3);
}

static void put_sentences(struct mq_buffer *out, struct chance *chance, size_t count)
{
    char number[32];
    for (size_t i = 0; i < count; i++) {
        mq_put_text(out, pieces[chance_below(chance, sizeof pieces / sizeof *pieces)]);
        snprintf(number, sizeof number, "（%zu号）。", chance_below(chance, 9000));
        mq_put_text(out, number);
    }
}

static void put_line(struct mq_buffer *out, struct chance *chance, const char *kind, size_t number)
{
    char text[200];
    snprintf(text, sizeof text, "{\"kind\":\"%s\",\"id\":\"%s-%zu\",", kind, kind, number);
    mq_put_text(out, text);
    if (strcmp(kind, "household") == 0) {
        snprintf(text, sizeof text, "\"place\":\"99052710%04zu\",\"group\":\"%zu组\",\"phones\":[{\"number\":\"139%08zu\"}],\"head\":\"",
                 3200 + number / 400, 1 + number % 12, chance_below(chance, 100000000));
        mq_put_text(out, text);
        put_character(out, chance, surnames);
        put_character(out, chance, given);
        if (chance_below(chance, 10) > 1)
            put_character(out, chance, given);
        if (number == 7777)
            mq_put_text(out, "·𬎆");
        mq_put_text(out, "\"}");
        return;
    }
    snprintf(text, sizeof text, "\"household\":\"household-%zu\",\"%s\":\"", strcmp(kind, "need") == 0 ? number : number / 2,
             strcmp(kind, "need") == 0 ? "words" : "notes");
    mq_put_text(out, text);
    put_sentences(out, chance, 1 + chance_below(chance, 6));
    if (number == 5000)
        mq_put_text(out, "门口的老槐树要倒了。");
    mq_put_text(out, strcmp(kind, "need") == 0 ? "\"}" : "\",\"date\":\"2026-03-07\"}");
}

static void import(struct village_member *member, struct chance *chance, const char *kind, size_t count)
{
    static uint8_t memory[MQ_LINE_MAX];
    struct mq_db *db = mq_replica_db(member->replica);
    struct mq_saved saved;
    double start = now_ms();
    for (size_t i = 0; i < count; i++) {
        struct mq_buffer line = mq_buffer(memory, sizeof memory);
        put_line(&line, chance, kind, i);
        if (i % GROUP == 0)
            assert_int_equal(mq_db_begin(db, &problem), MQ_OK);
        assert_int_equal(mq_records_import_line(member->replica, &member->team, mq_written(&line), false, &saved, &problem),
                         MQ_OK);
        if (i % GROUP == GROUP - 1 || i == count - 1)
            assert_int_equal(mq_db_commit(db, &problem), MQ_OK);
    }
    printf("import: %zu of %s, %.0f a second\n", count, kind, (double)count * 1000 / (now_ms() - start));
}

/* ---- asking ---- */

struct answer {
    double start, first, last;
    int64_t count;
};

static enum mq_status take(void *context, struct mq_span object, struct mq_error *error)
{
    struct answer *answer = context;
    (void)object, (void)error;
    answer->last = now_ms() - answer->start;
    if (answer->count++ == 0)
        answer->first = answer->last;
    return MQ_OK;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* p50 (p95, max) of the rounds. */
static void put_times(double times[ROUNDS])
{
    qsort(times, ROUNDS, sizeof *times, order);
    printf("%7.1f (%5.1f,%6.1f)", times[ROUNDS / 2], times[ROUNDS * 95 / 100], times[ROUNDS - 1]);
}

static void ask(struct village_member *member, const char *about, const char *kind, const char *query)
{
    double first[ROUNDS], whole[ROUNDS];
    struct answer answer = {0};
    for (int i = 0; i < ROUNDS; i++) {
        answer = (struct answer){.start = now_ms()};
        const struct mq_emitter emitter = {&answer, take};
        assert_int_equal(mq_records_list(member->replica, mq_kind_by_key(mq_span_text(kind)), mq_span_text(query), LIMIT,
                                         &emitter, &problem), MQ_OK);
        whole[i] = now_ms() - answer.start;
        first[i] = answer.count > 0 ? answer.first : whole[i];
    }
    printf("%-38s first", about);
    put_times(first);
    printf("  all %2" PRId64, answer.count);
    put_times(whole);
    printf(" ms\n");
}

static void say_size(struct village_member *member)
{
    int64_t rows, grams, records;
    struct mq_db *db = mq_replica_db(member->replica);
    assert_int_equal(mq_db_number(db, &rows, &problem, "SELECT total(length(text)) FROM search", ""), MQ_OK);
    assert_int_equal(mq_db_number(db, &grams, &problem, "SELECT (SELECT total(length(slots)) FROM search_gram) +"
                                  " (SELECT total(length(grams)) FROM search_tail)", ""), MQ_OK);
    assert_int_equal(mq_db_number(db, &records, &problem, "SELECT total(length(expanded)) FROM change", ""), MQ_OK);
    printf("size: records %" PRId64 " KiB, rows of short texts %" PRId64 " KiB, pieces of long ones %" PRId64 " KiB\n",
           records / 1024, rows / 1024, grams / 1024);
}

/* What reading the rows costs alone. */
static void ask_floor(struct village_member *member, const char *part)
{
    double times[ROUNDS];
    int64_t found = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ms();
        assert_int_equal(mq_db_number(mq_replica_db(member->replica), &found, &problem,
                                      "SELECT count(*) FROM change WHERE instr(expanded, ?1)", "b", mq_span_text(part)), MQ_OK);
        times[i] = now_ms() - start;
    }
    printf("floor: instr() over all records, %6" PRId64 " found      ", found);
    put_times(times);
    printf(" ms\n");
}

int main(int argc, char **argv)
{
    static struct village village;
    size_t households = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    struct chance chance = chance_start("search");
    village_begin(&village, 7);
    struct village_member *device = &village.devices[0];
    import(device, &chance, "household", households);
    import(device, &chance, "visit", 2 * households);
    import(device, &chance, "need", households);
    say_size(device);
    ask_floor(device, "杨顺华");
    ask(device, "a whole name", "household", "杨顺华");
    ask(device, "a piece of a name", "household", "顺华");
    ask(device, "one character", "household", "仇");
    ask(device, "initials", "household", "ysh");
    ask(device, "initials of a surname's reading", "household", "sshh");
    ask(device, "whole pinyin", "household", "zengguoping");
    ask(device, "a rare character, dot left out", "household", "𬎆");
    ask(device, "last digits of a phone", "household", "4711");
    ask(device, "two words", "household", "ysh 3组");
    ask(device, "what is nowhere", "household", "鑫鑫qq");
    ask(device, "needs by their household", "need", "ysh");
    ask(device, "needs by two characters", "need", "水管");
    ask(device, "needs by a household and a word", "need", "yang 水管");
    ask(device, "visits by a rare word", "visit", "槐树");
    ask(device, "visits by one rare character", "visit", "槐");
    ask(device, "visits, what is nowhere", "visit", "鑫鑫");
    ask(device, "all kinds", "all", "槐树");
    ask(device, "all kinds, what is nowhere", "all", "qqqq");
    village_end(&village);
    return 0;
}
