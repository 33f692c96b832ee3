/* Every size, count and depth that the protocol and its programs accept, in one place. A decoder refuses what is over a
 * limit before it allocates or decrypts anything; an encoder asserts that it stays below. */
#ifndef MQ_PROTOCOL_LIMITS_H
#define MQ_PROTOCOL_LIMITS_H

/* Cryptography (docs/protocol.md, section 1). A second suite may come as another version byte: nothing outside this
 * file knows these lengths as numbers. */
#define MQ_KEY_SIZE 32
#define MQ_PUBLIC_SIZE 32
#define MQ_SIGNATURE_SIZE 64
#define MQ_NONCE_SIZE 24
#define MQ_TAG_SIZE 16
#define MQ_HASH_SIZE 32
#define MQ_HASH_MAX 64
#define MQ_BOX_OVERHEAD (MQ_PUBLIC_SIZE + MQ_TAG_SIZE) /* of a sealed box: its ephemeral public key, and the tag */
#define MQ_SEALED_BOX_SIZE (MQ_BOX_OVERHEAD + MQ_KEY_SIZE)
#define MQ_DOMAIN_SIZE 16
#define MQ_SALT_SIZE 16

/* Names of things. */
#define MQ_ID_SIZE 16         /* streams, mailboxes, records, changes, teams */
#define MQ_SEGMENT_ID_SIZE 32
#define MQ_KID_SIZE 8         /* hints: issuer, key id, box key id */
#define MQ_NAME_SIZE 8        /* of a register's value or a set's element */
#define MQ_TOKEN_SIZE 32
#define MQ_SECRET_SIZE 16     /* one-time secret of an invitation */
#define MQ_SERVER_ID_SIZE 8
#define MQ_FINGERPRINT_SIZE 16

/* Identity objects. */
#define MQ_CERTIFICATE_SIZE 166
#define MQ_ANNOUNCE_SIZE 302
#define MQ_GRANT_SIZE 345
#define MQ_WRAP_SIZE 88
#define MQ_RECOVERY_SEALED_SIZE 112 /* a sealed key with the hash that it is tied to */
#define MQ_RECOVERY_SIZE (1 + MQ_CERTIFICATE_SIZE + MQ_KID_SIZE + MQ_RECOVERY_SEALED_SIZE + MQ_SIGNATURE_SIZE)
#define MQ_RECOVER_REQUEST_SIZE (1 + MQ_RECOVERY_SIZE + MQ_PUBLIC_SIZE)
#define MQ_RECOVER_GRANT_SIZE (1 + MQ_HASH_SIZE + MQ_RECOVERY_SEALED_SIZE)
#define MQ_CONTROL_BODY_MAX 60000
/* Numbers of control objects are milliseconds since 1970 and never come near it: what is as great, a thief of a desk's key gave, and
 * nobody goes on above it. */
#define MQ_CONTROL_NUMBER_SANE (INT64_C(1) << 62)
#define MQ_ACCESS_ENTRIES_MAX 1000
#define MQ_EXCEPTED_MAX 256
#define MQ_CUTS_MAX 512       /* of one revoked certificate: its streams, and branches of them */
#define MQ_ADOPTED_MAX 1024   /* segments of one, let in by name afterwards */

/* Segments (section 2). */
#define MQ_SEGMENT_HEADER_SIZE 65
#define MQ_SKELETON_SIZE 161
#define MQ_SEGMENT_FIXED_SIZE 169
#define MQ_BODY_MAX (65536 + 120)
#define MQ_SEGMENT_MAX (MQ_SEGMENT_HEADER_SIZE + MQ_BODY_MAX + MQ_SIGNATURE_SIZE)
#define MQ_PLAIN_HEADER_SIZE 6
#define MQ_PLAIN_MIN 256
#define MQ_PLAIN_MAX (MQ_BODY_MAX - MQ_NONCE_SIZE - MQ_TAG_SIZE)
#define MQ_PAYLOAD_MAX (1024 * 1024) /* what a reader inflates at most */
/* What a writer puts into one batch: small enough that even text which does not compress at all fits a body, because
 * a change's place in its batch is fixed when it is journaled (docs/decisions/0002-batch-size.md). */
#define MQ_BATCH_MAX (60 * 1024)
#define MQ_LINKS_MAX 15
#define MQ_LINK_WINDOW (256 * 1024)
#define MQ_LINK_RUN_MAX 64 /* a segment without links at least this often */
#define MQ_PROSE_MAX (64 * 1024)
#define MQ_ZSTD_WINDOW_LOG_MAX 20
#define MQ_ZSTD_LEVEL 19

/* Payload and changes. */
#define MQ_CBOR_DEPTH_MAX 8
#define MQ_FRONTIER_MAX 64
#define MQ_REFS_MAX 4096
#define MQ_CHANGES_MAX 4096
#define MQ_ACTORS_MAX 16
#define MQ_STAMP_MINUTES_MAX 0xffffff /* 31 years between two changes */
#define MQ_CHANGE_MAX (48 * 1024)
#define MQ_EXPANDED_MAX (4 * MQ_PAYLOAD_MAX) /* a payload's changes with their references written out: nine times as
                                              * large at worst, so that a payload of references only is refused */
#define MQ_REPLACED_MAX 256
#define MQ_FIELDS_MAX 64       /* fields in one create */
#define MQ_ERASE_ENTRIES_MAX 4096 /* in one list of what is to be erased: 36 KiB */
#define MQ_RETURNED_PIECE_MAX (40 * 1024) /* of a segment that comes back in changes: two are enough for any */
#define MQ_RETURNED_WAITING_MAX 256 /* pieces of one stream that wait, for others or for an announce: who is honest says those of
                                     * one segment together and the announce before, so hardly one of his ever waits */
#define MQ_SET_MAX 256         /* elements of a set, items of a list */

/* Records. */
#define MQ_RECORD_ID_TEXT_MAX 64  /* bytes of an imported `id` */
#define MQ_SHORT_TEXT_MAX 600     /* bytes: 200 Han characters */
#define MQ_LONG_TEXT_MAX (16 * 1024)
#define MQ_DAY_MAX 84005          /* 2199-12-31, in days since 1970-01-01 */
#define MQ_PHONES_MAX 16
#define MQ_QUESTIONS_MAX 5
#define MQ_PEOPLE_MAX 999         /* people of one household */
#define MQ_AFFECTED_MAX 999999    /* households that a need is about */
#define MQ_HELPERS_MAX 16         /* units that help with one step */
#define MQ_YEAR_MAX 2199
#define MQ_ROWS_MAX 99999999      /* of one export */
#define MQ_CODE_NUMBER_MAX 65535  /* a code of a list */
#define MQ_PLACE_CODES_MAX 16     /* codes that one place had, and its earlier names */
#define MQ_GROUPS_MAX 64          /* groups, hamlets of one village */
#define MQ_CALENDAR_DAYS_MAX 64   /* holidays, or make-up days, of one year */
#define MQ_PRESET_DAYS_MAX 999
#define MQ_CATALOGUE_MAX 65536    /* records of one reference kind that a program looks at */
#define MQ_PLACE_STEPS_MAX 32     /* mergings, or levels, from one place to what it belongs to */
#define MQ_EMERGENCY_MAX 8        /* numbers on the card of those to call at once */
#define MQ_LINE_MAX (64 * 1024)   /* one line of an import file */
#define MQ_CSV_FILE_MAX (32 * 1024 * 1024) /* a ledger to import: 90,000 households and room */
#define MQ_CSV_COLUMNS_MAX 64
#define MQ_CSV_TITLES_MAX 10      /* lines above the headings of a ledger */
#define MQ_CELL_MAX (16 * 1024)   /* bytes of a cell that is written: below the 32767 characters of a spreadsheet */
#define MQ_MAP_MAX (16 * 1024)    /* a file that says which column is which field */
#define MQ_COLUMN_RULES_MAX 128   /* lines of it that say something */
#define MQ_GROUP_MAX 256          /* records linked into one */
#define MQ_HISTORY_MAX 4096       /* changes of one group */
#define MQ_VILLAGE_LETTERS_MAX 6  /* of a village, in a need's number */
#define MQ_SENTENCE_MAX 120       /* characters of what a villager is told */
#define MQ_DISPUTES_MAX 2         /* of one need by its units: then the desk's decision is final */
#define MQ_NEED_STEPS_MAX 256     /* steps and tellings that count for one need; a multiple of 64 */
#define MQ_NEED_AFTER_MAX 16      /* of the steps that one of them names; a desk's step names all that stand there */

/* Search. */
#define MQ_PINYIN_READINGS_MAX 16 /* of one character; none has more */
#define MQ_SEARCH_WORDS_MAX 8      /* of one query */
#define MQ_SEARCH_WORD_MAX 255    /* characters of one word that is compared by its sound */

/* What may be one and the same (protocol/likeness.h). */
#define MQ_ALIKE_NAME_MAX 32      /* characters of a name that are compared */
#define MQ_ALIKE_KEYS_MAX (MQ_ALIKE_NAME_MAX + 3)
#define MQ_ALIKE_PHONE_MAX 20     /* digits */
#define MQ_ALIKE_PHONE_LEAST 7    /* fewer digits are no number that tells one household from another */
#define MQ_ALIKE_TEXT_MAX 2000    /* characters of somebody's words that are compared */
#define MQ_ALIKE_PAIR_WORDS 16    /* 64 bits each: pairs of characters in a text of words */
#define MQ_ALIKE_WORDS_MAX 1000   /* words of the table, its rows 250 at most */
#define MQ_ALIKE_GROUPS_MAX 4     /* groups that a text names */
#define MQ_ALIKE_AMOUNTS_MAX 8
#define MQ_ALIKE_PHONES_MAX 4     /* telephone numbers of one household that are compared */
#define MQ_ALIKE_CHAIN_MAX 512    /* households, or needs, known by one thing that a new one is compared with */
#define MQ_ALIKE_PHONE_HOLDERS_MAX 3 /* households that may have one number before it counts as shared */
#define MQ_ALIKE_NEED_DAYS_MAX 30 /* days between two tellings of one matter */
#define MQ_LIKE_HOUSEHOLD 600     /* of MQ_ALIKE_MOST: from here on two households are shown side by side ... */
#define MQ_LIKE_NEED 660          /* ... and two needs */

#define MQ_UNVERIFIED_MAX 2048    /* frames kept while nobody can say yet whether they are good */

/* Exchange (section 4). */
#define MQ_FRAME_HEADER_SIZE 4
#define MQ_FRAME_MAX 0xffffff
#define MQ_BODY_START (256 * 1024)
#define MQ_BODY_SMALLEST (16 * 1024)
#define MQ_REPLY_FIRST (64 * 1024) /* what a reply may have at first: 20 s on a thin link */
#define MQ_REQUEST_MAX (512 * 1024)
#define MQ_REPLY_MAX (1024 * 1024)
#define MQ_MAILBOXES_MAX 16
#define MQ_REQUEST_HEAD_SIZE 46   /* and 76 for each mailbox */
#define MQ_REQUEST_MAILBOX_SIZE 76
#define MQ_EXCHANGE_SUM_SIZE 8    /* at the end of requests and replies */
#define MQ_REPLY_HEAD_SIZE 10     /* and 48 for each mailbox */
#define MQ_REPLY_MAILBOX_SIZE 48
#define MQ_STREAMS_MAX 4096       /* streams in one have-list */
#define MQ_PARTS_KEEP_DAYS 7
#define MQ_BUNDLE_MAX (64 * 1024 * 1024)
#define MQ_ROUNDS_MAX 4096        /* requests of one sync */

/* What a relay takes. */
#define MQ_STREAM_QUOTA (512ull * 1024 * 1024)  /* bytes of one stream */
#define MQ_REVOKED_QUOTA (5 * 1024 * 1024)      /* bytes that a revoked device may still bring */
#define MQ_ENROLS_WAITING_MAX 256
#define MQ_ENROLS_KEPT_MAX 4096      /* answered ones included */
#define MQ_COMPARTMENTS_MAX 256      /* numbers of a team's common compartments: 0 to 255 (protocol/compartment.h) */
#define MQ_WANT_PARTS_MAX 64         /* in one request */
#define MQ_REPLY_BUDGET_MIN 2048     /* a reply may have at least this, whatever the request says */
#define MQ_PARTS_WAITING_MAX 4096    /* of all members */
#define MQ_PARTS_OWNER_MAX 64        /* of one: some twelve segments on a thin link */
#define MQ_OWN_CASES_MAX 8           /* case compartments of one key: one for each certificate that it had */
#define MQ_CASES_MAX 1024            /* case compartments of one team */
#define MQ_STRANGER_CONTROLS_MAX 64  /* signatures that somebody unknown may have verified in one request */
#define MQ_DESKS_MAX 256
#define MQ_LOGGED_MAX 1024           /* revoked certificates of a team of which only the newest word is told */

/* Invitations and enrolment (section 1). */
#define MQ_INVITATION_URL_MAX 200
#define MQ_INVITATION_TEXT_MAX 800
#define MQ_NAME_TEXT_MAX 150      /* bytes of a person's or team's name: 50 Han characters */
#define MQ_ENROL_MAX (64 * 1024)
#define MQ_ENROL_GRANTS_MAX 64    /* compartments that a new member is let into at once */
#define MQ_ENROL_REQUEST_MAX 512  /* anybody may bring one to a relay: keep it small */
#define MQ_INVITATION_DAYS_MAX 90
#define MQ_EPOCH_DAYS 30          /* a team's key is changed by itself after so many */
#define MQ_EPOCH_LEAST_S 86400    /* of a server's running time between two such changes, whatever its clock says */

/* The machine (platform/). */
#define MQ_STATEMENTS_MAX 256         /* prepared statements kept by one database; others are prepared each time */
#define MQ_STATEMENT_PROBES 8         /* places in that table where one statement may stand */
#define MQ_JSON_DEPTH_MAX 16          /* an import line needs 3 */
#define MQ_PASSPHRASE_MAX 1024        /* bytes */
#define MQ_KDF_MIB_MIN 8              /* Argon2id: what a board of 64 MB can spare */
#define MQ_KDF_MIB_MAX 1024
#define MQ_KDF_PASSES_MAX 64

/* The listener (platform/http.h). Deadlines are absolute: a client that drips a byte a second does not move them. */
#define MQ_HTTP_CONNECTIONS 512
#define MQ_HTTP_ADDRESS_CONNECTIONS 64           /* a mobile operator's one address stands for many devices */
#define MQ_HTTP_BODIES_MAX (64ull * 1024 * 1024) /* bytes of all requests under way */
#define MQ_HTTP_HEAD_MS 5000                     /* from accept, TLS included, or from a later request's first line */
#define MQ_HTTP_BODY_MS 5000                     /* and a second for each MQ_HTTP_RATE bytes that came */
#define MQ_HTTP_REPLY_MS 30000                   /* and a second for each MQ_HTTP_RATE bytes of it */
#define MQ_HTTP_RATE 256                         /* bytes a second: the slowest link that is still served */
#define MQ_HTTP_WHOLE_MS 120000                  /* one request and its reply */
#define MQ_HTTP_IDLE_MS 20000                    /* between two requests */
#define MQ_HTTP_STOP_MS 1000                     /* for what is under way when the listener stops */
#define MQ_HTTP_HEAD_MAX (16 * 1024)             /* a request's head with all that the library keeps of it */
#define MQ_HTTP_TARGET_MAX 1024                  /* path and query */
#define MQ_HTTP_EXTRA_MAX 8                      /* headers that a handler may add */
#define MQ_HTTP_RETRY_AFTER_S 30                 /* said with 503 */
#define MQ_HTTP_THREADS_MAX 16
#define MQ_TLS_PEM_MAX (16 * 1024)               /* one key, or a chain of certificates */
#define MQ_HOST_MAX 64                           /* an address as text */
#define MQ_URL_MAX 512

/* The network process (client/courier), and local commands (platform/local.h). */
#define MQ_COURIER_PATH_MAX 255
#define MQ_COURIER_HEAD_MAX (16 * 1024)          /* of a reply */
#define MQ_LOCAL_REQUEST_MAX (1024 * 1024)
#define MQ_LOCAL_REPLY_MAX (64 * 1024 * 1024)
#define MQ_CALL_ARGUMENTS_MAX 128                /* words of one local command */
#define MQ_CALL_TALK_MAX (64 * 1024)             /* bytes of what it says beside its result */
#define MQ_LOCAL_READ_MS 2000                    /* a local command has this long to say what it wants */
#define MQ_LOCAL_WRITE_MS 10000                  /* and to take the answer */
#define MQ_QR_TEXT_MAX 2048
#define MQ_QR_ROOM ((185 * 3 + 1) * 93)          /* the largest code with its quiet zone, as half blocks */
#define MQ_LOG_LINE_MAX 1024
#define MQ_OPTIONS_MAX 24   /* options a command can have, and the end of their table */
#define MQ_ARGUMENTS_MAX 64 /* words and --FIELD pairs on one command line */
#define MQ_PATH_MAX 1024 /* bytes of a path inside a home */

/* A replica's working memory. */
/* For a group's facts, and for merging them: 400 bytes for each of MQ_HISTORY_MAX facts and their values
 * (protocol/merge.h). Only what is used is ever touched. */
#define MQ_ARENA_SIZE (32u * 1024 * 1024)
#define MQ_FACTS_SIZE (16u * 1024 * 1024)
#define MQ_PAYLOAD_HEAD_MAX 3072        /* of a payload, its full frontier included */
#define MQ_OBJECT_MAX (256 * 1024)      /* one record as JSON, with all its words */
#define MQ_SAME_NAME_MAX 16             /* records that answer to one `id` when two are taken apart */
#define MQ_LIKE_MAX 8                   /* households that a new one is said to look like */
#define MQ_SCRUB_DIGITS 7               /* so many in a row may be a telephone number */
#define MQ_FILTER_VALUES_MAX 64         /* of one option by which needs are listed */
#define MQ_DIGEST_GROUP_LEAST 5         /* households: smaller groups are not shown alone */
#define MQ_DIGEST_VILLAGES_MAX 1024      /* places that one digest tells apart */
#define MQ_DIGEST_KEYS_MAX 1024          /* groups of one part */
#define MQ_DIGEST_QUOTES_MAX 12
#define MQ_DIGEST_QUOTE_SIZE 600         /* bytes of one: 200 Han characters */
#define MQ_SEAL_AGE_S (4 * 3600)         /* a batch that is older is sealed by the next command */
#define MQ_RESERVE_SIZE (2 * 1024 * 1024) /* disk kept free for bringing home what is saved */

#endif
