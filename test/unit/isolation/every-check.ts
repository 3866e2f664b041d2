/** Every check that the isolation tests make, as they name it: played on a stage on which nothing answers, so that none has passed. */
import { canaryCredentials, canaryIds } from '../../../functions/isolation/canaries.ts';
import type { Check } from '../../../functions/isolation/check.ts';
import { playBroker } from '../../../functions/isolation/verify/play-broker.ts';
import { playForbidden } from '../../../functions/isolation/verify/play-forbidden.ts';
import { playRateLimits } from '../../../functions/isolation/verify/play-rate-limits.ts';
import { playRotation } from '../../../functions/isolation/verify/play-rotation.ts';
import { playUsageLog } from '../../../functions/isolation/verify/play-usage-log.ts';
import type { Canary, Stage } from '../../../functions/isolation/verify/stage.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const account = '111122223333';
let now = Date.parse('2026-11-22T10:00:00Z');

const canary = (name: Canary['name']): Canary => {
  const [own, credential] = [canaryIds[name], canaryCredentials[name]];
  const secret = {
    name: `cordon/${own}/${credential}`,
    arn: `arn:aws:secretsmanager:us-east-1:${account}:secret:cordon/${own}/${credential}`,
    versionId: 'v1',
  };
  const tryCall: Canary['tryCall'] = async () => ({ kind: 'no-answer', code: 'TimeoutError' });
  return { name, tenantId: own, credentialId: credential, token: new SecretText('a.b.c'), tryCall, secret };
};
const stage: Stage = {
  ...{ a: canary('a'), b: canary('b'), asked: tenantId.parse('acme') },
  places: {
    ...{ partition: 'aws', region: 'us-east-1', accountId: account, registryTable: 'registry', attributionTable: 'attribution' },
    tenantKeyArn: `arn:aws:kms:us-east-1:${account}:key/k`,
  },
  broker: { use: async () => ({ status: 0 }), log: async () => undefined },
  mints: async () => 'no-answer',
  clock: () => now,
  pause: async (ms) => {
    now += ms;
  },
};
const rotation = { begun: undefined, begin: async () => undefined, request: async () => undefined };

export const everyCheck: readonly Check[] = [
  ...(await playForbidden(stage)),
  ...(await playBroker(stage, 'm')),
  ...(await playRateLimits(stage, 'm')),
  ...(await playUsageLog(stage, 'm')).checks,
  ...(await playRotation(stage, 'm', rotation)).checks,
];
