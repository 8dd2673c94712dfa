// A plot of numbers that come while it is looked at: the last minute of them, by uPlot. It is a picture: who shows one says its numbers as text as well.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import './live-plot.css';
import { short } from './numbers.ts';

export interface PlotPoint {
  /** Milliseconds, by the page's clock. */
  readonly at: number;
  /** One of each series. */
  readonly values: readonly number[];
}

interface Props {
  readonly title: string;
  /** Names of the series. */
  readonly series: readonly string[];
  /** The oldest first. */
  readonly points: readonly PlotPoint[];
}

const SECONDS = 60;
const HEIGHT = 110;
/** Colours are the page's: asked for whenever the plot is drawn. */
const token = (element: Element, name: string) => () => getComputedStyle(element.querySelector(`.${name}`)!).color;

function makePlot(element: HTMLElement, series: readonly string[], data: uPlot.AlignedData): uPlot {
  const muted = token(element, 'plot-muted');
  const axis = {
    stroke: muted,
    grid: { stroke: token(element, 'plot-line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false, range: [-SECONDS, 0] }, y: { range: (_, __, most) => [0, Math.max(most, 1)] } },
      axes: [
        { ...axis, size: 22, space: 60, values: (_, splits) => splits.map((s) => (s === 0 ? 'now' : `${s} s`)) },
        { ...axis, size: 46, space: 30, values: (_, splits) => splits.map(short) },
      ],
      series: [{}, ...series.map((_, n) => ({ stroke: token(element, `plot-series-${n}`), width: 1.5, points: { show: false } }))],
    },
    data,
    element.querySelector<HTMLElement>('.plot-place')!,
  );
}

function dataOf(points: readonly PlotPoint[], series: readonly string[]): uPlot.AlignedData {
  const now = points.at(-1)?.at ?? 0;
  return [points.map(({ at }) => (at - now) / 1000), ...series.map((_, n) => points.map(({ values }) => values[n] ?? null))];
}

export function LivePlot({ title, series, points }: Props) {
  const element = useRef<HTMLElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const names = series.join('\n');
  useEffect(() => {
    const at = element.current!;
    const made = makePlot(at, series, dataOf(points, series));
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height: HEIGHT }));
    observer.observe(at);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [names]);
  useEffect(() => plot.current?.setData(dataOf(points, series)), [points]);
  const last = points.at(-1)?.values ?? [];
  const most = series.map((_, n) => points.reduce((least, { values }) => Math.max(least, values[n] ?? 0), 0));
  return (
    <figure class="live-plot" ref={element}>
      <figcaption>
        {title}
        {series.map((name, n) => (
          <span key={name} class={`plot-value plot-series-${n}`}>
            {series.length > 1 && `${name} `}
            {last[n] === undefined ? '–' : short(last[n])}
            <span class="for-readers">, at most {short(most[n]!)} in the last minute</span>
          </span>
        ))}
      </figcaption>
      <span class="plot-muted" hidden />
      <span class="plot-line" hidden />
      <div class="plot-place" aria-hidden="true" />
    </figure>
  );
}
