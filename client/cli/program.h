/* What the commands of `minqing` share: where the home is, whose passphrase, how results are shown. */
#ifndef MQ_CLIENT_CLI_PROGRAM_H
#define MQ_CLIENT_CLI_PROGRAM_H

#include "client/device.h"
#include "platform/options.h"

struct program {
    struct mq_device device;
    char home[MQ_PATH_MAX], courier[MQ_PATH_MAX];
    bool json;
    const char *passphrase_file;
    const struct mq_command_line *line;
    struct mq_error error;
};

/* The file that the passphrase is in, or NULL: it has to be asked. */
const char *program_passphrase_file(const struct program *program);
/* Asks or reads the passphrase and opens the device. */
MQ_MUST_USE enum mq_status program_open(struct program *program);
/* The passphrase into guarded memory; `prompt` where it has to be asked. The caller wipes it. */
MQ_MUST_USE enum mq_status program_passphrase(struct program *program, const char *file, const char *prompt,
                                              struct mq_buffer *out);
/* A new passphrase: from a file, or asked twice. */
MQ_MUST_USE enum mq_status program_new_passphrase(struct program *program, const char *file, struct mq_buffer *out);
/* --kdf-memory; 0 where it is not given. */
MQ_MUST_USE enum mq_status program_kdf_memory(struct program *program, uint32_t *out);
/* What it means that recovery is on, on stderr. */
void program_say_recovery(void);
/* Says what went wrong on stderr and gives the exit code. */
int program_end(struct program *program, enum mq_status status);
/* After a command, whatever became of it: keeps the spool up. What goes wrong there takes nothing back, and is said on stderr. */
void program_rest(struct program *program, int code);
/* Prints each object: a line of JSON, or lines for people. */
struct mq_emitter program_emitter(struct program *program);
/* For single records and results: every key on a line of its own. */
struct mq_emitter program_pages(struct program *program);

/* A key of --json as a person reads it, in his language; the key itself where there is no word for it. Not to be freed. */
const char *program_word(const char *key);
/* The same of a value that is a word of ours: a need's state, whose turn it is, what is to be done; else the value. */
struct mq_span program_value(struct program *program, const char *key, struct mq_span value);

/* What a command that takes fields of a record takes: the fields of a kind, with the words of their lists; or, where
 * `kind` names none, the kinds. To stdout. */
void program_show_fields(const char *kind);

/* Is somebody in danger, by what this record (as JSON) says? Then the card is printed on stderr at once: before a passphrase
 * is asked, before anything is saved. */
bool program_danger(struct mq_span object);
/* The numbers that the desk gave besides, once the device is open. */
MQ_MUST_USE enum mq_status program_danger_numbers(struct program *program);

/* After a household was added: says on stderr which others it may be. Nothing for other kinds. */
MQ_MUST_USE enum mq_status program_say_alike(struct program *program, const struct mq_saved *saved);

int command_join(void *program, const struct mq_command_line *line);
int command_add(void *program, const struct mq_command_line *line);
int command_set(void *program, const struct mq_command_line *line);
int command_step(void *program, const struct mq_command_line *line);
int command_split(void *program, const struct mq_command_line *line);
int command_tell(void *program, const struct mq_command_line *line);
int command_today(void *program, const struct mq_command_line *line);
int command_brief(void *program, const struct mq_command_line *line);
int command_list(void *program, const struct mq_command_line *line);
int command_reference(void *program, const struct mq_command_line *line);
int command_show(void *program, const struct mq_command_line *line);
int command_import(void *program, const struct mq_command_line *line);
int command_export(void *program, const struct mq_command_line *line);
int command_sync(void *program, const struct mq_command_line *line);
int command_status(void *program, const struct mq_command_line *line);
int command_bundle_write(void *program, const struct mq_command_line *line);
int command_bundle_read(void *program, const struct mq_command_line *line);
int command_conflicts(void *program, const struct mq_command_line *line);
int command_resolve(void *program, const struct mq_command_line *line);
int command_check(void *program, const struct mq_command_line *line);
int command_lock(void *program, const struct mq_command_line *line);
int command_unlock(void *program, const struct mq_command_line *line);
int command_passphrase(void *program, const struct mq_command_line *line);
int command_recover(void *program, const struct mq_command_line *line);
int command_draw(void *program, const struct mq_command_line *line);
int command_unheard(void *program, const struct mq_command_line *line);
int command_device(void *program, const struct mq_command_line *line);

#endif
