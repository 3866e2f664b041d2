import { afterEach, describe, expect, it } from 'vitest';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import {
  active,
  backedUp,
  closeBackedUp,
  diverted,
  mainKey,
  recorded,
  revoked,
  since,
  spare,
  spareKey,
  startBackedUp,
  type World,
} from './broker-backup-world.ts';
import { ann, bob, facts, main, ruleTo } from './broker-world.ts';
import { account, role } from './customer-role-world.ts';

afterEach(closeBackedUp);

describe('X4 I6 B7 what stands in for nothing', () => {
  const owned = credentialId.parse('owned');
  type Options = NonNullable<Parameters<typeof startBackedUp>[0]>;
  /** What, how the tenant is set up, what happens before the call, what the caller says. */
  const cases: [string, Options, ((world: World) => void)?, Record<string, string>?][] = [
    ['a backup that no rule names', { rules: [ruleTo('main')] }],
    ['a backup that is revoked too', {}, ({ state }) => void state.standing.set(spare, revoked)],
    ['a backup that is still awaited', {}, ({ state }) => void state.standing.set(spare, { ...active, status: 'awaiting' })],
    ['a backup without an item', {}, ({ state }) => void state.standing.delete(spare)],
    ['a backup that the tenant does not have', { rules: [{ ...backedUp, backup: credentialId.parse('nowhere') }] }],
    ['a backup of another environment', { spare: { environment: 'staging' } }],
    ['a backup for another provider', { spare: { provider: 'mistral' } }],
    ['the caller’s own credential', { spare: { userId: ann, useCase: 'drafts' } }],
    ['another user’s credential', { spare: { userId: bob } }],
    [
      'a backup that is not cleared for the data',
      { main: { dataClasses: ['phi'] } },
      undefined,
      { 'x-cordon-data-class': 'phi', 'x-cordon-environment': 'production' },
    ],
    ['the credential itself', { rules: [{ ...backedUp, backup: main }] }],
    ['one of two backups that rules name', { rules: [backedUp, { ...backedUp, backup: credentialId.parse('third') }] }],
    ['the backup of a rule for other calls', { rules: [ruleTo('main'), { ...backedUp, match: { ...backedUp.match, team: 'care' } }] }],
    [
      'the backup of the backup',
      { rules: [backedUp, { ...ruleTo('spare', { team: 'care' }), backup: credentialId.parse('third') }] },
      ({ state }) => {
        state.standing.set(spare, revoked);
        state.standing.set('third', active);
        state.credentials.push(facts({ credentialId: credentialId.parse('third') }));
      },
    ],
    ['an issued key, for a key that the customer handed over', { main: { source: 'customer-supplied' } }],
    ['a federated one, for a key that the customer handed over', { main: { source: 'customer-supplied' }, spare: { source: 'federated' } }],
  ];

  it.each(cases)(
    '%s: a revoked credential is refused, and one that is diverted is used itself',
    async (_what, options, change, headers) => {
      for (const warm of [false, true]) {
        for (const standing of [revoked, diverted]) {
          const { world, usedKeys } = await startBackedUp(options);
          const said = headers === undefined ? {} : { headers };
          if (warm) await world.run(said);
          const [before, used] = [world.entries.length, usedKeys().length];
          change?.(world);
          world.state.standing.set(main, standing);
          const client = await world.run(said);
          if (standing === diverted) {
            expect([client.seen.status, usedKeys().slice(used)]).toEqual([200, [mainKey]]);
            expect(since(world, before)).toEqual(['main', 'main: succeeded']);
          } else {
            expect([client.seen.status, client.error.code, usedKeys().slice(used)]).toEqual([401, 'CREDENTIAL_REVOKED', []]);
            expect(since(world, before)).toEqual(['main', 'main: refused CREDENTIAL_REVOKED']);
          }
        }
      }
    },
  );

  it('whatever a rule names, for a user’s own credential', async () => {
    for (const standing of [revoked, diverted]) {
      const { world, usedKeys } = await startBackedUp({ rules: [backedUp, { ...ruleTo('owned'), backup: spare }] });
      world.state.credentials.push(facts({ credentialId: owned, userId: ann }));
      world.state.users.set(ann, { status: 'active', epoch: 0, version: 1 });
      world.keys.set('owned/v1', 'sk-canary-owned-0001');
      world.state.standing.set(owned, standing);
      const client = await world.run();
      if (standing === revoked) expect(client.error.code).toBe('CREDENTIAL_REVOKED');
      expect(usedKeys()).toEqual(standing === revoked ? [] : ['Bearer sk-canary-owned-0001']);
    }
  });
});

describe('X4 B7 backups and customers’ credentials', () => {
  const bedrock = { provider: 'bedrock', settings: { region: 'us-east-1' } };
  const customerRole = { ...bedrock, source: 'customer-role', connectionId: account } as const;
  const converse = { provider: 'bedrock', path: 'model/amazon.nova-micro-v1:0/converse' };
  const rules = [{ ...ruleTo('main', { provider: 'bedrock' }), backup: spare }];

  it('a customer’s role stands in, asked for with its connection', async () => {
    const { world, usedKeys } = await startBackedUp({ main: { ...bedrock, source: 'customer-supplied' }, spare: customerRole, rules });
    for (const standing of [revoked, diverted]) {
      world.state.standing.set(main, standing);
      expect((await world.run(converse)).seen.status).toBe(200);
    }
    for (const key of usedKeys()) expect(key).toMatch(/Credential=ASIACUSTOMER1\//);
    expect(world.entries[0]).toMatchObject({ credentialId: 'spare', credentialVersion: role.roleId, context: { backupFor: 'main' } });
  });

  it('a customer’s role whose connection is not proven stands in for nothing', async () => {
    for (const standing of [revoked, diverted]) {
      const { world, usedKeys, connected } = await startBackedUp({
        main: { ...bedrock, source: 'customer-supplied' },
        spare: customerRole,
        rules,
      });
      world.state.connections.set(account, { ...connected, status: 'suspended' });
      world.state.standing.set(main, standing);
      const client = await world.run(converse);
      if (standing === revoked) expect(client.error.code).toBe('CREDENTIAL_REVOKED');
      expect(usedKeys()).toEqual(standing === revoked ? [] : [mainKey]);
    }
  });

  it('a key that the customer handed over stands in for their role, the platform’s own never', async () => {
    for (const source of ['customer-supplied', 'platform-issued', 'federated'] as const) {
      const { world, usedKeys } = await startBackedUp({ main: customerRole, spare: { ...bedrock, source }, rules });
      world.state.standing.set(main, { ...recorded, status: 'revoked', epoch: 1 });
      const client = await world.run(converse);
      if (source !== 'customer-supplied') expect(client.error.code).toBe('CREDENTIAL_REVOKED');
      expect(usedKeys()).toEqual(source === 'customer-supplied' ? [spareKey] : []);
    }
  });

  it('a role whose connection is not proven is refused although there is a backup: nothing was revoked', async () => {
    const { world, usedKeys, connected } = await startBackedUp({
      main: customerRole,
      spare: { ...bedrock, source: 'customer-supplied' },
      rules,
    });
    world.state.standing.set(main, recorded);
    world.state.connections.set(account, { ...connected, status: 'suspended' });
    expect((await world.run(converse)).error.code).toBe('CONNECTION_NOT_ACTIVE');
    expect(usedKeys()).toEqual([]);
  });
});
