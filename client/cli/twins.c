/* Households that part, and households that may be one. */
#include <stdio.h>

#include "client/cli/program.h"
#include "platform/terminal.h"
#include "replica/convert.h"
#include "replica/duplicates.h"
#include "replica/split.h"
#include "replica/view.h"

int command_split(void *context, const struct mq_command_line *line)
{
    struct program *program = context;
    const struct mq_emitter emitter = program_emitter(program);
    const struct mq_split split = {.household = mq_span_text(line->words[0]),
                                   .fields = line->fields,
                                   .field_count = (size_t)line->field_count,
                                   .left_people = mq_option_get(line, "left-people"),
                                   .left_residents = mq_option_get(line, "left-residents"),
                                   .mark = mq_option_get(line, "mark") != NULL};
    enum mq_status status = program_open(program);
    if (status == MQ_OK)
        status = mq_records_split(program->device.replica, &split, &emitter, &program->error);
    return program_end(program, status);
}

/* "H-1 (杨顺华): same name, same group" */
static enum mq_status say_like(struct program *program, const struct mq_like *like)
{
    struct mq_replica *replica = program->device.replica;
    uint8_t id_memory[2 * MQ_RECORD_ID_TEXT_MAX], words_memory[MQ_SHORT_TEXT_MAX];
    struct mq_buffer id = mq_buffer(id_memory, sizeof id_memory), words = mq_buffer(words_memory, sizeof words_memory);
    struct mq_group_state state;
    const struct mq_field *field = mq_field_by_key(mq_kind_by_number(MQ_KIND_HOUSEHOLD), mq_span_text("head"));
    enum mq_status status = mq_print_reference(replica, like->record, &id, &program->error);
    if (status == MQ_OK)
        status = mq_view_group(replica, like->record, &state, &program->error);
    if (status != MQ_OK)
        return status;
    const struct mq_field_state *head = mq_group_field(&state, field->number);
    struct mq_reader reader = mq_reader(head == NULL ? mq_span(NULL, 0) : head->choices[0].value);
    struct mq_span name = head == NULL ? mq_span(NULL, 0) : mq_cbor_text(&reader, MQ_NAME_TEXT_MAX);
    mq_alike_say(&words, like->reasons);
    mq_say(stderr, _("minqing: it is saved; but it may be the household %.*s (%.*s): %.*s\n"), (int)id.size,
            (const char *)id.data, (int)name.size, (const char *)name.data, (int)words.size, (const char *)words.data);
    return MQ_OK;
}

enum mq_status program_say_alike(struct program *program, const struct mq_saved *saved)
{
    struct mq_likeness *likeness;
    struct mq_like likes[MQ_LIKE_MAX];
    size_t count = 0;
    uint64_t kind;
    uint8_t team[MQ_ID_SIZE];
    enum mq_status status = mq_view_kind(program->device.replica, saved->record, &kind, team, &program->error);
    if (status == MQ_NOT_FOUND)
        return MQ_OK; /* sealed as it was written: it is in no view, and nobody is told what it is like */
    if (status != MQ_OK || kind != MQ_KIND_HOUSEHOLD)
        return status;
    status = mq_likeness_begin(&likeness, program->device.replica, &program->error);
    if (status != MQ_OK)
        return status;
    status = mq_likeness_take(likeness, saved->record, likes, &count, &program->error);
    mq_likeness_end(likeness);
    for (size_t i = 0; i < count && status == MQ_OK; i++)
        status = say_like(program, &likes[i]);
    return status;
}
