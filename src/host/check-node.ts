// What the package loads in Node before anything else: says at once that a Node is too old, where the rest would fail somewhere, or not be parsed. It must load on Node 20 itself.
import { OLDEST } from '../../bin/find-node.mjs';
import { DragomanError } from '../api/errors.ts';

const { node } = process.versions;
if (Number(node.split('.')[0]) < OLDEST)
  throw new DragomanError('NOT_SUPPORTED', `not supported: Node ${node}; Dragoman needs Node ${OLDEST} or newer`);
