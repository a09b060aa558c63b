// The beginning of every thread's storage, at which CPU_CURRENT_THREAD points: what the entry path
// reads before it returns to user mode.
#ifndef THREAD_HEAD_H
#define THREAD_HEAD_H
#define THREAD_FLAGS 0
// Bits of the flags word. Any of them sends a return to user mode through `ReturnToUserHook`; so does
// a wanted reschedule (bit 31 of the CPU's preempt_count clear).
#define THREAD_SIGNAL_PENDING (1 << 0)
#define THREAD_NOTIFY_RESUME (1 << 1)
#define THREAD_EXIT_WORK (THREAD_SIGNAL_PENDING | THREAD_NOTIFY_RESUME)
// Linux sets this one while the thread is to be stopped at each system call (ptrace).
#define THREAD_SYSCALL_TRACE (1 << 8)
#ifndef __ASSEMBLER__
#include <stdint.h>
struct thread_head { uint32_t flags; uint32_t reserved; };
#endif
#endif
