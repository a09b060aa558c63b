// Threads as the C libraries make them: create, join, detach, cancel; mutexes, conditions, barriers,
// thread-local data; signals to one thread and to all; the end of a process with threads.
#include "tap.h"
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>

enum { MANY = 16, TIMES = 2000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter;
static __thread long own = 40;
static pthread_t thread[MANY];

static void start_all(void *(*body)(void *))
{
	for (long i = 0; i < MANY; i++)
		EQ(pthread_create(&thread[i], NULL, body, (void *)i), 0);
}

static void join_all(void)
{
	for (long i = 0; i < MANY; i++) {
		void *result;
		EQ(pthread_join(thread[i], &result), 0);
		EQ((long)result, i);
	}
}

static void *count_up(void *argument)
{
	for (int i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		own++;
	}
	EQ(own, 40 + TIMES);
	return argument;
}

TEST(many_count_under_a_mutex)
{
	start_all(count_up);
	join_all();
	EQ(counter, MANY * TIMES);
	EQ(own, 40);
}

static void *identify(void *argument)
{
	EQ(getpid(), *(pid_t *)argument);
	CHECK(syscall(SYS_gettid) != getpid());
	return (void *)(long)syscall(SYS_gettid);
}

TEST(identity)
{
	pthread_t t;
	pid_t me = getpid();
	void *first, *second;
	EQ(syscall(SYS_gettid), me);
	EQ(pthread_create(&t, NULL, identify, &me), 0);
	EQ(pthread_join(t, &first), 0);
	EQ(pthread_create(&t, NULL, identify, &me), 0);
	EQ(pthread_join(t, &second), 0);
	CHECK(first != second || (long)first > 1);
	ERR(waitpid(-1, NULL, 0), ECHILD);
}

static int turn;
static void *take_turns(void *argument)
{
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % MANY != (long)argument)
			pthread_cond_wait(&condition, &mutex);
		turn++;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

TEST(condition_variable)
{
	start_all(take_turns);
	join_all();
	EQ(turn, MANY * 20);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_nsec += 20000000;
	if (now.tv_nsec >= 1000000000)
		now.tv_sec++, now.tv_nsec -= 1000000000;
	pthread_mutex_lock(&mutex);
	EQ(pthread_cond_timedwait(&condition, &mutex, &now), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;
static int arrived[10];
static void *meet(void *argument)
{
	int serial = 0;
	for (int i = 0; i < 10; i++) {
		__atomic_add_fetch(&arrived[i], 1, __ATOMIC_SEQ_CST);
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
		EQ(__atomic_load_n(&arrived[i], __ATOMIC_SEQ_CST), MANY);
	}
	__atomic_add_fetch(&counter, serial, __ATOMIC_SEQ_CST);
	return argument;
}

TEST(barrier_of_many)
{
	pthread_barrier_init(&barrier, NULL, MANY);
	start_all(meet);
	join_all();
	EQ(counter, 10);
}

static sem_t semaphore;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static void *use_others(void *argument)
{
	sem_wait(&semaphore);
	for (int i = 0; i < 100; i++)
		if ((long)argument % 4 == 0) {
			pthread_rwlock_wrlock(&lock);
			counter++;
			pthread_rwlock_unlock(&lock);
		} else {
			pthread_rwlock_rdlock(&lock);
			CHECK(counter >= 0);
			pthread_rwlock_unlock(&lock);
		}
	sem_post(&semaphore);
	return argument;
}

TEST(semaphore_and_rwlock)
{
	sem_init(&semaphore, 0, 3);
	start_all(use_others);
	join_all();
	EQ(counter, MANY / 4 * 100);
	int value;
	sem_getvalue(&semaphore, &value);
	EQ(value, 3);
}

static volatile int handled, handled_by;
static void handler(int sig) { (void)sig; handled++; handled_by = syscall(SYS_gettid); }
static volatile pid_t idle_tid;
static volatile int quit;

static void *idle(void *argument)
{
	idle_tid = syscall(SYS_gettid);
	while (!quit)
		tap_pause(1);
	return argument;
}

TEST(signal_to_one_thread)
{
	pthread_t t;
	signal(SIGUSR1, handler);
	pthread_create(&t, NULL, idle, NULL);
	while (!idle_tid)
		tap_pause(1);
	OK(syscall(SYS_tgkill, getpid(), idle_tid, SIGUSR1));
	while (!handled)
		tap_pause(1);
	EQ(handled_by, idle_tid);
	EQ(pthread_kill(t, SIGUSR1), 0);
	while (handled < 2)
		tap_pause(1);
	EQ(handled_by, idle_tid);
	// A signal to the process goes to a thread that does not block it.
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	OK(kill(getpid(), SIGUSR1));
	while (handled < 3)
		tap_pause(1);
	EQ(handled_by, idle_tid);
	quit = 1;
	pthread_join(t, NULL);
}

TEST(fatal_signal_ends_all)
{
	KILLED(CHILD(start_all(idle); tap_pause(5); OK(syscall(SYS_tgkill, getpid(), idle_tid, SIGTERM)); for (;;) pause()), SIGTERM);
}

TEST(exit_group_ends_all)
{
	EXITED(CHILD(start_all(idle); tap_pause(5); exit(23)), 23);
}

static void *exit_now(void *argument) { (void)argument; _exit(24); }
static void *exit_later(void *argument) { (void)argument; tap_pause(30); exit(25); }
static void *fault(void *argument) { (void)argument; BYTE(8) = 1; return NULL; }

TEST(any_thread_may_end_the_process)
{
	pthread_t t;
	EXITED(CHILD(pthread_create(&t, NULL, exit_now, NULL); for (;;) pause()), 24);
	// The first thread may go before the others.
	EXITED(CHILD(pthread_create(&t, NULL, exit_later, NULL); pthread_exit(NULL)), 25);
	KILLED(CHILD(pthread_create(&t, NULL, fault, NULL); for (;;) pause()), SIGSEGV);
}

static void *run_program(void *argument)
{
	(void)argument;
	execl("/proc/self/exe", "threads", "--alone", NULL);
	_exit(99);
}

HELPER(alone)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	if (!d)
		return getpid() == syscall(SYS_gettid) ? 26 : 98;
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	return n == 1 && getpid() == syscall(SYS_gettid) ? 26 : 97;
}

TEST(exec_ends_the_others_and_keeps_the_id)
{
	pthread_t t;
	pid_t child = SPAWN(start_all(idle); pthread_create(&t, NULL, run_program, NULL); for (;;) pause());
	EXITED(tap_wait(child), 26);
}

static void *fork_inside(void *argument)
{
	pid_t child = fork();
	if (child == 0)
		_exit((long)argument + 1);
	EXITED(tap_wait(child), (long)argument + 1);
	return argument;
}

TEST(threads_fork_and_wait)
{
	start_all(fork_inside);
	join_all();
	ERR(waitpid(-1, NULL, 0), ECHILD);
}

static void *wait_forever(void *argument) { for (;;) pause(); return argument; }
static void *chatter(void *argument)
{
	for (;;) {
		pthread_testcancel();
		tap_pause(1);
	}
	return argument;
}

TEST(cancellation)
{
	pthread_t a, b;
	void *result;
	pthread_create(&a, NULL, wait_forever, NULL);
	pthread_create(&b, NULL, chatter, NULL);
	tap_pause(5);
	EQ(pthread_cancel(a), 0);
	EQ(pthread_cancel(b), 0);
	EQ(pthread_join(a, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	EQ(pthread_join(b, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

static void *nothing(void *argument) { return argument; }

TEST(hundreds_come_and_go)
{
	for (long i = 0; i < 300; i++) {
		pthread_t t;
		void *result;
		if (pthread_create(&t, NULL, nothing, (void *)i) != 0) {
			CHECK(!"pthread_create failed");
			return;
		}
		pthread_join(t, &result);
		if ((long)result != i)
			CHECK(!"wrong result");
	}
}

TEST(detached)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 65536);
	for (int i = 0; i < 50; i++) {
		pthread_t t;
		int error = pthread_create(&t, &attributes, nothing, NULL);
		CHECK(error == 0 || error == EAGAIN);
	}
	tap_pause(10);
}

TEST(process_shared_mutex)
{
	struct { pthread_mutex_t m; int n; } *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &attributes);
	pid_t child[4];
	for (int i = 0; i < 4; i++)
		child[i] = SPAWN(
			for (int j = 0; j < 500; j++) {
				pthread_mutex_lock(&s->m);
				int n = s->n;
				if (j % 50 == 0)
					sched_yield();
				s->n = n + 1;
				pthread_mutex_unlock(&s->m);
			});
	for (int i = 0; i < 4; i++)
		EXITED(tap_wait(child[i]), 0);
	EQ(s->n, 2000);
}

TEST(robust_mutex)
{
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attributes);
	EXITED(CHILD(EQ(pthread_mutex_lock(m), 0)), 0);
	EQ(pthread_mutex_lock(m), EOWNERDEAD);
	EQ(pthread_mutex_consistent(m), 0);
	EQ(pthread_mutex_unlock(m), 0);
	EQ(pthread_mutex_lock(m), 0);
}
