// What the memory room has from C and assembly.
#ifndef MEMORY_H
#define MEMORY_H
#include <stdint.h>
#include <stddef.h>

// What software writes into an image of the extended state: three words into the bytes left to it, of which the third's
// lower half is the image's size in bytes; and a last one behind the image.
struct state_mark { uint64_t first, second, third; uint32_t last; };

#ifdef __APUS_KERNEL__

// user_access.S
struct user_value { uint64_t value, failed; };
size_t user_copy(void *to, const void *from, size_t bytes);
size_t user_clear(void *to, size_t bytes);
size_t user_string(void *to, const void *from, size_t limit);
struct user_value user_load_8(uintptr_t from);
struct user_value user_load_16(uintptr_t from);
struct user_value user_load_32(uintptr_t from);
struct user_value user_load_64(uintptr_t from);
size_t user_store_8(uintptr_t to, uint64_t value);
size_t user_store_16(uintptr_t to, uint64_t value);
size_t user_store_32(uintptr_t to, uint64_t value);
size_t user_store_64(uintptr_t to, uint64_t value);
size_t user_save_state(uintptr_t to, uint64_t features, const struct state_mark *mark);
size_t user_restore_state(uintptr_t from, uint64_t features, const struct state_mark *mark);
size_t user_save_legacy_state(uintptr_t to);
size_t user_restore_legacy_state(uintptr_t from);
struct user_value user_compare_exchange_32(uintptr_t at, uint32_t expected, uint32_t desired);

#define BOOT_HEAP_SIZE 65536
extern char boot_heap[BOOT_HEAP_SIZE];
static inline uintptr_t boot_heap_start(void) { return (uintptr_t)boot_heap; }
static inline uintptr_t boot_heap_size(void) { return BOOT_HEAP_SIZE; }
#endif
#endif
