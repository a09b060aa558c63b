// The beginning of every thread's storage, at which CPU_CURRENT_THREAD points: what the entry path
// reads before it returns to user mode.
#ifndef THREAD_HEAD_H
#define THREAD_HEAD_H
#include <stdint.h>

// The flags word is the first thing there. Any bit of it sends a return to user mode through
// apus_return_to_user; so does a wanted reschedule (bit 31 of the CPU's preempt_count clear).
enum {
    THREAD_SIGNAL_PENDING = 1 << 0,
    THREAD_NOTIFY_RESUME = 1 << 1,
    THREAD_FATAL_SIGNAL_PENDING = 1 << 2,
    THREAD_SYSCALL_TRACE = 1 << 3,
};
#endif
