import { z } from 'zod';
import { type ResourceHandlers, resource, tagList, textOf } from '../resource-handler.ts';

const generate = z.strictObject({
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
  PasswordLength: z.number().optional(),
  ExcludeCharacters: z.string().optional(),
  ExcludeNumbers: z.boolean().optional(),
  ExcludePunctuation: z.boolean().optional(),
  ExcludeUppercase: z.boolean().optional(),
  ExcludeLowercase: z.boolean().optional(),
  IncludeSpace: z.boolean().optional(),
  RequireEachIncludedType: z.boolean().optional(),
});

export const secretsManagerResources: ResourceHandlers = {
  'AWS::SecretsManager::Secret': resource(
    z.strictObject({
      Name: z.string().optional(),
      Description: z.string().optional(),
      KmsKeyId: z.string().optional(),
      SecretString: z.string().optional(),
      GenerateSecretString: generate.optional(),
      Tags: tagList,
    }),
    {},
    async ({ GenerateSecretString, SecretString, Name, ...properties }, { call, physicalName }) => {
      const secret = { ...properties, Name: Name ?? physicalName(512) };
      const generated = GenerateSecretString === undefined ? undefined : await generateValue(GenerateSecretString, call);
      const value = generated ?? SecretString;
      const answer = await call('secretsmanager', 'CreateSecret', { ...secret, ...(value === undefined ? {} : { SecretString: value }) });
      const arn = textOf(answer, 'ARN');
      return { physicalId: arn, attributes: { Id: arn } };
    },
  ),
};

/** A password, or the template's JSON with the password under its key. */
async function generateValue(
  { SecretStringTemplate, GenerateStringKey, ...options }: z.output<typeof generate>,
  call: (service: string, operation: string, input: object) => Promise<Record<string, unknown>>,
): Promise<string> {
  const password = textOf(await call('secretsmanager', 'GetRandomPassword', options), 'RandomPassword');
  if (SecretStringTemplate === undefined || GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: password });
}
