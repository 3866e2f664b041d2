import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateServiceSpecificCredentialCommand,
  CreateUserCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBedrock } from '../../functions/providers/admin/bedrock.ts';
import type { Provider } from '../../functions/providers/provider.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { createAwsAccess } from '../../local/world/aws-access.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { namedKeysContract, providerContract } from './provider.suite.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const key = (attempt: number) => ({ tenantId: acme, credentialId: main, attempt, mayExist: attempt > 1 }) as const;
const account = { accountId: 'acme' };

let aws: LocalAws;
let world: World;
let policyArn: string;
let boundaryArn: string;

const document = (actions: string[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });

beforeAll(async () => {
  aws = await startLocalAws();
  world = await startWorld({ clock: aws.kernel.clock, takeFault: () => undefined, aws: createAwsAccess(aws.kernel) });
  const actions = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream', 'bedrock:CallWithBearerToken'];
  const make = async (PolicyName: string): Promise<string> => {
    const made = await aws.admin.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: document(actions) }));
    return made.Policy?.Arn ?? '';
  };
  [policyArn, boundaryArn] = [await make('BedrockKeys'), await make('BedrockKeyBoundary')];
});
afterAll(async () => {
  await world.close();
  await aws.close();
});

const open = (): Provider =>
  createBedrock({ baseUrl: world.providers['bedrock']?.baseUrl ?? '', openIam: async () => aws.admin.iam, policyArn, boundaryArn });
const usersBelow = async (path: string): Promise<number> =>
  (await aws.admin.iam.send(new ListUsersCommand({ PathPrefix: path }))).Users?.length ?? 0;

/** A tenant's keys go when its users go. */
beforeEach(async () => {
  const provider = open();
  for (const tenant of ['acme', 'acme-2'])
    for (const credential of ['main', 'main-2', '2-main']) {
      const [id, name] = [tenantId.parse(tenant), credentialId.parse(credential)];
      for (const { keyId } of await provider.listKeys({ accountId: tenant }, id, name))
        await provider.revokeKey({ accountId: tenant }, keyId);
    }
});

describe('R4 Bedrock’s long-term keys', () => {
  // Without a lookup: the tenant's account is its path.
  providerContract('bedrock', async () => ({ provider: open() }), { accounts: 'shared' });
  namedKeysContract('bedrock', async () => ({ provider: open() }));

  it('have a user each, of which nothing is left when they are revoked', async () => {
    const provider = open();
    const made = await provider.createKey(account, key(1));
    expect(await usersBelow('/cordon/tenants/acme/main/')).toBe(1);
    await provider.revokeKey(account, made.keyId);
    expect(await usersBelow('/cordon/')).toBe(0);
  });

  it('are found when the worker stopped anywhere in the making, and the same attempt may be repeated', async () => {
    const provider = open();
    const made = await provider.createKey(account, key(1));
    // As a lost answer leaves it: two secrets that nobody knows, which is all that the user may have.
    await aws.admin.iam.send(new CreateServiceSpecificCredentialCommand({ UserName: made.keyId, ServiceName: 'bedrock.amazonaws.com' }));
    const again = await provider.createKey(account, key(1));
    expect(again.keyId).toBe(made.keyId);
    expect(await provider.confirmRevoked(made.apiKey)).toBe(true);
    expect(await provider.validateKey(again.apiKey)).toBe('valid');
  });

  it('are listed as soon as their user exists, before there is a secret', async () => {
    const provider = open();
    const made = await provider.createKey(account, key(7));
    await provider.revokeKey(account, made.keyId);
    await aws.admin.iam.send(new CreateUserCommand({ UserName: made.keyId, Path: '/cordon/tenants/acme/main/7/' }));
    expect(await provider.listKeys(account, acme, main)).toEqual([{ keyId: made.keyId, name: 'acme.main.7' }]);
    await provider.revokeKey(account, made.keyId);
    expect(await usersBelow('/cordon/')).toBe(0);
  });

  it('are not taken for ours when somebody else’s user lies at their path', async () => {
    const provider = open();
    await aws.admin.iam.send(new CreateUserCommand({ UserName: 'somebody', Path: '/cordon/tenants/acme/main/8/' }));
    await aws.admin.iam.send(new AttachUserPolicyCommand({ UserName: 'somebody', PolicyArn: policyArn }));
    expect(await provider.listKeys(account, acme, main)).toEqual([]);
  });

  it('live as long as the provider lets them after they were revoked', async () => {
    const provider = open();
    const made = await provider.createKey(account, key(1));
    world.misbehave('bedrock', { deletionDelayMs: 60_000 });
    await provider.revokeKey(account, made.keyId);
    expect(await provider.confirmRevoked(made.apiKey)).toBe(false);
    aws.kernel.clock.advance(60_001);
    expect(await provider.confirmRevoked(made.apiKey)).toBe(true);
    world.misbehave('bedrock');
  });
});
