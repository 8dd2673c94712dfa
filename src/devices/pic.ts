// The two 8259A interrupt controllers, cascaded on the master's IR2, and the edge/level registers at 0x4D0.
import type { Device, DeviceContext } from './device.ts';

/** Words of one chip. */
const IRR = 0;
const ISR = 1;
const IMR = 2;
/** Levels of the inputs. */
const LINES = 3;
/** Inputs that are level-triggered (ELCR). */
const ELCR = 4;
const BASE = 5;
/** Initialisation step: 0 none, else the number of the ICW that comes next. */
const INIT = 6;
const NEEDS_ICW4 = 7;
const READ_ISR = 8;
const POLL = 9;
/** The input with the highest priority (the one after the lowest of a rotation). */
const TOP = 10;
const SPECIAL_MASK = 11;
const AUTO_EOI = 12;
const ROTATE_AUTO_EOI = 13;
const FULLY_NESTED = 14;
const SINGLE = 15;
/** All inputs level-triggered (ICW1.LTIM). */
const LTIM = 16;
/** ICW3: the master's inputs with a slave; the slave's number. */
const CASCADES = 17;
const CHIP = 18;

const MASTER = 0;
const SLAVE = CHIP;
const OUTPUT = 2 * CHIP;
const CASCADE = 1 << 2;
/** Open: timer, keyboard, cascade, floppy; RTC, mouse, coprocessor, disk. */
const FIRMWARE_MASKS = [0xb8, 0x8e] as const;

export class Pic implements Device {
  readonly name = 'pic';
  readonly #s: Int32Array;
  readonly #onOutput: (level: boolean) => void;

  /** `onOutput`: the INT pin of the master changed. */
  constructor(context: DeviceContext, onOutput: (level: boolean) => void) {
    this.#s = context.words(OUTPUT + 1);
    this.#onOutput = onOutput;
    context.ports.map(0x20, 2, {
      read: (port) => this.#read(MASTER, port & 1),
      write: (port, _size, value) => this.#write(MASTER, port & 1, value),
    });
    context.ports.map(0xa0, 2, {
      read: (port) => this.#read(SLAVE, port & 1),
      write: (port, _size, value) => this.#write(SLAVE, port & 1, value),
    });
    context.ports.map(0x4d0, 2, {
      read: (port) => this.#s[(port & 1 ? SLAVE : MASTER) + ELCR],
      write: (port, _size, value) => {
        // The timer, keyboard, cascade, RTC and coprocessor inputs are always edges.
        this.#s[(port & 1 ? SLAVE : MASTER) + ELCR] = value & (port & 1 ? 0xde : 0xf8);
        this.#update();
      },
    });
    if (context.isFirst) this.reset();
  }

  /** Sets both interrupt mask registers. */
  mask(master: number, slave: number): void {
    this.#s[MASTER + IMR] = master;
    this.#s[SLAVE + IMR] = slave;
    this.#update();
  }

  /**
   * As firmware leaves the chips: vectors 0x08 and 0x70, IRQ 9 to 11 (SCI, PCI) level-triggered, and the masks of SeaBIOS: the timer and other
   * lines of a BIOS are open, which kernels count on that move the vectors and put the masks back.
   */
  reset(): void {
    const s = this.#s;
    for (const chip of [MASTER, SLAVE]) {
      const lines = s[chip + LINES];
      s.fill(0, chip, chip + CHIP);
      s[chip + LINES] = lines;
      s[chip + IMR] = chip === MASTER ? FIRMWARE_MASKS[0] : FIRMWARE_MASKS[1];
      s[chip + BASE] = chip === MASTER ? 0x08 : 0x70;
      s[chip + CASCADES] = chip === MASTER ? CASCADE : 2;
    }
    s[SLAVE + ELCR] = 0x0e;
    this.#update();
  }

  /** The INT pin. */
  get output(): boolean {
    return this.#s[OUTPUT] !== 0;
  }

  setIrq(line: number, level: boolean): void {
    const s = this.#s;
    const chip = line < 8 ? MASTER : SLAVE;
    const bit = 1 << (line & 7);
    const was = s[chip + LINES] & bit;
    if (level) {
      s[chip + LINES] |= bit;
      if (was === 0) s[chip + IRR] |= bit;
    } else {
      s[chip + LINES] &= ~bit;
      // A request that was not acknowledged goes with its line, an edge as well (8259A data sheet, "edge and level triggered modes").
      s[chip + IRR] &= ~bit;
    }
    if (level !== (was !== 0)) this.#update();
  }

  /** The two INTA cycles: the vector of the highest request, or a spurious one. */
  acknowledge(): number {
    const s = this.#s;
    const irq = this.#request(MASTER);
    let vector: number;
    if (irq < 0) {
      vector = s[MASTER + BASE] | 7;
    } else {
      this.#accept(MASTER, irq);
      vector = s[MASTER + BASE] | irq;
      if (s[MASTER + SINGLE] === 0 && (s[MASTER + CASCADES] & (1 << irq)) !== 0) vector = this.#acknowledgeSlave(irq);
    }
    this.#update();
    return vector;
  }

  /** The master left the second INTA cycle to the slave with this number; where there is none, nobody drives the bus. */
  #acknowledgeSlave(number: number): number {
    const s = this.#s;
    if (s[SLAVE + CASCADES] !== number) return 0xff;
    const irq = this.#request(SLAVE);
    if (irq >= 0) this.#accept(SLAVE, irq);
    return s[SLAVE + BASE] | (irq < 0 ? 7 : irq);
  }

  #levelTriggered(chip: number): number {
    return this.#s[chip + LTIM] !== 0 ? 0xff : this.#s[chip + ELCR];
  }

  /** Input with the highest priority in `bits`, as a distance from the top; 8 for none. */
  #priority(chip: number, bits: number): number {
    const top = this.#s[chip + TOP];
    const rotated = ((bits >>> top) | (bits << (8 - top))) & 0xff;
    return rotated === 0 ? 8 : 31 - Math.clz32(rotated & -rotated);
  }

  /** The input that the chip asks service for; -1 for none. */
  #request(chip: number): number {
    const s = this.#s;
    const asked = this.#priority(chip, s[chip + IRR] & ~s[chip + IMR]);
    if (asked === 8) return -1;
    let busy = s[chip + ISR];
    if (s[chip + SPECIAL_MASK] !== 0) busy &= ~s[chip + IMR];
    const serviced = this.#priority(chip, busy);
    const irq = (asked + s[chip + TOP]) & 7;
    // Special fully nested mode: a slave in service is not in its own way. (QEMU 7.2 lets all lower inputs pass as well.)
    const nests = s[chip + FULLY_NESTED] !== 0 && chip === MASTER && (s[chip + CASCADES] & (1 << irq)) !== 0;
    return asked < serviced || (nests && asked === serviced) ? irq : -1;
  }

  #accept(chip: number, irq: number): void {
    const s = this.#s;
    const bit = 1 << irq;
    if (s[chip + AUTO_EOI] !== 0) {
      if (s[chip + ROTATE_AUTO_EOI] !== 0) s[chip + TOP] = (irq + 1) & 7;
    } else {
      s[chip + ISR] |= bit;
    }
    if ((this.#levelTriggered(chip) & bit) === 0) s[chip + IRR] &= ~bit;
  }

  /** Requests follow level-triggered inputs and the cascade; then the INT pins. */
  #update(): void {
    const s = this.#s;
    for (const chip of CHIPS) {
      const levels = this.#levelTriggered(chip);
      s[chip + IRR] = (s[chip + IRR] & ~levels) | (s[chip + LINES] & levels);
    }
    if (this.#request(SLAVE) >= 0) s[MASTER + IRR] |= CASCADE;
    else s[MASTER + IRR] &= ~CASCADE;
    const output = this.#request(MASTER) >= 0 ? 1 : 0;
    if (output !== s[OUTPUT]) {
      s[OUTPUT] = output;
      this.#onOutput(output !== 0);
    }
  }

  #read(chip: number, odd: number): number {
    const s = this.#s;
    if (s[chip + POLL] !== 0) {
      s[chip + POLL] = 0;
      const irq = this.#request(chip);
      if (irq < 0) return 0;
      this.#accept(chip, irq);
      this.#update();
      return 0x80 | irq;
    }
    if (odd) return s[chip + IMR];
    return s[chip + READ_ISR] !== 0 ? s[chip + ISR] : s[chip + IRR];
  }

  #write(chip: number, odd: number, value: number): void {
    const s = this.#s;
    if (odd) this.#writeData(chip, value);
    else if (value & 0x10) this.#writeIcw1(chip, value);
    else if (value & 0x08) {
      if (value & 0x40) s[chip + SPECIAL_MASK] = (value >> 5) & 1;
      if (value & 0x04) s[chip + POLL] = 1;
      else if (value & 0x02) s[chip + READ_ISR] = value & 1;
    } else this.#writeOcw2(chip, value);
    this.#update();
  }

  #writeIcw1(chip: number, value: number): void {
    const s = this.#s;
    s[chip + IMR] = 0;
    s[chip + ISR] = 0;
    // Edges seen so far are forgotten; an input must fall and rise again.
    s[chip + IRR] = 0;
    s[chip + TOP] = 0;
    s[chip + SPECIAL_MASK] = 0;
    s[chip + READ_ISR] = 0;
    s[chip + POLL] = 0;
    s[chip + AUTO_EOI] = 0;
    s[chip + ROTATE_AUTO_EOI] = 0;
    s[chip + FULLY_NESTED] = 0;
    s[chip + NEEDS_ICW4] = value & 1;
    s[chip + SINGLE] = (value >> 1) & 1;
    s[chip + LTIM] = (value >> 3) & 1;
    if (chip === SLAVE) s[chip + CASCADES] = 7;
    s[chip + INIT] = 2;
  }

  #writeData(chip: number, value: number): void {
    const s = this.#s;
    switch (s[chip + INIT]) {
      case 2:
        s[chip + BASE] = value & 0xf8;
        s[chip + INIT] = s[chip + SINGLE] === 0 ? 3 : s[chip + NEEDS_ICW4] !== 0 ? 4 : 0;
        break;
      case 3:
        s[chip + CASCADES] = chip === MASTER ? value : value & 7;
        s[chip + INIT] = s[chip + NEEDS_ICW4] !== 0 ? 4 : 0;
        break;
      case 4:
        s[chip + AUTO_EOI] = (value >> 1) & 1;
        s[chip + FULLY_NESTED] = (value >> 4) & 1;
        s[chip + INIT] = 0;
        break;
      default:
        s[chip + IMR] = value;
    }
  }

  /** End of interrupt and rotation (8259A data sheet, OCW2). */
  #writeOcw2(chip: number, value: number): void {
    const s = this.#s;
    const command = value >> 5;
    const irq = value & 7;
    switch (command) {
      case 0:
      case 4:
        s[chip + ROTATE_AUTO_EOI] = command === 4 ? 1 : 0;
        break;
      case 1:
      case 5: {
        let busy = s[chip + ISR];
        if (s[chip + SPECIAL_MASK] !== 0) busy &= ~s[chip + IMR];
        const priority = this.#priority(chip, busy);
        if (priority === 8) break;
        const top = (priority + s[chip + TOP]) & 7;
        s[chip + ISR] &= ~(1 << top);
        if (command === 5) s[chip + TOP] = (top + 1) & 7;
        break;
      }
      case 3:
      case 7:
        s[chip + ISR] &= ~(1 << irq);
        if (command === 7) s[chip + TOP] = (irq + 1) & 7;
        break;
      case 6:
        s[chip + TOP] = (irq + 1) & 7;
        break;
    }
  }
}

const CHIPS = [MASTER, SLAVE] as const;
