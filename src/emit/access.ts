// Guest memory in Wasm: the TLB probe inline, the slow ways out of line. A region may keep the page of its last access through
// a base register in locals (PageCache), so that the next access there needs no look into the TLB.
import type { OpOf } from '../ir/operations.ts';
import type { Type, Value } from '../ir/types.ts';
import { Cpu } from '../layout/cpu.ts';
import { CpuArea, PAGE, PAGE_SHIFT } from '../layout/memory.ts';
import { runtime } from '../runtime/abi.ts';
import { Lowering } from './lowering.ts';
import { pure } from './module/expressions.ts';
import { type Expr, i32, i64, none, wasmType } from './module.ts';
import { LOAD, LOCKED_LOAD, LOCKED_STORE, REGION, type SlowWays } from './slow-ways.ts';

const PAGE_MASK = PAGE - 1;
/** A "page" that no access is near: linear - NOWHERE, as 64 bits, is more than a page for every linear address. */
export const NOWHERE = BigInt(-2 * PAGE);

/**
 * Locals with the last page reached through a base register: a copy of a TLB entry. Helpers that may take entries away are
 * followed by forget(); slow ways and polls that let the region go on take none away.
 */
export interface PageCache {
  /** i64: linear address of the page, or NOWHERE. It has the rights that all the accesses through this base need. */
  readonly page: number;
  /** i32: host address minus linear address. */
  readonly delta: number;
  /** Some access through this base writes. */
  readonly writes: boolean;
}

/** Where an access goes: locals of its linear address and, for a read-modify-write, of its host address (0: the slow way). */
interface Kept {
  readonly linear: number;
  readonly host: number;
  readonly address: Value;
  readonly bytes: number;
  /** Of a locked instruction: what the load gave, and where in the code the load begins. */
  readonly locked?: { readonly result: number; readonly unused: boolean; readonly start: number };
}

export abstract class AccessLowering extends Lowering {
  private kept: Kept | undefined;
  private labels = 0;

  /** 0 where the entry `word` of the TLB does not allow the access. */
  protected abstract tlbAllows(word: Expr, write: boolean): Expr;
  /** Whether stores to pages with code are done by the slow path (handlers) or refused (regions). */
  protected abstract readonly slow: SlowWays;
  /** Whether each access is in the order of x86 on any host (wasm/base/order.ts). */
  protected abstract readonly strictOrder: boolean;
  /** The page cache for accesses at an address, if it has one. */
  protected pageCache(_address: Value): PageCache | undefined {
    return undefined;
  }
  /** All page caches. */
  protected pageCaches(): Iterable<PageCache> {
    return [];
  }

  /** The local with host minus linear address for the unchecked accesses of a group. */
  protected unchecked(_group: number): number {
    throw new Error('only regions have unchecked accesses');
  }

  /** Empties the page caches. */
  protected forget(): Expr[] {
    return [...this.pageCaches()].map(({ page }) => this.m.local.set(page, this.m.i64.const(NOWHERE)));
  }

  /** Runs `fast` with the host address where the TLB (or the page cache) has the page with the right, else `slow`. */
  private reach(address: Value, linear: number, bytes: number, write: boolean, slow: Expr[], fast: (host: Expr) => Expr): void {
    const { m } = this;
    const cache = this.pageCache(address);
    const word = this.locals.take(i32);
    const probe = m.local.set(word, this.tlbEntry(this.get(linear)));
    const out = `a${this.labels++}`;
    const slowly = `s${this.labels++}`;
    // Two branches: as one condition their results would have to be made and combined.
    const miss = [m.br(slowly, this.unlikely(m.i32.eqz(this.tlbAllows(this.get(word), write))))];
    const offset = m.i32.and(this.get(linear), this.c(PAGE_MASK));
    if (bytes > 1) miss.push(m.br(slowly, this.unlikely(m.i32.gt_u(offset, this.c(PAGE - bytes)))));
    const delta = () => m.i32.and(this.get(word), this.c(~PAGE_MASK));
    const probed = () => fast(m.i32.add(this.get(linear), delta()));
    if (cache === undefined) {
      this.emit(m.block(out, [m.block(slowly, [probe, ...miss, probed(), m.br(out)], none), ...slow], none));
    } else {
      const past = m.i64.sub(m.i64.extend_u(this.get(linear)), this.get(cache.page, i64));
      const hit = `h${this.labels++}`;
      const refill = [probe, ...miss];
      if (cache.writes && !write)
        refill.push(m.if(this.unlikely(m.i32.eqz(this.tlbAllows(this.get(word), true))), m.block(null, [probed(), m.br(out)])));
      refill.push(
        m.local.set(cache.page, m.i64.extend_u(m.i32.and(this.get(linear), this.c(~PAGE_MASK)))),
        m.local.set(cache.delta, delta()),
        m.br(hit),
      );
      const away = m.i64.gt_u(past, m.i64.const(BigInt(PAGE - bytes)));
      this.emit(
        m.block(
          out,
          [
            m.block(hit, [m.if(this.unlikely(away), m.block(null, [m.block(slowly, refill, none), ...slow, m.br(out)]))], none),
            fast(m.i32.add(this.get(linear), this.get(cache.delta))),
          ],
          none,
        ),
      );
    }
    this.locals.free(word);
  }

  /** The TLB's word for the page of a linear address. */
  protected tlbEntry(linear: Expr): Expr {
    const { m } = this;
    const index = m.i32.and(m.i32.shr_u(linear, this.c(PAGE_SHIFT - 2)), this.c(0x3ffffc));
    return m.i32.load(CpuArea.at.tlb, 4, m.i32.add(this.cpu(), index));
  }

  private orFault(slow: Expr): Expr[] {
    return [slow, this.m.if(this.unlikely(this.loadCpu(Cpu.at.fault)), this.faultExit())];
  }

  protected guestLoad(op: OpOf<'load'>, i: number): void {
    const { m } = this;
    const { bytes, rmw } = op;
    if (op.locked && this.atomic) return this.lockedLoad(op, i);
    if (op.group !== undefined) return this.uncheckedLoad(op, i, this.unchecked(op.group));
    const linear = this.locals.take(i32);
    this.emit(m.local.set(linear, this.value(op.address)));
    const result = this.locals.take(wasmType[op.type]);
    const way = rmw ? this.slow.rmw : LOAD;
    let slow = this.callRuntime(way[bytes]!, this.get(linear), this.eip());
    if (op.signed && bytes < 4) slow = bytes === 1 ? m.i32.extend8_s(slow) : m.i32.extend16_s(slow);
    if (op.type === 'i64' && bytes <= 4) slow = m.i64.extend_u(slow);
    const slowly = this.orFault(m.local.set(result, slow));
    const load = (at: Expr) => this.hostLoad(op, result, at);
    if (rmw) {
      const host = this.locals.take(i32);
      this.reach(op.address, linear, bytes, true, [...slowly, m.local.set(host, this.loadCpu(Cpu.at.rmwHost))], (at) =>
        m.block(null, [m.local.set(host, at), load(this.get(host))]),
      );
      this.keep({ linear, host, address: op.address, bytes });
    } else {
      this.reach(op.address, linear, bytes, false, slowly, load);
      this.locals.free(linear);
    }
    if (this.dead(i)) this.locals.free(result);
    else this.place(i, result);
  }

  private uncheckedLoad(op: OpOf<'load'>, i: number, delta: number): void {
    const { m } = this;
    const result = this.locals.take(wasmType[op.type]);
    const host = m.i32.add(this.value(op.address), this.get(delta));
    this.emit(this.hostLoad(op, result, host));
    if (this.dead(i)) this.locals.free(result);
    else this.place(i, result);
  }

  /**
   * The load of a locked instruction. What follows up to its store is done again where another CPU stored in between (see
   * lockedStore), so no local that is free by then may be used for something else. A host address of 0: the runtime keeps all
   * other CPUs away (wasm/memory/exclusive.ts) from here to the store.
   */
  private lockedLoad(op: OpOf<'load'>, i: number): void {
    const { m } = this;
    const { bytes } = op;
    const type = bytes === 8 ? i64 : i32;
    const linear = this.locals.take(i32);
    const host = this.locals.take(i32);
    const result = this.locals.take(type);
    this.emit(m.local.set(linear, this.value(op.address)));
    const [out, slowly] = [`a${this.labels++}`, `s${this.labels++}`];
    const word = this.locals.take(i32);
    const fast = [
      m.local.set(word, this.tlbEntry(this.get(linear))),
      m.br(slowly, this.unlikely(m.i32.eqz(this.tlbAllows(this.get(word), true)))),
      m.local.set(host, m.i32.add(this.get(linear), m.i32.and(this.get(word), this.c(~PAGE_MASK)))),
    ];
    if (bytes > 1) fast.push(m.br(slowly, this.unlikely(m.i32.and(this.get(linear), this.c(bytes - 1)))));
    const region = this.c(this.slow === REGION ? 1 : 0);
    const find = this.callRuntime(runtime.lockedHost, this.get(linear), this.c(bytes), region, this.eip());
    this.emit(m.block(out, [m.block(slowly, [...fast, m.br(out)], none), ...this.orFault(m.local.set(host, find))], none));
    this.locals.free(word);
    this.locals.hold();
    this.keep({ linear, host, address: op.address, bytes, locked: { result, unused: this.dead(i), start: this.body.length } });
    const load = this.callRuntime(LOCKED_LOAD[bytes]!, this.get(linear));
    this.emit(
      m.if(
        this.unlikely(m.i32.eqz(this.get(host))),
        m.block(null, [...this.orFault(m.local.set(result, load)), ...this.forget()]),
        m.local.set(result, this.rawLoad(op.type, bytes, false, 0, this.get(host))),
      ),
    );
    if (!this.dead(i)) this.place(i, result);
  }

  /** The store of a locked instruction: if memory is no longer what the load found, back to the load. */
  private lockedStore({ linear, host, bytes, locked }: Kept, value: Value): void {
    const { m } = this;
    const { result, start } = locked!;
    const type = bytes === 8 ? i64 : i32;
    const to = this.locals.take(type);
    this.emit(m.local.set(to, this.value(value)));
    const store = this.callRuntime(LOCKED_STORE[bytes]!, this.get(linear), this.get(to, type));
    const rmw = bytes === 8 ? m.i64.atomic.rmw : bytes === 4 ? m.i32.atomic.rmw : bytes === 2 ? m.i32.atomic.rmw16_u : m.i32.atomic.rmw8_u;
    const was = rmw.cmpxchg(0, this.get(host), this.get(result, type), this.get(to, type));
    const differs = (bytes === 8 ? m.i64 : m.i32).ne(was, this.get(result, type));
    const again = `l${this.labels++}locked`;
    const pieces = this.body.splice(start);
    const end = m.if(
      this.unlikely(m.i32.eqz(this.get(host))),
      m.block(null, [store, ...this.forget()]),
      m.br(again, this.unlikely(differs)),
    );
    this.emit(m.loop(again, m.block(null, [...pieces, end])));
    this.locals.free(to);
    if (locked!.unused) this.locals.free(result);
    this.keep(undefined);
    this.locals.release();
  }

  /** Sets `result` to what is at the host address `at`. */
  private hostLoad({ type, bytes, signed }: OpOf<'load'>, result: number, at: Expr): Expr {
    const { m } = this;
    if (!this.strictOrder) return m.local.set(result, this.rawLoad(type, bytes, signed, 0, at));
    return this.inOrder(bytes, at, (host, aligned) => {
      if (!aligned) return m.local.set(result, this.rawLoad(type, bytes, signed, 0, host()));
      if (bytes === 16) {
        const [low, high] = [m.i64.atomic.load(0, host()), m.i64.atomic.load(8, host())];
        return m.local.set(result, pure('i64x2.replace_lane', [pure('i64x2.splat', [low]), high], 1));
      }
      if (bytes === 8) return m.local.set(result, m.i64.atomic.load(0, host()));
      const { load, load16_u, load8_u } = m.i32.atomic;
      const word = (bytes === 4 ? load : bytes === 2 ? load16_u : load8_u)(0, host());
      if (type === 'i64') return m.local.set(result, m.i64.extend_u(word));
      if (!signed || bytes === 4) return m.local.set(result, word);
      return m.local.set(result, bytes === 1 ? m.i32.extend8_s(word) : m.i32.extend16_s(word));
    });
  }

  /** Stores at the host address `at`. */
  private hostStore(bytes: number, at: Expr, value: () => Expr, type: Type): Expr {
    const { m } = this;
    if (!this.strictOrder) return this.rawStore(bytes, 0, at, value(), type);
    return this.inOrder(bytes, at, (host, aligned) => {
      if (!aligned) return this.rawStore(bytes, 0, host(), value(), type);
      if (bytes === 16) {
        const lane = (n: number) => m.i64.atomic.store(n * 8, host(), pure('i64x2.extract_lane', [value()], n));
        return m.block(null, [lane(0), lane(1)]);
      }
      if (bytes === 8) return m.i64.atomic.store(0, host(), value());
      const { store, store16, store8 } = m.i32.atomic;
      return (bytes === 4 ? store : bytes === 2 ? store16 : store8)(0, host(), type === 'i64' ? m.i32.wrap(value()) : value());
    });
  }

  /** An access that is atomic where it is aligned, and else has a fence on each side (see `serialize` in wasm/base/state.ts). */
  private inOrder(bytes: number, at: Expr, access: (host: () => Expr, aligned: boolean) => Expr): Expr {
    const { m } = this;
    const local = this.locals.take(i32);
    const host = () => this.get(local);
    const aligned = access(host, true);
    const code =
      bytes === 1
        ? aligned
        : m.if(
            this.unlikely(m.i32.and(host(), this.c(Math.min(bytes, 8) - 1))),
            m.block(null, [...this.fence(), access(host, false), ...this.fence()]),
            aligned,
          );
    this.locals.free(local);
    return m.block(null, [m.local.set(local, at), code]);
  }

  /** What a read-modify-write's load found out serves its store as well: nothing in between can change the TLB. */
  private keep(found: Kept | undefined): void {
    if (this.kept) {
      this.locals.free(this.kept.linear);
      this.locals.free(this.kept.host);
    }
    this.kept = found;
  }
  protected override dropKept(): void {
    if (this.kept?.locked !== undefined) throw new Error('a locked instruction without its store');
    this.keep(undefined);
  }

  protected guestStore(op: OpOf<'store'>): void {
    const { m, kept } = this;
    const { bytes } = op;
    const type = this.typeOfValue(op.value);
    const again = kept !== undefined && kept.address === op.address && kept.bytes === bytes;
    if (kept?.locked !== undefined) {
      if (!again) throw new Error('a locked instruction stores elsewhere');
      return this.lockedStore(kept, op.value);
    }
    if (op.group !== undefined) {
      const host = m.i32.add(this.value(op.address), this.get(this.unchecked(op.group)));
      this.emit(this.hostStore(bytes, host, () => this.value(op.value), type));
      return;
    }
    const linear = again ? kept.linear : this.locals.take(i32);
    if (!again) this.emit(m.local.set(linear, this.value(op.address)));
    const value = this.locals.take(wasmType[type]);
    this.emit(m.local.set(value, this.value(op.value)));
    const wide = this.get(value, wasmType[type]);
    const arg = type === 'i64' && bytes <= 4 ? m.i32.wrap(wide) : wide;
    const slow = this.orFault(this.callRuntime(this.slow.store[bytes]!, this.get(linear), arg, this.eip()));
    const store = (at: Expr) => this.hostStore(bytes, at, () => this.get(value, wasmType[type]), type);
    if (again) {
      this.emit(m.if(this.unlikely(m.i32.eqz(this.get(kept.host))), m.block(null, slow), store(this.get(kept.host))));
      this.keep(undefined);
    } else {
      this.reach(op.address, linear, bytes, true, slow, store);
      this.locals.free(linear);
    }
    this.locals.free(value);
  }
}
