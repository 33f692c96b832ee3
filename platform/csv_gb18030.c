/* GB 18030 through the C library's iconv. */
#include <errno.h>
#include <iconv.h>

#include "platform/csv.h"

enum mq_status mq_gb18030_decode(struct mq_span text, struct mq_buffer *out, struct mq_error *error)
{
    iconv_t converter = iconv_open("UTF-8", "GB18030");
    if (converter == (iconv_t)-1)
        return mq_fail(error, MQ_REFUSED,
                       _("this machine cannot read GB 18030; save the file as \"CSV UTF-8\" in the spreadsheet"));
    char *from = (char *)(uintptr_t)text.data, *to = (char *)out->data + out->size;
    size_t left = text.size, room = out->capacity - out->size;
    size_t done = iconv(converter, &from, &left, &to, &room);
    int why = errno;
    iconv_close(converter);
    out->size = out->capacity - room;
    if (done != (size_t)-1)
        return MQ_OK;
    if (why == E2BIG)
        return mq_fail(error, MQ_NO_SPACE, _("the file is too large"));
    return mq_fail(error, MQ_REFUSED,
                   _("the file is neither UTF-8 nor GB 18030; save it as \"CSV UTF-8\" in the spreadsheet"));
}
