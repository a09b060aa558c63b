// The harness of the user programs: each TEST prints one KTAP line on standard output.
//
// A program is a list of TESTs. Each runs in a child of its own (unless TAP_INLINE is defined before
// this file is included), so that a crash or a hang in one is reported and the others still run.
// A check that fails prints `# file:line: what was asked: got this, expected that` and marks the test;
// the test goes on, except after NEED. The exit status is 0 only when no test failed.
//
// `NAME` runs every test, `NAME test...` the named ones, `NAME --helper args...` the HELPER of that
// name: the way by which a program executes itself.
#ifndef TAP_H
#define TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Seconds after which a test is killed. Emulated CPUs are slow; no test needs a tenth of it.
#ifndef TAP_TIMEOUT
#define TAP_TIMEOUT 60
#endif

enum { TAP_MAX = 128, TAP_SKIPPED = 77 };
typedef void (*tap_body)(void);
static struct { const char *name; tap_body body; } tap_tests[TAP_MAX];
static struct { const char *name; int (*body)(int, char **); } tap_helpers[16];
static int tap_test_count, tap_helper_count, tap_number;
static volatile int tap_failed;
static const char *tap_skip_reason;
static char **tap_argv;
static volatile pid_t tap_running;

#define TEST(title)                                                                      \
	static void test_##title(void);                                                  \
	__attribute__((constructor)) static void register_##title(void)                  \
	{ tap_register(#title, test_##title); }                                          \
	static void test_##title(void)
#define HELPER(title)                                                                    \
	static int helper_##title(int argc, char **argv);                                \
	__attribute__((constructor)) static void register_helper_##title(void)           \
	{ tap_helpers[tap_helper_count].name = #title; tap_helpers[tap_helper_count++].body = helper_##title; } \
	static int helper_##title(int argc __attribute__((unused)), char **argv __attribute__((unused)))

static void tap_register(const char *name, tap_body body)
{
	if (tap_test_count == TAP_MAX)
		abort();
	tap_tests[tap_test_count].name = name;
	tap_tests[tap_test_count++].body = body;
}

#define CHECK(cond) tap_check(!!(cond), __FILE__, __LINE__, #cond)
#define EQ(got, want) tap_equal((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define STREQ(got, want) tap_equal_text((got), (want), __FILE__, __LINE__, #got)
// The call must fail with -1 and this errno.
#define ERR(call, wanted)                                                                \
	({ errno = 0; long long r_ = (long long)(call); tap_error(r_, errno, (wanted), __FILE__, __LINE__, #call); })
// The call must not return -1; the value is the call's.
#define OK(call)                                                                         \
	({ errno = 0; long long r_ = (long long)(call); tap_success(r_, errno, __FILE__, __LINE__, #call); r_; })
// Leaves the test when the condition does not hold.
#define NEED(cond) do { if (!CHECK(cond)) return; } while (0)
#define SKIP(reason) do { tap_skip_reason = (reason); return; } while (0)
// Runs the statements in a child; SPAWN is its process id, CHILD waits and is its wait status.
#define SPAWN(...)                                                                       \
	({ pid_t p_ = fork(); if (p_ == 0) { tap_failed = 0; { __VA_ARGS__; } _exit(tap_failed ? 1 : 0); } OK(p_); p_; })
#define CHILD(...) ({ pid_t c_ = SPAWN(__VA_ARGS__); tap_wait(c_); })
// The byte at an address the compiler must not reason about: to read or to assign.
#define BYTE(address) (*(volatile unsigned char *)tap_hide((uintptr_t)(address)))
#define EXITED(status, code) tap_status((status), (code), 0, __FILE__, __LINE__, #status)
#define KILLED(status, sig) tap_status((status), 0, (sig), __FILE__, __LINE__, #status)

__attribute__((unused)) static uintptr_t tap_hide(uintptr_t address)
{
	__asm__ volatile("" : "+r"(address));
	return address;
}

__attribute__((format(printf, 1, 2), unused)) static void tap_note(const char *format, ...)
{
	char line[512] = "# ";
	va_list list;
	va_start(list, format);
	int length = 2 + vsnprintf(line + 2, sizeof line - 3, format, list);
	va_end(list);
	if (length > (int)sizeof line - 2)
		length = sizeof line - 2;
	line[length++] = '\n';
	if (write(1, line, length) < 0)
		_exit(99);
}

__attribute__((unused)) static const char *tap_errno(int code)
{
	static const struct { int code; const char *name; } table[] = {
#define E(x) { x, #x }
		E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF),
		E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST),
		E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY),
		E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE),
		E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(EOVERFLOW),
		E(ENOTSOCK), E(EOPNOTSUPP), E(ETIMEDOUT), E(ENODATA), E(ELIBBAD), { 0, "no error" },
#undef E
	};
	static char other[24];
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].code == code)
			return table[i].name;
	snprintf(other, sizeof other, "errno %d", code);
	return other;
}

static bool tap_fail(void)
{
	__atomic_add_fetch(&tap_failed, 1, __ATOMIC_SEQ_CST);
	return false;
}

__attribute__((unused)) static bool tap_check(bool good, const char *file, int line, const char *what)
{
	int saved = errno;
	if (good)
		return true;
	tap_note("%s:%d: %.120s: does not hold (errno %s)", file, line, what, tap_errno(saved));
	return tap_fail();
}

__attribute__((unused)) static bool tap_equal(long long got, long long want, const char *file, int line, const char *what)
{
	int saved = errno;
	if (got == want)
		return true;
	tap_note("%s:%d: %.120s: got %lld (%#llx), expected %lld (%#llx) (errno %s)", file, line, what, got, got,
		 want, want, tap_errno(saved));
	return tap_fail();
}

__attribute__((unused)) static bool tap_equal_text(const char *got, const char *want, const char *file, int line, const char *what)
{
	if (got && strcmp(got, want) == 0)
		return true;
	tap_note("%s:%d: %.120s: got \"%s\", expected \"%s\"", file, line, what, got ? got : "(null)", want);
	return tap_fail();
}

__attribute__((unused)) static bool tap_error(long long result, int code, int want, const char *file, int line, const char *what)
{
	if (result == -1 && code == want)
		return true;
	if (result == -1)
		tap_note("%s:%d: %.120s: got %s, expected %s", file, line, what, tap_errno(code), tap_errno(want));
	else
		tap_note("%s:%d: %.120s: succeeded with %lld, expected %s", file, line, what, result, tap_errno(want));
	return tap_fail();
}

__attribute__((unused)) static bool tap_success(long long result, int code, const char *file, int line, const char *what)
{
	if (result != -1)
		return true;
	tap_note("%s:%d: %.120s: failed with %s", file, line, what, tap_errno(code));
	return tap_fail();
}

__attribute__((unused)) static int tap_wait(pid_t child)
{
	int status = -1;
	if (child > 0)
		while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
	return status;
}

__attribute__((unused)) static const char *tap_describe(int status)
{
	static char text[64];
	if (status == -1)
		return "not waited for";
	if (WIFEXITED(status))
		snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(text, sizeof text, "wait status %#x", status);
	return text;
}

__attribute__((unused)) static bool tap_status(int status, int code, int sig, const char *file, int line, const char *what)
{
	if (sig ? WIFSIGNALED(status) && WTERMSIG(status) == sig : WIFEXITED(status) && WEXITSTATUS(status) == code)
		return true;
	tap_note("%s:%d: %.120s: %s, expected %s %d", file, line, what, tap_describe(status),
		 sig ? "death by signal" : "exit status", sig ? sig : code);
	return tap_fail();
}

// Nanoseconds of the monotonic clock.
__attribute__((unused)) static long long tap_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

__attribute__((unused)) static void tap_pause(int milliseconds)
{
	struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	while (nanosleep(&left, &left) < 0 && errno == EINTR) {}
}

// Reads a whole (small) file into a buffer, terminated; the length, or -1.
__attribute__((unused)) static long tap_read(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY);
	long total = 0, n = 0;
	if (fd < 0)
		return -1;
	while ((size_t)total < size - 1 && (n = read(fd, buffer + total, size - 1 - total)) > 0)
		total += n;
	buffer[total] = 0;
	close(fd);
	return n < 0 ? -1 : total;
}

// The state letter of a process (R, S, T, Z...), 0 when there is no such process.
__attribute__((unused)) static char tap_state(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (tap_read(path, text, sizeof text) <= 0)
		return 0;
	char *end = strrchr(text, ')');
	return end ? end[2] : 0;
}

// Waits, at most ten seconds, until a process has this state.
__attribute__((unused)) static bool tap_await_state(pid_t pid, char state)
{
	long long end = tap_now() + 10000000000LL;
	// Without /proc nobody can tell; then a while must do.
	if (tap_state(getpid()) == 0)
		tap_pause(100);
	while (tap_state(pid) != state && tap_state(getpid()) != 0) {
		if (tap_now() > end)
			return false;
		tap_pause(2);
	}
	return true;
}

// Makes a new empty directory below /tmp the working directory; it is removed with all in it after the test.
static char tap_directory[64];
__attribute__((unused)) static bool tap_enter(void)
{
	strcpy(tap_directory, "/tmp/tap.XXXXXX");
	return mkdtemp(tap_directory) && chdir(tap_directory) == 0;
}

// Whether this machine does no other work: the virtual machine of the tests, or one that APUS names so.
__attribute__((unused)) static bool tap_expendable(void)
{
	return access("/tests", F_OK) == 0 || getenv("APUS");
}

// The machine still does what it should: processes, pipes, memory, programs.
__attribute__((unused)) static void tap_all_is_well(void)
{
	static volatile char memory[1 << 20];
	int ends[2];
	char c = 0;
	OK(pipe(ends));
	EXITED(CHILD(EQ(write(ends[1], "x", 1), 1); for (unsigned i = 0; i < sizeof memory; i += 4096) memory[i] = 1), 0);
	EQ(read(ends[0], &c, 1), 1);
	EQ(c, 'x');
	EXITED(CHILD(execl("/bin/busybox", "busybox", "true", NULL)), 0);
	close(ends[0]);
	close(ends[1]);
}

static int tap_remove(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	remove(path);
	return 0;
}

static void tap_leave(void)
{
	if (tap_directory[0] && chdir("/") == 0)
		nftw(tap_directory, tap_remove, 8, FTW_DEPTH | FTW_PHYS);
	tap_directory[0] = 0;
}

static void tap_finish(const char *name)
{
	if (tap_skip_reason && !tap_failed)
		dprintf(1, "ok %d - %s # SKIP %s\n", tap_number, name, tap_skip_reason);
	else
		dprintf(1, "%sok %d - %s\n", tap_failed ? "not " : "", tap_number, name);
}

static void tap_expired(int sig)
{
	(void)sig;
	if (tap_running > 0)
		kill(tap_running, SIGKILL);
}

// Runs one test in a child, in a process group of its own that is killed afterwards.
__attribute__((unused)) static bool tap_run_apart(int index)
{
	struct sigaction expiry = { .sa_handler = tap_expired };
	sigaction(SIGALRM, &expiry, NULL);
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		signal(SIGALRM, SIG_DFL);
		tap_tests[index].body();
		tap_leave();
		tap_finish(tap_tests[index].name);
		_exit(tap_failed ? 1 : 0);
	}
	if (child < 0) {
		dprintf(1, "not ok %d - %s # fork failed with %s\n", tap_number, tap_tests[index].name, tap_errno(errno));
		return false;
	}
	tap_running = child;
	alarm(TAP_TIMEOUT);
	int status = tap_wait(child);
	bool expired = alarm(0) == 0;
	kill(-child, SIGKILL);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return WEXITSTATUS(status) == 0;
	dprintf(1, "not ok %d - %s # %s%s\n", tap_number, tap_tests[index].name, expired ? "time is up, " : "",
		tap_describe(status));
	return false;
}

__attribute__((unused)) static bool tap_run_here(int index)
{
	tap_failed = 0;
	tap_skip_reason = NULL;
	tap_tests[index].body();
	tap_leave();
	tap_finish(tap_tests[index].name);
	return !tap_failed;
}

static bool tap_chosen(int index, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], tap_tests[index].name) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	tap_argv = argv;
	for (int i = 0; argc > 1 && strncmp(argv[1], "--", 2) == 0 && i < tap_helper_count; i++)
		if (strcmp(argv[1] + 2, tap_helpers[i].name) == 0)
			return tap_helpers[i].body(argc - 1, argv + 1);
	int chosen = 0, bad = 0;
	for (int i = 0; i < tap_test_count; i++)
		chosen += tap_chosen(i, argc, argv);
	dprintf(1, "KTAP version 1\n1..%d\n", chosen);
	for (int i = 0; i < tap_test_count; i++) {
		if (!tap_chosen(i, argc, argv))
			continue;
		tap_number++;
#ifdef TAP_INLINE
		bad += !tap_run_here(i);
#else
		bad += !tap_run_apart(i);
#endif
	}
	return bad ? 1 : 0;
}

#endif
