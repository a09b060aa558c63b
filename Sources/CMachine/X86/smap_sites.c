// The places that open and close access to user memory are built as NOPs, since STAC and CLAC are
// invalid opcodes where the processor has no SMAP. See assembly.h.
#include "CMachine.h"

struct smap_site { int32_t offset; uint32_t last_byte; };
extern struct smap_site smap_sites_start[], smap_sites_end[];

#define CR0_WRITE_PROTECT (1ull << 16)

void machine_enable_smap_sites(void)
{
    uint64_t flags = machine_read_flags();
    machine_cli();
    uint64_t cr0 = machine_read_cr0();
    machine_write_cr0(cr0 & ~CR0_WRITE_PROTECT);
    for (struct smap_site *site = smap_sites_start; site < smap_sites_end; site++) {
        volatile uint8_t *code = (volatile uint8_t *)&site->offset + site->offset;
        code[0] = 0x0f;
        code[1] = 0x01;
        code[2] = (uint8_t)site->last_byte;
    }
    machine_write_cr0(cr0);
    if (flags & (1 << 9)) machine_sti();
}
