// Fibers: the stacks of simulated kernel threads, all on one host thread, so that a simulated machine
// runs one instruction stream and replays exactly.
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "CMachine.h"

enum { STACK_BYTES = 512 * 1024, GUARD_BYTES = 4096 };

struct fiber {
    ucontext_t context;
    thread_entry entry;
    void *stack;
};

static __thread uintptr_t fiber_carried;

static void fiber_begin(unsigned low, unsigned high)
{
    struct fiber *self = (struct fiber *)((uintptr_t)low | (uintptr_t)high << 32);
    self->entry(fiber_carried);
    abort(); // A simulated thread ends by switching away for good.
}

struct fiber *fiber_adopt(void)
{
    return calloc(1, sizeof(struct fiber));
}

struct fiber *fiber_create(thread_entry entry)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (!fiber) return NULL;
    char *stack = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) { free(fiber); return NULL; }
    mprotect(stack, GUARD_BYTES, PROT_NONE);
    fiber->stack = stack;
    fiber->entry = entry;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack + GUARD_BYTES;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, (void (*)(void))fiber_begin, 2, (unsigned)(uintptr_t)fiber,
                (unsigned)((uintptr_t)fiber >> 32));
    return fiber;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber) return;
    if (fiber->stack) munmap(fiber->stack, GUARD_BYTES + STACK_BYTES);
    free(fiber);
}

uintptr_t fiber_switch(struct fiber *from, struct fiber *to, uintptr_t carried)
{
    fiber_carried = carried;
    swapcontext(&from->context, &to->context);
    return fiber_carried;
}
