// Keys that keyboards of phones have not: what a terminal sends for them.

/** The control character that a key with Ctrl gives; what has none is left as it is. */
export function withCtrl(key: string): string {
  if (key === ' ') return '\0';
  if (key === '?') return '\x7f';
  const upper = key.toUpperCase();
  return key.length === 1 && upper >= '@' && upper <= '_' ? String.fromCharCode(upper.charCodeAt(0) & 0x1f) : key;
}

/** Keys that the key bar has. */
export type BarKey = 'Esc' | 'Tab' | 'Left' | 'Up' | 'Down' | 'Right' | 'Ctrl-C';
const CHARACTERS: Partial<Record<BarKey, string>> = { Esc: '\x1b', Tab: '\t', 'Ctrl-C': '\x03' };
const ARROWS: Partial<Record<BarKey, string>> = { Left: 'D', Up: 'A', Down: 'B', Right: 'C' };

/** `ctrl`: held with it. `application`: the guest has asked for its terminal's other cursor keys (DECCKM). */
export function sent(key: BarKey, ctrl: boolean, application: boolean): string {
  const lead = ctrl ? '\x1b[1;5' : application ? '\x1bO' : '\x1b[';
  return CHARACTERS[key] ?? lead + ARROWS[key];
}
