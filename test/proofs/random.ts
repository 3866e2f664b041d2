/** Random policies and requests, of few words, so that they meet. */
import fc from 'fast-check';
import type { PolicyDocument, PolicyStatement, RequestPrincipal } from '../../local/iam/policy.ts';
import type { Caller } from './model/patterns.ts';

export const accountId = '111122223333';
export const roleArn = `arn:aws:iam::${accountId}:role/cordon/TenantReader`;
export const principal: RequestPrincipal = {
  kind: 'role-session',
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/TenantReader/session`,
  roleArn,
};
export const someCaller: Caller = { principal, known: new Map(), bounded: false };

const tenants = ['acme', 'acme-2', 'globex', ''];
const arns = ['acme', 'acme-2', 'globex', ''].flatMap((tenant) => [
  `arn:aws:secretsmanager:us-east-1:${accountId}:secret:cordon/${tenant}/openai`,
  `arn:aws:kms:us-east-1:${accountId}:key/${tenant}`,
]);
export const actions = ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'kms:Decrypt', 'sts:AssumeRole'];
const texts = [
  '${aws:PrincipalTag/TenantId}',
  '${aws:PrincipalTag/UserId}',
  ...tenants,
  '?*',
  '*',
  'a*',
  'TENANT#${aws:PrincipalTag/TenantId}#*',
];
const arnTexts = [
  ...arns,
  roleArn,
  'arn:aws:*:*:*:*',
  'arn:aws:secretsmanager:*:*:secret:cordon/${aws:PrincipalTag/TenantId}/*',
  'arn:aws:iam::*:role/cordon/Tenant*',
];

const single = [
  'aws:ResourceTag/TenantId',
  'aws:RequestTag/TenantId',
  'aws:PrincipalTag/TenantId',
  'aws:PrincipalTag/UserId',
  'kms:EncryptionContext:TenantId',
];
const several = ['aws:TagKeys', 'dynamodb:LeadingKeys', 'kms:EncryptionContextKeys'];
const arnKeys = ['aws:PrincipalArn', 'kms:EncryptionContext:SecretARN'];
const dates = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'];

const values = (from: readonly string[]) => fc.uniqueArray(fc.constantFrom(...from), { minLength: 1, maxLength: 3 });
const condition = fc.oneof(
  fc.tuple(
    fc
      .tuple(
        fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase'),
        fc.constantFrom('', 'IfExists'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom(...single),
    values(texts),
  ),
  fc.tuple(
    fc
      .tuple(
        fc.constantFrom('ForAllValues:', 'ForAnyValue:'),
        fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'),
        fc.constantFrom('', 'IfExists'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom(...several),
    values(texts),
  ),
  fc.tuple(
    fc.constantFrom('ForAllValues:StringLike', 'ForAnyValue:StringNotEquals'),
    fc.constantFrom('aws:ResourceTag/UserId'),
    values(texts),
  ),
  fc.tuple(fc.constantFrom('ArnEquals', 'ArnNotEquals', 'ArnLike'), fc.constantFrom(...arnKeys), values(arnTexts)),
  fc.tuple(
    fc.constant('Null'),
    fc.constantFrom(...single, ...several),
    fc.constantFrom('true', 'false').map((one) => [one]),
  ),
  fc.tuple(fc.constantFrom('DateLessThan', 'DateGreaterThanEquals', 'DateNotEquals'), fc.constant('aws:TokenIssueTime'), values(dates)),
  fc.tuple(
    fc.constantFrom('Bool', 'BoolIfExists'),
    fc.constant('aws:SecureTransport'),
    fc.constantFrom('true', 'false').map((one) => [one]),
  ),
);

const conditions = fc.array(condition, { maxLength: 2 }).map((all) => {
  const made: Record<string, Record<string, string[]>> = {};
  for (const [operator, key, value] of all) made[operator] = { ...made[operator], [key]: value };
  return made;
});
const resources = values(['*', ...arnTexts.filter((arn) => !arn.startsWith('arn:aws:*'))]);

const base = fc.record({
  Effect: fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Allow', 'Deny'),
  actions: values([...actions, '*', 'kms:*', 'secretsmanager:Get*']),
  notActions: fc.boolean(),
  resources,
  notResources: fc.boolean(),
  Condition: conditions,
});
const parts = ({
  Effect,
  actions: those,
  notActions,
  resources: of,
  notResources,
  Condition,
}: typeof base extends fc.Arbitrary<infer T> ? T : never): PolicyStatement => ({
  Effect,
  ...(notActions ? { NotAction: those } : { Action: those }),
  ...(notResources ? { NotResource: of } : { Resource: of }),
  Condition,
});
const statement = base.map(parts);
const resourceStatement = fc
  .tuple(
    base,
    fc.constantFrom<PolicyStatement['Principal']>(
      '*',
      { AWS: '*' },
      { AWS: accountId },
      { AWS: roleArn },
      { AWS: 'arn:aws:iam::444455556666:root' },
      { Service: 'sns.amazonaws.com' },
    ),
  )
  .map(([one, Principal]): PolicyStatement => ({ ...parts(one), Principal }));
const document = (of: fc.Arbitrary<PolicyStatement>): fc.Arbitrary<PolicyDocument> =>
  fc.array(of, { minLength: 1, maxLength: 4 }).map((Statement) => ({ Version: '2012-10-17', Statement }));

/** Policies around one request. */
export const policies = fc.record({
  identity: fc.array(document(statement), { minLength: 1, maxLength: 2 }),
  boundary: fc.option(document(statement), { nil: undefined }),
  resource: fc.option(document(resourceStatement), { nil: undefined }),
  resourceRequired: fc.constantFrom(false, false, true),
  acrossAccounts: fc.constantFrom(false, false, true),
});

const maybe = (from: readonly string[]) => fc.option(fc.constantFrom(...from), { nil: undefined });
export const tags = fc.record({ tenant: maybe(tenants), user: maybe(['alice', '']) });

/** What a request may hold beyond the caller's own. */
export const request = fc.record({
  action: fc.constantFrom(...actions),
  resource: fc.constantFrom(...arns, '*'),
  keys: fc.record({
    'aws:ResourceTag/TenantId': maybe(tenants),
    'aws:ResourceTag/UserId': maybe(['alice', 'bob', '']),
    'aws:RequestTag/TenantId': maybe(tenants),
    'kms:EncryptionContext:TenantId': maybe(tenants),
    'kms:EncryptionContext:SecretARN': maybe(arns),
    'aws:SecureTransport': maybe(['true', 'false']),
    'aws:TokenIssueTime': maybe(['2025-01-01T00:00:00Z', ...dates, '2027-01-01T00:00:00Z', 'soon']),
  }),
  lists: fc.record({
    'aws:TagKeys': fc.array(fc.constantFrom('TenantId', 'UserId', ''), { maxLength: 3 }),
    'dynamodb:LeadingKeys': fc.array(fc.constantFrom('TENANT#acme#', 'TENANT#acme#x', 'TENANT#acme-2#', ''), { maxLength: 3 }),
    'kms:EncryptionContextKeys': fc.array(fc.constantFrom('acme', 'globex', ''), { maxLength: 2 }),
  }),
});
