/** Events that AWS services put on the default bus of an account. Nobody else can: `PutEvents` refuses sources that begin with `aws.`. */
import { randomUUID } from 'node:crypto';
import type { Kernel } from '../core/service.ts';
import type { Deliveries } from './eventbridge-delivery.ts';
import type { EventStore, Rule } from './eventbridge-store.ts';

export interface ServiceEvent {
  /** `aws.secretsmanager` */
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Of CloudTrail: a management event that changes nothing. Only rules that ask for all of them get it. */
  readonly readOnly: boolean;
}

export interface ServiceEvents {
  put(accountId: string, event: ServiceEvent): void;
  /** False when no rule of that account's default bus could match an event of this source: then there is no need to make it. */
  wanted(accountId: string, source: string): boolean;
}

export function serviceEvents(kernel: Kernel, store: EventStore, deliveries: Deliveries): ServiceEvents {
  const rulesOf = (accountId: string): readonly Rule[] => [...(store.buses.get(store.busArn(accountId, 'default'))?.rules.values() ?? [])];
  return {
    // A pattern that names the source has it as a text; one that does not is asked about each event.
    wanted: (accountId, source) =>
      rulesOf(accountId).some(({ pattern, state }) => state !== 'DISABLED' && (!pattern.includes('"source"') || pattern.includes(source))),
    put(accountId, { source, detailType, detail, readOnly }) {
      const envelope = {
        version: '0',
        id: randomUUID(),
        'detail-type': detailType,
        source,
        account: accountId,
        time: new Date(kernel.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
        region: kernel.region,
        resources: [],
        detail,
      };
      const event = JSON.stringify(envelope);
      for (const rule of rulesOf(accountId)) {
        if (rule.state === 'DISABLED' || (readOnly && rule.state !== 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS')) continue;
        if (!rule.matches(envelope)) continue;
        for (const target of rule.targets.values()) deliveries.start({ ruleArn: rule.arn, target, event });
      }
    },
  };
}
