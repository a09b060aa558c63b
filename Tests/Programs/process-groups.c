// Process groups and sessions, and what belongs to a process: names, limits, mask, usage, identity.
#include "tap.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>

TEST(new_group)
{
	pid_t old = getpgrp();
	int go[2];
	OK(pipe(go));
	pid_t child = SPAWN(
		char c;
		EQ(read(go[0], &c, 1), 1);
		EQ(getpgrp(), getpid());
		EQ(getpgid(0), getpid());
		pid_t grandchild = SPAWN(EQ(getpgrp(), getppid()));
		EXITED(tap_wait(grandchild), 0));
	OK(setpgid(child, child));
	EQ(getpgid(child), child);
	EQ(getpgid(0), old);
	EQ(write(go[1], "x", 1), 1);
	EXITED(tap_wait(child), 0);
}

TEST(group_refusals)
{
	ERR(setpgid(0, -1), EINVAL);
	ERR(setpgid(999999999, 0), ESRCH);
	ERR(setpgid(0, 999999999), EPERM);
	ERR(setpgid(getppid(), 0), ESRCH);
	ERR(getpgid(999999999), ESRCH);
	ERR(getpgid(-1), ESRCH);
	// A child that has executed a program is its own master.
	int ready[2];
	char c;
	OK(pipe2(ready, O_CLOEXEC));
	pid_t child = SPAWN(char *argv[] = { "busybox", "sleep", "100", NULL }; execv("/bin/busybox", argv); _exit(1));
	close(ready[1]);
	EQ(read(ready[0], &c, 1), 0);
	ERR(setpgid(child, child), EACCES);
	OK(kill(child, SIGKILL));
	KILLED(tap_wait(child), SIGKILL);
	// A session leader stays in its group.
	EXITED(CHILD(OK(setsid()); ERR(setpgid(0, getppid()), EPERM)), 0);
}

TEST(new_session)
{
	EXITED(CHILD(
		pid_t old = getsid(0);
		EQ(setsid(), getpid());
		EQ(getsid(0), getpid());
		EQ(getpgrp(), getpid());
		CHECK(old != getsid(0));
		// It has no terminal.
		ERR(open("/dev/tty", O_RDWR), ENXIO);
		// A group leader cannot begin another.
		ERR(setsid(), EPERM);
		EXITED(CHILD(EQ(getsid(0), getppid()); OK(setsid()); EQ(getsid(0), getpid())), 0);
		// A child of another session cannot be moved into this one's groups.
		int hold[2];
		int ready[2];
		char c;
		OK(pipe(hold));
		OK(pipe(ready));
		pid_t child = SPAWN(close(hold[1]); setsid(); EQ(write(ready[1], "x", 1), 1); EQ(read(hold[0], &c, 1), 0));
		EQ(read(ready[0], &c, 1), 1);
		ERR(setpgid(child, getpgrp()), EPERM);
		close(hold[1]);
		EXITED(tap_wait(child), 0)), 0);
	ERR(getsid(999999999), ESRCH);
}

TEST(signal_to_a_group)
{
	int status;
	pid_t first = SPAWN(pause());
	OK(setpgid(first, first));
	pid_t second = SPAWN(pause());
	OK(setpgid(second, first));
	pid_t other = SPAWN(pause());
	OK(kill(-first, SIGTERM));
	KILLED(tap_wait(first), SIGTERM);
	KILLED(tap_wait(second), SIGTERM);
	EQ(waitpid(other, &status, WNOHANG), 0);
	OK(kill(other, SIGKILL));
	KILLED(tap_wait(other), SIGKILL);
	ERR(kill(-first, SIGTERM), ESRCH);
	ERR(kill(-999999999, 0), ESRCH);
	ERR(kill(999999999, 0), ESRCH);
	ERR(kill(getpid(), 65), EINVAL);
	ERR(kill(getpid(), -1), EINVAL);
	// Process group 0 is one's own.
	EXITED(CHILD(
		setpgid(0, 0);
		pid_t mine = SPAWN(pause());
		signal(SIGUSR1, SIG_IGN);
		OK(kill(0, SIGUSR1));
		KILLED(tap_wait(mine), SIGUSR1)), 0);
}

TEST(orphaned_stopped_group_gets_hangup)
{
	int back[2];
	char sig = 0;
	OK(pipe(back));
	pid_t leader = SPAWN(
		// This process exits while its child, in another group of the session, is stopped.
		setsid();
		pid_t child = SPAWN(
			sigset_t set;
			setpgid(0, 0);
			sigemptyset(&set);
			sigaddset(&set, SIGHUP);
			sigprocmask(SIG_BLOCK, &set, NULL);
			raise(SIGSTOP);
			char got = sigwaitinfo(&set, NULL);
			if (write(back[1], &got, 1) < 0) _exit(1));
		int status;
		waitpid(child, &status, WUNTRACED));
	EXITED(tap_wait(leader), 0);
	EQ(read(back[0], &sig, 1), 1);
	EQ(sig, SIGHUP);
}

TEST(thread_name)
{
	char name[16] = "", path[64];
	OK(prctl(PR_SET_NAME, "a name longer than fits"));
	OK(prctl(PR_GET_NAME, name));
	STREQ(name, "a name longer t");
	char text[64] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", getpid());
	CHECK(tap_read(path, text, sizeof text) > 0);
	STREQ(text, "a name longer t\n");
	EXITED(CHILD(char mine[16]; OK(prctl(PR_GET_NAME, mine)); STREQ(mine, "a name longer t")), 0);
	ERR(prctl(PR_SET_NAME, 8L), EFAULT);
	ERR(prctl(PR_GET_NAME, 8L), EFAULT);
	ERR(prctl(0x7fff, 0, 0, 0, 0), EINVAL);
}

TEST(process_controls)
{
	int sig = -1;
	OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	OK(prctl(PR_GET_PDEATHSIG, &sig));
	EQ(sig, SIGUSR1);
	ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	EXITED(CHILD(int s = -1; OK(prctl(PR_GET_PDEATHSIG, &s)); EQ(s, 0)), 0);
	EQ(prctl(PR_GET_DUMPABLE), 1);
	OK(prctl(PR_SET_DUMPABLE, 0));
	EQ(prctl(PR_GET_DUMPABLE), 0);
	ERR(prctl(PR_SET_DUMPABLE, 9), EINVAL);
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	EQ(prctl(PR_GET_TIMERSLACK), 50000);
	OK(prctl(PR_SET_TIMERSLACK, 1234));
	EQ(prctl(PR_GET_TIMERSLACK), 1234);
}

TEST(limits)
{
	struct rlimit old, limit;
	OK(getrlimit(RLIMIT_STACK, &old));
	CHECK(old.rlim_cur >= 1 << 20);
	OK(getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(limit.rlim_cur >= 64 && limit.rlim_cur <= limit.rlim_max);
	for (int i = 0; i < 16; i++)
		OK(syscall(SYS_getrlimit, i, &limit));
	ERR(syscall(SYS_getrlimit, 16, &limit), EINVAL);
	ERR(syscall(SYS_prlimit64, 0, 99, NULL, &limit), EINVAL);
	ERR(syscall(SYS_prlimit64, 999999999, RLIMIT_CORE, NULL, &limit), ESRCH);
	ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8L, NULL), EFAULT);
	ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 8L), EFAULT);
	limit = (struct rlimit){ 5, 4 };
	ERR(setrlimit(RLIMIT_CORE, &limit), EINVAL);
	limit = (struct rlimit){ 3, 50 };
	OK(setrlimit(RLIMIT_CORE, &limit));
	EXITED(CHILD(
		struct rlimit got;
		OK(getrlimit(RLIMIT_CORE, &got));
		EQ(got.rlim_cur, 3);
		EQ(got.rlim_max, 50);
		OK(setuid(12345));
		got.rlim_max = 51;
		ERR(setrlimit(RLIMIT_CORE, &got), EPERM);
		got.rlim_max = 49;
		OK(setrlimit(RLIMIT_CORE, &got))), 0);
	OK(getrlimit(RLIMIT_CORE, &limit));
	EQ(limit.rlim_max, 50);
}

TEST(limit_of_file_size)
{
	NEED(tap_enter());
	EXITED(CHILD(
		struct rlimit limit = { 1000, 1000 };
		char buffer[600] = "";
		OK(setrlimit(RLIMIT_FSIZE, &limit));
		signal(SIGXFSZ, SIG_IGN);
		int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
		EQ(write(fd, buffer, 600), 600);
		EQ(write(fd, buffer, 600), 400);
		ERR(write(fd, buffer, 600), EFBIG);
		ERR(ftruncate(fd, 1001), EFBIG)), 0);
	KILLED(CHILD(
		struct rlimit limit = { 0, 0 };
		setrlimit(RLIMIT_FSIZE, &limit);
		int fd = open("other", O_RDWR | O_CREAT, 0600);
		if (write(fd, "x", 1) < 0) _exit(1)), SIGXFSZ);
}

TEST(limit_of_processor_time)
{
	KILLED(CHILD(
		struct rlimit limit = { 1, 2 };
		setrlimit(RLIMIT_CPU, &limit);
		for (;;) {}), SIGXCPU);
}

TEST(file_mode_mask)
{
	NEED(tap_enter());
	struct stat st;
	umask(0);
	EQ(umask(027), 0);
	EQ(umask(07777), 027);
	EQ(umask(027), 0777);
	close(OK(open("file", O_CREAT | O_WRONLY, 0666)));
	OK(stat("file", &st));
	EQ(st.st_mode, S_IFREG | 0640);
	OK(mkdir("directory", 0777));
	OK(stat("directory", &st));
	EQ(st.st_mode, S_IFDIR | 0750);
	EXITED(CHILD(EQ(umask(0), 027)), 0);
	EQ(umask(022), 027);
}

TEST(usage_and_times)
{
	struct rusage usage;
	struct tms tms;
	clock_t start = times(&tms);
	CHECK(start != -1);
	long long end = tap_now() + 50000000;
	while (tap_now() < end) {}
	OK(getrusage(RUSAGE_SELF, &usage));
	long long spent = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
			  usage.ru_stime.tv_usec;
	CHECK(spent > 0);
	CHECK(usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000);
	clock_t stop = times(&tms);
	CHECK(stop - start >= 2);
	CHECK(tms.tms_utime + tms.tms_stime <= stop - start + 1000);
	OK(getrusage(RUSAGE_THREAD, &usage));
	ERR(getrusage(99, &usage), EINVAL);
	ERR(syscall(SYS_getrusage, RUSAGE_SELF, 8L), EFAULT);
	ERR(syscall(SYS_times, 8L), EFAULT);
}

TEST(identities)
{
	uid_t r, e, s;
	EQ(getuid(), 0);
	EQ(getresuid(&r, &e, &s), 0);
	EXITED(CHILD(
		OK(setgid(2000));
		OK(setuid(1000));
		EQ(getuid(), 1000);
		EQ(geteuid(), 1000);
		EQ(getgid(), 2000);
		EQ(getegid(), 2000);
		ERR(setuid(0), EPERM);
		ERR(setgid(0), EPERM);
		ERR(kill(getppid(), 0), EPERM);
		EQ(getuid(), 1000)), 0);
	EXITED(CHILD(
		OK(setresuid(1000, 1001, 1002));
		OK(getresuid(&r, &e, &s));
		EQ(r, 1000);
		EQ(e, 1001);
		EQ(s, 1002);
		OK(setresuid(-1, 1002, -1));
		ERR(setresuid(5, -1, -1), EPERM)), 0);
	EXITED(CHILD(gid_t groups[3] = { 7, 8, 9 }; gid_t got[3];
		     OK(syscall(SYS_setgroups, 3L, groups)); EQ(syscall(SYS_getgroups, 0L, NULL), 3);
		     ERR(syscall(SYS_getgroups, 2L, got), EINVAL); EQ(syscall(SYS_getgroups, 3L, got), 3); EQ(got[2], 9)), 0);
}
