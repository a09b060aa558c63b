// Processes come and go: fork, vfork, clone, exit statuses, wait4 and waitid with their options, zombies,
// orphans and who adopts them.
#include "tap.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile int shared_by_vfork;

TEST(fork_copies)
{
	int local = 1, pipefd[2];
	pid_t parent = getpid();
	OK(pipe(pipefd));
	EXITED(CHILD(
		EQ(getppid(), parent);
		CHECK(getpid() != parent);
		EQ(getpid(), syscall(SYS_gettid));
		EQ(local, 1);
		local = 2;
		pid_t me = getpid();
		EQ(write(pipefd[1], &me, sizeof me), sizeof me)), 0);
	EQ(local, 1);
	pid_t child = 0;
	EQ(read(pipefd[0], &child, sizeof child), sizeof child);
	CHECK(child > 1 && child != parent);
}

TEST(exit_statuses)
{
	for (int code = 0; code < 256; code += 51)
		EXITED(CHILD(_exit(code)), code);
	EXITED(CHILD(_exit(256 + 7)), 7);
	EXITED(CHILD(_exit(-1)), 255);
	EXITED(CHILD(syscall(SYS_exit, 9)), 9);
	KILLED(CHILD(kill(getpid(), SIGKILL); pause()), SIGKILL);
	KILLED(CHILD(raise(SIGTERM)), SIGTERM);
	int status = CHILD(abort());
	KILLED(status, SIGABRT);
}

TEST(wait_for_each_of_many)
{
	pid_t child[20];
	unsigned seen = 0;
	for (int i = 0; i < 20; i++)
		child[i] = SPAWN(_exit(i));
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = OK(waitpid(-1, &status, 0));
		for (int j = 0; j < 20; j++)
			if (child[j] == pid) {
				EXITED(status, j);
				seen |= 1u << j;
			}
	}
	EQ(seen, (1u << 20) - 1);
	ERR(waitpid(-1, NULL, 0), ECHILD);
}

TEST(wait_errors)
{
	int status;
	ERR(waitpid(-1, &status, 0), ECHILD);
	ERR(waitpid(getpid(), &status, 0), ECHILD);
	ERR(waitpid(1, &status, 0), ECHILD);
	ERR(waitpid(999999999, &status, 0), ECHILD);
	ERR(syscall(SYS_wait4, -1, &status, 0x10, NULL), EINVAL);
	ERR(syscall(SYS_wait4, INT32_MIN, &status, 0, NULL), ESRCH);
	ERR(syscall(SYS_waitid, 99, 0, NULL, WEXITED, NULL), EINVAL);
	ERR(syscall(SYS_waitid, P_ALL, 0, NULL, 0, NULL), EINVAL);
	ERR(syscall(SYS_waitid, P_ALL, 0, NULL, WNOHANG, NULL), EINVAL);
	ERR(syscall(SYS_waitid, P_PID, 0, NULL, WEXITED, NULL), EINVAL);
	ERR(syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL), ECHILD);
}

TEST(wait_no_hang)
{
	int hold[2], status = -1;
	OK(pipe(hold));
	pid_t child = SPAWN(char c; close(hold[1]); if (read(hold[0], &c, 1) < 0) _exit(2); _exit(3));
	EQ(waitpid(child, &status, WNOHANG), 0);
	siginfo_t info = { .si_pid = 77 };
	OK(waitid(P_PID, child, &info, WEXITED | WNOHANG));
	EQ(info.si_pid, 0);
	EQ(info.si_signo, 0);
	close(hold[1]);
	EQ(waitpid(child, &status, 0), child);
	EXITED(status, 3);
	ERR(waitpid(child, &status, WNOHANG), ECHILD);
}

TEST(wait_any_in_group)
{
	int hold[2], status;
	OK(pipe(hold));
	pid_t other = SPAWN(char c; close(hold[1]); setpgid(0, 0); if (read(hold[0], &c, 1) < 0) _exit(1));
	setpgid(other, other);
	pid_t mine = SPAWN(_exit(4));
	EQ(waitpid(0, &status, 0), mine);
	EXITED(status, 4);
	ERR(waitpid(0, &status, 0), ECHILD);
	EQ(waitpid(-other, &status, WNOHANG), 0);
	close(hold[1]);
	EQ(waitpid(-other, &status, 0), other);
	EXITED(status, 0);
}

TEST(waitid_tells_who_and_how)
{
	siginfo_t info;
	pid_t child = SPAWN(_exit(42));
	memset(&info, 0, sizeof info);
	OK(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	EQ(info.si_signo, SIGCHLD);
	EQ(info.si_code, CLD_EXITED);
	EQ(info.si_pid, child);
	EQ(info.si_uid, getuid());
	EQ(info.si_status, 42);
	// WNOWAIT left it waitable.
	memset(&info, 0, sizeof info);
	OK(waitid(P_ALL, 0, &info, WEXITED));
	EQ(info.si_pid, child);
	ERR(waitid(P_PID, child, &info, WEXITED), ECHILD);
	child = SPAWN(raise(SIGKILL));
	OK(waitid(P_PGID, getpgrp(), &info, WEXITED));
	EQ(info.si_code, CLD_KILLED);
	EQ(info.si_status, SIGKILL);
	EQ(info.si_pid, child);
}

TEST(stopped_and_continued)
{
	int status, hold[2];
	siginfo_t info;
	OK(pipe(hold));
	pid_t child = SPAWN(char c; close(hold[1]); raise(SIGSTOP); _exit(read(hold[0], &c, 1) == 0 ? 5 : 1));
	EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK(WIFSTOPPED(status));
	EQ(WSTOPSIG(status), SIGSTOP);
	EQ(tap_state(child), 'T');
	EQ(waitpid(child, &status, WNOHANG | WUNTRACED), 0);
	OK(kill(child, SIGCONT));
	EQ(waitpid(child, &status, WCONTINUED), child);
	CHECK(WIFCONTINUED(status));
	EQ(waitpid(child, &status, WNOHANG | WCONTINUED), 0);
	close(hold[1]);
	EQ(waitpid(child, &status, 0), child);
	EXITED(status, 5);
	child = SPAWN(raise(SIGSTOP); raise(SIGTSTP); _exit(6));
	memset(&info, 0, sizeof info);
	OK(waitid(P_PID, child, &info, WSTOPPED));
	EQ(info.si_code, CLD_STOPPED);
	EQ(info.si_status, SIGSTOP);
	OK(kill(child, SIGCONT));
	do
		OK(waitid(P_PID, child, &info, WSTOPPED | WCONTINUED | WEXITED));
	while (info.si_code == CLD_CONTINUED);
	// The group may be orphaned (then SIGTSTP does not stop) or not.
	CHECK(info.si_code == CLD_STOPPED ? info.si_status == SIGTSTP : info.si_code == CLD_EXITED);
	if (info.si_code == CLD_STOPPED) {
		OK(kill(child, SIGKILL));
		KILLED(tap_wait(child), SIGKILL);
	}
}

TEST(kill_reaches_a_stopped_process)
{
	int status;
	pid_t child = SPAWN(raise(SIGSTOP); _exit(0));
	EQ(waitpid(child, &status, WUNTRACED), child);
	OK(kill(child, SIGTERM));
	tap_pause(20);
	EQ(tap_state(child), 'T');
	OK(kill(child, SIGKILL));
	EQ(waitpid(child, &status, 0), child);
	KILLED(status, SIGKILL);
}

TEST(zombie_until_waited_for)
{
	pid_t child = SPAWN(_exit(0));
	NEED(tap_await_state(child, 'Z'));
	OK(kill(child, 0));
	OK(kill(child, SIGKILL));
	EXITED(tap_wait(child), 0);
	ERR(kill(child, 0), ESRCH);
	EQ(tap_state(child), 0);
}

TEST(orphan_is_adopted)
{
	int back[2], hold[2];
	OK(pipe(back));
	OK(pipe(hold));
	// The nearest subreaper adopts, else process 1: here this process.
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t parent = getpid();
	pid_t middle = SPAWN(
		SPAWN(
			char c;
			close(hold[1]);
			EQ(read(hold[0], &c, 1), 0);
			pid_t now = getppid();
			if (write(back[1], &now, sizeof now) < 0) _exit(1);
			_exit(33));
		_exit(0));
	EXITED(tap_wait(middle), 0);
	close(hold[1]);
	pid_t now = 0;
	EQ(read(back[0], &now, sizeof now), sizeof now);
	EQ(now, parent);
	int status;
	OK(waitpid(-1, &status, 0));
	EXITED(status, 33);
}

TEST(orphan_goes_to_init_without_subreaper)
{
	int back[2];
	OK(pipe(back));
	OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
	pid_t middle = SPAWN(
		pid_t me = getpid();
		SPAWN(
			while (getppid() == me) tap_pause(2);
			pid_t now = getppid();
			if (write(back[1], &now, sizeof now) < 0) _exit(1);
			_exit(0));
		_exit(0));
	EXITED(tap_wait(middle), 0);
	pid_t now = 0;
	EQ(read(back[0], &now, sizeof now), sizeof now);
	EQ(now, 1);
	ERR(waitpid(-1, NULL, 0), ECHILD);
}

TEST(parent_death_signal)
{
	int back[2];
	OK(pipe(back));
	pid_t middle = SPAWN(
		int ready[2];
		OK(pipe(ready));
		SPAWN(
			sigset_t set;
			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			if (write(ready[1], "x", 1) < 0) _exit(1);
			int sig = sigwaitinfo(&set, NULL);
			if (write(back[1], &sig, sizeof sig) < 0) _exit(1));
		char c;
		EQ(read(ready[0], &c, 1), 1));
	EXITED(tap_wait(middle), 0);
	int sig = 0;
	EQ(read(back[0], &sig, sizeof sig), sizeof sig);
	EQ(sig, SIGUSR1);
}

TEST(vfork_shares_and_suspends)
{
	shared_by_vfork = 1;
	pid_t child = vfork();
	if (child == 0) {
		for (volatile int i = 0; i < 100000; i++) {}
		shared_by_vfork = 2;
		_exit(8);
	}
	EQ(shared_by_vfork, 2);
	EXITED(tap_wait(child), 8);
}

static int clone_body(void *argument)
{
	*(volatile int *)argument = 5;
	return 12;
}

static char clone_stack[65536] __attribute__((aligned(16)));

TEST(clone_shares_what_it_says)
{
	static volatile int cell;
	cell = 0;
	pid_t child = OK(clone(clone_body, clone_stack + sizeof clone_stack, CLONE_VM | SIGCHLD, (void *)&cell));
	EXITED(tap_wait(child), 12);
	EQ(cell, 5);
	cell = 0;
	child = OK(clone(clone_body, clone_stack + sizeof clone_stack, SIGCHLD, (void *)&cell));
	EXITED(tap_wait(child), 12);
	EQ(cell, 0);
	// Without an exit signal only __WALL or __WCLONE finds the child.
	child = OK(clone(clone_body, clone_stack + sizeof clone_stack, 0, (void *)&cell));
	ERR(waitpid(child, NULL, 0), ECHILD);
	int status;
	EQ(waitpid(child, &status, __WALL), child);
	EXITED(status, 12);
}

TEST(clone_shares_descriptors)
{
	int pipefd[2];
	OK(pipe(pipefd));
	pid_t child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0L);
	if (child == 0)
		syscall(SYS_exit_group, close(pipefd[0]));
	EXITED(tap_wait(child), 0);
	ERR(fcntl(pipefd[0], F_GETFD), EBADF);
	OK(fcntl(pipefd[1], F_GETFD));
	child = syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, 0L);
	if (child == 0)
		syscall(SYS_exit_group, chdir("/proc"));
	EXITED(tap_wait(child), 0);
	char where[64];
	STREQ(getcwd(where, sizeof where), "/proc");
}

TEST(clone_refuses)
{
	ERR(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0L, 0L, 0L, 0L), EINVAL);
	ERR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0L, 0L, 0L, 0L), EINVAL);
	ERR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0L, 0L, 0L, 0L), EINVAL);
	ERR(syscall(SYS_clone3, NULL, 0L), EINVAL);
}

TEST(clone_writes_thread_ids)
{
	int parent_tid = 0, child_tid = 0;
	pid_t child = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &parent_tid,
			      &child_tid, 0L);
	if (child == 0)
		syscall(SYS_exit_group, child_tid == syscall(SYS_gettid) ? 0 : 1);
	EXITED(tap_wait(child), 0);
	EQ(parent_tid, child);
	EQ(child_tid, 0);
}

TEST(usage_of_children_is_counted)
{
	struct rusage usage;
	int status;
	pid_t child = SPAWN(long long end = tap_now() + 60000000; while (tap_now() < end) {} _exit(0));
	EQ(wait4(child, &status, 0, &usage), child);
	long long spent = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
			  usage.ru_stime.tv_usec;
	CHECK(spent > 0 && spent < 30000000);
	OK(getrusage(RUSAGE_CHILDREN, &usage));
	CHECK((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
	      usage.ru_stime.tv_usec >= spent);
}
