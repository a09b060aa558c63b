// What /proc and /sys tell, in the words in which Linux tells it.
#include "tap.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/utsname.h>

static char text[1 << 16];

static bool load(const char *path)
{
	return tap_read(path, text, sizeof text) > 0;
}

// The number behind a word at the beginning of a line of `text`, -1 when it is not there.
static long long field(const char *name)
{
	for (char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			return atoll(line + strlen(name) + strspn(line + strlen(name), ": \t"));
	return -1;
}

static int occurrences(const char *word)
{
	int n = 0;
	for (char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static int processors(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof set, &set);
	return CPU_COUNT(&set);
}

TEST(version)
{
	struct utsname u;
	NEED(load("/proc/version"));
	OK(uname(&u));
	CHECK(strncmp(text, "Linux version ", 14) == 0);
	CHECK(strncmp(text + 14, u.release, strlen(u.release)) == 0);
	CHECK(text[strlen(text) - 1] == '\n');
	NEED(load("/proc/sys/kernel/osrelease"));
	text[strlen(text) - 1] = 0;
	STREQ(text, u.release);
	NEED(load("/proc/sys/kernel/pid_max"));
	CHECK(atoi(text) > getpid());
}

TEST(cpuinfo)
{
	NEED(load("/proc/cpuinfo"));
	EQ(occurrences("processor\t: "), processors());
	EQ(occurrences("model name\t: "), processors());
	EQ(occurrences("\nflags\t\t: "), processors());
	CHECK(strstr(text, " fpu ") && strstr(text, " sse2 ") && strstr(text, "lm "));
	CHECK(strstr(text, "vendor_id\t: "));
	CHECK(strstr(text, "cpu MHz\t\t: "));
}

TEST(meminfo)
{
	NEED(load("/proc/meminfo"));
	long long total = field("MemTotal"), idle = field("MemFree"), available = field("MemAvailable");
	CHECK(total > 16384 && idle > 0 && idle < total);
	CHECK(available > 0 && available <= total);
	CHECK(field("Buffers") >= 0 && field("Cached") >= 0 && field("SwapTotal") >= 0);
	CHECK(strstr(text, "MemTotal:  ") && strstr(text, " kB\n"));
	// Memory in use is not free.
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 16 << 20);
	NEED(load("/proc/meminfo"));
	CHECK(field("MemFree") < idle - 4096);
}

TEST(stat_of_the_machine)
{
	NEED(load("/proc/stat"));
	char name[16];
	for (int i = 0; i < processors(); i++) {
		snprintf(name, sizeof name, "cpu%d ", i);
		CHECK(strstr(text, name) != NULL);
	}
	CHECK(strncmp(text, "cpu  ", 5) == 0);
	long long boot = field("btime"), forks = field("processes"), switches = field("ctxt"), interrupts = field("intr");
	CHECK(boot > 1700000000 && boot <= time(NULL) + 1);
	CHECK(field("procs_running") >= 1);
	CHECK(switches > 0 && interrupts > 0);
	for (int i = 0; i < 5; i++)
		EXITED(CHILD(tap_pause(1)), 0);
	NEED(load("/proc/stat"));
	CHECK(field("processes") >= forks + 5);
	CHECK(field("ctxt") > switches);
	EQ(field("btime"), boot);
}

TEST(uptime_and_load)
{
	double up, idle, one, five, fifteen;
	int running, all, last;
	NEED(load("/proc/uptime"));
	EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
	CHECK(up > 0 && idle >= 0 && idle <= up * processors() + 10);
	NEED(load("/proc/loadavg"));
	EQ(sscanf(text, "%lf %lf %lf %d/%d %d", &one, &five, &fifteen, &running, &all, &last), 6);
	CHECK(one >= 0 && running >= 1 && all >= running && last >= getpid());
}

// The numbers at the beginning of a line, added up.
static long long sum(const char *p)
{
	long long total = 0;
	for (p += strspn(p, " "); *p >= '0' && *p <= '9'; p += strspn(p, " "))
		total += strtoll(p, (char **)&p, 10);
	return total;
}

TEST(load_follows_what_runs)
{
	double before = 0, now = 0;
	pid_t child[2];
	NEED(load("/proc/loadavg"));
	EQ(sscanf(text, "%lf", &before), 1);
	for (int i = 0; i < 2; i++)
		child[i] = SPAWN(for (;;) {});
	// A sample is taken every five seconds; two that run add 0.16.
	long long end = tap_now() + 15000000000LL;
	do {
		tap_pause(200);
		NEED(load("/proc/loadavg"));
		EQ(sscanf(text, "%lf", &now), 1);
	} while (now < 0.12 && tap_now() < end);
	CHECK(now >= 0.12 || before >= 2);
	for (int i = 0; i < 2; i++) {
		OK(kill(child[i], SIGKILL));
		KILLED(tap_wait(child[i]), SIGKILL);
	}
}

TEST(schedule_statistics)
{
	long long before = 0, after = 0;
	for (int round = 0; round < 2; round++) {
		NEED(load("/proc/schedstat"));
		NEED(strncmp(text, "version 15\ntimestamp ", 21) == 0);
		long long yields, unused, choices, idled, wakes, local, runtime, delay, turns;
		int lines = 0;
		for (char *p = strstr(text, "\ncpu"); p; p = strstr(p + 1, "\ncpu")) {
			int cpu;
			EQ(sscanf(p, " cpu%d %lld %lld %lld %lld %lld %lld %lld %lld %lld", &cpu, &yields, &unused, &choices, &idled,
				  &wakes, &local, &runtime, &delay, &turns), 10);
			CHECK(local <= wakes && runtime > 0 && delay >= 0 && turns > 0);
			*(round ? &after : &before) += yields;
			lines++;
		}
		EQ(lines, processors());
		for (int i = 0; i < 100; i++)
			syscall(SYS_sched_yield);
	}
	CHECK(after - before >= 100);
	// Nanoseconds run, nanoseconds waited, turns.
	EXITED(CHILD(
		long long ran, waited, turns;
		tap_pause(5);
		NEED(load("/proc/self/schedstat"));
		EQ(sscanf(text, "%lld %lld %lld", &ran, &waited, &turns), 3);
		CHECK(ran > 0 && waited >= 0 && turns >= 2)), 0);
}

TEST(interrupts)
{
	NEED(load("/proc/interrupts"));
	char *line = text;
	int columns = 0;
	for (char *p = text; p && p < strchr(text, '\n'); p = strstr(p + 1, "CPU"))
		columns += strncmp(p, "CPU", 3) == 0;
	EQ(columns, processors());
	CHECK(strncmp(text + strspn(text, " "), "CPU0 ", 5) == 0);
	line = strstr(text, "LOC:");
	NEED(line);
	long long before = 0, after = 0;
	before = sum(line + 4);
	CHECK(strstr(line, "Local timer interrupts") != NULL);
	long long end = tap_now() + 50000000;
	while (tap_now() < end) {}
	tap_pause(20);
	NEED(load("/proc/interrupts"));
	line = strstr(text, "LOC:");
	NEED(line);
	after = sum(line + 4);
	CHECK(after > before);
	CHECK(before > 0);
}

TEST(own_stat)
{
	char name[64], state;
	int pid, parent, group, session, tty, foreground, fields = 2;
	NEED(load("/proc/self/stat"));
	EQ(sscanf(text, "%d (%63[^)]) %c %d %d %d %d %d", &pid, name, &state, &parent, &group, &session, &tty, &foreground), 8);
	EQ(pid, getpid());
	CHECK(strncmp(name, "proc-files", 10) == 0);
	EQ(state, 'R');
	EQ(parent, getppid());
	EQ(group, getpgrp());
	EQ(session, getsid(0));
	for (char *p = strrchr(text, ')') + 1; *p; p++)
		fields += *p == ' ';
	EQ(fields, 52);
}

TEST(own_status)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR2, SIG_IGN);
	NEED(load("/proc/self/status"));
	CHECK(strncmp(text, "Name:\tproc-files\n", 17) == 0);
	CHECK(strstr(text, "State:\tR (running)\n"));
	EQ(field("Pid"), getpid());
	EQ(field("Tgid"), getpid());
	EQ(field("PPid"), getppid());
	EQ(field("Threads"), 1);
	CHECK(strstr(text, "Uid:\t0\t0\t0\t0\n") && strstr(text, "Gid:\t0\t0\t0\t0\n"));
	CHECK(field("VmSize") > 0 && field("VmRSS") > 0);
	CHECK(strstr(text, "SigBlk:\t0000000000000200\n"));
	CHECK(strstr(text, "SigIgn:\t0000000000000800\n"));
}

HELPER(show)
{
	char line[256];
	long n = tap_read("/proc/self/cmdline", line, sizeof line);
	if (write(1, line, n) < 0)
		return 1;
	n = tap_read("/proc/self/environ", line, sizeof line);
	return write(1, line, n) < 0;
}

TEST(command_line_and_environment)
{
	int p[2];
	char got[256];
	OK(pipe(p));
	EXITED(CHILD(
		char *argv[] = { "name", "--show", "two words", "", NULL };
		char *envp[] = { "A=b", "C=", NULL };
		dup2(p[1], 1);
		execve("/proc/self/exe", argv, envp)), 0);
	EQ(read(p[0], got, sizeof got), 30);
	EQ(memcmp(got, "name\0--show\0two words\0\0A=b\0C=\0", 30), 0);
}

TEST(own_descriptors)
{
	char path[64], target[256] = "";
	int fd = OK(open("/dev/null", O_RDWR)), p[2];
	OK(pipe(p));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	EQ(readlink(path, target, sizeof target), 9);
	STREQ(target, "/dev/null");
	DIR *d = opendir("/proc/self/fd");
	NEED(d);
	bool found = false;
	for (struct dirent *e; (e = readdir(d));)
		found |= e->d_name[0] != '.' && atoi(e->d_name) == fd;
	CHECK(found);
	closedir(d);
	close(fd);
	ERR(readlink(path, target, sizeof target), ENOENT);
	snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), p[0]);
	memset(target, 0, sizeof target);
	CHECK(readlink(path, target, sizeof target) > 6);
	CHECK(strncmp(target, "pipe:[", 6) == 0);
}

TEST(processes_are_listed)
{
	char number[16], path[64];
	bool self = false, init = false, child = false;
	int hold[2];
	OK(pipe(hold));
	pid_t pid = SPAWN(char c; close(hold[1]); if (read(hold[0], &c, 1) < 0) _exit(1));
	EQ(readlink("/proc/self", number, sizeof number), snprintf(path, sizeof path, "%d", getpid()));
	DIR *d = opendir("/proc");
	for (struct dirent *e; (e = readdir(d));) {
		self |= atoi(e->d_name) == getpid();
		init |= atoi(e->d_name) == 1;
		child |= atoi(e->d_name) == pid;
	}
	closedir(d);
	CHECK(self && init && child);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = OK(open(path, O_RDONLY));
	close(hold[1]);
	EXITED(tap_wait(pid), 0);
	ERR(read(fd, number, 1), ESRCH);
	ERR(open(path, O_RDONLY), ENOENT);
	ERR(open("/proc/nonsense", O_RDONLY), ENOENT);
	ERR(open("/proc/999999999/stat", O_RDONLY), ENOENT);
	ERR(open("/proc/new", O_RDWR | O_CREAT, 0600), ENOENT);
	ERR(mkdir("/proc/new", 0700), ENOENT);
	ERR(unlink("/proc/version"), EPERM);
}

TEST(threads_are_listed)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", getpid(), getpid());
	NEED(load(path));
	EQ(atoi(text), getpid());
	NEED(load("/proc/thread-self/stat"));
	EQ(atoi(text), getpid());
}

TEST(mounts_and_file_systems)
{
	NEED(load("/proc/mounts"));
	CHECK(strstr(text, " / ") != NULL);
	CHECK(strstr(text, " /proc proc ") != NULL);
	NEED(load("/proc/filesystems"));
	CHECK(strstr(text, "nodev\tproc\n") != NULL);
	CHECK(strstr(text, "nodev\ttmpfs\n") != NULL);
}

TEST(pieces_make_the_whole)
{
	static char whole[1 << 16], pieces[1 << 16];
	static const char *const files[] = { "/proc/self/maps", "/proc/version", "/proc/filesystems" };
	for (int i = 0; i < 3; i++) {
		long n = tap_read(files[i], whole, sizeof whole), at = 0;
		int fd = OK(open(files[i], O_RDONLY));
		for (ssize_t got; (got = read(fd, pieces + at, 7)) > 0;)
			at += got;
		EQ(at, n);
		CHECK(memcmp(whole, pieces, n) == 0);
		EQ(lseek(fd, 3, SEEK_SET), 3);
		EQ(read(fd, pieces, 4), 4);
		CHECK(memcmp(whole + 3, pieces, 4) == 0);
		ERR(read(fd, (void *)tap_hide(8), 1), EFAULT);
		close(fd);
	}
}

TEST(sys_tree)
{
	int first = -1, last = 0;
	NEED(load("/sys/devices/system/cpu/online"));
	if (sscanf(text, "%d-%d", &first, &last) == 1)
		last = first;
	EQ(first, 0);
	EQ(last, processors() - 1);
	NEED(load("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
	char *current = strtok(strdup(text), "\n");
	NEED(load("/sys/devices/system/clocksource/clocksource0/available_clocksource"));
	CHECK(current && strstr(text, current) != NULL);
	ERR(open("/sys/nonsense", O_RDONLY), ENOENT);
}
