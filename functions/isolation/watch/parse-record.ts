import { CordonError } from '../../shared/errors.ts';
import { eventEnvelope } from '../../shared/event-envelope.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import { type ParsedMessage, parseBody, problemsOf } from '../../shared/inbound-message.ts';
import { secretsOf } from './touched.ts';
import { type TrailRecord, trailDetailType, trailRecord } from './trail-record.ts';

export interface TrailEvent {
  readonly type: typeof trailDetailType;
  readonly detail: { readonly tenantId?: TenantId | undefined; readonly record: TrailRecord };
}

/** Reads an event of CloudTrail; undefined for everything else. `PutEvents` takes no source that begins with `aws.`: what has one, is from AWS. */
export function parseRecord(body: string, accountId: string): ParsedMessage<TrailEvent> | undefined {
  const json = parseBody(body);
  const parsed = eventEnvelope.safeParse(json);
  if (json instanceof CordonError || !parsed.success) return undefined;
  const { id, time, 'detail-type': detailType, source, account, detail } = parsed.data;
  const identity = { eventId: id, detailType };
  if (!source.startsWith('aws.') || detailType !== trailDetailType) return undefined;
  if (account !== accountId) return unbelieved(identity, 'the event comes from another account');
  const record = trailRecord.safeParse(detail);
  if (!record.success) return { ...unbelieved(identity, `the record is not valid: ${problemsOf(record.error)}`), type: trailDetailType };
  const [touched] = secretsOf(record.data);
  const tenantId = touched?.tenantId;
  return {
    believed: true,
    identity: { ...identity, ...(tenantId !== undefined && { tenantId }) },
    sent: { id, time },
    event: { type: detailType, detail: { tenantId, record: record.data } },
  };
}

function unbelieved(identity: { readonly eventId?: string; readonly detailType?: string }, message: string) {
  return { believed: false, identity, error: new CordonError('EVENT_INVALID', message) } as const;
}
