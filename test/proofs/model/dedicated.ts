/** What a dedicated tenant is given at run time, taken from the code that makes it: its calls to IAM and KMS are answered here, and what they ask for is kept. */
import { type AttachRolePolicyCommandInput, type CreateRoleCommandInput, IAMClient } from '@aws-sdk/client-iam';
import { type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { z } from 'zod';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { createDedicatedTier } from '../../../functions/tenants/dedicated-tier.aws.ts';
import type { PolicyDocument } from '../../../local/iam/policy.ts';
import { parsePolicyDocument } from '../../../local/services/iam-policy-document.ts';

/** Occurs in nothing that the code writes but as the tenant. */
const stand = tenantId.parse('the-tenant-itself');
const unused = { region: 'us-east-1', credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' } };

interface DedicatedRole {
  readonly name: (tenant: string) => string;
  readonly trust: string;
  readonly boundary: string;
  readonly attached: readonly string[];
  readonly tags: (tenant: string) => Record<string, string>;
}

interface DedicatedParts {
  readonly roles: readonly DedicatedRole[];
  /** Documents that speak of `stand`: see `forTenant`. */
  readonly policies: readonly { readonly id: string; readonly document: PolicyDocument }[];
  readonly keyTags: (tenant: string) => Record<string, string>;
}

/** A document of a dedicated tenant, for the tenant given. */
export function forTenant(document: PolicyDocument, tenant: string): PolicyDocument {
  return parsePolicyDocument(JSON.stringify(document).replaceAll(stand, tenant));
}

const createRole = z.looseObject({
  RoleName: z.string(),
  AssumeRolePolicyDocument: z.string(),
  PermissionsBoundary: z.string(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })),
}) satisfies z.ZodType<Partial<CreateRoleCommandInput>>;
const attach = z.object({ RoleName: z.string(), PolicyArn: z.string() }) satisfies z.ZodType<AttachRolePolicyCommandInput>;
const createKey = z.looseObject({
  Policy: z.string(),
  Tags: z.array(z.object({ TagKey: z.string(), TagValue: z.string() })),
}) satisfies z.ZodType<Partial<CreateKeyCommandInput>>;

/** @param setting a variable of the environment of the function that makes dedicated tenants */
export async function dedicatedParts(setting: (name: string) => string): Promise<DedicatedParts> {
  const calls: { readonly command: string; readonly input: unknown }[] = [];
  const keep = (command = '', input: unknown = {}): void => {
    calls.push({ command, input });
  };
  const iam = new IAMClient(unused);
  iam.middlewareStack.add(
    (_next, { commandName }) =>
      async ({ input }) => {
        keep(commandName, input);
        return { response: {}, output: { $metadata: {} } };
      },
    { step: 'initialize', priority: 'high' },
  );
  const kms = new KMSClient(unused);
  kms.middlewareStack.add(
    (_next, { commandName }) =>
      async ({ input }) => {
        keep(commandName, input);
        return {
          response: {},
          output: { $metadata: {}, KeyMetadata: { KeyId: 'made', Arn: 'arn:aws:kms:us-east-1:111122223333:key/made' } },
        };
      },
    { step: 'initialize', priority: 'high' },
  );
  const tier = createDedicatedTier(
    { iam, kms, kmsOnce: kms, tagging: new ResourceGroupsTaggingAPIClient(unused) },
    {
      roleArnPrefix: setting('DEDICATED_ROLE_ARN_PREFIX'),
      poolKeyArn: setting('TENANT_KEY_ARN'),
      boundaryArn: setting('TENANT_BOUNDARY_ARN'),
      isolationPolicyArn: setting('TENANT_ISOLATION_POLICY_ARN'),
      revokedPolicyArn: setting('TENANT_REVOKED_POLICY_ARN'),
      readerPolicyArn: setting('TENANT_READER_POLICY_ARN'),
      writerPolicyArn: setting('TENANT_WRITER_POLICY_ARN'),
      sessionsRoleArn: setting('SESSIONS_ROLE_ARN'),
      tenantsRoleArn: setting('TENANTS_ROLE_ARN'),
      doorRoleArn: setting('DOOR_ROLE_ARN'),
      rotationRoleArn: setting('ROTATION_ROLE_ARN'),
      revocationRoleArn: setting('REVOCATION_ROLE_ARN'),
      supplierRoleArn: setting('TENANT_SUPPLIER_ROLE_ARN'),
    },
  );
  await tier.ensureRoles(stand);
  await tier.ensureKey(stand, false);
  const of = (command: string): unknown[] => calls.filter((call) => call.command === command).map(({ input }) => input);
  const attached = of('AttachRolePolicyCommand').map((input) => attach.parse(input));
  const roles = of('CreateRoleCommand').map((input) => createRole.parse(input));
  const [key] = of('CreateKeyCommand').map((input) => createKey.parse(input));
  if (key === undefined || roles.length === 0) throw new Error('the code made no role or no key for a dedicated tenant');
  const general = (name: string): string => name.replace(`-${stand}`, '');
  return {
    roles: roles.map(({ RoleName, PermissionsBoundary, Tags }) => ({
      name: (tenant) => RoleName.replace(stand, tenant),
      trust: `trust ${general(RoleName)}`,
      boundary: PermissionsBoundary,
      attached: attached.flatMap((one) => (one.RoleName === RoleName ? [one.PolicyArn] : [])),
      tags: (tenant) => Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value.replace(stand, tenant)])),
    })),
    policies: [
      ...roles.map(({ RoleName, AssumeRolePolicyDocument }) => ({
        id: `trust ${general(RoleName)}`,
        document: parsePolicyDocument(AssumeRolePolicyDocument),
      })),
      { id: 'key dedicated', document: parsePolicyDocument(key.Policy) },
    ],
    keyTags: (tenant) => Object.fromEntries(key.Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue.replace(stand, tenant)])),
  };
}
