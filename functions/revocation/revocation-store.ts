import { z } from 'zod';
import type { TenantId } from '../shared/identifiers.ts';
import type { CredentialItem, NewCredential, NewTenant, NewUser, TenantItem, UserItem } from '../tenants/registry.ts';
import { actions } from './events.ts';
import type { NewRevocation, Revocation } from './revocation.ts';

export const tombstoneKinds = ['TENANT', 'USER', 'CREDENTIAL', 'AGENT', 'SESSION'] as const;
export type TombstoneKind = (typeof tombstoneKinds)[number];

/**
 * Refuses what has no item: an agent or a session never has one, and a tenant, user or credential may have been revoked before it came to be. Registry item
 * `REVOKED#{of}#{id}`, of a tenant `REVOKED#TENANT`.
 */
export const tombstone = z.object({
  tenantId: z.string(),
  kind: z.literal('REVOKED'),
  of: z.enum(tombstoneKinds),
  id: z.string().optional(),
  /** What was asked for most; nothing is weakened. */
  action: z.enum(actions),
  /** When the latest suspension was asked for. */
  suspendedAt: z.iso.datetime(),
  /** True once a suspension was ended: it refuses nothing any more. */
  lifted: z.boolean().optional(),
  version: z.int().min(1),
  writeId: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Tombstone = z.infer<typeof tombstone>;
export type NewTombstone = Omit<Tombstone, 'version' | 'writeId' | 'createdAt' | 'updatedAt'>;

/** What becomes of the subject in the write that adds the revocation. */
export type SubjectChange =
  | { readonly of: 'TENANT'; readonly item: TenantItem; readonly change: Partial<NewTenant> }
  | { readonly of: 'USER'; readonly item: UserItem; readonly change: Partial<NewUser> }
  | { readonly of: 'CREDENTIAL'; readonly item: CredentialItem; readonly change: Partial<NewCredential> }
  /** `known` is what is changed; without it the tombstone is new, and what it stands for must not have come to be meanwhile. */
  | { readonly of: 'TOMBSTONE'; readonly known: Tombstone | undefined; readonly tombstone: NewTombstone }
  /** It is so already. */
  | { readonly of: 'NOTHING' };

/**
 * A tenant's revocations. Reads are strongly consistent, writes conditional; all throw as `Registry`.
 */
export interface RevocationStore {
  revocation(tenantId: TenantId, revocationId: string): Promise<Revocation | undefined>;
  /** All of them, in the order of their IDs. */
  revocations(tenantId: TenantId): Promise<readonly Revocation[]>;
  tombstone(tenantId: TenantId, of: TombstoneKind, id: string | undefined): Promise<Tombstone | undefined>;
  /** Changes the subject and writes the revocation down, in one write. CONFLICT when either is not as it was read. */
  begin(revocation: NewRevocation, subject: SubjectChange): Promise<Revocation>;
  changeRevocation(item: Revocation, change: Partial<NewRevocation>): Promise<Revocation>;
  /** As `Registry.postponeCredential`. */
  postpone(tenantId: TenantId, revocationId: string, change: { readonly dueAt: number; readonly until: number }): Promise<boolean>;
}
