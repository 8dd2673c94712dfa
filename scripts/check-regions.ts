// Whether all that emitted code may call of the runtime is called as src/runtime/abi.ts declares it. Handlers are made by the build, regions only while a guest runs; so it makes some
// that call together what no handler does, and has the engine look at them.
import binaryen from 'binaryen';
import { ClientBuilder } from '../src/clients/builder.ts';
import { Emitter } from '../src/emit/module.ts';
import { emitRegion, type RegionDemands } from '../src/emit/region/region.ts';
import { type Instrument, tracing } from '../src/instrument/index.ts';
import { Mode } from '../src/layout/cpu.ts';
import { PAGE } from '../src/layout/memory.ts';
import { type Exported, runtime } from '../src/runtime/abi.ts';
import { growRegion } from '../src/translate/grow.ts';

const EIP = 0xc1234000;
const DIRECT_ORIGIN = 0xc0000000;

/** Loads, stores and both (MOV, MOVQ, MOVUPS; ADD, CMPXCHG8B) of each width at EBX, and the last ones locked. */
const ACCESSES = `
  8a03 668b03 8b03 f30f7e03 0f1003
  8803 668903 8903 660fd603 0f1103
  0003 660103 0103 0fc70b
  f00003 66f00103 f00103 f00fc70b c3`;
/** MOV [EBX], EAX; DEC ECX; JNZ: a loop with an unchecked copy, whose store may be beside code. */
const LOOP = '8903 49 75fb c3';

/** PUSH EAX; CALL EBX; POP EAX; RET: a stack that is looked for at the entry, and again behind the call. */
const CALL = '50 ffd3 58 c3';

/** What clients may call. */
const CALLING: Instrument = {
  name: 'calling',
  block(b) {
    const c = new ClientBuilder(b.code, { cpu: 0, shared: 0 });
    const zero = b.const(0);
    c.mark(zero, b.const(1));
    const access = { address: zero, size: undefined, bytes: zero, ramOffset: () => zero };
    c.markGranules(access, 6, zero, 0);
    c.callIf(zero, 0, zero);
    c.callExactIf(zero, 0, zero);
  },
};

/** What only accesses call. */
const CHECKING: Instrument = {
  name: 'checking',
  access(b, at) {
    new ClientBuilder(b.code, { cpu: 0, shared: 0 }).checkShadow(at, 0, { shadow: 0, origin: 0, limit: 0, inside: 0 });
  },
};

/** Code, and what is asked of its region. */
const SAMPLES: readonly (readonly [string, RegionDemands])[] = [
  [ACCESSES, { atomic: true }],
  [ACCESSES, { directOrigin: DIRECT_ORIGIN }],
  [ACCESSES, { directOrigin: DIRECT_ORIGIN, atomic: true }],
  [CALL, { directOrigin: DIRECT_ORIGIN, stack: true }],
  [LOOP, {}],
  [LOOP, { pointsAt: 0x123400 }],
  [LOOP, { instruments: [tracing] }],
  [LOOP, { instruments: [CALLING] }],
  [LOOP, { instruments: [CHECKING] }],
];

/** The module of all samples. Throws where one calls a function with other types than are declared, or uses what it gives as another type. */
export function sampleRegions(): Uint8Array {
  const e = new Emitter();
  SAMPLES.forEach(([code, demands], k) => {
    const page = new Uint8Array(PAGE);
    page.set(Buffer.from(code.replaceAll(/\s/g, ''), 'hex'));
    emitRegion(e, `sample${k}`, growRegion(page, EIP, EIP, Mode.CODE32 | Mode.FLAT)!, (_phys, eip) => eip & (PAGE - 1), demands);
  });
  return e.finishChecked();
}

/** What the code of a module calls of others; it may import more. */
function calledBy(bytes: Uint8Array): string[] {
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    module.runPasses(['remove-unused-module-elements']);
    return Array.from({ length: module.getNumFunctions() }, (_, k) => binaryen.getFunctionInfo(module.getFunctionByIndex(k)).base ?? '');
  } finally {
    module.dispose();
  }
}

/** Functions that emitted code may call, but no code in these modules does. */
export function uncalled(modules: readonly Uint8Array[]): string[] {
  const called = new Set(modules.flatMap(calledBy));
  return Object.values<Exported>(runtime).flatMap((f) => ('effects' in f && !called.has(f.name) ? [f.name] : []));
}

/** Throws where a function is declared for emitted code that neither the handlers nor the samples call: nobody has seen whether it is called right. */
export function checkRegions(handlers: Uint8Array): void {
  const missing = uncalled([handlers, sampleRegions()]);
  if (missing.length > 0) throw new Error(`no handler and no sample in scripts/check-regions.ts calls ${missing.join(', ')}`);
}
