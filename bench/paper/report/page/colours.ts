// The page's colours of the moment, as a canvas takes them.
import type { Series } from '../chart-data.ts';

/** As many as page.css has for series. */
const COLOURS = 8;

const probe = document.createElement('span');

/** Of a custom property, without its dashes. */
export function colour(name: string): string {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

export const seriesColour = ({ colour: k, ideal }: Series): string => colour(ideal ? 'ideal' : `series-${k % COLOURS}`);
