/* The local APIC: one register page at the same address on every CPU, but each CPU sees its own. */
#include "cpu/lapic.h"
#include "cpu/segments.h"
#include "cpu/x86.h"
#include "memory/paging.h"

/* Offsets of registers (SDM vol. 3, table 11-1). */
enum {
  ID = 0x20,
  TASK_PRIORITY = 0x80,
  END_OF_INTERRUPT = 0xB0,
  SPURIOUS = 0xF0,
  COMMAND_LOW = 0x300,
  COMMAND_HIGH = 0x310,
  LVT_TIMER = 0x320,
  LVT_LINT0 = 0x350,
  LVT_LINT1 = 0x360,
  LVT_ERROR = 0x370,
  INITIAL_COUNT = 0x380,
  CURRENT_COUNT = 0x390,
  DIVIDE = 0x3E0,
};

#define SOFTWARE_ENABLE 0x100u
#define MASKED 0x10000u
#define DELIVER_NMI 0x400u
#define DELIVER_INIT 0x500u
#define DELIVER_STARTUP 0x600u
#define DELIVER_EXTINT 0x700u
#define PENDING 0x1000u
#define ASSERTED 0x4000u
#define ALL_BUT_SELF 0xC0000u
#define DIVIDE_BY_16 3u

static volatile u8 *registers;

static u32 get(u32 offset) { return *(volatile u32 *)(registers + offset); }
static void set(u32 offset, u32 value) { *(volatile u32 *)(registers + offset) = value; }

void lapic_map(u32 physical) { registers = map_device(physical, 4 * KIB); }

void lapic_enable(bool is_first) {
  set(TASK_PRIORITY, 0);
  set(SPURIOUS, SOFTWARE_ENABLE | VECTOR_SPURIOUS);
  set(DIVIDE, DIVIDE_BY_16);
  set(LVT_TIMER, VECTOR_TIMER); /* one-shot */
  set(INITIAL_COUNT, 0);
  /* The 8259s are wired to the first CPU's LINT0, in case we have to use them (devices/irq.c); NMI is LINT1. */
  set(LVT_LINT0, is_first ? DELIVER_EXTINT : MASKED);
  set(LVT_LINT1, DELIVER_NMI);
  set(LVT_ERROR, MASKED);
  set(END_OF_INTERRUPT, 0);
}

u8 lapic_id(void) { return (u8)(get(ID) >> 24); }

void lapic_end_of_interrupt(void) { set(END_OF_INTERRUPT, 0); }

/* Writing the low word sends (SDM vol. 3, 11.6.1). An interrupt handler that sends, too, must not come between the two words. */
static void command(u8 apic_id, u32 low) {
  u32 flags = interrupts_save();
  while (get(COMMAND_LOW) & PENDING) pause();
  set(COMMAND_HIGH, (u32)apic_id << 24);
  set(COMMAND_LOW, low);
  interrupts_restore(flags);
}

void lapic_send(u8 apic_id, u8 vector) { command(apic_id, ASSERTED | vector); }
void lapic_send_init(u8 apic_id) { command(apic_id, ASSERTED | DELIVER_INIT); }
void lapic_send_startup(u8 apic_id, u8 page) { command(apic_id, ASSERTED | DELIVER_STARTUP | page); }

void lapic_stop_others(void) {
  if (registers != NULL) command(0, ASSERTED | DELIVER_NMI | ALL_BUT_SELF);
}

void lapic_timer_start(u32 count) { set(INITIAL_COUNT, count); }
u32 lapic_timer_count(void) { return get(CURRENT_COUNT); }
