// poll, select and their kin: what is ready, time limits, hang-ups, bad descriptors, masks.
#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

static int p[2];
static volatile int count;
static void handler(int sig) { (void)sig; count++; }

static int poll_one(int fd, short events, int limit, short *got)
{
	struct pollfd set = { fd, events, 0x7777 };
	int n = poll(&set, 1, limit);
	*got = set.revents;
	return n;
}

TEST(pipe_states)
{
	static char block[65536];
	short got;
	OK(pipe(p));
	EQ(poll_one(p[0], POLLIN, 0, &got), 0);
	EQ(got, 0);
	EQ(poll_one(p[1], POLLOUT, 0, &got), 1);
	EQ(got, POLLOUT);
	EQ(write(p[1], block, 65536), 65536);
	EQ(poll_one(p[0], POLLIN | POLLRDNORM, 0, &got), 1);
	EQ(got, POLLIN | POLLRDNORM);
	EQ(poll_one(p[0], POLLPRI, 0, &got), 0);
	EQ(poll_one(p[1], POLLOUT, 0, &got), 0);
	// The writer gone: hang-up, with data first.
	close(p[1]);
	EQ(poll_one(p[0], POLLIN, 0, &got), 1);
	EQ(got, POLLIN | POLLHUP);
	EQ(read(p[0], block, 65536), 65536);
	EQ(poll_one(p[0], POLLIN, 0, &got), 1);
	EQ(got, POLLHUP);
	EQ(poll_one(p[0], 0, -1, &got), 1);
	EQ(got, POLLHUP);
	// The reader gone: an error for the writer.
	OK(pipe(p));
	close(p[0]);
	EQ(poll_one(p[1], POLLOUT, 0, &got), 1);
	EQ(got, POLLOUT | POLLERR);
}

TEST(files_are_always_ready)
{
	short got;
	int fd = OK(open("/proc/self/exe", O_RDONLY)), null = OK(open("/dev/null", O_RDWR)), zero = OK(open("/dev/zero", O_RDWR));
	EQ(poll_one(fd, POLLIN | POLLOUT, -1, &got), 1);
	EQ(got, POLLIN | POLLOUT);
	EQ(poll_one(null, POLLIN | POLLOUT, -1, &got), 1);
	EQ(got, POLLIN | POLLOUT);
	EQ(poll_one(zero, POLLIN | POLLOUT, -1, &got), 1);
	EQ(got, POLLIN | POLLOUT);
}

TEST(invalid_and_negative_descriptors)
{
	short got;
	EQ(poll_one(999, POLLIN, -1, &got), 1);
	EQ(got, POLLNVAL);
	EQ(poll_one(-1, POLLIN, 0, &got), 0);
	EQ(got, 0);
	struct pollfd set[3] = { { -5, POLLIN, 9 }, { 998, 0, 0 }, { 0, 0, 9 } };
	EQ(poll(set, 2, -1), 1);
	EQ(set[0].revents, 0);
	EQ(set[1].revents, POLLNVAL);
	ERR(syscall(SYS_poll, 8L, 1, 0), EFAULT);
	EQ(poll(NULL, 0, 0), 0);
	struct rlimit limit = { 20, 20 };
	EXITED(CHILD(struct pollfd many[30]; memset(many, 0xff, sizeof many); OK(setrlimit(RLIMIT_NOFILE, &limit));
		     ERR(poll(many, 30, 0), EINVAL); EQ(poll(many, 20, 0), 0)), 0);
}

TEST(time_limits)
{
	short got;
	OK(pipe(p));
	long long start = tap_now();
	EQ(poll_one(p[0], POLLIN, 30, &got), 0);
	CHECK(tap_now() - start >= 30000000);
	start = tap_now();
	EQ(poll(NULL, 0, 20), 0);
	CHECK(tap_now() - start >= 20000000);
	struct timespec limit = { 0, 20000000 };
	struct pollfd set = { p[0], POLLIN, 0 };
	start = tap_now();
	EQ(ppoll(&set, 1, &limit, NULL), 0);
	CHECK(tap_now() - start >= 20000000);
	ERR(syscall(SYS_ppoll, &set, 1, &(struct timespec){ 0, -1 }, NULL, 8L), EINVAL);
	ERR(syscall(SYS_ppoll, &set, 1, 8L, NULL, 8L), EFAULT);
}

TEST(wakes_when_data_comes)
{
	short got;
	OK(pipe(p));
	pid_t target = getpid(), child = SPAWN(tap_await_state(target, 'S'); EQ(write(p[1], "x", 1), 1));
	EQ(poll_one(p[0], POLLIN, -1, &got), 1);
	EQ(got, POLLIN);
	EXITED(tap_wait(child), 0);
	OK(pipe(p));
	child = SPAWN(close(p[0]); tap_await_state(target, 'S'));
	close(p[1]);
	EQ(poll_one(p[0], POLLIN, -1, &got), 1);
	EQ(got, POLLHUP);
	EXITED(tap_wait(child), 0);
}

TEST(wakes_when_room_comes)
{
	static char block[65536];
	short got;
	OK(pipe(p));
	EQ(write(p[1], block, 65536), 65536);
	pid_t target = getpid(), child = SPAWN(tap_await_state(target, 'S'); EQ(read(p[0], block, 65536), 65536));
	EQ(poll_one(p[1], POLLOUT, -1, &got), 1);
	EQ(got, POLLOUT);
	EXITED(tap_wait(child), 0);
}

TEST(many_descriptors)
{
	enum { N = 100 };
	struct pollfd set[N];
	int writer[N];
	for (int i = 0; i < N; i++) {
		OK(pipe(p));
		set[i] = (struct pollfd){ p[0], POLLIN, 0 };
		writer[i] = p[1];
	}
	EQ(poll(set, N, 0), 0);
	for (int i = 0; i < N; i += 7)
		EQ(write(writer[i], "x", 1), 1);
	EQ(poll(set, N, -1), (N + 6) / 7);
	for (int i = 0; i < N; i++)
		EQ(set[i].revents, i % 7 == 0 ? POLLIN : 0);
}

TEST(mask_is_swapped_while_waiting)
{
	sigset_t block, none;
	struct pollfd set;
	struct timespec limit = { 20, 0 };
	OK(pipe(p));
	set = (struct pollfd){ p[0], POLLIN, 0 };
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	EQ(poll(&set, 1, 0), 0);
	EQ(count, 0);
	ERR(ppoll(&set, 1, &limit, &none), EINTR);
	EQ(count, 1);
	sigprocmask(SIG_BLOCK, NULL, &none);
	EQ(sigismember(&none, SIGUSR1), 1);
	sigemptyset(&none);
	raise(SIGUSR1);
	fd_set readable;
	FD_ZERO(&readable);
	FD_SET(p[0], &readable);
	ERR(pselect(p[0] + 1, &readable, NULL, NULL, &limit, &none), EINTR);
	EQ(count, 2);
}

TEST(select_sets)
{
	fd_set readable, writable, except;
	struct timeval limit = { 0, 0 };
	OK(pipe(p));
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_ZERO(&except);
	FD_SET(p[0], &readable);
	FD_SET(p[1], &writable);
	FD_SET(p[0], &except);
	EQ(select(p[1] + 1, &readable, &writable, &except, &limit), 1);
	CHECK(!FD_ISSET(p[0], &readable) && FD_ISSET(p[1], &writable) && !FD_ISSET(p[0], &except));
	EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &readable);
	EQ(select(p[1] + 1, &readable, &writable, NULL, NULL), 2);
	CHECK(FD_ISSET(p[0], &readable));
	// The end of a pipe is readable.
	EQ(close(p[1]), 0);
	char c;
	EQ(read(p[0], &c, 1), 1);
	EQ(select(p[0] + 1, &readable, NULL, NULL, NULL), 1);
}

TEST(select_limits_and_errors)
{
	fd_set readable;
	OK(pipe(p));
	FD_ZERO(&readable);
	FD_SET(p[0], &readable);
	struct timeval limit = { 0, 20000 };
	long long start = tap_now();
	EQ(syscall(SYS_select, p[0] + 1, &readable, NULL, NULL, &limit), 0);
	CHECK(tap_now() - start >= 20000000);
	CHECK(!FD_ISSET(p[0], &readable));
	// Linux writes back what is left of the time.
	EQ(limit.tv_sec, 0);
	EQ(limit.tv_usec, 0);
	int closed = OK(dup(p[0]));
	close(closed);
	FD_SET(closed, &readable);
	ERR(select(closed + 1, &readable, NULL, NULL, NULL), EBADF);
	ERR(syscall(SYS_select, -1, NULL, NULL, NULL, NULL), EINVAL);
	ERR(syscall(SYS_select, 1, 8L, NULL, NULL, NULL), EFAULT);
	ERR(syscall(SYS_select, 0, NULL, NULL, NULL, &(struct timeval){ -1, 0 }), EINVAL);
	limit = (struct timeval){ 0, 10000 };
	start = tap_now();
	EQ(select(0, NULL, NULL, NULL, &limit), 0);
	CHECK(tap_now() - start >= 10000000);
}

TEST(two_wait_for_one)
{
	// Data wakes whoever polls; one of two readers gets it.
	OK(pipe(p));
	pid_t child[2];
	for (int i = 0; i < 2; i++)
		child[i] = SPAWN(short got; EQ(poll_one(p[0], POLLIN, -1, &got), 1); EQ(got, POLLIN));
	tap_await_state(child[0], 'S');
	tap_await_state(child[1], 'S');
	EQ(write(p[1], "x", 1), 1);
	for (int i = 0; i < 2; i++)
		EXITED(tap_wait(child[i]), 0);
}
