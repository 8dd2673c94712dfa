/* What the firmware's tables tell: read once, at boot, into plain variables. */
#pragma once
#include "lib/mask.h"
#include "lib/types.h"

#define DEFAULT_LAPIC 0xFEE00000u

struct firmware {
  const char *source; /* "ACPI", "MP tables", or "none" */
  u32 lapic;          /* physical address of the local APICs' registers */
  u32 ioapic;         /* of the first I/O APIC's; 0: there is none */
  u32 ioapic_first;   /* its first input's global number */
  u8 apic_ids[MAX_CPUS];
  u32 cpu_count;
  /* ISA interrupt -> input of the I/O APIC. */
  u32 isa_inputs[16];
  bool isa_level[16], isa_active_low[16];
  /* Power off (ACPI 5.0, 4.8.3.2): ports of PM1 control, 0 where there are none, and what to write. */
  u16 pm1a, pm1b;
  u16 sleep_type_a, sleep_type_b;
  u16 smi_command;
  u8 acpi_enable;
};
extern struct firmware firmware;

void firmware_read(void);

/* These two return whether they found CPUs. */
bool acpi_read(void);
bool mp_tables_read(void);

/* Where `signature` begins at a multiple of 16 bytes in [start, end) of physical memory, and `bytes` from there sum to 0; NULL
 * where nowhere. */
const void *firmware_scan(u32 start, u32 end, const char *signature, u32 bytes);
bool firmware_sums_to_zero(const void *table, u32 bytes);
void firmware_add_cpu(u8 apic_id);
