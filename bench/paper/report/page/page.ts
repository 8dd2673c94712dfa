// The script of the report's page: draws its charts, again where colours change; tables are opened for paper. All else is there without it.
import type { Chart } from '../chart-data.ts';
import { followReader } from './contents.ts';
import { draw } from './draw.ts';
import { watchTheme } from './theme.ts';

const charts = JSON.parse(document.getElementById('charts')!.textContent!) as Pick<Chart, 'id' | 'data'>[];
const redraw = charts.map(({ id, data }) => draw(document.getElementById(`chart-${id}`) as HTMLCanvasElement, data));

watchTheme(document.getElementById('theme') as HTMLButtonElement, () => {
  for (const one of redraw) one();
});

const contents = document.getElementById('contents')!;
followReader(contents, [...contents.querySelectorAll('a')]);

let closed: HTMLDetailsElement[] = [];
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('details')].filter(({ open }) => !open);
  for (const one of closed) one.open = true;
});
addEventListener('afterprint', () => {
  for (const one of closed) one.open = false;
});
