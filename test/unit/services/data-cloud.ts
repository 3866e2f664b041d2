/** A kernel with IAM, STS and the data services, one KMS key, and tenants' sessions, for tests of the data services. */
import { AwsError } from '../../../local/core/aws-error.ts';
import type { Clock } from '../../../local/core/clock.ts';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createDynamoDb } from '../../../local/services/dynamodb.ts';
import { createKms } from '../../../local/services/kms.ts';
import { createSecretsManager } from '../../../local/services/secrets-manager.ts';
import { createTagging } from '../../../local/services/tagging.ts';
import { assume, makeRole, makeUser, policy, startCloud, trust } from '../core/cloud.ts';

export interface DataCloud {
  readonly kernel: LocalKernel;
  readonly clock: Clock;
  readonly root: Caller;
  readonly keyArn: string;
  /** A session of a fresh role with these statements, tagged with the tenant. */
  tenant(tenantId: string, ...statements: object[]): Promise<Caller>;
  secrets(caller: Caller, operation: string, input: object): Promise<Record<string, unknown>>;
  kms(caller: Caller, operation: string, input: object): Promise<Record<string, unknown>>;
  dynamodb(caller: Caller, operation: string, input: object): Promise<Record<string, unknown>>;
}

export async function startDataCloud(): Promise<DataCloud> {
  const { kernel, clock, root } = startCloud();
  for (const create of [createKms, createSecretsManager, createDynamoDb, createTagging]) kernel.register(create(kernel));
  const minter = await makeUser(kernel, 'minter', policy({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: '*' }));
  const { KeyMetadata } = await kernel.call(root, 'kms', 'CreateKey', {});
  let roles = 0;
  return {
    kernel,
    clock,
    root,
    keyArn: text(KeyMetadata, 'Arn'),
    async tenant(tenantId, ...statements) {
      const role = await makeRole(kernel, `Tenant${++roles}`, trust({ AWS: minter.principal.arn }), policy(...statements));
      return await assume(kernel, minter, role, { Tags: [{ Key: 'TenantId', Value: tenantId }] });
    },
    secrets: (caller, operation, input) => kernel.call(caller, 'secretsmanager', operation, input),
    kms: (caller, operation, input) => kernel.call(caller, 'kms', operation, input),
    dynamodb: (caller, operation, input) => kernel.call(caller, 'dynamodb', operation, input),
  };
}

/** The error that `work` ends in; fails when it ends well or in something that is no AWS error. */
export async function refusal(work: Promise<unknown>): Promise<AwsError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
  throw new Error('the call was not refused');
}

/** The string at `path` of nested objects and arrays. */
export function text(value: unknown, ...path: (string | number)[]): string {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(String(step)) : undefined;
  if (typeof at !== 'string') throw new Error(`there is no string at ${path.join('.')} in ${JSON.stringify(value)}`);
  return at;
}

export const own = '${aws:PrincipalTag/TenantId}';
export const isOwnTag = { StringEquals: { 'aws:ResourceTag/TenantId': own } };
