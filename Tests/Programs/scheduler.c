// The scheduler as programs see it: nice values and what they weigh, affinity, every processor used,
// nobody starved, wake-ups across processors.
#include "tap.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

static int processors(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
}

static bool pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0;
}

static int here(void)
{
	unsigned cpu = 9999;
	syscall(SYS_getcpu, &cpu, NULL, NULL);
	return cpu;
}

static long long own_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void spin_until(long long end)
{
	while (tap_now() < end)
		for (volatile int i = 0; i < 2000; i++) {}
}

TEST(nice_values)
{
	EXITED(CHILD(
		EQ(getpriority(PRIO_PROCESS, 0), 0);
		errno = 0;
		EQ(nice(5), 5);
		EQ(getpriority(PRIO_PROCESS, 0), 5);
		EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
		OK(setpriority(PRIO_PROCESS, 0, -7));
		EQ(getpriority(PRIO_PROCESS, getpid()), -7);
		OK(setpriority(PRIO_PROCESS, 0, 100));
		EQ(getpriority(PRIO_PROCESS, 0), 19);
		OK(setpriority(PRIO_PROCESS, 0, -100));
		EQ(getpriority(PRIO_PROCESS, 0), -20);
		EXITED(CHILD(EQ(getpriority(PRIO_PROCESS, 0), -20)), 0);
		ERR(setpriority(99, 0, 0), EINVAL);
		ERR(setpriority(PRIO_PROCESS, 999999999, 0), ESRCH);
		ERR(getpriority(PRIO_PROCESS, 999999999), ESRCH);
		OK(setpriority(PRIO_PROCESS, 0, 3));
		OK(setuid(1000));
		ERR(setpriority(PRIO_PROCESS, 0, 2), EACCES);
		OK(setpriority(PRIO_PROCESS, 0, 4));
		ERR(setpriority(PRIO_PROCESS, 1, 4), EPERM);
		EQ(getpriority(PRIO_PGRP, 0), 0)), 0);
}

TEST(affinity)
{
	cpu_set_t all, set;
	int n = processors();
	CPU_ZERO(&all);
	CHECK(n >= 1);
	OK(sched_getaffinity(0, sizeof all, &all));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		NEED(pin(cpu));
		EQ(here(), cpu);
		for (int i = 0; i < 20; i++) {
			sched_yield();
			EQ(here(), cpu);
		}
		CPU_ZERO(&set);
		OK(sched_getaffinity(0, sizeof set, &set));
		EQ(CPU_COUNT(&set), 1);
		CHECK(CPU_ISSET(cpu, &set));
		EXITED(CHILD(EQ(here(), cpu)), 0);
	}
	OK(sched_setaffinity(0, sizeof all, &all));
	CPU_ZERO(&set);
	ERR(sched_setaffinity(0, sizeof set, &set), EINVAL);
	CPU_SET(CPU_SETSIZE - 1, &set);
	ERR(sched_setaffinity(0, sizeof set, &set), EINVAL);
	ERR(sched_getaffinity(999999999, sizeof set, &set), ESRCH);
	ERR(syscall(SYS_sched_getaffinity, 0, 3L, &set), EINVAL);
	ERR(syscall(SYS_sched_getaffinity, 0, 128L, 8L), EFAULT);
	ERR(syscall(SYS_sched_setaffinity, 0, 128L, 8L), EFAULT);
	long size = syscall(SYS_sched_getaffinity, 0, (long)sizeof set, &set);
	CHECK(size > 0 && size % 8 == 0);
	EXITED(CHILD(OK(setuid(1000)); ERR(sched_setaffinity(1, sizeof all, &all), EPERM)), 0);
}

TEST(affinity_of_another)
{
	int n = processors(), *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t set;
	if (n < 2)
		SKIP("one processor");
	pid_t child = SPAWN(for (;;) *shared = here());
	for (int cpu = 0; cpu < n && cpu < 4; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		OK(sched_setaffinity(child, sizeof set, &set));
		long long end = tap_now() + 10000000000LL;
		*shared = -1;
		while (__atomic_load_n(shared, __ATOMIC_SEQ_CST) != cpu && tap_now() < end)
			tap_pause(1);
		EQ(*shared, cpu);
	}
	OK(kill(child, SIGKILL));
	tap_wait(child);
}

// Ticks of a processor in user mode, nice included.
static long busy_ticks(int cpu)
{
	static char text[65536];
	char name[16];
	long user = 0, niced = 0, system = 0;
	tap_read("/proc/stat", text, sizeof text);
	snprintf(name, sizeof name, "cpu%d ", cpu);
	char *line = strstr(text, name);
	if (!line || sscanf(line + strlen(name), "%ld %ld %ld", &user, &niced, &system) != 3)
		return -1;
	return user + niced + system;
}

TEST(compute_loops_use_every_processor)
{
	enum { MOST = 64 };
	int n = processors();
	long before[MOST];
	pid_t child[MOST];
	if (n > MOST)
		n = MOST;
	for (int i = 0; i < n; i++)
		before[i] = busy_ticks(i);
	long long end = tap_now() + 400000000;
	for (int i = 0; i < n; i++)
		child[i] = SPAWN(spin_until(end); CHECK(own_time() > 0));
	for (int i = 0; i < n; i++)
		EXITED(tap_wait(child[i]), 0);
	for (int i = 0; i < n; i++)
		CHECK(before[i] >= 0 && busy_ticks(i) > before[i]);
}

TEST(idle_processors_take_work_over)
{
	// All children begin on one processor; when they may run anywhere they spread.
	int n = processors(), *where = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t all;
	if (n < 2)
		SKIP("one processor");
	CPU_ZERO(&all);
	sched_getaffinity(0, sizeof all, &all);
	NEED(pin(0));
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(
			long long end = tap_now() + 10000000000LL;
			sched_setaffinity(0, sizeof all, &all);
			while (tap_now() < end && __atomic_load_n(where, __ATOMIC_SEQ_CST) == 0)
				if (here() != 0)
					__atomic_store_n(where, here(), __ATOMIC_SEQ_CST));
	for (int i = 0; i < 4; i++)
		EXITED(tap_wait(child[i]), 0);
	CHECK(*where > 0);
}

TEST(weights)
{
	// Two on one processor, nice 0 and nice 10: the first should get nine times the other's time.
	long long *spent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(pin(0));
	long long end = tap_now() + 600000000;
	pid_t child[2];
	for (int i = 0; i < 2; i++)
		child[i] = SPAWN(setpriority(PRIO_PROCESS, 0, i * 10); spin_until(end); spent[i] = own_time());
	for (int i = 0; i < 2; i++)
		EXITED(tap_wait(child[i]), 0);
	CHECK(spent[0] > 2 * spent[1]);
	CHECK(spent[1] > 0);
	if (tap_failed)
		tap_note("nice 0: %lld us, nice 10: %lld us", spent[0] / 1000, spent[1] / 1000);
}

TEST(equal_shares)
{
	long long *spent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), least, most;
	NEED(pin(0));
	long long end = tap_now() + 600000000;
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(spin_until(end); spent[i] = own_time());
	for (int i = 0; i < 4; i++)
		EXITED(tap_wait(child[i]), 0);
	least = most = spent[0];
	for (int i = 1; i < 4; i++) {
		least = spent[i] < least ? spent[i] : least;
		most = spent[i] > most ? spent[i] : most;
	}
	// Roughly equal: nobody gets less than a quarter of another.
	CHECK(least * 4 > most);
	if (tap_failed)
		tap_note("least %lld us, most %lld us", least / 1000, most / 1000);
}

TEST(a_sleeper_is_not_starved)
{
	NEED(pin(0));
	pid_t child[3];
	for (int i = 0; i < 3; i++)
		child[i] = SPAWN(for (;;) {});
	long long start = tap_now();
	for (int i = 0; i < 10; i++)
		tap_pause(5);
	// Ten short sleeps beside three compute loops take seconds only when something is wrong.
	CHECK(tap_now() - start < 5000000000LL);
	for (int i = 0; i < 3; i++) {
		OK(kill(child[i], SIGKILL));
		KILLED(tap_wait(child[i]), SIGKILL);
	}
}

TEST(wake_ups_across_processors)
{
	int n = processors(), there[2], back[2];
	char c = 0;
	OK(pipe(there));
	OK(pipe(back));
	pid_t child = SPAWN(
		close(there[1]);
		pin(n - 1);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				_exit(1));
	close(there[0]);
	NEED(pin(0));
	for (int i = 0; i < 300; i++) {
		c = i;
		EQ(write(there[1], &c, 1), 1);
		c = ~c;
		EQ(read(back[0], &c, 1), 1);
		EQ((unsigned char)c, (unsigned char)i);
	}
	close(there[1]);
	EXITED(tap_wait(child), 0);
}

TEST(migration_under_load)
{
	// Processes that move between processors all the time keep their registers and memory.
	int n = processors();
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(
			unsigned long sum = 0;
			for (int j = 0; j < 100; j++) {
				pin((i + j) % n);
				for (int k = 0; k < 1000; k++)
					sum = sum * 31 + k;
			}
			unsigned long want = 0;
			for (int j = 0; j < 100; j++)
				for (int k = 0; k < 1000; k++)
					want = want * 31 + k;
			CHECK(sum == want));
	for (int i = 0; i < 4; i++)
		EXITED(tap_wait(child[i]), 0);
}
