// futex by the bare call: wait and wake, between threads and between processes, time limits, refusals,
// and what the kernel does with words of its own accord when threads die.
#include "tap.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9, WAKE_BITSET = 10, PRIVATE = 128, REALTIME = 256 };

static long futex(void *word, int op, unsigned value, const struct timespec *limit, void *other, unsigned extra)
{
	return syscall(SYS_futex, word, op, value, limit, other, extra);
}

static int *shared_page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

// Wakes, again and again, until this many were woken in all.
static int wake_until(void *word, int op, int wanted)
{
	int woken = 0;
	long long end = tap_now() + 20000000000LL;
	while (woken < wanted && tap_now() < end) {
		long n = futex(word, op, wanted - woken, NULL, NULL, 0);
		if (n < 0)
			return -1;
		woken += n;
		if (n == 0)
			tap_pause(1);
	}
	return woken;
}

TEST(wait_compares)
{
	unsigned word = 5;
	ERR(futex(&word, WAIT | PRIVATE, 4, NULL, NULL, 0), EAGAIN);
	ERR(futex(&word, WAIT, 4, NULL, NULL, 0), EAGAIN);
	ERR(futex(&word, WAIT_BITSET | PRIVATE, 4, NULL, NULL, ~0u), EAGAIN);
	EQ(futex(&word, WAKE | PRIVATE, 1, NULL, NULL, 0), 0);
}

TEST(time_limits)
{
	unsigned word = 0;
	struct timespec limit = { 0, 20000000 }, now;
	long long start = tap_now();
	ERR(futex(&word, WAIT | PRIVATE, 0, &limit, NULL, 0), ETIMEDOUT);
	CHECK(tap_now() - start >= 20000000);
	ERR(futex(&word, WAIT | PRIVATE, 0, &(struct timespec){ 0, 0 }, NULL, 0), ETIMEDOUT);
	ERR(futex(&word, WAIT | PRIVATE, 0, &(struct timespec){ 0, 1000000000 }, NULL, 0), EINVAL);
	ERR(futex(&word, WAIT | PRIVATE, 0, &(struct timespec){ -1, 0 }, NULL, 0), EINVAL);
	// WAIT_BITSET takes a point in time, of the monotonic or the real-time clock.
	clock_gettime(CLOCK_MONOTONIC, &now);
	ERR(futex(&word, WAIT_BITSET | PRIVATE, 0, &now, NULL, ~0u), ETIMEDOUT);
	start = tap_now();
	now.tv_nsec += 20000000;
	if (now.tv_nsec >= 1000000000)
		now.tv_sec++, now.tv_nsec -= 1000000000;
	ERR(futex(&word, WAIT_BITSET | PRIVATE, 0, &now, NULL, ~0u), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &now);
	ERR(futex(&word, WAIT_BITSET | PRIVATE | REALTIME, 0, &now, NULL, ~0u), ETIMEDOUT);
}

TEST(refusals)
{
	static unsigned word;
	char *p = (char *)&word;
	ERR(futex(p + 1, WAIT | PRIVATE, 0, NULL, NULL, 0), EINVAL);
	ERR(futex(p + 2, WAKE | PRIVATE, 1, NULL, NULL, 0), EINVAL);
	ERR(futex((void *)8, WAIT | PRIVATE, 0, NULL, NULL, 0), EFAULT);
	ERR(futex((void *)8, WAIT, 0, NULL, NULL, 0), EFAULT);
	ERR(futex((void *)0xffff800000000000, WAIT | PRIVATE, 0, NULL, NULL, 0), EFAULT);
	ERR(futex(&word, WAIT | PRIVATE, 0, (void *)8, NULL, 0), EFAULT);
	ERR(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	ERR(futex(&word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, 0), EINVAL);
	ERR(futex(&word, WAKE_BITSET | PRIVATE, 1, NULL, NULL, 0), EINVAL);
	ERR(futex(&word, WAKE | REALTIME, 1, NULL, NULL, 0), ENOSYS);
}

static unsigned word;
static volatile int awake;

static void *waiter(void *bits)
{
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0) {
		long result = bits ? futex(&word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, (unsigned)(long)bits)
				   : futex(&word, WAIT | PRIVATE, 0, NULL, NULL, 0);
		if (result == 0)
			break;
	}
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(wakes_as_many_as_asked)
{
	pthread_t thread[6];
	for (int i = 0; i < 6; i++)
		EQ(pthread_create(&thread[i], NULL, waiter, NULL), 0);
	EQ(wake_until(&word, WAKE | PRIVATE, 2), 2);
	for (int i = 0; i < 1000 && awake < 2; i++)
		tap_pause(1);
	tap_pause(20);
	EQ(awake, 2);
	EQ(wake_until(&word, WAKE | PRIVATE, 4), 4);
	for (int i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	EQ(awake, 6);
	EQ(futex(&word, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 0);
}

TEST(wakes_by_bits)
{
	pthread_t one, two;
	pthread_create(&one, NULL, waiter, (void *)1L);
	pthread_create(&two, NULL, waiter, (void *)2L);
	int woken = 0;
	for (int i = 0; i < 5000 && !woken; i++) {
		woken = futex(&word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 2);
		tap_pause(1);
	}
	EQ(woken, 1);
	pthread_join(two, NULL);
	EQ(awake, 1);
	EQ(futex(&word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 4), 0);
	EQ(wake_until(&word, WAKE | PRIVATE, 1), 1);
	pthread_join(one, NULL);
}

TEST(requeue)
{
	static unsigned other;
	pthread_t thread[4];
	unsigned zero = 0;
	ERR(futex(&word, CMP_REQUEUE | PRIVATE, 1, (void *)1L, &other, 7), EAGAIN);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, waiter, NULL);
	// Move all who wait from one word to the other, waking none.
	int moved = 0;
	for (int i = 0; i < 5000 && moved < 4; i++) {
		long n = futex(&word, CMP_REQUEUE | PRIVATE, 0, (void *)10L, &other, zero);
		if (n < 0 && errno == ENOSYS) {
			EQ(wake_until(&word, WAKE | PRIVATE, 4), 4);
			for (int j = 0; j < 4; j++)
				pthread_join(thread[j], NULL);
			SKIP("no FUTEX_CMP_REQUEUE");
		}
		moved += n;
		tap_pause(1);
	}
	EQ(moved, 4);
	EQ(futex(&word, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 0);
	EQ(awake, 0);
	EQ(futex(&other, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 4);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

TEST(between_processes)
{
	int *p = shared_page();
	pid_t child = SPAWN(
		while (__atomic_load_n(p, __ATOMIC_SEQ_CST) == 0)
			futex(p, WAIT, 0, NULL, NULL, 0);
		EQ(*p, 1);
		__atomic_store_n(p + 1, 1, __ATOMIC_SEQ_CST);
		futex(p + 1, WAKE, 1, NULL, NULL, 0));
	tap_pause(10);
	__atomic_store_n(p, 1, __ATOMIC_SEQ_CST);
	OK(futex(p, WAKE, 1, NULL, NULL, 0));
	while (__atomic_load_n(p + 1, __ATOMIC_SEQ_CST) == 0)
		futex(p + 1, WAIT, 0, NULL, NULL, 0);
	EXITED(tap_wait(child), 0);
}

TEST(shared_by_a_file_at_different_addresses)
{
	NEED(tap_enter());
	int fd = OK(open("word", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 8192));
	int *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid_t child = SPAWN(
		char *q = mmap((void *)0x30000000, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
		CHECK((void *)q != (void *)(p + 1024));
		OK(futex(q + 16, WAIT, 0, NULL, NULL, 0)));
	EQ(wake_until(p + 1024 + 4, WAKE, 1), 1);
	EXITED(tap_wait(child), 0);
}

TEST(private_words_of_two_processes_are_two)
{
	static unsigned mine;
	pid_t child = SPAWN(ERR(futex(&mine, WAIT | PRIVATE, 0, &(struct timespec){ 0, 100000000 }, NULL, 0), ETIMEDOUT));
	tap_await_state(child, 'S');
	EQ(futex(&mine, WAKE | PRIVATE, INT_MAX, NULL, NULL, 0), 0);
	EXITED(tap_wait(child), 0);
}

TEST(ping_pong)
{
	int *p = shared_page();
	pid_t child = SPAWN(
		for (int i = 0; i < 500; i++) {
			while (__atomic_load_n(p, __ATOMIC_SEQ_CST) != 2 * i + 1)
				futex(p, WAIT, 2 * i, NULL, NULL, 0);
			__atomic_store_n(p, 2 * i + 2, __ATOMIC_SEQ_CST);
			futex(p, WAKE, 1, NULL, NULL, 0);
		});
	for (int i = 0; i < 500; i++) {
		__atomic_store_n(p, 2 * i + 1, __ATOMIC_SEQ_CST);
		futex(p, WAKE, 1, NULL, NULL, 0);
		while (__atomic_load_n(p, __ATOMIC_SEQ_CST) != 2 * i + 2)
			futex(p, WAIT, 2 * i + 1, NULL, NULL, 0);
	}
	EXITED(tap_wait(child), 0);
	EQ(*p, 1000);
}

TEST(thread_id_is_cleared_at_exit)
{
	// CLONE_CHILD_CLEARTID: what a join waits for.
	int *p = shared_page();
	*p = 1;
	pid_t child = syscall(SYS_clone, CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, p, 0L);
	if (child == 0) {
		tap_pause(10);
		syscall(SYS_exit_group, 0);
	}
	// A process that shares no memory leaves its word alone.
	EXITED(tap_wait(child), 0);
	EQ(*p, 1);
}

TEST(robust_list_of_a_dead_owner)
{
	struct { struct { void *next; } head; long offset; void *pending; } *list;
	struct entry { void *next; unsigned word; } *entry;
	int *p = shared_page();
	pid_t child = SPAWN(
		list = (void *)p;
		entry = (void *)(p + 64);
		list->head.next = entry;
		list->offset = offsetof(struct entry, word);
		list->pending = NULL;
		entry->next = list;
		entry->word = syscall(SYS_gettid) | 0x80000000;
		OK(syscall(SYS_set_robust_list, list, 24L));
		ERR(syscall(SYS_set_robust_list, list, 25L), EINVAL);
		_exit(0));
	EXITED(tap_wait(child), 0);
	entry = (void *)(p + 64);
	// The owner is gone: bit 30 says that it died, its number is no longer there.
	EQ(entry->word & 0x3fffffff, 0);
	EQ(entry->word & 0x40000000, 0x40000000);
}
