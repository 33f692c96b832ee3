/* Aim: a member may seal anything into his segment; every reader takes it or sets it aside, shows what he has without
 * harm, and comes to the same state a second time and after making the view anew. Input: a mode, then a whole payload; or
 * changes (position u16, value u8) to a real one; or changes of records, from which a payload is made. */
#include <stdio.h>
#include <string.h>

#include "protocol/returned.h"
#include "replica/outgoing.h"
#include "replica/view.h"
#include "tests/fuzz/store.h"
#include "tests/protocol/segment_kit.h"

#define CHANGES 12
#define KNOWN_MAX 64
#define REAL_MAX 8
#define INSIDE 5 /* of payload, changes, one of them, its fields, a set of values */

/* A writer of the village with a stream that nobody knows yet. */
struct writer {
    struct mq_seal_context context;
    uint8_t announce[MQ_ANNOUNCE_SIZE];
};

static struct writer cadre, desk;
static struct mq_secret team_key;
static uint8_t records[KNOWN_MAX][MQ_ID_SIZE], names[KNOWN_MAX][MQ_NAME_SIZE]; /* of records and values that are there */
static size_t record_count, name_count;
static uint8_t real[REAL_MAX][4096];
static size_t real_sizes[REAL_MAX], real_count;
static uint8_t lost_bytes[4096], lost_id[MQ_SEGMENT_ID_SIZE]; /* a segment that only its writer has, for those who return it */
static size_t lost_size;

/* ---- the village ---- */

static void writer_make(struct writer *writer, const struct village_member *member)
{
    struct mq_error error = {0};
    struct mq_grant grant;
    struct mq_announce announce = {.certificate = member->team.certificate};
    const struct mq_identity *identity = mq_replica_identity(member->replica);

    MQ_ASSERT(mq_key_newest(member->replica, member->team.mailbox, &grant, &team_key, &error) == MQ_OK);
    memset(announce.nonce, 0x5f, sizeof announce.nonce);
    mq_announce_sign(&announce, identity);
    mq_announce_encode(writer->announce, &announce);
    writer->context = (struct mq_seal_context){.seq = 1, .key = &team_key, .writer = identity};
    mq_announce_stream(writer->context.stream, &announce);
    mq_announce_hash(writer->context.previous, &announce);
    mq_certificate_hash(writer->context.certificate_hash, &announce.certificate);
    mq_grant_hash(writer->context.grant_hash, &grant);
    mq_grant_kid(writer->context.kid, &grant);
}

static void learn_names(struct mq_replica *replica)
{
    struct mq_error error = {0};
    struct mq_query *query;

    MQ_ASSERT(mq_db_query(mq_replica_db(replica), &query, &error, "SELECT id, record FROM change ORDER BY id", "") ==
              MQ_OK);
    while (mq_db_next(&query, &error)) {
        if (name_count == KNOWN_MAX)
            continue;
        memcpy(names[name_count++], mq_db_blob(query, 0).data, MQ_NAME_SIZE);
        if (memcmp(mq_db_blob(query, 0).data, mq_db_blob(query, 1).data, MQ_ID_SIZE) == 0)
            memcpy(records[record_count++], mq_db_blob(query, 1).data, MQ_ID_SIZE);
    }
    MQ_ASSERT(error.status == MQ_OK && record_count >= 3);
}

static void learn_payloads(struct mq_replica *replica)
{
    static uint8_t copies[REAL_MAX][MQ_SEGMENT_MAX];
    struct mq_error error = {0};
    struct mq_query *query;
    size_t sizes[REAL_MAX], count = 0;

    MQ_ASSERT(mq_db_query(mq_replica_db(replica), &query, &error,
                          "SELECT bytes FROM segment WHERE state = 1 ORDER BY number", "") == MQ_OK);
    while (mq_db_next(&query, &error)) {
        if (count == REAL_MAX)
            continue;
        sizes[count] = mq_db_blob(query, 0).size;
        memcpy(copies[count], mq_db_blob(query, 0).data, sizes[count]);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        struct mq_segment segment;
        struct mq_buffer payload = mq_buffer(real[real_count], sizeof real[real_count]);
        uint8_t links;
        MQ_ASSERT(mq_segment_decode(&segment, mq_span(copies[i], sizes[i])) == MQ_OK);
        if (mq_segment_open(replica, &segment, &payload, &links, &error) == MQ_OK)
            real_sizes[real_count++] = payload.size;
        mq_error_clear(&error);
    }
    MQ_ASSERT(real_count > 0);
}

static void make_lost(struct village_member *member)
{
    struct mq_error error = {0};
    struct mq_query *query;
    struct mq_segment segment;

    village_add(member, "{\"kind\":\"household\",\"id\":\"H-3\",\"place\":\"990527103204\",\"head\":\"吴国平\"}", NULL);
    MQ_ASSERT(mq_seal_all(member->replica, &error) == MQ_OK);
    MQ_ASSERT(mq_db_query(mq_replica_db(member->replica), &query, &error,
                          "SELECT bytes FROM segment WHERE mine = 1 ORDER BY number DESC LIMIT 1", "") == MQ_OK);
    MQ_ASSERT(mq_db_next(&query, &error) && mq_db_blob(query, 0).size <= sizeof lost_bytes);
    lost_size = mq_db_blob(query, 0).size;
    memcpy(lost_bytes, mq_db_blob(query, 0).data, lost_size);
    mq_db_done(&query);
    MQ_ASSERT(mq_segment_decode(&segment, mq_span(lost_bytes, lost_size)) == MQ_OK);
    memcpy(lost_id, segment.id, sizeof lost_id);
}

void fuzz_start(void)
{
    fuzz_village();
    village_add(&village.devices[0],
                "{\"kind\":\"household\",\"id\":\"H-1\",\"place\":\"990527103204\",\"group\":\"三组\",\"head\":\"杨顺华\","
                "\"phones\":[{\"number\":\"13900000001\",\"whose\":\"本人\"}]}",
                NULL);
    village_add(&village.devices[0], "{\"kind\":\"household\",\"id\":\"H-2\",\"place\":\"990527103204\",\"head\":\"余世海\"}",
                NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"visit\",\"id\":\"V-1\",\"household\":\"H-1\",\"date\":\"2026-11-05\",\"notes\":\"水管冻裂\"}", NULL);
    village_add(&village.devices[0],
                "{\"kind\":\"need\",\"id\":\"N-1\",\"household\":\"H-1\",\"words\":\"三组那口井九月起就浑\",\"category\":\"04\"}", NULL);
    village_sync_all(&village, 2);
    village_set(&village.devices[0], "H-1", "head=杨顺花");
    village_set(&village.devices[1], "H-1", "head=杨顺桦");
    village_sync_all(&village, 2);
    make_lost(&village.devices[0]);
    writer_make(&cadre, &village.devices[2]);
    writer_make(&desk, &village.desk);
    learn_names(village.devices[1].replica);
    learn_payloads(village.devices[1].replica);
}

/* ---- a payload ---- */

struct batch {
    struct mq_batch_change changes[CHANGES];
    size_t count;
    struct mq_buffer room;
};

static const uint8_t salt[MQ_SALT_SIZE] = {0x77};

static const uint8_t *take_record(const struct batch *batch, struct mq_reader *input)
{
    uint8_t byte = mq_get_u8(input);

    if (byte >= 0xc0 && batch->count > 0)
        return batch->changes[byte % batch->count].id;
    return records[byte % record_count];
}

/* One item that a change may hold: it names no record by a number, as only a payload does, and still fits there, deep inside. */
static bool is_item(struct mq_span text)
{
    uint8_t memory[INSIDE + UINT8_MAX / 4];
    struct mq_buffer inside = mq_buffer(memory, sizeof memory);
    struct mq_reader reader = mq_reader(text);

    for (size_t i = 0; i < INSIDE; i++)
        mq_cbor_put_array(&inside, 1);
    mq_put_span(&inside, text);
    if (text.size == 0 || !mq_cbor_valid(mq_written(&inside)))
        return false;
    while (mq_left(&reader) > 0)
        if (mq_cbor_next(&reader).type == MQ_CBOR_REFERENCE && mq_cbor_next(&reader).type != MQ_CBOR_BYTES)
            return false;
    return true;
}

/* A value such as the field wants it, as far as one byte and a text can say; or any item. */
static void put_value(struct mq_buffer *out, const struct batch *batch, const struct mq_field *field,
                      struct mq_reader *input)
{
    uint8_t form = mq_get_u8(input);
    struct mq_span text = fuzz_take(input, form / 4u);

    if (field != NULL && field->type == MQ_TYPE_REFERENCE && form % 4 > 0)
        mq_put_reference(out, take_record(batch, input));
    else if (field == NULL || form % 4 == 0 || mq_value_from_text(field, text, out) != MQ_OK) {
        if (is_item(text))
            mq_put_span(out, text);
        else
            mq_cbor_put_uint(out, form);
    }
}

static void put_field(struct mq_buffer *out, const struct batch *batch, const struct mq_field *field,
                      struct mq_reader *input)
{
    if (field != NULL && field->merge == MQ_MERGE_SET) {
        size_t count = mq_get_u8(input) % 3;
        mq_cbor_put_array(out, count);
        for (size_t i = 0; i < count; i++)
            put_value(out, batch, field, input);
    } else {
        put_value(out, batch, field, input);
    }
}

static void put_create(struct mq_buffer *out, const struct batch *batch, struct mq_reader *input)
{
    static uint8_t memory[8192];
    struct mq_buffer pairs = mq_buffer(memory, sizeof memory);
    const struct mq_kind *kind = &mq_kinds[mq_get_u8(input) % mq_kind_count];
    size_t count = 0;

    for (size_t i = 0; i < kind->field_count && count < 12; i++)
        if ((mq_get_u8(input) & 3) == 1) {
            mq_cbor_put_uint(&pairs, kind->fields[i].number);
            put_field(&pairs, batch, &kind->fields[i], input);
            count++;
        }
    MQ_ASSERT(!pairs.failed);
    mq_change_put_create(out, kind->number, count, mq_written(&pairs));
}

/* The lost segment, or what is said to be it or the end of a larger one, for the desk; rightly locked, or not, and seldom at a
 * place where no piece begins. */
static void put_returned(struct mq_buffer *out, struct mq_reader *input)
{
    static uint8_t larger[MQ_RETURNED_PIECE_MAX + sizeof lost_bytes], box[sizeof lost_bytes + MQ_SEALED_BOX_SIZE];
    uint8_t *bytes = larger + MQ_RETURNED_PIECE_MAX;
    struct mq_buffer sealed = mq_buffer(box, sizeof box);
    uint8_t how = mq_get_u8(input), at = mq_get_u8(input);
    struct mq_returned piece = {.size = (uint32_t)lost_size};

    memcpy(piece.id, lost_id, sizeof piece.id);
    if (how & 1)
        piece.id[at % sizeof piece.id] ^= how;
    if (how & 2)
        piece.size = MQ_SEGMENT_FIXED_SIZE + at;
    if (how & 4) {
        piece.offset = MQ_RETURNED_PIECE_MAX;
        piece.size += piece.offset;
    }
    memcpy(bytes, lost_bytes, lost_size);
    if (how & 8)
        bytes[at * lost_size / 256] ^= how;
    MQ_ASSERT(mq_returned_seal(&sealed, mq_span(bytes - piece.offset, piece.size), piece.offset, piece.size - piece.offset,
                               village.desk.team.certificate.box_public) == MQ_OK);
    if (how & 16)
        box[at] ^= how;
    if (how >= 0xe0)
        piece.offset = at % piece.size;
    piece.sealed = mq_written(&sealed);
    mq_returned_put(out, &piece);
}

static void put_change(struct mq_buffer *out, const struct batch *batch, struct mq_reader *input)
{
    static uint8_t value_memory[4096];
    uint8_t replaced_memory[4 * MQ_NAME_SIZE];
    struct mq_buffer value = mq_buffer(value_memory, sizeof value_memory),
                     replaced = mq_buffer(replaced_memory, sizeof replaced_memory);
    uint8_t type = mq_get_u8(input);

    if (type % 7 <= 1) {
        put_create(out, batch, input);
        return;
    }
    const uint8_t *record = take_record(batch, input);
    const struct mq_kind *kind = &mq_kinds[mq_get_u8(input) % mq_kind_count];
    const struct mq_field *field = &kind->fields[mq_get_u8(input) % kind->field_count];
    for (size_t i = mq_get_u8(input) % 4; i > 0; i--)
        mq_put(&replaced, names[mq_get_u8(input) % name_count], MQ_NAME_SIZE);
    put_value(&value, batch, field, input);
    MQ_ASSERT(!value.failed);
    switch (type % 7) { /* tidy: not an enum */
    case MQ_CHANGE_SET:
        mq_change_put_set(out, record, field->number, mq_written(&value), mq_written(&replaced), mq_span(NULL, 0));
        return;
    case MQ_CHANGE_ADD:
        mq_change_put_add(out, record, field->number, mq_written(&value));
        return;
    case MQ_CHANGE_REMOVE:
        mq_change_put_remove(out, record, field->number, mq_written(&replaced));
        return;
    case MQ_CHANGE_DECIDE:
        mq_change_put_decide(out, record, field->number, mq_written(&value), mq_written(&replaced), mq_span_text("说"));
        return;
    default: /* tidy: not an enum */ /* what comes back; a list to erase, as the writer's byte has it; or what nobody knows */
        if ((type & 0xc0) == 0x40) {
            put_returned(out, input);
            return;
        }
        mq_cbor_put_array(out, 3);
        mq_cbor_put_uint(out, type & 0x80 ? MQ_CHANGE_ERASE : 99);
        mq_put_reference(out, record);
        mq_cbor_put_map(out, 1);
        mq_cbor_put_uint(out, field->number);
        mq_cbor_put_bytes(out, mq_span(names[type % name_count], MQ_NAME_SIZE));
    }
}

static struct mq_span make_payload(struct mq_buffer *out, struct mq_reader *input)
{
    static uint8_t room[MQ_CHANGE_MAX], replaced[MQ_REPLACED_MAX * MQ_NAME_SIZE];
    static struct batch batch;
    struct mq_payload_head head = {.schema = MQ_SCHEMA, .clock = {.wall_seconds = 1700000000}};
    struct mq_change parts;

    memcpy(head.salt, salt, sizeof head.salt);
    batch.count = 0;
    batch.room = mq_buffer(room, sizeof room);
    while (mq_left(input) > 4 && batch.count < CHANGES && batch.room.size + 20000 < sizeof room) {
        struct mq_batch_change *change = &batch.changes[batch.count];
        struct mq_buffer looked = mq_buffer(replaced, sizeof replaced);
        size_t start = batch.room.size;
        put_change(&batch.room, &batch, input);
        change->expanded = mq_span(room + start, batch.room.size - start);
        change->stamp = (struct mq_stamp){0};
        if (mq_change_decode(&parts, change->expanded, &looked) != MQ_OK)
            continue; /* the first two ways say what is no change */
        mq_change_id(change->id, salt, (uint32_t)batch.count, change->expanded);
        batch.count++;
    }
    MQ_ASSERT(!batch.room.failed);
    return mq_payload_encode(out, &head, batch.changes, batch.count) == MQ_OK ? mq_written(out) : mq_span(NULL, 0);
}

static struct mq_span choose_payload(struct mq_buffer *out, uint8_t mode, struct mq_reader *input)
{
    if (mode % 4 == 0)
        return fuzz_rest(input);
    if (mode % 4 != 1)
        return make_payload(out, input);
    size_t which = mq_get_u8(input) % real_count;
    mq_put(out, real[which], real_sizes[which]);
    fuzz_change(out->data, out->size, input);
    return mq_written(out);
}

/* ---- taking it in ---- */

struct run {
    struct mq_span announce, segment;
    const uint8_t *id;
    bool at_desk, decodes, late, shown, checked;
};

static enum mq_status look_at_object(void *context, struct mq_span object, struct mq_error *error)
{
    struct mq_json *json;

    (void)context;
    MQ_ASSERT(mq_json_parse(&json, object, error) == MQ_OK && mq_json_type(json) == MQ_JSON_OBJECT);
    mq_json_free(json);
    return MQ_OK;
}

static void admit(struct mq_replica *replica, const struct run *run, struct mq_admitted *result)
{
    const struct mq_frame frames[] = {{.type = MQ_FRAME_ANNOUNCE, .payload = run->announce},
                                      {.type = MQ_FRAME_SEGMENT, .payload = run->segment}};
    struct mq_error error = {0};

    for (size_t i = 0; i < 2; i++)
        MQ_ASSERT(mq_admit(replica, &frames[run->late ? 1 - i : i], false, result, &error) == MQ_OK);
    MQ_ASSERT(mq_admit_waiting(replica, result, &error) == MQ_OK && error.status == MQ_OK);
}

/* Says in words what was refused, before it is a finding. */
static void must(enum mq_status status, const struct mq_error *error)
{
    if (status != MQ_OK)
        fprintf(stderr, "status %d: %s\n", (int)status, error->text);
    MQ_ASSERT(status == MQ_OK);
}

static void show_all(struct mq_replica *replica)
{
    const struct mq_emitter emitter = {.emit = look_at_object};
    struct mq_error error = {0};

    must(mq_records_export(replica, NULL, &emitter, &error), &error);
    must(mq_records_list(replica, NULL, mq_span(NULL, 0), 0, &emitter, &error), &error);
    must(mq_records_conflicts(replica, &emitter, &error), &error);
    enum mq_status status = mq_records_show(replica, mq_span_text("H-1"), true, &emitter, &error);
    MQ_ASSERT(status == MQ_OK || status == MQ_NOT_FOUND || status == MQ_REFUSED); /* gone, or several of that name */
}

/* The view made anew, from what is stored, is the view. */
static void check_all(struct mq_replica *replica)
{
    const struct mq_emitter emitter = {.emit = look_at_object};
    struct mq_check_result result;
    struct mq_error error = {0};

    must(mq_records_check(replica, false, &result, &emitter, &error), &error);
}

static void take_in(struct mq_replica *replica, void *context)
{
    const struct run *run = context;
    struct mq_error error = {0};
    struct mq_admitted first = {0}, again = {0};
    struct mq_partition before, parts;
    int64_t state;

    MQ_ASSERT(mq_partition(replica, &before, &error) == MQ_OK);
    admit(replica, run, &first);
    int64_t brought = first.segments - 1; /* what came back in it */
    MQ_ASSERT(first.refused == 0 && (brought == 0 || (brought == 1 && run->at_desk)));
    MQ_ASSERT(mq_db_number(mq_replica_db(replica), &state, &error, "SELECT state FROM segment WHERE id = ?", "b",
                           mq_span(run->id, MQ_SEGMENT_ID_SIZE)) == MQ_OK);
    MQ_ASSERT(state != MQ_SEGMENT_WAITING && (run->decodes || state == MQ_SEGMENT_UNDECODABLE));
    MQ_ASSERT(mq_partition(replica, &parts, &error) == MQ_OK);
    MQ_ASSERT(parts.admitted + parts.waiting + parts.quarantined + parts.undecodable ==
              1 + brought + before.admitted + before.waiting + before.quarantined + before.undecodable);
    if (run->shown)
        show_all(replica);
    if (run->checked)
        check_all(replica);
    int64_t written = fuzz_rows_written(replica);
    admit(replica, run, &again);
    MQ_ASSERT(again.segments == 0 && fuzz_rows_written(replica) == written);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct mq_batch_change changes[MQ_CHANGES_MAX];
    static uint8_t memory[MQ_PLAIN_MAX], plain_memory[KIT_PLAIN_MAX], expanded[MQ_EXPANDED_MAX];
    static struct kit_sealed sealed;
    struct mq_reader input = mq_reader(mq_span(data, size));
    struct mq_buffer made = mq_buffer(memory, sizeof memory), space = mq_buffer(expanded, sizeof expanded);
    struct mq_payload_head head;
    size_t count;
    uint8_t mode = mq_get_u8(&input);

    if (size == 0 || size > MQ_PLAIN_MAX / 2)
        return;
    struct writer *writer = mode & 4 ? &desk : &cadre;
    struct mq_span payload = choose_payload(&made, mode, &input);
    kit_seal(&sealed, &writer->context, kit_plain(plain_memory, sizeof plain_memory, 0, 0, 0, payload.size, payload));
    struct run run = {.announce = MQ_SPAN(writer->announce),
                      .segment = kit_bytes(&sealed),
                      .id = sealed.id,
                      .at_desk = (mode & 0x40) != 0,
                      .decodes = mq_payload_decode(&head, changes, MQ_CHANGES_MAX, &count, payload, &space) == MQ_OK,
                      .late = (mode & 8) != 0,
                      .shown = (mode & 0x30) == 0x10,
                      .checked = (mode & 0xb0) == 0xb0}; /* seldom: it costs as much as ten runs */
    struct village_member *reader = run.at_desk ? &village.desk : &village.devices[1];
    fuzz_undone(reader->replica, take_in, &run);
}
