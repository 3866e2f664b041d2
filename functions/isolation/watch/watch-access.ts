import type { CutOffs } from '../../revocation/cut-offs.ts';
import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../../shared/consume-message.ts';
import { cordonSource } from '../../shared/event-envelope.ts';
import { type DetailParsers, type ParsedMessage, parseMessage, parserOf } from '../../shared/inbound-message.ts';
import type { Log } from '../../shared/log.ts';
import { decideHoney, likelyDecoys } from '../honey/decide-honey.ts';
import { type EndTouchedDeps, endTouched } from '../honey/end-touched.ts';
import { type LikelyDecoyNamed, likelyDecoyNamed } from '../honey/events.ts';
import { decideSession } from './decide-session.ts';
import { decideTouch } from './decide-touch.ts';
import type { Finding } from './finding.ts';
import { parseRecord, type TrailEvent } from './parse-record.ts';
import { type TrailRecord, trailDetailType } from './trail-record.ts';

export interface WatchDeps extends ConsumeDeps, EndTouchedDeps {
  readonly cutOffs: Pick<CutOffs, 'request'>;
  /** The cell's: whose records count, and whose roles are Cordon's. */
  readonly platformAccountId: string;
}

/** What comes out of the queue: records of CloudTrail, and what calls have asked by. */
type WatchEvent = TrailEvent | NamedEvent;
type NamedEvent = { readonly type: 'LikelyDecoyNamed'; readonly detail: LikelyDecoyNamed };

/** Looks at one record of CloudTrail, or at what a call has named; as `consumeMessage`. What comes twice is told twice, under the same event ID. */
export function watchAccess(deps: WatchDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<WatchEvent, 'EventHandlingFailed'> = {
    parse: (body) => parse(body, deps.platformAccountId),
    apply: (event, delivery, log) =>
      event.type === 'LikelyDecoyNamed' ? endTouched(deps, event.detail, delivery.eventId) : look({ ...deps, log }, event.detail.record),
    abandon: async () => ['this was not looked at'],
    failureTypes: { [trailDetailType]: 'EventHandlingFailed', LikelyDecoyNamed: 'EventHandlingFailed' },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}

const parsers: DetailParsers<NamedEvent> = { LikelyDecoyNamed: parserOf('LikelyDecoyNamed', likelyDecoyNamed) };

/** An event of CloudTrail says so; everything else is to be Cordon's own. */
function parse(body: string, accountId: string): ParsedMessage<WatchEvent> {
  return parseRecord(body, accountId) ?? parseMessage(body, { accountId, parsers, source: cordonSource });
}

/** CloudTrail's times have whole seconds: it may have been at the end of that one. */
const withinSecondMs = 999;

type LookDeps = Pick<WatchDeps, 'announcer' | 'cutOffs' | 'honeyKey' | 'platformAccountId'> & { readonly log: Log };

async function look(deps: LookDeps, record: TrailRecord): Promise<void> {
  const { platformAccountId } = deps;
  const isMinting = record.eventSource === 'sts.amazonaws.com';
  const honey = await touchedDecoys(deps, record);
  const found = [...honey, ...(isMinting ? decideSession(record, platformAccountId) : []), ...decideTouch(record, platformAccountId)];
  for (const finding of found) await tell(deps, record, finding);
}

/**
 * Ends the STS sessions of the tenant whose decoy was named, those that are older than that. Nothing is suspended, and Cordon's own functions go on with new ones: whoever holds one that they
 * should not have does not get another. The same record asks for the same cut-off.
 */
async function touchedDecoys({ honeyKey, cutOffs, platformAccountId }: LookDeps, record: TrailRecord): Promise<readonly Finding[]> {
  const likely = likelyDecoys(record);
  if (likely.length === 0) return [];
  const found = decideHoney(record, likely, await honeyKey(), platformAccountId);
  const touched = new Set(found.flatMap(({ tenantId }) => tenantId ?? []));
  for (const tenantId of touched)
    await cutOffs.request({ id: `honey-${record.eventID}-${tenantId}`, tenantId, before: Date.parse(record.eventTime) + withinSecondMs });
  return found;
}

/** @throws CordonError AWS_UNAVAILABLE (retryable): then the record comes again */
async function tell(deps: Pick<WatchDeps, 'announcer'> & { readonly log: Log }, record: TrailRecord, finding: Finding): Promise<void> {
  const { code, tenantId, message, left } = finding;
  await deps.announcer.announce('IsolationViolationDetected', {
    version: 1,
    ...(tenantId !== undefined && { tenantId }),
    event: { id: record.eventID, detailType: trailDetailType },
    reason: { code, message },
    left: [...left],
  });
  deps.log.warn('an isolation violation was found in CloudTrail', { tenantId, code });
}
