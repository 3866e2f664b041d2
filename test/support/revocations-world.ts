/** The API of revocations with everything around it held in memory, each tenant's data apart. */
import type { CertificateStore } from '../../functions/revocation/certificate/certificate-store.ts';
import type { Revocation } from '../../functions/revocation/revocation.ts';
import type { Orders } from '../../functions/revocations/order-revocation.ts';
import { createHandler, type RevocationsHandler } from '../../functions/revocations/serve-revocations.handler.ts';
import { createIds } from '../../functions/shared/clock.ts';
import type { CordonError } from '../../functions/shared/errors.ts';
import type { Log } from '../../functions/shared/log.ts';
import type { PublishAsPlatform } from '../../functions/shared/publish-as-platform.eventbridge.ts';
import type { CredentialItem } from '../../functions/tenants/registry.ts';
import { createMemoryCertificateStore } from '../contracts/fakes/memory-certificate-store.ts';
import { identityOf } from './connections-world.ts';

const log: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => log };
const clock = (): number => Date.parse('2026-11-21T13:00:00Z');

export interface TenantData {
  revocations: readonly Revocation[];
  credentials: readonly CredentialItem[];
  readonly certificates: CertificateStore;
  readonly revoked: Set<string>;
}

export function createRevocationsWorld() {
  const tenants = new Map<string, TenantData>();
  const published: { type: string; detail: unknown }[] = [];
  /** Names of what was read. */
  const read: string[] = [];
  /** `sessionsReads`: the token that `sessions` makes of every other. */
  const state = { down: undefined as CordonError | undefined, sessionsReads: undefined as string | undefined };
  const dataOf = (id: string): TenantData => {
    const certificates = createMemoryCertificateStore({ clock, nextId: createIds(clock) });
    const found = tenants.get(id) ?? { revocations: [], credentials: [], certificates, revoked: new Set<string>() };
    tenants.set(id, found);
    return found;
  };
  const publish: PublishAsPlatform<Orders> = async (type, detail) => {
    if (state.down) throw state.down;
    published.push({ type, detail });
    return `event-${published.length}`;
  };
  const handler: RevocationsHandler = createHandler({
    log,
    verify: async (token) => identityOf(token),
    reportNamed: async () => {},
    async openTenant(token) {
      const { tenantId, userId } = identityOf(state.sessionsReads ?? token);
      const data = dataOf(tenantId);
      const reading = <Value>(what: string, value: Value): Value => {
        if (state.down) throw state.down;
        read.push(what);
        return value;
      };
      return {
        tenantId,
        userId,
        view: {
          revocations: {
            revocation: async (_, id) =>
              reading(
                'revocation',
                data.revocations.find(({ revocationId }) => revocationId === id),
              ),
            revocations: async () => reading('revocations', data.revocations),
          },
          registry: { credentials: async () => reading('credentials', data.credentials) },
          certificates: {
            certificate: async (of, id) => reading('certificate', await data.certificates.certificate(of, id)),
            parts: async (of, id) => reading('parts', await data.certificates.parts(of, id)),
          },
          isRevoked: async ({ agentId = '', sessionId = '' }) => data.revoked.has(agentId) || data.revoked.has(sessionId),
        },
      };
    },
    publish,
  });
  return { handler, dataOf, published, read, state };
}
export type RevocationsWorld = ReturnType<typeof createRevocationsWorld>;
