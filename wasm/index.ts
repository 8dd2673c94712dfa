// Entry of the runtime: everything that handlers, regions and the host may call.
export * from './base/fault';
export * from './engine/engine';
export { flushJumps } from './engine/fetched';
export * from './engine/lookup';
export { traceInterpreted, traceTranslated } from './engine/trace';
export { hostBesideCode } from './memory/access';
export {
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
  settleStores,
  unpark,
} from './memory/exclusive';
export * from './memory/memory';
export { fill, flush, flushNonGlobal, protectPage, tlbInvalidate } from './memory/tlb';
export { loadPdptes, physHost, physLoad32, physLoad64 } from './memory/walk';
export { arpl, lar, lgdt, lidt, lldt, loadSegment, lsl, ltr, readSelector, sgdt, sidt, sldt, str, verr, verw } from './segments/segment';
export * from './sse/index';
export * from './string/string';
export * from './system/control';
export * from './system/cpuid';
export { checkBreakpoints, checkData, singleStepTrap, updateStep } from './system/debug';
export * from './system/flags';
export * from './system/msr';
export * from './system/ports';
export { updateBreakpoints } from './system/watching';
export { deliver, interrupt, into, poll, pollRegion, softInterrupt, unblockNmi } from './transfer/deliver';
export { cli, popf, pushf, sti } from './transfer/flow';
export { iret } from './transfer/iret';
export { enter, popa, pusha } from './transfer/stack';
export { sysenter, sysexit } from './transfer/sysenter';
export { taskSwitch } from './transfer/task';
export { farCall, farJump, farRet } from './transfer/transfer';
export * from './x87/index';
