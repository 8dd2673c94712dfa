// The ports by which a PC resets itself and switches A20: CF9H (inside a register of the PCI bus, which passes it on) and 92H. The keyboard controller
// can do both as well (i8042.ts).
import { struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { A20 } from './a20.ts';
import type { Device, DeviceContext } from './device.ts';
import type { ResetPort } from './pci/config-ports.ts';

const ResetState = struct({
  /** Port CF9H. */
  control: u32,
  port92: u32,
});

export class ResetControl implements Device, ResetPort {
  readonly name = 'reset';
  readonly #context: DeviceContext;
  readonly #a20: A20;
  readonly #s: View<typeof ResetState>;

  constructor(context: DeviceContext, a20: A20) {
    this.#context = context;
    this.#a20 = a20;
    this.#s = context.state(ResetState);
    context.ports.map(0x92, 1, {
      read: () => (this.#s.port92 & ~2) | (a20.enabled ? 2 : 0),
      write: (_port, _size, value) => {
        a20.set((value & 2) !== 0);
        if ((value & 1) !== 0 && (this.#s.port92 & 1) === 0) this.#reset();
        this.#s.port92 = value & 0xfe;
      },
    });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    clear(this.#s);
    this.#a20.set(true);
  }

  /** Port 0xCF9. */
  read(): number {
    return this.#s.control;
  }

  /** Bit 2 going from 0 to 1 resets; bit 1 says how hard, which is all the same here. */
  write(value: number): void {
    const old = this.#s.control;
    this.#s.control = value & 0x0e;
    if ((value & 4) !== 0 && (old & 4) === 0) this.#reset();
  }

  #reset(): void {
    this.#context.endRun({ kind: 'reset' });
  }
}
