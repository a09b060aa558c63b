// A terminal's line discipline and job control. The terminal is a pseudo-terminal where there is one, else
// the console; "typing" is writing to the master side or TIOCSTI.
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int tty = -1, master = -1;
static struct termios saved;

// Makes a terminal the controlling one of a new session.
static bool session(void)
{
	int number, zero = 0;
	char name[32];
	signal(SIGHUP, SIG_IGN);
	if (setsid() < 0)
		return false;
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (master >= 0 && ioctl(master, TIOCSPTLCK, &zero) == 0 && ioctl(master, TIOCGPTN, &number) == 0) {
		snprintf(name, sizeof name, "/dev/pts/%d", number);
		tty = open(name, O_RDWR | O_NOCTTY);
	}
	if (tty < 0) {
		master = -1;
		tty = open("/dev/console", O_RDWR | O_NOCTTY);
	}
	if (tty < 0 || !isatty(tty) || tcgetattr(tty, &saved) < 0 || ioctl(tty, TIOCSCTTY, 1) < 0)
		return false;
	// Through /dev/console there is no job control: a session opens its terminal as /dev/tty.
	if (master < 0 && (close(tty), (tty = open("/dev/tty", O_RDWR)) < 0))
		return false;
	struct termios quiet = saved;
	quiet.c_lflag |= ICANON | ISIG | IEXTEN;
	quiet.c_lflag &= ~(ECHO | ECHOE | ECHOK | ECHONL | TOSTOP | NOFLSH);
	quiet.c_iflag = (quiet.c_iflag | ICRNL) & ~(INLCR | IGNCR | ISTRIP | IXON);
	return tcsetattr(tty, TCSAFLUSH, &quiet) == 0;
}

static bool type(const char *text)
{
	size_t n = strlen(text);
	if (master >= 0)
		return write(master, text, n) == (ssize_t)n;
	for (; *text; text++)
		if (ioctl(tty, TIOCSTI, text) < 0)
			return false;
	return true;
}

static void in_session(void (*body)(void), bool typing)
{
	int status = CHILD(
		if (!session() || (typing && (!type("\n") || tcflush(tty, TCIFLUSH) < 0)))
			_exit(TAP_SKIPPED);
		body();
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(tty, getpgrp());
		tcsetattr(tty, TCSAFLUSH, &saved);
		ioctl(tty, TIOCNOTTY));
	if (WIFEXITED(status) && WEXITSTATUS(status) == TAP_SKIPPED)
		SKIP("no terminal that a program can type at");
	EXITED(status, 0);
}

#define TTY_TEST(name, typing)                                  \
	static void tty_##name(void);                           \
	TEST(name) { in_session(tty_##name, typing); }          \
	static void tty_##name(void)

// One read, at most this many bytes; what it gave, or the errno's name.
static const char *got(size_t size)
{
	static char text[256];
	// What was typed may take its time to arrive through a pseudo-terminal.
	ssize_t n = read(tty, text, size < 255 ? size : 255);
	if (n < 0)
		return tap_errno(errno);
	text[n] = 0;
	return text;
}

static void change(tcflag_t on, tcflag_t off, int least, int tenths)
{
	struct termios t;
	OK(tcgetattr(tty, &t));
	t.c_lflag = (t.c_lflag | on) & ~off;
	if (off & ICANON) {
		t.c_cc[VMIN] = least;
		t.c_cc[VTIME] = tenths;
	}
	OK(tcsetattr(tty, TCSANOW, &t));
}

TEST(what_is_no_terminal)
{
	struct termios t;
	int p[2];
	OK(pipe(p));
	ERR(ioctl(p[0], TCGETS, &t), ENOTTY);
	ERR(ioctl(OK(open("/dev/null", O_RDWR)), TCGETS, &t), ENOTTY);
	ERR(ioctl(OK(open("/proc/self/exe", O_RDONLY)), TIOCGWINSZ, &t), ENOTTY);
	ERR(ioctl(999, TCGETS, &t), EBADF);
	EQ(isatty(p[0]), 0);
	ERR(tcgetpgrp(p[0]), ENOTTY);
}

TTY_TEST(settings, false)
{
	struct termios t, now;
	OK(tcgetattr(tty, &t));
	EQ(t.c_cc[VINTR], 3);
	EQ(t.c_cc[VQUIT], 034);
	EQ(t.c_cc[VEOF], 4);
	EQ(t.c_cc[VSUSP], 032);
	EQ(t.c_cc[VERASE], 0177);
	EQ(t.c_cc[VKILL], 025);
	EQ(t.c_cflag & CSIZE, CS8);
	t.c_lflag &= ~(ICANON | ISIG);
	t.c_cc[VINTR] = 5;
	t.c_cc[VMIN] = 7;
	t.c_cc[VTIME] = 9;
	OK(tcsetattr(tty, TCSADRAIN, &t));
	OK(tcgetattr(tty, &now));
	EQ(now.c_lflag, t.c_lflag);
	EQ(now.c_iflag, t.c_iflag);
	EQ(now.c_cc[VINTR], 5);
	EQ(now.c_cc[VMIN], 7);
	EQ(now.c_cc[VTIME], 9);
	ERR(syscall(SYS_ioctl, tty, TCGETS, 8L), EFAULT);
	ERR(syscall(SYS_ioctl, tty, TCSETS, 8L), EFAULT);
	ERR(syscall(SYS_ioctl, tty, 0x5499, 8L), ENOTTY);
	OK(tcdrain(tty));
}

TTY_TEST(window_size, false)
{
	struct winsize old, size = { 40, 100, 0, 0 }, now;
	sigset_t set;
	OK(ioctl(tty, TIOCGWINSZ, &old));
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	OK(ioctl(tty, TIOCSWINSZ, &(struct winsize){ 10, 20, 0, 0 }));
	OK(ioctl(tty, TIOCSWINSZ, &size));
	OK(ioctl(tty, TIOCGWINSZ, &now));
	EQ(now.ws_row, 40);
	EQ(now.ws_col, 100);
	EQ(sigtimedwait(&set, NULL, &(struct timespec){ 5, 0 }), SIGWINCH);
	// No change, no signal.
	OK(ioctl(tty, TIOCSWINSZ, &size));
	ERR(sigtimedwait(&set, NULL, &(struct timespec){ 0, 10000000 }), EAGAIN);
	OK(ioctl(tty, TIOCSWINSZ, &old));
	ERR(syscall(SYS_ioctl, tty, TIOCGWINSZ, 8L), EFAULT);
}

TTY_TEST(lines, true)
{
	CHECK(type("hello\n"));
	STREQ(got(100), "hello\n");
	CHECK(type("one\ntwo\n"));
	STREQ(got(100), "one\n");
	STREQ(got(100), "two\n");
	CHECK(type("in pieces\n"));
	STREQ(got(3), "in ");
	STREQ(got(3), "pie");
	STREQ(got(100), "ces\n");
	CHECK(type("return\r"));
	STREQ(got(100), "return\n");
}

TTY_TEST(line_editing, true)
{
	CHECK(type("abc\177\177d\n"));
	STREQ(got(100), "ad\n");
	CHECK(type("\177\177x\n"));
	STREQ(got(100), "x\n");
	CHECK(type("rubbish\025good\n"));
	STREQ(got(100), "good\n");
	CHECK(type("one two\027\n"));
	STREQ(got(100), "one \n");
	CHECK(type("a\026\003b\n"));
	STREQ(got(100), "a\003b\n");
}

TTY_TEST(end_of_file, true)
{
	CHECK(type("\004"));
	STREQ(got(100), "");
	CHECK(type("part\004"));
	STREQ(got(100), "part");
	CHECK(type("next\n"));
	STREQ(got(100), "next\n");
}

TTY_TEST(poll_knows_lines, true)
{
	struct pollfd set = { tty, POLLIN, 0 };
	int n;
	EQ(poll(&set, 1, 0), 0);
	CHECK(type("half"));
	EQ(poll(&set, 1, 20), 0);
	CHECK(type("\n"));
	EQ(poll(&set, 1, 5000), 1);
	EQ(set.revents & POLLIN, POLLIN);
	OK(ioctl(tty, FIONREAD, &n));
	EQ(n, 5);
	STREQ(got(100), "half\n");
	EQ(poll(&set, 1, 0), 0);
	set.events = POLLOUT;
	EQ(poll(&set, 1, 5000), 1);
	OK(fcntl(tty, F_SETFL, O_NONBLOCK));
	STREQ(got(100), "EAGAIN");
	OK(fcntl(tty, F_SETFL, 0));
}

TTY_TEST(raw_reads, true)
{
	change(0, ICANON, 1, 0);
	CHECK(type("a"));
	STREQ(got(100), "a");
	CHECK(type("\177\025"));
	char text[8] = "";
	int n = 0;
	while (n < 2)
		n += OK(read(tty, text + n, 4));
	STREQ(text, "\177\025");
	// At least so many.
	change(0, ICANON, 3, 0);
	pid_t child = SPAWN(tap_await_state(getppid(), 'S'); CHECK(type("xy")); tap_pause(10); CHECK(type("z")));
	STREQ(got(100), "xyz");
	EXITED(tap_wait(child), 0);
	// None needed, a time limit.
	change(0, ICANON, 0, 0);
	STREQ(got(100), "");
	change(0, ICANON, 0, 2);
	long long start = tap_now();
	STREQ(got(100), "");
	CHECK(tap_now() - start >= 150000000);
	// The time between two bytes.
	change(0, ICANON, 10, 1);
	CHECK(type("pq"));
	STREQ(got(100), "pq");
	// Signals are only bytes when ISIG is off.
	change(0, ICANON | ISIG, 1, 0);
	CHECK(type("\003"));
	STREQ(got(100), "\003");
}

TTY_TEST(keys_that_signal, true)
{
	static const struct { const char *key; int sig; } keys[] = { { "\003", SIGINT }, { "\034", SIGQUIT } };
	int status, ready[2];
	char c;
	signal(SIGTTOU, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		OK(pipe(ready));
		pid_t child = SPAWN(setpgid(0, 0); if (write(ready[1], "x", 1) < 0) _exit(1); for (;;) pause());
		EQ(read(ready[0], &c, 1), 1);
		OK(tcsetpgrp(tty, child));
		EQ(tcgetpgrp(tty), child);
		CHECK(type(keys[i].key));
		KILLED(tap_wait(child), keys[i].sig);
		OK(tcsetpgrp(tty, getpgrp()));
	}
	pid_t child = SPAWN(setpgid(0, 0); if (write(ready[1], "x", 1) < 0) _exit(1); for (;;) pause());
	EQ(read(ready[0], &c, 1), 1);
	OK(tcsetpgrp(tty, child));
	CHECK(type("\032"));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	OK(kill(-child, SIGCONT));
	CHECK(type("typed ahead\003"));
	KILLED(tap_wait(child), SIGINT);
	OK(tcsetpgrp(tty, getpgrp()));
	// The interrupt threw away what was typed.
	CHECK(type("fresh\n"));
	STREQ(got(100), "fresh\n");
}

TTY_TEST(background_reads_stop, true)
{
	int status;
	pid_t child = SPAWN(setpgid(0, 0); STREQ(got(100), "for you\n"));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	signal(SIGTTOU, SIG_IGN);
	OK(tcsetpgrp(tty, child));
	OK(kill(-child, SIGCONT));
	CHECK(type("for you\n"));
	EXITED(tap_wait(child), 0);
	OK(tcsetpgrp(tty, getpgrp()));
	// Who ignores the signal gets an error.
	EXITED(CHILD(setpgid(0, 0); signal(SIGTTIN, SIG_IGN); STREQ(got(100), "EIO")), 0);
}

TTY_TEST(background_changes_stop, false)
{
	int status;
	signal(SIGTTOU, SIG_DFL);
	pid_t child = SPAWN(setpgid(0, 0); OK(tcsetpgrp(tty, getpgrp())));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	OK(kill(child, SIGKILL));
	KILLED(tap_wait(child), SIGKILL);
	child = SPAWN(setpgid(0, 0); struct termios t; OK(tcgetattr(tty, &t)); OK(tcsetattr(tty, TCSANOW, &t)));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	OK(kill(child, SIGKILL));
	tap_wait(child);
	// Writing stops only with TOSTOP.
	EXITED(CHILD(setpgid(0, 0); EQ(write(tty, "", 0), 0)), 0);
	change(TOSTOP, 0, 0, 0);
	child = SPAWN(setpgid(0, 0); EQ(write(tty, "#\n", 2), 2));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	OK(kill(child, SIGKILL));
	tap_wait(child);
	change(0, TOSTOP, 0, 0);
}

TTY_TEST(foreground_group, false)
{
	EQ(tcgetpgrp(tty), getpgrp());
	pid_t sid;
	OK(ioctl(tty, TIOCGSID, &sid));
	EQ(sid, getpid());
	ERR(ioctl(tty, TIOCSPGRP, &(pid_t){ 999999999 }), ESRCH);
	ERR(ioctl(tty, TIOCSPGRP, &(pid_t){ -5 }), EINVAL);
	int ready[2];
	char c;
	OK(pipe(ready));
	pid_t other = SPAWN(setsid(); if (write(ready[1], "x", 1) < 0) _exit(1); for (;;) pause());
	EQ(read(ready[0], &c, 1), 1);
	ERR(tcsetpgrp(tty, other), EPERM);
	OK(kill(other, SIGKILL));
	tap_wait(other);
	int mine = OK(open("/dev/tty", O_RDWR));
	EQ(tcgetpgrp(mine), getpgrp());
	// A new session has none.
	EXITED(CHILD(OK(setsid()); ERR(open("/dev/tty", O_RDWR), ENXIO); ERR(tcgetpgrp(tty), ENOTTY)), 0);
	OK(ioctl(tty, TIOCNOTTY));
	ERR(open("/dev/tty", O_RDWR), ENXIO);
	OK(ioctl(tty, TIOCSCTTY, 0));
	OK(open("/dev/tty", O_RDWR));
}

TTY_TEST(flush_discards, true)
{
	CHECK(type("old\n"));
	tap_pause(5);
	OK(tcflush(tty, TCIFLUSH));
	CHECK(type("new\n"));
	STREQ(got(100), "new\n");
	ERR(tcflush(tty, 99), EINVAL);
	OK(tcflush(tty, TCOFLUSH));
}

static const char *seen(void)
{
	static char text[256];
	tap_pause(20);
	ssize_t n = read(master, text, 255);
	text[n > 0 ? n : 0] = 0;
	return text;
}

TTY_TEST(echo_and_output, false)
{
	if (master < 0)
		return;
	change(ECHO | ECHOE | ECHOK | ECHOCTL, 0, 0, 0);
	struct termios t;
	OK(tcgetattr(tty, &t));
	t.c_oflag |= OPOST | ONLCR;
	OK(tcsetattr(tty, TCSANOW, &t));
	CHECK(type("ab\n"));
	STREQ(seen(), "ab\r\n");
	STREQ(got(10), "ab\n");
	CHECK(type("a\177b\001\n"));
	STREQ(seen(), "a\b \bb^A\r\n");
	STREQ(got(10), "b\001\n");
	EQ(write(tty, "x\ny", 3), 3);
	STREQ(seen(), "x\r\ny");
	t.c_oflag &= ~OPOST;
	OK(tcsetattr(tty, TCSANOW, &t));
	EQ(write(tty, "x\ny", 3), 3);
	STREQ(seen(), "x\ny");
}
