// The head of each CPU's own area. On x86 the kernel's GS base points at it; on the host
// each simulated CPU binds one to the thread that plays it. Offsets are known to the
// assembly files (cpu_area_offsets.h) and checked below.
#ifndef CPU_AREA_H
#define CPU_AREA_H
#include <stddef.h>
#include <stdint.h>
#include "cpu_area_offsets.h"
#include "thread_head.h"

// preempt_count: bits 0-7 preemption off, 8-15 bottom halves off or running, 16-19 hard
// interrupts, 20-23 NMI. Bit 31 is *clear* when a reschedule is wanted, so that one
// decrement to zero says both "preemptible again" and "reschedule now".
// Process context identifiers that a CPU uses for user programs, beside 0 for the kernel's own page table.
#define CPU_TLB_CONTEXTS 6

// Delays counted in powers of two: see `Latency` and `DelayHistogram` in Swift.
#define CPU_DELAY_KINDS 5
struct cpu_delays {
    uint64_t buckets[64];
    uint64_t maximum;
};

struct cpu_area {
    struct cpu_area *self;
    uint32_t index;
    uint32_t preempt_count;
    uintptr_t current_thread;
    uintptr_t kernel_stack_top;
    uintptr_t user_stack_scratch;
    uintptr_t irq_stack_top;
    uintptr_t softirq_stack_top;
    uint32_t softirq_pending;
    uint32_t apic_id;
    uintptr_t tss;
    uintptr_t address_space;
    uintptr_t irq_regs;
    uintptr_t fpu_owner;
    uintptr_t memory_cache;
    // Cycles that this CPU's thread has spent in user mode since it got the CPU; while it is there, less the time stamp
    // of when it went there, and so, read as signed, less than nothing.
    uint64_t user_cycles;
    uintptr_t slots[14];
    // How often each vector came on this CPU.
    uint64_t vector_counts[256];
    // Which line each vector of a device belongs to on this CPU: the address of its descriptor, 0 for none.
    uintptr_t vector_lines[256];
    // Up to which of the address space's changes this CPU has forgotten translations, and whether it runs a kernel
    // thread that has no use for the address space loaded. For each address space number whose translations the
    // TLB may still hold, by process context identifier less one: up to which change.
    uint64_t tlb_generation;
    uint32_t tlb_lazy;
    uint32_t tlb_context;
    uint64_t tlb_context_spaces[CPU_TLB_CONTEXTS];
    uint64_t tlb_context_generations[CPU_TLB_CONTEXTS];
    // When the first of the pending soft IRQs was raised, in cycles. Cycles that soft IRQs still have in the present window
    // (SoftInterrupts.swift), and whether ksoftirqd does all the work for the while. How often each ran here.
    uint64_t softirq_raised_at;
    int64_t softirq_budget;
    uint32_t softirq_thread_active;
    uint64_t softirq_counts[32];
    // Scheduled tasklets of soft IRQs HI and TASKLET: the address of the last one, which has that of the one before it.
    uintptr_t high_tasklets;
    uintptr_t tasklets;
    struct cpu_delays delays[CPU_DELAY_KINDS];
    // What room Deferred keeps for this CPU: the address of its own structure, 0 before it is made.
    uintptr_t deferred;
};

_Static_assert(offsetof(struct cpu_area, index) == CPU_INDEX, "");
_Static_assert(offsetof(struct cpu_area, preempt_count) == CPU_PREEMPT_COUNT, "");
_Static_assert(offsetof(struct cpu_area, current_thread) == CPU_CURRENT_THREAD, "");
_Static_assert(offsetof(struct cpu_area, kernel_stack_top) == CPU_KERNEL_STACK_TOP, "");
_Static_assert(offsetof(struct cpu_area, user_stack_scratch) == CPU_USER_STACK_SCRATCH, "");
_Static_assert(offsetof(struct cpu_area, irq_stack_top) == CPU_IRQ_STACK_TOP, "");
_Static_assert(offsetof(struct cpu_area, softirq_stack_top) == CPU_SOFTIRQ_STACK_TOP, "");
_Static_assert(offsetof(struct cpu_area, softirq_pending) == CPU_SOFTIRQ_PENDING, "");
_Static_assert(offsetof(struct cpu_area, tss) == CPU_TSS, "");
_Static_assert(offsetof(struct cpu_area, irq_regs) == CPU_IRQ_REGS, "");
_Static_assert(offsetof(struct cpu_area, user_cycles) == CPU_USER_CYCLES, "");
_Static_assert(offsetof(struct cpu_area, vector_counts) == CPU_VECTOR_COUNTS, "");
_Static_assert(sizeof(struct cpu_area) <= CPU_AREA_SIZE, "");

#define CPU_AREA_INLINE static inline __attribute__((always_inline, swift_attr("@_semantics(\"no_performance_analysis\")")))

#ifdef __APUS_KERNEL__
#define CPU_AREA_READ(type, offset)                                                          \
    ({ type v_; __asm__ volatile("mov %%gs:%c1, %0" : "=r"(v_) : "i"(offset)); v_; })
#define CPU_AREA_WRITE(type, offset, value)                                                  \
    ({ type v_ = (value); CPU_AREA_STORE(v_, offset); })
// The size of the store is the value's, also where that is a constant.
#define CPU_AREA_STORE(v, offset)                                                            \
    ({ if (sizeof(v) == 4) __asm__ volatile("movl %0, %%gs:%c1" ::"re"(v), "i"(offset) : "memory"); \
       else __asm__ volatile("movq %q0, %%gs:%c1" ::"re"(v), "i"(offset) : "memory"); })
// The areas of all CPUs, by number; 0 for those that have none.
#define MAXIMUM_CPUS 256
extern struct cpu_area *cpu_areas[MAXIMUM_CPUS];
CPU_AREA_INLINE void cpu_area_bind(struct cpu_area *area) { cpu_areas[area->index % MAXIMUM_CPUS] = area; }
#else
extern __thread struct cpu_area *cpu_area_bound;
#define CPU_AREA_READ(type, offset) (*(type *)((char *)cpu_area_bound + (offset)))
#define CPU_AREA_WRITE(type, offset, value) (*(type *)((char *)cpu_area_bound + (offset)) = (value))
#define MAXIMUM_CPUS 256
extern __thread struct cpu_area *cpu_areas[MAXIMUM_CPUS];
CPU_AREA_INLINE void cpu_area_bind(struct cpu_area *area)
{
    cpu_area_bound = area;
    cpu_areas[area->index % MAXIMUM_CPUS] = area;
}
CPU_AREA_INLINE void cpu_area_unbind(struct cpu_area *area)
{
    if (cpu_areas[area->index % MAXIMUM_CPUS] == area) cpu_areas[area->index % MAXIMUM_CPUS] = 0;
}
#endif

#define CPU_AREA_FIELD(type, name)                                                           \
    CPU_AREA_INLINE type cpu_area_##name(void)                                               \
    { return CPU_AREA_READ(type, offsetof(struct cpu_area, name)); }                         \
    CPU_AREA_INLINE void cpu_area_set_##name(type value)                                     \
    { CPU_AREA_WRITE(type, offsetof(struct cpu_area, name), value); }

CPU_AREA_FIELD(uint32_t, index)
CPU_AREA_FIELD(uint32_t, preempt_count)
CPU_AREA_FIELD(uintptr_t, current_thread)
CPU_AREA_FIELD(uintptr_t, kernel_stack_top)
CPU_AREA_FIELD(uintptr_t, irq_stack_top)
CPU_AREA_FIELD(uintptr_t, softirq_stack_top)
CPU_AREA_FIELD(uint32_t, softirq_pending)
CPU_AREA_FIELD(uint64_t, softirq_raised_at)
CPU_AREA_FIELD(int64_t, softirq_budget)
CPU_AREA_FIELD(uint32_t, softirq_thread_active)
CPU_AREA_FIELD(uintptr_t, high_tasklets)
CPU_AREA_FIELD(uintptr_t, tasklets)
CPU_AREA_FIELD(uintptr_t, deferred)
CPU_AREA_FIELD(uint32_t, apic_id)
CPU_AREA_FIELD(uintptr_t, tss)
CPU_AREA_FIELD(uintptr_t, address_space)
CPU_AREA_FIELD(uintptr_t, irq_regs)
CPU_AREA_FIELD(uint64_t, user_cycles)
CPU_AREA_FIELD(uintptr_t, fpu_owner)
CPU_AREA_FIELD(uintptr_t, memory_cache)
CPU_AREA_FIELD(uint64_t, tlb_generation)
CPU_AREA_FIELD(uint32_t, tlb_lazy)
CPU_AREA_FIELD(uint32_t, tlb_context)

// What is to be done for the current thread before it returns to user mode (thread_head.h).
CPU_AREA_INLINE uint32_t cpu_area_return_work(void)
{
    volatile uint32_t *flags = (volatile uint32_t *)cpu_area_current_thread();
    return flags ? *flags & ~(uint32_t)THREAD_IDLE_FLAGS : 0;
}

// Written by the one CPU, read by others as a figure of the moment.
CPU_AREA_INLINE uint64_t cpu_area_vector_count(uint32_t cpu, uint32_t vector)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area ? __atomic_load_n(&area->vector_counts[vector & 255], __ATOMIC_RELAXED) : 0;
}
CPU_AREA_INLINE void cpu_area_set_vector_line(uint32_t cpu, uint32_t vector, uintptr_t line)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    if (area) __atomic_store_n(&area->vector_lines[vector & 255], line, __ATOMIC_RELEASE);
}
CPU_AREA_INLINE uint32_t cpu_area_apic_id_of(uint32_t cpu)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area ? area->apic_id : 0xffffffff;
}

// Whether another CPU has no use for the address space it has loaded. Ordered behind the caller's last atomic
// read-modify-write: see AddressSpace+Flush.swift.
CPU_AREA_INLINE _Bool cpu_area_is_tlb_lazy(uint32_t cpu)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area && __atomic_load_n(&area->tlb_lazy, __ATOMIC_SEQ_CST);
}

#ifdef __APUS_KERNEL__
// Address of the local APIC's end-of-interrupt register, 0 where that is a model-specific one (entry.S).
extern uint64_t end_of_interrupt_register;
CPU_AREA_INLINE void machine_set_end_of_interrupt_register(uint64_t address) { end_of_interrupt_register = address; }
CPU_AREA_INLINE void machine_end_of_interrupt(void)
{
    uint64_t address = end_of_interrupt_register;
    if (__builtin_expect(address != 0, 1)) __asm__ volatile("movl $0, (%0)" ::"r"(address) : "memory");
    else __asm__ volatile("wrmsr" ::"c"(0x80b), "a"(0), "d"(0) : "memory");
}
#else
CPU_AREA_INLINE void machine_set_end_of_interrupt_register(uint64_t address) { (void)address; }
#endif

#ifdef __APUS_KERNEL__
// Says that this CPU uses its address space again; every later load comes behind it.
CPU_AREA_INLINE void cpu_area_end_tlb_lazy(void)
{
    uint32_t zero = 0;
    __asm__ volatile("xchgl %0, %%gs:%c1" : "+r"(zero) : "i"(offsetof(struct cpu_area, tlb_lazy)) : "memory");
}
CPU_AREA_INLINE uintptr_t cpu_area_vector_line(uint32_t vector)
{
    uintptr_t line;
    __asm__ volatile("movq %%gs:%c2(, %q1, 8), %0" : "=r"(line) : "r"((uint64_t)(vector & 255)),
                     "i"(offsetof(struct cpu_area, vector_lines)));
    return line;
}
CPU_AREA_INLINE struct cpu_area *cpu_area_self(void)
{ return CPU_AREA_READ(struct cpu_area *, 0); }
// One read-modify-write instruction each, so that an interrupt cannot split them.
CPU_AREA_INLINE void cpu_area_preempt_add(uint32_t n)
{ __asm__ volatile("addl %0, %%gs:%c1" ::"ri"(n), "i"(CPU_PREEMPT_COUNT) : "memory", "cc"); }
CPU_AREA_INLINE _Bool cpu_area_preempt_sub_is_zero(uint32_t n)
{
    _Bool zero;
    __asm__ volatile("subl %1, %%gs:%c2" : "=@ccz"(zero) : "ri"(n), "i"(CPU_PREEMPT_COUNT) : "memory");
    return zero;
}
CPU_AREA_INLINE void cpu_area_set_need_resched(void)
{ __asm__ volatile("andl $0x7fffffff, %%gs:%c0" ::"i"(CPU_PREEMPT_COUNT) : "memory", "cc"); }
CPU_AREA_INLINE void cpu_area_clear_need_resched(void)
{ __asm__ volatile("orl $0x80000000, %%gs:%c0" ::"i"(CPU_PREEMPT_COUNT) : "memory", "cc"); }
CPU_AREA_INLINE void cpu_area_count_vector(uint32_t vector)
{
    __asm__ volatile("incq %%gs:%c1(, %q0, 8)" ::"r"((uint64_t)(vector & 255)),
                     "i"(offsetof(struct cpu_area, vector_counts)) : "memory", "cc");
}
CPU_AREA_INLINE void cpu_area_softirq_raise(uint32_t bit)
{ __asm__ volatile("orl %0, %%gs:%c1" ::"ri"(bit), "i"(CPU_SOFTIRQ_PENDING) : "memory", "cc"); }
CPU_AREA_INLINE _Bool cpu_area_is_softirq_pending(void)
{
    _Bool some;
    __asm__ volatile("cmpl $0, %%gs:%c1" : "=@ccnz"(some) : "i"(CPU_SOFTIRQ_PENDING) : "memory");
    return some;
}
CPU_AREA_INLINE _Bool cpu_area_is_softirq_thread_active(void)
{
    _Bool active;
    __asm__ volatile("cmpl $0, %%gs:%c1" : "=@ccnz"(active) : "i"(offsetof(struct cpu_area, softirq_thread_active)) : "memory");
    return active;
}
// Whether any of the bits of `mask` is set in the count.
CPU_AREA_INLINE _Bool cpu_area_preempt_count_has(uint32_t mask)
{
    _Bool some;
    __asm__ volatile("testl %1, %%gs:%c2" : "=@ccnz"(some) : "ri"(mask), "i"(CPU_PREEMPT_COUNT) : "memory");
    return some;
}
CPU_AREA_INLINE _Bool cpu_area_preempt_count_is(uint32_t count)
{
    _Bool is;
    __asm__ volatile("cmpl %1, %%gs:%c2" : "=@ccz"(is) : "ri"(count), "i"(CPU_PREEMPT_COUNT) : "memory");
    return is;
}
// Bits 8 to 23, by themselves: 1 in one section without bottom halves that is in no interrupt.
CPU_AREA_INLINE _Bool cpu_area_is_outermost_bottom_half(void)
{
    _Bool is;
    __asm__ volatile("cmpw $1, %%gs:%c1" : "=@ccz"(is) : "i"(CPU_PREEMPT_COUNT + 1) : "memory");
    return is;
}
CPU_AREA_INLINE void cpu_area_stamp_softirq(void)
{
    __asm__ volatile("rdtsc; movl %%eax, %%gs:%c0; movl %%edx, %%gs:%c0 + 4"
                     ::"i"(offsetof(struct cpu_area, softirq_raised_at)) : "eax", "edx", "memory");
}
// From the raising of the first of the pending soft IRQs to `cycles`.
CPU_AREA_INLINE uint64_t cpu_area_since_softirq_raised(uint64_t cycles)
{
    __asm__ volatile("subq %%gs:%c1, %0" : "+r"(cycles) : "i"(offsetof(struct cpu_area, softirq_raised_at)) : "memory", "cc");
    return cycles;
}
// Takes cycles from the budget; whether it is used up.
CPU_AREA_INLINE _Bool cpu_area_spend_softirq_budget(uint64_t cycles)
{
    _Bool none;
    __asm__ volatile("subq %1, %%gs:%c2" : "=@ccle"(none) : "r"(cycles), "i"(offsetof(struct cpu_area, softirq_budget)) : "memory");
    return none;
}
CPU_AREA_INLINE void cpu_area_count_softirq(uint32_t vector)
{
    __asm__ volatile("incq %%gs:%c1(, %q0, 8)" ::"r"((uint64_t)(vector & 31)),
                     "i"(offsetof(struct cpu_area, softirq_counts)) : "memory", "cc");
}
// Puts a tasklet before the others of a list; `next` is its word for the one behind it. One instruction against
// interrupts of this CPU, the only ones that touch the list meanwhile.
#define CPU_AREA_PUSH(name)                                                                  \
    CPU_AREA_INLINE void cpu_area_push_##name(uintptr_t node, uintptr_t *next)               \
    {                                                                                        \
        uintptr_t first = cpu_area_##name();                                                 \
        _Bool done;                                                                          \
        do {                                                                                 \
            *next = first;                                                                   \
            __asm__ volatile("cmpxchgq %2, %%gs:%c3" : "=@ccz"(done), "+a"(first)            \
                             : "r"(node), "i"(offsetof(struct cpu_area, name)) : "memory");  \
        } while (!done);                                                                     \
    }
CPU_AREA_PUSH(high_tasklets)
CPU_AREA_PUSH(tasklets)
// Counts a delay of so many cycles. A delay of 0 finds bucket 0 there.
#define CPU_AREA_NOTE_DELAY(kind)                                                            \
    CPU_AREA_INLINE void cpu_area_note_delay_##kind(uint64_t cycles)                         \
    {                                                                                        \
        uint64_t bucket = 0;                                                                 \
        _Bool longest;                                                                       \
        __asm__ volatile("bsrq %1, %0" : "+r"(bucket) : "r"(cycles) : "cc");                 \
        __asm__ volatile("incq %%gs:%c1(, %0, 8)" ::"r"(bucket),                             \
                         "i"(offsetof(struct cpu_area, delays[kind])) : "memory", "cc");     \
        __asm__ volatile("cmpq %1, %%gs:%c2" : "=@ccb"(longest) : "r"(cycles),               \
                         "i"(offsetof(struct cpu_area, delays[kind].maximum)) : "memory");   \
        if (__builtin_expect(longest, 0))                                                    \
            CPU_AREA_WRITE(uint64_t, offsetof(struct cpu_area, delays[kind].maximum), cycles); \
    }
#else
CPU_AREA_INLINE void cpu_area_end_tlb_lazy(void) { __atomic_store_n(&cpu_area_bound->tlb_lazy, 0, __ATOMIC_SEQ_CST); }
CPU_AREA_INLINE struct cpu_area *cpu_area_self(void) { return cpu_area_bound; }
CPU_AREA_INLINE void cpu_area_preempt_add(uint32_t n) { cpu_area_bound->preempt_count += n; }
CPU_AREA_INLINE _Bool cpu_area_preempt_sub_is_zero(uint32_t n)
{ return (cpu_area_bound->preempt_count -= n) == 0; }
CPU_AREA_INLINE void cpu_area_set_need_resched(void) { cpu_area_bound->preempt_count &= 0x7fffffff; }
CPU_AREA_INLINE void cpu_area_clear_need_resched(void) { cpu_area_bound->preempt_count |= 0x80000000; }
CPU_AREA_INLINE uintptr_t cpu_area_vector_line(uint32_t vector) { return cpu_area_bound->vector_lines[vector & 255]; }
CPU_AREA_INLINE void cpu_area_count_vector(uint32_t vector) { cpu_area_bound->vector_counts[vector & 255]++; }
CPU_AREA_INLINE void cpu_area_softirq_raise(uint32_t bit) { cpu_area_bound->softirq_pending |= bit; }
CPU_AREA_INLINE _Bool cpu_area_is_softirq_pending(void) { return cpu_area_bound->softirq_pending != 0; }
CPU_AREA_INLINE _Bool cpu_area_is_softirq_thread_active(void) { return cpu_area_bound->softirq_thread_active != 0; }
CPU_AREA_INLINE _Bool cpu_area_preempt_count_has(uint32_t mask) { return (cpu_area_bound->preempt_count & mask) != 0; }
CPU_AREA_INLINE _Bool cpu_area_preempt_count_is(uint32_t count) { return cpu_area_bound->preempt_count == count; }
CPU_AREA_INLINE _Bool cpu_area_is_outermost_bottom_half(void)
{ return (cpu_area_bound->preempt_count >> 8 & 0xffff) == 1; }
CPU_AREA_INLINE uint64_t cpu_area_since_softirq_raised(uint64_t cycles)
{ return cycles - cpu_area_bound->softirq_raised_at; }
CPU_AREA_INLINE _Bool cpu_area_spend_softirq_budget(uint64_t cycles)
{ return (cpu_area_bound->softirq_budget -= (int64_t)cycles) <= 0; }
CPU_AREA_INLINE void cpu_area_count_softirq(uint32_t vector) { cpu_area_bound->softirq_counts[vector & 31]++; }
#define CPU_AREA_PUSH(name)                                                                  \
    CPU_AREA_INLINE void cpu_area_push_##name(uintptr_t node, uintptr_t *next)               \
    {                                                                                        \
        *next = cpu_area_bound->name;                                                        \
        cpu_area_bound->name = node;                                                         \
    }
CPU_AREA_PUSH(high_tasklets)
CPU_AREA_PUSH(tasklets)
#define CPU_AREA_NOTE_DELAY(kind)                                                            \
    CPU_AREA_INLINE void cpu_area_note_delay_##kind(uint64_t cycles)                         \
    {                                                                                        \
        struct cpu_delays *delays = &cpu_area_bound->delays[kind];                           \
        delays->buckets[63 - __builtin_clzll(cycles | 1)]++;                                 \
        if (cycles > delays->maximum) delays->maximum = cycles;                              \
    }
#endif
CPU_AREA_NOTE_DELAY(0)
CPU_AREA_NOTE_DELAY(1)
CPU_AREA_NOTE_DELAY(2)
CPU_AREA_NOTE_DELAY(3)
CPU_AREA_NOTE_DELAY(4)

// Written by the one CPU, read by others as figures of the moment.
CPU_AREA_INLINE uint64_t cpu_area_softirq_count(uint32_t cpu, uint32_t vector)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    return area ? __atomic_load_n(&area->softirq_counts[vector & 31], __ATOMIC_RELAXED) : 0;
}
// Bucket 64 is the longest delay.
CPU_AREA_INLINE uint64_t cpu_area_delay_bucket(uint32_t cpu, uint32_t kind, uint32_t bucket)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    if (!area) return 0;
    struct cpu_delays *delays = &area->delays[kind % CPU_DELAY_KINDS];
    return __atomic_load_n(bucket < 64 ? &delays->buckets[bucket] : &delays->maximum, __ATOMIC_RELAXED);
}
// Interrupts are off.
CPU_AREA_INLINE void cpu_area_clear_delays(uint32_t kind)
{
    struct cpu_delays none = {{0}, 0};
    cpu_area_self()->delays[kind % CPU_DELAY_KINDS] = none;
}

// Number of the lowest bit of some.
CPU_AREA_INLINE uint32_t machine_lowest_bit(uint32_t bits) { return (uint32_t)__builtin_ctz(bits); }

// What the TLB may hold of other address spaces, this CPU's own business: interrupts are off.
CPU_AREA_INLINE uint64_t cpu_area_tlb_context_space(uint32_t context)
{ return cpu_area_self()->tlb_context_spaces[context % CPU_TLB_CONTEXTS]; }
CPU_AREA_INLINE uint64_t cpu_area_tlb_context_generation(uint32_t context)
{ return cpu_area_self()->tlb_context_generations[context % CPU_TLB_CONTEXTS]; }
CPU_AREA_INLINE void cpu_area_note_tlb_context(uint32_t context, uint64_t space, uint64_t generation)
{
    cpu_area_self()->tlb_context_spaces[context % CPU_TLB_CONTEXTS] = space;
    cpu_area_self()->tlb_context_generations[context % CPU_TLB_CONTEXTS] = generation;
}

// The area of a CPU, 0 if it has none.
CPU_AREA_INLINE struct cpu_area *cpu_area_of(uint32_t cpu) { return cpu_areas[cpu % MAXIMUM_CPUS]; }
CPU_AREA_INLINE void cpu_area_forget_tlb_context(struct cpu_area *area, uint32_t context)
{ area->tlb_context_spaces[context % CPU_TLB_CONTEXTS] = 0; }

// Cycles of user mode that CPU `cpu` has not yet handed to its thread, up to `now`: only near the truth,
// since that CPU goes on meanwhile.
CPU_AREA_INLINE uint64_t cpu_area_pending_user_cycles(uint32_t cpu, uint64_t now)
{
    struct cpu_area *area = cpu_areas[cpu % MAXIMUM_CPUS];
    if (!area) return 0;
    int64_t cycles = (int64_t)__atomic_load_n(&area->user_cycles, __ATOMIC_RELAXED);
    if (cycles >= 0) return (uint64_t)cycles;
    // It went to user mode after `now` was read.
    int64_t sum = cycles + (int64_t)now;
    return sum > 0 ? (uint64_t)sum : 0;
}
#endif
