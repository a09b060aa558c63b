// A signal that comes while a call waits: with SA_RESTART the call goes on, without it ends with EINTR,
// and calls with a time limit never restart from the beginning of that time.
#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile int count;
static void handler(int sig) { (void)sig; count++; }

static void act(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	OK(sigaction(SIGUSR1, &action, NULL));
}

// A child that signals this process as soon as it sleeps, then runs the statements.
#define PROD(...)                                                                             \
	({ pid_t target_ = getpid();                                                          \
	   SPAWN(tap_await_state(target_, 'S'); kill(target_, SIGUSR1); { __VA_ARGS__; } _exit(0)); })

TEST(read_ends_with_eintr)
{
	int pipefd[2];
	char c;
	OK(pipe(pipefd));
	act(0);
	pid_t child = PROD();
	ERR(read(pipefd[0], &c, 1), EINTR);
	EQ(count, 1);
	tap_wait(child);
}

TEST(read_restarts)
{
	int pipefd[2];
	char c = 0;
	OK(pipe(pipefd));
	act(SA_RESTART);
	pid_t child = PROD(tap_pause(20); EQ(write(pipefd[1], "z", 1), 1));
	EQ(read(pipefd[0], &c, 1), 1);
	EQ(c, 'z');
	EQ(count, 1);
	tap_wait(child);
}

TEST(write_ends_or_restarts)
{
	int pipefd[2];
	static char block[65536];
	OK(pipe(pipefd));
	EQ(write(pipefd[1], block, 65536), 65536);
	act(0);
	pid_t child = PROD();
	ERR(write(pipefd[1], block, 4096), EINTR);
	tap_wait(child);
	act(SA_RESTART);
	child = PROD(static char sink[4096]; tap_pause(20); EQ(read(pipefd[0], sink, 4096), 4096));
	EQ(write(pipefd[1], block, 4096), 4096);
	EQ(count, 2);
	tap_wait(child);
}

TEST(partial_write_counts)
{
	int pipefd[2];
	static char block[100000];
	OK(pipe(pipefd));
	act(0);
	pid_t child = PROD();
	EQ(write(pipefd[1], block, 100000), 65536);
	EQ(count, 1);
	tap_wait(child);
}

TEST(wait_for_child)
{
	int status, hold[2];
	OK(pipe(hold));
	pid_t other = SPAWN(char c; close(hold[1]); if (read(hold[0], &c, 1) < 0) _exit(1); _exit(9));
	act(0);
	pid_t child = PROD();
	ERR(waitpid(other, &status, 0), EINTR);
	tap_wait(child);
	act(SA_RESTART);
	child = PROD(tap_pause(20));
	close(hold[1]);
	hold[1] = -1;
	EQ(waitpid(other, &status, 0), other);
	EXITED(status, 9);
	tap_wait(child);
}

TEST(nanosleep_tells_what_is_left)
{
	struct timespec left = { 0, 0 };
	act(SA_RESTART);
	pid_t child = PROD();
	ERR(nanosleep(&(struct timespec){ 50, 0 }, &left), EINTR);
	CHECK(left.tv_sec <= 50 && left.tv_sec > 10);
	EQ(count, 1);
	tap_wait(child);
	child = PROD();
	EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 50, 0 }, &left), EINTR);
	CHECK(left.tv_sec <= 50 && left.tv_sec > 10);
	tap_wait(child);
	struct timespec far;
	clock_gettime(CLOCK_MONOTONIC, &far);
	far.tv_sec += 50;
	left.tv_sec = 1234;
	child = PROD();
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &far, &left), EINTR);
	EQ(left.tv_sec, 1234);
	tap_wait(child);
}

TEST(ignored_and_stopped_do_not_disturb)
{
	// A sleep that is stopped and continued without a handler goes on, and is never early.
	int status;
	pid_t child = SPAWN(
		long long start = tap_now();
		struct timespec left = { 0, 0 };
		OK(nanosleep(&(struct timespec){ 0, 200000000 }, &left));
		CHECK(tap_now() - start >= 200000000));
	tap_await_state(child, 'S');
	OK(kill(child, SIGSTOP));
	EQ(waitpid(child, &status, WUNTRACED), child);
	OK(kill(child, SIGCONT));
	OK(kill(child, SIGCHLD));
	OK(kill(child, SIGWINCH));
	EXITED(tap_wait(child), 0);
	// The same of a read.
	int pipefd[2];
	OK(pipe(pipefd));
	child = SPAWN(char c = 0; EQ(read(pipefd[0], &c, 1), 1); EQ(c, 'q'));
	tap_await_state(child, 'S');
	OK(kill(child, SIGSTOP));
	EQ(waitpid(child, &status, WUNTRACED), child);
	OK(kill(child, SIGCONT));
	tap_await_state(child, 'S');
	EQ(write(pipefd[1], "q", 1), 1);
	EXITED(tap_wait(child), 0);
}

TEST(poll_and_select_never_restart)
{
	int pipefd[2];
	OK(pipe(pipefd));
	struct pollfd poll_set = { pipefd[0], POLLIN, 0 };
	fd_set read_set;
	act(SA_RESTART);
	pid_t child = PROD();
	ERR(poll(&poll_set, 1, -1), EINTR);
	tap_wait(child);
	child = PROD();
	ERR(poll(&poll_set, 1, 50000), EINTR);
	tap_wait(child);
	FD_ZERO(&read_set);
	FD_SET(pipefd[0], &read_set);
	child = PROD();
	ERR(select(pipefd[0] + 1, &read_set, NULL, NULL, NULL), EINTR);
	tap_wait(child);
	EQ(count, 3);
}

TEST(pause_always_ends)
{
	act(SA_RESTART);
	pid_t child = PROD();
	ERR(pause(), EINTR);
	EQ(count, 1);
	tap_wait(child);
}

TEST(futex_wait)
{
	static int word;
	act(0);
	pid_t child = PROD();
	ERR(syscall(SYS_futex, &word, 0 | 128, 0, NULL, NULL, 0), EINTR);
	tap_wait(child);
	act(SA_RESTART);
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = PROD(tap_pause(20); *shared = 1; EQ(syscall(SYS_futex, shared, 1, 1, NULL, NULL, 0), 1));
	OK(syscall(SYS_futex, shared, 0, 0, NULL, NULL, 0));
	EQ(count, 2);
	EXITED(tap_wait(child), 0);
	// With a time-out the wait is not begun anew: EINTR even with SA_RESTART is allowed only without one.
	child = PROD();
	errno = 0;
	EQ(syscall(SYS_futex, &word, 0 | 128, 0, &(struct timespec){ 0, 300000000 }, NULL, 0), -1);
	CHECK(errno == ETIMEDOUT || errno == EINTR);
	tap_wait(child);
}

TEST(open_of_a_fifo)
{
	NEED(tap_enter());
	OK(mkfifo("fifo", 0600));
	act(0);
	pid_t child = PROD();
	ERR(open("fifo", O_RDONLY), EINTR);
	tap_wait(child);
	act(SA_RESTART);
	child = PROD(tap_pause(20); int fd = OK(open("fifo", O_WRONLY)); close(fd));
	int fd = OK(open("fifo", O_RDONLY));
	CHECK(fd >= 0);
	EQ(count, 2);
	EXITED(tap_wait(child), 0);
}

TEST(storm_of_signals_loses_nothing)
{
	// Data through a pipe while an interval timer interrupts both ends.
	int pipefd[2];
	static unsigned char block[3000];
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	OK(pipe(pipefd));
	act(SA_RESTART);
	signal(SIGALRM, handler);
	pid_t child = SPAWN(
		setitimer(ITIMER_REAL, &often, NULL);
		close(pipefd[0]);
		unsigned char next = 0;
		for (int i = 0; i < 300; i++) {
			for (unsigned j = 0; j < sizeof block; j++)
				block[j] = next++;
			for (unsigned done = 0; done < sizeof block;) {
				ssize_t n = write(pipefd[1], block + done, sizeof block - done);
				if (n < 0 && errno == EINTR)
					continue;
				if (n <= 0)
					_exit(1);
				done += n;
			}
		});
	close(pipefd[1]);
	OK(setitimer(ITIMER_REAL, &often, NULL));
	unsigned char buffer[777], next = 0;
	long total = 0;
	bool good = true;
	for (;;) {
		ssize_t n = read(pipefd[0], buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			good &= buffer[i] == next++;
		total += n;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	CHECK(good);
	EQ(total, 300 * sizeof block);
	EXITED(tap_wait(child), 0);
}
