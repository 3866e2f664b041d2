import type { Delivery } from './delivery.ts';

/** The events that something was last changed by: when they were sent, and the IDs of those of that very second, the latest last. */
export interface AppliedEvents {
  readonly time: string | undefined;
  readonly eventIds: readonly string[];
}

/** IDs that are remembered of one second. */
const maxEventIds = 50;

/**
 * Where an event stands among those applied. An event's time has whole seconds (EventBridge User Guide, "AWS service event metadata"): within one second the
 * order of arrival decides, and the IDs remembered tell a repetition.
 */
export function orderOf(applied: AppliedEvents, delivery: Pick<Delivery, 'eventId' | 'time'>): 'new' | 'applied' | 'superseded' {
  if (applied.time === undefined) return 'new';
  const [before, now] = [Date.parse(applied.time), Date.parse(delivery.time)];
  if (now > before) return 'new';
  if (now < before) return 'superseded';
  if (applied.eventIds.at(-1) === delivery.eventId) return 'applied';
  return applied.eventIds.includes(delivery.eventId) ? 'superseded' : 'new';
}

/** What is to be remembered once the event is applied. */
export function withEvent(applied: AppliedEvents, delivery: Pick<Delivery, 'eventId' | 'time'>): { time: string; eventIds: string[] } {
  const sameSecond = applied.time === delivery.time ? applied.eventIds : [];
  return { time: delivery.time, eventIds: [...sameSecond, delivery.eventId].slice(-maxEventIds) };
}
