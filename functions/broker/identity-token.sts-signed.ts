import type { IdentityToken } from '../providers/federation.ts';
import { aws } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { callSts } from '../shared/aws-signed-sts.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { SecretText } from '../shared/secret-text.ts';
import { unavailable } from './unavailable.ts';

/** STS's default; the exchange follows at once. */
const tokenSeconds = '300';

/**
 * The tenant's own role says who it is, in a token that providers can verify.
 *
 * @param credentials of a session of a dedicated tenant's role: pool tenants share one role, and so one subject
 *
 * Source: STS API Reference, GetWebIdentityToken.
 */
export function createIdentityToken(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly tenantId: TenantId;
  readonly timeoutMs: number;
}): IdentityToken {
  const asked = { operation: 'sts:GetWebIdentityToken', resource: deps.tenantId };
  return (audience) =>
    unavailable('SECRET_UNAVAILABLE', 'The identity token could not be made, so the call was not made. Try again.', asked, async () => {
      const answer = await aws('making an identity token', () =>
        callSts(
          deps.send,
          deps.credentials,
          { action: 'GetWebIdentityToken', timeoutMs: deps.timeoutMs },
          { 'Audience.member.1': audience, SigningAlgorithm: 'RS256', DurationSeconds: tokenSeconds },
        ),
      );
      const token = answer('WebIdentityToken');
      if (token === undefined) throw new CordonError('AWS_UNAVAILABLE', 'STS answered without a token', { retryable: true });
      return new SecretText(token);
    });
}
