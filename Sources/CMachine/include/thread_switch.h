// What the scheduler needs of the machine: switching stacks, floating-point state, segment bases.
#ifndef THREAD_SWITCH_H
#define THREAD_SWITCH_H
#include <stdint.h>
#include "cpu_area.h"
#include "thread_head.h"

// A thread that runs for the first time calls this with what the switch carried.
typedef void (*thread_entry)(uintptr_t carried);

#ifdef __APUS_KERNEL__

// Saves the callee's registers on this stack, its pointer in *saved, and goes on with the stack `next`;
// returns there with `carried`, which is how the next thread learns whom it follows.
uintptr_t apus_switch_stacks(uintptr_t *saved, uintptr_t next, uintptr_t carried);
// First instructions of a thread (switch.S); its address starts a fresh stack.
extern char apus_thread_begin[];

#define SWITCH_INLINE static inline __attribute__((always_inline))

SWITCH_INLINE uintptr_t thread_begin_address(void) { return (uintptr_t)apus_thread_begin; }

// Where the next entry from user mode puts its frame: both for SYSCALL, which reads the area, and for
// gates, which read RSP0 of the TSS, 4 bytes in (Intel SDM volume 3, 8.7).
SWITCH_INLINE void thread_set_entry_stack(uintptr_t top)
{
    cpu_area_set_kernel_stack_top(top);
    uintptr_t tss = cpu_area_tss();
    if (tss) __builtin_memcpy((char *)tss + 4, &top, sizeof top);
}

SWITCH_INLINE void machine_xsave(void *area, uint64_t mask)
{ __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory"); }
SWITCH_INLINE void machine_xsaveopt(void *area, uint64_t mask)
{ __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory"); }
SWITCH_INLINE void machine_xrstor(const void *area, uint64_t mask)
{ __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory"); }
SWITCH_INLINE void machine_fxsave(void *area) { __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory"); }
SWITCH_INLINE void machine_fxrstor(const void *area) { __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory"); }
SWITCH_INLINE void machine_fninit(void) { __asm__ volatile("fninit" ::: "memory"); }

#else

// Fibers play the stacks of kernel threads (Simulated/fiber.c).
struct fiber;
struct fiber *fiber_create(thread_entry entry);
// A fiber for the stack the host thread itself runs on.
struct fiber *fiber_adopt(void);
void fiber_free(struct fiber *fiber);
// Frees all fibers made on this host thread; it runs on none of them.
void fiber_free_all(void);
uintptr_t fiber_switch(struct fiber *from, struct fiber *to, uintptr_t carried);

static inline void thread_set_entry_stack(uintptr_t top) { cpu_area_set_kernel_stack_top(top); }

#endif
#endif
