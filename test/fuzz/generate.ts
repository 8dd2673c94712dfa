// Random cases from a seed: instructions of all families with operands that mostly work, forward branches into each other, loops
// whose back-edges are guarded by shrinking counters (so that every case ends), string instructions, stack tricks.
import iced from 'iced-x86';
import { decode } from '../../src/decode/decoder.ts';
import { integer, Random } from '../vectors/gen/values.ts';
import { type Case, type CaseMode, type Item, is16, isFlat, modeBits } from './case.ts';
import { type Encoding, FAMILIES, type Family, STRINGS } from './opcodes.ts';
import { COUNTERS, POINTER_PAGES, SELECTORS, stackTop } from './world.ts';

/** What the generator knows of a register. */
type Content = 'pointer' | 'small' | 'any';

const ESP = 4;
/** Leave the world of the case, or are not the same twice; some are made by patterns of their own. */
const BANNED =
  /^(rdtsc|rdtscp|rdmsr|wrmsr|lmsw|hlt|lgdt|lidt|lldt|ltr|iret[dq]?|ret|retf|int|int1|sysenter|sysexit|jmp|call|j[a-z]+|loop(e|ne)?|popf[d]?|invlpg|movs[bwd]|cmps[bwd]|scas[bwd]|lods[bwd]|stos[bwd]|ins[bwd]|outs[bwd])$/;

const total = FAMILIES.reduce((sum, f) => sum + f.weight, 0);
const factory = new iced.InstructionInfoFactory();

const hexOf = (bytes: readonly number[]): string => Buffer.from(bytes).toString('hex');

class Generator {
  private readonly r: Random;
  private readonly mode: CaseMode;
  private readonly items: Item[] = [];
  private readonly content: Content[] = Array<Content>(8).fill('any');
  /** Whether the case changes its own code. */
  private readonly changing: boolean;
  private readonly calling: boolean;
  private counters = 0;
  /** Calls of the two subroutines. */
  private readonly calls: [Item[], Item[]] = [[], []];
  /** First and last item of what ends each loop. */
  private readonly guards: [number, number][] = [];
  /** Favourite families of this case: half of the draws. */
  private readonly favourites: readonly Family[];

  constructor(r: Random, mode: CaseMode) {
    this.r = r;
    this.mode = mode;
    this.changing = this.chance(30);
    this.calling = this.chance(50);
    this.favourites = [this.family(), this.family()];
  }

  chance(percent: number): boolean {
    return this.r.below(100) < percent;
  }
  private family(): Family {
    let n = this.r.below(total);
    return FAMILIES.find((f) => (n -= f.weight) < 0)!;
  }
  /** An address in a page that pointers lead into, often near the page's end. */
  pointer(): number {
    const page = this.r.pick(POINTER_PAGES);
    const low = page === 0xa ? 0x800 : 0;
    const offset = this.chance(25) ? 0xff0 + this.r.below(16) : low + this.r.below(0x1000 - low);
    return page * 0x1000 + (this.chance(50) ? offset & ~15 : offset);
  }
  private little(v: number, bytes: number): number[] {
    return Array.from({ length: bytes }, (_, k) => (v >>> (8 * k)) & 0xff);
  }
  private get wide(): 2 | 4 {
    return is16(this.mode) ? 2 : 4;
  }

  /** Appends an instruction of known bytes. */
  private put(...bytes: number[]): void {
    this.items.push({ hex: hexOf(bytes) });
    this.follow(bytes);
  }
  /** Forgets what is known of the registers that the instruction writes. */
  private follow(bytes: readonly number[]): void {
    const decoder = new iced.Decoder(
      is16(this.mode) ? 16 : 32,
      Uint8Array.from([...bytes, ...Array<number>(15).fill(0)]),
      iced.DecoderOptions.None,
    );
    const x = decoder.decode();
    for (const used of factory.info(x).usedRegisters()) {
      if (!iced.RegisterExt.isGPR(used.register)) continue;
      if (used.access === iced.OpAccess.Read || used.access === iced.OpAccess.CondRead) continue;
      const n = iced.RegisterExt.number(iced.RegisterExt.fullRegister32(used.register));
      if (iced.RegisterExt.size(used.register) > 1 || this.content[n] === 'pointer') this.content[n] = 'any';
    }
    x.free();
    decoder.free();
  }
  /** MOV r32 (r16 in 16-bit code), imm. */
  private set(reg: number, v: number, content: Content): void {
    this.put(0xb8 + reg, ...this.little(v, this.wide));
    this.content[reg] = content;
  }

  private registerWith(content: Content, among: readonly number[]): number | undefined {
    const found = among.filter((n) => this.content[n] === content);
    return found.length === 0 ? undefined : this.r.pick(found);
  }
  private pointerIn(among: readonly number[]): number {
    const known = this.registerWith('pointer', among);
    if (known !== undefined && !this.chance(10)) return known;
    if (this.chance(4)) return this.r.pick(among);
    const reg = this.r.pick(among);
    this.set(reg, this.pointer(), 'pointer');
    return reg;
  }

  /** ModRM, SIB and displacement of a memory operand. May append instructions that set its registers. */
  private memory(reg: number, wide: 2 | 4): number[] {
    const { r } = this;
    const displacement = (): [number, number[]] => {
      if (this.chance(30)) return [0, []];
      if (this.chance(70)) return [0x40, [r.below(256)]];
      return [0x80, this.little(r.below(0x200) - 0x100, wide)];
    };
    if (wide === 2) {
      if (this.chance(25)) return [(reg << 3) | 6, ...this.little(this.pointer(), 2)];
      const [mod, d] = displacement();
      const base = this.pointerIn([3, 5, 6, 7]);
      const rm = base === 6 ? r.pick([4, 0, 2]) : base === 7 ? r.pick([5, 1, 3]) : base === 3 ? r.pick([7, 0, 1]) : 6;
      if (rm === 6 && mod === 0) return [0x46 | (reg << 3), 0];
      return [mod | (reg << 3) | rm, ...d];
    }
    if (this.chance(25)) return [(reg << 3) | 5, ...this.little(this.pointer(), 4)];
    const index = this.registerWith('small', [0, 1, 2, 3, 5, 6, 7]);
    if (index !== undefined && this.chance(30))
      return [(reg << 3) | 4, (r.below(4) << 6) | (index << 3) | 5, ...this.little(this.pointer(), 4)];
    if (this.chance(6)) return [0x44 | (reg << 3), 0x24, r.below(64)];
    const base = this.pointerIn([0, 1, 2, 3, 5, 6, 7]);
    const [mod, d] = displacement();
    if (index !== undefined && this.chance(50)) {
      const sib = (r.below(4) << 6) | (index << 3) | base;
      return base === 5 && mod === 0 ? [0x44 | (reg << 3), sib, 0] : [mod | (reg << 3) | 4, sib, ...d];
    }
    return base === 5 && mod === 0 ? [0x45 | (reg << 3), 0] : [mod | (reg << 3) | base, ...d];
  }

  /** One instruction of an encoding; false where it came out as nothing that can be run. */
  private encode(e: Encoding): boolean {
    const { r } = this;
    const word = this.chance(is16(this.mode) ? 40 : 12);
    const half = this.chance(is16(this.mode) ? 25 : 4);
    const opsize = is16(this.mode) !== word ? 2 : 4;
    const addrsize = is16(this.mode) !== half ? 2 : 4;
    const prefixes: number[] = [];
    const before = this.items.length;
    const content = [...this.content];
    const inMemory = e.modrm === 'mem' || (e.modrm === 'any' && this.chance(50));
    if (e.lock && inMemory && this.chance(15)) prefixes.push(0xf0);
    if (this.chance(isFlat(this.mode) ? 6 : 20)) prefixes.push(r.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
    if (word && e.prefix === undefined) prefixes.push(0x66);
    if (half) prefixes.push(0x67);
    if (e.prefix !== undefined) prefixes.push(e.prefix);
    else if (this.chance(1)) prefixes.push(r.pick([0xf2, 0xf3]));
    const reg = e.ext ?? r.below(8);
    const tail: number[] = [];
    if (inMemory) tail.push(...this.memory(reg, addrsize));
    else if (e.modrm !== undefined) tail.push(0xc0 | (reg << 3) | r.below(8));
    for (const imm of e.imm ?? []) {
      if (imm === 'a') tail.push(...this.little(this.pointer(), addrsize));
      else if (imm === 'z') tail.push(...this.little(integer(r, opsize === 2 ? 16 : 32), opsize));
      else tail.push(...this.little(integer(r, imm === 1 ? 8 : 16) & (imm === 2 ? 0x3f : 0xff), imm));
    }
    const bytes = [...prefixes, ...e.opcode, ...tail];
    if (bytes.length <= 15 && this.acceptable(bytes)) {
      this.put(...bytes);
      return true;
    }
    this.items.length = before;
    content.forEach((c, i) => {
      this.content[i] = c;
    });
    return false;
  }

  private acceptable(bytes: readonly number[]): boolean {
    const padded = new Uint8Array(16);
    padded.set(bytes);
    const x = decode(padded, 0, modeBits(this.mode));
    if (x.spec === undefined) return this.chance(1);
    if (x.length !== bytes.length || BANNED.test(x.form.mnemonic)) return false;
    // Control and debug registers are only read; ESP stays near its stack.
    const to = x.form.ops[0];
    if (to?.kind === 'cr' || to?.kind === 'dr') return false;
    if (to?.kind === 'r' && x.values[0] === ESP && to.size > 1 && !/^(cmp|test|push|bt)$/.test(x.form.mnemonic)) return this.chance(3);
    if (x.form.mnemonic === 'mov' && to?.kind === 'sr') return this.chance(30);
    return true;
  }

  /** One random instruction. */
  private one(balanced = false): void {
    for (let tries = 0; tries < 50; tries++) {
      const family = this.chance(50) ? this.r.pick(this.favourites) : this.family();
      if (balanced && family.name === 'stack') continue;
      if (this.encode(this.r.pick(family.encodings))) return;
    }
    this.put(0x90);
  }

  private branch(to: number): void {
    const { r } = this;
    const n = r.below(24);
    if (n < 10) this.items.push({ hex: hexOf([0x70 + r.below(16)]), how: 'rel8', to });
    else if (n < 20) this.items.push({ hex: hexOf([0x0f, 0x80 + r.below(16)]), how: 'rel', to });
    else {
      this.items.push({ hex: hexOf([...(this.chance(20) ? [0x67] : []), 0xe0 + r.below(4)]), how: 'rel8', to });
      if (this.content[1] !== 'small') this.content[1] = 'any';
    }
  }

  /** A call, direct or through a register, of a subroutine that subroutines() appends. */
  private call(): void {
    const { r } = this;
    const item: Item = { hex: 'e8', how: 'rel', to: 0 };
    if (this.chance(30)) {
      const reg = r.pick([0, 1, 2, 3, 5, 6, 7]);
      Object.assign(item, { hex: hexOf([0xb8 + reg]), how: 'abs' });
      this.items.push(item);
      this.content[reg] = 'any';
      this.put(0xff, 0xd0 | reg);
    } else this.items.push(item);
    this.calls[r.below(2)].push(item);
  }

  /** The subroutines that were called, behind the rest. */
  private subroutines(): void {
    const over: Item = { hex: 'e9', how: 'rel', to: 0 };
    if (this.calls.every((list) => list.length === 0)) return;
    this.items.push(over);
    for (const list of this.calls) {
      if (list.length === 0) continue;
      for (const item of list) item.to = this.items.length;
      for (let n = this.r.below(5); n > 0; n--) this.one(true);
      this.put(0xc3);
    }
    over.to = this.items.length;
  }

  /** Unconditional ways on: JMP, CALL, PUSH and RET, indirect ones. */
  private transfer(to: number): void {
    const { r } = this;
    const n = r.below(8);
    const target = { how: 'abs', to } as const;
    if (n < 2) this.items.push({ hex: n === 0 ? 'eb' : 'e9', how: n === 0 ? 'rel8' : 'rel', to });
    else if (n < 4) this.items.push({ hex: 'e8', how: 'rel', to });
    else if (n < 6) {
      this.items.push({ hex: '68', ...target });
      if (n === 4) this.put(0xc3);
      else this.put(0xc2, r.below(4) * 4, 0);
    } else {
      const reg = r.pick([0, 1, 2, 3, 5, 6, 7]);
      this.items.push({ hex: hexOf([0xb8 + reg]), ...target });
      this.content[reg] = 'any';
      this.put(0xff, (n === 6 ? 0xe0 : 0xd0) | reg);
    }
  }

  private string(): void {
    const { r } = this;
    if (this.chance(90)) this.set(6, this.pointer(), 'pointer');
    if (this.chance(90)) this.set(7, this.pointer(), 'pointer');
    const rep = this.chance(70);
    if (rep) {
      this.set(1, r.pick([0, 1, 2, 3, 5, 8, 16, 31]), 'small');
      if (!is16(this.mode) && this.chance(5)) this.set(1, 0x400, 'small');
    }
    if (this.chance(20)) this.put(this.chance(50) ? 0xfd : 0xfc);
    const prefixes: number[] = [];
    if (rep) prefixes.push(r.pick([0xf2, 0xf3]));
    if (this.chance(15)) prefixes.push(0x66);
    if (this.chance(15)) prefixes.push(0x67);
    if (this.chance(15)) prefixes.push(r.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
    this.put(...prefixes, r.pick(STRINGS.slice(0, this.chance(8) ? undefined : 10)));
    if (this.chance(60)) this.content[6] = this.content[7] = 'pointer';
  }

  /** A store into the immediate of a MOV register, immediate: an earlier one (of a loop), or one that soon follows. */
  private changeCode(): void {
    const { r } = this;
    const operand = is16(this.mode) ? 6 : 5;
    const [opcode, reg] = r.pick([
      [0xfe, 0],
      [0xfe, 1],
      [0xf6, 2],
      [0xd0, 4],
      [0x88, 0],
      [0x89, 2],
      [0x31, 1],
    ] as const);
    const moves = this.items.flatMap((item, i) =>
      item.how === undefined && /^b[89abdef]/.test(item.hex) && item.hex.length === 2 + 2 * this.wide ? [i] : [],
    );
    const store: Item = { hex: hexOf([0x26, opcode, (reg << 3) | operand]), how: 'alias', to: 0 };
    this.items.push(store);
    if (moves.length > 0 && this.chance(50)) {
      store.to = r.pick(moves);
      return;
    }
    for (let n = r.below(3); n > 0; n--) this.one();
    this.set(r.pick([0, 1, 2, 3, 5, 6, 7]), r.u32(), 'any');
    store.to = this.items.length - 1;
  }

  private special(): void {
    const { r } = this;
    const immediate = (v: number) => this.put(0x68, ...this.little(v, this.wide));
    switch (r.below(5)) {
      case 0:
        // POPF with flags of our choice.
        immediate(2 | (r.u32() & 0x8d5) | (this.chance(20) ? 0x400 : 0) | (this.chance(4) ? 0x100 : 0) | (this.chance(20) ? 0x240200 : 0));
        return this.put(0x9d);
      case 1:
        // A division that mostly succeeds.
        this.put(...(is16(this.mode) ? [] : this.chance(20) ? [0x66] : []), 0x99);
        return this.put(0xf7, 0xf8 | r.pick([1, 3, 6, 7]));
      case 2:
        this.set(0, r.pick(SELECTORS), 'small');
        return this.put(0x8e, 0xc0 | (r.pick([0, 3, 4, 5]) << 3));
      case 3:
        this.set(r.pick([0, 1, 2]), r.below(9), 'small');
        return;
      default:
        // A small number without a constant: AND reg, 7.
        this.put(0x83, 0xe0 | r.pick([0, 1, 2]), 7);
    }
  }

  /** The word that guards a back-edge, as operand bytes with its segment prefix. */
  private counter(n: number, opcode: number[], reg: number, imm: number[]): number[] {
    const address = this.little(COUNTERS + n * 4, this.wide);
    return [0x26, ...opcode, (reg << 3) | (is16(this.mode) ? 6 : 5), ...address, ...imm];
  }

  make(length: number): Item[] {
    const { r } = this;
    const loops: { start: number; counter: number; left: number }[] = [];
    for (let n = 0; n < length; n++) {
      const ahead = () => this.items.length + 2 + r.below(6);
      const kind = r.below(100);
      if (kind < 9) this.branch(ahead());
      else if (kind < 11) this.transfer(ahead());
      else if (kind < 15) this.string();
      else if (kind < 19) this.special();
      else if (kind < 20 && this.changing) this.changeCode();
      else if (kind < 23 && this.calling) this.call();
      else if (kind < 25 && loops.length < 2 && this.counters < 4) {
        const counter = this.counters++;
        if (this.chance(90)) this.put(...this.counter(counter, [0xc7], 0, this.little(r.pick([1, 2, 4, 9, 0x21]), this.wide)));
        loops.push({ start: this.items.length, counter, left: 1 + r.below(8) });
      } else if (kind < 28 && !is16(this.mode)) this.walk();
      else this.one();
      const loop = loops.at(-1);
      if (loop !== undefined && loop.left-- <= 0) this.close(loops.pop()!);
    }
    while (loops.length > 0) this.close(loops.pop()!);
    this.subroutines();
    return this.items.map((item, i) => {
      if (item.to === undefined || item.to <= i) return item;
      // Nothing leads between a counter's decrement and the back-edge that it guards.
      const guard = this.guards.find(([from, to]) => item.to! > from && item.to! <= to && !(i >= from && i <= to));
      return { ...item, to: Math.min(guard?.[0] ?? item.to, this.items.length) };
    });
  }

  /** A loop of a known number of passes through memory: addresses that grow evenly, stand still, or are kept in a range. */
  private walk(): void {
    const { r } = this;
    const regs = [0, 1, 2, 3, 5, 6, 7];
    const take = () => regs.splice(r.below(regs.length), 1)[0]!;
    // ModRM with byte registers must name AL, CL, DL or BL.
    const value = r.below(4);
    regs.splice(regs.indexOf(value), 1);
    const [pointer, counter, index, step] = [take(), take(), take(), take()] as const;
    const start = this.items.length;
    this.set(pointer, this.pointer(), 'pointer');
    this.set(index, r.below(this.chance(80) ? 64 : 5000), 'small');
    this.set(step, r.pick([1, 2, 3, 4, 5, 8, 12, 64, 100, 1000, 4096, 5000, 0, 0xfffffffc]), 'small');
    this.put(0xc7, 0xc0 + counter, ...this.little(1 + r.below(r.pick([4, 40, 700])), 4));
    const first = this.items.length;
    const memory = (reg: number): number[] => {
      const small = r.below(256);
      const far = this.little(this.pointer() & ~0xff, 4);
      switch (r.below(7)) {
        case 0:
          return [0x84 | (reg << 3), (index << 3) | pointer, ...this.little(r.below(0x200) - 0x100, 4)];
        case 1:
          return [4 | (reg << 3), (r.below(4) << 6) | (index << 3) | 5, ...far];
        case 2:
          return [4 | (reg << 3), (r.below(4) << 6) | (pointer << 3) | 5, ...this.little(this.chance(80) ? 0 : r.below(4096), 4)];
        case 3:
          return [5 | (reg << 3), ...far];
        case 4:
          return [0x40 | (reg << 3) | step, small];
        default:
          return [0x40 | (reg << 3) | pointer, this.chance(50) ? small & 0x1c : small];
      }
    };
    let advanced = false;
    for (let n = 2 + r.below(5); n > 0 || !advanced; n--) {
      switch (n <= 0 ? 7 : r.below(11)) {
        case 0:
        case 1:
          this.put(r.pick([0x8b, 0x03, 0x33, 0x13, 0x8a, 0x3b]), ...memory(value));
          break;
        case 2:
        case 3:
          this.put(r.pick([0x89, 0x01, 0x88, 0x30, 0x31, 0x11]), ...memory(value));
          break;
        case 4:
          this.put(0x0f, r.pick([0xb6, 0xb7, 0xbe]), ...memory(this.chance(30) ? index : value));
          break;
        case 5:
          this.put(0x83, 0xe0 | index, r.pick([0x3f, 7, 0x70]));
          break;
        case 6:
          this.put(r.pick([0x01, 0x31, 0x29, 0x11]), 0xc0 | (r.pick([index, pointer, step]) << 3) | value);
          break;
        case 8:
          // Over the next instruction, on what the flags say.
          if (this.chance(50)) this.put(0x85, 0xc0 | (value << 3) | index);
          this.items.push({ hex: hexOf([0x70 + r.below(16)]), how: 'rel8', to: this.items.length + 2 });
          this.put(r.pick([0x40, 0x48]) + r.pick([index, value]));
          break;
        case 9:
          this.put(r.pick([0x40, 0x48]) + index);
          break;
        default:
          advanced = true;
          switch (r.below(4)) {
            case 0:
              this.put(0x83, (this.chance(80) ? 0xc0 : 0xe8) | pointer, r.pick([1, 2, 4, 4, 8, 16, 3, 0x7f, 0xfc]));
              break;
            case 1:
              this.put(0x01, 0xc0 | (step << 3) | pointer);
              break;
            case 2:
              this.put(0x8d, 0x40 | (pointer << 3) | pointer, r.below(256));
              break;
            default:
              this.put(r.pick([0x40, 0x48]) + pointer);
          }
      }
    }
    this.put(0x48 + counter);
    this.items.push({ hex: '0f85', how: 'rel', to: first });
    this.guards.push([start, this.items.length - 1]);
  }

  /** SHR counter, 1; JZ out; something; a branch back; out. */
  private close(loop: { start: number; counter: number }): void {
    const guard = this.items.length;
    this.put(...this.counter(loop.counter, [0xd1], 5, []));
    const exit: Item = { hex: '0f84', how: 'rel' };
    this.items.push(exit);
    const plainly = this.chance(60);
    if (!plainly) this.one();
    if (plainly || this.chance(30)) this.items.push({ hex: 'e9', how: 'rel', to: loop.start });
    else this.items.push({ hex: hexOf([0x0f, 0x80 + this.r.below(16)]), how: 'rel', to: loop.start });
    this.guards.push([guard, this.items.length - 1]);
    exit.to = this.items.length;
  }

  initial(): number[] {
    const { r } = this;
    return Array.from({ length: 8 }, (_, n) => {
      if (n === ESP) {
        const depth = this.chance(10) ? r.below(12) : 0x100 + r.below(0xc00);
        return (stackTop(this.mode, this.chance(90) ? depth & ~3 : depth) | (is16(this.mode) && this.chance(30) ? 0x50000 : 0)) >>> 0;
      }
      const kind = r.below(10);
      if (kind < 4) {
        this.content[n] = 'pointer';
        return this.pointer();
      }
      if (kind < 6) {
        this.content[n] = 'small';
        return r.below(16);
      }
      return integer(r, 32);
    });
  }
}

/** The case of a seed. */
export function generate(seed: number): Case {
  const r = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b);
  for (let i = 0; i < 4; i++) r.u32();
  const mode = r.pick(['flat', 'flat', 'flat', 'user', 'segments', 'user-segments', 'code16'] as const);
  const g = new Generator(r, mode);
  const gpr = g.initial();
  const length = r.pick([3, 5, 8, 12, 20, 40]);
  return {
    mode,
    start: g.chance(25) ? 0xfc0 + r.below(0x40) : r.below(0x400) + (g.chance(40) ? 0x1000 : 0),
    seed,
    gpr,
    eflags: 2 | (r.u32() & 0x8d5) | (g.chance(10) ? 0x400 : 0),
    mxcsr: (g.chance(90) ? 0x1f80 : 0x1f80 & ~(r.below(64) << 7)) | (g.chance(25) ? r.below(4) << 13 : 0),
    fcw: (g.chance(90) ? 0x37f : 0x37f & ~r.below(64)) | (g.chance(25) ? r.below(4) << 10 : 0),
    fsw: r.below(8) << 11,
    ftw: g.chance(50) ? 0xff : r.below(256),
    items: g.make(length),
  };
}
