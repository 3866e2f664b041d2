import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { aws } from './aws-errors.ts';
import { CordonError } from './errors.ts';
import { SecretText } from './secret-text.ts';
import type { AssumeRole } from './tenant-sessions.ts';

/** Source: STS API Reference, AssumeRole. Session tags need `sts:TagSession` in the role's trust policy. */
export function createAssumeRole(sts: STSClient): AssumeRole {
  return (request) =>
    aws('opening a tenant session', async () => {
      const tags = Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value }));
      const answer = await sts.send(
        new AssumeRoleCommand({
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          DurationSeconds: request.durationSeconds,
          ...(tags.length > 0 && { Tags: tags }),
        }),
      );
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
      if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined || Expiration === undefined) {
        throw new CordonError('AWS_UNAVAILABLE', 'STS answered without credentials', { retryable: true });
      }
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: new SecretText(SecretAccessKey),
        sessionToken: new SecretText(SessionToken),
        expiresAt: Expiration.getTime(),
      };
    });
}
