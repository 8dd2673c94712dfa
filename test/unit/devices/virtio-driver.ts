// A virtio-pci driver that does what Linux's does: finds the structures through configuration space, negotiates, puts
// queues into RAM and handles interrupts. It is a CPU thread's view; `work` lets the host thread have its turn.
import type { Chipset } from '../../../src/devices/chipset.ts';
import type { ChipsetOptions, Parts } from '../../../src/devices/list.ts';
import type { VirtioConfig, VirtioHost } from '../../../src/devices/virtio/index.ts';
import { type Bench, bench } from './harness.ts';

export const RAM_BYTES = 1 << 20;
export const VERSION_1 = 1n << 32n;
export const INDIRECT = 1n << 28n;
export const EVENT_IDX = 1n << 29n;
export const NEXT = 1;
export const WRITE = 2;
export const IS_INDIRECT = 4;

export interface Rig {
  readonly b: Bench;
  readonly ram: Uint8Array;
  /** The host thread's devices, and the CPU thread's machine. */
  readonly host: Parts;
  readonly cpu: Chipset;
  readonly problems: string[];
  work(): void;
}

/** Two threads' views of one machine. */
export function rig(config: VirtioConfig, host: VirtioHost = {}, extra: Partial<ChipsetOptions> = {}): Rig {
  const ram = new Uint8Array(new SharedArrayBuffer(RAM_BYTES));
  const problems: string[] = [];
  const onProblem = (device: string, text: string) => problems.push(`${device}: ${text}`);
  const b = bench(1, { ram, virtio: config, virtioHost: { ...host, onProblem }, ...extra });
  // What goes to a Worker is plain data.
  const cpu = b.attach({ virtio: structuredClone(config), virtioHost: undefined });
  return { b, ram, host: b.pc.parts, cpu, problems, work: () => b.pc.hub.runHostSignals() };
}

export interface Buffer {
  readonly address: number;
  readonly length: number;
  readonly flags?: number;
}

interface Ring {
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  readonly notify: number;
  free: number;
  seen: number;
}

export class Driver {
  readonly rig: Rig;
  readonly slot: number;
  readonly view: DataView;
  readonly rings: Ring[] = [];
  /** Addresses of the structures by capability type. */
  readonly at: Record<number, number> = {};
  notifyMultiplier = 0;
  #heap = 0x10000;

  constructor(on: Rig, slot: number) {
    this.rig = on;
    this.slot = slot;
    this.view = new DataView(on.ram.buffer);
    for (let cap = this.config(0x34, 1); cap !== 0; cap = this.config(cap + 1, 1)) {
      const type = this.config(cap + 3, 1);
      if (this.config(cap, 1) !== 9 || type === 5) continue;
      const bar = this.config(0x10 + 4 * this.config(cap + 4, 1), 4);
      this.at[type] = (bar & ~0xf) + this.config(cap + 8, 4);
      if (type === 2) this.notifyMultiplier = this.config(cap + 16, 4);
    }
    this.setConfig(4, 2, this.config(4, 2) | 6);
  }

  config(offset: number, size: 1 | 2 | 4): number {
    this.rig.cpu.portOut(0, 0xcf8, 4, 0x80000000 + (this.slot << 11) + (offset & 0xfc));
    return this.rig.cpu.portIn(0, 0xcfc + (offset & 3), size);
  }

  setConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.rig.cpu.portOut(0, 0xcf8, 4, 0x80000000 + (this.slot << 11) + (offset & 0xfc));
    this.rig.cpu.portOut(0, 0xcfc + (offset & 3), size, value);
  }

  read(structure: number, offset: number, size: 1 | 2 | 4): number {
    return this.rig.cpu.mmioRead(0, this.at[structure] + offset, size);
  }

  write(structure: number, offset: number, size: 1 | 2 | 4, value: number): void {
    this.rig.cpu.mmioWrite(0, this.at[structure] + offset, size, value);
  }

  get status(): number {
    return this.read(1, 0x14, 1);
  }

  set status(value: number) {
    this.write(1, 0x14, 1, value);
  }

  /** Reads and clears. */
  get isr(): number {
    return this.read(3, 0, 1);
  }

  features(): bigint {
    this.write(1, 0, 4, 0);
    const low = this.read(1, 4, 4);
    this.write(1, 0, 4, 1);
    return BigInt(low) | (BigInt(this.read(1, 4, 4)) << 32n);
  }

  setFeatures(value: bigint): void {
    this.write(1, 8, 4, 0);
    this.write(1, 0xc, 4, Number(value & 0xffffffffn));
    this.write(1, 8, 4, 1);
    this.write(1, 0xc, 4, Number(value >> 32n));
  }

  allocate(bytes: number, align = 16): number {
    const address = Math.ceil(this.#heap / align) * align;
    this.#heap = address + bytes;
    if (this.#heap > RAM_BYTES) throw new RangeError('test RAM is full');
    return address;
  }

  /** Everything up to DRIVER_OK (3.1.1), with queues of `size` or of what is offered, if that is less. */
  start(features = VERSION_1, size = 16): this {
    return this.startWith(features, (offered) => Math.min(size, offered));
  }

  startWith(features: bigint, sizeOf: (offered: number) => number): this {
    this.#heap = 0x10000;
    this.rings.length = 0;
    this.status = 0;
    if (this.status !== 0) throw new Error('no reset');
    this.status = 1;
    this.status = 3;
    this.setFeatures(features);
    this.status = 0xb;
    if (this.status !== 0xb) throw new Error('features refused');
    const queues = this.read(1, 0x12, 2);
    for (let i = 0; i < queues; i++) this.setQueue(i, sizeOf(this.queueSize(i)));
    this.status = 0xf;
    return this;
  }

  queueSize(index: number): number {
    this.write(1, 0x16, 2, index);
    return this.read(1, 0x18, 2);
  }

  setQueue(index: number, size: number): void {
    this.write(1, 0x16, 2, index);
    this.write(1, 0x18, 2, size);
    const desc = this.allocate(16 * size);
    const avail = this.allocate(6 + 2 * size);
    const used = this.allocate(6 + 8 * size);
    this.rig.ram.fill(0, desc, used + 6 + 8 * size);
    [desc, avail, used].forEach((address, i) => {
      this.write(1, 0x20 + 8 * i, 4, address);
      this.write(1, 0x24 + 8 * i, 4, 0);
    });
    this.write(1, 0x1c, 2, 1);
    this.rings[index] = { size, desc, avail, used, notify: this.read(1, 0x1e, 2) * this.notifyMultiplier, free: 0, seen: 0 };
  }

  putDescriptor(at: number, buffer: Buffer, flags: number, next: number, high = 0): void {
    this.view.setUint32(at, buffer.address, true);
    this.view.setUint32(at + 4, high, true);
    this.view.setUint32(at + 8, buffer.length, true);
    this.view.setUint16(at + 12, flags, true);
    this.view.setUint16(at + 14, next, true);
  }

  /** Makes a chain available; its head. */
  add(queue: number, buffers: readonly Buffer[]): number {
    const ring = this.rings[queue];
    const head = ring.free % ring.size;
    buffers.forEach((buffer, i) => {
      const last = i === buffers.length - 1;
      const index = ring.free++ % ring.size;
      this.putDescriptor(ring.desc + 16 * index, buffer, (buffer.flags ?? 0) | (last ? 0 : NEXT), (index + 1) % ring.size);
    });
    this.offer(queue, head);
    return head;
  }

  offer(queue: number, head: number): void {
    const { avail, size } = this.rings[queue];
    const index = this.view.getUint16(avail + 2, true);
    this.view.setUint16(avail + 4 + 2 * (index % size), head, true);
    this.view.setUint16(avail + 2, index + 1, true);
  }

  notify(queue: number): void {
    this.write(2, this.rings[queue].notify, 2, queue);
  }

  /** With VIRTIO_F_EVENT_IDX: the index whose passing the device wants to be notified of. */
  availEvent(queue: number): number {
    const { used, size } = this.rings[queue];
    return this.view.getUint16(used + 4 + 8 * size, true);
  }

  setUsedEvent(queue: number, value: number): void {
    const { avail, size } = this.rings[queue];
    this.view.setUint16(avail + 4 + 2 * size, value, true);
  }

  /** What came back since the last call. */
  used(queue: number): { head: number; length: number }[] {
    const ring = this.rings[queue];
    const out: { head: number; length: number }[] = [];
    while (ring.seen !== this.view.getUint16(ring.used + 2, true)) {
      const at = ring.used + 4 + 8 * (ring.seen % ring.size);
      out.push({ head: this.view.getUint32(at, true), length: this.view.getUint32(at + 4, true) });
      ring.seen = (ring.seen + 1) & 0xffff;
    }
    return out;
  }

  put(bytes: Uint8Array, at = this.allocate(bytes.length)): Buffer {
    this.rig.ram.set(bytes, at);
    return { address: at, length: bytes.length };
  }

  room(length: number): Buffer {
    const address = this.allocate(length);
    this.rig.ram.fill(0xee, address, address + length);
    return { address, length, flags: WRITE };
  }

  bytes(buffer: Buffer, length = buffer.length): Uint8Array {
    return this.rig.ram.slice(buffer.address, buffer.address + length);
  }

  /** Routes the function's line to `vector` of the I/O APIC, level-triggered. */
  route(vector: number): void {
    const gsi = 16 + (this.slot & 7);
    this.rig.cpu.mmioWrite(0, 0xfec00000, 4, 0x10 + 2 * gsi);
    this.rig.cpu.mmioWrite(0, 0xfec00010, 4, 0xa000 | vector);
  }

  /** Takes the interrupt and ends it; -1: none. */
  takeInterrupt(): number {
    const vector = this.rig.cpu.interruptAck(0);
    return vector;
  }

  endInterrupt(): void {
    this.rig.cpu.mmioWrite(0, 0xfee000b0, 4, 0);
  }
}
