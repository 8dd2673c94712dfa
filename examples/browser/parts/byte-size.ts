// Numbers of bytes for people.
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** '64 MiB', '1.5 GiB'. */
export function byteSize(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toLocaleString('en', { maximumSignificantDigits: Math.max(3, Math.floor(Math.log10(Math.max(1, value))) + 1) })} ${UNITS[power]}`;
}
