// Offsets into struct cpu_area, for assembly. Checked against the struct in cpu_area.h.
#ifndef CPU_AREA_OFFSETS_H
#define CPU_AREA_OFFSETS_H
#define CPU_SELF 0
#define CPU_INDEX 8
#define CPU_PREEMPT_COUNT 12
#define CPU_CURRENT_THREAD 16
#define CPU_KERNEL_STACK_TOP 24
#define CPU_USER_STACK_SCRATCH 32
#define CPU_IRQ_STACK_TOP 40
#define CPU_SOFTIRQ_STACK_TOP 48
#define CPU_SOFTIRQ_PENDING 56
#define CPU_TSS 64
#define CPU_IRQ_REGS 80
#define CPU_USER_CYCLES 104
#define CPU_VECTOR_COUNTS 224
#define CPU_AREA_SIZE 7680
#endif
