/* The I/O APIC (Intel 82093AA data sheet): one register selects, another reads and writes what was selected. */
#include "devices/ioapic.h"
#include "cpu/segments.h"
#include "firmware/firmware.h"
#include "memory/paging.h"

#define SELECT 0x00
#define WINDOW 0x10
#define VERSION 1u
#define REDIRECTION(input) (0x10u + 2 * (input))
#define MASKED 0x10000u
#define LEVEL 0x8000u
#define ACTIVE_LOW 0x2000u

static volatile u8 *registers;

static u32 get(u32 index) {
  *(volatile u32 *)(registers + SELECT) = index;
  return *(volatile u32 *)(registers + WINDOW);
}
static void set(u32 index, u32 value) {
  *(volatile u32 *)(registers + SELECT) = index;
  *(volatile u32 *)(registers + WINDOW) = value;
}

void ioapic_init(void) {
  registers = map_device(firmware.ioapic, 4 * KIB);
  u32 last = (get(VERSION) >> 16) & 0xff;
  for (u32 input = 0; input <= last; input++) set(REDIRECTION(input), MASKED);
}

void ioapic_route(u32 irq, u8 apic_id) {
  u32 input = firmware.isa_inputs[irq] - firmware.ioapic_first;
  u32 how = (firmware.isa_level[irq] ? LEVEL : 0) | (firmware.isa_active_low[irq] ? ACTIVE_LOW : 0);
  set(REDIRECTION(input) + 1, (u32)apic_id << 24);
  set(REDIRECTION(input), how | (VECTOR_IRQ + irq)); /* fixed delivery, physical destination, not masked */
}
