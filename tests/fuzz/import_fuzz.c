/* Aim: a line of an import is refused with words and leaves nothing behind; or it is saved, and what is printed of it
 * comes in again as the same record, and prints the same. Input: a mode (at the desk; as an update), then the line. */
#include <stdio.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/convert.h"
#include "replica/view.h"
#include "tests/fuzz/store.h"

struct run {
    struct mq_span line;
    const struct village_member *member;
    const uint8_t *before; /* the hash of his view */
    bool update;
};

static uint8_t hashes[2][MQ_HASH_SIZE]; /* of the views of device and desk */

static void take_hash(struct mq_replica *replica, uint8_t hash[MQ_HASH_SIZE])
{
    struct mq_error error = {0};

    MQ_ASSERT(mq_view_hash(replica, hash, &error) == MQ_OK);
}

void fuzz_start(void)
{
    fuzz_village();
    village_add(&village.devices[0],
                "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"杨顺华\"}", NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"三组那口井九月起就浑\",\"category\":\"04\"}", NULL);
    village_sync_all(&village, 2);
    take_hash(village.devices[0].replica, hashes[0]);
    take_hash(village.desk.replica, hashes[1]);
}

/* What an export says of it. Of what was sealed at once nothing is here any more: the line that brought it. */
static struct mq_span print(struct mq_replica *replica, const struct run *run, const uint8_t record[MQ_ID_SIZE],
                            uint8_t *memory)
{
    struct mq_buffer out = mq_buffer(memory, MQ_OBJECT_MAX);
    struct mq_group_state state;
    struct mq_error error = {0};
    enum mq_status status = mq_view_group(replica, record, &state, &error);

    if (status == MQ_NOT_FOUND && run->member != &village.desk)
        return run->line;
    MQ_ASSERT(status == MQ_OK);
    MQ_ASSERT(mq_print_record(replica, &state, MQ_PRINT_EXACT, &out, &error) == MQ_OK);
    return mq_written(&out);
}

static void bring_again(struct mq_replica *replica, const struct run *run, const struct mq_saved *saved)
{
    static uint8_t one[MQ_OBJECT_MAX], two[MQ_OBJECT_MAX];
    struct mq_span printed = print(replica, run, saved->record, one);
    struct mq_saved again;
    struct mq_error error = {0};
    enum mq_status status = printed.size > MQ_LINE_MAX
                                ? MQ_OK
                                : mq_records_import_line(replica, &run->member->team, printed, false, &again, &error);

    if (status != MQ_OK)
        fprintf(stderr, "%.*s\n%s\n", (int)printed.size, (const char *)printed.data, error.text);
    MQ_ASSERT(status == MQ_OK);
    if (printed.size > MQ_LINE_MAX)
        return;
    MQ_ASSERT(again.known && memcmp(again.record, saved->record, sizeof again.record) == 0);
    MQ_ASSERT(mq_span_equal(print(replica, run, saved->record, two), printed));
}

static void bring(struct mq_replica *replica, void *context)
{
    const struct run *run = context;
    struct mq_error why = {0};
    struct mq_saved saved;
    uint8_t after[MQ_HASH_SIZE];
    int64_t written = fuzz_rows_written(replica);
    enum mq_status status = mq_records_import_line(replica, &run->member->team, run->line, run->update, &saved, &why);

    MQ_ASSERT(status == why.status);
    if (status == MQ_OK) {
        bring_again(replica, run, &saved);
        return;
    }
    MQ_ASSERT(status == MQ_REFUSED && why.text[0] != '\0');
    if (fuzz_rows_written(replica) == written)
        return;
    take_hash(replica, after);
    MQ_ASSERT(memcmp(run->before, after, sizeof after) == 0);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MQ_LINE_MAX)
        return;
    const bool at_desk = (data[0] & 1) != 0;
    struct run run = {.line = mq_span(data + 1, size - 1),
                      .member = at_desk ? &village.desk : &village.devices[0],
                      .before = hashes[at_desk],
                      .update = (data[0] & 2) != 0};
    fuzz_undone(run.member->replica, bring, &run);
}
