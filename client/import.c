/* Import: line by line, in groups that are each on disk before the next begins. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/import.h"
#include "replica/replica_keys.h"

#define GROUP_LINES 256
#define READ_SIZE (2 * MQ_LINE_MAX)

static enum mq_status group_end(struct import_work *work, struct mq_error *error)
{
    if (work->in_group == 0 || work->options->dry_run)
        return MQ_OK;
    work->in_group = 0;
    enum mq_status status = mq_db_commit(mq_replica_db(work->device->replica), error);
    if (status != MQ_OK)
        return status;
    work->so_far->durable = work->so_far->lines;
    work->report->durable(work->report->context, work->so_far);
    return MQ_OK;
}

static bool line_is_at_fault(enum mq_status status)
{
    return status == MQ_REFUSED || status == MQ_NOT_FOUND;
}

static void count(struct mq_import *so_far, const struct mq_import_line *line)
{
    switch (line->fate) {
    case MQ_LINE_SAVED: so_far->saved++; break;
    case MQ_LINE_UPDATED: so_far->updated++; break;
    case MQ_LINE_KNOWN: so_far->known++; break;
    case MQ_LINE_REFUSED: so_far->refused++; return;
    }
    so_far->masked += (int64_t)line->saved.masked;
    if (line->fate != MQ_LINE_KNOWN)
        so_far->unknown_places += (int64_t)line->saved.unknown_places;
    so_far->without_notice += line->fate == MQ_LINE_SAVED && line->saved.without_notice;
}

static enum mq_status find_likes(struct import_work *work, struct mq_import_line *line, struct mq_error *error)
{
    if (work->likeness == NULL || line->fate != MQ_LINE_SAVED)
        return MQ_OK;
    return mq_likeness_take(work->likeness, line->saved.record, line->likes, &line->like_count, error);
}

enum mq_status import_take(struct import_work *work, struct mq_import_line *line, struct mq_span object,
                           struct mq_error *error)
{
    struct mq_db *db = mq_replica_db(work->device->replica);
    enum mq_status status = work->in_group > 0 ? MQ_OK : mq_db_begin(db, error);
    if (status != MQ_OK)
        return status;
    work->in_group++;
    status = line->why.status;
    if (status == MQ_OK)
        status = mq_records_import_line(work->device->replica, &work->team, object, work->options->update, &line->saved,
                                        &line->why);
    if (status != MQ_OK && !line_is_at_fault(status)) {
        *error = line->why;
        return status;
    }
    line->fate = status != MQ_OK       ? MQ_LINE_REFUSED
                 : line->saved.known   ? MQ_LINE_KNOWN
                 : line->saved.updated ? MQ_LINE_UPDATED
                                       : MQ_LINE_SAVED;
    status = find_likes(work, line, error);
    if (status != MQ_OK)
        return status;
    count(work->so_far, line);
    work->report->line(work->report->context, line);
    return work->in_group >= GROUP_LINES ? group_end(work, error) : MQ_OK;
}

static enum mq_status take_line(struct import_work *work, struct mq_span text, struct mq_error *error)
{
    struct mq_import_line line = {.number = ++work->so_far->lines};
    if (text.size > 0 && text.data[text.size - 1] == '\r')
        text.size--;
    return text.size == 0 ? MQ_OK : import_take(work, &line, text, error);
}

/* Whole lines from what was read; what is left of a line moves to the front. A line over the limit is refused whole. */
static enum mq_status take_lines(struct import_work *work, uint8_t *memory, size_t *size, bool end, bool *skipping,
                                 struct mq_error *error)
{
    size_t start = 0;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && start < *size) {
        uint8_t *newline = memchr(memory + start, '\n', *size - start);
        bool whole = newline != NULL || end || *size - start > MQ_LINE_MAX;
        if (!whole)
            break;
        size_t length = newline != NULL ? (size_t)(newline - (memory + start)) : *size - start;
        if (!*skipping)
            status = take_line(work, mq_span(memory + start, length), error);
        *skipping = newline == NULL && !end;
        start += length + (newline != NULL);
    }
    memmove(memory, memory + start, *size - start);
    *size -= start;
    return status;
}

static enum mq_status take_all(struct import_work *work, int descriptor, uint8_t *memory, struct mq_error *error)
{
    size_t size = 0;
    bool skipping = false;
    for (;;) {
        ssize_t got = read(descriptor, memory + size, READ_SIZE - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mq_fail(error, MQ_FAULT, _("the file could not be read further: %s"), strerror(errno));
        size += (size_t)got;
        enum mq_status status = take_lines(work, memory, &size, got == 0, &skipping, error);
        if (status != MQ_OK || got == 0)
            return status;
    }
}

static enum mq_status import_lines(struct import_work *work, int descriptor, struct mq_error *error)
{
    uint8_t *memory = mq_work_memory(READ_SIZE);
    enum mq_status status = take_all(work, descriptor, memory, error);
    mq_work_free(memory, READ_SIZE);
    return status;
}

static enum mq_status import_end(struct import_work *work, enum mq_status status, struct mq_error *error)
{
    const struct mq_import *done = work->so_far;
    if (status == MQ_OK)
        status = group_end(work, error);
    if (status != MQ_OK || work->options->dry_run)
        mq_db_rollback(mq_replica_db(work->device->replica));
    if (status != MQ_OK) {
        if (!work->options->dry_run && done->durable > 0)
            mq_error_prefix(error, _("lines up to %lld are saved; then: "), (long long)done->durable);
        return status;
    }
    if (done->refused == 0)
        return MQ_OK;
    return mq_fail(error, MQ_REFUSED,
                   work->options->dry_run ? _("%lld of %lld lines would be refused, see above; nothing was written")
                                          : _("%lld of %lld lines were refused, see above; all others are saved"),
                   (long long)done->refused, (long long)done->lines);
}

enum mq_status mq_device_import(struct mq_device *device, int descriptor, const struct mq_import_options *options,
                                const struct mq_import_report *report, struct mq_import *out, struct mq_error *error)
{
    struct import_work work = {.device = device, .options = options, .report = report, .so_far = out};
    *out = (struct mq_import){0};
    enum mq_status status = mq_team_find(device->replica, NULL, &work.team, error);
    if (status == MQ_OK && options->dry_run)
        status = mq_likeness_begin(&work.likeness, device->replica, error);
    if (status != MQ_OK)
        return status;
    status = options->kind != NULL ? import_rows(&work, descriptor, error) : import_lines(&work, descriptor, error);
    status = import_end(&work, status, error);
    mq_likeness_end(work.likeness);
    return status;
}
