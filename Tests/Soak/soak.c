// The guest's half of `./apus soak`: keyboard, mouse, serial line, disk, battery clock and timers at once, each checked
// against what the host sends or what the device must give, and counted. Ends when the console says `end`.
//
//     soak SECONDS
//
// Lines that begin with "soak: " are the results; "k8" and "m1" tell the host what has arrived.
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RTC_PIE_ON 0x7005
#define RTC_PIE_OFF 0x7006
#define RTC_IRQP_SET 0x4008700c

struct event { long seconds, microseconds; unsigned short type, code; int value; };

enum { CPUS = 4, RATE = 8192, DISK = 64 << 20, PIECE = 65536 };
static volatile bool over;
static unsigned long keys, key_errors, moves, move_errors, bytes, disk_bytes, disk_errors, rtc_count, rtc_reads;
static unsigned long sleeps[CPUS], early[CPUS];
static double longest[CPUS];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	dprintf(1, "soak: failed: %s (errno %d)\n", what, errno);
	exit(1);
}

static void say(char letter, unsigned long count)
{
	char text[32];
	int length = sprintf(text, "%c%lu\n", letter, count);
	if (write(1, text, length) != length)
		exit(2);
}

// Keys a to h, each pressed and released, over and over; see SoakSenders.swift.
static void *keyboard(void *argument)
{
	static const int codes[] = { 30, 48, 46, 32, 18, 33, 34, 35 };
	int fd = *(int *)argument;
	struct event events[64];
	for (;;) {
		ssize_t n = read(fd, events, sizeof events);
		must(n > 0, "read of the keyboard");
		for (int i = 0; i < n / (int)sizeof *events; i++) {
			if (events[i].type == 0 && events[i].code == 3)
				key_errors++;
			if (events[i].type != 1)
				continue;
			key_errors += events[i].code != codes[keys / 2 % 8] || events[i].value != (keys % 2 == 0);
			if (++keys % 8 == 0)
				say('k', keys);
		}
	}
	return NULL;
}

// Movement n is 1 + n % 100 to the right.
static void *mouse(void *argument)
{
	int fd = *(int *)argument;
	struct event events[64];
	for (;;) {
		ssize_t n = read(fd, events, sizeof events);
		must(n > 0, "read of the mouse");
		for (int i = 0; i < n / (int)sizeof *events; i++) {
			if (events[i].type == 0 && events[i].code == 3)
				move_errors++;
			if (events[i].type != 2)
				continue;
			move_errors += events[i].code != 0 || events[i].value != (int)(1 + moves % 100);
			say('m', ++moves);
		}
	}
	return NULL;
}

// What comes goes back; the host compares.
static void *serial(void *argument)
{
	int fd = *(int *)argument;
	char piece[4096];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		must(n > 0, "read of the serial line");
		bytes += n;
		for (ssize_t done = 0; done < n;) {
			ssize_t m = write(fd, piece + done, n - done);
			must(m > 0, "write to the serial line");
			done += m;
		}
	}
	return NULL;
}

// The words of the disk are those of xorshift64; see DeviceStage.swift.
static void *disk(void *argument)
{
	int fd = *(int *)argument;
	static uint64_t piece[PIECE / 8];
	uint64_t state = 0;
	for (long place = 0; !over; place = (place + PIECE) % DISK) {
		if (place == 0)
			state = 0x9e3779b97f4a7c15;
		must(pread(fd, piece, PIECE, place) == PIECE, "read of the disk");
		disk_bytes += PIECE;
		for (int i = 0; i < PIECE / 8; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			disk_errors += piece[i] != state;
		}
		usleep(2000);
	}
	return NULL;
}

static void *battery_clock(void *argument)
{
	int fd = *(int *)argument;
	unsigned long data;
	must(ioctl(fd, RTC_IRQP_SET, (unsigned long)RATE) == 0, "the clock's rate");
	must(ioctl(fd, RTC_PIE_ON, 0) == 0, "the clock's interrupt");
	while (!over) {
		must(read(fd, &data, sizeof data) == sizeof data, "read of the clock");
		rtc_count += data >> 8;
		rtc_reads++;
	}
	// Switched off just before the end of a period it would take back what it has raised: from two a second on
	// there is time.
	must(ioctl(fd, RTC_IRQP_SET, 2UL) == 0, "the clock's lowest rate");
	must(read(fd, &data, sizeof data) == sizeof data, "read of the clock");
	rtc_count += data >> 8;
	if (data >> 8 > 1) {
		must(read(fd, &data, sizeof data) == sizeof data, "read of the clock");
		rtc_count += data >> 8;
	}
	must(ioctl(fd, RTC_PIE_OFF, 0) == 0, "the clock's interrupt off");
	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "the clock without waiting");
	if (read(fd, &data, sizeof data) > 0)
		rtc_count += data >> 8;
	return NULL;
}

static void *timer(void *argument)
{
	long cpu = (long)argument;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof set, &set) == 0, "the affinity of a timer");
	while (!over) {
		struct timespec time = { 0, 1000000 };
		double start = now();
		must(nanosleep(&time, NULL) == 0, "a sleep");
		double took = now() - start;
		sleeps[cpu]++;
		early[cpu] += took < 0.001;
		if (took > longest[cpu])
			longest[cpu] = took;
	}
	return NULL;
}

static int input(const char *wanted)
{
	for (int i = 0; i < 8; i++) {
		char path[32], name[64] = "";
		sprintf(path, "/dev/input/event%d", i);
		int fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		// EVIOCGNAME
		ioctl(fd, 0x80004506 | sizeof name << 16, name);
		if (strstr(name, wanted))
			return fd;
		close(fd);
	}
	must(false, wanted);
	return -1;
}

// Each line of /proc/interrupts that has a number, with its sum over the CPUs and how many nobody claimed.
static void count_lines(const char *when)
{
	char line[1024];
	FILE *file = fopen("/proc/interrupts", "r");
	must(file != NULL, "/proc/interrupts");
	while (fgets(line, sizeof line, file)) {
		char *end, *p = strchr(line, ':');
		long number = strtol(line, &end, 10);
		bool local = strncmp(line, "LOC:", 4) == 0;
		if (!p || (end != p && !local))
			continue;
		unsigned long sum = 0, unclaimed = 0, n;
		for (p++; n = strtoul(p, &end, 10), end != p && (*end == ' ' || *end == '\n'); p = end)
			sum += n;
		char path[64];
		sprintf(path, "/proc/irq/%ld/spurious", number);
		FILE *spurious = local ? NULL : fopen(path, "r");
		if (spurious) {
			if (fscanf(spurious, "count %*u unhandled %lu", &unclaimed) != 1)
				unclaimed = 0;
			fclose(spurious);
		}
		const char *name = strrchr(line, ' ');
		if (local)
			printf("soak: %s line LOC %lu 0 timers\n", when, sum);
		else
			printf("soak: %s line %ld %lu %lu%s", when, number, sum, unclaimed, name ? name : "\n");
	}
	fclose(file);
	fflush(stdout);
}

// What the clock's driver found in register C.
static void count_clock(const char *when)
{
	char line[128];
	unsigned long n;
	FILE *file = fopen("/proc/driver/rtc", "r");
	must(file != NULL, "/proc/driver/rtc");
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "interrupts : %lu", &n) == 1)
			printf("soak: %s-clock %lu\n", when, n);
	fclose(file);
}

static void start(void *(*body)(void *), void *argument, pthread_t *thread)
{
	must(pthread_create(thread, NULL, body, argument) == 0, "a thread");
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10;
	static int fds[5];
	pthread_t endless, threads[2 + CPUS];
	struct termios raw;
	fds[0] = input("keyboard");
	fds[1] = input("Mouse");
	must((fds[2] = open("/dev/ttyS1", O_RDWR | O_NOCTTY)) >= 0, "/dev/ttyS1");
	must(tcgetattr(fds[2], &raw) == 0, "the serial line's settings");
	cfmakeraw(&raw);
	must(tcsetattr(fds[2], TCSANOW, &raw) == 0, "the serial line raw");
	must((fds[3] = open("/dev/vda", O_RDONLY)) >= 0, "/dev/vda");
	must((fds[4] = open("/dev/rtc0", O_RDONLY)) >= 0, "/dev/rtc0");
	// The console's own echo would mix with the counts.
	if (tcgetattr(0, &raw) == 0) {
		raw.c_lflag &= ~ECHO;
		tcsetattr(0, TCSANOW, &raw);
	}
	count_lines("first");
	count_clock("first");
	printf("soak: ready\n");
	fflush(stdout);
	char line[64];
	must(fgets(line, sizeof line, stdin) != NULL, "the word to begin");
	double begin = now();
	start(keyboard, &fds[0], &endless);
	start(mouse, &fds[1], &endless);
	start(serial, &fds[2], &endless);
	start(disk, &fds[3], &threads[0]);
	start(battery_clock, &fds[4], &threads[1]);
	for (long i = 0; i < CPUS; i++)
		start(timer, (void *)i, &threads[2 + i]);
	while (now() - begin < seconds)
		usleep(10000);
	double rtc_seconds = now() - begin;
	over = true;
	for (int i = 0; i < 2 + CPUS; i++)
		pthread_join(threads[i], NULL);
	printf("soak: time\n");
	fflush(stdout);
	must(fgets(line, sizeof line, stdin) != NULL, "the word to end");
	count_lines("last");
	count_clock("last");
	printf("soak: seconds %.3f\n", rtc_seconds);
	printf("soak: keys %lu %lu\nsoak: moves %lu %lu\nsoak: serial %lu 0\n", keys, key_errors, moves, move_errors, bytes);
	printf("soak: disk %lu %lu\nsoak: clock %lu %lu\n", disk_bytes, disk_errors, rtc_count, rtc_reads);
	for (int i = 0; i < CPUS; i++)
		printf("soak: timer%d %lu %lu longest %.3f\n", i, sleeps[i], early[i], longest[i]);
	printf("soak: done\n");
	fflush(stdout);
	return 0;
}
