/* Import: line by line, in groups that are each on disk before the next begins. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/device.h"
#include "replica/replica_keys.h"

#define GROUP_LINES 256
#define READ_SIZE (2 * MQ_LINE_MAX)

struct import_work {
    struct mq_device *device;
    struct mq_team team;
    const struct mq_import_report *report;
    struct mq_import *so_far;
    int in_group;
};

static enum mq_status group_end(struct import_work *work, struct mq_error *error)
{
    if (work->in_group == 0)
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

static enum mq_status take_line(struct import_work *work, struct mq_span line, struct mq_error *error)
{
    struct mq_import *so_far = work->so_far;
    struct mq_saved saved;
    struct mq_error why = {0};
    so_far->lines++;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (line.size == 0)
        return MQ_OK;
    enum mq_status status = work->in_group > 0 ? MQ_OK : mq_db_begin(mq_replica_db(work->device->replica), error);
    if (status != MQ_OK)
        return status;
    work->in_group++;
    status = mq_records_import_line(work->device->replica, &work->team, line, &saved, &why);
    if (status == MQ_OK) {
        so_far->saved += !saved.known;
        so_far->known += saved.known;
        so_far->masked += (int64_t)saved.masked;
        if (saved.masked > 0)
            work->report->masked(work->report->context, so_far->lines, saved.masked);
    } else if (line_is_at_fault(status)) {
        so_far->refused++;
        work->report->refused(work->report->context, so_far->lines, &why);
    } else {
        *error = why;
        return status;
    }
    return work->in_group >= GROUP_LINES ? group_end(work, error) : MQ_OK;
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

enum mq_status mq_device_import(struct mq_device *device, int descriptor, const struct mq_import_report *report,
                                struct mq_import *out, struct mq_error *error)
{
    struct import_work work = {.device = device, .report = report, .so_far = out};
    *out = (struct mq_import){0};
    enum mq_status status = mq_team_find(device->replica, NULL, &work.team, error);
    if (status != MQ_OK)
        return status;
    uint8_t *memory = mq_work_memory(READ_SIZE);
    status = take_all(&work, descriptor, memory, error);
    mq_work_free(memory, READ_SIZE);
    if (status == MQ_OK)
        status = group_end(&work, error);
    if (status != MQ_OK) {
        mq_db_rollback(mq_replica_db(device->replica));
        mq_error_prefix(error, _("lines up to %lld are saved; then: "), (long long)out->durable);
        return status;
    }
    if (out->refused > 0)
        return mq_fail(error, MQ_REFUSED, _("%lld of %lld lines were refused, see above; all others are saved"),
                       (long long)out->refused, (long long)out->lines);
    return MQ_OK;
}
