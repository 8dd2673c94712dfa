// The configuration space of a function: 256 bytes as the guest last wrote them, where it may.
import type { AccessSize } from '../device.ts';
import { PciConfig } from './header.ts';
import type { PciFunctionOptions } from './options.ts';

export const CONFIG_BYTES = 256;
/** Bits of the command register that a guest can set. */
const COMMAND_WRITABLE = 0x547;
const CACHE_LINE_SIZE = 0x0c;
const LATENCY_TIMER = 0x0d;

export class ConfigSpace {
  readonly #bytes: Uint8Array;
  /** Bits that the guest may change. */
  readonly #mask = new Uint8Array(CONFIG_BYTES);

  /** `bytes`: shared. `writable`: what a guest may write besides the standard registers (PciFunctionOptions). */
  constructor(bytes: Uint8Array, writable: PciFunctionOptions['writable'] = []) {
    this.#bytes = bytes;
    this.setMask(PciConfig.COMMAND, 2, COMMAND_WRITABLE);
    for (const offset of [CACHE_LINE_SIZE, LATENCY_TIMER, PciConfig.INTERRUPT_LINE]) this.setMask(offset, 1, 0xff);
    for (const [first, count] of writable) this.#mask.fill(0xff, first, first + count);
  }

  /** Which bits of a register the guest may change. */
  setMask(offset: number, size: AccessSize, bits: number): void {
    for (let i = 0; i < size; i++) this.#mask[offset + i] = bits >>> (8 * i);
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#bytes[(offset + i) & 0xff] << (8 * i);
    return value >>> 0;
  }

  /** The guest writes. */
  write(offset: number, size: AccessSize, value: number): void {
    const bytes = this.#bytes;
    for (let i = 0; i < size; i++) {
      const at = (offset + i) & 0xff;
      const mask = this.#mask[at];
      bytes[at] = (bytes[at] & ~mask) | ((value >>> (8 * i)) & mask);
    }
  }

  byte(offset: number): number {
    return this.#bytes[offset & 0xff];
  }

  /** The device writes: any bit. */
  put(offset: number, size: 1 | 2 | 3 | 4, value: number): void {
    for (let i = 0; i < size; i++) this.#bytes[(offset + i) & 0xff] = value >>> (8 * i);
  }

  clear(): void {
    this.#bytes.fill(0);
  }
}
