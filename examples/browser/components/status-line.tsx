// What the machine is about, in a line. Its state is read out when it changes; the numbers beside it, which always change, are not.
import { describeLoading } from '../app/loading.ts';
import type { Session } from '../app/session.ts';
import './status-line.css';

function stateText(session: Session): string {
  const state = session.state.value;
  if (state === 'none') return session.error.value === undefined ? 'no machine' : 'no machine could be made';
  return state === 'ended' ? (session.ended.value ?? 'ended') : state;
}

function statsText(session: Session): string {
  void session.tick.value;
  const translator = session.machine.value?.stats().translator;
  const loading = session.loading.value;
  if (session.state.value === 'starting' && loading !== undefined) return describeLoading(loading);
  if (translator === undefined) return '';
  const { regions, modules, cacheHits } = translator;
  return `${regions} regions in ${modules} modules${cacheHits > 0 ? `, ${cacheHits} of runs before` : ''}`;
}

function State({ session }: { readonly session: Session }) {
  const state = session.state.value;
  const wrong = (state === 'none' || state === 'ended') && session.error.value !== undefined;
  return (
    <output id="state" class={wrong ? 'wrong' : state}>
      {stateText(session)}
    </output>
  );
}

const Stats = ({ session }: { readonly session: Session }) => <span id="stats">{statsText(session)}</span>;

export const StatusLine = ({ session }: { readonly session: Session }) => (
  <div class="status-line">
    <State session={session} />
    <Stats session={session} />
  </div>
);
