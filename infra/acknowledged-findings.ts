import { type Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

const role = 'arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cordon/';
const ownSecrets = 'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:cordon/<aws:PrincipalTag/TenantId>/*';
const anyKey = 'arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*';
const attributionIndexes = '<AttributionTableC90958DE.Arn>/index/*';

const reasons = {
  ceiling: 'A permissions boundary is a ceiling: it grants nothing, and the policies below it name their resources.',
  ownSecrets: "The tenant's own path: IAM fills in the tenant from the session's tag, and the TenantId tag is compared as well.",
  anyKey:
    "A dedicated tenant's key is made at run time with a random ID; the encryption context or the TenantId tag decides, and the key's own policy.",
  indexes: "The table's local indexes only; the leading key is compared on each of them.",
  dedicatedRoles: "A dedicated tenant's roles are made at run time; each role's own trust policy names the one function it admits.",
} as const;

/** Findings of cdk-nag's AwsSolutions pack that stand: one resource and one wildcard at a time, each with its reason. */
const acknowledged: readonly (readonly [path: string, finding: string, reason: string])[] = [
  ['FunctionBoundary/FunctionBoundary', 'IAM5[Resource::*]', reasons.ceiling],
  ['FunctionBoundary/FunctionBoundary', `IAM5[Resource::${role}*]`, reasons.ceiling],
  ['TenantRoles/TenantBoundary', 'IAM5[Resource::*]', reasons.ceiling],
  ['TenantRoles/TenantReaderAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantWriterAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantReaderAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantWriterAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantProvisionerAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  [
    'TenantRoles/TenantProvisionerAccess',
    'IAM5[Resource::*]',
    "kms:CreateKey knows no resource before the key exists, and the request's TenantId tag is compared; tag:GetResources supports no resource-level permissions.",
  ],
  ['TenantRoles/TenantReaderAccess', `IAM5[Resource::${attributionIndexes}]`, reasons.indexes],
  ['TenantRoles/TenantAuditorAccess', `IAM5[Resource::${attributionIndexes}]`, reasons.indexes],
  [
    'TenantRoles/ByocConnectorAccess',
    'IAM5[Resource::arn:<AWS::Partition>:iam::*:role/cordon.<aws:PrincipalTag/TenantId>.*]',
    "A customer's role may be in any account; its name holds the tenant, so one tenant's session cannot take another's customer role.",
  ],
  ['SessionsFunction/Role', `IAM5[Resource::${role}TenantAgent-*]`, reasons.dedicatedRoles],
  ['SessionsFunction/Role', 'IAM5[Resource::*]', 'X-Ray supports no resource-level permissions for writing traces.'],
  ['TenantsFunction/Role', `IAM5[Resource::${role}TenantAgent-*.writer]`, reasons.dedicatedRoles],
  ['TenantsFunction/Role', 'IAM5[Resource::*]', 'X-Ray supports no resource-level permissions for writing traces.'],
  [
    'OpenAiAdmin',
    'SMG4',
    "The provider's admin key is made by people in the provider's console: no rotation function could make the next one.",
  ],
];

export function acknowledgeFindings(stack: Stack): void {
  for (const [path, finding, reason] of acknowledged) {
    const construct = path.split('/').reduce<IConstruct>((node, name) => node.node.findChild(name), stack);
    Validations.of(construct).acknowledge({ id: `AwsSolutions-${finding}`, reason });
  }
}
