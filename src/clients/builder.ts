// What a client's hooks write with: the IR's builder (docs/ir.md), and the words for the client's room in the machine's memory.

import type { AccessPlace } from '../instrument/hooks.ts';
import { Builder } from '../ir/builder.ts';
import type { Code } from '../ir/operations.ts';
import type { Type, Value } from '../ir/types.ts';
import { Cpu, Gpr } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import { type Placed, RING_HEAD, type Ring, type Shadow } from './room.ts';

/** What a call of a client's function is known by: the client's number in the list (above these bits), and the function's. */
export const CALL_BITS = 16;
/** That a call gives. */
const MOST_VALUES = 5;

/** What an access touches. */
/** An access, or what is to be noted as one. */
export type Touched = Pick<AccessPlace, 'address' | 'size' | 'bytes' | 'ramOffset'>;

export class ClientBuilder extends Builder {
  override readonly code: Code;
  private readonly room: Placed;

  private readonly id: number;
  private readonly exact: boolean;

  /** `id`: the client's, for calls; `exact`: all of which have the CPU's state. */
  constructor(code: Code, room: Placed, id = 0, exact = false) {
    super();
    this.code = code;
    this.room = room;
    this.id = id;
    this.exact = exact;
  }

  /** The CPU's index (i32). */
  cpuIndex(): Value {
    return this.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset: Cpu.at.index });
  }

  /** Adds a number to the counter of 64 bits at an offset of the CPU's room. */
  count(offset: number, by = 1): void {
    this.increase(offset, this.const64(BigInt(by)));
  }
  /** The same of that which is `index` (i32) counters behind it: one of a table, by a vector, say. The client sees to it that it is in its room. */
  countAt(offset: number, index: Value, by = 1): void {
    const at = this.shl(index, this.const(3));
    const count = this.loadCpu(8, offset, at);
    this.storeCpu(8, offset, this.op('i64.add', count, this.const64(BigInt(by))), at);
  }
  /** The same with a value (i32, unsigned). */
  countBy(offset: number, by: Value): void {
    this.increase(offset, this.op('i64.extend_i32_u', by));
  }
  private increase(offset: number, more: Value): void {
    const at = this.room.cpu + offset;
    const count = this.push({ kind: 'ldstate', type: 'i64', bytes: 8, signed: false, offset: at });
    this.push({ kind: 'ststate', bytes: 8, offset: at, value: this.op('i64.add', count, more) });
  }

  /** Loads from the CPU's room: 1, 2 or 4 bytes to an i32 (without a sign), 8 to an i64. `index`: bytes to add to the offset (i32). */
  loadCpu(bytes: 1 | 2 | 4 | 8, offset: number, index?: Value): Value {
    return this.loadAt(bytes, this.ofCpu(index), this.room.cpu + offset);
  }
  /** Stores there. */
  storeCpu(bytes: 1 | 2 | 4 | 8, offset: number, value: Value, index?: Value): void {
    this.push({ kind: 'ststate', bytes, address: this.ofCpu(index), offset: this.room.cpu + offset, value });
  }
  private ofCpu(index: Value | undefined): Value | undefined {
    return index === undefined ? undefined : this.add(this.push({ kind: 'cpu', type: 'i32' }), index);
  }

  /** The same of the room that all CPUs share. Another CPU may store in between: what is loaded, changed and stored again may be lost (mark is the way). */
  loadShared(bytes: 1 | 2 | 4 | 8, index: Value, offset = 0): Value {
    return this.loadAt(bytes, index, this.room.shared + offset);
  }
  storeShared(bytes: 1 | 2 | 4 | 8, index: Value, value: Value, offset = 0): void {
    this.push({ kind: 'ststate', bytes, address: index, offset: this.room.shared + offset, value });
  }
  private loadAt(bytes: number, address: Value | undefined, offset: number): Value {
    const type: Type = bytes === 8 ? 'i64' : 'i32';
    return this.push({ kind: 'ldstate', type, bytes, signed: false, address, offset });
  }

  /** Writes a record, of as many values (i32) as the ring has words, over the oldest one where it is full. */
  record({ offset, records, words }: Ring, ...values: readonly Value[]): void {
    if (values.length !== words) throw new Error(`a record of ${words} words is given ${values.length}`);
    if ((records & (records - 1)) !== 0) throw new Error(`a ring has a power of two of records, not ${records}`);
    const count = this.loadCpu(4, offset);
    const index = this.mul(this.and(count, this.const(records - 1)), this.const(words * 4));
    values.forEach((value, n) => this.storeCpu(4, offset + RING_HEAD + n * 4, value, index));
    this.storeCpu(4, offset, this.add(count, this.const(1)));
  }

  /** Sets bits (an i32 from 1 to 255) of a byte of the shared room: an atomic operation where one of them is not set yet, else a look. */
  mark(index: Value, bits: Value, offset = 0): void {
    const has = this.loadShared(1, index, offset);
    const missing = this.xor(this.and(has, bits), bits);
    const { name, effects, result } = runtime.clientMark;
    const args = [this.add(index, this.const(this.room.shared + offset)), bits];
    this.push({ kind: 'helper', type: result, name, args, effects, when: [missing], otherwise: this.const(0) });
  }
  /**
   * Marks what an access touches: sets bits of the byte of each of its granules of RAM (1 << `shift` bytes), by a call where one of the first granule's is not set or the access goes beyond it. A granule of
   * its own, the last, is for all that is not in RAM. `lines`: of a word for each granule, which takes the linear address where bits are set.
   */
  markGranules(at: Touched, shift: number, bits: Value, offset: number, lines?: number): void {
    const { address, bytes } = at;
    const granule = this.shr_u(at.ramOffset(), this.const(shift));
    const unset = this.xor(this.and(this.loadShared(1, granule, offset), bits), bits);
    // A run may be of no bytes.
    const missing = at.size === undefined ? this.select(bytes, unset, this.const(0)) : unset;
    const size = 2 ** shift;
    const beyond = this.gt_u(bytes, this.sub(this.const(size), this.and(address, this.const(size - 1))));
    const { name, effects, result } = runtime.clientMarkRange;
    const marks = this.const(this.room.shared + offset);
    const words = this.const(lines === undefined ? 0 : this.room.shared + lines);
    const args = [this.add(granule, marks), marks, this.const(shift), bits, address, bytes, words];
    this.push({ kind: 'helper', type: result, name, args, effects, when: [missing, beyond], otherwise: this.const(0) });
  }
  /**
   * Checks an access by a shadow, a byte for each eight from a linear address `origin` on, `limit` bytes in all (a multiple of eight): 0 where all may be accessed, 1 to 7 where only so many of the first,
   * 0x80 and more where none. Calls Client.called where one of its bytes may not be: with how far behind `origin` the access begins, its bytes, EIP, ESP, EBP; but not where the word at `inside` in the CPU's
   * room is an address of the stack less than a page above ESP.
   */
  checkShadow(at: AccessPlace, number: number, { shadow, origin, limit, inside }: Shadow): void {
    const from = this.sub(at.address, this.const(origin | 0));
    const place = this.select(this.lt_u(from, this.const(limit)), from, this.const(limit));
    const marked = this.loadShared(1, this.shr_u(place, this.const(3)), shadow);
    // More than 8 bytes always go on to the next of the shadow, and so do runs, of which nobody knows how many there are.
    const across = at.size === undefined || at.size > 8 ? at.bytes : this.gt_u(this.and(from, this.const(7)), this.const(8 - at.size));
    const { name, effects, result } = runtime.clientShadow;
    const args = [
      this.const((this.id << CALL_BITS) | number),
      this.const(this.room.shared + shadow),
      place,
      this.const(limit),
      at.bytes,
      this.add(this.push({ kind: 'cpu', type: 'i32' }), this.const(this.room.cpu + inside)),
      at.eip(),
      at.register(Gpr.ESP),
      at.register(Gpr.EBP),
    ];
    const when = at.size === 1 ? [marked] : [marked, across];
    this.push({ kind: 'helper', type: result, name, args, effects, when, otherwise: this.const(0) });
  }
  /**
   * Calls Client.called on the CPU's thread where `cond` (i32) is not 0, which is seldom: with a number from 0 to 65,535 of the client's own, and up to five values (i32). Registers are not in
   * memory there.
   */
  callIf(cond: Value, number: number, ...values: readonly Value[]): void {
    if (this.exact) this.callExactIf(cond, number, ...values);
    else this.call(runtime.clientCall, cond, number, values);
  }
  /** The same with all of the CPU's state in memory: as it is at the start of the instruction, in front of a branch behind all else that the instruction does. */
  callExactIf(cond: Value, number: number, ...values: readonly Value[]): void {
    this.call(runtime.clientCallExact, cond, number, values);
  }
  private call(
    { name, effects, result }: typeof runtime.clientCall | typeof runtime.clientCallExact,
    cond: Value,
    number: number,
    values: readonly Value[],
  ): void {
    const args = this.callArguments(number, values);
    this.push({ kind: 'helper', type: result, name, args, effects, when: [cond], otherwise: this.const(0) });
  }
  private callArguments(number: number, values: readonly Value[]): Value[] {
    if (values.length > MOST_VALUES) throw new Error(`a call is given ${values.length} values, of at most ${MOST_VALUES}`);
    const all = [this.const((this.id << CALL_BITS) | number), ...values];
    while (all.length < 1 + MOST_VALUES) all.push(this.const(0));
    return all;
  }
}
