// The beginning of every thread's storage, at which CPU_CURRENT_THREAD points: what the entry path
// reads before it returns to user mode.
#ifndef THREAD_HEAD_H
#define THREAD_HEAD_H

// The flags word is the first thing there. Any bit of it sends a return to user mode through
// apus_return_to_user; so does a wanted reschedule (bit 31 of the CPU's preempt_count clear).
#define THREAD_SIGNAL_PENDING 1
#define THREAD_NOTIFY_RESUME 2
#define THREAD_FATAL_SIGNAL_PENDING 4
#define THREAD_SYSCALL_TRACE 8
// The system call has replaced the thread's registers, so that SYSRET may not be able to load them: nothing is to be
// done but to look at them.
#define THREAD_REGISTERS_REPLACED 16
// Bits that ask for nothing to be done.
#define THREAD_IDLE_FLAGS (THREAD_SYSCALL_TRACE | THREAD_REGISTERS_REPLACED)
#endif
