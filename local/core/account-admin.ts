import { type AccessKey, type IdentityStore, newSecretAccessKey, newUniqueId } from './identity-store.ts';

const everything = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }],
});

/** Gives the account its IAM user `admin`, who may do everything, and a key. */
export function makeAdmin(identities: IdentityStore, accountId: string, createdAt: Date): AccessKey {
  const user = {
    kind: 'user',
    accountId,
    name: 'admin',
    path: '/',
    arn: `arn:aws:iam::${accountId}:user/admin`,
    uniqueId: newUniqueId('AIDA'),
    createdAt,
    tags: new Map<string, string>(),
    inlinePolicies: new Map([['Administrator', { text: everything, document: JSON.parse(everything) }]]),
    attachedPolicyArns: new Set<string>(),
    boundaryArn: undefined,
  } as const;
  const key = { accessKeyId: newUniqueId('AKIA'), secretAccessKey: newSecretAccessKey(), user, createdAt };
  identities.addAccount(accountId).users.set('admin', user);
  identities.keys.set(key.accessKeyId, key);
  identities.changed();
  return key;
}
