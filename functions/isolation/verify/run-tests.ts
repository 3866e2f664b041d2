import { CordonError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { type Check, type IsolationTest, isolationTests, type Service } from '../check.ts';
import { playBroker } from './play-broker.ts';
import { playForbidden } from './play-forbidden.ts';
import { playRateLimits } from './play-rate-limits.ts';
import { playRotation, type RotationDeps } from './play-rotation.ts';
import { playUsageLog } from './play-usage-log.ts';
import type { AttributedUse } from './result.ts';
import type { Played, Stage } from './stage.ts';
import type { RotationShown } from './verification.ts';

/** What a test is about when none of its checks could be made. */
const mainService: Record<IsolationTest, Service> = {
  enumeration: 'vault',
  'rate-limit-attribution': 'provider-accounts',
  'usage-log-attribution': 'attribution',
  'vault-access-scope': 'vault',
  'rotation-independence': 'rotation',
};

export interface TestsDeps extends RotationDeps {
  readonly log: Log;
  /** What an earlier run's rotation has shown, if that is so recent that the canary is not to be rotated again. */
  readonly rotationShown: RotationShown | undefined;
}

/** Plays the five tests. A test that breaks off leaves the others be, and is not verified. */
export async function runTests(stage: Stage, marker: string, deps: TestsDeps): Promise<Played> {
  const checks: Check[] = [];
  const uses: AttributedUse[] = [];
  const play = async (test: IsolationTest, work: () => Promise<Played>): Promise<void> => {
    try {
      const played = await work();
      checks.push(...played.checks);
      uses.push(...played.uses);
    } catch (error) {
      deps.log.error('an isolation test broke off', error, { test });
      checks.push(notRun(test, `The test broke off (${error instanceof CordonError ? error.code : 'UNEXPECTED'}): the log says why.`));
    }
  };
  const only = async (found: Promise<readonly Check[]>): Promise<Played> => ({ checks: await found, uses: [] });
  // Before anything else counts against a limit.
  await play('rate-limit-attribution', () => only(playRateLimits(stage, marker)));
  await play('enumeration', () => only(playBroker(stage, marker)));
  await play('usage-log-attribution', () => playUsageLog(stage, marker));
  await play('rotation-independence', () =>
    deps.rotationShown === undefined ? playRotation(stage, marker, deps) : shownBefore(deps.rotationShown),
  );
  // What could harm a canary, were a wall down, comes last.
  await play('vault-access-scope', () => only(playForbidden(stage)));
  return { checks, uses };
}

/** One check for each test, when none could be begun. */
export function nothingRun(why: string): readonly Check[] {
  return isolationTests.map((test) => notRun(test, why));
}

function notRun(test: IsolationTest, why: string): Check {
  return { id: `${test}/could-be-run`, test, service: mainService[test], outcome: 'not-verified', detail: why };
}

/** The provider, and Secrets Manager, are not asked for a new key as often as somebody wants to see the tests. */
async function shownBefore({ at, verificationId, checks }: RotationShown): Promise<Played> {
  const seen = `Seen ${new Date(at).toISOString()} by run ${verificationId}: `;
  return { checks: checks.map((check) => ({ ...check, detail: `${seen}${check.detail}` })), uses: [] };
}
