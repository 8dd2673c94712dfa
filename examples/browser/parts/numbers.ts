// Numbers as panels say them.
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });

/** '12.3K' */
export const short = (value: number): string => compact.format(value);
/** '45%' of a part from 0 to 1. */
export const asPercent = (part: number): string => percent.format(part);
/** '0xc0100000' */
export const asAddress = (address: number): string => `0x${address.toString(16).padStart(8, '0')}`;
/** Of kilobytes. */
export const asBytes = (kilobytes: number): string => (kilobytes < 1024 ? `${short(kilobytes)} KB` : `${short(kilobytes / 1024)} MB`);
