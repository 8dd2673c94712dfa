// What all instructions of one form share.
import { type Form, formKey } from '../lift/form.ts';
import { liftOf } from '../lift/index.ts';
import type { LiftSpec } from '../lift/lifter.ts';
import type { Flow } from './instruction.ts';

export interface Shape {
  readonly form: Form;
  readonly key: string;
  readonly spec: LiftSpec | undefined;
  readonly flow: Flow;
}

const CONDITIONAL = /^(j(?!mp)[a-z]+|loop(e|ne)?)$/;
const UNCONDITIONAL = /^(jmp|call|ret)$/;
const flowOf = (mnemonic: string): Flow =>
  CONDITIONAL.test(mnemonic) ? 'conditional' : UNCONDITIONAL.test(mnemonic) ? 'unconditional' : 'next';

export function shapeOf(form: Form): Shape {
  const spec = liftOf(form.mnemonic, form.ops);
  return { form, key: formKey(form, spec?.string === true, spec?.stack === true), spec, flow: flowOf(form.mnemonic) };
}
