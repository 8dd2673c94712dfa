// IR is read as it was printed, whatever a lift makes of an instruction; the lists of operators and operations agree with who else has them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { enumerateForms } from '../../src/emit/interpreter/enumerate.ts';
import { RecordLeaves } from '../../src/emit/interpreter/handlers.ts';
import { OPERATORS as ENCODED } from '../../src/emit/module/opcodes.ts';
import { typeName } from '../../src/emit/module/types.ts';
import { Builder } from '../../src/ir/builder.ts';
import { OPERATORS } from '../../src/ir/operators.ts';
import { print } from '../../src/ir/print.ts';
import { read } from '../../src/ir/read.ts';
import { problems } from '../../src/ir/verify.ts';
import { Lifter } from '../../src/lift/lifter.ts';
import { withOperations } from './document.ts';

test('what is printed of every form is read again: the same text, and good IR', () => {
  const wrong: string[] = [];
  const kinds = new Set<string>();
  for (const [key, { form, spec }] of enumerateForms()) {
    const b = new Builder();
    spec.lift(new Lifter(b, form, new RecordLeaves(b, form)));
    const text = print(b.code);
    const again = read(text);
    for (const op of again.ops) kinds.add(op.kind);
    if (print(again) !== text || problems(again).length > 0)
      wrong.push(`${key}:\n${text}\n->\n${print(again)}\n${problems(again).join('\n')}`);
  }
  expect(wrong).toEqual([]);
  expect(kinds.size).toBeGreaterThan(20);
});

test('all that an operation has comes back', () => {
  const text = [
    '%0 = get ebx',
    '%1 = ldstate8s %0 + 12',
    'ststate32 eip, %1 within fsw:4,ftop:4',
    '%3:i64 = load32 %0',
    '%4:f64 = load64 rmw lock %0',
    '%7 = i8x16.extract_lane_u v128:000102030405060708090a0b0c0d0e0f {3}',
    '%9:i64 = select %7, %3, i64:-5',
    '%11 = helper f(%9) [changes fsw:4] if %7 or %1, else 2',
    'helper g(%11, f64:1.5) [faults; reads eax,ecx; writes all; flags rw]',
    'raise 13 error %7 if %1',
    'raise 6',
    'insn 0x1000..0x1002  push ecx',
    'flags adc16 %7, 0xfffff000 -> %11',
    '%17 = linear %7:%0 write 4',
    'branch if %17',
  ].join('\n');
  const code = read(text);
  expect(print(code)).toMatchInlineSnapshot(`
    "%0 = get ebx
    %1 = ldstate8s %0 + 12
    ststate32 eip, %1 within fsw:4,ftop:4
    %3:i64 = load32 %0
    %4:f64 = load64 rmw lock %0
    %7 = i8x16.extract_lane_u v128:000102030405060708090a0b0c0d0e0f {3}
    %9 = select %7, %3, i64:-5
    %11 = helper f(%9) [changes fsw:4] if %7 or %1, else 2
    helper g(%11, f64:1.5) [faults; reads eax,ecx; writes all; flags rw]
    raise 13 error %7 if %1
    raise 6
    insn 0x1000..0x1002  push ecx
    flags adc16 %7, 0xfffff000 -> %11
    %18 = linear %7:%0 write 4
    branch if %18"
  `);
  expect(print(read(print(code)))).toBe(print(code));
  expect(code.ops.find((op) => op.kind === 'helper')).toMatchObject({ type: 'i32', effects: { result: 'i32' }, name: 'f' });
});

test('values keep their numbers where there is room for constants, and get new ones where not; a constant is there once', () => {
  const roomy = '%5 = get eax\n%6 = i32.add %5, 4\n%9 = i32.add %6, 4';
  expect(print(read(roomy))).toBe(roomy);
  expect(read(roomy).ops.filter((op) => op.kind === 'const' && op.value === 4).length).toBe(1);
  expect(print(read('%0 = get eax\n%1 = i32.add %0, 4\nset eax, %1'))).toBe('%0 = get eax\n%2 = i32.add %0, 4\nset eax, %2');
});

test.each([
  ['%0 = get exy', 'no register exy'],
  ['%1 = i32.add %0, 1', '%0 is not defined before'],
  ['get eax', 'its value has no name'],
  ['%0 = set eax, 1', 'it gives no value'],
  ['%0 = i32.frob 1, 2', 'no operator i32.frob'],
  ['frob 1', 'no operation'],
  ['store32 5', 'not as store{bytes}{ordered} {address}, {value}'],
  ['%0 = ldstate32 nowhere', 'no place nowhere'],
])('%s cannot be read', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('IR and encoder know the same operators, with the same results', () => {
  const results = (list: Iterable<readonly [string, string]>) => Object.fromEntries([...list].sort());
  expect(results([...OPERATORS.values()].map(({ name, result }) => [name, result]))).toEqual(
    results([...ENCODED.values()].map(({ name, type }) => [name, typeName[type]])),
  );
  for (const { name, immediates } of OPERATORS.values()) expect([name, immediates]).toEqual([name, ENCODED.get(name)!.lanes]);
});

test('docs/ir.md lists the operations as they are', () => {
  const page = readFileSync(new URL('../../docs/ir.md', import.meta.url), 'utf8');
  expect(page, 'npm run bless writes the list anew').toBe(withOperations(page));
});
