// Bytes on their way from the guest to the host: a ring in shared memory, and the outlet that the host thread empties it into.
import type { Device, DeviceContext } from './device.ts';
import type { Outlet, Receiver } from './outlet.ts';
import { ByteRing, ringState } from './ring.ts';

export class OutputChannel {
  readonly #context: DeviceContext;
  readonly #device: Device;
  readonly #ring: ByteRing;
  readonly #outlet: Outlet<Uint8Array>;

  /** Of `device`, whose onHostSignal calls `flush`; `bytes`: a power of two. */
  constructor(context: DeviceContext, device: Device, bytes: number, receive: Receiver<Uint8Array> | undefined) {
    this.#context = context;
    this.#device = device;
    this.#ring = new ByteRing(context.state(ringState(bytes)));
    this.#outlet = context.outlet(device, receive);
  }

  /** Bytes that it takes at once. */
  get room(): number {
    return this.#ring.room;
  }

  /** Sends a byte, device lock held. Where there is no room the CPU waits, without the lock. False: the machine stops, and the byte was never sent. */
  send(byte: number): boolean {
    const ring = this.#ring;
    while (ring.room === 0) {
      if (!this.#context.waitHost(this.#device, ring.tail, ring.tail.load()) && ring.room === 0) return false;
    }
    if (ring.push(byte)) this.#context.signalHost(this.#device);
    return true;
  }

  /** A CPU asks again and again for room: it gives its core away until the host has taken something, or for `ms`. */
  doze(ms: number): void {
    const ring = this.#ring;
    this.#context.sleep(ring.tail, ring.tail.load(), ms);
  }

  /** Host thread: hands over what there is, as far as its receiver takes it. */
  flush(): void {
    while (this.#outlet.open) {
      const bytes = this.#ring.take();
      if (bytes === undefined) return;
      this.#outlet.give(bytes);
    }
  }
}
