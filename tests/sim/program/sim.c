/* The simulator's program: many short runs, each from a seed of its own; where one breaks a promise, the same run once
 * more, made small, told as a story, with the vector that replays it.
 *
 *   sim [--years N] [--seconds S] [--workers W] [--seed N] [--run N] [--vector FILE] [--tries N] [--tell] [--brief]
 *
 * --brief: a failure is named and not explained.
 * Workers are processes: each plays every W-th run, alone and in one thread. A run is always played in a process that
 * may die of it: an assertion of the program is a promise too (I0). */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/assert.h"
#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

#define WORKERS_MAX 16
#define VECTOR_MAX (1u << 20)
#define RUN_SECONDS 15 /* of a processor: a run takes one or two, and what never ends keeps no promise either (I10) */
#define SHRINK_SECONDS 60 /* of a processor, at most: who waits for a story has no use for the shortest */
#define TWICE_EVERY 50 /* runs: is the same told again? */
#define YEARS_OF_EVERYTHING 100.0 /* in so many each kind of fault has happened, or something is wrong with the world */
#define TOLD_TWICE "I16" /* two stories of one run: something draws from outside */

/* What a process tells the one that waits for it; in memory that both see. */
struct report {
    struct sim_tally tally;
    int64_t runs;
    uint64_t run; /* under way */
    bool broken, ended;
    char invariant[8], words[SIM_WORDS_MAX];
    uint64_t hash;
    size_t count; /* of choices */
    uint32_t made[VECTOR_MAX];
};

struct options {
    double years, seconds;
    uint64_t seed, run;
    bool one_run, tell, brief;
    unsigned workers;
    int tries;
    const char *vector;
};

static struct report *reports; /* of the workers, and one more for single runs */
static struct sim_choices *playing;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- one run ---- */

static void copy_made(struct report *report)
{
    size_t count;
    const uint32_t *made = sim_choices_made(playing, &count);
    report->count = count < VECTOR_MAX ? count : VECTOR_MAX;
    if (report->count > 0)
        memcpy(report->made, made, report->count * sizeof *made);
}

/* The program stopped itself, or was stopped: its choices are what is needed of it. */
static void on_death(int number)
{
    copy_made(&reports[WORKERS_MAX]);
    signal(number, SIG_DFL);
    raise(number);
}

static void play(struct sim_choices *choices, uint64_t run, FILE *out, struct sim_result *result)
{
    const struct itimerval limit = {.it_value = {.tv_sec = RUN_SECONDS}};
    MQ_ASSERT(setitimer(ITIMER_VIRTUAL, &limit, NULL) == 0);
    playing = choices;
    sim_world_seed(run);
    sim_run(choices, run, out, result);
}

static void note(struct report *report, const struct sim_result *result)
{
    report->broken = sim_is_broken(&result->story);
    report->hash = result->story.hash;
    memcpy(report->invariant, result->story.invariant, sizeof report->invariant);
    memcpy(report->words, result->story.words, sizeof report->words);
    copy_made(report);
    report->tally = result->tally;
    report->ended = true;
}

/* Plays in a process of its own; what came of it stands in the last report. */
static struct report *play_apart(uint64_t run, const struct sim_vector *vector, FILE *out)
{
    struct report *report = &reports[WORKERS_MAX];
    report->ended = report->broken = false;
    report->count = 0;
    fflush(NULL);
    pid_t child = fork();
    MQ_ASSERT(child >= 0);
    if (child == 0) {
        static const int deaths[] = {SIGILL, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGVTALRM};
        for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
            signal(deaths[i], on_death);
        struct sim_result result;
        play(vector != NULL ? sim_choices_replay(vector->values, vector->count) : sim_choices_explore(run), run, out, &result);
        note(report, &result);
        fflush(NULL);
        _exit(0);
    }
    int status;
    MQ_ASSERT(waitpid(child, &status, 0) == child);
    if (!report->ended) {
        report->broken = true;
        snprintf(report->invariant, sizeof report->invariant, "I0");
        snprintf(report->words, sizeof report->words, "the program stopped itself (%s)",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an error of memory");
    }
    return report;
}

/* ---- a run that failed ---- */

struct failure {
    uint64_t run;
    char invariant[8];
    double until; /* when the processor's time that the children used up is too much */
};

static double children_seconds(void)
{
    struct rusage used;
    MQ_ASSERT(getrusage(RUSAGE_CHILDREN, &used) == 0);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static bool fails_too(void *context, const struct sim_vector *vector)
{
    const struct failure *failure = context;
    if (children_seconds() > failure->until)
        return false;
    const struct report *report = play_apart(failure->run, vector, NULL);
    return report->broken && strcmp(report->invariant, failure->invariant) == 0;
}

static void print_vector(const struct sim_vector *vector, uint64_t run)
{
    printf("vector run=%" PRIu64 "\n", run);
    for (size_t i = 0; i < vector->count; i++)
        printf("%" PRIu32 "%s", vector->values[i], i % 32 == 31 || i + 1 == vector->count ? "\n" : " ");
    printf("end\n");
}

static void explain(uint64_t run, const struct sim_vector *given, const struct options *options)
{
    struct report *report = play_apart(run, given, NULL);
    struct failure failure = {.run = run};
    uint64_t hash = report->hash;
    if (!report->broken) {
        printf("run %" PRIu64 " keeps every promise now\n", run);
        return;
    }
    printf("run %" PRIu64 " breaks %s: %s\n", run, report->invariant, report->words);
    if (options->brief)
        return;
    memcpy(failure.invariant, report->invariant, sizeof failure.invariant);
    struct sim_vector vector = {calloc(VECTOR_MAX, sizeof *vector.values), report->count};
    MQ_ASSERT(vector.values != NULL);
    memcpy(vector.values, report->made, vector.count * sizeof *vector.values);
    report = options->tries > 0 ? play_apart(run, given, NULL) : report;
    if (report->hash != hash)
        printf("%s: told once more, the run is another\n", TOLD_TWICE);
    size_t before = vector.count;
    failure.until = children_seconds() + SHRINK_SECONDS;
    sim_shrink(&vector, fails_too, &failure, options->tries);
    printf("%zu choices became %zu; the story:\n", before, vector.count);
    (void)play_apart(run, &vector, stdout);
    print_vector(&vector, run);
    free(vector.values);
}

/* ---- many ---- */

static uint64_t run_number(uint64_t seed, uint64_t index)
{
    return seed * 1000000 + index;
}

/* One failure is enough: it is mended before anything else is looked for. */
static bool somebody_failed(unsigned workers)
{
    for (unsigned i = 0; i < workers; i++)
        if (reports[i].broken)
            return true;
    return false;
}

static void worker(const struct options *options, unsigned number, double until)
{
    struct report *report = &reports[number];
    for (uint64_t index = number; !somebody_failed(options->workers) && now() < until &&
                                  sim_tally_years(&report->tally) * options->workers < options->years;
         index += options->workers) {
        struct sim_result result, again;
        report->run = run_number(options->seed, index);
        struct sim_choices *choices = sim_choices_explore(report->run);
        play(choices, report->run, NULL, &result);
        if (!sim_is_broken(&result.story) && index / options->workers % TWICE_EVERY == 0) {
            struct sim_choices *same = sim_choices_explore(report->run);
            play(same, report->run, NULL, &again);
            if (again.story.hash != result.story.hash)
                sim_broken(&result.story, TOLD_TWICE, "the run told another story the second time");
            sim_choices_free(same);
        }
        playing = NULL;
        sim_choices_free(choices);
        sim_tally_add(&report->tally, &result.tally);
        report->runs++;
        if (sim_is_broken(&result.story)) {
            report->broken = true;
            memcpy(report->invariant, result.story.invariant, sizeof report->invariant);
            break;
        }
    }
    report->ended = true;
}

static int explore(const struct options *options)
{
    double begun = now();
    struct sim_tally sum = {0};
    int64_t runs = 0;
    int violations = 0;
    pid_t children[WORKERS_MAX];
    for (unsigned i = 0; i < options->workers; i++) {
        children[i] = fork();
        MQ_ASSERT(children[i] >= 0);
        if (children[i] == 0) {
            worker(options, i, begun + options->seconds);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < options->workers; i++) {
        int status;
        MQ_ASSERT(waitpid(children[i], &status, 0) == children[i]);
    }
    for (unsigned i = 0; i < options->workers; i++) {
        sim_tally_add(&sum, &reports[i].tally);
        runs += reports[i].runs;
        if (reports[i].ended && !reports[i].broken)
            continue;
        violations++;
        if (strcmp(reports[i].invariant, TOLD_TWICE) == 0)
            printf("%s: run %" PRIu64 " told another story the second time\n", TOLD_TWICE, reports[i].run);
        else
            explain(reports[i].run, NULL, options);
    }
    printf("%" PRId64 " runs, %" PRId64 " records, %" PRId64 " syncs in %.1f s\n", runs, sum.records, sum.syncs, now() - begun);
    sim_tally_print(&sum, stdout);
    const char *missing = sim_tally_years(&sum) >= YEARS_OF_EVERYTHING ? sim_tally_missing(&sum) : NULL;
    if (missing != NULL)
        printf("in all these years it never happened: %s\n", missing);
    printf("device-years=%.2f faults=%" PRId64 " power-cuts=%" PRId64 " violations=%d seed=%" PRIu64 "\n",
           sim_tally_years(&sum), sim_tally_faults(&sum), sim_tally_power_cuts(&sum), violations, options->seed);
    return violations == 0 && missing == NULL ? 0 : 1;
}

/* ---- the command line ---- */

static int replay_file(const struct options *options)
{
    FILE *file = fopen(options->vector, "r");
    uint64_t run;
    struct sim_vector vector = {calloc(VECTOR_MAX, sizeof *vector.values), 0};
    MQ_ASSERT(vector.values != NULL);
    if (file == NULL || fscanf(file, "vector run=%" SCNu64, &run) != 1) {
        fprintf(stderr, "%s: not a vector as sim prints it\n", options->vector);
        return 2;
    }
    while (vector.count < VECTOR_MAX && fscanf(file, "%" SCNu32, &vector.values[vector.count]) == 1)
        vector.count++;
    fclose(file);
    const struct report *report = play_apart(run, &vector, options->tell ? stdout : NULL);
    printf("%s: %s%s%s\n", options->vector, report->broken ? report->invariant : "every promise is kept",
           report->broken ? " " : "", report->broken ? report->words : "");
    free(vector.values);
    return report->broken ? 1 : 0;
}

static bool parse(struct options *options, int count, char **words)
{
    static const struct option known[] = {{"years", 1, NULL, 'y'},   {"seconds", 1, NULL, 's'}, {"workers", 1, NULL, 'w'},
                                          {"seed", 1, NULL, 'e'},    {"run", 1, NULL, 'r'},     {"vector", 1, NULL, 'v'},
                                          {"tries", 1, NULL, 't'},   {"tell", 0, NULL, 'l'},    {"brief", 0, NULL, 'b'},
                                          {NULL, 0, NULL, 0}};
    for (int letter; (letter = getopt_long(count, words, "", known, NULL)) != -1;)
        switch (letter) {
        case 'y':
            options->years = atof(optarg);
            break;
        case 's':
            options->seconds = atof(optarg);
            break;
        case 'w':
            options->workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'e':
            options->seed = strtoull(optarg, NULL, 0);
            break;
        case 'r':
            options->run = strtoull(optarg, NULL, 0);
            options->one_run = true;
            break;
        case 'v':
            options->vector = optarg;
            break;
        case 't':
            options->tries = (int)strtol(optarg, NULL, 10);
            break;
        case 'l':
            options->tell = true;
            break;
        case 'b':
            options->brief = true;
            break;
        default: /* tidy: not an enum */
            return false;
        }
    return optind == count && options->workers >= 1 && options->workers <= WORKERS_MAX;
}

int main(int count, char **words)
{
    struct options options = {
        .years = 1e9, .seconds = 1e9, .workers = 1, .tries = 300, .seed = (uint64_t)time(NULL) % 1000000000};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(&options, count, words)) {
        fprintf(stderr, "usage: sim [--years N] [--seconds S] [--workers W] [--seed N] [--run N] [--vector FILE]"
                        " [--tries N] [--tell] [--brief]\n");
        return 2;
    }
    reports = mmap(NULL, (WORKERS_MAX + 1) * sizeof *reports, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MQ_ASSERT(reports != MAP_FAILED);
    sim_world_keep_memory();
    sim_world_seed(0);
    sim_template_make();
    if (options.vector != NULL)
        return replay_file(&options);
    if (!options.one_run)
        return explore(&options);
    if (options.tell)
        (void)play_apart(options.run, NULL, stdout);
    explain(options.run, NULL, &options);
    return reports[WORKERS_MAX].broken ? 1 : 0;
}
