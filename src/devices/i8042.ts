// An 8042 keyboard controller with nothing plugged in, which can reset the machine and switch A20 (IBM PC AT technical reference, "Keyboard controller").
// Its answers are those that make a driver find the controller in order and the ports empty.
import { i32, struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { A20 } from './a20.ts';
import type { Device, DeviceContext } from './device.ts';

const I8042State = struct({
  /** The byte in the output buffer; -1: none. */
  output: i32,
  /** 1: that is the mouse's. */
  outputAux: u32,
  config: u32,
  /** The command that waits for its byte. */
  command: u32,
});

const DATA_PORT = 0x60;
const COMMAND_PORT = 0x64;

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_AUX = 0x20;

export class I8042 implements Device {
  readonly name = 'i8042';
  readonly #context: DeviceContext;
  readonly #a20: A20;
  readonly #s: View<typeof I8042State>;

  constructor(context: DeviceContext, a20: A20) {
    this.#context = context;
    this.#a20 = a20;
    this.#s = context.state(I8042State);
    context.ports.map(DATA_PORT, 1, { read: () => this.#readData(), write: (_port, _size, value) => this.#writeData(value) });
    context.ports.map(COMMAND_PORT, 1, { read: () => this.#status(), write: (_port, _size, value) => this.#command(value) });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    clear(s);
    s.output = -1;
    // System flag set, translation on, both interrupts off, as firmware leaves it.
    s.config = 0x44;
  }

  #status(): number {
    const s = this.#s;
    let status = STATUS_SYSTEM | STATUS_UNLOCKED;
    if (s.output >= 0) status |= STATUS_OUTPUT_FULL | (s.outputAux !== 0 ? STATUS_AUX : 0);
    if (s.command !== 0) status |= STATUS_COMMAND;
    return status;
  }

  #readData(): number {
    const value = this.#s.output;
    this.#s.output = -1;
    return Math.max(value, 0);
  }

  #answer(value: number, aux = 0): void {
    this.#s.output = value & 0xff;
    this.#s.outputAux = aux;
  }

  #command(value: number): void {
    const s = this.#s;
    s.command = 0;
    switch (value) {
      case 0x20:
        this.#answer(s.config);
        break;
      case 0xaa:
        this.#answer(0x55);
        break;
      case 0xab:
        this.#answer(0);
        break;
      case 0xa9:
        // The second port's clock line is stuck: there is none.
        this.#answer(1);
        break;
      case 0xa7:
        s.config |= 0x20;
        break;
      case 0xa8:
        s.config &= ~0x20;
        break;
      case 0xad:
        s.config |= 0x10;
        break;
      case 0xae:
        s.config &= ~0x10;
        break;
      case 0xc0:
        this.#answer(0x80);
        break;
      case 0xd0:
        this.#answer(0x01 | (this.#a20.enabled ? 2 : 0) | (s.output >= 0 ? 0x10 : 0));
        break;
      case 0x60:
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4:
        s.command = value;
        break;
      case 0xdd:
        this.#a20.set(false);
        break;
      case 0xdf:
        this.#a20.set(true);
        break;
      default:
        // 0xF0..0xFF pulse output lines where the bit is 0; line 0 is the reset.
        if (value >= 0xf0 && (value & 1) === 0) this.#context.endRun({ kind: 'reset' });
    }
  }

  #writeData(value: number): void {
    const s = this.#s;
    const command = s.command;
    s.command = 0;
    switch (command) {
      case 0x60:
        s.config = value;
        break;
      case 0xd1:
        this.#a20.set((value & 2) !== 0);
        if ((value & 1) === 0) this.#context.endRun({ kind: 'reset' });
        break;
      case 0xd2:
        this.#answer(value);
        break;
      case 0xd3:
        // A loop-back through a second port that is not there arrives on the first one: no mouse.
        this.#answer(value);
        break;
      // 0xD4 and a plain byte go to devices that are not plugged in: nobody answers.
    }
  }
}
