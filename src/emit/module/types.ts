// Types of WebAssembly values, as the binary format writes them.
export type ValueType = 0 | 0x7f | 0x7e | 0x7d | 0x7c | 0x7b;
export const none = 0 as const;
export const i32 = 0x7f as const;
export const i64 = 0x7e as const;
export const f32 = 0x7d as const;
export const f64 = 0x7c as const;
export const v128 = 0x7b as const;
export const typeName: Readonly<Record<ValueType, string>> = {
  [none]: '',
  [i32]: 'i32',
  [i64]: 'i64',
  [f32]: 'f32',
  [f64]: 'f64',
  [v128]: 'v128',
};
