/** How a simulated provider that is part of AWS knows who signs a request, and asks IAM. */
import { AwsError } from '../core/aws-error.ts';
import type { LocalKernel } from '../core/kernel.ts';
import { sessionArn } from '../core/principals.ts';
import type { KnownCredentials } from '../core/sigv4.ts';

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
  /** Decides over an invocation of Bedrock by the policies of the caller's account, and journals it. Throws AwsError. */
  invoke(accessKeyId: string, invocation: { readonly operation: string; readonly modelId: string; readonly region: string }): Promise<void>;
}

export function createAwsAccess(kernel: LocalKernel): AwsAccess {
  const { keys, sessions } = kernel.identities;
  return {
    credentialsOf: (accessKeyId) => kernel.secretOf(accessKeyId),
    ownerOf(accessKeyId) {
      const user = keys.get(accessKeyId)?.user;
      if (user !== undefined) return { accountId: user.accountId, principalArn: user.arn, accessKeyId };
      const session = sessions.get(accessKeyId);
      return session && { accountId: session.role.accountId, principalArn: sessionArn(session), accessKeyId };
    },
    async invoke(accessKeyId, { operation, modelId, region }) {
      const caller = kernel.callerOf(accessKeyId);
      if (caller === undefined) throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403);
      await kernel.call(caller, 'bedrock', operation, { modelId }, { region });
    },
  };
}
