import { describe, expect, it } from 'vitest';
import { progressOf } from '../../../cli/follow-rotation.ts';
import { until } from '../../../cli/poll.ts';
import { type CredentialItem, credentialItem } from '../../../functions/tenants/registry.ts';
import { fakeIo } from './fake-io.ts';

describe('P3 waiting', () => {
  it('looks at once, then less and less often, two seconds apart at most', async () => {
    const io = fakeIo();
    const begun = io.clock();
    const looks: number[] = [];
    expect(await until(io, 60, async () => (looks.push(io.clock() - begun) === 12 ? 'there' : undefined))).toBe('there');
    const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    expect(looks[0]).toBe(0);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(Math.max(...gaps)).toBe(2000);
    expect(gaps.every(Number.isInteger)).toBe(true);
  });

  it('gives up when the time is over, after a last look at that very moment', async () => {
    const io = fakeIo();
    const begun = io.clock();
    let last = -1;
    const look = async (): Promise<undefined> => {
      last = io.clock() - begun;
    };
    expect(await until(io, 5, look)).toBeUndefined();
    expect(last).toBe(5000);
    expect(await until(io, 0, async () => 'there')).toBe('there');
  });

  it('passes on what goes wrong while it looks', async () => {
    await expect(until(fakeIo(), 5, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  });
});

const rotating = {
  rotationId: '01',
  phase: 'creating',
  strategy: 'overlap',
  reason: 'requested',
  requestedBy: 'op',
  since: 1,
  phaseSince: 1,
  setbacks: 0,
};

function credential(over: object = {}): CredentialItem {
  return credentialItem.parse({
    ...{
      kind: 'CREDENTIAL',
      tenantId: 'acme',
      credentialId: 'main',
      provider: 'openai',
      source: 'platform-issued',
      environment: 'production',
    },
    ...{
      tier: 'pool',
      status: 'active',
      epoch: 0,
      version: 1,
      writeId: 'w',
      requestedBy: 'op',
      announced: true,
      attempt: 1,
      leaseUntil: 0,
    },
    ...{ createdAt: '2026-11-21T12:00:00Z', updatedAt: '2026-11-21T12:00:00Z', secretMayExist: true, secretVersionId: 'v1' },
    ...over,
  });
}

describe('P3 R2 R5 how far a rotation is', () => {
  const before = credential();
  const applied = { rotationRequests: ['e1'] };

  it.each<[string, object, 'rotate' | 'rollback' | 'promote', RegExp, boolean]>([
    [
      'is not over as long as no worker has taken the request up',
      { rotationRequests: ['e0'] },
      'rotate',
      /no worker has taken it up/,
      false,
    ],
    ['is not over while the next key is made', { ...applied, rotating }, 'rotate', /^creating$/, false],
    [
      'says how often it was tried in vain',
      { ...applied, rotating: { ...rotating, setbacks: 2 } },
      'rotate',
      /creating, tried 2 time\(s\) in vain/,
      false,
    ],
    [
      'is over once another version is in force',
      { ...applied, secretVersionId: 'v2', rotating: { ...rotating, phase: 'grace', graceUntil: 0 } },
      'rotate',
      /v2 is in force; the old key ends .* 1970/,
      true,
    ],
    [
      'is over, and says so, when the old key is dead as well',
      { ...applied, secretVersionId: 'v2' },
      'rotate',
      /v2 is in force; the old key is dead/,
      true,
    ],
    [
      'is over when the customer has to act',
      { ...applied, rotating: { ...rotating, strategy: 'customer-next', askedAt: 1 } },
      'rotate',
      /the customer was asked/,
      true,
    ],
    ['is over for a credential of which no key is kept', { ...applied, source: 'federated' }, 'rotate', /mints a token of its own/, true],
    ['never says that a key was replaced when it was not', { ...applied }, 'rotate', /nothing is under way; version v1 stays/, true],
    [
      'back is over once the wish is done',
      { ...applied, rotating: { ...rotating, phase: 'grace' } },
      'rollback',
      /version v1 is in force/,
      true,
    ],
    [
      'to another version is not over as long as it is a wish',
      { ...applied, rotating: { ...rotating, wish: 'promote' } },
      'promote',
      /promote is under way/,
      false,
    ],
  ])('it %s', (_, now, action, text, over) => {
    const progress = progressOf(before, credential(now), { eventId: 'e1', action });
    expect(progress.text).toMatch(text);
    expect(progress.over).toBe(over);
  });
});
