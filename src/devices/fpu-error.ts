// What a PC does with x87 errors that are not reported as #MF (CR0.NE clear): FERR# sets a latch that drives IRQ 13; a write to port 0xF0
// clears it and, while FERR# is still asserted, asserts IGNNE#, so that the handler can use the x87 (SDM vol. 1, appendix D.2).
import { struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';

const FpuErrorState = struct({
  /** 1 while it is asserted. */
  ferr: u32,
  ignne: u32,
});
const IRQ = 13;

export class FpuError implements Device {
  readonly name = 'fpu';
  readonly #context: DeviceContext;
  readonly #s: View<typeof FpuErrorState>;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#s = context.state(FpuErrorState);
    context.ports.map(0xf0, 1, { write: () => this.#ignore() });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    clear(this.#s);
    this.#context.irq.setIrq(IRQ, false);
  }

  /** The boot CPU's FERR#, which it calls again while it waits: whether IGNNE# is asserted. IGNNE# goes when FERR# does; the latch stays. */
  setError(level: boolean): boolean {
    const s = this.#s;
    if (level && s.ferr === 0) this.#context.irq.setIrq(IRQ, true);
    s.ferr = level ? 1 : 0;
    if (!level) s.ignne = 0;
    return s.ignne !== 0;
  }

  #ignore(): void {
    this.#context.irq.setIrq(IRQ, false);
    if (this.#s.ferr !== 0) this.#s.ignne = 1;
  }
}
