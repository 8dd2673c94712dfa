/* Intel's MultiProcessor Specification 1.4, chapter 4: what there was before ACPI. */
#include "firmware/firmware.h"
#include "lib/string.h"
#include "memory/paging.h"

struct floating_pointer {
  char signature[4];
  u32 table;
  u8 length, revision, checksum, default_configuration, features[4];
} __attribute__((packed));

struct configuration {
  char signature[4];
  u16 length;
  u8 revision, checksum;
  char names[20];
  u32 oem_table;
  u16 oem_bytes, entries;
  u32 lapic;
  u16 extended_length;
  u8 extended_checksum, reserved;
  u8 first[];
} __attribute__((packed));

enum { CPU = 0, BUS = 1, IOAPIC = 2, INTERRUPT = 3, LOCAL_INTERRUPT = 4 };
#define CPU_BYTES 20
#define OTHER_BYTES 8
#define ENABLED 1

bool mp_tables_read(void) {
  const struct floating_pointer *pointer = firmware_scan(0x9FC00, 0xA0000, "_MP_", sizeof *pointer);
  if (pointer == NULL) pointer = firmware_scan(0xF0000, 0x100000, "_MP_", sizeof *pointer);
  if (pointer == NULL || pointer->table == 0) return false;
  const struct configuration *table = map_device(pointer->table, 64 * KIB);
  if (memcmp(table->signature, "PCMP", 4) != 0 || !firmware_sums_to_zero(table, table->length)) return false;

  firmware.lapic = table->lapic;
  s32 isa_bus = -1;
  const u8 *entry = table->first;
  for (u32 i = 0; i < table->entries; i++, entry += entry[0] == CPU ? CPU_BYTES : OTHER_BYTES) {
    if (entry[0] == CPU && (entry[3] & ENABLED)) firmware_add_cpu(entry[1]);
    if (entry[0] == BUS && memcmp(entry + 2, "ISA", 3) == 0) isa_bus = entry[1];
    if (entry[0] == IOAPIC && (entry[3] & ENABLED) && firmware.ioapic == 0) memcpy(&firmware.ioapic, entry + 4, 4);
    /* Type 0 is an ordinary interrupt; the other types are for the 8259s and NMI. */
    if (entry[0] == INTERRUPT && entry[1] == 0 && entry[4] == isa_bus && entry[5] < 16) {
      firmware.isa_inputs[entry[5]] = entry[7];
      firmware.isa_active_low[entry[5]] = (entry[2] & 3) == 3;
      firmware.isa_level[entry[5]] = ((entry[2] >> 2) & 3) == 3;
    }
  }
  return firmware.cpu_count > 0;
}
