/* What a field device can do beyond records: join a team, sync, import, say how safe its records are. Every front end
 * of the device (commands, page, agent) calls these and replica/records.h, so that they cannot differ. */
#ifndef MQ_CLIENT_DEVICE_H
#define MQ_CLIENT_DEVICE_H

#include "replica/likeness.h"
#include "replica/receipts.h"
#include "replica/records.h"

#define MQ_HOME_WAIT_MS 3000 /* for another process that holds the home */

struct mq_device {
    const struct mq_platform *platform;
    const char *home;
    const char *courier;        /* path of the network program */
    struct mq_replica *replica; /* NULL until opened; owned */
};

/* Opens the home; a device that never finished joining is refused, with words. Closing twice is fine. */
MQ_MUST_USE enum mq_status mq_device_open(struct mq_device *device, struct mq_span passphrase, struct mq_error *error);
void mq_device_close(struct mq_device *device);

/* At the end of a command: what was saved a good while ago is sealed, and what is sealed stands in the spool, so that it
 * leaves this device even where nobody knows the passphrase any more (replica/spool.h). Nothing to do where the device is
 * not open. */
MQ_MUST_USE enum mq_status mq_device_rest(struct mq_device *device, struct mq_error *error);

struct mq_join {
    struct mq_span invitation, passphrase;
    const char *name;        /* of the person or the device, as the centre sees it; may be "" */
    uint32_t kdf_memory_mib; /* 0: chosen */
    const char *request_out; /* by files: the request goes here and nothing is sent */
    const char *grant_in;    /* by files: the answer */
    int64_t timeout_ms;      /* how long to wait for the desk */
    bool recovery;           /* the county's desk may give the store's key back (replica/recovery.h) */
};
/* Makes the home and enrols; called again after MQ_UNREACHABLE it goes on where it was. After
 * a refusal another invitation can be tried in the same home, with the same passphrase; and its own team may invite a
 * member again. MQ_WAITING: the request was written to request_out. On MQ_OK the device is open. */
MQ_MUST_USE enum mq_status mq_device_join(struct mq_device *device, const struct mq_join *join, struct mq_error *error);

/* A forgotten passphrase. The device must not be open. `request_out`: writes the request there and fills `code`, of
 * MQ_RECOVER_CODE_SIZE bytes. `grant_in`: takes the desk's answer from there; the passphrase is the new one from then on. As
 * replica/recovery.h; MQ_NOT_FOUND: no device here. */
MQ_MUST_USE enum mq_status mq_device_recover_ask(struct mq_device *device, const char *request_out, char *code,
                                                 struct mq_error *error);
MQ_MUST_USE enum mq_status mq_device_recover_end(struct mq_device *device, const char *grant_in, struct mq_span passphrase,
                                                 uint32_t kdf_memory_mib, struct mq_error *error);

struct mq_device_sync {
    int64_t sent, received; /* records that became safer; changes of others that came */
    int64_t bytes_up, bytes_down, requests, round_trips;
    bool moved_on; /* this store was copied or set back, and goes on under a new stream */
    struct mq_safety safety;
};
/* One sync over the network, `timeout_ms` at most. MQ_UNREACHABLE: nothing is lost; `out->safety` is filled all the
 * same. */
MQ_MUST_USE enum mq_status mq_device_sync(struct mq_device *device, int64_t timeout_ms, struct mq_device_sync *out,
                                          struct mq_error *error);

struct mq_spool_sent;
/* Without the passphrase: what is sealed here goes to the server, nothing comes back. The device must not be open. As
 * mq_spool_send (replica/spool.h); MQ_NOT_FOUND: no device here. */
MQ_MUST_USE enum mq_status mq_device_sync_locked(struct mq_device *device, int64_t timeout_ms, struct mq_spool_sent *out,
                                                 struct mq_error *error);

/* What became of a line of a file, or of a row. */
enum mq_line_fate {
    MQ_LINE_SAVED,
    MQ_LINE_UPDATED,
    MQ_LINE_KNOWN,
    MQ_LINE_REFUSED
};
struct mq_import_line {
    int64_t number; /* in the file, from 1; of a row where it begins */
    enum mq_line_fate fate;
    struct mq_saved saved;
    struct mq_error why; /* it was refused */
    /* Of a row: numbers that stood anywhere in it, whether their column is taken over or not. */
    size_t resident_ids, bank_cards;
    struct mq_span odd_phone; /* kept, though it looks like no telephone number; empty: none */
    struct mq_like likes[MQ_LIKE_MAX]; /* in a dry run: households that this one may be */
    size_t like_count;
};

struct mq_import {
    int64_t lines, saved, updated, known, refused, masked;
    int64_t resident_ids, bank_cards; /* in all rows of a ledger */
    int64_t unknown_places;           /* that no list here has: kept */
    int64_t without_notice;           /* sensitive, and nothing says that the family was told */
    int64_t durable;                  /* all lines up to this one are on disk */
};
struct mq_import_report {
    void *context;
    void (*line)(void *context, const struct mq_import_line *line);         /* of each that is not empty */
    void (*durable)(void *context, const struct mq_import *so_far);         /* after each group is synced to disk */
    void (*note)(void *context, const char *text);                          /* about the file as a whole */
};
struct mq_import_options {
    bool update;                /* what is known with other values is edited, not refused */
    bool dry_run;               /* nothing is kept: only what would be is told */
    const struct mq_kind *kind; /* CSV: what a row is; NULL: lines of the record format */
    struct mq_span map;         /* CSV: which column is which field (replica/columns.h); may be empty */
};
/* Lines of the record format, or rows of a ledger, from an open file descriptor. Good lines are kept whatever the others
 * are: MQ_REFUSED in the end where one was refused. A ledger that is no CSV, or has a column that nobody knows, is
 * refused whole. */
MQ_MUST_USE enum mq_status mq_device_import(struct mq_device *device, int descriptor,
                                            const struct mq_import_options *options,
                                            const struct mq_import_report *report, struct mq_import *out,
                                            struct mq_error *error);

#endif
