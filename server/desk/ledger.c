/* What leaves the centre as a file: ledgers for offices, notices for the board. Each is written down, with its reason,
 * before it is handed out. */
#include "replica/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "platform/table.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "protocol/keys.h"
#include "replica/records.h"
#include "replica/view.h"
#include "server/desk/call_keys.h"
#include "server/desk/ledger_keys.h"


struct work {
    struct mq_call *call;
    struct mq_ledger_choice choice;
    struct mq_table_column columns[MQ_CSV_COLUMNS_MAX];
    struct mq_table *table; /* NULL: plain text */
    FILE *out;              /* in memory */
    char *bytes;
    size_t size;
    struct mq_team *teams;
    int64_t *team_rows; /* of each team */
    size_t team_count;
    int64_t rows;
};

#define DAY_SECONDS 86400

/* ---- options ---- */

static enum mq_status read_day(const char *text, const char *option, int32_t *day, struct mq_error *error)
{
    *day = 0;
    if (text == NULL || mq_date_parse(day, mq_span_text(text)))
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED, _("--%s: \"%s\" is no date; write it as 2026-11-05"), option, text);
}

static enum mq_status filter_read(const struct mq_call *call, struct mq_ledger_filter *out, struct mq_error *error)
{
    const char *village = mq_option_get(call->line, "village");
    *out = (struct mq_ledger_filter){.village = mq_span_text(village == NULL ? "" : village)};
    enum mq_status status = read_day(mq_option_get(call->line, "from"), "from", &out->from, error);
    return status == MQ_OK ? read_day(mq_option_get(call->line, "to"), "to", &out->to, error) : status;
}

static enum mq_status find_ledger(const struct mq_ledger *ledgers, size_t count, const char *word,
                                  const struct mq_ledger **out, struct mq_error *error)
{
    char names[200] = "";
    *out = mq_ledger_find(ledgers, count, mq_kind_by_key(mq_span_text(word)));
    if (*out != NULL)
        return MQ_OK;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", i > 0 ? ", " : "",
                 mq_kind_by_number(ledgers[i].kind)->key);
    }
    return mq_fail(error, MQ_REFUSED, _("there is no ledger of \"%s\"; there are: %s"), word, names);
}

static enum mq_status check_reason(const struct mq_call *call, struct mq_error *error)
{
    bool unmasked = mq_option_get(call->line, "unmasked") != NULL;
    bool sensitive = mq_option_get(call->line, "sensitive") != NULL;
    const char *reason = mq_option_get(call->line, "reason");
    if (!unmasked && !sensitive)
        return MQ_OK;
    if (reason == NULL || *reason == '\0')
        return mq_fail(error, MQ_REFUSED, _("say why: --%s needs --reason TEXT, which is written down"),
                       unmasked ? "unmasked" : "sensitive");
    return MQ_OK;
}

/* ---- rows ---- */

static void count_row(struct work *work, const uint8_t team[MQ_ID_SIZE])
{
    work->rows++;
    for (size_t i = 0; i < work->team_count; i++)
        work->team_rows[i] += memcmp(work->teams[i].team, team, MQ_ID_SIZE) == 0;
}

static void put_plain(FILE *out, const struct mq_span *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? "  " : "", out);
        mq_print_text(out, cells[i]);
    }
    fputc('\n', out);
}

static enum mq_status take_row(void *context, const uint8_t record[MQ_ID_SIZE], const struct mq_span *cells,
                               struct mq_error *error)
{
    struct work *work = context;
    uint8_t team[MQ_ID_SIZE];
    uint64_t kind;
    enum mq_status status = mq_view_kind(work->call->desk->replica, record, &kind, team, error);
    if (status != MQ_OK)
        return status;
    count_row(work, team);
    if (work->table != NULL)
        return mq_table_row(work->table, cells, error);
    put_plain(work->out, cells, work->choice.count);
    return MQ_OK;
}

static void put_heading(struct work *work)
{
    struct mq_span titles[MQ_CSV_COLUMNS_MAX];
    fprintf(work->out, "%s\n", work->choice.ledger->sheet);
    for (size_t i = 0; i < work->choice.count; i++)
        titles[i] = mq_span_text(work->choice.columns[i]->title);
    put_plain(work->out, titles, work->choice.count);
}

static enum mq_status write_rows(struct work *work, const char *format, struct mq_error *error)
{
    const struct mq_ledger_rows rows = {work, take_row};
    const int64_t day = (int64_t)mq_call_today(work->call) * DAY_SECONDS; /* no hour: when somebody worked is nobody's business */
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->choice.count; i++)
        work->columns[i] = (struct mq_table_column){.title = work->choice.columns[i]->title,
                                                    .width = work->choice.columns[i]->width,
                                                    .number = work->choice.columns[i]->flags & MQ_LEDGER_COUNT};
    if (strcmp(format, "txt") == 0)
        put_heading(work);
    else
        status = mq_table_begin(&work->table, strcmp(format, "csv") == 0 ? MQ_TABLE_CSV : MQ_TABLE_XLSX,
                                work->choice.ledger->sheet, work->columns, work->choice.count, day, work->out, error);
    if (status == MQ_OK)
        status = mq_ledger_write(work->call->desk->replica, &work->choice, &rows, error);
    if (work->table != NULL && status == MQ_OK)
        status = mq_table_end(work->table, error);
    else
        mq_table_drop(work->table);
    return status;
}

/* ---- the note that it left ---- */

static enum mq_status note_team(struct work *work, size_t at, const char *what, const char *format,
                                struct mq_error *error)
{
    const struct mq_command_line *line = work->call->line;
    struct mq_replica *replica = work->call->desk->replica;
    uint8_t memory[4096];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &out};
    struct mq_json *object;
    struct mq_saved saved;
    char day[11];
    mq_date_print(day, mq_call_today(work->call));
    mq_json_begin(&writer, '{');
    mq_json_text_pair(&writer, "kind", "exported");
    mq_json_text_pair(&writer, "date", day);
    mq_json_text_pair(&writer, "what", what);
    mq_json_text_pair(&writer, "format", format);
    mq_json_int_pair(&writer, "rows", work->team_rows[at]);
    mq_json_bool_pair(&writer, "unmasked", work->choice.unmasked);
    mq_json_bool_pair(&writer, "sensitive", mq_option_get(line, "sensitive") != NULL);
    mq_json_text_pair(&writer, "reason", mq_call_given(work->call, "reason"));
    mq_json_text_pair(&writer, "recipient", mq_call_given(work->call, "recipient"));
    mq_json_end(&writer, '}');
    if (out.failed)
        return mq_fail(error, MQ_REFUSED, _("the value of \"%s\" is too long, or not UTF-8"), "reason");
    enum mq_status status = mq_json_parse(&object, mq_written(&out), error);
    if (status != MQ_OK)
        return status;
    status = mq_records_add(replica, &work->teams[at], object, &saved, error);
    mq_json_free(object);
    return status;
}

/* One for each team whose records are in it; where there are none, for the first. */
static enum mq_status note_all(struct work *work, const char *what, const char *format, struct mq_error *error)
{
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < work->team_count && status == MQ_OK; i++)
        if (work->team_rows[i] > 0 || (work->rows == 0 && i == 0))
            status = note_team(work, i, what, format, error);
    work->call->changed = work->call->changed || work->team_count > 0;
    return status;
}

/* ---- all of it ---- */

static enum mq_status hand_out(struct work *work, struct mq_error *error)
{
    if (fwrite(work->bytes, 1, work->size, work->call->out) != work->size)
        return mq_fail(error, MQ_NO_SPACE, _("the result could not be written: no room where it should go"));
    return MQ_OK;
}

static enum mq_status run(struct work *work, const char *what, const char *format, struct mq_error *error)
{
    enum mq_status status = mq_call_merge(work->call, error);
    if (status == MQ_OK)
        status = mq_desk_teams(work->call->desk, &work->teams, &work->team_count, error);
    if (status != MQ_OK)
        return status;
    work->team_rows = calloc(work->team_count + 1, sizeof *work->team_rows);
    work->out = open_memstream(&work->bytes, &work->size);
    mq_enough(work->team_rows);
    mq_enough(work->out);
    status = write_rows(work, format, error);
    bool written = fclose(work->out) == 0;
    if (status == MQ_OK && !written)
        status = mq_fail(error, MQ_FAULT, _("there is not enough memory"));
    if (status == MQ_OK)
        status = note_all(work, what, format, error);
    if (status == MQ_OK)
        status = hand_out(work, error);
    mq_wipe(work->bytes, work->size);
    free(work->bytes);
    free(work->team_rows);
    free(work->teams);
    return status;
}

enum mq_status mq_export_ledger(struct mq_call *call, const char *format, struct mq_error *error)
{
    const struct mq_ledger *ledger;
    bool sensitive = mq_option_get(call->line, "sensitive") != NULL;
    struct work work = {.call = call};
    enum mq_status status = find_ledger(mq_ledgers, mq_ledger_count, call->line->words[0], &ledger, error);
    if (status == MQ_OK)
        status = check_reason(call, error);
    if (status == MQ_OK)
        status = mq_ledger_choose(&work.choice, ledger, mq_option_get(call->line, "columns"), sensitive, error);
    if (status == MQ_OK)
        status = filter_read(call, &work.choice.filter, error);
    work.choice.unmasked = mq_option_get(call->line, "unmasked") != NULL;
    return status == MQ_OK ? run(&work, call->line->words[0], format, error) : status;
}

enum mq_status mq_verb_notice(struct mq_call *call, struct mq_error *error)
{
    const char *format = mq_option_get(call->line, "format");
    const struct mq_ledger *ledger;
    struct work work = {.call = call};
    char what[64];
    if (format == NULL)
        format = "txt";
    if (strcmp(format, "txt") != 0 && strcmp(format, "csv") != 0 && strcmp(format, "xlsx") != 0)
        return mq_fail(error, MQ_REFUSED, _("there is no format \"%s\"; there are: %s"), format, "txt, csv, xlsx");
    enum mq_status status = find_ledger(mq_notices, mq_notice_count, call->line->words[0], &ledger, error);
    if (status == MQ_OK)
        status = mq_ledger_choose(&work.choice, ledger, NULL, false, error);
    if (status == MQ_OK)
        status = filter_read(call, &work.choice.filter, error);
    if (status != MQ_OK)
        return status;
    snprintf(what, sizeof what, "notice %s", call->line->words[0]);
    return run(&work, what, format, error);
}
