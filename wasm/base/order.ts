// Loads and stores of guest memory in the order that x86 promises (docs/memory-model.md). On an x86 host plain accesses have it; the
// variant of this module for other hosts (STRICT_ORDER) makes each aligned one sequentially consistent. What is not aligned is no
// atomic access on x86 either, and is ordered by a fence on each side.
import { Cpu } from '../gen/layout';
import { STRICT_ORDER } from '../gen/order';
import { order } from './state';

@inline
export function loadGuest<T>(cpu: Cpu, host: usize): T {
  if (!STRICT_ORDER) return load<T>(host);
  if (sizeof<T>() == 1 || !(host & (sizeof<T>() - 1))) return atomic.load<T>(host);
  order(cpu);
  const value = load<T>(host);
  order(cpu);
  return value;
}

@inline
export function storeGuest<T>(cpu: Cpu, host: usize, value: T): void {
  if (!STRICT_ORDER) {
    store<T>(host, value);
  } else if (sizeof<T>() == 1 || !(host & (sizeof<T>() - 1))) {
    atomic.store<T>(host, value);
  } else {
    order(cpu);
    store<T>(host, value);
    order(cpu);
  }
}

/** Around accesses that are made many at a time. */
@inline
export function orderBulk(cpu: Cpu): void {
  if (STRICT_ORDER) order(cpu);
}
