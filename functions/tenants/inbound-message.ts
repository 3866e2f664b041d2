import type { z } from 'zod';
import { CordonError } from '../shared/errors.ts';
import { type EventEnvelope, eventEnvelope, platformSource } from '../shared/event-envelope.ts';
import { isTenantId, type TenantId } from '../shared/identifiers.ts';
import type { CredentialRequested, InboundDetailType, RoutingRulesChanged, TenantOnboarded, UserOnboarded } from './events.ts';
import { inboundEvents } from './events.ts';

/** A message that is what its schema says. */
export type InboundEvent =
  | { readonly type: 'TenantOnboarded'; readonly detail: TenantOnboarded }
  | { readonly type: 'UserOnboarded'; readonly detail: UserOnboarded }
  | { readonly type: 'CredentialRequested'; readonly detail: CredentialRequested }
  | { readonly type: 'RoutingRulesChanged'; readonly detail: RoutingRulesChanged };

/** What can be said of a message, believed or not. */
export interface MessageIdentity {
  readonly eventId?: string;
  readonly detailType?: string;
  readonly tenantId?: TenantId;
}

export type InboundMessage =
  | { readonly believed: true; readonly identity: MessageIdentity; readonly envelope: EventEnvelope; readonly event: InboundEvent }
  /** `type` is there when the message is the platform's and of a known type, only wrong. */
  | { readonly believed: false; readonly identity: MessageIdentity; readonly error: CordonError; readonly type?: InboundDetailType };

/** Ten times the largest event the schemas admit in practice; parsing more would only cost. In characters. */
const maxBody = 128 * 1024;

/**
 * Parses a queue message to an event, or says why it cannot be believed. The reasons name members and rules, never values: a value may be a secret that was put
 * into the wrong place.
 *
 * @param accountId the only account whose events count
 */
export function parseMessage(body: string, accountId: string): InboundMessage {
  if (body.length > maxBody) return unbelieved({}, `the message is longer than ${maxBody} characters`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // The parser's message would quote the body.
    return unbelieved({}, 'the message is not JSON');
  }
  const parsed = eventEnvelope.safeParse(json);
  if (!parsed.success) return unbelieved({}, `the message is no EventBridge event: ${problemsOf(parsed.error)}`);
  const envelope = parsed.data;
  const { id, 'detail-type': detailType, source, account, detail } = envelope;
  const tenantId = namedTenant(detail);
  const identity = { eventId: id, detailType, ...(tenantId !== undefined && { tenantId }) };
  if (source !== platformSource) return unbelieved(identity, `events are taken from source ${platformSource} only`);
  if (account !== accountId) return unbelieved(identity, 'the event comes from another account');
  if (!isInbound(detailType)) return unbelieved(identity, 'the detail type is not known');
  const event = parseDetail(detailType, detail);
  if (event instanceof CordonError) return { believed: false, identity, error: event, type: detailType };
  return { believed: true, identity, envelope, event };
}

function unbelieved(identity: MessageIdentity, message: string): InboundMessage {
  return { believed: false, identity, error: new CordonError('EVENT_INVALID', message) };
}

function isInbound(detailType: string): detailType is InboundDetailType {
  return Object.hasOwn(inboundEvents, detailType);
}

function parseDetail(type: InboundDetailType, detail: unknown): InboundEvent | CordonError {
  switch (type) {
    case 'TenantOnboarded':
      return parseWith(inboundEvents[type], detail, (parsed) => ({ type, detail: parsed }));
    case 'UserOnboarded':
      return parseWith(inboundEvents[type], detail, (parsed) => ({ type, detail: parsed }));
    case 'CredentialRequested':
      return parseWith(inboundEvents[type], detail, (parsed) => ({ type, detail: parsed }));
    case 'RoutingRulesChanged':
      return parseWith(inboundEvents[type], detail, (parsed) => ({ type, detail: parsed }));
  }
}

function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  detail: unknown,
  event: (parsed: z.infer<Schema>) => InboundEvent,
): InboundEvent | CordonError {
  const parsed = schema.safeParse(detail);
  return parsed.success ? event(parsed.data) : new CordonError('EVENT_INVALID', `the detail is not valid: ${problemsOf(parsed.error)}`);
}

/** At most five problems as `path: what is wrong`. */
function problemsOf(error: z.ZodError): string {
  const problems = error.issues.map((issue) => `${pathOf(issue).slice(0, 100)}: ${ruleOf(issue)}`);
  return problems.slice(0, 5).join('; ').slice(0, 800);
}

/** Names of labels are the sender's own words, all others are ours. */
function pathOf({ path }: z.core.$ZodIssue): string {
  const shown = path.map((member, index) => (path[index - 1] === 'labels' ? '*' : String(member)));
  return shown.join('.') || 'it';
}

/** zod's own messages name expectations, except for members that are not known, whose names are the sender's. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has ${issue.keys.length} member(s) that are not known`;
  if (issue.code === 'invalid_key') return 'has a name that is not allowed';
  return issue.message;
}

/** The tenant a detail names, if what it names can be one: whom a refusal concerns. */
function namedTenant(detail: unknown): TenantId | undefined {
  if (typeof detail !== 'object' || detail === null || !('tenantId' in detail)) return undefined;
  return typeof detail.tenantId === 'string' && isTenantId(detail.tenantId) ? detail.tenantId : undefined;
}
