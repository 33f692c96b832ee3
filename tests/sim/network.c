/* What becomes of a request and of its reply. */
#include "tests/sim/network.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "protocol/exchange.h"
#include "replica/receipts.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/invariants.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"
#include "tests/sim/wire.h"

#define SYNC_MS 20000
#define REQUESTS_MAX 600 /* of one sync: a hundred times what is usual */
#define SLOW_MS 30000 /* at most, and more than a sync has: some are given up half-way */
#define PORTAL "<html><head><title>Free Wi-Fi</title></head><body>Please accept the terms.</body></html>"

struct trip {
    struct sim_fleet *fleet;
    struct sim_member *member;
    uint8_t *request; /* as it arrives: the caller's, or a changed copy */
    size_t request_size;
    bool cut; /* so nobody hears the reply */
    struct mq_buffer *reply;
    struct mq_post_answer *answer;
};

static uint32_t choose(struct trip *trip, size_t bound)
{
    return sim_choose(trip->fleet->choices, (uint32_t)(bound > 0 ? bound : 1));
}

/* Does this fault happen? Then it is counted and told. */
static bool strikes(struct trip *trip, uint32_t one_in, enum sim_kind kind, const char *what)
{
    if (trip->fleet->healing || !sim_chance(trip->fleet->choices, one_in))
        return false;
    sim_happened(trip->fleet, kind);
    sim_tell(trip->fleet->story, "%s: %s", trip->member->name, what);
    return true;
}

/* What no honest relay behind TLS would say. Whom it lied to may have missed something: how far he has read is the relay's
 * word. */
static bool lies(struct trip *trip, uint32_t one_in, enum sim_kind kind, const char *what)
{
    bool lie = strikes(trip, one_in, kind, what);
    trip->fleet->lied = trip->fleet->lied || lie;
    return lie;
}

static void flip(struct trip *trip, uint8_t *bytes, size_t size)
{
    if (size > 0)
        bytes[choose(trip, size)] ^= (uint8_t)(1u << choose(trip, 8));
}

/* ---- what was once said ---- */

static void remember(struct trip *trip)
{
    struct sim_post *post = &trip->fleet->old_posts[trip->fleet->old_post_next++ % SIM_OLD_POSTS];
    free(post->request);
    free(post->reply);
    *post = (struct sim_post){.request = malloc(trip->request_size + 1),
                              .reply = malloc(trip->reply->size + 1),
                              .request_size = trip->request_size,
                              .reply_size = trip->reply->size,
                              .member = trip->member->number};
    MQ_ASSERT(post->request != NULL && post->reply != NULL);
    memcpy(post->request, trip->request, trip->request_size);
    memcpy(post->reply, trip->reply->data, trip->reply->size);
}

/* One of the old ones, of this member or of another. NULL: there is none. */
static const struct sim_post *old_post(struct trip *trip, bool of_another)
{
    const struct sim_post *post = &trip->fleet->old_posts[choose(trip, SIM_OLD_POSTS)];
    return post->request != NULL && (post->member != trip->member->number) == of_another ? post : NULL;
}

static void say_instead(struct trip *trip, const struct sim_post *post)
{
    if (post == NULL)
        return;
    trip->reply->size = 0;
    mq_put(trip->reply, post->reply, post->reply_size);
}

/* ---- at the server ---- */

/* A relay that keeps a stream to itself: everything of it is missing from the reply. */
static void withhold(struct trip *trip)
{
    static const uint8_t nobody[MQ_ID_SIZE];
    struct mq_request request;
    struct mq_reply head;
    struct mq_segment segment;
    struct mq_frame frame;
    struct mq_reader asked = mq_reader(mq_span(trip->request, trip->request_size));
    struct mq_reader reader = mq_reader(mq_written(trip->reply));
    if (trip->fleet->healing || memcmp(trip->fleet->withheld, nobody, sizeof nobody) == 0 ||
        mq_request_get(&request, &asked) != MQ_OK || mq_reply_get(&head, request.mailbox_count, &reader) != MQ_OK)
        return;
    trip->fleet->lied = true;
    uint8_t *memory = malloc(MQ_REPLY_MAX);
    MQ_ASSERT(memory != NULL);
    struct mq_buffer rest = mq_buffer(memory, MQ_REPLY_MAX);
    mq_reply_put(&rest, &head);
    while (mq_frame_next(&reader, &frame) == MQ_OK && frame.type != MQ_FRAME_END)
        if (frame.type != MQ_FRAME_SEGMENT || mq_segment_decode(&segment, frame.payload) != MQ_OK ||
            memcmp(segment.stream, trip->fleet->withheld, MQ_ID_SIZE) != 0)
            mq_frame_put(&rest, (enum mq_frame_type)frame.type, frame.payload);
    mq_exchange_end(&rest);
    trip->reply->size = 0;
    mq_put_span(trip->reply, mq_written(&rest));
    free(memory);
}

static enum mq_status ask(struct trip *trip, struct mq_span request, struct mq_buffer *reply)
{
    struct mq_error error = {0};
    enum mq_status status = mq_relay_exchange(&trip->fleet->relay, request, reply, &error);
    const struct sim_member *server = sim_desk(trip->fleet);
    if (status == MQ_DAMAGED && !server->rotten && !server->lying && !server->failing &&
        !sim_disk_is_off(sim_machine_disk(server->machine)))
        sim_broken(trip->fleet->story, "I1", "the relay finds damage where there is none: %s", error.text);
    if (status == MQ_OK)
        sim_wire_sees(trip->fleet, mq_written(reply), SIM_NO_HEAD);
    return status;
}

static void ask_old(struct trip *trip, const struct sim_post *post)
{
    uint8_t *memory = malloc(MQ_REPLY_MAX);
    MQ_ASSERT(memory != NULL);
    struct mq_buffer unheard = mq_buffer(memory, MQ_REPLY_MAX);
    if (post != NULL)
        (void)ask(trip, mq_span(post->request, post->request_size), &unheard);
    free(memory);
}

/* The relay's answer, as front.c says it over HTTP; MQ_UNREACHABLE where its machine went down meanwhile. */
static enum mq_status serve(struct trip *trip)
{
    struct sim_fleet *fleet = trip->fleet;
    bool entered;
    if (!sim_relay_enter(fleet, &entered)) {
        sim_relay_leave(fleet, entered, MQ_OK);
        return MQ_UNREACHABLE;
    }
    struct mq_span request = mq_span(trip->request, trip->request_size);
    if (strikes(trip, fleet->swarm.old_request, SIM_REQUEST_OLD, "somebody sends an old request once more"))
        ask_old(trip, old_post(trip, choose(trip, 2) == 1));
    enum mq_status status = ask(trip, request, trip->reply);
    if (status == MQ_OK && strikes(trip, fleet->swarm.twice, SIM_REQUEST_TWICE, "the request arrives twice")) {
        trip->reply->size = 0;
        status = ask(trip, request, trip->reply);
    }
    bool down = sim_disk_is_off(sim_machine_disk(sim_desk(fleet)->machine));
    sim_relay_leave(fleet, entered, status);
    if (down)
        return MQ_UNREACHABLE;
    if (status == MQ_OK) {
        sim_wire_promised(fleet, request, mq_written(trip->reply));
        remember(trip);
        withhold(trip);
    } else
        trip->reply->size = 0;
    trip->answer->http_status = status == MQ_OK ? 200 : status == MQ_NO_SPACE ? 507 : status == MQ_REFUSED ? 400 : 500;
    return MQ_OK;
}

/* ---- on the way ---- */

static enum mq_status way_there(struct trip *trip)
{
    struct sim_fleet *fleet = trip->fleet;
    const struct sim_swarm *swarm = &fleet->swarm;
    if (strikes(trip, swarm->slow, SIM_SLOW, "the link is slow"))
        sim_time_passes(fleet, (int64_t)choose(trip, SLOW_MS));
    if (strikes(trip, swarm->request_lost, SIM_REQUEST_LOST, "the request is lost"))
        return MQ_UNREACHABLE;
    if (strikes(trip, swarm->busy, SIM_BUSY, "the server is busy: 503")) {
        trip->answer->http_status = 503;
        trip->answer->retry_after = choose(trip, 40);
        return MQ_NOT_FOUND;
    }
    if (strikes(trip, swarm->portal, SIM_PORTAL, "somebody else's page comes back")) {
        mq_put_span(trip->reply, mq_span_text(PORTAL));
        trip->answer->http_status = choose(trip, 2) == 0 ? 200 : 302;
        return MQ_NOT_FOUND;
    }
    if (strikes(trip, swarm->request_cut, SIM_REQUEST_CUT, "the request is cut")) {
        trip->request_size = choose(trip, trip->request_size);
        trip->cut = true;
    }
    if (lies(trip, swarm->request_flip, SIM_REQUEST_FLIPPED, "a bit of the request flips"))
        flip(trip, trip->request, trip->request_size);
    return MQ_OK;
}

static enum mq_status way_back(struct trip *trip, struct mq_error *error)
{
    const struct sim_swarm *swarm = &trip->fleet->swarm;
    struct mq_buffer *reply = trip->reply;
    if (trip->cut || strikes(trip, swarm->reply_lost, SIM_REPLY_LOST, "the reply is lost")) {
        reply->size = 0;
        return mq_fail(error, MQ_UNREACHABLE, "the reply was lost");
    }
    if (lies(trip, swarm->old_reply, SIM_REPLY_OLD, "an old reply comes instead"))
        say_instead(trip, old_post(trip, false));
    if (lies(trip, swarm->crossed, SIM_REPLY_CROSSED, "the reply to another device comes instead"))
        say_instead(trip, old_post(trip, true));
    if (lies(trip, swarm->reply_flip, SIM_REPLY_FLIPPED, "a bit of the reply flips"))
        flip(trip, reply->data, reply->size);
    if (strikes(trip, swarm->reply_cut, SIM_REPLY_CUT, "the reply is cut")) {
        reply->size = choose(trip, reply->size);
        if (choose(trip, 2) == 1)
            return mq_fail(error, MQ_UNREACHABLE, "the reply was cut");
    }
    return MQ_OK;
}

static enum mq_status travel(struct trip *trip, struct mq_error *error)
{
    enum mq_status status = way_there(trip);
    if (status == MQ_NOT_FOUND) /* somebody else answered */
        return MQ_OK;
    if (status == MQ_OK)
        status = serve(trip);
    if (status != MQ_OK)
        return mq_fail(error, MQ_UNREACHABLE, "nobody answered");
    if (!trip->fleet->healing && sim_chance(trip->fleet->choices, trip->fleet->swarm.nested))
        sim_events_between(trip->fleet);
    return way_back(trip, error);
}

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct sim_member *member = context;
    struct sim_fleet *fleet = member->fleet;
    struct trip trip = {.fleet = fleet, .member = member, .reply = reply, .answer = answer};
    (void)path;
    if (fleet->healing && ++member->requests > REQUESTS_MAX) /* before, a bad link may have it ask as often */
        sim_broken(fleet->story, "I10", "a sync of %s asks and asks, and does not end", member->name);
    if (sim_is_broken(fleet->story))
        return mq_fail(error, MQ_BAD_SIGNATURE, "the run has ended");
    sim_wire_sees(fleet, body, MQ_REQUEST_HEAD_SIZE + 76u * body.data[1]);
    trip.request = malloc(body.size + 1);
    MQ_ASSERT(trip.request != NULL);
    memcpy(trip.request, body.data, body.size);
    trip.request_size = body.size;
    fleet->depth++;
    if (!fleet->healing && sim_chance(fleet->choices, fleet->swarm.nested))
        sim_events_between(fleet);
    enum mq_status status = travel(&trip, error);
    fleet->depth--;
    answer->bytes_up = (uint32_t)body.size;
    answer->bytes_down = (uint32_t)reply->size;
    free(trip.request);
    return status;
}

/* ---- a sync ---- */

static enum mq_status desk_between(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct sim_member *desk = context;
    if (sim_is_township(desk)) /* what it confirms now it may lose with its disk, or hear that its writer's rights were taken */
        sim_ghost_note_desk(desk);
    return mq_receipts_make(desk->replica, team, error);
}

struct mq_transport sim_transport(struct sim_member *member)
{
    return (struct mq_transport){.context = member, .post = post};
}

enum mq_status sim_sync(struct sim_member *member)
{
    struct sim_fleet *fleet = member->fleet;
    const struct mq_transport transport = sim_transport(member);
    const struct mq_sync_hooks hooks = {.context = member, .between = desk_between};
    struct mq_sync_result result = {0};
    struct mq_error error = {0};
    int64_t deadline = member->platform->monotonic_ms(member->platform->self) + SYNC_MS;
    fleet->tally.syncs++;
    member->requests = 0;
    sim_tell(fleet->story, "%s syncs", member->name);
    fleet->story->depth++;
    enum mq_status status = mq_sync(member->replica, &member->team, &transport, sim_merges(member) ? &hooks : NULL,
                                    deadline, &result, &error);
    fleet->story->depth--;
    if (result.cloned)
        sim_learnt_copy(member);
    sim_tell(fleet->story, "%s: sent %lld, received %lld in %lld requests%s%s%s", member->name, (long long)result.sent,
             (long long)result.received, (long long)result.requests, result.cloned ? ", knows now that it is a copy" : "",
             status == MQ_OK ? "" : ": ", status == MQ_OK ? "" : error.text);
    return status;
}
