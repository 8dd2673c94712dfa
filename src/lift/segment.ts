// Loads of segment, control and debug registers and of the descriptor table registers (SDM vol. 3, chapters 2, 3, 5).
// They may change what mode code runs in. Loads of segment registers say whether what follows must go through the dispatcher, and hardly
// ever do; the others always leave.
import type { Value } from '../ir/types.ts';
import { Cpu, Gpr, PROVEN_DESCRIPTORS, Seg, SegCache, SegmentProof, Shadow } from '../layout/cpu.ts';
import { CpuArea } from '../layout/memory.ts';
import { runtime } from '../runtime/abi.ts';
import type { Lifter, LiftTable } from './lifter.ts';

/** Loads segment register `number` with all checks; whether something is to be looked at again behind the instruction. */
function loadSegment(x: Lifter, number: Value, value: Value): Value {
  const selector = x.b.and(value, x.b.const(0xffff));
  const seg = x.b.known(number);
  if (seg === undefined || seg === Seg.SS || !x.form.flat) return x.helper(runtime.loadSegment, [number, selector]);
  return loadProven(x, seg, number, selector);
}

/** The same for DS, ES, FS and GS in flat code: what such a load did before, where selector and descriptor are as they were; else, and above CPL 0, in full (wasm/segments/proven.ts). */
function loadProven(x: Lifter, seg: number, number: Value, selector: Value): Value {
  const { b } = x;
  const place = b.and(selector, b.const((PROVEN_DESCRIPTORS - 1) << 3));
  const proof = b.add(x.cpu(), b.shl(place, b.const(Math.log2(SegmentProof.size / 8))));
  const proofs = seg >= Seg.FS ? CpuArea.at.provenFree : CpuArea.at.provenFlat;
  const found = x.stateAt('i64', 8, b.add(x.state(Cpu.at.gdtHost), place), 0);
  const other = [
    b.or(b.xor(x.stateAt('i32', 4, proof, proofs + SegmentProof.at.selector), selector), x.state(Cpu.at.cpl)),
    b.op('i64.ne', x.stateAt('i64', 8, proof, proofs + SegmentProof.at.words), found),
  ];
  const again = x.helperIf(other, b.const(0), runtime.proveSegment, [number, selector]);
  const from = proofs + SegmentProof.at.segment;
  x.setState(Cpu.at.seg + seg * SegCache.size, x.stateAt('v128', 16, proof, from), 16);
  const tops = SegCache.at.topRead;
  x.setState(Cpu.at.seg + seg * SegCache.size + tops, x.stateAt('i64', 8, proof, from + tops), 8);
  return again;
}

/** SDM vol. 3, 6.8.3: nothing comes between a load of SS and the load of ESP that follows it (LSS needs no such care). */
function holdOffAfterSs(x: Lifter, number: Value): void {
  const known = x.b.known(number);
  if (known !== undefined && known !== Seg.SS) return;
  const ss = x.b.eq(number, x.b.const(Seg.SS));
  x.setState(Cpu.at.shadow, x.b.select(ss, x.b.const(Shadow.SS), x.state(Cpu.at.shadow)));
  x.setState(Cpu.at.shadowEip, x.b.select(ss, x.nextEip(), x.state(Cpu.at.shadowEip)));
}

// MOV sreg, r/m16 (CS is refused by the decoder) | MOV crN, r | MOV r, crN | MOV drN, r | MOV r, drN
export function moveSystem(x: Lifter): void {
  switch (x.op(0).kind) {
    case 'sr': {
      const number = x.number(0);
      const again = loadSegment(x, number, x.read(1));
      holdOffAfterSs(x, number);
      x.nextIf(again);
      break;
    }
    case 'cr':
      x.helper(runtime.movToCr, [x.number(0), x.read(1)]);
      x.next();
      break;
    case 'dr':
      x.helper(runtime.movToDr, [x.number(0), x.read(1)]);
      x.next();
      break;
    default: {
      const from = x.op(1).kind === 'cr' ? runtime.movFromCr : runtime.movFromDr;
      x.write(0, x.helper(from, [x.number(1)]));
    }
  }
}

// POP DS | POP ES | POP SS | POP FS | POP GS (of a 32-bit slot the upper half is ignored). What POP SS pops, and what it leaves of ESP,
// goes by the size of the stack that it pops from
export function popSegment(x: Lifter): void {
  const number = x.number(0);
  const value = x.peek(0);
  const after = x.movedStackPointer(x.b.add(x.stackPointer(), x.b.const(x.opsize)));
  const again = loadSegment(x, number, value);
  x.set(Gpr.ESP, 4, after);
  holdOffAfterSs(x, number);
  x.nextIf(again);
}

// LDS | LES | LSS | LFS | LGS  r, m16:16/32
const loadFarPointer =
  (seg: number) =>
  (x: Lifter): void => {
    const { b, opsize } = x;
    const at = x.linear(1, opsize + 2, false);
    const offset = x.load('i32', opsize, at);
    const selector = x.load('i32', 2, b.add(at, b.const(opsize)));
    const again = loadSegment(x, b.const(seg), selector);
    x.write(0, offset);
    x.nextIf(again);
  };

export const lifts: LiftTable = {
  lds: loadFarPointer(Seg.DS),
  les: loadFarPointer(Seg.ES),
  lss: loadFarPointer(Seg.SS),
  lfs: loadFarPointer(Seg.FS),
  lgs: loadFarPointer(Seg.GS),
};
