/* What a backup holds, for those who write one and those who bring it back. */
#ifndef MQ_SERVER_BACKUP_H
#define MQ_SERVER_BACKUP_H

#include <stdbool.h>
#include <stddef.h>

#define MQ_BACKUP_SCRATCH "backup.tmp" /* in the centre's directory */
#define MQ_BACKUP_BEGUN "backup_begun" /* a desk's setting: the number given out last */

struct mq_backup_piece {
    const char *name; /* in the archive, and in the centre's directory */
    const char *copy; /* likewise: a store at work is copied first; NULL: the file itself */
    bool needed;
};
extern const struct mq_backup_piece mq_backup_pieces[];
extern const size_t mq_backup_piece_count;

#endif
