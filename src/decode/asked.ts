// What iced-x86 says of instructions. Only this folder knows it, and only what is not known by other means comes here (decoder.ts): most threads never load it.
import type { Instruction as Decoded, Decoder, OpCodeInfo } from 'iced-x86';
import { iced } from '../host/node-iced.ts';
import { Mode, Seg } from '../layout/cpu.ts';
import { ANNOUNCED } from '../layout/features.ts';
import type { FormOperand, OperandKind } from '../lift/form.ts';
import { type Instruction, LONGEST, type Memory, PREFIXES, undefinedInstruction } from './instruction.ts';
import { type Field, Pattern } from './pattern.ts';
import { type Shape, shapeOf } from './shape.ts';
import type { Source, Sources } from './siblings.ts';

/** Of the thread: made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const names = (e: object): string[] => {
  const out: string[] = [];
  for (const [k, v] of Object.entries(e)) if (typeof v === 'number') out[v] = k.toLowerCase();
  return out;
};
const mnemonics = once(() => names(iced().Mnemonic));
const operandKinds = once(() => names(iced().OpCodeOperandKind));

/** Mnemonics whose REP prefixes mean something (SDM vol. 2, REP). */
const STRING = /^(movs|stos|lods|cmps|scas|ins|outs)[bwd]$/;

/** Extensions that CPUID does not tell of, because every processor with SSE2 has them. SMM: RSM, which is #UD outside of it. */
const ALWAYS = [
  ...['INTEL8086', 'INTEL186', 'INTEL286', 'INTEL386', 'INTEL486', 'FPU287', 'FPU387'],
  ...['CPUID', 'RDPMC', 'PAUSE', 'MULTIBYTENOP', 'SMM'],
];
const features = once(() => {
  const { CpuidFeature } = iced();
  return new Set<number>([...ALWAYS, ...ANNOUNCED].map((name) => CpuidFeature[name as keyof typeof CpuidFeature]));
});

/** Whether an instruction (a number of iced's table) is one that CPUID announces: all that it needs. */
export function isAnnounced(code: number): boolean {
  const x = new (iced().Instruction)();
  x.code = code;
  const announced = !x.isInvalid && x.cpuidFeatures().every((feature) => features().has(feature));
  x.free();
  return announced;
}

/**
 * What later extensions made of older encodings, where CPUID does not announce them: hints are NOPs, and the prefix that makes TZCNT, LZCNT and
 * WBNOINVD of BSF, BSR and WBINVD is ignored (SDM vol. 2, there).
 */
function newDecoder(bytes: Uint8Array, code32: boolean): Decoder {
  const { Decoder, DecoderOptions: o } = iced();
  return new Decoder(code32 ? 32 : 16, bytes, o.ForceReservedNop | o.NoMPFX_0FBC | o.NoMPFX_0FBD | o.NoWbnoinvd);
}

interface CodeInfo {
  mnemonic: string;
  /** CPUID announces all that it needs. */
  known: boolean;
  operandSize: number;
  addressSize: number;
  /** A string instruction, which REP prefixes may repeat. */
  string: boolean;
  /** undefined: ModRM, if there is one, chooses more than registers and memory. */
  sources: Sources | undefined;
}

const sourceOf = (kind: string): Source | undefined => {
  if (/^(r8|r16|r32|mm|xmm)_reg$/.test(kind)) return 'reg';
  if (/^(mem|(r8|r16|r32|mm|xmm)_(or_mem|rm))$/.test(kind)) return 'rm';
  return /^(imm.*|[acd][lx]|eax)$/.test(kind) ? 'else' : undefined;
};

/** Whether, and how, ModRM chooses operands of an encoding. */
function sourcesOf(op: OpCodeInfo): Sources | undefined {
  const operands = Array.from({ length: op.opCount }, (_, k) => sourceOf(operandKinds()[op.opKind(k)]!));
  if (op.rmGroupIndex >= 0 || op.opCodeLength !== 1 || operands.includes(undefined) || !operands.includes('rm')) return undefined;
  return { operands: operands as Source[], isGroup: op.groupIndex >= 0 };
}
const codeInfo: CodeInfo[] = [];
function infoOf(code: number): CodeInfo {
  let info = codeInfo[code];
  if (info === undefined) {
    const op = iced().CodeExt.opCode(code);
    const mnemonic = mnemonics()[op.mnemonic]!;
    info = {
      mnemonic,
      known: isAnnounced(code),
      operandSize: op.operandSize,
      addressSize: op.addressSize,
      string: STRING.test(mnemonic) && op.opCount > 0 && !/[xX]mm/.test(op.instructionString),
      sources: sourcesOf(op),
    };
    op.free();
    codeInfo[code] = info;
  }
  return info;
}

const segments = once(() => {
  const { Register } = iced();
  return new Map<number, number>([
    [Register.ES, Seg.ES],
    [Register.CS, Seg.CS],
    [Register.SS, Seg.SS],
    [Register.DS, Seg.DS],
    [Register.FS, Seg.FS],
    [Register.GS, Seg.GS],
  ]);
});

function registerKind(r: number): OperandKind {
  const { RegisterExt } = iced();
  if (RegisterExt.isGPR(r)) return 'r';
  if (RegisterExt.isSegmentRegister(r)) return 'sr';
  if (RegisterExt.isXMM(r)) return 'xmm';
  if (RegisterExt.isMM(r)) return 'mm';
  if (RegisterExt.isST(r)) return 'st';
  if (RegisterExt.isCR(r)) return 'cr';
  if (RegisterExt.isDR(r)) return 'dr';
  return 'i';
}
/** Kind and size as a form has them, and number, of each of iced's registers: asked once. */
const registers: { readonly operand: FormOperand; readonly number: number }[] = [];
function register(r: number): { readonly operand: FormOperand; readonly number: number } {
  const { RegisterExt } = iced();
  return (registers[r] ??= { operand: { kind: registerKind(r), size: RegisterExt.size(r) }, number: RegisterExt.number(r) });
}
const number = (r: number) => (r === iced().Register.None ? -1 : register(r).number);
const memorySizes: number[] = [];
const memorySize = (size: number) => (memorySizes[size] ??= iced().MemorySizeExt.size(size));

/** Whether what is invalid in its first LONGEST bytes is so because it needs more: repeated prefixes count for nothing else. */
function isOverlong(bytes: Uint8Array, code32: boolean): boolean {
  let count = 0;
  while (count < LONGEST && PREFIXES.has(bytes[count]!)) count++;
  if (count === LONGEST) return true;
  const prefixes = [...new Set(bytes.subarray(0, count))];
  const short = Uint8Array.from([...prefixes, ...bytes.subarray(count, LONGEST)]);
  const decoder = newDecoder(short, code32);
  const x = decoder.decode();
  const needsMore = decoder.lastError === iced().DecoderError.NoMoreBytes || (!x.isInvalid && x.length + count - prefixes.length > LONGEST);
  x.free();
  decoder.free();
  return needsMore;
}

/** Length of what is LDS, LES or BOUND with a register, or POP with another register field, to a processor without VEX, EVEX and XOP: #UD, whatever follows. 0: it is none. */
function lengthWithoutVex(bytes: Uint8Array): number {
  let n = 0;
  while (n < bytes.length && PREFIXES.has(bytes[n]!)) n++;
  const [opcode, modrm] = [bytes[n], bytes[n + 1]];
  if (modrm === undefined) return 0;
  const vex = (opcode === 0xc4 || opcode === 0xc5 || opcode === 0x62) && modrm >= 0xc0;
  return vex || (opcode === 0x8f && modrm >= 0xc8) ? n + 2 : 0;
}

const NONE: Field = { at: 0, size: 0 };

/** What of the number in an instruction is an operand of `kind`; 0: it is not one number alone. */
function maskOf(kind: number): number {
  const { OpKind } = iced();
  switch (kind) {
    case OpKind.Immediate8:
      return 0xff;
    case OpKind.Immediate16:
      return 0xffff;
    case OpKind.Immediate32:
    case OpKind.Immediate8to16:
    case OpKind.Immediate8to32:
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
      return -1;
    default:
      return 0;
  }
}

/** What of an instruction that was just decoded as `x` is fixed. */
function patternOf(decoder: Decoder, instruction: Decoded, x: Instruction): Pattern {
  const offsets = decoder.getConstantOffsets(instruction);
  const disp = { at: offsets.displacementOffset, size: offsets.displacementSize };
  const imm = { at: offsets.immediateOffset, size: offsets.immediateSize };
  const two = offsets.hasImmediate2;
  offsets.free();
  const operand = x.values.length - 1;
  const mask = imm.size === 0 ? 0 : maskOf(instruction.opKind(operand));
  // Far pointers and ENTER have two numbers: all of their bytes count as fixed.
  return two || (imm.size > 0 && mask === 0) ? new Pattern(x, NONE, NONE, 0, 0) : new Pattern(x, disp, imm, operand, mask);
}

/** An instruction, and, where CPUID announces it, what of it others share. */
export interface Answer {
  readonly x: Instruction;
  readonly pattern?: Pattern;
  /** How ModRM chooses operands, where others follow from that (siblings.ts). */
  readonly sources?: Sources | undefined;
}

const scratch = once(() => new (iced().Instruction)());

/** Asks about instructions of one run of bytes. To be freed. */
export class Asking {
  private readonly bytes: Uint8Array;
  private readonly mode: number;
  private readonly code32: boolean;
  private readonly decoder: Decoder;

  /** `mode`: Mode bits. */
  constructor(bytes: Uint8Array, mode: number) {
    this.bytes = bytes;
    this.mode = mode;
    this.code32 = (mode & Mode.CODE32) !== 0;
    this.decoder = newDecoder(bytes, this.code32);
  }

  /** The instruction at `offset` in the bytes, which lies at `eip`. */
  at(offset: number, eip: number): Answer {
    const { decoder } = this;
    const found = scratch();
    decoder.position = offset;
    decoder.ip = BigInt(eip >>> 0);
    decoder.decodeOut(found);
    const { known, sources } = infoOf(found.code);
    if (known) {
      const x = describe(found, eip, this.mode, this.code32);
      const pattern = patternOf(decoder, found, x);
      return { x, pattern, sources: pattern.imm === NONE ? undefined : sources };
    }
    const bytes = this.bytes.subarray(offset, offset + LONGEST);
    const short = lengthWithoutVex(bytes);
    if (short > 0) return { x: undefinedInstruction(eip, short, false, found.code) };
    const truncated =
      decoder.lastError === iced().DecoderError.NoMoreBytes ||
      (found.isInvalid && bytes.length === LONGEST && isOverlong(bytes, this.code32));
    return { x: undefinedInstruction(eip, found.length, truncated, found.code) };
  }

  free(): void {
    this.decoder.free();
  }
}

const shapes = new Map<number, Shape>();
const segment = (r: number) => segments().get(r)!;

function describe(x: Decoded, eip: number, mode: number, code32: boolean): Instruction {
  const { OpKind, Register } = iced();
  const code = x.code;
  const info = infoOf(code);
  const { mnemonic } = info;
  const defaultSize = code32 ? 4 : 2;
  const opsize = info.operandSize === 0 ? defaultSize : info.operandSize === 16 ? 2 : 4;
  let addrsize: 2 | 4 = info.addressSize === 0 ? defaultSize : info.addressSize === 16 ? 2 : 4;
  const ops: FormOperand[] = [];
  const values: number[] = [];
  let memory: Memory | undefined;
  let target: number | undefined;
  let farOffset = 0;
  const count = x.opCount;
  for (let k = 0; k < count; k++) {
    const kind = x.opKind(k);
    switch (kind) {
      case OpKind.Register: {
        const r = x.opRegister(k);
        const { operand, number: n } = register(r);
        ops.push(operand);
        values.push(n);
        break;
      }
      case OpKind.Memory: {
        const base = x.memoryBase;
        const index = x.memoryIndex;
        const any = base !== Register.None ? base : index;
        if (any !== Register.None) addrsize = register(any).operand.size === 2 ? 2 : 4;
        else addrsize = x.memoryDisplSize === 2 ? 2 : 4;
        memory = {
          base: number(base),
          index: number(index),
          scale: 31 - Math.clz32(x.memoryIndexScale),
          disp: Number(BigInt.asIntN(32, x.memoryDisplacement)),
          seg: segment(x.memorySegment),
        };
        ops.push({ kind: 'm', size: memorySize(x.memorySize) });
        values.push(0);
        break;
      }
      case OpKind.NearBranch16:
      case OpKind.NearBranch32:
        target = Number(x.nearBranchTarget);
        ops.push({ kind: 'j', size: opsize });
        values.push(target | 0);
        break;
      case OpKind.FarBranch16:
      case OpKind.FarBranch32:
        ops.push({ kind: 'far', size: kind === OpKind.FarBranch16 ? 4 : 6 });
        values.push(x.farBranchSelector);
        farOffset = kind === OpKind.FarBranch16 ? x.farBranch16 : x.farBranch32;
        break;
      case OpKind.MemorySegSI:
      case OpKind.MemorySegESI:
      case OpKind.MemorySegDI:
      case OpKind.MemorySegEDI:
      case OpKind.MemoryESDI:
      case OpKind.MemoryESEDI: {
        addrsize = kind === OpKind.MemorySegESI || kind === OpKind.MemorySegEDI || kind === OpKind.MemoryESEDI ? 4 : 2;
        const source = kind !== OpKind.MemoryESDI && kind !== OpKind.MemoryESEDI;
        if (source || memory === undefined)
          memory = { base: -1, index: -1, scale: 0, disp: 0, seg: source ? segment(x.memorySegment) : Seg.ES };
        ops.push({ kind: 'str', size: memorySize(x.memorySize) });
        values.push(0);
        break;
      }
      default:
        ops.push({ kind: 'i', size: immediateSize(kind, opsize) });
        values.push(Number(BigInt.asIntN(32, x.immediate(k))));
    }
  }
  const hasMemory = ops.some((o) => o.kind === 'm');
  const rep = info.string ? (x.hasRepnePrefix ? 2 : x.hasRepPrefix ? 1 : 0) : 0;
  const locked = hasMemory && (mnemonic === 'xchg' || x.hasLockPrefix);
  const flat = (mode & Mode.FLAT) !== 0;
  const segmented =
    memory !== undefined &&
    hasMemory &&
    (addrsize === 2 || (mnemonic !== 'lea' && (!flat || memory.seg === Seg.FS || memory.seg === Seg.GS)));
  // The operands follow from the encoding, but for memory or register in ModRM.
  const shapeKey =
    ((((((code * 2 + Number(locked)) * 2 + Number(hasMemory)) * 2 + Number(addrsize === 2)) * 2 + Number(opsize === 2)) * 2 +
      Number(flat)) *
      2 +
      Number(segmented)) *
      4 +
    rep;
  let shape = shapes.get(shapeKey);
  if (shape === undefined) shapes.set(shapeKey, (shape = shapeOf({ mnemonic, ops, opsize, addrsize, segmented, flat, rep, locked })));
  const { form, key, spec, flow } = shape;
  const length = x.length;
  return {
    form,
    key,
    spec,
    flow,
    eip: eip >>> 0,
    // Not wrapped to 16 bits: behind the last byte of a segment of 64 KiB is #GP.
    next: (eip + length) >>> 0,
    length,
    values,
    farOffset,
    memory,
    target: target === undefined ? undefined : opsize === 2 ? target & 0xffff : target >>> 0,
    truncated: false,
    code,
  };
}

function immediateSize(kind: number, opsize: number): number {
  const { OpKind } = iced();
  switch (kind) {
    case OpKind.Immediate8:
    case OpKind.Immediate8_2nd:
      return 1;
    case OpKind.Immediate16:
    case OpKind.Immediate8to16:
      return 2;
    case OpKind.Immediate32:
    case OpKind.Immediate8to32:
      return 4;
    default:
      return opsize;
  }
}
