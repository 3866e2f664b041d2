import { z } from 'zod';
import { askedProviderName, providerName } from '../providers/provider-name.ts';
import { credentialId, userId } from '../shared/identifier-fields.ts';
import { credentialSettings, storedSettings } from './credential-settings.ts';

/** `pool` shares roles and key; `dedicated` has its own of both. */
export const tier = z.enum(['pool', 'dedicated']);
export type Tier = z.infer<typeof tier>;

/** For people to read: letters of any script, no control or formatting characters that could forge a log line. */
export const displayText = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{C}]+$/u, 'must hold no control characters');

/** A lower-case name such as `production`; free to choose, because Cordon gives none of them a meaning. */
export const environmentName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a lower-case name such as production');

/** Becomes the value of a secret's tag: AWS allows these characters there (Secrets Manager API, Tag). */
export const tagText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,63}$/, 'must be a short plain name');

export const labels = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), tagText)
  .refine((value) => Object.keys(value).length <= 16, 'must have at most 16 labels')
  .meta({ maxProperties: 16 });

const askedCredential = z.strictObject({
  credentialId,
  provider: askedProviderName,
  source: z.enum(['platform-issued', 'customer-supplied', 'federated']),
  userId: userId.optional(),
  environment: environmentName,
  useCase: tagText.optional(),
  team: tagText.optional(),
  labels: labels.optional(),
  dataClasses: z.array(environmentName).max(16).optional(),
  settings: credentialSettings.optional(),
  /** `activateAt`: the next key may be made before, but is not in force until then. */
  rotation: z
    .strictObject({ everyDays: z.int().min(1).max(365), graceHours: z.int().min(0).max(720), activateAt: z.iso.datetime().optional() })
    .optional(),
});

/** One credential as an event asks for it. */
export const credentialSpec = askedCredential.superRefine(({ provider, source, settings }, context) => {
  if (provider === 'postgres' && source !== 'customer-supplied')
    context.addIssue({ code: 'custom', path: ['source'], message: 'must be customer-supplied for postgres' });
  if (settings?.kmsKeyArn !== undefined && source !== 'customer-supplied')
    context.addIssue({ code: 'custom', path: ['settings', 'kmsKeyArn'], message: 'is for customer-supplied credentials only' });
});
export type CredentialSpec = z.infer<typeof credentialSpec>;

/**
 * One credential as it is kept. `customer-role` is what a customer connected by a role of their own account: it comes from a verified connection and from no event,
 * or anybody who may send one could point at a role.
 */
export const storedCredential = askedCredential.extend({
  provider: providerName,
  source: z.enum([...askedCredential.shape.source.options, 'customer-role']),
  /** Of a customer-role: the connection it stands for, by the customer's account ID. */
  connectionId: z
    .string()
    .regex(/^\d{12}$/, 'must be an AWS account ID')
    .optional(),
  settings: storedSettings.optional(),
});
export type StoredCredential = z.infer<typeof storedCredential>;

/** Sends matching use to a credential; `backup` takes over when that one is revoked. */
export const routingRule = z.strictObject({
  match: z.strictObject({
    provider: providerName,
    environment: environmentName,
    useCase: tagText.optional(),
    team: tagText.optional(),
    labels: labels.optional(),
  }),
  use: credentialId,
  backup: credentialId.optional(),
});
export type RoutingRule = z.infer<typeof routingRule>;
