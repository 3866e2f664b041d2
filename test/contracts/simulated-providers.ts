/** Simulated providers and their adapters, as a function would make them. */
import { createProviders } from '../../functions/providers/create-providers.ts';
import type { Provider } from '../../functions/providers/provider.ts';
import type { ProvidersConfig } from '../../functions/providers/providers-config.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { type Clock, createClock } from '../../local/core/clock.ts';
import type { ProviderFault } from '../../local/world/simulator.ts';
import { startWorld, type World } from '../../local/world/world.ts';

/** Those with an admin secret. */
export type Administered = Exclude<keyof ProvidersConfig, 'cohere'>;

export interface SimulatedProviders {
  readonly world: World;
  readonly clock: Clock;
  /** By the action; each is used once. */
  readonly faults: Map<string, ProviderFault>;
  /** The provider's adapter, with the simulator's own admin secret when none is given. */
  open(name: Administered, adminSecret?: string): Provider;
  close(): Promise<void>;
}

export async function startSimulatedProviders(): Promise<SimulatedProviders> {
  const clock = createClock();
  const faults = new Map<string, ProviderFault>();
  const takeFault = (_service: string, action: string): ProviderFault | undefined => {
    const fault = faults.get(action);
    faults.delete(action);
    return fault;
  };
  const world = await startWorld({ clock, takeFault });
  return {
    world,
    clock,
    faults,
    open(name, adminSecret = world.simulators[name]?.adminSecret ?? '') {
      const tokenUrl = name === 'gemini' || name === 'azure-openai' ? world.tokenUrls[name] : undefined;
      const urls = { baseUrl: world.providers[name]?.baseUrl, adminBaseUrl: world.adminBaseUrls[name], tokenUrl };
      const config = { [name]: { adminSecretArn: `arn:aws:secretsmanager:us-east-1:111122223333:secret:${name}`, ...urls } };
      const provider = createProviders(config, { clock: clock.now, readAdminKey: async () => new SecretText(adminSecret) })[name];
      if (provider === undefined) throw new Error(`no provider ${name}`);
      return provider;
    },
    close: () => world.close(),
  };
}
