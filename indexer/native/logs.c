/* The logs of an answer to eth_getLogs, from JSON to columns in one pass.
 *
 * It reads plain JSON of any layout: any order of keys, white space, members that nobody asked for. What it does not
 * read (escapes, characters beyond ASCII, numbers where hex is usual, a key twice, anything malformed) it does not
 * judge: the answer as a whole is left to the caller. So it needs no messages, and nothing is decided here.
 *
 * No function reads beyond `end` or writes beyond what the caller says there is room for.
 */
#include "hex.h"

#define IRREGULAR (-1)
#define NO_ROOM (-2)
#define MOST_DIGITS 15
#define MOST_DEPTH 8
#define UNKNOWN_TIME (-1)

/* Columns as in LogBatch, with room for `room` logs; `data` has room for half of the text. */
struct columns {
    int64_t room;
    int64_t *block_number, *block_time;
    int32_t *tx_index, *log_index;
    uint8_t *block_hash, *tx_hash, *address, *topics, *topic_count, *data;
    int64_t *data_offset;
    int64_t most_index, most_time;
};

enum field {
    ADDRESS = 1, TOPICS = 2, DATA = 4, BLOCK_HASH = 8, BLOCK_NUMBER = 16, TX_HASH = 32, TX_INDEX = 64, LOG_INDEX = 128,
    BLOCK_TIME = 256, OTHER = 0,
};

#define REQUIRED (ADDRESS | TOPICS | DATA | BLOCK_HASH | BLOCK_NUMBER | TX_HASH | TX_INDEX | LOG_INDEX)

/* A place in the text. */
struct cursor {
    const uint8_t *at, *end;
};

static inline void skip_space(struct cursor *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\r' || *text->at == '\t'))
        text->at++;
}

/* Whether `wanted` comes next, white space aside; it is passed then. */
static inline bool passes(struct cursor *text, uint8_t wanted)
{
    if (text->at < text->end && *text->at == wanted) {
        text->at++;
        return true;
    }
    skip_space(text);
    if (text->at < text->end && *text->at == wanted) {
        text->at++;
        return true;
    }
    return false;
}

/* A string without escapes and of ASCII alone, behind its first quote; its length, or -1. Passes the last quote. */
static int64_t plain_string(struct cursor *text)
{
    const uint8_t *first = text->at;
    for (const uint8_t *at = first; at < text->end; at++) {
        if (*at == '"') {
            text->at = at + 1;
            return at - first;
        }
        if (*at < 0x20 || *at >= 0x80 || *at == '\\')
            return -1;
    }
    return -1;
}

static bool skip_word(struct cursor *text, const char *word, int64_t size)
{
    if (text->end - text->at < size || memcmp(text->at, word, (size_t)size) != 0)
        return false;
    text->at += size;
    return true;
}

static int64_t skip_digits(struct cursor *text)
{
    const uint8_t *first = text->at;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
        text->at++;
    return text->at - first;
}

static bool skip_number(struct cursor *text)
{
    if (text->at < text->end && *text->at == '-')
        text->at++;
    bool zero = text->at < text->end && *text->at == '0';
    int64_t digits = skip_digits(text);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (text->at < text->end && *text->at == '.') {
        text->at++;
        if (skip_digits(text) == 0)
            return false;
    }
    if (text->at < text->end && (*text->at | 0x20) == 'e') {
        text->at++;
        if (text->at < text->end && (*text->at == '+' || *text->at == '-'))
            text->at++;
        return skip_digits(text) > 0;
    }
    return true;
}

/* Any value that nobody asked for. */
static bool skip_value(struct cursor *text, int depth)
{
    skip_space(text);
    if (text->at >= text->end || depth > MOST_DEPTH)
        return false;
    switch (*text->at) {
    case '"':
        text->at++;
        return plain_string(text) >= 0;
    case 't':
        return skip_word(text, "true", 4);
    case 'f':
        return skip_word(text, "false", 5);
    case 'n':
        return skip_word(text, "null", 4);
    case '[':
        text->at++;
        if (passes(text, ']'))
            return true;
        do {
            if (!skip_value(text, depth + 1))
                return false;
        } while (passes(text, ','));
        return passes(text, ']');
    case '{':
        text->at++;
        if (passes(text, '}'))
            return true;
        do {
            if (!passes(text, '"') || plain_string(text) < 0 || !passes(text, ':') || !skip_value(text, depth + 1))
                return false;
        } while (passes(text, ','));
        return passes(text, '}');
    default:
        return skip_number(text);
    }
}

/* `size` bytes out of a string of 0x and digits. */
static inline bool read_fixed(struct cursor *text, uint8_t *out, int64_t size)
{
    if (!passes(text, '"') || text->end - text->at < 2 * size + 3)
        return false;
    const uint8_t *first = text->at;
    if (first[0] != '0' || first[1] != 'x' || first[2 * size + 2] != '"')
        return false;
    text->at = first + 2 * size + 3;
    return unhex(first + 2, out, size);
}

/* Any number of bytes out of a string of 0x and digits; how many, or -1. */
static inline int64_t read_variable(struct cursor *text, uint8_t *out)
{
    if (!passes(text, '"') || text->end - text->at < 3)
        return -1;
    const uint8_t *first = text->at;
    const uint8_t *quote = memchr(first, '"', (size_t)(text->end - first));
    if (quote == NULL || first[0] != '0' || first[1] != 'x' || quote - first < 2 || ((quote - first) & 1))
        return -1;
    int64_t size = (quote - first - 2) / 2;
    text->at = quote + 1;
    return unhex(first + 2, out, size) ? size : -1;
}

/* A number out of a string of 0x and digits; -1 where it is none. */
static inline int64_t read_quantity(struct cursor *text)
{
    if (!passes(text, '"') || text->end - text->at < 3 || text->at[0] != '0' || text->at[1] != 'x')
        return -1;
    const uint8_t *at = text->at + 2;
    const uint8_t *last = text->end - at > MOST_DIGITS ? at + MOST_DIGITS : text->end - 1;
    int64_t number = 0;
    if (*at == '"')
        return -1;
    for (; at < last && *at != '"'; at++) {
        unsigned digit = nibble(*at);
        if (digit >= 16)
            return -1;
        number = number << 4 | digit;
    }
    if (*at != '"')
        return -1;
    text->at = at + 1;
    return number;
}

/* At most four topics; how many, or -1. */
static inline int read_topics(struct cursor *text, uint8_t *out)
{
    int count = 0;
    memset(out, 0, 128);
    if (!passes(text, '['))
        return -1;
    if (passes(text, ']'))
        return 0;
    do {
        if (count == 4 || !read_fixed(text, out + 32 * count, 32))
            return -1;
        count++;
    } while (passes(text, ','));
    return passes(text, ']') ? count : -1;
}

/* Which field a key names. */
static inline enum field field_of(const uint8_t *key, int64_t size)
{
#define IS(name) (memcmp(key, name, sizeof(name) - 1) == 0)
    switch (size) {
    case 4: return IS("data") ? DATA : OTHER;
    case 6: return IS("topics") ? TOPICS : OTHER;
    case 7: return IS("address") ? ADDRESS : OTHER;
    case 8: return IS("logIndex") ? LOG_INDEX : OTHER;
    case 9: return IS("blockHash") ? BLOCK_HASH : OTHER;
    case 11: return IS("blockNumber") ? BLOCK_NUMBER : OTHER;
    case 14: return IS("blockTimestamp") ? BLOCK_TIME : OTHER;
    case 15: return IS("transactionHash") ? TX_HASH : OTHER;
    case 16: return IS("transactionIndex") ? TX_INDEX : OTHER;
    default: return OTHER;
    }
#undef IS
}

static inline bool read_index(struct cursor *text, const struct columns *to, int32_t *out)
{
    int64_t number = read_quantity(text);
    *out = (int32_t)number;
    return number >= 0 && number <= to->most_index;
}

static inline bool read_time(struct cursor *text, const struct columns *to, int64_t *out)
{
    skip_space(text);
    if (text->at < text->end && *text->at == 'n') {
        *out = UNKNOWN_TIME;
        return skip_word(text, "null", 4);
    }
    *out = read_quantity(text);
    return *out >= 0 && *out <= to->most_time;
}

/* One member's value into row `row`. */
static inline bool read_field(struct cursor *text, const struct columns *to, int64_t row, enum field field)
{
    int64_t size;
    int count;
    switch (field) {
    case ADDRESS: return read_fixed(text, to->address + 20 * row, 20);
    case BLOCK_HASH: return read_fixed(text, to->block_hash + 32 * row, 32);
    case TX_HASH: return read_fixed(text, to->tx_hash + 32 * row, 32);
    case TX_INDEX: return read_index(text, to, to->tx_index + row);
    case LOG_INDEX: return read_index(text, to, to->log_index + row);
    case BLOCK_TIME: return read_time(text, to, to->block_time + row);
    case BLOCK_NUMBER:
        to->block_number[row] = read_quantity(text);
        return to->block_number[row] >= 0;
    case TOPICS:
        count = read_topics(text, to->topics + 128 * row);
        to->topic_count[row] = (uint8_t)count;
        return count >= 0;
    case DATA:
        size = read_variable(text, to->data + to->data_offset[row]);
        to->data_offset[row + 1] = to->data_offset[row] + size;
        return size >= 0;
    default: return skip_value(text, 0);
    }
}

/* One log, behind its brace, into row `row`. */
static inline bool read_log(struct cursor *text, const struct columns *to, int64_t row)
{
    unsigned seen = 0;
    to->block_time[row] = UNKNOWN_TIME;
    do {
        if (!passes(text, '"'))
            return false;
        const uint8_t *key = text->at;
        int64_t size = plain_string(text);
        if (size < 0 || !passes(text, ':'))
            return false;
        enum field field = field_of(key, size);
        if ((seen & field) || !read_field(text, to, row, field))
            return false;
        seen |= field;
    } while (passes(text, ','));
    return passes(text, '}') && (seen & REQUIRED) == REQUIRED;
}

/* The logs of the JSON array `raw` of `size` bytes; how many, or IRREGULAR, or NO_ROOM where there are more. */
int64_t indexer_read_logs(const uint8_t *raw, int64_t size, const struct columns *to)
{
    struct cursor text = {raw, raw + size};
    int64_t row = 0;
    to->data_offset[0] = 0;
    if (!passes(&text, '[') || !passes(&text, '{'))
        return IRREGULAR;
    for (;;) {
        if (row == to->room)
            return NO_ROOM;
        if (!read_log(&text, to, row))
            return IRREGULAR;
        row++;
        if (!passes(&text, ','))
            break;
        if (!passes(&text, '{'))
            return IRREGULAR;
    }
    if (!passes(&text, ']'))
        return IRREGULAR;
    skip_space(&text);
    return text.at == text.end ? row : IRREGULAR;
}
