import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { demandOwner } from '../../../functions/broker/demand-owner.ts';
import { acme, ann, bob, createBrokerWorld, facts, startProvider, type TestProvider } from './broker-world.ts';

let provider: TestProvider;
beforeEach(async () => {
  provider = await startProvider((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
});
afterEach(() => provider.close());

const decoy = 'openai-backup-abcdefgh';

describe('T3 a credential that is another’s', () => {
  it('is used by nobody: refused without detail, recorded, told, and nothing leaves', async () => {
    const world = createBrokerWorld({ providerUrl: provider.url });
    world.state.credentials = [facts({ strayFrom: 'globex' })];
    const client = await world.run();
    expect([client.seen.status, client.error]).toEqual([
      403,
      { code: 'ACCESS_REFUSED', message: 'The call was refused.', requestId: 'r-1' },
    ]);
    expect(world.entries).toMatchObject([{ kind: 'INTENT' }, { kind: 'OUTCOME', outcome: { result: 'refused', code: 'ACCESS_REFUSED' } }]);
    expect(world.violations).toEqual([{ operation: 'cordon:UseCredential', resource: 'cordon/acme/main', code: 'CROSS_TENANT_USE' }]);
    expect(world.calls).not.toContain('secret');
    expect(provider.requests).toHaveLength(0);
  });

  it.each([
    ['the tenant’s', facts(), false],
    ['the caller’s own', facts({ userId: ann }), false],
    ['another user’s', facts({ userId: bob }), true],
    ['another tenant’s', facts({ strayFrom: 'globex' }), true],
    ['one that names no tenant', facts({ strayFrom: 'nobody' }), true],
  ])('%s', (_, credential, isRefused) => {
    const use = () => demandOwner(credential, { tenantId: acme, userId: ann });
    if (isRefused) expect(use).toThrow(/the broker refused cordon:UseCredential/);
    else expect(use).not.toThrow();
  });
});

describe('T6 a call that names what may be a decoy', () => {
  const naming = (headers: Readonly<Record<string, string>>) => ({ headers: { 'content-type': 'application/json', ...headers } });

  it.each([
    ['use case', { 'x-cordon-use-case': decoy }],
    ['team', { 'x-cordon-team': decoy }],
    ['a label', { 'x-cordon-labels': `purpose=nightly, key=${decoy}` }],
    ['a header that decides nothing', { 'x-cordon-anything': decoy }],
  ])('by %s becomes what it would have become, and is told of once', async (_, headers) => {
    const world = createBrokerWorld({ providerUrl: provider.url });
    const [first, second] = [await world.run(naming(headers)), await world.run(naming(headers))];
    const other = await world.run(
      naming(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(decoy, 'anything')]))),
    );
    expect([first.seen.status, second.seen.status]).toEqual([other.seen.status, other.seen.status]);
    expect(world.named).toEqual([{ token: 'jwt-of-ann', names: [decoy] }]);
    world.time.now += 60_000;
    await world.run(naming(headers));
    expect(world.named).toHaveLength(2);
  });

  it('is told of for each session that does', async () => {
    const world = createBrokerWorld({ providerUrl: provider.url });
    const { caller } = world.callOf();
    await world.run(naming({ 'x-cordon-use-case': decoy }));
    await world.run({ ...naming({ 'x-cordon-use-case': decoy }), caller: { ...caller, sessionId: 's-2' } });
    expect(world.named).toHaveLength(2);
  });

  it('is told of no other, and nothing is said of calls that name none', async () => {
    const world = createBrokerWorld({ providerUrl: provider.url });
    await world.run(naming({ 'x-cordon-use-case': 'openai-backup', 'user-agent': decoy }));
    expect(world.named).toEqual([]);
  });
});
