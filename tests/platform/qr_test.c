/* Aim: what is drawn is a QR code with the text in it. The blocks are read back into squares, and these are decoded
 * here by the standard's rules (ISO/IEC 18004), as a camera's program would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "platform/qr.h"
#include "protocol/limits.h"

#define QUIET 4
#define SQUARES_MAX 185

static uint8_t drawing[MQ_QR_ROOM];
static bool dark[SQUARES_MAX + 1][SQUARES_MAX + 1]; /* [row][column], with the quiet zone */
static int width;                                   /* with the quiet zone */
static struct mq_error error;

static void draw(const char *text, enum mq_qr_ground ground, struct mq_buffer *out)
{
    *out = mq_buffer(drawing, sizeof drawing);
    assert_int_equal(mq_qr_put(out, mq_span_text(text), ground, &error), MQ_OK);
}

/* One character: which halves are drawn. */
static unsigned read_block(struct mq_reader *reader)
{
    uint8_t first = mq_get_u8(reader);

    if (first == ' ')
        return 0;
    assert_int_equal(first, 0xe2);
    assert_int_equal(mq_get_u8(reader), 0x96);
    switch (mq_get_u8(reader)) { /* tidy: not an enum */
    case 0x80:
        return 1;
    case 0x84:
        return 2;
    case 0x88:
        return 3;
    default:
        fail_msg("not a half block");
    }
    return 0;
}

/* Every line is equally long, and there are half as many lines as squares. */
static void read_drawing(const struct mq_buffer *out, enum mq_qr_ground ground)
{
    struct mq_reader reader = mq_reader(mq_written(out));
    int row = 0;

    width = 0;
    while (mq_left(&reader) > 0) {
        int column = 0;
        for (; reader.data[reader.at] != '\n'; column++) {
            unsigned halves = read_block(&reader);
            assert_true(column < SQUARES_MAX && row < SQUARES_MAX);
            dark[row][column] = ((halves & 1) != 0) == (ground == MQ_QR_ON_LIGHT);
            dark[row + 1][column] = ((halves & 2) != 0) == (ground == MQ_QR_ON_LIGHT);
        }
        assert_true(width == 0 || column == width);
        width = column;
        row += 2;
        mq_get_u8(&reader);
    }
    assert_true(mq_reader_done(&reader));
    assert_int_equal(row, width + 1);
}

static bool square(int row, int column)
{
    return dark[row + QUIET][column + QUIET];
}

/* Three corners with their rings, and nothing in the quiet zone. */
static void assert_frame(void)
{
    int side = width - 2 * QUIET;
    const int corners[3][2] = {{0, 0}, {0, side - 7}, {side - 7, 0}};

    for (int i = 0; i < width; i++)
        for (int j = 0; j < QUIET; j++)
            assert_false(dark[i][j] || dark[j][i] || dark[i][width - 1 - j] || dark[width - 1 - j][i]);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 7; i++)
            for (int j = 0; j < 7; j++) {
                bool ring = i == 1 || i == 5 || j == 1 || j == 5;
                bool edge = i == 0 || i == 6 || j == 0 || j == 6;
                assert_int_equal(square(corners[c][0] + i, corners[c][1] + j), edge || !ring);
            }
}

static bool is_masked(unsigned mask, int i, int j)
{
    switch (mask) { /* tidy: not an enum */
    case 0:
        return (i + j) % 2 == 0;
    case 1:
        return i % 2 == 0;
    case 2:
        return j % 3 == 0;
    case 3:
        return (i + j) % 3 == 0;
    case 4:
        return (i / 2 + j / 3) % 2 == 0;
    case 5:
        return i * j % 2 + i * j % 3 == 0;
    case 6:
        return (i * j % 2 + i * j % 3) % 2 == 0;
    default:
        return ((i + j) % 2 + i * j % 3) % 2 == 0;
    }
}

/* Squares that carry no data, in versions 2 to 5: corners with format words, timing, the one alignment pattern. */
static bool is_function(int i, int j, int side)
{
    if (i == 6 || j == 6)
        return true;
    if ((i < 9 && j < 9) || (i < 9 && j >= side - 8) || (i >= side - 8 && j < 9))
        return true;
    return i >= side - 9 && i < side - 4 && j >= side - 9 && j < side - 4;
}

/* All bits in the order of the standard: pairs of columns from the right, upwards and downwards in turn. */
static size_t read_bits(uint8_t *bytes, size_t capacity, unsigned mask)
{
    int side = width - 2 * QUIET;
    size_t bits = 0;

    memset(bytes, 0, capacity);
    bool up = true;
    for (int right = side - 1; right > 0; right -= 2, up = !up) {
        if (right == 6)
            right--;
        for (int step = 0; step < side; step++) {
            int i = up ? side - 1 - step : step;
            for (int j = right; j > right - 2; j--) {
                if (is_function(i, j, side) || bits / 8 >= capacity)
                    continue;
                if (square(i, j) != is_masked(mask, i, j))
                    bytes[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
                bits++;
            }
        }
    }
    return bits;
}

/* One block, byte mode: 4 bits of mode, 8 of length, then the text. */
static void decode(char *out, size_t capacity)
{
    uint8_t bytes[200];
    unsigned format = 0;

    for (int j = 0; j < 5; j++) /* error correction 2 bits, mask 3 bits, under a fixed mask */
        format = format << 1 | square(8, j);
    format ^= 0x15; /* the upper five bits of 101010000010010 */
    assert_int_equal(format >> 3, 0); /* level M */
    assert_true(read_bits(bytes, sizeof bytes, format & 7) >= 8 * 44);
    assert_int_equal(bytes[0] >> 4, 4);
    size_t size = (size_t)((bytes[0] & 15) << 4 | bytes[1] >> 4);
    assert_true(size < capacity && size + 2 < sizeof bytes);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)((bytes[i + 1] & 15) << 4 | bytes[i + 2] >> 4);
    out[size] = '\0';
}

/* A text comes back from the drawing, on both grounds (versions 2 and 3: one block each at level M). */
static void can_be_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"minqing:99/Abc-123", "minqing:9900Zz-_~/0123456789abcdefghij", "民情:水管坏了"};
    struct mq_buffer out;
    char back[100];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int ground = MQ_QR_ON_DARK; ground <= MQ_QR_ON_LIGHT; ground++) {
            draw(texts[i], (enum mq_qr_ground)ground, &out);
            read_drawing(&out, (enum mq_qr_ground)ground);
            assert_frame();
            decode(back, sizeof back);
            assert_string_equal(back, texts[i]);
        }
}

/* Every length up to the limit is drawn, larger ones grow, and the promised room is enough. */
static void takes_all_lengths(void **state)
{
    (void)state;
    static char text[MQ_QR_TEXT_MAX + 2];
    struct mq_buffer out;
    int before = 0;

    for (size_t size = 1; size <= MQ_QR_TEXT_MAX; size = size < 1024 ? size * 2 : size + 128) {
        memset(text, 'x', size);
        text[size] = '\0';
        draw(text, MQ_QR_ON_DARK, &out);
        read_drawing(&out, MQ_QR_ON_DARK);
        assert_frame();
        assert_true(width >= before);
        before = width;
    }
}

/* Nothing, too much, and too little room are refused. */
static void refuses(void **state)
{
    (void)state;
    static uint8_t text[MQ_QR_TEXT_MAX + 1];
    struct mq_buffer out = mq_buffer(drawing, sizeof drawing);

    memset(text, 'x', sizeof text);
    assert_int_equal(mq_qr_put(&out, mq_span(NULL, 0), MQ_QR_ON_DARK, &error), MQ_REFUSED);
    mq_error_clear(&error);
    assert_int_equal(mq_qr_put(&out, MQ_SPAN(text), MQ_QR_ON_DARK, &error), MQ_REFUSED);
    mq_error_clear(&error);
    out = mq_buffer(drawing, 500);
    assert_int_equal(mq_qr_put(&out, mq_span(text, 20), MQ_QR_ON_DARK, &error), MQ_NO_SPACE);
    mq_error_clear(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(can_be_read),
        cmocka_unit_test(takes_all_lengths),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
