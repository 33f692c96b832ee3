/* The store's tables. Truth: written once, and kept. Derived: can be dropped and made again from the truth (`check --rebuild`).
 * Steps are only ever appended. */
#include "replica/replica_keys.h"

/* Ends a step that adds to the derived tables: a store that has changes already makes its view anew when it opens. */
#define VIEW_STALE "INSERT OR REPLACE INTO setting SELECT 'view_stale', 1 WHERE EXISTS (SELECT 1 FROM change);"

static const char truth[] =
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE team(team BLOB PRIMARY KEY, name TEXT NOT NULL, certificate BLOB NOT NULL,"
    "  token BLOB NOT NULL DEFAULT x'') WITHOUT ROWID;"
    /* Where a mailbox stands at the server that `setting.server_id` names. */
    "CREATE TABLE mailbox(mailbox BLOB PRIMARY KEY, team BLOB NOT NULL, compartment INTEGER NOT NULL,"
    "  cursor INTEGER NOT NULL DEFAULT 0, fingerprint BLOB NOT NULL DEFAULT x'00000000000000000000000000000000') WITHOUT ROWID;"
    "CREATE TABLE desk(certificate BLOB PRIMARY KEY) WITHOUT ROWID;" /* chains to the root */
    "CREATE TABLE grants(kid BLOB PRIMARY KEY, mailbox BLOB NOT NULL, epoch INTEGER NOT NULL, bytes BLOB NOT NULL,"
    "  key BLOB) WITHOUT ROWID;" /* key NULL: not wrapped to us */
    "CREATE TABLE stream(stream BLOB PRIMARY KEY, mailbox BLOB NOT NULL, announce BLOB NOT NULL, rank INTEGER NOT NULL,"
    "  mine INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0,"
    /* of our own: the next number, advanced only with the segment that uses it; and how far the server has it */
    "  next_seq INTEGER NOT NULL DEFAULT 1, head_id BLOB, server_seq INTEGER NOT NULL DEFAULT 0,"
    /* at a desk: how far a receipt was given */
    "  receipt_seq INTEGER NOT NULL DEFAULT 0, receipt_id BLOB, opened INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE segment(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, stream BLOB NOT NULL, seq INTEGER NOT NULL,"
    "  previous BLOB NOT NULL, mine INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT, links INTEGER NOT NULL DEFAULT 0,"
    "  stored INTEGER NOT NULL DEFAULT 0, anchored INTEGER NOT NULL DEFAULT 0, excepted INTEGER NOT NULL DEFAULT 0,"
    "  carry INTEGER NOT NULL DEFAULT 0, bytes BLOB NOT NULL);" /* carry: came by bundle, to be brought to the server */
    /* No uniqueness on (stream, seq): a clone makes two different segments with one number, and both are kept. */
    "CREATE INDEX segment_stream ON segment(stream, seq);"
    "CREATE INDEX segment_previous ON segment(previous);"
    "CREATE INDEX segment_waiting ON segment(stream, seq, number) WHERE state = 0;"
    "CREATE INDEX segment_carry ON segment(carry) WHERE carry = 1;"
    "CREATE TABLE batch(number INTEGER PRIMARY KEY AUTOINCREMENT, mailbox BLOB NOT NULL, salt BLOB NOT NULL, boot INTEGER NOT NULL,"
    "  monotonic INTEGER NOT NULL, wall INTEGER NOT NULL, utc_offset INTEGER NOT NULL, raw INTEGER NOT NULL DEFAULT 0,"
    "  count INTEGER NOT NULL DEFAULT 0, minute INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE journal(number INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batch, idx INTEGER NOT NULL,"
    "  id BLOB NOT NULL, minutes INTEGER NOT NULL, actor INTEGER NOT NULL, expanded BLOB NOT NULL);"
    "CREATE INDEX journal_batch ON journal(batch, idx);"
    "CREATE TABLE control(team BLOB, kind INTEGER, subject BLOB, number INTEGER NOT NULL, bytes BLOB NOT NULL,"
    "  PRIMARY KEY(team, kind, subject)) WITHOUT ROWID;"
    /* Other frames for the server: certificates, grants, wraps, control objects, enrolment replies. Sent again to a new server. */
    "CREATE TABLE outbox(number INTEGER PRIMARY KEY, frame INTEGER NOT NULL, slot BLOB UNIQUE, bytes BLOB NOT NULL,"
    "  sent INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX outbox_sent ON outbox(sent) WHERE sent = 0;"
    /* What cannot be verified yet: segments whose announce, announces whose desk has not come. They own no segment's
     * id: a copy with a broken signature must not keep the good one out. */
    "CREATE TABLE unverified(hash BLOB PRIMARY KEY, frame INTEGER NOT NULL, stream BLOB NOT NULL, carry INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX unverified_stream ON unverified(frame, stream);"
    "CREATE TABLE part(id BLOB NOT NULL, offset INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(id, offset)) WITHOUT ROWID;"
    "CREATE TABLE frontier(stream BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"; /* what our segments said they had seen */

static const char derived[] =
    /* segment: number of the carrying segment, or minus the open batch's number. */
    "CREATE TABLE change(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, record BLOB NOT NULL, team BLOB NOT NULL,"
    "  rank INTEGER NOT NULL,"
    "  segment INTEGER NOT NULL, wall INTEGER NOT NULL, expanded BLOB NOT NULL);"
    "CREATE INDEX change_record ON change(record);"
    "CREATE INDEX change_segment ON change(segment);"
    "CREATE TABLE record(record BLOB NOT NULL UNIQUE, team BLOB NOT NULL, kind INTEGER NOT NULL, id BLOB, canonical BLOB NOT NULL);"
    "CREATE INDEX record_id ON record(kind, id);"
    "CREATE INDEX record_canonical ON record(canonical);"
    "CREATE TABLE link(a BLOB NOT NULL, b BLOB NOT NULL, PRIMARY KEY(a, b)) WITHOUT ROWID;"
    "CREATE INDEX link_back ON link(b);"
    "CREATE TABLE state(canonical BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, deleted INTEGER NOT NULL, review INTEGER NOT NULL,"
    "  conflicts INTEGER NOT NULL, leans INTEGER NOT NULL);" /* leans: fields in which references were found to mean one record */
    "CREATE INDEX state_kind ON state(kind);"
    "CREATE INDEX state_conflicts ON state(conflicts) WHERE conflicts > 0 OR leans > 0;";

/* Truth of a desk; a device leaves these empty. An invitation is used by one member, or void (used_by empty but not NULL). */
static const char desk[] =
    "CREATE TABLE invitation(name BLOB PRIMARY KEY, team BLOB NOT NULL, secret BLOB NOT NULL, expiry_day INTEGER NOT NULL,"
    "  used_by BLOB) WITHOUT ROWID;"
    "CREATE TABLE member(sign_public BLOB PRIMARY KEY, team BLOB NOT NULL, name TEXT NOT NULL, serial INTEGER NOT NULL,"
    "  certificate BLOB NOT NULL, token_hash BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0, joined INTEGER NOT NULL,"
    "  reply BLOB NOT NULL) WITHOUT ROWID;" /* reply: sealed to the device, for one who asks again */
    "CREATE INDEX member_team ON member(team, serial);";

/* What refers to what: the live references of each group. `target` is a record, of whatever group. */
static const char derived_refers[] =
    "CREATE TABLE refers(source BLOB NOT NULL, field INTEGER NOT NULL, target BLOB NOT NULL,"
    "  PRIMARY KEY(target, field, source)) WITHOUT ROWID;"
    "CREATE INDEX refers_source ON refers(source);" VIEW_STALE;

/* Desks of townships join too: an invitation says for which role it is; `request` waits there for the root's key. One
 * who joined several teams has a row for each. */
static const char township[] =
    "ALTER TABLE invitation ADD COLUMN role INTEGER NOT NULL DEFAULT 4;"
    "ALTER TABLE invitation ADD COLUMN request BLOB;"
    "DROP INDEX member_team;"
    "ALTER TABLE member RENAME TO member_before;"
    "CREATE TABLE member(sign_public BLOB NOT NULL, team BLOB NOT NULL, name TEXT NOT NULL, serial INTEGER NOT NULL,"
    "  certificate BLOB NOT NULL, token_hash BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0, joined INTEGER NOT NULL,"
    "  reply BLOB NOT NULL, role INTEGER NOT NULL DEFAULT 4, PRIMARY KEY(sign_public, team)) WITHOUT ROWID;"
    "INSERT INTO member(sign_public, team, name, serial, certificate, token_hash, state, joined, reply)"
    "  SELECT sign_public, team, name, serial, certificate, token_hash, state, joined, reply FROM member_before;"
    "DROP TABLE member_before;"
    "CREATE INDEX member_team ON member(team, serial);";

/* Erasing (docs/protocol.md, section 8). Truth: what desks named (`done`: looked for here), the changes of segments whose
 * body went or leans on one that went, and bodies that came once more for as long as somebody waits for them. */
static const char erasing[] =
    "ALTER TABLE segment ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;" /* 1: holds what is to go; 2: bytes is a skeleton */
    "ALTER TABLE segment ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;" /* its changes stand in survivor */
    "CREATE INDEX segment_erased ON segment(erased) WHERE erased > 0;"
    "CREATE TABLE erased(team BLOB NOT NULL, name BLOB NOT NULL, field INTEGER NOT NULL, because BLOB, wall INTEGER NOT NULL,"
    "  done INTEGER NOT NULL, PRIMARY KEY(team, name, field)) WITHOUT ROWID;"
    "CREATE INDEX erased_done ON erased(done) WHERE done = 0;"
    "CREATE TABLE survivor(number INTEGER PRIMARY KEY, segment INTEGER NOT NULL, id BLOB NOT NULL, wall INTEGER NOT NULL,"
    "  expanded BLOB NOT NULL);"
    "CREATE UNIQUE INDEX survivor_segment ON survivor(segment, id);"
    "CREATE INDEX survivor_id ON survivor(id);"
    "CREATE TABLE lent(id BLOB PRIMARY KEY, bytes BLOB NOT NULL);"
    /* Derived: other segments that carry a change too; changes of types that this program does not know. */
    "CREATE TABLE twice(id BLOB NOT NULL, segment INTEGER NOT NULL, PRIMARY KEY(id, segment)) WITHOUT ROWID;"
    "CREATE INDEX twice_segment ON twice(segment);"
    "CREATE TABLE other(segment INTEGER NOT NULL, id BLOB NOT NULL, wall INTEGER NOT NULL, expanded BLOB NOT NULL,"
    "  PRIMARY KEY(segment, id));" VIEW_STALE;

/* How needs stand (need_note.c). `step`: the record of a step or telling; `need`: as its create names it. need_state is by
 * canonical record; day: since when; sentence, head: steps. */
static const char derived_needs[] =
    "CREATE TABLE need_step(step BLOB PRIMARY KEY, need BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX need_step_need ON need_step(need);"
    "CREATE TABLE need_state(need BLOB PRIMARY KEY, state INTEGER NOT NULL, day INTEGER NOT NULL, due INTEGER,"
    "  rule TEXT NOT NULL, unit TEXT NOT NULL, sentence BLOB NOT NULL, head BLOB NOT NULL, told INTEGER NOT NULL,"
    "  disputes INTEGER NOT NULL, unreached INTEGER NOT NULL, late INTEGER NOT NULL, out_of_turn INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX need_state_state ON need_state(state, due);"
    "CREATE TABLE need_number(number TEXT COLLATE NOCASE NOT NULL, need BLOB NOT NULL, PRIMARY KEY(number, need)) WITHOUT ROWID;"
    "CREATE INDEX need_number_need ON need_number(need);" VIEW_STALE;

/* What search reads (replica/search_index.h). Rows of state get a number that a copy of the file keeps and
 * that no other row ever gets. */
static const char derived_search[] =
    "DROP TABLE state;"
    "CREATE TABLE state(number INTEGER PRIMARY KEY AUTOINCREMENT, canonical BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL,"
    "  deleted INTEGER NOT NULL, review INTEGER NOT NULL, conflicts INTEGER NOT NULL, leans INTEGER NOT NULL);"
    "CREATE INDEX state_kind ON state(kind);"
    "CREATE INDEX state_conflicts ON state(conflicts) WHERE conflicts > 0 OR leans > 0;"
    "CREATE TABLE search(place INTEGER PRIMARY KEY, text BLOB NOT NULL);"
    "CREATE TABLE search_long(number INTEGER PRIMARY KEY, hash INTEGER NOT NULL);" /* of the pieces that are noted */
    "CREATE TABLE search_tail(slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, grams BLOB NOT NULL);"
    "CREATE TABLE search_block(block INTEGER PRIMARY KEY, numbers BLOB NOT NULL);"
    "CREATE TABLE search_gram(place INTEGER PRIMARY KEY, slots BLOB NOT NULL);" VIEW_STALE;

/* Needs that were touched in this transaction; empty outside of one. */
static const char needs_touched[] = "CREATE TABLE need_touched(need BLOB PRIMARY KEY) WITHOUT ROWID;";

/* Compartments besides the team's (docs/protocol.md, section 1). */
static const char compartments[] =
    /* Mailboxes whose records this replica asks for; the team's own always is. */
    "ALTER TABLE mailbox ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
    /* Truth: what was sealed the moment it was written, for others' eyes. Of the text nothing is here; kind 0: it adds to
     * a record that was written before. */
    "CREATE TABLE matter(number INTEGER PRIMARY KEY, segment INTEGER NOT NULL, team BLOB NOT NULL, record BLOB NOT NULL,"
    "  home INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB, label BLOB, day INTEGER NOT NULL, wall INTEGER NOT NULL);"
    "CREATE INDEX matter_record ON matter(record);"
    "CREATE INDEX matter_segment ON matter(segment);"
    /* At a desk: what its members may read beside the team's (replica/cases.h). */
    "ALTER TABLE invitation ADD COLUMN rights INTEGER NOT NULL DEFAULT 2;"
    "ALTER TABLE member ADD COLUMN rights INTEGER NOT NULL DEFAULT 2;"
    /* Derived. writer: of a change that proves no more than its writer, his key's name; author, home: of a restricted
     * record, its creator's key's name and the case in which he is answered. */
    "ALTER TABLE change ADD COLUMN compartment INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE change ADD COLUMN writer BLOB;"
    "ALTER TABLE record ADD COLUMN compartment INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE record ADD COLUMN home INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE record ADD COLUMN author BLOB;"
    "CREATE INDEX record_compartment ON record(compartment) WHERE compartment <> 0;";

/* A list counts in its own compartment. */
static const char erased_compartments[] =
    "DROP INDEX erased_done;"
    "ALTER TABLE erased RENAME TO erased_before;"
    "CREATE TABLE erased(team BLOB NOT NULL, name BLOB NOT NULL, compartment INTEGER NOT NULL, field INTEGER NOT NULL,"
    "  because BLOB, wall INTEGER NOT NULL, done INTEGER NOT NULL, PRIMARY KEY(team, name, compartment, field)) WITHOUT ROWID;"
    "INSERT INTO erased SELECT team, name, 0, field, because, wall, done FROM erased_before;"
    "DROP TABLE erased_before;"
    "CREATE INDEX erased_done ON erased(done) WHERE done = 0;";

/* Truth: which record a sensitive piece is about that was sealed here without the key, so that the record is not called safer
 * than the piece. What older programs sealed does not say: each such piece stands for itself. */
static const char sealed_pieces[] =
    "CREATE TABLE piece(segment INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    "CREATE INDEX piece_record ON piece(record);"
    "INSERT INTO piece SELECT g.number, substr(g.id, 1, 16) FROM segment AS g JOIN stream USING(stream) JOIN mailbox USING(mailbox)"
    "  WHERE g.mine = 1 AND g.anchored = 0 AND compartment = 2 AND substr(g.bytes, 2, 1) = x'02';";

/* What the server may not have, found without a walk through all segments (replica/spool.c). */
static const char owed[] = "CREATE INDEX segment_owed ON segment(number) WHERE mine = 1 AND stored = 0;";

/* Revocations, from table control: what the newest of each certificate says (replica/revoke.h). At a county's desk, which
 * makes them, all that any of them ever said. */
static const char revoking[] =
    "CREATE TABLE revoked(certificate BLOB PRIMARY KEY, team BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cut(certificate BLOB NOT NULL, stream BLOB NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL,"
    "  PRIMARY KEY(certificate, stream, seq, id)) WITHOUT ROWID;"
    "CREATE TABLE adopted(certificate BLOB NOT NULL, id BLOB NOT NULL, PRIMARY KEY(certificate, id)) WITHOUT ROWID;" VIEW_STALE;

/* Truth. locked: on a device, of each segment whose body was erased, the pieces that only the county's desk opens; `said`:
 * it put them into a segment once. returned: at the county's desk, pieces that came back, until all of one segment are here;
 * a row without bytes was used. */
static const char returning[] =
    "CREATE TABLE locked(id BLOB NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, sealed BLOB NOT NULL,"
    "  owed INTEGER NOT NULL DEFAULT 0, said INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(id, offset)) WITHOUT ROWID;"
    "CREATE INDEX locked_owed ON locked(owed) WHERE owed = 1;"
    "CREATE TABLE returned(carrier INTEGER NOT NULL, id BLOB NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, bytes BLOB,"
    "  PRIMARY KEY(carrier, id, offset)) WITHOUT ROWID;"
    "CREATE INDEX returned_here ON returned(id) WHERE bytes IS NOT NULL;";

/* What is not the county's to say has a slot for each desk (mq_control_owner). rank: of the desk. */
static const char control_owners[] =
    "ALTER TABLE control RENAME TO control_before;"
    "CREATE TABLE control(team BLOB NOT NULL, kind INTEGER NOT NULL, subject BLOB NOT NULL, owner BLOB NOT NULL,"
    "  rank INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(team, kind, subject, owner)) WITHOUT ROWID;"
    "CREATE INDEX control_subject ON control(subject, kind);"
    "INSERT INTO control SELECT team, kind, subject, CASE WHEN kind IN (2, 3) THEN zeroblob(8) ELSE substr(bytes, 3, 8) END,"
    "  2, number, bytes FROM control_before;"
    "DROP TABLE control_before;";

/* What a revoked desk said stood in the one slot of all desks; the store drops it when it opens (mq_revoke_silence). */
static const char revoked_words[] =
    "INSERT OR REPLACE INTO setting SELECT 'words_stale', 1 WHERE EXISTS (SELECT 1 FROM control WHERE kind = 3);";

/* The list of what is held here is said, and so owed, for each team by itself (mq_have_list_owe). */
static const char have_of_teams[] =
    "INSERT OR REPLACE INTO setting SELECT 'have_owed:' || lower(hex(team)), 1 FROM team"
    "  WHERE EXISTS (SELECT 1 FROM setting WHERE name = 'have_owed' AND value <> 0);"
    "DELETE FROM setting WHERE name = 'have_owed';";

const char *const mq_schema_steps[] = {truth,   derived,       desk,           derived_refers, township,
                                       erasing, derived_needs, derived_search, needs_touched,  compartments,
                                       erased_compartments, sealed_pieces, owed, revoking, returning,
                                       control_owners, revoked_words, have_of_teams};
const int mq_schema_count = sizeof mq_schema_steps / sizeof *mq_schema_steps;
