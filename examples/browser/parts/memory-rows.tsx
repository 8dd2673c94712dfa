// Bytes of memory in rows of sixteen, with their characters.
const ROW = 16;

const character = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.');
const two = (byte: number): string => byte.toString(16).padStart(2, '0');

function row(address: number, bytes: Uint8Array): string {
  const all = Array.from(bytes, two).join(' ');
  return `${address.toString(16).padStart(8, '0')}  ${all.padEnd(ROW * 3 - 1)}  ${Array.from(bytes, character).join('')}`;
}

export function MemoryRows({ address, bytes }: { readonly address: number; readonly bytes: Uint8Array }) {
  const rows = Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, n) =>
    row(address + n * ROW, bytes.subarray(n * ROW, (n + 1) * ROW)),
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <pre class="memory-rows" tabIndex={0}>
      {rows.join('\n')}
    </pre>
  );
}
