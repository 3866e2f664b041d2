import { describe, expect, it } from 'vitest';
import type { ProbeReasonCode } from '../../../functions/byoc/probe/probe.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import {
  acme,
  connectionEvent,
  createByocWorld,
  customer,
  disconnection,
  found,
  platformAccountId,
  request,
  roleArn,
} from '../../contracts/fakes/byoc-world.ts';

async function onboarded(tenant: object = {}) {
  const world = createByocWorld();
  await world.onboard(acme, tenant);
  return world;
}

async function connected(over: object = {}) {
  const world = await onboarded();
  await world.deliver(request(over));
  world.role(found.sound);
  await world.pass(1);
  expect((await world.connection())?.status).toBe('active');
  return world;
}

describe('B1 a request to connect an account', () => {
  it('offers it: with an external ID and a role name of its own, the template in place, and due to be probed', async () => {
    const world = await onboarded();
    expect(await world.deliver(request())).toBe(true);
    const item = await world.connection();
    expect(item).toMatchObject({
      ...{
        status: 'pending',
        announced: true,
        leaseUntil: 0,
        dueAt: world.clock(),
        requestedUntil: world.clock() + 86_400_000,
        policyVersion: 'v1',
      },
      ...{ externalId: expect.stringMatching(/^cordon-[a-z2-7]{32}$/), roleName: expect.stringMatching(/^cordon\.acme\.[a-z2-7]{8}$/) },
    });
    expect(world.announced).toEqual([
      {
        type: 'RoleConnectionOffered',
        detail: expect.objectContaining({ tenantId: 'acme', customerAccountId: customer, roleName: item?.roleName, templateVersion: 'v1' }),
      },
    ]);
    expect(world.templates).toEqual(['v1']);
  });

  it('gives each tenant and each account an external ID of its own', async () => {
    const world = await onboarded();
    const globex = tenantId.parse('globex');
    await world.onboard(globex);
    await world.deliver(request());
    await world.deliver(request({ customerAccountId: '777788889999' }));
    await world.deliver(request({ tenantId: 'globex' }));
    expect(new Set(world.connections.all.map(({ externalId }) => externalId)).size).toBe(3);
    expect(new Set(world.connections.all.map(({ roleName }) => roleName)).size).toBe(3);
  });

  it('is done once, however often it is delivered', async () => {
    const world = await onboarded();
    const body = request();
    await world.deliver(body);
    const before = await world.connection();
    await world.deliver(body, 2);
    expect(await world.connection()).toEqual(before);
    expect(world.announced).toHaveLength(1);
  });

  it('does nothing anew when the same is asked for again', async () => {
    const world = await connected();
    const before = await world.connection();
    await world.deliver(request({}, 60));
    expect(await world.connection()).toMatchObject({
      status: 'active',
      externalId: before?.externalId,
      epoch: before?.epoch,
      dueAt: before?.dueAt,
    });
    expect(world.ofType('RoleConnectionOffered')).toHaveLength(1);
  });

  it('has a role that is in use probed again when the same is asked for again, so that a role that became unsafe is found out at once', async () => {
    const world = await connected();
    // The check that follows the verification is behind it; the next one is a day away.
    await world.pass(6);
    const probes = world.probes.length;
    await world.deliver(request({}, 7 * 60));
    expect(await world.connection()).toMatchObject({ status: 'active', dueAt: world.clock() });
    world.role(found.unsound('EXTERNAL_ID_NOT_REQUIRED'));
    await world.sweep();
    expect(world.probes.length).toBe(probes + 1);
    expect(await world.connection()).toMatchObject({ status: 'suspended' });
  });

  it('leaves the check that follows each verification where it is, whatever is asked for meanwhile', async () => {
    const world = await connected();
    const before = await world.connection();
    for (const seconds of [60, 61, 62]) await world.deliver(request({}, seconds));
    expect((await world.connection())?.dueAt).toBe(before?.dueAt);
    expect(before?.dueAt).toBeGreaterThan(world.clock());
  });

  it.each([
    ['services', { services: ['bedrock', 's3'] }],
    ['regions', { regions: ['eu-west-1'] }],
    ['an environment', { environment: 'staging' }],
  ])('for other %s starts anew with the same external ID and role name, and forgets the role', async (_what, over) => {
    const world = await connected();
    const before = await world.connection();
    await world.deliver(request(over, 60));
    const after = await world.connection();
    expect(after).toMatchObject({
      status: 'pending',
      externalId: before?.externalId,
      roleName: before?.roleName,
      epoch: (before?.epoch ?? 0) + 1,
    });
    expect(after?.roleArn).toBeUndefined();
    expect(after?.roleId).toBeUndefined();
    expect(world.ofType('RoleConnectionOffered')).toHaveLength(2);
  });

  it.each([
    ['the account of the platform', request({ customerAccountId: platformAccountId }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['an external ID of its own choice', request({ externalId: 'cordon-mine' }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['a role of its own choice', request({ roleArn: 'arn:aws:iam::444455556666:role/x' }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['an unknown service', request({ services: ['iam'] }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['the same service twice', request({ services: ['s3', 's3'] }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['no service', request({ services: [] }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['a region that is none', request({ regions: ['us-east-1/../x'] }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['an account that is none', request({ customerAccountId: '4444555566' }), 'EVENT_INVALID', 'RoleConnectionFailed'],
    ['another event', connectionEvent('TenantOnboarded', {}), 'EVENT_INVALID', 'EventHandlingFailed'],
  ])('is refused and changes nothing when it names %s', async (_what, body, code, type) => {
    const world = await onboarded();
    expect(await world.deliver(body)).toBe(true);
    expect(world.deadLetters).toMatchObject([{ code }]);
    expect(world.announced).toMatchObject([{ type, detail: { reason: { code }, left: [] } }]);
    expect(world.connections.all).toEqual([]);
    expect(world.templates).toEqual([]);
  });

  it('waits for its tenant, and is given up when none comes', async () => {
    const world = createByocWorld();
    expect(await world.deliver(request())).toBe(false);
    expect(await world.deliver(request(), world.maxReceiveCount)).toBe(true);
    expect(world.ofType('RoleConnectionFailed')).toMatchObject([{ tenantId: 'acme', reason: { code: 'TENANT_UNKNOWN' } }]);
  });

  it('is refused beyond a hundred accounts', async () => {
    const world = await onboarded();
    for (let n = 0; n < 100; n += 1) await world.deliver(request({ customerAccountId: String(500000000000 + n) }));
    await world.deliver(request());
    expect(world.ofType('RoleConnectionFailed')).toMatchObject([{ reason: { code: 'CONNECTION_LIMIT' } }]);
    expect(await world.connection()).toBeUndefined();
  });

  it('tells nobody the external ID: no event, no log line, no record', async () => {
    const world = await connected();
    world.role(found.unsound('ROLE_GONE'));
    await world.pass(6);
    await world.deliver(disconnection(600));
    const externalId = (await world.connection())?.externalId ?? 'none';
    expect(world.probes[0]?.externalId).toBe(externalId);
    expect(JSON.stringify([world.announced, world.lines, world.attribution.all, world.deadLetters])).not.toContain(externalId);
  });
});

describe('B2 a connection that is waited for', () => {
  it('becomes active when the role works, and is told once', async () => {
    const world = await onboarded();
    await world.deliver(request());
    await world.pass(3);
    world.role(found.sound);
    await world.pass(1);
    expect(await world.connection()).toMatchObject({
      status: 'active',
      roleArn,
      roleId: 'AROA1',
      announced: true,
      dueAt: world.clock() + 300_000,
    });
    expect(world.ofType('RoleConnectionVerified')).toMatchObject([{ roleArn, findings: [{ code: 'TRUST_NOT_SHOWN' }] }]);
    const probes = world.probes.length;
    await world.pass(4);
    expect(world.probes).toHaveLength(probes);
    await world.pass(1);
    expect(world.probes.at(-1)).toMatchObject({ expectedRoleId: 'AROA1' });
    await world.pass(60);
    expect(world.probes).toHaveLength(probes + 1);
    await world.leap(25 * 60);
    expect(world.probes).toHaveLength(probes + 2);
    expect(world.ofType('RoleConnectionVerified')).toHaveLength(1);
  });

  it('expires after a day, told once, and is not probed any more', async () => {
    const world = await onboarded();
    await world.deliver(request());
    await world.pass(20);
    expect(world.probes).toHaveLength(16);
    await world.leap(24 * 60);
    expect(await world.connection()).toMatchObject({ status: 'expired', statusReason: { code: 'ROLE_NOT_REACHABLE' } });
    expect((await world.connection())?.dueAt).toBeUndefined();
    expect(world.ofType('RoleConnectionExpired')).toMatchObject([{ reason: { code: 'ROLE_NOT_REACHABLE' }, nextStep: 'Mend it.' }]);
    const probes = world.probes.length;
    await world.leap(24 * 60);
    expect(world.probes).toHaveLength(probes);
  });

  it.each<ProbeReasonCode>(['EXTERNAL_ID_NOT_REQUIRED', 'ANY_PRINCIPAL_ACCEPTED'])(
    'is rejected for %s with the next step, keeps nothing of the role, and can be asked for anew',
    async (code) => {
      const world = await onboarded();
      await world.deliver(request());
      world.role(found.unsound(code));
      await world.pass(2);
      expect(await world.connection()).toMatchObject({ status: 'rejected', statusReason: { code, nextStep: 'Mend it.' } });
      expect(JSON.stringify(await world.connection())).not.toContain('AROA1');
      expect(world.ofType('RoleConnectionRejected')).toMatchObject([{ reason: { code }, nextStep: 'Mend it.' }]);
      expect(world.probes).toHaveLength(1);
      world.role(found.sound);
      await world.deliver(request({}, 300));
      await world.pass(1);
      expect((await world.connection())?.status).toBe('active');
    },
  );

  it('is neither rejected nor expired by silence', async () => {
    const world = await onboarded();
    await world.deliver(request());
    world.role(found.noAnswer);
    await world.pass(60);
    expect(await world.connection()).toMatchObject({ status: 'pending', statusReason: { code: 'NO_ANSWER' } });
    // After 1, 2, 5 and 15 minutes, and every 15 from then on.
    expect(world.probes).toHaveLength(7);
    world.role(found.sound);
    await world.pass(15);
    expect(await world.connection()).toMatchObject({ status: 'active', setbacks: 0 });
    expect((await world.connection())?.statusReason).toBeUndefined();
  });
});

describe('B3 a connection in use', () => {
  it('is suspended when the role weakens, told once, and left alone from then on', async () => {
    const world = await connected();
    world.role(found.unsound('EXTERNAL_ID_NOT_REQUIRED'));
    await world.pass(5);
    expect(await world.connection()).toMatchObject({ status: 'suspended', statusReason: { code: 'EXTERNAL_ID_NOT_REQUIRED' } });
    expect(world.ofType('RoleConnectionSuspended')).toMatchObject([{ reason: { code: 'EXTERNAL_ID_NOT_REQUIRED' }, nextStep: 'Mend it.' }]);
    const probes = world.probes.length;
    world.role(found.sound);
    await world.leap(48 * 60);
    expect(world.probes).toHaveLength(probes);
  });

  it('stays in use through silence', async () => {
    const world = await connected();
    world.role(found.noAnswer);
    await world.pass(30);
    expect((await world.connection())?.status).toBe('active');
    expect(world.ofType('RoleConnectionSuspended')).toEqual([]);
  });

  it('that is ended is not used, probed or taken back by an older request', async () => {
    const world = await connected();
    const late = request({ services: ['s3'] }, 30);
    await world.deliver(disconnection(60));
    const item = await world.connection();
    expect(item).toMatchObject({ status: 'disconnected', epoch: 1 });
    expect(item?.roleArn).toBeUndefined();
    expect(item?.dueAt).toBeUndefined();
    expect(world.ofType('RoleConnectionEnded')).toHaveLength(1);
    await world.deliver(late);
    await world.leap(48 * 60);
    expect((await world.connection())?.status).toBe('disconnected');
    expect(world.probes).toHaveLength(1);
    await world.deliver(request({}, 90));
    expect(await world.connection()).toMatchObject({ status: 'pending', externalId: item?.externalId });
  });

  it('is ended also when the end comes before the request', async () => {
    const world = await onboarded();
    const end = disconnection(60);
    expect(await world.deliver(end)).toBe(false);
    await world.deliver(request({}, 30));
    expect(await world.deliver(end, 2)).toBe(true);
    expect((await world.connection())?.status).toBe('disconnected');
  });

  it('that is ended while it is probed stays ended, whatever the probe found', async () => {
    const world = await onboarded();
    await world.deliver(request());
    world.role(found.sound);
    world.meanwhile(() => world.deliver(disconnection(60)));
    await world.pass(3);
    expect((await world.connection())?.status).toBe('disconnected');
    expect(world.ofType('RoleConnectionVerified')).toEqual([]);
    expect(world.deadLetters).toEqual([]);
  });
});
