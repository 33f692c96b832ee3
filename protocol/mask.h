/* Resident ID and bank card numbers never enter a record: found by shape and check digit, replaced by a mask
 * (docs/domain.md, section 3). */
#ifndef MQ_PROTOCOL_MASK_H
#define MQ_PROTOCOL_MASK_H

#include "protocol/bytes.h"

/* Masks in place; the length in bytes stays. A digit is ASCII or full-width. Digits that touch make a group; groups
 * with one blank or hyphen between them (full-width ones too) are looked at together.
 * - Resident ID: groups of 18 digits in all, the last of which may be X or x, with a plausible date of birth and the
 *   right check digit; or 2 or 4 digits more, which makes a disability card. The first 6 and last 4 characters stay:
 *   "110105********002X".
 * - Bank card, where `cards`: one group of 16 to 19 digits, or groups of four and a last one of up to three; first
 *   digit 3 to 6 or 9, Luhn's check digit. The first 4 and last 4 stay. A group within a run of 32 or more hexadecimal
 *   digits (a hash) is left alone.
 * A number never begins or ends inside a group, but letters may touch it. A masked digit becomes '*', a full-width one
 * the full-width asterisk. `text` is UTF-8. Returns how many numbers were masked. */
size_t mq_mask(uint8_t *text, size_t size, bool cards);
/* Is the whole text a resident ID or disability card, as above? */
bool mq_is_resident_id(struct mq_span text);

#endif
