import { describe, expect, it } from 'vitest';
import { declarationExitCode, declarationLines } from '../../../cli/views/declaration-view.ts';
import type { Check } from '../../../functions/isolation/check.ts';
import { declarationOf } from '../../../functions/isolation/declaration/declaration.ts';
import { scoreOf } from '../../../functions/isolation/declaration/score.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { everyCheck } from '../isolation/every-check.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const credentials = [{ credentialId: credentialId.parse('openai-main'), provider: 'openai', source: 'platform-issued' } as const];
const declaration = declarationOf({ tenantId: tenantId.parse('acme'), tier: 'pool', accounts: ['openai'], credentials });
const seen = (outcome: (id: string) => Check['outcome']) =>
  scoreOf(
    declaration,
    [{ finishedAt: '2026-11-22T09:00:00.000Z', checks: everyCheck.map((check) => ({ ...check, outcome: outcome(check.id) })) }],
    now,
  );

describe('T8 the declaration on the command line', () => {
  it('says what is declared of each service, and what of it was shown', () => {
    const text = declarationLines(
      declaration,
      seen(() => 'passed'),
    ).join('\n');
    expect(text).toMatch(/^score +90 of 100$/m);
    expect(text).toMatch(/^last verified +2026-11-22T09:00:00\.000Z$/m);
    expect(text).toMatch(/^registry +100 +shared /m);
    expect(text).toMatch(/^vault\/others-secrets +verified /m);
    expect(text).toMatch(/^vault\/users-secrets +declared-only /m);
    expect(text).toMatch(/^openai-main +openai +platform-issued +own +per-tenant /m);
    expect(text).not.toContain('FAILED');
  });

  it('names what failed first', () => {
    const text = declarationLines(
      declaration,
      seen((id) => (id === 'enumeration/scan-log' ? 'failed' : 'passed')),
    ).join('\n');
    expect(text).toMatch(/^FAILED +enumeration\/scan-log$/m);
    expect(text).toMatch(/^attribution +0 /m);
  });

  it('says that nothing was verified when nothing was', () => {
    expect(declarationLines(declaration, scoreOf(declaration, [], now)).join('\n')).toMatch(/^last verified +not within two days$/m);
  });

  it('ends with 1 for a failure, with 3 for what is missing, and with 0 when all that can be shown was', () => {
    expect(declarationExitCode(seen((id) => (id === 'enumeration/scan-log' ? 'failed' : 'not-verified')))).toBe(1);
    expect(declarationExitCode(seen((id) => (id === 'enumeration/scan-log' ? 'not-verified' : 'passed')))).toBe(3);
    expect(declarationExitCode(scoreOf(declaration, [], now))).toBe(3);
    expect(declarationExitCode(seen(() => 'passed'))).toBe(0);
  });
});
