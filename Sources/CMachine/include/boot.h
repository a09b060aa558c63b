// Symbols of the linker script and of the assembly that boot code in Swift needs.
#ifndef BOOT_H
#define BOOT_H
#ifdef __APUS_KERNEL__
#include <stdint.h>
#include "cpu_area.h"

extern char kernel_start[], kernel_text_end[], kernel_rodata_start[], kernel_data_start[], kernel_end[];
extern char symbols_start[], symbols_end[], ex_table_start[], ex_table_end[];
extern char trampoline_start[], trampoline_end[], boot_stack_top[], boot_stack_guard[];
extern struct cpu_area boot_cpu_area;
extern uint64_t boot_pml4[512];

// One record for each secondary CPU, read by trampoline.S.
struct secondary_record { uint32_t apic_id, index; uint64_t area, stack; };
_Static_assert(sizeof(struct secondary_record) == 24, "");
extern struct secondary_record *secondary_table;
extern uint32_t secondary_count;
// Physical address of the kernel's top-level page table.
extern uint64_t secondary_root;
static inline void boot_set_secondary_records(
    struct secondary_record *records, uint32_t count, uint64_t root)
{ secondary_table = records; secondary_count = count; secondary_root = root; }

#define BOOT_SYMBOL(name) \
    static inline uintptr_t boot_##name(void) { return (uintptr_t)name; }
BOOT_SYMBOL(kernel_start)
BOOT_SYMBOL(kernel_text_end)
BOOT_SYMBOL(kernel_rodata_start)
BOOT_SYMBOL(kernel_data_start)
BOOT_SYMBOL(kernel_end)
BOOT_SYMBOL(symbols_start)
BOOT_SYMBOL(symbols_end)
BOOT_SYMBOL(ex_table_start)
BOOT_SYMBOL(ex_table_end)
BOOT_SYMBOL(trampoline_start)
BOOT_SYMBOL(trampoline_end)
BOOT_SYMBOL(boot_stack_top)
BOOT_SYMBOL(boot_stack_guard)
#endif
#endif
