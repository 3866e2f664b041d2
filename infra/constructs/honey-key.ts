import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ProviderAdmins } from './provider-admins.ts';

export interface HoneyKeyProps {
  /** Whose key the platform's own secrets lie under. */
  readonly admins: ProviderAdmins;
  readonly region: string;
}

/** What the names of decoys are computed with. It opens nothing: whoever has it can tell decoys from credentials, and keep away from them. */
export class HoneyKey extends Construct {
  readonly secretArn: string;
  readonly #props: HoneyKeyProps;

  constructor(parent: Construct, id: string, props: HoneyKeyProps) {
    super(parent, id);
    this.#props = props;
    this.secretArn = new CfnSecret(this, 'Secret', {
      description: 'Key to the names of decoys; another value means other names, and that those which are planted are none any more',
      kmsKeyId: props.admins.key.keyArn,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    }).ref;
  }

  readStatements(): PolicyStatement[] {
    return this.#props.admins.readStatementsOf(this.#props.region, [this.secretArn], 'HoneyKey');
  }
}
