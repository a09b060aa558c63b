// Signals: actions and their flags, masks, what is pending, who sent it and how, waiting for them.
#include "tap.h"
#include <setjmp.h>
#include <sys/time.h>

static volatile int count, depth, deepest, mask_inside, last;
static volatile siginfo_t info;
static int order[16];

static void handler(int sig)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	mask_inside = sigismember(&now, sig) | sigismember(&now, SIGHUP) << 1;
	last = sig;
	order[count % 16] = sig;
	count++;
}

static void informed(int sig, siginfo_t *from, void *context)
{
	(void)context;
	info = *from;
	last = sig;
	count++;
}

static void act(int sig, void (*body)(int), int flags)
{
	struct sigaction action = { .sa_handler = body, .sa_flags = flags };
	OK(sigaction(sig, &action, NULL));
}

static void act_informed(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = informed, .sa_flags = flags | SA_SIGINFO };
	OK(sigaction(sig, &action, NULL));
}

static sigset_t set_of(int first, int second)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, first);
	if (second)
		sigaddset(&set, second);
	return set;
}

TEST(handler_runs_and_mask_returns)
{
	struct sigaction action = { .sa_handler = handler }, old;
	sigset_t now;
	sigaddset(&action.sa_mask, SIGHUP);
	OK(sigaction(SIGUSR1, &action, &old));
	CHECK(old.sa_handler == SIG_DFL);
	OK(raise(SIGUSR1));
	EQ(count, 1);
	EQ(mask_inside, 3);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EQ(sigismember(&now, SIGUSR1), 0);
	EQ(sigismember(&now, SIGHUP), 0);
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == handler);
	EQ(sigismember(&old.sa_mask, SIGHUP), 1);
}

static void nested(int sig)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (count++ < 3)
		raise(sig);
	depth--;
}

TEST(same_signal_waits_unless_nodefer)
{
	act(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	EQ(count, 4);
	EQ(deepest, 1);
	count = 0;
	act(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	EQ(count, 4);
	EQ(deepest, 4);
}

static void raise_other(int sig)
{
	order[count++] = sig;
	raise(SIGUSR2);
	order[count++] = sig;
}

TEST(another_signal_nests)
{
	act(SIGUSR1, raise_other, 0);
	act(SIGUSR2, handler, 0);
	raise(SIGUSR1);
	EQ(count, 3);
	EQ(order[0], SIGUSR1);
	EQ(order[1], SIGUSR2);
	EQ(order[2], SIGUSR1);
}

TEST(reset_after_one)
{
	act(SIGUSR1, handler, SA_RESETHAND);
	raise(SIGUSR1);
	EQ(count, 1);
	struct sigaction old;
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
	KILLED(CHILD(raise(SIGUSR1)), SIGUSR1);
}

TEST(default_actions)
{
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
		SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS };
	for (unsigned i = 0; i < sizeof deadly / sizeof *deadly; i++)
		KILLED(CHILD(syscall(SYS_kill, getpid(), deadly[i])), deadly[i]);
	EXITED(CHILD(raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); raise(SIGCONT)), 0);
	KILLED(CHILD(syscall(SYS_kill, getpid(), 34)), 34);
	KILLED(CHILD(syscall(SYS_kill, getpid(), 64)), 64);
	static const int dump[] = { SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ };
	for (unsigned i = 0; i < sizeof dump / sizeof *dump; i++)
		EQ(CHILD(syscall(SYS_kill, getpid(), dump[i])) & 0x7f, dump[i]);
}

TEST(ignored)
{
	act(SIGTERM, SIG_IGN, 0);
	raise(SIGTERM);
	EXITED(CHILD(raise(SIGTERM)), 0);
	// Ignoring drops what is pending.
	sigset_t set = set_of(SIGUSR1, 0), pending;
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	sigpending(&pending);
	EQ(sigismember(&pending, SIGUSR1), 1);
	act(SIGUSR1, SIG_IGN, 0);
	sigpending(&pending);
	EQ(sigismember(&pending, SIGUSR1), 0);
}

TEST(blocked_and_pending)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2), pending, old;
	act(SIGUSR1, handler, 0);
	act(SIGUSR2, handler, 0);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	OK(kill(getpid(), SIGUSR2));
	EQ(count, 0);
	OK(sigpending(&pending));
	EQ(sigismember(&pending, SIGUSR1), 1);
	EQ(sigismember(&pending, SIGUSR2), 1);
	EQ(sigismember(&pending, SIGHUP), 0);
	EXITED(CHILD(sigset_t mine; sigpending(&mine); EQ(sigismember(&mine, SIGUSR1), 0)), 0);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	EQ(count, 2);
}

TEST(refusals)
{
	struct sigaction action = { .sa_handler = handler };
	sigset_t set = set_of(SIGUSR1, 0), now;
	ERR(sigaction(SIGKILL, &action, NULL), EINVAL);
	ERR(sigaction(SIGSTOP, &action, NULL), EINVAL);
	ERR(syscall(SYS_rt_sigaction, 0L, NULL, NULL, 8L), EINVAL);
	ERR(syscall(SYS_rt_sigaction, 65L, NULL, NULL, 8L), EINVAL);
	ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16L), EINVAL);
	ERR(syscall(SYS_rt_sigaction, SIGUSR1, 8L, NULL, 8L), EFAULT);
	ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8L, 8L), EFAULT);
	OK(syscall(SYS_rt_sigaction, SIGKILL, NULL, &(char[32]){ 0 }, 8L));
	ERR(syscall(SYS_rt_sigprocmask, 7L, &set, NULL, 8L), EINVAL);
	ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4L), EINVAL);
	ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8L, NULL, 8L), EFAULT);
	OK(syscall(SYS_rt_sigprocmask, 7L, NULL, &now, 8L));
	// SIGKILL and SIGSTOP cannot be blocked; asking is no error.
	memset(&set, 0xff, sizeof set);
	OK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8L));
	memset(&now, 0, sizeof now);
	OK(syscall(SYS_rt_sigprocmask, 0L, NULL, &now, 8L));
	EQ(sigismember(&now, SIGKILL), 0);
	EQ(sigismember(&now, SIGSTOP), 0);
	EQ(sigismember(&now, SIGTERM), 1);
	ERR(syscall(SYS_tgkill, getpid(), getpid(), 65), EINVAL);
	ERR(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	ERR(syscall(SYS_tgkill, getpid(), 999999999, SIGUSR1), ESRCH);
	ERR(syscall(SYS_tgkill, getppid(), getpid(), SIGUSR1), ESRCH);
	ERR(syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
}

TEST(who_sent_it)
{
	act_informed(SIGUSR1, 0);
	OK(kill(getpid(), SIGUSR1));
	EQ(info.si_signo, SIGUSR1);
	EQ(info.si_code, SI_USER);
	EQ(info.si_pid, getpid());
	EQ(info.si_uid, getuid());
	OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	EQ(info.si_code, SI_TKILL);
	EQ(info.si_pid, getpid());
	OK(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 4711 }));
	EQ(info.si_code, SI_QUEUE);
	EQ(info.si_value.sival_int, 4711);
	pid_t parent = getpid(), child = SPAWN(OK(setuid(77)); ERR(kill(parent, SIGUSR1), EPERM));
	EXITED(tap_wait(child), 0);
	sigset_t set = set_of(SIGUSR1, 0), old;
	sigprocmask(SIG_BLOCK, &set, &old);
	child = SPAWN(OK(kill(parent, SIGUSR1)));
	EXITED(tap_wait(child), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	EQ(info.si_pid, child);
	siginfo_t forged = { .si_code = SI_USER };
	ERR(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged), EPERM);
	ERR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8L), EFAULT);
	act_informed(SIGALRM, 0);
	OK(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 5000 }, NULL));
	while (info.si_signo != SIGALRM)
		tap_pause(1);
	EQ(info.si_signo, SIGALRM);
	EQ(info.si_code, SI_KERNEL);
}

TEST(child_signal_tells)
{
	int status;
	sigset_t set = set_of(SIGCHLD, 0);
	siginfo_t got;
	act_informed(SIGCHLD, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t child = SPAWN(_exit(21));
	EQ(sigwaitinfo(&set, &got), SIGCHLD);
	EQ(got.si_code, CLD_EXITED);
	EQ(got.si_pid, child);
	EQ(got.si_status, 21);
	tap_wait(child);
	child = SPAWN(raise(SIGSTOP); raise(SIGTERM));
	EQ(sigwaitinfo(&set, &got), SIGCHLD);
	EQ(got.si_code, CLD_STOPPED);
	EQ(got.si_status, SIGSTOP);
	EQ(waitpid(child, &status, WUNTRACED), child);
	OK(kill(child, SIGKILL));
	do
		EQ(sigwaitinfo(&set, &got), SIGCHLD);
	while (got.si_code == CLD_CONTINUED);
	EQ(got.si_code, CLD_KILLED);
	EQ(got.si_status, SIGKILL);
	tap_wait(child);
	// SA_NOCLDSTOP: nothing is said of stops.
	act_informed(SIGCHLD, SA_NOCLDSTOP);
	child = SPAWN(raise(SIGSTOP); _exit(0));
	EQ(waitpid(child, &status, WUNTRACED), child);
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 20000000 }), EAGAIN);
	OK(kill(child, SIGCONT));
	EXITED(tap_wait(child), 0);
}

// The last moments of a process that nobody waits for may outlast its parent's wait.
static void gone(pid_t pid)
{
	for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++)
		tap_pause(1);
	ERR(kill(pid, 0), ESRCH);
}

TEST(children_nobody_waits_for)
{
	act(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
	pid_t child = SPAWN(_exit(0));
	ERR(waitpid(child, NULL, 0), ECHILD);
	gone(child);
	act(SIGCHLD, SIG_IGN, 0);
	child = SPAWN(_exit(0));
	ERR(waitpid(-1, NULL, 0), ECHILD);
	gone(child);
}

TEST(suspend_until_signal)
{
	sigset_t set = set_of(SIGUSR1, 0), none, now;
	sigemptyset(&none);
	act(SIGUSR1, handler, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	ERR(sigsuspend(&none), EINTR);
	EQ(count, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EQ(sigismember(&now, SIGUSR1), 1);
	pid_t parent = getpid();
	pid_t child = SPAWN(tap_await_state(parent, 'S'); kill(parent, SIGUSR1));
	ERR(sigsuspend(&none), EINTR);
	EQ(count, 2);
	tap_wait(child);
	ERR(syscall(SYS_rt_sigsuspend, 8L, 8L), EFAULT);
	ERR(syscall(SYS_rt_sigsuspend, &none, 4L), EINVAL);
}

TEST(wait_for_a_signal)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	siginfo_t got;
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	raise(SIGUSR1);
	// The lowest comes first.
	EQ(sigtimedwait(&set, &got, &(struct timespec){ 0, 0 }), SIGUSR1);
	EQ(got.si_signo, SIGUSR1);
	EQ(sigtimedwait(&set, NULL, &(struct timespec){ 0, 0 }), SIGUSR2);
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 0 }), EAGAIN);
	long long start = tap_now();
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 30000000 }), EAGAIN);
	CHECK(tap_now() - start >= 30000000);
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 1000000000 }), EINVAL);
	ERR(sigtimedwait(&set, &got, &(struct timespec){ -1, 0 }), EINVAL);
	ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4L), EINVAL);
	ERR(syscall(SYS_rt_sigtimedwait, 8L, NULL, NULL, 8L), EFAULT);
	act(SIGHUP, handler, 0);
	pid_t parent = getpid(), child = SPAWN(tap_await_state(parent, 'S'); kill(parent, SIGHUP));
	ERR(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8L), EINTR);
	EQ(last, SIGHUP);
	tap_wait(child);
}

static int queued(void)
{
	char line[128];
	int number = -1;
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		if (sscanf(line, "SigQ: %d/", &number) == 1)
			break;
	if (status)
		fclose(status);
	return number;
}

// Each standard signal waits once, with what the first sender said, however many wait.
TEST(standard_signals_keep_what_they_carry)
{
	static const int signals[] = { SIGUSR1, SIGHUP, SIGTERM, SIGUSR2, SIGPIPE };
	sigset_t set;
	siginfo_t got;
	sigemptyset(&set);
	OK(setuid(4242));
	for (int i = 0; i < 5; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int round = 0; round < 3; round++) {
		EQ(queued(), 0);
		for (int i = 0; i < 5; i++) {
			OK(sigqueue(getpid(), signals[i], (union sigval){ .sival_int = 100 * round + i }));
			OK(sigqueue(getpid(), signals[i], (union sigval){ .sival_int = 999 }));
		}
		// The thread's own queue beside the process's.
		OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
		OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2));
		EQ(queued(), 7);
		for (int i = 0; i < 2; i++) {
			// Not by the library, which may call SI_TKILL SI_USER.
			EQ(syscall(SYS_rt_sigtimedwait, &set, &got, NULL, 8L), i ? SIGUSR2 : SIGUSR1);
			EQ(got.si_code, SI_TKILL);
			EQ(got.si_pid, getpid());
		}
		for (int i = 0; i < 5; i++) {
			sigset_t one = set_of(signals[i], 0);
			EQ(sigwaitinfo(&one, &got), signals[i]);
			EQ(got.si_code, SI_QUEUE);
			EQ(got.si_value.sival_int, 100 * round + i);
		}
	}
	EQ(queued(), 0);
	// Ignoring it takes a signal back, and its count.
	OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	OK(kill(getpid(), SIGUSR2));
	EQ(queued(), 2);
	act(SIGUSR1, SIG_IGN, 0);
	act(SIGUSR2, SIG_IGN, 0);
	EQ(queued(), 0);
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 0 }), EAGAIN);
}

TEST(real_time_signals_queue)
{
	sigset_t set = set_of(SIGRTMIN + 1, SIGRTMIN);
	siginfo_t got;
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
		OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i }));
	OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 100 }));
	EQ(sigwaitinfo(&set, &got), SIGRTMIN);
	EQ(got.si_value.sival_int, 100);
	for (int i = 0; i < 5; i++) {
		EQ(sigwaitinfo(&set, &got), SIGRTMIN + 1);
		EQ(got.si_value.sival_int, i);
	}
	ERR(sigtimedwait(&set, &got, &(struct timespec){ 0, 0 }), EAGAIN);
}

static sigjmp_buf jump;
static void leap(int sig) { siglongjmp(jump, sig); }

TEST(jump_out_of_a_handler)
{
	act(SIGUSR1, leap, 0);
	for (volatile int i = 0; i < 50; i++) {
		if (sigsetjmp(jump, 1) == 0)
			raise(SIGUSR1);
		else
			count++;
	}
	EQ(count, 50);
}

TEST(stop_and_continue_cancel_each_other)
{
	sigset_t set = set_of(SIGCONT, SIGTSTP), pending;
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTSTP);
	sigpending(&pending);
	EQ(sigismember(&pending, SIGTSTP), 1);
	raise(SIGCONT);
	sigpending(&pending);
	EQ(sigismember(&pending, SIGTSTP), 0);
	raise(SIGTSTP);
	sigpending(&pending);
	EQ(sigismember(&pending, SIGTSTP), 1);
}

TEST(kill_everybody_one_may)
{
	int ready[2];
	char c;
	OK(pipe(ready));
	pid_t first = SPAWN(OK(setuid(54321)); if (write(ready[1], "x", 1) < 0) _exit(1); pause());
	EQ(read(ready[0], &c, 1), 1);
	pid_t second = SPAWN(OK(setuid(54321)); OK(kill(-1, SIGTERM)); _exit(11));
	EXITED(tap_wait(second), 11);
	KILLED(tap_wait(first), SIGTERM);
}
