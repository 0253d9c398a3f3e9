/* 256-bit integers as the digits of PostgreSQL's NUMERIC: to the base of 10000, 16 bits each, big-endian. */
#ifndef INDEXER_NUMERIC_H
#define INDEXER_NUMERIC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_BYTES 32
#define LIMBS 8
#define MOST_BIG_DIGITS 10
#define BIG_BASE 100000000u
#define NUMERIC_HEAD 8
#define NEGATIVE 0x4000

static inline uint8_t *put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return out + 2;
}

static inline uint8_t *put32(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
    return out + 4;
}

/* A magnitude: limbs of 32 bits, least significant first, of which `used` are not zero. */
struct magnitude {
    uint32_t limbs[LIMBS];
    int used;
    bool negative;
};

static inline struct magnitude magnitude_of(const uint8_t *word, bool is_signed)
{
    struct magnitude number = {.used = 0, .negative = is_signed && word[0] >= 0x80};
    uint64_t carry = number.negative;
    for (int place = 0; place < LIMBS; place++) {
        uint32_t limb;
        memcpy(&limb, word + WORD_BYTES - 4 * (place + 1), 4);
        limb = __builtin_bswap32(limb);
        if (number.negative) {
            carry += (uint32_t)~limb;
            limb = (uint32_t)carry;
            carry >>= 32;
        }
        number.limbs[place] = limb;
        if (limb)
            number.used = place + 1;
    }
    return number;
}

/* Digits to the base of 10**8, least significant first; how many are needed. All others are zero. */
static inline int big_digits(struct magnitude *number, uint32_t *digits)
{
    int count = 0;
    memset(digits, 0, MOST_BIG_DIGITS * sizeof *digits);
    while (number->used) {
        uint64_t rest = 0;
        for (int place = number->used - 1; place >= 0; place--) {
            rest = rest << 32 | number->limbs[place];
            number->limbs[place] = (uint32_t)(rest / BIG_BASE);
            rest %= BIG_BASE;
        }
        digits[count++] = (uint32_t)rest;
        while (number->used && number->limbs[number->used - 1] == 0)
            number->used--;
    }
    return count;
}

static inline uint8_t *put_numeric_head(uint8_t *out, int digits, bool negative)
{
    out = put16(out, (unsigned)digits);
    out = put16(out, digits ? (unsigned)digits - 1 : 0);
    out = put16(out, negative ? NEGATIVE : 0);
    return put16(out, 0);
}

/* `word` as a NUMERIC of `digits` digits, an even number that is enough; where it ends. */
static inline uint8_t *put_wide_numeric(uint8_t *out, const uint8_t *word, bool is_signed, int digits)
{
    uint32_t big[MOST_BIG_DIGITS];
    struct magnitude number = magnitude_of(word, is_signed);
    out = put_numeric_head(out, digits, number.negative);
    big_digits(&number, big);
    for (int place = digits / 2 - 1; place >= 0; place--) {
        out = put16(out, big[place] / 10000);
        out = put16(out, big[place] % 10000);
    }
    return out;
}

/* `word` as a NUMERIC without leading zeros; where it ends. */
static inline uint8_t *put_short_numeric(uint8_t *out, const uint8_t *word, bool is_signed)
{
    uint32_t big[MOST_BIG_DIGITS];
    struct magnitude number = magnitude_of(word, is_signed);
    bool negative = number.negative;
    int count = big_digits(&number, big);
    bool odd = count && big[count - 1] < 10000;
    out = put_numeric_head(out, 2 * count - odd, negative);
    for (int place = count - 1; place >= 0; place--) {
        if (!(odd && place == count - 1))
            out = put16(out, big[place] / 10000);
        out = put16(out, big[place] % 10000);
    }
    return out;
}

#endif
