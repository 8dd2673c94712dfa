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
  /** Times of what may have changed them, by the same clock: lines across the plot. Default: none. */
  readonly marks?: readonly number[];
}

const SECONDS = 60;
const HEIGHT = 110;
/** Colours are the page's: asked for whenever the plot is drawn. */
const token = (element: Element, name: string) => () => getComputedStyle(element.querySelector(`.${name}`)!).color;

/** Lines across a plot at seconds of its axis. */
function drawMarks({ ctx, bbox: { left, top, width, height }, valToPos }: uPlot, seconds: readonly number[], colour: string): void {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const second of seconds) {
    const x = Math.round(valToPos(second, 'x', true));
    if (x < left || x > left + width) continue;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
  }
  ctx.restore();
}

/** `marks`: seconds as data has them, asked for whenever the plot is drawn. */
function makePlot(element: HTMLElement, series: readonly string[], data: uPlot.AlignedData, marks: () => readonly number[]): uPlot {
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
      hooks: { draw: [(plot) => drawMarks(plot, marks(), muted())] },
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

const secondsOf = (points: readonly PlotPoint[], marks: readonly number[]): readonly number[] => {
  const now = points.at(-1)?.at ?? 0;
  return marks.map((at) => (at - now) / 1000);
};

export function LivePlot({ title, series, points, marks = [] }: Props) {
  const seconds = useRef<readonly number[]>([]);
  seconds.current = secondsOf(points, marks);
  const element = useRef<HTMLElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const names = series.join('\n');
  useEffect(() => {
    const at = element.current!;
    const made = makePlot(at, series, dataOf(points, series), () => seconds.current);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height: HEIGHT }));
    observer.observe(at);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [names]);
  useEffect(() => plot.current?.setData(dataOf(points, series)), [points, marks.length]);
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
