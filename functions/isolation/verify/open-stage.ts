import { z } from 'zod';
import { CordonError } from '../../shared/errors.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import type { SecretText } from '../../shared/secret-text.ts';
import { type CanaryName, canaryCredentials, canaryIds, isCanary } from '../canaries.ts';
import type { TryCall } from './attempt.ts';
import type { BrokerClient } from './broker-client.ts';
import type { Identities } from './identity.ts';
import { type Places, secretName } from './places.ts';
import type { Canary, Stage } from './stage.ts';

/** A session that `sessions` has minted for a token. */
export interface OpenedSession {
  readonly tenantId: TenantId;
  readonly tryCall: TryCall;
}

export interface StageDeps {
  readonly clock: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly identities: Identities;
  readonly places: Places;
  openBroker(brokerUrl: string): BrokerClient;
  /** As every other function gets one: by a token. Throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE and as calling AWS does. */
  openSession(token: SecretText): Promise<OpenedSession>;
}

/**
 * Gets both canaries ready, as ordinary clients: a token from the identity provider, a session from `sessions`, a look at the own secret.
 *
 * @throws CordonError CANARY_UNAVAILABLE saying what is missing; that is for the result, and no failure of the run
 */
export async function openStage(deps: StageDeps, asked: TenantId): Promise<Stage> {
  const { clock, pause, places, identities } = deps;
  const a = await openCanary(deps, 'a');
  const b = await openCanary(deps, 'b');
  return {
    ...{ a, b, places, clock, pause },
    asked: isCanary(asked) ? undefined : asked,
    broker: deps.openBroker(await identities.brokerUrl()),
    async mints(token) {
      try {
        await deps.openSession(token);
        return 'minted';
      } catch (error) {
        return error instanceof CordonError && error.code === 'TOKEN_REFUSED' ? 'refused' : 'no-answer';
      }
    },
  };
}

const described = z.object({ ARN: z.string(), VersionIdsToStages: z.record(z.string(), z.array(z.string())) });

async function openCanary(deps: StageDeps, name: CanaryName): Promise<Canary> {
  const [tenantId, credentialId] = [canaryIds[name], canaryCredentials[name]];
  const token = await deps.identities.token(name);
  const { tenantId: itsTenant, tryCall } = await opened(deps, tenantId, token);
  if (itsTenant !== tenantId) throw unavailable(`the identity provider’s token for ${tenantId} names another tenant`);
  const own = secretName(tenantId, credentialId);
  const answer = await tryCall({ service: 'secretsmanager', operation: 'DescribeSecret', input: { SecretId: own } });
  const parsed = answer.kind === 'allowed' ? described.safeParse(answer.result) : undefined;
  const [versionId] = Object.entries(parsed?.data?.VersionIdsToStages ?? {}).find(([, labels]) => labels.includes('AWSCURRENT')) ?? [];
  if (parsed?.data === undefined || versionId === undefined)
    throw unavailable(
      `${tenantId} cannot see its own secret (${answer.kind === 'allowed' ? 'it has no value' : answer.code}): is it onboarded?`,
    );
  return { name, tenantId, credentialId, token, tryCall, secret: { name: own, arn: parsed.data.ARN, versionId } };
}

async function opened({ openSession }: StageDeps, tenantId: TenantId, token: SecretText): Promise<OpenedSession> {
  try {
    return await openSession(token);
  } catch (error) {
    if (!(error instanceof CordonError)) throw error;
    throw unavailable(`${tenantId} gets no session (${error.code}): is it onboarded, and its token’s issuer trusted?`, error);
  }
}

function unavailable(message: string, cause?: unknown): CordonError {
  return new CordonError('CANARY_UNAVAILABLE', message, { cause });
}
