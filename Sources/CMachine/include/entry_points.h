// Addresses of the entry code, and assembly routines that Swift calls.
#ifndef ENTRY_POINTS_H
#define ENTRY_POINTS_H
#ifdef __APUS_KERNEL__
#include <stdbool.h>
#include <stdint.h>
#include "pt_regs.h"

extern uint64_t apus_exception_entries[32];
extern char apus_interrupt_stubs[], apus_syscall_entry[], apus_syscall32_entry[], apus_int80_entry[], apus_reschedule_entry[];
extern char apus_enter_user[], iretq_to_user[];
// Top of the boot CPU's static stacks for #DF, NMI, #MC, #DB, interrupts and soft IRQs, in this order.
extern uint64_t boot_entry_stack_tops[6];

// Runs pending soft IRQs at the end of a section without bottom halves, on the CPU's stack for them.
void machine_run_softirqs(void);
// What does so there, and where a hard interrupt ends; interrupts are off before and after.
extern void (*softirqs_of_section)(void), (*softirqs_at_exit)(void);
static inline void machine_set_softirqs(void (*section)(void), void (*at_exit)(void))
{
    softirqs_of_section = section;
    softirqs_at_exit = at_exit;
}

// Each tries one access that may fault and answers whether it went well.
bool machine_load_checked(uintptr_t address, uint64_t *value);
bool machine_load_byte_checked(uintptr_t address, uint8_t *value);
bool machine_rdmsr_checked(uint32_t msr, uint64_t *value);
bool machine_wrmsr_checked(uint32_t msr, uint64_t value);

// Makes every exception end in a report that needs neither per-CPU data nor the console (early_report.S).
void machine_load_early_table(void);

// Writes a byte to the first serial port, whatever state it is in.
void machine_raw_console_put(uint8_t byte);

// Ways to break the kernel, for tests of its reports (crash.S).
void machine_overflow_stack(void);
void machine_lose_stack(void);
void machine_raise_debug(void);
void machine_raise_machine_check(void);
void machine_raise_invalid_opcode(void);
// Interrupts by INT instructions: reschedule (252), and the test vector 247.
void machine_raise_reschedule(void);
void machine_raise_test_vector(void);

// Puts STAC and CLAC where the kernel opens and closes access to user memory. To be called once,
// before SMAP is switched on, by the boot CPU alone.
void machine_enable_smap_sites(void);

static inline uintptr_t entry_interrupt_stubs(void) { return (uintptr_t)apus_interrupt_stubs; }
static inline uintptr_t entry_syscall(void) { return (uintptr_t)apus_syscall_entry; }
static inline uintptr_t entry_syscall32(void) { return (uintptr_t)apus_syscall32_entry; }
static inline uintptr_t entry_int80(void) { return (uintptr_t)apus_int80_entry; }
static inline uintptr_t entry_reschedule(void) { return (uintptr_t)apus_reschedule_entry; }
static inline uintptr_t entry_exception(uint32_t vector) { return apus_exception_entries[vector & 31]; }
static inline uintptr_t entry_boot_stack_top(uint32_t stack) { return boot_entry_stack_tops[stack % 6]; }
#endif
#endif
