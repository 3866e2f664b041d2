/**
 * What an invocation of Bedrock asks IAM for. A foundation model by itself is one resource. An inference profile is the account's own resource,
 * and Bedrock asks for the model in each Region it may send the request to as well, with `bedrock:InferenceProfileArn` set and that Region as
 * the requested one. Sources: Amazon Bedrock User Guide, "Prerequisites for inference profiles", "Supported Regions and models for inference
 * profiles", "Global cross-Region inference"; Service Authorization Reference, Amazon Bedrock.
 */
import { AwsError } from '../core/aws-error.ts';
import type { Need } from '../core/service.ts';

const modelPattern = /^(?:anthropic\.claude-|amazon\.nova-)[a-z0-9.:-]+$/;

/** Where a profile is called, and where its requests may go. The service's tables differ by model; these are those of Claude Sonnet 4. */
const profiles: Readonly<Record<string, { readonly from: RegExp; readonly to: readonly string[] }>> = {
  us: { from: /^us-/, to: ['us-east-1', 'us-east-2', 'us-west-2'] },
  eu: { from: /^eu-/, to: ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3'] },
  apac: {
    from: /^ap-/,
    to: [
      'ap-northeast-1',
      'ap-northeast-2',
      'ap-northeast-3',
      'ap-south-1',
      'ap-south-2',
      'ap-southeast-1',
      'ap-southeast-2',
      'ap-southeast-4',
    ],
  },
  global: { from: /./, to: [] },
};

interface Invocation {
  readonly action: 'bedrock:InvokeModel' | 'bedrock:InvokeModelWithResponseStream';
  /** ID or ARN of a foundation model or of an inference profile that AWS defines. */
  readonly modelId: string;
  readonly accountId: string;
  /** The Region whose endpoint is called. */
  readonly region: string;
}

/** Throws AwsError ValidationException for what is no model or profile, or none that this Region offers. */
export function invocationNeeds({ action, modelId, accountId, region }: Invocation): readonly Need[] {
  const [, arnRegion = region, owner, kind, named] =
    /^arn:aws:bedrock:([a-z0-9-]+):(\d{12})?:(foundation-model|inference-profile)\/(.+)$/.exec(modelId) ?? [];
  const [, prefix = '', plain = ''] = /^(?:(us|eu|apac|global)\.)?(.+)$/.exec(named ?? modelId) ?? [];
  const profile = profiles[prefix];
  // A profile's ARN names its account, a model's none.
  const isProfileArn = kind === 'inference-profile';
  const isFitting = kind === undefined || (isProfileArn === (profile !== undefined) && isProfileArn === (owner !== undefined));
  if (!modelPattern.test(plain) || arnRegion !== region || !isFitting || profile?.from.test(region) === false)
    throw new AwsError('ValidationException', 'The provided model identifier is invalid.');
  if (profile === undefined) return [{ action, resource: modelArn(region, plain) }];

  const resource = `arn:aws:bedrock:${region}:${owner ?? accountId}:inference-profile/${prefix}.${plain}`;
  const onModel = (destination: string, requested: string): Need => ({
    action,
    resource: modelArn(destination, plain),
    context: { 'bedrock:InferenceProfileArn': resource },
    region: requested,
  });
  const destinations =
    prefix === 'global' ? [onModel(region, region), onModel('', 'unspecified')] : profile.to.map((to) => onModel(to, to));
  return [{ action, resource, resourceAccountId: owner ?? accountId }, ...destinations];
}

/** Models belong to no account; the model behind a global profile to no Region either. */
function modelArn(region: string, model: string): string {
  return `arn:aws:bedrock:${region}::foundation-model/${model}`;
}
