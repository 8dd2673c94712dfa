// Entry of the runtime: what emitted code and the host may call (src/runtime/abi.ts), and what tests call beside that (test/unit/runtime/abi.test.ts).

export { faulted, raise, raiseError } from './base/fault';
export { clientShadow } from './clients/addressable';
export { clientCall, clientCallExact, clientMark } from './clients/client';
export { clientMarkRange } from './clients/shared';
export { deliverFault, heatNow, hot, internalError, linkBlock, slotEip, stepDispatch } from './engine/engine';
export { flushJumps } from './engine/fetched';
export { blockHashIndex, codeAddress, findBlock, lookup, translateExec } from './engine/lookup';
export { proveReach, proveReachAgain } from './engine/reach';
export { sample } from './engine/sample';
export { traceInterpreted, traceTranslated } from './engine/trace';
export { hostBesideCode } from './memory/access';
export {
  directLoad8,
  directLoad16,
  directLoad32,
  directLoad64,
  directLoad128,
  directRmw8,
  directRmw16,
  directRmw32,
  directRmw64,
  directStore8,
  directStore16,
  directStore32,
  directStore64,
  directStore128,
} from './memory/direct-access';
export {
  awaitStores,
  lockedHost,
  lockedLoad8,
  lockedLoad16,
  lockedLoad32,
  lockedLoad64,
  lockedStore8,
  lockedStore16,
  lockedStore32,
  lockedStore64,
  markCode,
  park,
  relax,
  unpark,
} from './memory/exclusive';
export {
  load8,
  load16,
  load32,
  load64,
  load128,
  probeWrite,
  regionRmw8,
  regionRmw16,
  regionRmw32,
  regionRmw64,
  regionStore8,
  regionStore16,
  regionStore32,
  regionStore64,
  regionStore128,
  segLinear,
  slowLinear,
  slowLoad8,
  slowLoad16,
  slowLoad32,
  slowLoad64,
  slowLoad128,
  slowRmw8,
  slowRmw16,
  slowRmw32,
  slowRmw64,
  slowStore8,
  slowStore16,
  slowStore32,
  slowStore64,
  slowStore128,
  store8,
  store16,
  store32,
  store64,
  store128,
  sysLoad16,
  sysStore32,
} from './memory/memory';
export { flush, flushNonGlobal } from './memory/tlb';
export { proveSegment } from './segments/proven';
export { arpl, lar, lgdt, lidt, lldt, loadSegment, lsl, ltr, sgdt, sidt, sldt, str, verr, verw } from './segments/segment';
export { sseRcpps, sseRcpss, sseRsqrtps, sseRsqrtss } from './sse/approximate';
export { sseCmppd, sseCmpps, sseCmpsd, sseCmpss, sseComisd, sseComiss, sseUcomisd, sseUcomiss } from './sse/compare';
export {
  sseCvtdq2ps,
  sseCvtpd2dq,
  sseCvtpd2ps,
  sseCvtpi2ps,
  sseCvtps2dq,
  sseCvtps2pd,
  sseCvtps2pi,
  sseCvtsd2si,
  sseCvtsd2ss,
  sseCvtsi2ss,
  sseCvtss2sd,
  sseCvtss2si,
  sseCvttpd2dq,
  sseCvttps2dq,
  sseCvttps2pi,
  sseCvttsd2si,
  sseCvttss2si,
} from './sse/convert';
export { sseMaskmovdqu, sseMaskmovq } from './sse/mask';
export {
  sseAddpd,
  sseAddps,
  sseAddsubpd,
  sseAddsubps,
  sseDivpd,
  sseDivps,
  sseHaddpd,
  sseHaddps,
  sseHsubpd,
  sseHsubps,
  sseMaxpd,
  sseMaxps,
  sseMinpd,
  sseMinps,
  sseMulpd,
  sseMulps,
  sseSqrtpd,
  sseSqrtps,
  sseSubpd,
  sseSubps,
} from './sse/packed';
export {
  sseAddsd,
  sseAddss,
  sseDivsd,
  sseDivss,
  sseMaxsd,
  sseMaxss,
  sseMinsd,
  sseMinss,
  sseMulsd,
  sseMulss,
  sseSqrtsd,
  sseSqrtss,
  sseSubsd,
  sseSubss,
} from './sse/scalar';
export { cmps, lods, movs, scas, stos } from './string/string';
export {
  clts,
  hlt,
  invlpg,
  lmsw,
  movFromCr,
  movFromDr,
  movToCr,
  movToDr,
  privileged,
  smsw,
  updateFpuTraps,
  updateModeOfHost as updateMode,
  wbinvd,
} from './system/control';
export { cpuid } from './system/cpuid';
export { checkBreakpoints, checkData, singleStepTrap, updateStep } from './system/debug';
export { readArith, readFlags, writeFlags } from './system/flags';
export { rdmsr, rdpmc, rdtsc, wrmsr } from './system/msr';
export { ins, outs, portIn, portOut } from './system/ports';
export { updateBreakpoints } from './system/watching';
export { farCall, farJump, farRet, into, iret, softInterrupt, sysenter, sysexit } from './transfer/cross';
export { deliver, interrupt, poll, pollPoint, pollRegion, unblockNmi } from './transfer/deliver';
export { popf, popfSystem, pushf, sti } from './transfer/flow';
export { enter } from './transfer/stack';
export {
  fpuAddF32,
  fpuAddF64,
  fpuAddInt,
  fpuAddReg,
  fpuDivF32,
  fpuDivF64,
  fpuDivInt,
  fpuDivReg,
  fpuDivrF32,
  fpuDivrF64,
  fpuDivrInt,
  fpuDivrReg,
  fpuMulF32,
  fpuMulF64,
  fpuMulInt,
  fpuMulReg,
  fpuSubF32,
  fpuSubF64,
  fpuSubInt,
  fpuSubReg,
  fpuSubrF32,
  fpuSubrF64,
  fpuSubrInt,
  fpuSubrReg,
} from './x87/arith-ops';
export { fpuCompareSpecial, fpuExamine } from './x87/compare-ops';
export { fpuBcdMagnitude, fpuLoad, fpuLoadConst, fpuLoadF32, fpuLoadF64, fpuLoadReg } from './x87/load-ops';
export { fpuEmptySpecial, fpuExchangeSpecial, fpuFree, fpuMoveIf, fpuRotate } from './x87/stack-ops';
export {
  fpuClearExceptions,
  fpuFxrstor,
  fpuFxsave,
  fpuInit,
  fpuLoadControl,
  fpuLoadEnv,
  fpuRestore,
  fpuSave,
  fpuStoreEnv,
} from './x87/state-ops';
export {
  fpuStoreBcd,
  fpuStoreF32,
  fpuStoreF64,
  fpuStoreF80,
  fpuStoreInt16,
  fpuStoreInt32,
  fpuStoreInt64,
  fpuTruncInt16,
  fpuTruncInt32,
  fpuTruncInt64,
} from './x87/store-ops';
export { fpuArctan, fpuCos, fpuExp2m1, fpuSin, fpuSinCos, fpuTan, fpuYLog2x, fpuYLog2xp1 } from './x87/transcendental-ops';
export { fpuExtract, fpuRemainder, fpuRoundToInt, fpuScale, fpuSqrt } from './x87/unary-ops';
