// Clocks and sleeping: clocks never go back, sleeps never end early, timers fire as often as they should.
#include "tap.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/times.h>

static const clockid_t all[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
	CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
enum { CLOCKS = sizeof all / sizeof *all };

static long long read_clock(clockid_t id)
{
	struct timespec t = { -1, -1 };
	OK(clock_gettime(id, &t));
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

TEST(every_clock_goes_forward)
{
	for (int i = 0; i < CLOCKS; i++) {
		long long last = read_clock(all[i]), first = last;
		bool back = false;
		for (int j = 0; j < 3000; j++) {
			struct timespec t;
			clock_gettime(all[i], &t);
			long long now = t.tv_sec * 1000000000LL + t.tv_nsec;
			back |= now < last;
			last = now;
		}
		CHECK(!back);
		long long end = tap_now() + 30000000;
		while (tap_now() < end) {}
		CHECK(read_clock(all[i]) > first);
	}
}

TEST(by_the_call_itself)
{
	// The C library may read clocks without a system call; the call gives the same.
	for (int i = 0; i < CLOCKS; i++) {
		struct timespec t;
		long long before = read_clock(all[i]);
		OK(syscall(SYS_clock_gettime, all[i], &t));
		long long mid = t.tv_sec * 1000000000LL + t.tv_nsec, after = read_clock(all[i]);
		CHECK(before <= mid && mid <= after);
	}
}

TEST(resolutions)
{
	struct timespec t;
	for (int i = 0; i < CLOCKS; i++) {
		OK(clock_getres(all[i], &t));
		EQ(t.tv_sec, 0);
		CHECK(t.tv_nsec >= 1 && t.tv_nsec <= 10000000);
	}
	OK(clock_getres(CLOCK_MONOTONIC, NULL));
}

TEST(relations)
{
	CHECK(read_clock(CLOCK_BOOTTIME) + 1000000 >= read_clock(CLOCK_MONOTONIC));
	CHECK(read_clock(CLOCK_MONOTONIC_COARSE) <= read_clock(CLOCK_MONOTONIC));
	CHECK(read_clock(CLOCK_REALTIME_COARSE) <= read_clock(CLOCK_REALTIME));
	CHECK(read_clock(CLOCK_MONOTONIC) - read_clock(CLOCK_MONOTONIC_COARSE) < 1000000000);
	CHECK(read_clock(CLOCK_THREAD_CPUTIME_ID) <= read_clock(CLOCK_PROCESS_CPUTIME_ID));
}

TEST(date_is_sane)
{
	struct timeval tv;
	time_t now = time(NULL);
	// After 2024 and before 2100: the real-time clock of the machine was read.
	CHECK(now > 1704067200 && now < 4102444800);
	OK(gettimeofday(&tv, NULL));
	CHECK(tv.tv_sec >= now && tv.tv_sec <= now + 60);
	CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	time_t other = 0, same = syscall(SYS_time, &other);
	EQ(same, other);
	CHECK(same >= now);
	OK(syscall(SYS_gettimeofday, NULL, NULL));
	ERR(syscall(SYS_time, 8L), EFAULT);
}

TEST(clock_refusals)
{
	struct timespec t;
	static const int bad[] = { 10, 12, 16, 99, INT_MAX };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		ERR(syscall(SYS_clock_gettime, bad[i], &t), EINVAL);
		ERR(syscall(SYS_clock_getres, bad[i], &t), EINVAL);
		ERR(syscall(SYS_clock_nanosleep, bad[i], 0, &(struct timespec){ 0, 1 }, NULL), EINVAL);
	}
	for (int i = 0; i < CLOCKS; i++)
		ERR(syscall(SYS_clock_gettime, all[i], 8L), EFAULT);
	ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &(struct timespec){ 1, 0 }), EINVAL);
	ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &(struct timespec){ 1, 1000000000 }), EINVAL);
	ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, 8L), EFAULT);
	EXITED(CHILD(clock_gettime(CLOCK_REALTIME, &t); OK(setuid(1000)); ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), EPERM)), 0);
}

TEST(sleep_is_never_early)
{
	static const long spans[] = { 0, 1, 1000, 50000, 999999, 1000001, 10000000, 33333333 };
	for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++)
		for (int j = 0; j < 3; j++) {
			long long start = tap_now();
			OK(nanosleep(&(struct timespec){ 0, spans[i] }, NULL));
			CHECK(tap_now() - start >= spans[i]);
		}
}

TEST(sleep_refusals)
{
	ERR(nanosleep(&(struct timespec){ 0, 1000000000 }, NULL), EINVAL);
	ERR(nanosleep(&(struct timespec){ 0, -1 }, NULL), EINVAL);
	ERR(nanosleep(&(struct timespec){ -1, 0 }, NULL), EINVAL);
	ERR(syscall(SYS_nanosleep, 8L, NULL), EFAULT);
	ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8L, NULL), EFAULT);
	ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){ 0, 1 }, NULL), EOPNOTSUPP);
}

TEST(sleep_until)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	for (int i = 0; i < 3; i++) {
		struct timespec t;
		clock_gettime(ids[i], &t);
		EQ(clock_nanosleep(ids[i], TIMER_ABSTIME, &t, NULL), 0);
		EQ(clock_nanosleep(ids[i], TIMER_ABSTIME, &(struct timespec){ 0, 0 }, NULL), 0);
		long long goal = read_clock(ids[i]) + 15000000;
		t = (struct timespec){ goal / 1000000000, goal % 1000000000 };
		EQ(clock_nanosleep(ids[i], TIMER_ABSTIME, &t, NULL), 0);
		CHECK(read_clock(ids[i]) >= goal);
		long long start = read_clock(ids[i]);
		EQ(clock_nanosleep(ids[i], 0, &(struct timespec){ 0, 15000000 }, NULL), 0);
		CHECK(read_clock(ids[i]) - start >= 15000000);
	}
}

TEST(processor_time_counts_only_work)
{
	long long process = read_clock(CLOCK_PROCESS_CPUTIME_ID), wall = tap_now();
	tap_pause(60);
	long long asleep = read_clock(CLOCK_PROCESS_CPUTIME_ID) - process;
	CHECK(asleep < tap_now() - wall);
	process = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	long long thread = read_clock(CLOCK_THREAD_CPUTIME_ID), end = tap_now() + 60000000;
	while (tap_now() < end) {}
	CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) > process);
	CHECK(read_clock(CLOCK_THREAD_CPUTIME_ID) > thread);
}

static volatile int count;
static void handler(int sig) { (void)sig; count++; }

TEST(alarm_clock)
{
	signal(SIGALRM, handler);
	EQ(alarm(100), 0);
	unsigned left = alarm(50);
	CHECK(left >= 99 && left <= 100);
	CHECK(alarm(0) >= 49);
	EQ(alarm(0), 0);
	long long start = tap_now();
	alarm(1);
	while (!count)
		tap_pause(5);
	CHECK(tap_now() - start >= 1000000000);
	// A child has no alarm of its parent's.
	alarm(100);
	EXITED(CHILD(EQ(alarm(0), 0)), 0);
}

TEST(interval_timer)
{
	struct itimerval often = { { 0, 10000 }, { 0, 5000 } }, now;
	signal(SIGALRM, handler);
	long long start = tap_now();
	OK(setitimer(ITIMER_REAL, &often, NULL));
	while (count < 5)
		tap_pause(1);
	CHECK(tap_now() - start >= 45000000);
	OK(getitimer(ITIMER_REAL, &now));
	EQ(now.it_interval.tv_usec, 10000);
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_usec <= 10000);
	OK(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, &now));
	EQ(now.it_interval.tv_usec, 10000);
	int final = count;
	tap_pause(30);
	EQ(count, final);
	ERR(setitimer(99, &often, NULL), EINVAL);
	often.it_value.tv_usec = 1000000;
	ERR(setitimer(ITIMER_REAL, &often, NULL), EINVAL);
	ERR(syscall(SYS_setitimer, ITIMER_REAL, 8L, NULL), EFAULT);
	ERR(syscall(SYS_getitimer, ITIMER_REAL, 8L), EFAULT);
}

TEST(timers_of_processor_time)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };
	signal(SIGVTALRM, handler);
	signal(SIGPROF, handler);
	OK(setitimer(ITIMER_VIRTUAL, &soon, NULL));
	long long end = tap_now() + 20000000000LL;
	while (!count && tap_now() < end)
		for (volatile int i = 0; i < 1000; i++) {}
	EQ(count, 1);
	OK(setitimer(ITIMER_PROF, &soon, NULL));
	while (count < 2 && tap_now() < end)
		for (volatile int i = 0; i < 1000; i++) {}
	EQ(count, 2);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long long latest;
static volatile int backwards;

static void *compare(void *argument)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((long)argument, &set);
	sched_setaffinity(0, sizeof set, &set);
	for (int i = 0; i < 1500; i++) {
		pthread_mutex_lock(&mutex);
		long long now = tap_now();
		if (now < latest)
			backwards++;
		latest = now;
		pthread_mutex_unlock(&mutex);
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

TEST(all_processors_agree)
{
	pthread_t thread[8];
	int n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n > 8)
		n = 8;
	for (long i = 0; i < n; i++)
		EQ(pthread_create(&thread[i], NULL, compare, (void *)i), 0);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	EQ(backwards, 0);
}

static void *sleeper(void *argument)
{
	long span = ((long)argument * 7919 % 20 + 1) * 1000000;
	long long start = tap_now();
	nanosleep(&(struct timespec){ 0, span }, NULL);
	return (void *)(long)(tap_now() - start >= span);
}

TEST(many_sleepers)
{
	pthread_t thread[30];
	for (long i = 0; i < 30; i++)
		EQ(pthread_create(&thread[i], NULL, sleeper, (void *)i), 0);
	for (int i = 0; i < 30; i++) {
		void *good;
		pthread_join(thread[i], &good);
		EQ((long)good, 1);
	}
}

TEST(uptime_agrees)
{
	char text[64];
	CHECK(tap_read("/proc/uptime", text, sizeof text) > 0);
	double up = atof(text), boot = read_clock(CLOCK_BOOTTIME) / 1e9;
	CHECK(up <= boot + 0.02 && up > boot - 10);
}

TEST(ticks)
{
	struct tms t;
	clock_t a = times(&t);
	tap_pause(40);
	clock_t b = times(&t);
	CHECK(b - a >= 2);
	EQ(sysconf(_SC_CLK_TCK), 100);
}
