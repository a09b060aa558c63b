// Scheduling policies (sched(7)): who may ask for which, what children have of them, and what they do.
#include "tap.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
	uint64_t unknown;
};

// glibc and musl differ in these, and musl has none at all.
static long get_policy(pid_t pid) { return syscall(SYS_sched_getscheduler, pid); }

static long set_policy(pid_t pid, int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };
	return syscall(SYS_sched_setscheduler, pid, policy, &p);
}

static int priority_of(pid_t pid)
{
	struct sched_param p = { .sched_priority = -1 };
	return syscall(SYS_sched_getparam, pid, &p) < 0 ? -1 : p.sched_priority;
}

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

static void *shared_page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

// Counts until it is killed.
static void hog(volatile long *count)
{
	for (;;)
		++*count;
}

TEST(policies)
{
	struct sched_param p;
	EQ(get_policy(0), SCHED_OTHER);
	OK(syscall(SYS_sched_getparam, 0, &p));
	EQ(p.sched_priority, 0);
	for (int policy = 0; policy <= 6; policy++) {
		if (policy == 4)
			continue;
		bool rt = policy == SCHED_FIFO || policy == SCHED_RR;
		EQ(sched_get_priority_max(policy), rt ? 99 : 0);
		EQ(sched_get_priority_min(policy), rt ? 1 : 0);
	}
	ERR(sched_get_priority_max(4), EINVAL);
	ERR(sched_get_priority_max(99), EINVAL);
	ERR(sched_get_priority_min(-1), EINVAL);
	ERR(get_policy(-1), EINVAL);
	ERR(get_policy(999999999), ESRCH);
	ERR(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
	ERR(syscall(SYS_sched_getparam, -1, &p), EINVAL);
	ERR(syscall(SYS_sched_getparam, 0, 8L), EFAULT);
	EXITED(CHILD(
		OK(set_policy(0, SCHED_FIFO, 7)); EQ(get_policy(0), SCHED_FIFO); EQ(priority_of(0), 7);
		OK(set_policy(0, SCHED_RR, 99)); EQ(get_policy(0), SCHED_RR); EQ(priority_of(0), 99);
		p.sched_priority = 3; OK(syscall(SYS_sched_setparam, 0, &p)); EQ(get_policy(0), SCHED_RR); EQ(priority_of(0), 3);
		OK(set_policy(0, SCHED_BATCH, 0)); EQ(get_policy(0), SCHED_BATCH);
		OK(set_policy(0, SCHED_IDLE, 0)); EQ(get_policy(0), SCHED_IDLE); EQ(priority_of(0), 0);
		OK(set_policy(0, SCHED_OTHER, 0)); EQ(get_policy(0), SCHED_OTHER)), 0);
	ERR(set_policy(0, SCHED_FIFO, 0), EINVAL);
	ERR(set_policy(0, SCHED_FIFO, 100), EINVAL);
	ERR(set_policy(0, SCHED_RR, -1), EINVAL);
	ERR(set_policy(0, SCHED_OTHER, 1), EINVAL);
	ERR(set_policy(0, SCHED_BATCH, 1), EINVAL);
	ERR(set_policy(0, 4, 0), EINVAL);
	ERR(set_policy(0, 7, 0), EINVAL);
	ERR(set_policy(0, -1, 0), EINVAL);
	ERR(set_policy(-1, SCHED_OTHER, 0), EINVAL);
	ERR(set_policy(999999999, SCHED_OTHER, 0), ESRCH);
	ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, NULL), EINVAL);
	ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, 8L), EFAULT);
	ERR(syscall(SYS_sched_setparam, 0, NULL), EINVAL);
	p.sched_priority = 1;
	ERR(syscall(SYS_sched_setparam, 0, &p), EINVAL);
	EQ(sched_yield(), 0);
}

TEST(intervals)
{
	struct timespec t;
	EXITED(CHILD(
		OK(set_policy(0, SCHED_RR, 1)); OK(syscall(SYS_sched_rr_get_interval, 0, &t));
		EQ(t.tv_sec, 0); EQ(t.tv_nsec, 100000000);
		OK(set_policy(0, SCHED_FIFO, 1)); OK(syscall(SYS_sched_rr_get_interval, 0, &t)); EQ(t.tv_nsec, 0);
		OK(set_policy(0, SCHED_OTHER, 0)); OK(syscall(SYS_sched_rr_get_interval, 0, &t)); CHECK(t.tv_nsec > 0)), 0);
	ERR(syscall(SYS_sched_rr_get_interval, -1, &t), EINVAL);
	ERR(syscall(SYS_sched_rr_get_interval, 999999999, &t), ESRCH);
	ERR(syscall(SYS_sched_rr_get_interval, 0, 8L), EFAULT);
}

TEST(children_inherit)
{
	EXITED(CHILD(
		OK(setpriority(PRIO_PROCESS, 0, -5));
		OK(set_policy(0, SCHED_FIFO, 9));
		EXITED(CHILD(EQ(get_policy(0), SCHED_FIFO); EQ(priority_of(0), 9); EQ(getpriority(PRIO_PROCESS, 0), -5)), 0);
		OK(set_policy(0, SCHED_RR | 0x40000000, 9));
		EQ(get_policy(0), SCHED_RR | 0x40000000);
		EXITED(CHILD(EQ(get_policy(0), SCHED_OTHER); EQ(priority_of(0), 0); EQ(getpriority(PRIO_PROCESS, 0), 0)), 0);
		OK(set_policy(0, SCHED_BATCH | 0x40000000, 0));
		EXITED(CHILD(EQ(get_policy(0), SCHED_BATCH); EQ(getpriority(PRIO_PROCESS, 0), 0)), 0);
		EQ(getpriority(PRIO_PROCESS, 0), -5)), 0);
}

TEST(privileges)
{
	struct rlimit limit = { 0, 0 };
	pid_t parent = getpid();
	EXITED(CHILD(
		OK(setrlimit(RLIMIT_RTPRIO, &limit));
		OK(setrlimit(RLIMIT_NICE, &limit));
		OK(set_policy(0, SCHED_FIFO, 10));
		OK(setuid(1000));
		// Down is free, up is not.
		OK(set_policy(0, SCHED_FIFO, 5));
		ERR(set_policy(0, SCHED_FIFO, 6), EPERM);
		ERR(set_policy(0, SCHED_RR, 5), EPERM);
		OK(set_policy(0, SCHED_OTHER, 0));
		ERR(set_policy(0, SCHED_FIFO, 1), EPERM);
		OK(set_policy(0, SCHED_BATCH, 0));
		OK(set_policy(0, SCHED_IDLE, 0));
		ERR(set_policy(0, SCHED_OTHER, 0), EPERM);
		ERR(set_policy(parent, SCHED_OTHER, 0), EPERM)), 0);
	limit = (struct rlimit){ 20, 20 };
	EXITED(CHILD(
		OK(setrlimit(RLIMIT_RTPRIO, &limit));
		OK(setrlimit(RLIMIT_NICE, &limit));
		OK(setuid(1000));
		OK(set_policy(0, SCHED_FIFO, 20));
		ERR(set_policy(0, SCHED_FIFO, 21), EPERM);
		OK(set_policy(0, SCHED_RR, 19));
		OK(set_policy(0, SCHED_IDLE, 0));
		OK(set_policy(0, SCHED_OTHER, 0));
		OK(set_policy(0, SCHED_OTHER | 0x40000000, 0));
		ERR(set_policy(0, SCHED_OTHER, 0), EPERM);
		// RLIMIT_NICE 20: nice 0 and above.
		OK(setpriority(PRIO_PROCESS, 0, 5));
		OK(setpriority(PRIO_PROCESS, 0, 0));
		ERR(setpriority(PRIO_PROCESS, 0, -1), EACCES)), 0);
}

TEST(attributes)
{
	struct attributes a = { .size = sizeof a, .policy = SCHED_RR, .priority = 4, .flags = 1 };
	EXITED(CHILD(
		OK(syscall(SYS_sched_setattr, 0, &a, 0));
		EQ(get_policy(0), SCHED_RR | 0x40000000); EQ(priority_of(0), 4);
		struct attributes b; memset(&b, 0xee, sizeof b);
		OK(syscall(SYS_sched_getattr, 0, &b, (long)sizeof b, 0));
		EQ(b.size, 56); EQ(b.policy, SCHED_RR); EQ(b.flags, 1); EQ(b.priority, 4); EQ(b.nice, 0);
		b = (struct attributes){ .size = 48, .policy = SCHED_BATCH, .nice = -3 };
		OK(syscall(SYS_sched_setattr, 0, &b, 0));
		EQ(get_policy(0), SCHED_BATCH); EQ(getpriority(PRIO_PROCESS, 0), -3);
		// SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_KEEP_POLICY
		b = (struct attributes){ .size = 48, .policy = SCHED_OTHER, .nice = 7, .flags = 16 };
		OK(syscall(SYS_sched_setattr, 0, &b, 0));
		EQ(get_policy(0), SCHED_OTHER); EQ(getpriority(PRIO_PROCESS, 0), -3);
		b = (struct attributes){ .size = 48, .policy = SCHED_FIFO, .nice = 7, .flags = 8 };
		OK(syscall(SYS_sched_setattr, 0, &b, 0));
		EQ(get_policy(0), SCHED_OTHER); EQ(getpriority(PRIO_PROCESS, 0), 7)), 0);
	a = (struct attributes){ .size = 47 };
	ERR(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	EQ(a.size, 56);
	a = (struct attributes){ .size = sizeof a, .unknown = 1 };
	ERR(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	EQ(a.size, 56);
	a = (struct attributes){ .size = 48, .flags = 1 << 20 };
	ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	a = (struct attributes){ .size = 48, .policy = SCHED_FIFO, .priority = 100 };
	ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	ERR(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	ERR(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
	ERR(syscall(SYS_sched_getattr, 0, NULL, 48, 0), EINVAL);
	ERR(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
	ERR(syscall(SYS_sched_getattr, 0, &a, 4097, 0), EINVAL);
	ERR(syscall(SYS_sched_getattr, -1, &a, 48, 0), EINVAL);
}

TEST(a_real_time_thread_comes_first)
{
	volatile long *count = shared_page();
	NEED(pin(0));
	pid_t normal = SPAWN(hog(&count[0])), fifo = SPAWN(OK(set_policy(0, SCHED_FIFO, 10)); hog(&count[1]));
	OK(set_policy(0, SCHED_FIFO, 50));
	tap_pause(2000);
	OK(kill(normal, SIGKILL));
	OK(kill(fifo, SIGKILL));
	KILLED(tap_wait(normal), SIGKILL);
	KILLED(tap_wait(fifo), SIGKILL);
	tap_note("normal %ld, fifo %ld", count[0], count[1]);
	// 95 % of each second are the most that real-time threads have while others want the processor.
	CHECK(count[1] > 4 * count[0]);
	CHECK(count[0] > 0);
}

TEST(real_time_loops_do_not_stop_the_machine)
{
	volatile long *count = shared_page();
	enum { MOST = 64 };
	pid_t child[MOST];
	int n = processors() < MOST ? processors() : MOST;
	for (int i = 0; i < n; i++)
		child[i] = SPAWN(OK(set_policy(0, SCHED_FIFO, 99)); hog(&count[i]));
	// This program is a normal one, and gets through some work in spite of them.
	// Each step may have to wait for the next period of a second.
	for (int i = 0; i < 4; i++)
		EXITED(CHILD((void)0), 0);
	for (int i = 0; i < n; i++)
		OK(kill(child[i], SIGKILL));
	for (int i = 0; i < n; i++)
		KILLED(tap_wait(child[i]), SIGKILL);
}

TEST(the_highest_priorities_run)
{
	// Two more than there are processors: the two lowest wait.
	volatile long *count = shared_page();
	enum { MOST = 8 };
	pid_t child[MOST + 2];
	int n = processors();
	if (n > MOST)
		SKIP("many processors");
	OK(set_policy(0, SCHED_FIFO, 90));
	for (int i = 0; i < n + 2; i++)
		child[i] = SPAWN(OK(set_policy(0, SCHED_FIFO, 10 + i)); hog(&count[i]));
	tap_pause(300);
	long before[MOST + 2];
	for (int i = 0; i < n + 2; i++)
		before[i] = count[i];
	tap_pause(500);
	for (int i = 0; i < n + 2; i++) {
		long steps = count[i] - before[i];
		if (i < 2)
			EQ(steps, 0);
		else
			CHECK(steps > 0);
	}
	// The lowest becomes the highest.
	OK(set_policy(child[0], SCHED_RR, 80));
	long seen = count[0];
	tap_pause(300);
	CHECK(count[0] > seen);
	for (int i = 0; i < n + 2; i++)
		OK(kill(child[i], SIGKILL));
	for (int i = 0; i < n + 2; i++)
		KILLED(tap_wait(child[i]), SIGKILL);
}

TEST(round_robin)
{
	volatile long *count = shared_page();
	NEED(pin(0));
	OK(set_policy(0, SCHED_FIFO, 50));
	pid_t a = SPAWN(OK(set_policy(0, SCHED_RR, 10)); hog(&count[0])), b = SPAWN(OK(set_policy(0, SCHED_RR, 10)); hog(&count[1]));
	tap_pause(2000);
	OK(kill(a, SIGKILL));
	OK(kill(b, SIGKILL));
	tap_wait(a);
	tap_wait(b);
	tap_note("%ld, %ld", count[0], count[1]);
	CHECK(count[0] > count[1] / 2 && count[1] > count[0] / 2);
}

TEST(idle_gives_way)
{
	volatile long *count = shared_page();
	NEED(pin(0));
	pid_t idle = SPAWN(OK(set_policy(0, SCHED_IDLE, 0)); hog(&count[0])), normal = SPAWN(hog(&count[1]));
	tap_pause(1000);
	OK(kill(idle, SIGKILL));
	OK(kill(normal, SIGKILL));
	tap_wait(idle);
	tap_wait(normal);
	tap_note("idle %ld, normal %ld", count[0], count[1]);
	CHECK(count[0] < count[1] / 10);
}

static volatile sig_atomic_t warnings;
static void warn(int number) { warnings++; }

static long long thread_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* A real-time thread that does not sleep: SIGXCPU at the soft limit, SIGKILL at the hard one. */
TEST(limit_of_real_time)
{
	NEED(pin(0));
	struct rlimit limit = { 100000, 300000 };
	pid_t child = SPAWN(
		signal(SIGXCPU, warn);
		OK(setrlimit(RLIMIT_RTTIME, &limit));
		OK(set_policy(0, SCHED_FIFO, 5));
		long long start = thread_time();
		while (!warnings && thread_time() - start < 2000000)
			;
		long long warned = thread_time() - start;
		tap_note("warned after %lld us", warned);
		CHECK(warnings == 1 && warned > 90000);
		for (;;)
			;
	);
	KILLED(tap_wait(child), SIGKILL);
	/* Who sleeps begins anew; who is no real-time thread is not meant; children have the limit too. */
	EXITED(CHILD(
		signal(SIGXCPU, warn);
		OK(setrlimit(RLIMIT_RTTIME, &limit));
		EXITED(CHILD(
			OK(set_policy(0, SCHED_FIFO, 5));
			for (int i = 0; i < 8; i++) {
				long long start = thread_time();
				while (thread_time() - start < 40000)
					;
				tap_pause(2);
			}
			EQ(warnings, 0);
		), 0);
		long long start = thread_time();
		while (thread_time() - start < 400000)
			;
		EQ(warnings, 0);
		KILLED(CHILD(OK(set_policy(0, SCHED_FIFO, 5)); for (;;) ;), SIGKILL);
	), 0);
}
