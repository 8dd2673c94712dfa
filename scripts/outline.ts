// docs/outline.md: a line for each source file, which is the first sentence of the comment that it opens with.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['src', 'wasm', 'guests', 'scripts', 'bench', 'examples'];
/** What is made, or is not ours to explain file by file. */
const LEFT_OUT = /(^|\/)(gen|dist|node_modules|kernel|user)(\/|$)/;

/** The first sentence of a source's opening comment; undefined where it opens with none. */
export function firstSentence(source: string): string | undefined {
  const lines = source.replace(/^#!.*\n/, '').split('\n');
  const comment: string[] = [];
  for (const line of lines) {
    const text = line.startsWith('//') ? line.slice(2).trim() : '';
    if (text === '') break;
    comment.push(text);
  }
  const text = comment.join(' ').trim();
  if (text === '') return undefined;
  const [sentence] = /^.*?[.:](?= [A-Z(`]| *$)/.exec(text) ?? [text];
  return sentence.replace(/[.:]$/, '');
}

/** Paths of all sources, folder by folder. */
export function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => /\.(tsx?|mjs)$/.test(path) && !path.endsWith('.d.ts') && !LEFT_OUT.test(path)),
  ).sort();
}

/** The page; throws where a file opens without a comment. */
export function outline(): string {
  const folders = new Map<string, string[]>();
  for (const path of sources()) {
    const sentence = firstSentence(readFileSync(ROOT + path, 'utf8'));
    if (sentence === undefined) throw new Error(`${path} does not open with a comment that says what it is for`);
    const at = path.lastIndexOf('/');
    const folder = path.slice(0, at);
    folders.set(folder, [...(folders.get(folder) ?? []), `* [${path.slice(at + 1)}](../${path}): ${sentence}`]);
  }
  const parts = [...folders].sort(([a], [b]) => FOLDERS.indexOf(a.split('/')[0]!) - FOLDERS.indexOf(b.split('/')[0]!) || (a < b ? -1 : 1));
  const head =
    '# Outline\n\nA line for each source file: how it opens. `npm run bless` writes this page; [architecture.md](architecture.md) is the way through the house.\n';
  return `${head}${parts.map(([folder, lines]) => `\n## ${folder}\n\n${lines.join('\n')}\n`).join('')}`;
}
