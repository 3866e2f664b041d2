import { describe, expect, it } from 'vitest';
import { decideEnding, type EndingSeen, type EndingWork } from '../../../functions/revocation/decide-ending.ts';
import type { EndedVersion, Ending } from '../../../functions/revocation/ending.ts';
import { attestedEnding, endedCredential } from '../../../functions/revocation/ending-changes.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { credential, current, day, hour, minute, now, pending, previous, rotatingCredential } from '../rotation/states.ts';

const by = { revocationId: 'r1', requestedBy: 'ann', reason: 'it leaked' };
const key: EndedVersion = { versionId: current, keyId: 'key_2' };
const revoked: EndedVersion = { ...key, revokedAt: now };
const dead: EndedVersion = { ...revoked, confirmedAt: now, confirmation: 'refused', proofId: 'p' };
const passing = new CordonError('PROVIDER_UNAVAILABLE', 'later', { retryable: true });
const final = new CordonError('PROVIDER_REFUSED', 'no');

function ended(over: Partial<Ending> = {}, item: Partial<CredentialItem> = {}): CredentialItem {
  const ending: Ending = {
    ...{ ...by, since: now - minute, phase: 'revoking', versions: [key], heldUntil: now - minute, nextAt: now },
    ...{ probes: 0, setbacks: 0, announced: false },
    ...over,
  };
  return credential({ status: 'revoked', ending, dueAt: undefined, ...item });
}
const tried = (...steps: EndingWork[]): ReadonlySet<EndingWork> => new Set(steps);
const all = tried('revoke', 'takeOut', 'look', 'confirm');
const staged = { stagedOutAt: now, straysAt: now };
const customers = { source: 'customer-supplied' as const, keyId: undefined };

const rows: readonly (readonly [string, CredentialItem, Partial<EndingSeen>, object])[] = [
  ['of what is not revoked is none', credential(), {}, { next: 'rest' }],
  ['is to revoke what the provider was not told to', ended(), {}, { next: 'revoke' }],
  ['is not to revoke what the customer made', ended({}, customers), {}, { next: 'takeOut' }],
  ['is to take the secret out, whether or not revoking worked', ended(), { tried: tried('revoke'), failure: passing }, { next: 'takeOut' }],
  ['is to look for strays', ended({ versions: [revoked], stagedOutAt: now }), {}, { next: 'look' }],
  [
    'waits until nobody can be making a key',
    ended({ versions: [revoked], stagedOutAt: now, heldUntil: now + minute }),
    {},
    { next: 'wait', until: now + minute },
  ],
  ['is to ask the provider', ended({ versions: [revoked], ...staged }), {}, { next: 'confirm' }],
  [
    'is not to ask while the provider is down',
    ended({ versions: [revoked], ...staged }),
    { tried: tried('look'), failure: passing },
    { next: 'wait', until: now + minute, problem: 'PROVIDER_UNAVAILABLE', after: 'setback' },
  ],
  [
    'waits five seconds for a key that is accepted still',
    ended({ versions: [revoked], ...staged }),
    { tried: all, answer: 'accepted' },
    { next: 'wait', until: now + 5000, problem: 'KEY_ACCEPTED', after: 'probe' },
  ],
  [
    'says at once that a customer’s key is accepted',
    ended({ ...staged }, customers),
    { tried: all, answer: 'accepted' },
    { next: 'leaveOpen', problem: 'KEY_ACCEPTED' },
  ],
  [
    'says at once what the provider does not say',
    ended({ versions: [revoked], ...staged }),
    { tried: all, answer: 'unknown' },
    { next: 'leaveOpen', problem: 'KEY_UNKNOWN' },
  ],
  ['says at once what nobody here can do', ended(), { tried: all, failure: final }, { next: 'leaveOpen', problem: 'PROVIDER_REFUSED' }],
  [
    'says after a quarter of an hour what was not shown',
    ended({ versions: [revoked], ...staged, since: now - 15 * minute }),
    { tried: all, answer: 'accepted' },
    { next: 'leaveOpen', problem: 'KEY_ACCEPTED' },
  ],
  [
    'says so of a credential that is held as long',
    ended({ versions: [revoked], stagedOutAt: now, since: now - 15 * minute, heldUntil: now + minute }),
    {},
    { next: 'leaveOpen', problem: 'CREDENTIAL_HELD' },
  ],
  [
    'wakes to say so',
    ended({ versions: [revoked], ...staged, since: now - 14 * minute, probes: 9 }),
    { tried: all, answer: 'accepted' },
    { next: 'wait', until: now + minute, problem: 'KEY_ACCEPTED', after: 'probe' },
  ],
  ['publishes it', ended({ phase: 'unconfirmed', ...staged }, customers), { tried: all, answer: 'accepted' }, { next: 'remind' }],
  [
    'asks every hour from then on',
    ended({ phase: 'unconfirmed', ...staged, remindedAt: now }, customers),
    { tried: all, answer: 'accepted' },
    { next: 'wait', until: now + hour, problem: 'KEY_ACCEPTED', after: 'probe' },
  ],
  [
    'publishes it again after a day',
    ended({ phase: 'unconfirmed', ...staged, remindedAt: now - day }, customers),
    { tried: all, answer: 'accepted' },
    { next: 'remind' },
  ],
  [
    'asks first, when it is looked at again',
    ended({ phase: 'unconfirmed', ...staged, remindedAt: now - day }, customers),
    {},
    { next: 'confirm' },
  ],
  ['is to let the secret go when every key is dead', ended({ versions: [dead], ...staged }), {}, { next: 'conclude' }],
  [
    'is not, before strays were looked for',
    ended({ versions: [dead], stagedOutAt: now, heldUntil: now + minute }),
    {},
    { next: 'wait', until: now + minute },
  ],
  ['closes the secret', ended({ versions: [dead], ...staged, phase: 'deleting' }), {}, { next: 'close' }],
  ['erases it', ended({ versions: [dead], ...staged, phase: 'deleting', deletedAt: now }), {}, { next: 'erase' }],
  ['tells of it', ended({ versions: [dead], ...staged, phase: 'deleting', deletedAt: now }), { tried: tried('erase') }, { next: 'finish' }],
  ['tells at once of what had no key', ended({ versions: [], phase: 'deleting' }, { source: 'federated' }), {}, { next: 'finish' }],
  ['of what is ended is none', ended({ phase: 'ended' }), {}, { next: 'rest' }],
  ['comes when it is time', ended({ nextAt: now + 1 }), {}, { next: 'rest' }],
];

describe('X3 the next step of an ending', () => {
  it.each(rows)('%s', (_what, item, seen, step) => {
    expect(decideEnding(item, now, { tried: tried(), ...seen })).toEqual(step);
  });

  it('is in no state one that was tried in this run, so that every run comes to an end', () => {
    const works: readonly EndingWork[] = ['revoke', 'takeOut', 'look', 'confirm', 'conclude', 'leaveOpen', 'remind', 'close', 'erase'];
    const phases = ['revoking', 'confirming', 'unconfirmed', 'deleting'] as const;
    for (const phase of phases)
      for (const versions of [[], [key], [revoked], [dead]])
        for (const straysAt of [undefined, now])
          for (const since of [now, now - hour])
            for (const failure of [undefined, passing, final])
              for (const answer of [undefined, 'accepted', 'unknown'] as const) {
                const item = ended({ phase, versions, straysAt, since });
                const step = decideEnding(item, now, { tried: tried(...works), failure, answer });
                expect(['wait', 'finish']).toContain(step.next);
                if (step.next === 'wait') expect(step.until).toBeGreaterThan(now);
                // Only what is shown dead, or had no key, is ever said to be ended.
                if (step.next === 'finish') expect(phase).toBe('deleting');
              }
  });

  it('lets no secret go while a key of it is not shown to be dead', () => {
    for (const phase of ['revoking', 'confirming', 'unconfirmed'] as const)
      for (const versions of [[key], [revoked], [dead, revoked]])
        for (const failure of [undefined, passing, final])
          for (const what of [tried(), all])
            expect(decideEnding(ended({ phase, versions, ...staged }), now, { tried: what, failure }).next).not.toBe('conclude');
  });
});

describe('X1 what revoking a credential writes', () => {
  it('is in force by it, and knows every key', () => {
    const item = rotatingCredential(
      { phase: 'proving', older: [{ versionId: 'o', keyId: 'key_0' }] },
      { previous: { versionId: previous, keyId: 'key_1' } },
    );
    const change = endedCredential(item, { ...by, incidentId: 'INC-7' }, now);
    expect(change).toMatchObject({
      status: 'revoked',
      epoch: item.epoch + 1,
      leaseUntil: 0,
      ending: { ...by, incidentId: 'INC-7', phase: 'revoking' },
    });
    expect(change.ending?.versions).toEqual([
      { versionId: current, keyId: 'key_2' },
      { versionId: pending, keyId: 'key_3' },
      { versionId: previous, keyId: 'key_1' },
      { versionId: 'o', keyId: 'key_0' },
    ]);
    for (const member of ['rotating', 'previous', 'diverted', 'dueAt', 'dueShard'] as const) {
      expect(change[member]).toBeUndefined();
      expect(member in change).toBe(true);
    }
  });

  it('waits for whoever holds it, and their last request', () => {
    expect(endedCredential(credential({ leaseUntil: now + 3 * minute }), by, now).ending?.heldUntil).toBe(now + 5 * minute);
    // The clocks of the two may differ: as long as a run can be, it is taken to be at work.
    expect(endedCredential(credential({ leaseUntil: now - 10 * minute }), by, now).ending?.heldUntil).toBe(now + 4 * minute);
    expect(endedCredential(credential({ leaseUntil: 0 }), by, now).ending?.heldUntil).toBe(now);
  });

  it('is nothing for one that is being ended already', () => {
    expect(endedCredential(ended(), { ...by, revocationId: 'r2' }, now)).toEqual({});
  });
});

describe('X3 a person’s word', () => {
  const word = { attestedBy: 'bob', reason: 'deleted in the console', now };

  it('is about what is not confirmed, and about nothing else', () => {
    const other: EndedVersion = { versionId: pending };
    const change = attestedEnding(ended({ phase: 'unconfirmed', versions: [dead, other], straysAt: now - 1 }), word);
    expect(change?.ending?.versions).toEqual([
      dead,
      { ...other, confirmedAt: now, confirmation: 'attested', attestedBy: 'bob', attestation: 'deleted in the console' },
    ]);
    expect(change?.ending?.nextAt).toBe(now);
  });

  it('stands for the list that cannot be had, but not while somebody may be making a key', () => {
    expect(attestedEnding(ended({ versions: [dead] }), word)?.ending?.straysAt).toBe(now);
    const held = attestedEnding(ended({ heldUntil: now + minute }), word);
    expect(held?.ending?.versions[0]?.confirmation).toBe('attested');
    expect(held?.ending?.straysAt).toBeUndefined();
    expect(attestedEnding(ended({ versions: [dead], heldUntil: now + minute }), word)).toBeUndefined();
  });

  it('is not needed where nothing is open', () => {
    expect(attestedEnding(credential(), word)).toBeUndefined();
    for (const phase of ['deleting', 'ended'] as const) expect(attestedEnding(ended({ phase, versions: [dead] }), word)).toBeUndefined();
    expect(attestedEnding(ended({ versions: [dead], straysAt: now }), word)).toBeUndefined();
  });
});
