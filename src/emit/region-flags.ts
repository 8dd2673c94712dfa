// Guest registers and flags of a region, in locals. The last operation that set flags is kept as it is, over the edges between
// blocks too (passes/flag-shapes.ts); the flag words are made where somebody looks.
import { effectsOf, isCall, keepsCarry, type Op } from '../ir/operations.ts';
import type { FlagKind } from '../ir/types.ts';
import { Cpu, GPR_STRIDE } from '../layout/cpu.ts';
import { agrees, type Place, type Places, placesOf, type Shape } from '../passes/flag-shapes.ts';
import { AccessLowering } from './access.ts';
import { type PendingFlags, wordR, wordX } from './flags.ts';
import type { Emitter, Expr } from './module.ts';

export const GPRS = 8;
export const FIRST_REG = 2;
export const FLAG_R = FIRST_REG + GPRS;
export const FLAG_X = FLAG_R + 1;
/** Inputs and result of the operation whose flags are carried over block edges, and whether they are (see passes/flag-shapes.ts). */
const CARRIED_A = FLAG_X + 1;
const CARRIED_B = CARRIED_A + 1;
const CARRIED_R = CARRIED_B + 1;
const CARRIED = { a: CARRIED_A, b: CARRIED_B, r: CARRIED_R } as const;
const CARRIES = CARRIED_R + 1;
export const FIRST_TEMP = CARRIES + 1;

export abstract class RegionFlags extends AccessLowering {
  protected override readonly lazyFlags = true;
  /** Registers that the region reads and writes at all. */
  protected readonly used = new Set<number>();
  protected readonly written = new Set<number>();
  /** Registers that may differ from memory at this point, a bit for each. */
  protected dirty = 0;
  protected isDirty(reg: number): boolean {
    return (this.dirty & (1 << reg)) !== 0;
  }
  protected usesFlags = false;
  protected writesFlags = false;
  protected shapes: ReadonlyMap<number, Shape> = new Map();
  private pending: PendingFlags | undefined;
  /** What `pending` was at the start of the block: the carried operation. */
  private entered: PendingFlags | undefined;
  private places: Record<'a' | 'b' | 'r', Place> | undefined;
  /** The operation whose words were last made on the way here. */
  private made: PendingFlags | undefined;

  constructor(e: Emitter) {
    super(e, FIRST_TEMP);
  }

  /** Which registers and flags the region touches at all. */
  protected census(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.kind === 'get') this.used.add(op.reg);
      else if (op.kind === 'set') this.written.add(op.reg);
      else if (op.kind === 'flags' || op.kind === 'setRX') this.writesFlags = true;
      else if (op.kind === 'cond' || op.kind === 'flagR' || op.kind === 'flagX') this.usesFlags = true;
      else if (isCall(op)) {
        const { flags } = effectsOf(op);
        if (flags === 'w' || flags === 'rw') this.writesFlags = true;
      }
    }
  }

  /** Stores what may differ from memory here (or, where many ways meet, anywhere); flag words must be current in their locals. */
  protected spill(anywhere = false): Expr[] {
    const regs = [...this.written].filter((reg) => anywhere || this.isDirty(reg));
    const out = regs.map((reg) => this.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.get(FIRST_REG + reg)));
    if (this.writesFlags) out.push(this.storeCpu(Cpu.at.flagR, this.get(FLAG_R)), this.storeCpu(Cpu.at.flagX, this.get(FLAG_X)));
    return out;
  }

  /** Makes the flag words' locals current. */
  protected settle(): Expr[] {
    const p = this.pending;
    if (p === undefined) return [];
    const x = wordX(this.m, p, () => this.get(FLAG_X));
    const make = [this.m.local.set(FLAG_X, x), this.m.local.set(FLAG_R, wordR(this.m, p))];
    return p.unless === undefined ? make : [this.m.if(this.get(p.unless), this.m.block(null, make))];
  }

  /** Makes the flag words on the way, for somebody who reads them; the operation stays known. */
  private make(): void {
    if (this.pending === undefined || this.made === this.pending) return;
    for (const e of this.settle()) this.emit(e);
    this.made = this.pending;
  }

  /** The flags as a block finds them. */
  protected enter(shape: Shape): void {
    this.made = undefined;
    this.entered = undefined;
    this.places = undefined;
    if (typeof shape !== 'string') {
      const { flag, width, maybe } = shape;
      this.places = { ...placesOf(shape) };
      const at = (k: 'a' | 'b' | 'r') => () => this.carried(flag, k);
      this.entered = { flag, width, a: at('a'), b: at('b'), r: at('r'), ...(maybe ? { unless: CARRIES } : {}) };
    }
    this.pending = this.entered;
  }

  /** An input or the result of the operation that the block was entered with. */
  private carried(flag: FlagKind, k: 'a' | 'b' | 'r'): Expr {
    const { m } = this;
    const place = this.places![k];
    const other = (n: 'a' | 'b' | 'r') => this.carried(flag, n);
    if (place === 'local') return this.get(CARRIED[k]);
    if (place === 'unused') throw new Error(`${flag} has no ${k}`);
    if (place !== 'derived') return 'reg' in place ? this.getRegister(place.reg) : this.c(place.value);
    const sum = flag === 'add' ? 'r' : 'a';
    if (k === sum) return m.i32.add(other('b'), other(sum === 'r' ? 'a' : 'r'));
    return m.i32.sub(other(sum), other(k === 'b' ? (sum === 'r' ? 'a' : 'r') : 'b'));
  }

  /** Before a register changes: what the carried operation has there goes into its local. */
  protected keepCarried(reg: number): void {
    const { places } = this;
    if (places === undefined || this.pending !== this.entered) return;
    for (const k of ['a', 'b', 'r'] as const) {
      const place = places[k];
      if (typeof place !== 'object' || !('reg' in place) || place.reg !== reg) continue;
      this.emit(this.m.local.set(CARRIED[k], this.getRegister(reg)));
      places[k] = 'local';
    }
  }

  /** Leaves the flags as the blocks want them that follow; `out` is what is known of them here. */
  protected carry(out: Shape, next: readonly number[]): void {
    const shapes = next.map((to) => this.shapes.get(to)!).filter((shape) => shape !== 'dead');
    const { m, pending } = this;
    const wanted = shapes.filter((shape) => shape !== 'words');
    const fits = wanted.filter((shape) => pending !== undefined && agrees(out, shape));
    const words = fits.length < shapes.length;
    if (words) this.make();
    for (const shape of fits) {
      const places: Places = placesOf(shape);
      for (const k of ['a', 'b', 'r'] as const)
        if (places[k] === 'local' && !(pending === this.entered && this.places![k] === 'local'))
          this.emit(m.local.set(CARRIED[k], pending![k]()));
    }
    if (!wanted.some((shape) => shape.maybe)) return;
    if (fits.length < wanted.length) this.emit(m.local.set(CARRIES, this.c(0)));
    else if (pending!.unless === undefined) this.emit(m.local.set(CARRIES, this.c(1)));
  }

  protected getRegister(reg: number): Expr {
    return this.get(FIRST_REG + reg);
  }
  protected setRegister(reg: number, v: Expr): void {
    this.keepCarried(reg);
    this.dirty |= 1 << reg;
    this.emit(this.m.local.set(FIRST_REG + reg, v));
  }
  private settled(local: number): Expr {
    this.make();
    return this.get(local);
  }
  protected flagR(): Expr {
    return this.settled(FLAG_R);
  }
  protected flagX(): Expr {
    return this.settled(FLAG_X);
  }
  protected setFlagWords(r: Expr, x: Expr): void {
    this.pending = undefined;
    // Both before either is stored: they may read the old words.
    const keep = this.locals.take();
    this.emit(this.m.local.set(keep, r));
    this.emit(this.m.local.set(FLAG_X, x));
    this.emit(this.m.local.set(FLAG_R, this.get(keep)));
    this.locals.free(keep);
  }
  protected setFlags(p: PendingFlags): void {
    // They keep CF, which is looked for in the words.
    if (keepsCarry(p.flag) && !(this.pending !== undefined && keepsCarry(this.pending.flag))) this.make();
    this.pending = p;
  }
  protected pendingFlags(): PendingFlags | undefined {
    return this.pending?.unless === undefined ? this.pending : undefined;
  }

  /** The words are current, and nothing else is known: a helper reads or writes them. */
  protected settleWords(): void {
    for (const e of this.settle()) this.emit(e);
    this.pending = undefined;
  }
}
