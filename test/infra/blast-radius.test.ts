import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BlastRadii, type BlastRadius, createBlastRadii } from '../../cli/blast-radius/blast-radius.ts';
import { readStack } from '../../cli/blast-radius/stack.ts';
import { tenants } from '../../cli/blast-radius/stack-model.ts';
import { run } from '../../cli/run.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { createDedicatedTier } from '../../functions/tenants/dedicated-tier.aws.ts';
import { plantedTemplate, statementIn } from '../support/planted-template.ts';
import { templatePath } from '../support/template.ts';
import { fakeIo } from '../unit/cli/fake-io.ts';

const measured = (change?: Parameters<typeof plantedTemplate>[0]): BlastRadii => createBlastRadii(readStack(plantedTemplate(change)));

/** One line for each row, with every action: whatever a policy widens is another text. */
function written({ kind, subject, itself, tenants, secrets, rows }: BlastRadius): string {
  return [
    `${kind} ${subject}: itself ${itself}, with those it asks ${tenants}, values of secrets ${secrets}`,
    ...rows
      .map(({ thing, actions, verbs, tenants: of, through, asks }) =>
        [
          `  ${of}`,
          thing,
          `by ${through}`,
          (actions.length === 0 ? verbs : actions).join(' '),
          ...(asks.length === 0 ? [] : [`asks ${asks.join(' ')}`]),
        ].join(' | '),
      )
      .sort(),
  ].join('\n');
}

function of(radii: BlastRadii, kind: 'ofFunction' | 'ofRole', name: string): BlastRadius {
  const radius = radii[kind](name);
  if (radius === undefined) throw new Error(`the stack has no ${name}`);
  return radius;
}

let radii: BlastRadii;
beforeAll(() => {
  radii = measured();
});

describe('I9 the blast radius of everybody in the stack is known, and a wider one is seen', () => {
  let all: readonly BlastRadius[];
  beforeAll(() => {
    // A function's own role is the function without its callers' tokens.
    const roles = radii.roles.filter((name) => !name.endsWith('FunctionRole'));
    all = [...radii.functions.map((name) => of(radii, 'ofFunction', name)), ...roles.map((name) => of(radii, 'ofRole', name))];
  });

  it('is exactly what is written down, for every function and role, action by action', async () => {
    await expect(`${all.map(written).join('\n\n')}\n`).toMatchFileSnapshot('../fixtures/blast-radius.txt');
  });

  it('is one tenant for an environment of the broker, and for a session of each tenant role', () => {
    expect(of(radii, 'ofFunction', 'BrokerBroker')).toMatchObject({ itself: 'one', tenants: 'one', secrets: 'one' });
    const tenantRoles = all.filter(({ kind, subject }) => kind === 'role' && /^(Tenant|Byoc(Connector|Probe)$)/.test(subject));
    expect(tenantRoles.length).toBeGreaterThan(8);
    const beyond = tenantRoles.filter(({ tenants }) => tenants !== 'one').map(({ subject }) => subject);
    // It finds its tenant's key by tag, which shows names and tags of whatever there is, and nothing else of it.
    expect(beyond).toEqual(['TenantProvisioner']);
    const wide = of(radii, 'ofRole', 'TenantProvisioner').rows.filter(({ tenants }) => tenants !== 'one');
    expect(wide.map(({ actions }) => actions)).toEqual([['tag:GetResources']]);
  });

  it('is more than one tenant for these functions and no other', () => {
    const functions = all.filter(({ kind }) => kind === 'function');
    const names = (level: BlastRadius['itself']) =>
      functions
        .filter(({ itself }) => itself === level)
        .map(({ subject }) => subject)
        .sort();
    expect(names('all')).toEqual([
      ...['AccessWatch', 'BrokerDoor', 'ByocWorker', 'CutOff', 'IsolationTests', 'PolicyAudit', 'RateLimits', 'Revocation', 'Rotation'],
      ...['Sessions', 'Sweep', 'Tenants'],
    ]);
    expect(names('callers')).toEqual(['BrokerAuthorizer', 'BrokerEvidence', 'ByocConnections', 'IsolationApi', 'RevocationsApi']);
    const reading = functions.filter(({ secrets }) => secrets === 'all').map(({ subject }) => subject);
    expect(reading.sort()).toEqual(['AccessWatch', 'IsolationTests', 'Revocation', 'Rotation', 'Sessions', 'Tenants']);
  });

  it('is one tenant for a user, whatever the code that holds the session does, and no other user’s secret', () => {
    const rows = radii.ofUsersSession();
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(({ tenants }) => tenants !== 'one')).toEqual([]);
    expect(rows.map(({ thing }) => thing)).toContain('secrets of the user');
    expect(rows.map(({ thing }) => thing)).not.toContain('secrets of other users');
  });
});

describe('I9 P3 the command', () => {
  const typed = async (...line: string[]) => {
    const io = fakeIo();
    const exitCode = await run(['blast-radius', '--template', resolve(templatePath), ...line], io);
    return { exitCode, ...io.printed, read: (file: string) => readFileSync(join(io.directory, file), 'utf8') };
  };

  it('shows everybody at a glance, without a cloud, and says which policies it has read', async () => {
    const { exitCode, out, err } = await typed();
    expect([exitCode, err]).toEqual([0, expect.stringContaining(resolve(templatePath))]);
    expect(out).toMatch(/^BrokerBroker +function +one +one +one$/m);
    expect(out).toMatch(/^Rotation +function +all +all +all$/m);
    expect(out).toMatch(/^BrokerDescription +function +- +- +-$/m);
  });

  it('shows one by the end of its name, draws it, and gives the same as a document', async () => {
    const { exitCode, out, read } = await typed('--function', 'broker', '--graph', 'broker.svg');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^one +become +customer’s roles for the tenant +ByocConnector$/m);
    expect(read('broker.svg')).toContain('Blast radius of the function BrokerBroker');
    const { kind, subject, tenants: level, rows } = JSON.parse((await typed('--role', 'TenantAgent-globex.writer', '--json')).out);
    expect([kind, subject, level]).toEqual(['role', 'TenantAgent-{tenant}.writer', 'one']);
    expect(rows).toContainEqual(
      expect.objectContaining({ thing: 'secrets of a dedicated tenant', verbs: expect.arrayContaining(['delete']) }),
    );
  });

  it('says which there are when a name is none, or more than one', async () => {
    for (const name of ['nobody', 'Role'])
      expect(await typed('--role', name)).toMatchObject({ exitCode: 1, out: '', err: expect.stringContaining('TenantReader') });
  });
});

describe('I9 what no template holds is read as it is made', () => {
  it('gives a dedicated tenant’s roles the policies and tags that the worker gives them', async () => {
    const settings = {
      ...{ roleArnPrefix: 'arn:aws:iam::111122223333:role/cordon/TenantAgent-', poolKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/pool' },
      ...{
        boundaryArn: 'boundary',
        isolationPolicyArn: 'isolation',
        revokedPolicyArn: 'revoked',
        readerPolicyArn: 'reader',
        writerPolicyArn: 'writer',
      },
      ...{
        sessionsRoleArn: 's',
        tenantsRoleArn: 't',
        doorRoleArn: 'd',
        rotationRoleArn: 'r',
        revocationRoleArn: 'v',
        supplierRoleArn: 'u',
      },
    };
    const calls: URLSearchParams[] = [];
    const client = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
      requestHandler: {
        async handle({ body }: { readonly body?: unknown }) {
          calls.push(new URLSearchParams(String(body)));
          return { response: { statusCode: 200, headers: {}, body: new Uint8Array() } };
        },
      },
    };
    const tier = createDedicatedTier(
      {
        iam: new IAMClient(client),
        kms: new KMSClient(client),
        kmsOnce: new KMSClient(client),
        tagging: new ResourceGroupsTaggingAPIClient(client),
      },
      settings,
    );
    await tier.ensureRoles(tenantId.parse(tenants.own));

    const stack = readStack(plantedTemplate());
    const names: Readonly<Record<string, string>> = {
      isolation: 'TenantIsolation',
      revoked: 'Revoked',
      reader: 'TenantReaderAccess',
      writer: 'TenantWriterAccess',
    };
    for (const made of calls.filter((call) => call.get('Action') === 'CreateRole')) {
      const name = made.get('RoleName');
      const role = stack.roles.find((one) => one.name === name);
      const attached = calls
        .filter((call) => call.get('Action') === 'AttachRolePolicy' && call.get('RoleName') === name)
        .map((call) => names[call.get('PolicyArn') ?? '']);
      expect(role?.identity.map((policy) => policy.name).sort()).toEqual(attached.sort());
      expect(role?.boundary?.name).toBe('TenantBoundary');
      expect(made.get('PermissionsBoundary')).toBe('boundary');
      const tags = [1, 2, 3].flatMap((at) =>
        made.has(`Tags.member.${at}.Key`) ? [[made.get(`Tags.member.${at}.Key`), made.get(`Tags.member.${at}.Value`)]] : [],
      );
      expect(role?.tags).toEqual(Object.fromEntries(tags));
    }
    expect(calls.filter((call) => call.get('Action') === 'CreateRole')).toHaveLength(2);
  });
});

describe('I9 what is planted in the policies widens the blast radius', () => {
  it.each<[string, 'ofFunction' | 'ofRole', string, Partial<BlastRadius>, Parameters<typeof plantedTemplate>[0]]>([
    [
      'a tenant role that reads every path and tag',
      'ofRole',
      'TenantReader',
      { tenants: 'all', secrets: 'all' },
      ({ policy }) => {
        for (const name of ['TenantIsolation', 'TenantBoundary'])
          for (const sid of ['DenySecretsOfOtherPaths', 'DenySecretsOfOtherTags'])
            statementIn(policy(name), sid)['Action'] = 'secretsmanager:ListSecrets';
        Object.assign(statementIn(policy('TenantReaderAccess'), 'ReadOwnSecrets'), { Resource: '*', Condition: {} });
      },
    ],
    [
      'leading keys without their delimiter',
      'ofRole',
      'TenantReader',
      { tenants: 'all' },
      ({ policy }) => {
        for (const name of ['TenantIsolation', 'TenantBoundary', 'TenantReaderAccess']) {
          const text = JSON.stringify(policy(name)).replaceAll(
            'TENANT#${aws:PrincipalTag/TenantId}#*',
            'TENANT#${aws:PrincipalTag/TenantId}*',
          );
          policy(name).splice(0, policy(name).length, ...JSON.parse(text));
        }
      },
    ],
    [
      'a connector that takes whichever tenant is asked for',
      'ofRole',
      'TenantReader',
      { tenants: 'all' },
      ({ trust }) => {
        Object.assign(statementIn(trust('ByocConnector'), 'ConnectOwnCustomer'), { Condition: {} });
      },
    ],
    [
      'a broker whose environments serve many tenants',
      'ofFunction',
      'BrokerBroker',
      { tenants: 'callers', secrets: 'callers' },
      ({ resource }) => {
        resource('AWS::Lambda::Function', 'BrokerBrokerFunction')['TenancyConfig'] = undefined;
      },
    ],
    [
      'a function that may call another worker',
      'ofFunction',
      'BrokerEvidence',
      { itself: 'callers', tenants: 'all' },
      ({ inline }) => {
        inline('BrokerEvidenceFunctionRole').push({
          Sid: 'Planted',
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Resource: 'arn:aws:sqs:*:*:*',
        });
      },
    ],
    [
      'a function that may do anything its boundary leaves it',
      'ofFunction',
      'BrokerDescription',
      { itself: 'all' },
      ({ inline }) => {
        inline('BrokerDescriptionFunctionRole').push({ Sid: 'Planted', Effect: 'Allow', Action: '*', Resource: '*' });
      },
    ],
    [
      'a queue that lets everybody in',
      'ofRole',
      'anybody in the account',
      { tenants: 'all' },
      ({ resource }) => {
        const everybody = { Sid: 'Planted', Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' };
        resource('AWS::SQS::QueuePolicy', 'RotationQueuePolicy')['PolicyDocument'] = { Version: '2012-10-17', Statement: [everybody] };
      },
    ],
    [
      'a function that lets everybody call it',
      'ofRole',
      'anybody in the account',
      { tenants: 'all' },
      ({ resource }) => {
        resource('AWS::Lambda::Permission', 'BrokerApiApiPermissionApiScopedCordonBrokerDoorFunction')['Principal'] = '*';
      },
    ],
    [
      'a schedule that may read what nobody thought of',
      'ofRole',
      'SweepScheduleRole',
      { itself: 'all' },
      ({ inline }) => {
        inline('SweepScheduleRole').push({ Sid: 'Planted', Effect: 'Allow', Action: 's3:Put*', Resource: '*' });
      },
    ],
  ])('%s', (_, kind, name, expected, change) => {
    expect(of(radii, kind, name)).not.toMatchObject(expected);
    expect(of(measured(change), kind, name)).toMatchObject(expected);
  });
});

describe('I9 what holds still holds it', () => {
  it('a trust policy that takes no tags lets nobody in for a tenant', () => {
    const without = measured(({ trust }) => {
      for (const one of trust('TenantSupplier')) one['Action'] = 'sts:AssumeRole';
    });
    const through = (radius: BlastRadius): string[] => radius.rows.map((row) => row.through);
    expect(through(of(radii, 'ofFunction', 'BrokerDoor'))).toContain('TenantSupplier');
    expect(through(of(without, 'ofFunction', 'BrokerDoor'))).not.toContain('TenantSupplier');
  });

  it('a function that may do anything by its own policy touches no tenant’s secret or item itself: its boundary', () => {
    const wide = measured(({ inline }) => {
      inline('BrokerDescriptionFunctionRole').push({ Sid: 'Planted', Effect: 'Allow', Action: '*', Resource: '*' });
    });
    const own = of(wide, 'ofFunction', 'BrokerDescription').rows.filter(({ through }) => through === 'BrokerDescriptionFunctionRole');
    expect(own.length).toBeGreaterThan(20);
    expect(own.map(({ thing }) => thing).filter((thing) => /^(secrets of|items of (Registry|Attribution)Table)/.test(thing))).toEqual([]);
  });
});
