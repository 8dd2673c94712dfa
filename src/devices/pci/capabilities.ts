// The list of a function's capabilities in its configuration space (PCI 2.2, 6.7).
import type { ConfigSpace } from './config-space.ts';
import { PciConfig, PciStatus } from './header.ts';

const FIRST = 0x40;

/** Where each capability lies: one behind the other, aligned to 4. */
export function placeCapabilities(capabilities: readonly (readonly number[])[]): number[] {
  let next = FIRST;
  return capabilities.map(({ length }) => {
    const at = next;
    next = (at + length + 3) & ~3;
    return at;
  });
}

/** Writes them at their `offsets`, linked, and says that there are some. */
export function putCapabilities(config: ConfigSpace, capabilities: readonly (readonly number[])[], offsets: readonly number[]): void {
  if (capabilities.length === 0) return;
  capabilities.forEach((bytes, n) => {
    bytes.forEach((byte, i) => config.put(offsets[n] + i, 1, byte));
    config.put(offsets[n] + 1, 1, offsets[n + 1] ?? 0);
  });
  config.put(PciConfig.STATUS, 1, config.byte(PciConfig.STATUS) | PciStatus.CAPABILITIES);
  config.put(PciConfig.CAPABILITIES, 1, offsets[0]);
}
