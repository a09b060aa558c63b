// No thread may ever see a page that has been taken away: threads on every processor read (or write) a window of
// pages while one thread puts other pages there.
//
// How a stale translation shows without any lock: contents only grow. The changer fills pages with the number of its
// round, puts them into the window, and publishes the number once the system call has returned. A reader that takes
// the published number first must find at least that number in the window.
//
// SECONDS=n in the environment is how long each kind of change goes on.
#include "tap.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { PAGES = 8, PAGE = 4096, MOST = 16 };

static volatile unsigned char *window;
static atomic_long published, checks, stale, faults;
static atomic_bool is_over;
static pthread_t thread[MOST];
static int processors;
static long long start_time;

static volatile long *page(int number) { return (volatile long *)(window + (size_t)number * PAGE); }

static void pin(int processor)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof set, &set) < 0)
		atomic_fetch_add(&faults, 1);
}

static void start_readers(void *(*body)(void *))
{
	cpu_set_t set;
	CPU_ZERO(&set);
	processors = sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
	if (processors > MOST)
		processors = MOST;
	atomic_store(&is_over, false);
	atomic_store(&checks, 0);
	atomic_store(&stale, 0);
	atomic_store(&faults, 0);
	atomic_store(&published, 0);
	for (long i = 0; i < processors; i++)
		EQ(pthread_create(&thread[i], NULL, body, (void *)i), 0);
}

static void join_readers(void)
{
	atomic_store(&is_over, true);
	for (int i = 0; i < processors; i++)
		EQ(pthread_join(thread[i], NULL), 0);
	tap_note("%d threads, %ld checks in %lld ms", processors, atomic_load(&checks),
	         (tap_now() - start_time) / 1000000);
	EQ(atomic_load(&stale), 0);
	EQ(atomic_load(&faults), 0);
}

// Reads the window; a zero is a page that has just been made and not been filled yet.
static void *read_window(void *argument)
{
	pin((int)(long)argument);
	long done = 0;
	unsigned number = (unsigned)(long)argument;
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		for (int i = 0; i < 512; i++) {
			long least = atomic_load(&published);
			long seen = *page(number++ % PAGES);
			if (seen < least && seen != 0)
				atomic_fetch_add(&stale, 1);
			done++;
		}
	}
	atomic_fetch_add(&checks, done);
	return NULL;
}

static void fill(volatile unsigned char *pages, long value)
{
	for (int i = 0; i < PAGES; i++)
		*(volatile long *)(pages + (size_t)i * PAGE) = value;
}

static unsigned char *map_window(int flags, int file)
{
	unsigned char *place = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, file, 0);
	return place == MAP_FAILED ? NULL : place;
}

// Many rounds, as far as a slow machine does them in time.
static bool goes_on(long round)
{
	if (round <= 1)
		start_time = tap_now();
	const char *wanted = getenv("SECONDS");
	long long limit = (wanted ? atoi(wanted) : 6) * 1000000000LL;
	return round <= 10 || (round <= 1500 && tap_now() - start_time < limit);
}

TEST(file_pages_replaced_by_others)
{
	enum { BLOCKS = 4 };
	int file = OK(syscall(SYS_memfd_create, "pages", 0));
	OK(ftruncate(file, BLOCKS * PAGES * PAGE));
	unsigned char *all = mmap(NULL, BLOCKS * PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	NEED(all != MAP_FAILED);
	NEED((window = map_window(MAP_SHARED, file)) != NULL);
	start_readers(read_window);
	for (long round = 1; goes_on(round); round++) {
		long block = round % BLOCKS;
		fill(all + block * PAGES * PAGE, round);
		void *got = mmap((void *)window, PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
		                 block * PAGES * PAGE);
		NEED(got == window);
		atomic_store(&published, round);
	}
	join_readers();
}

TEST(anonymous_pages_moved_in)
{
	NEED((window = map_window(MAP_PRIVATE | MAP_ANONYMOUS, -1)) != NULL);
	start_readers(read_window);
	for (long round = 1; goes_on(round); round++) {
		unsigned char *fresh = map_window(MAP_PRIVATE | MAP_ANONYMOUS, -1);
		NEED(fresh != NULL);
		fill(fresh, round);
		void *got = mremap(fresh, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)window);
		NEED(got == window);
		atomic_store(&published, round);
	}
	join_readers();
}

TEST(pages_given_up_and_made_again)
{
	NEED((window = map_window(MAP_PRIVATE | MAP_ANONYMOUS, -1)) != NULL);
	start_readers(read_window);
	for (long round = 1; goes_on(round); round++) {
		int count = (int)(round % PAGES) + 1;
		OK(madvise((void *)window, (size_t)count * PAGE, MADV_DONTNEED));
		fill(window, round);
		atomic_store(&published, round);
	}
	join_readers();
}

// One page at a time, each on its own, and a hole in between: the window's pages come and go with their page table.

static __thread sigjmp_buf own_escape;
static __thread int own_number;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(own_escape, 1);
}

static void *read_holes(void *argument)
{
	own_number = (int)(long)argument;
	pin(own_number);
	volatile long done = 0;
	volatile unsigned number = (unsigned)own_number;
	sigsetjmp(own_escape, 1);
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		for (int i = 0; i < 64; i++) {
			long least = atomic_load(&published);
			long seen = *page(number++ % PAGES);
			if (seen < least && seen != 0)
				atomic_fetch_add(&stale, 1);
			done++;
		}
	}
	atomic_fetch_add(&checks, done);
	return NULL;
}

TEST(unmapped_and_mapped_anew)
{

	struct sigaction action = { .sa_handler = on_fault };
	OK(sigaction(SIGSEGV, &action, NULL));
	// Alone in its page table, so that the table goes with the last page.
	window = mmap((void *)0x200000000000, PAGES * PAGE, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(window == (void *)0x200000000000);
	start_readers(read_holes);
	for (long round = 1; goes_on(round); round++) {
		OK(munmap((void *)window, PAGES * PAGE));
		void *got = mmap((void *)window, PAGES * PAGE, PROT_READ | PROT_WRITE,
		                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		NEED(got == window);
		fill(window, round);
		atomic_store(&published, round);
	}
	join_readers();
}

// ---- Rights taken away ----

static atomic_long writes;

static void *write_window(void *argument)
{
	own_number = (int)(long)argument;
	pin(own_number);
	volatile unsigned number = (unsigned)own_number;
	sigsetjmp(own_escape, 1);
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		__atomic_fetch_add((long *)page(number++ % PAGES), 1, __ATOMIC_RELAXED);
		atomic_fetch_add_explicit(&writes, 1, memory_order_relaxed);
	}
	return NULL;
}

static long sum(void)
{
	long total = 0;
	for (int i = 0; i < PAGES; i++)
		total += *page(i);
	return total;
}

TEST(no_write_after_mprotect)
{
	struct sigaction action = { .sa_handler = on_fault };
	OK(sigaction(SIGSEGV, &action, NULL));
	NEED((window = map_window(MAP_PRIVATE | MAP_ANONYMOUS, -1)) != NULL);
	start_readers(write_window);
	for (int round = 1; goes_on(round) || (round < 30000 && !atomic_load(&writes)); round++) {
		OK(mprotect((void *)window, PAGES * PAGE, PROT_READ));
		long before = sum();
		for (volatile int i = 0; i < 3000; i++) {}
		long after = sum();
		if (before != after)
			atomic_fetch_add(&stale, 1);
		atomic_fetch_add(&checks, 1);
		OK(mprotect((void *)window, PAGES * PAGE, PROT_READ | PROT_WRITE));
		for (volatile int i = 0; i < 3000; i++) {}
	}
	join_readers();
	CHECK(atomic_load(&writes) > 0);
}

TEST(no_write_into_a_fork)
{
	struct sigaction action = { .sa_handler = on_fault };
	OK(sigaction(SIGSEGV, &action, NULL));
	NEED((window = map_window(MAP_PRIVATE | MAP_ANONYMOUS, -1)) != NULL);
	start_readers(write_window);
	for (int round = 1; goes_on(round) && round <= 100; round++) {
		pid_t child = fork();
		if (child == 0) {
			long before = sum();
			for (volatile int i = 0; i < 20000; i++) {}
			_exit(sum() == before ? 0 : 1);
		}
		NEED(child > 0);
		int status = -1;
		OK(waitpid(child, &status, 0));
		EQ(status, 0);
		atomic_fetch_add(&checks, 1);
	}
	join_readers();
}

