import { randomUUID } from 'node:crypto';

export const platformAccountId = '111122223333';

/** A message as EventBridge puts it on the queue. */
export function rotationEvent(detailType: string, detail: object, id: string = randomUUID()): string {
  return JSON.stringify({
    ...{ version: '0', id, 'detail-type': detailType, source: 'cordon.platform', account: platformAccountId, region: 'us-east-1' },
    ...{ time: '2026-11-21T12:00:00Z', resources: [] },
    detail: { version: 1, tenantId: 'acme', credentialId: 'main', requestedBy: 'ann@acme.example', ...detail },
  });
}

export const requested = (over: object = {}, id?: string): string =>
  rotationEvent('RotationRequested', { why: 'the key was in a log', ...over }, id);
export const supplied = (): string => rotationEvent('CredentialSupplied', {});
