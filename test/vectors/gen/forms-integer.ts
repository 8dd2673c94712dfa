// The integer instructions to record, as NASM text, by family. EBX is 0x20000f00 and ESI/EDI are in the scratch window in the base state,
// so `[ebx+...]` is memory; every other register that an instruction reads gets edge values (see inputs.ts).

import { CODE, SCRATCH, type State } from '../../harness/vectors.ts';
import type { Random } from './values.ts';
import { INT8, integer } from './values.ts';

/** Changes a prepared input. */
export type Setup = (s: State, r: Random, index: number) => void;

export interface Form {
  group: string;
  asm: string;
  /** Number of vectors. */
  count?: number;
  setup?: Setup;
}

const put32 = (s: State, linear: number, v: number) => new DataView(s.memory.buffer).setUint32(linear - SCRATCH, v, true);
const get32 = (s: State, linear: number) => new DataView(s.memory.buffer).getUint32(linear - SCRATCH, true);

function* alu(): Generator<Form> {
  const group = 'alu';
  const ops = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
  for (const [index, op] of ops.entries()) {
    for (const o of [
      'eax,ecx',
      'esi,edi',
      'edx,edx',
      'ebp,eax',
      'ax,dx',
      'di,bp',
      'al,cl',
      'bl,dh',
      'ch,ah',
      'ah,al',
      'bh,bl',
      '[ebx],ecx',
      '[ebx+4],ax',
      '[ebx+9],dl',
      '[ebx+0xff],esi',
      '[ebx],ch',
      'ecx,[ebx]',
      'ax,[ebx+4]',
      'dh,[ebx+9]',
      'edi,[ebx+0xfe]',
      'al,0x80',
      'al,0x7f',
      'ax,strict word 0x8001',
      'eax,strict dword 0x80000000',
      'eax,strict dword 0x7fffffff',
      'ecx,1',
      'edx,-1',
      'si,-128',
      'dx,strict word 0x1234',
      'esi,strict dword 0xdeadbeef',
      'bl,0xff',
      'dh,1',
      'dword [ebx],-1',
      'dword [ebx],strict dword 0x12345678',
      'word [ebx],1',
      'word [ebx],strict word 0xfffe',
      'byte [ebx],0x80',
      'byte [ebx+1],1',
    ])
      yield { group, asm: `${op} ${o}` };
    const base = index * 8;
    for (const [opcode, modrm] of [
      [0, 0xc1],
      [0, 0xe3],
      [1, 0xc8],
      [2, 0xc1],
      [2, 0xe3],
      [3, 0xc1],
      [3, 0xf7],
    ])
      yield { group, asm: `db ${base + opcode},${modrm}`, count: 6 };
    yield { group, asm: `db 0x66,${base + 3},0xd7`, count: 6 };
    yield { group, asm: `db 0x82,${0xc1 + base},0x81`, count: 6 };
    if (op !== 'cmp')
      for (const o of ['dword [ebx],ecx', 'byte [ebx],al', 'word [ebx],7']) yield { group, asm: `lock ${op} ${o}`, count: 4 };
  }
  for (const op of ['inc', 'dec', 'neg', 'not']) {
    for (const o of ['eax', 'edi', 'cx', 'bp', 'al', 'dh', 'dword [ebx]', 'word [ebx+2]', 'byte [ebx+5]', 'dword [ebx+0xfe]'])
      yield { group, asm: `${op} ${o}` };
    if (op === 'inc' || op === 'dec') for (const b of ['0xff,', '0x66,0xff,']) yield { group, asm: `db ${b}${op === 'inc' ? 0xc1 : 0xc9}` };
    yield { group, asm: `lock ${op} dword [ebx]`, count: 4 };
  }
  for (const o of [
    'eax,ecx',
    'dx,si',
    'al,ah',
    '[ebx],ecx',
    '[ebx],dl',
    '[ebx],cx',
    'al,0x81',
    'ax,0x8000',
    'eax,0x80000000',
    'ecx,0xff',
    'dword [ebx],0x80000001',
    'byte [ebx],0x80',
    'word [ebx],-1',
    'bh,0x7f',
  ])
    yield { group, asm: `test ${o}` };
  yield { group, asm: 'db 0xf6,0xc9,0x81' };
  yield { group, asm: 'db 0xf7,0xc9,0x01,0x00,0x00,0x80' };
  for (const o of ['eax,ecx', 'cx,dx', 'al,dh', '[ebx],ecx', '[ebx],ax', '[ebx],ah', 'eax,eax']) yield { group, asm: `xadd ${o}` };
  yield { group, asm: 'lock xadd [ebx],ecx', count: 4 };
  for (const o of ['ecx,edx', 'eax,edx', 'cx,dx', 'cl,dh', '[ebx],ecx', '[ebx],cx', '[ebx],cl', 'ecx,eax'])
    yield {
      group,
      asm: `cmpxchg ${o}`,
      count: 12,
      setup: (s, r, i) => {
        if (i % 2) return;
        if (o.startsWith('[')) s.gpr[0] = get32(s, s.gpr[3]);
        else if (o.startsWith('e') || r.below(2)) s.gpr[0] = s.gpr[1];
      },
    };
  yield { group, asm: 'lock cmpxchg [ebx],ecx', count: 4 };
  for (const p of ['', 'lock '])
    yield {
      group,
      asm: `${p}cmpxchg8b [edi]`,
      count: 12,
      setup: (s, _r, i) => {
        if (i % 2) return;
        s.gpr[0] = get32(s, s.gpr[7]);
        s.gpr[2] = get32(s, s.gpr[7] + 4);
      },
    };
}

function* shifts(): Generator<Form> {
  const group = 'shift';
  const names = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];
  // Group 2 by its encoding, so that the alias /6 is there as well.
  for (let n = 0; n < 8; n++) {
    if (n !== 6)
      for (const o of ['dword [ebx]', 'word [ebx]', 'byte [ebx]'])
        for (const c of ['1', 'cl', '3']) yield { group, asm: `${names[n]} ${o},${c}`, count: c === 'cl' ? 12 : 6 };
    const counts = [0, 1, 2, 7, 8, 9, 15, 16, 17, 18, 24, 27, 31, 32, 33, 0xff];
    for (const [opcode, prefix, bits] of [
      [0xc0, '', 8],
      [0xc1, '0x66,', 16],
      [0xc1, '', 32],
    ] as const) {
      for (const c of counts) yield { group, asm: `db ${prefix}${opcode},${0xc0 + n * 8 + 2},${c}`, count: 4 };
      yield { group, asm: `db ${prefix}${opcode + 0x10},${0xc0 + n * 8 + 2}`, count: 10 };
      // By CL: every count of 0..33 for the rotates through carry and the others.
      yield {
        group,
        asm: `db ${prefix}${opcode + 0x12},${0xc0 + n * 8 + 2}`,
        count: bits === 32 || n === 2 || n === 3 ? 40 : 36,
        setup: (s, r, i) => void (s.gpr[1] = ((s.gpr[1] & ~0xff) | (i < 34 ? i : r.pick([0x3f, 0x40, 0x41, 0x80, 0xe1, 0xff]))) >>> 0),
      };
    }
    yield { group, asm: `db 0xd2,${0xc0 + n * 8 + 4}`, count: 6 }; // AH by CL
    yield { group, asm: `db 0xd3,${0xc0 + n * 8 + 1}`, count: 8 }; // ECX by CL
  }
  for (const op of ['shld', 'shrd']) {
    for (const o of ['eax,edx', 'dword [ebx],esi', 'edi,edi']) {
      for (const c of [0, 1, 2, 15, 16, 17, 31, 32, 33]) yield { group, asm: `${op} ${o},${c}`, count: 4 };
      yield { group, asm: `${op} ${o},cl`, count: 34, setup: (s, _r, i) => void (s.gpr[1] = i) };
    }
    // 16 bits: counts above 16 leave everything undefined (SDM vol. 2, SHLD), so they are not recorded.
    for (const o of ['ax,dx', 'word [ebx],si', 'di,di']) {
      for (const c of [0, 1, 8, 15, 16]) yield { group, asm: `${op} ${o},${c}`, count: 4 };
      yield { group, asm: `${op} ${o},cl`, count: 18, setup: (s, _r, i) => void (s.gpr[1] = i > 16 ? 0x21 : i) };
    }
  }
}

function* bits(): Generator<Form> {
  const group = 'bits';
  for (const op of ['bt', 'bts', 'btr', 'btc']) {
    for (const o of [
      'eax,ecx',
      'edx,esi',
      'ax,cx',
      'edi,edi',
      'eax,0',
      'eax,31',
      'eax,32',
      'eax,0xff',
      'dx,15',
      'dx,16',
      'dword [ebx],5',
      'dword [ebx],0xe7',
      'word [ebx],9',
      'word [ebx],0x1f',
    ])
      yield { group, asm: `${op} ${o}`, count: 8 };
    // The bit offset is signed and reaches beyond the operand.
    for (const o of ['[ebx],ecx', '[ebx],cx', '[ebx+1],edx'])
      yield {
        group,
        asm: `${op} ${o}`,
        count: 12,
        setup: (s, r) =>
          void (s.gpr[o.includes('d') ? 2 : 1] =
            (r.pick([0, 1, 7, 8, 15, 16, 31, 32, 33, 63, 100, 255, -1, -8, -16, -17, -32, -33, -100, 1000, 1700]) | 0) >>> 0),
      };
    if (op !== 'bt') yield { group, asm: `lock ${op} dword [ebx],7`, count: 4 };
  }
  for (const op of ['bsf', 'bsr', 'popcnt'])
    for (const o of ['eax,ecx', 'dx,si', 'ecx,ecx', 'eax,[ebx]', 'cx,[ebx]']) yield { group, asm: `${op} ${o}`, count: 14 };
  for (const o of ['eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi']) yield { group, asm: `bswap ${o}`, count: 4 };
  const cc = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
  for (const [n, c] of cc.entries()) {
    yield { group: 'condition', asm: `set${c} ${['al', 'dh', 'cl', 'bh'][n % 4]}`, count: 14 };
    yield { group: 'condition', asm: `set${c} [ebx+3]`, count: 6 };
    yield { group: 'condition', asm: `cmov${c} eax,edx`, count: 10 };
    yield { group: 'condition', asm: `cmov${c} si,[ebx]`, count: 6 };
    yield { group: 'condition', asm: `cmov${c} cx,dx`, count: 6 };
    yield { group: 'condition', asm: `cmov${c} ebp,[ebx+4]`, count: 6 };
    yield { group: 'branch', asm: `db 0x${(0x70 + n).toString(16)},6`, count: 14 };
    yield { group: 'branch', asm: `db 0x0f,0x${(0x80 + n).toString(16)},0x80,0,0,0`, count: 6 };
    yield { group: 'branch', asm: `db 0x${(0x70 + n).toString(16)},0xf0`, count: 6 };
  }
}

function* muldiv(): Generator<Form> {
  const group = 'muldiv';
  for (const op of ['mul', 'imul'])
    for (const o of ['ecx', 'eax', 'edx', 'si', 'dx', 'cl', 'ah', 'al', 'dword [ebx]', 'word [ebx]', 'byte [ebx]'])
      yield { group, asm: `${op} ${o}`, count: 12 };
  for (const o of [
    'eax,ecx',
    'dx,si',
    'ecx,[ebx]',
    'cx,[ebx]',
    'edi,edi',
    'eax,ecx,-3',
    'eax,ecx,0x12345678',
    'dx,si,100',
    'dx,si,0x7fff',
    'esi,[ebx],7',
    'esi,[ebx],0x80000000',
    'cx,[ebx],-1',
  ])
    yield { group, asm: `imul ${o}`, count: 12 };
  for (const signed of [false, true])
    for (const [o, size, get] of [
      ['ecx', 4, (s) => s.gpr[1]],
      ['esi', 4, (s) => s.gpr[6]],
      ['dword [ebx]', 4, (s) => get32(s, s.gpr[3])],
      ['cx', 2, (s) => s.gpr[1] & 0xffff],
      ['word [ebx]', 2, (s) => get32(s, s.gpr[3]) & 0xffff],
      ['cl', 1, (s) => s.gpr[1] & 0xff],
      ['bh', 1, (s) => (s.gpr[3] >>> 8) & 0xff],
      ['byte [ebx]', 1, (s) => get32(s, s.gpr[3]) & 0xff],
    ] as [string, 1 | 2 | 4, (s: State) => number][])
      yield {
        group,
        asm: `${signed ? 'idiv' : 'div'} ${o}`,
        count: 22,
        // Two thirds: a dividend whose quotient fits or just does not; the rest is as it comes (mostly overflow).
        setup: (s, r, i) => {
          if (i % 3 === 2) return;
          const width = BigInt(size * 8);
          const wrap = (v: number) => (signed ? BigInt.asIntN(size * 8, BigInt(v)) : BigInt(v));
          const d = wrap(get(s));
          const q = wrap(integer(r, (size * 8) as 8 | 16 | 32));
          let dividend = d * q + (d === 0n ? 0n : (BigInt(r.u32()) % (d < 0n ? -d : d)) * (q < 0n !== d < 0n ? -1n : 1n));
          if (i % 6 === 0) dividend += d * (q < 0n ? -1n : 1n);
          if (size === 1) s.gpr[0] = (s.gpr[0] & 0xffff0000) | Number(BigInt.asUintN(16, dividend));
          else {
            const mask = (1n << width) - 1n;
            const low = Number(dividend & mask);
            const high = Number((dividend >> width) & mask);
            const keep = size === 2 ? 0xffff0000 : 0;
            s.gpr[0] = (s.gpr[0] & keep) | low;
            s.gpr[2] = (s.gpr[2] & keep) | high;
          }
        },
      };
  for (const op of ['aaa', 'aas', 'daa', 'das'])
    yield {
      group: 'bcd',
      asm: op,
      count: 60,
      setup: (s, r, i) => {
        s.gpr[0] =
          ((s.gpr[0] & 0xffff0000) |
            (r.below(3) ? r.below(256) << 8 : 0xff00) |
            (i < 40 ? [0, 9, 10, 15, 0x99, 0x9a, 0xa0, 0xf9, 0xfa, 0xff][i % 10] : r.below(256))) >>>
          0;
        s.eflags = (s.eflags & ~0x11) | [0, 1, 0x10, 0x11][(i >> 2) & 3];
      },
    };
  for (const b of [10, 1, 16, 3, 0xff]) {
    yield { group: 'bcd', asm: `aam ${b}`, count: 10 };
    yield { group: 'bcd', asm: `aad ${b}`, count: 10 };
  }
  yield { group: 'bcd', asm: 'aam 0', count: 2 };
  yield { group: 'bcd', asm: 'aad 0', count: 4 };
}

function* moves(): Generator<Form> {
  const group = 'move';
  for (const o of [
    'eax,ecx',
    'edi,ebp',
    'cx,dx',
    'al,dh',
    'bh,cl',
    '[ebx],ecx',
    '[ebx],dx',
    '[ebx],ah',
    'ecx,[ebx]',
    'dx,[ebx]',
    'ch,[ebx+1]',
    'eax,[0x20000f04]',
    'ax,[0x20000f05]',
    'al,[0x20000f06]',
    '[0x20000f04],eax',
    '[0x20000f05],ax',
    '[0x20000f06],al',
    'eax,0x12345678',
    'esi,-1',
    'dx,0x8001',
    'ah,0x80',
    'dword [ebx],0x89abcdef',
    'word [ebx],0xfedc',
    'byte [ebx],0x7f',
    'eax,[0x20000ffe]',
    '[0x20000ffd],ecx',
    '[0x20000fff],dx',
    'si,[0x20000fff]',
  ])
    yield { group, asm: `mov ${o}`, count: 4 };
  for (const b of ['0x8b,0xc1', '0x8a,0xe9', '0x66,0x8b,0xfe', '0xc6,0xc1,0x81', '0xc7,0xc2,1,2,3,4', '0x66,0xc7,0xc2,1,0x80'])
    yield { group, asm: `db ${b}`, count: 4 };
  for (const op of ['movzx', 'movsx'])
    for (const o of ['eax,cl', 'edx,ah', 'cx,dh', 'esi,di', 'eax,ax', 'eax,byte [ebx]', 'cx,byte [ebx]', 'edi,word [ebx]'])
      yield { group, asm: `${op} ${o}`, count: 8 };
  for (const b of ['0x66,0x0f,0xb7,0xc1', '0x66,0x0f,0xbf,0xc1']) yield { group, asm: `db ${b}`, count: 4 };
  for (const o of ['eax,ecx', 'edx,esi', 'ax,di', 'al,ah', 'bl,ch', '[ebx],ecx', '[ebx],dx', '[ebx],cl', 'eax,eax'])
    yield { group, asm: `xchg ${o}`, count: 4 };
  for (const op of ['cbw', 'cwde', 'cwd', 'cdq', 'lahf', 'sahf', 'clc', 'stc', 'cmc', 'cld', 'std', 'nop', 'pause', 'salc'])
    yield { group, asm: op === 'salc' ? 'db 0xd6' : op, count: op === 'sahf' || op === 'lahf' ? 24 : 8 };
  for (const b of ['0x0f,0x1f,0x44,0x00,0x00', '0x66,0x90', '0x0f,0x18,0x03', '0x0f,0x18,0x0b', '0x0f,0x0d,0x03', '0x0f,0x1f,0xc0'])
    yield { group, asm: `db ${b}`, count: 2 };
  for (const p of ['', 'es ']) yield { group, asm: `${p}xlatb`, count: 6 };
  for (const b of [3, 7, 0x83, 0x93, 0xd3])
    yield { group: 'prefix', asm: `db 0x2e,0x8b,${(b & 0x3f) | 0x0}`.replace('0x8b', '0x8d'), count: 2 };
  for (const p of ['cs', 'ss', 'ds', 'es']) {
    yield { group: 'prefix', asm: `${p} mov eax,[ebx]`, count: 2 };
    if (p !== 'cs') yield { group: 'prefix', asm: `${p} mov [ebx],ecx`, count: 2 };
  }
  // Repeated and useless prefixes.
  for (const b of [
    '0x66,0x66,0x8b,0x03',
    '0x3e,0x26,0x8b,0x03',
    '0xf3,0x8b,0x03',
    '0xf2,0x01,0xc8',
    '0x66,0xb8,1,2',
    '0xf3,0x66,0x01,0xc8',
    '0x64,0x2e,0x8b,0x03',
    '0x66,0x2e,0x66,0x36,0x01,0x03',
  ])
    yield { group: 'prefix', asm: `db ${b}`, count: 3 };
  // lea has every form of the effective address, without an access.
  const r32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
  const any: Setup = (s, r) => {
    for (const i of [0, 1, 2, 3, 5, 6, 7]) s.gpr[i] = integer(r, 32);
  };
  for (const [i, b] of r32.entries()) {
    const d = r32[(i + 3) % 8 === 4 ? 0 : (i + 3) % 8];
    for (const a of [`[${b}]`, `[${b}+0x7f]`, `[${b}-0x80]`, `[${b}+0x12345678]`])
      yield { group: 'lea', asm: `lea ${d},${a}`, count: 3, setup: any };
    if (b !== 'esp')
      for (const [k, scale] of [1, 2, 4, 8].entries()) {
        yield { group: 'lea', asm: `lea ${d},[${r32[(i + k) % 8]}+${b}*${scale}]`.replace('[esp+esp*1]', '[esp]'), count: 3, setup: any };
        yield {
          group: 'lea',
          asm: `lea ${d},[${r32[(i + k + 2) % 8]}+${b}*${scale}-1]`.replace(/\[esp\+esp\*\d-1]/, '[esp-1]'),
          count: 3,
          setup: any,
        };
        yield { group: 'lea', asm: `lea ${d},[nosplit ${b}*${scale}-0x70000000]`, count: 3, setup: any };
      }
    yield { group: 'lea', asm: `lea ${['ax', 'cx', 'dx', 'si'][i % 4]},[${b}+5]`, count: 3, setup: any };
  }
  for (const a of ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx'])
    for (const d of ['', '+0x7f', '-2', '+0x1234']) {
      yield { group: 'lea', asm: `lea eax,[${a}${d}]`, count: 3, setup: any };
      yield { group: 'lea', asm: `lea cx,[${a}${d}]`, count: 2, setup: any };
    }
  yield { group: 'lea', asm: 'lea eax,[0x12345678]', count: 1 };
  yield { group: 'lea', asm: 'lea eax,[word 0x8765]', count: 1 };
  // Accesses through SIB forms.
  const near: Setup = (s) => {
    s.gpr[0] = 0x18;
    s.gpr[1] = 0x20;
    s.gpr[2] = 0xfffffff8;
  };
  for (const a of [
    'ebx+eax',
    'ebx+eax*2',
    'esi+ecx*4-0x60',
    'edi+edx*8',
    'esp+eax*4',
    'ebp+ecx*2+3',
    'ebp',
    'esp',
    'esp+8',
    'edx+ebx',
    'ebp+eax',
    'eax*8+0x20000f00',
  ])
    for (const i of ['mov eax,[A]', 'mov [A],esi', 'add word [A],0x1234', 'movzx ecx,byte [A]'])
      yield { group: 'address', asm: i.replace('A', a), count: 2, setup: near };
}

function* stack(): Generator<Form> {
  const group = 'stack';
  const both = ['eax', 'esp', 'ebp', 'edi', 'cx', 'sp', 'dword [ebx]', 'word [ebx]', 'dword [esp+8]', 'dword [esp]'];
  for (const o of [...both, 'byte 0x7f', 'byte -2', 'strict dword 0x12345678', 'strict word 0x8765'])
    yield { group, asm: `push ${o}`, count: 3 };
  yield { group, asm: 'db 0x66,0x6a,0xfe', count: 2 };
  yield { group, asm: 'db 0xff,0xf1', count: 2 };
  for (const o of [...both, 'dword [esp-4]', 'word [esp+2]']) yield { group, asm: `pop ${o}`, count: 3 };
  yield { group, asm: 'db 0x8f,0xc1', count: 2 };
  for (const op of ['pushad', 'popad', 'pushaw', 'popaw', 'pushfd', 'pushfw', 'leave'])
    yield { group, asm: op, count: op.startsWith('pushf') ? 8 : 4 };
  yield { group, asm: 'o16 leave', count: 3, setup: (s) => void (s.gpr[5] = 0x20000ee0) };
  for (const o of ['popfd', 'popfw'])
    yield {
      group,
      asm: o,
      count: 12,
      setup: (s, r) =>
        put32(
          s,
          s.gpr[4],
          (r.u32() & 0xcd5) | 0x202 | (r.below(2) ? 0x4000 : 0) | (o === 'popfd' ? (r.below(2) ? 0x200000 : 0) : r.u32() << 16),
        ),
    };
  for (const n of [0, 1, 2, 5]) for (const size of [0, 8, 0x40]) yield { group, asm: `enter ${size},${n}`, count: 3 };
  yield { group, asm: 'enter 4,33', count: 2 };
  yield { group, asm: 'o16 enter 4,0', count: 2 };
  yield { group, asm: 'o16 enter 4,2', count: 2 };
  // Near calls, returns and jumps: the targets are within the page of the instruction.
  const target: Setup = (s, r) => {
    const to = CODE + r.pick([0x10, 0x100, -0x80, 0x7f]);
    s.gpr[0] = to;
    put32(s, s.gpr[3], to);
    put32(s, s.gpr[4], to);
  };
  for (const i of ['call eax', 'call [ebx]', 'jmp eax', 'jmp [ebx]', 'ret', 'ret 8', 'ret 0x40', 'call dword [esp]', 'jmp dword [esp]'])
    yield { group: 'branch', asm: i, count: 4, setup: target };
  for (const b of [
    '0xe8,0x10,0,0,0',
    '0xe8,0xf0,0xff,0xff,0xff',
    '0xe9,0x10,0,0,0',
    '0xe9,0x80,0xfe,0xff,0xff',
    '0xeb,0x20',
    '0xeb,0xe0',
    '0xe8,0,0,0,0',
  ])
    yield { group: 'branch', asm: `db ${b}`, count: 2 };
  for (const p of ['', '0x67,'])
    for (const op of [0xe0, 0xe1, 0xe2, 0xe3])
      for (const d of ['0x10', '0xd0'])
        yield {
          group: 'branch',
          asm: `db ${p}${op},${d}`,
          count: 10,
          setup: (s, r) => void (s.gpr[1] = r.pick([0, 1, 2, 0x10000, 0x10001, 0xffffffff, 0x80000000])),
        };
  for (const o of ['ecx,[ebx]', 'cx,[ebx]'])
    yield {
      group,
      asm: `bound ${o}`,
      count: 14,
      setup: (s, r) => {
        const low = r.pick([0, 1, 0x7f, 0xfffffffe, 0x80000000, 10]);
        put32(s, s.gpr[3], o.startsWith('e') ? low : (low & 0xffff) | (((low + 5) & 0xffff) << 16));
        put32(s, s.gpr[3] + 4, low + 5);
        s.gpr[1] = (low + r.pick([-1, 0, 3, 5, 6, 100])) >>> 0;
      },
    };
  yield { group, asm: 'into', count: 8 };
}

function* undefinedOpcodes(): Generator<Form> {
  const group = 'undefined';
  for (const b of [
    '0x0f,0x0b',
    '0x0f,0xff,0xc0',
    '0x0f,0xb9,0xc0',
    '0x8d,0xc1',
    '0xf0,0x01,0xc8',
    '0xf0,0x89,0x03',
    '0xf0,0x39,0x03',
    '0xf0,0x0f,0xa3,0x03',
    '0xf0,0x90',
    '0xfe,0xd0',
    '0xfe,0xf8',
    '0xff,0xf8',
    '0xff,0xd9',
    '0xff,0xe9',
    '0xc6,0xc8,0x01',
    '0xc7,0xd0,1,2,3,4',
    '0x8e,0xc8',
    '0x8c,0xf0',
    '0x8e,0xf0',
    '0x0f,0xc7,0xc9',
    '0x0f,0xc7,0x0b,0x90'.replace('0x0b', '0xc8'),
    '0x0f,0x04',
    '0x0f,0x0a',
    '0x0f,0x0c',
    '0x0f,0x24,0xc0',
    '0x0f,0x26,0xc0',
    '0x0f,0xba,0xc0,1',
    '0x0f,0xba,0xd8,1',
    '0x0f,0xa6,0xc0',
    '0x0f,0xa7,0xc0',
    '0x62,0xc1',
    '0x0f,0x71,0x03,1',
    '0x0f,0x71,0xc0,1',
    '0x0f,0x73,0xd9,1',
    '0x66,0x0f,0x12,0xc1',
    '0x66,0x0f,0x13,0xc1',
    '0x0f,0x13,0xc1',
    '0x0f,0x17,0xc1',
    '0x66,0x0f,0x17,0xc1',
    '0x0f,0xe7,0xc1',
    '0x0f,0x2b,0xc1',
    '0x0f,0xf0,0x03',
    '0xf2,0x0f,0xf0,0xc1',
    '0x0f,0xd6,0xc1',
    '0x0f,0xe6,0xc1',
    '0x0f,0x50,0x03',
    '0x0f,0xd7,0x03',
    '0x0f,0xc5,0x03,1',
    '0x0f,0xc3,0xc1',
    '0x0f,0x7c,0xc1',
    '0x0f,0xd0,0xc1',
    '0x0f,0x6c,0xc1',
    '0x0f,0x6d,0xc1',
    '0x0f,0x36',
    '0x0f,0x39',
    '0x0f,0x3c',
    '0x0f,0x3f',
  ])
    yield { group, asm: `db ${b}`, count: 1 };
}

const cpy: Setup = (s, r) => {
  const down = r.below(2);
  s.eflags = (s.eflags & ~0x400) | (down ? 0x400 : 0);
  s.gpr[1] = r.pick([0, 1, 2, 3, 5, 7, 8, 16, 17, 20]);
  const mid = 0x20000fe0 + r.below(0x40);
  s.gpr[6] = mid;
  s.gpr[7] = mid + r.pick([0x58, -0x58, 1, -1, 4, -4, 3, 0x70, -0x70, 2, 8, -8]);
};

function* strings(): Generator<Form> {
  const group = 'string';
  for (const op of ['movs', 'stos', 'lods', 'cmps', 'scas'])
    for (const w of ['b', 'w', 'd'])
      for (const rep of op === 'cmps' || op === 'scas' ? ['', 'repe ', 'repne '] : ['', 'rep ', 'repne '])
        yield {
          group,
          asm: `${rep}${op}${w}`,
          count: rep === '' ? 10 : 18,
          setup: (s, r, i) => {
            cpy(s, r, i);
            if (op === 'cmps' || op === 'scas') {
              // Runs of equal elements, so that the loop ends early, late, or not at all.
              const value = r.pick(INT8);
              if (rep !== 'repne ' && i % 3) s.memory.fill(value, 0x160, 0x2a0);
              if (i % 3 === 1) s.memory[0x1e0 + r.below(0x50)] ^= 0x80;
              if (op === 'scas')
                s.gpr[0] = i % 3 ? Math.imul(value, 0x01010101) >>> 0 : i % 2 ? s.gpr[0] : get32(s, s.gpr[7] + (s.eflags & 0x400 ? -8 : 8));
              else if (rep === 'repne ' && i % 2) s.memory[s.gpr[6] - SCRATCH + 8] = s.memory[s.gpr[7] - SCRATCH + 8];
            }
          },
        };
  for (const p of ['0x26,', '0x2e,', '0x36,'])
    for (const i of ['0xa4', '0xad', '0xa7', '0xf3,0xa5']) yield { group, asm: `db ${p}${i}`, count: 3, setup: cpy };
  // CX counts with 16-bit addresses: only zero runs here, the page at 0 is not ours.
  for (const i of ['0xa4', '0xab', '0xad', '0xa6', '0xaf'])
    yield { group, asm: `db 0x67,0xf3,${i}`, count: 2, setup: (s, r) => void (s.gpr[1] = (r.u32() << 16) >>> 0) };
}

export const integerForms = (): Form[] => [...alu(), ...shifts(), ...bits(), ...muldiv(), ...moves(), ...stack(), ...undefinedOpcodes()];
export const stringForms = (): Form[] => [...strings()];
