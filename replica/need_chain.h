/* The steps and tellings of one need, read from their creates, and the state that they make (protocol/need.h). Within
 * this room: need_*.c, and who calls them. */
#ifndef MQ_REPLICA_NEED_CHAIN_H
#define MQ_REPLICA_NEED_CHAIN_H

#include "protocol/need.h"
#include "replica/convert.h"

/* Large: from mq_work_memory. */
struct mq_need_chain {
    struct mq_need need;
    size_t count; /* steps that count */
    struct mq_need_step steps[MQ_NEED_STEPS_MAX + 1];
    uint8_t names[MQ_NEED_STEPS_MAX + 1][MQ_NEED_AFTER_MAX][MQ_ID_SIZE];
};

/* `need`: the canonical record of a need, or the record of one that has not come and is known by its steps alone. */
MQ_MUST_USE enum mq_status mq_need_chain_load(struct mq_need_chain *chain, struct mq_replica *replica,
                                              const uint8_t need[MQ_ID_SIZE], struct mq_error *error);
/* One value of a step's create, by its key, as it is shown, into `out`; nothing where the step does not say it. `step`: the
 * canonical record. */
MQ_MUST_USE enum mq_status mq_need_step_text(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE], const char *key,
                                             struct mq_buffer *out, struct mq_error *error);
/* All that a step's create says, but for its need, as keys of an object that is open; and by whom and when. */
MQ_MUST_USE enum mq_status mq_need_step_print(struct mq_replica *replica, const uint8_t step[MQ_ID_SIZE],
                                              struct mq_json_writer *writer, struct mq_error *error);
/* The need that the create of this very record names; MQ_NOT_FOUND: it is no step, has not come, or names none. */
MQ_MUST_USE enum mq_status mq_need_of_step(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE],
                                           uint8_t need[MQ_ID_SIZE], struct mq_error *error);
/* The canonical record of a record's group; the record itself where it has not come. */
MQ_MUST_USE enum mq_status mq_need_canonical(struct mq_replica *replica, struct mq_span record, uint8_t out[MQ_ID_SIZE],
                                             struct mq_error *error);
/* The day on which a record was made: its create's `date`, else by the writer's clock. 0: it has not come. */
MQ_MUST_USE enum mq_status mq_need_made_on(struct mq_replica *replica, const uint8_t record[MQ_ID_SIZE], int32_t *day,
                                           struct mq_error *error);

/* ---- writing (need_write.c, need_refuse.c) ---- */

/* What a step or telling that is about to be written still lacks: the steps that stand there (`after`); where `strict`,
 * also its date, and a due date by the preset that fits, `calendar_missing` getting the year without a table. MQ_REFUSED
 * where `strict` and the table does not allow it. Other kinds are left alone. */
MQ_MUST_USE enum mq_status mq_need_complete(struct mq_replica *replica, const struct mq_team *team,
                                            struct mq_parsed *parsed, bool strict, int *calendar_missing,
                                            struct mq_error *error);
/* What a new need's number begins with: letters of its village, or X. */
MQ_MUST_USE enum mq_status mq_need_village(struct mq_replica *replica, const struct mq_parsed *parsed,
                                           char out[MQ_VILLAGE_LETTERS_MAX + 1], struct mq_error *error);
/* Says why a step that no row allows is not possible; always MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_need_refuse(const struct mq_need_status *before, const struct mq_need_step *step,
                                          struct mq_error *error);

/* ---- showing (need_print.c) ---- */

/* As noted: a state, since when, and until when (0: no date was given). */
struct mq_need_standing {
    const struct mq_need_state *state;
    int32_t day, due;
    const char *rule; /* that the due date was worked out by here; NULL: it was given */
};
/* `missing`: what should be known of a need in this state and is not, its nature once it is accepted, category and summary
 * once it is assigned. It is asked for and stops nothing. */
MQ_MUST_USE enum mq_status mq_need_put_missing(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                               struct mq_json_writer *writer, struct mq_error *error);
/* Keys of an object that is open. names: `need` (its id) and `no`. state: `state`, `holder`, `unit`, `since`, `due`, `rule`,
 * `late` and what else there is to say. steps: the chain. Nothing where the need is not known. */
MQ_MUST_USE enum mq_status mq_need_put_names(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                             struct mq_json_writer *writer, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_need_put_state(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                             struct mq_json_writer *writer, struct mq_error *error);
MQ_MUST_USE enum mq_status mq_need_put_steps(struct mq_replica *replica, const uint8_t need[MQ_ID_SIZE],
                                             struct mq_json_writer *writer, struct mq_error *error);

/* ---- noting (need_note.c) ---- */

/* The note beside a group's state (view_index.c): which need a step is about, and how each need concerned stands. */
MQ_MUST_USE enum mq_status mq_need_note(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                        const struct mq_group_state *state, struct mq_error *error);
/* After the last of a run: how each need stands that was touched. Once a run and not once a step, so that a flood of steps
 * costs what they are and not their square. */
MQ_MUST_USE enum mq_status mq_need_settle(struct mq_replica *replica, struct mq_error *error);
/* All that is noted of needs, as a hash: equal where it was made from the same steps. */
MQ_MUST_USE enum mq_status mq_need_hash(struct mq_replica *replica, uint8_t out[MQ_HASH_SIZE], struct mq_error *error);
MQ_MUST_USE enum mq_status mq_need_forget(struct mq_replica *replica, const uint8_t canonical[MQ_ID_SIZE],
                                          struct mq_error *error);

#endif
