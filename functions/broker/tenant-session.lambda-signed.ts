import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { isRecord } from '../shared/aws-signed-json.ts';
import { invokeFunction } from '../shared/aws-signed-lambda.ts';
import { CordonError } from '../shared/errors.ts';
import { isTenantId } from '../shared/identifiers.ts';
import type { ReportNamed } from '../shared/report-named.ts';
import type { MintTenantSession, ReportThrottled, ReportViolation, TenantSession } from './tenant-session.ts';

export interface SessionsFunction {
  readonly mint: MintTenantSession;
  readonly report: ReportViolation;
  readonly reportThrottled: ReportThrottled;
  readonly reportNamed: ReportNamed;
}

/**
 * The function `sessions`, which verifies the token itself: it is the only one that the broker's own role may call.
 *
 * @param credentials the function role's
 */
export function createSessionsFunction(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly functionName: string;
  readonly timeoutMs: number;
}): SessionsFunction {
  async function ask(input: object): Promise<Readonly<Record<string, unknown>>> {
    try {
      const answer = await invokeFunction(deps.send, deps.credentials, deps, input);
      if (isRecord(answer)) return answer;
    } catch (error) {
      throw unavailable(error);
    }
    throw unavailable();
  }
  return {
    async mint(token, { fresh } = { fresh: false }) {
      const answer = await ask({ token, ...(fresh && { fresh }) });
      refuseFailed(answer);
      return sessionOf(answer);
    },
    async report(token, violation) {
      refuseFailed(await ask({ token, report: violation }));
    },
    async reportThrottled(token, throttled) {
      refuseFailed(await ask({ token, throttled }));
    },
    async reportNamed(token, names) {
      refuseFailed(await ask({ token, named: { names } }));
    },
  };
}

function refuseFailed(answer: Readonly<Record<string, unknown>>): void {
  const { error } = answer;
  if (error === undefined) return;
  if (isRecord(error) && error['code'] === 'TOKEN_REFUSED') throw new CordonError('TOKEN_REFUSED', 'The token was not accepted.');
  throw unavailable();
}

function sessionOf({ tenantId, tier, credentials }: Readonly<Record<string, unknown>>): TenantSession {
  if (typeof tenantId !== 'string' || !isTenantId(tenantId) || (tier !== 'pool' && tier !== 'dedicated') || !isRecord(credentials))
    throw unavailable();
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials;
  const ends = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || typeof sessionToken !== 'string' || Number.isNaN(ends))
    throw unavailable();
  return { tenantId, tier, credentials: { accessKeyId, secretAccessKey, sessionToken }, expiresAt: ends };
}

function unavailable(cause?: unknown): CordonError {
  return new CordonError('SESSION_UNAVAILABLE', 'The tenant session could not be opened, so the call was not made. Try again.', {
    retryable: true,
    cause,
  });
}
