/* Entering the cages; see confine.h. */
#include "server/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "platform/log.h"
#include "server/data.h"

/* What the C library would load at its first use, when files or mappings of code are out of reach: messages of ours and of
 * its own, in the encoding of this locale, and the time zone. */
static void load_words(void)
{
    (void)_("the server is ending; nothing was lost");
    (void)strerror(EACCES);
    tzset();
}

static void say(const char *process, const struct mq_sandbox_report *report)
{
    bool whole = report->landlock_abi > 0 && report->filter_trouble == 0;
    char files[32];

    snprintf(files, sizeof files, "landlock-%d", report->landlock_abi);
    mq_log(whole ? MQ_LOG_INFO : MQ_LOG_WARNING, "confined", mq_log_text("process", process),
           mq_log_text("files", report->landlock_abi > 0 ? files : strerror(report->landlock_trouble)),
           mq_log_text("calls", report->filter_trouble == 0 ? "filtered" : strerror(report->filter_trouble)));
}

struct mq_sandbox_report mq_confine_front(const char *data)
{
    struct mq_sandbox_report report = {.landlock_trouble = ENAMETOOLONG, .filter_trouble = ENAMETOOLONG};
    struct mq_data_path store;
    struct mq_error error = {0};

    load_words();
    if (mq_data_path(&store, data, "relay", &error) == MQ_OK)
        mq_sandbox_enter(&(struct mq_sandbox){.role = MQ_SANDBOX_FRONT, .directory = store.text}, &report);
    say("front", &report);
    return report;
}

struct mq_sandbox_report mq_confine_desk(void)
{
    struct mq_sandbox_report report;

    load_words();
    mq_sandbox_enter(&(struct mq_sandbox){.role = MQ_SANDBOX_DESK}, &report);
    say("desk", &report);
    return report;
}
