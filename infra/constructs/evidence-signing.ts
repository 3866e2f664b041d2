import { ArnPrincipal, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';

/**
 * Lets a function's role sign certificates with the evidence key, and read the key's public half to put beside the signature. It stands in the key's own policy: the
 * role could name the key only once the key exists, whose policy has to name the role.
 */
export function letSignCertificates(key: Key, role: IRole): void {
  const principals = [new ArnPrincipal(role.roleArn)];
  const resources = ['*']; // in a key policy: this key
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'SignCertificates',
      principals,
      actions: ['kms:Sign'],
      resources,
      conditions: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } },
    }),
  );
  key.addToResourcePolicy(new PolicyStatement({ sid: 'ReadPublicKey', principals, actions: ['kms:GetPublicKey'], resources }));
}
