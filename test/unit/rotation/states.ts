import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import type { Rotating } from '../../../functions/tenants/rotation-fields.ts';

export const now = Date.parse('2026-11-21T12:00:00Z');
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
export const [current, previous, pending] = ['c'.repeat(64), 'p'.repeat(64), 'n'.repeat(64)];

/** An active credential of the platform's, idle and due in a day. */
export function credential(over: Partial<CredentialItem> = {}): CredentialItem {
  return {
    ...{ tenantId: tenantId.parse('acme'), credentialId: credentialId.parse('main'), kind: 'CREDENTIAL', tier: 'pool' },
    ...{ provider: 'openai', source: 'platform-issued', environment: 'production', status: 'active', secretMayExist: true },
    ...{ epoch: 0, version: 3, writeId: 'w', requestedBy: 'op', announced: true, attempt: 2, leaseUntil: 0 },
    createdAt: '2026-08-21T12:00:00.000Z',
    updatedAt: '2026-08-21T12:00:00.000Z',
    ...{ keyId: 'key_2', ownerId: 'svc_1', keyAttempt: 2, secretVersionId: current, dueShard: 'openai#0', dueAt: now + day },
    ...over,
  };
}

/** The same in a rotation that began ten minutes ago and is at the beginning of its phase. */
export function rotatingCredential(rotating: Partial<Rotating>, over: Partial<CredentialItem> = {}): CredentialItem {
  const phase = rotating.phase ?? 'creating';
  const old = phase === 'grace' || phase === 'retiring' || phase === 'unproven';
  return credential({
    dueAt: now,
    ...(old ? { previous: { versionId: previous, keyId: 'key_1', ownerId: 'svc_1', keyAttempt: 1 }, rotatedAt: now } : { attempt: 3 }),
    rotating: {
      ...{ rotationId: '01K9Z8V0000000000000000000', phase, strategy: 'overlap', reason: 'schedule', requestedBy: 'schedule' },
      ...{ since: now - 10 * minute, phaseSince: now, setbacks: 0 },
      ...(!old && { pending: { versionId: pending, attempt: 3, ...(phase === 'proving' && { keyId: 'key_3', ownerId: 'svc_1' }) } }),
      ...(phase === 'grace' && { graceUntil: now + day }),
      ...rotating,
    },
    ...over,
  });
}
