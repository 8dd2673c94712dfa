// The guest's hardware addresses, by its IPv4 addresses: learned from what it sends, and asked for by ARP. What is for an address that is not known yet
// waits, up to a limit.
import { BROADCAST, BROADCAST_MAC, GATEWAY, isGuest } from './address.ts';
import { ArpOperation, buildArp, buildFrame, EtherType } from './frame.ts';

export const MOST_NEIGHBOURS = 16;
/** Packets that wait, of all addresses. */
export const MOST_WAITING = 32;

export class Neighbours {
  readonly #send: (frame: Uint8Array) => void;
  readonly #macs = new Map<number, Uint8Array>();
  #waiting: { readonly address: number; readonly packet: Uint8Array }[] = [];

  constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  /** A frame with this hardware address came from this IPv4 address. */
  learn(address: number, mac: Uint8Array): void {
    if (!isGuest(address) || (mac[0] & 1) !== 0) return;
    const known = this.#macs.get(address);
    if (known?.every((byte, at) => byte === mac[at])) return;
    if (known === undefined && this.#macs.size >= MOST_NEIGHBOURS) this.#macs.delete(this.#macs.keys().next().value!);
    this.#macs.set(address, mac.slice());
    const ready = this.#waiting.filter((one) => one.address === address);
    this.#waiting = this.#waiting.filter((one) => one.address !== address);
    for (const { packet } of ready) this.send(address, packet);
  }

  /** Sends an IPv4 packet to an address of the guest's, or to everyone. */
  send(address: number, packet: Uint8Array): void {
    const mac = address === BROADCAST ? BROADCAST_MAC : this.#macs.get(address);
    if (mac !== undefined) return this.#send(buildFrame(mac, EtherType.IPV4, packet));
    this.#send(buildFrame(BROADCAST_MAC, EtherType.ARP, buildArp(ArpOperation.REQUEST, GATEWAY, new Uint8Array(6), address)));
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
    this.#waiting.push({ address, packet });
  }
}
