// The ways a PC resets itself and switches A20: port 0xCF9, port 0x92, and an 8042 keyboard controller with nothing
// plugged in. Its answers are those that make a driver find the controller in order and the ports empty.
import type { A20 } from './a20.ts';
import type { Device, DeviceContext } from './device.ts';
import type { ResetPort } from './pci.ts';

const CONTROL = 0;
const PORT92 = 1;
/** 8042: byte in the output buffer (-1: none), whether it is the mouse's, configuration, the command that waits for its byte. */
const OUTPUT = 2;
const OUTPUT_AUX = 3;
const CONFIG = 4;
const COMMAND = 5;
const WORDS = 6;

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_AUX = 0x20;

export class ResetControl implements Device, ResetPort {
  readonly name = 'reset';
  readonly #context: DeviceContext;
  readonly #a20: A20;
  readonly #s: Int32Array;

  constructor(context: DeviceContext, a20: A20) {
    this.#context = context;
    this.#a20 = a20;
    this.#s = context.words(WORDS);
    context.ports.map(0x92, 1, {
      read: () => (this.#s[PORT92] & ~2) | (a20.enabled ? 2 : 0),
      write: (_port, _size, value) => {
        a20.set((value & 2) !== 0);
        if ((value & 1) !== 0 && (this.#s[PORT92] & 1) === 0) this.#reset();
        this.#s[PORT92] = value & 0xfe;
      },
    });
    context.ports.map(0x60, 1, { read: () => this.#readData(), write: (_port, _size, value) => this.#writeData(value) });
    context.ports.map(0x64, 1, { read: () => this.#status(), write: (_port, _size, value) => this.#command(value) });
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    s.fill(0);
    s[OUTPUT] = -1;
    // System flag set, translation on, both interrupts off, as firmware leaves it.
    s[CONFIG] = 0x44;
    this.#a20.set(true);
  }

  /** Port 0xCF9. */
  read(): number {
    return this.#s[CONTROL];
  }

  /** Bit 2 going from 0 to 1 resets; bit 1 says how hard, which is all the same here. */
  write(value: number): void {
    const old = this.#s[CONTROL];
    this.#s[CONTROL] = value & 0x0e;
    if ((value & 4) !== 0 && (old & 4) === 0) this.#reset();
  }

  #reset(): void {
    this.#context.endRun({ kind: 'reset' });
  }

  #status(): number {
    const s = this.#s;
    let status = STATUS_SYSTEM | STATUS_UNLOCKED;
    if (s[OUTPUT] >= 0) status |= STATUS_OUTPUT_FULL | (s[OUTPUT_AUX] !== 0 ? STATUS_AUX : 0);
    if (s[COMMAND] !== 0) status |= STATUS_COMMAND;
    return status;
  }

  #readData(): number {
    const value = this.#s[OUTPUT];
    this.#s[OUTPUT] = -1;
    return Math.max(value, 0);
  }

  #answer(value: number, aux = 0): void {
    this.#s[OUTPUT] = value & 0xff;
    this.#s[OUTPUT_AUX] = aux;
  }

  #command(value: number): void {
    const s = this.#s;
    s[COMMAND] = 0;
    switch (value) {
      case 0x20:
        this.#answer(s[CONFIG]);
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
        s[CONFIG] |= 0x20;
        break;
      case 0xa8:
        s[CONFIG] &= ~0x20;
        break;
      case 0xad:
        s[CONFIG] |= 0x10;
        break;
      case 0xae:
        s[CONFIG] &= ~0x10;
        break;
      case 0xc0:
        this.#answer(0x80);
        break;
      case 0xd0:
        this.#answer(0x01 | (this.#a20.enabled ? 2 : 0) | (s[OUTPUT] >= 0 ? 0x10 : 0));
        break;
      case 0x60:
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4:
        s[COMMAND] = value;
        break;
      case 0xdd:
        this.#a20.set(false);
        break;
      case 0xdf:
        this.#a20.set(true);
        break;
      default:
        // 0xF0..0xFF pulse output lines where the bit is 0; line 0 is the reset.
        if (value >= 0xf0 && (value & 1) === 0) this.#reset();
    }
  }

  #writeData(value: number): void {
    const s = this.#s;
    const command = s[COMMAND];
    s[COMMAND] = 0;
    switch (command) {
      case 0x60:
        s[CONFIG] = value;
        break;
      case 0xd1:
        this.#a20.set((value & 2) !== 0);
        if ((value & 1) === 0) this.#reset();
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
