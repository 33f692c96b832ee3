/* What people write: households, visits, needs, steps, tellings; several in a row, in lists, once more in other words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/db.h"
#include "protocol/assert.h"
#include "replica/records.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/network.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define LINE_SIZE (SIM_TEXT_MAX + 400)
#define IN_A_ROW 9
#define LINES_MAX 72 /* so that there are some five records a sync, as in a device-year (tally.c) */
#define LOOK_BACK 40 /* records: people go on with what is fresh */

/* %1$s: the text, %2$05u: its number, %3$05u: the number of the record that it refers to. */
static const struct sort {
    char kind, refers; /* 0: to nothing */
    uint32_t most;     /* bytes of text */
    const char *format, *edit;
} sorts[] = {
    {'H', 0, 300,
     "{\"kind\":\"household\",\"id\":\"H%2$05u\",\"place\":\"杉坪村\",\"group\":\"三组\",\"head\":\"冉大珍\",\"where\":\"%1$s\"}",
     "where"},
    {'V', 'H', 3000,
     "{\"kind\":\"visit\",\"id\":\"V%2$05u\",\"household\":\"H%3$05u\",\"date\":\"2026-06-01\",\"notes\":\"%1$s\"}",
     "notes"},
    {'N', 'H', 3000,
     "{\"kind\":\"need\",\"id\":\"N%2$05u\",\"household\":\"H%3$05u\",\"category\":\"住房\",\"words\":\"%1$s\"}",
     "summary"},
    {'T', 'N', 900,
     "{\"kind\":\"told\",\"id\":\"T%2$05u\",\"need\":\"N%3$05u\",\"date\":\"2026-06-02\",\"text\":\"%1$s\"}", "text"},
    {'G', 0, 900, "{\"kind\":\"suggestion\",\"id\":\"G%2$05u\",\"text\":\"%1$s\"}", "text"},
    {'B', 'H', 500,
     "{\"kind\":\"standing\",\"id\":\"B%2$05u\",\"household\":\"H%3$05u\",\"type\":\"低保户\",\"note\":\"%1$s\"}", "note"},
};
#define SORT_COUNT (sizeof sorts / sizeof *sorts)
static const struct sort large = {'G', 0, SIM_TEXT_MAX - 1,
                                  "{\"kind\":\"suggestion\",\"id\":\"G%2$05u\",\"text\":\"%1$s\"}", "answer"};
static const struct sort secret = {
    'R', 0, 900, "{\"kind\":\"need\",\"id\":\"R%2$05u\",\"place\":\"杉坪村\",\"category\":\"18\",\"words\":\"%1$s\"}", ""};
static const struct sort desk_step = {
    'S', 'N', 900,
    "{\"kind\":\"step\",\"id\":\"S%2$05u\",\"need\":\"N%3$05u\",\"step\":\"受理\",\"text\":\"%1$s\"}", "text"};

static char line[LINE_SIZE], text[SIM_TEXT_MAX + 1];

/* A record of this kind that somebody wrote lately. False: there is none. */
static bool recent(struct sim_fleet *fleet, char kind, uint32_t *number)
{
    size_t count = sim_ghost_count(fleet->ghost);
    size_t back = count > 0 ? sim_choose(fleet->choices, count < LOOK_BACK ? (uint32_t)count : LOOK_BACK) : 0;
    for (size_t i = count - back; i-- > 0;) {
        const struct sim_entry *entry = sim_ghost_entry(fleet->ghost, (uint32_t)i);
        if (entry->saved && entry->kind == kind) {
            *number = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* Makes `text` and says which number it has. */
static uint32_t new_text(struct sim_member *member, uint32_t most)
{
    struct sim_fleet *fleet = member->fleet;
    uint32_t size = 16 + sim_choose(fleet->choices, most / 10);
    if (sim_choose(fleet->choices, 8) == 7)
        size = most / 2 + sim_choose(fleet->choices, most / 2);
    uint32_t number = sim_ghost_next(fleet->ghost, member->number, size);
    sim_ghost_text(text, number, size);
    return number;
}

/* A new record of this sort as a line. False: what it would refer to is not there. */
static bool compose(struct sim_member *member, const struct sort *sort, uint32_t *number)
{
    uint32_t other = 0;
    if (sort->refers != 0 && !recent(member->fleet, sort->refers, &other))
        return false;
    *number = new_text(member, sort->most);
    struct sim_entry *entry = sim_ghost_entry(member->fleet->ghost, *number);
    entry->kind = sort->kind;
    entry->restricted = sort == &secret;
    MQ_ASSERT((size_t)snprintf(line, sizeof line, sort->format, text, *number, other) < sizeof line);
    return true;
}

/* Where a text went of which its author keeps only the sealed segment: it is restricted, or he has no key to it, or not yet. */
static void find_segment(struct sim_member *member, struct sim_entry *entry, const uint8_t record[MQ_ID_SIZE])
{
    struct mq_query *query;
    struct mq_error error = {0};
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT id FROM segment WHERE number = (SELECT max(segment) FROM"
                    " (SELECT record, segment FROM matter UNION ALL SELECT record, segment FROM piece) WHERE record = ?)",
                    "b", mq_span(record, MQ_ID_SIZE));
    if (status == MQ_OK && mq_db_next(&query, &error)) {
        entry->sealed = true;
        memcpy(entry->segment, mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
    }
    mq_db_done(&query);
    entry->unfollowed = !entry->sealed && error.status != MQ_OK;
}

static void note_sealed(struct sim_member *member, uint32_t number, const struct mq_saved *saved)
{
    struct sim_ghost *ghost = member->fleet->ghost;
    struct sim_entry *entry = sim_ghost_entry(ghost, number);
    bool sensitive = sim_ghost_entry(ghost, entry->record)->kind == 'B';
    if ((entry->restricted && !sim_is_desk(member)) ||
        (sensitive && member->fleet->rotated && !sim_ghost_holds(member, number)))
        find_segment(member, entry, saved->record);
}

/* `first`: the first text of the transaction. */
static void acknowledged(struct sim_member *member, uint32_t number, uint32_t first)
{
    member->last_saving = first;
    struct sim_entry *entry = sim_ghost_entry(member->fleet->ghost, number);
    entry->saved = entry->home = !member->revoked || sim_ghost_holds(member, number);
    entry->beyond = member->revoked;
    member->fleet->tally.records++;
}

static enum mq_status conclude(struct sim_member *member, const char *what, uint32_t number, enum mq_status status,
                               const struct mq_error *error)
{
    if (status == MQ_OK)
        acknowledged(member, number, number);
    sim_ghost_entry(member->fleet->ghost, number)->refused = status == MQ_REFUSED;
    sim_tell(member->fleet->story, "%s %s #%u%s%s", member->name, what, number, status == MQ_OK ? "" : ": ",
             status == MQ_OK ? "" : error->text);
    return status;
}

static enum mq_status write_new(struct sim_member *member, const struct sort *sort)
{
    struct mq_json *object;
    struct mq_saved saved;
    struct mq_error error = {0};
    uint32_t number;
    if (!compose(member, sort, &number))
        return MQ_OK;
    enum mq_status status = mq_json_parse(&object, mq_span_text(line), &error);
    MQ_ASSERT(status == MQ_OK);
    status = mq_records_add(member->replica, NULL, object, &saved, &error);
    mq_json_free(object);
    if (status == MQ_OK)
        note_sealed(member, number, &saved);
    return conclude(member, "saves", number, status, &error);
}

struct shown {
    struct mq_span text;
    bool there;
};

static enum mq_status take_shown(void *context, struct mq_span object, struct mq_error *error)
{
    struct shown *shown = context;
    (void)error;
    shown->there = shown->there || memmem(object.data, object.size, shown->text.data, shown->text.size) != NULL;
    return MQ_OK;
}

/* Whatever the clocks say: who changed something sees what he wrote (M6), unless his rights were taken, or it is of class B
 * and new keys are under way to him. */
static void check_shown(struct sim_member *member, const char *id, uint32_t number)
{
    struct shown shown = {.text = mq_span_text(text)};
    struct mq_error error = {0};
    const struct mq_emitter emitter = {&shown, take_shown};
    if (member->revoked || (member->fleet->rotated && id[0] == 'B'))
        return;
    if (mq_records_show(member->replica, mq_span_text(id), false, &emitter, &error) == MQ_OK && !shown.there)
        sim_broken(member->fleet->story, "M6", "%s changed %s to text #%u, and is shown another", member->name, id, number);
}

static enum mq_status write_edit(struct sim_member *member, const struct sort *sort)
{
    struct mq_saved saved;
    struct mq_error error = {0};
    char id[16];
    uint32_t target;
    if (!recent(member->fleet, sort->kind, &target))
        return MQ_OK;
    uint32_t number = new_text(member, 500);
    sim_ghost_entry(member->fleet->ghost, number)->record = target;
    snprintf(id, sizeof id, "%c%05u", sort->kind, target);
    snprintf(line, sizeof line, "%s=%s", sort->edit, text);
    const char *assignment = line;
    enum mq_status status = mq_records_set(member->replica, mq_span_text(id), &assignment, 1, mq_span_text("wrong before"),
                                           &saved, &error);
    if (status == MQ_NOT_FOUND) /* it has not come here yet */
        status = MQ_REFUSED;
    if (status == MQ_OK) { /* of houses that were joined, one stands for all */
        sim_ghost_entry(member->fleet->ghost, number)->record = (uint32_t)strtoul(saved.id + 1, NULL, 10);
        note_sealed(member, number, &saved);
    }
    char what[40];
    snprintf(what, sizeof what, "changes %s:", id);
    status = conclude(member, what, number, status, &error);
    if (status == MQ_OK) {
        sim_happened(member->fleet, SIM_CHANGED);
        check_shown(member, id, number);
    }
    return status;
}

void sim_write_little(struct sim_member *member)
{
    if (!sim_enter(member))
        return;
    enum mq_status status = write_new(member, &sorts[0]);
    if (status == MQ_OK)
        status = sim_sync(member);
    sim_leave(member, status);
}

static const struct sort *some_sort(struct sim_fleet *fleet)
{
    if (sim_chance(fleet->choices, fleet->swarm.restricted))
        return &secret;
    return &sorts[sim_choose(fleet->choices, SORT_COUNT)];
}

void sim_write(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    enum mq_status status = MQ_OK;
    if (!sim_enter(member))
        return;
    bool long_ones = sim_chance(fleet->choices, fleet->swarm.large);
    for (uint32_t left = 1 + sim_choose(fleet->choices, IN_A_ROW); left > 0; left--) {
        if (long_ones)
            status = write_new(member, &large);
        else if (sim_choose(fleet->choices, 4) == 3)
            status = write_edit(member, &sorts[sim_choose(fleet->choices, SORT_COUNT)]);
        else
            status = write_new(member, some_sort(fleet));
        if (status != MQ_OK && status != MQ_REFUSED)
            break;
    }
    sim_leave(member, status);
}

/* ---- many lines at once ---- */

struct lines {
    struct sim_member *member;
    uint32_t numbers[LINES_MAX], count;
    char *lines[LINES_MAX];
};

/* A list as somebody typed it up, each line referring to what he knows of. */
static void make_lines(struct lines *lines)
{
    for (uint32_t left = 1 + sim_choose(lines->member->fleet->choices, LINES_MAX); left > 0; left--) {
        uint32_t number;
        if (!compose(lines->member, &sorts[sim_choose(lines->member->fleet->choices, SORT_COUNT)], &number))
            continue;
        lines->numbers[lines->count] = number;
        lines->lines[lines->count] = strdup(line);
        MQ_ASSERT(lines->lines[lines->count++] != NULL);
    }
}

static enum mq_status import_lines(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct lines *lines = context;
    enum mq_status status = MQ_OK;
    for (uint32_t i = 0; i < lines->count && status == MQ_OK; i++) {
        struct mq_saved saved;
        struct sim_entry *entry = sim_ghost_entry(lines->member->fleet->ghost, lines->numbers[i]);
        status = mq_records_import_line(replica, &lines->member->team, mq_span_text(lines->lines[i]), false, &saved, error);
        entry->refused = status == MQ_REFUSED && !entry->saved;
        entry->unfound = entry->unfound || lines->member->rotten || lines->member->damaged;
        if (status == MQ_OK)
            note_sealed(lines->member, lines->numbers[i], &saved);
        if (status == MQ_REFUSED) { /* nothing is kept of this line, and the rest goes on */
            mq_error_clear(error);
            status = MQ_OK;
        }
    }
    return status;
}

static enum mq_status import_once(struct lines *lines, const char *how)
{
    struct sim_member *member = lines->member;
    struct mq_error error = {0};
    enum mq_status status = mq_replica_transact(member->replica, import_lines, lines, &error);
    for (uint32_t i = 0; i < lines->count && status == MQ_OK; i++) {
        struct sim_entry *entry = sim_ghost_entry(member->fleet->ghost, lines->numbers[i]);
        if (!entry->refused && !entry->saved)
            acknowledged(member, lines->numbers[i], lines->numbers[0]);
    }
    if (status == MQ_OK)
        sim_happened(member->fleet, SIM_IMPORTED);
    sim_tell(member->fleet->story, "%s imports %u lines%s%s%s", member->name, lines->count, how,
             status == MQ_OK ? "" : ": ", status == MQ_OK ? "" : error.text);
    return status;
}

void sim_import(struct sim_member *member)
{
    struct lines lines = {.member = member};
    if (!sim_enter(member))
        return;
    make_lines(&lines);
    sim_leave(member, import_once(&lines, ""));
    /* Was it done, or was it not? Who does not know does it again. */
    if (sim_choose(member->fleet->choices, 4) == 3 && sim_enter(member))
        sim_leave(member, import_once(&lines, " once more"));
    for (uint32_t i = 0; i < lines.count; i++)
        free(lines.lines[i]);
}

/* ---- at a desk ---- */

struct conflict {
    char id[80], field[80];
};

/* Remembers the first. */
static enum mq_status take_conflict(void *context, struct mq_span object, struct mq_error *error)
{
    struct conflict *conflict = context;
    struct mq_json *json;
    if (conflict->id[0] != '\0' || mq_json_parse(&json, object, error) != MQ_OK)
        return MQ_OK;
    struct mq_span id = mq_json_string(mq_json_get(json, "id")), field = mq_json_string(mq_json_get(json, "field"));
    snprintf(conflict->id, sizeof conflict->id, "%.*s", (int)id.size, (const char *)id.data);
    snprintf(conflict->field, sizeof conflict->field, "%.*s", (int)field.size, (const char *)field.data);
    mq_json_free(json);
    return MQ_OK;
}

static enum mq_status resolve(struct sim_member *desk)
{
    struct conflict conflict = {"", ""};
    struct mq_error error = {0};
    const struct mq_emitter emitter = {&conflict, take_conflict};
    enum mq_status status = mq_records_conflicts(desk->replica, &emitter, &error);
    if (status != MQ_OK || conflict.id[0] == '\0')
        return status;
    status = mq_records_resolve(desk->replica, mq_span_text(conflict.id), mq_span_text(conflict.field),
                                1 + sim_choose(desk->fleet->choices, 2), mq_span_text("asked the author"), &error);
    if (status == MQ_OK)
        sim_happened(desk->fleet, SIM_DECIDED);
    sim_tell(desk->fleet->story, "%s decides on %s of %s%s%s", desk->name, conflict.field, conflict.id,
             status == MQ_OK ? "" : ": ", status == MQ_OK ? "" : error.text);
    return status;
}

static enum mq_status merge(struct sim_member *desk)
{
    struct sim_fleet *fleet = desk->fleet;
    struct mq_error error = {0};
    char a[16], b[16];
    uint32_t first, second;
    if (!recent(fleet, 'H', &first) || !recent(fleet, 'H', &second) || first == second)
        return MQ_OK;
    bool undo = sim_choose(fleet->choices, 3) == 2;
    snprintf(a, sizeof a, "H%05u", first);
    snprintf(b, sizeof b, "H%05u", second);
    enum mq_status status = mq_records_merge(desk->replica, mq_span_text(a), mq_span_text(b), undo, &error);
    if (status == MQ_OK && !undo)
        sim_happened(fleet, SIM_JOINED_HOUSES);
    sim_tell(fleet->story, "%s %s %s and %s%s%s", desk->name, undo ? "parts" : "joins", a, b, status == MQ_OK ? "" : ": ",
             status == MQ_OK ? "" : error.text);
    return status;
}

void sim_review(struct sim_fleet *fleet)
{
    struct sim_member *desk = sim_some_desk(fleet);
    enum mq_status status = MQ_OK;
    if (desk == NULL || !sim_enter(desk))
        return;
    switch (sim_choose(fleet->choices, 3)) { /* tidy: not an enum */
    case 0:
        status = write_new(desk, &desk_step);
        break;
    case 1:
        status = resolve(desk);
        break;
    default:
        status = merge(desk);
        break;
    }
    sim_leave(desk, status);
}
