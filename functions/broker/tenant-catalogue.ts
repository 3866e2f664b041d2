import type { Clock } from '../shared/clock.ts';
import type { UserId } from '../shared/identifiers.ts';
import type { CatalogueStore, CredentialFacts, Rule } from './catalogue.ts';

/** Rules and credentials as they were at one time. */
export interface Catalogue {
  readonly rulesVersion: number;
  readonly rules: readonly Rule[];
  readonly credentials: ReadonlyMap<string, CredentialFacts>;
  /** When the credentials were read, by the clock. */
  readonly readAt: number;
}

export interface TenantCatalogue {
  /** What is known; read when nothing is, or what is known is old. */
  current(store: CatalogueStore): Promise<Catalogue>;
  /** After the gate said that there are other rules: one more read, and another one only when they name a credential that is not known yet. */
  withNewRules(store: CatalogueStore): Promise<Catalogue>;
  /** Reads everything anew: a credential may have been added. */
  anew(store: CatalogueStore): Promise<Catalogue>;
  /** How often everything was read. */
  readings(): number;
  /**
   * After the gate said which version the caller's item has: it rises when the user is given a credential of their own. Reads everything anew when that version was
   * not known and nothing was read since `readings()` said `since`; undefined when there is nothing to learn.
   */
  forUser(
    store: CatalogueStore,
    user: { readonly userId: UserId; readonly version: number },
    since: number,
  ): Promise<Catalogue | undefined>;
}

/** A credential that was added is found at the latest after this; that one was revoked is never taken from here. */
const maxAgeMs = 60_000;
/** Users of one tenant whose versions are kept; one more than that, and all are learnt again. */
const maxUsers = 10_000;

/** Keeps one tenant's catalogue. Nothing in it says that anything may be used: the gate does, each time. */
export function createTenantCatalogue(clock: Clock): TenantCatalogue {
  let known: Catalogue | undefined;
  let readings = 0;
  const userVersions = new Map<UserId, number>();

  async function anew(store: CatalogueStore): Promise<Catalogue> {
    const readAt = clock();
    const [rules, credentials] = await Promise.all([store.rules(), store.credentials()]);
    known = { ...rules, credentials: byId(credentials), readAt };
    readings += 1;
    return known;
  }

  return {
    anew,
    readings: () => readings,
    async forUser(store, { userId, version }, since) {
      if (userVersions.get(userId) === version) return undefined;
      const learnt = readings > since ? undefined : await anew(store);
      if (userVersions.size >= maxUsers) userVersions.clear();
      userVersions.set(userId, version);
      return learnt;
    },
    current: async (store) => (known !== undefined && clock() - known.readAt < maxAgeMs ? known : anew(store)),
    async withNewRules(store) {
      if (known === undefined) return anew(store);
      const [rules, before] = [await store.rules(), known];
      const isKnown = (id: string | undefined): boolean => id === undefined || before.credentials.has(id);
      if (!rules.rules.every(({ use, backup }) => isKnown(use) && isKnown(backup))) {
        const readAt = clock();
        known = { ...rules, credentials: byId(await store.credentials()), readAt };
      } else known = { ...before, ...rules };
      return known;
    },
  };
}

function byId(credentials: readonly CredentialFacts[]): ReadonlyMap<string, CredentialFacts> {
  return new Map(credentials.map((credential) => [credential.credentialId, credential]));
}
