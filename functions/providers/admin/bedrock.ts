import { createHash } from 'node:crypto';
import {
  AttachUserPolicyCommand,
  CreateServiceSpecificCredentialCommand,
  CreateUserCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  type IAMClient,
  ListServiceSpecificCredentialsCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { isAwsError, translateAwsError } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { bedrockVerdict } from '../key-verdict.ts';
import { attemptOf, keyName, type ListedKey, type Provider } from '../provider.ts';
import { createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { bearer, createKeyCheck } from './key-check.ts';

const serviceName = 'bedrock.amazonaws.com';
const root = '/cordon/tenants/';

export interface BedrockDeps extends Pick<AdminDeps, 'fetchUrl'> {
  /** Where keys are tried, e.g. `https://bedrock-runtime.eu-central-1.amazonaws.com`. */
  readonly baseUrl: string;
  /** IAM in a session of this tenant: may administer users below `/cordon/tenants/{tenantId}/` only. */
  openIam(tenantId: string): Promise<Pick<IAMClient, 'send'>>;
  /** What a key may do; attached to each user. */
  readonly policyArn: string;
  /** The most that a key may ever do. */
  readonly boundaryArn: string;
}

/**
 * Amazon Bedrock's long-term keys: credentials of IAM users in the platform's account. IAM gives them no name of our choosing and allows two per user, so each key gets a user of its
 * own, whose path `/cordon/tenants/{tenantId}/{credentialId}/{attempt}/` is the name; its ID is the user's name, a hash of that (64 characters would be too few). Each is an IAM
 * resource, so this is for dedicated tenants only. Anybody else's Bedrock is reached by a role, with nothing stored.
 * Source: IAM API Reference, CreateServiceSpecificCredential; IAM User Guide, "IAM identifiers"; Amazon Bedrock User Guide, "API keys".
 */
export function createBedrock(deps: BedrockDeps): Provider {
  const send = createProviderHttp('bedrock', deps.baseUrl, deps.fetchUrl);

  async function listUsers(tenantId: string, path: string): Promise<{ userName: string; path: string }[]> {
    const iam = await deps.openIam(tenantId);
    const found: { userName: string; path: string }[] = [];
    let marker: string | undefined;
    do {
      const page = await call('listing keys', () =>
        iam.send(new ListUsersCommand({ PathPrefix: path, ...(marker && { Marker: marker }) })),
      );
      for (const user of page.Users ?? []) if (user.UserName && user.Path) found.push({ userName: user.UserName, path: user.Path });
      marker = page.IsTruncated ? page.Marker : undefined;
    } while (marker !== undefined);
    return found;
  }

  /** Deletes the user's credentials. @returns false when there is no such user */
  async function emptyUser(iam: Pick<IAMClient, 'send'>, UserName: string): Promise<boolean> {
    const found = await unlessGone('listing the credentials', () =>
      iam.send(new ListServiceSpecificCredentialsCommand({ UserName, ServiceName: serviceName })),
    );
    for (const { ServiceSpecificCredentialId } of found?.ServiceSpecificCredentials ?? []) {
      await unlessGone('deleting the credential', () =>
        iam.send(new DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId })),
      );
    }
    return found !== undefined;
  }

  return {
    name: 'bedrock',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'key' },
    // The tenant's path in IAM: nothing has to be made for it.
    findAccount: async (tenantId) => ({ accountId: tenantId }),
    ensureAccount: async (tenantId) => ({ accountId: tenantId }),

    async createKey(account, { tenantId, credentialId, attempt }) {
      const iam = await deps.openIam(account.accountId);
      const name = keyName(tenantId, credentialId, attempt);
      const UserName = userNameOf(name);
      const existed = await call('making the user', async () => {
        const Tags = [{ Key: 'TenantId', Value: tenantId }];
        const Path = `${root}${tenantId}/${credentialId}/${attempt}/`;
        try {
          await iam.send(new CreateUserCommand({ UserName, Path, PermissionsBoundary: deps.boundaryArn, Tags }));
          return false;
        } catch (error) {
          // The SDK asks again when an answer is lost.
          if (isAwsError(error, 'EntityAlreadyExistsException', 'EntityAlreadyExists')) return true;
          throw error;
        }
      });
      // Nobody knows the secrets of what a lost answer left, and two would be all the user may have.
      if (existed) await emptyUser(iam, UserName);
      await call('giving the user its rights', () => iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: deps.policyArn })));
      const made = await call('creating the key', () =>
        iam.send(new CreateServiceSpecificCredentialCommand({ UserName, ServiceName: serviceName })),
      );
      const secret = made.ServiceSpecificCredential?.ServiceCredentialSecret;
      if (!secret) throw new CordonError('PROVIDER_UNAVAILABLE', 'bedrock gave a key without its secret', { retryable: true });
      return { keyId: UserName, name, ownerId: account.accountId, apiKey: new SecretText(secret) };
    },

    async listKeys(account, tenantId, credentialId) {
      const prefix = `${root}${tenantId}/`;
      const users = await listUsers(account.accountId, `${prefix}${credentialId}/`);
      return users.flatMap(({ userName, path }): ListedKey[] => {
        const name = `${tenantId}.${path.slice(prefix.length, -1).replace('/', '.')}`;
        // What does not carry the name that follows from its path was not made here.
        return attemptOf(name, tenantId, credentialId) === undefined || userNameOf(name) !== userName ? [] : [{ keyId: userName, name }];
      });
    },

    async revokeKey(account, keyId) {
      const iam = await deps.openIam(account.accountId);
      if (!(await emptyUser(iam, keyId))) return;
      await unlessGone('taking the rights', () => iam.send(new DetachUserPolicyCommand({ UserName: keyId, PolicyArn: deps.policyArn })));
      await unlessGone('deleting the user', () => iam.send(new DeleteUserCommand({ UserName: keyId })));
    },

    // The runtime lists nothing. Converse with an empty conversation is refused as invalid, but only after the key was looked at.
    ...createKeyCheck(
      'bedrock',
      (apiKey) =>
        send({ method: 'POST', path: '/model/amazon.nova-micro-v1%3A0/converse', headers: bearer(apiKey), body: { messages: [] } }),
      bedrockVerdict,
    ),
  };
}

const userNameOf = (name: string): string => `cordon.${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;

/** IAM's own limits do not pass with time. Everything else is as for any call to AWS, but told as the provider's. */
async function call<Value>(doing: string, send: () => Promise<Value>): Promise<Value> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof CordonError) throw error;
    if (isAwsError(error, 'LimitExceededException', 'LimitExceeded'))
      throw new CordonError('PROVIDER_REFUSED', `bedrock refused ${doing}: a limit of IAM is reached`, { cause: error });
    const { retryable, message } = translateAwsError(error, doing);
    throw new CordonError(retryable ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_REFUSED', `bedrock: ${message}`, { retryable, cause: error });
  }
}

/** Undefined when what is asked about does not exist (any more). */
function unlessGone<Value>(doing: string, send: () => Promise<Value>): Promise<Value | undefined> {
  return call(doing, async () => {
    try {
      return await send();
    } catch (error) {
      if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return undefined;
      throw error;
    }
  });
}
