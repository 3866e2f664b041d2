import type { SecretText } from '../../shared/secret-text.ts';
import { callerOf } from '../watch/caller.ts';
import type { Finding } from '../watch/finding.ts';
import { secretsOf, type TouchedSecret } from '../watch/touched.ts';
import type { TrailRecord } from '../watch/trail-record.ts';
import { looksLikeDecoy } from './decoy-shape.ts';
import { decoysOf } from './decoys.ts';

/** Cordon's own: it makes a dedicated tenant's decoys, and takes them away with the tenant, as its own writer. */
const keeping = /^(?:CreateSecret|DeleteSecret|PutSecretValue)$/;

/** The secrets of a record whose names may be decoys'. Where there is none, the key is not asked for. Pure. */
export function likelyDecoys(record: TrailRecord): readonly TouchedSecret[] {
  return secretsOf(record).filter(({ credentialIds }) => credentialIds.some(looksLikeDecoy));
}

/**
 * Who named a decoy, refused or not (T6). Pure.
 *
 * @param accountId the cell's
 */
export function decideHoney(record: TrailRecord, likely: readonly TouchedSecret[], key: SecretText, accountId: string): readonly Finding[] {
  const caller = callerOf(record, accountId);
  return likely.flatMap(({ tenantId, credentialIds }) => {
    const decoy = decoysOf(key, tenantId).find(({ credentialId }) => credentialIds.includes(credentialId));
    const isKeeper = caller.kind === 'session' && caller.role.name === `TenantAgent-${tenantId}.writer` && keeping.test(record.eventName);
    if (decoy === undefined || isKeeper) return [];
    const message = `${caller.label} asked for ${record.eventName} on the decoy ${decoy.credentialId} of tenant ${tenantId}; the tenant’s sessions are cut off`;
    const left = ['whoever could read the place where the decoy was planted has to be found'];
    return [{ code: 'HONEY_TOUCHED' as const, tenantId, message, left }];
  });
}
