/* A group's state as bytes: what two replicas compare (docs/protocol.md, section 7, M1). */
#include "protocol/merge.h"

/* [value, depth, rank, id, names] */
static void put_choice(struct mq_buffer *out, const struct mq_choice *choice)
{
    mq_cbor_put_array(out, 5);
    mq_put_span(out, choice->value);
    mq_cbor_put_uint(out, choice->depth);
    mq_cbor_put_uint(out, choice->best->rank);
    mq_cbor_put_bytes(out, MQ_SPAN(choice->best->id));
    mq_cbor_put_bytes(out, mq_span(choice->names, choice->name_count * MQ_NAME_SIZE));
}

/* [merge, conflict, review, [choice ...]] */
static void put_field(struct mq_buffer *out, const struct mq_field_state *field)
{
    mq_cbor_put_array(out, 4);
    mq_cbor_put_uint(out, (uint64_t)field->merge);
    mq_cbor_put_bool(out, field->conflict);
    mq_cbor_put_bool(out, field->review);
    mq_cbor_put_array(out, field->choice_count);
    for (size_t i = 0; i < field->choice_count; i++)
        put_choice(out, &field->choices[i]);
}

/* [kind, members, deleted, review, life names, unknown, {number: field}]; canonical is the first member. */
enum mq_status mq_group_encode(struct mq_buffer *out, const struct mq_group_state *state)
{
    mq_cbor_put_array(out, 7);
    mq_cbor_put_uint(out, state->kind);
    mq_cbor_put_bytes(out, mq_span(state->members, state->member_count * MQ_ID_SIZE));
    mq_cbor_put_bool(out, state->deleted);
    mq_cbor_put_bool(out, state->review);
    mq_cbor_put_bytes(out, mq_span(state->life_names, state->life_count * MQ_NAME_SIZE));
    mq_cbor_put_uint(out, state->unknown);
    mq_cbor_put_map(out, state->field_count);
    for (size_t i = 0; i < state->field_count; i++) {
        mq_cbor_put_uint(out, state->fields[i].number);
        put_field(out, &state->fields[i]);
    }
    return out->failed ? MQ_NO_SPACE : MQ_OK;
}
