/* Device interrupts come by the I/O APIC where the firmware tells of one, else by the 8259s. */
#include "devices/irq.h"
#include "cpu/lapic.h"
#include "cpu/panic.h"
#include "devices/ioapic.h"
#include "devices/pic.h"
#include "firmware/firmware.h"

#define IRQS 16

static void (*handlers[IRQS])(void);

static bool use_ioapic(void) { return firmware.ioapic != 0; }

const char *irq_controller(void) { return use_ioapic() ? "I/O APIC" : "8259"; }

void irq_init(void) {
  pic_init();
  if (use_ioapic()) ioapic_init();
}

void irq_connect(u32 irq, void (*handler)(void)) {
  handlers[irq] = handler;
  if (use_ioapic())
    ioapic_route(irq, lapic_id());
  else
    pic_unmask(irq);
}

void irq_handle(u32 irq) {
  if (handlers[irq] != NULL) handlers[irq]();
  /* Each controller wants to hear of the end from the one that it went through. An 8259's spurious interrupts (7 and 15, with nobody
   * connected) want no answer at all. */
  if (use_ioapic())
    lapic_end_of_interrupt();
  else if (handlers[irq] != NULL)
    pic_end_of_interrupt(irq);
}
