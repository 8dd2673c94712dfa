// The two 8259A interrupt controllers, cascaded on the master's IR2, and the edge/level registers at 0x4D0.
import { records, struct, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';

const ChipState = struct({
  irr: u32,
  isr: u32,
  imr: u32,
  /** Levels of the inputs. */
  lines: u32,
  /** Inputs that are level-triggered. */
  elcr: u32,
  /** The vector of input 0. */
  base: u32,
  /** Initialisation step: 0 none, else the number of the ICW that comes next. */
  init: u32,
  needsIcw4: u32,
  readIsr: u32,
  poll: u32,
  /** The input with the highest priority (the one after the lowest of a rotation). */
  top: u32,
  specialMask: u32,
  autoEoi: u32,
  rotateAutoEoi: u32,
  fullyNested: u32,
  single: u32,
  /** All inputs level-triggered (ICW1.LTIM). */
  ltim: u32,
  /** ICW3: the master's inputs with a slave; the slave's number. */
  cascades: u32,
});
type Chip = View<typeof ChipState>;

const PicState = struct({
  /** Master and slave. */
  chips: records(2, ChipState),
  /** The INT pin. */
  output: u32,
});

const CASCADE = 1 << 2;
/** Open: timer, keyboard, cascade, floppy; RTC, mouse, coprocessor, disk. */
const FIRMWARE_MASKS = [0xb8, 0x8e] as const;

export class Pic implements Device {
  readonly name = 'pic';
  readonly #s: View<typeof PicState>;
  readonly #master: Chip;
  readonly #slave: Chip;
  readonly #onOutput: (level: boolean) => void;

  /** `onOutput`: the INT pin of the master changed. */
  constructor(context: DeviceContext, onOutput: (level: boolean) => void) {
    this.#s = context.state(PicState);
    [this.#master, this.#slave] = this.#s.chips;
    this.#onOutput = onOutput;
    context.ports.map(0x20, 2, {
      read: (port) => this.#read(this.#master, port & 1),
      write: (port, _size, value) => this.#write(this.#master, port & 1, value),
    });
    context.ports.map(0xa0, 2, {
      read: (port) => this.#read(this.#slave, port & 1),
      write: (port, _size, value) => this.#write(this.#slave, port & 1, value),
    });
    context.ports.map(0x4d0, 2, {
      read: (port) => (port & 1 ? this.#slave : this.#master).elcr,
      write: (port, _size, value) => {
        // The timer, keyboard, cascade, RTC and coprocessor inputs are always edges.
        (port & 1 ? this.#slave : this.#master).elcr = value & (port & 1 ? 0xde : 0xf8);
        this.#update();
      },
    });
    if (context.isFirst) this.reset();
  }

  /** Sets both interrupt mask registers. */
  mask(master: number, slave: number): void {
    this.#master.imr = master;
    this.#slave.imr = slave;
    this.#update();
  }

  /**
   * As firmware leaves the chips: vectors 0x08 and 0x70, IRQ 9 to 11 (SCI, PCI) level-triggered, and the masks of SeaBIOS: the timer and other
   * lines of a BIOS are open, which kernels count on that move the vectors and put the masks back.
   */
  reset(): void {
    for (const chip of this.#s.chips) {
      const lines = chip.lines;
      clear(chip);
      chip.lines = lines;
      chip.imr = chip === this.#master ? FIRMWARE_MASKS[0] : FIRMWARE_MASKS[1];
      chip.base = chip === this.#master ? 0x08 : 0x70;
      chip.cascades = chip === this.#master ? CASCADE : 2;
    }
    this.#slave.elcr = 0x0e;
    this.#update();
  }

  /** The INT pin. */
  get output(): boolean {
    return this.#s.output !== 0;
  }

  setIrq(line: number, level: boolean): void {
    const chip = line < 8 ? this.#master : this.#slave;
    const bit = 1 << (line & 7);
    const was = chip.lines & bit;
    if (level) {
      chip.lines |= bit;
      if (was === 0) chip.irr |= bit;
    } else {
      chip.lines &= ~bit;
      // A request that was not acknowledged goes with its line, an edge as well (8259A data sheet, "edge and level triggered modes").
      chip.irr &= ~bit;
    }
    if (level !== (was !== 0)) this.#update();
  }

  /** The two INTA cycles: the vector of the highest request, or a spurious one. */
  acknowledge(): number {
    const irq = this.#request(this.#master);
    let vector: number;
    if (irq < 0) {
      vector = this.#master.base | 7;
    } else {
      this.#accept(this.#master, irq);
      vector = this.#master.base | irq;
      if (this.#master.single === 0 && (this.#master.cascades & (1 << irq)) !== 0) vector = this.#acknowledgeSlave(irq);
    }
    this.#update();
    return vector;
  }

  /** The master left the second INTA cycle to the slave with this number; where there is none, nobody drives the bus. */
  #acknowledgeSlave(number: number): number {
    if (this.#slave.cascades !== number) return 0xff;
    const irq = this.#request(this.#slave);
    if (irq >= 0) this.#accept(this.#slave, irq);
    return this.#slave.base | (irq < 0 ? 7 : irq);
  }

  #levelTriggered(chip: Chip): number {
    return chip.ltim !== 0 ? 0xff : chip.elcr;
  }

  /** Input with the highest priority in `bits`, as a distance from the top; 8 for none. */
  #priority(chip: Chip, bits: number): number {
    const top = chip.top;
    const rotated = ((bits >>> top) | (bits << (8 - top))) & 0xff;
    return rotated === 0 ? 8 : 31 - Math.clz32(rotated & -rotated);
  }

  /** The input that the chip asks service for; -1 for none. */
  #request(chip: Chip): number {
    const asked = this.#priority(chip, chip.irr & ~chip.imr);
    if (asked === 8) return -1;
    let busy = chip.isr;
    if (chip.specialMask !== 0) busy &= ~chip.imr;
    const serviced = this.#priority(chip, busy);
    const irq = (asked + chip.top) & 7;
    // Special fully nested mode: a slave in service is not in its own way. (QEMU 7.2 lets all lower inputs pass as well.)
    const nests = chip.fullyNested !== 0 && chip === this.#master && (chip.cascades & (1 << irq)) !== 0;
    return asked < serviced || (nests && asked === serviced) ? irq : -1;
  }

  #accept(chip: Chip, irq: number): void {
    const bit = 1 << irq;
    if (chip.autoEoi !== 0) {
      if (chip.rotateAutoEoi !== 0) chip.top = (irq + 1) & 7;
    } else {
      chip.isr |= bit;
    }
    if ((this.#levelTriggered(chip) & bit) === 0) chip.irr &= ~bit;
  }

  /** Requests follow level-triggered inputs and the cascade; then the INT pins. */
  #update(): void {
    const s = this.#s;
    for (const chip of s.chips) {
      const levels = this.#levelTriggered(chip);
      chip.irr = (chip.irr & ~levels) | (chip.lines & levels);
    }
    if (this.#request(this.#slave) >= 0) this.#master.irr |= CASCADE;
    else this.#master.irr &= ~CASCADE;
    const output = this.#request(this.#master) >= 0 ? 1 : 0;
    if (output !== s.output) {
      s.output = output;
      this.#onOutput(output !== 0);
    }
  }

  #read(chip: Chip, odd: number): number {
    if (chip.poll !== 0) {
      chip.poll = 0;
      const irq = this.#request(chip);
      if (irq < 0) return 0;
      this.#accept(chip, irq);
      this.#update();
      return 0x80 | irq;
    }
    if (odd) return chip.imr;
    return chip.readIsr !== 0 ? chip.isr : chip.irr;
  }

  #write(chip: Chip, odd: number, value: number): void {
    if (odd) this.#writeData(chip, value);
    else if (value & 0x10) this.#writeIcw1(chip, value);
    else if (value & 0x08) {
      if (value & 0x40) chip.specialMask = (value >> 5) & 1;
      if (value & 0x04) chip.poll = 1;
      else if (value & 0x02) chip.readIsr = value & 1;
    } else this.#writeOcw2(chip, value);
    this.#update();
  }

  #writeIcw1(chip: Chip, value: number): void {
    chip.imr = 0;
    chip.isr = 0;
    // Edges seen so far are forgotten; an input must fall and rise again.
    chip.irr = 0;
    chip.top = 0;
    chip.specialMask = 0;
    chip.readIsr = 0;
    chip.poll = 0;
    chip.autoEoi = 0;
    chip.rotateAutoEoi = 0;
    chip.fullyNested = 0;
    chip.needsIcw4 = value & 1;
    chip.single = (value >> 1) & 1;
    chip.ltim = (value >> 3) & 1;
    if (chip === this.#slave) chip.cascades = 7;
    chip.init = 2;
  }

  #writeData(chip: Chip, value: number): void {
    switch (chip.init) {
      case 2:
        chip.base = value & 0xf8;
        chip.init = chip.single === 0 ? 3 : chip.needsIcw4 !== 0 ? 4 : 0;
        break;
      case 3:
        chip.cascades = chip === this.#master ? value : value & 7;
        chip.init = chip.needsIcw4 !== 0 ? 4 : 0;
        break;
      case 4:
        chip.autoEoi = (value >> 1) & 1;
        chip.fullyNested = (value >> 4) & 1;
        chip.init = 0;
        break;
      default:
        chip.imr = value;
    }
  }

  /** End of interrupt and rotation (8259A data sheet, OCW2). */
  #writeOcw2(chip: Chip, value: number): void {
    const command = value >> 5;
    const irq = value & 7;
    switch (command) {
      case 0:
      case 4:
        chip.rotateAutoEoi = command === 4 ? 1 : 0;
        break;
      case 1:
      case 5: {
        let busy = chip.isr;
        if (chip.specialMask !== 0) busy &= ~chip.imr;
        const priority = this.#priority(chip, busy);
        if (priority === 8) break;
        const top = (priority + chip.top) & 7;
        chip.isr &= ~(1 << top);
        if (command === 5) chip.top = (top + 1) & 7;
        break;
      }
      case 3:
      case 7:
        chip.isr &= ~(1 << irq);
        if (command === 7) chip.top = (irq + 1) & 7;
        break;
      case 6:
        chip.top = (irq + 1) & 7;
        break;
    }
  }
}
