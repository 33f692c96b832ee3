/* Opening a desk, and its sync with the store. */
#include "server/desk/desk_keys.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/assert.h"
#include "replica/receipts.h"
#include "replica/rotate.h"
#include "server/desk/enrol_keys.h"
#include "server/desk/member_keys.h"
#include "server/desk/rights_keys.h"
#include "server/desk/root_keys.h"

#define DAY_SECONDS 86400
#define SYNC_MS 20000 /* for one team */

enum mq_status mq_desk_open(struct mq_desk *desk, const struct mq_platform *platform, const char *data,
                            const struct mq_phrase *passphrase, int wait_ms, struct mq_error *error)
{
    char home[MQ_PATH_MAX];
    int64_t township = 0;

    *desk = (struct mq_desk){.platform = platform, .data = data, .passphrase = passphrase};
    mq_home_path(home, data, "desk");
    if (!mq_vault_exists(platform, home))
        return mq_fail(error, MQ_NOT_FOUND, _("there is no centre in %s; `minqingd init` makes one"), data);
    enum mq_status status = mq_replica_open(&desk->replica, platform, home,
                                            mq_span(passphrase->bytes, passphrase->size), wait_ms, error);
    if (status == MQ_OK)
        status = mq_setting_number(desk->replica, MQ_DESK_TOWNSHIP, &township, error);
    desk->township = status == MQ_OK && township != 0;
    if (status == MQ_OK && !desk->township)
        status = mq_rights_complete_all(desk, error);
    return status;
}

void mq_desk_close(struct mq_desk *desk)
{
    mq_replica_close(desk->replica);
    desk->replica = NULL;
}

enum mq_status mq_root_of(struct mq_desk *desk, const char *file, struct mq_identity *root, struct mq_error *error)
{
    char own[MQ_PATH_MAX];

    mq_home_path(own, desk->data, "root.key");
    if (file == NULL)
        file = own;
    enum mq_status status =
        mq_root_read(desk->platform, file, mq_span(desk->passphrase->bytes, desk->passphrase->size), root, error);
    if (status != MQ_OK || memcmp(root->sign_public, mq_replica_root(desk->replica), MQ_PUBLIC_SIZE) == 0)
        return status;
    mq_identity_wipe(root);
    return mq_fail(error, MQ_WRONG_KEY, _("the key in %s is not the root of this centre"), file);
}

uint32_t mq_desk_today(const struct mq_desk *desk)
{
    int64_t day = mq_now(desk->platform) / DAY_SECONDS;

    return day < 0 ? 0 : day > UINT32_MAX ? UINT32_MAX : (uint32_t)day;
}

enum mq_status mq_desk_serial(struct mq_desk *desk, uint32_t *serial, struct mq_error *error)
{
    int64_t last;
    enum mq_status status = mq_setting_number(desk->replica, "serial", &last, error);

    if (status != MQ_OK)
        return status;
    if (last < 0 || last >= UINT32_MAX)
        return mq_fail(error, MQ_REFUSED, _("this desk has used up its numbers for certificates"));
    *serial = (uint32_t)last + 1;
    return mq_setting_put_number(desk->replica, "serial", last + 1, error);
}

/* ---- teams ---- */

struct collect {
    struct mq_team *teams;
    size_t count;
};

static enum mq_status collect_team(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct collect *collect = context;

    (void)error;
    MQ_ASSERT(collect->count < MQ_DESKS_MAX); /* mq_team_add keeps it */
    collect->teams[collect->count++] = *team;
    return MQ_OK;
}

enum mq_status mq_desk_teams(struct mq_desk *desk, struct mq_team **teams, size_t *count, struct mq_error *error)
{
    struct collect collect = {.teams = calloc(MQ_DESKS_MAX, sizeof **teams)};

    mq_enough(collect.teams);
    enum mq_status status = mq_team_each(desk->replica, collect_team, &collect, error);
    if (status != MQ_OK || collect.count == 0) {
        free(collect.teams);
        collect = (struct collect){0};
    }
    *teams = collect.teams;
    *count = collect.count;
    return status;
}

/* ---- epochs ---- */

struct rotation {
    struct mq_desk *desk;
    bool any;
};

static enum mq_status rotate_all(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct rotation *work = context;
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(work->desk, &teams, &count, error);

    for (size_t i = 0; i < count && status == MQ_OK; i++) {
        bool rotated = false;
        if (mq_role_governs(teams[i].certificate.role))
            status = mq_rotate_due(replica, &teams[i], &rotated, error);
        work->any = work->any || rotated;
    }
    free(teams);
    return status;
}

enum mq_status mq_desk_rotate(struct mq_desk *desk, struct mq_error *error)
{
    struct rotation work = {.desk = desk};
    int64_t now = desk->platform->monotonic_ms(desk->platform->self);

    if (desk->township || (desk->rotated && now - desk->rotated_ms < (int64_t)MQ_EPOCH_LEAST_S * 1000))
        return MQ_OK;
    enum mq_status status = mq_replica_transact(desk->replica, rotate_all, &work, error);
    if (status == MQ_OK && work.any) {
        desk->rotated = true;
        desk->rotated_ms = now;
    }
    return status;
}

/* ---- sync ---- */

static enum mq_status give_receipts(void *context, const struct mq_team *team, struct mq_error *error)
{
    struct mq_desk *desk = context;
    enum mq_status status = desk->township ? MQ_OK : mq_members_settle(desk, team, error);

    return status == MQ_OK ? mq_receipts_make(desk->replica, team, error) : status;
}

static enum mq_status answer_enrolment(void *context, const struct mq_team *team, struct mq_span request,
                                       struct mq_error *error)
{
    (void)team; /* the invitation names its own */
    return mq_enrol_take(context, request, error);
}

static enum mq_status sync_once(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    const struct mq_sync_hooks hooks = {desk, desk->township ? NULL : answer_enrolment, give_receipts};
    struct mq_sync_result result = {0};
    int64_t deadline = desk->platform->monotonic_ms(desk->platform->self) + SYNC_MS;

    return mq_sync(desk->replica, team, &desk->transport, &hooks, deadline, &result, error);
}

/* A stranger to the store: it was emptied, and knows this desk's access lists no more. Everything is said once more. */
static enum mq_status sync_team(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error)
{
    enum mq_status status = sync_once(desk, team, error);

    if (status != MQ_REFUSED || desk->township)
        return status;
    mq_error_clear(error);
    status = mq_db_run(mq_replica_db(desk->replica), error, "UPDATE outbox SET sent = 0", "");
    return status == MQ_OK ? sync_once(desk, team, error) : status;
}

static enum mq_status sync_all(struct mq_desk *desk, struct mq_error *error)
{
    struct mq_team *teams;
    size_t count;
    enum mq_status status = mq_desk_teams(desk, &teams, &count, error), one = MQ_OK;

    for (size_t i = 0; i < count && one != MQ_UNREACHABLE; i++) {
        struct mq_error own = {0};
        one = sync_team(desk, &teams[desk->turn++ % count], &own);
        if (one != MQ_OK && status == MQ_OK)
            status = mq_fail(error, one, "%s", own.text);
    }
    free(teams);
    return status;
}

enum mq_status mq_desk_sync(struct mq_desk *desk, struct mq_error *error)
{
    enum mq_status status =
        desk->cut_off ? mq_fail(error, MQ_UNREACHABLE,
                                _("the relay is on another machine, and is reached while `minqingd desk` runs; nothing is lost"))
                      : sync_all(desk, error);

    desk->unreached = (struct mq_error){0};
    if (status == MQ_UNREACHABLE) {
        desk->unreached = *error;
        desk->unreached_ms = desk->platform->monotonic_ms(desk->platform->self);
    }
    return status;
}
