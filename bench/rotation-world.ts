/** A cell in which credentials rotate: the rotation worker as it is, on local AWS services and a simulated provider, in simulated time. */
import { CreateEventBusCommand } from '@aws-sdk/client-eventbridge';
import { createAttributionStore } from '../functions/attribution/attribution-store.dynamodb.ts';
import { createVault } from '../functions/credentials/vault.secrets-manager.ts';
import { createProviders } from '../functions/providers/create-providers.ts';
import { advanceRotation } from '../functions/rotation/advance-rotation.ts';
import type { RotationRequested } from '../functions/rotation/events.ts';
import { createRotationOpeners } from '../functions/rotation/open-rotation.aws.ts';
import type { RotationDeps } from '../functions/rotation/rotation-deps.ts';
import { createAnnouncer } from '../functions/shared/announcer.eventbridge.ts';
import { createIds } from '../functions/shared/clock.ts';
import { credentialId, tenantId } from '../functions/shared/identifier-fields.ts';
import type { CredentialId, TenantId } from '../functions/shared/identifiers.ts';
import type { Log } from '../functions/shared/log.ts';
import { SecretText } from '../functions/shared/secret-text.ts';
import { createTenantSessions } from '../functions/shared/tenant-sessions.ts';
import type { outboundEvents as tenantEvents } from '../functions/tenants/events.ts';
import { onboardTenant } from '../functions/tenants/onboard-tenant.ts';
import { createRegistry } from '../functions/tenants/registry.dynamodb.ts';
import type { CredentialItem } from '../functions/tenants/registry.ts';
import { createClock } from '../local/core/clock.ts';
import { startWorld, type World } from '../local/world/world.ts';
import { type LocalAws, startLocalAws } from '../test/contracts/local-aws.ts';
import { createSimulatedTime, type SimulatedTime } from './simulated-time.ts';

export const main = credentialId.parse('openai-main');
export const backup = credentialId.parse('openai-backup');
const eventBusName = 'cordon';
const adminSecretArn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon-admin/openai';
const roleArn = 'arn:aws:iam::111122223333:role/cordon/TenantRotator';
/** Of the rotation function: its timeout. */
const runMs = 120_000;

/** Problems end the simulation: a figure of a run that failed would say nothing. */
export const log: Log = {
  info: () => undefined,
  warn: (message, fields) => fail(message, fields),
  error: (message, error) => fail(message, error),
  with: () => log,
};

function fail(message: string, cause: unknown): never {
  throw new Error(message, { cause });
}

export interface RotationWorld {
  readonly aws: LocalAws;
  readonly time: SimulatedTime;
  readonly provider: World;
  /** A pool tenant whose calls go through the issued credential `openai-main`, which may have a backup; `others` are more credentials beside it. */
  onboard(name: string, options?: { readonly backup?: boolean; readonly others?: number }): Promise<TenantId>;
  /** The credential's item, read by nobody who counts. */
  item(of: TenantId): Promise<CredentialItem>;
  /** One run of the worker, in an environment that has just started: for what somebody asks for, else for what is due. `onWrite` hears of each version of the item that the run wrote. */
  run(of: TenantId, asked?: Pick<RotationRequested, 'emergency'>, onWrite?: (item: CredentialItem) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function startRotationWorld(): Promise<RotationWorld> {
  const aws = await startLocalAws();
  const time = createSimulatedTime(aws.kernel.journal, Date.now());
  const clock = time.now;
  const provider = await startWorld({ clock: { ...createClock(), now: clock }, takeFault: () => undefined });
  await aws.admin.events.send(new CreateEventBusCommand({ Name: eventBusName }));
  const nextId = createIds(clock);
  const admin = aws.kernel.addAccount(aws.accountId);
  // What the worker makes its clients with, as Lambda gives it.
  const { AWS_ENDPOINT_URL: endpointBefore, AWS_REGION: regionBefore } = process.env;
  Object.assign(process.env, { AWS_ENDPOINT_URL: aws.endpoint, AWS_REGION: aws.region });

  const registry = createRegistry({ client: aws.admin.dynamodb, table: aws.registryTable, clock, nextId });
  const providersNow = () =>
    createProviders(
      { openai: { adminSecretArn, baseUrl: provider.openAiBaseUrl } },
      {
        clock,
        fetchUrl(input, init) {
          time.called('provider', init?.method ?? 'GET');
          return fetch(input, init);
        },
        async readAdminKey() {
          time.called('secretsmanager', 'GetSecretValue');
          return new SecretText(provider.openai.adminKey);
        },
      },
    );

  /** The sessions are an administrator's, opened as a tenant's are: what IAM allows is another matter. */
  function newWorker(): RotationDeps {
    const sessions = createTenantSessions({
      clock,
      capacity: 200,
      async assume() {
        time.called('sts', 'AssumeRole');
        const { accessKeyId, secretAccessKey } = admin;
        return {
          accessKeyId,
          secretAccessKey: new SecretText(secretAccessKey),
          sessionToken: new SecretText(''),
          expiresAt: clock() + 900_000,
        };
      },
    });
    const env = {
      REGISTRY_TABLE: aws.registryTable,
      ATTRIBUTION_TABLE: aws.attributionTable,
      TENANT_ROTATOR_ROLE_ARN: roleArn,
      DEDICATED_ROLE_ARN_PREFIX: roleArn,
    };
    return {
      clock,
      nextId,
      log,
      announcer: createAnnouncer(aws.admin.events, eventBusName),
      providers: providersNow(),
      poolKeyArn: aws.keyArn,
      pause: async (ms) => time.pass(ms),
      tryCustomerKey: () => fail('there are no customers here', undefined),
      ...createRotationOpeners({ sessions, clock, nextId, env }),
    };
  }

  return {
    aws,
    time,
    provider,
    async onboard(name, options = {}) {
      const id = tenantId.parse(name);
      const attribution = createAttributionStore(aws.admin.dynamodb, aws.attributionTable);
      const vault = createVault(aws.admin.secretsmanager);
      const issued = (credential: CredentialId, environment: string) =>
        ({ credentialId: credential, provider: 'openai', source: 'platform-issued', environment }) as const;
      const others = Array.from({ length: options.others ?? 0 }, (_, n) => issued(credentialId.parse(`openai-${n}`), `other-${n}`));
      const rule = { match: { provider: 'openai', environment: 'production' }, use: main } as const;
      await onboardTenant(
        {
          clock,
          nextId,
          log,
          announcer: createAnnouncer<typeof tenantEvents>(aws.admin.events, eventBusName),
          providers: providersNow(),
          poolKeyArn: aws.keyArn,
          openStores: async () => ({ registry, attribution }),
          openVault: async () => vault,
          honeyKey: () => fail('there are no decoys here', undefined),
          openDedicatedTier: () => fail('there is no dedicated tier here', undefined),
        },
        {
          version: 1,
          tenantId: id,
          displayName: name,
          tier: 'pool',
          requestedBy: 'bench',
          credentials: [issued(main, 'production'), ...(options.backup ? [issued(backup, 'production')] : []), ...others],
          routing: [{ ...rule, ...(options.backup && { backup }) }],
        },
        { eventId: `onboarding-${name}`, time: new Date(clock()).toISOString(), deadline: clock() + runMs },
      );
      return id;
    },
    item: async (of) => (await registry.credential(of, main)) ?? fail('the credential is gone', of),
    async run(of, asked, onWrite) {
      const worker = newWorker();
      const openStores: RotationDeps['openStores'] = async (tenant) => {
        const stores = await worker.openStores(tenant);
        const changeCredential: typeof stores.registry.changeCredential = async (item, change) => {
          const written = await stores.registry.changeCredential(item, change);
          await onWrite?.(written);
          return written;
        };
        return { ...stores, registry: { ...stores.registry, changeCredential } };
      };
      const named = { tenantId: of, credentialId: main };
      const request = { version: 1, ...named, requestedBy: 'bench', why: 'the key was seen in a log', action: 'rotate' } as const;
      await advanceRotation(
        { ...worker, openStores },
        {
          ...named,
          deadline: clock() + runMs,
          ...(asked && { asked: { request: { ...request, ...asked }, eventId: nextId() } }),
        },
      );
    },
    async close() {
      for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL: endpointBefore, AWS_REGION: regionBefore })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await provider.close();
      await aws.close();
    },
  };
}
