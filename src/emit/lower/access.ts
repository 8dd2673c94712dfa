// Guest memory in Wasm: the TLB probe inline, the slow ways out of line. A region may keep the page of its last access through
// a base register in locals (PageCache), so that the next access there needs no look into the TLB.
import type { OpOf } from '../../ir/operations.ts';
import type { Type, Value } from '../../ir/types.ts';
import { Cpu } from '../../layout/cpu.ts';
import { CpuArea, DIRECT_START, PAGE, PAGE_SHIFT, RAM } from '../../layout/memory.ts';
import { runtime } from '../../runtime/abi.ts';
import { pure, wasm } from '../module/expressions.ts';
import { type Expr, i32, i64, none, wasmType } from '../module.ts';
import type { RuntimeCalls } from './calls.ts';
import type { FunctionCode } from './function.ts';
import { DIRECT, DIRECT_LOAD, LOAD, LOCKED_LOAD, LOCKED_STORE, REGION } from './slow-ways.ts';
import type { PageCache, Target } from './target.ts';

const PAGE_MASK = PAGE - 1;
/** Host address of the start of the kernel's direct map. */
const DIRECT_HOST = RAM + DIRECT_START;
/** Offsets in the TLB, by a linear address that was shifted. */
const TLB_OFFSET = wasm.i32.const(0x3ffffc);

/** What operands of accesses are, and where results go. */
export interface Values {
  /** A fresh expression for a value. */
  value(v: Value): Expr;
  /** Whether a value can be had again and again at no cost. */
  repeatable(v: Value): boolean;
  /** A fresh expression for an address less a constant. */
  less(v: Value, n: number): Expr;
  typeOfValue(v: Value): Type;
  /** Whether nobody uses the value defined at `i`. */
  dead(i: number): boolean;
  /** Sets the local of the value defined at `i`. */
  define(i: number, type: Type, e: Expr): void;
  /** The value defined at `i` is in `local` from here on. */
  place(i: number, local: number): void;
  /** The local that the value defined at `i` is to be put into: one of its own, or that of the register that it becomes. */
  destination(i: number, type: Type): number;
  /** It is there. */
  arrived(i: number, local: number): void;
}

/** Where a read-modify-write goes: locals of its address (linear, or from the direct map's start on) and of its host address (0: the slow way). */
interface Kept {
  readonly at: number;
  readonly host: number;
  readonly address: Value;
  readonly bytes: number;
  /** Of a locked instruction: what the load gave, and where in the code the load begins. */
  readonly locked?: { readonly result: number; readonly unused: boolean; readonly start: number };
}

/** The address of an access (linear, or from the direct map's start on): how it is made first, and again any number of times behind that; the local that it is in then (undefined: another operation's). */
interface Where {
  readonly first: Expr;
  readonly at: () => Expr;
  readonly local: number | undefined;
}

/** Makes the access at a host address and an offset to it. */
type Fast = (host: Expr, offset: number) => Expr;

export class Access {
  private readonly f: FunctionCode;
  private readonly values: Values;
  private readonly target: Target;
  private readonly calls: RuntimeCalls;
  private kept: Kept | undefined;
  private labels = 0;

  constructor(f: FunctionCode, values: Values, target: Target, calls: RuntimeCalls) {
    this.f = f;
    this.values = values;
    this.target = target;
    this.calls = calls;
  }

  /** Runs `fast` with a host address and an offset to it where the access needs no look at anything but a word or two, else `slow`. */
  private find(address: Value, { first, at }: Where, bytes: number, write: boolean, slow: Expr[], fast: Fast): void {
    if (this.originFor(address) !== undefined)
      return this.f.emit(this.either(first, write, fast(at(), DIRECT_HOST), this.f.m.block(null, slow)));
    const cache = this.target.pages?.of(address);
    if (cache === undefined) this.reachByTlb(at, bytes, write, slow, fast);
    else this.reachByCache(cache, at, bytes, write, slow, fast);
  }

  /** Where the direct map begins that an access is looked for in first; undefined: nowhere, or its page is remembered. */
  private originFor(address: Value): number | undefined {
    return this.target.pages?.of(address) === undefined ? this.target.directOrigin : undefined;
  }

  /** `fast` where an access is in the direct map, else `slow`. The likely way comes first: V8's baseline compiler goes on behind both with the registers as the first one left them. */
  private either(at: Expr, write: boolean, fast: Expr, slow: Expr): Expr {
    return this.f.m.if(this.f.likely(this.isDirect(at, write)), fast, slow);
  }
  private isDirect(at: Expr, write: boolean): Expr {
    const { m } = this.f;
    if (!write) return m.i32.lt_u(at, this.f.loadCpu(Cpu.at.directBytes));
    return m.i32.load8_u(CpuArea.at.directStores, 1, m.i32.add(this.f.cpu(), m.i32.shr_u(at, this.f.c(PAGE_SHIFT))));
  }

  /** Where the TLB has the page with the right: sets `word`, and leaves for `slowly` where it has not. */
  private probe(word: number, at: () => Expr, bytes: number, write: boolean, slowly: string): Expr[] {
    const { m } = this.f;
    // Two branches: as one condition their results would have to be made and combined.
    const out = [
      m.local.set(word, this.tlbEntry(at())),
      m.br(slowly, this.f.unlikely(m.i32.eqz(this.target.tlbAllows(this.f.get(word), write)))),
    ];
    const offset = m.i32.and(at(), this.f.c(PAGE_MASK));
    if (bytes > 1) out.push(m.br(slowly, this.f.unlikely(m.i32.gt_u(offset, this.f.c(PAGE - bytes)))));
    return out;
  }
  private delta(word: number): Expr {
    return this.f.m.i32.and(this.f.get(word), this.f.c(~PAGE_MASK));
  }

  private reachByTlb(at: () => Expr, bytes: number, write: boolean, slow: Expr[], fast: Fast): void {
    const { m } = this.f;
    const word = this.f.locals.take(i32);
    const [out, slowly] = [`a${this.labels++}`, `s${this.labels++}`];
    const probe = this.probe(word, at, bytes, write, slowly);
    const probed = fast(m.i32.add(at(), this.delta(word)), 0);
    this.f.emit(m.block(out, [m.block(slowly, [...probe, probed, m.br(out)], none), ...slow], none));
    this.f.locals.free(word);
  }

  private reachByCache(cache: PageCache, at: () => Expr, bytes: number, write: boolean, slow: Expr[], fast: Fast): void {
    const { m } = this.f;
    const word = this.f.locals.take(i32);
    const [out, slowly, hit] = [`a${this.labels++}`, `s${this.labels++}`, `h${this.labels++}`];
    const refill = this.probe(word, at, bytes, write, slowly);
    if (cache.writes && !write) {
      const probed = fast(m.i32.add(at(), this.delta(word)), 0);
      refill.push(m.if(this.f.unlikely(m.i32.eqz(this.target.tlbAllows(this.f.get(word), true))), m.block(null, [probed, m.br(out)])));
    }
    refill.push(
      m.local.set(cache.page, m.i64.extend_u(m.i32.and(at(), this.f.c(~PAGE_MASK)))),
      m.local.set(cache.delta, this.delta(word)),
      m.br(hit),
    );
    const past = m.i64.sub(m.i64.extend_u(at()), this.f.get(cache.page, i64));
    const away = m.i64.gt_u(past, m.i64.const(BigInt(PAGE - bytes)));
    const find = m.if(this.f.unlikely(away), m.block(null, [m.block(slowly, refill, none), ...slow, m.br(out)]));
    this.f.emit(m.block(out, [m.block(hit, [find], none), fast(m.i32.add(at(), this.f.get(cache.delta)), 0)], none));
    this.f.locals.free(word);
  }

  /** Looks for a stack: what the region, which begins at EIP `entry`, reaches of it. `leave`: leaves where Cpu.fault, which it is given, is not 0. */
  reach(op: OpOf<'reach'>, eip: number, entry: number, leave: (faulted: Expr) => Expr): Expr {
    const { m } = this.f;
    const { local, low } = this.target.stack!(op.stack);
    const at = m.local.tee(local, this.f.plus(this.target.register(op.reg), (low - op.offset - this.target.directOrigin!) | 0), i32);
    const args = [this.f.get(local), this.f.c(op.high - low), this.f.c(eip)] as const;
    const { proveReach, proveReachAgain } = runtime;
    const faulted = eip === entry ? this.f.callRuntime(proveReach, ...args) : this.f.callRuntime(proveReachAgain, ...args, this.f.c(entry));
    return m.if(this.f.unlikely(m.i32.eqz(this.isDirect(at, true))), leave(faulted));
  }
  loadStack(op: OpOf<'ldstack'>, i: number): void {
    const { local, low } = this.target.stack!(op.stack);
    const result = this.values.destination(i, op.type);
    this.f.emit(this.f.m.local.set(result, this.f.rawLoad(op.type, op.bytes, op.signed, DIRECT_HOST + op.offset - low, this.f.get(local))));
    this.values.arrived(i, result);
  }
  storeStack(op: OpOf<'ststack'>): void {
    const { local, low } = this.target.stack!(op.stack);
    const type = this.values.typeOfValue(op.value);
    this.f.emit(this.f.rawStore(op.bytes, DIRECT_HOST + op.offset - low, this.f.get(local), this.values.value(op.value), type));
  }

  /** The TLB's word for the page of a linear address. */
  tlbEntry(linear: Expr): Expr {
    const { m } = this.f;
    const index = m.i32.and(m.i32.shr_u(linear, this.f.c(PAGE_SHIFT - 2)), TLB_OFFSET);
    return m.i32.load(CpuArea.at.tlb, 4, m.i32.add(this.f.cpu(), index));
  }

  /** What the slow way of a load found. */
  private loaded({ type, bytes, signed }: OpOf<'load'>): Expr {
    return this.f.rawLoad(type, bytes, signed, Cpu.at.loaded, this.f.cpu());
  }

  /** The address of an access as `find` takes it. */
  private addressOf(address: Value, keep: boolean, directOrigin = this.originFor(address)): Where {
    if (directOrigin === undefined && !keep && this.values.repeatable(address)) {
      const at = () => this.values.value(address);
      return { first: at(), at, local: undefined };
    }
    const local = this.f.locals.take(i32);
    const at = () => this.f.get(local);
    if (directOrigin !== undefined) return { first: this.f.m.local.tee(local, this.values.less(address, directOrigin), i32), at, local };
    this.f.emit(this.f.m.local.set(local, this.values.value(address)));
    return { first: at(), at, local };
  }

  load(op: OpOf<'load'>, i: number): void {
    const { m } = this.f;
    const { bytes, rmw } = op;
    if (op.locked && this.target.atomic) return this.lockedLoad(op, i);
    if (op.group !== undefined) return this.uncheckedLoad(op, i, this.target.pages!.unchecked(op.group));
    const where = this.addressOf(op.address, rmw);
    const { at, local } = where;
    const result = this.values.destination(i, op.type);
    const direct = this.originFor(op.address) !== undefined;
    const way = rmw ? (direct ? DIRECT : this.target.slow).rmw : direct ? DIRECT_LOAD : LOAD;
    const slow = this.calls.way(way[bytes]!, at(), this.target.eip());
    const set = m.local.set(result, this.loaded(op));
    if (rmw) {
      const host = this.f.locals.take(i32);
      this.find(op.address, where, bytes, true, [slow, set, m.local.set(host, this.f.loadCpu(Cpu.at.rmwHost))], (from, offset) => {
        return m.block(null, [m.local.set(host, this.f.plus(from, offset)), this.hostLoad(op, result, this.f.get(host), 0)]);
      });
      this.keep({ at: local!, host, address: op.address, bytes });
    } else {
      if (direct && !op.ordered) {
        const value = this.f.rawLoad(op.type, bytes, op.signed, DIRECT_HOST, at());
        this.f.emit(m.local.set(result, this.either(where.first, false, value, m.block(null, [slow, this.loaded(op)]))));
      } else this.find(op.address, where, bytes, false, [slow, set], (from, offset) => this.hostLoad(op, result, from, offset));
      if (local !== undefined) this.f.locals.free(local);
    }
    this.values.arrived(i, result);
  }

  private uncheckedLoad(op: OpOf<'load'>, i: number, delta: number): void {
    const { m } = this.f;
    const result = this.values.destination(i, op.type);
    const host = m.i32.add(this.values.value(op.address), this.f.get(delta));
    this.f.emit(this.hostLoad(op, result, host, 0));
    this.values.arrived(i, result);
  }

  /**
   * The load of a locked instruction. What follows up to its store is done again where another CPU stored in between (see
   * lockedStore), so no local that is free by then may be used for something else. A host address of 0: the runtime keeps all
   * other CPUs away (wasm/memory/exclusive.ts) from here to the store.
   */
  private lockedLoad(op: OpOf<'load'>, i: number): void {
    const { m } = this.f;
    const { bytes } = op;
    const type = bytes === 8 ? i64 : i32;
    const { first, at, local } = this.addressOf(op.address, true, this.target.directOrigin);
    const host = this.f.locals.take(i32);
    const result = this.f.locals.take(type);
    const [out, slowly] = [`a${this.labels++}`, `s${this.labels++}`];
    const fast =
      this.target.directOrigin === undefined ? this.findLocked(at, host, slowly) : this.findLockedDirect(first, at, host, slowly);
    if (bytes > 1) fast.push(m.br(slowly, this.f.unlikely(m.i32.and(at(), this.f.c(bytes - 1)))));
    const region = this.f.c(this.target.slow === REGION ? 1 : 0);
    const args = [this.linear(local!), this.f.c(bytes), region, this.target.eip()] as const;
    const find = this.calls.inside(runtime.lockedHost, args, (found) => m.local.set(host, found));
    this.f.emit(m.block(out, [m.block(slowly, [...fast, m.br(out)], none), ...find], none));
    this.f.locals.hold();
    this.keep({
      at: local!,
      host,
      address: op.address,
      bytes,
      locked: { result, unused: this.values.dead(i), start: this.f.statements.length },
    });
    const load = this.calls.inside(LOCKED_LOAD[bytes]!, [this.linear(local!)], (loaded) => m.local.set(result, loaded));
    this.f.emit(
      m.if(
        this.f.unlikely(m.i32.eqz(this.f.get(host))),
        m.block(null, load),
        m.local.set(result, this.f.rawLoad(op.type, bytes, false, 0, this.f.get(host))),
      ),
    );
    if (!this.values.dead(i)) this.values.place(i, result);
  }

  /** Sets `host` where the TLB lets this CPU write to the page. */
  private findLocked(at: () => Expr, host: number, slowly: string): Expr[] {
    const { m } = this.f;
    const word = this.f.locals.take(i32);
    const code = [
      m.local.set(word, this.tlbEntry(at())),
      m.br(slowly, this.f.unlikely(m.i32.eqz(this.target.tlbAllows(this.f.get(word), true)))),
      m.local.set(host, m.i32.add(at(), this.delta(word))),
    ];
    this.f.locals.free(word);
    return code;
  }

  /** The same by the direct map. */
  private findLockedDirect(first: Expr, at: () => Expr, host: number, slowly: string): Expr[] {
    const { m } = this.f;
    return [m.br(slowly, this.f.unlikely(m.i32.eqz(this.isDirect(first, true)))), m.local.set(host, this.f.plus(at(), DIRECT_HOST))];
  }

  /** The linear address that is in a local as `find` takes it. */
  private linear(local: number): Expr {
    return this.f.plus(this.f.get(local), this.target.directOrigin ?? 0);
  }

  /** The store of a locked instruction: if memory is no longer what the load found, back to the load. */
  private lockedStore({ at, host, bytes, locked }: Kept, value: Value): void {
    const { m } = this.f;
    const { result, start } = locked!;
    const type = bytes === 8 ? i64 : i32;
    const to = this.f.locals.take(type);
    this.f.emit(m.local.set(to, this.values.value(value)));
    const store = this.calls.inside(LOCKED_STORE[bytes]!, [this.linear(at), this.f.get(to, type)]);
    const rmw = bytes === 8 ? m.i64.atomic.rmw : bytes === 4 ? m.i32.atomic.rmw : bytes === 2 ? m.i32.atomic.rmw16_u : m.i32.atomic.rmw8_u;
    const was = rmw.cmpxchg(0, this.f.get(host), this.f.get(result, type), this.f.get(to, type));
    const differs = (bytes === 8 ? m.i64 : m.i32).ne(was, this.f.get(result, type));
    const again = `l${this.labels++}locked`;
    const pieces = this.f.statements.splice(start);
    const end = m.if(this.f.unlikely(m.i32.eqz(this.f.get(host))), m.block(null, store), m.br(again, this.f.unlikely(differs)));
    this.f.emit(m.loop(again, m.block(null, [...pieces, end])));
    this.f.locals.free(to);
    if (locked!.unused) this.f.locals.free(result);
    this.keep(undefined);
    this.f.locals.release();
  }

  /** Sets `result` to what is at the host address `at` + `offset`. */
  private hostLoad({ type, bytes, signed, ordered }: OpOf<'load'>, result: number, at: Expr, offset: number): Expr {
    const { m } = this.f;
    if (!ordered) return m.local.set(result, this.f.rawLoad(type, bytes, signed, offset, at));
    return this.inOrder(bytes, this.f.plus(at, offset), (host, aligned) => {
      if (!aligned) return m.local.set(result, this.f.rawLoad(type, bytes, signed, 0, host()));
      if (bytes === 16) {
        const [low, high] = [m.i64.atomic.load(0, host()), m.i64.atomic.load(8, host())];
        return m.local.set(result, pure('i64x2.replace_lane', [pure('i64x2.splat', [low]), high], 1));
      }
      if (type === 'v128') {
        const [lanes, lane] = bytes === 8 ? ['i64x2', m.i64.atomic.load(0, host())] : ['i32x4', m.i32.atomic.load(0, host())];
        return m.local.set(result, pure(`${lanes}.replace_lane`, [m.v128.const(new Array(16).fill(0)), lane as Expr], 0));
      }
      if (bytes === 8) return m.local.set(result, m.i64.atomic.load(0, host()));
      const { load, load16_u, load8_u } = m.i32.atomic;
      const word = (bytes === 4 ? load : bytes === 2 ? load16_u : load8_u)(0, host());
      if (type === 'i64') return m.local.set(result, m.i64.extend_u(word));
      if (!signed || bytes === 4) return m.local.set(result, word);
      return m.local.set(result, bytes === 1 ? m.i32.extend8_s(word) : m.i32.extend16_s(word));
    });
  }

  /** Stores at the host address `at` + `offset`. */
  private hostStore({ bytes, ordered }: OpOf<'store'>, at: Expr, offset: number, value: () => Expr, type: Type): Expr {
    const { m } = this.f;
    if (!ordered) return this.f.rawStore(bytes, offset, at, value(), type);
    return this.inOrder(bytes, this.f.plus(at, offset), (host, aligned) => {
      if (!aligned) return this.f.rawStore(bytes, 0, host(), value(), type);
      if (bytes === 16) {
        const lane = (n: number) => m.i64.atomic.store(n * 8, host(), pure('i64x2.extract_lane', [value()], n));
        return m.block(null, [lane(0), lane(1)]);
      }
      if (bytes === 8) return m.i64.atomic.store(0, host(), value());
      const { store, store16, store8 } = m.i32.atomic;
      return (bytes === 4 ? store : bytes === 2 ? store16 : store8)(0, host(), type === 'i64' ? m.i32.wrap(value()) : value());
    });
  }

  /** An access that is atomic where it is aligned, and else has a fence on each side (see `order` in wasm/base/state.ts). */
  private inOrder(bytes: number, at: Expr, access: (host: () => Expr, aligned: boolean) => Expr): Expr {
    const { m } = this.f;
    const local = this.f.locals.take(i32);
    const host = () => this.f.get(local);
    const aligned = access(host, true);
    const code =
      bytes === 1
        ? aligned
        : m.if(
            this.f.unlikely(m.i32.and(host(), this.f.c(Math.min(bytes, 8) - 1))),
            m.block(null, [...this.f.fence(), access(host, false), ...this.f.fence()]),
            aligned,
          );
    this.f.locals.free(local);
    return m.block(null, [m.local.set(local, at), code]);
  }

  /** What a read-modify-write's load found out serves its store as well: nothing in between can change the TLB. */
  private keep(found: Kept | undefined): void {
    if (this.kept) {
      this.f.locals.free(this.kept.at);
      this.f.locals.free(this.kept.host);
    }
    this.kept = found;
  }
  /** What was found out for a read-modify-write holds no longer. */
  dropKept(): void {
    if (this.kept?.locked !== undefined) throw new Error('a locked instruction without its store');
    this.keep(undefined);
  }

  store(op: OpOf<'store'>): void {
    const { m } = this.f;
    const { kept } = this;
    const { bytes } = op;
    const type = this.values.typeOfValue(op.value);
    const again = kept !== undefined && kept.address === op.address && kept.bytes === bytes;
    if (kept?.locked !== undefined) {
      if (!again) throw new Error('a locked instruction stores elsewhere');
      return this.lockedStore(kept, op.value);
    }
    if (op.group !== undefined) {
      const host = m.i32.add(this.values.value(op.address), this.f.get(this.target.pages!.unchecked(op.group)));
      this.f.emit(this.hostStore(op, host, 0, () => this.values.value(op.value), type));
      return;
    }
    const where = again ? undefined : this.addressOf(op.address, false);
    const at = again ? () => this.f.get(kept.at) : where!.at;
    let copy: number | undefined;
    if (!this.values.repeatable(op.value)) {
      copy = this.f.locals.take(wasmType[type]);
      this.f.emit(m.local.set(copy, this.values.value(op.value)));
    }
    const value = () => (copy === undefined ? this.values.value(op.value) : this.f.get(copy, wasmType[type]));
    const arg = type === 'i64' && bytes <= 4 ? m.i32.wrap(value()) : value();
    const way = this.originFor(op.address) === undefined ? this.target.slow : DIRECT;
    const slow = this.calls.way(way.store[bytes]!, at(), arg, this.target.eip());
    if (again) {
      const store = this.hostStore(op, this.f.get(kept.host), 0, value, type);
      this.f.emit(m.if(this.f.likely(this.f.get(kept.host)), store, slow));
      this.keep(undefined);
    } else {
      this.find(op.address, where!, bytes, true, [slow], (to, offset) => this.hostStore(op, to, offset, value, type));
      if (where!.local !== undefined) this.f.locals.free(where!.local);
    }
    if (copy !== undefined) this.f.locals.free(copy);
  }
}
