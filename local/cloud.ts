/** Puts the local cloud together: clock, kernel, services, HTTP front, the world outside, the synthesized stack, and what its deployer does once. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { AwsCredentials } from './aws-clients.ts';
import { storeCanaryIdentity } from './canary-identity.ts';
import { type Clock, createClock } from './core/clock.ts';
import type { FaultTable } from './core/faults.ts';
import type { Journal } from './core/journal.ts';
import { createKernel, type IdleOptions, type LocalKernel } from './core/kernel.ts';
import { startServer } from './core/server.ts';
import { startGateway } from './gateway/gateway.ts';
import { administrationParameters, storeAdminSecrets } from './provider-administration.ts';
import type { LambdaService } from './services/lambda.ts';
import { createWebIdentityIssuer, type WebIdentityIssuer } from './services/sts-web-identity-issuer.ts';
import { registerServices } from './services.ts';
import { loadTemplate, type StackResource } from './template/load-template.ts';
import { startTrail } from './trail.ts';
import { createAwsAccess } from './world/aws-access.ts';
import type { OidcIssuer } from './world/oidc.ts';
import type { OpenAiSimulator } from './world/openai.ts';
import { startWorld, type World } from './world/world.ts';

export interface CustomerAccount {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface StartOptions {
  /** `cdk synth`'s template; the assets lie next to it. */
  readonly templatePath: string;
  /** 0 or left out: a free one. */
  readonly port?: number;
  readonly worldPort?: number;
  readonly brokerPort?: number;
  /** Whether the platform's account has a trail, so that EventBridge hears of what is called: every read of a secret sets a function going then. None when left out. */
  readonly trail?: boolean;
  /** Environments of tenants that are kept at the same time; 16 when left out. */
  readonly tenantEnvironments?: number;
  readonly customerAccountIds?: readonly string[];
  /** For how long a connection is kept that nothing comes over, in milliseconds; a minute when left out. Whoever makes clients all the time keeps fewer open. */
  readonly keepAliveMs?: number;
  /** One that passes as real time does, and on when it is told to, when left out. */
  readonly clock?: Clock;
  /** Called with what begins, for a progress display. */
  readonly onProgress?: (what: string) => void;
}

export interface LocalCloud {
  /** For AWS_ENDPOINT_URL, e.g. `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly port: number;
  /** Where the stack's REST API answers, without its stage: `${brokerUrl}/v1/proxy/…`. */
  readonly brokerUrl: string;
  readonly region: string;
  readonly accountId: string;
  readonly templatePath: string;
  readonly clock: Clock;
  readonly kernel: LocalKernel;
  readonly journal: Journal;
  readonly faults: FaultTable;
  /** The stack's outputs by their keys, e.g. `RegistryTable`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Resources of the stack by logical ID. */
  readonly resources: Readonly<Record<string, StackResource>>;
  readonly operator: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Fresh credentials of each function's own role, by the function's name in the outputs (`sessions`, `tenants`); of one function when it is named. */
  functionCredentials(only?: string): Promise<Readonly<Record<string, Required<AwsCredentials>>>>;
  /** ARNs of the functions by the same names. */
  readonly functionArns: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, { readonly url: string; readonly dlqUrl: string }>>;
  /** When the earliest message of a queue can be received, by the cloud's clock; undefined when the queue, one of the stack's by that name, is empty. */
  nextDelivery(queueName: string): number | undefined;
  readonly customers: readonly CustomerAccount[];
  readonly world: World;
  readonly oidc: OidcIssuer;
  /** Signs what `sts:GetWebIdentityToken` gives; its keys are served by the world. */
  readonly webIdentity: WebIdentityIssuer;
  readonly openai: OpenAiSimulator;
  readonly providers: Readonly<Record<string, { readonly baseUrl: string }>>;
  /** Another customer's account with its `admin`. Throws RangeError when it exists. */
  addAccount(accountId?: string): CustomerAccount;
  /** Invokes a function as an administrator would; answers its parsed result. Throws when the function throws. */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /** True when nothing moves any more, or with `exceptWaiting` until the clock does; false after `timeoutMs` of real time. */
  idle(timeoutMs: number, options?: IdleOptions): Promise<boolean>;
  close(): Promise<void>;
  /** Closes this cloud and starts a fresh one on the same ports: no tenant, queue, fault or key of this one exists there. */
  reset(): Promise<LocalCloud>;
}

const defaultCustomers = ['444455556666', '777788889999'];
const accessKeyAnswer = z.object({ AccessKey: z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string() }) });

/** Resolves when everything answers. Rejects when the template is missing or uses what the loader does not know, or when the port is taken. */
export async function startCloud(options: StartOptions): Promise<LocalCloud> {
  const { templatePath, onProgress = () => undefined } = options;
  if (!existsSync(templatePath)) throw new Error(`There is no template at ${templatePath}. Run \`npm run synth\` first.`);
  const closing: (() => Promise<void>)[] = [];
  // The gateway first, then the services: functions and deliveries end before what they talk to is gone.
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0)) await step();
  };
  try {
    onProgress('starting the AWS services');
    const { clock = createClock() } = options;
    const customerAccountIds = options.customerAccountIds ?? defaultCustomers;
    const kernel = createKernel({ clock, customerAccountIds });
    closing.push(() => kernel.close());
    const { region, accountId } = kernel;
    let endpoint = '';
    let worldOrigin = '';
    const webIdentity = createWebIdentityIssuer({ clock, origin: () => worldOrigin });
    const { lambda, apiGateway, cloudFormation, queues } = registerServices(kernel, {
      endpoint: () => endpoint,
      assetRoot: dirname(templatePath),
      webIdentity,
      tenantEnvironments: options.tenantEnvironments,
    });
    const server = await startServer(kernel, { port: options.port ?? 0, keepAliveMs: options.keepAliveMs });
    closing.push(() => server.close());
    endpoint = server.endpoint;
    const gateway = await startGateway(kernel, { stagesNamed: apiGateway.stagesNamed, port: options.brokerPort ?? 0 });
    closing.unshift(() => gateway.close());

    onProgress('starting the providers and the identity provider');
    const takeFault = kernel.faults.match;
    const world = await startWorld({ clock, takeFault, webIdentity, aws: createAwsAccess(kernel), port: options.worldPort ?? 0 });
    worldOrigin = `http://127.0.0.1:${world.port}`;
    closing.push(() => world.close());

    onProgress('loading the synthesized template');
    const { issuer, audience, jwksUri } = world.oidc;
    const parameters = {
      TrustedIssuers: JSON.stringify([{ issuer, audiences: [audience], jwksUri }]),
      ProviderBaseUrls: JSON.stringify(Object.fromEntries(Object.entries(world.providers).map(([name, { baseUrl }]) => [name, baseUrl]))),
      AllowLoopbackEgress: 'true',
      ...(await administrationParameters(templatePath, world)),
    };
    const stack = await loadTemplate(kernel, { templatePath, parameters });
    const { outputs, resources } = stack;
    cloudFormation.adopt('Cordon', stack);

    onProgress("taking the deployer's steps");
    await storeAdminSecrets(kernel, outputs, world);
    if (options.trail === true) await startTrail(kernel);
    await storeCanaryIdentity(kernel, outputs, world.oidc, `${gateway.url}/v1`);
    const operator = await makeOperator(kernel, outputOf(outputs, 'OperatorPolicyArn'));
    const functionArns = named(outputs, /^Function(\w+)Arn$/);
    const customers = customerAccountIds.map((id) => kernel.addAccount(id));

    const cloud: LocalCloud = {
      endpoint,
      port: server.port,
      brokerUrl: gateway.url,
      region,
      accountId,
      templatePath,
      clock,
      kernel,
      journal: kernel.journal,
      faults: kernel.faults,
      outputs,
      resources,
      operator,
      functionArns,
      functionCredentials: (only) => {
        const wanted = Object.entries(functionArns).filter(([name]) => only === undefined || name === only);
        return functionCredentials(lambda, Object.fromEntries(wanted));
      },
      queues: queuesOf(outputs),
      nextDelivery: (name) => queues.nextVisible(queueArnOf(kernel, queuesOf(outputs)[name]?.url ?? '')),
      customers,
      world,
      oidc: world.oidc,
      webIdentity,
      openai: world.openai,
      providers: world.providers,
      addAccount: (id) => addAccount(kernel, customers, id),
      invoke: (functionName, payload) => invoke(kernel, functionArns[functionName] ?? functionName, payload),
      idle: (timeoutMs, options) => kernel.idle(timeoutMs, options),
      close,
      async reset() {
        await close();
        return startCloud({ ...options, port: server.port, worldPort: world.port, brokerPort: gateway.port });
      },
    };
    return cloud;
  } catch (error) {
    await close();
    throw error;
  }
}

/** The IAM user that stands for the people who run Cordon: it has the stack's operator policy and nothing else. */
async function makeOperator(kernel: LocalKernel, policyArn: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const root = kernel.rootCaller(kernel.accountId);
  const user = { UserName: 'operator' };
  await kernel.call(root, 'iam', 'CreateUser', user);
  await kernel.call(root, 'iam', 'AttachUserPolicy', { ...user, PolicyArn: policyArn });
  const { AccessKey } = accessKeyAnswer.parse(await kernel.call(root, 'iam', 'CreateAccessKey', user));
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}

/** As Lambda gives them to an execution environment, one set for each function. */
async function functionCredentials(
  lambda: LambdaService,
  arns: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, Required<AwsCredentials>>>> {
  const entries = Object.entries(arns).map(async ([name, arn]) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await lambda.functionCredentials(arn);
    return [name, { accessKeyId, secretAccessKey, sessionToken }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function addAccount(kernel: LocalKernel, customers: CustomerAccount[], wanted: string | undefined): CustomerAccount {
  const taken = new Set(kernel.accounts());
  if (wanted !== undefined && taken.has(wanted)) throw new RangeError(`The account ${wanted} exists already.`);
  let accountId = wanted;
  for (let next = 200_000_000_001; accountId === undefined; next += 1) if (!taken.has(String(next))) accountId = String(next);
  const account = kernel.addAccount(accountId);
  customers.push(account);
  return account;
}

async function invoke(kernel: LocalKernel, functionName: string, payload: unknown): Promise<unknown> {
  const root = kernel.rootCaller(kernel.accountId);
  const answer = await kernel.call(root, 'lambda', 'Invoke', { FunctionName: functionName, Payload: JSON.stringify(payload) });
  const text = typeof answer['Payload'] === 'string' ? answer['Payload'] : 'null';
  if (answer['FunctionError'] !== undefined) throw new Error(`The function ${functionName} failed: ${text}`);
  return JSON.parse(text);
}

function outputOf(outputs: Readonly<Record<string, string>>, key: string): string {
  const value = outputs[key];
  if (value === undefined) throw new Error(`The stack has no output ${key}.`);
  return value;
}

/** `FunctionSessionsArn` → `sessions`: the outputs whose key matches, by the lower-cased name in it. */
function named(outputs: Readonly<Record<string, string>>, pattern: RegExp): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([key, value]) => {
      const name = pattern.exec(key)?.[1];
      return name === undefined ? [] : [[name.charAt(0).toLowerCase() + name.slice(1), value]];
    }),
  );
}

/** A URL ends with account and name. */
function queueArnOf({ region }: LocalKernel, url: string): string {
  return ['arn:aws:sqs', region, ...url.split('/').slice(-2)].join(':');
}

function queuesOf(outputs: Readonly<Record<string, string>>): LocalCloud['queues'] {
  const urls = named(outputs, /^Queue(\w+)Url$/);
  const deadLetterUrls = Object.entries(named(outputs, /^Queue(\w+)DlqUrl$/));
  return Object.fromEntries(deadLetterUrls.map(([name, dlqUrl]) => [name, { url: urls[name] ?? '', dlqUrl }]));
}
