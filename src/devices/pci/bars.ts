// The base address registers of a function: where they are, and this thread's address spaces, which follow them.
import type { MmioSpace, PortRead, PortSpace, PortWrite } from '../device.ts';
import type { ConfigSpace } from './config-space.ts';
import { PciCommand, PciConfig } from './header.ts';
import type { PciBar } from './options.ts';

export const BARS = 6;

const register = (n: number): number => PciConfig.BAR0 + 4 * n;

export class Bars {
  readonly #config: ConfigSpace;
  readonly #powerOn: Uint32Array;
  readonly #bars: readonly (PciBar | undefined)[];
  /** Where this thread's address spaces have each BAR now (-1: nowhere), and what takes it out of them. */
  readonly #placed = Array.from({ length: BARS }, () => ({ address: -1, remove: () => {} }));

  /** `powerOn`: shared, where power-on puts each. */
  constructor(config: ConfigSpace, powerOn: Uint32Array, bars: readonly (PciBar | undefined)[]) {
    this.#config = config;
    this.#powerOn = powerOn;
    this.#bars = bars;
    bars.forEach((bar, n) => {
      if (bar !== undefined) config.setMask(register(n), 4, bar.kind === 'memory' ? -bar.bytes & ~0xf : -bar.bytes & 0xfffc);
    });
  }

  /** Gives each its place at power-on. */
  assign(place: (bar: PciBar) => number): void {
    this.#bars.forEach((bar, n) => {
      if (bar !== undefined) this.#powerOn[n] = place(bar);
    });
  }

  /** Power-on: they are where they were assigned, and decoded. */
  reset(): void {
    let command = 0;
    this.#bars.forEach((bar, n) => {
      if (bar === undefined) return;
      this.#config.put(register(n), 4, this.#powerOn[n] | (bar.kind === 'io' ? 1 : 0));
      command |= bar.kind === 'io' ? PciCommand.IO : PciCommand.MEMORY;
    });
    this.#config.put(PciConfig.COMMAND, 2, command);
  }

  /** Address of BAR `n` while it is decoded; -1 otherwise. */
  address(n: number): number {
    const bar = this.#bars[n];
    if (bar === undefined) return -1;
    const needed = bar.kind === 'memory' ? PciCommand.MEMORY : PciCommand.IO;
    if ((this.#config.byte(PciConfig.COMMAND) & needed) === 0) return -1;
    const raw = this.#config.read(register(n), 4);
    const address = bar.kind === 'memory' ? (raw & ~0xf) >>> 0 : raw & 0xfffc;
    // Sizing writes all ones for a moment: such an address decodes nothing. Nor does 0, as nobody assigned it.
    const top = bar.kind === 'memory' ? 0x100000000 : 0x10000;
    return address === 0 || address + bar.bytes >= top ? -1 : address;
  }

  /** Whether one is not where this thread's address spaces have it. */
  get moved(): boolean {
    return this.#placed.some(({ address }, n) => address !== this.address(n));
  }

  /** Takes them out of this thread's address spaces. */
  unmap(): void {
    for (const placed of this.#placed) {
      placed.remove();
      placed.address = -1;
      placed.remove = () => {};
    }
  }

  /** Puts them into this thread's address spaces, where they are now. */
  map(ports: PortSpace, mmio: MmioSpace): void {
    this.#placed.forEach((placed, n) => {
      const address = this.address(n);
      if (address < 0) return;
      const bar = this.#bars[n] as PciBar;
      placed.address = address;
      if (bar.kind === 'memory') {
        placed.remove = mmio.place(address, bar.bytes, { read: bar.read, write: bar.write });
      } else {
        const read: PortRead = (port, size) => bar.read(port - address, size);
        const write: PortWrite = (port, size, value) => bar.write(port - address, size, value);
        placed.remove = ports.place(address, bar.bytes, { read, write, width: bar.width ?? 4 });
      }
    });
  }
}
