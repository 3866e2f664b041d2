import { describe, expect, it } from 'vitest';
import { endedCredential } from '../../../functions/revocation/ending-changes.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import type { RoutingRule } from '../../../functions/tenants/credential-spec.ts';
import { acme, createByocWorld, customer, disconnection, found, request } from '../../contracts/fakes/byoc-world.ts';

const platformOwn: RoutingRule = { match: { provider: 'bedrock', environment: 'production' }, use: credentialId.parse('own') };
const bedrockIn = (region: string) => `aws-${customer}-bedrock-${region}`;

async function verified(over: object = {}, tenant: object = {}) {
  const world = createByocWorld();
  await world.onboard(acme, tenant);
  await world.deliver(request(over));
  world.role(found.sound);
  await world.pass(1);
  return world;
}

async function stateOf(world: Awaited<ReturnType<typeof verified>>) {
  const [tenant, credentials] = [await world.registry.tenant(acme), await world.registry.credentials(acme)];
  return {
    rules: tenant?.rules.map(({ match, use }) => [match.provider, match.environment, match.labels ?? {}, use]) ?? [],
    rulesVersion: tenant?.rulesVersion,
    credentials: credentials.map((item) => [item.credentialId, item.provider, item.status, item.settings]),
    items: credentials,
  };
}

describe('the credentials of a connection', () => {
  it('are written with the request, and led to only when the role is verified', async () => {
    const world = createByocWorld();
    await world.onboard();
    await world.deliver(request({ dataClasses: ['pii'] }));
    const before = await stateOf(world);
    expect(before).toMatchObject({ rules: [], rulesVersion: 0 });
    expect(before.items).toMatchObject([
      {
        ...{
          credentialId: bedrockIn('us-east-1'),
          provider: 'bedrock',
          source: 'customer-role',
          connectionId: customer,
          status: 'recorded',
        },
        ...{ environment: 'production', settings: { region: 'us-east-1' }, dataClasses: ['pii'], tier: 'pool' },
      },
    ]);
    expect(before.items[0]?.labels).toBeUndefined();
    world.role(found.sound);
    await world.pass(1);
    expect(await stateOf(world)).toMatchObject({ rules: [['bedrock', 'production', {}, bedrockIn('us-east-1')]], rulesVersion: 1 });
    await world.pass(10);
    expect((await stateOf(world)).rulesVersion).toBe(1);
  });

  it('are one per region for Bedrock, told apart by a label, and one for the other services', async () => {
    const world = await verified({ services: ['sqs', 'bedrock', 's3'], regions: ['us-east-1', 'eu-west-1'] });
    const { credentials, rules } = await stateOf(world);
    expect(credentials).toEqual([
      [`aws-${customer}`, 'aws', 'recorded', { regions: ['eu-west-1', 'us-east-1'], services: ['s3', 'sqs'] }],
      [bedrockIn('eu-west-1'), 'bedrock', 'recorded', { region: 'eu-west-1' }],
      [bedrockIn('us-east-1'), 'bedrock', 'recorded', { region: 'us-east-1' }],
    ]);
    expect(rules).toEqual([
      ['bedrock', 'production', { region: 'eu-west-1' }, bedrockIn('eu-west-1')],
      ['bedrock', 'production', { region: 'us-east-1' }, bedrockIn('us-east-1')],
      ['aws', 'production', {}, `aws-${customer}`],
    ]);
  });

  it('do not take over from a rule of the tenant for the same provider and environment', async () => {
    const world = await verified({ services: ['bedrock', 's3'] }, { rules: [platformOwn], rulesVersion: 4 });
    expect(await stateOf(world)).toMatchObject({
      rules: [
        ['bedrock', 'production', {}, 'own'],
        ['aws', 'production', {}, `aws-${customer}`],
      ],
      rulesVersion: 5,
    });
  });

  it('follow what is asked for anew: what is not any more is revoked, and no rule is left that would be ambiguous', async () => {
    const world = await verified();
    await world.deliver(request({ regions: ['us-east-1', 'eu-west-1'], services: ['bedrock', 's3'] }, 60));
    await world.pass(1);
    expect((await stateOf(world)).rules).toEqual([
      ['bedrock', 'production', { region: 'eu-west-1' }, bedrockIn('eu-west-1')],
      ['bedrock', 'production', { region: 'us-east-1' }, bedrockIn('us-east-1')],
      ['aws', 'production', {}, `aws-${customer}`],
    ]);
    await world.deliver(request({ regions: ['eu-west-1'], environment: 'staging' }, 120));
    await world.pass(1);
    const { credentials, rules, items } = await stateOf(world);
    expect(credentials.map(([id, , status]) => [id, status])).toEqual([
      [`aws-${customer}`, 'revoked'],
      [bedrockIn('eu-west-1'), 'recorded'],
      [bedrockIn('us-east-1'), 'revoked'],
    ]);
    expect(rules).toEqual([['bedrock', 'staging', {}, bedrockIn('eu-west-1')]]);
    expect(items.find((item) => item.credentialId === bedrockIn('us-east-1'))?.epoch).toBeGreaterThan(1);
    await world.deliver(request({}, 180));
    await world.pass(1);
    expect((await stateOf(world)).rules).toEqual([['bedrock', 'production', {}, bedrockIn('us-east-1')]]);
  });

  it('X1 do not come back, whatever is asked for anew, when they were revoked', async () => {
    const world = await verified();
    const item = await world.registry.credential(acme, credentialId.parse(bedrockIn('us-east-1')));
    if (!item) throw new Error('there is no such credential');
    const revoked = await world.registry.changeCredential(
      item,
      endedCredential(item, { revocationId: 'r', requestedBy: 'ann', reason: 'it' }, 0),
    );
    await world.deliver(request({ environment: 'staging' }, 60));
    await world.pass(1);
    await world.deliver(request({}, 120));
    await world.pass(1440);
    expect(await world.registry.credential(acme, revoked.credentialId)).toEqual(revoked);
  });

  it('leave a credential alone that the tenant gave the same name', async () => {
    const world = createByocWorld();
    await world.onboard();
    const taken = await world.registry.addCredential({
      ...{
        kind: 'CREDENTIAL',
        tenantId: acme,
        credentialId: credentialId.parse(`aws-${customer}`),
        provider: 'openai',
        source: 'customer-supplied',
      },
      ...{ environment: 'production', tier: 'pool', status: 'active', secretMayExist: true, requestedBy: 'op', announced: true },
      ...{ epoch: 0, attempt: 0, leaseUntil: 0 },
    });
    await world.deliver(request({ services: ['s3', 'bedrock'] }));
    world.role(found.sound);
    await world.pass(1);
    expect(await world.registry.credential(acme, taken.credentialId)).toEqual(taken);
    expect((await stateOf(world)).rules).toEqual([['bedrock', 'production', {}, bedrockIn('us-east-1')]]);
    expect(world.lines.join()).toContain('the name of a credential of a connection is taken');
  });

  it('keep a rule that the tenant made narrower by hand', async () => {
    const own = { match: { ...platformOwn.match, useCase: 'chat' }, use: credentialId.parse(bedrockIn('us-east-1')) };
    const world = await verified({}, { rules: [own] });
    await world.deliver(request({ regions: ['eu-west-1'] }, 60));
    await world.pass(1);
    expect((await world.registry.tenant(acme))?.rules).toEqual([own]);
  });

  it('stay led to when the connection ends, so that nothing takes their place', async () => {
    const world = await verified();
    const before = await stateOf(world);
    await world.deliver(disconnection(60));
    expect((await stateOf(world)).rules).toEqual(before.rules);
  });
});

describe('a verification', () => {
  it('is on record before it begins, and its result is signed', async () => {
    const world = await verified();
    const { attribution } = world;
    expect(attribution.all).toMatchObject([
      { kind: 'INTENT', operation: 'connection.verify', actor: { function: 'byoc' }, context: { customerAccountId: customer } },
      {
        kind: 'OUTCOME',
        outcome: { result: 'succeeded' },
        context: { verdict: 'sound' },
        proof: { algorithm: 'ECDSA_SHA_256', signature: 'c2ln' },
      },
    ]);
    const end = attribution.all[1];
    const document: unknown = JSON.parse(end?.kind === 'OUTCOME' ? (end.proof?.document ?? '') : '');
    expect(document).toMatchObject({
      kind: 'cordon.connection-verification',
      attributionId: end?.id,
      tenantId: 'acme',
      verdict: 'sound',
      roleId: 'AROA1',
    });
  });

  it('does not take place when it cannot be recorded', async () => {
    const world = createByocWorld();
    await world.onboard();
    await world.deliver(request());
    world.role(found.sound);
    world.faults.set({ call: 'attribution.record', nth: 1, mode: 'before' });
    await world.pass(1);
    expect(world.probes).toEqual([]);
    expect((await world.connection())?.status).toBe('pending');
  });

  it('does not count when its result cannot be signed', async () => {
    const world = createByocWorld();
    await world.onboard();
    await world.deliver(request());
    world.role(found.sound);
    world.faults.set({ call: 'outside.sign', nth: 1, mode: 'before' });
    await world.pass(1);
    expect(await world.connection()).toMatchObject({ status: 'pending', setbacks: 1 });
    await world.pass(1);
    expect(await world.connection()).toMatchObject({ status: 'active', setbacks: 0 });
  });

  it('that found nothing yet is on record without a document', async () => {
    const world = createByocWorld();
    await world.onboard();
    await world.deliver(request());
    await world.pass(1);
    expect(world.attribution.all).toMatchObject([
      { kind: 'INTENT' },
      { kind: 'OUTCOME', context: { verdict: 'unreachable', reason: 'ROLE_NOT_REACHABLE' } },
    ]);
    expect(world.attribution.all[1]).not.toHaveProperty('proof');
  });
});
