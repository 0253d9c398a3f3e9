/* Hex digits to bytes, sixteen at a time. */
#ifndef INDEXER_HEX_H
#define INDEXER_HEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t lanes8 __attribute__((vector_size(16)));
typedef uint16_t lanes16 __attribute__((vector_size(16)));
typedef uint8_t half8 __attribute__((vector_size(8)));

/* The value of one digit; 16 or more for any other character. */
static inline unsigned nibble(uint8_t character)
{
    unsigned digit = (unsigned)character - '0';
    unsigned letter = ((unsigned)character | 0x20) - 'a';
    return digit < 10 ? digit : letter < 6 ? letter + 10 : 0x100;
}

/* Sixteen digits at `text` to eight bytes at `out`; lanes of `wrong` become nonzero where there is no digit. */
static inline void unhex16(const uint8_t *text, uint8_t *out, lanes8 *wrong)
{
    lanes8 characters;
    memcpy(&characters, text, 16);
    lanes8 digit = characters - '0';
    lanes8 letter = (characters | 0x20) - 'a';
    lanes8 is_digit = (lanes8)(digit < 10);
    lanes8 is_letter = (lanes8)(letter < 6);
    *wrong |= ~(is_digit | is_letter);
    lanes8 value = (digit & is_digit) | ((letter + 10) & is_letter);
    /* The first digit of a pair is the low byte of a lane, on a little-endian machine. */
    lanes16 pairs = (lanes16)value;
    pairs = ((pairs << 4) | (pairs >> 8)) & 0xFF;
    half8 bytes = __builtin_convertvector(pairs, half8);
    memcpy(out, &bytes, 8);
}

/* `size` bytes from 2 * size digits; false where one is none. `out` may hold anything then. */
static inline bool unhex(const uint8_t *text, uint8_t *out, int64_t size)
{
    lanes8 wrong = {0};
    unsigned bad = 0;
    int64_t done = 0;
    for (; done + 8 <= size; done += 8)
        unhex16(text + 2 * done, out + done, &wrong);
    for (; done < size; done++) {
        unsigned value = nibble(text[2 * done]) << 4 | nibble(text[2 * done + 1]);
        bad |= value;
        out[done] = (uint8_t)value;
    }
    uint64_t halves[2];
    memcpy(halves, &wrong, 16);
    return (halves[0] | halves[1]) == 0 && bad < 0x100;
}

#endif
