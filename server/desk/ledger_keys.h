/* Files for people outside: server/desk/ledger.c and digest.c. */
#ifndef MQ_SERVER_DESK_LEDGER_KEYS_H
#define MQ_SERVER_DESK_LEDGER_KEYS_H

#include "replica/ledger.h"
#include "replica/records.h"
#include "server/desk/call_keys.h"

/* `export KIND --format csv|xlsx`: the ledger of a kind, whole or not at all, noted as `exported` before it is handed
 * out. */
MQ_MUST_USE enum mq_status mq_export_ledger(struct mq_call *call, const char *format, struct mq_error *error);
/* Was `desk list need` given options by which needs are counted? Then they are listed by these, and by --search; `limit` 0:
 * all. */
bool mq_call_filters_needs(const struct mq_call *call);
MQ_MUST_USE enum mq_status mq_list_matching_needs(struct mq_call *call, int64_t limit, struct mq_error *error);

/* `export KIND --format jsonl --restricted --reason TEXT`: the exact copy with what was said in confidence. `kind` NULL: all.
 * For each team it is written down first, where only those read it who read such matters. MQ_REFUSED without a reason. */
MQ_MUST_USE enum mq_status mq_export_restricted(struct mq_call *call, const struct mq_kind *kind,
                                                const struct mq_emitter *emitter, struct mq_error *error);

#endif
