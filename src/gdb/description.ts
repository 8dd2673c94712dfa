// The target's description (GDB manual, "Target Descriptions"): XML that says which registers there are, made from the lists of registers.ts.
import { CORE, type Register, SSE, SYSTEM } from './registers.ts';

/** Bits by their names; '' has no name, [first, last] are several. */
type Bits = Readonly<Record<string, number | readonly [number, number]>>;

function flags(id: string, bits: Bits): string[] {
  const fields = Object.entries(bits).map(([name, at]) => {
    const [start, end] = typeof at === 'number' ? [at, at] : at;
    return `<field name="${name}" start="${start}" end="${end}"/>`;
  });
  return [`<flags id="${id}" size="4">`, ...fields, '</flags>'];
}
const EFLAGS: Bits = {
  ...{ CF: 0, '': 1, PF: 2, AF: 4, ZF: 6, SF: 7, TF: 8, IF: 9, DF: 10, OF: 11, IOPL: [12, 13], NT: 14, RF: 16, VM: 17, AC: 18 },
  ...{ VIF: 19, VIP: 20, ID: 21 },
};
const MXCSR: Bits = { IE: 0, DE: 1, ZE: 2, OE: 3, UE: 4, PE: 5, DAZ: 6, IM: 7, DM: 8, ZM: 9, OM: 10, UM: 11, PM: 12, RC: [13, 14], FZ: 15 };
const CR0: Bits = { PE: 0, MP: 1, EM: 2, TS: 3, ET: 4, NE: 5, WP: 16, AM: 18, NW: 29, CD: 30, PG: 31 };
const CR4: Bits = { VME: 0, PVI: 1, TSD: 2, DE: 3, PSE: 4, PAE: 5, MCE: 6, PGE: 7, PCE: 8, OSFXSR: 9, OSXMMEXCPT: 10 };

/** The ways to see an XMM register: the name of a field, the type of its elements, how many they are. */
const LANES = [
  ['v4_float', 'ieee_single', 4],
  ['v2_double', 'ieee_double', 2],
  ['v16_int8', 'int8', 16],
  ['v8_int16', 'int16', 8],
  ['v4_int32', 'int32', 4],
  ['v2_int64', 'int64', 2],
] as const;
const VECTOR = [
  ...LANES.map(([name, type, count]) => `<vector id="${name}_type" type="${type}" count="${count}"/>`),
  '<union id="vec128">',
  ...LANES.map(([name]) => `<field name="${name}" type="${name}_type"/>`),
  '<field name="uint128" type="uint128"/>',
  '</union>',
];

const registerLine = ({ name, bits, type, group }: Register): string =>
  `<reg name="${name}" bitsize="${bits}" type="${type}"${group === undefined ? '' : ` group="${group}"`}/>`;
const feature = (name: string, types: readonly string[], registers: readonly Register[]): string[] => [
  `<feature name="${name}">`,
  ...types,
  ...registers.map(registerLine),
  '</feature>',
];

/** ASCII. The registers are numbered as they come: as REGISTERS of registers.ts has them. */
export const DESCRIPTION = [
  '<?xml version="1.0"?>',
  '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0">',
  '<architecture>i386</architecture>',
  ...feature('org.gnu.gdb.i386.core', flags('i386_eflags', EFLAGS), CORE),
  ...feature('org.gnu.gdb.i386.sse', [...VECTOR, ...flags('i386_mxcsr', MXCSR)], SSE),
  ...feature(
    'org.dragoman.i386.system',
    [...flags('dragoman_cr0', CR0), ...flags('dragoman_cr4', CR4), ...flags('dragoman_efer', { SCE: 0, LME: 8, LMA: 10, NXE: 11 })],
    SYSTEM,
  ),
  '</target>',
  '',
].join('\n');
