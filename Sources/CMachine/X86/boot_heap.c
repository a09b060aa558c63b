#include "memory.h"
char boot_heap[BOOT_HEAP_SIZE] __attribute__((aligned(64)));
