// A text is found in a stream of bytes however that is cut.
import { expect, it } from 'vitest';
import { CLIENT } from '../../../src/api/clients.ts';
import { Matcher } from '../../../src/machine/matcher.ts';

const TEXTS = ['a', 'aab', 'abab', 'aabaaa', 'grüße'];
const STREAM = Buffer.from('aaabababaabaabaaab und grüße aab');

it.each(TEXTS)('finds %s in chunks of any size, where it ends first', (text) => {
  const end = STREAM.indexOf(text) + Buffer.byteLength(text);
  for (let size = 1; size <= STREAM.length; size++) {
    const matcher = new Matcher(text);
    let found = -1;
    for (let at = 0; at < STREAM.length && found < 0; at += size) {
      const came = matcher.push(STREAM.subarray(at, at + size));
      if (came >= 0) found = at + came;
    }
    expect(found).toBe(end);
    expect(matcher.push(Buffer.from('more'))).toBe(0);
  }
});

it('does not find what is not there', () => {
  expect(new Matcher('aabb').push(STREAM)).toBe(-1);
});

it('reads the texts of a client, in which commas stand twice', () => {
  expect(CLIENT.read('prof:from=a,,b=:c,until=,,', 'x')).toEqual({ name: 'prof', options: { from: 'a,b=:c', until: ',' } });
  expect(CLIENT.read('prof', 'x')).toEqual({ name: 'prof', options: {} });
});
