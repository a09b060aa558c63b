// The battery clock, /dev/rtc0: its time, its alarm, its periodic and update interrupts (rtc(4)).
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>

// linux/rtc.h, which musl does not have.
#define RTC_AIE_ON 0x7001
#define RTC_AIE_OFF 0x7002
#define RTC_UIE_ON 0x7003
#define RTC_UIE_OFF 0x7004
#define RTC_PIE_ON 0x7005
#define RTC_PIE_OFF 0x7006
#define RTC_ALM_SET 0x40247007
#define RTC_ALM_READ 0x80247008
#define RTC_RD_TIME 0x80247009
#define RTC_SET_TIME 0x4024700a
#define RTC_IRQP_READ 0x8008700b
#define RTC_IRQP_SET 0x4008700c
#define RTC_EPOCH_READ 0x8008700d
#define RTC_WKALM_SET 0x4028700f
#define RTC_WKALM_RD 0x80287010
struct rtc_time { int sec, min, hour, mday, mon, year, wday, yday, isdst; };
struct rtc_wkalrm { unsigned char enabled, pending; struct rtc_time time; };
enum { UPDATE = 0x10, ALARM = 0x20, PERIODIC = 0x40, IRQ = 0x80 };

static int rtc;

static void need_clock(void)
{
	rtc = open("/dev/rtc0", O_RDONLY);
	if (rtc < 0 && errno == ENOENT)
		tap_skip_reason = "no clock";
	else
		CHECK(rtc >= 0);
}
#define NEED_CLOCK() do { need_clock(); if (rtc < 0) return; } while (0)

static time_t seconds(const struct rtc_time *t)
{
	struct tm tm = { .tm_sec = t->sec, .tm_min = t->min, .tm_hour = t->hour, .tm_mday = t->mday, .tm_mon = t->mon, .tm_year = t->year };
	return timegm(&tm);
}

static time_t now(void)
{
	struct rtc_time t;
	OK(ioctl(rtc, RTC_RD_TIME, &t));
	return seconds(&t);
}

static void set(time_t when)
{
	struct tm tm;
	gmtime_r(&when, &tm);
	struct rtc_time t = { tm.tm_sec, tm.tm_min, tm.tm_hour, tm.tm_mday, tm.tm_mon, tm.tm_year, 0, 0, 0 };
	OK(ioctl(rtc, RTC_SET_TIME, &t));
}

// Interrupts of line 8 that nobody claimed. An emulator interrupts once more when a period ends before the last one has
// been served, although the clock has only one flag.
static unsigned long unclaimed(void)
{
	static char text[256];
	unsigned long count = 0;
	if (tap_read("/proc/irq/8/spurious", text, sizeof text) > 0)
		sscanf(strstr(text, "unhandled"), "unhandled %lu", &count);
	return count;
}

// Interrupts of line 8 so far that the clock had raised.
static unsigned long interrupts(void)
{
	static char text[8192];
	unsigned long sum = 0;
	if (tap_read("/proc/interrupts", text, sizeof text) < 0)
		return 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strstr(line, "rtc0"))
			continue;
		char *p = strchr(line, ':') + 1, *end;
		for (;;) {
			unsigned long n = strtoul(p, &end, 10);
			if (end == p || (*end != ' ' && *end != 0))
				break;
			sum += n;
			p = end;
		}
	}
	return sum - unclaimed();
}

TEST(time_is_the_system_clocks)
{
	NEED_CLOCK();
	struct rtc_time t;
	OK(ioctl(rtc, RTC_RD_TIME, &t));
	CHECK(labs(seconds(&t) - time(NULL)) <= 2);
	struct tm tm;
	time_t s = seconds(&t);
	gmtime_r(&s, &tm);
	EQ(t.wday, tm.tm_wday);
	EQ(t.yday, tm.tm_yday);
	char text[32], date[32];
	CHECK(tap_read("/sys/class/rtc/rtc0/since_epoch", text, sizeof text) > 0);
	CHECK(labs(atol(text) - time(NULL)) <= 2);
	CHECK(tap_read("/sys/class/rtc/rtc0/date", date, sizeof date) > 0);
	EQ(strlen(date), 11);
	unsigned long epoch = 0;
	OK(ioctl(rtc, RTC_EPOCH_READ, &epoch));
	EQ(epoch, 1900);
}

TEST(only_one_has_it)
{
	NEED_CLOCK();
	ERR(open("/dev/rtc0", O_RDONLY), EBUSY);
	close(rtc);
	rtc = OK(open("/dev/rtc0", O_RDONLY));
	ERR(lseek(rtc, 0, SEEK_SET), ESPIPE);
	ERR(ioctl(rtc, 0x70ff, 0), ENOTTY);
	ERR(ioctl(rtc, RTC_RD_TIME, 8), EFAULT);
}

TEST(setting)
{
	NEED_CLOCK();
	if (!tap_expendable())
		SKIP("sets the clock");
	time_t was = now(), before = time(NULL);
	// The ends of a year, a century, a leap day; and a year beyond 2038.
	static const time_t times[] = { 946684799, 951782399, 1709164799, 4102444799, 4107542399 };
	for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
		set(times[i]);
		time_t shown = now();
		CHECK(shown >= times[i] && shown <= times[i] + 2);
	}
	// Over the end of the second.
	set(946684799);
	tap_pause(2200);
	CHECK(now() >= 946684800);
	set(was + (time(NULL) - before));
	struct rtc_time bad = { 0, 0, 24, 1, 0, 100, 0, 0, 0 };
	ERR(ioctl(rtc, RTC_SET_TIME, &bad), EINVAL);
	bad = (struct rtc_time){ 0, 0, 0, 30, 1, 100, 0, 0, 0 };
	ERR(ioctl(rtc, RTC_SET_TIME, &bad), EINVAL);
	bad = (struct rtc_time){ -1, 1 << 30, 0, 1, 1, 1 << 30, 0, 0, 0 };
	ERR(ioctl(rtc, RTC_SET_TIME, &bad), EINVAL);
	bad = (struct rtc_time){ 0, 0, 0, 1, 0, 100, 0, 0, 0 };
	EXITED(CHILD(OK(setuid(1000)); ERR(ioctl(rtc, RTC_SET_TIME, &bad), EACCES)), 0);
}

TEST(reads_never_tear)
{
	NEED_CLOCK();
	// Three seconds of reading as fast as it goes: the time never goes back, and never jumps.
	time_t last = now();
	long long end = tap_now() + 3000000000LL;
	int count = 0;
	while (tap_now() < end) {
		time_t t = now();
		CHECK(t >= last && t <= last + 2);
		last = t;
		count++;
	}
	CHECK(count > 100);
}

TEST(update_interrupts)
{
	NEED_CLOCK();
	OK(ioctl(rtc, RTC_UIE_ON, 0));
	long long start = tap_now();
	for (int i = 0; i < 3; i++) {
		unsigned long data = 0;
		EQ(read(rtc, &data, sizeof data), sizeof data);
		EQ(data & 0xff, IRQ | UPDATE);
		CHECK(data >> 8 >= 1);
	}
	CHECK(tap_now() - start > 1900000000LL);
	OK(ioctl(rtc, RTC_UIE_OFF, 0));
	OK(fcntl(rtc, F_SETFL, O_NONBLOCK));
	char bytes[8];
	if (read(rtc, bytes, 8) < 0)
		EQ(errno, EAGAIN);
	tap_pause(1100);
	ERR(read(rtc, bytes, 8), EAGAIN);
	ERR(read(rtc, bytes, 3), EINVAL);
}

TEST(periodic_interrupts_are_counted_once_each)
{
	static const int rates[] = { 2, 64, 1024, 8192 };
	NEED_CLOCK();
	for (int i = 0; i < 4; i++) {
		unsigned long rate = 0, total = 0, data;
		OK(ioctl(rtc, RTC_IRQP_SET, (unsigned long)rates[i]));
		OK(ioctl(rtc, RTC_IRQP_READ, &rate));
		EQ(rate, rates[i]);
		unsigned long before = interrupts();
		long long start = tap_now();
		OK(ioctl(rtc, RTC_PIE_ON, 0));
		while (tap_now() - start < 1500000000LL) {
			EQ(read(rtc, &data, sizeof data), sizeof data);
			EQ(data & 0xff, IRQ | PERIODIC);
			total += data >> 8;
		}
		OK(ioctl(rtc, RTC_PIE_OFF, 0));
		OK(fcntl(rtc, F_SETFL, O_NONBLOCK));
		if (read(rtc, &data, sizeof data) > 0)
			total += data >> 8;
		OK(fcntl(rtc, F_SETFL, 0));
		EQ(total, interrupts() - before);
		// An emulator may leave periods out, but makes none up.
		long long elapsed = tap_now() - start;
		CHECK(total <= elapsed * rates[i] / 1000000000 + 2);
		CHECK(total >= 1);
	}
	ERR(ioctl(rtc, RTC_IRQP_SET, 1UL), EINVAL);
	ERR(ioctl(rtc, RTC_IRQP_SET, 100UL), EINVAL);
	ERR(ioctl(rtc, RTC_IRQP_SET, 16384UL), EINVAL);
	ERR(ioctl(rtc, RTC_IRQP_SET, ~0UL), EINVAL);
	EXITED(CHILD(OK(setuid(1000)); OK(ioctl(rtc, RTC_IRQP_SET, 64UL)); ERR(ioctl(rtc, RTC_IRQP_SET, 128UL), EACCES)), 0);
}

TEST(closing_ends_what_repeats)
{
	NEED_CLOCK();
	OK(ioctl(rtc, RTC_IRQP_SET, 64UL));
	OK(ioctl(rtc, RTC_PIE_ON, 0));
	close(rtc);
	unsigned long before = interrupts();
	tap_pause(200);
	EQ(interrupts(), before);
	rtc = OK(open("/dev/rtc0", O_RDONLY | O_NONBLOCK));
	char bytes[8];
	ERR(read(rtc, bytes, 8), EAGAIN);
}

TEST(alarms)
{
	NEED_CLOCK();
	struct rtc_wkalrm alarm = { .enabled = 1 };
	struct rtc_time t;
	OK(ioctl(rtc, RTC_RD_TIME, &t));
	time_t due = seconds(&t) + 2;
	struct tm tm;
	gmtime_r(&due, &tm);
	alarm.time = (struct rtc_time){ tm.tm_sec, tm.tm_min, tm.tm_hour, tm.tm_mday, tm.tm_mon, tm.tm_year, 0, 0, 0 };
	OK(ioctl(rtc, RTC_WKALM_SET, &alarm));
	struct rtc_wkalrm read_back;
	OK(ioctl(rtc, RTC_WKALM_RD, &read_back));
	EQ(read_back.enabled, 1);
	EQ(seconds(&read_back.time), due);
	struct pollfd fd = { .fd = rtc, .events = POLLIN };
	EQ(poll(&fd, 1, 0), 0);
	EQ(poll(&fd, 1, 10000), 1);
	unsigned data = 0;
	EQ(read(rtc, &data, 4), 4);
	EQ(data, 1 << 8 | IRQ | ALARM);
	CHECK(now() >= due && now() <= due + 2);
	// It came once and is off.
	OK(ioctl(rtc, RTC_WKALM_RD, &read_back));
	EQ(read_back.enabled, 0);
	// The old way: a time of day, then on.
	OK(ioctl(rtc, RTC_RD_TIME, &t));
	due = seconds(&t) + 2;
	gmtime_r(&due, &tm);
	t = (struct rtc_time){ .sec = tm.tm_sec, .min = tm.tm_min, .hour = tm.tm_hour };
	OK(ioctl(rtc, RTC_ALM_SET, &t));
	EQ(poll(&fd, 1, 100), 0);
	OK(ioctl(rtc, RTC_AIE_ON, 0));
	EQ(poll(&fd, 1, 10000), 1);
	EQ(read(rtc, &data, 4), 4);
	EQ(data & 0xff, IRQ | ALARM);
	// Too far away for a clock that knows times of day alone.
	alarm.time.year += 1;
	ERR(ioctl(rtc, RTC_WKALM_SET, &alarm), EINVAL);
	alarm.time.mon = 12;
	ERR(ioctl(rtc, RTC_WKALM_SET, &alarm), EINVAL);
}

TEST(a_signal_ends_the_wait)
{
	NEED_CLOCK();
	struct sigaction action = { .sa_handler = tap_expired };
	char bytes[8];
	tap_running = 0;
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	ERR(read(rtc, bytes, 8), EINTR);
}
