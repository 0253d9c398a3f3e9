/* Rows of binary COPY out of columns; see indexer/store/copy_rows.py for the format and for the same in numpy. */
#include "numeric.h"

#define ARRAY_HEAD 20
#define EMPTY_ARRAY 12
#define NUMERIC_OID 1700
#define MOST_NUMERIC (4 + NUMERIC_HEAD + 4 * MOST_BIG_DIGITS)

enum kind {
    NOTHING = 0,       /* NULL */
    BYTES = 1,         /* `width` bytes as they are */
    NUMBER = 2,        /* a number of `width` bytes in the machine's order */
    WORDS = 3,         /* a word as a NUMERIC of `width` digits */
    SIGNED_WORDS = 4,
    FIELDS = 5,        /* encoded already: the bytes from offsets[row] to offsets[row + 1] */
    WORD_LISTS = 6,    /* the words from offsets[row] to offsets[row + 1] as numeric[] */
    SIGNED_WORD_LISTS = 7,
};

/* Value `row` of a column begins at base + stride * (places ? places[row] : row). */
struct column {
    int64_t kind;
    const uint8_t *base;
    int64_t stride, width;
    const int64_t *places, *offsets;
};

/* The most bytes that the field of one row takes. */
static inline int64_t most_bytes(const struct column *from, int64_t row)
{
    switch (from->kind) {
    case NOTHING: return 4;
    case WORDS:
    case SIGNED_WORDS: return 4 + NUMERIC_HEAD + 2 * from->width;
    case FIELDS: return from->offsets[row + 1] - from->offsets[row];
    case WORD_LISTS:
    case SIGNED_WORD_LISTS: return 4 + ARRAY_HEAD + MOST_NUMERIC * (from->offsets[row + 1] - from->offsets[row]);
    default: return 4 + from->width;
    }
}

static uint8_t *put_list(uint8_t *out, const struct column *from, int64_t row, bool is_signed)
{
    int64_t first = from->offsets[row], end = from->offsets[row + 1];
    uint8_t *start = out;
    out += 4;
    out = put32(out, end > first);
    out = put32(out, 0);
    out = put32(out, NUMERIC_OID);
    if (end > first) {
        out = put32(out, (uint32_t)(end - first));
        out = put32(out, 1);
    }
    for (int64_t place = first; place < end; place++) {
        uint8_t *value = out + 4;
        uint8_t *after = put_short_numeric(value, from->base + from->stride * place, is_signed);
        put32(out, (uint32_t)(after - value));
        out = after;
    }
    put32(start, (uint32_t)(out - start - 4));
    return out;
}

static inline uint8_t *put_number(uint8_t *out, const uint8_t *value, int64_t width)
{
    uint64_t wide;
    uint32_t narrow;
    switch (width) {
    case 8:
        memcpy(&wide, value, 8);
        wide = __builtin_bswap64(wide);
        memcpy(out, &wide, 8);
        break;
    case 4:
        memcpy(&narrow, value, 4);
        narrow = __builtin_bswap32(narrow);
        memcpy(out, &narrow, 4);
        break;
    default:
        for (int64_t place = 0; place < width; place++)
            out[place] = value[width - 1 - place];
    }
    return out + width;
}

static inline uint8_t *put_field(uint8_t *out, const struct column *from, int64_t row)
{
    const uint8_t *value = from->base + from->stride * (from->places ? from->places[row] : row);
    int64_t size;
    switch (from->kind) {
    case NOTHING: return put32(out, 0xFFFFFFFF);
    case BYTES:
        out = put32(out, (uint32_t)from->width);
        memcpy(out, value, (size_t)from->width);
        return out + from->width;
    case NUMBER: return put_number(put32(out, (uint32_t)from->width), value, from->width);
    case WORDS:
    case SIGNED_WORDS:
        out = put32(out, (uint32_t)(NUMERIC_HEAD + 2 * from->width));
        return put_wide_numeric(out, value, from->kind == SIGNED_WORDS, (int)from->width);
    case FIELDS:
        size = from->offsets[row + 1] - from->offsets[row];
        memcpy(out, from->base + from->offsets[row], (size_t)size);
        return out + size;
    default: return put_list(out, from, row, from->kind == SIGNED_WORD_LISTS);
    }
}

/* Rows from `first` on, before `end`, as far as they fit into `room` bytes; the row to go on with. `*written` bytes. */
int64_t indexer_write_rows(const struct column *columns, int64_t count, int64_t first, int64_t end, uint8_t *out,
                           int64_t room, int64_t *written)
{
    uint8_t *at = out;
    int64_t row = first;
    for (; row < end; row++) {
        int64_t most = 2;
        for (int64_t place = 0; place < count; place++)
            most += most_bytes(columns + place, row);
        if (most > room - (at - out))
            break;
        at = put16(at, (unsigned)count);
        for (int64_t place = 0; place < count; place++)
            at = put_field(at, columns + place, row);
    }
    *written = at - out;
    return row;
}

/* All words of a column joined by OR, those of negative numbers inverted: 32 bytes at `out`. */
void indexer_join_words(const uint8_t *base, int64_t stride, int64_t count, int64_t is_signed, uint8_t *out)
{
    uint64_t joined[4] = {0, 0, 0, 0};
    for (int64_t row = 0; row < count; row++) {
        uint64_t word[4];
        memcpy(word, base + stride * row, WORD_BYTES);
        uint64_t sign = is_signed && base[stride * row] >= 0x80 ? ~(uint64_t)0 : 0;
        for (int place = 0; place < 4; place++)
            joined[place] |= word[place] ^ sign;
    }
    memcpy(out, joined, WORD_BYTES);
}
