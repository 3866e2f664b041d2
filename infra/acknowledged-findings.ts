import { type Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

const role = 'arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cordon/';
const ownSecrets = 'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:cordon/<aws:PrincipalTag/TenantId>/*';
const ownKeys = 'arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*';
const anyKey = 'arn:<AWS::Partition>:kms:<AWS::Region>:*:key/*';
const attributionIndexes = '<AttributionTableC90958DE.Arn>/index/*';

const reasons = {
  ceiling: 'A permissions boundary is a ceiling: it grants nothing, and the policies below it name their resources.',
  ownSecrets: "The tenant's own path: IAM fills in the tenant from the session's tag, and the TenantId tag is compared as well.",
  anyKey:
    "A customer may have its secret kept under a key of its own account; the encryption context names the tenant's own path, and the key's own policy decides.",
  ownKeys:
    "A dedicated tenant's key is made at run time with a random ID; the encryption context or the TenantId tag decides, and the key's own policy.",
  indexes: "The table's local indexes only; the leading key is compared on each of them.",
  dedicatedRoles: "A dedicated tenant's roles are made at run time; each role's own trust policy names the one function it admits.",
  traces: 'X-Ray supports no resource-level permissions for writing traces.',
  ownTokens:
    'Cordon takes JSON Web Tokens of any OpenID Connect issuer, verified by its own authorizer; Cognito would be one issuer among them.',
} as const;

const functionRoles = [
  'SessionsFunction',
  'TenantsFunction',
  'Byoc/WorkerFunction',
  'Byoc/ConnectionsFunction',
  'Sweep/Function',
  'Rotation/Function',
  'RevocationsApi/Function',
  'Revocation/Function',
  'CutOff/Function',
  'RateLimits/Function',
  'AccessWatch/Function',
  'IsolationApi/Function',
  'IsolationTests/Function',
  ...['Authorizer', 'Broker', 'Door', 'Evidence', 'Description'].map((name) => `Broker/${name}Function`),
];
const methods = [
  'proxy/anthropic/{path+}/ANY',
  'proxy/azure-openai/{path+}/ANY',
  'proxy/gemini/{path+}/ANY',
  'proxy/{provider}/{path+}/ANY',
  'credentials/public-key/GET',
  'credentials/{credentialId}/secret/POST',
  'attribution/GET',
  'connections/GET',
  'connections/POST',
  'connections/{accountId}/DELETE',
  'revocations/GET',
  'revocations/POST',
  'revocations/{revocationId}/GET',
  'revocations/{revocationId}/certificate/GET',
  'isolation/GET',
  'isolation/POST',
  'isolation/{verificationId}/GET',
  'byoc/GET',
  'byoc.js/GET',
  'openapi.yaml/GET',
];

const auditedNames = { kms: 'key/*', dynamodb: 'table/*', secretsmanager: 'secret:*' };

/** Findings of cdk-nag's AwsSolutions pack that stand: one resource and one wildcard at a time, each with its reason. */
const acknowledged: readonly (readonly [path: string, finding: string, reason: string])[] = [
  ['FunctionBoundary/FunctionBoundary', 'IAM5[Resource::*]', reasons.ceiling],
  ['FunctionBoundary/FunctionBoundary', `IAM5[Resource::${role}*]`, reasons.ceiling],
  ['TenantRoles/TenantBoundary', 'IAM5[Resource::*]', reasons.ceiling],
  [
    'OperatorAccess/OperatorAccess',
    'IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/Cordon/*]',
    'The one stack by its name; what follows is the random part of its ID.',
  ],
  ['PolicyAudit/AuditBoundary', 'IAM5[Resource::*]', reasons.ceiling],
  [
    'PolicyAudit/Function/Role',
    'IAM5[Resource::*]',
    'Listings of identities, simulations, Access Analyzer’s checks and X-Ray know no resource; policies of resources are read, of whatever name a resource has got.',
  ],
  ...(['kms', 'dynamodb', 'secretsmanager'] as const).map(
    (service) =>
      [
        'PolicyAudit/Function/Role',
        `IAM5[Resource::arn:<AWS::Partition>:${service}:<AWS::Region>:<AWS::AccountId>:${auditedNames[service]}]`,
        'Only policies are read, grants and tags: a dedicated tenant’s key is made later, and a secret’s ARN ends in random letters.',
      ] as const,
  ),
  [
    'PolicyAudit/Function/Role',
    'IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/Cordon/*]',
    'The one stack by its name; what follows is the random part of its ID.',
  ],
  ['TenantRoles/TenantReaderAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantWriterAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantReaderAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantWriterAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantProvisionerAccess', `IAM5[Resource::${ownKeys}]`, reasons.ownKeys],
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
  ['TenantsFunction/Role', `IAM5[Resource::${role}TenantAgent-*.writer]`, reasons.dedicatedRoles],
  ...['OpenAi', 'Mistral', 'OpenRouter', 'Gemini', 'AzureOpenAi'].map(
    (name) =>
      [
        `ProviderAdmins/${name}`,
        'SMG4',
        "An administrator's credential is made by people in the provider's console: no rotation function could make the next one.",
      ] as const,
  ),
  [
    'HoneyKey/Secret',
    'SMG4',
    'With another value the decoys that are planted would be none any more: it opens nothing, and is not rotated.',
  ],
  [
    'IsolationTests/Identity',
    'SMG4',
    "The canaries' clients are made by people at the identity provider: no rotation function could make the next ones.",
  ],
  ['Rotation/Function/Role', `IAM5[Resource::${role}TenantAgent-*]`, reasons.dedicatedRoles],
  ['Revocation/Function/Role', `IAM5[Resource::${role}TenantAgent-*]`, reasons.dedicatedRoles],
  ['TenantRoles/TenantRevokerAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantRevokerAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantRotatorAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantRotatorAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantRotatorAccess', `IAM5[Resource::${attributionIndexes}]`, reasons.indexes],
  ...functionRoles.map((path) => [`${path}/Role`, 'IAM5[Resource::*]', reasons.traces] as const),
  [
    'TenantRoles/TenantReaderAccess',
    'IAM5[Resource::*]',
    'sts:GetWebIdentityToken knows no resource; only a dedicated tenant’s own role may call it.',
  ],
  ['TenantRoles/TenantSupplierAccess', `IAM5[Resource::${ownSecrets}]`, reasons.ownSecrets],
  ['TenantRoles/TenantSupplierAccess', `IAM5[Resource::${anyKey}]`, reasons.anyKey],
  ['TenantRoles/TenantSupplierAccess', `IAM5[Resource::${ownKeys}]`, reasons.ownKeys],
  ['Broker/DoorFunction/Role', `IAM5[Resource::${role}TenantAgent-*.writer]`, reasons.dedicatedRoles],
  ...methods.map((path) => [`Broker/Api/Api/Default/${path}`, 'COG4', reasons.ownTokens] as const),
  [
    'Byoc/WorkerFunction/Role',
    'IAM5[Resource::<ByocTemplates6F94FCE3.Arn>/customer-role/*]',
    'Each version of the customers’ template is an object of its own, named by its hash.',
  ],
  ['Byoc/Templates', 'S1', 'The bucket holds one public template; who reads it is nobody’s secret and tells nothing.'],
  [
    'Byoc/Templates',
    'S2',
    'Customers’ CloudFormation reads the template from any account. It holds nothing of any tenant, and only one function may write it.',
  ],
  ...['byoc', 'byoc.js'].map(
    (path) =>
      [
        `Broker/Api/Api/Default/${path}/GET`,
        'APIG4',
        'The page is the same for everyone; what it shows comes from protected paths.',
      ] as const,
  ),
  ['Broker/Api/Api/Default/openapi.yaml/GET', 'APIG4', 'The description of the API is public: it holds nothing of any tenant.'],
  [
    'Broker/Api/Api',
    'APIG2',
    'The functions behind it parse every request and refuse what they do not know; calls to providers pass byte for byte.',
  ],
  ['Broker/Api/Api/DeploymentStage.v1', 'APIG3', 'Who deploys decides on a web ACL: its rules depend on where the callers are.'],
  [
    'Broker/Api/Api/DeploymentStage.v1',
    'APIG6',
    'Execution logs hold headers, and headers hold tokens; the access log says who called what.',
  ],
  [
    'Broker/Api/Api/CloudWatchRole',
    'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
    'API Gateway accepts an account role only with these rights, in every log group.',
  ],
];

export function acknowledgeFindings(stack: Stack): void {
  for (const [path, finding, reason] of acknowledged) {
    const construct = constructAt(stack, path);
    Validations.of(construct).acknowledge({ id: `AwsSolutions-${finding}`, reason });
  }
}

function constructAt(stack: Stack, path: string): IConstruct {
  return path.split('/').reduce<IConstruct>((node, name) => node.node.findChild(name), stack);
}
