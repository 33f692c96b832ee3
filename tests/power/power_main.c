/* Power cuts by the thousand. Usage: power CUTS [SEED [village|relay|database]]. Of a hundred, eight are made in the whole
 * village, 47 on the relay's store and 45 on an encrypted database. One line at the end, on stderr how far it is; exit code 1
 * where anything was lost. An episode that went wrong is repeated with 1 cut, its seed and its sort. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/power/stores.h"

static struct stage stage;
static struct stage_image image;

static void village_run(uint64_t seed, int64_t cuts, struct power_tally *tally)
{
    stage_begin(&stage);
    stage_keep(&stage, &image);
    power_run(&stage, &image, seed, cuts, tally);
    stage_image_free(&image);
    stage_end(&stage);
}

static const struct sort {
    const char *name;
    void (*run)(uint64_t seed, int64_t cuts, struct power_tally *tally);
    int percent;
} sorts[] = {{"village", village_run, 8}, {"relay", power_relay_run, 47}, {"database", power_database_run, 45}};

int main(int count, char **words)
{
    struct power_tally all = {0};
    int64_t cuts = count > 1 ? strtoll(words[1], NULL, 10) : 10000;
    uint64_t seed = count > 2 ? strtoull(words[2], NULL, 10) : (uint64_t)time(NULL);
    const char *only = count > 3 ? words[3] : "";
    setvbuf(stdout, NULL, _IOLBF, 0); /* what is done is told, also where the rest is stopped */
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        const struct sort *sort = &sorts[i];
        struct power_tally tally = {.name = sort->name};
        clock_t before = clock();
        if (*only != '\0' && strcmp(only, sort->name) != 0)
            continue;
        sort->run(seed, *only != '\0' ? cuts : (cuts * sort->percent + 99) / 100, &tally);
        printf("%s: power-cuts=%lld in-recovery=%lld acknowledged=%lld cpu-seconds=%.0f\n", sort->name,
               (long long)tally.cuts, (long long)tally.nested, (long long)tally.acknowledged,
               (double)(clock() - before) / CLOCKS_PER_SEC);
        if (tally.worst != 0)
            printf("repeat: power 1 %llu %s\n", (unsigned long long)tally.worst, sort->name);
        all.cuts += tally.cuts;
        all.lost += tally.lost;
        all.torn += tally.torn;
        all.unopenable += tally.unopenable;
    }
    printf("power-cuts=%lld lost=%lld torn=%lld unopenable=%lld seed=%llu\n", (long long)all.cuts, (long long)all.lost,
           (long long)all.torn, (long long)all.unopenable, (unsigned long long)seed);
    return all.lost + all.torn + all.unopenable == 0 ? 0 : 1;
}
