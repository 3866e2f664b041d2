import { afterEach, describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import {
  type Answer,
  active,
  backedUp,
  closeBackedUp,
  diverted,
  mainKey,
  revoked,
  since,
  spare,
  spareKey,
  startBackedUp,
  type World,
} from './broker-backup-world.ts';
import { ann, createClient, facts, main, ruleTo } from './broker-world.ts';

afterEach(closeBackedUp);

describe('X4 a call whose credential has a backup', () => {
  const reasons = [
    ['was revoked', revoked, 'CREDENTIAL_REVOKED'],
    ['is replaced in an emergency', diverted, 'CREDENTIAL_DIVERTED'],
  ] as const;

  it.each(reasons)('goes through the backup when it %s, at the next call, cold and warm', async (_what, standing, code) => {
    for (const warm of [false, true]) {
      const { world, usedKeys } = await startBackedUp();
      if (warm) await world.run();
      const before = world.entries.length;
      world.state.standing.set(main, standing);
      expect((await world.run()).seen.status).toBe(200);
      expect(usedKeys().at(-1)).toBe(spareKey);
      const closed = warm ? ['main', 'spare for main', `main: refused ${code}`] : ['spare for main'];
      expect(since(world, before)).toEqual([...closed, 'spare for main: succeeded']);
    }
  });

  it('has the backup’s intent on record before anything leaves, and is refused when it cannot be recorded', async () => {
    for (const intents of [1, 2]) {
      const { world, provider } = await startBackedUp();
      await world.run();
      world.state.standing.set(main, revoked);
      let left = intents;
      world.hooks.push((port) => {
        if (port !== 'INTENT' || --left > 0) return;
        throw new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
      });
      expect((await world.run()).error.code).toBe('ATTRIBUTION_UNAVAILABLE');
      expect(provider.requests).toHaveLength(1);
    }
  });

  it('costs one read and two inserts as long as nothing is wrong, and one read more while the backup is used', async () => {
    const { world } = await startBackedUp();
    const costs: string[][] = [];
    for (const standing of [active, active, revoked, revoked, active, active]) {
      world.state.standing.set(main, standing);
      world.calls.length = 0;
      await world.run();
      costs.push([...world.calls]);
    }
    expect(costs.slice(1)).toEqual([
      ['INTENT', 'gate', 'OUTCOME'],
      ['INTENT', 'gate', 'gate', 'secret', 'INTENT', 'OUTCOME', 'OUTCOME'],
      ['gate', 'INTENT', 'gate', 'OUTCOME'],
      ['gate', 'INTENT', 'OUTCOME'],
      ['INTENT', 'gate', 'OUTCOME'],
    ]);
  });

  it('goes through the credential itself again as soon as its new key is in force', async () => {
    const { world, usedKeys } = await startBackedUp();
    world.state.standing.set(main, diverted);
    await world.run();
    world.state.standing.set(main, { ...active, version: 3, secretVersionId: 'v2', diverted: false });
    await world.run();
    expect(usedKeys()).toEqual([spareKey, 'Bearer sk-canary-main-0002']);
    expect(since(world, 2)).toEqual(['main', 'main: succeeded']);
  });

  it('is refused as its caller is, backup or not', async () => {
    const refusals: [string, (world: World) => void][] = [
      ['TOKEN_REFUSED', ({ state }) => void Object.assign(state.tenant, { status: 'offboarded', epoch: 1 })],
      ['USER_NOT_ACTIVE', ({ state }) => void state.users.set(ann, { status: 'offboarded', epoch: 1, version: 2 })],
      ['AGENT_REVOKED', ({ state }) => void state.revokedAgents.add('bot')],
      ['SESSION_REVOKED', ({ state }) => void state.revokedSessions.add('s-1')],
    ];
    for (const [code, change] of refusals) {
      for (const standing of [revoked, diverted]) {
        const { world, provider } = await startBackedUp();
        world.state.standing.set(main, standing);
        change(world);
        expect((await world.run()).error.code).toBe(code);
        expect(provider.requests).toEqual([]);
      }
    }
  });

  it('is refused when its caller is revoked while the gate is asked, also where the credential itself would do', async () => {
    const { world, provider } = await startBackedUp();
    world.state.standing.set(main, diverted);
    world.hooks.push((port) => {
      if (port === 'gate') world.state.revokedAgents.add('bot');
    });
    expect((await world.run()).error.code).toBe('AGENT_REVOKED');
    expect(provider.requests).toEqual([]);
  });

  it('says what it stands in for also where the same credential was used for itself before', async () => {
    const { world } = await startBackedUp({ rules: [ruleTo('spare')] });
    await world.run();
    world.state.standing.set(main, revoked);
    Object.assign(world.state, { rules: [backedUp], rulesVersion: 2 });
    await world.run();
    expect(since(world, 2)).toEqual(['spare', 'spare for main', 'spare: refused CREDENTIAL_CHANGED', 'spare for main: succeeded']);
  });

  it('is refused when the gate cannot be asked for the backup', async () => {
    const { world, provider } = await startBackedUp();
    world.state.standing.set(main, diverted);
    let asked = 0;
    world.hooks.push((port) => {
      if (port !== 'gate' || ++asked < 2) return;
      throw new CordonError('GATE_UNAVAILABLE', 'down', { retryable: true });
    });
    expect((await world.run()).error.code).toBe('GATE_UNAVAILABLE');
    expect(provider.requests).toEqual([]);
    expect(since(world, 0)).toEqual(['main', 'main: refused GATE_UNAVAILABLE']);
  });

  it('goes by the backup of the newest rules', async () => {
    const { world, usedKeys } = await startBackedUp({ rules: [ruleTo('main')] });
    await world.run();
    world.state.standing.set(main, revoked);
    expect((await world.run()).error.code).toBe('CREDENTIAL_REVOKED');
    const added = credentialId.parse('added');
    world.state.credentials.push(facts({ credentialId: added }));
    world.state.standing.set(added, active);
    world.keys.set('added/v1', 'sk-canary-added-0001');
    Object.assign(world.state, { rules: [{ ...ruleTo('main'), backup: added }], rulesVersion: 2 });
    expect((await world.run()).seen.status).toBe(200);
    Object.assign(world.state, { rules: [ruleTo('main')], rulesVersion: 3 });
    expect((await world.run()).error.code).toBe('CREDENTIAL_REVOKED');
    expect(usedKeys()).toEqual([mainKey, 'Bearer sk-canary-added-0001']);
  });
});

describe('X4 a stream on a backup', () => {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const twoEvents =
    (ms: number): Answer =>
    async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      await pause(ms);
      response.end('data: last\n\n');
    };
  const changes: [string, (world: World) => void, string][] = [
    ['goes on while what it stands in for stays revoked', () => undefined, 'succeeded'],
    [
      'goes on when what it stands in for is active again',
      ({ state }) => void state.standing.set(main, { ...active, epoch: 2 }),
      'succeeded',
    ],
    ['ends when the backup is revoked too', ({ state }) => void state.standing.set(spare, revoked), 'cut'],
    ['ends when the backup was revoked and is active again', ({ state }) => void state.standing.set(spare, { ...active, epoch: 1 }), 'cut'],
    ['ends when the caller’s agent is revoked', ({ state }) => void state.revokedAgents.add('bot'), 'cut'],
  ];

  it.each(changes)('%s', async (_what, change, result) => {
    const { world } = await startBackedUp({ answer: twoEvents(150) });
    world.state.standing.set(main, revoked);
    const client = createClient();
    client.onChunk(() => change(world));
    await world.run({}, {}, client);
    expect(world.calls.filter((name) => name === 'watch').length).toBeGreaterThan(0);
    expect(world.entries[1]).toMatchObject({ credentialId: 'spare', context: { backupFor: 'main' }, outcome: { result } });
  });

  it('is never what a stream turns into: one whose credential is revoked ends, one that is diverted goes on', async () => {
    for (const [standing, result] of [
      [revoked, 'cut'],
      [diverted, 'succeeded'],
    ] as const) {
      const { world, provider } = await startBackedUp({ answer: twoEvents(150) });
      const client = createClient();
      client.onChunk(() => world.state.standing.set(main, standing));
      await world.run({}, {}, client);
      expect(world.entries.slice(1)).toMatchObject([{ credentialId: 'main', outcome: { result } }]);
      expect(provider.requests).toHaveLength(1);
    }
  });
});
