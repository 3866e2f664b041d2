import { describe, expect, it } from 'vitest';
import { rotationOf, versionsOf } from '../../../functions/connections/credential-versions.ts';

const at = Date.parse('2026-11-22T03:00:00.000Z');
const rotating = {
  rotationId: '01KAMB0000000000000000000A',
  strategy: 'overlap' as const,
  reason: 'requested' as const,
  requestedBy: 'ops',
  since: at,
  phaseSince: at,
  setbacks: 0,
};

describe('R5 the versions of a credential', () => {
  it('are none before a secret is stored', () => {
    expect(versionsOf({})).toEqual([]);
  });

  it('are the one in force, and while it is being replaced the next one before it', () => {
    expect(versionsOf({ secretVersionId: 'v1' })).toEqual([{ versionId: 'v1', state: 'current' }]);
    expect(
      versionsOf({ secretVersionId: 'v1', rotating: { ...rotating, phase: 'proving', pending: { versionId: 'v2', attempt: 2 } } }),
    ).toEqual([
      { versionId: 'v2', state: 'pending' },
      { versionId: 'v1', state: 'current' },
    ]);
  });

  it('are the old ones too, until the provider has refused them', () => {
    const older = [{ versionId: 'v0' }];
    expect(versionsOf({ secretVersionId: 'v2', previous: { versionId: 'v1' }, rotating: { ...rotating, phase: 'grace', older } })).toEqual([
      { versionId: 'v2', state: 'current' },
      { versionId: 'v1', state: 'previous' },
      { versionId: 'v0', state: 'retiring' },
    ]);
  });

  it('come with how far a rotation is, or when the next one is due', () => {
    expect(rotationOf({})).toBeUndefined();
    expect(rotationOf({ rotatedAt: at, dueAt: at + 1000 })).toEqual({
      rotatedAt: '2026-11-22T03:00:00.000Z',
      dueAt: '2026-11-22T03:00:01.000Z',
    });
    expect(rotationOf({ dueAt: at, rotating: { ...rotating, phase: 'grace' } })).toEqual({
      phase: 'grace',
      reason: 'requested',
      since: '2026-11-22T03:00:00.000Z',
    });
  });
});
