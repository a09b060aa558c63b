#ifndef CMACHINE_H
#define CMACHINE_H
#include <stdint.h>
static inline __attribute__((always_inline)) void machine_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline __attribute__((always_inline)) void machine_halt(void) { __asm__ volatile("hlt" ::: "memory"); }
#endif
