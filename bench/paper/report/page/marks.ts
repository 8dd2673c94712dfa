// What Chart.js does not draw by itself: the line at 1, from which bars go, and the places where a row failed.
import type { Plugin } from 'chart.js';
import type { ChartData } from '../chart-data.ts';
import { colour } from './colours.ts';

/** The line at 1. None where all lines begin there. */
export const lineAtOne = ({ kind, series }: ChartData): Plugin => ({
  id: 'line-at-one',
  beforeDatasetsDraw({ ctx, chartArea, scales }) {
    const isBars = kind === 'bars';
    const at = (isBars ? scales.x : scales.y)!.getPixelForValue(1);
    const { left, right, top, bottom } = chartArea;
    if (series.some(({ ideal }) => ideal) || at < (isBars ? left : top) || at > (isBars ? right : bottom)) return;
    ctx.save();
    ctx.strokeStyle = colour('muted');
    ctx.lineWidth = 1.5;
    if (!isBars) ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(isBars ? at : left, isBars ? top : at);
    ctx.lineTo(isBars ? at : right, isBars ? bottom : at);
    ctx.stroke();
    ctx.restore();
  },
});

/** A word where a bar would be. */
export const failures = ({ kind, series }: ChartData): Plugin => ({
  id: 'failures',
  afterDatasetsDraw(chart) {
    if (kind !== 'bars') return;
    const { ctx, scales } = chart;
    ctx.save();
    ctx.font = `italic 10px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    ctx.fillStyle = colour('bad');
    for (const [k, { values, texts }] of series.entries()) {
      if (!chart.isDatasetVisible(k)) continue;
      for (const [row, text] of texts.entries()) {
        if (values[row] !== null || !text.startsWith('failed')) continue;
        ctx.fillText(text, scales.x!.getPixelForValue(1) - 5, chart.getDatasetMeta(k).data[row]!.y);
      }
    }
    ctx.restore();
  },
});
