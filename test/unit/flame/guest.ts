// A kernel with known calls and known shares of the time: `start` calls `a`, which loops in itself, and `b`, which has `c` loop; again and again.
import { ENTRY, kernel, le32 } from '../machine/programs.ts';

const hexBytes = (code: string) => code.replaceAll(' ', '').length / 2;

/** Instructions of a turn in the loops of `a` and of `c`: 70 and 30 of a hundred. */
const A_TURNS = 7000;
const C_TURNS = 3000;
/** All of the others in a turn. */
const REST = 2 + 4 + 4 + 5 + 4;

const PROLOGUE = '55 89e5'; // PUSH EBP; MOV EBP, ESP
const EPILOGUE = '5d c3'; // POP EBP; RET
const spin = (turns: number) => `b9${le32(turns)} 49 75fd`; // MOV ECX, turns; DEC ECX; JNZ

export interface Shares {
  readonly kernel: Uint8Array;
  /** As of a System.map. */
  readonly symbols: string;
  /** Nanoseconds of a lockstep run. */
  readonly ns: number;
}

/** `end`: what comes behind the turns. */
export function shares(turns: number, end = 'fa f4'): Shares {
  // MOV ESP, 200000H; XOR EBP, EBP; MOV ESI, turns
  const begin = `bc${le32(0x200000)} 31ed be${le32(turns)}`;
  const main = ENTRY + hexBytes(begin);
  const afterMain = main + 5 + 5 + 1 + 2;
  const a = afterMain + hexBytes(end);
  const codeOfA = `${PROLOGUE} ${spin(A_TURNS)} ${EPILOGUE}`;
  const b = a + hexBytes(codeOfA);
  const callC = b + 3;
  const codeOfB = (c: number) => `${PROLOGUE} e8${le32(c - (callC + 5))} ${EPILOGUE}`;
  const c = b + hexBytes(codeOfB(0));
  const calls = `e8${le32(a - (main + 5))} e8${le32(b - (main + 10))} 4e 75${(256 + main - afterMain).toString(16)}`;
  const code = [begin, calls, end, codeOfA, codeOfB(c), `${PROLOGUE} ${spin(C_TURNS)} ${EPILOGUE}`];
  const names = { start: ENTRY, a, b, c };
  return {
    kernel: kernel(...code),
    symbols: Object.entries(names)
      .map(([name, address]) => `${address.toString(16).padStart(8, '0')} T ${name}\n`)
      .join(''),
    ns: 2 * turns * (2 * (A_TURNS + C_TURNS) + REST),
  };
}

/** The lines of folded stacks, with their shares of all that is in them. */
export function sharesOf(folded: Uint8Array): ReadonlyMap<string, number> {
  const lines = new TextDecoder()
    .decode(folded)
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))] as const);
  const all = lines.reduce((sum, [, ns]) => sum + ns, 0);
  return new Map(lines.map(([stack, ns]) => [stack, ns / all]));
}
