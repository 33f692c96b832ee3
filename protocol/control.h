/* Control objects: what a desk says in clear, signed, to relays and devices (docs/protocol.md, section 1). An object
 * belongs to a slot (team, kind, subject, owner); a greater number replaces a smaller one and never the other way round. */
#ifndef MQ_PROTOCOL_CONTROL_H
#define MQ_PROTOCOL_CONTROL_H

#include "protocol/certificate.h"

enum mq_control_kind {
    MQ_CONTROL_RECEIPT = 1, /* subject: the stream */
    MQ_CONTROL_ACCESS = 2,  /* subject: zeros; for relays only */
    MQ_CONTROL_REVOCATION = 3 /* subject: front of the certificate's hash (protocol/revocation.h) */
};
/* Said by a county's desk alone: what decides who belongs to a team. */
bool mq_control_is_countys(uint8_t kind);
/* For everybody in the team, once: a relay puts it into the team's log too. */
bool mq_control_is_logged(uint8_t kind);

#define MQ_CONTROL_VERSION 1
#define MQ_CONTROL_HEAD_SIZE 58

struct mq_control {
    uint8_t kind; /* enum mq_control_kind; unknown ones of a county's desk are stored and passed on */
    uint8_t issuer[MQ_KID_SIZE];
    uint8_t team[MQ_ID_SIZE];
    uint8_t subject[MQ_ID_SIZE];
    uint64_t number;
    int64_t wall_seconds; /* of the desk; shown, decides nothing */
    struct mq_span body;  /* at most MQ_CONTROL_BODY_MAX; borrowed */
    uint8_t signature[MQ_SIGNATURE_SIZE];
    struct mq_span bytes; /* the whole object; borrowed */
};
/* MQ_REFUSED: length, version, kind 0. The signature is looked at by mq_control_verify. */
MQ_MUST_USE enum mq_status mq_control_decode(struct mq_control *out, struct mq_span bytes);
/* Whose slot it belongs to: zeros of what is a county's to say, since a team has one word there; else the issuer, so that
 * no desk keeps another's word out, however great the numbers that it gives. */
void mq_control_owner(uint8_t out[MQ_KID_SIZE], const struct mq_control *control);
/* Signed by this desk, for its own team, and of a kind that it may say? The certificate was verified by the caller.
 * MQ_BAD_SIGNATURE, MQ_REFUSED. */
MQ_MUST_USE enum mq_status mq_control_verify(const struct mq_control *control, const struct mq_certificate *desk);

/* A receipt: the desk has opened and merged the stream up to its head, but for the excepted ones (section 5). */
enum mq_exception_reason {
    MQ_EXCEPTION_UNDECODABLE = 1,
    MQ_EXCEPTION_NO_KEY = 2,
    MQ_EXCEPTION_REVOKED = 3,
    MQ_EXCEPTION_ROLE = 4,
    MQ_EXCEPTION_BRANCH = 5 /* no fault: this one and what it follows are merged too, on another branch of a copied writer */
};
struct mq_exception {
    uint8_t id[MQ_SEGMENT_ID_SIZE];
    uint8_t reason; /* enum mq_exception_reason */
};
struct mq_receipt {
    uint8_t desk_stream[MQ_ID_SIZE];
    uint32_t backup;  /* number of the last verified backup; 0: none */
    uint32_t head_seq;
    uint8_t head_id[MQ_SEGMENT_ID_SIZE];
    struct mq_exception excepted[MQ_EXCEPTED_MAX];
    size_t excepted_count;
};
void mq_receipt_put(struct mq_buffer *out, const struct mq_receipt *receipt);
/* MQ_REFUSED: its length, an id that is excepted twice, or an exception without a reason. */
MQ_MUST_USE enum mq_status mq_receipt_get(struct mq_receipt *out, struct mq_span body);

/* The access list: who may read and write the team's mailboxes. */
#define MQ_ACCESS_MEMBER 1u /* reads and writes */
#define MQ_ACCESS_DESK 2u   /* besides: gets enrolment requests, answers them */
#define MQ_ACCESS_REVOKED 4u/* may still bring a bounded amount, gets nothing but what is said of his own */
#define MQ_ACCESS_RESTRICTED 8u /* besides: reads the restricted compartment and every case */
#define MQ_ACCESS_SENSITIVE 16u /* besides: reads the sensitive compartment */
#define MQ_ACCESS_ENTRY_SIZE (MQ_ID_SIZE + MQ_KID_SIZE + 1)
struct mq_access {
    uint8_t token_hash[MQ_ID_SIZE];
    uint8_t key_name[MQ_KID_SIZE]; /* of the member's sign key: whose receipts he is given */
    uint8_t rights;
};
void mq_access_put(struct mq_buffer *out, const struct mq_access *access);
/* The body is entries of MQ_ACCESS_ENTRY_SIZE, at most MQ_ACCESS_ENTRIES_MAX. */
MQ_MUST_USE enum mq_status mq_access_get(struct mq_access *out, struct mq_reader *reader);

#endif
