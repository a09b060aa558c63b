// What the memory room has from C and assembly.
#ifndef MEMORY_H
#define MEMORY_H
#ifdef __APUS_KERNEL__
#include <stdint.h>
#define BOOT_HEAP_SIZE 65536
extern char boot_heap[BOOT_HEAP_SIZE];
static inline uintptr_t boot_heap_start(void) { return (uintptr_t)boot_heap; }
static inline uintptr_t boot_heap_size(void) { return BOOT_HEAP_SIZE; }
#endif
#endif
