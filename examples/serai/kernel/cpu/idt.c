/* The interrupt descriptor table (SDM vol. 3, 6.10). Every vector has an interrupt gate, so handlers begin with interrupts off. */
#include "cpu/idt.h"
#include "cpu/segments.h"
#include "lib/types.h"

#define VECTORS 256
/* Each stub in entry.S is that long. */
#define STUB_BYTES 16
#define GATE_KERNEL 0x8e00u
#define GATE_USER 0xee00u /* INT n of ring 3 may use it */

extern char vector_stubs[];
void debug_entry(void);

static u64 idt[VECTORS];

static void set_gate(u32 vector, u32 handler, u32 access) {
  idt[vector] = (u64)((handler & 0xffff0000) | access) << 32 | SELECTOR_KERNEL_CODE << 16 | (handler & 0xffff);
}

void idt_init(void) {
  for (u32 vector = 0; vector < VECTORS; vector++)
    set_gate(vector, (u32)vector_stubs + vector * STUB_BYTES, vector == VECTOR_SYSCALL ? GATE_USER : GATE_KERNEL);
  set_gate(VECTOR_DEBUG, (u32)debug_entry, GATE_KERNEL);
}

void idt_load(void) {
  struct {
    u16 limit;
    u32 base;
  } __attribute__((packed)) idtr = {sizeof idt - 1, (u32)idt};
  __asm__ volatile("lidt %0" : : "m"(idtr));
}
