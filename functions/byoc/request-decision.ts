import { CordonError } from '../shared/errors.ts';
import { type AppliedEvents, orderOf, withEvent } from '../shared/event-order.ts';
import type { Connection, NewConnection } from './connection.ts';
import type { RoleConnectionRequested, RoleDisconnectionRequested } from './events.ts';
import { nextAfterVerification, patienceMs } from './probe-schedule.ts';

/** One delivery's event, as its order needs it. */
interface Sent {
  readonly eventId: string;
  readonly time: string;
}

/** What to do about an event for a connection that exists. */
export type RequestDecision =
  | { readonly next: 'refuse'; readonly error: CordonError }
  /** The event, or a later one, is applied: what may be missing of it is done by the run that is due. */
  | { readonly next: 'nothing' }
  /** Only that the event came is to be remembered: the connection is what it asks for. */
  | { readonly next: 'note'; readonly change: Partial<NewConnection> }
  /** The connection gets another status, which is yet to be told. */
  | { readonly next: 'change'; readonly change: Partial<NewConnection> };

/** What the request alone decides of a connection. */
export function askedOf(event: RoleConnectionRequested, now: number) {
  const { customerAccountId, services, regions, environment, dataClasses, requestedBy } = event;
  return {
    customerAccountId,
    services: [...services].sort(),
    regions: [...regions].sort(),
    environment,
    dataClasses,
    requestedBy,
    status: 'pending' as const,
    announced: false,
    requestedUntil: now + patienceMs,
    findings: [],
    setbacks: 0,
  };
}

/**
 * A request for an account that is known: it starts anew with the external ID and the role name there are, so that a stack made before fits; for what is being
 * waited for it changes nothing, and what is in use already is probed again. Pure; `now` in milliseconds since the epoch.
 */
export function decideRequest(known: Connection, event: RoleConnectionRequested, sent: Sent, now: number): RequestDecision {
  const remembered = remember(known, sent);
  if (!remembered) return { next: 'nothing' };
  const standing = known.status === 'pending' || known.status === 'active';
  if (standing && sameRequest(known, event)) return { next: 'note', change: { ...remembered, ...soonerProbe(known, now) } };
  return {
    next: 'change',
    change: {
      ...askedOf(event, now),
      ...remembered,
      ...forgotten,
      statusReason: undefined,
      reasonSince: undefined,
      // Sessions that were opened for what was asked before are not used for what is asked now.
      epoch: known.epoch + 1,
    },
  };
}

/**
 * Whoever asks anew for what is in use wants to know whether it is sound still. Not more often than the check that follows each verification, which stays when it is:
 * who asked right after it would have none until the next day.
 */
function soonerProbe({ status, announced, leaseUntil, dueAt }: Connection, now: number): Pick<NewConnection, 'dueAt'> {
  const idle = status === 'active' && announced && now >= leaseUntil;
  return idle && dueAt !== undefined && dueAt > nextAfterVerification(now) ? { dueAt: now } : {};
}

/** A disconnection is in force at the next use: the gate reads the status. Pure. */
export function decideDisconnection(known: Connection | undefined, event: RoleDisconnectionRequested, sent: Sent): RequestDecision {
  if (!known) {
    // The request may be on its way still.
    const error = new CordonError('CONNECTION_UNKNOWN', `account ${event.customerAccountId} is not connected`, { retryable: true });
    return { next: 'refuse', error };
  }
  const remembered = remember(known, sent);
  if (!remembered) return { next: 'nothing' };
  if (known.status === 'disconnected') return { next: 'note', change: remembered };
  return {
    next: 'change',
    change: {
      ...remembered,
      ...forgotten,
      status: 'disconnected',
      announced: false,
      requestedBy: event.requestedBy,
      statusReason: disconnected,
      reasonSince: undefined,
      epoch: known.epoch + 1,
      setbacks: 0,
    },
  };
}

const forgotten = { roleArn: undefined, roleId: undefined } as const;

const disconnected = {
  code: 'DISCONNECTED',
  message: 'The tenant ended the connection.',
  nextStep: 'Delete the stack in your AWS account, or request the connection anew.',
};

/** The members that remember the event; undefined when it, or a later one, was applied before. */
function remember(known: Connection, sent: Sent): Pick<NewConnection, 'eventTime' | 'eventIds'> | undefined {
  const applied: AppliedEvents = { time: known.eventTime, eventIds: known.eventIds };
  if (orderOf(applied, sent) !== 'new') return undefined;
  const { time, eventIds } = withEvent(applied, sent);
  return { eventTime: time, eventIds };
}

function sameRequest(known: Connection, event: RoleConnectionRequested): boolean {
  return (
    known.environment === event.environment &&
    sameSet(known.services, event.services) &&
    sameSet(known.regions, event.regions) &&
    sameSet(known.dataClasses ?? [], event.dataClasses ?? [])
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
