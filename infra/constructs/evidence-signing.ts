import { ArnPrincipal, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';

/** Names of the statements: each role has its own. */
interface Sids {
  readonly sign: string;
  readonly read: string;
}

/**
 * Lets a function's role sign certificates, or what is signed as they are, with the evidence key, and read the key's public half to put beside the signature. It stands in the key's own policy: the
 * role could name the key only once the key exists, whose policy has to name the role.
 */
export function letSignCertificates(key: Key, role: IRole, sids: Sids = { sign: 'SignCertificates', read: 'ReadPublicKey' }): void {
  const principals = [new ArnPrincipal(role.roleArn)];
  const resources = ['*']; // in a key policy: this key
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: sids.sign,
      principals,
      actions: ['kms:Sign'],
      resources,
      conditions: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } },
    }),
  );
  key.addToResourcePolicy(new PolicyStatement({ sid: sids.read, principals, actions: ['kms:GetPublicKey'], resources }));
}
