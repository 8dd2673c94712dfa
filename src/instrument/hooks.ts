// Hooks of instruments inside blocks: what they add at an instruction and at its accesses of guest memory. A handler and a region are woven by the same lines: an operation is followed by what
// somebody adds to it, and those behind it are numbered anew.
import type { Flow } from '../decode/instruction.ts';
import { Builder } from '../ir/builder.ts';
import { isTerminator, mapOperands, type Op, type OpOf } from '../ir/operations.ts';
import type { Value } from '../ir/types.ts';
import { Cpu, GPR_STRIDE, Step } from '../layout/cpu.ts';
import { CpuArea, DIRECT_START, PAGE, PAGE_SHIFT, RAM, Record, RecordPlace } from '../layout/memory.ts';
import type { Form } from '../lift/form.ts';
import { type HelperAccess, helperAccesses } from './helper-accesses.ts';
import type { Instrument } from './instrument.ts';
import type { AccessPlace, BranchPlace, InstructionPlace, Level } from './places.ts';

export type { AccessPlace, BranchPlace, CodePiece, CrossingPlace, InstructionPlace, Level, RegionPlace } from './places.ts';

/** What code is made, as all of its instructions have it. */
export interface Weaving {
  readonly engine: 'interpreter' | 'region';
  readonly level: Level;
  readonly ramBytes: number;
  /** Of a region that looks for accesses in the kernel's direct map: where that begins. */
  readonly directOrigin?: number | undefined;
  /** A handler that runs its instruction alone, as a block without a head. */
  readonly step?: boolean;
  /** An instruction, by its EIP; in handlers there is one, of which only the form is known. */
  instruction(eip: number | undefined): Known;
}

/** What is known of an instruction. */
export interface Known {
  readonly form: Form;
  readonly flow?: Flow;
  /** EIP of where a direct branch leads. */
  readonly target?: number | undefined;
}

/** Whether instruments have hooks inside of blocks. */
export const hasHooks = ({ instruction, access, branch }: Instrument): boolean =>
  instruction !== undefined || access !== undefined || branch !== undefined;

class Place implements InstructionPlace {
  protected readonly b: Builder;
  protected readonly weaving: Weaving;
  protected readonly insn: OpOf<'insn'> | undefined;
  protected readonly known: Known;

  constructor(b: Builder, weaving: Weaving, insn: OpOf<'insn'> | undefined, known: Known) {
    this.b = b;
    this.weaving = weaving;
    this.insn = insn;
    this.known = known;
  }
  get form(): Form {
    return this.known.form;
  }
  get engine(): 'interpreter' | 'region' {
    return this.weaving.engine;
  }
  get level(): Level {
    return this.weaving.level;
  }
  protected field(offset: number, bytes: number): Value {
    return this.b.push({ kind: 'rec', type: 'i32', bytes, offset });
  }
  eip(): Value {
    return this.insn === undefined ? this.field(Record.at.eip, 4) : this.b.const(this.insn.eip);
  }
  next(): Value {
    return this.insn === undefined ? this.b.add(this.eip(), this.field(Record.at.length, 1)) : this.b.const(this.insn.next);
  }
  fresh(): Value {
    if (!this.weaving.step) return this.b.const(1);
    const step = this.b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.step });
    return this.b.eqz(this.b.and(step, this.b.const(Step.BAIL)));
  }
  register(number: number): Value {
    if (this.engine === 'region') return this.b.push({ kind: 'get', type: 'i32', reg: number });
    return this.b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.gpr + number * GPR_STRIDE });
  }
  access(access: Access): AccessPlace {
    return new Accessed(this.b, this.weaving, this.insn, this.known, access);
  }
  branch(op: BranchOp, moved: (v: Value) => Value): BranchPlace {
    return new Branch(this.b, this.weaving, this.insn, this.known, op, moved);
  }
  /** Whether an operation is this instruction's branch: not every one that ends a block is. */
  branches(op: Op): op is BranchOp {
    if (op.kind === 'cross') return true;
    if (this.insn !== undefined) return this.known.flow !== 'next' && BRANCHES.has(op.kind);
    return BRANCHES.has(op.kind);
  }
}

interface Access extends HelperAccess {
  readonly locked: boolean;
}

/** Operations that a branch may be; in regions whatever ends its block. */
const BRANCHES: ReadonlySet<string> = new Set(['jump', 'branch', 'call', 'callIndirect', 'indirect', 'ret', 'exit']);
type BranchOp = OpOf<'jump' | 'branch' | 'call' | 'callIndirect' | 'indirect' | 'ret' | 'exit' | 'cross'>;

class Branch extends Place implements BranchPlace {
  readonly kind: BranchPlace['kind'];
  private readonly condition: Value | undefined;
  private readonly computed: Value | undefined;

  constructor(b: Builder, weaving: Weaving, insn: OpOf<'insn'> | undefined, known: Known, op: BranchOp, moved: (v: Value) => Value) {
    super(b, weaving, insn, known);
    const { mnemonic } = known.form;
    // An instruction that always branches has a condition where its target is looked at.
    const conditional = op.kind === 'branch' && mnemonic !== 'call' && mnemonic !== 'jmp';
    this.kind =
      op.kind === 'cross' ? 'far' : conditional ? 'conditional' : mnemonic === 'call' ? 'call' : mnemonic === 'ret' ? 'return' : 'jump';
    this.condition = conditional ? moved(op.cond) : undefined;
    this.computed = op.kind === 'indirect' || op.kind === 'callIndirect' || op.kind === 'ret' ? moved(op.eip) : undefined;
  }
  get direct(): boolean {
    return this.kind !== 'far' && this.computed === undefined;
  }
  taken(): Value {
    return this.condition === undefined ? this.b.const(1) : this.b.ne(this.condition, this.b.const(0));
  }
  target(): Value | undefined {
    if (this.kind === 'far') return undefined;
    if (this.computed !== undefined) return this.computed;
    return this.insn === undefined ? this.field(RecordPlace.target, 4) : this.b.const(this.known.target!);
  }
  to(): Value | undefined {
    const target = this.target();
    return this.condition === undefined ? target : this.b.select(this.condition, target!, this.next());
  }
}

class Accessed extends Place implements AccessPlace {
  readonly address: Value;
  readonly size: number | undefined;
  readonly bytes: Value;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly locked: boolean;

  constructor(b: Builder, weaving: Weaving, insn: OpOf<'insn'> | undefined, known: Known, { address, bytes, run, ...kind }: Access) {
    super(b, weaving, insn, known);
    this.address = address;
    this.size = run ? undefined : bytes;
    this.bytes = run ? bytes : b.const(bytes);
    this.reads = kind.reads;
    this.writes = kind.writes;
    this.locked = kind.locked;
  }

  ramOffset(): Value {
    return ramOffsetAt(this.b, this.address, this.weaving);
  }
}

/** Where an access was in RAM: it has left its page in the TLB, or has needed no look into it. */
export function ramOffsetAt(b: Builder, address: Value, { ramBytes, directOrigin }: Pick<Weaving, 'ramBytes' | 'directOrigin'>): Value {
  const cpu = b.push({ kind: 'cpu', type: 'i32' });
  const entry = b.add(cpu, b.and(b.shr_u(address, b.const(PAGE_SHIFT - 2)), b.const(0x3ffffc)));
  const word = b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, address: entry, offset: CpuArea.at.tlb });
  const host = b.add(address, b.and(word, b.const(-PAGE)));
  let found = b.select(word, b.sub(host, b.const(RAM)), b.const(-1));
  if (directOrigin !== undefined) {
    const at = b.sub(address, b.const(directOrigin));
    const bytes = b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.directBytes });
    found = b.select(b.lt_u(at, bytes), b.add(at, b.const(DIRECT_START)), found);
  }
  return b.select(b.lt_u(found, b.const(ramBytes)), found, b.const(ramBytes));
}

class Weaver {
  private readonly b = new Builder();
  private readonly instruments: readonly Instrument[];
  private readonly weaving: Weaving;
  /** Where each operation is now. */
  private readonly moved: Value[] = [];
  /** What the current instruction is, and who has hooks there. */
  private place: Place | undefined;
  private here: readonly Instrument[] = [];
  /** Its branch has been met. */
  private branched = false;
  /** A load whose store has not come yet. */
  private open: OpOf<'load'> | undefined;

  constructor(instruments: readonly Instrument[], weaving: Weaving) {
    this.instruments = instruments;
    this.weaving = weaving;
  }

  weave(ops: readonly Op[]): Op[] {
    if (this.weaving.engine === 'interpreter') this.begin(undefined);
    for (const op of ops) this.add(op);
    this.settle();
    return this.b.code.ops;
  }

  private begin(insn: OpOf<'insn'> | undefined): void {
    const { b, weaving } = this;
    this.here = this.instruments.filter(({ covers }) => covers?.(weaving.level, insn?.eip) !== false);
    if (this.here.length === 0) {
      this.place = undefined;
      return;
    }
    this.place = new Place(b, weaving, insn, weaving.instruction(insn?.eip));
    this.branched = false;
    const { place } = this;
    if (weaving.step) {
      const { engine, level } = weaving;
      const start = { engine, level, eip: () => place.eip(), instructions: () => b.const(1), mode: undefined };
      for (const instrument of this.here) instrument.block?.(b, start);
    }
    for (const instrument of this.here) instrument.instruction?.(b, place);
  }

  private add(op: Op): void {
    if (op.kind === 'insn' || isTerminator(op) || op.kind === 'call' || op.kind === 'callIndirect') this.settle();
    if (this.place?.branches(op) && !this.branched) this.branch(op);
    const behind = op.kind === 'helper' && this.here.some(({ access }) => access) ? this.helped(op) : undefined;
    const at = this.b.push(mapOperands(op, (v) => this.moved[v]!));
    this.moved.push(at);
    if (op.kind === 'insn') this.begin(op);
    else if (op.kind === 'load') this.loaded(op);
    else if (op.kind === 'store') this.stored(op);
    else if (behind !== undefined) for (const access of behind()) this.accessed({ ...access, locked: false });
  }

  private branch(op: BranchOp): void {
    this.branched = true;
    if (!this.here.some((instrument) => instrument.branch)) return;
    const place = this.place!.branch(op, (v) => this.moved[v]!);
    for (const instrument of this.here) instrument.branch?.(this.b, place);
  }

  private accessed(access: Access): void {
    if (this.place === undefined || !this.here.some((instrument) => instrument.access)) return;
    const place = this.place.access(access);
    for (const instrument of this.here) instrument.access?.(this.b, place);
  }

  private loaded(op: OpOf<'load'>): void {
    this.settle();
    if (op.rmw) this.open = op;
    else this.accessed({ address: this.moved[op.address]!, bytes: op.bytes, reads: true, writes: false, locked: false });
  }

  private stored({ address, bytes }: OpOf<'store'>): void {
    const { open } = this;
    const same = open !== undefined && open.address === address && open.bytes === bytes;
    if (!same) this.settle();
    this.open = undefined;
    this.accessed({ address: this.moved[address]!, bytes, reads: same, writes: true, locked: same && open.locked === true });
  }

  /** A load that was checked for writing, but whose instruction has not written. */
  private settle(): void {
    const { open } = this;
    this.open = undefined;
    if (open === undefined) return;
    this.accessed({ address: this.moved[open.address]!, bytes: open.bytes, reads: true, writes: false, locked: false });
  }

  /** What a function of the runtime is about to access, to be asked behind its call. */
  private helped({ name, args }: OpOf<'helper'>): (() => readonly HelperAccess[]) | undefined {
    return helperAccesses(name, {
      b: this.b,
      args: args.map((v) => this.moved[v]!),
      register: (number) => this.place!.register(number),
    });
  }
}

/** A list of operations, of a block of a region or of a handler, with what hooks of the instruments add to it. */
export function woven(ops: readonly Op[], instruments: readonly Instrument[], weaving: Weaving): readonly Op[] {
  const hooked = instruments.filter(
    (one) => hasHooks(one) || (weaving.step === true && one.covers !== undefined && one.block !== undefined),
  );
  return hooked.length === 0 ? ops : new Weaver(hooked, weaving).weave(ops);
}
