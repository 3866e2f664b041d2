/** A customer's own AWS account, and the roles that its admin makes, changes and deletes there. */
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import type { TestCloud } from './cloud.ts';

export interface Customer {
  readonly accountId: string;
  /** Of the account's administrator. */
  readonly credentials: AwsCredentials;
  readonly clients: AwsClients;
}

/** An account that nobody has used. */
export function newCustomer(test: TestCloud): Customer {
  const { accountId, ...credentials } = test.cloud.addAccount();
  return { accountId, credentials, clients: test.clients(credentials) };
}

/** The trust policy of the template, with these members of its statement in place of the template's. */
export function trustOf(test: TestCloud, externalId: string, change: Readonly<Record<string, unknown>> = {}): PolicyDocument {
  const statement = {
    Effect: 'Allow' as const,
    Principal: { AWS: `arn:aws:iam::${test.cloud.accountId}:root` },
    Action: 'sts:AssumeRole',
    Condition: {
      StringEquals: { 'sts:ExternalId': externalId },
      ArnEquals: { 'aws:PrincipalArn': test.cloud.outputs['ByocConnectorRoleArn'] ?? '' },
    },
    ...change,
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

/** What the template grants for Bedrock, and the right to describe itself. */
export function bedrockAccess({ accountId }: Pick<Customer, 'accountId'>, roleName: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['iam:GetRole', 'iam:SimulatePrincipalPolicy'],
        Resource: `arn:aws:iam::${accountId}:role/${roleName}`,
      },
      { Effect: 'Allow', Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'], Resource: '*' },
    ],
  };
}

/** The customer makes a role by hand, with Bedrock's permissions unless told otherwise. */
export async function makeRole(
  customer: Customer,
  { roleName, trust, access }: { readonly roleName: string; readonly trust: PolicyDocument; readonly access?: PolicyDocument },
): Promise<void> {
  const { iam } = customer.clients;
  await iam.send(new CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  await giveAccess(customer, roleName, access ?? bedrockAccess(customer, roleName));
}

/** Puts the one inline policy of a role made by hand. */
export async function giveAccess({ clients }: Customer, RoleName: string, access: PolicyDocument): Promise<void> {
  await clients.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'access', PolicyDocument: JSON.stringify(access) }));
}

export async function changeTrust({ clients }: Customer, RoleName: string, trust: PolicyDocument): Promise<void> {
  await clients.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(trust) }));
}

export async function deleteRole({ clients: { iam } }: Customer, RoleName: string): Promise<void> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
}
