import type { CredentialSettings, EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter, settingOf } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

const projectOf = (settings: CredentialSettings): string => settingOf('vertex', settings, 'project', /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/);
const locationOf = (settings: CredentialSettings): string => settingOf('vertex', settings, 'location', /^(global|[a-z]+-[a-z]+\d{1,2})$/);

const versions = ['v1', 'v1beta1'] as const;
const verbs = [
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'computeTokens',
  'embedContent',
  'predict',
  'rawPredict',
  'streamRawPredict',
] as const;
const place = 'projects/{project}/locations/{location}' as const;

/**
 * Source: Vertex AI REST reference, `projects.locations.publishers.models`, `projects.locations.endpoints`. Only the credential's own project and location: a token may be good
 * for more than one.
 */
export const vertex: EgressAdapter = defineAdapter({
  provider: 'vertex',
  host(settings) {
    const location = locationOf(settings);
    return location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
  },
  paths: {
    verbs: true,
    rules: versions.flatMap((version) => [
      ...verbs.map((verb) => `POST ${version}/${place}/publishers/{publisher}/models/{model}:${verb}` as const),
      ...verbs.map((verb) => `POST ${version}/${place}/endpoints/{endpoint}:${verb}` as const),
      `POST ${version}/${place}/endpoints/openapi/chat/completions` as const,
      `GET ${version}/publishers/{publisher}/models/{model}` as const,
    ]),
    query: ['alt'],
  },
  own: (settings) => ({ project: projectOf(settings), location: locationOf(settings) }),
  callerHeaders: ['x-goog-api-client'],
  // An OAuth access token, whoever minted it.
  authHeaders: (secret) => bearerHeader('vertex', secret),
});
