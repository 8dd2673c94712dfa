/* The I/O APIC: brings interrupts of devices to local APICs. */
#pragma once
#include "lib/types.h"

void ioapic_init(void);
/* ISA interrupt `irq` goes to that CPU, as vector VECTOR_IRQ + irq. */
void ioapic_route(u32 irq, u8 apic_id);
