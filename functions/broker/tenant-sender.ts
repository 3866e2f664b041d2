import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import type { AwsAnswer } from '../shared/aws-signed-answer.ts';
import type { TenantSession } from './tenant-session.ts';

/**
 * Sends calls of a tenant's session, and makes one that IAM refuses once more, in a session minted since: the first may have been cut off while the tenant goes on. A refused
 * call has done nothing, so none is done twice; one that is refused again is refused for another reason. A session that was cut off may still record outcomes, and does.
 *
 * @param deps.send sends what is signed with other credentials as it is
 * @param deps.renew mints anew; its refusal is the call's
 * @returns makes a sender that waits no longer than this for a new session, in milliseconds
 */
export function createTenantSender(deps: {
  readonly send: SendSigned;
  readonly session: Pick<TenantSession, 'credentials'>;
  readonly renew: () => Promise<Pick<TenantSession, 'credentials'>>;
}): (renewWithinMs: number) => SendSigned {
  const { send, session } = deps;
  let current: SigningCredentials = session.credentials;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    current = (await deps.renew()).credentials;
  }

  return (renewWithinMs) => async (credentials, call) => {
    if (credentials !== session.credentials) return send(credentials, call);
    const used = current;
    const answer = await send(used, call);
    if (!isRefusal(answer)) return answer;
    if (used === current) {
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      await within(renewing, renewWithinMs);
    }
    return send(current, call);
  };
}

/** `"__type":"com.amazon.coral.service#AccessDeniedException"`, `<Code>AccessDenied</Code>`. Source: each service's API reference, "Common Errors". */
function isRefusal({ status, body }: AwsAnswer): boolean {
  return status !== 200 && /["#>]AccessDenied(Exception)?["<]/.test(body);
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('there was no new session in time')), ms);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
