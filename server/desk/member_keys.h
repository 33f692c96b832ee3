/* A member as the desk knows him, and the end of his membership. */
#ifndef MQ_SERVER_DESK_MEMBER_KEYS_H
#define MQ_SERVER_DESK_MEMBER_KEYS_H

#include "server/desk/desk_keys.h"

struct mq_member {
    struct mq_certificate certificate;
    char name[MQ_NAME_TEXT_MAX + 1];
    unsigned rights; /* replica/cases.h */
    bool revoked;
    struct mq_team team;
};
/* By the id or the number that `member list` shows, or by a name that only one has who was not revoked. Who is in no list,
 * since the desk was set back to before he joined, by id or number alone: what he wrote says them. MQ_REFUSED, in words. */
MQ_MUST_USE enum mq_status mq_member_find(struct mq_desk *desk, const char *text, struct mq_member *out,
                                          struct mq_error *error);

/* Revokes every certificate under the member's key in his team, changes all keys that he could read, and tells the relay.
 * Everything open must be sealed. Within a transaction. MQ_REFUSED, in words. */
MQ_MUST_USE enum mq_status mq_member_revoke(struct mq_desk *desk, const struct mq_member *member,
                                            struct mq_error *error);
/* A desk that was set back hears of revocations from others: whom they name is no member any more. And of certificates that it
 * had forgotten: those under a key whose rights were taken are revoked. Everything open must be sealed. Within a
 * transaction. */
MQ_MUST_USE enum mq_status mq_members_settle(struct mq_desk *desk, const struct mq_team *team, struct mq_error *error);

#endif
