// The CPU's random number instructions.
#ifndef RANDOM_H
#define RANDOM_H
#include <stdint.h>
#ifdef __APUS_KERNEL__
// Each returns whether `word` is random; the CPU may have none ready (Intel SDM volume 2, RDRAND, RDSEED).
INSTRUCTION _Bool machine_rdrand(uint64_t *word)
{ _Bool ok; __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(ok)::"cc"); return ok; }
INSTRUCTION _Bool machine_rdseed(uint64_t *word)
{ _Bool ok; __asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(ok)::"cc"); return ok; }
#endif
#endif
