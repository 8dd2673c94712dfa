// Ethernet frames, and ARP messages in them: who asks for the hardware address of one of ours is told.
import { BROADCAST_MAC, isOurs, OUR_MAC } from './address.ts';

export const EtherType = { IPV4: 0x0800, ARP: 0x0806 } as const;
export const ETHERNET_BYTES = 14;

const ARP_BYTES = 28;
/** Hardware Ethernet, protocol IPv4, addresses of 6 and 4 bytes. */
const ARP_HEAD = Uint8Array.of(0, 1, 8, 0, 6, 4);
export const ArpOperation = { REQUEST: 1, REPLY: 2 } as const;

export interface Frame {
  readonly source: Uint8Array;
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Undefined where it is none, or not for us. */
export function parseFrame(frame: Uint8Array): Frame | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined;
  const destination = frame.subarray(0, 6);
  if (!same(destination, OUR_MAC) && !same(destination, BROADCAST_MAC)) return undefined;
  return { source: frame.subarray(6, 12), type: (frame[12] << 8) | frame[13], payload: frame.subarray(ETHERNET_BYTES) };
}

/** A frame from us. */
export function buildFrame(destination: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + payload.length);
  frame.set(destination);
  frame.set(OUR_MAC, 6);
  frame[12] = type >>> 8;
  frame[13] = type & 0xff;
  frame.set(payload, ETHERNET_BYTES);
  return frame;
}

export interface Arp {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly senderIp: number;
  readonly targetIp: number;
}

export function parseArp(payload: Uint8Array): Arp | undefined {
  if (payload.length < ARP_BYTES || !same(payload.subarray(0, 6), ARP_HEAD)) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset);
  return {
    operation: view.getUint16(6),
    senderMac: payload.slice(8, 14),
    senderIp: view.getUint32(14),
    targetIp: view.getUint32(24),
  };
}

/** A message from one of our addresses. */
export function buildArp(operation: number, from: number, targetMac: Uint8Array, targetIp: number): Uint8Array {
  const message = new Uint8Array(ARP_BYTES);
  const view = new DataView(message.buffer);
  message.set(ARP_HEAD);
  view.setUint16(6, operation);
  message.set(OUR_MAC, 8);
  view.setUint32(14, from);
  message.set(targetMac, 18);
  view.setUint32(24, targetIp);
  return message;
}

/** The answer to a request for one of our addresses. */
export function answerArp(arp: Arp): Uint8Array | undefined {
  if (arp.operation !== ArpOperation.REQUEST || !isOurs(arp.targetIp)) return undefined;
  return buildArp(ArpOperation.REPLY, arp.targetIp, arp.senderMac, arp.senderIp);
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, at) => byte === b[at]);
