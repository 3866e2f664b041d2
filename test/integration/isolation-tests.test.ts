import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canaryIds } from '../../functions/isolation/canaries.ts';
import { isolationTests, services } from '../../functions/isolation/check.ts';
import { verificationFile, verificationResult } from '../../functions/isolation/verify/result.ts';
import { verifyResult } from '../../functions/isolation/verify/verify-result.ts';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { tokenOf } from '../support/customers.ts';
import {
  askForRun,
  checksThat,
  endOf,
  labelOthersSecret,
  resultOf,
  rotationBegun,
  shareProject,
  takeWallsDown,
} from '../support/isolation-runs.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';

let test: TestCloud;
let tenantId: string;
let operator: OperatorCommand;
beforeAll(async () => {
  test = await testCloud({ daily: true });
  operator = await operatorCommand(test);
  tenantId = (await test.onboard()).tenantId;
});

const withoutFiles = ({ file: _, html: __, runs: ___, ...result }: Record<string, unknown>) => result;
const ask = (token: string, path = '', init: RequestInit = {}): Promise<Response> =>
  fetch(`${test.cloud.brokerUrl}/v1/isolation${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

const declaredOf = z.object({
  declaration: z.looseObject({ tenantId: z.string() }),
  score: z.looseObject({
    score: z.number(),
    services: z.array(z.looseObject({ service: z.string(), score: z.number().optional(), failed: z.array(z.string()) })),
  }),
});
/** What the operator sees of the tenant's declaration and score. */
async function declared() {
  const { exitCode, json } = await operator.cordon(['isolation', 'declaration', '--tenant', tenantId, '--json']);
  return { exitCode, ...declaredOf.parse(json()) };
}

describe('T1 T8 the isolation tests, run live', () => {
  it('are not verified, and never passed, while there are no canaries; the operator sets them up', async () => {
    const { exitCode, err, json } = await operator.cordon(['isolation', 'verify', '--tenant', tenantId, '--json']);
    expect(exitCode, err).toBe(3);
    const { counts, checks } = verificationResult.parse(withoutFiles(json()));
    expect(counts).toEqual({ passed: 0, failed: 0, notVerified: isolationTests.length });
    expect(checks[0]?.detail).toContain('is it onboarded');
    expect(await declared()).toMatchObject({ exitCode: 3, score: { score: 0, claims: { verified: 0, failed: 0 } } });
    const set = await operator.cordon(['isolation', 'setup', '--json']);
    expect([set.exitCode, set.json()], set.err).toEqual([0, { canaries: { [canaryIds.a]: 'active', [canaryIds.b]: 'active' } }]);
  });

  it('are run for an administrator who asks, all pass, and the result is signed, shown as a page, and nobody else’s', async () => {
    const token = await tokenOf(test, tenantId);
    const soon = await ask(token, '', { method: 'POST' });
    expect([soon.status, Number(soon.headers.get('retry-after')) > 500]).toEqual([429, true]);
    test.cloud.clock.advance(11 * 60_000);
    const admin = await tokenOf(test, tenantId);
    const plain = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
    expect((await ask(plain, '', { method: 'POST' })).status).toBe(403);
    const asked = await ask(admin, '', { method: 'POST' });
    expect(asked.status).toBe(202);
    const { verificationId } = (await asked.json()) as { verificationId: string };
    const result = await resultOf(test, tenantId, verificationId);

    expect(result.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(new Set(result.checks.map((check) => check.test))).toEqual(new Set(isolationTests));
    expect(new Set(result.checks.map((check) => check.service))).toEqual(new Set(services));
    // Whoever watches CloudTrail has seen the refused calls by then, and knows them for what they are.
    await test.settled();
    expect(await test.published('IsolationViolationDetected')).toEqual([]);
    // What was done in the canaries' names is on record, in their own logs and in no other's.
    for (const { tenantId: of, id } of result.uses)
      expect((await usesBy(test, of)).find(({ intent }) => intent.id === id)?.outcome.result).toBe('succeeded');
    expect((await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'provider.call')).toEqual([]);

    const text = await (await ask(plain, `/${verificationId}`)).text();
    const { publicKey } = verificationFile.parse(JSON.parse(text));
    expect(verifyResult(text, { publicKey })).toMatchObject({ ok: true, problems: [], result });
    const changed = JSON.stringify({ ...JSON.parse(text), result: JSON.parse(text).result.replace('"failed":0', '"failed":1') });
    expect(verifyResult(changed).ok).toBe(false);
    const page = await (await ask(plain, `/${verificationId}`, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain(`All ${result.counts.passed} checks passed.`);
    expect(await (await ask(plain)).json()).toMatchObject({ tenantId, latest: { verificationId }, runs: [{ verificationId }, {}] });

    // T8: of what is declared, all that can be shown was, which is less than all.
    const { exitCode, declaration, score } = await declared();
    expect([exitCode, score]).toEqual([0, expect.objectContaining({ score: 90, verifiedAt: result.finishedAt })]);
    expect(score).toMatchObject({ claims: { failed: 0, 'not-verified': 0 } });
    expect(await (await ask(plain)).json()).toMatchObject({ declaration, score });

    const neighbour = await tokenOf(test, (await test.onboard()).tenantId);
    expect((await ask(neighbour, `/${verificationId}`)).status).toBe(404);
  });

  it('are run every day, for everybody to see', async () => {
    test.cloud.clock.advance(24 * 3_600_000);
    const { detail } = await test.outcome(['IsolationVerified'], canaryIds.a, 50_000);
    expect(detail).toMatchObject({ tenantId: canaryIds.a, requestedBy: 'daily schedule', failed: 0, notVerified: 0 });
    const answer = await ask(await tokenOf(test, tenantId));
    const shown = await operator.cordon(['isolation', 'show', '--tenant', canaryIds.a, '--file', 'daily.json', '--html', 'daily.html']);
    expect([shown.exitCode, shown.out], shown.err).toEqual([0, expect.stringMatching(/^vault-access-scope +\d\d +0 +0$/m)]);
    expect((await operator.cordon(['isolation', 'check', 'daily.json'])).exitCode).toBe(0);
    expect(readFileSync(join(operator.directory, 'daily.html'), 'utf8')).toContain('checks passed.');
    expect(await answer.json()).toMatchObject({ daily: { tenantId: canaryIds.a, counts: { failed: 0 } } });
  });

  it('fail on what was planted: a shared project, walls taken down, a door opened, a neighbour’s versions changed while a key is rotated', async () => {
    test.cloud.clock.advance(2 * 3_600_000);
    await test.settled();
    await shareProject(test);
    await takeWallsDown(test);
    const id = await askForRun(test, tenantId);
    await rotationBegun(test, tenantId, id);
    await labelOthersSecret(test);
    const failed = checksThat(await resultOf(test, tenantId, id), 'failed');
    expect(failed).toEqual(
      expect.arrayContaining([
        'rate-limit-attribution/counters',
        'rotation-independence/others-unchanged',
        'enumeration/list-secrets',
        'enumeration/scan-registry',
        'usage-log-attribution/query-log',
        'usage-log-attribution/overwrite-own-log',
        'vault-access-scope/read-secret',
        'vault-access-scope/put-value',
        'vault-access-scope/become-other-auditor',
        'vault-access-scope/asked-read-secret',
        'vault-access-scope/asked-read-item',
      ]),
    );
    const told = (await test.published('ISOLATION_TEST_FAILED')).map(({ detail }) => JSON.stringify(detail));
    for (const check of failed) expect(told.some((text) => text.includes(`${check}: `))).toBe(true);
    expect((await endOf(test, id)).detail).toMatchObject({ failed: failed.length });
    const shown = await operator.cordon(['isolation', 'show', '--tenant', tenantId, '--run', id]);
    expect([shown.exitCode, shown.out]).toEqual([
      1,
      expect.stringMatching(/^failed +vault-access-scope\/read-secret +vault +Tried to read/m),
    ]);
    const { exitCode, score } = await declared();
    expect(exitCode).toBe(1);
    const scores = Object.fromEntries(score.services.map((one) => [one.service, one.score]));
    expect(scores).toMatchObject({ vault: 0, registry: 0, attribution: 0, 'provider-accounts': 0, rotation: 0 });
    expect(score.services.flatMap((one) => one.failed).toSorted()).toEqual(failed.toSorted());
  });
});
