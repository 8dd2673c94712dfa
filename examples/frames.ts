// A neighbour for the guest: prints each Ethernet frame that the guest sends, and answers ARP and ping as the host 10.0.2.2.
//
//     node scripts/with-node.mjs examples/frames.ts [KERNEL INITRD]
import { Machine, MiB } from '../src/api/index.ts'; // with the package installed: from 'dragoman'
import { PROMPT, readGuest } from './guest.ts';

const MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
const IP = Uint8Array.of(10, 0, 2, 2);

const Ether = { IPV4: 0x0800, ARP: 0x0806 } as const;
const ETHER_BYTES = 14;
const ARP_BYTES = 28;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const ICMP = 1;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];
const is = (bytes: Uint8Array, at: number, wanted: Uint8Array): boolean => wanted.every((byte, i) => bytes[at + i] === byte);
const mac = (bytes: Uint8Array, at: number): string =>
  Array.from(bytes.subarray(at, at + 6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
const ip = (bytes: Uint8Array, at: number): string => bytes.subarray(at, at + 4).join('.');

/** The Internet checksum (RFC 1071) of a message whose own checksum is 0. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Where the ICMP message of a frame with a whole IPv4 packet starts and ends; undefined where there is none. */
function findIcmp(frame: Uint8Array): { at: number; end: number } | undefined {
  if (frame.length < ETHER_BYTES + 20 || u16(frame, 12) !== Ether.IPV4 || frame[ETHER_BYTES] >> 4 !== 4) return undefined;
  const at = ETHER_BYTES + 4 * (frame[ETHER_BYTES] & 15);
  const end = ETHER_BYTES + u16(frame, ETHER_BYTES + 2);
  return frame[ETHER_BYTES + 9] === ICMP && at + 8 <= end && end <= frame.length ? { at, end } : undefined;
}

/** A frame in words, for people. */
export function describe(frame: Uint8Array): string {
  const start = `${mac(frame, 6)} > ${mac(frame, 0)}, ${frame.length} bytes: `;
  if (u16(frame, 12) === Ether.ARP && frame.length >= ETHER_BYTES + ARP_BYTES) {
    if (u16(frame, 20) === ARP_REQUEST) return `${start}ARP, who has ${ip(frame, 38)}? tell ${ip(frame, 28)}`;
    return `${start}ARP, ${ip(frame, 28)} is at ${mac(frame, 22)}`;
  }
  const icmp = findIcmp(frame);
  if (icmp === undefined) return `${start}type 0x${u16(frame, 12).toString(16).padStart(4, '0')}`;
  return `${start}ICMP type ${frame[icmp.at]}, ${ip(frame, 26)} > ${ip(frame, 30)}`;
}

/** What 10.0.2.2 says to a frame: it tells its address, and sends echo requests back. Undefined: nothing. */
export function answer(frame: Uint8Array): Uint8Array | undefined {
  const reply = frame.slice();
  reply.set(frame.subarray(6, 12), 0);
  reply.set(MAC, 6);
  if (u16(frame, 12) === Ether.ARP && frame.length >= ETHER_BYTES + ARP_BYTES) {
    if (u16(frame, 20) !== ARP_REQUEST || !is(frame, 38, IP)) return undefined;
    reply[21] = ARP_REPLY;
    reply.set(frame.subarray(22, 32), 32); // who asked becomes the target
    reply.set(MAC, 22);
    reply.set(IP, 28);
    return reply;
  }
  const icmp = findIcmp(frame);
  if (icmp === undefined || frame[icmp.at] !== ECHO_REQUEST || !is(frame, 30, IP)) return undefined;
  // The IPv4 checksum is the same with source and destination exchanged; the one of ICMP is not without the request's type.
  reply.set(frame.subarray(26, 30), 30);
  reply.set(IP, 26);
  reply[icmp.at] = ECHO_REPLY;
  reply.fill(0, icmp.at + 2, icmp.at + 4);
  const sum = checksum(reply.subarray(icmp.at, icmp.end));
  reply.set([sum >> 8, sum & 0xff], icmp.at + 2);
  return reply;
}

async function main(): Promise<void> {
  const machine = await Machine.create({
    ...readGuest(),
    append: 'console=ttyS0 quiet',
    memoryBytes: 128 * MiB,
    net: {
      onFrame(frame) {
        console.log(`frame: ${describe(frame)}`);
        const reply = answer(frame);
        if (reply !== undefined) machine.sendFrame(reply);
      },
    },
    onConsole: (bytes) => void process.stdout.write(bytes),
  });
  const run = machine.run();
  await machine.console.until(PROMPT);
  await machine.console.type('ifconfig eth0 10.0.2.15 netmask 255.255.255.0 && ping -c 3 10.0.2.2; poweroff -f\n');
  const result = await run;
  console.log(result.kind === 'power-off' ? 'the guest is off' : `the run ended early: ${JSON.stringify(result)}`);
}

if (import.meta.main) await main();
