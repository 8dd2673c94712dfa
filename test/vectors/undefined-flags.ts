// Which arithmetic flags the manual leaves undefined after an instruction: those bits of a vector are not compared.
// Each line cites the "Flags Affected" part of the instruction's page in Intel SDM vol. 2 (chapter 3: A-L, chapter 4: M-Z).
const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

export interface FlagContext {
  /** Shift or rotate count, masked to 5 bits. */
  count: number;
  /** Width of the first operand in bits. */
  bits: number;
}

type Rule = number | ((c: FlagContext) => number);

const rotate: Rule = ({ count }) => (count > 1 ? OF : 0);
const shiftLogical: Rule = ({ count, bits }) => (count === 0 ? 0 : AF | (count > 1 ? OF : 0) | (count >= bits ? CF : 0));
const doubleShift: Rule = ({ count, bits }) => (count === 0 ? 0 : count > bits ? CF | PF | AF | ZF | SF | OF : AF | (count > 1 ? OF : 0));

const rules: Record<string, Rule> = {
  aaa: OF | SF | ZF | PF, // SDM vol. 2A, 3.2, AAA: "The OF, SF, ZF, and PF flags are undefined"
  aas: OF | SF | ZF | PF, // SDM vol. 2A, 3.2, AAS
  aad: OF | AF | CF, // SDM vol. 2A, 3.2, AAD
  aam: OF | AF | CF, // SDM vol. 2A, 3.2, AAM
  daa: OF, // SDM vol. 2A, 3.2, DAA: "The OF flag is undefined"
  das: OF, // SDM vol. 2A, 3.2, DAS
  and: AF, // SDM vol. 2A, 3.2, AND: "The state of the AF flag is undefined"
  or: AF, // SDM vol. 2B, 4.3, OR
  xor: AF, // SDM vol. 2D, 6.1, XOR
  test: AF, // SDM vol. 2B, 4.3, TEST
  bsf: CF | OF | SF | AF | PF, // SDM vol. 2A, 3.2, BSF (ZF is defined)
  bsr: CF | OF | SF | AF | PF, // SDM vol. 2A, 3.2, BSR
  bt: OF | SF | AF | PF, // SDM vol. 2A, 3.2, BT (CF is the bit, ZF is unaffected)
  bts: OF | SF | AF | PF, // SDM vol. 2A, 3.2, BTS
  btr: OF | SF | AF | PF, // SDM vol. 2A, 3.2, BTR
  btc: OF | SF | AF | PF, // SDM vol. 2A, 3.2, BTC
  mul: SF | ZF | AF | PF, // SDM vol. 2B, 4.3, MUL
  imul: SF | ZF | AF | PF, // SDM vol. 2A, 3.2, IMUL
  div: CF | OF | SF | ZF | AF | PF, // SDM vol. 2A, 3.2, DIV
  idiv: CF | OF | SF | ZF | AF | PF, // SDM vol. 2A, 3.2, IDIV
  rol: rotate, // SDM vol. 2B, 4.3, RCL/RCR/ROL/ROR: OF is undefined for counts other than 1; a masked count of 0 changes no flag
  ror: rotate, // SDM vol. 2B, 4.3, RCL/RCR/ROL/ROR
  rcl: rotate, // SDM vol. 2B, 4.3, RCL/RCR/ROL/ROR
  rcr: rotate, // SDM vol. 2B, 4.3, RCL/RCR/ROL/ROR
  shl: shiftLogical, // SDM vol. 2B, 4.3, SAL/SAR/SHL/SHR: CF undefined for counts >= the size (SHL, SHR), OF for counts > 1, AF for counts > 0
  sal: shiftLogical, // SDM vol. 2B, 4.3, SAL/SAR/SHL/SHR
  shr: shiftLogical, // SDM vol. 2B, 4.3, SAL/SAR/SHL/SHR
  sar: ({ count }) => (count === 0 ? 0 : AF | (count > 1 ? OF : 0)), // SDM vol. 2B, 4.3, SAL/SAR/SHL/SHR
  shld: doubleShift, // SDM vol. 2B, 4.3, SHLD
  shrd: doubleShift, // SDM vol. 2B, 4.3, SHRD
};

/** Bits of EFLAGS that `mnemonic` leaves undefined. */
export function undefinedFlags(mnemonic: string, context: FlagContext): number {
  const rule = rules[mnemonic];
  return rule === undefined ? 0 : typeof rule === 'number' ? rule : rule(context);
}
