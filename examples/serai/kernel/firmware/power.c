/* Power off: sleep state S5 (ACPI 5.0, 4.8.3.2 and 16.1.6), or, without ACPI, what some emulators offer. */
#include "firmware/power.h"
#include "cpu/panic.h"
#include "cpu/x86.h"
#include "firmware/firmware.h"
#include "sched/clock.h"

#define SCI_ENABLED 1u
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_TYPE_MASK 0x1C00u
#define SLEEP_ENABLE 0x2000u
/* PM1 control of QEMU's PCs: i440FX now, and before version 2. */
#define QEMU_PM1 0x604
#define OLD_QEMU_PM1 0xB004

static void sleep(u16 port, u16 type) {
  u16 value = (u16)(in16(port) & ~SLEEP_TYPE_MASK);
  out16(port, (u16)(value | (type << SLEEP_TYPE_SHIFT) | SLEEP_ENABLE));
}

void power_off(void) {
  interrupts_off();
  if (firmware.pm1a != 0) {
    /* The firmware may have left the machine in legacy mode; it goes to ACPI mode by a command of the firmware's own. */
    if ((in16(firmware.pm1a) & SCI_ENABLED) == 0 && firmware.smi_command != 0 && firmware.acpi_enable != 0) {
      out8(firmware.smi_command, firmware.acpi_enable);
      for (u32 ms = 0; ms < 300 && (in16(firmware.pm1a) & SCI_ENABLED) == 0; ms++) clock_wait(NS_PER_MS);
    }
    sleep(firmware.pm1a, firmware.sleep_type_a);
    if (firmware.pm1b != 0) sleep(firmware.pm1b, firmware.sleep_type_b);
    clock_wait(100 * NS_PER_MS);
  }
  out16(QEMU_PM1, SLEEP_ENABLE);
  out16(OLD_QEMU_PM1, SLEEP_ENABLE);
  panic("this machine cannot be switched off by software");
}
