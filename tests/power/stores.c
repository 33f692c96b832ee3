/* Power cuts on the relay's store and on an encrypted database. Both are the same story: entries 1, 2, 3 ... are put in, a few
 * in each commit, until the power goes; then the first so many must be there to the letter, and no others. */
#include "tests/power/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/db_key.h"
#include "protocol/hash.h"
#include "protocol/keys.h"

#define MACHINE 200 /* its number: apart from the village's */
#define CUTS_A_MACHINE 40
#define COMMITS_A_CUT 40
#define ENTRY_MAX 1400

/* So many entries are kept, one number for each machine: older ones are removed, where the store can do that. */
static const int64_t keeps[] = {12, 24, 60};

struct ledger;

/* What is tried. open: MQ_OK, or why it does not start. put: the entries after `done` up to `next`, in one commit. look:
 * counts the entries that are there to the letter; MQ_DAMAGED where there is anything else. */
struct subject {
    enum mq_status (*open)(struct ledger *ledger, struct mq_error *error);
    void (*close)(struct ledger *ledger);
    enum mq_status (*put)(struct ledger *ledger, int64_t next, struct mq_error *error);
    enum mq_status (*look)(struct ledger *ledger, int64_t *last, struct mq_error *error);
};

struct ledger {
    const struct subject *subject;
    struct power_tally *tally;
    struct sim_choices *choices;
    struct sim_machine *machine;
    const struct mq_platform *platform;
    struct mq_store *store;
    struct mq_db *db;
    int64_t done, kept;
    bool bad;
};

static struct mq_span entry_bytes(int64_t number)
{
    static uint8_t memory[ENTRY_MAX];
    uint64_t state = (uint64_t)number;
    size_t size = 40 + (size_t)(number * 137 % (ENTRY_MAX - 40));
    sim_chance_bytes(&state, memory, size);
    return mq_span(memory, size);
}

/* ---- the relay's store ---- */

static const uint8_t mailbox[MQ_ID_SIZE] = {7};

static enum mq_status relay_open(struct ledger *ledger, struct mq_error *error)
{
    return mq_store_sqlite_open(&ledger->store, ledger->platform, "/relay.db", error);
}

static void relay_close(struct ledger *ledger)
{
    if (ledger->store != NULL)
        ledger->store->verbs->close(ledger->store);
    ledger->store = NULL;
}

static enum mq_status relay_put(struct ledger *ledger, int64_t next, struct mq_error *error)
{
    struct mq_store *store = ledger->store;
    enum mq_status status = store->verbs->begin(store, error);
    if (status != MQ_OK)
        return status;
    for (int64_t number = ledger->done + 1; number <= next && status == MQ_OK; number++) {
        struct mq_log_item item = {.frame = MQ_FRAME_CERTIFICATE, .bytes = entry_bytes(number)};
        bool added;
        mq_hash_one(item.id, sizeof item.id, MQ_DOMAIN_BODY, item.bytes);
        status = store->verbs->append(store, mailbox, &item, &added, error);
    }
    if (status == MQ_OK)
        return store->verbs->commit(store, error);
    store->verbs->rollback(store);
    return status;
}

struct relay_look {
    int64_t last;
    bool wrong;
};

static bool relay_item(void *context, const struct mq_log_item *item)
{
    struct relay_look *look = context;
    look->last++;
    look->wrong = item->number != (uint64_t)look->last || !mq_span_equal(item->bytes, entry_bytes(look->last));
    return !look->wrong;
}

static enum mq_status relay_look(struct ledger *ledger, int64_t *last, struct mq_error *error)
{
    struct mq_store *store = ledger->store;
    struct relay_look look = {0};
    struct mq_log_position position = {0};
    enum mq_status status = store->verbs->list(store, mailbox, 0, relay_item, &look, error);
    if (status == MQ_OK)
        status = store->verbs->last(store, mailbox, &position, error);
    if (status == MQ_OK && ledger->tally->cuts % 8 == 0)
        status = store->verbs->check(store, error);
    *last = look.last;
    return status != MQ_OK ? status : look.wrong || position.number != (uint64_t)look.last ? MQ_DAMAGED : MQ_OK;
}

static const struct subject relay = {relay_open, relay_close, relay_put, relay_look};

/* ---- an encrypted database ---- */

static const char *const database_steps[] = {
    "CREATE TABLE entry(number INTEGER NOT NULL, half INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(number, half))"
    " STRICT, WITHOUT ROWID; CREATE INDEX entry_body ON entry(body)"};

static enum mq_status database_open(struct ledger *ledger, struct mq_error *error)
{
    static const struct mq_secret key = {.bytes = {1, 2, 3}};
    enum mq_status status = mq_db_open_encrypted(&ledger->db, ledger->platform, "/store.db", &key, error);
    return status == MQ_OK ? mq_db_migrate(ledger->db, database_steps, 1, error) : status;
}

static void database_close(struct ledger *ledger)
{
    mq_db_close(ledger->db);
    ledger->db = NULL;
}

/* Now and then a log is emptied behind a commit, as after an erasure. */
static enum mq_status database_put(struct ledger *ledger, int64_t next, struct mq_error *error)
{
    struct mq_db *db = ledger->db;
    enum mq_status status = mq_db_begin(db, error);
    if (status != MQ_OK)
        return status;
    for (int64_t number = ledger->done + 1; number <= next && status == MQ_OK; number++)
        for (int64_t half = 1; half <= 2 && status == MQ_OK; half++)
            status = mq_db_run(db, error, "INSERT INTO entry VALUES(?, ?, ?)", "iib", number, half, entry_bytes(number));
    if (status == MQ_OK)
        status = mq_db_run(db, error, "DELETE FROM entry WHERE number <= ?", "i", next - ledger->kept);
    if (status == MQ_OK)
        status = mq_db_commit(db, error);
    if (status != MQ_OK) {
        mq_db_rollback(db);
        return status;
    }
    struct mq_error unemptied = {0}; /* what was committed is */
    if (sim_choose(ledger->choices, 16) == 15)
        (void)!mq_db_empty_log(db, &unemptied);
    return MQ_OK;
}

static enum mq_status database_look(struct ledger *ledger, int64_t *last, struct mq_error *error)
{
    struct mq_query *query;
    enum mq_status status = mq_db_query(ledger->db, &query, error, "SELECT number, half, body FROM entry ORDER BY 1, 2", "");
    int64_t rows = 0, first = 0, kept = ledger->kept;
    bool wrong = false;
    *last = 0;
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error)) {
        int64_t number = mq_db_int(query, 0);
        first = rows == 0 ? number : first;
        wrong = wrong || number != first + rows / 2 || mq_db_int(query, 1) != rows % 2 + 1 ||
                !mq_span_equal(mq_db_blob(query, 2), entry_bytes(number));
        *last = number;
        rows++;
    }
    wrong = wrong || rows % 2 != 0 || rows > 2 * kept || (rows > 0 && *last > kept && rows != 2 * kept);
    if (error->status == MQ_OK && ledger->tally->cuts % 8 == 0)
        return wrong ? MQ_DAMAGED : mq_db_check(ledger->db, error);
    return error->status != MQ_OK ? error->status : wrong ? MQ_DAMAGED : MQ_OK;
}

static const struct subject database = {database_open, database_close, database_put, database_look};

/* ---- cuts ---- */

static void bad(struct ledger *ledger, int64_t *what, const char *words, const char *detail)
{
    print_message("%s: %s\n", words, detail);
    ledger->bad = true;
    ++*what;
}

/* What was acknowledged is done; what was under way when the power went may be, whole. */
static void work_until_cut(struct ledger *ledger, int64_t *under_way)
{
    struct sim_disk *disk = sim_machine_disk(ledger->machine);
    static const uint32_t reach[] = {6, 20, 120};
    sim_disk_cut_before(disk, 1 + sim_choose(ledger->choices, reach[sim_choose(ledger->choices, 3)]));
    for (int i = 0; i < COMMITS_A_CUT && !sim_disk_is_off(disk); i++) {
        struct mq_error error = {0};
        *under_way = ledger->done + 1 + sim_choose(ledger->choices, 4);
        enum mq_status status = ledger->subject->put(ledger, *under_way, &error);
        if (status == MQ_OK) {
            ledger->tally->acknowledged += *under_way - ledger->done;
            ledger->done = *under_way;
        } else if (!sim_disk_is_off(disk)) {
            bad(ledger, &ledger->tally->lost, "refused without reason", error.text);
        }
        if (sim_choose(ledger->choices, 24) == 23 && !sim_disk_is_off(disk)) { /* closed in good order, or in the middle of it */
            ledger->subject->close(ledger);
            status = ledger->subject->open(ledger, &error);
            if (status != MQ_OK && !sim_disk_is_off(disk))
                bad(ledger, &ledger->tally->unopenable, "does not open", error.text);
            if (status != MQ_OK)
                return;
        }
    }
}

static void reboot(struct ledger *ledger)
{
    sim_disk_cut(sim_machine_disk(ledger->machine));
    ledger->subject->close(ledger);
    sim_machine_reboot(ledger->machine);
    ledger->tally->cuts++;
}

static void recover(struct ledger *ledger)
{
    struct sim_disk *disk = sim_machine_disk(ledger->machine);
    reboot(ledger);
    while (sim_choose(ledger->choices, 4) == 3) {
        struct mq_error ignored = {0};
        sim_disk_cut_before(disk, 1 + sim_choose(ledger->choices, 16));
        enum mq_status status = ledger->subject->open(ledger, &ignored);
        bool cut = sim_disk_is_off(disk);
        ledger->tally->nested += cut;
        if (status != MQ_OK && !cut)
            bad(ledger, &ledger->tally->unopenable, "does not open", ignored.text);
        reboot(ledger);
    }
    struct mq_error error = {0};
    sim_disk_cut_before(disk, 0);
    if (ledger->subject->open(ledger, &error) != MQ_OK)
        bad(ledger, &ledger->tally->unopenable, "does not open", error.text);
}

static void compare(struct ledger *ledger, int64_t under_way)
{
    struct mq_error error = {0};
    char detail[80];
    int64_t last = 0;
    enum mq_status status = ledger->subject->look(ledger, &last, &error);
    snprintf(detail, sizeof detail, "%lld acknowledged, %lld there", (long long)ledger->done, (long long)last);
    if (status == MQ_DAMAGED && error.status == MQ_OK)
        bad(ledger, &ledger->tally->torn, "not what was written", detail);
    else if (status != MQ_OK)
        bad(ledger, &ledger->tally->unopenable, "not sound", error.text);
    else if (last < ledger->done)
        bad(ledger, &ledger->tally->lost, "lost", detail);
    else if (last != ledger->done && last != under_way)
        bad(ledger, &ledger->tally->torn, "by half", detail);
    ledger->done = last;
}

static void live(const struct subject *subject, uint64_t seed, struct power_tally *tally)
{
    struct ledger ledger = {.subject = subject, .tally = tally};
    struct mq_error error = {0};
    ledger.choices = sim_choices_explore(seed);
    ledger.machine = sim_machine_new(ledger.choices, MACHINE, seed);
    ledger.platform = sim_machine_platform(ledger.machine);
    ledger.kept = keeps[sim_choose(ledger.choices, sizeof keeps / sizeof *keeps)];
    sim_world_seed(seed);
    assert_int_equal(subject->open(&ledger, &error), MQ_OK);
    for (int i = 0; i < CUTS_A_MACHINE && !ledger.bad; i++) {
        int64_t under_way = ledger.done;
        work_until_cut(&ledger, &under_way);
        recover(&ledger);
        if (!ledger.bad)
            compare(&ledger, under_way);
    }
    if (ledger.bad && tally->worst == 0)
        tally->worst = seed;
    if (ledger.bad)
        print_message("in the episode of seed %llu\n", (unsigned long long)seed);
    subject->close(&ledger);
    sim_machine_free(ledger.machine);
    sim_choices_free(ledger.choices);
}

static void run(const struct subject *subject, uint64_t seed, int64_t cuts, struct power_tally *tally)
{
    assert_int_equal(mq_crypto_start(), MQ_OK);
    while (tally->cuts < cuts) {
        live(subject, seed++, tally);
        power_tell(tally, seed);
    }
}

void power_relay_run(uint64_t seed, int64_t cuts, struct power_tally *tally)
{
    run(&relay, seed, cuts, tally);
}

void power_database_run(uint64_t seed, int64_t cuts, struct power_tally *tally)
{
    run(&database, seed, cuts, tally);
}
