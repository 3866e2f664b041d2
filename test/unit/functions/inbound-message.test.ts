import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTenantId } from '../../../functions/shared/identifiers.ts';
import { parseMessage as parseWith } from '../../../functions/shared/inbound-message.ts';
import { parsers } from '../../../functions/tenants/inbound-message.ts';
import { openAiMain, platformEvent, tenantDetail, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { accountId, createTenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const parseMessage = (body: string, account: string) => parseWith(body, { accountId: account, parsers });

const badTenantIds = [
  '',
  'Acme',
  'ACME',
  'acme/',
  '../acme',
  'a/b',
  'acme..',
  'äcme',
  'аcme',
  'a'.repeat(33),
  '*',
  '-acme',
  'acme-',
  'ac me',
  'acme\n',
  'admin',
  'cordon',
  'acme#',
  'acme.x',
  'ac*e',
  '__proto__',
];

/** Messages that must change nothing, with the code of the reason and the event that tells of it. */
const unbelievable: [what: string, body: string, failed: string][] = [
  ['no JSON', '{', 'EventHandlingFailed'],
  ['JSON that is no object', '"TenantOnboarded"', 'EventHandlingFailed'],
  ['an envelope without ID', platformEvent('TenantOnboarded', tenantDetail, { id: undefined }), 'EventHandlingFailed'],
  ['another source', platformEvent('TenantOnboarded', tenantDetail, { source: 'aws.s3' }), 'EventHandlingFailed'],
  ['its own source', platformEvent('TenantOnboarded', tenantDetail, { source: 'cordon' }), 'EventHandlingFailed'],
  ['another account', platformEvent('TenantOnboarded', tenantDetail, { account: '444455556666' }), 'EventHandlingFailed'],
  ['an unknown detail type', platformEvent('TenantImproved', tenantDetail), 'EventHandlingFailed'],
  ['a detail type that every object has', platformEvent('constructor', tenantDetail), 'EventHandlingFailed'],
  ['another version', tenantOnboarded({ version: 2 }), 'TenantProvisioningFailed'],
  ['a version that is text', tenantOnboarded({ version: '1' }), 'TenantProvisioningFailed'],
  ['an unknown member', tenantOnboarded({ colour: 'blue' }), 'TenantProvisioningFailed'],
  ['an unknown member of a credential', tenantOnboarded({ credentials: [{ ...openAiMain, apiKey: 'sk-1' }] }), 'TenantProvisioningFailed'],
  ['an unknown provider', tenantOnboarded({ credentials: [{ ...openAiMain, provider: 'acme-ai' }] }), 'TenantProvisioningFailed'],
  ['duplicate credential IDs', tenantOnboarded({ credentials: [openAiMain, openAiMain] }), 'TenantProvisioningFailed'],
  [
    'a federated credential of a pool tenant',
    tenantOnboarded({ credentials: [{ ...openAiMain, source: 'federated' }] }),
    'TenantProvisioningFailed',
  ],
  [
    'a rule for an unknown credential',
    tenantOnboarded({ routing: [{ match: { provider: 'openai', environment: 'production' }, use: 'x' }] }),
    'TenantProvisioningFailed',
  ],
  ['no detail', platformEvent('TenantOnboarded', undefined), 'TenantProvisioningFailed'],
  ['a detail that is text', platformEvent('UserOnboarded', 'x'), 'UserProvisioningFailed'],
  [
    'a user with an issuer that is no URL',
    platformEvent('UserOnboarded', { version: 1, tenantId: 'acme', issuer: 'me', subject: 's', requestedBy: 'o' }),
    'UserProvisioningFailed',
  ],
  [
    'a credential without environment',
    platformEvent('CredentialRequested', {
      version: 1,
      tenantId: 'acme',
      requestedBy: 'o',
      credential: { ...openAiMain, environment: undefined },
    }),
    'CredentialProvisioningFailed',
  ],
  [
    'rules that are no list',
    platformEvent('RoutingRulesChanged', { version: 1, tenantId: 'acme', requestedBy: 'o', rules: {} }),
    'RoutingRulesFailed',
  ],
  ['a display name that would forge a log line', tenantOnboarded({ displayName: 'Acme\n{"level":"ERROR"}' }), 'TenantProvisioningFailed'],
  ['a message too long to be one', tenantOnboarded({ displayName: 'x'.repeat(200_000) }), 'EventHandlingFailed'],
  ...badTenantIds.map((tenantId): [string, string, string] => [
    `tenant ID ${JSON.stringify(tenantId)}`,
    tenantOnboarded({ tenantId }),
    'TenantProvisioningFailed',
  ]),
];

describe('a message that cannot be believed', () => {
  it.each(unbelievable)('goes aside as it was, with the reason, and changes nothing: %s', async (_what, body, failed) => {
    const world = createTenantsWorld();
    expect(await world.deliver(body)).toBe(true);
    expect(world.deadLetters).toEqual([{ body, code: 'EVENT_INVALID', message: expect.stringMatching(/^.{10,900}$/) }]);
    expect(world.announced).toMatchObject([{ type: failed, detail: { version: 1, reason: { code: 'EVENT_INVALID' }, left: [] } }]);
    expect(world.faults.journal.filter((call) => !/^(inbox|announcer)\./.test(call))).toEqual([]);
  });

  it('is delivered again when it could not be put aside', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'inbox.putAside', nth: 1, mode: 'before' });
    expect(await world.deliver('{')).toBe(false);
    expect(world.announced).toEqual([]);
    expect(await world.deliver('{', 2)).toBe(true);
    expect(world.deadLetters).toHaveLength(1);
  });

  it('names the tenant and the event when it can, and never repeats a value it was sent', async () => {
    const world = createTenantsWorld();
    await world.deliver(
      platformEvent(
        'TenantOnboarded',
        { ...tenantDetail, tier: 'sk-secret-1', 'sk-secret-2': 1, credentials: [{ ...openAiMain, labels: { 'sk-SECRET-3': 'x' } }] },
        { id: 'e-1' },
      ),
    );
    expect(world.announced).toMatchObject([{ detail: { tenantId: 'acme', event: { id: 'e-1', detailType: 'TenantOnboarded' } } }]);
    expect(JSON.stringify([world.announced, world.lines, world.deadLetters.map((letter) => letter.message)])).not.toMatch(/sk-secret/i);
  });
});

describe('parseMessage', () => {
  it('never believes arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        expect(parseMessage(body, accountId).believed).toBe(false);
      }),
    );
  });

  it('never believes a detail in which one member was replaced by something else', () => {
    const members = Object.keys(tenantDetail);
    fc.assert(
      fc.property(
        fc.constantFrom(...members),
        fc.oneof(fc.constant(null), fc.integer({ min: 2 }), fc.boolean(), fc.dictionary(fc.string(), fc.string())),
        (member, value) => {
          expect(parseMessage(tenantOnboarded({ [member]: value }), accountId).believed).toBe(false);
        },
      ),
    );
  });

  it('believes a tenant ID exactly when it is one', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-z0-9-]{1,34}$/),
      fc.constantFrom(...badTenantIds),
    );
    fc.assert(
      fc.property(text, (tenantId) => {
        const parsed = parseMessage(tenantOnboarded({ tenantId }), accountId);
        expect(parsed.believed).toBe(isTenantId(tenantId));
        if (parsed.believed) expect(parsed.event.detail.tenantId).toMatch(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
      }),
      { numRuns: 500 },
    );
  });
});
