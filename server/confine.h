/* The cages of the server's two processes (platform/sandbox.h), and the word about them in the log. */
#ifndef MQ_SERVER_CONFINE_H
#define MQ_SERVER_CONFINE_H

#include "platform/sandbox.h"

/* The front: of all files only DATA/relay, no new sockets, no programs. Once its store, certificate and listener are
 * open, before its threads. What this machine cannot enforce is said in the log, and the server runs without it. */
struct mq_sandbox_report mq_confine_front(const char *data);

/* The desk beside a front: no network, no programs. Its files stay free, since backups, exports and the root's key are
 * where a person says. Once its link and its local socket are open. */
struct mq_sandbox_report mq_confine_desk(void);

#endif
