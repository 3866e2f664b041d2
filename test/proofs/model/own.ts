/** What belongs to a session's tenant and user, in the words of the services: the conclusions of the proofs. */
import { and, type Formula, implies, not, or } from './formula.ts';
import { other, own, self } from './letters.ts';
import { account, type Principal, region } from './stack.ts';
import type { Translation } from './translate.ts';

export const secretsOf = (tenant: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:cordon/${tenant}/*`;
export const everySecret = secretsOf('*');
export const secretsManagerHost = `secretsmanager.${region}.amazonaws.com`;
export const roleArn = (name: string): string => `arn:aws:iam::${account}:role/cordon/${name}`;

/** The actions by which a secret comes to its tag: there is no tag of the resource to compare yet. */
const creating = ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'];

/** A secret in the tenant's path that carries the tenant's tag, or is given it there. */
export function ownSecret(say: Translation): Formula {
  const isCreating = say.asks(...creating);
  return and(
    say.is('resource', 'like', secretsOf(own)),
    implies(not(isCreating), say.is('aws:ResourceTag/TenantId', 'exact', own)),
    implies(isCreating, say.is('aws:RequestTag/TenantId', 'exact', own)),
  );
}

/** A secret that has an owner keeps it. */
export const tagsOnce = (say: Translation): Formula =>
  implies(say.asks('secretsmanager:TagResource'), not(say.present('aws:ResourceTag/TenantId')));

export const ownSecretPath = (say: Translation): Formula => say.is('resource', 'like', secretsOf(own));

/** A secret without an owner, or the session's user's own. */
export function ofOwnUser(user: string | undefined): (say: Translation) => Formula {
  return (say) =>
    and(
      ...['aws:ResourceTag/UserId', 'aws:RequestTag/UserId'].map((key) =>
        or(not(say.present(key)), user === undefined ? false : say.is(key, 'exact', user)),
      ),
    );
}

/** Nothing of the dedicated tier, unless the principal is one of the tenant's own two roles. */
export function ofOwnTier({ tags }: Principal): (say: Translation) => Formula {
  if (tags['TenantId'] === own) return () => true;
  return (say) => and(...['aws:ResourceTag/Tier', 'aws:RequestTag/Tier'].map((key) => not(say.is(key, 'exact', 'dedicated'))));
}

export const leadingKeys = 'dynamodb:LeadingKeys';

/** Items under keys of the tenant, all of them, and under some. */
export const ownItems = (say: Translation): Formula => and(say.present(leadingKeys), say.each(leadingKeys, 'like', `TENANT#${own}#*`));

/** DynamoDB refuses an empty key ("ValidationException: empty string value"), so no request carries one. */
export const keysAreNotEmpty = (say: Translation): Formula =>
  or(not(say.present(leadingKeys)), and(say.each(leadingKeys, 'like', '?*'), say.some(leadingKeys, 'like', '?*')));

/** Through Secrets Manager for a secret of the tenant's; or for the tenant, by that name and at most the user's. */
export const ownContext = (say: Translation): Formula =>
  or(
    and(say.is('kms:ViaService', 'exact', secretsManagerHost), say.is('kms:EncryptionContext:SecretARN', 'like', secretsOf(own))),
    and(say.is('kms:EncryptionContext:TenantId', 'exact', own), say.each('kms:EncryptionContextKeys', 'exact', 'TenantId', 'UserId')),
  );

/** No user's context but the session's own. */
export function contextOfOwnUser(user: string | undefined): (say: Translation) => Formula {
  const key = 'kms:EncryptionContext:UserId';
  return (say) => or(not(say.present(key)), user === undefined ? false : say.is(key, 'exact', user));
}

/** `kms:EncryptionContextKeys` lists the names in the context: with an empty context it is absent, and so are they. */
export const contextNamesAgree = (say: Translation): Formula =>
  and(
    ...['TenantId', 'UserId', 'SecretARN'].map((name) =>
      implies(say.present(`kms:EncryptionContext:${name}`), say.some('kms:EncryptionContextKeys', 'ignoring-case', name)),
    ),
  );

/** `aws:TagKeys` lists the tags of the request, and compares with case where the tags compare without. */
export const tagKeysAgree = (say: Translation): Formula =>
  and(
    ...['TenantId', 'UserId', 'Tier'].map((name) => {
      const tag = say.present(`aws:RequestTag/${name}`);
      const listed = say.some('aws:TagKeys', 'ignoring-case', name);
      return and(implies(tag, listed), implies(listed, tag));
    }),
  );

export const users: readonly (string | undefined)[] = [undefined, self];
export const foreign = other;
