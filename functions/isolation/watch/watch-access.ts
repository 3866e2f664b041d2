import type { Announcer } from '../../shared/announcer.ts';
import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../../shared/consume-message.ts';
import type { commonFailures } from '../../shared/failure-event.ts';
import type { Log } from '../../shared/log.ts';
import { decideSession } from './decide-session.ts';
import { decideTouch } from './decide-touch.ts';
import type { Finding } from './finding.ts';
import { parseRecord, type TrailEvent } from './parse-record.ts';
import { type TrailRecord, trailDetailType } from './trail-record.ts';

export interface WatchDeps extends ConsumeDeps {
  readonly announcer: Announcer<typeof commonFailures>;
  /** The cell's: whose records count, and whose roles are Cordon's. */
  readonly platformAccountId: string;
}

/** Looks at one record of CloudTrail; as `consumeMessage`. A record that comes twice is told twice, under the same event ID. */
export function watchAccess(deps: WatchDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<TrailEvent, 'EventHandlingFailed'> = {
    parse: (body) => parseRecord(body, deps.platformAccountId),
    apply: (event, _delivery, log) => look({ ...deps, log }, event.detail.record),
    abandon: async () => ['this record was not looked at'],
    failureTypes: { [trailDetailType]: 'EventHandlingFailed' },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}

async function look(deps: Pick<WatchDeps, 'announcer' | 'platformAccountId'> & { readonly log: Log }, record: TrailRecord): Promise<void> {
  const { platformAccountId } = deps;
  const isMinting = record.eventSource === 'sts.amazonaws.com';
  const found = [...(isMinting ? decideSession(record, platformAccountId) : []), ...decideTouch(record, platformAccountId)];
  for (const finding of found) await tell(deps, record, finding);
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
