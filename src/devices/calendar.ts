// The Gregorian calendar, by days since 1970-01-01, for the real-time clock.

export const MS_PER_DAY = 86400000;

/** Days since 1970-01-01 of a date of the Gregorian calendar. */
export function daysOf(year: number, month: number, day: number): number {
  // Date.UTC takes years below 100 for those of 1900.
  return Math.floor(new Date(0).setUTCFullYear(year, month - 1, day) / MS_PER_DAY);
}

export const modulo = (value: number, by: number): number => ((value % by) + by) % by;

/** Of a day since 1970-01-01; 0: Sunday. */
export const weekday = (days: number): number => modulo(days + 4, 7);

/** Day, month and year of a count of days since 1970-01-01 (eras of 400 years that start on 1 March). */
export function civil(days: number, out: Int32Array): void {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const inEra = z - era * 146097;
  const year = Math.floor((inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36524) - Math.floor(inEra / 146096)) / 365);
  const inYear = inEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const m = Math.floor((5 * inYear + 2) / 153);
  out[0] = inYear - Math.floor((153 * m + 2) / 5) + 1;
  out[1] = m < 10 ? m + 3 : m - 9;
  out[2] = year + era * 400 + (out[1] <= 2 ? 1 : 0);
}
