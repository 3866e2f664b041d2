import { announceEnded, announceUnconfirmed } from './announce-ending.ts';
import { confirmRefused } from './confirm-refused.ts';
import type { EndingStep, EndingWork } from './decide-ending.ts';
import { lookForStrays, revokeKnownKeys } from './end-keys.ts';
import { closeSecret, eraseSecret, takeOutSecret } from './end-secret.ts';
import type { EndingDeps, EndingOf, EndingOutcome } from './ending-deps.ts';

/** Does one step. Each may be repeated after any interruption, and be done by two at once. Throws CordonError. */
export async function carryOut(deps: EndingDeps, of: EndingOf, step: Extract<EndingStep, { next: EndingWork }>): Promise<EndingOutcome> {
  const now = deps.clock();
  switch (step.next) {
    case 'revoke':
      return revokeKnownKeys(deps, of);
    case 'takeOut':
      return takeOutSecret(deps, of);
    case 'look':
      return lookForStrays(deps, of);
    case 'confirm':
      return confirmRefused(deps, of);
    case 'conclude':
      return { change: { phase: 'deleting', setbacks: 0, problem: undefined } };
    case 'leaveOpen':
      return { change: { phase: 'unconfirmed', unconfirmedSince: now, problem: step.problem } };
    case 'remind':
      await announceUnconfirmed(deps, of);
      return { change: { remindedAt: now } };
    case 'close':
      return closeSecret(deps, of);
    case 'erase':
      return eraseSecret(deps, of);
    case 'finish':
      await announceEnded(deps, of);
      return { change: { phase: 'ended', announced: true, setbacks: 0, problem: undefined } };
  }
}
