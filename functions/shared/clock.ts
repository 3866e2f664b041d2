import { monotonicFactory } from 'ulid';

/** Milliseconds since the epoch. Passed in, so that time is an input. */
export type Clock = () => number;

/** A new unique ID that sorts by time: a ULID, rising within one process even inside a millisecond. */
export type NextId = () => string;

export function createIds(clock: Clock): NextId {
  const next = monotonicFactory();
  return () => next(clock());
}
