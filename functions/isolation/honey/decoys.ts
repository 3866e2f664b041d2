import { createHmac } from 'node:crypto';
import { secretName } from '../../credentials/vault.ts';
import type { ProviderName } from '../../providers/provider-name.ts';
import { base32 } from '../../shared/base32.ts';
import { type CredentialId, isCredentialId, type TenantId } from '../../shared/identifiers.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { decoyPlans, decoyTail } from './decoy-shape.ts';

/** What looks like one more credential of a tenant. Nobody has a reason to name it: whoever does, has found it where it was planted. */
export interface Decoy {
  readonly credentialId: CredentialId;
  readonly provider: ProviderName;
  /** `cordon/{tenantId}/{credentialId}`, where a secret of that name would be. */
  readonly secretName: string;
}

/**
 * The decoys of a tenant: computed, never listed. 40 bits of a keyed hash are in each name, so that no other tenant's can be told from one's own, and none guessed.
 *
 * @param key of the platform
 */
export function decoysOf(key: SecretText, tenantId: TenantId): readonly Decoy[] {
  return decoyPlans.map(({ stem, provider }) => {
    const credentialId = `${stem}-${base32(bytesOf(key, 'name', tenantId, stem), decoyTail)}`;
    if (!isCredentialId(credentialId)) throw new TypeError('the name of a decoy is no credential ID');
    return { credentialId, provider, secretName: secretName(tenantId, credentialId) };
  });
}

/** What the secret of a decoy holds: of the provider's own form, and good for nothing. The same each time, so that storing it again changes nothing. */
export function decoyValue(key: SecretText, tenantId: TenantId, { provider, credentialId }: Decoy): SecretText {
  const text = (length: number): string => base32(stretched(key, tenantId, credentialId, length), length);
  const values: Readonly<Record<(typeof decoyPlans)[number]['provider'], () => string>> = {
    openai: () => `sk-proj-${text(156)}`,
    anthropic: () => `sk-ant-api03-${text(93)}AA`,
    // A name under .invalid leads nowhere (RFC 6761, section 6.4).
    postgres: () => `postgresql://app:${text(24)}@db-replica.invalid:5432/app`,
  };
  if (!hasOwn(values, provider)) throw new TypeError(`there are no decoys of ${provider}`);
  return new SecretText(values[provider]());
}

/** ID of its one version: 32 to 64 characters, as Secrets Manager has them. */
export function decoyVersionId(key: SecretText, tenantId: TenantId, { credentialId }: Decoy): string {
  return bytesOf(key, 'version', tenantId, credentialId).toString('hex').slice(0, 32);
}

function bytesOf(key: SecretText, ...about: readonly string[]): Buffer {
  return createHmac('sha256', key.reveal()).update(JSON.stringify(about)).digest();
}

function stretched(key: SecretText, tenantId: TenantId, credentialId: string, characters: number): Buffer {
  const blocks = Math.ceil((characters * 5) / 256);
  return Buffer.concat(Array.from({ length: blocks }, (_, block) => bytesOf(key, 'value', tenantId, credentialId, String(block))));
}

function hasOwn<Key extends string>(record: Readonly<Record<Key, unknown>>, key: string): key is Key {
  return Object.hasOwn(record, key);
}
