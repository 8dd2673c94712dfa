// The name server that the guest is told of: its queries go to the host's name servers as they are, one after the other until one answers;
// what is no query gets an error.
import type { HostAddress, HostDatagrams, HostTimer, NetworkHost } from './host-ends.ts';

export const DNS_PORT = 53;
/** Queries that wait for an answer at once. */
export const MOST_QUERIES = 64;
/** How long one server is waited for. */
export const SERVER_MS = 3000;

const HEADER_BYTES = 12;
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;
const RESPONSE = 0x80;
const OPCODE = 0x78;
/** Opcode and the wish for recursion, which come back. */
const KEPT = OPCODE | 1;
export const ResponseCode = { FORMAT: 1, FAILURE: 2, NOT_IMPLEMENTED: 4 } as const;

/** Where the one question of a query ends; undefined where it is malformed. */
function questionEnd(query: Uint8Array): number | undefined {
  if (query.length < HEADER_BYTES || query[4] !== 0 || query[5] !== 1) return undefined;
  let at = HEADER_BYTES;
  // Nothing lies before it that a pointer could mean.
  for (let label = query[at]; label !== 0; label = query[at]) {
    if (label === undefined || label > LONGEST_LABEL) return undefined;
    at += 1 + label;
    if (at + 1 - HEADER_BYTES > LONGEST_NAME) return undefined;
  }
  const end = at + 5;
  return end <= query.length ? end : undefined;
}

/** An answer without records. */
function errorOf(query: Uint8Array, code: number): Uint8Array {
  const end = questionEnd(query) ?? HEADER_BYTES;
  const answer = new Uint8Array(end);
  answer.set(query.subarray(0, end === HEADER_BYTES ? 2 : end));
  answer[2] = RESPONSE | ((query[2] ?? 0) & KEPT);
  answer[3] = RESPONSE | code;
  answer.fill(0, 4, HEADER_BYTES);
  answer[5] = end === HEADER_BYTES ? 0 : 1;
  return answer;
}

interface Query {
  readonly socket: HostDatagrams;
  readonly timer: HostTimer;
}

export class DnsForwarder {
  readonly #host: NetworkHost;
  readonly #pending = new Set<Query>();

  constructor(host: NetworkHost) {
    this.#host = host;
  }

  /** Queries that wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Asks; `answer` is called once, at once or later, or never where the message is not even the beginning of a query. */
  ask(message: Uint8Array, answer: (message: Uint8Array) => void): void {
    if (message.length < 2 || (message[2] ?? 0) & RESPONSE) return;
    if (message.length >= HEADER_BYTES && (message[2] & OPCODE) !== 0) return answer(errorOf(message, ResponseCode.NOT_IMPLEMENTED));
    if (questionEnd(message) === undefined) return answer(errorOf(message, ResponseCode.FORMAT));
    this.#forward(message.slice(), this.#host.nameServers(), answer);
  }

  #forward(query: Uint8Array, [server, ...others]: readonly HostAddress[], answer: (message: Uint8Array) => void): void {
    if (server === undefined || this.#pending.size >= MOST_QUERIES) return answer(errorOf(query, ResponseCode.FAILURE));
    const next = () => {
      this.#done(pending);
      this.#forward(query, others, answer);
    };
    const socket = this.#host.datagrams(server, {
      onDatagram: (message) => {
        const fits = message.length >= HEADER_BYTES && message[0] === query[0] && message[1] === query[1] && message[2] & RESPONSE;
        if (!fits) return;
        this.#done(pending);
        answer(message);
      },
      onError: next,
    });
    const pending: Query = { socket, timer: this.#host.after(SERVER_MS, next) };
    this.#pending.add(pending);
    socket.send(query);
  }

  #done(query: Query): void {
    query.timer.cancel();
    query.socket.close();
    this.#pending.delete(query);
  }

  /** Nobody gets an answer any more. */
  close(): void {
    for (const query of [...this.#pending]) this.#done(query);
  }
}
