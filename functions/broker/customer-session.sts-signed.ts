import { aws } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { callSts } from '../shared/aws-signed-sts.ts';
import { CordonError } from '../shared/errors.ts';
import type { Loaded } from '../shared/expiring-cache.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { SecretText } from '../shared/secret-text.ts';
import type { AssumeCustomerRole } from './customer-session.ts';
import { unavailable } from './unavailable.ts';

/** STS's minimum, and as long as a session of Cordon ever is. */
const sessionSeconds = '900';
const message = "The session in the customer's AWS account could not be opened, so the call was not made. Try again.";

/**
 * The tenant's session becomes the connector, for this tenant, and the connector takes the customer's role with the external ID. IAM compares the tenant's tag with the
 * role's name, and the customer's trust policy the external ID. No session tag goes along: the customer's account need not admit any.
 *
 * @param credentials of a session of the tenant, of the shared role or of its own
 *
 * Source: STS API Reference, AssumeRole; IAM User Guide, "Access to AWS accounts owned by third parties".
 */
export function createAssumeCustomerRole(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly tenantId: TenantId;
  readonly connectorRoleArn: string;
  readonly timeoutMs: number;
}): AssumeCustomerRole {
  const { send, tenantId, connectorRoleArn, timeoutMs } = deps;
  // STS wants two characters at least. No tenant ID holds a dot.
  const RoleSessionName = tenantId.length < 2 ? `${tenantId}.` : tenantId;

  async function assume(
    doing: string,
    credentials: SigningCredentials,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Loaded<SigningCredentials>> {
    const answer = await aws(doing, () =>
      callSts(send, credentials, { action: 'AssumeRole', timeoutMs }, { RoleSessionName, DurationSeconds: sessionSeconds, ...parameters }),
    );
    const [accessKeyId, secretAccessKey, sessionToken] = [answer('AccessKeyId'), answer('SecretAccessKey'), answer('SessionToken')];
    const expiresAt = Date.parse(answer('Expiration') ?? '');
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined || Number.isNaN(expiresAt))
      throw new CordonError('AWS_UNAVAILABLE', 'STS answered without credentials', { retryable: true });
    return { value: { accessKeyId, secretAccessKey, sessionToken }, expiresAt };
  }

  return async ({ connectionId, roleArn, externalId }, policy) => {
    // Not kept: a connector that was cut off in the meantime would look like a customer who refuses.
    const connector = await unavailable('SESSION_UNAVAILABLE', message, { operation: 'sts:AssumeRole', resource: 'ByocConnector' }, () =>
      assume('becoming the connector', deps.credentials, {
        RoleArn: connectorRoleArn,
        'Tags.member.1.Key': 'TenantId',
        'Tags.member.1.Value': tenantId,
      }),
    );
    try {
      const { value, expiresAt } = await assume("taking a customer's role", connector.value, {
        RoleArn: roleArn,
        ExternalId: externalId,
        Policy: policy,
      });
      const { accessKeyId, secretAccessKey, sessionToken = '' } = value;
      return {
        value: {
          kind: 'aws-session',
          accessKeyId,
          secretAccessKey: new SecretText(secretAccessKey),
          sessionToken: new SecretText(sessionToken),
        },
        expiresAt,
      };
    } catch (error) {
      // Only this is a refusal; no answer is none.
      if (error instanceof CordonError && error.code === 'ACCESS_REFUSED') throw refused(connectionId, error);
      throw new CordonError('SESSION_UNAVAILABLE', message, { retryable: true, cause: error });
    }
  };
}

function refused(connectionId: string, cause: CordonError): CordonError {
  return new CordonError(
    'CUSTOMER_ROLE_REFUSED',
    `AWS account ${connectionId} refused the role that was connected, so the call was not made and nothing else was tried: the role or its trust policy was changed ` +
      'or removed there. GET /v1/connections says how to repair it.',
    { cause },
  );
}
