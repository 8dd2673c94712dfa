/* Chooses between ACPI and the older MP tables, and has what both readers need. `noacpi`, `nomp` and `noioapic` on the command
 * line leave something out, to try what serai does without. */
#include "firmware/firmware.h"
#include "boot/bootinfo.h"
#include "lib/string.h"
#include "memory/paging.h"

struct firmware firmware;

bool firmware_sums_to_zero(const void *table, u32 bytes) {
  u8 sum = 0;
  for (u32 i = 0; i < bytes; i++) sum += ((const u8 *)table)[i];
  return sum == 0;
}

const void *firmware_scan(u32 start, u32 end, const char *signature, u32 bytes) {
  for (u32 at = start; at + bytes <= end; at += 16) {
    const void *here = linear(at);
    if (memcmp(here, signature, strlen(signature)) == 0 && firmware_sums_to_zero(here, bytes)) return here;
  }
  return NULL;
}

void firmware_add_cpu(u8 apic_id) {
  if (firmware.cpu_count < MAX_CPUS) firmware.apic_ids[firmware.cpu_count++] = apic_id;
}

void firmware_read(void) {
  firmware.lapic = DEFAULT_LAPIC;
  firmware.source = "none";
  for (u32 irq = 0; irq < 16; irq++) firmware.isa_inputs[irq] = irq;
  /* ACPI is read for the power switch even where it has no table of interrupt controllers. */
  bool acpi = !boot_option("noacpi") && acpi_read();
  if (acpi)
    firmware.source = "ACPI";
  else if (!boot_option("nomp") && mp_tables_read())
    firmware.source = "MP tables";
  if (boot_option("noioapic")) firmware.ioapic = 0;
}
