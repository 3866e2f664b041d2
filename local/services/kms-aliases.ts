/** KMS aliases. Each change is asked of IAM twice, on the alias and on the key (KMS Developer Guide, "Controlling access to aliases"). */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { existingKey, type KeyStore, keyNeed, ownKey } from './kms-keys.ts';
import { operation } from './typed-operation.ts';

const aliasName = z.string().regex(/^alias\/[a-zA-Z0-9/_-]{1,250}$/, 'must be alias/ and up to 250 of a-zA-Z0-9/_-');
const target = z.strictObject({ AliasName: aliasName, TargetKeyId: z.string().min(1).max(2048) });

export function aliasOperations(store: KeyStore): Record<string, Operation> {
  const onAlias = (action: string, name: string, scope: Scope): Need => ({
    action: `kms:${action}`,
    resource: store.aliasArn(scope.accountId, name),
    context: { 'kms:CallerAccount': scope.caller.accountId },
  });
  const onKey = (action: string, keyId: string, scope: Scope): Need => keyNeed(store, action, store.resolve(keyId, scope.accountId), scope);
  const onCurrentKey = (action: string, name: string, scope: Scope): Need[] => {
    const { key } = store.resolve(name, scope.accountId);
    return key === undefined ? [] : [onKey(action, key.arn, scope)];
  };
  return {
    CreateAlias: operation(target, {
      needs: (input, scope) => [onAlias('CreateAlias', input.AliasName, scope), onKey('CreateAlias', input.TargetKeyId, scope)],
      run: (input, scope) => {
        if (input.AliasName.startsWith('alias/aws/'))
          throw new AwsError('NotAuthorizedException', 'Alias names that begin with alias/aws/ are reserved.');
        if (input.TargetKeyId.includes('alias/')) throw new AwsError('ValidationException', 'Aliases must refer to keys. Not aliases');
        const key = ownKey(store.resolve(input.TargetKeyId, scope.accountId), scope);
        const arn = store.aliasArn(scope.accountId, input.AliasName);
        if (store.resolve(input.AliasName, scope.accountId).key !== undefined) {
          throw new AwsError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
        }
        store.aliases(scope.accountId).set(input.AliasName, { name: input.AliasName, arn, keyId: key.id, createdAt: scope.clock.now() });
        return {};
      },
    }),
    UpdateAlias: operation(target, {
      needs: (input, scope) => [
        onAlias('UpdateAlias', input.AliasName, scope),
        ...onCurrentKey('UpdateAlias', input.AliasName, scope),
        onKey('UpdateAlias', input.TargetKeyId, scope),
      ],
      run: (input, scope) => {
        existingKey(store.resolve(input.AliasName, scope.accountId));
        const key = ownKey(store.resolve(input.TargetKeyId, scope.accountId), scope);
        const alias = store.aliases(scope.accountId).get(input.AliasName);
        if (alias !== undefined) alias.keyId = key.id;
        return {};
      },
    }),
    DeleteAlias: operation(z.strictObject({ AliasName: aliasName }), {
      needs: (input, scope) => [onAlias('DeleteAlias', input.AliasName, scope), ...onCurrentKey('DeleteAlias', input.AliasName, scope)],
      run: (input, scope) => {
        existingKey(store.resolve(input.AliasName, scope.accountId));
        store.aliases(scope.accountId).delete(input.AliasName);
        return {};
      },
    }),
    ListAliases: operation(
      z.strictObject({ KeyId: z.string().optional(), Limit: z.number().int().min(1).max(100).optional(), Marker: z.string().optional() }),
      {
        needs: () => [{ action: 'kms:ListAliases', resource: '*' }],
        run: (input, scope) => {
          const only = input.KeyId === undefined ? undefined : existingKey(store.resolve(input.KeyId, scope.accountId)).id;
          const all = [...store.aliases(scope.accountId).values()].filter((alias) => only === undefined || alias.keyId === only);
          const start = input.Marker === undefined ? 0 : Number(input.Marker);
          const end = start + (input.Limit ?? 50);
          const page = all.slice(start, end).map((alias) => ({
            AliasName: alias.name,
            AliasArn: alias.arn,
            TargetKeyId: alias.keyId,
            CreationDate: alias.createdAt / 1000,
            LastUpdatedDate: alias.createdAt / 1000,
          }));
          return end < all.length ? { Aliases: page, Truncated: true, NextMarker: String(end) } : { Aliases: page, Truncated: false };
        },
      },
    ),
  };
}
