import type { z } from 'zod';
import { CordonError } from './errors.ts';
import { eventEnvelope, platformSource } from './event-envelope.ts';
import { isTenantId, type TenantId } from './identifiers.ts';

/** An event, or a message of Cordon's own, once it is what its schema says. */
export interface InboundEvent {
  readonly type: string;
  /** Without a tenant where what came in concerns the whole cell. */
  readonly detail: { readonly tenantId?: TenantId | undefined };
}

/** What can be said of a message, believed or not. */
export interface MessageIdentity {
  readonly eventId?: string;
  readonly detailType?: string;
  readonly tenantId?: TenantId;
}

/** `type` is there when the message is the platform's and of a known type, only wrong. */
export interface UnbelievedMessage<Type extends string> {
  readonly believed: false;
  readonly identity: MessageIdentity;
  readonly error: CordonError;
  readonly type?: Type;
}

export type ParsedMessage<Event extends InboundEvent> =
  | {
      readonly believed: true;
      readonly identity: MessageIdentity;
      /** `id` and `time` (ISO 8601) of the event. */
      readonly sent: { readonly id: string; readonly time: string };
      readonly event: Event;
    }
  | UnbelievedMessage<Event['type']>;

/** One parser per detail type; `parserOf` makes them. */
export type DetailParsers<Event extends InboundEvent> = {
  readonly [Type in Event['type']]: (detail: unknown) => Extract<Event, { readonly type: Type }> | CordonError;
};

/** Ten times the largest event the schemas admit in practice; parsing more would only cost. In characters. */
const maxBody = 128 * 1024;

/**
 * Parses a queue message to an event, or says why it cannot be believed. The reasons name members and rules, never values: a value may be a secret that was put
 * into the wrong place.
 *
 * @param accountId the only account whose events count
 * @param source the only source whose events count: the platform, unless said otherwise
 */
export function parseMessage<Event extends InboundEvent>(
  body: string,
  {
    accountId,
    parsers,
    source: believed = platformSource,
  }: { readonly accountId: string; readonly parsers: DetailParsers<Event>; readonly source?: string },
): ParsedMessage<Event> {
  const json = parseBody(body);
  if (json instanceof CordonError) return { believed: false, identity: {}, error: json };
  const parsed = eventEnvelope.safeParse(json);
  if (!parsed.success) return unbelieved({}, `the message is no EventBridge event: ${problemsOf(parsed.error)}`);
  const { id, time, 'detail-type': detailType, source, account, detail } = parsed.data;
  const tenantId = namedTenant(detail);
  const identity = { eventId: id, detailType, ...(tenantId !== undefined && { tenantId }) };
  if (source !== believed) return unbelieved(identity, `events are taken from source ${believed} only`);
  if (account !== accountId) return unbelieved(identity, 'the event comes from another account');
  if (!isKnown(parsers, detailType)) return unbelieved(identity, 'the detail type is not known');
  const event: Event | CordonError = parsers[detailType](detail);
  if (event instanceof CordonError) return { believed: false, identity, error: event, type: detailType };
  return { believed: true, identity, sent: { id, time }, event };
}

/** The body as JSON, or why it is none. */
export function parseBody(body: string): unknown {
  if (body.length > maxBody) return new CordonError('EVENT_INVALID', `the message is longer than ${maxBody} characters`);
  try {
    return JSON.parse(body);
  } catch {
    // The parser's message would quote the body.
    return new CordonError('EVENT_INVALID', 'the message is not JSON');
  }
}

/** The parser of one detail type. */
export function parserOf<const Type extends string, Schema extends z.ZodType>(type: Type, schema: Schema) {
  return (detail: unknown): { readonly type: Type; readonly detail: z.infer<Schema> } | CordonError => {
    const parsed = schema.safeParse(detail);
    if (parsed.success) return { type, detail: parsed.data };
    return new CordonError('EVENT_INVALID', `the detail is not valid: ${problemsOf(parsed.error)}`);
  };
}

function unbelieved(identity: MessageIdentity, message: string): UnbelievedMessage<never> {
  return { believed: false, identity, error: new CordonError('EVENT_INVALID', message) };
}

function isKnown<Event extends InboundEvent>(parsers: DetailParsers<Event>, detailType: string): detailType is Event['type'] {
  return Object.hasOwn(parsers, detailType);
}

/** At most five problems as `path: what is wrong`. */
export function problemsOf(error: z.ZodError): string {
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
