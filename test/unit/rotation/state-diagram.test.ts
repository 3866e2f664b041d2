import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decideRequest } from '../../../functions/rotation/decide-request.ts';
import { decide, type Step } from '../../../functions/rotation/decide-rotation.ts';
import { rotationRequested } from '../../../functions/rotation/events.ts';
import {
  adopted,
  begun,
  type Change,
  created,
  finished,
  givenUp,
  promoted,
  retiring,
  rolledBack,
  unproven,
} from '../../../functions/rotation/rotation-changes.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { credential, day, minute, now, pending, previous, rotatingCredential } from './states.ts';

const phases = ['idle', 'creating', 'proving', 'grace', 'retiring', 'unproven'] as const;
type Phase = (typeof phases)[number];
const occasion = { rotationId: '01K9Z8V0000000000000000001', reason: 'schedule', requestedBy: 'schedule' } as const;
const phaseOf = ({ rotating }: Pick<CredentialItem, 'rotating'>): Phase => rotating?.phase ?? 'idle';

/** What the step writes, where it writes a phase; as `carry-out-step.ts`. */
function changeOf(item: CredentialItem, step: Step): Change | undefined {
  const { rotating } = item;
  if (step.next === 'begin') return begun(item, now, rotating?.strategy ?? 'overlap', occasion);
  if (step.next === 'adopt') return adopted(item, now, occasion);
  if (!rotating) return undefined;
  switch (step.next) {
    case 'create':
      return created(rotating, now, { keyId: 'key_3', ownerId: 'svc_1' });
    case 'promote':
      return promoted(item, rotating, now);
    case 'rollback':
      return rolledBack(item, rotating, now);
    case 'retire':
      return retiring(rotating, now, step.retiredBy);
    case 'markUnproven':
      return unproven(rotating, now);
    case 'finish':
      return finished(item, now);
    case 'giveUp':
      // A key that was not accepted is made again; one that was not wanted is not.
      return rotating.wish === 'cancel' ? givenUp(item, rotating, now) : { rotating: { ...rotating, phase: 'creating' } };
    default:
      return undefined;
  }
}

/** Every state that makes a difference to what comes next. */
function states(): CredentialItem[] {
  const flags = [undefined, true, false] as const;
  const idle = [credential(), credential({ dueAt: now }), credential({ previous: { versionId: previous } })];
  const rotating = (['creating', 'proving', 'grace', 'retiring', 'unproven'] as const).flatMap((phase) =>
    ([undefined, 'cancel', 'promote', 'rollback', 'retire'] as const).flatMap((wish) =>
      (['overlap', 'customer-next'] as const).flatMap((strategy) =>
        flags.flatMap((flag) =>
          [0, 20 * minute, 2 * day].flatMap((age) => {
            const item = rotatingCredential({ phase, wish, strategy, proven: flag, revoked: flag, phaseSince: now - age });
            const supplied = { ...item, previous: { versionId: previous } };
            const late = { ...item, rotatedAt: now - 91 * day };
            // Only a customer's key comes in while one is being made, and only Cordon's own is proven in a rotation.
            if (strategy === 'customer-next' && phase === 'proving') return [];
            return phase === 'creating' ? [item, ...(strategy === 'customer-next' ? [supplied] : [])] : [item, late];
          }),
        ),
      ),
    ),
  );
  return [...idle, ...rotating];
}

/** Edges by their ends, each with the steps that lead along it. */
function edges(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (from: Phase, to: Phase, label: string): void => {
    const key = `${phases.indexOf(from)} ${from} --> ${to}`;
    found.set(key, (found.get(key) ?? new Set()).add(label));
  };
  for (const item of states()) {
    const from = phaseOf(item);
    const strategy = item.rotating?.strategy ?? 'overlap';
    for (const answer of [undefined, true, false])
      for (const begunAttempt of [undefined, item.rotating?.pending?.attempt])
        for (const tenant of ['active', 'gone'] as const) {
          const seen = { tenant, strategy, begunAttempt, drained: answer, oldRefused: answer, nextAccepted: answer };
          const step = decide(item, now, seen);
          const change = changeOf(item, step);
          if (change && 'rotating' in change) add(from, phaseOf({ rotating: change.rotating }), step.next);
        }
    for (const action of ['rotate', 'rollback', 'promote', 'demote'] as const)
      for (const emergency of action === 'rotate' ? [false, true] : [false]) {
        const request = rotationRequested.parse({
          ...{ version: 1, tenantId: 'acme', credentialId: 'main', requestedBy: 'ann', why: 'it leaked', action, emergency },
          ...(action === 'promote' && { versionId: pending }),
        });
        const decision = decideRequest(item, { request, eventId: 'e', rotationId: occasion.rotationId, strategy, now });
        const to = decision.next === 'change' ? phaseOf({ rotating: decision.change.rotating }) : from;
        if (to !== from) add(from, to, emergency ? 'emergency' : 'requested');
      }
  }
  return found;
}

function diagram(): string {
  const lines = [...edges()].sort().map(([edge, labels]) => `  ${edge.slice(2)}: ${[...labels].sort().join(', ')}`);
  return ['stateDiagram-v2', '  [*] --> idle', ...lines].join('\n');
}

describe('R2 docs/rotation.md', () => {
  it('shows the states as the code knows them', () => {
    const text = readFileSync(new URL('../../../docs/rotation.md', import.meta.url), 'utf8');
    const shown = /```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1];
    expect(shown).toBe(diagram());
  });
});
