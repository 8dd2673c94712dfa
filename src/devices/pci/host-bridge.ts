// The host bridge, a 440FX by its ids, and what it decides of the memory below 1 MiB.
import type { PciBus } from './bus.ts';
import type { PciFunction } from './function.ts';

/** Registers PAM0 to PAM6 of the 440FX: what is below 1 MiB, ROM or RAM. */
const PAM = 0x59;
const PAM_COUNT = 7;

/**
 * The host bridge (a 440FX by its ids) at slot 0. `onShadow` is told which of the eight blocks of 16 KiB from E0000H to FFFFFH are RAM where there
 * would be ROM: for reads bit n, for writes bit 8 + n. What is below E0000H is RAM in any case.
 */
export function addHostBridge(bus: PciBus, onShadow?: (blocks: number) => void): PciFunction {
  const bridge = bus.add({
    name: 'host-bridge',
    slot: 0,
    vendorId: 0x8086,
    deviceId: 0x1237,
    classCode: 0x060000,
    revision: 2,
    // What SeaBIOS knows QEMU by, and so that there is a fw_cfg device.
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
    writable: [[PAM, PAM_COUNT]],
    onConfigWrite: (offset, size) => {
      if (offset + size > PAM && offset < PAM + PAM_COUNT) onShadow?.(shadowBlocks(bridge));
    },
  });
  return bridge;
}

function shadowBlocks(bridge: PciFunction): number {
  let blocks = 0;
  // PAM5 and PAM6 have two blocks each, in their nibbles (bit 0 read, bit 1 write); the upper nibble of PAM0 is for all of F0000H.
  for (let n = 0; n < 8; n++) {
    const nibble = n < 4 ? bridge.configByte(PAM + 5 + (n >> 1)) >> (4 * (n & 1)) : bridge.configByte(PAM) >> 4;
    blocks |= ((nibble & 1) << n) | (((nibble >> 1) & 1) << (8 + n));
  }
  return blocks;
}
