import { createHash } from 'node:crypto';
import { base32 } from './base32.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`, not reserved. The only form in which a tenant enters a path, ARN, key or tag. */
export type TenantId = Branded<'TenantId'>;
/** 26 base32 characters of SHA-256(issuer, subject): fits a session tag and says nothing about the person. */
export type UserId = Branded<'UserId'>;
/** Same alphabet as a tenant ID, up to 48 characters; unique within its tenant. */
export type CredentialId = Branded<'CredentialId'>;

export const tenantIdPattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
export const userIdPattern = /^[a-z2-7]{26}$/;
export const credentialIdPattern = /^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/;

/** Names that read as Cordon's own or as a wildcard to a person: refused, so that no policy or log line is ambiguous. */
export const reservedTenantIds: ReadonlySet<string> = new Set([
  'cordon',
  'platform',
  'system',
  'admin',
  'root',
  'aws',
  'probe',
  'default',
  'tenant',
  'none',
  'null',
  'undefined',
]);

export function isTenantId(text: string): text is TenantId {
  return tenantIdPattern.test(text) && !reservedTenantIds.has(text);
}

export function isUserId(text: string): text is UserId {
  return userIdPattern.test(text);
}

export function isCredentialId(text: string): text is CredentialId {
  return credentialIdPattern.test(text);
}

/** Derives the user's ID from who vouches for them and under which name. The lengths keep (issuer, subject) pairs apart. */
export function userIdOf(issuer: string, subject: string): UserId {
  const digest = createHash('sha256').update(`${issuer.length}:${issuer}${subject.length}:${subject}`).digest();
  return base32(digest, 26) as UserId;
}
