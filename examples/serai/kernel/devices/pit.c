/* The 8254's channel 2 (Intel 8254 data sheet): its gate is a bit of port 0x61, and it drives nothing but the speaker. */
#include "devices/pit.h"
#include "cpu/x86.h"

#define CHANNEL_2 0x42
#define CONTROL 0x43
#define SYSTEM 0x61
#define GATE 1
#define SPEAKER 2

void pit_start(void) {
  out8(SYSTEM, (u8)((in8(SYSTEM) & ~SPEAKER) | GATE));
  out8(CONTROL, 0xB0); /* channel 2, low byte then high byte, mode 0: once, down to 0 */
  out8(CHANNEL_2, 0xFF);
  out8(CHANNEL_2, 0xFF);
}

u32 pit_read(void) {
  out8(CONTROL, 0x80); /* latch channel 2 */
  u32 low = in8(CHANNEL_2);
  return low | (u32)in8(CHANNEL_2) << 8;
}

void pit_stop(void) { out8(SYSTEM, (u8)(in8(SYSTEM) & ~(SPEAKER | GATE))); }
