/* What `add` and its like take: the fields of a kind, from the table that the records themselves are made by. */
#include <stdio.h>
#include <string.h>

#include "client/cli/program.h"

#define WIDTH 22

static const char *type_word(const struct mq_field *field)
{
    switch (field->type) {
    case MQ_TYPE_ID: return _("text; made where it is missing");
    case MQ_TYPE_TEXT: return _("one line of text");
    case MQ_TYPE_LONG_TEXT: return _("text");
    case MQ_TYPE_DATE: return _("a date such as 2026-11-05");
    case MQ_TYPE_COUNT: return _("a whole number");
    case MQ_TYPE_BOOL: return _("true or false");
    case MQ_TYPE_CODE: return "";
    case MQ_TYPE_PLACE: return _("a 12-digit code, or a place's name");
    case MQ_TYPE_REFERENCE: return _("the id of a record");
    case MQ_TYPE_PHONES: return "[{\"number\":\"…\",\"whose\":\"…\"}]";
    case MQ_TYPE_TEXTS: return "[\"…\",\"…\"]";
    case MQ_TYPE_DATES: return "[\"2026-10-01\",\"2026-10-02\"]";
    case MQ_TYPE_DATED_CODES: return "[{\"code\":\"…\",\"from\":\"…\",\"to\":\"…\"}]";
    case MQ_TYPE_REFERENCES: return "[\"…\",\"…\"]";
    case MQ_TYPE_LIFE: break;
    }
    return "";
}

static void show_codes(const struct mq_code_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mq_code *code = &list->codes[i];
        printf("%s%s%s%s", i == 0 ? "" : "、", code->text != NULL ? code->text : "", code->text != NULL ? " " : "",
               code->label);
    }
}

static void show_field(const struct mq_field *field)
{
    printf("  --%-*s %s%s%s", WIDTH, field->key, program_word(field->key),
           field->flags & MQ_FIELD_REQUIRED ? _(" (needed)") : "",
           field->merge == MQ_MERGE_SET ? _(" (may stand several times)") : "");
    printf(": %s", type_word(field));
    if (field->codes != NULL)
        show_codes(field->codes);
    putchar('\n');
}

void program_show_fields(const char *name)
{
    const struct mq_kind *kind = mq_kind_by_key(mq_span_text(name));
    if (kind == NULL) {
        printf("\n%s", _("Kinds:"));
        for (size_t i = 0; i < mq_kind_count; i++)
            if (!mq_kinds[i].desk_only)
                printf(" %s", mq_kinds[i].key);
        printf("\n%s\n", _("`minqing add KIND --help` shows the fields of a kind."));
        return;
    }
    printf("\n%s\n", _("Fields:"));
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].number >= MQ_FIELD_ID && !(kind->fields[i].flags & MQ_FIELD_MADE))
            show_field(&kind->fields[i]);
}
