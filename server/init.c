/* `init`: root and desk keys, TLS key, an empty store. */
#include <string.h>

#include "platform/json.h"
#include "platform/secret_key.h"
#include "protocol/assert.h"
#include "server/centre_keys.h"
#include "server/data.h"
#include "server/desk/root_keys.h"
#include "server/program.h"

#define LINE_SIZE 2048
#define DESK_SCRATCH "desk.new" /* the desk, until all of it is made */

struct new_centre {
    const struct mq_platform *platform;
    const char *data, *org, *root_out;
    const struct mq_phrase *phrase;
    int64_t kdf_memory; /* MiB; 0: chosen from what there is */
    struct mq_identity root;
};

static enum mq_status keep_root(struct new_centre *centre, struct mq_error *error)
{
    struct mq_data_path path;
    const char *file = centre->root_out;
    enum mq_status status = mq_data_path(&path, centre->data, "root.key", error);

    if (status != MQ_OK)
        return status;
    if (file == NULL)
        file = path.text;
    return mq_root_write(centre->platform, file, mq_span(centre->phrase->bytes, centre->phrase->size),
                         mq_kdf_choose((uint32_t)centre->kdf_memory), &centre->root, error);
}

static enum mq_status fill_desk(struct mq_replica *replica, void *context, struct mq_error *error)
{
    struct new_centre *centre = context;
    enum mq_status status = mq_root_put(replica, centre->root.sign_public, error);

    return status == MQ_OK ? mq_setting_put(replica, "org", mq_span_text(centre->org), error) : status;
}

static enum mq_status make_desk(struct new_centre *centre, struct mq_error *error)
{
    struct mq_data_path home;
    struct mq_replica *replica = NULL;
    enum mq_status status = mq_data_path(&home, centre->data, DESK_SCRATCH, error);

    if (status != MQ_OK)
        return status;
    mq_data_clear(home.text); /* of an init that was broken off */
    status = mq_replica_create(&replica, centre->platform, home.text,
                               mq_span(centre->phrase->bytes, centre->phrase->size), (uint32_t)centre->kdf_memory,
                               error);
    if (status == MQ_OK)
        status = mq_replica_transact(replica, fill_desk, centre, error);
    mq_replica_close(replica);
    return status;
}

static enum mq_status make_store(const struct new_centre *centre, struct mq_error *error)
{
    struct mq_data_path path;
    struct mq_store *store = NULL;
    enum mq_status status = mq_data_path(&path, centre->data, "relay", error);

    if (status == MQ_OK)
        status = centre->platform->make_directory(centre->platform->self, path.text, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, centre->data, "relay/store.db", error);
    if (status == MQ_OK)
        status = mq_store_sqlite_open(&store, centre->platform, path.text, error);
    if (store != NULL)
        store->verbs->close(store);
    return status;
}

static enum mq_status refuse_old(const struct new_centre *centre, struct mq_error *error)
{
    enum mq_status status = mq_data_whole(centre->platform, centre->data, error);

    if (status != MQ_OK)
        return status;
    if (mq_data_has(centre->platform, centre->data, "desk/vault"))
        return mq_fail(error, MQ_REFUSED, _("there is a centre in %s already; it is left as it is"), centre->data);
    if (centre->root_out == NULL && mq_data_has(centre->platform, centre->data, "root.key"))
        return mq_fail(error, MQ_REFUSED, _("an init was broken off here; remove %s/root.key, no centre uses it"),
                       centre->data);
    return MQ_OK;
}

/* The desk gets its name: from now on there is a centre. */
static enum mq_status finish(const struct new_centre *centre, struct mq_error *error)
{
    struct mq_data_path scratch, desk;
    enum mq_status status = mq_data_path(&scratch, centre->data, DESK_SCRATCH, error);

    if (status == MQ_OK)
        status = mq_data_path(&desk, centre->data, "desk", error);
    return status == MQ_OK ? centre->platform->rename(centre->platform->self, scratch.text, desk.text, error) : status;
}

static enum mq_status make_all(struct new_centre *centre, struct mq_error *error)
{
    struct mq_data_path path;
    enum mq_status status = centre->platform->make_directory(centre->platform->self, centre->data, error);

    if (status == MQ_OK)
        status = mq_data_lock(centre->platform, centre->data, 0, error);
    if (status == MQ_OK)
        status = refuse_old(centre, error);
    mq_root_make(&centre->root, centre->platform);
    if (status == MQ_OK)
        status = mq_data_tls(centre->platform, centre->data, error);
    if (status == MQ_OK)
        status = mq_data_path(&path, centre->data, "root.pub", error);
    if (status == MQ_OK)
        status = mq_data_root_write(centre->platform, path.text, centre->root.sign_public, error);
    if (status == MQ_OK)
        status = make_store(centre, error);
    if (status == MQ_OK)
        status = make_desk(centre, error);
    if (status == MQ_OK)
        status = keep_root(centre, error); /* nearly last: what was broken off leaves no key behind */
    return status == MQ_OK ? finish(centre, error) : status;
}

static void print(const struct new_centre *centre, bool json)
{
    uint8_t memory[LINE_SIZE];
    struct mq_buffer line = mq_buffer(memory, sizeof memory);
    struct mq_json_writer writer = {.out = &line};
    char fingerprint[MQ_FINGERPRINT_TEXT_SIZE];

    mq_root_fingerprint(fingerprint, centre->root.sign_public);
    mq_json_begin(&writer, '{');
    mq_json_key(&writer, "org");
    mq_json_text_value(&writer, centre->org);
    mq_json_key(&writer, "root");
    mq_json_hex_value(&writer, MQ_SPAN(centre->root.sign_public));
    mq_json_key(&writer, "fingerprint");
    mq_json_text_value(&writer, fingerprint);
    mq_json_end(&writer, '}');
    MQ_ASSERT(!line.failed);
    if (json)
        printf("%.*s\n", (int)line.size, (const char *)line.data);
    else
        printf(_("The centre of \"%s\" is made in %s.\nRoot fingerprint: %s\n"), centre->org, centre->data,
               fingerprint);
    if (centre->root_out == NULL)
        fprintf(stderr,
                _("The root's key is in %s/root.key, sealed. Move it to a stick that lies in a safe; `team add --root "
                  "FILE` "
                  "asks for it.\n"),
                centre->data);
}

static enum mq_status check_org(const char *org, struct mq_error *error)
{
    size_t length = strlen(org);
    bool plain = length > 0 && length <= MQ_NAME_TEXT_MAX && mq_utf8_line(mq_span_text(org));

    return plain ? MQ_OK : mq_fail(error, MQ_REFUSED, _("--org is one line of 1 to %d bytes"), MQ_NAME_TEXT_MAX);
}

int mq_run_init(void *context, const struct mq_command_line *line)
{
    const struct mq_program *program = context;
    const char *kdf = mq_option_get(line, "kdf-memory");
    struct new_centre centre = {.platform = program->platform,
                                .data = mq_program_data(line),
                                .org = mq_option_get(line, "org"),
                                .root_out = mq_option_get(line, "root-out")};
    struct mq_phrase *phrase = NULL;
    struct mq_error error = {0};

    if (centre.data == NULL)
        return 2;
    if (centre.org == NULL) {
        fprintf(stderr, "minqingd: %s\n", _("something is missing; write: init --data DIR --org NAME"));
        return 2;
    }
    enum mq_status status = check_org(centre.org, &error);
    if (status == MQ_OK && kdf != NULL)
        status = mq_call_number(kdf, "--kdf-memory", MQ_KDF_MIB_MIN, MQ_KDF_MIB_MAX, &centre.kdf_memory, &error);
    if (status == MQ_OK)
        status = refuse_old(&centre, &error);
    if (status == MQ_OK)
        status = mq_phrase_get(&phrase, line, true, &error);
    centre.phrase = phrase;
    if (status == MQ_OK)
        status = make_all(&centre, &error);
    if (status == MQ_OK)
        print(&centre, mq_option_get(line, "json") != NULL);
    mq_identity_wipe(&centre.root);
    mq_secret_free(phrase);
    return status == MQ_OK ? 0 : mq_program_fail(&error);
}
