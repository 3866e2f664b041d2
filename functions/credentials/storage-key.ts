import { CordonError } from '../shared/errors.ts';
import type { CredentialItem, TenantItem } from '../tenants/registry.ts';
import { secretKeyArn } from './door-key.ts';
import type { SecretPlace } from './vault.ts';

/**
 * The key that a credential's secret is to lie under: one of the customer's own account when the credential names one, else the tenant's. A key of this platform's account
 * cannot be named that way: it is another tenant's, or nobody's. Pure.
 *
 * @throws CordonError CUSTOMER_KEY_REFUSED for a key that Secrets Manager cannot use here (User Guide, "Secret encryption and decryption": same Region); ITEM_NOT_UNDERSTOOD
 */
export function storageKey(
  poolKeyArn: string,
  tenant: TenantItem,
  credential: Pick<CredentialItem, 'settings'>,
): Pick<SecretPlace, 'kmsKeyArn' | 'customerKey'> {
  const named = credential.settings?.kmsKeyArn;
  if (named === undefined) return { kmsKeyArn: secretKeyArn(poolKeyArn, tenant) };
  const [own, customer] = [placeOf(poolKeyArn), placeOf(named)];
  if (own.partition !== customer.partition || own.region !== customer.region)
    throw refused(named, `it is not in ${own.region}, where this platform keeps secrets`);
  if (own.account === customer.account) throw refused(named, 'it is not a key of your own account');
  return { kmsKeyArn: named, customerKey: true };
}

function placeOf(arn: string): { partition: string | undefined; region: string | undefined; account: string | undefined } {
  const [, partition, , region, account] = arn.split(':');
  return { partition, region, account };
}

function refused(kmsKeyArn: string, why: string): CordonError {
  return new CordonError(
    'CUSTOMER_KEY_REFUSED',
    `the KMS key ${kmsKeyArn} could not be used, ${why}: nothing was stored; request a credential that names another key`,
  );
}
