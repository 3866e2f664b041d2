/** A customer's administrator, who makes the role that was offered. */

import type { TestCloud } from '../../support/cloud.ts';
import { bedrockAccess, trustOf } from '../../support/customer-account.ts';

/** Once: a second time it is there already. */
export async function customerTrust(
  test: TestCloud,
  accountId: string,
  { roleName, externalId }: { readonly roleName: string; readonly externalId: string },
): Promise<void> {
  const { kernel, customers } = test.cloud;
  const admin = kernel.callerOf(customers.find((one) => one.accountId === accountId)?.accessKeyId ?? '');
  if (admin === undefined) throw new Error(`Nobody administers ${accountId}.`);
  const trust = JSON.stringify(trustOf(test, externalId));
  await kernel.call(admin, 'iam', 'CreateRole', { RoleName: roleName, AssumeRolePolicyDocument: trust });
  const access = JSON.stringify(bedrockAccess({ accountId }, roleName));
  await kernel.call(admin, 'iam', 'PutRolePolicy', { RoleName: roleName, PolicyName: 'access', PolicyDocument: access });
}
