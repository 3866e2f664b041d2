import { acmeSecret, allow, boltSecret, deny, type Row, roleArn, secretsOf, sessionArn } from './row.ts';

const own = '${aws:PrincipalTag/TenantId}';
const asAcme = { 'aws:PrincipalTag/TenantId': 'acme' };
const ofBolt = { ...asAcme, 'aws:ResourceTag/TenantId': 'bolt' };
const allowOwn = allow('ReadOwn', { Resource: `${secretsOf(own)}*`, Condition: { StringEquals: { 'aws:ResourceTag/TenantId': own } } });
const denyOthers = deny('DenyOthers', { Condition: { StringNotEquals: { 'aws:ResourceTag/TenantId': own } } });
const denyUntagged = deny('DenyUntagged', { Action: '*', Condition: { StringNotLike: { 'aws:PrincipalTag/TenantId': '?*' } } });
const tagSecret = 'secretsmanager:TagResource';
const registry = 'arn:aws:dynamodb:us-east-1:111122223333:table/Registry';
const ownRows = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': `TENANT#${own}#*` } };

/** The ways across the tenant line that AWS's documented semantics open when a policy is written carelessly, each with the rule that shuts it. */
export const traps: readonly Row[] = [
  {
    name: 'Allow-only ABAC refuses the neighbour’s secret by itself',
    resource: boltSecret,
    context: ofBolt,
    identity: [allowOwn],
    reason: 'implicit-deny',
  },
  {
    name: 'Allow-only ABAC is bypassed by a resource policy that names the role',
    resource: boltSecret,
    context: ofBolt,
    identity: [allowOwn],
    resourcePolicy: [allow('Leak', { Principal: { AWS: roleArn } })],
    reason: 'allow',
    deciding: 'resource/Leak',
  },
  {
    name: 'the Deny twin shuts that bypass',
    resource: boltSecret,
    context: ofBolt,
    identity: [allowOwn, denyOthers],
    resourcePolicy: [allow('Leak', { Principal: { AWS: roleArn } })],
    reason: 'explicit-deny',
    deciding: 'identity/DenyOthers',
  },
  {
    name: 'a grant to the session escapes a boundary of Allows, so the boundary holds the Deny too',
    resource: boltSecret,
    context: ofBolt,
    identity: [allowOwn],
    boundary: [allowOwn, denyOthers],
    resourcePolicy: [allow('Leak', { Principal: { AWS: sessionArn } })],
    reason: 'explicit-deny',
    deciding: 'boundary/DenyOthers',
  },
  {
    name: 'the Deny twin leaves the own secret readable',
    resource: acmeSecret,
    context: { ...asAcme, 'aws:ResourceTag/TenantId': 'acme' },
    identity: [allowOwn, denyOthers],
    reason: 'allow',
    deciding: 'identity/ReadOwn',
  },
  {
    name: 'the Deny twin covers a secret without the tag',
    resource: acmeSecret,
    context: asAcme,
    identity: [allow('All'), denyOthers],
    reason: 'explicit-deny',
    deciding: 'identity/DenyOthers',
  },
  {
    name: 'empty tags on both sides are equal, so an empty principal tag must be denied',
    context: { 'aws:PrincipalTag/TenantId': '', 'aws:ResourceTag/TenantId': '' },
    identity: [allow('All'), denyOthers, denyUntagged],
    reason: 'explicit-deny',
    deciding: 'identity/DenyUntagged',
  },
  {
    name: 'a Deny with StringNotLike * would let an empty tag pass',
    context: { 'aws:PrincipalTag/TenantId': '' },
    identity: [allow('All'), deny('Weak', { Action: '*', Condition: { StringNotLike: { 'aws:PrincipalTag/TenantId': '*' } } })],
    reason: 'allow',
    deciding: 'identity/All',
  },
  {
    name: 'a session without the tag is denied',
    context: {},
    identity: [allow('All'), denyUntagged],
    reason: 'explicit-deny',
    deciding: 'identity/DenyUntagged',
  },
  {
    name: 'tagging conditioned on the requested tag alone steals the neighbour’s secret',
    action: tagSecret,
    resource: boltSecret,
    context: { ...ofBolt, 'aws:RequestTag/TenantId': 'acme' },
    identity: [allow('Tag', { Action: tagSecret, Condition: { StringEquals: { 'aws:RequestTag/TenantId': own } } })],
    reason: 'allow',
    deciding: 'identity/Tag',
  },
  {
    name: 'a Deny twin on the present tag shuts tag theft',
    action: tagSecret,
    resource: boltSecret,
    context: { ...ofBolt, 'aws:RequestTag/TenantId': 'acme' },
    identity: [
      allow('Tag', { Action: tagSecret }),
      deny('NoTheft', {
        Action: tagSecret,
        Condition: { StringNotEqualsIfExists: { 'aws:ResourceTag/TenantId': own }, Null: { 'aws:ResourceTag/TenantId': 'false' } },
      }),
    ],
    reason: 'explicit-deny',
    deciding: 'identity/NoTheft',
  },
  {
    name: 'ForAllValues on leading keys lets a keyless request pass',
    action: 'dynamodb:Scan',
    resource: registry,
    context: asAcme,
    identity: [allow('Rows', { Action: 'dynamodb:*', Condition: ownRows })],
    reason: 'allow',
    deciding: 'identity/Rows',
  },
  {
    name: 'Null false on leading keys shuts that',
    action: 'dynamodb:Scan',
    resource: registry,
    context: asAcme,
    identity: [allow('Rows', { Action: 'dynamodb:*', Condition: { ...ownRows, Null: { 'dynamodb:LeadingKeys': 'false' } } })],
    reason: 'implicit-deny',
  },
  {
    name: 'leading keys that end in a delimiter keep acme off acme-2',
    action: 'dynamodb:GetItem',
    resource: registry,
    context: { ...asAcme, 'dynamodb:LeadingKeys': ['TENANT#acme-2#'] },
    identity: [allow('Rows', { Action: 'dynamodb:GetItem', Condition: ownRows })],
    reason: 'implicit-deny',
  },
  {
    name: 'one foreign key among own ones spoils a batch',
    action: 'dynamodb:BatchGetItem',
    resource: registry,
    context: { ...asAcme, 'dynamodb:LeadingKeys': ['TENANT#acme#', 'TENANT#bolt#'] },
    identity: [allow('Rows', { Action: 'dynamodb:BatchGetItem', Condition: ownRows })],
    reason: 'implicit-deny',
  },
  {
    name: 'an encryption context with the same key in two cases is refused by name',
    action: 'kms:Decrypt',
    resource: 'arn:aws:kms:us-east-1:111122223333:key/1',
    context: { ...asAcme, 'kms:EncryptionContext:TenantId': 'acme', 'kms:EncryptionContext:tenantid': 'bolt' },
    identity: [allow('Decrypt', { Action: 'kms:Decrypt', Condition: { StringEquals: { 'kms:EncryptionContext:TenantId': own } } })],
    reason: 'unsupported',
    says: 'kms:encryptioncontext:tenantid',
  },
  {
    name: 'several values for a key of one value are refused by name',
    context: { 'aws:PrincipalTag/TenantId': ['acme', 'bolt'] },
    identity: [allow('All', { Condition: { StringEquals: { 'aws:PrincipalTag/TenantId': 'acme' } } })],
    reason: 'unsupported',
    says: 'aws:principaltag/tenantid',
  },
  {
    name: 'several values in a variable are refused by name',
    context: { 'aws:PrincipalTag/TenantId': ['acme', 'bolt'] },
    identity: [allow('All', { Resource: `${secretsOf(own)}*` })],
    reason: 'unsupported',
    says: 'aws:principaltag/tenantid',
  },
];
