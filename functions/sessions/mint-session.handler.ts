import { z } from 'zod';
import { CordonError, type CordonErrorCode } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { type MintDeps, type MintedSession, mintSession } from './mint-session.ts';
import { type NamedDeps, named, reportNamed } from './report-named.ts';
import { reportThrottled, type ThrottledDeps, throttled } from './report-throttled.ts';
import { type ReportDeps, reportViolation, violation } from './report-violation.ts';

const mintInput = z.strictObject({
  token: z.string().min(1),
  as: z.enum(['tenant', 'user']).default('tenant'),
  fresh: z.boolean().default(false),
  unrevoked: z.boolean().default(false),
});
/** The broker may call no other function, so what IAM refused to it is told here, and that a provider did, and what a call has named. */
const reportInput = z.strictObject({ token: z.string().min(1), report: violation });
const throttledInput = z.strictObject({ token: z.string().min(1), throttled });
const namedInput = z.strictObject({ token: z.string().min(1), named });

/** What the function answers: a session, or why not in one of two words. */
export type MintAnswer =
  | (Omit<MintedSession, 'credentials'> & {
      readonly credentials: {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string /** ISO 8601 */;
        readonly expiresAt: string;
      };
    })
  | { readonly reported: true }
  | { readonly error: { readonly code: 'TOKEN_REFUSED' | 'UNAVAILABLE'; readonly message: string } };

/** One answer for every refusal: a caller must not learn whether a tenant or a user exists, or how far a forged token came. */
const refusal = { error: { code: 'TOKEN_REFUSED', message: 'The token was not accepted.' } } as const;
const unavailable = { error: { code: 'UNAVAILABLE', message: 'The session could not be minted now.' } } as const;

const refusals: ReadonlySet<CordonErrorCode> = new Set([
  'EVENT_INVALID',
  'TOKEN_REFUSED',
  'TENANT_UNKNOWN',
  'TENANT_NOT_ACTIVE',
  'TENANT_OFFBOARDED',
  'USER_UNKNOWN',
  'ITEM_NOT_UNDERSTOOD',
  'ACCESS_REFUSED',
]);

export type MintHandler = (input: unknown, context: { readonly awsRequestId: string }) => Promise<MintAnswer>;

export function createHandler(deps: MintDeps & ReportDeps & ThrottledDeps & NamedDeps & { readonly log: Log }): MintHandler {
  return async (input, context) => {
    const log = deps.log.with({ requestId: context.awsRequestId });
    const [mint, report, slowed] = [mintInput.safeParse(input), reportInput.safeParse(input), throttledInput.safeParse(input)];
    const asking = namedInput.safeParse(input);
    try {
      if (report.success) {
        const { tenantId, userId } = await reportViolation(deps, report.data.token, report.data.report);
        log.warn('an isolation violation was reported', { tenantId, userId, operation: report.data.report.operation });
        return { reported: true };
      }
      if (slowed.success) {
        const { provider, credentialId } = slowed.data.throttled;
        const { tenantId } = await reportThrottled(deps, slowed.data.token, slowed.data.throttled);
        log.info('a provider has throttled a tenant', { tenantId, provider, credentialId });
        return { reported: true };
      }
      if (asking.success) {
        const { tenantId, userId } = await reportNamed(deps, asking.data.token, asking.data.named);
        log.info('a call has named what may be a decoy', { tenantId, userId });
        return { reported: true };
      }
      if (!mint.success) throw new CordonError('TOKEN_REFUSED', 'the request is not valid');
      const { credentials, ...session } = await mintSession(deps, mint.data);
      log.info('a session was minted', { tenantId: session.tenantId, userId: session.userId, tier: session.tier, as: mint.data.as });
      return {
        ...session,
        credentials: {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: credentials.secretAccessKey.reveal(),
          sessionToken: credentials.sessionToken.reveal(),
          expiresAt: new Date(credentials.expiresAt).toISOString(),
        },
      };
    } catch (error) {
      if (error instanceof CordonError && refusals.has(error.code)) {
        log.warn('a session was refused', { code: error.code, reason: error.message });
        return refusal;
      }
      log.error('a session could not be minted', error, { code: error instanceof CordonError ? error.code : 'UNEXPECTED' });
      return unavailable;
    }
  };
}
