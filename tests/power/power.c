/* Power cuts by chance. */
#include "tests/power/power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "replica/outgoing.h"

#define HOUSEHOLDS_MAX 80
#define CUTS_AN_EPISODE 32
#define ACTIONS_A_CUT 30 /* then the power goes although nothing is under way */
#define BATCH 4
#define SOUND_ONE_IN 12
#define LINE_SIZE 200
#define TELL_S 30

struct household {
    int people, pending; /* 0: not there; what is under way, -1: nothing */
};

struct episode {
    struct stage *stage;
    struct power_tally *tally;
    struct household households[HOUSEHOLDS_MAX];
    int count;
    bool bad;
};

/* A household as it is written, and to the letter as it is exported. */
static void line_of(char out[LINE_SIZE], int number, int people)
{
    snprintf(out, LINE_SIZE,
             "{\"kind\":\"household\",\"id\":\"H-%d\",\"place\":\"990527103204\",\"head\":\"户主%d\",\"people\":%d}",
             number, number, people);
}

static void bad(struct episode *episode, int64_t *what, const char *words, const char *detail)
{
    print_message("%s: %s\n", words, detail);
    episode->bad = true;
    ++*what;
}

/* ---- what a device does ---- */

static uint32_t choose(struct episode *episode, uint32_t bound)
{
    return sim_choose(episode->stage->choices, bound);
}

static enum mq_status save_new(struct episode *episode, struct mq_error *error)
{
    char line[LINE_SIZE];
    struct household *household = &episode->households[episode->count];
    household->pending = 1 + (int)choose(episode, 9);
    line_of(line, episode->count++, household->pending);
    return stage_add(stage_member(episode->stage, STAGE_DEVICE), line, error);
}

static enum mq_status save_change(struct episode *episode, struct mq_error *error)
{
    char id[16], assignment[32];
    int number = (int)choose(episode, (uint32_t)episode->count);
    struct household *household = &episode->households[number];
    if (household->people == 0)
        return MQ_OK;
    household->pending = household->people % 30 + 1;
    snprintf(id, sizeof id, "H-%d", number);
    snprintf(assignment, sizeof assignment, "people=%d", household->pending);
    const char *assignments[] = {assignment};
    struct mq_saved saved;
    return mq_records_set(stage_member(episode->stage, STAGE_DEVICE)->replica, mq_span_text(id), assignments, 1,
                          mq_span_text(""), &saved, error);
}

static enum mq_status import_lines(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct episode *episode = context;
    const struct village_member *member = stage_member(episode->stage, STAGE_DEVICE);
    enum mq_status status = MQ_OK;
    for (int i = 0; i < BATCH && status == MQ_OK; i++) {
        char line[LINE_SIZE];
        struct mq_saved saved;
        struct household *household = &episode->households[episode->count];
        household->pending = 1 + (int)choose(episode, 9);
        line_of(line, episode->count++, household->pending);
        status = mq_records_import_line(replica, &member->team, mq_span_text(line), false, &saved, error);
    }
    return status;
}

/* One thing; MQ_OK where it was acknowledged. */
static enum mq_status act(struct episode *episode, struct mq_error *error)
{
    struct mq_replica *replica = stage_member(episode->stage, STAGE_DEVICE)->replica;
    bool room = episode->count + BATCH <= HOUSEHOLDS_MAX;
    uint32_t kind = choose(episode, 16);
    if (kind < 6)
        return room ? save_new(episode, error) : MQ_OK;
    if (kind < 10)
        return episode->count > 0 ? save_change(episode, error) : MQ_OK;
    if (kind < 12)
        return room ? mq_replica_transact(replica, import_lines, episode, error) : MQ_OK;
    if (kind < 13)
        return mq_seal_all(replica, error);
    return stage_sync(episode->stage, kind < 15 ? STAGE_DEVICE : STAGE_DESK, error);
}

static void acknowledge(struct episode *episode)
{
    for (int i = 0; i < episode->count; i++) {
        struct household *household = &episode->households[i];
        if (household->pending >= 0)
            household->people = household->pending, episode->tally->acknowledged++;
        household->pending = -1;
    }
}

/* ---- what is there ---- */

struct comparing {
    struct episode *episode;
    uint8_t seen[HOUSEHOLDS_MAX]; /* 1: as acknowledged; 2: as it was under way */
};

static enum mq_status compare_line(void *context, struct mq_span object, struct mq_error *error)
{
    struct comparing *comparing = context;
    struct episode *episode = comparing->episode;
    char text[LINE_SIZE * 2], line[LINE_SIZE];
    int number = -1;
    (void)error;
    snprintf(text, sizeof text, "%.*s", (int)object.size, (const char *)object.data);
    const char *id = strstr(text, "\"id\":\"H-");
    if (id != NULL)
        number = (int)strtol(id + strlen("\"id\":\"H-"), NULL, 10);
    if (number < 0 || number >= episode->count || comparing->seen[number] != 0) {
        bad(episode, &episode->tally->torn, "a record that nobody wrote, or twice", text);
        return MQ_OK;
    }
    const struct household *household = &episode->households[number];
    line_of(line, number, household->people);
    comparing->seen[number] = household->people > 0 && strcmp(text, line) == 0 ? 1 : 0;
    if (comparing->seen[number] == 0 && household->pending > 0) {
        line_of(line, number, household->pending);
        comparing->seen[number] = strcmp(text, line) == 0 ? 2 : 0;
    }
    if (comparing->seen[number] == 0) {
        comparing->seen[number] = 3;
        bad(episode, household->pending >= 0 ? &episode->tally->torn : &episode->tally->lost,
            "a record is not as it was written", text);
    }
    return MQ_OK;
}

/* What was under way is there whole or not at all, all of one saving alike; what is there counts from now on. */
static void take_over(struct episode *episode, const struct comparing *comparing)
{
    int arrived = 0, stayed_away = 0;
    for (int i = 0; i < episode->count; i++) {
        struct household *household = &episode->households[i];
        char name[16];
        snprintf(name, sizeof name, "H-%d", i);
        if (comparing->seen[i] == 0 && household->people > 0)
            bad(episode, &episode->tally->lost, "a record is gone", name);
        if (household->pending >= 0) {
            arrived += comparing->seen[i] == 2;
            stayed_away += comparing->seen[i] != 2;
        }
        if (comparing->seen[i] == 2)
            household->people = household->pending;
        household->pending = -1;
    }
    if (arrived > 0 && stayed_away > 0)
        bad(episode, &episode->tally->torn, "one saving", "by half");
}

static void compare(struct episode *episode, enum stage_machine machine)
{
    struct comparing comparing = {.episode = episode};
    const struct mq_emitter emitter = {&comparing, compare_line};
    struct mq_error error = {0};
    if (mq_records_export(stage_member(episode->stage, machine)->replica, NULL, &emitter, &error) != MQ_OK)
        bad(episode, &episode->tally->unopenable, "the store does not read", error.text);
    take_over(episode, &comparing);
}

static enum mq_status keep_finding(void *context, struct mq_span object, struct mq_error *error)
{
    (void)context, (void)error;
    print_message("%.*s\n", (int)object.size, (const char *)object.data);
    return MQ_OK;
}

/* Every page, signature and chain, and the view against its changes. */
static void look_closely(struct episode *episode, enum stage_machine machine)
{
    struct mq_error error = {0};
    struct mq_check_result result;
    const struct mq_emitter emitter = {NULL, keep_finding};
    struct mq_store *store = episode->stage->village.store;
    enum mq_status status =
        machine == STAGE_SERVER
            ? store->verbs->check(store, &error)
            : mq_records_check(stage_member(episode->stage, machine)->replica, false, &result, &emitter, &error);
    if (status != MQ_OK)
        bad(episode, &episode->tally->unopenable, "the store is not sound", error.text);
}

/* What the server told the device that it has, it has. */
static void compare_server(struct episode *episode)
{
    struct mq_query *query;
    struct mq_error error = {0};
    struct mq_store *store = episode->stage->village.store;
    static uint8_t memory[MQ_SEGMENT_MAX];
    enum mq_status status =
        mq_db_query(mq_replica_db(stage_member(episode->stage, STAGE_DEVICE)->replica), &query, &error,
                    "SELECT id FROM segment WHERE mine = 1 AND stored = 1", "");
    assert_int_equal(status, MQ_OK);
    while (mq_db_next(&query, &error)) {
        struct mq_buffer bytes = mq_buffer(memory, sizeof memory);
        if (store->verbs->segment(store, mq_db_blob(query, 0).data, &bytes, &error) != MQ_OK)
            bad(episode, &episode->tally->lost, "the server has lost a segment", error.text);
    }
}

/* ---- cuts ---- */

static enum stage_machine victim(struct episode *episode)
{
    uint32_t kind = choose(episode, 8);
    return kind < 5 ? STAGE_DEVICE : kind < 7 ? STAGE_SERVER : STAGE_DESK;
}

static void cut_somewhere(struct episode *episode, enum stage_machine machine)
{
    static const uint32_t reach[] = {8, 40, 120};
    sim_disk_cut_before(stage_disk(episode->stage, machine),
                        1 + choose(episode, reach[choose(episode, sizeof reach / sizeof *reach)]));
}

static void work_until_cut(struct episode *episode, enum stage_machine machine)
{
    const struct sim_disk *disk = stage_disk(episode->stage, machine);
    for (int i = 0; i < ACTIONS_A_CUT && !sim_disk_is_off(disk); i++) {
        struct mq_error error = {0};
        enum mq_status status = act(episode, &error);
        bool server_down = machine == STAGE_SERVER && sim_disk_is_off(disk) && status == MQ_UNREACHABLE;
        if (status == MQ_OK || server_down)
            acknowledge(episode);
        else if (!sim_disk_is_off(disk))
            bad(episode, &episode->tally->lost, "refused without reason", error.text);
    }
}

/* Recovers, once with another cut in the middle. */
static void recover(struct episode *episode, enum stage_machine machine)
{
    struct stage *stage = episode->stage;
    struct mq_error error = {0};
    stage_reboot(stage, machine);
    episode->tally->cuts++;
    while (choose(episode, 4) == 3) {
        struct mq_error ignored = {0};
        sim_disk_cut_before(stage_disk(stage, machine), 1 + choose(episode, 24));
        enum mq_status status = stage_open(stage, machine, &ignored);
        bool cut = sim_disk_is_off(stage_disk(stage, machine));
        if (status != MQ_OK && !cut)
            bad(episode, &episode->tally->unopenable, "does not open", ignored.text);
        stage_reboot(stage, machine);
        episode->tally->cuts++;
        episode->tally->nested += cut;
    }
    if (stage_open(stage, machine, &error) != MQ_OK)
        bad(episode, &episode->tally->unopenable, "does not open", error.text);
}

static void settle(struct episode *episode)
{
    struct mq_error error = {0};
    for (int round = 0; round < 2; round++)
        if (stage_sync(episode->stage, STAGE_DEVICE, &error) != MQ_OK ||
            stage_sync(episode->stage, STAGE_DESK, &error) != MQ_OK)
            bad(episode, &episode->tally->lost, "does not sync", error.text);
    compare(episode, STAGE_DEVICE);
    compare(episode, STAGE_DESK);
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        look_closely(episode, i);
}

static void live(struct stage *stage, const struct stage_image *image, uint64_t seed, struct power_tally *tally)
{
    struct episode episode = {.stage = stage, .tally = tally};
    stage_bring(stage, image, seed);
    for (int i = 0; i < HOUSEHOLDS_MAX; i++)
        episode.households[i].pending = -1;
    for (unsigned i = 0; i < STAGE_AT_WORK; i++)
        stage_must_open(stage, i);
    for (int i = 0; i < CUTS_AN_EPISODE && !episode.bad; i++) {
        enum stage_machine machine = victim(&episode);
        cut_somewhere(&episode, machine);
        work_until_cut(&episode, machine);
        recover(&episode, machine);
        if (episode.bad)
            break;
        compare(&episode, STAGE_DEVICE);
        if (machine == STAGE_SERVER)
            compare_server(&episode);
        if (choose(&episode, SOUND_ONE_IN) == 1)
            look_closely(&episode, machine);
    }
    if (!episode.bad)
        settle(&episode);
    if (episode.bad && tally->worst == 0)
        tally->worst = seed;
    if (episode.bad)
        print_message("in the episode of seed %llu\n", (unsigned long long)seed);
}

void power_run(struct stage *stage, const struct stage_image *image, uint64_t seed, int64_t cuts,
               struct power_tally *tally)
{
    while (tally->cuts < cuts) {
        live(stage, image, seed++, tally);
        power_tell(tally, seed);
    }
}

void power_tell(struct power_tally *tally, uint64_t next)
{
    int64_t now = (int64_t)time(NULL);
    if (tally->told == 0)
        tally->told = now;
    if (tally->name == NULL || now - tally->told < TELL_S)
        return;
    tally->told = now;
    fprintf(stderr, "%s: so far power-cuts=%lld lost=%lld torn=%lld unopenable=%lld, next seed %llu\n", tally->name,
            (long long)tally->cuts, (long long)tally->lost, (long long)tally->torn, (long long)tally->unopenable,
            (unsigned long long)next);
}
