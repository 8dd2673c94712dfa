// The encodings that random blocks are made of, by family, with how often each family is drawn. Byte-level, so that unusual
// encodings come up as well; what the decoder calls undefined is dropped by the generator.

export interface Encoding {
  /** Mandatory prefix. */
  prefix?: number;
  opcode: readonly number[];
  modrm?: 'any' | 'mem' | 'reg';
  /** Register field of ModRM, where it is part of the opcode. */
  ext?: number;
  /** Bytes of immediates; 'z': 2 or 4 by operand size; 'a': as wide as addresses. */
  imm?: readonly (1 | 2 | 'z' | 'a')[];
  /** May have a LOCK prefix with a memory operand. */
  lock?: boolean;
}

export interface Family {
  name: string;
  weight: number;
  encodings: readonly Encoding[];
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const any = (opcode: number[], more: Partial<Encoding> = {}): Encoding => ({ opcode, modrm: 'any', ...more });
const plain = (...opcode: number[]): Encoding => ({ opcode });

const alu: Encoding[] = range(0, 7).flatMap((n) => [
  ...range(0, 3).map((k) => any([n * 8 + k], { lock: k < 2 && n !== 7 })),
  { opcode: [n * 8 + 4], imm: [1] },
  { opcode: [n * 8 + 5], imm: ['z'] },
  any([0x80], { ext: n, imm: [1], lock: n !== 7 }),
  any([0x81], { ext: n, imm: ['z'], lock: n !== 7 }),
  any([0x83], { ext: n, imm: [1], lock: n !== 7 }),
]);
const unary: Encoding[] = [
  ...range(0x40, 0x4f).map((o) => plain(o)),
  ...[0xfe, 0xff].flatMap((o) => [any([o], { ext: 0, lock: true }), any([o], { ext: 1, lock: true })]),
  ...[0xf6, 0xf7].flatMap((o) => [any([o], { ext: 2, lock: true }), any([o], { ext: 3, lock: true })]),
  any([0x84]),
  any([0x85]),
  { opcode: [0xa8], imm: [1] },
  { opcode: [0xa9], imm: ['z'] },
  ...[0, 1].flatMap((ext) => [any([0xf6], { ext, imm: [1] }), any([0xf7], { ext, imm: ['z'] })]),
  any([0x0f, 0xc0], { lock: true }),
  any([0x0f, 0xc1], { lock: true }),
  any([0x0f, 0xb0], { lock: true }),
  any([0x0f, 0xb1], { lock: true }),
  { opcode: [0x0f, 0xc7], modrm: 'mem', ext: 1, lock: true },
];
const move: Encoding[] = [
  ...range(0x88, 0x8b).map((o) => any([o])),
  ...range(0xa0, 0xa3).map((o): Encoding => ({ opcode: [o], imm: ['a'] })),
  ...range(0xb0, 0xb7).map((o): Encoding => ({ opcode: [o], imm: [1] })),
  ...range(0xb8, 0xbf).map((o): Encoding => ({ opcode: [o], imm: ['z'] })),
  any([0xc6], { ext: 0, imm: [1] }),
  any([0xc7], { ext: 0, imm: ['z'] }),
  ...[0xb6, 0xb7, 0xbe, 0xbf].map((o) => any([0x0f, o])),
  any([0x86], { lock: true }),
  any([0x87], { lock: true }),
  ...range(0x90, 0x97).map((o) => plain(o)),
  { opcode: [0x8d], modrm: 'mem' },
  ...range(0xc8, 0xcf).map((o) => plain(0x0f, o)),
  plain(0x98),
  plain(0x99),
  plain(0xd7),
];
const conditions: Encoding[] = range(0, 15).flatMap((n) => [
  any([0x0f, 0x90 + n], { ext: 0 }),
  any([0x0f, 0x40 + n]),
  any([0x0f, 0x40 + n], { modrm: 'reg' }),
]);
const flags: Encoding[] = [0x9c, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0xd6, 0xce].map((o) => plain(o));
const shift: Encoding[] = [
  ...range(0, 7).flatMap((ext) => [
    ...[0xc0, 0xc1].map((o) => any([o], { ext, imm: [1] })),
    ...range(0xd0, 0xd3).map((o) => any([o], { ext })),
  ]),
  ...[0xa4, 0xac].flatMap((o) => [any([0x0f, o], { imm: [1] }), any([0x0f, o + 1])]),
];
const bit: Encoding[] = [
  ...[0xa3, 0xab, 0xb3, 0xbb].flatMap((o) => [any([0x0f, o], { lock: o !== 0xa3 }), any([0x0f, o], { modrm: 'reg' })]),
  ...range(4, 7).map((ext) => any([0x0f, 0xba], { ext, imm: [1], lock: ext > 4 })),
  any([0x0f, 0xbc]),
  any([0x0f, 0xbd]),
  any([0x0f, 0xb8], { prefix: 0xf3 }),
];
const multiply: Encoding[] = [
  any([0x0f, 0xaf]),
  any([0x69], { imm: ['z'] }),
  any([0x6b], { imm: [1] }),
  ...[0xf6, 0xf7].flatMap((o) => [4, 5, 4, 5, 6, 7].map((ext) => any([o], { ext }))),
  ...[0x27, 0x2f, 0x37, 0x3f].map((o) => plain(o)),
  { opcode: [0xd4], imm: [1] },
  { opcode: [0xd5], imm: [1] },
];
const stack: Encoding[] = [
  ...range(0x50, 0x5f)
    .filter((o) => o !== 0x5c)
    .map((o) => plain(o)),
  { opcode: [0x68], imm: ['z'] },
  { opcode: [0x6a], imm: [1] },
  any([0xff], { ext: 6 }),
  any([0x8f], { ext: 0 }),
  plain(0x60),
  plain(0x61),
  plain(0x9c),
  plain(0xc9),
  { opcode: [0xc8], imm: [2, 1] },
  plain(0x06),
  plain(0x0e),
  plain(0x0f, 0xa0),
  plain(0x07),
];
const system: Encoding[] = [
  any([0x8c]),
  { opcode: [0x8e], modrm: 'reg' },
  plain(0x0f, 0xa2),
  any([0x63]),
  any([0x0f, 0x02]),
  any([0x0f, 0x03]),
  ...[0, 1, 4, 5].map((ext) => any([0x0f, 0x00], { ext })),
  ...[0, 1].map((ext): Encoding => ({ opcode: [0x0f, 0x01], modrm: 'mem', ext })),
  any([0x0f, 0x01], { ext: 4 }),
  { opcode: [0x0f, 0x20], modrm: 'reg' },
  { opcode: [0x62], modrm: 'mem' },
  { opcode: [0xe4], imm: [1] },
  { opcode: [0xe6], imm: [1] },
  ...[0xec, 0xed, 0xee, 0xef].map((o) => plain(o)),
  plain(0xfa),
  plain(0xfb),
  plain(0xcc),
  plain(0x0f, 0x0b),
  plain(0x0f, 0x06),
  any([0x0f, 0x1f], { ext: 0 }),
  { opcode: [0x0f, 0x18], modrm: 'mem' },
];
const x87: Encoding[] = range(0xd8, 0xdf).flatMap((o) => [any([o]), { opcode: [o], modrm: 'reg' }, plain(0x9b)]);
const SIMD = [
  ...range(0x10, 0x17),
  ...range(0x28, 0x2f),
  ...range(0x50, 0x70),
  ...range(0x74, 0x76),
  ...range(0x7c, 0x7f),
  ...[0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, ...range(0xd8, 0xef), ...range(0xf0, 0xfe)],
];
const simd: Encoding[] = [undefined, 0x66, 0xf3, 0xf2].flatMap((p) => {
  const prefix = p === undefined ? {} : { prefix: p };
  return [
    ...SIMD.map((o) => any([0x0f, o], { ...prefix, ...(o === 0x70 ? { imm: [1] as const } : {}) })),
    ...range(0x71, 0x73).flatMap((o) =>
      range(0, 7).map((ext): Encoding => ({ opcode: [0x0f, o], modrm: 'reg', ext, imm: [1], ...prefix })),
    ),
    ...[0xc2, 0xc4, 0xc5, 0xc6].map((o) => any([0x0f, o], { ...prefix, imm: [1] })),
    any([0x0f, 0xc3], prefix),
  ];
});
const simdState: Encoding[] = [
  ...range(0, 3).map((ext): Encoding => ({ opcode: [0x0f, 0xae], modrm: 'mem', ext })),
  ...range(5, 7).map((ext): Encoding => ({ opcode: [0x0f, 0xae], modrm: 'reg', ext })),
  plain(0x0f, 0x77),
];
/** Used by the generator for string instructions; it sets their registers first. */
export const STRINGS = [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f];

export const FAMILIES: readonly Family[] = [
  { name: 'alu', weight: 22, encodings: alu },
  { name: 'unary', weight: 10, encodings: unary },
  { name: 'move', weight: 16, encodings: move },
  { name: 'condition', weight: 10, encodings: conditions },
  { name: 'flags', weight: 4, encodings: flags },
  { name: 'shift', weight: 10, encodings: shift },
  { name: 'bit', weight: 5, encodings: bit },
  { name: 'multiply', weight: 4, encodings: multiply },
  { name: 'stack', weight: 7, encodings: stack },
  { name: 'system', weight: 2, encodings: system },
  { name: 'x87', weight: 6, encodings: x87 },
  { name: 'simd', weight: 9, encodings: simd },
  { name: 'simd-state', weight: 1, encodings: simdState },
];
