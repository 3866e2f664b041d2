import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { createActions, verbOf } from '../../../cli/blast-radius/actions.ts';
import { summary } from '../../../cli/blast-radius/blast-radius.ts';
import { widest } from '../../../cli/blast-radius/level.ts';
import type { Row } from '../../../cli/blast-radius/reach.ts';
import { accountOf, agentReach, credentialReach, type TenantFacts, userReach } from '../../../cli/blast-radius/registry-reach.ts';
import { run } from '../../../cli/run.ts';
import { blastRadiusHtml, blastRadiusMermaid, blastRadiusSvg } from '../../../cli/views/blast-radius-graph.ts';
import { blastRadiusLines, grouped } from '../../../cli/views/blast-radius-view.ts';
import { userId } from '../../../functions/shared/identifier-fields.ts';
import { type CredentialItem, credentialItem, type TenantItem, tenantItem, userItem } from '../../../functions/tenants/registry.ts';
import { emptyDirectory, fakeIo } from './fake-io.ts';

const written = {
  ...{ tenantId: 'acme', epoch: 0, version: 1, writeId: 'w', requestedBy: 'op', announced: true, attempt: 1, leaseUntil: 0 },
  ...{ createdAt: '2026-11-21T12:00:00Z', updatedAt: '2026-11-21T12:00:00Z' },
};
const [ana, ben] = [userId.parse('a'.repeat(26)), userId.parse('b'.repeat(26))];

function credential(id: string, over: object = {}): CredentialItem {
  return credentialItem.parse({
    ...written,
    ...{ kind: 'CREDENTIAL', credentialId: id, provider: 'openai', source: 'platform-issued', environment: 'production' },
    ...{ tier: 'pool', status: 'active', secretMayExist: true },
    ...over,
  });
}

function tenant(over: object = {}): TenantItem {
  return tenantItem.parse({
    ...written,
    ...{
      kind: 'TENANT',
      status: 'active',
      displayName: 'Acme',
      tier: 'pool',
      plan: [],
      rules: [],
      rulesVersion: 0,
      rulesEventIds: [],
      rulesAnnounced: true,
    },
    accounts: { openai: { attempt: 1, accountId: 'proj_1' } },
    ...over,
  });
}

const facts = (over: Partial<TenantFacts> = {}): TenantFacts => ({ tenant: tenant(), credentials: [], connections: [], ...over });
const things = ({ rows }: { readonly rows: readonly Row[] }): string[] => rows.map(({ thing }) => thing);

describe('I9 the blast radius of a credential', () => {
  it('is more than one tenant when the registry has another one in the same account at the provider', () => {
    const reach = credentialReach(credential('main'), facts(), ['globex']);
    expect(reach.tenants).toBe('all');
    expect(things(reach)).toContain('globex, kept in the same account at openai');
  });

  it('is the tenant’s own account, and what that account’s other keys may use up', () => {
    const [main, spare, other] = [credential('main'), credential('spare'), credential('else', { provider: 'mistral' })];
    const reach = credentialReach(main, facts({ credentials: [main, spare, other] }), []);
    expect(reach).toMatchObject({ tenants: 'one', itself: 'one', secrets: 'none' });
    expect(things(reach)).toEqual(['the tenant’s account at openai (proj_1)', 'limits of spare, in the same account']);
  });

  it('of a customer’s own key is what the customer lets it do, wherever Cordon’s own account is', () => {
    const own = credential('own', { source: 'customer-supplied' });
    expect(accountOf(own, facts())).toBeUndefined();
    expect(things(credentialReach(own, facts({ credentials: [own, credential('main')] }), []))).toEqual([
      'whatever the customer lets this key do at openai',
    ]);
  });

  it('is nothing once every provider refuses it, and not before', () => {
    const ending = {
      ...{
        revocationId: '01',
        requestedBy: 'op',
        reason: 'leak',
        since: 1,
        versions: [],
        heldUntil: 0,
        nextAt: 0,
        probes: 0,
        setbacks: 0,
        announced: true,
      },
    };
    const revoked = (phase: string): CredentialItem => credential('main', { status: 'revoked', ending: { ...ending, phase } });
    expect(credentialReach(revoked('unconfirmed'), facts(), []).tenants).toBe('one');
    expect(credentialReach(revoked('ended'), facts(), [])).toMatchObject({ tenants: 'none', rows: [] });
  });
});

describe('I9 the blast radius of a user and of an agent', () => {
  const credentials = [
    credential('shared'),
    credential('anas', { userId: ana }),
    credential('bens', { userId: ben }),
    credential('dead', { status: 'revoked' }),
    credential('awaited', { status: 'awaiting' }),
    credential('connected', { source: 'customer-role', provider: 'bedrock', connectionId: '444455556666', status: 'recorded' }),
  ];
  const uses = (reach: { readonly rows: readonly Row[] }): string[] =>
    reach.rows.filter(({ through }) => through === 'broker').map(({ thing }) => thing.split(' ')[0] ?? '');

  it('holds no other user’s credential, and none that is not in use', () => {
    const reach = userReach(ana, undefined, facts({ credentials }), []);
    expect(uses(reach)).toEqual(['shared', 'anas']);
    expect(reach.tenants).toBe('one');
  });

  it('is nothing while the user or the tenant is out', () => {
    const item = (status: string) =>
      userItem.parse({ ...written, kind: 'USER', userId: ana, status, issuer: 'https://a.example', subject: 'ana' });
    expect(userReach(ana, item('suspended'), facts({ credentials }), []).rows).toEqual([]);
    expect(userReach(ana, item('offboarded'), facts({ credentials }), []).rows).toEqual([]);
    expect(userReach(ana, item('active'), facts({ credentials }), []).rows).not.toEqual([]);
    expect(userReach(ana, item('active'), facts({ credentials, tenant: tenant({ status: 'suspended' }) }), []).rows).toEqual([]);
  });

  it('of an agent counts every user whom it may act for, in its one tenant', () => {
    const reach = agentReach('bot', facts({ credentials }), []);
    expect(uses(reach)).toEqual(['shared', 'anas', 'bens']);
    expect(reach.tenants).toBe('one');
  });

  it('is as wide as what IAM allows the session of a user, which is shown as the broker’s', () => {
    const wide: Row = { thing: 'items', actions: ['dynamodb:Scan'], verbs: ['read'], tenants: 'all', through: 'TenantReader', asks: [] };
    const reach = userReach(ana, undefined, facts(), [wide]);
    expect(reach.tenants).toBe('all');
    expect(reach.rows.at(-1)?.through).toMatch(/^TenantReader \(a session that the broker holds/);
  });
});

describe('I9 what is tried', () => {
  const actionsOf = (statement: object) => createActions({ documents: [{ Statement: { Effect: 'Allow', Resource: '*', ...statement } }] });

  it('is every action of AWS’s list, and where there is none one that fits each pattern', () => {
    expect(actionsOf({ Action: 's3:Put*' })('s3')).toEqual(['s3:PutAnything']);
    expect(actionsOf({ Action: ['*', 's3:GetObject'] })('s3')).toEqual(['s3:Anything', 's3:GetObject']);
    expect(actionsOf({ NotAction: 'iam:*' })('s3')).toEqual(['s3:Anything']);
    expect(actionsOf({ Action: 'kms:Decrypt' })('secretsmanager')).toEqual(expect.arrayContaining(['secretsmanager:GetSecretValue']));
  });

  it('is called by a plain word, and by change when there is none', () => {
    const said = [
      'secretsmanager:GetSecretValue',
      'secretsmanager:DescribeSecret',
      'dynamodb:PartiQLInsert',
      'kms:Decrypt',
      'sqs:SendMessage',
    ];
    expect(said.map(verbOf)).toEqual(['read', 'list', 'add', 'decrypt', 'send']);
    expect(verbOf('s3:PutAnything')).toBe('change');
  });
});

const hostile = 'x"><script>alert(1)</script>\u001b[2J';
const drawn = summary('credential', hostile, [
  { thing: hostile, actions: [], verbs: ['use'], tenants: 'one', through: hostile, asks: [hostile] },
  { thing: 'b', actions: [], verbs: ['use'], tenants: 'all', through: 'c', asks: [] },
]);

describe('I9 the drawing', () => {
  it('is well formed and runs and loads nothing, whatever a name holds', () => {
    for (const text of [blastRadiusSvg(drawn), blastRadiusHtml(drawn)]) {
      expect(text).not.toMatch(/<script|\p{Cc}(?<!\n)|href|url\(/u);
      expect(text).toContain('&lt;script&gt;');
    }
    expect(XMLValidator.validate(blastRadiusSvg(drawn))).toBe(true);
    expect(blastRadiusHtml(drawn)).toContain("default-src 'none'");
  });

  it('as Mermaid’s text has no name that ends a label', () => {
    const text = blastRadiusMermaid(drawn);
    expect(text).not.toMatch(/<script|\p{Cc}(?<!\n)/u);
    for (const line of text.split('\n')) expect(line.split('"').length % 2, line).toBe(1);
    expect(text).toContain(':::all');
  });

  it('and the table show the same, the widest first, each thing once', () => {
    expect(grouped(drawn.rows).map(({ tenants }) => tenants)).toEqual(['all', 'one']);
    expect(blastRadiusLines(drawn).join('\n')).not.toContain('\u001b');
    expect(widest([])).toBe('none');
    expect(widest(['one', 'all', 'callers'])).toBe('all');
  });
});

describe('I9 P3 the command', () => {
  const typed = async (line: readonly string[], directory = emptyDirectory()) => {
    const io = fakeIo({ directory });
    const exitCode = await run(['blast-radius', ...line], io);
    return { exitCode, ...io.printed };
  };

  it.each<[string, readonly string[], RegExp]>([
    ['two things at once', ['--role', 'a', '--function', 'b'], /Name one of --function/],
    ['a credential of nobody', ['--credential', 'main'], /Name whose it is with --tenant/],
    ['a tenant and nothing of it', ['--tenant', 'acme'], /Name one of --credential/],
    ['a function of a tenant', ['--function', 'broker', '--tenant', 'acme'], /--tenant goes with/],
    ['a drawing in a form that there is none of', ['--role', 'a', '--graph', 'x.png'], /--graph: must end in/],
  ])('does not understand %s', async (_, line, why) => {
    expect(await typed(line)).toMatchObject({ exitCode: 2, out: '', err: expect.stringMatching(why) });
  });

  it('says how to make the template when there is none, or another file in its place', async () => {
    const directory = emptyDirectory();
    expect(await typed(['--role', 'a', '--template', 'none.json'], directory)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('npm run synth'),
    });
    writeFileSync(join(directory, 'bad.json'), '{');
    expect(await typed(['--role', 'a', '--template', 'bad.json'], directory)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('no template'),
    });
  });

  it('reads a template that it does not understand not at all', async () => {
    const directory = emptyDirectory();
    writeFileSync(
      join(directory, 'odd.json'),
      JSON.stringify({
        Resources: { A: { Type: 'AWS::IAM::Policy', Properties: { PolicyDocument: { Statement: { Effect: 'Maybe' } } } } },
      }),
    );
    const { exitCode, out } = await typed(['--role', 'a', '--template', 'odd.json'], directory);
    expect([exitCode, out]).toEqual([1, '']);
  });
});
