// What a PC does with x87 errors that are not reported as #MF (CR0.NE clear): FERR# sets a latch that drives IRQ 13; a write to port 0xF0
// clears it and, while FERR# is still asserted, asserts IGNNE#, so that the handler can use the x87 (SDM vol. 1, appendix D.2).
import type { Device, DeviceContext } from './device.ts';

const FERR = 0;
const IGNNE = 1;
const WORDS = 2;
const IRQ = 13;

export class FpuError implements Device {
  readonly name = 'fpu-error';
  readonly #context: DeviceContext;
  readonly #s: Int32Array;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#s = context.words(WORDS);
    context.ports.map(0xf0, 1, { write: () => this.#ignore() });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    this.#s.fill(0);
    this.#context.irq.setIrq(IRQ, false);
  }

  /** The boot CPU's FERR#, which it calls again while it waits: whether IGNNE# is asserted. IGNNE# goes when FERR# does; the latch stays. */
  setError(level: boolean): boolean {
    const s = this.#s;
    if (level && s[FERR] === 0) this.#context.irq.setIrq(IRQ, true);
    s[FERR] = level ? 1 : 0;
    if (!level) s[IGNNE] = 0;
    return s[IGNNE] !== 0;
  }

  #ignore(): void {
    this.#context.irq.setIrq(IRQ, false);
    if (this.#s[FERR] !== 0) this.#s[IGNNE] = 1;
  }
}
