// One client of the stub: takes its packets, one after the other, and answers them (GDB manual, "Packets" and "General Query Packets"). gdb's threads are the machine's CPUs, numbered from 1.

import type { RunResult } from '../api/ending.ts';
import { DragomanError } from '../api/errors.ts';
import type { Peer, PeerEvents } from '../host/host.ts';
import type { Debugged } from './debugged.ts';
import { DESCRIPTION } from './description.ts';
import { Execution, type Plan } from './execution.ts';
import { AGAIN, Decoder, escaped, GOOD, PACKET_SIZE, packet } from './framing.ts';
import { fromHex, fromHexNumber, hexToText, textToHex, toBytes, toHex } from './hex.ts';
import { readSome } from './memory.ts';
import { monitor } from './monitor.ts';
import { Points } from './points.ts';
import { GdbCpu, REGISTERS, readAll, WITHOUT_DESCRIPTION, writeAll } from './registers.ts';

const OK = 'OK';
/** Errors, by numbers of Unix: EFAULT for memory, EINVAL for what a client should not have sent. */
const FAULT = 'E0e';
const INVALID = 'E16';
/** An error of ours. */
const BROKEN = 'E01';
/** Not known here. */
const UNKNOWN = '';
/** No answer: it comes later. */
const LATER = undefined;

const FEATURES = [
  `PacketSize=${PACKET_SIZE.toString(16)}`,
  ...['QStartNoAckMode+', 'vContSupported+', 'swbreak+', 'hwbreak+', 'qXfer:features:read+', 'multiprocess-'],
];
/** Of a machine that can go back. */
const BACKWARDS = ['ReverseStep+', 'ReverseContinue+'];
/** Characters of text that are sent at once: each becomes up to eight. */
const TEXT_PIECE = PACKET_SIZE / 8 - 1;

type Answer = string | undefined;

export class Session implements PeerEvents {
  readonly #debugged: Debugged;
  readonly #peer: Peer;
  readonly #decoder = new Decoder();
  readonly #points: Points;
  readonly #execution: Execution;
  /** It sent a packet, so it is a debugger, and holds the machine. */
  #attached = false;
  #acknowledges = true;
  /** Once the answer is sent. */
  #then: (() => void) | undefined;
  /** What was sent last. */
  #sent: Uint8Array | undefined;
  /** The CPUs that registers and memory are read of, and that legacy commands go on with (undefined: all). */
  #selected = 0;
  #continued: number | undefined;
  #readDescription = false;
  #gone = false;

  constructor(debugged: Debugged, peer: Peer) {
    this.#debugged = debugged;
    this.#peer = peer;
    this.#points = new Points(debugged.machine);
    this.#execution = new Execution({
      debugged,
      points: this.#points,
      onStop: (reply, cpu) => {
        this.#selected = cpu;
        void this.#send(reply);
      },
      onText: (text) => void this.#sendText(text),
    });
  }

  get attached(): boolean {
    return this.#attached;
  }

  /** Bytes from the client; no others before this resolves. */
  async data(bytes: Uint8Array): Promise<void> {
    for (const incoming of this.#decoder.push(bytes)) {
      if (this.#gone) return;
      if (incoming.kind === 'packet') await this.#packet(incoming.data);
      else if (incoming.kind === 'damaged') await this.#peer.write(AGAIN);
      else if (incoming.kind === 'nack' && this.#sent !== undefined && this.#acknowledges) await this.#peer.write(this.#sent);
      else if (incoming.kind === 'interrupt') await this.#interrupt();
    }
  }

  /** The client is gone, or is not to be heard any more: its points are removed, and the machine goes on. */
  async gone(): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    await this.#detach();
    this.#execution.close();
  }

  /** The run has ended. */
  ended(result: RunResult): void {
    this.#attached = false;
    this.#execution.ended(result);
    this.#gone = true;
    this.#execution.close();
    this.#peer.close();
  }

  async #detach(): Promise<void> {
    if (!this.#attached) return;
    this.#attached = false;
    await this.#execution.release();
  }

  async #interrupt(): Promise<void> {
    try {
      await this.#execution.interrupt();
    } catch (error) {
      // The run has ended meanwhile.
      if (!(error instanceof DragomanError)) throw error;
    }
  }

  async #packet(data: string): Promise<void> {
    if (this.#acknowledges) await this.#peer.write(GOOD);
    this.#attached = true;
    const answer = await this.#answer(data);
    if (answer !== LATER) await this.#send(answer);
    this.#then?.();
    this.#then = undefined;
  }

  async #answer(data: string): Promise<Answer> {
    try {
      await this.#execution.hold();
      return await this.#command(data);
    } catch (error) {
      if (error instanceof DragomanError) return error.code === 'BAD_ADDRESS' ? FAULT : INVALID;
      await this.#sendText(`internal error: ${(error as Error).stack ?? error}\n`);
      return BROKEN;
    }
  }

  async #send(data: string): Promise<void> {
    if (this.#gone) return;
    this.#sent = packet(data);
    await this.#peer.write(this.#sent);
  }
  /** For people. */
  async #sendText(text: string): Promise<void> {
    for (let at = 0; at < text.length; at += TEXT_PIECE) await this.#send(`O${textToHex(text.slice(at, at + TEXT_PIECE))}`);
  }

  get #cpus(): Debugged['machine']['cpus'] {
    return this.#debugged.machine.cpus;
  }
  get #cpu(): GdbCpu {
    return new GdbCpu(this.#cpus[this.#selected]!, this.#debugged.shared);
  }

  /** The CPU of a thread; undefined for all of them, or any. */
  #cpuOf(thread: string): number | undefined {
    if (thread === '-1' || /^0+$/.test(thread)) return undefined;
    const cpu = fromHexNumber(thread) - 1;
    if (cpu >= this.#cpus.length) throw new DragomanError('BAD_OPTION', `there is no thread ${thread}`);
    return cpu;
  }

  async #command(data: string): Promise<Answer> {
    const rest = data.slice(1);
    switch (data[0]) {
      case '?':
        return this.#lastStop();
      case 'g':
        return toHex(readAll(this.#cpu, this.#registersKnown));
      case 'G':
        this.#debugged.changed();
        writeAll(this.#cpu, fromHex(rest));
        return OK;
      case 'p':
        return toHex(this.#register(rest).read(this.#cpu));
      case 'P':
        return this.#writeRegister(rest);
      case 'm':
        return this.#readMemory(rest);
      case 'M':
      case 'X':
        return this.#writeMemory(rest, data[0] === 'X' ? toBytes : fromHex);
      case 'Z':
      case 'z':
        return this.#point(data[0] === 'Z', rest);
      case 'c':
      case 's':
      case 'C':
      case 'S':
        return this.#goOn(data[0].toLowerCase() as 'c' | 's', data[0] === data[0].toLowerCase() ? rest : rest.split(';')[1]);
      case 'b':
        return this.#goBack(rest);
      case 'H':
        return this.#select(rest);
      case 'T':
        return this.#cpuOf(rest) === undefined ? INVALID : OK;
      case 'D':
        await this.#detach();
        return OK;
      case 'k':
        this.#kill();
        return LATER;
      case 'v':
        return this.#verb(rest);
      case 'q':
        return this.#query(rest);
      case 'Q':
        return this.#set(rest);
      default:
        return UNKNOWN;
    }
  }

  #lastStop(): Answer {
    const { reply, cpu } = this.#execution.last;
    this.#selected = cpu;
    return reply;
  }

  get #registersKnown(): number {
    return this.#readDescription ? REGISTERS.length : WITHOUT_DESCRIPTION;
  }
  #register(number: string) {
    const register = REGISTERS[fromHexNumber(number)];
    if (register === undefined) throw new DragomanError('BAD_OPTION', `there is no register ${number}`);
    return register;
  }
  #writeRegister(text: string): Answer {
    const [number = '', value = ''] = text.split('=');
    const register = this.#register(number);
    const bytes = fromHex(value);
    if (bytes.length !== register.bits / 8) return INVALID;
    this.#debugged.changed();
    register.write(this.#cpu, bytes);
    return OK;
  }

  #readMemory(text: string): Answer {
    const [address, length] = text.split(',').map(fromHexNumber);
    if (length === undefined) return INVALID;
    if (length === 0) return UNKNOWN;
    const bytes = readSome(this.#cpu.handle, address!, Math.min(length, PACKET_SIZE / 2));
    return bytes === undefined ? FAULT : toHex(bytes);
  }
  #writeMemory(text: string, decode: (text: string) => Uint8Array): Answer {
    const colon = text.indexOf(':');
    const [address, length] = text.slice(0, colon).split(',').map(fromHexNumber);
    const bytes = decode(text.slice(colon + 1));
    if (colon < 0 || length !== bytes.length) return INVALID;
    if (length > 0) this.#cpu.handle.memory.write(address!, bytes);
    return OK;
  }

  async #point(set: boolean, text: string): Promise<Answer> {
    // Behind a ';' come conditions, which were not announced.
    const [type, address, length] = text.split(';')[0]!.split(',').map(fromHexNumber);
    if (type === undefined || address === undefined || length === undefined) return INVALID;
    if (type > 4) return UNKNOWN;
    if (set) await this.#points.set(type, address, length);
    else this.#points.remove(type, address, length);
    return OK;
  }

  /** Without vCont. `from`: an address to go on at. */
  #goOn(how: 'c' | 's', from: string | undefined): Answer {
    if (from !== undefined && from !== '') this.#cpu.registers.eip = fromHexNumber(from);
    const cpu = this.#continued;
    if (how === 's') this.#execution.go([{ cpu: cpu ?? this.#selected, endless: false }]);
    else this.#execution.go(cpu === undefined ? 'all' : [{ cpu, endless: true }]);
    return LATER;
  }

  /** bs and bc. */
  #goBack(how: string): Answer {
    if (!this.#debugged.machine.canGoBack || (how !== 's' && how !== 'c')) return UNKNOWN;
    this.#execution.go({ back: how === 's' ? 'step' : 'run', cpu: this.#continued ?? this.#selected });
    return LATER;
  }

  #select(text: string): Answer {
    const cpu = this.#cpuOf(text.slice(1));
    if (text[0] === 'g') this.#selected = cpu ?? this.#selected;
    else if (text[0] === 'c') this.#continued = cpu;
    else return UNKNOWN;
    return OK;
  }

  #verb(text: string): Answer {
    if (text === 'Cont?') return 'vCont;c;C;s;S;t';
    if (text.startsWith('Cont;')) {
      const plan = this.#planOf(text.slice('Cont;'.length).split(';'));
      if (plan === undefined) return this.#lastStop();
      this.#execution.go(plan);
      return LATER;
    }
    if (text === 'Kill' || text.startsWith('Kill;')) {
      this.#then = () => this.#kill();
      return OK;
    }
    // vMustReplyEmpty among them.
    return UNKNOWN;
  }

  /** Of the actions of vCont, of which the leftmost for a thread counts. Undefined: no CPU is to do anything. */
  #planOf(actions: readonly string[]): Plan | undefined {
    const of = new Map<number, string>();
    for (const action of actions) {
      const [, what, thread] = /^([csCSt])[0-9a-f]*(?::(.*))?$/i.exec(action) ?? [];
      if (what === undefined) throw new DragomanError('NOT_SUPPORTED', `the action '${action}'`);
      const cpu = thread === undefined ? undefined : this.#cpuOf(thread);
      for (const { index } of this.#cpus) if ((cpu === undefined || cpu === index) && !of.has(index)) of.set(index, what.toLowerCase());
    }
    const doing = (what: string) => this.#cpus.map(({ index }) => index).filter((index) => of.get(index) === what);
    const [steps, goOn] = [doing('s'), doing('c')];
    if (steps.length > 0) return steps.map((cpu) => ({ cpu, endless: false }));
    if (goOn.length === this.#cpus.length) return 'all';
    return goOn.length === 0 ? undefined : goOn.map((cpu) => ({ cpu, endless: true }));
  }

  #kill(): void {
    this.#debugged.machine.stop('the debugger killed it');
  }

  async #query(text: string): Promise<Answer> {
    const [name = ''] = text.split(/[:,;]/);
    const rest = text.slice(name.length + 1);
    switch (name) {
      case 'Supported':
        return [...FEATURES, ...(this.#debugged.machine.canGoBack ? BACKWARDS : [])].join(';');
      case 'C':
        return `QC${(this.#selected + 1).toString(16)}`;
      case 'fThreadInfo':
        return `m${this.#cpus.map(({ index }) => (index + 1).toString(16)).join(',')}`;
      case 'sThreadInfo':
        return 'l';
      case 'ThreadExtraInfo': {
        const cpu = this.#cpuOf(rest);
        return cpu === undefined
          ? INVALID
          : textToHex(`CPU ${cpu} [${new GdbCpu(this.#cpus[cpu]!, this.#debugged.shared).waits ?? 'running'}]`);
      }
      case 'Attached':
        return '1';
      case 'Xfer':
        return this.#transfer(rest);
      case 'Rcmd': {
        const text = await monitor(this.#debugged, this.#cpu.handle, hexToText(rest), () => (this.#then = () => this.#end()));
        await this.#sendText(text);
        return OK;
      }
      default:
        return UNKNOWN;
    }
  }

  #end(): void {
    this.#debugged.machine.stop("the debugger's 'monitor stop'");
  }

  #transfer(text: string): Answer {
    const [object, direction, annex, range = ''] = text.split(':');
    if (object !== 'features' || direction !== 'read') return UNKNOWN;
    if (annex !== 'target.xml') return 'E00';
    const [offset, length] = range.split(',').map(fromHexNumber);
    if (length === undefined) return INVALID;
    this.#readDescription = true;
    // What has to be escaped counts twice.
    const piece = DESCRIPTION.slice(offset, offset! + Math.min(length, PACKET_SIZE / 2));
    return `${offset! + piece.length < DESCRIPTION.length ? 'm' : 'l'}${escaped(piece)}`;
  }

  #set(text: string): Answer {
    if (text !== 'StartNoAckMode') return UNKNOWN;
    // Of this very answer it is told once more that it came.
    this.#then = () => {
      this.#acknowledges = this.#decoder.checks = false;
    };
    return OK;
  }
}
