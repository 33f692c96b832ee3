/* What was written, and who still has it. */
#include "tests/sim/ghost.h"

#include <stdlib.h>
#include <string.h>

#include "platform/db.h"
#include "protocol/assert.h"
#include "protocol/change.h"
#include "replica/revoke.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"

#define MARK_SIZE (sizeof SIM_MARK - 1)
#define LETTERS 5 /* of a number, base 26 */

struct sim_ghost {
    struct sim_entry *entries;
    size_t count, room;
};

struct sim_ghost *sim_ghost_new(void)
{
    struct sim_ghost *ghost = calloc(1, sizeof *ghost);
    MQ_ASSERT(ghost != NULL);
    return ghost;
}

void sim_ghost_free(struct sim_ghost *ghost)
{
    free(ghost->entries);
    free(ghost);
}

uint32_t sim_ghost_next(struct sim_ghost *ghost, unsigned author, uint32_t size)
{
    if (ghost->count == ghost->room) {
        ghost->room = ghost->room == 0 ? 256 : ghost->room * 2;
        ghost->entries = realloc(ghost->entries, ghost->room * sizeof *ghost->entries);
        MQ_ASSERT(ghost->entries != NULL);
    }
    ghost->entries[ghost->count] = (struct sim_entry){.author = author, .size = size, .record = (uint32_t)ghost->count};
    return (uint32_t)ghost->count++;
}

size_t sim_ghost_count(const struct sim_ghost *ghost)
{
    return ghost->count;
}

struct sim_entry *sim_ghost_entry(struct sim_ghost *ghost, uint32_t number)
{
    MQ_ASSERT(number < ghost->count);
    return &ghost->entries[number];
}

void sim_ghost_text(char *out, uint32_t number, uint32_t size)
{
    uint64_t state = number;
    uint32_t rest = number;
    MQ_ASSERT(size >= MARK_SIZE + LETTERS && size <= SIM_TEXT_MAX);
    memcpy(out, SIM_MARK, MARK_SIZE);
    for (size_t i = 0; i < LETTERS; i++, rest /= 26)
        out[MARK_SIZE + i] = (char)('A' + rest % 26);
    sim_chance_bytes(&state, out + MARK_SIZE + LETTERS, size - MARK_SIZE - LETTERS);
    for (size_t i = MARK_SIZE + LETTERS; i < size; i++)
        out[i] = (char)('a' + (uint8_t)out[i] % 26);
    out[size] = '\0';
}

/* ---- looking into a replica ---- */

/* The number of the text that a change carries. False: it carries none. */
static bool find_mark(struct mq_span bytes, uint32_t *number, size_t *at)
{
    const uint8_t *found = memmem(bytes.data, bytes.size, SIM_MARK, MARK_SIZE);
    if (found == NULL)
        return false;
    *at = (size_t)(found - bytes.data);
    *number = 0;
    if (bytes.size - *at < MARK_SIZE + LETTERS)
        return true;
    for (size_t i = LETTERS; i-- > 0;)
        *number = *number * 26 + (uint32_t)(found[MARK_SIZE + i] - 'A') % 26;
    return true;
}

static bool whole(const struct sim_entry *entry, uint32_t number, struct mq_span bytes, size_t at)
{
    static char text[SIM_TEXT_MAX + 1];
    sim_ghost_text(text, number, entry->size);
    return bytes.size - at >= entry->size && memcmp(bytes.data + at, text, entry->size) == 0;
}

static void see_change(struct sim_member *member, struct mq_span bytes, struct sim_sight *out)
{
    struct sim_ghost *ghost = member->fleet->ghost;
    struct sim_story *story = member->fleet->story;
    uint32_t number;
    size_t at;
    if (!find_mark(bytes, &number, &at))
        return;
    if (number >= ghost->count)
        sim_broken(story, "I3", "%s holds text #%u, which nobody wrote", member->name, number);
    else if (!whole(&ghost->entries[number], number, bytes, at))
        sim_broken(story, "I3", "%s holds text #%u, and not as it was written", member->name, number);
    else if (ghost->entries[number].refused)
        sim_broken(story, "I3", "%s holds text #%u, which was refused", member->name, number);
    else if (ghost->entries[number].restricted && !sim_is_desk(member))
        sim_broken(story, "I7", "%s can read text #%u, which only the county's desk may", member->name, number);
    else if (bytes.data[1] == MQ_CHANGE_DECIDE) /* a desk says the chosen value once more: that is another change */
        return;
    else if (out->seen[number] && member->fleet->rotated && ghost->entries[number].kind == 'B')
        return; /* who was not given its key yet does not see that he has it, and imports it once more */
    else if (out->seen[number] && ghost->entries[number].unfound)
        return;
    else if (out->seen[number])
        sim_broken(story, "I6", "%s holds text #%u twice", member->name, number);
    else
        out->seen[number] = 1;
}

bool sim_ghost_see(struct sim_member *member, struct sim_sight *out)
{
    struct mq_query *query;
    struct mq_error error = {0};
    *out = (struct sim_sight){.count = member->fleet->ghost->count};
    out->seen = calloc(out->count + 1, 1);
    MQ_ASSERT(out->seen != NULL);
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error, "SELECT expanded FROM change", "");
    while (status == MQ_OK && mq_db_next(&query, &error))
        see_change(member, mq_db_blob(query, 0), out);
    return status == MQ_OK && error.status == MQ_OK;
}

void sim_sight_free(struct sim_sight *sight)
{
    free(sight->seen);
    sight->seen = NULL;
}

/* Where a rotten page stands in the way the program says so, and nobody can tell. */
static bool finds(struct sim_member *member, const char *sql, const uint8_t *id)
{
    int64_t found = 0;
    struct mq_error error = {0};
    enum mq_status status =
        mq_db_number(mq_replica_db(member->replica), &found, &error, sql, "b", mq_span(id, MQ_SEGMENT_ID_SIZE));
    return status == MQ_OK || (status == MQ_DAMAGED && member->rotten);
}

static bool has_segment(struct sim_member *member, const uint8_t *id)
{
    return finds(member, "SELECT 1 FROM segment WHERE id = ?", id);
}

static bool holds(struct sim_member *member, const struct sim_sight *sight, uint32_t number)
{
    const struct sim_entry *entry = &member->fleet->ghost->entries[number];
    return sight->seen[number] || (entry->sealed && has_segment(member, entry->segment));
}

/* In its author's store. Of a restricted one that is the sealed segment, and what he is shown and told of it. */
static bool is_home(struct sim_member *member, const struct sim_sight *sight, uint32_t number)
{
    const struct sim_entry *entry = &member->fleet->ghost->entries[number];
    if (!entry->restricted || sight->seen[number])
        return holds(member, sight, number);
    if (entry->unfollowed && !entry->sealed)
        return true;
    return entry->sealed &&
           finds(member, "SELECT 1 FROM segment AS g JOIN matter AS m ON m.segment = g.number WHERE g.id = ?", entry->segment);
}

bool sim_ghost_holds(struct sim_member *member, uint32_t number)
{
    struct sim_sight sight;
    bool there = sim_ghost_see(member, &sight) && holds(member, &sight, number);
    sim_sight_free(&sight);
    return there;
}

static void check_home(struct sim_member *member, uint32_t before)
{
    struct sim_fleet *fleet = member->fleet;
    struct sim_sight sight;
    if (sim_ghost_see(member, &sight))
        for (uint32_t i = 0; i < fleet->ghost->count && i < before && !sim_is_broken(fleet->story); i++) {
            const struct sim_entry *entry = &fleet->ghost->entries[i];
            if (entry->saved && entry->home && !entry->lost && entry->author == member->number &&
                !is_home(member, &sight, i))
                sim_broken(fleet->story, "I1", "%s said that text #%u is saved, and has it no more", member->name, i);
        }
    sim_sight_free(&sight);
}

void sim_ghost_check_home(struct sim_member *member)
{
    check_home(member, UINT32_MAX);
}

void sim_ghost_check_log(struct sim_member *member)
{
    check_home(member, member->last_saving);
    sim_ghost_survey(member->fleet);
}

/* ---- who has what when a medium goes ---- */

static void note_leans(struct sim_member *member, struct sim_entry *entry)
{
    struct mq_query *query;
    struct mq_error error = {0};
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "WITH RECURSIVE lean(id, depth) AS (SELECT previous, links FROM segment WHERE id = ?"
                    "  UNION ALL SELECT g.previous, depth - 1 FROM lean JOIN segment AS g ON g.id = lean.id WHERE depth > 1)"
                    " SELECT id FROM lean WHERE depth > 0",
                    "b", MQ_SPAN(entry->segment));
    entry->lean_count = 0;
    while (status == MQ_OK && mq_db_next(&query, &error) && entry->lean_count < MQ_LINKS_MAX)
        memcpy(entry->leans[entry->lean_count++], mq_db_blob(query, 0).data, MQ_SEGMENT_ID_SIZE);
}

static void note_segment(struct sim_member *member, struct sim_entry *entry, struct mq_span id)
{
    if (entry->sealed && memcmp(entry->segment, id.data, MQ_SEGMENT_ID_SIZE) == 0)
        return;
    entry->sealed = true;
    memcpy(entry->segment, id.data, MQ_SEGMENT_ID_SIZE);
    note_leans(member, entry);
}

void sim_ghost_note_segments(struct sim_member *member)
{
    struct sim_ghost *ghost = member->fleet->ghost;
    struct mq_query *query;
    struct mq_error error = {0};
    uint32_t number;
    size_t at;
    if (member->replica == NULL)
        return;
    enum mq_status status = mq_db_query(mq_replica_db(member->replica), &query, &error,
                                        "SELECT g.id, c.expanded FROM change AS c JOIN segment AS g ON g.number = c.segment", "");
    while (status == MQ_OK && mq_db_next(&query, &error))
        if (find_mark(mq_db_blob(query, 1), &number, &at) && number < ghost->count)
            note_segment(member, &ghost->entries[number], mq_db_blob(query, 0));
}

static bool relay_has(struct sim_fleet *fleet, const uint8_t *id)
{
    static uint8_t memory[MQ_SEGMENT_MAX];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_error error = {0};
    return fleet->store != NULL && fleet->store->verbs->segment(fleet->store, id, &out, &error) == MQ_OK;
}

static bool somebody_has(struct sim_fleet *fleet, const uint8_t *id, bool revoked_too)
{
    bool found = relay_has(fleet, id);
    for (size_t m = 0; m < fleet->member_count && !found; m++)
        found = !fleet->members[m].gone && fleet->members[m].replica != NULL && (revoked_too || !fleet->members[m].revoked) &&
                has_segment(&fleet->members[m], id);
    return found;
}

/* Sealed, and with all that one needs to unpack it. */
static bool can_be_opened(struct sim_fleet *fleet, const struct sim_entry *entry)
{
    bool whole = entry->sealed && somebody_has(fleet, entry->segment, true);
    for (unsigned i = 0; i < entry->lean_count && whole; i++)
        whole = somebody_has(fleet, entry->leans[i], true);
    return whole;
}

bool sim_ghost_leans_on_revoked(struct sim_fleet *fleet, uint32_t number)
{
    const struct sim_entry *entry = &fleet->ghost->entries[number];
    bool whole = true;
    for (unsigned i = 0; i < entry->lean_count && entry->sealed && whole; i++)
        whole = somebody_has(fleet, entry->leans[i], false);
    return !whole;
}

/* Its author's store forgot that it sealed it, and got it back from its spool: it is there, and nobody counts it as his own. */
static bool is_recalled(struct sim_member *member, uint32_t number)
{
    const struct sim_entry *entry = &member->fleet->ghost->entries[number];
    return member->lying && entry->sealed && finds(member, "SELECT 1 FROM segment WHERE id = ? AND mine = 0", entry->segment);
}

void sim_ghost_survey(struct sim_fleet *fleet)
{
    struct sim_ghost *ghost = fleet->ghost;
    uint8_t *seen = calloc(ghost->count + 1, 1);
    MQ_ASSERT(seen != NULL);
    for (size_t m = 0; m < fleet->member_count; m++) {
        struct sim_member *member = &fleet->members[m];
        struct sim_sight sight;
        if (member->gone || (member->replica == NULL && !sim_open(member)))
            continue;
        (void)sim_ghost_see(member, &sight);
        for (uint32_t i = 0; i < ghost->count; i++) {
            seen[i] |= sight.seen[i];
            if (ghost->entries[i].author == m)
                ghost->entries[i].home &= is_home(member, &sight, i) && !is_recalled(member, i);
        }
        sim_sight_free(&sight);
    }
    for (uint32_t i = 0; i < ghost->count; i++)
        if (ghost->entries[i].saved && !ghost->entries[i].lost && !seen[i] && !can_be_opened(fleet, &ghost->entries[i])) {
            ghost->entries[i].lost = true;
            sim_tell(fleet->story, "no copy is left of text #%u", i);
        }
    free(seen);
}

/* ---- receipts ---- */

static uint16_t bit_of(const struct sim_member *desk)
{
    return (uint16_t)(1u << desk->number);
}

/* False: it cannot be read. */
static bool desk_sees(struct sim_member *desk)
{
    struct sim_ghost *ghost = desk->fleet->ghost;
    struct sim_sight sight;
    if (desk->replica == NULL)
        return false;
    bool whole = sim_ghost_see(desk, &sight);
    if (whole)
        for (uint32_t i = 0; i < ghost->count; i++)
            if (sight.seen[i])
                ghost->entries[i].at_desks |= bit_of(desk);
    sim_sight_free(&sight);
    return whole;
}

void sim_ghost_note_desk(struct sim_member *desk)
{
    if (!desk_sees(desk) && desk->rotten)
        for (uint32_t i = 0; i < desk->fleet->ghost->count; i++)
            desk->fleet->ghost->entries[i].at_desks |= bit_of(desk);
}

static bool knows_as_revoked(struct sim_member *member, const struct sim_member *desk)
{
    struct mq_error error = {0};
    bool revoked;
    return sim_is_township(desk) && mq_revoked(member->replica, &desk->team.certificate, &revoked, &error) == MQ_OK && revoked;
}

/* The desks whose word counts for the member, as bits. 0: he believes a thief. */
static uint16_t desks_believed(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    uint16_t bits = 0;
    for (size_t i = 0; i < fleet->member_count; i++) {
        const struct sim_member *desk = &fleet->members[i];
        if (!sim_merges(desk) || knows_as_revoked(member, desk))
            continue;
        if (desk->stolen)
            return 0;
        bits |= bit_of(desk);
    }
    return bits;
}

/* Looks at these now. False: one is switched off, or has rotten pages and may have had what nobody can read any more. */
static bool desks_see(struct sim_fleet *fleet, uint16_t desks)
{
    bool all = true;
    for (size_t i = 0; i < fleet->member_count; i++) {
        struct sim_member *desk = &fleet->members[i];
        if (!(desks & bit_of(desk)) || desk->gone)
            continue;
        bool whole = desk_sees(desk);
        all = all && desk->replica != NULL && (whole || !desk->rotten);
    }
    return all;
}

/* The first of the member's texts that it shows as anchored, and that none of these desks had as far as it was looked. False: none. */
static bool find_unheard(struct sim_member *member, uint16_t desks, uint32_t *number)
{
    struct sim_ghost *ghost = member->fleet->ghost;
    struct mq_query *query;
    struct mq_error error = {0};
    size_t at;
    enum mq_status status =
        mq_db_query(mq_replica_db(member->replica), &query, &error,
                    "SELECT c.expanded FROM segment AS g JOIN change AS c ON c.segment = g.number"
                    " WHERE g.mine = 1 AND g.anchored = 1 AND g.excepted = 0",
                    "");
    while (status == MQ_OK && mq_db_next(&query, &error))
        if (find_mark(mq_db_blob(query, 0), number, &at) && *number < ghost->count && !(ghost->entries[*number].at_desks & desks)) {
            mq_db_done(&query);
            return true;
        }
    return false;
}

void sim_ghost_check_anchored(struct sim_member *member)
{
    uint16_t desks = desks_believed(member);
    uint32_t number;
    if (desks != 0 && find_unheard(member, desks, &number) && desks_see(member->fleet, desks) && find_unheard(member, desks, &number))
        sim_broken(member->fleet->story, "P4", "%s shows text #%u as anchored, and no desk that it may believe ever had it",
                   member->name, number);
}
