/* Opening the centre, its passphrase, and its transport to the store. */
#include "server/centre_keys.h"

#include <stdlib.h>
#include <string.h>

#include "platform/secret_key.h"
#include "platform/terminal.h"
#include "protocol/assert.h"
#include "replica/join_keys.h"
#include "server/data.h"

#define DESK_WAIT_MS 5000

/* ---- transport ---- */

static enum mq_status post(void *context, const char *path, struct mq_span body, struct mq_buffer *reply,
                           struct mq_post_answer *answer, struct mq_error *error)
{
    struct mq_centre *centre = context;

    MQ_ASSERT(strcmp(path, "/v1/exchange") == 0);
    enum mq_status status = mq_link_ask(&centre->link, MQ_LINK_EXCHANGE, body, reply, error);
    if (status == MQ_OK)
        answer->http_status = 200;
    return status;
}

static enum mq_status open_store(struct mq_centre *centre, const struct mq_platform *platform, const char *data,
                                 struct mq_error *error)
{
    struct mq_data_path path;
    enum mq_status status = mq_data_path(&path, data, "relay/store.db", error);

    if (status == MQ_OK)
        status = mq_store_sqlite_open(&centre->store, platform, path.text, error);
    if (status != MQ_OK)
        return status;
    centre->relay = (struct mq_relay){.platform = platform, .store = centre->store};
    memcpy(centre->relay.root_public, mq_replica_root(centre->desk.replica), MQ_PUBLIC_SIZE);
    return MQ_OK;
}

/* To a relay on another machine; `url` NULL: where the newest invitation says. */
static enum mq_status go_upstream(struct mq_centre *centre, const char *url, const uint8_t *pin, struct mq_error *error)
{
    char known_url[MQ_INVITATION_URL_MAX + 1];
    uint8_t known_pin[MQ_HASH_SIZE];
    enum mq_status status = url == NULL ? mq_join_address(centre->desk.replica, known_url, known_pin, error) : MQ_OK;

    if (status == MQ_NOT_FOUND && centre->desk.township)
        return mq_fail(error, MQ_REFUSED, _("this desk has joined no team yet; run `minqingd join` once more"));
    if (status == MQ_NOT_FOUND)
        return mq_fail(
            error, MQ_REFUSED,
            _("say where the relay is: desk --upstream URL --pin HEX; for both on one machine: serve"));
    if (status != MQ_OK)
        return status;
    centre->link.relay = NULL; /* the store is out of reach but for exchanges */
    status = url == NULL ? mq_remote_open(&centre->remote, known_url, known_pin, error)
                         : mq_remote_open(&centre->remote, url, pin, error);
    centre->desk.transport = mq_remote_transport(&centre->remote);
    return status;
}

/* A county's relay stands where its desk ran last: on this machine beside it, or elsewhere. */
static enum mq_status remember_where(struct mq_centre *centre, bool elsewhere, struct mq_error *error)
{
    struct mq_replica *replica = centre->desk.replica;
    int64_t before;
    enum mq_status status = mq_setting_number(replica, MQ_DESK_RELAY_ELSEWHERE, &before, error);

    if (status != MQ_OK || (before != 0) == elsewhere)
        return status;
    return mq_setting_put_number(replica, MQ_DESK_RELAY_ELSEWHERE, elsewhere, error);
}

/* The store in DIR is not the one that devices reach, where their relay is elsewhere: no command may take it for that. */
static enum mq_status open_here(struct mq_centre *centre, const struct mq_platform *platform, const char *data,
                                struct mq_error *error)
{
    int64_t elsewhere;
    enum mq_status status = mq_setting_number(centre->desk.replica, MQ_DESK_RELAY_ELSEWHERE, &elsewhere, error);

    centre->desk.cut_off = status == MQ_OK && elsewhere != 0;
    return status == MQ_OK ? open_store(centre, platform, data, error) : status;
}

enum mq_status mq_centre_open(struct mq_centre *centre, const struct mq_platform *platform, const char *data,
                              const struct mq_phrase *passphrase, int descriptor, struct mq_error *error)
{
    *centre = (struct mq_centre){.link = {.descriptor = descriptor, .relay = &centre->relay}};
    enum mq_status status = mq_desk_open(&centre->desk, platform, data, passphrase, DESK_WAIT_MS, error);

    centre->desk.transport = (struct mq_transport){centre, post};
    if (status != MQ_OK)
        return status;
    if (descriptor >= 0 && !centre->desk.township)
        return remember_where(centre, false, error);
    if (descriptor >= 0)
        return mq_fail(error, MQ_REFUSED, _("the desk in %s is a township's and serves no devices; run `minqingd desk`"),
                       data);
    return centre->desk.township ? go_upstream(centre, NULL, NULL, error) : open_here(centre, platform, data, error);
}

enum mq_status mq_centre_open_remote(struct mq_centre *centre, const struct mq_platform *platform, const char *data,
                                     const struct mq_phrase *passphrase, const char *url, const uint8_t *pin,
                                     struct mq_error *error)
{
    *centre = (struct mq_centre){.link = {.descriptor = -1}};
    enum mq_status status = mq_desk_open(&centre->desk, platform, data, passphrase, DESK_WAIT_MS, error);

    if (status == MQ_OK)
        status = go_upstream(centre, url, pin, error);
    return status == MQ_OK && !centre->desk.township ? remember_where(centre, true, error) : status;
}

void mq_centre_close(struct mq_centre *centre)
{
    mq_desk_close(&centre->desk);
    if (centre->store != NULL)
        centre->store->verbs->close(centre->store);
    centre->store = NULL;
    mq_remote_close(&centre->remote);
}

/* ---- passphrase ---- */

static enum mq_status ask(struct mq_phrase *phrase, bool twice, struct mq_error *error)
{
    struct mq_buffer typed = mq_buffer(phrase->bytes, sizeof phrase->bytes);
    enum mq_status status = mq_passphrase_ask(
        &typed, twice ? _("New passphrase for this centre:") : _("Passphrase of this centre:"), error);

    phrase->size = typed.size;
    if (status != MQ_OK || !twice)
        return status;
    struct mq_phrase *again = mq_secret_alloc(sizeof *again);
    mq_enough(again);
    typed = mq_buffer(again->bytes, sizeof again->bytes);
    status = mq_passphrase_ask(&typed, _("Once more:"), error);
    if (status == MQ_OK && (typed.size != phrase->size || memcmp(phrase->bytes, again->bytes, typed.size) != 0))
        status = mq_fail(error, MQ_REFUSED, _("the two passphrases differ; nothing was made"));
    mq_secret_free(again);
    return status;
}

enum mq_status mq_phrase_get(struct mq_phrase **out, const struct mq_command_line *line, bool twice,
                             struct mq_error *error)
{
    const char *file = mq_option_get(line, "passphrase-file");
    struct mq_phrase *phrase = mq_secret_alloc(sizeof *phrase);

    mq_enough(phrase);
    *out = NULL;
    if (file == NULL)
        file = getenv("MINQING_PASSPHRASE_FILE");
    enum mq_status status;
    if (file != NULL && file[0] != '\0') {
        struct mq_buffer content = mq_buffer(phrase->bytes, sizeof phrase->bytes);
        status = mq_passphrase_read(&content, file, error);
        phrase->size = content.size;
    } else
        status = ask(phrase, twice, error);
    if (status == MQ_OK)
        *out = phrase;
    else
        mq_secret_free(phrase);
    return status;
}
