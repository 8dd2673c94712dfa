// Packets of gdb's remote serial protocol (GDB manual, "Overview" of appendix E): `$data#checksum`, acknowledgements, and the byte that interrupts. Whatever bytes come, no more is kept of them than a packet.
import { toBytes } from './hex.ts';

/** The longest data of a packet, in bytes; what comes longer counts as damaged. */
export const PACKET_SIZE = 0x4000;

const INTERRUPT = 0x03;
const [START, END, ESCAPE, ACK, NACK] = ['$', '#', '}', '+', '-'].map((char) => char.charCodeAt(0));
/** What an escaped byte is changed by. */
const ESCAPED = 0x20;

/** What came. `data`: without escapes, a character for each byte. */
export type Incoming =
  | { readonly kind: 'packet'; readonly data: string }
  /** Its checksum was wrong, or it was too long. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'ack' | 'nack' | 'interrupt' };

const digit = (byte: number): number => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
};

/** Takes packets out of bytes, in whatever pieces these come. */
export class Decoder {
  /** Not looked at where acknowledgements are off: then some clients send none that is right. */
  checks = true;
  #state: 'between' | 'data' | 'escaped' | 'first-digit' | 'second-digit' = 'between';
  #data: number[] = [];
  #sum = 0;
  #claimed = 0;
  #raw = 0;

  *push(bytes: Uint8Array): Generator<Incoming> {
    for (const byte of bytes) {
      const incoming = this.#take(byte);
      if (incoming !== undefined) yield incoming;
    }
  }

  #take(byte: number): Incoming | undefined {
    // It stands in no data but escaped: a packet that was not ended is lost.
    if (byte === START && this.#state !== 'escaped') {
      this.#state = 'data';
      this.#data = [];
      this.#sum = this.#raw = 0;
      return undefined;
    }
    switch (this.#state) {
      case 'between':
        if (byte === ACK) return { kind: 'ack' };
        if (byte === NACK) return { kind: 'nack' };
        return byte === INTERRUPT ? { kind: 'interrupt' } : undefined;
      case 'data':
      case 'escaped':
        this.#takeData(byte);
        return undefined;
      case 'first-digit':
        this.#claimed = digit(byte) * 16;
        this.#state = 'second-digit';
        return undefined;
      case 'second-digit': {
        this.#state = 'between';
        const right = !this.checks || (this.#claimed >= 0 && this.#claimed + digit(byte) === (this.#sum & 0xff));
        const data = this.#data;
        this.#data = [];
        if (!right || this.#raw > PACKET_SIZE) return { kind: 'damaged' };
        return { kind: 'packet', data: String.fromCharCode(...data) };
      }
    }
  }

  #takeData(byte: number): void {
    if (byte === END && this.#state === 'data') {
      this.#state = 'first-digit';
      return;
    }
    this.#sum += byte;
    this.#raw++;
    if (byte === ESCAPE && this.#state === 'data') {
      this.#state = 'escaped';
      return;
    }
    if (this.#raw <= PACKET_SIZE) this.#data.push(this.#state === 'escaped' ? byte ^ ESCAPED : byte);
    this.#state = 'data';
  }
}

/** A packet. `data`: a character for each byte, those that mean something to the protocol escaped. */
export function packet(data: string): Uint8Array {
  const bytes = toBytes(`$${data}#00`);
  const sum = bytes.subarray(1, -3).reduce((all, byte) => (all + byte) & 0xff, 0);
  bytes.set(toBytes(sum.toString(16).padStart(2, '0')), bytes.length - 2);
  return bytes;
}

export const GOOD = Uint8Array.of(ACK!);
export const AGAIN = Uint8Array.of(NACK!);

/** Any characters of 0 to 255 as data of a packet. */
export const escaped = (data: string): string => data.replace(/[$#}*]/g, (char) => `}${String.fromCharCode(char.charCodeAt(0) ^ ESCAPED)}`);
