/** How a simulated provider that is part of AWS knows who signs a request or whose API key it carries, and asks IAM. */
import { AwsError } from '../core/aws-error.ts';
import type { ServiceCredential } from '../core/identity-store.ts';
import type { LocalKernel } from '../core/kernel.ts';
import { sessionArn } from '../core/principals.ts';
import type { KnownCredentials } from '../core/sigv4.ts';
import { bearerTokenType } from '../services/bedrock.ts';
import { fingerprintOf } from './openai-organization.ts';
import type { LiveKey } from './simulated-keys.ts';

const bedrockService = 'bedrock.amazonaws.com';

export interface SignedBy {
  readonly accountId: string;
  readonly principalArn: string;
  readonly accessKeyId: string;
}

export interface AwsAccess {
  /** Of sessions and users, also of expired sessions. Undefined for an unknown access key. */
  credentialsOf(accessKeyId: string): KnownCredentials | undefined;
  /** Whose the access key is, or was. */
  ownerOf(accessKeyId: string): SignedBy | undefined;
  /**
   * The ID of a long-term API key for Bedrock that is in force. One that was made inactive or deleted is for `deletionDelayMs` more. Undefined for what is
   * none.
   */
  apiKeyOf(secret: string, deletionDelayMs: number): string | undefined;
  /** The API keys in force, named by their aliases, which begin with the user's name. */
  liveApiKeys(namePrefix: string, deletionDelayMs: number): readonly LiveKey[];
  /** Every API key ever made. */
  plantedSecrets(): readonly string[];
  /** Decides over an invocation of Bedrock by the policies of the caller's account, and journals it. `accessKeyId` is an API key's ID as well. Throws AwsError. */
  invoke(accessKeyId: string, invocation: { readonly operation: string; readonly modelId: string; readonly region: string }): Promise<void>;
}

export function createAwsAccess(kernel: LocalKernel): AwsAccess {
  const { keys, sessions, serviceCredentials } = kernel.identities;
  const isInForce = ({ expiresAt, endedAt }: ServiceCredential, deletionDelayMs: number): boolean => {
    const now = kernel.clock.now();
    return (expiresAt === undefined || now < expiresAt.getTime()) && (endedAt === undefined || now < endedAt + deletionDelayMs);
  };
  const apiKeys = (): readonly ServiceCredential[] =>
    [...serviceCredentials.values()].filter(({ serviceName }) => serviceName === bedrockService);
  return {
    credentialsOf: (accessKeyId) => kernel.secretOf(accessKeyId),
    ownerOf(accessKeyId) {
      const user = (keys.get(accessKeyId) ?? serviceCredentials.get(accessKeyId))?.user;
      if (user !== undefined) return { accountId: user.accountId, principalArn: user.arn, accessKeyId };
      const session = sessions.get(accessKeyId);
      return session && { accountId: session.role.accountId, principalArn: sessionArn(session), accessKeyId };
    },
    apiKeyOf: (secret, deletionDelayMs) => apiKeys().find((key) => key.secret === secret && isInForce(key, deletionDelayMs))?.id,
    liveApiKeys: (namePrefix, deletionDelayMs) =>
      apiKeys()
        .filter((key) => key.alias.startsWith(namePrefix) && isInForce(key, deletionDelayMs))
        .map(({ alias, secret }) => ({ name: alias, fingerprint: fingerprintOf(secret) })),
    plantedSecrets: () => apiKeys().map(({ secret }) => secret),
    async invoke(accessKeyId, { operation, modelId, region }) {
      const caller = kernel.callerOf(accessKeyId);
      if (caller === undefined) throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403);
      const bearer = serviceCredentials.has(accessKeyId) ? { context: { ...caller.context, [bearerTokenType]: 'LONG_TERM' } } : {};
      await kernel.call({ ...caller, ...bearer }, 'bedrock', operation, { modelId }, { region });
    },
  };
}
