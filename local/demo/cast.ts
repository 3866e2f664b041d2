/** Who acts in the demonstration, and the values of this run that its data files refer to. */
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { type AwsClients, type AwsCredentials, awsClients } from '../aws-clients.ts';
import type { LocalCloud } from '../cloud.ts';
import type { AttemptDeps } from './attempts.ts';

export interface StoredSecret {
  readonly arn: string;
  /** E.g. `cordon/acme/openai-main`. */
  readonly name: string;
  readonly versionId: string;
  readonly tags: Readonly<Record<string, string>>;
}

const session = z.object({ credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), sessionToken: z.string() }) });
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const secretList = z.object({
  SecretList: z.array(
    z.object({
      ARN: z.string(),
      Name: z.string(),
      Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]),
      SecretVersionsToStages: z.record(z.string(), z.array(z.string())).default({}),
    }),
  ),
});

/** Asks `sessions` for a session with a token of the local issuer, as the broker will. Throws with the refusal. */
export async function openSession(cloud: LocalCloud, tenantId: string, subject?: string): Promise<AwsCredentials> {
  const token = await cloud.oidc.mint({ tenantId, userId: subject });
  const answer = await cloud.invoke('sessions', { token, as: subject === undefined ? 'tenant' : 'user' });
  const refused = refusal.safeParse(answer);
  if (refused.success) throw new Error(`No session for ${subject ?? tenantId}: ${refused.data.error.code}: ${refused.data.error.message}`);
  return session.parse(answer).credentials;
}

/** The operator as auditor of one tenant, by STS. */
export function openAudit(cloud: LocalCloud, operator: AwsClients, tenantId: string): Promise<AwsCredentials> {
  return assumeFor(operator, cloud.outputs['TenantAuditorRoleArn'], tenantId);
}

/** A session of a role that is told its tenant by a tag. Rejects as STS does. */
async function assumeFor(clients: AwsClients, RoleArn: string | undefined, tenantId: string): Promise<AwsCredentials> {
  const Tags = [{ Key: 'TenantId', Value: tenantId }];
  const { Credentials } = await clients.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: tenantId, DurationSeconds: 900, Tags }));
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = Credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
    throw new Error('STS answered without credentials.');
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** Every tenant's secret as the account's root sees it: names and tags, no values. */
export async function storedSecrets(cloud: LocalCloud): Promise<readonly StoredSecret[]> {
  const answer = await cloud.kernel.call(cloud.kernel.rootCaller(cloud.accountId), 'secretsmanager', 'ListSecrets', {});
  return secretList
    .parse(answer)
    .SecretList.filter(({ Name }) => Name.startsWith('cordon/'))
    .map(({ ARN, Name, Tags, SecretVersionsToStages }) => ({
      arn: ARN,
      name: Name,
      versionId: Object.entries(SecretVersionsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0] ?? '',
      tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
    }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

export interface Cast extends Pick<AttemptDeps, 'actor' | 'value'> {
  close(): void;
}

/** Opens a session for everybody the example knows. Rejects when one is refused. */
export async function gatherCast(cloud: LocalCloud, operator: AwsClients): Promise<Cast> {
  const functions = await cloud.functionCredentials();
  const provisioner = functions['tenants'];
  if (provisioner === undefined) throw new Error('The stack has no function tenants.');
  const eventWorker = awsClients(cloud, provisioner);
  const credentials: Record<string, AwsCredentials> = {
    operator: cloud.operator,
    acme: await openSession(cloud, 'acme'),
    'acme/ana': await openSession(cloud, 'acme', 'ana'),
    'acme/ben': await openSession(cloud, 'acme', 'ben'),
    'acme-2': await openSession(cloud, 'acme-2'),
    // As the event worker is for the length of an event about acme: the most that provisioning can do there.
    'writer of acme': await assumeFor(eventWorker, cloud.outputs['TenantWriterRoleArn'], 'acme'),
    'auditor of acme': await openAudit(cloud, operator, 'acme'),
    ...Object.fromEntries(Object.entries(functions).map(([name, own]) => [`function ${name}`, own])),
  };
  eventWorker.destroy();
  const actors = new Map(
    Object.entries(credentials).map(([who, own]) => {
      const arn = cloud.kernel.callerOf(own.accessKeyId)?.principal.arn ?? '';
      return [who, { clients: awsClients(cloud, own), arn }];
    }),
  );
  const lookUp = await values(cloud);
  return {
    actor(who) {
      const found = actors.get(who);
      if (found === undefined) throw new Error(`Nobody here is called '${who}'. There are: ${[...actors.keys()].join(', ')}.`);
      return found;
    },
    value: lookUp,
    close() {
      for (const { clients } of actors.values()) clients.destroy();
    },
  };
}

async function values(cloud: LocalCloud): Promise<(name: string) => string> {
  const { outputs, accountId } = cloud;
  const secrets = new Map((await storedSecrets(cloud)).map((secret) => [secret.name.slice('cordon/'.length), secret]));
  const ciphertext = await sealFor(cloud, 'acme-2');
  const iamArn = (kind: string, name: string): string => `arn:aws:iam::${accountId}:${kind}/cordon/${name}`;
  const plain: Readonly<Record<string, string | undefined>> = {
    registryTable: outputs['RegistryTable'],
    attributionTable: outputs['AttributionTable'],
    tenantKey: outputs['TenantKeyArn'],
    eventBus: outputs['EventBusName'],
    today: new Date(cloud.clock.now()).toISOString().slice(0, 10),
    'ciphertext:acme-2': ciphertext,
  };
  const kinds: Readonly<Record<string, (name: string) => string | undefined>> = {
    role: (name) => iamArn('role', name),
    policy: (name) => iamArn('policy', name),
    function: (name) => cloud.functionArns[name],
    queue: (name) => cloud.queues[name]?.url,
    userId: (name) => userIdOf(cloud.oidc.issuer, name),
    secretArn: (name) => secrets.get(name)?.arn,
    versionId: (name) => secrets.get(name)?.versionId,
  };
  return (name) => {
    const [kind = '', ...rest] = name.split(':');
    const value = plain[name] ?? kinds[kind]?.(rest.join(':'));
    if (value === undefined) throw new Error(`{{${name}}} is nothing this run knows.`);
    return value;
  };
}

/**
 * Something sealed with a tenant's encryption context. Under a key of its own, because the policy of the tenants' key keeps even the account's
 * root from using it; whether a session may open it is up to that session's policies.
 */
async function sealFor({ kernel, accountId }: LocalCloud, tenantId: string): Promise<string> {
  const root = kernel.rootCaller(accountId);
  const made = z.object({ KeyMetadata: z.object({ Arn: z.string() }) }).parse(await kernel.call(root, 'kms', 'CreateKey', {}));
  const EncryptionContext = { TenantId: tenantId };
  const Plaintext = Buffer.from(`sealed for ${tenantId}`).toString('base64');
  const sealed = await kernel.call(root, 'kms', 'Encrypt', { KeyId: made.KeyMetadata.Arn, Plaintext, EncryptionContext });
  return z.object({ CiphertextBlob: z.string() }).parse(sealed).CiphertextBlob;
}
