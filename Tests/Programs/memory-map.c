// Mappings: anonymous and of files, private and shared, fixed and hinted, holes, protections, moving.
#include "tap.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

static char *map(size_t length, int protection, int flags)
{
	return mmap(NULL, length, protection, flags, -1, 0);
}

static bool mapped(const void *p)
{
	return msync((void *)((uintptr_t)p & -(uintptr_t)PAGE), PAGE, MS_ASYNC) == 0;
}

static bool all(const char *p, size_t length, int value)
{
	for (size_t i = 0; i < length; i++)
		if (p[i] != (char)value)
			return false;
	return true;
}

TEST(anonymous_is_zero)
{
	char *p = map(64 * PAGE, RW, ANON);
	NEED(p != MAP_FAILED);
	EQ((uintptr_t)p % PAGE, 0);
	CHECK(all(p, 64 * PAGE, 0));
	memset(p, 0x5a, 64 * PAGE);
	OK(munmap(p, 64 * PAGE));
	char *q = map(64 * PAGE, RW, ANON);
	CHECK(all(q, 64 * PAGE, 0));
	// A length that is no multiple of the page is rounded up.
	char *r = map(5000, RW, ANON);
	r[8191] = 1;
	OK(munmap(r, 5000));
	CHECK(!mapped(r + PAGE));
}

TEST(refusals)
{
	int fd = OK(open("/dev/null", O_RDONLY)), self = OK(open("/proc/self/exe", O_RDONLY));
	ERR(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	ERR(mmap(NULL, PAGE, PROT_READ, 0, self, 0), EINVAL);
	ERR(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	ERR(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	ERR(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0), ENODEV);
	ERR(syscall(SYS_mmap, NULL, PAGE, RW, ANON, -1, 100), EINVAL);
	ERR(mmap((void *)0x1001, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	ERR(syscall(SYS_mmap, 0x7ffffffff000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	ERR(syscall(SYS_mmap, 0xffff800000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	ERR(syscall(SYS_mmap, NULL, 0x7fffffffffff0000, RW, ANON, -1, 0), ENOMEM);
	ERR(syscall(SYS_mmap, NULL, -1L, RW, ANON, -1, 0), ENOMEM);
	ERR(munmap((void *)1, PAGE), EINVAL);
	ERR(munmap((void *)PAGE, 0), EINVAL);
	ERR(syscall(SYS_munmap, 0xffff800000000000, PAGE), EINVAL);
	ERR(syscall(SYS_munmap, 0x10000, -1L), EINVAL);
	ERR(syscall(SYS_mprotect, 1L, PAGE, RW), EINVAL);
	OK(mprotect((void *)PAGE, 0, RW));
	char *p = map(3 * PAGE, RW, ANON);
	ERR(mprotect(p, PAGE, 0x100), EINVAL);
	OK(munmap(p + PAGE, PAGE));
	ERR(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	OK(munmap(p, 3 * PAGE));
	OK(munmap(p, 3 * PAGE));
}

TEST(file_modes)
{
	NEED(tap_enter());
	int w = OK(open("file", O_WRONLY | O_CREAT, 0600)), r = OK(open("file", O_RDONLY));
	OK(ftruncate(w, PAGE));
	ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
	ERR(mmap(NULL, PAGE, RW, MAP_SHARED, r, 0), EACCES);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0);
	CHECK(p != MAP_FAILED);
	ERR(mprotect(p, PAGE, RW), EACCES);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, r, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 1;
	int d = OK(open(".", O_RDONLY | O_DIRECTORY));
	ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, d, 0), ENODEV);
}

TEST(hint_and_fixed)
{
	char *p = map(8 * PAGE, RW, ANON);
	memset(p, 1, 8 * PAGE);
	OK(munmap(p + 2 * PAGE, PAGE));
	// A free hint is taken, a taken one is not, MAP_FIXED replaces, MAP_FIXED_NOREPLACE does not.
	EQ((uintptr_t)mmap(p + 2 * PAGE, PAGE, RW, ANON, -1, 0), (uintptr_t)p + 2 * PAGE);
	CHECK(mmap(p + PAGE, PAGE, RW, ANON, -1, 0) != p + PAGE);
	EQ(p[PAGE], 1);
	EQ((uintptr_t)mmap(p + PAGE, 3 * PAGE, RW, ANON | MAP_FIXED, -1, 0), (uintptr_t)p + PAGE);
	CHECK(all(p + PAGE, 3 * PAGE, 0));
	EQ(p[PAGE - 1], 1);
	EQ(p[4 * PAGE], 1);
	ERR(mmap(p, PAGE, RW, ANON | 0x100000, -1, 0), EEXIST);
	EQ(p[0], 1);
}

TEST(holes)
{
	char *p = map(16 * PAGE, RW, ANON);
	for (int i = 0; i < 16; i++)
		p[i * PAGE] = i;
	for (int i = 1; i < 16; i += 2)
		OK(munmap(p + i * PAGE, PAGE));
	for (int i = 0; i < 16; i++)
		if (i % 2 == 0)
			EQ(p[i * PAGE], i);
		else
			KILLED(CHILD(BYTE(p + i * PAGE)), SIGSEGV);
	EXITED(CHILD(for (int i = 0; i < 16; i += 2) EQ(p[i * PAGE], i)), 0);
	// One munmap over holes and mappings.
	OK(munmap(p + PAGE, 14 * PAGE));
	EQ(p[0], 0);
	CHECK(!mapped(p + 2 * PAGE) && !mapped(p + 14 * PAGE));
}

TEST(protection)
{
	char *p = map(4 * PAGE, RW, ANON);
	memset(p, 3, 4 * PAGE);
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	p[0] = p[3 * PAGE] = 4;
	EQ(p[PAGE], 3);
	KILLED(CHILD(BYTE(p + PAGE) = 1), SIGSEGV);
	KILLED(CHILD((void)BYTE(p + 2 * PAGE)), SIGSEGV);
	OK(mprotect(p, 4 * PAGE, RW));
	p[PAGE] = p[2 * PAGE] = 5;
	EQ(p[2 * PAGE + 1], 3);
	// A page first touched while it may only be read is still private and zero.
	char *q = map(2 * PAGE, PROT_READ, ANON);
	EQ(q[0], 0);
	OK(mprotect(q, PAGE, RW));
	q[0] = 9;
	EQ(q[PAGE], 0);
	char *other = map(PAGE, PROT_READ, ANON);
	EQ(other[0], 0);
}

TEST(remap_grows_in_place_or_moves)
{
	char *p = map(4 * PAGE, RW, ANON);
	memset(p, 7, 4 * PAGE);
	OK(munmap(p + 2 * PAGE, 2 * PAGE));
	EQ((uintptr_t)mremap(p, 2 * PAGE, 3 * PAGE, 0), (uintptr_t)p);
	EQ(p[2 * PAGE - 1], 7);
	EQ(p[2 * PAGE], 0);
	char *barrier = mmap(p + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(barrier == p + 3 * PAGE);
	ERR(mremap(p, 3 * PAGE, 4 * PAGE, 0), ENOMEM);
	char *q = mremap(p, 3 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED && q != p);
	CHECK(all(q, 2 * PAGE, 7) && all(q + 2 * PAGE, 38 * PAGE, 0));
	CHECK(!mapped(p));
	EQ((uintptr_t)mremap(q, 40 * PAGE, PAGE, 0), (uintptr_t)q);
	CHECK(mapped(q) && !mapped(q + PAGE));
	EQ(q[0], 7);
}

TEST(remap_to_a_place)
{
	char *p = map(2 * PAGE, RW, ANON), *q = map(4 * PAGE, RW, ANON);
	memset(p, 1, 2 * PAGE);
	memset(q, 2, 4 * PAGE);
	EQ((uintptr_t)mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), (uintptr_t)q + PAGE);
	CHECK(all(q, PAGE, 2) && all(q + PAGE, 2 * PAGE, 1) && all(q + 3 * PAGE, PAGE, 2));
	CHECK(!mapped(p));
	ERR(mremap(q, PAGE, PAGE, MREMAP_FIXED, q + PAGE), EINVAL);
	ERR(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE), EINVAL);
	ERR(mremap(q + 1, PAGE, PAGE, 0), EINVAL);
	ERR(mremap(q, PAGE, 0, 0), EINVAL);
	ERR(mremap(q, PAGE, PAGE, 0x80), EINVAL);
	ERR(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

TEST(advice)
{
	char *p = map(8 * PAGE, RW, ANON);
	memset(p, 6, 8 * PAGE);
	OK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	EQ(p[0], 6);
	CHECK(all(p + PAGE, 2 * PAGE, 0));
	EQ(p[3 * PAGE], 6);
	OK(madvise(p, 8 * PAGE, MADV_NORMAL));
	OK(madvise(p, 8 * PAGE, MADV_RANDOM));
	OK(madvise(p, 8 * PAGE, MADV_SEQUENTIAL));
	OK(madvise(p, 8 * PAGE, MADV_WILLNEED));
	ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	ERR(madvise(p, PAGE, 9999), EINVAL);
	OK(munmap(p + 4 * PAGE, PAGE));
	ERR(madvise(p, 8 * PAGE, MADV_DONTNEED), ENOMEM);
	EQ(p[5 * PAGE], 0);
}

TEST(huge_and_sparse)
{
	// 1 GiB of which a few pages are touched.
	size_t size = 1UL << 30;
	char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	NEED(p != MAP_FAILED);
	for (size_t at = 0; at < size; at += size / 16)
		p[at] = at / (size / 16) + 1;
	for (size_t at = 0; at < size; at += size / 16)
		EQ(p[at], at / (size / 16) + 1);
	EQ(p[size - 1], 0);
	OK(munmap(p, size));
	CHECK(!mapped(p));
}

TEST(many_mappings)
{
	enum { N = 400 };
	char *p = map(N * PAGE, RW, ANON);
	memset(p, 8, N * PAGE);
	for (int i = 0; i < N; i += 2)
		OK(mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (int i = 1; i < N; i += 2)
		p[i * PAGE] = 9;
	for (int i = 0; i < N; i++)
		EQ(p[i * PAGE], i % 2 ? 9 : 8);
	OK(mprotect(p, N * PAGE, RW));
	memset(p, 1, N * PAGE);
	OK(munmap(p, N * PAGE));
}

TEST(resident_pages)
{
	unsigned char vector[4] = { 9, 9, 9, 9 };
	char *p = map(4 * PAGE, RW, ANON);
	p[0] = p[2 * PAGE] = 1;
	if (mincore(p, 4 * PAGE, vector) < 0 && errno == ENOSYS)
		SKIP("mincore is not there");
	EQ(vector[0] & 1, 1);
	EQ(vector[1] & 1, 0);
	EQ(vector[2] & 1, 1);
	ERR(mincore(p + 1, PAGE, vector), EINVAL);
	ERR(syscall(SYS_mincore, p, PAGE, 8L), EFAULT);
	OK(munmap(p, PAGE));
	ERR(mincore(p, PAGE, vector), ENOMEM);
}

TEST(limit_of_address_space)
{
	EXITED(CHILD(
		struct rlimit limit = { 64 << 20, 64 << 20 };
		OK(setrlimit(RLIMIT_AS, &limit));
		ERR(mmap(NULL, 100 << 20, RW, ANON, -1, 0), ENOMEM);
		CHECK(mmap(NULL, 1 << 20, RW, ANON, -1, 0) != MAP_FAILED)), 0);
	EXITED(CHILD(
		uintptr_t start = syscall(SYS_brk, 0);
		struct rlimit limit = { 1 << 20, 1 << 20 };
		OK(setrlimit(RLIMIT_DATA, &limit));
		EQ(syscall(SYS_brk, start + (16 << 20)), start)), 0);
}

TEST(maps_file_tells_them)
{
	static char text[65536];
	char *p = map(3 * PAGE, RW, ANON);
	OK(mprotect(p + PAGE, PAGE, PROT_READ | PROT_EXEC));
	CHECK(tap_read("/proc/self/maps", text, sizeof text) > 0);
	unsigned long last = 0, start, end;
	bool found = false, stack = false, self = false;
	char permissions[8], name[256];
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		name[0] = 0;
		CHECK(sscanf(line, "%lx-%lx %7s %*x %*x:%*x %*d %255s", &start, &end, permissions, name) >= 3);
		if (strcmp(name, "[vsyscall]") == 0)
			continue;
		CHECK(start >= last && end > start && end <= 0x7ffffffff000);
		last = end;
		if (start == (uintptr_t)p + PAGE) {
			found = true;
			EQ(end, start + PAGE);
			STREQ(permissions, "r-xp");
		}
		stack |= strcmp(name, "[stack]") == 0 && start < (uintptr_t)permissions && (uintptr_t)permissions < end;
		self |= strstr(name, "memory-map") != NULL;
	}
	CHECK(found);
	CHECK(stack);
	CHECK(self);
}
