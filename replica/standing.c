/* The steps and tellings that point to a need, and what they make of it by the table (protocol/need.h). */
#include "replica/standing.h"

#include <string.h>

#include "protocol/assert.h"
#include "replica/need_chain.h"
#include "replica/replica_keys.h"

#define DAY_SECONDS 86400

/* A text of the step at this place, whole or cut. */
static enum mq_status step_text(struct mq_replica *replica, const struct mq_need_chain *chain, int at, const char *key,
                                char *out, size_t capacity, struct mq_error *error)
{
    struct mq_buffer text = mq_buffer(out, capacity - 1);
    enum mq_status status = at < 0 ? MQ_OK : mq_need_step_text(replica, chain->steps[at].record, key, &text, error);
    out[text.size] = '\0';
    return status;
}

/* The last telling by its day, whether it moved the need or not. */
static enum mq_status find_telling(struct mq_replica *replica, const struct mq_need_chain *chain,
                                   struct mq_standing *out, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < chain->count && status == MQ_OK; i++) {
        int32_t day;
        if (chain->steps[i].code != MQ_STEP_TOLD)
            continue;
        status = mq_need_made_on(replica, chain->steps[i].record, &day, error);
        if (status == MQ_OK && day >= out->told) {
            out->told = day;
            out->reaction = chain->steps[i].reaction;
        }
    }
    return status;
}

enum mq_status mq_standing_read(struct mq_standing *out, struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                struct mq_error *error)
{
    struct mq_need_chain *chain = mq_work_memory(sizeof *chain);
    out->due = out->told = 0;
    out->reaction = 0;
    out->unit[0] = out->sentence[0] = '\0';
    enum mq_status status = mq_need_chain_load(chain, replica, need, error);
    const struct mq_need_status *stands = &chain->need.status;
    if (status == MQ_OK) {
        out->state = mq_need_state_by_number(stands->state);
        MQ_ASSERT(out->state != NULL);
        out->due = stands->dated >= 0 ? stands->due : 0;
        status = step_text(replica, chain, stands->unit, "unit", out->unit, sizeof out->unit, error);
    }
    if (status == MQ_OK)
        status = step_text(replica, chain, stands->sentence, "text", out->sentence, sizeof out->sentence, error);
    if (status == MQ_OK)
        status = find_telling(replica, chain, out, error);
    mq_work_free(chain, sizeof *chain);
    return status;
}

enum mq_status mq_standing_day(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                               struct mq_error *error)
{
    const struct mq_platform *platform = replica->platform;
    int64_t seconds = 0;
    enum mq_status status = mq_db_number(
        replica->db, &seconds, error,
        "SELECT coalesce(min(wall), 0) FROM change WHERE record IN (SELECT record FROM record WHERE canonical = ?)", "b",
        mq_span(record, MQ_ID_SIZE));
    *day = seconds > 0 ? (int32_t)((seconds + platform->utc_offset(platform->self)) / DAY_SECONDS) : 0;
    return status;
}
