/* Where a JSON array ends, without reading it: brackets outside of strings are counted, sixty-four characters at a time.
 *
 * Strings with escapes are not taken. What is inside of the array is for whoever reads it to judge.
 */
#include <stdint.h>
#include <string.h>

#define IRREGULAR (-1)
#define BLOCK 64

/* One bit a character: where quotes, brackets and backslashes are. */
struct marks {
    uint64_t quotes, brackets, escapes;
};

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t equal64(const __m128i *block, char wanted)
{
    __m128i same = _mm_set1_epi8(wanted);
    uint64_t bits = 0;
    for (int part = 0; part < 4; part++)
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block[part], same)) << 16 * part;
    return bits;
}

static inline struct marks marks_of(const uint8_t *text)
{
    __m128i block[4];
    memcpy(block, text, BLOCK);
    return (struct marks){equal64(block, '"'), equal64(block, '[') | equal64(block, ']'), equal64(block, '\\')};
}
#else
static inline struct marks marks_of(const uint8_t *text)
{
    struct marks found = {0, 0, 0};
    for (int place = 0; place < BLOCK; place++) {
        uint64_t bit = (uint64_t)1 << place;
        found.quotes |= text[place] == '"' ? bit : 0;
        found.brackets |= text[place] == '[' || text[place] == ']' ? bit : 0;
        found.escapes |= text[place] == '\\' ? bit : 0;
    }
    return found;
}
#endif

/* Bits from each quote up to the next one: bit i is the parity of the bits up to i. */
static inline uint64_t between(uint64_t quotes)
{
    for (int shift = 1; shift < BLOCK; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

/* How many characters the array at `raw` takes, of `size` at most; IRREGULAR where that is not plain. */
int64_t indexer_skip_array(const uint8_t *raw, int64_t size)
{
    uint64_t inside = 0; /* all ones where a string goes on from the block before */
    int64_t depth = 0;
    for (int64_t first = 0; first < size; first += BLOCK) {
        uint8_t last[BLOCK] = {0};
        const uint8_t *text = raw + first;
        if (size - first < BLOCK) {
            memcpy(last, text, (size_t)(size - first));
            text = last;
        }
        struct marks found = marks_of(text);
        uint64_t strings = between(found.quotes) ^ inside;
        inside = (uint64_t)((int64_t)strings >> 63);
        uint64_t brackets = found.brackets & ~strings;
        while (brackets) {
            int place = __builtin_ctzll(brackets);
            depth += text[place] == '[' ? 1 : -1;
            /* What follows the array does not concern it: there may be escapes. */
            if (depth == 0) {
                uint64_t before = ((uint64_t)1 << place) - 1;
                return found.escapes & before ? IRREGULAR : first + place + 1;
            }
            brackets &= brackets - 1;
        }
        if (found.escapes)
            return IRREGULAR;
    }
    return IRREGULAR;
}
