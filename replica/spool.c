/* Filling the spool from the store, and noticing by it that the store was set back. */
#include "replica/spool.h"

#include <string.h>

#include "protocol/assert.h"
#include "protocol/control.h"
#include "protocol/exchange.h"
#include "replica/bundle.h"
#include "replica/join_keys.h"
#include "replica/outgoing.h"
#include "replica/replica_keys.h"

#define ADDRESS_SIZE_MAX \
    (1 + MQ_FINGERPRINT_SIZE + MQ_HASH_SIZE + MQ_TOKEN_SIZE + 4 + 4 + 1 + MQ_INVITATION_URL_MAX + MQ_HASH_SIZE)

/* ---- spool.to ---- */

static bool address_decode(struct mq_spool_address *out, struct mq_span file)
{
    uint8_t hash[MQ_HASH_SIZE];
    if (file.size < MQ_HASH_SIZE)
        return false;
    struct mq_span body = mq_span(file.data, file.size - MQ_HASH_SIZE);
    struct mq_reader reader = mq_reader(body);
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, body);
    bool version = mq_get_u8(&reader) == MQ_SPOOL_VERSION;
    mq_get(&reader, out->mark, sizeof out->mark);
    mq_get(&reader, out->pin, sizeof out->pin);
    mq_get(&reader, out->token, sizeof out->token);
    out->taken = mq_get_u32(&reader);
    out->body = mq_get_u32(&reader);
    size_t length = mq_get_u8(&reader);
    if (length == 0 || length > MQ_INVITATION_URL_MAX)
        return false;
    mq_get(&reader, out->url, length);
    out->url[length] = '\0';
    return version && mq_reader_done(&reader) && memcmp(hash, file.data + body.size, sizeof hash) == 0;
}

enum mq_status mq_spool_address_read(const struct mq_platform *platform, const char *home, struct mq_spool_address *out,
                                     struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[ADDRESS_SIZE_MAX];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    memset(out, 0, sizeof *out);
    mq_home_path(path, home, "spool.to");
    enum mq_status status = platform->read(platform->self, path, &file, error);
    if (status != MQ_OK && status != MQ_NO_SPACE)
        return status;
    bool whole = status == MQ_OK && address_decode(out, mq_written(&file));
    mq_wipe(memory, sizeof memory);
    if (whole)
        return MQ_OK;
    mq_error_clear(error);
    return mq_fail(error, MQ_DAMAGED,
                   _("the file %s is damaged; any command with the passphrase makes it anew, nothing is lost"), path);
}

enum mq_status mq_spool_address_write(const struct mq_platform *platform, const char *home,
                                      const struct mq_spool_address *address, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t memory[ADDRESS_SIZE_MAX], hash[MQ_HASH_SIZE];
    struct mq_buffer file = mq_buffer(memory, sizeof memory);
    mq_put_u8(&file, MQ_SPOOL_VERSION);
    mq_put(&file, address->mark, sizeof address->mark);
    mq_put(&file, address->pin, sizeof address->pin);
    mq_put(&file, address->token, sizeof address->token);
    mq_put_u32(&file, address->taken);
    mq_put_u32(&file, address->body);
    mq_put_u8(&file, (uint8_t)strlen(address->url));
    mq_put(&file, address->url, strlen(address->url));
    mq_hash_one(hash, sizeof hash, MQ_DOMAIN_BODY, mq_written(&file));
    mq_put(&file, hash, sizeof hash);
    MQ_ASSERT(!file.failed);
    mq_home_path(path, home, "spool.to");
    enum mq_status status = platform->write(platform->self, path, mq_written(&file), error);
    mq_wipe(memory, sizeof memory);
    return status;
}

/* ---- what is owed ---- */

/* Two questions, so that each finds its index. */
#define OWED \
    "SELECT number FROM segment WHERE carry = 1 AND erased < 2" \
    " UNION SELECT number FROM segment WHERE mine = 1 AND stored = 0 AND erased < 2"

static enum mq_status owed_mark(struct mq_replica *replica, uint8_t mark[MQ_FINGERPRINT_SIZE], bool *any,
                                struct mq_error *error)
{
    struct mq_query *query;
    struct mq_sum sum = {{0}, 0};
    enum mq_status status = mq_db_query(replica->db, &query, error, "SELECT id FROM segment WHERE number IN (" OWED ")", "");
    if (status != MQ_OK)
        return status;
    while (mq_db_next(&query, error))
        mq_sum_add(&sum, mq_db_blob(query, 0).data);
    mq_sum_fingerprint(mark, &sum);
    *any = sum.count > 0;
    return error->status;
}

static enum mq_status address_make(struct mq_replica *replica, struct mq_spool_address *out, bool *any,
                                   struct mq_error *error)
{
    struct mq_team team;
    int64_t body = 0;
    memset(out, 0, sizeof *out);
    enum mq_status status = owed_mark(replica, out->mark, any, error);
    if (status == MQ_OK && *any)
        status = mq_team_find(replica, NULL, &team, error);
    if (status == MQ_OK && *any)
        status = mq_join_address(replica, out->url, out->pin, error);
    if (status == MQ_OK && *any)
        status = mq_setting_number(replica, "body_up", &body, error);
    if (status == MQ_OK && *any) {
        memcpy(out->token, team.token, sizeof out->token);
        out->body = (uint32_t)body;
    }
    return status;
}

/* Frames in the order in which a relay, and then a desk, needs them; the oldest segments first. Revocations before grants, as in
 * heal.c: with a grant its key comes back to a desk that was set back, which hands it to all whom it does not know to be revoked. A
 * segment names its key from its 23rd byte on (docs/protocol.md, section 2). */
static const struct {
    enum mq_frame_type type;
    const char *sql;
} contents[] = {
    {MQ_FRAME_CERTIFICATE, "SELECT certificate FROM desk"},
    {MQ_FRAME_CONTROL, "SELECT bytes FROM control WHERE kind = 3 ORDER BY number"},
    {MQ_FRAME_GRANT,
     "SELECT bytes FROM grants WHERE kid IN (SELECT substr(bytes, 23, 8) FROM segment WHERE number IN (" OWED ")) ORDER BY epoch"},
    {MQ_FRAME_ANNOUNCE,
     "SELECT announce FROM stream WHERE stream IN (SELECT stream FROM segment WHERE number IN (" OWED "))"},
    {MQ_FRAME_SEGMENT, "SELECT bytes FROM segment WHERE number IN (" OWED ") ORDER BY number"},
};
_Static_assert(MQ_CONTROL_REVOCATION == 3 && MQ_KID_SIZE == 8, "control objects and kids in SQL");

/* More than a bundle may hold waits for the next time: what is oldest goes first. */
static enum mq_status put_contents(struct mq_replica *replica, struct mq_buffer *out, struct mq_error *error)
{
    bool full = false;
    for (size_t i = 0; i < sizeof contents / sizeof *contents && !full; i++) {
        struct mq_query *query;
        enum mq_status status = mq_db_query(replica->db, &query, error, contents[i].sql, "");
        if (status != MQ_OK)
            return status;
        while (!full && mq_db_next(&query, error)) {
            struct mq_span bytes = mq_db_blob(query, 0);
            full = out->size + MQ_FRAME_HEADER_SIZE + bytes.size + MQ_BUNDLE_END_SIZE > out->capacity;
            if (!full)
                mq_frame_put(out, contents[i].type, bytes);
        }
        mq_db_done(&query);
        if (error->status != MQ_OK)
            return error->status;
    }
    return MQ_OK;
}

static enum mq_status spool_write(struct mq_replica *replica, struct mq_error *error)
{
    char path[MQ_PATH_MAX];
    uint8_t *memory = mq_work_memory(MQ_BUNDLE_MAX);
    struct mq_buffer out = mq_buffer(memory, MQ_BUNDLE_MAX);
    mq_bundle_begin(&out);
    enum mq_status status = put_contents(replica, &out, error);
    mq_bundle_end(&out);
    MQ_ASSERT(status != MQ_OK || !out.failed);
    mq_home_path(path, replica->home, "spool");
    if (status == MQ_OK)
        status = replica->platform->write(replica->platform->self, path, mq_written(&out), error);
    mq_work_free(memory, out.size);
    return status;
}

static bool spool_there(struct mq_replica *replica)
{
    char path[MQ_PATH_MAX];
    struct mq_file_identity identity;
    struct mq_error unneeded = {0};
    mq_home_path(path, replica->home, "spool");
    return replica->platform->identify(replica->platform->self, path, &identity, &unneeded) == MQ_OK;
}

/* The address first: a spool without one is looked at once more, one that is not there is missed by nobody. */
static enum mq_status spool_remove(struct mq_replica *replica, struct mq_error *error)
{
    static const char *const files[] = {"spool.to", "spool"};
    char path[MQ_PATH_MAX];
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == MQ_OK; i++) {
        mq_home_path(path, replica->home, files[i]);
        status = replica->platform->remove(replica->platform->self, path, error);
    }
    return status;
}

static bool same_place(const struct mq_spool_address *a, const struct mq_spool_address *b)
{
    return memcmp(a->mark, b->mark, sizeof a->mark) == 0 && memcmp(a->pin, b->pin, sizeof a->pin) == 0 &&
           memcmp(a->token, b->token, sizeof a->token) == 0 && strcmp(a->url, b->url) == 0;
}

enum mq_status mq_spool_update(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_spool_address now, there;
    bool any = false;
    enum mq_status status = mq_spool_recall(replica, error);
    if (status == MQ_OK)
        status = address_make(replica, &now, &any, error);
    if (status != MQ_OK)
        return status;
    enum mq_status found = mq_spool_address_read(replica->platform, replica->home, &there, error);
    mq_error_clear(error);
    if (!any)
        return found == MQ_NOT_FOUND && !spool_there(replica) ? MQ_OK : spool_remove(replica, error);
    if (found == MQ_OK && same_place(&now, &there) && spool_there(replica))
        return MQ_OK;
    if (found == MQ_OK && there.taken > 0) {
        there.taken = 0; /* counts the segments of the spool that goes: of the new one nothing may be passed over */
        status = mq_spool_address_write(replica->platform, replica->home, &there, error);
    }
    if (status == MQ_OK)
        status = spool_write(replica, error);
    if (status == MQ_OK) /* before the address: what the address names, this store must remember */
        status = mq_setting_put(replica, "spool_mark", MQ_SPAN(now.mark), error);
    return status == MQ_OK ? mq_spool_address_write(replica->platform, replica->home, &now, error) : status;
}

/* ---- a spool that knows more than the store ---- */

static enum mq_status known(struct mq_replica *replica, const struct mq_spool_address *there, bool *answer,
                            struct mq_error *error)
{
    uint8_t mark[MQ_FINGERPRINT_SIZE];
    struct mq_buffer last = mq_buffer(mark, sizeof mark);
    enum mq_status status = mq_setting_get(replica, "spool_mark", &last, error);
    *answer = status == MQ_OK && mq_span_equal(mq_written(&last), MQ_SPAN(there->mark));
    return status == MQ_NOT_FOUND ? MQ_OK : status;
}

static enum mq_status close_streams(struct mq_replica *replica, void *context, struct mq_error *error)
{
    (void)context;
    return mq_streams_close(replica, error);
}

/* Under a stream of which the spool knows a later segment, nothing may be sealed any more. */
static enum mq_status close_passed(struct mq_replica *replica, struct mq_span frames, struct mq_error *error)
{
    struct mq_reader reader = mq_reader(frames);
    struct mq_frame frame;
    struct mq_segment segment;
    int64_t passed = 0;
    enum mq_status status = MQ_OK;
    while (status == MQ_OK && passed == 0 && mq_frame_next(&reader, &frame) == MQ_OK)
        if (frame.type == MQ_FRAME_SEGMENT && mq_segment_decode(&segment, frame.payload) == MQ_OK)
            status = mq_db_number(replica->db, &passed, error,
                                  "SELECT EXISTS (SELECT 1 FROM stream WHERE stream = ? AND mine = 1 AND closed = 0"
                                  " AND next_seq <= ?)",
                                  "bi", MQ_SPAN(segment.stream), (int64_t)segment.seq);
    return status == MQ_OK && passed != 0 ? mq_replica_transact(replica, close_streams, NULL, error) : status;
}

static enum mq_status take_frames(struct mq_replica *replica, struct mq_span frames, struct mq_error *error)
{
    struct mq_admitted result = {0};
    enum mq_status status = close_passed(replica, frames, error);
    if (status == MQ_OK)
        status = mq_seal_all(replica, error); /* what was written here was written without knowing what comes */
    return status == MQ_OK ? mq_bundle_take(replica, frames, &result, error) : status;
}

enum mq_status mq_spool_recall(struct mq_replica *replica, struct mq_error *error)
{
    struct mq_spool_address there;
    struct mq_span frames;
    char path[MQ_PATH_MAX];
    bool remembered = false;
    enum mq_status status = mq_spool_address_read(replica->platform, replica->home, &there, error);
    if (status == MQ_OK)
        status = known(replica, &there, &remembered, error);
    else if (status == MQ_NOT_FOUND || status == MQ_DAMAGED) /* then only the spool itself can tell */
        status = (mq_error_clear(error), MQ_OK);
    if (status != MQ_OK || remembered || !spool_there(replica))
        return status;
    uint8_t *memory = mq_work_memory(MQ_BUNDLE_MAX);
    struct mq_buffer file = mq_buffer(memory, MQ_BUNDLE_MAX);
    mq_home_path(path, replica->home, "spool");
    status = replica->platform->read(replica->platform->self, path, &file, error);
    if (status == MQ_OK && mq_bundle_open(&frames, mq_written(&file)) == MQ_OK) /* else a copy is damaged, not the store */
        status = take_frames(replica, frames, error);
    else if (status == MQ_NO_SPACE || status == MQ_REFUSED) /* larger than any spool, or no file: the same */
        status = (mq_error_clear(error), MQ_OK);
    mq_work_free(memory, file.size);
    return status;
}
