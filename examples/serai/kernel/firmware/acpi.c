/*
 * ACPI: the MADT tells of CPUs and I/O APICs, the FADT of the power switch (ACPI 5.0, 5.2). The value for the power switch is an
 * object of the DSDT, which is bytecode (AML). Rather than interpret that, we look for the object's name and read the package of
 * integers behind it.
 */
#include "firmware/firmware.h"
#include "lib/string.h"
#include "memory/paging.h"

struct root_pointer {
  char signature[8];
  u8 checksum;
  char oem[6];
  u8 revision;
  u32 rsdt;
} __attribute__((packed));
#define ROOT_POINTER_BYTES 20

struct header {
  char signature[4];
  u32 length;
  u8 revision, checksum;
  char oem[18];
  u32 creator[2];
} __attribute__((packed));

/* 5.2.12 */
struct madt {
  struct header header;
  u32 lapic, flags;
  u8 entries[];
} __attribute__((packed));
enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2 };
#define CPU_ENABLED 1u

/* 5.2.9, as far as we need it. */
struct fadt {
  struct header header;
  u32 facs, dsdt;
  u8 model, profile;
  u16 sci;
  u32 smi_command;
  u8 acpi_enable, acpi_disable, s4bios, pstate;
  u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control;
} __attribute__((packed));

static u32 word_at(const u8 *at) {
  u32 value;
  memcpy(&value, at, sizeof value);
  return value;
}

static const struct header *map_table(u32 physical) {
  const struct header *header = map_device(physical, sizeof *header);
  return map_device(physical, header->length);
}

static const struct header *find_table(const struct header *rsdt, const char *signature) {
  for (u32 at = sizeof *rsdt; at + 4 <= rsdt->length; at += 4) {
    const struct header *table = map_table(word_at((const u8 *)rsdt + at));
    if (memcmp(table->signature, signature, 4) == 0 && firmware_sums_to_zero(table, table->length)) return table;
  }
  return NULL;
}

static bool read_madt(const struct madt *madt) {
  firmware.lapic = madt->lapic;
  const u8 *end = (const u8 *)madt + madt->header.length;
  for (const u8 *entry = madt->entries; entry + 2 <= end && entry[1] >= 2; entry += entry[1]) {
    if (entry[0] == MADT_LAPIC && (word_at(entry + 4) & CPU_ENABLED)) firmware_add_cpu(entry[3]);
    if (entry[0] == MADT_IOAPIC && firmware.ioapic == 0) {
      firmware.ioapic = word_at(entry + 4);
      firmware.ioapic_first = word_at(entry + 8);
    }
    if (entry[0] == MADT_OVERRIDE && entry[3] < 16) {
      u8 irq = entry[3];
      firmware.isa_inputs[irq] = word_at(entry + 4);
      /* Two bits each: 1 is active high or edge, 3 is active low or level, 0 as the bus has it: ISA's are high and edge. */
      firmware.isa_active_low[irq] = (entry[8] & 3) == 3;
      firmware.isa_level[irq] = ((entry[8] >> 2) & 3) == 3;
    }
  }
  return firmware.cpu_count > 0;
}

/* An AML integer (20.2.3): ZeroOp, OneOp, or a prefix and bytes. Moves *at behind it. */
static u16 aml_integer(const u8 **at) {
  u8 op = *(*at)++;
  if (op == 0x0A) return *(*at)++;
  if (op == 0x0B) {
    u16 value = (u16)((*at)[0] | (*at)[1] << 8);
    *at += 2;
    return value;
  }
  return op; /* 0 and 1 stand for themselves */
}

/* NameOp "_S5_" PackageOp PkgLength NumElements, then the two sleep types. */
static bool read_sleep_types(const struct header *dsdt) {
  const u8 *byte = (const u8 *)dsdt, *end = byte + dsdt->length - 16;
  for (byte += sizeof *dsdt; byte < end; byte++) {
    if (memcmp(byte, "_S5_", 4) != 0 || byte[4] != 0x12) continue;
    const u8 *at = byte + 5;
    at += (*at >> 6) + 2; /* PkgLength says in its top bits how many bytes follow; then the number of elements */
    firmware.sleep_type_a = aml_integer(&at);
    firmware.sleep_type_b = aml_integer(&at);
    return true;
  }
  return false;
}

bool acpi_read(void) {
  u16 extended_bios_segment;
  memcpy(&extended_bios_segment, linear(0x40E), sizeof extended_bios_segment);
  u32 extended_bios = extended_bios_segment * 16u;
  const struct root_pointer *root = NULL;
  if (extended_bios != 0) root = firmware_scan(extended_bios, extended_bios + KIB, "RSD PTR ", ROOT_POINTER_BYTES);
  if (root == NULL) root = firmware_scan(0xE0000, 0x100000, "RSD PTR ", ROOT_POINTER_BYTES);
  if (root == NULL) return false;

  const struct header *rsdt = map_table(root->rsdt);
  const struct fadt *fadt = (const struct fadt *)find_table(rsdt, "FACP");
  if (fadt != NULL && read_sleep_types(map_table(fadt->dsdt))) {
    firmware.pm1a = (u16)fadt->pm1a_control;
    firmware.pm1b = (u16)fadt->pm1b_control;
    firmware.smi_command = (u16)fadt->smi_command;
    firmware.acpi_enable = fadt->acpi_enable;
  }
  const struct madt *madt = (const struct madt *)find_table(rsdt, "APIC");
  return madt != NULL && read_madt(madt);
}
