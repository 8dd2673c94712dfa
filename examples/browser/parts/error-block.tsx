// What went wrong, as a block that can be read, copied and put away.
import { useEffect, useRef } from 'preact/hooks';
import type { Report } from '../app/session.ts';
import { CopyButton } from './copy-button.tsx';
import './error-block.css';
import { Icon } from './icon.tsx';

interface Props {
  readonly report: Report;
  /** 'notice': it is no failure. */
  readonly kind?: 'error' | 'notice';
  /** Whether it takes the focus when it appears: where somebody has just asked for what went wrong. */
  readonly takesFocus?: () => boolean;
  readonly onClose?: (() => void) | undefined;
}

const asText = ({ title, text, details }: Report): string => [title, text, ...(details === undefined ? [] : [details])].join('\n\n');

export function ErrorBlock({ report, kind = 'error', takesFocus, onClose }: Props) {
  const block = useRef<HTMLDivElement>(null);
  // Once for each report.
  useEffect(() => {
    if (takesFocus?.()) block.current?.focus();
  }, [report]);
  const [first, ...others] = report.text.split('\n');
  return (
    <div class={`error-block ${kind}`} role={kind === 'error' ? 'alert' : 'status'} tabIndex={-1} ref={block}>
      <h2>{report.title}</h2>
      <p>{first}</p>
      {others.length > 0 && (
        <ul>
          {others.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {report.details !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        <pre tabIndex={0}>{report.details}</pre>
      )}
      <div class="buttons">
        <CopyButton label="Copy" text={() => asText(report)} />
        {onClose !== undefined && (
          <button type="button" onClick={onClose}>
            <Icon name="close" />
            Close
          </button>
        )}
      </div>
    </div>
  );
}
