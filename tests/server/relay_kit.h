/* A small world around one relay: a root, two teams with their desks, members with really sealed segments, and what
 * each of them says and hears. Invented people of tests/protocol/identities.h. */
#ifndef MQ_TESTS_SERVER_RELAY_KIT_H
#define MQ_TESTS_SERVER_RELAY_KIT_H

#include <stdlib.h>

#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/seal.h"
#include "server/relay/relay.h"
#include "tests/protocol/identities.h"
#include "tests/server/directory.h"

#define KIT_SEGMENTS_MAX 64
#define KIT_FRAMES_MAX 512

struct kit_segment {
    uint8_t *bytes; /* the member's */
    size_t size;
    uint8_t id[MQ_SEGMENT_ID_SIZE];
};

struct kit_member {
    struct mq_identity identity;
    struct mq_certificate certificate;
    uint8_t token[MQ_TOKEN_SIZE], key_name[MQ_KID_SIZE], mailbox[MQ_ID_SIZE], stream[MQ_ID_SIZE];
    uint8_t announce[MQ_ANNOUNCE_SIZE], announce_hash[MQ_HASH_SIZE];
    struct kit_segment segments[KIT_SEGMENTS_MAX]; /* by order of sealing */
    size_t segment_count;
    uint64_t cursor;
    uint8_t fingerprint[MQ_FINGERPRINT_SIZE];
};

struct kit_world {
    struct mq_identity root;
    struct kit_member desk, anna, bert, desk_b, carl; /* carl and desk_b: of team B */
    struct mq_store *store;
    struct mq_relay relay;
    struct mq_error error;
    struct mq_secret epoch_key;
    struct mq_seal_space *space;
    uint8_t server_id[MQ_SERVER_ID_SIZE]; /* as last told */

    uint8_t request_memory[MQ_REQUEST_MAX], reply_memory[MQ_REPLY_MAX];
    struct mq_buffer request, out;
    struct mq_reply reply; /* the last one, taken apart */
    struct mq_frame frames[KIT_FRAMES_MAX];
    size_t frame_count;
    bool ended;
};

/* ---- People ---- */

static inline struct kit_member kit_member(uint8_t first, enum mq_role role, const uint8_t team[MQ_ID_SIZE],
                                           const struct mq_identity *issuer)
{
    struct kit_member member = {.identity = identity_from(first)};
    struct mq_announce announce = {.compartment = MQ_COMPARTMENT_TEAM};

    member.certificate = certificate_for(role, &member.identity, first, team, issuer);
    memset(member.token, first, sizeof member.token);
    mq_key_name(member.key_name, member.identity.sign_public);
    announce.certificate = member.certificate;
    memset(announce.nonce, first, sizeof announce.nonce);
    mq_announce_sign(&announce, &member.identity);
    mq_announce_encode(member.announce, &announce);
    mq_announce_hash(member.announce_hash, &announce);
    mq_announce_stream(member.stream, &announce);
    mq_mailbox(member.mailbox, team, MQ_COMPARTMENT_TEAM);
    return member;
}

static inline void kit_store_open(struct kit_world *w)
{
    if (mq_store_sqlite_open(&w->store, mq_platform_real(), store_path, &w->error) != MQ_OK)
        fprintf(stderr, "%s\n", w->error.text);
    MQ_ASSERT(w->store != NULL);
    w->relay.store = w->store;
}

static inline struct kit_world *kit_world(void)
{
    struct kit_world *w = calloc(1, sizeof *w);

    MQ_ASSERT(w != NULL && mq_crypto_start() == MQ_OK);
    w->root = identity_from(0x00);
    w->desk = kit_member(0x40, MQ_ROLE_COUNTY_DESK, team_a, &w->root);
    w->anna = kit_member(0x80, MQ_ROLE_CADRE, team_a, &w->desk.identity);
    w->bert = kit_member(0x90, MQ_ROLE_CADRE, team_a, &w->desk.identity);
    w->desk_b = kit_member(0xa0, MQ_ROLE_COUNTY_DESK, team_b, &w->root);
    w->carl = kit_member(0xb0, MQ_ROLE_CADRE, team_b, &w->desk_b.identity);
    w->epoch_key = secret_from(0xe0);
    w->space = malloc(mq_seal_space_size());
    MQ_ASSERT(w->space != NULL);
    directory_empty();
    w->relay.platform = mq_platform_real();
    memcpy(w->relay.root_public, w->root.sign_public, MQ_PUBLIC_SIZE);
    kit_store_open(w);
    return w;
}

static inline void kit_member_free(struct kit_member *member)
{
    for (size_t i = 0; i < member->segment_count; i++)
        free(member->segments[i].bytes);
}

static inline void kit_world_free(struct kit_world *w)
{
    struct kit_member *members[] = {&w->desk, &w->anna, &w->bert, &w->desk_b, &w->carl};

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        kit_member_free(members[i]);
    w->store->verbs->close(w->store);
    free(w->space);
    free(w);
}

/* ---- Segments ---- */

static inline struct mq_span kit_bytes_of(const struct kit_segment *segment)
{
    return mq_span(segment->bytes, segment->size);
}

static inline struct mq_seal_context kit_seal_context(const struct kit_world *w, const struct kit_member *member,
                                                      uint32_t seq, const uint8_t previous[MQ_SEGMENT_ID_SIZE])
{
    struct mq_seal_context context = {.seq = seq, .key = &w->epoch_key, .writer = &member->identity};

    memcpy(context.stream, member->stream, sizeof context.stream);
    memcpy(context.previous, previous, sizeof context.previous);
    mq_certificate_hash(context.certificate_hash, &member->certificate);
    return context;
}

/* A segment with this place and payload, at the end of the member's list. */
static inline const struct kit_segment *kit_seal_at(struct kit_world *w, struct kit_member *member, uint32_t seq,
                                                    const uint8_t previous[MQ_SEGMENT_ID_SIZE], struct mq_span payload)
{
    static const struct mq_prefix none;
    struct mq_seal_context context = kit_seal_context(w, member, seq, previous);
    struct kit_segment *made = &member->segments[member->segment_count];
    struct mq_segment decoded;

    MQ_ASSERT(member->segment_count < KIT_SEGMENTS_MAX);
    memset(context.seed, (int)member->segment_count + 1, sizeof context.seed);
    made->bytes = malloc(MQ_SEGMENT_MAX);
    MQ_ASSERT(made->bytes != NULL);
    struct mq_buffer out = mq_buffer(made->bytes, MQ_SEGMENT_MAX);
    MQ_ASSERT(mq_seal(&out, &context, payload, &none, w->space) == MQ_OK);
    made->size = out.size;
    MQ_ASSERT(mq_segment_decode(&decoded, mq_written(&out)) == MQ_OK);
    memcpy(made->id, decoded.id, sizeof made->id);
    member->segment_count++;
    return made;
}

/* The next segment of a chain without forks. */
static inline const struct kit_segment *kit_seal_next(struct kit_world *w, struct kit_member *member,
                                                      struct mq_span payload)
{
    size_t count = member->segment_count;

    return kit_seal_at(w, member, (uint32_t)count + 1,
                       count == 0 ? member->announce_hash : member->segments[count - 1].id, payload);
}

/* Bytes that do not compress. */
static inline struct mq_span kit_noise(uint8_t *out, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (uint8_t)(seed >> 24);
    }
    return mq_span(out, size);
}

/* ---- Saying and hearing ---- */

/* Where `member` stands: his one mailbox, his stream up to the segment that he sealed last. */
static inline struct mq_request kit_head(const struct kit_world *w, const struct kit_member *member)
{
    struct mq_request head = {.budget = MQ_REPLY_MAX, .mailbox_count = 1};
    struct mq_mailbox_request *mailbox = &head.mailboxes[0];

    memcpy(head.server_id, w->server_id, sizeof head.server_id);
    memcpy(head.token, member->token, sizeof head.token);
    memcpy(mailbox->mailbox, member->mailbox, sizeof mailbox->mailbox);
    mailbox->cursor = member->cursor;
    memcpy(mailbox->fingerprint, member->fingerprint, sizeof mailbox->fingerprint);
    memcpy(mailbox->stream, member->stream, sizeof mailbox->stream);
    mailbox->head_seq = (uint32_t)member->segment_count;
    if (member->segment_count > 0)
        memcpy(mailbox->head_id, member->segments[member->segment_count - 1].id, sizeof mailbox->head_id);
    return head;
}

static inline void kit_say_head(struct kit_world *w, const struct mq_request *head)
{
    w->request = mq_buffer(w->request_memory, sizeof w->request_memory);
    mq_request_put(&w->request, head);
}

static inline void kit_say(struct kit_world *w, const struct kit_member *member)
{
    struct mq_request head = kit_head(w, member);

    kit_say_head(w, &head);
}

static inline void kit_add(struct kit_world *w, enum mq_frame_type type, struct mq_span payload)
{
    mq_frame_put(&w->request, type, payload);
}

/* All that the member has sealed, announce first. */
static inline void kit_add_own(struct kit_world *w, const struct kit_member *member)
{
    kit_add(w, MQ_FRAME_ANNOUNCE, MQ_SPAN(member->announce));
    for (size_t i = 0; i < member->segment_count; i++)
        kit_add(w, MQ_FRAME_SEGMENT, kit_bytes_of(&member->segments[i]));
}

static inline void kit_add_control(struct kit_world *w, const struct kit_member *desk, struct mq_control control)
{
    static uint8_t memory[MQ_CONTROL_HEAD_SIZE + MQ_CONTROL_BODY_MAX + MQ_SIGNATURE_SIZE];
    struct mq_buffer out = mq_buffer(memory, sizeof memory);

    memcpy(control.team, desk->certificate.team, sizeof control.team);
    MQ_ASSERT(mq_control_sign(&out, &control, &desk->identity) == MQ_OK);
    kit_add(w, MQ_FRAME_CONTROL, mq_written(&out));
}

static inline void kit_add_certificate(struct kit_world *w, const struct kit_member *desk)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];

    mq_certificate_encode(bytes, &desk->certificate);
    kit_add(w, MQ_FRAME_CERTIFICATE, MQ_SPAN(bytes));
}

static inline void kit_put_access(struct mq_buffer *list, const struct kit_member *member, uint8_t rights)
{
    struct mq_access access = {.rights = rights};

    mq_token_hash(access.token_hash, member->token);
    memcpy(access.key_name, member->key_name, sizeof access.key_name);
    mq_access_put(list, &access);
}

/* Sends the first `size` bytes of what was said, with an end behind them if these are all, and takes the reply apart. */
static inline enum mq_status kit_send_cut(struct kit_world *w, size_t size, size_t mailboxes)
{
    struct mq_frame frame;

    MQ_ASSERT(!w->request.failed && size <= w->request.size);
    mq_error_clear(&w->error);
    w->out = mq_buffer(w->reply_memory, sizeof w->reply_memory);
    w->frame_count = 0;
    w->ended = false;
    struct mq_buffer sent = w->request;
    if (size == sent.size)
        mq_exchange_end(&sent);
    else
        sent.size = size;
    enum mq_status status = mq_relay_exchange(&w->relay, mq_written(&sent), &w->out, &w->error);
    if (status != MQ_OK)
        return status;
    struct mq_reader reader = mq_reader(mq_written(&w->out));
    MQ_ASSERT(mq_reply_get(&w->reply, mailboxes, &reader) == MQ_OK);
    while (mq_frame_next(&reader, &frame) == MQ_OK) {
        MQ_ASSERT(!w->ended && w->frame_count < KIT_FRAMES_MAX);
        w->ended = frame.type == MQ_FRAME_END;
        if (!w->ended)
            w->frames[w->frame_count++] = frame;
    }
    MQ_ASSERT(mq_reader_done(&reader) && w->ended);
    memcpy(w->server_id, w->reply.server_id, sizeof w->server_id);
    return MQ_OK;
}

/* Sends it all for `member`, who remembers where he stands now. */
static inline void kit_send(struct kit_world *w, struct kit_member *member)
{
    enum mq_status status = kit_send_cut(w, w->request.size, 1);

    if (status != MQ_OK)
        fprintf(stderr, "%s\n", w->error.text);
    MQ_ASSERT(status == MQ_OK);
    member->cursor = w->reply.mailboxes[0].cursor;
    memcpy(member->fingerprint, w->reply.mailboxes[0].fingerprint, sizeof member->fingerprint);
}

static inline void kit_sync(struct kit_world *w, struct kit_member *member)
{
    kit_say(w, member);
    kit_send(w, member);
}

static inline size_t kit_count(const struct kit_world *w, enum mq_frame_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < w->frame_count; i++)
        count += w->frames[i].type == type;
    return count;
}

/* The index-th frame of a type in the reply; empty where there are fewer. */
static inline struct mq_span kit_frame(const struct kit_world *w, enum mq_frame_type type, size_t index)
{
    for (size_t i = 0; i < w->frame_count; i++)
        if (w->frames[i].type == type && index-- == 0)
            return w->frames[i].payload;
    return mq_span(NULL, 0);
}

/* Both desks make themselves known and say who may speak: anna and bert in team A, carl in team B. */
static inline void kit_admit_all(struct kit_world *w)
{
    struct kit_member *desks[] = {&w->desk, &w->desk_b};

    for (size_t i = 0; i < 2; i++) {
        uint8_t memory[200];
        struct mq_buffer list = mq_buffer(memory, sizeof memory);

        kit_put_access(&list, desks[i], MQ_ACCESS_MEMBER | MQ_ACCESS_DESK);
        kit_put_access(&list, i == 0 ? &w->anna : &w->carl, MQ_ACCESS_MEMBER);
        if (i == 0)
            kit_put_access(&list, &w->bert, MQ_ACCESS_MEMBER);
        kit_say(w, desks[i]);
        kit_add_certificate(w, desks[i]);
        kit_add_control(w, desks[i],
                        (struct mq_control){.kind = MQ_CONTROL_ACCESS, .number = 1, .body = mq_written(&list)});
        kit_send(w, desks[i]);
        MQ_ASSERT(w->reply.status == MQ_REPLY_OK);
    }
}

#endif
