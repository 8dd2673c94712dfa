// Guest registers and flags of a region, in locals. The last operation that set flags is kept as it is, over the edges between
// blocks too (passes/flag-shapes.ts); the flag words are made where somebody looks.
import { effectsOf, isCall, keepsCarry, type Op } from '../../ir/operations.ts';
import type { FlagKind } from '../../ir/types.ts';
import { CODE_GPRS, Cpu, GPR_STRIDE } from '../../layout/cpu.ts';
import { vectorBit } from '../../passes/dirty-registers.ts';
import { agrees, type Place, type Places, placesOf, type Shape } from '../../passes/flag-shapes.ts';
import { type PendingFlags, wordR, wordX } from '../lower/flags.ts';
import type { FunctionCode } from '../lower/function.ts';
import type { TargetFlags } from '../lower/target.ts';
import { type Expr, v128 } from '../module.ts';

export const FIRST_REG = 2;
export const FLAG_R = FIRST_REG + CODE_GPRS;
export const FLAG_X = FLAG_R + 1;
/** Inputs and result of the operation whose flags are carried over block edges, and whether they are (see passes/flag-shapes.ts). */
const CARRIED_A = FLAG_X + 1;
const CARRIED_B = CARRIED_A + 1;
const CARRIED_R = CARRIED_B + 1;
const CARRIED = { a: CARRIED_A, b: CARRIED_B, r: CARRIED_R } as const;
const CARRIES = CARRIED_R + 1;
export const FIRST_TEMP = CARRIES + 1;

const NOTHING: readonly Expr[] = [];

export class RegionState implements TargetFlags {
  private readonly f: FunctionCode;
  /** Registers that the region reads and writes at all. */
  readonly used = new Set<number>();
  readonly written = new Set<number>();
  /** Locals of the xmm registers that it has in such, by number; those that it writes. */
  private readonly vectors = new Map<number, number>();
  private readonly writtenVectors = new Set<number>();
  /** Registers that may differ from memory at this point, a bit for each. */
  dirty = 0;
  isDirty(reg: number): boolean {
    return (this.dirty & (1 << reg)) !== 0;
  }
  usesFlags = false;
  writesFlags = false;
  shapes: ReadonlyMap<number, Shape> = new Map();
  private pending: PendingFlags | undefined;
  /** What makes its words, which many places share; until it changes, or where it is found. */
  private making: readonly Expr[] | undefined;
  private readonly spills = new Map<number, readonly Expr[]>();
  /** What `pending` was at the start of the block: the carried operation. */
  private entered: PendingFlags | undefined;
  private places: Record<'a' | 'b' | 'r', Place> | undefined;
  /** The operation whose words were last made on the way here. */
  private made: PendingFlags | undefined;

  constructor(f: FunctionCode) {
    this.f = f;
  }

  /** Which registers and flags the region touches at all. */
  census(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.kind === 'get') this.used.add(op.reg);
      else if (op.kind === 'set') this.written.add(op.reg);
      else if (op.kind === 'getx' || op.kind === 'setx') {
        if (!this.vectors.has(op.xmm)) this.vectors.set(op.xmm, this.f.locals.take(v128));
        if (op.kind === 'setx') this.writtenVectors.add(op.xmm);
      } else if (op.kind === 'flags' || op.kind === 'setRX') this.writesFlags = true;
      else if (op.kind === 'cond' || op.kind === 'flagR' || op.kind === 'flagX') this.usesFlags = true;
      else if (isCall(op)) {
        const { flags } = effectsOf(op);
        if (flags === 'w' || flags === 'rw') this.writesFlags = true;
      }
    }
  }

  /** Stores what may differ from memory here (or, where many ways meet, anywhere); flag words must be current in their locals. */
  spill(anywhere = false): readonly Expr[] {
    const which = anywhere ? ~0 : this.dirty;
    const known = this.spills.get(which);
    if (known !== undefined) return known;
    const out: Expr[] = [];
    for (const reg of this.written)
      if ((which & (1 << reg)) !== 0) out.push(this.f.storeCpu(Cpu.at.gpr + reg * GPR_STRIDE, this.f.get(FIRST_REG + reg)));
    out.push(...this.storeVectors(which));
    if (this.writesFlags) out.push(this.f.storeCpu(Cpu.at.flagR, this.f.get(FLAG_R)), this.f.storeCpu(Cpu.at.flagX, this.f.get(FLAG_X)));
    this.spills.set(which, out);
    return out;
  }

  /** Stores the xmm registers in a set. */
  storeVectors(which: number): Expr[] {
    const changed = [...this.writtenVectors].filter((xmm) => (which & vectorBit(xmm)) !== 0);
    return changed.map((xmm) => this.f.rawStore(16, Cpu.at.xmm + xmm * 16, this.f.cpu(), this.vector(xmm), 'v128'));
  }
  loadVectors(): Expr[] {
    return [...this.vectors].map(([xmm, local]) =>
      this.f.m.local.set(local, this.f.rawLoad('v128', 16, false, Cpu.at.xmm + xmm * 16, this.f.cpu())),
    );
  }
  vector(xmm: number): Expr {
    return this.f.get(this.vectors.get(xmm)!, v128);
  }
  setVector(xmm: number, v: Expr): void {
    this.dirty |= vectorBit(xmm);
    this.f.emit(this.f.m.local.set(this.vectors.get(xmm)!, v));
  }

  /** Makes the flag words' locals current. */
  materialize(): readonly Expr[] {
    return this.pending === undefined ? NOTHING : (this.making ??= this.makeWords(this.pending));
  }
  private makeWords(p: PendingFlags): readonly Expr[] {
    const x = wordX(this.f.m, p, () => this.f.get(FLAG_X));
    const make = [this.f.m.local.set(FLAG_X, x), this.f.m.local.set(FLAG_R, wordR(this.f.m, p))];
    return p.unless === undefined ? make : [this.f.m.if(this.f.get(p.unless), this.f.m.block(null, make))];
  }

  private become(p: PendingFlags | undefined): void {
    this.pending = p;
    this.making = undefined;
  }

  /** Makes the flag words on the way, for somebody who reads them; the operation stays known. */
  private make(): void {
    if (this.pending === undefined || this.made === this.pending) return;
    for (const e of this.materialize()) this.f.emit(e);
    this.made = this.pending;
  }

  /** The flags as a block finds them. */
  enter(shape: Shape): void {
    this.made = undefined;
    this.entered = undefined;
    this.places = undefined;
    if (typeof shape !== 'string') {
      const { flag, width, maybe } = shape;
      this.places = { ...placesOf(shape) };
      const at = (k: 'a' | 'b' | 'r') => () => this.carried(flag, k);
      this.entered = { flag, width, a: at('a'), b: at('b'), r: at('r'), ...(maybe ? { unless: CARRIES } : {}) };
    }
    this.become(this.entered);
  }

  /** An input or the result of the operation that the block was entered with. */
  private carried(flag: FlagKind, k: 'a' | 'b' | 'r'): Expr {
    const { m } = this.f;
    const place = this.places![k];
    const other = (n: 'a' | 'b' | 'r') => this.carried(flag, n);
    if (place === 'local') return this.f.get(CARRIED[k]);
    if (place === 'unused') throw new Error(`${flag} has no ${k}`);
    if (place !== 'derived') return 'reg' in place ? this.getRegister(place.reg) : this.f.c(place.value);
    const sum = flag === 'add' ? 'r' : 'a';
    if (k === sum) return m.i32.add(other('b'), other(sum === 'r' ? 'a' : 'r'));
    return m.i32.sub(other(sum), other(k === 'b' ? (sum === 'r' ? 'a' : 'r') : 'b'));
  }

  /** Before a register changes: what the carried operation has there goes into its local. */
  keepCarried(reg: number): void {
    const { places } = this;
    if (places === undefined || this.pending !== this.entered) return;
    for (const k of ['a', 'b', 'r'] as const) {
      const place = places[k];
      if (typeof place !== 'object' || !('reg' in place) || place.reg !== reg) continue;
      this.f.emit(this.f.m.local.set(CARRIED[k], this.getRegister(reg)));
      places[k] = 'local';
      this.making = undefined;
    }
  }

  /** Leaves the flags as the blocks want them that follow; `out` is what is known of them here. */
  carry(out: Shape, next: readonly number[]): void {
    const shapes = next.map((to) => this.shapes.get(to)!).filter((shape) => shape !== 'dead');
    const { m } = this.f;
    const { pending } = this;
    const wanted = shapes.filter((shape) => shape !== 'words');
    const fits = wanted.filter((shape) => pending !== undefined && agrees(out, shape));
    const words = fits.length < shapes.length;
    if (words) this.make();
    for (const shape of fits) {
      const places: Places = placesOf(shape);
      for (const k of ['a', 'b', 'r'] as const)
        if (places[k] === 'local' && !(pending === this.entered && this.places![k] === 'local'))
          this.f.emit(m.local.set(CARRIED[k], pending![k]()));
    }
    if (!wanted.some((shape) => shape.maybe)) return;
    if (fits.length < wanted.length) this.f.emit(m.local.set(CARRIES, this.f.c(0)));
    else if (pending!.unless === undefined) this.f.emit(m.local.set(CARRIES, this.f.c(1)));
  }

  getRegister(reg: number): Expr {
    return this.f.get(FIRST_REG + reg);
  }
  setRegister(reg: number, v: Expr): void {
    this.f.emit(this.f.m.local.set(this.registerToSet(reg), v));
  }
  /** The local of a register, which is set next. */
  registerToSet(reg: number): number {
    this.keepCarried(reg);
    this.dirty |= 1 << reg;
    return FIRST_REG + reg;
  }
  private materialized(local: number): Expr {
    this.make();
    return this.f.get(local);
  }
  flagR(): Expr {
    return this.materialized(FLAG_R);
  }
  flagX(): Expr {
    return this.materialized(FLAG_X);
  }
  setFlagWords(r: Expr, x: Expr): void {
    this.become(undefined);
    // Both before either is stored: they may read the old words.
    const keep = this.f.locals.take();
    this.f.emit(this.f.m.local.set(keep, r));
    this.f.emit(this.f.m.local.set(FLAG_X, x));
    this.f.emit(this.f.m.local.set(FLAG_R, this.f.get(keep)));
    this.f.locals.free(keep);
  }
  setFlags(p: PendingFlags): void {
    // They keep CF, which is looked for in the words.
    if (keepsCarry(p.flag) && !(this.pending !== undefined && keepsCarry(this.pending.flag))) this.make();
    this.become(p);
  }
  pendingFlags(): PendingFlags | undefined {
    return this.pending?.unless === undefined ? this.pending : undefined;
  }

  /** The words are current, and nothing else is known: a helper reads or writes them. */
  materializeWords(): void {
    for (const e of this.materialize()) this.f.emit(e);
    this.become(undefined);
  }
}
