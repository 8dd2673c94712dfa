// x87: the exported helpers that store to guest memory: FST(P), FIST(P), FISTTP, FBSTP. Each converts, stores (which may
// fault: then nothing has changed), and only then sets the flags and pops. An unmasked exception suppresses the store.
import { faulted } from '../base/fault';
import { Cpu } from '../gen/layout';
import { probeWrite, store16, store32, store64 } from '../memory/memory';
import { toBcd, toF32, toF64, toInteger } from './convert';
import { controlWord, isEmpty, OE, Out, pop, raiseFlags, seOf, sigOf, st, stackUnderflow, UE } from './core';

/** Kinds of exception that, unmasked, keep a store from memory. */
const HOLD: u32 = 7 | OE | UE;

@inline
function held(cpu: Cpu): bool {
  return (Out.exc & HOLD & ~controlWord(cpu)) != 0;
}

/** Sets the flags after the store and pops. */
@inline
function finish(cpu: Cpu, pops: u32): void {
  if (raiseFlags(cpu, HOLD) && pops != 0) pop(cpu);
}

export function fpuStoreF32(cpu: Cpu, linear: u32, pops: u32): void {
  let bits: u32 = 0xffc00000;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, 0);
    Out.exc = 0;
    bits = toF32(sigOf(reg), seOf(reg), controlWord(cpu));
  }
  if (!held(cpu)) {
    store32(cpu, linear, bits);
    if (faulted(cpu)) return;
  }
  finish(cpu, pops);
}

export function fpuStoreF64(cpu: Cpu, linear: u32, pops: u32): void {
  let bits: u64 = 0xfff8000000000000;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, 0);
    Out.exc = 0;
    bits = toF64(sigOf(reg), seOf(reg), controlWord(cpu));
  }
  if (!held(cpu)) {
    store64(cpu, linear, bits);
    if (faulted(cpu)) return;
  }
  finish(cpu, pops);
}

/** FSTP m80fp: the register as it is. */
export function fpuStoreF80(cpu: Cpu, linear: u32): void {
  Out.exc = 0;
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, 0);
    Out.sig = sigOf(reg);
    Out.se = seOf(reg);
  }
  if (!held(cpu)) {
    if (store80(cpu, linear, Out.sig, Out.se)) return;
  }
  finish(cpu, 1);
}

/** Ten bytes at once; true where a fault was raised. */
function store80(cpu: Cpu, linear: u32, low: u64, high: u32): bool {
  if (probeWrite(cpu, linear, 10)) return true;
  store64(cpu, linear, low);
  store16(cpu, linear + 8, high & 0xffff);
  return false;
}

@inline
function integer(cpu: Cpu, rc: u32, bits: u32): i64 {
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
    return 0 - ((<i64>1) << (bits - 1));
  }
  const reg = st(cpu, 0);
  Out.exc = 0;
  return toInteger(sigOf(reg), seOf(reg), rc, bits);
}

@inline
function storeInt16(cpu: Cpu, linear: u32, pops: u32, rc: u32): void {
  const value = integer(cpu, rc, 16);
  if (!held(cpu)) {
    store16(cpu, linear, <u32>value & 0xffff);
    if (faulted(cpu)) return;
  }
  finish(cpu, pops);
}

@inline
function storeInt32(cpu: Cpu, linear: u32, pops: u32, rc: u32): void {
  const value = integer(cpu, rc, 32);
  if (!held(cpu)) {
    store32(cpu, linear, <u32>value);
    if (faulted(cpu)) return;
  }
  finish(cpu, pops);
}

@inline
function storeInt64(cpu: Cpu, linear: u32, rc: u32): void {
  const value = integer(cpu, rc, 64);
  if (!held(cpu)) {
    store64(cpu, linear, value);
    if (faulted(cpu)) return;
  }
  finish(cpu, 1);
}

@inline
function rounding(cpu: Cpu): u32 {
  return (controlWord(cpu) >> 10) & 3;
}

export function fpuStoreInt16(cpu: Cpu, linear: u32, pops: u32): void {
  storeInt16(cpu, linear, pops, rounding(cpu));
}
export function fpuStoreInt32(cpu: Cpu, linear: u32, pops: u32): void {
  storeInt32(cpu, linear, pops, rounding(cpu));
}
export function fpuStoreInt64(cpu: Cpu, linear: u32): void {
  storeInt64(cpu, linear, rounding(cpu));
}
/** FISTTP (SSE3): chops whatever RC says. */
export function fpuTruncInt16(cpu: Cpu, linear: u32): void {
  storeInt16(cpu, linear, 1, 3);
}
export function fpuTruncInt32(cpu: Cpu, linear: u32): void {
  storeInt32(cpu, linear, 1, 3);
}
export function fpuTruncInt64(cpu: Cpu, linear: u32): void {
  storeInt64(cpu, linear, 3);
}

export function fpuStoreBcd(cpu: Cpu, linear: u32): void {
  if (isEmpty(cpu, 0)) {
    stackUnderflow();
  } else {
    const reg = st(cpu, 0);
    Out.exc = 0;
    toBcd(sigOf(reg), seOf(reg), rounding(cpu));
  }
  if (!held(cpu)) {
    if (store80(cpu, linear, Out.sig, Out.se)) return;
  }
  finish(cpu, 1);
}
