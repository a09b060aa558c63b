// Processors that go and come back under load: no timer, wake-up, thread or interrupt gets lost.
//
// TURNS=n in the environment makes n off/on turns instead of as many as a few seconds allow.
// A thousand turns take a while.
#define TAP_TIMEOUT 600
#include "tap.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { WORKERS = 4 };

static int processors(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
}

static int set_online(int processor, int online)
{
	char path[80];
	snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/online", processor);
	int file = open(path, O_WRONLY);
	if (file < 0)
		return -1;
	int result = write(file, online ? "1\n" : "0\n", 2) == 2 ? 0 : -1;
	int code = errno;
	close(file);
	errno = code;
	return result;
}

static bool is_online(int processor)
{
	char path[80], text[8] = "";
	snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/online", processor);
	int file = open(path, O_RDONLY);
	if (file < 0)
		return processor == 0;
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	return length > 0 && text[0] == '1';
}

static bool pin(int processor)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0;
}

static int here(void)
{
	unsigned processor = 9999;
	syscall(SYS_getcpu, &processor, NULL, NULL);
	return (int)processor;
}

TEST(off_and_on)
{
	int count = processors();
	if (count < 2)
		SKIP("one processor only");
	int last = count - 1;
	ERR(set_online(0, 0), ENOENT);
	EQ(set_online(last, 0), 0);
	CHECK(!is_online(last));
	EQ(processors(), count - 1);
	EQ(set_online(last, 0), 0);
	ERR(pin(last) ? 0 : -1, EINVAL);
	EQ(set_online(last, 1), 0);
	CHECK(is_online(last));
	EQ(processors(), count);
	NEED(pin(last));
	EQ(here(), last);
	int file = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);
	ERR(write(file, "2", 1), EINVAL);
	ERR(write(file, "x", 1), EINVAL);
	close(file);
}

TEST(a_pinned_program_goes_on_elsewhere)
{
	int count = processors();
	if (count < 2)
		SKIP("one processor only");
	int last = count - 1;
	atomic_int *state = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(state != MAP_FAILED);
	pid_t child = SPAWN(
		CHECK(pin(last));
		EQ(here(), last);
		atomic_store(state, 1);
		while (atomic_load(state) != 2) {}
		CHECK(here() != last);
		EQ(processors() >= count - 1, 1);
	);
	while (!atomic_load(state)) usleep(1000);
	EQ(set_online(last, 0), 0);
	atomic_store(state, 2);
	EXITED(tap_wait(child), 0);
	EQ(set_online(last, 1), 0);
}

// ---- Under load ----

static atomic_bool is_over;
static atomic_long sleeps, late, passes, computed, calls;

static void *sleeper(void *argument)
{
	(void)argument;
	while (!atomic_load(&is_over)) {
		long long before = tap_now();
		struct timespec time = { 0, 2000000 };
		nanosleep(&time, NULL);
		long long slept = tap_now() - before;
		if (slept < 2000000 || slept > 20000000000LL)
			atomic_fetch_add(&late, 1);
		atomic_fetch_add(&sleeps, 1);
	}
	return NULL;
}

static int ring[2][2];

static void *passer(void *argument)
{
	int own = (int)(long)argument;
	char byte;
	while (read(ring[own][0], &byte, 1) == 1) {
		atomic_fetch_add(&passes, 1);
		if (write(ring[!own][1], &byte, 1) != 1 || atomic_load(&is_over))
			break;
	}
	return NULL;
}

static void *computer(void *argument)
{
	while (!atomic_load(&is_over)) {
		unsigned char *page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (volatile int i = 0; i < 20000; i++) {}
		memset(page, 1, 16384);
		munmap(page, 16384);
		atomic_fetch_add(&computed, 1);
	}
	return argument;
}

static void *caller(void *argument)
{
	while (!atomic_load(&is_over)) {
		// MEMBARRIER_CMD_GLOBAL: a call to every processor.
		if (syscall(SYS_membarrier, 1, 0, 0) == 0)
			atomic_fetch_add(&calls, 1);
		usleep(500);
	}
	return argument;
}

TEST(many_turns_under_load)
{
	int count = processors();
	if (count < 2)
		SKIP("one processor only");
	const char *wanted = getenv("TURNS");
	int turns = wanted ? atoi(wanted) : 1000;
	long long limit = wanted ? 3600000000000LL : 15000000000LL;
	pthread_t thread[WORKERS * 2 + 3];
	int started = 0;
	NEED(pipe(ring[0]) == 0 && pipe(ring[1]) == 0);
	for (long i = 0; i < WORKERS; i++) {
		EQ(pthread_create(&thread[started++], NULL, computer, NULL), 0);
		if (i < 2)
			EQ(pthread_create(&thread[started++], NULL, sleeper, NULL), 0);
	}
	EQ(pthread_create(&thread[started++], NULL, caller, NULL), 0);
	EQ(pthread_create(&thread[started++], NULL, passer, (void *)0), 0);
	EQ(pthread_create(&thread[started++], NULL, passer, (void *)1), 0);
	EQ(write(ring[0][1], "x", 1), 1);
	long long start = tap_now();
	int done = 0;
	long before[4] = { 0 };
	int stalled = 0;
	while (done < turns && (done < 8 || tap_now() - start < limit)) {
		int processor = 1 + done % (count - 1);
		if (set_online(processor, 0) < 0 || set_online(processor, 1) < 0) {
			tap_note("turn %d, processor %d: errno %d", done, processor, errno);
			CHECK(false);
			break;
		}
		done++;
		if (done % 50 == 0) {
			// Everybody must have gone on since the last look.
			usleep(50000);
			long now[4] = { sleeps, passes, computed, calls };
			for (int i = 0; i < 4; i++)
				stalled += now[i] == before[i];
			memcpy(before, now, sizeof now);
		}
	}
	// What is lost never comes; a busy host only makes it late.
	long long end = tap_now() + 20000000000LL;
	long last[4] = { sleeps, passes, computed, calls };
	while (tap_now() < end && (sleeps <= last[0] || passes <= last[1] || computed <= last[2] || calls <= last[3]))
		usleep(20000);
	CHECK(sleeps > last[0]);
	CHECK(passes > last[1]);
	CHECK(computed > last[2]);
	CHECK(calls > last[3]);
	EQ(stalled, 0);
	EQ(late, 0);
	atomic_store(&is_over, true);
	for (int i = 0; i < 2; i++)
		EQ(write(ring[i][1], "x", 1), 1);
	for (int i = 0; i < started; i++)
		EQ(pthread_join(thread[i], NULL), 0);
	EQ(processors(), count);
	tap_note("%d turns in %lld ms; %ld sleeps, %ld passes, %ld computed, %ld calls", done,
	         (tap_now() - start) / 1000000, sleeps, passes, computed, calls);
}
