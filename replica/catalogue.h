/* Reference data as one replica sees it: the program's code lists with what desks added, retired or renamed, places with
 * the codes they had, units, calendars, presets. The records in the store are the only truth. This is read from them when
 * first asked for, kept while the replica is open, and read again after a reference record changed.
 *
 * Everything handed out is the catalogue's, and holds until a reference record changes or the replica is closed: use it
 * at once, or copy it. A code is always accepted and never reused (docs/domain.md, section 3); its days say only when it
 * is offered. */
#ifndef MQ_REPLICA_CATALOGUE_H
#define MQ_REPLICA_CATALOGUE_H

#include "platform/error.h"
#include "protocol/preset.h"
#include "protocol/record.h"

struct mq_replica;

/* ---- codes ---- */

/* One of the program's lists (mq_code_lists) as it is in force here; the list itself where no desk said anything. */
MQ_MUST_USE enum mq_status mq_catalogue_codes(struct mq_replica *replica, const struct mq_code_list *list,
                                              const struct mq_code_list **out, struct mq_error *error);
/* A field with its list as it is in force: what mq_value_from_text and mq_value_to_text are to be given wherever people
 * or files are on the other side. A field without a list is copied. */
MQ_MUST_USE enum mq_status mq_catalogue_field(struct mq_replica *replica, const struct mq_field *field,
                                              struct mq_field *out, struct mq_error *error);
/* Is a record with this value (CBOR) for named persons only: true in a field with MQ_FIELD_RESTRICTED, or a code that the
 * program or a desk restricted? */
MQ_MUST_USE enum mq_status mq_catalogue_restricts(struct mq_replica *replica, const struct mq_field *field,
                                                  struct mq_span value, bool *restricts, struct mq_error *error);
/* Today, by the wall clock of where this machine stands: what `from` and `to` are compared with. */
int32_t mq_catalogue_today(struct mq_replica *replica);

/* ---- places ---- */

struct mq_place_code {
    uint64_t code;    /* 12 digits */
    int32_t from, to; /* days; 0: open */
};
/* One village, or what lies above it; its `id` is what stays when names and codes change. */
struct mq_place {
    const char *id, *name;
    const char *const *earlier; /* names it had, and other desks' names for it */
    size_t earlier_count;
    const struct mq_place_code *codes;
    size_t code_count;
    uint16_t level, class;                             /* codes of place_level and place_class; 0: not said */
    const struct mq_place *parent, *into, *split_from; /* NULL: none, or it has not come yet */
    int32_t into_date;                                 /* from this day on it belongs to `into` */
    const char *letters;                               /* NULL: none */
    const char *const *groups;                         /* below the village names are free: offered, never enforced */
    size_t group_count;
};

/* All of them, by id. */
MQ_MUST_USE enum mq_status mq_catalogue_places(struct mq_replica *replica, const struct mq_place *const **places,
                                               size_t *count, struct mq_error *error);
/* The place that a stored value of type MQ_TYPE_PLACE means: a code that some place has or had, a name, an earlier name.
 * NULL: none, or more than one is called so. */
MQ_MUST_USE enum mq_status mq_catalogue_place(struct mq_replica *replica, struct mq_span value,
                                              const struct mq_place **out, struct mq_error *error);
/* The same by what a person types: also the place's id. MQ_NOT_FOUND, or MQ_REFUSED where several are called so. */
MQ_MUST_USE enum mq_status mq_catalogue_place_named(struct mq_replica *replica, struct mq_span text,
                                                    const struct mq_place **out, struct mq_error *error);
/* The place above the village that a code begins with: its town, by the first 9 digits. NULL: it is not known. */
MQ_MUST_USE enum mq_status mq_catalogue_town(struct mq_replica *replica, uint64_t code, const struct mq_place **out,
                                             struct mq_error *error);
/* What a place belongs to on a day, after all mergers until then; itself where there was none. */
const struct mq_place *mq_place_on(const struct mq_place *place, int32_t day);
/* Is `place`, as it is on that day, `whole` or a part of it? */
bool mq_place_within(const struct mq_place *place, const struct mq_place *whole, int32_t day);
/* The code that a place has on a day; 0: none is known. */
uint64_t mq_place_code_on(const struct mq_place *place, int32_t day);

/* ---- units ---- */

struct mq_unit_phone {
    const char *number, *whose; /* whose NULL: not said */
};
/* Who takes care of needs. */
struct mq_unit {
    const char *id, *name;
    uint16_t level; /* code of unit_level; 0: not said */
    const struct mq_unit_phone *phones;
    size_t phone_count;
    const uint16_t *categories;
    size_t category_count;
    const char *place; /* as printed; NULL: none */
    int32_t from, to;
    bool emergency;
};
/* Who usually takes care of a category (of its second level where `subcategory` is not 0): a unit of today that has it
 * among its categories, else the hint of the list. A suggestion, NULL where there is none. */
MQ_MUST_USE enum mq_status mq_catalogue_unit_for(struct mq_replica *replica, uint64_t category, uint64_t subcategory,
                                                 const char **unit, struct mq_error *error);
/* Whom to phone at once, before anything is written down: the desk's emergency units of today that have a number, then
 * the country's numbers that none of them has. At most MQ_EMERGENCY_MAX. */
MQ_MUST_USE enum mq_status mq_catalogue_emergency(struct mq_replica *replica,
                                                  const struct mq_unit *out[MQ_EMERGENCY_MAX], size_t *count,
                                                  struct mq_error *error);

/* ---- clocks ---- */

/* Years and presets that desks gave, for protocol/workday.h and protocol/preset.h: these go before the built-in ones. */
MQ_MUST_USE enum mq_status mq_catalogue_calendar(struct mq_replica *replica, struct mq_calendar *out,
                                                 struct mq_error *error);
MQ_MUST_USE enum mq_status mq_catalogue_presets(struct mq_replica *replica, struct mq_preset_list *out,
                                                struct mq_error *error);

/* ---- for the replica itself ---- */

/* A record of this kind (0: of any) was stored: what was read of it is read again when next asked for. */
void mq_catalogue_touch(struct mq_replica *replica, uint64_t kind);
void mq_catalogue_close(struct mq_replica *replica);

#endif
