// ELF files made by hand: right ones run, static and position-independent; those that lie about their
// segments, their interpreter or themselves give execve's error or end by a signal, and nothing else.
#include "tap.h"
#include <elf.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

extern char **environ;

enum { BASE = 0x10000000, CODE = 0x400 };

// A file under construction: header, a few program headers, code that exits with 42.
static struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[12];
	unsigned char rest[7000];
} file;
_Static_assert(offsetof(struct file, rest) < CODE, "the headers end before the code");

// mov $42, %edi; mov $231, %eax; syscall
static const unsigned char leave[] = { 0xbf, 42, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05 };

static void begin(int type)
{
	uintptr_t base = type == ET_DYN ? 0 : BASE;
	memset(&file, 0, sizeof file);
	file.header = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = type, .e_machine = EM_X86_64, .e_version = 1, .e_entry = base + CODE,
		.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
	};
	file.segment[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base, .p_paddr = base,
					.p_filesz = 0x1000, .p_memsz = 0x1000, .p_align = 0x1000 };
	memcpy((char *)&file + CODE, leave, sizeof leave);
}

static Elf64_Phdr *add(int type, int flags, uint64_t address, uint64_t offset, uint64_t in_file, uint64_t in_memory)
{
	Elf64_Phdr *p = &file.segment[file.header.e_phnum++];
	*p = (Elf64_Phdr){ .p_type = type, .p_flags = flags, .p_vaddr = address, .p_offset = offset, .p_filesz = in_file,
			   .p_memsz = in_memory, .p_align = 0x1000 };
	return p;
}

// Writes this much of the file and executes it: the wait status; 200 + errno as exit status when execve fails.
static int run_part(size_t length)
{
	int fd = open("program", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (fd < 0 || write(fd, &file, length) != (ssize_t)length)
		return -1;
	close(fd);
	pid_t child = fork();
	if (child == 0) {
		char *argv[] = { "program", NULL };
		struct rlimit limit = { 256 << 20, 256 << 20 };
		setrlimit(RLIMIT_AS, &limit);
		alarm(10);
		execve("./program", argv, environ);
		_exit(100 + errno);
	}
	return tap_wait(child);
}

#define RUNS() EXITED(run_part(sizeof file), 42)
#define REFUSED(error) EXITED(run_part(sizeof file), 100 + (error))
// Any refusal or any death; or, where a file is only odd, success.
#define DIES() tap_dies(run_part(sizeof file), false, __LINE__)
#define DIES_OR_RUNS() tap_dies(run_part(sizeof file), true, __LINE__)

static void tap_dies(int status, bool may_run, int line)
{
	bool good = (WIFEXITED(status) && WEXITSTATUS(status) > 100) || (may_run && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	if (WIFSIGNALED(status))
		good = WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGILL ||
		       WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTRAP;
	if (!good) {
		tap_note("elf-files.c:%d: %s", line, tap_describe(status));
		tap_fail();
	}
}

TEST(right_ones_run)
{
	NEED(tap_enter());
	begin(ET_EXEC);
	RUNS();
	begin(ET_DYN);
	RUNS();
	// Two segments, the second with memory behind its file part: code checks data and zeros.
	begin(ET_EXEC);
	add(PT_LOAD, PF_R | PF_W, BASE + 0x5010, 0x1010, 0x20, 0x3000);
	((unsigned char *)&file)[0x1010] = 9;
	// movzbl data, %edi; add bss, %edi; movb $1, bss; add bss, %edi; add $32, %edi; mov $231, %eax; syscall
	static const unsigned char code[] = {
		0x0f, 0xb6, 0x3c, 0x25, 0x10, 0x50, 0, 0x10, 0x03, 0x3c, 0x25, 0x00, 0x70, 0, 0x10,
		0xc6, 0x04, 0x25, 0x00, 0x70, 0, 0x10, 0x01, 0x03, 0x3c, 0x25, 0x00, 0x70, 0, 0x10,
		0x83, 0xc7, 0x20, 0xb8, 231, 0, 0, 0, 0x0f, 0x05 };
	memcpy((char *)&file + CODE, code, sizeof code);
	RUNS();
	// Segments that are no concern of the kernel's.
	begin(ET_EXEC);
	add(PT_NOTE, PF_R, BASE + 0x100, 0x100, 4, 4);
	add(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
	add(PT_NULL, 0, 0xffffffffffffffff, 0xffffffffffffffff, -1, -1);
	add(0x70001234, 7, 0, 0, -1, -1);
	RUNS();
	// Only memory, nothing of the file.
	begin(ET_EXEC);
	add(PT_LOAD, PF_R | PF_W, BASE + 0x10000, 0, 0, 0x10000);
	RUNS();
}

TEST(stack_flags)
{
	NEED(tap_enter());
	// Code on the stack: jmp there, where a copy of the exit lies. Allowed only when the file asks for it.
	static const unsigned char code[] = {
		0x48, 0x83, 0xec, 0x40, 0x48, 0x89, 0xe7, 0x48, 0xc7, 0xc6, 0x40, 0x04, 0, 0x10, 0xb9, 16, 0, 0, 0,
		0x48, 0x89, 0xe0, 0xf3, 0xa4, 0xff, 0xe0 };
	for (int executable = 0; executable < 2; executable++) {
		begin(ET_EXEC);
		memcpy((char *)&file + CODE, code, sizeof code);
		memcpy((char *)&file + CODE + 0x40, leave, sizeof leave);
		add(PT_GNU_STACK, PF_R | PF_W | (executable ? PF_X : 0), 0, 0, 0, 0);
		if (executable)
			DIES_OR_RUNS();
		else
			KILLED(run_part(sizeof file), SIGSEGV);
	}
}

TEST(no_elf_files)
{
	NEED(tap_enter());
	begin(ET_EXEC);
	file.header.e_ident[1] = 'e';
	REFUSED(ENOEXEC);
	static const int types[] = { ET_NONE, ET_REL, ET_CORE, 77, 0xffff }, machines[] = { EM_NONE, EM_ARM, EM_AARCH64, EM_RISCV, 0xffff };
	for (int i = 0; i < 5; i++) {
		begin(types[i]);
		REFUSED(ENOEXEC);
		begin(ET_EXEC);
		file.header.e_machine = machines[i];
		REFUSED(ENOEXEC);
	}
	begin(ET_EXEC);
	static const size_t lengths[] = { 1, 2, 3, 4, 5, 16, 40, 55 };
	for (int i = 0; i < 8; i++)
		EXITED(run_part(lengths[i]), 100 + ENOEXEC);
	tap_dies(run_part(63), false, __LINE__);
	tap_dies(run_part(64), false, __LINE__);
	tap_dies(run_part(100), false, __LINE__);
}

TEST(headers_that_lie)
{
	NEED(tap_enter());
	static const unsigned sizes[] = { 0, 1, 55, 57, 112, 0xffff };
	for (int i = 0; i < 6; i++) {
		begin(ET_EXEC);
		file.header.e_phentsize = sizes[i];
		REFUSED(ENOEXEC);
	}
	begin(ET_EXEC);
	file.header.e_phnum = 0;
	REFUSED(ENOEXEC);
	begin(ET_EXEC);
	file.header.e_phnum = 0xffff;
	REFUSED(ENOEXEC);
	begin(ET_EXEC);
	file.header.e_phnum = 1000;
	REFUSED(ENOEXEC);
	static const uint64_t offsets[] = { sizeof file, sizeof file - 10, 1 << 20, 1UL << 40, 0x7fffffffffffffff, 0x8000000000000000, -1UL };
	for (int i = 0; i < 7; i++) {
		begin(ET_EXEC);
		file.header.e_phoff = offsets[i];
		DIES();
	}
	// Misaligned headers are only odd.
	begin(ET_EXEC);
	memmove((char *)&file + 65, &file.segment, sizeof file.segment[0]);
	file.header.e_phoff = 65;
	DIES_OR_RUNS();
}

TEST(entry_points)
{
	NEED(tap_enter());
	static const uint64_t entries[] = { 0, 1, BASE - 1, BASE + 0x1000, 0x400000000000, 0x400000100000, 0x7ffffffff000, 0x800000000000,
		0x0100000000000000, 0xffff800000000000, 0xffffffff81000000, -1UL };
	for (unsigned i = 0; i < sizeof entries / sizeof *entries; i++) {
		begin(ET_EXEC);
		file.header.e_entry = entries[i];
		DIES();
		begin(ET_DYN);
		file.header.e_entry = entries[i];
		DIES();
	}
	// Code that may not be executed.
	begin(ET_EXEC);
	file.segment[0].p_flags = PF_R | PF_W;
	KILLED(run_part(sizeof file), SIGSEGV);
}

TEST(segments_that_lie)
{
	static const uint64_t odd[] = { 0x1001, 0x2000, 1 << 20, 1UL << 32, 1UL << 46, 1UL << 47, 1UL << 62, 0x7fffffffffffffff,
		0x8000000000000000, -4096UL, -1UL };
	static const int types[] = { ET_EXEC, ET_DYN };
	NEED(tap_enter());
	for (int t = 0; t < 2; t++)
		for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
			begin(types[t]);
			file.segment[0].p_memsz = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			file.segment[0].p_filesz = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			file.segment[0].p_filesz = file.segment[0].p_memsz = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			file.segment[0].p_offset = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			file.segment[0].p_vaddr = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			file.segment[0].p_align = odd[i];
			DIES_OR_RUNS();
			begin(types[t]);
			add(PT_LOAD, PF_R | PF_W, odd[i], 0, 0x1000, 0x1000);
			DIES_OR_RUNS();
			begin(types[t]);
			add(PT_LOAD, PF_R | PF_W, (types[t] == ET_EXEC ? BASE : 0) + 0x2000, odd[i], 0x800, 0x2000);
			DIES_OR_RUNS();
		}
	// None at all.
	begin(ET_EXEC);
	file.segment[0].p_type = PT_NOTE;
	DIES();
}

TEST(segments_that_overlap)
{
	NEED(tap_enter());
	// The later one covers the earlier: here with nothing executable.
	begin(ET_EXEC);
	add(PT_LOAD, PF_R | PF_W, BASE, 0, 0x1000, 0x1000);
	DIES();
	begin(ET_EXEC);
	for (int i = 0; i < 10; i++)
		add(PT_LOAD, PF_R | PF_X, BASE, 0, 0x1000, 0x1000 + i * 0x1000);
	DIES_OR_RUNS();
	// In descending order.
	begin(ET_EXEC);
	add(PT_LOAD, PF_R, BASE - 0x10000, 0, 0x1000, 0x1000);
	DIES_OR_RUNS();
	// Where the stack will be, or might.
	begin(ET_EXEC);
	add(PT_LOAD, PF_R | PF_W, 0x7ffffffde000, 0, 0x1000, 0x21000);
	DIES_OR_RUNS();
	begin(ET_EXEC);
	add(PT_LOAD, PF_R | PF_W, 0x3ffffffde000, 0, 0x1000, 0x21000);
	DIES_OR_RUNS();
}

static void interpreter(const void *name, size_t length)
{
	begin(ET_DYN);
	memcpy((char *)&file + 0x800, name, length);
	add(PT_INTERP, PF_R, 0x800, 0x800, length, length);
}

TEST(interpreters)
{
	NEED(tap_enter());
	interpreter("/no/such/interpreter", 21);
	REFUSED(ENOENT);
	interpreter("/proc", 6);
	REFUSED(EACCES);
	interpreter("/unterminated", 5);
	REFUSED(ENOEXEC);
	interpreter("", 1);
	REFUSED(ENOEXEC);
	interpreter("", 0);
	REFUSED(ENOEXEC);
	static const uint64_t lengths[] = { 4097, 1 << 20, 1UL << 32, 0x7fffffffffffffff, -1UL };
	for (int i = 0; i < 5; i++) {
		interpreter("/x", 3);
		file.segment[1].p_filesz = lengths[i];
		REFUSED(ENOEXEC);
		interpreter("/x", 3);
		file.segment[1].p_offset = lengths[i];
		DIES();
	}
	int fd = OK(open("text", O_WRONLY | O_CREAT, 0755));
	EQ(write(fd, "this is no interpreter, only a text of more than 64 bytes in all.\n", 66), 66);
	close(fd);
	interpreter("./text", 7);
	REFUSED(ELIBBAD);
	// A right one: itself position-independent, entered in the program's stead.
	begin(ET_DYN);
	fd = OK(open("loader", O_WRONLY | O_CREAT, 0755));
	EQ(write(fd, &file, sizeof file), sizeof file);
	close(fd);
	interpreter("./loader", 9);
	((unsigned char *)&file)[CODE + 1] = 77;
	RUNS();
	// It is the program itself.
	interpreter("./program", 10);
	DIES_OR_RUNS();
}

TEST(truncated_programs)
{
	static char block[8192];
	NEED(tap_enter());
	for (int i = 0; i < 12; i++) {
		int in = OK(open("/proc/self/exe", O_RDONLY)), out = OK(open("program", O_WRONLY | O_CREAT | O_TRUNC, 0755));
		long left = 100 + i * i * 500;
		for (ssize_t n; left > 0 && (n = read(in, block, left < 8192 ? left : 8192)) > 0; left -= n)
			EQ(write(out, block, n), n);
		close(in);
		close(out);
		pid_t child = fork();
		if (child == 0) {
			close(1);
			alarm(10);
			execl("./program", "program", "--nothing", NULL);
			_exit(100 + errno);
		}
		tap_dies(tap_wait(child), true, __LINE__);
	}
}

HELPER(nothing)
{
	return 42;
}

TEST(mutated_headers)
{
	NEED(tap_enter());
	uint32_t seed = 12345;
	for (int round = 0; round < 150; round++) {
		begin(round % 2 ? ET_DYN : ET_EXEC);
		add(PT_LOAD, PF_R | PF_W, (round % 2 ? 0 : BASE) + 0x2000, 0x1000, 0x800, 0x2000);
		for (int i = 0; i < 1 + round % 4; i++) {
			seed = seed * 1664525 + 1013904223;
			unsigned at = (seed >> 8) % (64 + 2 * 56);
			seed = seed * 1664525 + 1013904223;
			((unsigned char *)&file)[at] ^= 1 << (seed >> 20) % 8;
		}
		tap_dies(run_part(sizeof file), true, __LINE__);
	}
	begin(ET_EXEC);
	RUNS();
}
