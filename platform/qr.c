/* QR codes as text; the only door to libqrencode. See qr.h. */
#include "platform/qr.h"

#include <errno.h>
#include <qrencode.h>

#include "protocol/limits.h"

#define QUIET 4

/* Beyond the symbol lies the quiet zone: light. */
static bool is_dark(const QRcode *code, int column, int row)
{
    if (column < 0 || row < 0 || column >= code->width || row >= code->width)
        return false;
    return (code->data[row * code->width + column] & 1) != 0;
}

static void put_symbol(struct mq_buffer *out, const QRcode *code, enum mq_qr_ground ground)
{
    static const char *const blocks[] = {" ", "\u2580", "\u2584", "\u2588"}; /* bit 0: upper half, bit 1: lower half */
    bool drawn = ground == MQ_QR_ON_LIGHT;

    for (int row = -QUIET; row < code->width + QUIET; row += 2) {
        for (int column = -QUIET; column < code->width + QUIET; column++) {
            bool upper = is_dark(code, column, row) == drawn;
            bool lower = is_dark(code, column, row + 1) == drawn;
            mq_put_text(out, blocks[(upper ? 1 : 0) + (lower ? 2 : 0)]);
        }
        mq_put_text(out, "\n");
    }
}

enum mq_status mq_qr_put(struct mq_buffer *out, struct mq_span text, enum mq_qr_ground ground, struct mq_error *error)
{
    if (text.size == 0 || text.size > MQ_QR_TEXT_MAX)
        return mq_fail(error, MQ_REFUSED, _("a QR code holds 1 to %d bytes, not %zu"), MQ_QR_TEXT_MAX, text.size);
    QRcode *code = QRcode_encodeData((int)text.size, text.data, 0, QR_ECLEVEL_M);
    if (code == NULL)
        return mq_fail(error, errno == ERANGE ? MQ_REFUSED : MQ_FAULT, _("cannot make a QR code of %zu bytes"),
                       text.size);
    put_symbol(out, code, ground);
    QRcode_free(code);
    return out->failed ? mq_fail(error, MQ_NO_SPACE, _("no room for the QR code")) : MQ_OK;
}
