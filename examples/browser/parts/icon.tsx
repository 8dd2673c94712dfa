// Small pictures on buttons. They say nothing that the button's text does not.
const PATHS = {
  start: 'M4 2.5v11l9.5-5.5z',
  restart: 'M8 2.5a5.5 5.5 0 1 0 5.3 4h-1.9A3.7 3.7 0 1 1 8 4.3c1 0 1.9.4 2.6 1L8.5 7.3H14V1.8l-2.1 2.1A5.5 5.5 0 0 0 8 2.5z',
  pause: 'M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z',
  stop: 'M3 3h10v10H3z',
  link: 'M6.9 9.1a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.1 6.9a2.6 2.6 0 0 0-3.7 0L3.2 9.1a2.6 2.6 0 0 0 3.7 3.7l.9-.9',
  view: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 12.2V2.8a5.2 5.2 0 0 1 0 10.4z',
  keys: 'M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.5h6',
  copy: 'M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z',
  tour: 'M2.5 13.5c0-3 5.5-2 5.5-5s-4-2.5-4-4.5 3-2 9-1.5M11 .8l2.2 1.7L11 4.4',
  widen: 'M6 3.5L1.5 8L6 12.5M1.5 8h9M14.5 2.5v11',
  close: 'M4 4l8 8M12 4l-8 8',
} as const;
const LINES: readonly (keyof typeof PATHS)[] = ['link', 'keys', 'copy', 'tour', 'widen', 'close'];

export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  const lines = LINES.includes(name);
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill-rule="evenodd"
        fill={lines ? 'none' : 'currentColor'}
        stroke={lines ? 'currentColor' : 'none'}
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
