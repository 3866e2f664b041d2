import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../shared/consume-message.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { type DetailParsers, type ParsedMessage, parseBody, parseMessage, parserOf, problemsOf } from '../shared/inbound-message.ts';
import { type DueMessage, dueMessage } from '../sweep/due-message.ts';
import type { ByocDeps } from './byoc-deps.ts';
import { inboundEvents, type RoleConnectionRequested, type RoleDisconnectionRequested } from './events.ts';
import { hopelessMs } from './release-connection.ts';
import { endConnection, requestConnection } from './request-connection.ts';
import { accountOf, tendConnection } from './tend-connection.ts';

type ConnectionEvent =
  | { readonly type: 'RoleConnectionRequested'; readonly detail: RoleConnectionRequested }
  | { readonly type: 'RoleDisconnectionRequested'; readonly detail: RoleDisconnectionRequested };
/** What comes out of the queue: the platform's events, and what the sweep found due. */
export type ConnectionMessage = ConnectionEvent | { readonly type: 'due'; readonly detail: DueMessage };

export interface ApplyDeps extends ByocDeps, ConsumeDeps {}

const parsers: DetailParsers<ConnectionEvent> = {
  RoleConnectionRequested: parserOf('RoleConnectionRequested', inboundEvents.RoleConnectionRequested),
  RoleDisconnectionRequested: parserOf('RoleDisconnectionRequested', inboundEvents.RoleDisconnectionRequested),
};

const dueConnection = dueMessage.refine(({ sk }) => /^CONNECTION#\d{12}$/.test(sk), 'is due elsewhere');

/** Applies one message of the queue; as `consumeMessage`. */
export function applyConnectionMessage(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<ConnectionMessage, 'RoleConnectionFailed'> = {
    parse: (body) => parse(body, deps.platformAccountId),
    apply: (event, delivery, log) => apply({ ...deps, log }, event, delivery),
    abandon: (event, _delivery, _failure, log) => abandon({ ...deps, log }, event),
    failureTypes: {
      RoleConnectionRequested: 'RoleConnectionFailed',
      RoleDisconnectionRequested: 'RoleConnectionFailed',
      due: 'RoleConnectionFailed',
    },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}

/** A message of the sweep says what it is; everything else is to be an EventBridge event. Only the sweep and the rules may put anything on this queue. */
function parse(body: string, accountId: string): ParsedMessage<ConnectionMessage> {
  const json = parseBody(body);
  if (typeof json !== 'object' || json === null || !('kind' in json)) return parseMessage(body, { accountId, parsers });
  const parsed = dueConnection.safeParse(json);
  if (!parsed.success) {
    const error = new CordonError('EVENT_INVALID', `the message of the sweep is not valid: ${problemsOf(parsed.error)}`);
    return { believed: false, identity: {}, error };
  }
  const { tenantId, sk, dueAt } = parsed.data;
  const id = `${sk}@${dueAt}`;
  return {
    believed: true,
    identity: { tenantId, eventId: id, detailType: 'due' },
    sent: { id, time: new Date(dueAt).toISOString() },
    event: { type: 'due', detail: parsed.data },
  };
}

function apply(deps: ByocDeps, { type, detail }: ConnectionMessage, delivery: Delivery): Promise<void> {
  switch (type) {
    case 'RoleConnectionRequested':
      return requestConnection(deps, detail, delivery);
    case 'RoleDisconnectionRequested':
      return endConnection(deps, detail, delivery);
    case 'due':
      return tendConnection(deps, detail, delivery.deadline);
  }
}

/** An event that is given up has changed nothing. What is due and could not even be read is left alone for a while, or the sweep would send it each minute. */
async function abandon(deps: ByocDeps, { type, detail }: ConnectionMessage): Promise<string[]> {
  if (type !== 'due') return [];
  const { tenantId, sk, dueAt } = detail;
  try {
    const { connections } = await deps.openStores(tenantId);
    await connections.postpone(tenantId, accountOf(sk), { dueAt, until: deps.clock() + hopelessMs });
  } catch (error) {
    deps.log.error('a connection could not be postponed', error, { tenantId });
  }
  return [];
}
