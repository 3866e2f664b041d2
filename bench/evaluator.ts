/** Decisions per second by the synthesized policies: every attack and every own use of the policy tests, in turn. */
import { compileDocument } from '../local/iam/compile.ts';
import { attacks, ownUses } from '../test/fixtures/attacks.ts';
import { decide, policyNamed } from '../test/support/policies.ts';
import { atLeast, type Bench } from './figures.ts';

const requests = [...attacks, ...ownUses];
const policies = ['TenantReaderAccess', 'TenantIsolation', 'TenantBoundary'];

/** Rounds per second of `work`, over at least a second, after a short warm-up. */
function perSecond(work: () => void): number {
  for (let round = 0; round < 20; round += 1) work();
  const start = performance.now();
  let rounds = 0;
  while (performance.now() - start < 1_000) {
    work();
    rounds += 1;
  }
  return (rounds * 1_000) / (performance.now() - start);
}

export const evaluator: Bench = {
  name: 'Policy evaluator (local/iam), synthesized policies',
  async run() {
    const rounds = perSecond(() => {
      for (const request of requests) decide(request);
    });
    const compiled = perSecond(() => {
      for (const policy of policies) compileDocument(policy, 'identity', policyNamed(policy));
    });
    const decisions = rounds * requests.length;
    return [
      atLeast('decisions, policies compiled once', decisions, '1/s', 50_000),
      { what: 'what compiling the three policies of a session costs, in decisions', value: decisions / compiled, unit: 'decisions' },
    ];
  },
};
