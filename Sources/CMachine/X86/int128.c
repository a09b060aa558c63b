// 128-bit division, which the compiler calls for `dividingFullWidth`: the part of its runtime library that a
// kernel has to bring along.

#include <stdint.h>

typedef unsigned __int128 uint128;

// One DIV instruction; high < divisor, so the quotient fits.
static uint64_t divide(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "r"(divisor) : "cc");
    return quotient;
}

uint128 __udivti3(uint128 number, uint128 divisor)
{
    uint64_t high = (uint64_t)(number >> 64), low = (uint64_t)number, rest;
    if (divisor >> 64 == 0) {
        uint64_t d = (uint64_t)divisor;
        uint64_t top = high / d;
        return (uint128)top << 64 | divide(high % d, low, d, &rest);
    }
    // The quotient has at most 64 bits: one binary digit at a time.
    uint128 remainder = 0;
    uint64_t quotient = 0;
    for (int bit = 127; bit >= 0; bit--) {
        remainder = remainder << 1 | (number >> bit & 1);
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= bit < 64 ? (uint64_t)1 << bit : 0;
        }
    }
    return quotient;
}

uint128 __umodti3(uint128 number, uint128 divisor)
{
    return number - __udivti3(number, divisor) * divisor;
}
