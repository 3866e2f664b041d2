/** Two dedicated tenants and one of the pool, for the tests of what a dedicated tenant has of its own. */
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import type { StoredSecret } from '../../local/demo/cast.ts';
import type { TestCloud } from './cloud.ts';
import { administratorOf, assumeRole, credentialsOf } from './neighbours.ts';

/** A tenant with its session, minted by `sessions` from a token, and its one secret. */
interface Tenant {
  readonly tenantId: string;
  readonly reader: AwsCredentials;
  readonly secret: StoredSecret;
}

export interface DedicatedTenants {
  /** Dedicated, with its writer's session as the function `tenants` mints it, and its key's ARN. */
  readonly own: Tenant & { readonly writer: AwsCredentials; readonly keyArn: string };
  /** Dedicated too; its name begins with the first one's. */
  readonly other: Tenant;
  readonly pool: Tenant;
  readonly administrator: AwsCredentials;
  /** The functions' own credentials. */
  readonly functions: Readonly<Record<'sessions' | 'tenants', AwsCredentials>>;
}

/** Onboards the three by events. Rejects when one of them is refused. */
export async function onboardDedicated(test: TestCloud): Promise<DedicatedTenants> {
  const administrator = administratorOf(test);
  const functions = { sessions: await credentialsOf(test, 'sessions'), tenants: await credentialsOf(test, 'tenants') };
  const tenantId = test.freshTenantId();
  // One after the other: what is published about the second holds the first one's name.
  const own = await onboard(test, tenantId, 'dedicated');
  const other = await onboard(test, `${tenantId}-2`, 'dedicated');
  const pool = await onboard(test, test.freshTenantId(), 'pool');
  const RoleArn = `arn:aws:iam::${test.cloud.accountId}:role/cordon/TenantAgent-${tenantId}.writer`;
  const writer = await assumeRole(test.clients(functions.tenants), { RoleArn, RoleSessionName: tenantId, DurationSeconds: 900 });
  return { own: { ...own, writer, keyArn: await keyNamed(test, tenantId) }, other, pool, administrator, functions };
}

/** The ARN of the key that a dedicated tenant's alias names. */
export async function keyNamed(test: TestCloud, tenantId: string): Promise<string> {
  const { kms } = test.clients(administratorOf(test));
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: `alias/cordon/${tenantId}` }));
  return KeyMetadata?.Arn ?? '';
}

async function onboard(test: TestCloud, tenantId: string, tier: 'dedicated' | 'pool'): Promise<Tenant> {
  const { outcome } = await test.onboard({ tenantId, tier });
  const [secret] = await test.secretsOf(tenantId);
  if (outcome.detailType !== 'TenantProvisioned' || secret === undefined)
    throw new Error(`${tenantId} was not onboarded: ${JSON.stringify(outcome)}`);
  return { tenantId, reader: await test.tenantSession(tenantId), secret };
}
