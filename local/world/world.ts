/** The world outside AWS, on one loopback server: provider simulators and the platform's identity provider. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { WebIdentityIssuer } from '../services/sts-web-identity-issuer.ts';
import { createAnthropic } from './anthropic.ts';
import type { AwsAccess } from './aws-access.ts';
import { createBedrock } from './bedrock.ts';
import { createCohere } from './cohere.ts';
import type { TrustRule } from './federation.ts';
import { createGemini, createVertex } from './gemini.ts';
import { listen, sendJson } from './http.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { createOidcIssuer, type OidcIssuer, oidcBasePath } from './oidc.ts';
import { createOpenAi, type OpenAiSimulator } from './openai.ts';
import { createCompatible } from './openai-compatible.ts';
import type { Simulator, TakeFault } from './simulator.ts';

export interface World {
  readonly port: number;
  readonly oidc: OidcIssuer;
  readonly openai: OpenAiSimulator;
  /** E.g. `http://127.0.0.1:41234/openai/v1`. */
  readonly openAiBaseUrl: string;
  /** Every simulated provider by its name, OpenAI among them. */
  readonly simulators: Readonly<Record<string, Simulator>>;
  /** Where each of them is: what the broker takes for the provider's own base URL. */
  readonly providers: Readonly<Record<string, { readonly baseUrl: string }>>;
  /** Where their administrations are: what an adapter takes for the documented base URL of that API. Only those that have one. */
  readonly adminBaseUrls: Readonly<Record<string, string>>;
  /** Where tokens for two of them are given out, in place of `https://oauth2.googleapis.com/token` and `https://login.microsoftonline.com`. */
  readonly tokenUrls: Readonly<Record<'gemini' | 'azure-openai', string>>;
  /** A key as a customer would make it at the provider. Throws RangeError for an unknown provider. */
  issueKey(provider: string, name?: string): string;
  /** From now on the provider behaves like this; well, when nothing is given. Throws RangeError for an unknown provider. */
  misbehave(provider: string, how?: Misbehaviour): void;
  /** Registers whose identity tokens OpenAI or Anthropic exchange. */
  trust(provider: 'openai' | 'anthropic', rule: TrustRule): void;
  /** Every secret that a provider ever gave out, and its administrators'; clients' of the identity provider, and their tokens. */
  plantedSecrets(): readonly string[];
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly clock: Clock;
  readonly takeFault: TakeFault;
  /** 0 or left out: a free one. */
  readonly port?: number;
  /** Who signs requests to Bedrock, and what their accounts' policies allow; nobody when left out. */
  readonly aws?: AwsAccess;
  /** Whose keys are served besides: AWS's issuer of identity tokens. */
  readonly webIdentity?: WebIdentityIssuer;
}

/** Listens on loopback and resolves when it answers. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { clock, takeFault, port = 0, aws, webIdentity } = options;
  let origin = '';
  const deps = { clock, takeFault, origin: () => origin };
  const openai = createOpenAi(deps);
  const anthropic = createAnthropic(deps);
  const simulators: Readonly<Record<string, Simulator>> = {
    openai,
    anthropic,
    bedrock: createBedrock({ ...deps, ...(aws && { aws }) }),
    gemini: createGemini(deps),
    vertex: createVertex(deps),
    cohere: createCohere(deps),
    ...createCompatible(deps),
  };
  const simulatorOf = (provider: string): Simulator => {
    const found = Object.hasOwn(simulators, provider) ? simulators[provider] : undefined;
    if (found === undefined)
      throw new RangeError(`There is no simulated provider ${provider}. There are: ${Object.keys(simulators).join(', ')}.`);
    return found;
  };
  let oidc: OidcIssuer | undefined;
  const listening = await listen((request, response) => {
    const path = request.url ?? '/';
    const simulator = Object.values(simulators).find(({ place }) => path.startsWith(`${place}/`));
    if (simulator !== undefined) {
      simulator.handle(request, response).catch((error: unknown) => {
        const message = `The simulator failed: ${String(error)}`;
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { error: { message, type: 'server_error', param: null, code: null } });
      });
    } else if (oidc !== undefined && path.startsWith(`${oidcBasePath}/`)) oidc.handle(request, response);
    else if (webIdentity !== undefined && path.startsWith(`${webIdentity.basePath}/`)) {
      answerDocument(webIdentity, path, response).catch((error: unknown) => sendJson(response, 500, { error: { message: String(error) } }));
    } else sendJson(response, 404, { error: { message: `Nothing is served at ${path}.` } });
  }, port);
  origin = listening.origin;
  const identities = await createOidcIssuer({ clock, origin: listening.origin });
  oidc = identities;
  const providers = Object.fromEntries(
    Object.entries(simulators).map(([name, { basePath }]) => [name, { baseUrl: `${listening.origin}${basePath}` }]),
  );
  const adminBaseUrls = Object.fromEntries(
    Object.entries(simulators).flatMap(([name, { adminBasePath }]) =>
      adminBasePath === undefined ? [] : [[name, `${listening.origin}${adminBasePath}`]],
    ),
  );
  return {
    port: listening.port,
    oidc: identities,
    openai,
    openAiBaseUrl: `${listening.origin}${openai.basePath}`,
    simulators,
    providers,
    adminBaseUrls,
    tokenUrls: { gemini: `${listening.origin}/gemini/token`, 'azure-openai': `${listening.origin}/azure-openai/login` },
    issueKey: (provider, name) => simulatorOf(provider).issueKey(name),
    misbehave: (provider, how = {}) => simulatorOf(provider).misbehave(how),
    trust: (provider, rule) => (provider === 'openai' ? openai : anthropic).federation.trust(rule),
    plantedSecrets: () => [...Object.values(simulators).flatMap((simulator) => simulator.plantedSecrets()), ...identities.plantedSecrets()],
    close: () => listening.close(),
  };
}

async function answerDocument(issuer: WebIdentityIssuer, path: string, response: ServerResponse): Promise<void> {
  const document = await issuer.documentAt(path);
  if (document === undefined) sendJson(response, 404, { error: { message: `Nothing is served at ${path}.` } });
  else sendJson(response, 200, document);
}
