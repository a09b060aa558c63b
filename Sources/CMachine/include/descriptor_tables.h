// The tables that the processor itself reads: one GDT and TSS for each CPU, one IDT for all.
#ifndef DESCRIPTOR_TABLES_H
#define DESCRIPTOR_TABLES_H
#include <stddef.h>
#include <stdint.h>
#include "pt_regs_offsets.h"

// 64-bit task-state segment (Intel SDM volume 3, 8.7).
struct __attribute__((packed, aligned(4))) task_state_segment {
    uint32_t reserved0;
    uint64_t rsp0, rsp1, rsp2;
    uint64_t reserved1;
    uint64_t ist1, ist2, ist3, ist4, ist5, ist6, ist7;
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
};
_Static_assert(sizeof(struct task_state_segment) == 104, "");
_Static_assert(offsetof(struct task_state_segment, ist1) == 36, "");
_Static_assert(offsetof(struct task_state_segment, io_map_base) == 102, "");

#define GDT_ENTRIES 16

struct cpu_tables {
    uint64_t gdt[GDT_ENTRIES];
    struct task_state_segment tss;
};

#ifdef __APUS_KERNEL__
#include "cpu_area.h"

// The boot CPU's, from before there is a heap.
extern struct cpu_tables boot_cpu_tables;
extern struct cpu_area boot_cpu_area;
// Two words for each of the 256 vectors, on a page of its own.
extern uint64_t interrupt_descriptor_table[512];

static inline struct cpu_tables *machine_boot_cpu_tables(void) { return &boot_cpu_tables; }
static inline struct cpu_area *machine_boot_cpu_area(void) { return &boot_cpu_area; }
static inline uint64_t *machine_interrupt_descriptor_table(void) { return interrupt_descriptor_table; }

// Where entries from user mode put their frame: the system-call entry reads the one, the processor
// the other.
static inline __attribute__((always_inline)) void machine_set_kernel_stack(uintptr_t top)
{
    cpu_area_set_kernel_stack_top(top);
    ((struct task_state_segment *)cpu_area_tss())->rsp0 = top;
}

// Top of the stack that gates of this IST number (1 to 4) switch to on a CPU; 0 for a CPU without tables.
static inline uint64_t cpu_entry_stack_top(uint32_t cpu, uint32_t ist)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    if (!area || !area->tss) return 0;
    struct task_state_segment *tss = (struct task_state_segment *)area->tss;
    return ist == 1 ? tss->ist1 : ist == 2 ? tss->ist2 : ist == 3 ? tss->ist3 : tss->ist4;
}
static inline uintptr_t cpu_interrupt_stack_top(uint32_t cpu)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area ? area->irq_stack_top : 0;
}
static inline uintptr_t cpu_soft_interrupt_stack_top(uint32_t cpu)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area ? area->softirq_stack_top : 0;
}

// For tests: leaves `room` bytes of this CPU's entry stack of that IST number, whose storage begins at `base`.
static inline void cpu_shrink_entry_stack(uint32_t ist, uintptr_t base, uintptr_t room)
{
    struct task_state_segment *tss = (struct task_state_segment *)cpu_area_tss();
    uintptr_t top = base + room;
    uint64_t *old = (uint64_t *)cpu_entry_stack_top(cpu_area_index(), ist);
    ((uint64_t *)top)[0] = old[0];
    ((uint64_t *)top)[1] = old[1];
    if (ist == 1) tss->ist1 = top;
    else if (ist == 2) tss->ist2 = top;
    else if (ist == 3) tss->ist3 = top;
    else tss->ist4 = top;
}

// Loads the tables into this CPU and reloads every segment register.
void machine_load_tables(uint64_t gdt_base, uint64_t idt_base);
#endif
#endif
