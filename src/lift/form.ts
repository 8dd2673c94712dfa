// The static form of an instruction: what names an interpreter handler. Two instructions of one form differ only
// in register numbers, displacements and immediates, which handlers read from the record.

export type OperandKind = 'r' | 'm' | 'i' | 'sr' | 'cr' | 'dr' | 'mm' | 'xmm' | 'st' | 'j' | 'far' | 'str';

/** Its value is in memory: it has none in the instruction. */
export const inMemory = (kind: OperandKind): boolean => kind === 'm' || kind === 'str';

export interface FormOperand {
  readonly kind: OperandKind;
  /** Bytes. */
  readonly size: number;
}

export interface Form {
  /** iced-x86's mnemonic in lower case. */
  readonly mnemonic: string;
  readonly ops: readonly FormOperand[];
  /** Effective operand and address size in bytes. */
  readonly opsize: 2 | 4;
  readonly addrsize: 2 | 4;
  /** The memory operand is addressed through its segment's base and limit (else flat). */
  readonly segmented: boolean;
  /** The code runs in Mode.FLAT (stack accesses need no segment arithmetic). */
  readonly flat: boolean;
  /** 0, 1 (rep, repe) or 2 (repne). */
  readonly rep: 0 | 1 | 2;
  /** Memory is read and written as one: LOCK, and XCHG with memory (SDM vol. 3, 8.1.2). */
  readonly locked: boolean;
}

/** One line of text for a form, equal for equal forms. `string` and `stack`: whether address size and flatness matter to its lift. */
export function formKey(f: Form, string: boolean, stack: boolean): string {
  let key = f.mnemonic;
  for (const op of f.ops) key += ` ${op.kind}${op.size}`;
  if (f.opsize === 2) key += ' o16';
  if (string && f.addrsize === 2) key += ' a16';
  if (f.segmented) key += ' seg';
  if (stack && !f.flat) key += ' stk';
  if (f.rep) key += ` rep${f.rep}`;
  if (f.locked) key += ' lock';
  return key;
}
