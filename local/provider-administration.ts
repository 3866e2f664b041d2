/** What connects the stack with the administrations of the simulated providers: parameters before it is loaded, secrets after. */
import type { LocalKernel } from './core/kernel.ts';
import { readTemplate } from './template/template.ts';
import type { World } from './world/world.ts';

type Simulated = Pick<World, 'adminBaseUrls' | 'providers' | 'simulators' | 'tokenUrls'>;

/**
 * Values of those of these parameters that the template has, so that nothing here is asked of a real provider: `ProviderAdminBaseUrls` and `ProviderTokenUrls`,
 * JSON `{provider: url}`; for one provider `MistralBaseUrl` (where its keys are used), `MistralAdminBaseUrl`, `AzureOpenAiTokenUrl`.
 */
export async function administrationParameters(templatePath: string, world: Simulated): Promise<Readonly<Record<string, string>>> {
  const { Parameters } = await readTemplate(templatePath);
  const baseUrls = Object.fromEntries(Object.entries(world.providers).map(([name, { baseUrl }]) => [name, baseUrl]));
  const urls: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    AdminBaseUrl: world.adminBaseUrls,
    BaseUrl: baseUrls,
    TokenUrl: world.tokenUrls,
  };
  const valueFor = (parameter: string): string | undefined => {
    if (parameter === 'ProviderAdminBaseUrls') return JSON.stringify(world.adminBaseUrls);
    if (parameter === 'ProviderTokenUrls') return JSON.stringify(world.tokenUrls);
    const [, name = '', kind = ''] = /^(\w+?)(AdminBaseUrl|BaseUrl|TokenUrl)$/.exec(parameter) ?? [];
    return Object.entries(urls[kind] ?? {}).find(([provider]) => isNamed(provider, name))?.[1];
  };
  return Object.fromEntries(
    Object.keys(Parameters).flatMap((name) => {
      const value = valueFor(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** `AzureOpenAi` in the stack is `azure-openai`. */
function isNamed(provider: string, name: string): boolean {
  return provider.replaceAll('-', '') === name.toLowerCase();
}

/**
 * As whoever deploys Cordon does once: puts each provider's admin credential into the secret that the stack has made for it. The stack names the secret by an
 * output, `MistralAdminSecretArn`, `AzureOpenAiAdminSecretArn`. Throws when it names a provider that has no administration here.
 */
export async function storeAdminSecrets(kernel: LocalKernel, outputs: Readonly<Record<string, string>>, world: Simulated): Promise<void> {
  const root = kernel.rootCaller(kernel.accountId);
  for (const [key, SecretId] of Object.entries(outputs)) {
    const name = /^(\w+)AdminSecretArn$/.exec(key)?.[1];
    if (name === undefined) continue;
    const [, simulator] = Object.entries(world.simulators).find(([provider]) => isNamed(provider, name)) ?? [];
    const SecretString = simulator?.adminSecret;
    if (SecretString === undefined) throw new Error(`The stack has the output ${key}, but no simulated provider has such a secret.`);
    await kernel.call(root, 'secretsmanager', 'PutSecretValue', { SecretId, SecretString });
  }
}
