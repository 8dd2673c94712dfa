// Charts by Chart.js, which the page has as a script of its own, from the report's data, in the page's colours of the moment.
import type { ChartConfiguration, Chart as ChartOf, ScaleOptionsByType } from 'chart.js';
import type { ChartData, Series } from '../chart-data.ts';
import { colour, seriesColour } from './colours.ts';
import { failures, lineAtOne } from './marks.ts';

declare const Chart: typeof ChartOf;

const POINTS = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star'] as const;
/** Ticks of a logarithmic scale, in each decade. */
const STEPS = [1, 2, 5];

/** 1, 2 and 5 of each decade from below the least to above the most. */
function logTicks(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values) * 0.97, Math.max(...values) * 1.03];
  const decades = Array.from(
    { length: Math.ceil(Math.log10(most)) - Math.floor(Math.log10(least)) + 1 },
    (_, k) => Math.floor(Math.log10(least)) + k,
  );
  const all = decades.flatMap((power) => STEPS.map((step) => Number((step * 10 ** power).toPrecision(1))));
  const from = all.findLastIndex((tick) => tick <= least);
  const to = all.findIndex((tick) => tick >= most);
  return all.slice(from, to + 1);
}

/** The scale of values. */
function valueScale({ series, log, axis, kind }: ChartData): Partial<ScaleOptionsByType<'linear' | 'logarithmic'>> {
  const values = [1, ...series.flatMap((one) => one.values.filter((value) => value !== null))];
  const shared = {
    title: { display: true, text: axis, color: colour('muted'), font: { size: 11 } },
    grid: { color: colour('line') },
    border: { display: false },
  };
  if (!log) {
    const pad = (Math.max(...values) - Math.min(...values)) * 0.05;
    const range =
      kind === 'lines'
        ? { beginAtZero: true }
        : { beginAtZero: false, suggestedMin: Math.min(...values) - pad, suggestedMax: Math.max(...values) + pad };
    return { ...shared, type: 'linear', ...range, ticks: { color: colour('muted'), maxTicksLimit: 8 } } as never;
  }
  const all = logTicks(values);
  // Where there are many decades, only these.
  const ticks = all.length > 11 ? all.filter((tick) => Number.isInteger(Number(Math.log10(tick).toFixed(6)))) : all;
  return {
    ...shared,
    type: 'logarithmic',
    min: all[0],
    max: all.at(-1),
    ticks: { color: colour('muted'), callback: (value: number | string) => String(value), autoSkip: false },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = ticks.map((value) => ({ value }));
    },
  } as never;
}

const datasetOf = (series: Series, kind: ChartData['kind']) => {
  const own = seriesColour(series);
  const shared = { label: series.name, data: [...series.values] };
  if (kind === 'bars')
    return {
      ...shared,
      base: 1,
      backgroundColor: own,
      borderRadius: 2,
      borderSkipped: false,
      minBarLength: 2,
      categoryPercentage: 0.78,
      barPercentage: 0.92,
    };
  return {
    ...shared,
    borderColor: own,
    backgroundColor: own,
    borderWidth: series.ideal ? 1.5 : 2.25,
    borderDash: series.ideal ? [5, 5] : [],
    pointRadius: series.ideal ? 0 : 4.5,
    pointStyle: series.ideal ? 'line' : POINTS[series.colour % POINTS.length],
    spanGaps: true,
  };
};

function configuration(data: ChartData): ChartConfiguration {
  const { kind, labels, strong, series, across } = data;
  const isBars = kind === 'bars';
  const labelScale = {
    grid: { display: !isBars, color: colour('line') },
    border: { display: false },
    title: { display: across !== '', text: across, color: colour('muted'), font: { size: 11 } },
    ticks: {
      autoSkip: false,
      maxRotation: isBars || labels.length > 8 ? undefined : 0,
      color: ({ index }: { index: number }) => colour(strong.includes(index) ? 'ink' : 'muted'),
      font: ({ index }: { index: number }) => ({ size: 11.5, weight: strong.includes(index) ? 'bold' : 'normal' }),
    },
  };
  return {
    type: isBars ? 'bar' : 'line',
    data: {
      labels: labels.map((label) => (label.includes('\n') ? label.split('\n') : label)),
      datasets: series.map((one) => datasetOf(one, kind)),
    },
    options: {
      indexAxis: isBars ? 'y' : 'x',
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', axis: isBars ? 'y' : 'x', intersect: false },
      scales: isBars ? { x: valueScale(data), y: labelScale } : { x: labelScale, y: valueScale(data) },
      plugins: {
        legend: {
          align: 'start',
          labels: { color: colour('ink'), usePointStyle: true, pointStyle: isBars ? 'rectRounded' : undefined, boxHeight: 7, padding: 12 },
        },
        tooltip: {
          backgroundColor: colour('ink'),
          titleColor: colour('surface'),
          bodyColor: colour('surface'),
          padding: 10,
          usePointStyle: true,
          callbacks: {
            label: ({ datasetIndex, dataIndex }) => ` ${series[datasetIndex]!.name}: ${series[datasetIndex]!.texts[dataIndex]}`,
          },
        },
      },
    },
    plugins: [lineAtOne(data), failures(data)],
  } as ChartConfiguration;
}

/** Draws a chart; returns what draws it again in other colours. */
export function draw(canvas: HTMLCanvasElement, data: ChartData): () => void {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const chart = new Chart(canvas, configuration(data));
  return () => {
    const { data: again, options } = configuration(data);
    for (const [k, dataset] of chart.data.datasets.entries()) Object.assign(dataset, again.datasets[k]);
    chart.options = options!;
    // Not with 'none': bars would keep the colours that they share.
    chart.update();
  };
}
