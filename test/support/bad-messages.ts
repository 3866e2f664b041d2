/** What may lie in the queue without the event bus having put it there. */
import { details, type Known } from './bad-events.ts';

export interface BadMessage {
  readonly name: string;
  readonly body: (known: Known, accountId: string) => string;
  readonly reason: RegExp;
  /** The failure event's type; `EventHandlingFailed` when left out. */
  readonly failed?: string;
  /** True when the failure event names the tenant. */
  readonly named?: boolean;
}

const envelope = (known: Known, accountId: string, change: Readonly<Record<string, unknown>> = {}): object => ({
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'TenantOnboarded',
  source: 'cordon.platform',
  account: accountId,
  time: '2026-01-01T00:00:00Z',
  region: 'us-east-1',
  resources: [],
  detail: details.TenantOnboarded(known),
  ...change,
});
const noEvent = (name: string, change: Readonly<Record<string, unknown>>, reason: RegExp): BadMessage => ({
  name: `an envelope ${name}`,
  body: (known, accountId) => JSON.stringify(envelope(known, accountId, change)),
  reason,
});
const badDetail = (name: string, detail: unknown, reason = /the detail is not valid: it: Invalid input: expected object/): BadMessage => ({
  name: `a detail that is ${name}`,
  body: (known, accountId) => JSON.stringify(envelope(known, accountId, { detail })),
  reason,
  failed: 'TenantProvisioningFailed',
});

const notJson = /the message is not JSON/;
const noEnvelope = /the message is no EventBridge event/;

export const badMessages: readonly BadMessage[] = [
  { name: 'a blank', body: () => ' ', reason: notJson },
  { name: 'a text', body: () => 'onboard acme, please', reason: notJson },
  { name: 'half of an event', body: (known, accountId) => JSON.stringify(envelope(known, accountId)).slice(0, -20), reason: notJson },
  { name: 'an event and more', body: (known, accountId) => `${JSON.stringify(envelope(known, accountId))}]`, reason: notJson },
  { name: 'something in XML', body: () => '<TenantOnboarded tenantId="acme"/>', reason: notJson },
  { name: 'null', body: () => 'null', reason: noEnvelope },
  { name: 'a number', body: () => '1e999', reason: noEnvelope },
  { name: 'a list of events', body: (known, accountId) => JSON.stringify([envelope(known, accountId)]), reason: noEnvelope },
  { name: 'the detail alone', body: (known) => JSON.stringify(details.TenantOnboarded(known)), reason: noEnvelope },
  {
    name: 'what SNS would wrap around an event',
    body: (known, accountId) => JSON.stringify({ Type: 'Notification', Message: JSON.stringify(envelope(known, accountId)) }),
    reason: noEnvelope,
  },
  {
    name: 'an event that is too long',
    body: (known, accountId) =>
      JSON.stringify(envelope(known, accountId, { detail: { ...details.TenantOnboarded(known), displayName: 'n'.repeat(150_000) } })),
    reason: /the message is longer than 131072 characters/,
  },
  { name: 'fifty thousand brackets', body: () => '['.repeat(50_000), reason: notJson },
  { name: 'brackets in brackets', body: () => `${'['.repeat(5000)}${']'.repeat(5000)}`, reason: noEnvelope },
  noEvent('of another version', { version: '1' }, noEnvelope),
  noEvent('without an ID', { id: undefined }, noEnvelope),
  noEvent('with an ID that is a number', { id: 1 }, noEnvelope),
  noEvent('with a time that is none', { time: 'yesterday' }, noEnvelope),
  noEvent('with an account that is a number', { account: 111122223333 }, noEnvelope),
  noEvent('without an account', { account: undefined }, noEnvelope),
  { ...noEvent('of another account', { account: '444455556666' }, /the event comes from another account/), named: true },
  { ...noEvent('of another source', { source: 'cordon' }, /events are taken from source cordon\.platform only/), named: true },
  { ...noEvent('of another detail type', { 'detail-type': 'constructor' }, /the detail type is not known/), named: true },
  badDetail('null', null),
  badDetail('a list', [{ tenantId: 'acme' }]),
  badDetail('a text', JSON.stringify({ tenantId: 'acme' })),
  badDetail('a number', 7),
  badDetail('missing', undefined),
  badDetail('empty', {}, /the detail is not valid: version: Invalid input: expected 1/),
];
