import { aws } from '../shared/aws-errors.ts';
import type { SendSigned } from '../shared/aws-signed.ts';
import { callSts } from '../shared/aws-signed-sts.ts';
import { CordonError } from '../shared/errors.ts';
import type { NarrowToUser } from './tenant-session.ts';
import { unavailable } from './unavailable.ts';

/** STS's minimum. */
const sessionSeconds = '900';

/**
 * The tenant's session assumes its own role once more, with the user's tag added: the role's trust policy admits that once and for its own tenant only.
 * Source: STS API Reference, AssumeRole.
 */
export function createNarrowToUser(deps: {
  readonly send: SendSigned;
  readonly tenantReaderRoleArn: string;
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  readonly dedicatedRoleArnPrefix: string;
  readonly timeoutMs: number;
}): NarrowToUser {
  return ({ tenantId, tier, credentials }, userId) =>
    unavailable(
      'SESSION_UNAVAILABLE',
      "The user's session could not be opened, so the call was not made. Try again.",
      { operation: 'sts:AssumeRole', resource: `${tenantId}.${userId}` },
      async () => {
        // A dedicated tenant's own role carries the tenant as role tag and admits no other session tag than the user's.
        const tags: [string, string][] =
          tier === 'dedicated'
            ? [['UserId', userId]]
            : [
                ['TenantId', tenantId],
                ['UserId', userId],
              ];
        const answer = await aws("opening a user's session", () =>
          callSts(
            deps.send,
            credentials,
            { action: 'AssumeRole', timeoutMs: deps.timeoutMs },
            {
              RoleArn: tier === 'dedicated' ? `${deps.dedicatedRoleArnPrefix}${tenantId}` : deps.tenantReaderRoleArn,
              RoleSessionName: `${tenantId}.${userId}`,
              DurationSeconds: sessionSeconds,
              ...Object.fromEntries(
                tags.flatMap(([key, value], index) => [
                  [`Tags.member.${index + 1}.Key`, key],
                  [`Tags.member.${index + 1}.Value`, value],
                ]),
              ),
            },
          ),
        );
        const [accessKeyId, secretAccessKey, sessionToken] = [answer('AccessKeyId'), answer('SecretAccessKey'), answer('SessionToken')];
        if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
          throw new CordonError('AWS_UNAVAILABLE', 'STS answered without credentials', { retryable: true });
        }
        return { accessKeyId, secretAccessKey, sessionToken };
      },
    );
}
