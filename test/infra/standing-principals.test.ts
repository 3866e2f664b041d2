import { describe, expect, it } from 'vitest';
import {
  account,
  attributionTable,
  type Context,
  registryTable,
  role,
  secret,
  secretsManagerHost,
  tagged,
  tenantKey,
  throughSecretsManager,
} from '../fixtures/attacks.ts';
import { decideOwn, functionNames, ownStatements, statementsOf } from '../support/policies.ts';

interface Row {
  readonly name: string;
  readonly action: string;
  readonly resource: string;
  readonly context?: Context;
  readonly functions?: string;
  readonly operator?: string;
}

const policyArn = (name: string): string => `arn:aws:iam::${account}:policy/cordon/${name}`;
const item = { 'dynamodb:LeadingKeys': ['TENANT#acme#'] };

/** What is tried, and the Deny that must speak: of the functions' boundary, and of the operator's policy. */
const rows: readonly Row[] = [
  {
    name: "reads a tenant's secret",
    action: 'secretsmanager:GetSecretValue',
    resource: secret('acme'),
    context: tagged('acme'),
    functions: 'DenyTenantSecrets',
    operator: 'DenySecretsAndKeys',
  },
  {
    name: "deletes a tenant's secret",
    action: 'secretsmanager:DeleteSecret',
    resource: secret('acme'),
    context: tagged('acme'),
    functions: 'DenyTenantSecrets',
    operator: 'DenySecretsAndKeys',
  },
  {
    name: 'creates a secret for a tenant',
    action: 'secretsmanager:CreateSecret',
    resource: secret('acme'),
    context: { 'aws:RequestTag/TenantId': 'acme', 'aws:TagKeys': ['TenantId'] },
    functions: 'DenyTenantSecrets',
    operator: 'DenySecretsAndKeys',
  },
  {
    name: 'puts a resource policy on a secret',
    action: 'secretsmanager:PutResourcePolicy',
    resource: secret('acme'),
    context: tagged('acme'),
    functions: 'DenyTenantSecrets',
    operator: 'DenySecretsAndKeys',
  },
  { name: 'lists secrets', action: 'secretsmanager:ListSecrets', resource: '*', operator: 'DenySecretsAndKeys' },
  { name: "reads a tenant's item", action: 'dynamodb:GetItem', resource: registryTable, context: item, functions: 'DenyTenantItems' },
  { name: "writes a tenant's item", action: 'dynamodb:PutItem', resource: registryTable, context: item, functions: 'DenyTenantItems' },
  { name: 'scans the registry', action: 'dynamodb:Scan', resource: registryTable, functions: 'DenyTenantItems' },
  {
    name: 'inserts attribution',
    action: 'dynamodb:PartiQLInsert',
    resource: attributionTable,
    context: { 'dynamodb:LeadingKeys': ['TENANT#acme#2026-11-01'] },
    functions: 'DenyTenantItems',
  },
  {
    name: "decrypts a tenant's secret",
    action: 'kms:Decrypt',
    resource: tenantKey,
    context: throughSecretsManager('acme'),
    functions: 'DenyTenantKeyUse',
    operator: 'DenySecretsAndKeys',
  },
  {
    name: 'uses the key for a tenant by name',
    action: 'kms:GenerateDataKey',
    resource: tenantKey,
    context: { 'kms:EncryptionContext:TenantId': 'acme', 'kms:EncryptionContextKeys': ['TenantId'] },
    functions: 'DenyTenantKeyUseByName',
    operator: 'DenySecretsAndKeys',
  },
  {
    name: 'makes a role',
    action: 'iam:CreateRole',
    resource: role('TenantAgent-acme'),
    functions: 'DenyIdentityChanges',
    operator: 'DenyIdentityChanges',
  },
  {
    name: 'loosens its boundary',
    action: 'iam:DeleteRolePermissionsBoundary',
    resource: role('TenantReader'),
    functions: 'DenyIdentityChanges',
    operator: 'DenyIdentityChanges',
  },
  {
    name: 'writes another policy',
    action: 'iam:CreatePolicyVersion',
    resource: policyArn('TenantIsolation'),
    functions: 'DenyIdentityChanges',
    operator: 'DenyIdentityChanges',
  },
  {
    name: 'puts an older version of what is cut off into force',
    action: 'iam:SetDefaultPolicyVersion',
    resource: policyArn('Revoked'),
    functions: 'DenyOtherChangesOfRevoked',
    operator: 'DenyIdentityChanges',
  },
  { name: 'writes what is cut off', action: 'iam:CreatePolicyVersion', resource: policyArn('Revoked'), operator: 'DenyIdentityChanges' },
  { name: 'becomes a tenant reader', action: 'sts:AssumeRole', resource: role('TenantReader'), operator: 'DenyOtherRoles' },
  { name: 'becomes a tenant writer', action: 'sts:AssumeRole', resource: role('TenantWriter'), operator: 'DenyOtherRoles' },
];

const denySids = (policy: string): string[] =>
  statementsOf(policy).flatMap(({ Effect, Sid }) => (Effect === 'Deny' ? [Sid ?? '(no Sid)'] : []));

describe('1 zero standing access: a function’s own role', () => {
  const forFunctions = rows.filter(({ functions }) => functions !== undefined);

  it.each(functionNames.flatMap((who) => forFunctions.map((row) => [`${who} ${row.name}`, who, row] as const)))(
    'refuses, also against a resource policy that lets everyone in: %s',
    (_, who, row) => {
      for (const letIn of [false, true]) {
        const { allowed, denies } = decideOwn(who, row, letIn);
        expect(allowed).toBe(false);
        expect(denies.map(({ policy, sid }) => `${policy}/${sid}`)).toContain(`FunctionBoundary/${row.functions}`);
      }
    },
  );

  it('has an attack for every Deny of the functions’ boundary', () => {
    expect([...new Set(forFunctions.map(({ functions }) => functions))].sort()).toEqual(denySids('FunctionBoundary').sort());
  });

  it.each([
    ['Sessions', 'sts:AssumeRole', role('TenantWriter')],
    ['Sessions', 'sts:AssumeRole', role('TenantProvisioner')],
    ['Sessions', 'sts:AssumeRole', role('TenantAuditor')],
    ['Sessions', 'sts:AssumeRole', role('ByocConnector')],
    ['Sessions', 'sts:AssumeRole', role('TenantAgent-acme.writer')],
    ['Sessions', 'secretsmanager:ListSecrets', '*'],
    ['Sessions', 'events:PutEvents', `arn:aws:events:us-east-1:${account}:event-bus/any`],
    ['Tenants', 'sts:AssumeRole', role('TenantReader')],
    ['Tenants', 'sts:AssumeRole', role('TenantAuditor')],
    ['Tenants', 'sts:AssumeRole', role('TenantAgent-acme')],
    ['Tenants', 'secretsmanager:ListSecrets', '*'],
    ['Tenants', 'lambda:InvokeFunction', `arn:aws:lambda:us-east-1:${account}:function:any`],
    ['Tenants', 'sts:AssumeRole', role('TenantSupplier')],
    ['Sessions', 'sts:AssumeRole', role('TenantSupplier')],
    ['Door', 'sts:AssumeRole', role('TenantReader')],
    ['Door', 'sts:AssumeRole', role('TenantWriter')],
    ['Door', 'sts:AssumeRole', role('TenantAgent-acme')],
    ['Door', 'lambda:InvokeFunction', `arn:aws:lambda:us-east-1:${account}:function:any`],
    ['Door', 'events:PutEvents', `arn:aws:events:us-east-1:${account}:event-bus/any`],
    ...[
      'TenantReader',
      'TenantProvisioner',
      'TenantSupplier',
      'TenantAuditor',
      'ByocConnector',
      'ByocProbe',
      'TenantAgent-acme.writer',
    ].map((name) => ['Worker', 'sts:AssumeRole', role(name)] as const),
    ['Worker', 'sts:AssumeRole', 'arn:aws:iam::444455556666:role/cordon.acme.x1'],
    ['Worker', 'lambda:InvokeFunction', `arn:aws:lambda:us-east-1:${account}:function:any`],
    ['Worker', 'events:PutEvents', `arn:aws:events:us-east-1:${account}:event-bus/any`],
    ['Worker', 's3:PutObject', 'arn:aws:s3:::any/customer-role/x.yaml'],
    ['Worker', 'kms:Sign', tenantKey],
    ['Connections', 's3:PutObject', 'arn:aws:s3:::any/customer-role/x.yaml'],
    ['Sweep', 'dynamodb:Query', registryTable],
    ['Sweep', 'dynamodb:Query', attributionTable],
    ['Sweep', 'dynamodb:Query', `${attributionTable}/index/byUser`],
    ['Sweep', 'dynamodb:UpdateItem', registryTable],
    ['Sweep', 'sqs:ReceiveMessage', `arn:aws:sqs:us-east-1:${account}:any`],
    ...functionNames.filter((who) => who !== 'Sweep').map((who) => [who, 'dynamodb:Query', `${registryTable}/index/due`] as const),
    ...(['Broker', 'Evidence', 'Authorizer', 'Description', 'Connections', 'RevocationsApi', 'Sweep'] as const).flatMap((who) => [
      ...[
        'TenantReader',
        'TenantWriter',
        'TenantSupplier',
        'TenantProvisioner',
        'TenantAuditor',
        'ByocConnector',
        'ByocProbe',
        'TenantAgent-acme',
        'TenantAgent-acme.writer',
      ].map((name) => [who, 'sts:AssumeRole', role(name)] as const),
      [who, 'events:PutEvents', `arn:aws:events:us-east-1:${account}:event-bus/any`] as const,
      [who, 'lambda:InvokeFunction', `arn:aws:lambda:us-east-1:${account}:function:any`] as const,
      [who, 'sts:GetWebIdentityToken', '*'] as const,
    ]),
  ] as const)('%s may not %s on %s', (who, action, resource) => {
    expect(decideOwn(who, { action, resource, context: { 'events:source': 'cordon.platform' } }).allowed).toBe(false);
  });

  it.each([
    ['Sessions', role('TenantReader')],
    ['Sessions', role('TenantAgent-acme')],
    ['Tenants', role('TenantWriter')],
    ['Tenants', role('TenantProvisioner')],
    ['Tenants', role('TenantAgent-acme.writer')],
    ['Worker', role('TenantWriter')],
    ['Door', role('TenantSupplier')],
    ['Door', role('TenantAgent-acme.writer')],
  ] as const)('%s mints %s, which is what it is for', (who, resource) => {
    expect(decideOwn(who, { action: 'sts:AssumeRole', resource }).allowed).toBe(true);
  });
});

describe('what standing principals are for stays possible', () => {
  const resourceOf = (kind: Parameters<typeof ownStatements>[0], sid: string): string => {
    const [resource] = [ownStatements(kind).find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
    if (resource === undefined) throw new Error(`${kind} has no ${sid}`);
    return resource;
  };

  it('lets tenants put a message aside and open the provider’s admin key through Secrets Manager, in the admin key’s own context only', () => {
    expect(decideOwn('Tenants', { action: 'sqs:SendMessage', resource: resourceOf('Tenants', 'PutAside') }).allowed).toBe(true);
    const admin = resourceOf('Tenants', 'ReadAdminKeys');
    const key = resourceOf('Tenants', 'DecryptAdminKeys');
    const open = (SecretARN: string) =>
      decideOwn('Tenants', {
        action: 'kms:Decrypt',
        resource: key,
        context: { 'kms:ViaService': secretsManagerHost, 'kms:EncryptionContext:SecretARN': SecretARN },
      }).allowed;
    expect(decideOwn('Tenants', { action: 'secretsmanager:GetSecretValue', resource: admin }).allowed).toBe(true);
    expect([open(admin), open(`${admin}x`)]).toEqual([true, false]);
  });

  it('lets the operator redrive a queue and read a log', () => {
    expect(
      decideOwn('operator', { action: 'sqs:StartMessageMoveTask', resource: resourceOf('operator', 'ReadAndRedriveQueues') }).allowed,
    ).toBe(true);
    expect(decideOwn('operator', { action: 'logs:FilterLogEvents', resource: resourceOf('operator', 'ReadLogs') }).allowed).toBe(true);
  });
});

describe('I11 the broker cannot choose its tenant', () => {
  it('may invoke the function that mints sessions from tokens and nothing else', () => {
    const beyondItsLogs = (who: 'Broker' | 'Evidence') =>
      ownStatements(who).filter(({ Sid }) => Sid !== 'WriteOwnLogs' && Sid !== 'WriteTraces');
    for (const who of ['Broker', 'Evidence'] as const) {
      expect(beyondItsLogs(who)).toEqual([
        expect.objectContaining({
          Sid: 'AskForOwnSession',
          Action: 'lambda:InvokeFunction',
          Resource: expect.stringContaining('SessionsFunction'),
        }),
      ]);
    }
  });

  it('reports violations, that a provider throttles, and names that may be decoys’, by way of the function that verifies the token, which may announce nothing else', () => {
    const [bus] = [ownStatements('Sessions').find(({ Sid }) => Sid === 'ReportViolations')?.Resource ?? []].flat();
    const announce = (type: string, source = 'cordon') =>
      decideOwn('Sessions', {
        action: 'events:PutEvents',
        resource: bus ?? '',
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    expect([
      announce('IsolationViolationDetected'),
      announce('ProviderThrottled'),
      announce('LikelyDecoyNamed'),
      announce('TenantProvisioned'),
      announce('IsolationViolationDetected', 'cordon.platform'),
      announce('LikelyDecoyNamed', 'cordon.platform'),
    ]).toEqual([true, true, true, false, false, false]);
  });
});

describe('B4 the door', () => {
  it('announces what was supplied, what IAM refused and what may be a decoy’s name, as Cordon, and nothing else', () => {
    const [bus] = [ownStatements('Door').find(({ Sid }) => Sid === 'AnnounceSupplied')?.Resource ?? []].flat();
    const announce = (type: string, source = 'cordon') =>
      decideOwn('Door', {
        action: 'events:PutEvents',
        resource: bus ?? '',
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    const own = ['CredentialProvisioned', 'IsolationViolationDetected', 'LikelyDecoyNamed'];
    expect(own.map((type) => announce(type))).toEqual([true, true, true]);
    const others = ['TenantProvisioned', 'TenantOnboarded', 'CredentialSupplied', 'ProviderThrottled'];
    expect(others.map((type) => announce(type))).toEqual([false, false, false, false]);
    expect(announce('LikelyDecoyNamed', 'cordon.platform')).toBe(false);
    expect(announce('CredentialProvisioned', 'cordon.platform')).toBe(false);
  });
});

describe('an operator', () => {
  const forOperator = rows.filter(({ operator }) => operator !== undefined);

  it.each(forOperator.map((row) => [row.name, row] as const))(
    'is refused, also against a resource policy that lets everyone in: %s',
    (_, row) => {
      for (const letIn of [false, true]) {
        const { allowed, denies } = decideOwn('operator', row, letIn);
        expect(allowed).toBe(false);
        expect(denies.map(({ policy, sid }) => `${policy}/${sid}`)).toContain(`OperatorAccess/${row.operator}`);
      }
    },
  );

  it('has an attack for every Deny of the operator’s policy', () => {
    expect([...new Set(forOperator.map(({ operator }) => operator))].sort()).toEqual(denySids('OperatorAccess').sort());
  });

  it('reads the registry and audits one tenant, and writes neither registry nor attribution', () => {
    expect(decideOwn('operator', { action: 'dynamodb:Scan', resource: registryTable }).allowed).toBe(true);
    expect(decideOwn('operator', { action: 'sts:AssumeRole', resource: role('TenantAuditor') }).allowed).toBe(true);
    for (const action of ['PutItem', 'UpdateItem', 'DeleteItem', 'PartiQLInsert']) {
      expect(decideOwn('operator', { action: `dynamodb:${action}`, resource: registryTable, context: item }).allowed, action).toBe(false);
    }
    for (const action of ['GetItem', 'Query', 'Scan', 'PutItem']) {
      expect(decideOwn('operator', { action: `dynamodb:${action}`, resource: attributionTable, context: item }).allowed, action).toBe(
        false,
      );
    }
  });

  it('reads the outputs of its own stack, of no other, and changes none', () => {
    const [own = ''] = [statementsOf('OperatorAccess').find(({ Sid }) => Sid === 'ReadOutputs')?.Resource ?? []].flat();
    const stack = (name: string): string => own.replace(/stack\/Cordon\/\*$/, `stack/${name}/1b2c`);
    expect(stack('Shop')).toContain(':stack/Shop/');
    const may = (action: string, name: string): boolean =>
      decideOwn('operator', { action: `cloudformation:${action}`, resource: stack(name) }).allowed;
    expect(may('DescribeStacks', 'Cordon')).toBe(true);
    expect(['Shop', 'Cordon-2'].map((name) => may('DescribeStacks', name))).toEqual([false, false]);
    expect(['CreateStack', 'UpdateStack', 'DeleteStack', 'GetTemplate'].map((action) => may(action, 'Cordon'))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('publishes as the platform and as nobody else', () => {
    const [bus] = [statementsOf('OperatorAccess').find(({ Sid }) => Sid === 'PublishPlatformEvents')?.Resource ?? []].flat();
    const publish = (source: string) =>
      decideOwn('operator', { action: 'events:PutEvents', resource: bus ?? '', context: { 'events:source': source } }).allowed;
    expect([publish('cordon.platform'), publish('cordon'), publish('aws.ec2')]).toEqual([true, false, false]);
  });
});
