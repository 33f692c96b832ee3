/* The organisation that every run begins with, and each run's own copy of it. */
#include "tests/sim/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "platform/db.h"
#include "protocol/assert.h"
#include "protocol/control_keys.h"
#include "protocol/identity_keys.h"
#include "replica/cases.h"
#include "replica/outbox.h"
#include "tests/sim/events.h"
#include "tests/sim/ghost.h"
#include "tests/sim/power.h"
#include "tests/sim/story.h"
#include "tests/sim/wire.h"

#define FIRST_DAY 20000
#define LAST_DAY 90000 /* a certificate's time is not what this world is about */
#define FIRST_WALL 1780000000
#define COUNTY_SERIAL 1
#define TOWNSHIP (SIM_DEVICES_MAX + 1) /* its place in the template */

/* Everything is closed: what stands here is copied for each run. */
static struct {
    struct sim_choices *choices; /* benign for ever */
    struct mq_identity root;
    struct sim_machine *machines[TOWNSHIP + 1]; /* [0] the server's */
    struct mq_team teams[TOWNSHIP + 1];
    struct mq_access access[TOWNSHIP + 1];
} template;

static struct mq_error problem;

static void must(enum mq_status status)
{
    if (status != MQ_OK)
        fprintf(stderr, "sim: %s\n", problem.text);
    MQ_ASSERT(status == MQ_OK);
}

/* ---- the organisation ---- */

static void certify(struct mq_replica *replica, struct mq_team *team, const struct mq_identity *issuer,
                    enum mq_role role, uint32_t serial)
{
    const struct mq_identity *own = mq_replica_identity(replica);
    struct mq_certificate *certificate = &team->certificate;
    *certificate =
        (struct mq_certificate){.role = role, .serial = serial, .issued_day = FIRST_DAY, .expiry_day = LAST_DAY};
    memset(certificate->team, 0x54, MQ_ID_SIZE);
    memcpy(certificate->sign_public, own->sign_public, MQ_PUBLIC_SIZE);
    memcpy(certificate->box_public, own->box_public, MQ_PUBLIC_SIZE);
    mq_certificate_sign(certificate, issuer);
    memcpy(team->team, certificate->team, MQ_ID_SIZE);
    mq_mailbox(team->mailbox, team->team, 0);
    snprintf(team->name, sizeof team->name, "%s", "杉坪队");
    memset(team->token, (int)serial, MQ_TOKEN_SIZE);
    must(mq_root_put(replica, template.root.sign_public, &problem));
    must(mq_team_put(replica, team, &problem));
    must(mq_setting_put(replica, "url", mq_span_text("https://desk.example"), &problem)); /* what the spool is for */
    must(mq_setting_put(replica, "pin", mq_span(certificate->sign_public, MQ_HASH_SIZE), &problem));
}

static struct mq_access access_of(const struct mq_replica *replica, const struct mq_team *team, uint8_t rights)
{
    struct mq_access access = {.rights = rights};
    mq_token_hash(access.token_hash, team->token);
    mq_key_name(access.key_name, mq_replica_identity(replica)->sign_public);
    return access;
}

static enum mq_status first_grants(struct mq_replica *desk, void *context, struct mq_error *error)
{
    static const uint32_t compartments[] = {MQ_COMPARTMENT_TEAM, MQ_COMPARTMENT_RESTRICTED, MQ_COMPARTMENT_SENSITIVE};
    enum mq_status status = MQ_OK;
    for (size_t i = 0; i < sizeof compartments / sizeof *compartments && status == MQ_OK; i++)
        status = mq_grant_next(desk, context, compartments[i], error);
    return status;
}

/* What a device is given when it joins: the desk's certificate, and keys; of what is restricted only the grant. */
static void hand_over(struct mq_replica *desk, struct mq_replica *replica)
{
    static const uint32_t compartments[] = {MQ_COMPARTMENT_TEAM, MQ_COMPARTMENT_RESTRICTED, MQ_COMPARTMENT_SENSITIVE};
    must(mq_desk_put(replica, &template.teams[SIM_DESK].certificate, &problem));
    for (size_t i = 0; i < sizeof compartments / sizeof *compartments; i++) {
        struct mq_grant grant;
        struct mq_secret key;
        uint8_t mailbox[MQ_ID_SIZE];
        mq_mailbox(mailbox, template.teams[SIM_DESK].team, compartments[i]);
        must(mq_key_newest(desk, mailbox, &grant, &key, &problem));
        must(mq_grant_put(replica, &grant, compartments[i] == MQ_COMPARTMENT_RESTRICTED ? NULL : &key, &problem));
    }
}

static enum mq_status put_access(struct mq_replica *desk, const struct mq_team *team, const struct mq_access *entries,
                                 size_t count, struct mq_error *error)
{
    uint8_t body_memory[1024], object_memory[2048];
    struct mq_buffer body = mq_buffer(body_memory, sizeof body_memory),
                     object = mq_buffer(object_memory, sizeof object_memory);
    for (size_t i = 0; i < count; i++)
        mq_access_put(&body, &entries[i]);
    struct mq_control control = {.kind = MQ_CONTROL_ACCESS, .body = mq_written(&body)};
    memcpy(control.team, team->team, MQ_ID_SIZE);
    enum mq_status status = mq_control_number(desk, &control.number, error);
    if (status == MQ_OK)
        status = mq_control_sign(&object, &control, mq_replica_identity(desk));
    return status == MQ_OK ? mq_outbox_put(desk, MQ_FRAME_CONTROL, mq_span_text("access"), mq_written(&object), error)
                           : status;
}

static struct mq_replica *new_replica(struct sim_machine *machine)
{
    struct mq_replica *replica;
    must(mq_replica_create(&replica, sim_machine_platform(machine), SIM_HOME, mq_span_text(SIM_PASSPHRASE), SIM_KDF_MIB,
                           &problem));
    return replica;
}

/* What the desk says of itself and of a township's. */
static void tell_of_desk(struct mq_replica *desk, const struct mq_certificate *certificate)
{
    uint8_t bytes[MQ_CERTIFICATE_SIZE];
    mq_certificate_encode(bytes, certificate);
    must(mq_desk_put(desk, certificate, &problem));
    must(mq_outbox_put(desk, MQ_FRAME_CERTIFICATE, MQ_SPAN(bytes), MQ_SPAN(bytes), &problem));
}

/* The desk's words for everybody wait in its outbox; every device begins with a store of its own and nothing in it. */
static struct mq_replica *make_desk(void)
{
    struct mq_team *team = &template.teams[SIM_DESK];
    struct mq_replica *desk = new_replica(template.machines[SIM_DESK]);
    certify(desk, team, &template.root, MQ_ROLE_COUNTY_DESK, COUNTY_SERIAL);
    tell_of_desk(desk, &team->certificate);
    must(mq_replica_transact(desk, first_grants, team, &problem));
    template.access[SIM_DESK] = access_of(
        desk, team, MQ_ACCESS_MEMBER | MQ_ACCESS_DESK | MQ_ACCESS_RESTRICTED | MQ_ACCESS_SENSITIVE);
    return desk;
}

/* A new member is certified, is given keys, and stands in the desk's list. A township's desk is certified by the root, and
 * everybody hears of it. */
static void join(struct mq_replica *desk, struct mq_replica *member, struct mq_team *team, enum mq_role role, uint32_t serial)
{
    bool township = role == MQ_ROLE_DESK;
    certify(member, team, township ? &template.root : mq_replica_identity(desk), role, serial);
    hand_over(desk, member);
    if (township) {
        must(mq_desk_put(member, &team->certificate, &problem));
        tell_of_desk(desk, &team->certificate);
    }
    must(sim_enlist(desk, &team->certificate, false, &problem));
}

static void make_relay(struct sim_machine *machine)
{
    struct mq_store *store;
    must(mq_store_sqlite_open(&store, sim_machine_platform(machine), SIM_RELAY, &problem));
    store->verbs->close(store);
}

void sim_template_make(void)
{
    struct mq_secret seeds[2] = {{{1}}, {{2}}};
    mq_error_clear(&problem);
    MQ_ASSERT(mq_crypto_start() == MQ_OK);
    mq_identity_from_seeds(&template.root, &seeds[0], &seeds[1]);
    template.choices = sim_choices_replay(NULL, 0);
    for (unsigned i = 0; i <= TOWNSHIP; i++)
        template.machines[i] = sim_machine_new(template.choices, i, 1000 + i);
    struct mq_replica *desk = make_desk();
    make_relay(template.machines[SIM_DESK]);
    for (unsigned i = 1; i <= TOWNSHIP; i++) {
        struct mq_replica *member = new_replica(template.machines[i]);
        join(desk, member, &template.teams[i], i == TOWNSHIP ? MQ_ROLE_DESK : MQ_ROLE_CADRE, COUNTY_SERIAL + i);
        template.access[i] = access_of(member, &template.teams[i], MQ_ACCESS_MEMBER | MQ_ACCESS_SENSITIVE);
        mq_replica_close(member);
    }
    must(put_access(desk, &template.teams[SIM_DESK], template.access, TOWNSHIP + 1, &problem));
    mq_replica_close(desk);
}

void sim_template_free(void)
{
    for (unsigned i = 0; i <= TOWNSHIP; i++)
        sim_machine_free(template.machines[i]);
    sim_choices_free(template.choices);
}

/* ---- a run's own ---- */

uint64_t sim_fleet_seed(struct sim_fleet *fleet)
{
    uint64_t seed;
    sim_chance_bytes(&fleet->chance, &seed, sizeof seed);
    return seed;
}

struct sim_member *sim_fleet_place(struct sim_fleet *fleet, const char *name)
{
    if (fleet->member_count == SIM_MEMBERS_MAX)
        return NULL;
    struct sim_member *member = &fleet->members[fleet->member_count];
    *member = (struct sim_member){.fleet = fleet, .number = (unsigned)fleet->member_count++};
    snprintf(member->name, sizeof member->name, "%s", name);
    member->machine = sim_machine_new(fleet->choices, fleet->next_machine++, sim_fleet_seed(fleet));
    member->platform = sim_machine_platform(member->machine);
    sim_machine_set_wall(member->machine, fleet->wall);
    return member;
}

static void member_begin(struct sim_fleet *fleet, const char *name, unsigned place)
{
    struct sim_member *member = sim_fleet_place(fleet, name);
    sim_machine_copy_disk(member->machine, template.machines[place], true);
    member->team = template.teams[place];
}

/* The county awaits a township's desk; only in some runs is there one. */
static void members_begin(struct sim_fleet *fleet, unsigned devices, bool township)
{
    for (unsigned i = 0; i <= devices; i++) {
        char name[16];
        snprintf(name, sizeof name, i == SIM_DESK ? "the desk" : "device %u", i);
        member_begin(fleet, name, i);
    }
    if (township) {
        member_begin(fleet, "the township", TOWNSHIP);
        sim_happened(fleet, SIM_TOWNSHIP);
    }
    fleet->backups[0] = sim_machine_new(fleet->choices, fleet->next_machine++, sim_fleet_seed(fleet));
    sim_machine_copy_disk(fleet->backups[0], template.machines[SIM_DESK], true);
    fleet->backup_count = 1;
}

/* Most teams are small: what each writes comes to each. */
static const unsigned teams[] = {2, 1, 2, 3, 2, 3, 4, SIM_DEVICES_MAX};
#define TOWNSHIP_ONE_IN 3 /* runs has a township's desk */

void sim_fleet_begin(struct sim_fleet *fleet, struct sim_choices *choices, struct sim_story *story, uint64_t seed)
{
    *fleet = (struct sim_fleet){
        .choices = choices, .story = story, .chance = seed, .wall = FIRST_WALL, .next_machine = TOWNSHIP + 1};
    fleet->ghost = sim_ghost_new();
    fleet->wire = sim_wire_new();
    memcpy(fleet->relay.root_public, template.root.sign_public, MQ_PUBLIC_SIZE);
    unsigned devices = teams[sim_choose(choices, sizeof teams / sizeof *teams)];
    members_begin(fleet, devices, sim_choose(choices, TOWNSHIP_ONE_IN) == TOWNSHIP_ONE_IN - 1);
}

void sim_fleet_end(struct sim_fleet *fleet)
{
    for (size_t i = fleet->member_count; i-- > 0;) {
        sim_disk_cut(sim_machine_disk(fleet->members[i].machine)); /* nobody needs what a good end would still write */
        sim_close(&fleet->members[i]);
        sim_machine_free(fleet->members[i].machine);
        sim_machine_free(fleet->members[i].image);
    }
    for (size_t i = 0; i < fleet->backup_count; i++)
        sim_machine_free(fleet->backups[i]);
    for (size_t i = 0; i < SIM_POCKETS; i++)
        free(fleet->pockets[i].bytes);
    for (size_t i = 0; i < SIM_OLD_POSTS; i++) {
        free(fleet->old_posts[i].request);
        free(fleet->old_posts[i].reply);
    }
    sim_ghost_free(fleet->ghost);
    sim_wire_free(fleet->wire);
}

/* ---- who belongs to it ---- */

bool sim_fleet_tell_access(struct sim_fleet *fleet)
{
    struct mq_access entries[TOWNSHIP + 1 + SIM_MEMBERS_MAX];
    size_t count = TOWNSHIP + 1;
    struct mq_error error = {0};
    memcpy(entries, template.access, sizeof template.access);
    for (size_t i = 1; i < fleet->member_count; i++) {
        const struct sim_member *member = &fleet->members[i];
        if (sim_enlist(sim_desk(fleet)->replica, &member->team.certificate, member->revoked, &error) != MQ_OK)
            return false;
        uint32_t serial = member->team.certificate.serial;
        struct mq_access *access = &entries[serial <= COUNTY_SERIAL + TOWNSHIP ? serial - COUNTY_SERIAL : count++];
        access->rights = member->revoked ? MQ_ACCESS_REVOKED : MQ_ACCESS_MEMBER | MQ_ACCESS_SENSITIVE;
        mq_token_hash(access->token_hash, member->team.token);
        mq_key_name(access->key_name, member->team.certificate.sign_public);
    }
    return put_access(sim_desk(fleet)->replica, &sim_desk(fleet)->team, entries, count, &error) == MQ_OK;
}

struct sim_member *sim_fleet_enrol(struct sim_fleet *fleet, enum mq_role role)
{
    char name[16];
    struct sim_member *desk = sim_desk(fleet);
    snprintf(name, sizeof name, "%s %zu", role == MQ_ROLE_DESK ? "township" : "device", fleet->member_count);
    struct sim_member *member = desk->replica == NULL ? NULL : sim_fleet_place(fleet, name);
    if (member == NULL)
        return NULL;
    mq_error_clear(&problem);
    member->replica = new_replica(member->machine);
    join(desk->replica, member->replica, &member->team, role, COUNTY_SERIAL + TOWNSHIP + member->number);
    sim_close(member); /* as `join` ends: what it was given is in the store, and no log that rots can take it back */
    (void)sim_open(member);
    return member;
}
