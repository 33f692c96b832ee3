/* Invitation and enrolment: how a new device comes to its certificate and keys (docs/protocol.md, section 1). */
#ifndef MQ_PROTOCOL_ENROL_KEYS_H
#define MQ_PROTOCOL_ENROL_KEYS_H

#include "protocol/certificate.h"
#include "protocol/grant_keys.h"
#include "protocol/keys.h"

/* "minqing:" and base64url without padding of: version 1, expiry day 4, url length 1, url (visible ASCII), SPKI hash
 * 32, root public 32, desk certificate 166, secret 16, check value 8 = H_8("invit", all before). The team is the desk
 * certificate's. */
struct mq_invitation {
    uint32_t expiry_day;
    char url[MQ_INVITATION_URL_MAX + 1];
    uint8_t server_pin[MQ_HASH_SIZE];
    uint8_t root_public[MQ_PUBLIC_SIZE];
    struct mq_certificate desk;
    uint8_t secret[MQ_SECRET_SIZE];
};
/* Writes text without a final NUL, at most MQ_INVITATION_TEXT_MAX. MQ_REFUSED: the url is empty or not visible ASCII;
 * MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_invitation_print(struct mq_buffer *out, const struct mq_invitation *invitation);
/* MQ_REFUSED: not an invitation; MQ_DAMAGED: the check value does not fit (mistyped, cut); MQ_BAD_SIGNATURE: the desk's
 * certificate is not the root's. Blanks and line breaks around and within are ignored. `out` is zeros unless MQ_OK. */
MQ_MUST_USE enum mq_status mq_invitation_parse(struct mq_invitation *out, struct mq_span text);
/* How the desk finds it again without the secret being sent: H_16("invit", secret). */
void mq_invitation_name(uint8_t out[MQ_ID_SIZE], const uint8_t secret[MQ_SECRET_SIZE]);

/* What the device asks. */
struct mq_enrol_request {
    uint8_t sign_public[MQ_PUBLIC_SIZE], box_public[MQ_PUBLIC_SIZE];
    char name[MQ_NAME_TEXT_MAX + 1]; /* UTF-8, NUL-ended */
};
/* Version 1, invitation name 16, sealed to the desk's box key: (sign public 32, box public 32, signature 64 by the new
 * sign key over the rest, name), then MAC 32 = K_32(H_32("enrol", 1, secret), "enrol", all before). `ephemeral` fresh
 * random. The keys in `request` are the device's own (asserted). MQ_REFUSED: the name is no UTF-8 or holds control
 * characters, or the desk's box key is of small order; MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_enrol_request_seal(struct mq_buffer *out, const struct mq_enrol_request *request,
                                                 const struct mq_invitation *invitation,
                                                 const struct mq_identity *device, const struct mq_secret *ephemeral);
/* The name, readable by the desk before it knows the secret. MQ_REFUSED: no request. */
MQ_MUST_USE enum mq_status mq_enrol_request_name(uint8_t out[MQ_ID_SIZE], struct mq_span sealed);
/* MQ_BAD_SIGNATURE: the MAC is wrong or the device does not hold the sign key it names; MQ_WRONG_KEY: sealed to another
 * desk; MQ_REFUSED: no request. */
MQ_MUST_USE enum mq_status mq_enrol_request_open(struct mq_enrol_request *out, struct mq_span sealed,
                                                 const uint8_t secret[MQ_SECRET_SIZE], const struct mq_identity *desk);

/* What the desk answers: certificate, the desk's certificate, token, and for each compartment a grant with its wrap; the
 * wrap is zeros where the member may write there and not read. */
struct mq_enrol_reply {
    struct mq_certificate certificate, desk;
    uint8_t token[MQ_TOKEN_SIZE];
    struct mq_grant grants[MQ_ENROL_GRANTS_MAX];
    uint8_t wraps[MQ_ENROL_GRANTS_MAX][MQ_WRAP_SIZE];
    size_t grant_count;
};
/* Version 1, sealed to the device's box key, MAC 32 = K_32(H_32("enrol", 2, secret), "enrol", all before): the other
 * direction has another key, so that neither passes for the other. MQ_REFUSED: the device's box key is of small order;
 * MQ_NO_SPACE. */
MQ_MUST_USE enum mq_status mq_enrol_reply_seal(struct mq_buffer *out, const struct mq_enrol_reply *reply,
                                               const uint8_t secret[MQ_SECRET_SIZE], const struct mq_secret *ephemeral);
/* Opens and checks: MAC, the joiner's own keys in the certificate, the role that he expects (a cadre's, or a township
 * desk's: an invitation does not say which, and nobody becomes what he did not ask for), the invitation's team, chain to
 * the invitation's root, every grant signed by the desk that answers. MQ_BAD_SIGNATURE, MQ_WRONG_KEY, MQ_REFUSED; `out`
 * is zeros then. Opening the wraps is the caller's next step (mq_wrap_open). */
MQ_MUST_USE enum mq_status mq_enrol_reply_open(struct mq_enrol_reply *out, struct mq_span sealed,
                                               const struct mq_invitation *invitation, enum mq_role role,
                                               const struct mq_identity *device);
/* Where the desk refuses, the reply is 1 byte: enum mq_enrol_refusal. */
enum mq_enrol_refusal {
    MQ_ENROL_UNKNOWN = 1, /* no such invitation */
    MQ_ENROL_USED = 2,
    MQ_ENROL_EXPIRED = 3,
    MQ_ENROL_WRONG = 4    /* MAC or keys do not fit */
};

#endif
