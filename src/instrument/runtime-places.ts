// Places of hooks in functions of the runtime's, where no code of the guest's stands: ways between the privilege levels, and the accesses that interrupts, far transfers and string instructions that
// fault have made. All of the CPU's state is in memory there; what the function is told of is in ClientWords.
import { UNDEFINED } from '../decode/instruction.ts';
import { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import { ClientWords, CROSSED_BY, NotedAccess } from '../layout/clients.ts';
import { Cpu, GPR_STRIDE } from '../layout/cpu.ts';
import { CpuArea } from '../layout/memory.ts';
import type { Form } from '../lift/form.ts';
import { ramOffsetAt } from './hooks.ts';
import type { Instrument } from './instrument.ts';
import type { AccessPlace, CrossingPlace, Level } from './places.ts';

/** What stands in the place of an instruction's form. */
export const RUNTIME_FORM: Form = { ...UNDEFINED, mnemonic: 'none' };

class InMemory {
  protected readonly b: Builder;
  constructor(b: Builder) {
    this.b = b;
  }
  protected state(offset: number): Value {
    return this.b.push({ kind: 'ldstate', type: 'i32', bytes: 4, signed: false, offset });
  }
  protected told(offset: number): Value {
    return this.state(CpuArea.at.clientWords + offset);
  }
  register(number: number): Value {
    return this.state(Cpu.at.gpr + number * GPR_STRIDE);
  }
}

class Crossing extends InMemory implements CrossingPlace {
  readonly to: Level;
  constructor(b: Builder, to: Level) {
    super(b);
    this.to = to;
  }
  by(): Value {
    return this.b.shr_u(this.told(ClientWords.at.by), this.b.const(CROSSED_BY));
  }
  vector(): Value {
    return this.b.and(this.told(ClientWords.at.by), this.b.const(0xff));
  }
  eip(): Value {
    return this.told(ClientWords.at.at);
  }
}

class Noted extends InMemory implements AccessPlace {
  readonly engine = 'runtime';
  readonly form = RUNTIME_FORM;
  readonly locked = false;
  readonly level: Level;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly size: number | undefined;
  readonly address: Value;
  readonly bytes: Value;
  private readonly ramBytes: number;

  constructor(b: Builder, kind: number, ramBytes: number) {
    super(b);
    this.ramBytes = ramBytes;
    this.level = levelOfKind(kind);
    this.writes = (kind & NotedAccess.WRITES) !== 0;
    this.reads = !this.writes;
    this.size = (kind & NotedAccess.RUN) !== 0 ? undefined : (kind & NotedAccess.WORD) !== 0 ? 2 : 4;
    this.address = this.told(ClientWords.at.address);
    this.bytes = this.size === undefined ? this.told(ClientWords.at.bytes) : b.const(this.size);
  }
  eip(): Value {
    return this.state(Cpu.at.eip);
  }
  next(): Value {
    return this.eip();
  }
  fresh(): Value {
    return this.b.const(1);
  }
  ramOffset(): Value {
    return ramOffsetAt(this.b, this.address, { ramBytes: this.ramBytes, directOrigin: undefined });
  }
}

const levelOfKind = (kind: number): Level => ((kind & NotedAccess.USER) !== 0 ? 'user' : 'kernel');

/** Operations of one instrument, and at which EIPs alone they are to be done. */
export interface RuntimePart {
  readonly ops: Builder['code']['ops'];
  readonly ranges: Instrument['ranges'];
}

/** What instruments do at a way to a level. None: nothing. */
export function crossingParts(instruments: readonly Instrument[], to: Level): RuntimePart[] {
  return parts(instruments, (b, one) => one.crossing?.(b, new Crossing(b, to)));
}

/** What they do at an access of a kind. */
export function accessParts(instruments: readonly Instrument[], kind: number, ramBytes: number): RuntimePart[] {
  const level = levelOfKind(kind);
  const here = instruments.filter(({ access, covers }) => access !== undefined && covers?.(level, undefined) !== false);
  return parts(here, (b, one) => one.access!(b, new Noted(b, kind, ramBytes))).map((part, n) => ({ ...part, ranges: here[n]!.ranges }));
}

function parts(instruments: readonly Instrument[], add: (b: Builder, instrument: Instrument) => void): RuntimePart[] {
  return instruments.map((instrument) => {
    const b = new Builder();
    add(b, instrument);
    return { ops: b.code.ops, ranges: undefined };
  });
}
