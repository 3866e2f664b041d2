/** Two pool tenants for the isolation tests to set against each other, and everybody who may act for the first. */
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import type { StoredSecret } from '../../local/demo/cast.ts';
import type { TestCloud } from './cloud.ts';

export interface Neighbours {
  readonly a: string;
  /** Its name begins with `a`'s. */
  readonly b: string;
  /** One user ID on both sides: the same person is a user of both tenants and owns a secret in each. */
  readonly ana: string;
  /** Another user of `a`, without a secret. */
  readonly ben: string;
  /** Of `a`: the tenant's session and its two users', minted by `sessions` from tokens; the writer's, as the function `tenants` mints it. */
  readonly sessions: Readonly<Record<'reader' | 'ana' | 'ben' | 'writer', AwsCredentials>>;
  /** The account's administrator: everything is allowed to it that no resource policy denies. */
  readonly administrator: AwsCredentials;
  readonly secrets: Readonly<Record<'ofA' | 'ofAna' | 'ofB' | 'ofAnaInB', StoredSecret>>;
}

/** Onboards both by events. Rejects when something of it is not there at the end. */
export async function onboardNeighbours(test: TestCloud): Promise<Neighbours> {
  const { issuer } = test.cloud.oidc;
  const a = test.freshTenantId();
  const b = `${a}-2`;
  const [ana, ben] = [userIdOf(issuer, `ana of ${a}`), userIdOf(issuer, `ben of ${a}`)];
  // One after the other: what is published about the second holds the first one's name.
  await test.onboard({ tenantId: a });
  await test.onboard({ tenantId: b });
  const user = (tenantId: string, subject: string) => ({
    detailType: 'UserOnboarded',
    detail: { version: 1, tenantId, issuer, subject: `${subject} of ${a}`, requestedBy: 'test' },
  });
  await test.putEvents(user(a, 'ana'), user(a, 'ben'), user(b, 'ana'));
  await test.settled();
  const credential = { credentialId: 'openai-ana', provider: 'openai', source: 'platform-issued', userId: ana, environment: 'production' };
  const request = (tenantId: string) => ({
    detailType: 'CredentialRequested',
    detail: { version: 1, tenantId, requestedBy: 'test', credential },
  });
  await test.putEvents(request(a), request(b));
  await test.settled();

  const secret = async (tenantId: string, credentialId: string): Promise<StoredSecret> => {
    const found = (await test.secretsOf(tenantId)).find(({ name }) => name === `cordon/${tenantId}/${credentialId}`);
    if (found === undefined) throw new Error(`${tenantId} has no secret ${credentialId}.`);
    return found;
  };
  return {
    a,
    b,
    ana,
    ben,
    sessions: {
      reader: await test.tenantSession(a),
      ana: await test.tenantSession(a, `ana of ${a}`),
      ben: await test.tenantSession(a, `ben of ${a}`),
      writer: await writerOf(test, a),
    },
    administrator: administratorOf(test),
    secrets: {
      ofA: await secret(a, 'openai-main'),
      ofAna: await secret(a, 'openai-ana'),
      ofB: await secret(b, 'openai-main'),
      ofAnaInB: await secret(b, 'openai-ana'),
    },
  };
}

/** The platform account's `admin`, who may do everything. */
export function administratorOf({ cloud }: TestCloud): AwsCredentials {
  const { accessKeyId, secretAccessKey } = cloud.kernel.addAccount(cloud.accountId);
  return { accessKeyId, secretAccessKey };
}

/** A pool tenant's writer session with the function's own credentials and the very request that the function makes. */
export async function writerOf(test: TestCloud, tenantId: string): Promise<AwsCredentials> {
  const own = await credentialsOf(test, 'tenants');
  return assumeRole(test.clients(own), {
    RoleArn: test.cloud.outputs['TenantWriterRoleArn'],
    RoleSessionName: tenantId,
    DurationSeconds: 900,
    Tags: [{ Key: 'TenantId', Value: tenantId }],
  });
}

/** The credentials of a function's own role. Throws when there is no such function. */
export async function credentialsOf(test: TestCloud, functionName: string): Promise<AwsCredentials> {
  const own = (await test.cloud.functionCredentials())[functionName];
  if (own === undefined) throw new Error(`The stack has no function ${functionName}.`);
  return own;
}

/** Rejects as STS does. */
export async function assumeRole({ sts }: AwsClients, input: AssumeRoleCommandInput): Promise<AwsCredentials> {
  const { Credentials } = await sts.send(new AssumeRoleCommand(input));
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = Credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
    throw new Error('STS answered without credentials.');
  return { accessKeyId, secretAccessKey, sessionToken };
}
