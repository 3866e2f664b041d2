import { RemovalPolicy, Tags } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

/** The providers that Cordon makes keys at: the name in the stack, and the provider's own. */
const providers = {
  OpenAi: 'openai',
  Mistral: 'mistral',
  OpenRouter: 'openrouter',
  Gemini: 'gemini',
  AzureOpenAi: 'azure-openai',
} as const;

/** What the platform itself holds at its providers: an administrator's credential each. Secrets of the platform, under a key of their own, for the two workers that make and revoke keys. */
export class ProviderAdmins extends Construct {
  /** ARNs by the name in the stack. */
  readonly secretArns: Readonly<Record<string, string>>;
  /** `{provider: {adminSecretArn}}`, what the workers are configured with. */
  readonly configuration: Readonly<Record<string, { readonly adminSecretArn: string }>>;
  /** Of the platform's own secrets. */
  readonly key: Key;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.key = new Key(this, 'Key', {
      description: 'Secrets of the platform itself',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // As the tenants' key: what carries a Tier cannot be tagged as a tenant's own.
    Tags.of(this.key).add('Tier', 'platform');
    const made = Object.entries(providers).map(([name, provider]) => {
      // Without a value: a random one, which the higher construct would fill in, would be tried at the provider.
      const secret = new CfnSecret(this, name, {
        description: `Administrator's credential at ${provider}: put its value here after deploying, if Cordon is to make keys there`,
        kmsKeyId: this.key.keyArn,
      });
      return { name, provider, arn: secret.ref };
    });
    this.secretArns = Object.fromEntries(made.map(({ name, arn }) => [name, arn]));
    this.configuration = Object.fromEntries(made.map(({ provider, arn }) => [provider, { adminSecretArn: arn }]));
  }

  /** What a worker needs to read them: through Secrets Manager, each in its own context. */
  readStatements(region: string): PolicyStatement[] {
    return this.readStatementsOf(region, Object.values(this.secretArns), 'AdminKeys');
  }

  /** The same for other secrets of the platform under this key. */
  readStatementsOf(region: string, arns: readonly string[], what: string): PolicyStatement[] {
    return [
      new PolicyStatement({ sid: `Read${what}`, actions: ['secretsmanager:GetSecretValue'], resources: [...arns] }),
      new PolicyStatement({
        sid: `Decrypt${what}`,
        actions: ['kms:Decrypt'],
        resources: [this.key.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com`, 'kms:EncryptionContext:SecretARN': [...arns] },
        },
      }),
    ];
  }
}
