// Stands in for the memory room: delete this file when KernelHeap and the mem* functions land.
#include <stddef.h>
#include <stdint.h>
static char pool[1<<20]; static size_t used;
int posix_memalign(void **p, size_t a, size_t n) { used = (used + a - 1) & ~(a - 1); *p = pool + used; used += n; return 0; }
void free(void *p) { (void)p; }
void *memset(void *d, int c, size_t n) { __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory"); return d; }
void *memcpy(void *d, const void *s, size_t n) { void *r = d; __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) :: "memory"); return r; }
void *memmove(void *d, const void *s, size_t n) { char *a = d; const char *b = s; if (a < b) while (n--) *a++ = *b++; else while (n--) a[n] = b[n]; return d; }
