// Fibers: the stacks of simulated CPUs and kernel threads, all on one host thread, so that a simulated
// machine runs one instruction stream and replays exactly.
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "CMachine.h"

enum { STACK_BYTES = 256 * 1024, GUARD_BYTES = 4096 };

struct fiber {
    ucontext_t context;
    thread_entry entry;
    void *stack;
    struct fiber *next, **link;
};

static __thread uintptr_t fiber_carried;
// Fibers with stacks: in use, and free for the next one.
static __thread struct fiber *fibers_in_use, *fibers_free;

static void fiber_insert(struct fiber **list, struct fiber *fiber)
{
    fiber->next = *list;
    fiber->link = list;
    if (*list) (*list)->link = &fiber->next;
    *list = fiber;
}

static void fiber_remove(struct fiber *fiber)
{
    *fiber->link = fiber->next;
    if (fiber->next) fiber->next->link = fiber->link;
}

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

static struct fiber *fiber_allocate(void)
{
    struct fiber *fiber = fibers_free;
    if (fiber) {
        fiber_remove(fiber);
        return fiber;
    }
    fiber = calloc(1, sizeof *fiber);
    if (!fiber) return NULL;
    char *stack = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) { free(fiber); return NULL; }
    mprotect(stack, GUARD_BYTES, PROT_NONE);
    fiber->stack = stack;
    return fiber;
}

struct fiber *fiber_create(thread_entry entry)
{
    struct fiber *fiber = fiber_allocate();
    if (!fiber) return NULL;
    fiber_insert(&fibers_in_use, fiber);
    fiber->entry = entry;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = (char *)fiber->stack + GUARD_BYTES;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, (void (*)(void))fiber_begin, 2, (unsigned)(uintptr_t)fiber,
                (unsigned)((uintptr_t)fiber >> 32));
    return fiber;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber) return;
    if (!fiber->stack) {
        free(fiber);
        return;
    }
    fiber_remove(fiber);
    fiber_insert(&fibers_free, fiber);
}

void fiber_free_all(void)
{
    while (fibers_in_use) fiber_free(fibers_in_use);
}

uintptr_t fiber_switch(struct fiber *from, struct fiber *to, uintptr_t carried)
{
    fiber_carried = carried;
    swapcontext(&from->context, &to->context);
    return fiber_carried;
}
